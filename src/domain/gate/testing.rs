//! Shorthand of the gate's tests: records from letters, and a loop that answers what the plan asks.

use std::sync::Arc;

use super::plan::{Ask, next};
use super::{CaseKind, CaseRecord, GateSettings, Lane, PromptRecord, Side, Trial, Tried};
use crate::domain::golden::MustPass;

/// `P` passed, `F` failed, `?` unmeasured; a digit d is a passed trial with score d/10.
pub fn tries(letters: &str) -> Vec<Tried> {
    let tried = |letter| match letter {
        'P' => Some(Trial { passed: true, score: 1.0 }),
        'F' => Some(Trial { passed: false, score: 0.0 }),
        '?' => None,
        digit => Some(Trial { passed: true, score: f64::from(digit.to_digit(10).unwrap()) / 10.0 }),
    };
    letters.chars().map(tried).collect()
}

/// A compared case with its suite trials.
pub fn case(id: &str, base: &str, head: &str) -> CaseRecord {
    CaseRecord {
        id: id.into(),
        kind: CaseKind::Compared,
        must_pass: None,
        weight: 1.0,
        cluster: None,
        base: tries(base),
        head: tries(head),
        must_pass_runs: Vec::new(),
        screen_runs: Vec::new(),
        confirm_base: Vec::new(),
        confirm_head: Vec::new(),
        noisy_judge: false,
        compares: false,
    }
}

impl CaseRecord {
    /// In lane 1, with its runs there.
    pub fn must_pass(self, rule: MustPass, runs: &str) -> Self {
        Self { must_pass: Some(rule), must_pass_runs: tries(runs), ..self }
    }

    /// In lane 3, screened.
    pub fn screened(self, runs: &str) -> Self {
        Self { screen_runs: tries(runs), ..self }
    }

    /// In lane 3, kept and run again.
    pub fn confirmed(self, base: &str, head: &str) -> Self {
        Self { confirm_base: tries(base), confirm_head: tries(head), ..self }.screened("FF")
    }

    /// Failing only by a judge that does not agree with itself.
    pub fn noisy(self) -> Self {
        Self { noisy_judge: true, ..self }
    }

    /// Decided by a comparison of the two sides.
    pub fn compares(self) -> Self {
        Self { compares: true, ..self }
    }

    /// Not compared, for instance.
    pub fn kind(self, kind: CaseKind) -> Self {
        Self { kind, ..self }
    }
}

/// `n` cases like this one, with ids of their own.
pub fn many(n: usize, like: &CaseRecord) -> Vec<CaseRecord> {
    (0..n).map(|i| CaseRecord { id: Arc::from(format!("{}-{i}", like.id)), ..like.clone() }).collect()
}

/// A prompt with a base.
pub fn prompt(cases: Vec<CaseRecord>) -> PromptRecord {
    PromptRecord { has_base: true, cases, cost: None, latency: None }
}

/// One trial, a margin of five points, no limits.
pub fn settings() -> GateSettings {
    GateSettings {
        trials: 1,
        margin: 0.05,
        min_score: None,
        max_cost_increase: None,
        max_latency_increase: None,
        strict: false,
        seed: 42,
    }
}

/// Answers every stage of the plan until it asks no more; the sizes of the stages.
pub fn answer(record: &mut PromptRecord, settings: &GateSettings, mut oracle: impl FnMut(&Ask) -> Tried) -> Vec<usize> {
    let mut stages = Vec::new();
    loop {
        let asks = next(record, settings);
        if asks.is_empty() {
            return stages;
        }
        assert!(stages.len() < 40, "the plan does not end: {asks:?}");
        stages.push(asks.len());
        for ask in asks {
            let tried = oracle(&ask);
            let case = &mut record.cases[ask.case];
            let list = match (ask.lane, ask.side) {
                (Lane::Suite, Side::Base) => &mut case.base,
                (Lane::Suite, Side::Head) => &mut case.head,
                (Lane::MustPass, _) => &mut case.must_pass_runs,
                (Lane::Screen, _) => &mut case.screen_runs,
                (Lane::Confirm, Side::Base) => &mut case.confirm_base,
                (Lane::Confirm, Side::Head) => &mut case.confirm_head,
            };
            assert_eq!(list.len(), ask.index as usize, "samples are asked in order, each once");
            list.push(tried);
        }
    }
}
