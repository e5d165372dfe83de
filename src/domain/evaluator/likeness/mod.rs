//! How like an answer is to a reference text, from 0 to 1. No model is asked. Knows no case and no threshold.

mod meteor;
mod ngrams;
mod rouge;
mod stem;

use std::collections::HashMap;

use super::spec::Likeness;
use super::text::fold;

/// Lowest score that passes where a file gives none.
pub(super) const fn threshold(measure: Likeness) -> f64 {
    match measure {
        Likeness::Bleu | Likeness::Gleu | Likeness::Meteor => 0.5,
        Likeness::RougeN | Likeness::Lexical => 0.75,
    }
}

/// The likeness to the nearest of the references; BLEU weighs them together.
pub(super) fn score<T: AsRef<str>>(measure: Likeness, answer: &str, references: &[T]) -> f64 {
    let one: fn(&str, &str) -> f64 = match measure {
        Likeness::Bleu => return ngrams::bleu(answer, references),
        Likeness::Gleu => ngrams::gleu,
        Likeness::RougeN => rouge::rouge_1,
        Likeness::Meteor => meteor::meteor,
        Likeness::Lexical => lexical,
    };
    references.iter().map(|reference| one(answer, reference.as_ref())).fold(0.0, f64::max)
}

/// Cosine of the counts of character trigrams: case is folded, runs of anything but letters and digits are one space,
/// and a space stands at both ends.
fn lexical(answer: &str, reference: &str) -> f64 {
    let (a, b) = (trigrams(answer), trigrams(reference));
    if a.is_empty() || b.is_empty() {
        return if a.is_empty() && b.is_empty() && answer.trim() == reference.trim() { 1.0 } else { 0.0 };
    }
    let length = |counts: &HashMap<[char; 3], f64>| counts.values().map(|count| count * count).sum::<f64>();
    let shared: f64 = a.iter().filter_map(|(trigram, count)| Some(count * b.get(trigram)?)).sum();
    (shared / (length(&a) * length(&b)).sqrt()).clamp(0.0, 1.0)
}

fn trigrams(text: &str) -> HashMap<[char; 3], f64> {
    let mut counts = HashMap::new();
    let mut last = [' '; 2];
    let mut any = false;
    for c in fold(text).chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).chain([' ']) {
        if c == ' ' && last[1] == ' ' {
            continue;
        }
        if any {
            *counts.entry([last[0], last[1], c]).or_insert(0.0) += 1.0;
        }
        any = true;
        last = [last[1], c];
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Scores to four digits, checked against nltk 3 (BLEU with epsilon 1e-7 per precision, GLEU, METEOR without
    /// synonyms), and against js-rouge's tokens with clipped counts.
    #[track_caller]
    fn check(measure: Likeness, answer: &str, reference: &str, expected: f64) {
        let found = score(measure, answer, &[reference]);
        assert!((found - expected).abs() < 5e-5, "{measure:?} of {answer:?} and {reference:?}: {found}");
    }

    #[test]
    fn lexical_similarity_sees_shared_trigrams_in_any_case() {
        check(Likeness::Lexical, "Refund the order!", "refund  THE order", 1.0);
        check(Likeness::Lexical, "abc", "xyz", 0.0);
        check(Likeness::Lexical, "", "a", 0.0);
        check(Likeness::Lexical, "!?", "!?", 1.0);
        let near = score(Likeness::Lexical, "We refunded your orders.", &["We refund your order."]);
        assert!((0.75..1.0).contains(&near), "{near}");
    }

    #[test]
    fn scores_are_those_of_the_usual_packages() {
        let (sat, sitting) = ("The cat sat on a mat", "The cat is sitting on the mat.");
        let guide = "It is a guide to action which ensures that the military always obeys the commands of the party";
        let action = "It is a guide to action that ensures that the military will forever heed Party commands";
        let (refunded, refund) = ("We refunded your orders today.", "Your order was refunded today, and we apologize.");
        let (the, once) = ("the the the the the the the", "The cat is on the mat");
        for (answer, reference, bleu, gleu, rouge, meteor) in [
            ("The cat sat on the mat.", "The cat sat on the mat.", 1.0, 1.0, 1.0, 0.9977),
            (sat, sitting, 0.0002, 0.2273, 0.5714, 0.2899),
            (guide, action, 0.4209, 0.4545, 0.7059, 0.6944),
            (refunded, refund, 0.0, 0.1154, 0.6250, 0.4099),
            (the, once, 0.0, 0.0909, 0.3077, 0.1639),
            ("Escalate to a person", "Escalate to a person immediately please", 0.6065, 0.5556, 0.8, 0.6843),
        ] {
            check(Likeness::Bleu, answer, reference, bleu);
            check(Likeness::Gleu, answer, reference, gleu);
            check(Likeness::RougeN, answer, reference, rouge);
            check(Likeness::Meteor, answer, reference, meteor);
        }
        check(Likeness::RougeN, "It's $5.00, isn't it?", "It isn't $5.00; it's more (today).", 0.6364);
    }

    #[test]
    fn the_nearest_reference_counts_and_bleu_weighs_them_together() {
        let both = score(Likeness::Bleu, "a b c d e", &["a b c d", "a b x d e f"]);
        // (4/5 · 3/4 · 2/3 · 1/2)^¼, each precision that of one reference, as promptfoo has it.
        assert!((both - 0.6687).abs() < 5e-5, "{both}");
        assert!((score(Likeness::Gleu, "a b", &["x", "a b"]) - 1.0).abs() < 1e-9);
        for measure in ALL {
            assert_eq!(score(measure, "", &["a"]), 0.0);
            assert_eq!(score::<&str>(measure, "a", &[]), 0.0);
        }
    }

    const ALL: [Likeness; 5] = [Likeness::Bleu, Likeness::Gleu, Likeness::RougeN, Likeness::Meteor, Likeness::Lexical];

    proptest! {
        #[test]
        fn a_score_is_from_0_to_1(answer in "\\PC{0,30}", reference in "\\PC{0,30}") {
            for measure in ALL {
                let found = score(measure, &answer, &[&reference]);
                prop_assert!((0.0..=1.0).contains(&found), "{:?}: {}", measure, found);
            }
        }

        #[test]
        fn a_text_is_like_itself(words in prop::collection::vec("[a-z]{1,6}", 1..12)) {
            let text = words.join(" ");
            for measure in ALL {
                let found = score(measure, &text, &[&text]);
                // METEOR takes something off even a perfect match, all the more the shorter it is.
                prop_assert!(found > if measure == Likeness::Meteor { 0.49 } else { 0.999_999 }, "{:?}: {}", measure, found);
            }
        }
    }

    #[test]
    fn long_texts_end_quickly() {
        let started = std::time::Instant::now();
        let (a, b) = ("a b ".repeat(5_000), "word ".repeat(5_000));
        for measure in ALL {
            score(measure, &a, &[&b]);
            score(measure, &a, &[&a]);
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "{:?}", started.elapsed());
    }
}
