//! Exact tests of fresh counts, and the correction for many of them. Knows no cases.

use super::special::ln_choose;

/// Fisher's exact test, one-sided (Fisher 1935): the probability of at most `head` passes of `head_runs`, given that
/// `head + base` of all runs pass. Small means head passes less often than base. 1 where a side has no runs.
#[must_use]
pub fn fisher_less(head: u32, head_runs: u32, base: u32, base_runs: u32) -> f64 {
    let passes = head + base;
    let all = ln_choose(head_runs + base_runs, passes);
    let table = |x: u32| (ln_choose(head_runs, x) + ln_choose(base_runs, passes - x) - all).exp();
    (passes.saturating_sub(base_runs)..=head).map(table).sum::<f64>().min(1.0)
}

/// Holm's step-down adjustment (Holm 1979), parallel to `p`: the j-th smallest of m is multiplied by m − j + 1, never
/// falls below a smaller one's, and ends at 1. Rejecting what is ≤ α keeps the family-wise error at α.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut highest: f64 = 0.0;
    for (left, &index) in (1..=p.len()).rev().zip(&order) {
        highest = highest.max(p[index] * left as f64).min(1.0);
        adjusted[index] = highest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    #[test]
    fn the_lady_tasting_tea() {
        // Fisher 1935: four cups of each kind; all right has probability 1/70, three right or better 17/70.
        near(fisher_less(0, 4, 4, 4), 1.0 / 70.0);
        near(fisher_less(1, 4, 3, 4), 17.0 / 70.0);
    }

    #[test]
    fn six_of_six_against_none_is_one_of_924_orders() {
        near(fisher_less(0, 6, 6, 6), 1.0 / 924.0);
        near(fisher_less(0, 7, 7, 7), 1.0 / 3_432.0);
        near(fisher_less(0, 8, 8, 8), 1.0 / 12_870.0);
        near(fisher_less(6, 6, 6, 6), 1.0);
        near(fisher_less(0, 0, 0, 0), 1.0);
    }

    #[test]
    fn holm_on_the_textbook_family() {
        // Four hypotheses at 0.01, 0.04, 0.03, 0.005: the adjusted values are those of R's p.adjust(method = "holm").
        for (found, expected) in holm(&[0.01, 0.04, 0.03, 0.005]).into_iter().zip([0.03, 0.06, 0.06, 0.02]) {
            near(found, expected);
        }
        assert_eq!(holm(&[]), Vec::<f64>::new());
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }

    proptest! {
        #[test]
        fn fewer_passes_on_head_never_raise_fishers_p(runs in 1u32..12, base in 0u32..12, head in 1u32..12) {
            let (base, head) = (base.min(runs), head.min(runs));
            prop_assert!(fisher_less(head - 1, runs, base, runs) <= fisher_less(head, runs, base, runs) + 1e-12);
        }

        #[test]
        fn lowering_one_p_raises_no_adjusted_p(p in prop::collection::vec(0.0..1.0_f64, 1..9), at in 0usize..9, cut in 0.0..1.0_f64) {
            let mut lower = p.clone();
            let at = at % p.len();
            lower[at] *= cut;
            for (after, before) in holm(&lower).into_iter().zip(holm(&p)) {
                prop_assert!(after <= before + 1e-12);
            }
        }
    }
}
