//! BLEU and GLEU: runs of one to four words shared by two texts. Knows no case and no threshold.

use std::collections::HashMap;

/// The longest run.
const LONGEST: usize = 4;
/// What stands for a precision of nought, so that one missing length does not end all.
const SMOOTHED: f64 = 1e-7;

/// Words as numbers, the same in all texts that share a vocabulary.
#[derive(Default)]
struct Vocabulary<'t>(HashMap<&'t str, u32>);

type Counts = HashMap<[u32; LONGEST], u32>;

impl<'t> Vocabulary<'t> {
    fn numbers(&mut self, words: impl Iterator<Item = &'t str>) -> Vec<u32> {
        words
            .map(|word| {
                // Nought is no word: it fills runs shorter than the longest.
                let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1);
                *self.0.entry(word).or_insert(next)
            })
            .collect()
    }
}

fn counts(words: &[u32], length: usize) -> Counts {
    let mut counts = Counts::new();
    for run in words.windows(length) {
        let mut key = [0; LONGEST];
        key[..length].copy_from_slice(run);
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// How many runs of `a` are in `b` too, each at most as often as it is there.
fn shared(a: &Counts, b: &Counts) -> f64 {
    a.iter().map(|(run, count)| f64::from((*count).min(b.get(run).copied().unwrap_or(0)))).sum()
}

#[expect(clippy::cast_precision_loss, reason = "lengths stay far below 2^52")]
fn runs(words: &[u32], length: usize) -> f64 {
    (words.len() + 1).saturating_sub(length) as f64
}

/// BLEU-4 after Papineni et al. 2002 on lower-cased words: the geometric mean of the precisions of those lengths that
/// the answer has, each the best of any reference, times exp(1 − r/c) where the answer is no longer than the reference
/// nearest in length.
pub(super) fn bleu(answer: &str, references: &[impl AsRef<str>]) -> f64 {
    let lower = answer.to_lowercase();
    let lowered: Vec<String> = references.iter().map(|reference| reference.as_ref().to_lowercase()).collect();
    let mut vocabulary = Vocabulary::default();
    let words = vocabulary.numbers(lower.split_whitespace());
    let references: Vec<Vec<u32>> =
        lowered.iter().map(|reference| vocabulary.numbers(reference.split_whitespace())).collect();
    let nearest = references.iter().map(Vec::len).min_by_key(|length| (length.abs_diff(words.len()), *length));
    let Some(nearest) = nearest.filter(|_| !words.is_empty()) else { return 0.0 };
    let lengths = LONGEST.min(words.len());
    let mut logarithms = 0.0;
    for length in 1..=lengths {
        let own = counts(&words, length);
        let best = references.iter().map(|other| shared(&own, &counts(other, length))).fold(0.0, f64::max);
        let precision = best / runs(&words, length);
        logarithms += if precision == 0.0 { SMOOTHED } else { precision }.ln();
    }
    #[expect(clippy::cast_precision_loss, reason = "at most four, and lengths far below 2^52")]
    let (mean, brevity) = (logarithms / lengths as f64, 1.0 - nearest as f64 / words.len() as f64);
    (mean + brevity.min(0.0)).exp().clamp(0.0, 1.0)
}

/// GLEU after Wu et al. 2016 on lower-cased words without closing full stops: the smaller of precision and recall over
/// all runs of one to four words.
pub(super) fn gleu(answer: &str, reference: &str) -> f64 {
    let (lower, lowered) = (answer.to_lowercase(), reference.to_lowercase());
    let mut vocabulary = Vocabulary::default();
    let mut numbers = |text| vocabulary.numbers(words(text));
    let (own, other) = (numbers(&lower), numbers(&lowered));
    if own.iter().all(|word| *word == 0) || own.is_empty() || other.is_empty() {
        return 0.0;
    }
    let (mut matches, mut of_own, mut of_other) = (0.0, 0.0, 0.0);
    for length in 1..=LONGEST {
        matches += shared(&counts(&own, length), &counts(&other, length));
        of_own += runs(&own, length);
        of_other += runs(&other, length);
    }
    matches / f64::max(of_own, of_other)
}

/// Words without the full stops at their ends; what is a full stop only is none.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().map(|word| word.trim_end_matches('.')).filter(|word| !word.is_empty())
}
