//! Several runs of the same content: running again until chance lets a regression pass must not help. Knows no run's content.

use serde::{Deserialize, Serialize};

/// How the runs of one content came out. Runs that measured too little are in neither number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs {
    /// Runs that found a regression.
    pub found: u32,
    /// Runs that found none.
    pub clear: u32,
}

impl Runs {
    /// How many runs count.
    #[must_use]
    pub fn counted(self) -> u32 {
        self.found.saturating_add(self.clear)
    }

    /// Whether the runs together say that there is a regression: it is taken back only by more runs without it than with it.
    ///
    /// The difference of the two numbers walks at random. A real break that each run finds with probability p ≥ 0.92 has to
    /// get from one ahead to one behind, which ever happens with probability ((1 − p) / p)² ≤ 0.8 % (gambler's ruin: Feller,
    /// An Introduction to Probability Theory and Its Applications I, XIV.2). A false alarm takes two good runs.
    #[must_use]
    pub fn is_regression(self) -> bool {
        self.found > 0 && self.clear <= self.found
    }

    /// How many more runs without a regression would take it back; 0 if there is none.
    #[must_use]
    pub fn missing(self) -> u32 {
        if self.is_regression() { (self.found - self.clear).saturating_add(1) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(found: u32, clear: u32, regression: bool, missing: u32) {
        let runs = Runs { found, clear };
        assert_eq!((runs.is_regression(), runs.missing()), (regression, missing), "{runs:?}");
    }

    #[test]
    fn a_regression_is_taken_back_by_more_runs_without_it_than_with_it() {
        check(0, 0, false, 0);
        check(0, 1, false, 0);
        check(1, 0, true, 2);
        check(1, 1, true, 1);
        check(1, 2, false, 0);
        check(2, 1, true, 2);
    }

    /// Runs that find a break with this probability, until they pass or somebody gives up after 60.
    fn ever_passes(power: f64, random: &mut fastrand::Rng) -> bool {
        let mut runs = Runs { found: 1, clear: 0 };
        for _ in 0..60 {
            if random.f64() < power {
                runs.found += 1;
            } else {
                runs.clear += 1;
            }
            if !runs.is_regression() {
                return true;
            }
        }
        false
    }

    #[test]
    fn who_runs_a_real_break_again_and_again_gets_it_through_less_than_once_in_a_hundred() {
        let mut random = fastrand::Rng::with_seed(4);
        let tries = 20_000;
        let passed = (0..tries).filter(|_| ever_passes(0.92, &mut random)).count();
        assert!(passed * 100 < tries, "{passed} of {tries}");
        // A false alarm, which a run gives at 3 %, does not stay.
        let cleared = (0..tries).filter(|_| ever_passes(0.03, &mut random)).count();
        assert!(cleared * 100 > 99 * tries, "{cleared} of {tries}");
    }

    proptest! {
        #[test]
        fn the_missing_runs_are_just_enough(found in 0u32..1_000, clear in 0u32..1_000) {
            let runs = Runs { found, clear };
            let after = |more: u32| Runs { found, clear: clear + more };
            prop_assert!(!after(runs.missing()).is_regression());
            prop_assert!(runs.missing() == 0 || after(runs.missing() - 1).is_regression());
        }
    }
}
