//! Judges: builds the question put to a judge model and reads its answer. Pure; who asks is not known here.

use std::sync::Arc;

use super::builtin;
use super::choices::Choices;
use super::graded::Graded;
use super::graded::draft::{Draft, Found};
use super::graded::fence::Fence;
use super::graded::reading::Reading;
use super::spec::GithubBuiltin;
use super::text::{Facts, MissingValue, Text, fill, quote};
use super::{Answer, Assessment, Evaluation};
use crate::domain::ids::ModelId;
use crate::domain::prompt::template::Template;
use crate::domain::prompt::{ChatMessage, Parameters, ResponseFormat, Role};

/// The lowest passing score of judges that name no threshold; choices pass at any score above 0 instead.
pub(super) const THRESHOLD: f64 = 0.5;

/// A judge evaluator, compiled.
#[derive(Debug)]
pub(super) struct Judge {
    /// The judge model; the settings' `judge` where absent.
    pub model: Option<ModelId>,
    /// Lowest score that passes; any above 0 where absent.
    pub threshold: Option<f64>,
    /// What is asked.
    pub kind: JudgeKind,
}

/// What a judge is asked, and in which form it answers.
#[derive(Debug)]
pub(super) enum JudgeKind {
    /// A rubric; the answer is a score with a reason.
    Rubric(Text),
    /// One of GitHub's built-in judges; the answer is a digit.
    Builtin(GithubBuiltin),
    /// A team's own prompt; the answer is one of its choices.
    Own {
        /// The user turn, with a place for the answer under judgement.
        prompt: Template,
        /// The system turn.
        system: Option<Text>,
        /// What it may answer.
        choices: Arc<Choices>,
    },
    /// One of the kinds with a form of their own, some of which ask several questions in turn.
    Graded(Graded),
}

/// What a model is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A judge's opinion.
    Opinion,
    /// The vector of a text.
    Vector,
}

/// A question for a judge or embeddings model, complete but for the default model. It does not say which side answered.
#[derive(Debug, Clone)]
pub struct JudgeQuestion {
    /// The model named by the evaluator, if any.
    pub model: Option<ModelId>,
    /// What is wanted of it.
    pub wanted: Wanted,
    /// What is sent. Candidate text is inside a fence whose nonce follows from the text's own hash.
    pub messages: Arc<[ChatMessage]>,
    /// How the judge samples: at temperature 0.
    pub parameters: Parameters,
    /// The form the answer must have.
    pub response_format: ResponseFormat,
    reading: Reading,
    fence: Option<Fence>,
    threshold: Option<f64>,
    negated: bool,
    second: bool,
}

/// A judge's answer that fits no schema and no choice: the trial is unmeasured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unreadable judge answer: {0}")]
pub struct UnreadableAnswer(pub String);

impl Judge {
    /// What is to be asked of an answer; a score at once where nothing is.
    pub fn evaluate(&self, answer: &Answer<'_>, facts: Facts<'_>) -> Result<Evaluation, MissingValue> {
        let output = answer.text;
        let next = |draft: Draft| Found::Next(Box::new(draft));
        let found = match &self.kind {
            JudgeKind::Rubric(rubric) => next(by_rubric(&rubric.fill(facts)?, output)),
            JudgeKind::Builtin(kind) => next(by_builtin(*kind, output, facts)?),
            JudgeKind::Own { prompt, system, choices } => {
                let system = system.as_ref().map(|system| system.fill(facts)).transpose()?;
                next(by_own_prompt(prompt, system.as_deref(), choices, output, facts)?)
            }
            JudgeKind::Graded(graded) => graded.start(answer, facts)?,
        };
        Ok(self.evaluation(found))
    }

    /// Which of two answers is better, for a judge that compares sides; head's assessment.
    pub fn prefer(&self, base: &str, head: &str, facts: Facts<'_>) -> Result<Option<Evaluation>, MissingValue> {
        let JudgeKind::Graded(graded) = &self.kind else { return Ok(None) };
        Ok(graded.prefer(base, head, facts)?.map(|found| self.evaluation(found)))
    }

    fn evaluation(&self, found: Found) -> Evaluation {
        match found {
            Found::Score(score, reason) => Evaluation::Assessed(Assessment::graded(score, self.threshold, &reason)),
            Found::Next(draft) => {
                let question = JudgeQuestion::new(*draft, self.model.clone(), self.threshold);
                Evaluation::Ask(Box::new(question))
            }
        }
    }

    /// The names a case must give a value for.
    pub fn variables(&self) -> Vec<&str> {
        match &self.kind {
            JudgeKind::Rubric(rubric) => rubric.variables(),
            JudgeKind::Builtin(kind) if kind.shows_expected() => vec!["expected"],
            JudgeKind::Builtin(_) => Vec::new(),
            JudgeKind::Own { prompt, system, .. } => {
                let own = prompt.variables().filter(|name| *name != "completion");
                own.chain(system.iter().flat_map(Text::variables)).collect()
            }
            JudgeKind::Graded(graded) => graded.variables(),
        }
    }

