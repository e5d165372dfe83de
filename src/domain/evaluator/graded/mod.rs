//! Model-graded evaluators: what each asks of a judge or of an embeddings model, in our own words. Pure; asks nobody.

pub(super) mod compile;
pub(super) mod draft;
pub(super) mod fence;
mod g_eval;
mod preference;
mod questions;
pub(super) mod reading;
pub mod spec;
mod vectors;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use super::Answer;
use super::choices::Choices;
use super::text::{Facts, MissingValue, Text};
use draft::{Draft, Found};
use g_eval::Steps;
use preference::Preference;
use spec::Measure;
use vectors::Nearness;

/// The variable that holds what the answer was built from.
const CONTEXT: &str = "context";
/// The variable that holds what a person asked.
const QUERY: &str = "query";
/// The variable that holds the turns before the answer, as promptfoo names it.
const CONVERSATION: &str = "_conversation";

/// A model-graded kind, compiled.
#[derive(Debug)]
pub(super) enum Graded {
    /// A question with choices.
    Choices {
        /// What is asked.
        question: Text,
        /// What may be said.
        choices: Arc<Choices>,
    },
    /// The five relations to a reference.
    Factuality {
        /// The reference.
        reference: Text,
        /// The relations and their scores.
        relations: Arc<Choices>,
    },
    /// A criterion, yes or no.
    ClosedQa {
        /// The criterion.
        criterion: Text,
        /// Yes and no.
        choices: Arc<Choices>,
    },
    /// Does the answer deal with the question?
    AnswerRelevance,
    /// Does the context hold the reference?
    ContextRecall {
        /// The reference.
        reference: Text,
    },
    /// How much of the context is needed?
    ContextRelevance,
    /// Does the context support the answer?
    ContextFaithfulness,
    /// Do the replies fit the conversation?
    ConversationRelevance,
    /// Steps, then a score.
    GEval {
        /// The criteria.
        criteria: Vec<Text>,
    },
    /// Which side is better?
    SelectBest {
        /// The criterion.
        criterion: Text,
    },
    /// Nearness of vectors.
    Similar {
        /// The texts to be near to.
        to: Vec<Text>,
        /// How.
        measure: Measure,
    },
}

impl Graded {
    /// The first question, or a score at once.
    pub fn start(&self, answer: &Answer<'_>, facts: Facts<'_>) -> Result<Found, MissingValue> {
        let output = answer.text;
        let next = |draft: Draft| Found::Next(Box::new(draft));
        Ok(match self {
            Self::Choices { question, choices } => next(questions::choices(&question.fill(facts)?, output, choices)),
            Self::Factuality { reference, relations } => {
                next(questions::factuality(query(facts).as_deref(), &reference.fill(facts)?, output, relations))
            }
            Self::ClosedQa { criterion, choices } => {
                next(questions::closed_qa(query(facts).as_deref(), &criterion.fill(facts)?, output, choices))
            }
            Self::AnswerRelevance => {
                let query = query(facts).unwrap_or_else(|| facts.input());
                next(questions::answer_relevance(&query, output))
            }
            Self::ContextRecall { reference } => {
                next(questions::context_recall(&value(facts, CONTEXT)?, &reference.fill(facts)?))
            }
            Self::ContextRelevance => {
                next(questions::context_relevance(&value(facts, CONTEXT)?, &value(facts, QUERY)?))
            }
            Self::ContextFaithfulness => {
                next(questions::context_faithfulness(query(facts).as_deref(), &value(facts, CONTEXT)?, output))
            }
            Self::ConversationRelevance => {
                let before = value(facts, CONVERSATION).unwrap_or_else(|_| facts.input());
                next(questions::conversation_relevance(&before, output))
            }
            Self::GEval { criteria } => {
                let criteria = filled(criteria, facts)?;
                let nothing = || Found::Score(1.0, "there is no criterion".to_owned());
                Steps::start(criteria, query(facts), output).map_or_else(nothing, next)
            }
            Self::SelectBest { .. } => Found::Score(1.0, "there is no other answer to compare with".to_owned()),
            Self::Similar { to, measure } => {
                let nothing = || Found::Score(0.0, "there is nothing to compare with".to_owned());
                Nearness::start(*measure, output, filled(to, facts)?).map_or_else(nothing, next)
            }
        })
    }

    /// The question which of two answers is better, for the kind that compares; scores are head's.
    pub fn prefer(&self, base: &str, head: &str, facts: Facts<'_>) -> Result<Option<Found>, MissingValue> {
        let Self::SelectBest { criterion } = self else { return Ok(None) };
        Ok(Some(Preference::start(criterion.fill(facts)?.into_owned(), base, head)))
    }

    /// The names a case must give a value for.
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Choices { question: text, .. }
            | Self::Factuality { reference: text, .. }
            | Self::ClosedQa { criterion: text, .. }
            | Self::SelectBest { criterion: text } => text.variables(),
            Self::ContextRecall { reference } => [vec![CONTEXT], reference.variables()].concat(),
            Self::ContextRelevance => vec![CONTEXT, QUERY],
            Self::ContextFaithfulness => vec![CONTEXT],
            Self::AnswerRelevance | Self::ConversationRelevance => Vec::new(),
            Self::GEval { criteria: texts } | Self::Similar { to: texts, .. } => {
                texts.iter().flat_map(Text::variables).collect()
            }
        }
    }

    /// Whether vectors are compared, not opinions asked.
    pub const fn is_by_vectors(&self) -> bool {
        matches!(self, Self::Similar { .. })
    }

    /// Whether two sides are compared.
    pub const fn compares(&self) -> bool {
        matches!(self, Self::SelectBest { .. })
    }
}

fn filled(texts: &[Text], facts: Facts<'_>) -> Result<Vec<String>, MissingValue> {
    texts.iter().map(|text| text.fill(facts).map(std::borrow::Cow::into_owned)).collect()
}

/// A variable as text; the parts of a list one below the other.
fn value(facts: Facts<'_>, name: &str) -> Result<String, MissingValue> {
    match facts.vars.get(name) {
        Some(Value::Array(parts)) => Ok(parts.iter().map(plain).collect::<Vec<_>>().join("\n\n")),
        Some(value) => Ok(plain(value)),
        None => Err(MissingValue(name.to_owned())),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn query(facts: Facts<'_>) -> Option<String> {
    value(facts, QUERY).ok()
}

/// A share of a whole that is not empty.
#[expect(clippy::cast_precision_loss, reason = "both are counts of a bounded list")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}
