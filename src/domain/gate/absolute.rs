//! The rules that take no statistics: lane 0 (validity), lane 1 (must-pass cases), the settings' limits. Knows no verdict.

use std::sync::Arc;

use super::breaks::Breaks;
use super::case::{Count, MustPassState, is_compared, is_measured_pair, is_run, must_pass_state};
use super::suite::Suite;
use super::verdict::{ROUNDING, Reason};
use super::{CaseRecord, GateSettings, PromptRecord};
use crate::domain::golden::MustPass;

/// More than one in twenty compared cases unmeasured: nothing can be said.
const UNMEASURED_ONE_IN: usize = 20;

/// Lane 1: what blocks, what only warns, and the cases that would block if their judge were not too noisy.
pub(super) fn must_pass_reasons(record: &PromptRecord) -> (Vec<Reason>, Vec<Reason>, Vec<Arc<str>>) {
    let (mut fails, mut shaky, mut noisy) = (Vec::new(), Vec::new(), Vec::new());
    for (case, rule) in must_pass_cases(record) {
        let (count, state) = must_pass_state(rule, &case.must_pass_runs);
        let (failures, runs) = (count.failures(), count.runs);
        match state {
            MustPassState::Fails if case.noisy_judge => noisy.push(case.id.clone()),
            MustPassState::Fails => fails.push(Reason::MustPassFailed {
                case: case.id.clone(),
                failures,
                runs,
                broken_on_base: is_compared(record, case) && Count::of(&case.base).failures() > 0,
            }),
            MustPassState::Shaky => shaky.push(Reason::MustPassShaky { case: case.id.clone(), failures, runs }),
            MustPassState::Holds | MustPassState::Unknown => {}
        }
    }
    (fails, shaky, noisy)
}

fn must_pass_cases(record: &PromptRecord) -> impl Iterator<Item = (&CaseRecord, MustPass)> {
    record.cases.iter().filter(|case| is_run(case)).filter_map(|case| case.must_pass.map(|rule| (case, rule)))
}

/// The absolute limits of the settings: the floor, cost, latency, `--strict`.
pub(super) fn limits(record: &PromptRecord, settings: &GateSettings, suite: &Suite) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let (Some(score), Some(floor)) = (suite.head_score, settings.min_score)
        && score < floor - ROUNDING
    {
        reasons.push(Reason::ScoreBelowFloor { score, floor });
    }
    let beyond = |medians: Option<(f64, f64)>, limit: Option<f64>| {
        let ((base, head), limit) = medians.zip(limit)?;
        (record.has_base && head > base * (1.0 + limit) * (1.0 + ROUNDING)).then_some((base, head, limit))
    };
    if let Some((base, head, limit)) = beyond(record.cost, settings.max_cost_increase) {
        reasons.push(Reason::CostIncrease { base, head, limit });
    }
    if let Some((base, head, limit)) = beyond(record.latency, settings.max_latency_increase) {
        reasons.push(Reason::LatencyIncrease { base, head, limit });
    }
    if settings.strict {
        let failed = |case: &&CaseRecord| is_run(case) && Count::of(&case.head).failures() > 0;
        let cases: Vec<Arc<str>> = record.cases.iter().filter(failed).map(|case| case.id.clone()).collect();
        if !cases.is_empty() {
            reasons.push(Reason::StrictFailures { cases });
        }
    }
    reasons
}

/// Lane 0: over the compared cases, or head's where there are none.
pub(super) fn validity(record: &PromptRecord, breaks: &Breaks) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let on_head = |case: &CaseRecord| Count::of(&case.head).runs > 0;
    let any_compared = record.cases.iter().any(|case| is_compared(record, case));
    let counted = |case: &&CaseRecord| if any_compared { is_compared(record, case) } else { is_run(case) };
    let is_measured = |case: &CaseRecord| if any_compared { is_measured_pair(case) } else { on_head(case) };
    let compared = record.cases.iter().filter(counted).count();
    let unmeasured = record.cases.iter().filter(counted).filter(|case| !is_measured(case)).count();
    let unknown = |case: &CaseRecord, rule| {
        must_pass_state(rule, &case.must_pass_runs).1 == MustPassState::Unknown || !on_head(case)
    };
    let must_pass: Vec<Arc<str>> =
        must_pass_cases(record).filter(|(case, rule)| unknown(case, *rule)).map(|(case, _)| case.id.clone()).collect();
    if unmeasured * UNMEASURED_ONE_IN > compared || !must_pass.is_empty() {
        let count = |cases: usize| u32::try_from(cases).unwrap_or(u32::MAX);
        reasons.push(Reason::Unmeasured { unmeasured: count(unmeasured), compared: count(compared), must_pass });
    }
    if !breaks.open.is_empty() {
        reasons.push(Reason::Unconfirmed { cases: breaks.open.clone() });
    }
    reasons
}
