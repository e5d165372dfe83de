//! Whose word a failed trial rests on. Knows no judge by name.

use super::{Assessment, Evaluator};

/// The evaluators behind a trial that failed: those with a weight that failed; where none did (a threshold on their mean was
/// missed), all with a weight.
#[must_use]
pub fn blamed(evaluators: &[Evaluator], assessments: &[Option<Assessment>]) -> Vec<usize> {
    let weighed = |index: &usize| evaluators.get(*index).is_some_and(|evaluator| evaluator.weight > 0.0);
    let failed = |index: &usize| matches!(assessments.get(*index), Some(Some(found)) if !found.passed);
    let all: Vec<usize> = (0..evaluators.len()).filter(weighed).collect();
    let blamed: Vec<usize> = all.iter().copied().filter(failed).collect();
    if blamed.is_empty() { all } else { blamed }
}

#[cfg(test)]
mod tests {
    use super::super::spec::{CheckSpec, EvaluatorSpec};
    use super::*;

    #[track_caller]
    fn check(found: &[(f64, bool)], expected: &[usize]) {
        let evaluator = |weight| EvaluatorSpec { weight: Some(weight), ..EvaluatorSpec::plain(CheckSpec::IsJson) };
        let evaluators: Vec<_> =
            found.iter().map(|(weight, _)| Evaluator::compile(evaluator(*weight)).unwrap()).collect();
        let assessments: Vec<_> = found.iter().map(|(_, passed)| Some(Assessment::of(*passed, ""))).collect();
        assert_eq!(blamed(&evaluators, &assessments), expected);
    }

    #[test]
    fn a_failure_rests_on_what_failed_with_a_weight() {
        check(&[(1.0, true), (1.0, false), (0.0, false)], &[1]);
        check(&[(1.0, false), (2.0, false)], &[0, 1]);
        check(&[(1.0, true), (1.0, true), (0.0, true)], &[0, 1]);
    }
}
