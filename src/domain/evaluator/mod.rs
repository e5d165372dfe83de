//! Evaluators: each judges one output of one case. Pure: a judge's question is built here, asked elsewhere.

pub mod judge;
pub mod spec;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::golden::Case;
use super::ids::Digest;
use judge::{JudgeQuestion, JudgeSpec};

/// One evaluator with its weight, threshold and metric name. Compiled once, shared by all cases that use it.
#[derive(Debug, Clone)]
pub struct Evaluator {
    /// What reports call it: its `name`, else its kind and value, cut short.
    pub name: Arc<str>,
    /// Share in the case's score; 0 informs only and cannot fail the case.
    pub weight: f64,
    /// Lowest score that passes, where the kind has graded scores.
    pub threshold: Option<f64>,
    /// The named metric the score counts towards, for instance `tone`.
    pub metric: Option<Arc<str>>,
    /// What is checked.
    pub check: Check,
    /// Hash of kind, value, weight, threshold and metric.
    pub definition: Digest,
}

/// What one evaluator found in one output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// In [0, 1].
    pub score: f64,
    /// Whether the threshold is reached.
    pub passed: bool,
    /// One line for people; holds outside text, renderings escape it.
    pub reason: String,
}

/// Either an answer at once, or a question for a judge model.
#[derive(Debug, Clone)]
pub enum Evaluation {
    /// Judged without a model.
    Assessed(Assessment),
    /// A judge model has to be asked; its answer goes to [`JudgeQuestion::read`].
    Ask(Box<JudgeQuestion>),
}

/// The closed list of kinds. The fields are the evaluators' own business.
#[derive(Debug, Clone)]
pub enum Check {
    /// Placeholder of the skeleton: the real list is written in this folder.
    Judge(Arc<JudgeSpec>),
}

/// Why a spec is no evaluator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// A lower-case fragment that names what is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Evaluator {
    /// Placeholder of compile.rs, to be dropped.
    ///
    /// # Errors
    /// An invalid regex or schema.
    pub fn compile(spec: spec::EvaluatorSpec) -> Result<Self, CompileError> {
        let fail = |message: String| CompileError { message, help: None };
        match &spec.check {
            spec::CheckSpec::Regex(pattern) => {
                regex::Regex::new(pattern).map_err(|_| fail(format!("invalid regex `{pattern}`")))?;
            }
            spec::CheckSpec::JsonSchema(schema) => {
                jsonschema::validator_for(schema).map_err(|e| fail(format!("invalid JSON Schema: {e}")))?;
            }
            _ => {}
        }
        let text = format!("{spec:?}");
        Ok(Self {
            name: text.chars().take(40).collect::<String>().into(),
            weight: spec.weight.unwrap_or(1.0),
            threshold: spec.threshold,
            metric: spec.metric.map(Into::into),
            check: Check::Judge(Arc::new(JudgeSpec { rubric: String::new(), model: None })),
            definition: Digest::of_parts([text.as_bytes()]),
        })
    }

    /// Judges `output` as the answer to `case`.
    #[must_use]
    pub fn evaluate(&self, _output: &str, _case: &Case) -> Evaluation {
        match &self.check {
            Check::Judge(_) => Evaluation::Assessed(Assessment { score: 0.0, passed: false, reason: String::new() }),
        }
    }

    /// Whether only a model's opinion stands behind it.
    #[must_use]
    pub fn needs_judge(&self) -> bool {
        matches!(self.check, Check::Judge(_))
    }
}
