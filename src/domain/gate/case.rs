//! What one case's tries show, lane by lane. Knows no statistics and no other case.

use super::{CaseKind, CaseRecord, PromptRecord, Trial, Tried};
use crate::domain::golden::MustPass;

/// Fresh runs a must-pass case gets.
const MUST_PASS_RUNS: u32 = 3;
/// Fresh runs a `reliably` case has had after a failure in its first three.
const RELIABLY_RUNS: u32 = 8;
/// Passes that drop a candidate, and failures that keep it.
const SCREEN_RUNS: u32 = 2;
/// Tries per wanted measurement after which a lane gives a case up: unmeasured tries must not go on for ever.
const TRIES_PER_RUN: u32 = 2;
/// Share of base's pass rate that head must have lost to be a candidate.
const LOST_SHARE: f64 = 0.6;

/// Passes among measured trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub passes: u32,
    pub runs: u32,
}

impl Count {
    /// Of the first `most` measured trials.
    pub fn of_first(most: u32, tries: &[Tried]) -> Self {
        measured(tries).take(most as usize).fold(Self { passes: 0, runs: 0 }, |count, trial| Self {
            passes: count.passes + u32::from(trial.passed),
            runs: count.runs + 1,
        })
    }

    /// Of all measured trials.
    pub fn of(tries: &[Tried]) -> Self {
        Self::of_first(u32::MAX, tries)
    }

    /// Measured trials that failed.
    pub fn failures(self) -> u32 {
        self.runs - self.passes
    }

    fn rate(self) -> f64 {
        f64::from(self.passes) / f64::from(self.runs)
    }
}

/// The trials that were measured.
pub(super) fn measured(tries: &[Tried]) -> impl Iterator<Item = Trial> {
    tries.iter().copied().flatten()
}

/// How many tries there were.
pub(super) fn tried(tries: &[Tried]) -> u32 {
    u32::try_from(tries.len()).unwrap_or(u32::MAX)
}

/// How many more tries a lane makes to get `wanted` measured ones: what is missing, within twice what is wanted.
pub(super) fn missing(wanted: u32, measured: u32, tried: u32) -> u32 {
    wanted.saturating_sub(measured).min((TRIES_PER_RUN * wanted).saturating_sub(tried))
}

/// Whether the case is run on both sides.
pub(super) fn is_compared(record: &PromptRecord, case: &CaseRecord) -> bool {
    record.has_base && case.kind == CaseKind::Compared
}

/// Whether the case is run at all.
pub(super) fn is_run(case: &CaseRecord) -> bool {
    case.kind != CaseKind::Removed
}

/// Whether both sides have a measured suite trial.
pub(super) fn is_measured_pair(case: &CaseRecord) -> bool {
    Count::of(&case.base).runs > 0 && Count::of(&case.head).runs > 0
}

/// Whether `after` has lost at least 0.6 of the pass rate of `before`; with one trial each: passed, then failed.
pub(super) fn lost(before: &[Tried], after: &[Tried]) -> bool {
    let (before, after) = (Count::of(before), Count::of(after));
    before.passes > 0 && after.runs > 0 && after.rate() <= (1.0 - LOST_SHARE) * before.rate() + 1e-9
}

/// Lane 1's word on a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MustPassState {
    /// Its runs passed.
    Holds,
    /// One failure of eight.
    Shaky,
    /// It blocks.
    Fails,
    /// Too few runs are measured to say.
    Unknown,
}

/// How many measured lane 1 runs the case should have.
pub(super) fn must_pass_wanted(rule: MustPass, runs: &[Tried]) -> u32 {
    match rule {
        MustPass::Reliably if Count::of_first(MUST_PASS_RUNS, runs).failures() > 0 => RELIABLY_RUNS,
        MustPass::Always | MustPass::Reliably => MUST_PASS_RUNS,
    }
}

/// Lane 1's count and what follows from it.
pub(super) fn must_pass_state(rule: MustPass, runs: &[Tried]) -> (Count, MustPassState) {
    let wanted = must_pass_wanted(rule, runs);
    let count = Count::of_first(wanted, runs);
    let blocks_at = match rule {
        MustPass::Always => 1,
        MustPass::Reliably => 2,
    };
    let state = match count.failures() {
        failures if failures >= blocks_at => MustPassState::Fails,
        _ if count.runs < wanted => MustPassState::Unknown,
        0 => MustPassState::Holds,
        _ => MustPassState::Shaky,
    };
    (count, state)
}

/// Where a candidate's screening stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Screening {
    /// Two passes: it was chance.
    Dropped,
    /// Two failures: to be confirmed.
    Kept,
    /// So many more runs could decide it.
    Open(u32),
    /// Neither, and no tries are left.
    GivenUp,
}

/// Reads the screening runs in their order.
pub(super) fn screening(runs: &[Tried]) -> Screening {
    let (mut passes, mut failures) = (0, 0);
    for trial in measured(runs) {
        if trial.passed {
            passes += 1;
        } else {
            failures += 1;
        }
        if passes == SCREEN_RUNS {
            return Screening::Dropped;
        }
        if failures == SCREEN_RUNS {
            return Screening::Kept;
        }
    }
    // Two of a kind are certain after three runs.
    let tries_left = (TRIES_PER_RUN * (2 * SCREEN_RUNS - 1)).saturating_sub(tried(runs));
    match tries_left.min(SCREEN_RUNS - u32::max(passes, failures)) {
        0 => Screening::GivenUp,
        more => Screening::Open(more),
    }
}
