//! Agreement beyond chance between two opinions on the same things. Knows counts, no judges.

/// Cohen's κ for two opinions with two outcomes (Cohen 1960, Educational and Psychological Measurement 20:37): `(o − e) / (1 − e)`
/// with the observed agreement `o` and that of chance `e`. Counts: both yes, only the first, only the second, both no.
///
/// `None` of nothing. Where both always say the same one thing, chance explains all and κ has no value by that formula: full
/// agreement counts as 1.
#[must_use]
pub fn cohens_kappa(counts: [u32; 4]) -> Option<f64> {
    let [both, only_first, only_second, neither] = counts.map(f64::from);
    let all = both + only_first + only_second + neither;
    if all == 0.0 {
        return None;
    }
    // All terms times all², so that equal counts are equal numbers.
    let observed = (both + neither) * all;
    let chance = (both + only_first) * (both + only_second) + (only_second + neither) * (only_first + neither);
    let most = all * all;
    Some(if chance >= most { 1.0 } else { (observed - chance) / (most - chance) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(counts: [u32; 4], expected: Option<f64>) {
        match (cohens_kappa(counts), expected) {
            (Some(found), Some(expected)) => assert!((found - expected).abs() < 5e-5, "{found} is not {expected}"),
            (found, expected) => assert_eq!(found, expected),
        }
    }

    #[test]
    fn kappa_by_hand() {
        // 20, 5, 10, 15 of 50: o = 0.7, e = 0.5.
        check([20, 5, 10, 15], Some(0.4));
        // The two textbook tables with equal agreement of 0.6 and different κ: 45, 15, 25, 15 and 25, 35, 5, 35.
        check([45, 15, 25, 15], Some(0.130_43));
        check([25, 35, 5, 35], Some(0.259_26));
    }

    #[test]
    fn the_ends() {
        check([0; 4], None);
        check([7, 0, 0, 0], Some(1.0));
        check([3, 0, 0, 4], Some(1.0));
        check([0, 5, 5, 0], Some(-1.0));
        check([19, 1, 0, 0], Some(0.0));
    }

    proptest! {
        #[test]
        fn kappa_stays_in_bounds_and_does_not_mind_who_was_first(a in 0u32..2000, b in 0u32..2000, c in 0u32..2000, d in 0u32..2000) {
            prop_assume!(a + b + c + d > 0);
            let kappa = cohens_kappa([a, b, c, d]).unwrap();
            prop_assert!((-1.0..=1.0).contains(&kappa));
            prop_assert_eq!(Some(kappa), cohens_kappa([a, c, b, d]));
            prop_assert_eq!(Some(kappa), cohens_kappa([d, b, c, a]));
            prop_assert_eq!(kappa == 1.0, b + c == 0);
        }

        #[test]
        fn one_more_text_on_which_both_agree_never_lowers_a_perfect_judge(a in 1u32..500, d in 1u32..500) {
            prop_assert_eq!(cohens_kappa([a + 1, 0, 0, d]), Some(1.0));
        }
    }
}
