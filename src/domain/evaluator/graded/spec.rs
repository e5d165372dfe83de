//! What files say of a model-graded evaluator. Knows no question and no answer.

use serde_json::{Value, json};

use crate::domain::evaluator::text::quote;
use crate::domain::ids::ModelId;

/// A model-graded evaluator as a file describes it. Texts are templates over the case's vars and `expected`.
#[derive(Debug, Clone, PartialEq)]
pub struct GradedSpec {
    /// What is asked.
    pub kind: GradedKind,
    /// The judge model, or for `similar` the embeddings model, where the evaluator names one.
    pub model: Option<ModelId>,
}

/// The closed list of model-graded kinds beside rubrics, GitHub's built-in judges and a team's own prompt.
#[derive(Debug, Clone, PartialEq)]
pub enum GradedKind {
    /// A question about the answer, and what may be said to it; passes at any score above 0.
    Choices {
        /// What is asked.
        question: String,
        /// Choice and score.
        choices: Vec<(String, f64)>,
    },
    /// How the answer's facts stand to a reference; passes at any score above 0.
    Factuality {
        /// The reference; the case's `expected` where `None`.
        reference: Option<String>,
        /// What each relation is worth.
        scores: FactualityScores,
    },
    /// Whether the answer meets a criterion, yes or no.
    ClosedQa {
        /// The criterion.
        criterion: String,
    },
    /// How well the answer deals with the variable `query`, or with the prompt where a case has none.
    AnswerRelevance,
    /// The share of the reference's statements that the variable `context` supports.
    ContextRecall {
        /// The reference; the case's `expected` where `None`.
        reference: Option<String>,
    },
    /// The share of the sentences of `context` that answering `query` takes.
    ContextRelevance,
    /// The share of the answer's claims that `context` supports.
    ContextFaithfulness,
    /// The share of the replies in a conversation that fit what was said before; the answer is the last.
    ConversationRelevance,
    /// Criteria for which the judge first writes steps, then scores by them; their mean.
    GEval {
        /// The criteria.
        criteria: Vec<String>,
    },
    /// Which side's answer is better by a criterion.
    SelectBest {
        /// The criterion.
        criterion: String,
    },
    /// How near the answer is in meaning to the nearest of some texts, by embeddings.
    Similar {
        /// The texts; the case's `expected` where empty.
        to: Vec<String>,
        /// How vectors are compared.
        measure: Measure,
    },
}

/// What each relation of an answer to its reference is worth, in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FactualityScores {
    /// The answer says a part of the reference.
    pub subset: f64,
    /// The answer says the reference and more.
    pub superset: f64,
    /// Both say the same.
    pub agree: f64,
    /// They contradict each other.
    pub disagree: f64,
    /// They differ in what does not touch facts.
    pub differ_but_factual: f64,
}

impl Default for FactualityScores {
    /// Only a contradiction fails.
    fn default() -> Self {
        Self { subset: 1.0, superset: 1.0, agree: 1.0, disagree: 0.0, differ_but_factual: 1.0 }
    }
}

/// How two vectors are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The cosine of their angle.
    Cosine,
    /// Their dot product.
    Dot,
    /// 1 / (1 + their distance); the threshold is the largest distance that passes.
    Euclidean,
}

impl GradedKind {
    /// The name in files.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Choices { .. } => "choices",
            Self::Factuality { .. } => "factuality",
            Self::ClosedQa { .. } => "closed_qa",
            Self::AnswerRelevance => "answer_relevance",
            Self::ContextRecall { .. } => "context_recall",
            Self::ContextRelevance => "context_relevance",
            Self::ContextFaithfulness => "context_faithfulness",
            Self::ConversationRelevance => "conversation_relevance",
            Self::GEval { .. } => "g_eval",
            Self::SelectBest { .. } => "select_best",
            Self::Similar { .. } => "similar",
        }
    }

    /// The metric it counts towards where a file names none.
    #[must_use]
    pub const fn metric(&self) -> Option<&'static str> {
        match self {
            Self::AnswerRelevance | Self::ContextRelevance | Self::ConversationRelevance => Some("relevance"),
            Self::Factuality { .. } | Self::Similar { .. } => Some("accuracy"),
            _ => None,
        }
    }

    /// The lowest score that passes where a file names no threshold; `None`: any score above 0.
    pub(in crate::domain::evaluator) const fn threshold(&self) -> Option<f64> {
        match self {
            Self::Choices { .. } | Self::Factuality { .. } | Self::ClosedQa { .. } => None,
            Self::ContextRecall { .. } | Self::ContextRelevance | Self::ContextFaithfulness => Some(0.0),
            Self::ConversationRelevance | Self::SelectBest { .. } => Some(0.5),
            Self::AnswerRelevance | Self::GEval { .. } => Some(0.7),
            Self::Similar { .. } => Some(0.75),
        }
    }
}

impl GradedSpec {
    /// All that decides, as JSON. Equal values mean equal checks.
    pub(in crate::domain::evaluator) fn value(&self) -> Value {
        let value = match &self.kind {
            GradedKind::Choices { question, choices } => json!({"question": question, "choices": choices}),
            GradedKind::Factuality { reference, scores } => {
                let FactualityScores { subset, superset, agree, disagree, differ_but_factual } = scores;
                json!({"to": reference, "scores": [subset, superset, agree, disagree, differ_but_factual]})
            }
            GradedKind::ClosedQa { criterion } | GradedKind::SelectBest { criterion } => json!(criterion),
            GradedKind::ContextRecall { reference } => json!({"to": reference}),
            GradedKind::AnswerRelevance
            | GradedKind::ContextRelevance
            | GradedKind::ContextFaithfulness
            | GradedKind::ConversationRelevance => Value::Null,
            GradedKind::GEval { criteria } => json!(criteria),
            GradedKind::Similar { to, measure } => json!({"to": to, "measure": format!("{measure:?}")}),
        };
        json!({"value": value, "model": self.model})
    }

    /// What reports call it where a file gives no name.
    pub(in crate::domain::evaluator) fn title(&self) -> String {
        let about = match &self.kind {
            GradedKind::Choices { question: text, .. }
            | GradedKind::ClosedQa { criterion: text }
            | GradedKind::SelectBest { criterion: text }
            | GradedKind::Factuality { reference: Some(text), .. }
            | GradedKind::ContextRecall { reference: Some(text) } => Some(text),
            GradedKind::GEval { criteria: texts } | GradedKind::Similar { to: texts, .. } => texts.first(),
            _ => None,
        };
        about.map_or_else(|| self.kind.name().to_owned(), |text| format!("{} {}", self.kind.name(), quote(text)))
    }
}
