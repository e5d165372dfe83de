//! Nearness in meaning by embeddings: one vector per text, compared by one measure. Knows no provider.

use std::sync::Arc;

use super::draft::{Draft, Found};
use super::reading::Reading;
use super::spec::Measure;
use crate::domain::prompt::{ChatMessage, Role};

/// Most texts an answer is compared with.
pub(super) const MOST_TEXTS: usize = 20;
/// Longest vector that is read.
const LONGEST_VECTOR: usize = 1 << 16;

/// Where a comparison stands.
#[derive(Debug, Clone)]
pub(in crate::domain::evaluator) struct Nearness {
    measure: Measure,
    /// The answer, then the texts to be near to.
    texts: Arc<[String]>,
    /// The answer's vector, once it is known.
    output: Option<Arc<[f64]>>,
    /// The text whose vector is asked for.
    at: usize,
    /// The best score so far.
    best: f64,
}

impl Nearness {
    /// The first question; `None` where there is nothing to compare with.
    pub fn start(measure: Measure, output: &str, to: Vec<String>) -> Option<Draft> {
        let texts: Arc<[String]> = std::iter::once(output.to_owned()).chain(to).collect();
        (texts.len() > 1).then_some(())?;
        Self { measure, texts, output: None, at: 0, best: 0.0 }.ask()
    }

    /// How many questions are left, this one included.
    pub fn left(&self) -> u32 {
        u32::try_from(self.texts.len().saturating_sub(self.at)).unwrap_or(u32::MAX)
    }

    /// Reads a vector.
    pub fn read(&self, answer: &str) -> Result<Found, String> {
        let vector = vector(answer)?;
        let mut next = Self { at: self.at + 1, ..self.clone() };
        match &self.output {
            None => next.output = Some(vector.into()),
            Some(output) => next.best = self.best.max(nearness(self.measure, output, &vector)?),
        }
        let (best, reason) = (next.best, next.said());
        Ok(next.ask().map_or(Found::Score(best, reason), |draft| Found::Next(Box::new(draft))))
    }

    fn ask(self) -> Option<Draft> {
        let text = self.texts.get(self.at)?;
        // A service refuses the empty text, and a space means as little.
        let text = if text.is_empty() { " " } else { text };
        let messages = vec![ChatMessage::text(Role::User, text)];
        Some(Draft { messages, reading: Reading::Nearness(self), fence: None })
    }

    fn said(&self) -> String {
        match self.measure {
            Measure::Cosine => format!("cosine similarity {:.3}", self.best),
            Measure::Dot => format!("dot product {:.3}", self.best),
            Measure::Euclidean => format!("distance {:.3}", 1.0 / self.best - 1.0),
        }
    }
}

fn vector(answer: &str) -> Result<Vec<f64>, String> {
    let vector: Vec<f64> = serde_json::from_str(answer).map_err(|error| format!("is no vector: {error}"))?;
    if vector.is_empty() || vector.len() > LONGEST_VECTOR {
        return Err(format!("is no vector: it has {} numbers", vector.len()));
    }
    Ok(vector)
}

/// How near two vectors are, in [0, 1]; what is opposite or further is 0.
fn nearness(measure: Measure, a: &[f64], b: &[f64]) -> Result<f64, String> {
    if a.len() != b.len() {
        return Err(format!("has {} numbers where the answer's has {}", b.len(), a.len()));
    }
    // Scaled by the largest number, so that no square overflows.
    let largest = a.iter().chain(b).fold(0.0_f64, |largest, number| largest.max(number.abs()));
    let scale = if largest > 0.0 { largest } else { 1.0 };
    let sum = |of: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| of(a / scale, b / scale)).sum::<f64>();
    let near = match measure {
        Measure::Cosine => {
            let lengths = (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
            if lengths > 0.0 { sum(&|a, b| a * b) / lengths } else { return Err("is a vector of zeros".to_owned()) }
        }
        Measure::Dot => sum(&|a, b| a * b) * scale * scale,
        Measure::Euclidean => 1.0 / (1.0 + sum(&|a, b| (a - b) * (a - b)).sqrt() * scale),
    };
    // Equal texts differ by rounding only: nine digits decide.
    Ok(((near * 1e9).round() / 1e9).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(measure: Measure, a: &[f64], b: &[f64], expected: Result<f64, &str>) {
        assert_eq!(nearness(measure, a, b).as_ref().copied().map_err(String::as_str), expected);
    }

    #[test]
    fn the_three_measures_by_hand() {
        check(Measure::Cosine, &[1.0, 0.0], &[2.0, 0.0], Ok(1.0));
        check(Measure::Cosine, &[1.0, 0.0], &[0.0, 3.0], Ok(0.0));
        check(Measure::Cosine, &[3.0, 4.0], &[4.0, 3.0], Ok(0.96));
        check(Measure::Dot, &[0.6, 0.8], &[0.8, 0.6], Ok(0.96));
        check(Measure::Euclidean, &[0.0, 0.0], &[3.0, 4.0], Ok(1.0 / 6.0).map(|near: f64| (near * 1e9).round() / 1e9));
        check(Measure::Euclidean, &[0.5], &[0.5], Ok(1.0));
    }

    #[test]
    fn what_points_the_other_way_is_not_near_at_all() {
        check(Measure::Cosine, &[1.0], &[-1.0], Ok(0.0));
        check(Measure::Dot, &[1.0], &[-1.0], Ok(0.0));
        check(Measure::Dot, &[3.0], &[3.0], Ok(1.0));
    }

    #[test]
    fn vectors_that_cannot_be_compared_are_no_answer() {
        check(Measure::Cosine, &[1.0], &[1.0, 2.0], Err("has 2 numbers where the answer's has 1"));
        check(Measure::Cosine, &[0.0], &[1.0], Err("is a vector of zeros"));
        for unreadable in ["", "[]", "[1, null]", "[1, 1e999]", "{\"embedding\": [1]}", "[\"1\"]", "0.5"] {
            assert!(vector(unreadable).is_err(), "{unreadable}");
        }
    }

    proptest! {
        #[test]
        fn nearness_stays_in_bounds_is_symmetric_and_full_for_the_same(
            pairs in prop::collection::vec((-1e200..1e200_f64, -1e200..1e200_f64), 1..20),
        ) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            for measure in [Measure::Cosine, Measure::Dot, Measure::Euclidean] {
                if let Ok(near) = nearness(measure, &a, &b) {
                    prop_assert!((0.0..=1.0).contains(&near));
                    prop_assert_eq!(nearness(measure, &b, &a), Ok(near));
                }
            }
            if a.iter().any(|number| *number != 0.0) {
                prop_assert_eq!(nearness(Measure::Cosine, &a, &a), Ok(1.0));
            }
            prop_assert_eq!(nearness(Measure::Euclidean, &a, &a), Ok(1.0));
        }
    }
}
