//! A repository's settings, `.github/promptops.yml`: raw mirror first, then validated. Knows no file system.

use std::collections::BTreeMap;

use super::ids::ModelId;
use super::policy::Policy;
use super::policy::Principal;

/// Path of the settings in a repository.
pub const SETTINGS_PATH: &str = ".github/promptops.yml";

/// What may run for a pull request from a fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Forks {
    /// Evaluated once somebody with write permission releases the SHA.
    #[default]
    Approve,
    /// Linted and compared, never evaluated.
    Lint,
    /// Refused.
    Never,
}

/// Validated settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Which files are prompts.
    pub include: Vec<String>,
    /// Which of those are not.
    pub exclude: Vec<String>,
    /// Model of prompts that name none.
    pub model: Option<ModelId>,
    /// Model of judge evaluators that name none.
    pub judge: Option<ModelId>,
    /// Samples per case and side; at least 1.
    pub trials: u32,
    /// A drop in mean score the team would overlook.
    pub margin: f64,
    /// Absolute floor for head.
    pub min_score: Option<f64>,
    /// Relative limit on the median cost.
    pub max_cost_increase: Option<f64>,
    /// Relative limit on the median latency.
    pub max_latency_increase: Option<f64>,
    /// Most USD a run may cost.
    pub run_usd: Option<f64>,
    /// Most USD a day may cost.
    pub day_usd: Option<f64>,
    /// What may run for forks.
    pub forks: Forks,
    /// Named groups of people.
    pub roles: BTreeMap<String, Vec<Principal>>,
    /// Who must approve what.
    pub policy: Policy,
    /// Phrases no prompt may hold.
    pub banned_phrases: Vec<String>,
    /// Metadata every prompt must have.
    pub required_metadata: Vec<String>,
}
