//! Joins what the evaluators found into one trial. Pure.

use super::{Assessment, Evaluator};
use crate::domain::gate::Trial;

/// The trial, or `None` where a weighted evaluator has no assessment.
#[must_use]
pub fn combine(evaluators: &[Evaluator], assessments: &[Option<Assessment>]) -> Option<Trial> {
    let (mut passed, mut sum, mut weights) = (true, 0.0, 0.0);
    for (evaluator, assessment) in evaluators.iter().zip(assessments) {
        if evaluator.weight > 0.0 {
            let assessment = assessment.as_ref()?;
            passed &= assessment.passed;
            sum += assessment.score * evaluator.weight;
            weights += evaluator.weight;
        }
    }
    Some(Trial { passed, score: sum / weights })
}
