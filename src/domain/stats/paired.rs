//! Tests of paired samples: is head worse than base on the same cases? Knows counts and differences, no cases.

use std::f64::consts::LN_2;

use fastrand::Rng;

use super::special::ln_choose;
use super::total;

/// Non-zero clusters up to which every flip is counted; beyond it, flips are drawn.
const EXACT_CLUSTERS: usize = 16;
/// Flips drawn where counting them all would take too long.
const DRAWS: usize = 10_000;

/// McNemar's test, one-sided, mid-p (Fagerland, Lydersen and Laake 2013): `P(Bin(n, ½) > worse) + ½·P(Bin(n, ½) = worse)`
/// with `n = worse + better`. Small means more cases got worse than better; ½ if none changed.
#[must_use]
pub fn mcnemar_mid_p(worse: u32, better: u32) -> f64 {
    if worse < better {
        // The tail beyond a small count is nearly everything: sum the other one.
        return 1.0 - mcnemar_mid_p(better, worse);
    }
    let n = worse + better;
    let mut term = (ln_choose(n, worse) - f64::from(n) * LN_2).exp();
    let mut p = 0.5 * term;
    for k in worse..n {
        term *= f64::from(n - k) / f64::from(k + 1);
        p += term;
    }
    p
}

/// The sign-flip permutation test (Fisher 1935; Miller 2024 for clusters): one-sided p that the sum of the differences is
/// this low. One entry per cluster, zero ones included; small means head is worse.
///
/// `p = #{T* ≤ T} / 2^m` over all flips of the m ≤ 16 non-zero clusters, else `(1 + #{T* ≤ T}) / (B + 1)` over B = 10,000
/// drawn ones; the identity is counted in both. Since `T* = T − 2·(sum of the flipped)`, that is the share of
/// subsets whose sum is not negative: lowering a difference can only lower p. Draws belong to a cluster's rank among all
/// clusters, so that this holds of them too, and so that their order does not matter.
#[must_use]
pub fn sign_flip(differences: &[f64], seed: u64) -> f64 {
    let mut sorted = differences.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    // Sums that are equal on paper differ by rounding: a tie is a tie.
    let tolerance = 1e-10 * total(sorted.iter().map(|d| d.abs()));
    let counts = |d: f64| d.abs() > tolerance;
    let m = sorted.iter().filter(|d| counts(**d)).count();
    if m <= EXACT_CLUSTERS {
        let mut sums = vec![0.0];
        for difference in sorted.into_iter().filter(|d| counts(*d)) {
            let with_it: Vec<f64> = sums.iter().map(|sum| sum + difference).collect();
            sums.extend(with_it);
        }
        return sums.iter().filter(|sum| **sum >= -tolerance).count() as f64 / sums.len() as f64;
    }
    let mut seeds = Rng::with_seed(seed);
    let mut sums = vec![0.0; DRAWS];
    for difference in sorted {
        let mut flips = Rng::with_seed(seeds.u64(..));
        if counts(difference) {
            add_to_half(&mut sums, difference, &mut flips);
        }
    }
    (1 + sums.iter().filter(|sum| **sum >= -tolerance).count()) as f64 / (DRAWS + 1) as f64
}

