//! What the measurements mean: lanes 0 to 3, Holm over the prompts, the bound. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{GateSettings, PromptRecord, Verdict};

/// Why a prompt's verdict is what it is; each says itself in one sentence of counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Reason {
    /// Lane 1: a must-pass case failed `failures` of `runs` on head; `broken_on_base` if base fails it too.
    MustPassFailed { case: Arc<str>, failures: u32, runs: u32, broken_on_base: bool },
    /// Lane 1, a warning only: one failure of eight.
    MustPassShaky { case: Arc<str>, failures: u32, runs: u32 },
    /// Lane 2: the suite as a whole got worse.
    SuiteWorse { got_worse: u32, got_better: u32, compared: u32, p: f64 },
    /// Lane 3: these cases failed again on fresh runs while base passed.
    ConfirmedBreaks { cases: Vec<ConfirmedBreak> },
    /// `min_score` is missed.
    ScoreBelowFloor { score: f64, floor: f64 },
    /// The median cost grew beyond the limit (relative).
    CostIncrease { base: f64, head: f64, limit: f64 },
    /// The median latency grew beyond the limit (relative).
    LatencyIncrease { base: f64, head: f64, limit: f64 },
    /// `--strict`: these head cases failed.
    StrictFailures { cases: Vec<Arc<str>> },
    /// Lane 0: too many compared cases are unmeasured, or a must-pass case is.
    Unmeasured { unmeasured: u32, compared: u32, must_pass: Vec<Arc<str>> },
    /// The bound is below the margin: what the set cannot exclude, and how many more cases would.
    CannotExclude { drop: f64, more_cases: Option<u32> },
}

/// One case of lane 3 after its fresh runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfirmedBreak {
    /// The case.
    pub id: Arc<str>,
    /// Fresh runs per side.
    pub k: u32,
    /// Passes of base among them.
    pub base: u32,
    /// Passes of head among them.
    pub head: u32,
    /// Fisher's exact p, Holm-adjusted over the candidates.
    pub p: f64,
    /// Whether it fires.
    pub confirmed: bool,
}

/// How one case came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseStatus {
    /// Base passed, head fails.
    Broken,
    /// Base failed, head passes.
    Fixed,
    /// Neither.
    Same,
    /// A side has no measured trial.
    Unmeasured,
    /// Only head has it.
    New,
    /// Only base has it.
    Removed,
    /// The definition differs.
    Edited,
}

/// What the gate says of one prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptVerdict {
    /// The verdict.
    pub verdict: Verdict,
    /// Blocking reasons first.
    pub reasons: Vec<Reason>,
    /// Weighted mean score of base over the compared, measured cases.
    pub base_score: Option<f64>,
    /// The same of head; without a base, over all measured cases.
    pub head_score: Option<f64>,
    /// Lower end of the one-sided 95 % interval on head − base.
    pub bound: Option<f64>,
    /// p of lane 2.
    pub suite_p: Option<f64>,
    /// Lane 3, case by case.
    pub candidates: Vec<ConfirmedBreak>,
    /// Parallel to the record's cases.
    pub statuses: Vec<CaseStatus>,
}

/// Decides all prompts of one change together (Holm over prompts); parallel to `records`.
#[must_use]
pub fn decide(_records: &[PromptRecord], _settings: &GateSettings) -> Vec<PromptVerdict> {
    Vec::new()
}
