//! Whether known answers of base may stand in for new ones: how old they may be, which are asked again to check the rest, and
//! when the check says that the provider answers differently now. Pure.

use std::time::Duration;

use crate::domain::ids::Digest;

/// Older answers of base are asked again where head is newly asked.
pub const LONGEST_REUSE: Duration = Duration::from_secs(24 * 3_600);
/// So many known answers of base are asked again before the others are used.
const CANARIES: usize = 10;
/// Share of answers whose result changes by chance alone, when nothing but time has passed. In the populations that the gate
/// is held to (75 % near-certain, 18 % flaky around 0.73, 7 % chronic failures) it is about 0.08.
const CHANCE: f64 = 0.1;
/// The canary cries out in at most this share of the checks where nothing has changed.
const ALPHA: f64 = 0.05;

/// Which of the questions are asked again: those with the smallest digests, so that the same set has the same canaries.
#[must_use]
pub fn canaries(questions: &[Digest]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..questions.len()).collect();
    order.sort_by_key(|at| questions[*at].0);
    order.truncate(CANARIES);
    order
}

/// Whether `flips` results of `cases` that changed between pass and fail are more than chance: one-sided,
/// `P(Bin(cases, 0.1) ≥ flips) ≤ 0.05`. Of ten cases four, of one case none.
#[must_use]
pub fn is_drift(flips: u32, cases: u32) -> bool {
    flips > 0 && tail(flips, cases) <= ALPHA
}

/// `P(Bin(cases, CHANCE) ≥ flips)`, term by term.
fn tail(flips: u32, cases: u32) -> f64 {
    let mut term = (1.0 - CHANCE).powf(f64::from(cases));
    let mut below = 0.0;
    for k in 0..flips.min(cases + 1) {
        below += term;
        term *= f64::from(cases - k.min(cases)) / f64::from(k + 1) * CHANCE / (1.0 - CHANCE);
    }
    1.0 - below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_flips_are_more_than_chance() {
        let least = |cases| (0..=cases + 1).find(|flips| is_drift(*flips, cases));
        let least: Vec<_> = (1..=10).map(least).collect();
        // One more than all cases: that many cannot tell.
        let expected = [2, 2, 2, 3, 3, 3, 3, 3, 4, 4];
        assert_eq!(least, expected.map(Some));
        assert!(!is_drift(0, 0));
    }

    #[test]
    fn the_canaries_do_not_depend_on_the_order_of_the_cases() {
        let question = |n: u32| Digest::of_parts([n.to_le_bytes().as_slice()]);
        let forward: Vec<Digest> = (0..40).map(question).collect();
        let backward: Vec<Digest> = (0..40).rev().map(question).collect();
        let chosen = |all: &[Digest]| canaries(all).into_iter().map(|at| all[at]).collect::<Vec<_>>();
        assert_eq!(chosen(&forward), chosen(&backward));
        assert_eq!((canaries(&forward).len(), canaries(&forward[..3]).len()), (10, 3));
    }
}
