//! Statistics: each formula a small function that cites its source. Knows samples and a seed, nothing of gates or prompts.
//!
//! Sums are taken in sorted order, so that no result depends on the order of the samples, not even in its last bit.

mod agreement;
mod exact;
mod interval;
mod paired;
mod special;

pub use agreement::cohens_kappa;
pub use exact::{fisher_less, holm};
pub use interval::{ClusterMean, Z_95, tango_lower};
pub use paired::{mcnemar_mid_p, sign_flip};
pub use special::t_quantile;

/// The sum of the values, the same to the last bit for every order of them.
#[must_use]
pub fn total(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.iter().sum()
}

/// The mean of `(weight, value)` pairs; none if the weights add up to nothing.
#[must_use]
pub fn weighted_mean(pairs: &[(f64, f64)]) -> Option<f64> {
    let weight = total(pairs.iter().map(|(weight, _)| *weight));
    (weight > 0.0).then(|| total(pairs.iter().map(|(weight, value)| weight * value)) / weight)
}

/// The middle value, or the mean of the two middle ones; none of nothing.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_median_is_the_middle_of_the_sorted_values() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 4.0]), Some(4.0));
        assert_eq!(median(&[9.0, 1.0, 4.0, 2.0]), Some(3.0));
    }

    #[test]
    fn weights_shift_the_mean_and_no_weight_means_no_mean() {
        assert_eq!(weighted_mean(&[(3.0, 1.0), (1.0, 0.0)]), Some(0.75));
        assert_eq!(weighted_mean(&[(0.0, 1.0)]), None);
        assert_eq!(weighted_mean(&[]), None);
    }

    proptest! {
        #[test]
        fn a_total_does_not_depend_on_the_order(values in prop::collection::vec(-1.0e6..1.0e6_f64, 0..40), turn in 0usize..40) {
            let mut turned = values.clone();
            turned.rotate_left(turn.min(values.len()));
            prop_assert_eq!(total(values).to_bits(), total(turned).to_bits());
        }
    }
}
