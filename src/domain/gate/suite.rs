//! Lane 2: the paired sample as a whole, its scores, its p and its bound. Knows no fresh runs and no verdict.

use std::collections::BTreeMap;

use super::case::{Count, is_compared, is_measured_pair, is_run, measured};
use super::{CaseRecord, PromptRecord, Tried};
use crate::domain::stats::{self, ClusterMean, Z_95};

/// Confidence of the one-sided bound.
const CONFIDENCE: f64 = 0.95;
/// Largest golden set that is worth recommending.
const MOST_CASES: u32 = 1_000_000;

/// What lane 2 found.
pub(super) struct Suite {
    /// Cases with a measured trial on both sides.
    pub compared: u32,
    /// Of those: pass → fail, or with graded scores or several trials, a lower score.
    pub got_worse: u32,
    /// The other way.
    pub got_better: u32,
    /// One-sided p that head is worse; none if nothing is compared.
    pub p: Option<f64>,
    /// Weighted mean score of base over the compared cases.
    pub base_score: Option<f64>,
    /// The same of head; over all its measured cases if nothing is compared.
    pub head_score: Option<f64>,
    form: Form,
}

/// How the differences are weighed.
enum Form {
    /// One trial, every score 0 or 1: counts say all.
    Binary,
    /// Graded scores or several trials: differences, clustered.
    Graded(Option<ClusterMean>),
}

impl Suite {
    /// Reads the suite trials; `seed` draws the sign flips.
    pub fn of(record: &PromptRecord, seed: u64) -> Self {
        let pairs: Vec<&CaseRecord> =
            record.cases.iter().filter(|case| is_compared(record, case) && is_measured_pair(case)).collect();
        let score = |side: fn(&CaseRecord) -> &[Tried], cases: &[&CaseRecord]| {
            stats::weighted_mean(&cases.iter().map(|case| (case.weight, mean_score(side(case)))).collect::<Vec<_>>())
        };
        let of_head: Vec<&CaseRecord> = if pairs.is_empty() {
            record.cases.iter().filter(|case| is_run(case) && Count::of(&case.head).runs > 0).collect()
        } else {
            pairs.clone()
        };
        let (got_worse, got_better, p, form) =
            if pairs.iter().all(|case| is_binary(case)) { binary(&pairs) } else { graded(&pairs, seed) };
        Self {
            compared: count(pairs.iter().map(|_| true)),
            got_worse,
            got_better,
            p: (!pairs.is_empty()).then_some(p),
            base_score: score(|case| &case.base, &pairs),
            head_score: score(|case| &case.head, &of_head),
            form,
        }
    }

    /// The lower end of the one-sided 95 % interval on head − base; none if nothing is compared.
    pub fn bound(&self) -> Option<f64> {
        (self.compared > 0).then(|| self.bound_with(self.compared))
    }

    /// How many more compared cases would exclude a drop of more than `margin`, should they come out at the same rates
    /// (without any flip if there are none yet) and with the same spread; none if no number would.
    pub fn more_cases(&self, margin: f64) -> Option<u32> {
        let enough = |cases: u32| self.bound_with(cases) >= -margin;
        let (mut low, mut high) = (self.compared, self.compared + 1);
        while !enough(high) {
            low = high;
            high = high.checked_mul(2).filter(|cases| *cases <= MOST_CASES)?;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if enough(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(high - self.compared)
    }

    /// The bound of a set of `cases` with this one's rates and spread.
    fn bound_with(&self, cases: u32) -> f64 {
        let scale = f64::from(cases) / f64::from(self.compared.max(1));
        let (worse, better) = (f64::from(self.got_worse) * scale, f64::from(self.got_better) * scale);
        let tango = stats::tango_lower(worse, better, f64::from(cases), Z_95);
        match &self.form {
            Form::Binary => tango,
            Form::Graded(None) => -1.0,
            Form::Graded(Some(mean)) => tango.min(mean.lower(CONFIDENCE, scale)),
        }
    }
}

/// The mean over the measured trials, of which there is at least one.
fn mean_score(tries: &[Tried]) -> f64 {
    measured(tries).map(|trial| trial.score).sum::<f64>() / f64::from(Count::of(tries).runs)
}

fn is_binary(case: &CaseRecord) -> bool {
    let zero_or_one =
        |tries: &[Tried]| tries.len() == 1 && measured(tries).all(|trial| matches!(trial.score, 0.0 | 1.0));
    zero_or_one(&case.base) && zero_or_one(&case.head)
}

fn count(of: impl Iterator<Item = bool>) -> u32 {
    u32::try_from(of.filter(|yes| *yes).count()).unwrap_or(u32::MAX)
}

fn binary(pairs: &[&CaseRecord]) -> (u32, u32, f64, Form) {
    let passes = |tries: &[Tried]| Count::of(tries).passes;
    let worse = count(pairs.iter().map(|case| passes(&case.base) > passes(&case.head)));
    let better = count(pairs.iter().map(|case| passes(&case.base) < passes(&case.head)));
    (worse, better, stats::mcnemar_mid_p(worse, better), Form::Binary)
}

fn graded(pairs: &[&CaseRecord], seed: u64) -> (u32, u32, f64, Form) {
    // Scores of several trials are sums of fractions: what differs by rounding only does not differ.
    let difference = |case: &CaseRecord| {
        let difference = mean_score(&case.head) - mean_score(&case.base);
        if difference.abs() < 1e-12 { 0.0 } else { difference }
    };
    let mut named: BTreeMap<&str, Vec<&CaseRecord>> = BTreeMap::new();
    let mut clusters: Vec<Vec<&CaseRecord>> = Vec::new();
    for &case in pairs {
        match &case.cluster {
            Some(name) => named.entry(name).or_default().push(case),
            None => clusters.push(vec![case]),
        }
    }
    clusters.extend(named.into_values());
    let sums: Vec<(f64, f64)> = clusters
        .iter()
        .map(|cases| {
            let weight = stats::total(cases.iter().map(|case| case.weight));
            (weight, stats::total(cases.iter().map(|case| case.weight * difference(case))))
        })
        .collect();
    let worse = count(pairs.iter().map(|case| difference(case) < 0.0));
    let better = count(pairs.iter().map(|case| difference(case) > 0.0));
    let p = stats::sign_flip(&sums.iter().map(|(_, sum)| *sum).collect::<Vec<_>>(), seed);
    (worse, better, p, Form::Graded(ClusterMean::of(&sums)))
}
