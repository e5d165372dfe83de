//! What files say of an evaluator, before it is compiled: the one form that every file format is read into.

use serde_json::Value;

use crate::domain::ids::ModelId;

pub use super::graded::spec::{FactualityScores, GradedKind, GradedSpec, Measure};

/// An evaluator as a file describes it. Texts are templates over the case's vars and `expected`.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatorSpec {
    /// `name`, where the file gives one.
    pub name: Option<String>,
    /// `weight`; 1 where absent, 0 informs only.
    pub weight: Option<f64>,
    /// `threshold`: the lowest passing score of graded kinds.
    pub threshold: Option<f64>,
    /// `metric`.
    pub metric: Option<String>,
    /// Whether it passes where its kind fails (`not-`).
    pub negated: bool,
    /// The kind and its value.
    pub check: CheckSpec,
}

impl EvaluatorSpec {
    /// A kind with nothing else said of it.
    #[must_use]
    pub fn plain(check: CheckSpec) -> Self {
        Self { name: None, weight: None, threshold: None, metric: None, negated: false, check }
    }
}

/// GitHub's four string operators; all but `equals` ignore case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GithubString {
    /// Equal to the trimmed answer, case-sensitive.
    Equals,
    /// Contained, any case.
    Contains,
    /// At the start, any case.
    StartsWith,
    /// At the end, any case.
    EndsWith,
}

/// GitHub's built-in judges (`uses: github/…`), scored on five steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GithubBuiltin {
    /// Same meaning as `expected`.
    Similarity,
    /// Hangs together.
    Coherence,
    /// Reads well.
    Fluency,
    /// Answers `input`.
    Relevance,
    /// Supported by `expected` as context.
    Groundedness,
}

/// The kind of an evaluator and its value.
#[derive(Debug, Clone, PartialEq)]
pub enum CheckSpec {
    /// The trimmed answer is exactly this text; a mapping or list is compared as JSON. `None`: the case's `expected`.
    Equals(Option<Value>),
    /// Contained.
    Contains(String),
    /// Not contained.
    NotContains(String),
    /// Contained, any case.
    Icontains(String),
    /// At the start of the trimmed answer.
    StartsWith(String),
    /// At the end of the trimmed answer.
    EndsWith(String),
    /// The pattern matches somewhere.
    Regex(String),
    /// The answer is JSON.
    IsJson,
    /// The answer is JSON that the schema accepts.
    JsonSchema(Value),
    /// Number of words, bounds included.
    WordCount {
        /// Fewest words.
        min: Option<u64>,
        /// Most words.
        max: Option<u64>,
    },
    /// Edit distance to `to` (the case's `expected` where `None`) of at most `max` characters.
    Levenshtein {
        /// The text to be near to.
        to: Option<String>,
        /// Largest distance that passes.
        max: u64,
    },
    /// A judge model scores the answer after a rubric, 0 to 1; passes from `threshold` (0.5 where absent).
    Judge {
        /// What to look for.
        rubric: String,
        /// The judge model, where the evaluator names one.
        model: Option<ModelId>,
    },
    /// GitHub's `string`.
    GithubString {
        /// Operator.
        operator: GithubString,
        /// Text.
        value: String,
    },
    /// GitHub's `llm`: a team's own judge prompt with choices; passes at any score above 0.
    GithubChoice {
        /// `modelId`.
        model: Option<ModelId>,
        /// `systemPrompt`.
        system_prompt: Option<String>,
        /// `prompt`, templated with the vars and `{{completion}}`.
        prompt: String,
        /// Choice and score.
        choices: Vec<(String, f64)>,
    },
    /// GitHub's `uses`.
    GithubBuiltin(GithubBuiltin),
    /// A kind that a model grades in a form of its own.
    Graded(GradedSpec),
}
