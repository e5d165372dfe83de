//! The gate: what to run next ([`plan`]) and what it all means ([`verdict`]). Pure; takes measurements, gives verdicts.

mod absolute;
mod breaks;
mod case;
pub mod drift;
mod judges;
pub mod plan;
#[cfg(test)]
mod properties;
pub mod rerolls;
#[cfg(test)]
mod simulated;
mod suite;
#[cfg(test)]
mod testing;
pub mod verdict;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use judges::JudgeAgreement;

use super::golden::MustPass;

/// Which prompt text answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The text before the change.
    Base,
    /// The text after it.
    Head,
}

/// Why a trial is run. Trials of different lanes are different samples, so their answers have different keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Lane 2: the paired sample of the whole suite.
    Suite,
    /// Lane 1: fresh head runs of must-pass cases.
    MustPass,
    /// Lane 3: fresh head runs of candidates, until two passes or two failures.
    Screen,
    /// Lane 3: fresh runs of both sides of the candidates that were kept.
    Confirm,
}

/// One measured trial.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Every evaluator with a weight passed.
    pub passed: bool,
    /// Weighted mean of the evaluator scores, in [0, 1].
    pub score: f64,
}

/// A trial that was tried: measured, or not (provider error, time-out, unreadable judge). `None` is never a pass nor a failure.
pub type Tried = Option<Trial>;

/// How a case stands between the two golden sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseKind {
    /// Same definition on both sides: compared.
    Compared,
    /// Only in head's set (or there is no base): run on head, in lane 1 if must-pass, never compared.
    New,
    /// In both sets with different definitions; head's version, treated like `New`.
    Edited,
    /// Only in base's set; not run here. Where base's version must still gate, it comes as a `Compared` case of its own.
    Removed,
}

/// One case with all that was measured of it so far. Order within each list is the order of trial indices.
#[derive(Debug, Clone)]
pub struct CaseRecord {
    /// The case's id.
    pub id: Arc<str>,
    /// How it stands between the sets.
    pub kind: CaseKind,
    /// Lane 1 membership.
    pub must_pass: Option<MustPass>,
    /// Share in the score.
    pub weight: f64,
    /// Cases of one cluster are flipped together.
    pub cluster: Option<Arc<str>>,
    /// Lane 2, base side.
    pub base: Vec<Tried>,
    /// Lane 2, head side.
    pub head: Vec<Tried>,
    /// Lane 1 runs on head.
    pub must_pass_runs: Vec<Tried>,
    /// Lane 3 screening runs on head.
    pub screen_runs: Vec<Tried>,
    /// Lane 3 confirmation runs, base side.
    pub confirm_base: Vec<Tried>,
    /// Lane 3 confirmation runs, head side.
    pub confirm_head: Vec<Tried>,
    /// Whether all its failures on head rest on judges that agree with themselves too little: it cannot block alone.
    pub noisy_judge: bool,
    /// Whether what decides it compares the two sides: head alone says nothing then, so it is confirmed without a screening.
    pub compares: bool,
}

/// All cases of one prompt, in file order, and whether there is a base to compare with.
#[derive(Debug, Clone)]
pub struct PromptRecord {
    /// False for a new prompt or a run without `--base`.
    pub has_base: bool,
    /// The cases.
    pub cases: Vec<CaseRecord>,
    /// Median cost per call in USD, base then head, where both are known.
    pub cost: Option<(f64, f64)>,
    /// Median latency per call in milliseconds, base then head.
    pub latency: Option<(f64, f64)>,
}

/// The settings that decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateSettings {
    /// Samples per case and side in lane 2; at least 1.
    pub trials: u32,
    /// A drop in mean score that the team would overlook, in [0, 1].
    pub margin: f64,
    /// Absolute floor for head's score.
    pub min_score: Option<f64>,
    /// Highest relative increase of the median cost.
    pub max_cost_increase: Option<f64>,
    /// Highest relative increase of the median latency.
    pub max_latency_increase: Option<f64>,
    /// `--strict`: any failing head case blocks.
    pub strict: bool,
    /// Seed of the sign-flip permutation, from the run's identity.
    pub seed: u64,
}

/// What the gate says. The order is how bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The golden set excludes a drop larger than the margin.
    Pass,
    /// Nothing found, but the set is too small to exclude a drop.
    NoRegressionFound,
    /// Too much could not be measured to say anything.
    NotMeasured,
    /// Head is worse, or fails an absolute rule.
    Regression,
}
