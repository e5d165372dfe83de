//! Lower bounds on a difference of paired samples, head − base. Knows counts and cluster sums, no cases.

use super::special::t_quantile;
use super::total;

/// The normal quantile of a one-sided 95 % bound.
pub const Z_95: f64 = 1.644_853_626_951_472_2;

/// The lower end of Tango's score interval (Tango 1998) for the difference of two paired proportions, of `n` pairs of which
/// `worse` turned from pass to fail and `better` from fail to pass; `z` is the normal quantile of its confidence. In [−1, 1].
///
/// The counts are real numbers, so that a larger set with the same rates can be asked about. Without pairs: −1.
#[must_use]
pub fn tango_lower(worse: f64, better: f64, n: f64, z: f64) -> f64 {
    if n <= 0.0 {
        return -1.0;
    }
    // The score statistic falls as the assumed difference grows: beyond z near −1, 0 at the estimate.
    let (mut low, mut high) = (-1.0, (better - worse) / n);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if tango_statistic(worse, better, n, middle) > z {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Tango's score statistic for an assumed `difference`; the chance of pass → fail under it is the likelihood's maximum.
fn tango_statistic(worse: f64, better: f64, n: f64, difference: f64) -> f64 {
    let a = 2.0 * n;
    let b = (2.0 * n - better + worse) * difference - better - worse;
    let c = -worse * difference * (1.0 - difference);
    let turned = ((b * b - 4.0 * a * c).max(0.0).sqrt() - b) / (2.0 * a);
    let variance = n * (2.0 * turned + difference * (1.0 - difference));
    (better - worse - n * difference) / variance.max(f64::MIN_POSITIVE).sqrt()
}

/// A weighted mean of differences whose clusters are independent, with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusterMean {
    /// The weighted mean.
    pub mean: f64,
    /// Its cluster-robust standard error.
    pub se: f64,
    /// How many clusters, at least 2.
    pub clusters: usize,
}

impl ClusterMean {
    /// From each cluster's `(sum of weights, sum of weighted differences)`. The variance is
    /// `C/(C−1) · Σ (D_c − mean·W_c)² / W²` (Liang and Zeger 1986; Miller 2024, eq. 4, with the small-sample factor).
    /// None below two clusters, or without weight: then nothing is known of the spread.
    #[must_use]
    pub fn of(clusters: &[(f64, f64)]) -> Option<Self> {
        let weight = total(clusters.iter().map(|(weight, _)| *weight));
        if clusters.len() < 2 || weight <= 0.0 {
            return None;
        }
        let mean = total(clusters.iter().map(|(_, sum)| *sum)) / weight;
        let squares = total(clusters.iter().map(|(weight, sum)| (sum - mean * weight).powi(2)));
        let count = clusters.len() as f64;
        let se = (squares * count / (count - 1.0)).sqrt() / weight;
        Some(Self { mean, se, clusters: clusters.len() })
    }

    /// The lower end of the one-sided t interval with C−1 degrees of freedom, at least −1, if the set were `scale` times
    /// as large with the same spread; `confidence` in [0.5, 1).
    #[must_use]
    pub fn lower(&self, confidence: f64, scale: f64) -> f64 {
        let df = self.clusters as f64 * scale - 1.0;
        (self.mean - t_quantile(confidence, df) * self.se / scale.sqrt()).max(-1.0)
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
    fn tango_of_the_published_example() {
        // Cavo 2012 in Fagerland, Lydersen and Laake 2014, 161 pairs, 6 and 16 changed: 95 % interval −0.1240 to −0.0054.
        const Z_975: f64 = 1.959_963_984_540_054;
        near(tango_lower(16.0, 6.0, 161.0, Z_975), -0.1240, 5e-5);
        near(-tango_lower(6.0, 16.0, 161.0, Z_975), -0.0054, 5e-5);
    }

    #[test]
    fn a_set_without_a_flip_proves_as_much_as_its_size() {
        for (n, points) in [(20.0, 11.9), (30.0, 8.3), (50.0, 5.1), (100.0, 2.6), (200.0, 1.3), (300.0, 0.9)] {
            near(100.0 * tango_lower(0.0, 0.0, n, Z_95), -points, 0.05);
            near(tango_lower(0.0, 0.0, n, Z_95), -Z_95 * Z_95 / (n + Z_95 * Z_95), 1e-9);
        }
    }

    #[test]
    fn the_ends_of_the_scale() {
        near(tango_lower(0.0, 0.0, 0.0, Z_95), -1.0, 0.0);
        near(tango_lower(9.0, 0.0, 9.0, Z_95), -1.0, 0.0);
        assert!(tango_lower(0.0, 9.0, 9.0, Z_95) > 0.0);
    }

    #[test]
    fn students_sleep_data() {
        // Student 1908: ten differences of hours, mean 1.58, standard error 0.3890; one-sided 95 % bound with 9 df 0.867.
        let hours = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4];
        let clusters: Vec<(f64, f64)> = hours.iter().map(|h| (1.0, *h)).collect();
        let sleep = ClusterMean::of(&clusters).unwrap();
        near(sleep.mean, 1.58, 1e-12);
        near(sleep.se, 0.3890, 5e-5);
        near(sleep.lower(0.95, 1.0), 0.867, 5e-4);
    }

    #[test]
    fn one_cluster_says_nothing_of_its_spread() {
        assert_eq!(ClusterMean::of(&[(5.0, 1.0)]), None);
        assert_eq!(ClusterMean::of(&[(0.0, 0.0), (0.0, 0.0)]), None);
    }

    proptest! {
        #[test]
        fn tango_stays_below_the_estimate_and_falls_with_each_drop(n in 1u32..300, worse in 0u32..300, better in 0u32..300) {
            let worse = worse.min(n);
            let better = better.min(n - worse);
            let (n, worse, better) = (f64::from(n), f64::from(worse), f64::from(better));
            let bound = tango_lower(worse, better, n, Z_95);
            prop_assert!((-1.0..=(better - worse) / n).contains(&bound));
            if worse + better < n {
                prop_assert!(tango_lower(worse + 1.0, better, n, Z_95) <= bound + 1e-9);
            }
            if better > 0.0 {
                prop_assert!(tango_lower(worse, better - 1.0, n, Z_95) <= bound + 1e-9);
            }
        }
    }
}
