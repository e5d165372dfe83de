//! One run: stage after stage as [`crate::domain::gate::plan`] wants them, within limits. Knows no vendor and no store.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::answer::Answerer;
use super::budget::Purse;
use super::call::Caller;
use super::event::RunEvent;
use super::judging::Judges;
use super::outage::Outages;
use super::provider::Provider;
use super::stage::{Questions, Trial, drive, group};
use super::tally::{self, PromptTally};
use crate::domain::gate::{GateSettings, PromptRecord, Tried, plan};
use crate::domain::ids::{ModelId, PromptPath};
use crate::domain::prompt::Prompt;

pub use crate::domain::golden::difference::PlannedCase;
pub use crate::domain::report::{MeasuredOutput as Output, SideUsage as Usage};

/// What is run: every prompt of one change.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// The prompts.
    pub prompts: Vec<PlannedPrompt>,
    /// What decides.
    pub gate: GateSettings,
    /// For judge evaluators that name no model.
    pub judge: Option<ModelId>,
}

/// One prompt with its cases.
#[derive(Debug, Clone)]
pub struct PlannedPrompt {
    /// The file (head's name for it).
    pub path: PromptPath,
    /// The text before the change, with the model it runs on.
    pub base: Option<(Arc<Prompt>, ModelId)>,
    /// The text after it, with the model it runs on.
    pub head: (Arc<Prompt>, ModelId),
    /// The cases, in file order.
    pub cases: Vec<PlannedCase>,
    /// Samples per case and side, where the prompt wants others than the run.
    pub trials: Option<u32>,
}

/// Bounds of a run.
#[derive(Debug, Clone)]
pub struct RunLimits {
    /// Model calls at once.
    pub concurrency: usize,
    /// Longest single call.
    pub call_timeout: Duration,
    /// Longest run.
    pub run_timeout: Duration,
    /// Tries per call, the first included.
    pub tries: u32,
    /// Most USD this run may cost.
    pub max_cost_usd: Option<f64>,
    /// Stops the run and its calls.
    pub cancel: CancellationToken,
}

/// What was measured of one prompt.
#[derive(Debug)]
pub struct PromptRun {
    /// For the gate.
    pub record: PromptRecord,
    /// The first suite trial's output per case: base, head.
    pub outputs: Vec<(Option<Output>, Option<Output>)>,
    /// Per case, head's first failing output of any other trial (must-pass lane, screening, confirmation, later samples),
    /// where the one in `outputs` did not fail.
    pub failing: Vec<Option<Output>>,
    /// Why some trial other than the suite's first got no answer; one reason, for people.
    pub repeats_error: Option<String>,
    /// Per side: base, head.
    pub usage: [Usage; 2],
}

/// Why a run has no measurements.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunError {
    /// The run was superseded or stopped.
    #[error("the run was cancelled")]
    Cancelled,
    /// The estimate or the spending passed the limit.
    #[error(
        "the run would cost about {}, the limit is {}: raise it with `run_usd` under evaluation.budget or --max-cost",
        usd(*estimate_usd),
        usd(*limit_usd)
    )]
    OverBudget {
        /// What it would cost.
        estimate_usd: f64,
        /// What it may cost.
        limit_usd: f64,
    },
    /// The run took too long; half of it is no ground for a verdict.
    #[error("the run took longer than {} s: run again, what was answered may be known by then", limit.as_secs())]
    TimedOut {
        /// How long it may take.
        limit: Duration,
    },
    /// No question can be answered.
    #[error("{0}")]
    Provider(String),
}

/// Cents, and more places where a run costs less than ten of them.
fn usd(amount: f64) -> String {
    match amount {
        amount if amount == 0.0 || amount >= 0.1 => format!("${amount:.2}"),
        amount if amount >= 0.001 => format!("${amount:.4}"),
        amount => format!("${amount:.7}"),
    }
}

/// Runs all lanes of all prompts. Parallel to `plan.prompts`.
///
/// # Errors
/// When nothing can be measured at all; single failures make trials unmeasured instead.
pub async fn run(
    plan: &RunPlan,
    provider: &dyn Provider,
    limits: &RunLimits,
    events: &(dyn Fn(RunEvent) + Sync),
) -> Result<Vec<PromptRun>, RunError> {
    let caller = Caller { provider, limits, events, outages: Outages::new(limits.concurrency) };
    let answerer = Answerer::new(plan, caller, Judges::new(plan.judge.as_ref()));
    // Dropping the stages drops every call in flight.
    tokio::select! {
        biased;
        () = limits.cancel.cancelled() => Err(RunError::Cancelled),
        () = tokio::time::sleep(limits.run_timeout) => Err(RunError::TimedOut { limit: limits.run_timeout }),
        done = stages(&answerer) => done.map_err(|error| named(error, plan)),
    }
}

/// Says of which prompts the provider's refusal is.
fn named(error: RunError, plan: &RunPlan) -> RunError {
    match (error, plan.prompts.as_slice()) {
        (RunError::Provider(message), [only]) => RunError::Provider(format!("{}: {message}", only.path)),
        (RunError::Provider(message), [first, others @ ..]) => {
            RunError::Provider(format!("{} and {} more: {message}", first.path, others.len()))
        }
        (other, _) => other,
    }
}

async fn stages(answerer: &Answerer<'_>) -> Result<Vec<PromptRun>, RunError> {
    let plan = answerer.plan;
    let mut tallies: Vec<PromptTally> = plan.prompts.iter().map(PromptTally::new).collect();
    let mut questions = Questions::new(plan.prompts.iter().map(|prompt| prompt.cases.len()));
    let mut purse = Purse::new(answerer.caller.limits.max_cost_usd);
    let mut before_any_call = true;
    loop {
        let trials = next_trials(&tallies, plan);
        if trials.is_empty() {
            return Ok(tallies.into_iter().map(PromptTally::finish).collect());
        }
        (answerer.caller.events)(RunEvent::StageStarted { trials: trials.len() });
        let groups = group(answerer, &mut questions, &trials);
        if std::mem::take(&mut before_any_call) {
            purse.afford(answerer, &trials, &groups).await?;
        }
        let mut results: Vec<Option<Tried>> = vec![None; trials.len()];
        let mut on_answer = |answered: super::answer::Answered| {
            let (group, cached) = (&groups[answered.group], answered.cached);
            let cost = tally::take(&mut tallies, &mut results, &trials, group, answered);
            for (at, index) in group.trials.iter().enumerate() {
                let Trial { prompt, ask } = trials[*index];
                let measured = results[*index].flatten().is_some();
                (answerer.caller.events)(RunEvent::TrialDone {
                    prompt,
                    side: ask.side,
                    measured,
                    cached: cached || at > 0,
                });
            }
            purse.spend(cost)
        };
        let width = answerer.caller.limits.concurrency.max(1);
        drive(answerer, &trials, &groups, width, &mut on_answer).await?;
        tally::append(&mut tallies, &trials, &results);
    }
}

fn next_trials(tallies: &[PromptTally], plan: &RunPlan) -> Vec<Trial> {
    let of_prompt = |(prompt, tally): (usize, &PromptTally)| {
        let wanted = plan.prompts.get(prompt).and_then(|planned| planned.trials).unwrap_or(plan.gate.trials);
        let settings = GateSettings { trials: wanted, ..plan.gate.clone() };
        plan::next(&tally.record, &settings).into_iter().map(move |ask| Trial { prompt, ask })
    };
    tallies.iter().enumerate().flat_map(of_prompt).collect()
}
