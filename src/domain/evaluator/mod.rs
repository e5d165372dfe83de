//! Evaluators: each judges one output of one case. Pure: a judge's question is built here, asked elsewhere.

pub mod combine;
pub mod judge;
pub mod spec;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::golden::Case;
use super::ids::Digest;
use super::prompt::{ChatMessage, Parameters, ResponseFormat, Role};
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
    /// Contained.
    Contains(Arc<str>),
    /// Not contained.
    NotContains(Arc<str>),
    /// A pattern.
    Regex(regex::Regex),
    /// Words.
    Words(usize, usize),
    /// A judge's opinion.
    Judge(Arc<JudgeSpec>),
}

impl Evaluator {
    /// Compiles what a file says.
    ///
    /// # Errors
    /// When the kind is none of the placeholder's.
    pub fn compile(spec: spec::EvaluatorSpec) -> Result<Self, String> {
        let check = match spec.check {
            spec::CheckSpec::Contains(text) => Check::Contains(text.into()),
            spec::CheckSpec::NotContains(text) => Check::NotContains(text.into()),
            spec::CheckSpec::Regex(text) => Check::Regex(regex::Regex::new(&text).map_err(|e| e.to_string())?),
            spec::CheckSpec::WordCount { min, max } => {
                Check::Words(min.unwrap_or(0) as usize, max.unwrap_or(1_000_000) as usize)
            }
            spec::CheckSpec::Judge { rubric, model } => Check::Judge(Arc::new(JudgeSpec { rubric, model })),
            other => return Err(format!("{other:?}")),
        };
        let name: Arc<str> = format!("{check:?}").into();
        let definition = Digest::of_parts([name.as_bytes()]);
        Ok(Self { name, weight: spec.weight.unwrap_or(1.0), threshold: None, metric: None, check, definition })
    }

    /// Judges `output` as the answer to `case`.
    #[must_use]
    pub fn evaluate(&self, output: &str, _case: &Case) -> Evaluation {
        let assessed = |passed: bool| {
            let reason = format!("the answer is {} characters long", output.len());
            Evaluation::Assessed(Assessment { score: f64::from(u8::from(passed)), passed, reason })
        };
        match &self.check {
            Check::Contains(text) => assessed(output.contains(text.as_ref())),
            Check::NotContains(text) => assessed(!output.contains(text.as_ref())),
            Check::Regex(pattern) => assessed(pattern.is_match(output)),
            Check::Words(min, max) => assessed((*min..=*max).contains(&output.split_whitespace().count())),
            Check::Judge(spec) => Evaluation::Ask(Box::new(JudgeQuestion {
                model: spec.model.clone(),
                messages: [ChatMessage { role: Role::User, content: format!("{}\n{}", spec.rubric, output).into() }]
                    .into(),
                response_format: ResponseFormat::Text,
                parameters: Parameters::default(),
            })),
        }
    }

    /// Whether only a model's opinion stands behind it.
    #[must_use]
    pub fn needs_judge(&self) -> bool {
        matches!(self.check, Check::Judge(_))
    }
}
