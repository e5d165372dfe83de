//! One run: stage after stage as [`crate::domain::gate::plan`] wants them, within limits. Knows no vendor and no store.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::answer::Answerer;
use super::budget::Purse;
use super::call::Caller;
use super::estimate;
use super::event::RunEvent;
use super::judging::Judges;
use super::limits::Limiter;
use super::opinion::DefaultModels;
use super::outage::Outages;
use super::pairs;
use super::provider::Provider;
use super::reuse;
use super::stage::{Questions, Trial, drive, group, stopped};
use super::tally::{self, PromptTally};
use crate::domain::budget::{Budget, Estimate, OverBudget};
use crate::domain::gate::{GateSettings, JudgeAgreement, PromptRecord, Tried, plan};
use crate::domain::ids::{ModelId, PromptPath};
use crate::domain::price::Prices;
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
    /// For evaluators that compare vectors and name no model.
    pub embeddings: Option<ModelId>,
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
    /// Its share of money that is common to several runs.
    pub account: Option<Arc<Account>>,
    /// What models cost.
    pub prices: Arc<Prices>,
    /// How fast providers may be asked, by all runs together.
    pub limiter: Arc<Limiter>,
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
    /// How far the judges of its cases agreed with themselves, by name.
    pub agreements: Vec<JudgeAgreement>,
    /// What people should know of the run, one sentence each.
    pub notes: Vec<String>,
}

/// Why a run has no measurements.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunError {
    /// The run was superseded or stopped.
    #[error("the run was cancelled")]
    Cancelled,
    /// The estimate or the spending passed a budget.
    #[error("{0}: {advice}", advice = advice(.0))]
    OverBudget(Box<OverBudget>),
    /// What cannot be priced cannot be kept within a budget.
    #[error(
        "the price of {} is not known, so no budget can be kept: state it under `prices` in promptops.toml, or remove the \
         budget (evaluation.budget in the settings, or --max-cost)",
        named_models(models)
    )]
    UnknownPrice {
        /// The models.
        models: Vec<ModelId>,
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

fn advice(over: &OverBudget) -> String {
    match over.budget {
        Budget::Run => "raise it with `run_usd` under evaluation.budget or --max-cost".to_owned(),
        other => format!("raise `{}` under evaluation.budget", other.key()),
    }
}

fn named_models(models: &[ModelId]) -> String {
    models.iter().map(|model| format!("`{model}`")).collect::<Vec<_>>().join(", ")
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
    let answerer = answerer(plan, provider, limits, events);
    // Dropping the stages drops every call in flight.
    tokio::select! {
        biased;
        () = limits.cancel.cancelled() => Err(RunError::Cancelled),
        () = tokio::time::sleep(limits.run_timeout) => Err(RunError::TimedOut { limit: limits.run_timeout }),
        done = stages(&answerer) => done.map_err(|error| answerer.caller.purse.refusal().unwrap_or(named(error, plan))),
    }
}

/// What a run would ask and cost, without asking anything. The first stage is all that is certain.
///
/// # Errors
/// When it was cancelled meanwhile.
pub async fn estimate(plan: &RunPlan, provider: &dyn Provider, limits: &RunLimits) -> Result<Estimate, RunError> {
    let answerer = answerer(plan, provider, limits, &|_| {});
    let tallies: Vec<PromptTally> = plan.prompts.iter().map(PromptTally::new).collect();
    let trials = next_trials(&tallies, plan);
    let mut questions = Questions::new(plan.prompts.iter().map(|prompt| prompt.cases.len()));
    let groups = group(&answerer, &mut questions, &trials);
    let estimate = async {
        reuse::plan(&answerer, &trials, &groups).await;
        estimate::of_stage(&answerer, &trials, &groups, true).await
    };
    tokio::select! {
        biased;
        () = limits.cancel.cancelled() => Err(RunError::Cancelled),
        estimate = estimate => Ok(estimate),
    }
}

fn answerer<'r>(
    plan: &'r RunPlan,
    provider: &'r dyn Provider,
    limits: &'r RunLimits,
    events: &'r (dyn Fn(RunEvent) + Sync),
) -> Answerer<'r> {
    let (outages, purse) = (Outages::new(limits.concurrency), Purse::new(limits));
    let caller = Caller { provider, limits, events, outages, purse };
    let models = DefaultModels { judge: plan.judge.as_ref(), embeddings: plan.embeddings.as_ref() };
    Answerer::new(plan, caller, Judges::new(models))
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
    let mut before_any_call = true;
    loop {
        let trials = next_trials(&tallies, plan);
        if trials.is_empty() {
            return Ok(finish(answerer, tallies).await);
        }
        (answerer.caller.events)(RunEvent::StageStarted { trials: trials.len() });
        let groups = group(answerer, &mut questions, &trials);
        let is_first = std::mem::take(&mut before_any_call);
        if is_first {
            reuse::plan(answerer, &trials, &groups).await;
        }
        estimate::afford(answerer, &trials, &groups).await?;
        if is_first {
            for (prompt, note) in reuse::check(answerer, &trials, &groups).await.map_err(stopped)? {
                tallies[prompt].notes.push(note);
            }
        }
        let mut results: Vec<Option<Tried>> = vec![None; trials.len()];
        let mut held = Vec::new();
        let mut on_answer = |answered: super::answer::Answered| {
            let (group, cached) = (&groups[answered.group], answered.cached);
            tally::take(&mut tallies, &mut results, &mut held, &trials, group, answered);
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
            Ok(())
        };
        let width = answerer.caller.limits.concurrency.max(1);
        drive(answerer, &trials, &groups, width, &mut on_answer).await?;
        let mut on_usage = |trial: usize, usage: Usage| tallies[trials[trial].prompt].pay(&trials[trial], &usage);
        let settled = pairs::settle(answerer, &trials, held, width, &mut on_usage).await?;
        tally::take_pairs(&mut tallies, &mut results, &trials, settled);
        tally::append(&mut tallies, &trials, &results);
    }
}

/// Takes the second opinions, once all that counts is measured.
async fn finish(answerer: &Answerer<'_>, mut tallies: Vec<PromptTally>) -> Vec<PromptRun> {
    let width = answerer.caller.limits.concurrency;
    let (judges, caller) = (&answerer.judges, &answerer.caller);
    let mut spent = Usage::default();
    let mut on_usage = |usage: Usage| spent.add(&usage);
    let agreements = judges.agreements.measure(caller, &judges.opinions, width, &mut on_usage).await;
    // A judge may be shared by prompts; the first prompt that it judges pays.
    if let Some(payer) = tallies.iter_mut().find(|tally| tally.is_judged_by(&agreements)) {
        payer.pay_for_head(&spent);
    }
    tallies.into_iter().map(|tally| tally.finish(&agreements)).collect()
}

fn next_trials(tallies: &[PromptTally], plan: &RunPlan) -> Vec<Trial> {
    let of_prompt = |(prompt, tally): (usize, &PromptTally)| {
        let wanted = plan.prompts.get(prompt).and_then(|planned| planned.trials).unwrap_or(plan.gate.trials);
        let settings = GateSettings { trials: wanted, ..plan.gate.clone() };
        plan::next(&tally.record, &settings).into_iter().map(move |ask| Trial { prompt, ask })
    };
    tallies.iter().enumerate().flat_map(of_prompt).collect()
}