    /// The kind with a form of its own, if it is one.
    pub fn graded(&self) -> Option<&Graded> {
        match &self.kind {
            JudgeKind::Graded(graded) => Some(graded),
            _ => None,
        }
    }
}

impl JudgeQuestion {
    fn new(draft: Draft, model: Option<ModelId>, threshold: Option<f64>) -> Self {
        let Draft { messages, reading, fence } = draft;
        let wanted = if matches!(reading, Reading::Nearness(_)) { Wanted::Vector } else { Wanted::Opinion };
        let temperature = (wanted == Wanted::Opinion).then_some(0.0);
        Self {
            model,
            wanted,
            messages: messages.into(),
            parameters: Parameters { temperature, ..Parameters::default() },
            response_format: reading.format(),
            reading,
            fence,
            threshold,
            negated: false,
            second: false,
        }
    }

    /// Reads the model's answer: the whole of it must have the form that was asked for. What it leads to is an assessment,
    /// or the next of a bounded number of questions.
    ///
    /// # Errors
    /// When the answer matches neither the schema nor, whole, one of the choices.
    pub fn read(&self, answer: &str) -> Result<Evaluation, UnreadableAnswer> {
        let found = self.reading.read(answer).map_err(|why| UnreadableAnswer(format!("{} {why}", quote(answer))))?;
        Ok(match found {
            Found::Score(score, reason) => {
                let assessment = Assessment::graded(score, self.threshold, &reason);
                Evaluation::Assessed(if self.negated { assessment.negated() } else { assessment })
            }
            Found::Next(draft) => {
                let next = Self { negated: self.negated, ..Self::new(*draft, self.model.clone(), self.threshold) };
                Evaluation::Ask(Box::new(if self.second { next.second_opinion() } else { next }))
            }
        })
    }

    /// The same question for an evaluator that passes where its kind fails.
    pub(super) fn negated(self) -> Self {
        Self { negated: true, ..self }
    }

    /// The same question, and those that follow from it, with another nonce: an answer to it is not a copy of the first.
    #[must_use]
    pub fn second_opinion(&self) -> Self {
        let mut again = Self { second: true, ..self.clone() };
        if let Some(fence) = &self.fence {
            let other = fence.other();
            let renew = |message: &ChatMessage| {
                ChatMessage::text(message.role, message.content.replace(fence.nonce(), other.nonce()))
            };
            again.messages = self.messages.iter().map(renew).collect();
            again.fence = Some(other);
        }
        again
    }

    /// How many questions there are at most before the assessment, this one included.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.reading.left()
    }
}

fn by_rubric(rubric: &str, output: &str) -> Draft {
    let instruct = |notice: &str| {
        format!(
            "You judge an answer that another model gave. Score how well it meets this rubric, from 0 (not at all) to 1 \
             (fully).\n\nRubric:\n{rubric}\n\n{notice}\n\n{}",
            Draft::SCORE
        )
    };
    Draft::fenced(&[rubric], &[("answer", output)], instruct, "Judge the answer above by the rubric.", Reading::Score)
}

fn by_builtin(kind: GithubBuiltin, output: &str, facts: Facts<'_>) -> Result<Draft, MissingValue> {
    let input = kind.shows_input().then(|| facts.input());
    let expected = if kind.shows_expected() { Some(Text::expected().fill(facts)?.into_owned()) } else { None };
    let mut held: Vec<(&str, &str)> = Vec::new();
    held.extend(input.as_deref().map(|input| ("input", input)));
    held.extend(expected.as_deref().map(|expected| ("expected", expected)));
    held.push(("answer", output));
    let instruct = |notice: &str| {
        format!(
            "You judge an answer that another model gave, in five steps.\n\n{}\n\n{notice}\n\nReply with one digit from 1 \
             to 5 and nothing else.",
            kind.rubric()
        )
    };
    let reading = Reading::Choice(Arc::new(builtin::steps()));
    Ok(Draft::fenced(&[kind.rubric()], &held, instruct, "Judge the answer above. One digit from 1 to 5:", reading))
}

/// The team's prompt as they wrote it, with the answer fenced where `{{completion}}` stands.
fn by_own_prompt(
    prompt: &Template,
    system: Option<&str>,
    choices: &Arc<Choices>,
    output: &str,
    facts: Facts<'_>,
) -> Result<Draft, MissingValue> {
    let unfenced = fill(prompt, facts, Some(output))?;
    let fence = Fence::around(&[system.unwrap_or_default(), &unfenced, output]);
    let held = format!("({})\n{}", fence.notice(), fence.hold("answer", output));
    let user = ChatMessage::text(Role::User, fill(prompt, facts, Some(&held))?);
    let system = system.map(|system| ChatMessage::text(Role::System, system));
    let messages = system.into_iter().chain([user]).collect();
    Ok(Draft { messages, reading: Reading::Choice(Arc::clone(choices)), fence: Some(fence) })
}

#[cfg(test)]
mod tests;