/// Adds `difference` to a random half of the sums, each by its own coin.
fn add_to_half(sums: &mut [f64], difference: f64, flips: &mut Rng) {
    for chunk in sums.chunks_mut(64) {
        let coins = flips.u64(..);
        for (bit, sum) in chunk.iter_mut().enumerate() {
            *sum += difference * ((coins >> bit) & 1) as f64;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(found: f64, expected: f64, within: f64) {
        assert!((found - expected).abs() <= within, "{found} is not {expected}");
    }

    #[test]
    fn mid_p_of_the_published_examples() {
        // Fagerland 2013, table 2 (Bentur 2009: 1 and 7 changed) and table 3 (Cavo 2012: 6 and 16): two-sided 0.039, 0.035.
        near(2.0 * mcnemar_mid_p(7, 1), 0.0391, 5e-5);
        near(2.0 * mcnemar_mid_p(16, 6), 0.034_690, 5e-7);
    }

    #[test]
    fn the_suite_blocks_where_it_is_said_to() {
        for (better, blocks_from) in [5, 7, 9, 11, 12, 14].into_iter().enumerate() {
            let better = u32::try_from(better).unwrap();
            assert!(mcnemar_mid_p(blocks_from, better) <= 0.025);
            assert!(mcnemar_mid_p(blocks_from - 1, better) > 0.025);
        }
    }

    #[test]
    fn nothing_changed_is_no_evidence() {
        near(mcnemar_mid_p(0, 0), 0.5, 1e-12);
        near(sign_flip(&[], 1), 1.0, 0.0);
        near(sign_flip(&[0.0; 40], 1), 1.0, 0.0);
    }

    #[test]
    fn huge_suites_are_summed_without_underflow() {
        near(mcnemar_mid_p(50_000, 50_000), 0.5, 1e-9);
        near(mcnemar_mid_p(100, 90_000), 1.0, 1e-12);
        near(mcnemar_mid_p(90_000, 100), 0.0, 1e-12);
    }

    #[test]
    fn sign_flips_by_hand() {
        // Three drops: only the identity is as low. One drop against one gain of the same size: three of four.
        near(sign_flip(&[-0.2, -0.1, -0.5], 1), 1.0 / 8.0, 0.0);
        near(sign_flip(&[-0.3, 0.3], 1), 3.0 / 4.0, 0.0);
    }

    #[test]
    fn darwins_maize_gives_fishers_863_of_32768() {
        // Fisher 1935, section 21: 15 pairs; 863 of 2^15 sums are as far out as the one seen, ties included.
        let eighths = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
        let lower: Vec<f64> = eighths.iter().map(|d| -f64::from(*d) / 8.0).collect();
        near(sign_flip(&lower, 1), 863.0 / 32_768.0, 0.0);
    }

    #[test]
    fn drawn_flips_agree_with_counted_ones() {
        // Zero clusters change nothing; 17 non-zero ones are drawn, and the binomial says what they must give.
        let mut differences = vec![-1.0; 12];
        differences.extend([1.0; 5]);
        let at_least_as_low = (0..=5).map(|k| ln_choose(17, k).exp()).sum::<f64>() / 2.0_f64.powi(17);
        near(sign_flip(&differences, 7), at_least_as_low, 0.008);
        assert_eq!(sign_flip(&differences, 7), sign_flip(&differences, 7));
    }

    proptest! {
        #[test]
        fn a_lower_difference_never_raises_p(
            eighths in prop::collection::vec(-8i32..=8, 1..14),
            many in any::<bool>(),
            at in 0usize..14,
            drop in 1i32..8,
            seed in any::<u64>(),
        ) {
            let mut differences: Vec<f64> = eighths.iter().map(|d| f64::from(*d) / 8.0).collect();
            // Enough others that never change bring the sample to where flips are drawn, before and after.
            differences.extend(std::iter::repeat_n(0.5, if many { 17 } else { 0 }));
            let before = sign_flip(&differences, seed);
            differences[at % eighths.len()] -= f64::from(drop) / 8.0;
            prop_assert!(sign_flip(&differences, seed) <= before);
        }

        #[test]
        fn order_does_not_matter(differences in prop::collection::vec(-1.0..1.0_f64, 0..30), turn in 0usize..30) {
            let mut turned = differences.clone();
            turned.rotate_left(turn.min(differences.len()));
            prop_assert_eq!(sign_flip(&differences, 3), sign_flip(&turned, 3));
        }

        #[test]
        fn one_more_worse_case_never_raises_mid_p(worse in 0u32..200, better in 0u32..200) {
            let p = mcnemar_mid_p(worse, better);
            prop_assert!(mcnemar_mid_p(worse + 1, better) <= p + 1e-12);
            prop_assert!(better == 0 || mcnemar_mid_p(worse, better - 1) <= p + 1e-12);
        }
    }
}
