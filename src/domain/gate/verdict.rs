//! What the measurements mean: lanes 0 to 3, Holm over the prompts, the bound. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::absolute::{limits, must_pass_reasons, validity};
use super::breaks::Breaks;
use super::case::{is_measured_pair, is_run, lost};
use super::suite::Suite;
use super::{CaseKind, CaseRecord, GateSettings, PromptRecord, Verdict};
use crate::domain::stats;

/// Chance of blocking a change that makes nothing worse, shared by its prompts.
const ALPHA: f64 = 0.05;
/// Limits are met by what differs from them by rounding only.
pub(super) const ROUNDING: f64 = 1e-12;

/// Why a prompt's verdict is what it is; each says itself in one sentence of counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Reason {
    /// Lane 1: a must-pass case failed too often on head.
    MustPassFailed {
        /// The case.
        case: Arc<str>,
        /// Failures among its fresh runs.
        failures: u32,
        /// Measured fresh runs.
        runs: u32,
        /// Base failed it in the suite too; it still blocks.
        broken_on_base: bool,
    },
    /// Lane 1, a warning only: one failure of eight.
    MustPassShaky {
        /// The case.
        case: Arc<str>,
        /// Failures among its fresh runs.
        failures: u32,
        /// Measured fresh runs.
        runs: u32,
    },
    /// Lane 2: the suite as a whole got worse.
    SuiteWorse {
        /// Cases that passed and now fail; with graded scores or several trials, whose score fell.
        got_worse: u32,
        /// The other way.
        got_better: u32,
        /// Cases measured on both sides.
        compared: u32,
        /// One-sided p, mid-p McNemar or sign flips.
        p: f64,
    },
    /// Lane 3: these cases failed again on fresh runs while base passed.
    ConfirmedBreaks {
        /// The confirmed ones.
        cases: Vec<ConfirmedBreak>,
    },
    /// `min_score` is missed.
    ScoreBelowFloor {
        /// Head's score.
        score: f64,
        /// The floor.
        floor: f64,
    },
    /// The median cost grew beyond the limit.
    CostIncrease {
        /// Base's median, USD per call.
        base: f64,
        /// Head's median, USD per call.
        head: f64,
        /// Highest relative increase.
        limit: f64,
    },
    /// The median latency grew beyond the limit.
    LatencyIncrease {
        /// Base's median, milliseconds.
        base: f64,
        /// Head's median, milliseconds.
        head: f64,
        /// Highest relative increase.
        limit: f64,
    },
    /// `--strict`: head failed at least one suite trial of these cases.
    StrictFailures {
        /// Their ids.
        cases: Vec<Arc<str>>,
    },
    /// These cases would block by themselves, but fail only by judges that agree with themselves too little: it is not known
    /// whether head is worse. It never blocks alone, and while it stands nothing passes.
    JudgeTooNoisy {
        /// Their ids.
        cases: Vec<Arc<str>>,
    },
    /// Lane 0: too many compared cases are unmeasured, or a must-pass case is.
    Unmeasured {
        /// Compared cases without a measured trial on a side; without any compared case, head's cases.
        unmeasured: u32,
        /// Of so many.
        compared: u32,
        /// Must-pass cases of whose head too little is measured.
        must_pass: Vec<Arc<str>>,
    },
    /// Lane 0: base passed these cases and head failed them, but too few fresh runs were measured to say whether they broke.
    Unconfirmed {
        /// Their ids.
        cases: Vec<Arc<str>>,
    },
    /// The bound is below the margin.
    CannotExclude {
        /// The drop in mean score that the set cannot exclude, in [0, 1].
        drop: f64,
        /// How many more cases would exclude a drop beyond the margin, at the same rates; none if no number would.
        more_cases: Option<u32>,
    },
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
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
///
/// - Prompts with something to compare share α = 0.05 by Holm. A prompt that Holm rejects at local level α/m fires lane 2 and
///   each case of lane 3 whose p (lane 3's adjusted) is ≤ half of that: 0.025 each for a single prompt.
/// - Without a base there is nothing to regress from: lane 1, the floor, `--strict` and lane 0 over head's cases decide, and
///   what holds is a pass. If nothing at all is measured, or base and head share no case, no drop can be excluded.
/// - Lane 0 also fails a run in which a candidate of lane 3 got too few fresh runs to be dropped or confirmed, or in which
///   only judges too noisy to decide speak against a case that would block otherwise.
#[must_use]
pub fn decide(records: &[PromptRecord], settings: &GateSettings) -> Vec<PromptVerdict> {
    let lanes: Vec<(Suite, Breaks)> =
        records.iter().map(|record| (Suite::of(record, settings.seed), Breaks::of(record))).collect();
    let p_of_prompts: Vec<Option<f64>> =
        lanes.iter().map(|(suite, breaks)| suite.p.map(|p| (2.0 * p.min(breaks.smallest_p())).min(1.0))).collect();
    let levels = levels(&p_of_prompts);
    records
        .iter()
        .zip(lanes)
        .zip(levels)
        .map(|((record, (suite, breaks)), level)| decide_one(record, settings, &suite, breaks, level))
        .collect()
}

