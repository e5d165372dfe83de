//! Evaluators: each judges one output of one case. Pure: a judge's question is built here, asked elsewhere.

mod blame;
mod builtin;
mod check;
mod choices;
pub mod combine;
pub mod compile;
mod describe;
mod ecma;
mod facts;
mod find;
pub mod graded;
mod html;
mod json;
pub mod judge;
mod likeness;
mod pattern;
mod phrases;
mod refusal;
mod sensitive;
pub mod spec;
mod sql;
mod text;
mod tools;
mod xml;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use blame::blamed;
pub use phrases::banned;
pub use sensitive::{Personal, personal_data};

use super::golden::Case;
use super::ids::{Digest, ModelId};
use super::prompt::Vars;
use check::Check;
use compile::CompileError;
pub(in crate::domain) use describe::describe;
use graded::Graded;
use judge::JudgeQuestion;
use spec::EvaluatorSpec;
use text::Facts;

/// One evaluator with its weight, threshold and metric name. Compiled once, shared by all cases that use it.
/// Made by [`Evaluator::compile`] only, so each one is sound.
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
    /// Whether it passes where its kind fails, with the score turned round (`not-`).
    pub negated: bool,
    /// Hash of kind, value, weight, threshold and metric; the name is not part of it.
    pub definition: Digest,
    spec: Arc<EvaluatorSpec>,
    check: Arc<Check>,
}

/// An answer and what is known of how it came to be.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The text; of an answer that calls tools and says nothing, the calls as a JSON list in OpenAI's form.
    pub text: &'a str,
    /// Why the model stopped, in the provider's word.
    pub finish_reason: Option<&'a str>,
    /// What it cost in USD, where the provider counted tokens and the model's price is known.
    pub cost_usd: Option<f64>,
    /// How long the provider took, in milliseconds.
    pub latency_ms: Option<u32>,
    /// The tools the model might call.
    pub tools: &'a [Value],
}

impl<'a> Answer<'a> {
    /// A text of which nothing else is known.
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Self { text, finish_reason: None, cost_usd: None, latency_ms: None, tools: &[] }
    }
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

impl Evaluator {
    /// Judges an answer to `case`. What cannot be judged (a variable without a value, a pattern that
    /// runs out of steps) fails with a reason that says so: it is never a pass.
    #[must_use]
    pub fn evaluate(&self, answer: &Answer<'_>, case: &Case) -> Evaluation {
        let facts = Facts { vars: &case.vars, expected: case.expected.as_deref() };
        self.check
            .evaluate(answer, facts)
            .map(|evaluation| self.turned(evaluation))
            .unwrap_or_else(|unjudged| Evaluation::Assessed(Assessment::of(false, unjudged.to_string())))
    }

    /// The evaluation as it counts for this evaluator: of a negated one, the opposite.
    fn turned(&self, evaluation: Evaluation) -> Evaluation {
        match evaluation {
            Evaluation::Assessed(assessment) if self.negated => Evaluation::Assessed(assessment.negated()),
            Evaluation::Ask(question) if self.negated => Evaluation::Ask(Box::new(question.negated())),
            other => other,
        }
    }

    /// What the file said, for writing it again.
    #[must_use]
    pub fn spec(&self) -> &EvaluatorSpec {
        &self.spec
    }

    /// Which of the two sides' answers is better, for an evaluator that compares sides; what comes of it is head's
    /// assessment, from which base's follows ([`Assessment::mirrored`]). `None` for every other evaluator.
    #[must_use]
    pub fn prefer(&self, base: &str, head: &str, case: &Case) -> Option<Evaluation> {
        let Check::Judge(judge) = &*self.check else { return None };
        let facts = Facts { vars: &case.vars, expected: case.expected.as_deref() };
        judge
            .prefer(base, head, facts)
            .unwrap_or_else(|missing| Some(Evaluation::Assessed(Assessment::of(false, missing.to_string()))))
    }

    fn graded(&self) -> Option<&Graded> {
        match &*self.check {
            Check::Judge(judge) => judge.graded(),
            _ => None,
        }
    }

    /// Whether a model has to be asked, a judge or one that makes vectors.
    #[must_use]
    pub fn needs_model(&self) -> bool {
        matches!(*self.check, Check::Judge(_))
    }

    /// Whether only a judge's opinion of the one answer stands behind it.
    #[must_use]
    pub fn is_opinion(&self) -> bool {
        self.needs_model() && !self.graded().is_some_and(|graded| graded.is_by_vectors() || graded.compares())
    }

    /// Whether it compares the two sides' answers.
    #[must_use]
    pub fn compares(&self) -> bool {
        self.graded().is_some_and(Graded::compares)
    }

    /// Whether it is left to the settings which model judges.
    #[must_use]
    pub fn needs_default_judge(&self) -> bool {
        matches!(&*self.check, Check::Judge(judge) if judge.model.is_none()) && !self.is_by_vectors()
    }

    /// The model it names itself, if it asks one.
    #[must_use]
    pub fn own_model(&self) -> Option<&ModelId> {
        match &*self.check {
            Check::Judge(judge) => judge.model.as_ref(),
            _ => None,
        }
    }

    /// Whether it is left to the settings which model makes the vectors.
    #[must_use]
    pub fn needs_default_embeddings(&self) -> bool {
        matches!(&*self.check, Check::Judge(judge) if judge.model.is_none()) && self.is_by_vectors()
    }

    fn is_by_vectors(&self) -> bool {
        self.graded().is_some_and(Graded::is_by_vectors)
    }

    /// The names a case must give a value for, with repeats. `expected` is answered by the case's `expected` too;
    /// `completion` in a judge prompt is not among them, since the answer fills it.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.check.variables().into_iter()
    }

    /// Whether every text of this evaluator can be filled from a case, and every pattern it then makes is sound.
    ///
    /// # Errors
    /// The first that cannot, for a diagnostic at the case.
    pub fn check_case(&self, vars: &Vars, expected: Option<&str>) -> Result<(), CompileError> {
        self.check.check_case(Facts { vars, expected })
    }
}

impl Assessment {
    /// The assessment of a kind that either passes or fails. The reason is made one line of bearable length.
    fn of(passed: bool, reason: impl AsRef<str>) -> Self {
        Self { score: if passed { 1.0 } else { 0.0 }, passed, reason: text::excerpt(reason.as_ref(), text::REASON) }
    }

    /// The same with a reason that is one short line already.
    fn plain(passed: bool, reason: &'static str) -> Self {
        Self { score: if passed { 1.0 } else { 0.0 }, passed, reason: reason.to_owned() }
    }

    /// The opposite: a pass fails, and the score is what was missing to 1.
    #[must_use]
    pub fn negated(self) -> Self {
        // What was found stays true; where it is what must not be, the reason says so.
        let reason = match self.passed {
            true => format!("{}, which must not be", text::excerpt(&self.reason, text::REASON.saturating_sub(20))),
            false => self.reason,
        };
        Self { score: 1.0 - self.score, passed: !self.passed, reason }
    }

    /// What an assessment of one side means for the other, of an evaluator that compares them; neither passes for both.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let score = 1.0 - self.score;
        Self { score, passed: score >= 0.5, reason: self.reason.clone() }
    }

    /// A graded assessment: passes from `threshold` on, or at any score above 0 where there is none.
    fn graded(score: f64, threshold: Option<f64>, reason: &str) -> Self {
        let passed = threshold.map_or(score > 0.0, |threshold| score >= threshold);
        Self { score, passed, reason: text::excerpt(reason, text::REASON) }
    }
}
