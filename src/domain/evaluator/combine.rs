//! From what the evaluators of a case found to one trial for the gate. Knows no judge and no output.

use super::{Assessment, Evaluator};
use crate::domain::gate::Trial;

/// Evaluators that count as one among a case's: they stand together in its list.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatorSet {
    /// The place of its first evaluator.
    pub first: usize,
    /// How many there are.
    pub count: usize,
    /// Share in the case's score; 0 informs only.
    pub weight: f64,
    /// The score from which it passes, whatever its evaluators say; every one of them must pass where there is none.
    pub threshold: Option<f64>,
}

/// How a case makes one trial of what its evaluators found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rule<'c> {
    /// The score from which the case passes, whatever its evaluators say; every one must pass where there is none.
    pub threshold: Option<f64>,
    /// Evaluators that count as one, in the order of their places; they do not overlap.
    pub sets: &'c [EvaluatorSet],
}

impl<'c> Rule<'c> {
    /// The evaluators that have a say: those with a weight, in no set or in one with a weight.
    pub fn counted<'e>(self, evaluators: &'e [Evaluator]) -> impl Iterator<Item = &'e Evaluator> + use<'c, 'e> {
        let is_silent = move |at: usize| {
            self.sets.iter().any(|set| set.weight <= 0.0 && (set.first..set.first + set.count).contains(&at))
        };
        evaluators.iter().enumerate().filter(move |(at, by)| by.weight > 0.0 && !is_silent(*at)).map(|(_, by)| by)
    }
}

/// The trial that a case's assessments make, in the order of its evaluators: the weighted mean of the scores, passed
/// when every evaluator with a weight passed, or from the threshold on where the rule has one. `None`, unmeasured, when
/// one with a weight has no assessment.
///
/// Evaluators of weight 0 inform only, measured or not. Where no evaluator has a weight nothing can fail, so the trial
/// passes with score 1, as a promptfoo test without assertions does.
#[must_use]
pub fn combine(evaluators: &[Evaluator], rule: Rule<'_>, assessments: &[Option<Assessment>]) -> Option<Trial> {
    let mut found = Vec::with_capacity(evaluators.len());
    let mut sets = rule.sets.iter().peekable();
    let mut index = 0;
    while let Some(evaluator) = evaluators.get(index) {
        if let Some(set) = sets.next_if(|set| set.first <= index && set.count > 0) {
            let end = (index + set.count).min(evaluators.len());
            let within = (index..end).map(|at| (evaluators[at].weight, single(assessments, at)));
            found.push((set.weight, weigh(&within.collect::<Vec<_>>(), set.threshold)));
            index = end;
        } else {
            found.push((evaluator.weight, single(assessments, index)));
            index += 1;
        }
    }
    weigh(&found, rule.threshold)
}

fn single(assessments: &[Option<Assessment>], index: usize) -> Option<Trial> {
    let assessment = assessments.get(index)?.as_ref()?;
    Some(Trial { passed: assessment.passed, score: assessment.score })
}

/// Weights and what was found, as one trial.
fn weigh(found: &[(f64, Option<Trial>)], threshold: Option<f64>) -> Option<Trial> {
    let mut weighed = Vec::with_capacity(found.len());
    let mut passed = true;
    for (weight, trial) in found.iter().filter(|(weight, _)| *weight > 0.0) {
        let trial = trial.as_ref()?;
        passed &= trial.passed;
        weighed.push((*weight, trial.score));
    }
    if weighed.is_empty() {
        return Some(Trial { passed, score: 1.0 });
    }
    // Sums of floats depend on their order: a fixed one makes the score independent of the evaluators' order.
    weighed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = weighed.iter().map(|(weight, _)| weight).sum();
    let sum: f64 = weighed.iter().map(|(weight, score)| weight * score).sum();
    let score = (sum / total).clamp(0.0, 1.0);
    // A mean that is the threshold but for rounding reaches it.
    Some(Trial { passed: threshold.map_or(passed, |threshold| score >= threshold - 1e-12), score })
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
        let trial = combine(&evaluators, Rule::default(), &assessments).map(|trial| (trial.passed, trial.score));
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
        assert_eq!(combine(&[weighing(1.0)], Rule::default(), &[]), None);
    }

    #[test]
    fn a_threshold_takes_the_place_of_every_evaluators_own_verdict() {
        let evaluators = [weighing(1.0), weighing(3.0)];
        let trial = |threshold, scores: [f64; 2]| {
            let rule = Rule { threshold: Some(threshold), sets: &[] };
            combine(&evaluators, rule, &scores.map(found)).map(|trial| (trial.passed, trial.score))
        };
        assert_eq!(trial(0.7, [0.0, 1.0]), Some((true, 0.75)), "one fails, the score is enough");
        assert_eq!(trial(0.8, [0.0, 1.0]), Some((false, 0.75)));
        assert_eq!(trial(0.9, [0.5, 0.5]), Some((false, 0.5)), "both pass, the score is not enough");
        assert_eq!(trial(0.0, [0.0, 0.0]), Some((true, 0.0)), "nought collects scores and never fails");
    }

    #[test]
    fn a_set_counts_as_one_evaluator() {
        let evaluators = [weighing(1.0), weighing(1.0), weighing(3.0), weighing(1.0)];
        let set = |weight, threshold| [EvaluatorSet { first: 1, count: 2, weight, threshold }];
        let trial = |sets: &[EvaluatorSet], scores: [Option<Assessment>; 4]| {
            combine(&evaluators, Rule { threshold: None, sets }, &scores).map(|trial| (trial.passed, trial.score))
        };
        let scores = [found(1.0), found(0.0), found(1.0), found(1.0)];
        assert_eq!(trial(&set(2.0, None), scores.clone()), Some((false, 0.875)));
        assert_eq!(trial(&set(2.0, Some(0.75)), scores.clone()), Some((true, 0.875)));
        assert_eq!(trial(&set(0.0, None), scores), Some((true, 1.0)), "weight nought informs only");
        let unmeasured = [found(1.0), None, found(1.0), found(1.0)];
        assert_eq!(trial(&set(1.0, Some(0.1)), unmeasured), None);
    }

    proptest! {
        #[test]
        fn the_order_of_evaluators_changes_nothing(
            pairs in prop::collection::vec((0.0..10.0_f64, 0.0..=1.0_f64), 0..8).prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle()))
        ) {
            let trial = |pairs: &[(f64, f64)]| {
                let evaluators: Vec<_> = pairs.iter().map(|(weight, _)| weighing(*weight)).collect();
                let assessments: Vec<_> = pairs.iter().map(|(_, score)| found(*score)).collect();
                combine(&evaluators, Rule::default(), &assessments)
            };
            prop_assert_eq!(trial(&pairs.0), trial(&pairs.1));
            prop_assert!((0.0..=1.0).contains(&trial(&pairs.0).unwrap().score));
        }

        #[test]
        fn all_full_scores_make_a_full_score(weights in prop::collection::vec(0.0..1e6_f64, 1..8)) {
            let evaluators: Vec<_> = weights.iter().map(|weight| weighing(*weight)).collect();
            let trial = combine(&evaluators, Rule::default(), &vec![found(1.0); weights.len()]).unwrap();
            prop_assert_eq!(trial, Trial { passed: true, score: 1.0 });
        }
    }
}