/// The verdict on a change: the worst of its prompts'; a change without prompts passes.
#[must_use]
pub fn overall(verdicts: &[Verdict]) -> Verdict {
    verdicts.iter().copied().max().unwrap_or(Verdict::Pass)
}

/// The level at which each prompt's lane 2 and lane 3 are tested, half its share of α by Holm; none where Holm stops before.
/// Prompts with equal p get the same level, so that their order does not matter.
fn levels(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let tested: Vec<f64> = p.iter().copied().flatten().collect();
    let mut adjusted = stats::holm(&tested).into_iter();
    p.iter()
        .map(|p| {
            let rejected = adjusted.by_ref().take(usize::from(p.is_some())).any(|adjusted| adjusted <= ALPHA);
            let smaller = tested.iter().filter(|other| Some(**other) < *p).count();
            rejected.then(|| ALPHA / (2 * (tested.len() - smaller)) as f64)
        })
        .collect()
}

fn decide_one(
    record: &PromptRecord,
    settings: &GateSettings,
    suite: &Suite,
    mut breaks: Breaks,
    level: Option<f64>,
) -> PromptVerdict {
    // What lane 3 alone would have to show: Holm over prompts leaves a prompt out that only noisy judges speak against.
    let fires_alone = |p: f64| p <= ALPHA / 2.0;
    let fires = |p: f64| level.is_some_and(|level| p <= level);
    let (mut reasons, warnings, mut too_noisy) = must_pass_reasons(record);
    for (case, is_noisy) in breaks.kept.iter_mut().zip(&breaks.noisy) {
        case.confirmed = fires(case.p) && !is_noisy;
        if *is_noisy && fires_alone(case.p) && !too_noisy.contains(&case.id) {
            too_noisy.push(case.id.clone());
        }
    }
    let cases: Vec<ConfirmedBreak> = breaks.kept.iter().filter(|case| case.confirmed).cloned().collect();
    breaks.open.retain(|open| !cases.iter().any(|case| case.id == *open));
    if !cases.is_empty() {
        reasons.push(Reason::ConfirmedBreaks { cases });
    }
    if let Some(p) = suite.p.filter(|p| fires(*p)) {
        let Suite { got_worse, got_better, compared, .. } = *suite;
        reasons.push(Reason::SuiteWorse { got_worse, got_better, compared, p });
    }
    reasons.extend(limits(record, settings, suite));
    let blocked = !reasons.is_empty();
    let mut unmeasured = validity(record, &breaks);
    if !too_noisy.is_empty() {
        unmeasured.push(Reason::JudgeTooNoisy { cases: too_noisy });
    }
    let verdict = match (blocked, unmeasured.is_empty()) {
        (true, _) => Verdict::Regression,
        (false, false) => Verdict::NotMeasured,
        (false, true) => standing(record, settings, suite),
    };
    reasons.extend(unmeasured);
    if verdict == Verdict::NoRegressionFound {
        let drop = -suite.bound().unwrap_or(-1.0);
        reasons.push(Reason::CannotExclude { drop, more_cases: suite.more_cases(settings.margin) });
    }
    reasons.extend(warnings);
    PromptVerdict {
        verdict,
        reasons,
        base_score: suite.base_score,
        head_score: suite.head_score,
        bound: suite.bound(),
        suite_p: suite.p,
        candidates: breaks.kept,
        statuses: record.cases.iter().map(|case| status(record, case)).collect(),
    }
}

/// What is left to say when nothing fires and all is measured.
fn standing(record: &PromptRecord, settings: &GateSettings, suite: &Suite) -> Verdict {
    let holds = match suite.bound() {
        Some(bound) => bound >= -settings.margin - ROUNDING,
        None => !record.has_base && record.cases.iter().any(is_run),
    };
    if holds { Verdict::Pass } else { Verdict::NoRegressionFound }
}

/// With several trials a case broke if head lost ≥ 0.6 of base's pass rate (what makes it a candidate of lane 3), and is
/// fixed the other way round.
fn status(record: &PromptRecord, case: &CaseRecord) -> CaseStatus {
    match case.kind {
        CaseKind::Removed => CaseStatus::Removed,
        _ if !record.has_base => CaseStatus::New,
        CaseKind::New => CaseStatus::New,
        CaseKind::Edited => CaseStatus::Edited,
        CaseKind::Compared if !is_measured_pair(case) => CaseStatus::Unmeasured,
        CaseKind::Compared if lost(&case.base, &case.head) => CaseStatus::Broken,
        CaseKind::Compared if lost(&case.head, &case.base) => CaseStatus::Fixed,
        CaseKind::Compared => CaseStatus::Same,
    }
}

#[cfg(test)]
mod tests;
