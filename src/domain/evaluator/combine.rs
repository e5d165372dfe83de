//! From what the evaluators of a case found to one trial for the gate. Knows no judge and no output.

use super::{Assessment, Evaluator};
use crate::domain::gate::Trial;

/// The trial that a case's assessments make, in the order of its evaluators: the weighted mean of the scores, passed
/// when every evaluator with a weight passed. `None`, unmeasured, when one with a weight has no assessment.
///
/// Evaluators of weight 0 inform only, measured or not. Where no evaluator has a weight nothing can fail, so the trial
/// passes with score 1, as a promptfoo test without assertions does.
#[must_use]
pub fn combine(evaluators: &[Evaluator], assessments: &[Option<Assessment>]) -> Option<Trial> {
    let mut weighed = Vec::with_capacity(evaluators.len());
    let mut passed = true;
    for (index, evaluator) in evaluators.iter().enumerate().filter(|(_, evaluator)| evaluator.weight > 0.0) {
        let assessment = assessments.get(index)?.as_ref()?;
        passed &= assessment.passed;
        weighed.push((evaluator.weight, assessment.score));
    }
    if weighed.is_empty() {
        return Some(Trial { passed, score: 1.0 });
    }
    // Sums of floats depend on their order: a fixed one makes the score independent of the evaluators' order.
    weighed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = weighed.iter().map(|(weight, _)| weight).sum();
    let sum: f64 = weighed.iter().map(|(weight, score)| weight * score).sum();
    Some(Trial { passed, score: (sum / total).clamp(0.0, 1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::evaluator::spec::{CheckSpec, EvaluatorSpec};
    use proptest::prelude::*;

    fn weighing(weight: f64) -> Evaluator {
        let check = CheckSpec::IsJson;
        let spec = EvaluatorSpec { weight: Some(weight), ..EvaluatorSpec::plain(check) };
        Evaluator::compile(spec).unwrap()
    }

    fn found(score: f64) -> Option<Assessment> {
        Some(Assessment { score, passed: score >= 0.5, reason: String::new() })
    }

    #[track_caller]
    fn check(found_by_weight: &[(f64, Option<Assessment>)], expected: Option<(bool, f64)>) {
        let evaluators: Vec<_> = found_by_weight.iter().map(|(weight, _)| weighing(*weight)).collect();
        let assessments: Vec<_> = found_by_weight.iter().map(|(_, assessment)| assessment.clone()).collect();
        let trial = combine(&evaluators, &assessments).map(|trial| (trial.passed, trial.score));
        assert_eq!(trial, expected);
    }

    #[test]
    fn the_score_is_the_weighted_mean_and_every_weighed_evaluator_must_pass() {
        check(&[(1.0, found(1.0)), (3.0, found(0.0))], Some((false, 0.25)));
        check(&[(1.0, found(1.0)), (1.0, found(0.5))], Some((true, 0.75)));
    }

    #[test]
    fn weight_nought_informs_only() {
        check(&[(1.0, found(1.0)), (0.0, found(0.0))], Some((true, 1.0)));
        check(&[(1.0, found(1.0)), (0.0, None)], Some((true, 1.0)));
        check(&[(0.0, found(0.0))], Some((true, 1.0)));
        check(&[], Some((true, 1.0)));
    }

    #[test]
    fn a_missing_assessment_leaves_the_trial_unmeasured() {
        check(&[(1.0, found(1.0)), (1.0, None)], None);
        assert_eq!(combine(&[weighing(1.0)], &[]), None);
    }

    proptest! {
        #[test]
        fn the_order_of_evaluators_changes_nothing(
            pairs in prop::collection::vec((0.0..10.0_f64, 0.0..=1.0_f64), 0..8).prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle()))
        ) {
            let trial = |pairs: &[(f64, f64)]| {
                let evaluators: Vec<_> = pairs.iter().map(|(weight, _)| weighing(*weight)).collect();
                let assessments: Vec<_> = pairs.iter().map(|(_, score)| found(*score)).collect();
                combine(&evaluators, &assessments)
            };
            prop_assert_eq!(trial(&pairs.0), trial(&pairs.1));
            prop_assert!((0.0..=1.0).contains(&trial(&pairs.0).unwrap().score));
        }

        #[test]
        fn all_full_scores_make_a_full_score(weights in prop::collection::vec(0.0..1e6_f64, 1..8)) {
            let evaluators: Vec<_> = weights.iter().map(|weight| weighing(*weight)).collect();
            let trial = combine(&evaluators, &vec![found(1.0); weights.len()]).unwrap();
            prop_assert_eq!(trial, Trial { passed: true, score: 1.0 });
        }
    }
}
