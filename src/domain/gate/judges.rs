//! How far a judge agrees with itself, and when that is too little for a judge to block alone. Knows no question.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::stats;

/// Below this κ a judge is too noisy to block alone.
const LOWEST_KAPPA: f64 = 0.6;
/// With fewer second opinions κ says nothing yet.
const FEWEST_DOUBLED: u32 = 10;
/// κ alone is unstable where nearly all texts pass: so many changed minds are needed too,
const FEWEST_CHANGED: u32 = 3;
/// and more than one text in so many.
const CHANGED_ONE_IN: u32 = 10;

/// First and second opinions of one judge on the same texts, counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgeAgreement {
    /// What reports call the evaluator.
    pub name: Arc<str>,
    /// Both passed; only the first; only the second; neither.
    pub counts: [u32; 4],
}

impl JudgeAgreement {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(name: Arc<str>) -> Self {
        Self { name, counts: [0; 4] }
    }

    /// Counts one text that was judged twice.
    pub fn add(&mut self, first: bool, second: bool) {
        let [both, only_first, only_second, neither] = &mut self.counts;
        *match (first, second) {
            (true, true) => both,
            (true, false) => only_first,
            (false, true) => only_second,
            (false, false) => neither,
        } += 1;
    }

    /// Texts that were judged twice.
    #[must_use]
    pub fn doubled(&self) -> u32 {
        self.counts.iter().fold(0, |sum: u32, count| sum.saturating_add(*count))
    }

    /// Texts on which both opinions were the same.
    #[must_use]
    pub fn agreed(&self) -> u32 {
        let [both, _, _, neither] = self.counts;
        both.saturating_add(neither)
    }

    /// Cohen's κ, once there are enough second opinions to say.
    #[must_use]
    pub fn kappa(&self) -> Option<f64> {
        stats::cohens_kappa(self.counts).filter(|_| self.doubled() >= FEWEST_DOUBLED)
    }

    /// Second opinions that are missing before κ says something.
    #[must_use]
    pub fn missing(&self) -> u32 {
        FEWEST_DOUBLED.saturating_sub(self.doubled())
    }

    /// Whether the judge agrees with itself too little to block alone: by κ, and by the number and share of changed minds.
    #[must_use]
    pub fn is_noisy(&self) -> bool {
        let changed = self.doubled() - self.agreed();
        self.kappa().is_some_and(|kappa| kappa < LOWEST_KAPPA)
            && changed >= FEWEST_CHANGED
            && changed.saturating_mul(CHANGED_ONE_IN) > self.doubled()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(counts: [u32; 4], kappa: Option<f64>, is_noisy: bool) {
        let agreement = JudgeAgreement { name: "tone".into(), counts };
        assert_eq!((agreement.kappa(), agreement.is_noisy()), (kappa, is_noisy), "{counts:?}");
    }

    #[test]
    fn ten_second_opinions_are_needed_before_a_judge_is_called_noisy() {
        check([0, 0, 0, 0], None, false);
        check([2, 4, 3, 0], None, false);
        check([5, 0, 0, 5], Some(1.0), false);
        check([10, 0, 0, 0], Some(1.0), false);
        check([3, 2, 2, 3], Some(0.2), true);
        check([4, 1, 1, 4], Some(0.6), false);
    }

    #[test]
    fn a_few_changed_minds_among_many_passes_make_no_judge_noisy() {
        check([19, 1, 0, 0], Some(0.0), false);
        check([18, 2, 0, 0], Some(0.0), false);
        check([17, 3, 0, 0], Some(0.0), true);
        check([27, 3, 0, 0], Some(0.0), false);
        check([26, 4, 0, 0], Some(0.0), true);
    }

    proptest! {
        #[test]
        fn a_noisy_judge_changed_its_mind_often_and_one_more_agreed_text_never_makes_one(counts in prop::array::uniform4(0u32..200)) {
            let of = |counts| JudgeAgreement { name: "tone".into(), counts };
            let agreement = of(counts);
            let changed = counts[1] + counts[2];
            prop_assert!(!agreement.is_noisy() || (changed >= 3 && changed * 10 > agreement.doubled()));
            let steadier = of([counts[0] + 1, counts[1], counts[2], counts[3] + 1]);
            prop_assert!(agreement.is_noisy() || agreement.kappa().is_none() || !steadier.is_noisy());
        }
    }

    #[test]
    fn opinions_are_counted_where_they_belong() {
        let mut agreement = JudgeAgreement::new("tone".into());
        for (first, second) in [(true, true), (true, true), (true, false), (false, true), (false, false)] {
            agreement.add(first, second);
        }
        assert_eq!(agreement.counts, [2, 1, 1, 1]);
        assert_eq!((agreement.doubled(), agreement.agreed(), agreement.missing()), (5, 3, 5));
    }
}
