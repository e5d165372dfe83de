//! Money: what a run would cost, before any call, and what it has cost so far. All figures are estimates.

use super::answer::{Answerer, cases_of};
use super::provider::CompletionRequest;
use super::run::RunError;
use super::stage::{CHUNK, Group, Trial};
use crate::domain::evaluator::Answer;
use crate::domain::price::{Price, estimated_message_tokens, estimated_tokens};

/// Tokens expected of an answer where neither the case nor the prompt has a sample of one.
const ANSWER_TOKENS: u32 = 256;
/// Tokens expected of a judge's answer.
const JUDGEMENT_TOKENS: u32 = 100;

/// A limit and what has been spent of it.
pub(super) struct Purse {
    limit: Option<f64>,
    spent: f64,
}

impl Purse {
    pub fn new(limit: Option<f64>) -> Self {
        Self { limit, spent: 0.0 }
    }

    /// Counts money spent.
    ///
    /// # Errors
    /// When it passes the limit.
    pub fn spend(&mut self, usd: f64) -> Result<(), RunError> {
        self.spent += usd;
        self.check(self.spent)
    }

    /// Refuses a stage that would pass the limit, before any of its calls.
    ///
    /// # Errors
    /// When the estimate, stored answers left out, passes the limit.
    pub async fn afford(&self, answerer: &Answerer<'_>, trials: &[Trial], groups: &[Group]) -> Result<(), RunError> {
        let Some(limit) = self.limit else { return Ok(()) };
        let all: f64 = groups.iter().map(|group| unanswered_cost(answerer, trials, group)).sum();
        if all <= limit {
            return Ok(());
        }
        // Only now is it worth knowing what is stored: most of a re-run costs nothing.
        let mut open = 0.0;
        for (chunk, groups) in groups.chunks(CHUNK).enumerate() {
            for looked in answerer.look_up(trials, groups, chunk * CHUNK).await {
                let group = &groups[looked.group - chunk * CHUNK];
                open += match looked.known {
                    Some(completion) => judging_cost(answerer, trials, group, &completion.text),
                    None => unanswered_cost(answerer, trials, group),
                };
            }
        }
        self.check(open)
    }

    fn check(&self, usd: f64) -> Result<(), RunError> {
        match self.limit {
            Some(limit_usd) if usd > limit_usd => Err(RunError::OverBudget { estimate_usd: usd, limit_usd }),
            _ => Ok(()),
        }
    }
}

/// What asking and judging a group costs when nothing of it is known; 0 where the model has no known price.
fn unanswered_cost(answerer: &Answerer<'_>, trials: &[Trial], group: &Group) -> f64 {
    let trial = &trials[group.trials[0]];
    let (Some(shape), Ok(messages)) = (answerer.shape(trial), answerer.messages(trial)) else { return 0.0 };
    let sample = answerer.case(trial).expected.as_deref().or(shape.prompt.example_output.as_deref());
    let longest = shape.prompt.parameters.max_tokens.unwrap_or(u32::MAX);
    let answer_tokens = sample.map_or(ANSWER_TOKENS, estimated_tokens).min(longest);
    let asking = shape.price.map_or(0.0, |price| price.cost(estimated_message_tokens(&messages), answer_tokens));
    asking + judging_cost(answerer, trials, group, sample.unwrap_or_default())
}

/// What the judges of an answer cost, those that have judged the same text left out.
fn judging_cost(answerer: &Answerer<'_>, trials: &[Trial], group: &Group, text: &str) -> f64 {
    let cost = |request: CompletionRequest| {
        let tokens = estimated_message_tokens(&request.messages);
        Price::of(&request.model).map_or(0.0, |price| price.cost(tokens, JUDGEMENT_TOKENS))
    };
    cases_of(trials, group)
        .flat_map(|trial| answerer.judges.open_requests(answerer.case(trial), &Answer::text(text)))
        .map(cost)
        .sum()
}
