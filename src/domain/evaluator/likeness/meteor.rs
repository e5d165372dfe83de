//! METEOR without synonyms: words matched exactly, then by stem, with a penalty for disorder. Knows no case.

use std::collections::HashMap;

use super::stem::stem;

/// How much more recall counts than precision.
const ALPHA: f64 = 0.9;
/// How steeply disorder is punished, and how much at most.
const BETA: i32 = 3;
const GAMMA: f64 = 0.5;

/// METEOR after Banerjee and Lavie 2005 with the weights above.
pub(super) fn meteor(answer: &str, reference: &str) -> f64 {
    let (lower, lowered) = (answer.to_lowercase(), reference.to_lowercase());
    let (own, other) = (words(&lower), words(&lowered));
    let mut pairs = Vec::new();
    let (own_left, other_left) = align(numbered(&own), numbered(&other), &mut pairs);
    let stems = |left: Vec<(usize, String)>| left.into_iter().map(|(at, word)| (at, stem(&word))).collect();
    align(stems(own_left), stems(other_left), &mut pairs);
    if pairs.is_empty() {
        return 0.0;
    }
    pairs.sort_unstable();
    let breaks = pairs.windows(2).filter(|pair| pair[1] != (pair[0].0 + 1, pair[0].1 + 1)).count();
    #[expect(clippy::cast_precision_loss, reason = "lengths stay far below 2^52")]
    let [matches, chunks, own, other] = [pairs.len(), breaks + 1, own.len(), other.len()].map(|count| count as f64);
    let (precision, recall) = (matches / own, matches / other);
    let mean = precision * recall / (ALPHA * precision + (1.0 - ALPHA) * recall);
    mean * (1.0 - GAMMA * (chunks / matches).powi(BETA))
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().map(|word| word.trim_end_matches('.')).collect()
}

type Numbered = Vec<(usize, String)>;

fn numbered(words: &[&str]) -> Numbered {
    words.iter().enumerate().map(|(at, word)| (at, (*word).to_owned())).collect()
}

/// Pairs equal words from the last to the first and gives back those without a partner.
fn align(own: Numbered, other: Numbered, pairs: &mut Vec<(usize, usize)>) -> (Numbered, Numbered) {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, (_, word)) in other.iter().enumerate() {
        places.entry(word).or_default().push(index);
    }
    let mut taken = vec![false; other.len()];
    let mut own_left = Vec::new();
    for (at, word) in own.into_iter().rev() {
        match places.get_mut(word.as_str()).and_then(Vec::pop) {
            Some(index) => {
                taken[index] = true;
                pairs.push((at, other[index].0));
            }
            None => own_left.push((at, word)),
        }
    }
    own_left.reverse();
    let other_left = other.into_iter().zip(taken).filter(|(_, taken)| !taken).map(|(word, _)| word).collect();
    (own_left, other_left)
}
