//! Judges: builds the question put to a judge model and reads its answer. Pure; who asks is not known here.

use std::sync::Arc;

use super::Assessment;
use crate::domain::ids::ModelId;
use crate::domain::prompt::{ChatMessage, Parameters, ResponseFormat};

/// What a judge evaluator says in a golden set or prompt file.
#[derive(Debug, Clone)]
pub struct JudgeSpec {
    /// What to look for.
    pub rubric: String,
    /// The judge model; the settings' `judge` where absent.
    pub model: Option<ModelId>,
}

/// A question for a judge model, complete but for the default model.
#[derive(Debug, Clone)]
pub struct JudgeQuestion {
    /// The model named by the evaluator, if any.
    pub model: Option<ModelId>,
    /// What is sent. Candidate text is inside a fence whose nonce follows from the text's own hash.
    pub messages: Arc<[ChatMessage]>,
    /// The form the answer must have.
    pub response_format: ResponseFormat,
    /// How it samples.
    pub parameters: Parameters,
}

/// A judge's answer that fits no schema and no choice: the trial is unmeasured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unreadable judge answer: {0}")]
pub struct UnreadableAnswer(pub String);

impl JudgeQuestion {
    /// Reads the judge's answer.
    ///
    /// # Errors
    /// When the answer matches neither the schema nor, whole, one of the choices.
    pub fn read(&self, answer: &str) -> Result<Assessment, UnreadableAnswer> {
        let unreadable = || UnreadableAnswer(answer.chars().take(80).collect());
        let value: serde_json::Value = serde_json::from_str(answer).map_err(|_| unreadable())?;
        let score = value["score"].as_f64().ok_or_else(unreadable)?;
        Ok(Assessment { score, passed: score >= 0.5, reason: String::new() })
    }
}
