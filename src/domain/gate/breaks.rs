//! Lane 3: which cases are candidates, which were kept, what their fresh runs say. Used by plan and verdict alike.

use std::sync::Arc;

use super::case::{self, Count, Screening, is_compared, lost, missing, tried};
use super::verdict::ConfirmedBreak;
use super::{CaseRecord, PromptRecord};
use crate::domain::stats;

/// Most candidates that are run again; beyond, lane 2 has decided.
const MOST_CANDIDATES: usize = 35;

/// Indices of the compared cases where base passed and head failed in lane 2; none where there are too many.
pub(super) fn candidates(record: &PromptRecord) -> Vec<usize> {
    let broken = |case: &CaseRecord| is_compared(record, case) && lost(&case.base, &case.head);
    let found: Vec<usize> = (0..record.cases.len()).filter(|&index| broken(&record.cases[index])).collect();
    if found.len() > MOST_CANDIDATES { Vec::new() } else { found }
}

/// Fresh runs per side for `kept` cases: enough that six of six against none survives Holm over all of them.
pub(super) fn confirm_runs(kept: usize) -> u32 {
    match kept {
        0..=3 => 6,
        4..=10 => 7,
        _ => 8,
    }
}

/// Where a candidate's screening stands. One that compares the sides has none: its head cannot fail alone.
pub(super) fn screening(case: &CaseRecord) -> Screening {
    if case.compares { Screening::Kept } else { case::screening(&case.screen_runs) }
}

/// Measured pairs of fresh runs: the two sides must weigh the same.
fn pairs(case: &CaseRecord) -> u32 {
    Count::of(&case.confirm_base).runs.min(Count::of(&case.confirm_head).runs)
}

/// How many more fresh runs each side of a kept case gets, of `k` wanted.
pub(super) fn confirm_missing(case: &CaseRecord, k: u32) -> u32 {
    missing(k, pairs(case), u32::max(tried(&case.confirm_base), tried(&case.confirm_head)))
}

/// What lane 3 found.
pub(super) struct Breaks {
    /// The kept cases; `confirmed` is not decided yet.
    pub kept: Vec<ConfirmedBreak>,
    /// Candidates with too few measured fresh runs to be dropped or to have had their say.
    pub open: Vec<Arc<str>>,
    /// Parallel to `kept`: whether the case rests on judges too noisy to block alone. It takes its place in Holm's correction
    /// and fires nothing.
    pub noisy: Vec<bool>,
}

impl Breaks {
    /// Reads the fresh runs; p is Fisher's, adjusted by Holm over the kept cases.
    pub fn of(record: &PromptRecord) -> Self {
        let candidates = candidates(record);
        let state = |&index: &usize| screening(&record.cases[index]);
        let kept: Vec<usize> = candidates.iter().copied().filter(|i| state(i) == Screening::Kept).collect();
        let k = confirm_runs(kept.len());
        let adjusted = stats::holm(&kept.iter().map(|&index| p_of(&record.cases[index], k)).collect::<Vec<_>>());
        let undecided = |&index: &usize| match state(&index) {
            Screening::Dropped => false,
            Screening::Kept => pairs(&record.cases[index]) < k,
            Screening::Open(_) | Screening::GivenUp => true,
        };
        Self {
            open: candidates.iter().filter(|at| undecided(at)).map(|&at| record.cases[at].id.clone()).collect(),
            noisy: kept.iter().map(|&at| record.cases[at].noisy_judge).collect(),
            kept: kept.iter().zip(adjusted).map(|(&index, p)| fresh(&record.cases[index], k, p)).collect(),
        }
    }

    /// The smallest adjusted p of a case that may fire; 1 if there is none.
    pub fn smallest_p(&self) -> f64 {
        let may_fire = self.kept.iter().zip(&self.noisy).filter(|(_, noisy)| !**noisy);
        may_fire.map(|(case, _)| case.p).fold(1.0, f64::min)
    }
}

/// Base's and head's count over the first `k` pairs.
fn fresh_counts(case: &CaseRecord, k: u32) -> (Count, Count) {
    let runs = pairs(case).min(k);
    (Count::of_first(runs, &case.confirm_base), Count::of_first(runs, &case.confirm_head))
}

fn p_of(case: &CaseRecord, k: u32) -> f64 {
    let (base, head) = fresh_counts(case, k);
    stats::fisher_less(head.passes, head.runs, base.passes, base.runs)
}

fn fresh(case: &CaseRecord, k: u32, p: f64) -> ConfirmedBreak {
    let (base, head) = fresh_counts(case, k);
    ConfirmedBreak { id: case.id.clone(), k: base.runs, base: base.passes, head: head.passes, p, confirmed: false }
}
