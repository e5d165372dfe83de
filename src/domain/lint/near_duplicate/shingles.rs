//! A text as the set of its runs of three words, without regard to case, spaces, punctuation and names of variables.

/// Words of a run.
const RUN: usize = 3;
/// Texts of fewer words are alike by chance.
pub const MIN_WORDS: usize = 12;
/// Stands for any variable.
const VARIABLE: u64 = 0x7661_7269_6162_6c65;

/// The hashes of a text's runs of words, sorted, each once. Empty for a text of too few words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shingles(Vec<u64>);

impl Shingles {
    /// Reads a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let words = words(text);
        if words.len() < MIN_WORDS {
            return Self::default();
        }
        let mut hashes: Vec<u64> = words.windows(RUN).map(mix).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    /// The hashes, ascending.
    #[must_use]
    pub fn hashes(&self) -> &[u64] {
        &self.0
    }

    /// Jaccard's index of two texts: what they share of all they have. 0 if either has too few words.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> f64 {
        let shared = shared(&self.0, &other.0);
        let all = self.0.len() + other.0.len() - shared;
        if all == 0 { 0.0 } else { shared as f64 / all as f64 }
    }
}

/// How many hashes two ascending lists share.
fn shared(a: &[u64], b: &[u64]) -> usize {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut shared = 0;
    while let (Some(left), Some(right)) = (a.peek(), b.peek()) {
        match left.cmp(right) {
            std::cmp::Ordering::Less => _ = a.next(),
            std::cmp::Ordering::Greater => _ = b.next(),
            std::cmp::Ordering::Equal => {
                shared += 1;
                a.next();
                b.next();
            }
        }
    }
    shared
}

/// The text's words as hashes: runs of letters and digits, single characters of scripts without spaces, and places.
fn words(text: &str) -> Vec<u64> {
    let mut words = Vec::with_capacity(text.len() / 6);
    let mut word = Fnv::default();
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at).copied() {
        if text.as_bytes().get(at..at + 2) == Some(b"{{") {
            word.end(&mut words);
            words.push(VARIABLE);
            at = text.get(at..).and_then(|rest| rest.find("}}")).map_or(text.len(), |end| at + end + 2);
            continue;
        }
        // Most characters are one byte: they need no look into Unicode's tables.
        if byte.is_ascii() {
            if byte.is_ascii_alphanumeric() {
                word.take(char::from(byte.to_ascii_lowercase()));
            } else if byte != b'\'' {
                word.end(&mut words);
            }
            at += 1;
            continue;
        }
        let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
        if is_without_spaces(character) {
            word.end(&mut words);
            word.take(character);
            word.end(&mut words);
        } else if character.is_alphanumeric() {
            character.to_lowercase().for_each(|lower| word.take(lower));
        } else if character != '’' {
            word.end(&mut words);
        }
        at += character.len_utf8();
    }
    word.end(&mut words);
    words
}

/// Whether words of its script stand together: Han, Kana, Thai, Lao, Khmer, Burmese.
fn is_without_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        && c.is_alphanumeric()
}

/// FNV-1a over characters: the same on every machine, without a seed.
struct Fnv {
    hash: u64,
    is_empty: bool,
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

impl Default for Fnv {
    fn default() -> Self {
        Self { hash: OFFSET, is_empty: true }
    }
}

impl Fnv {
    fn take(&mut self, character: char) {
        self.hash = (self.hash ^ u64::from(u32::from(character))).wrapping_mul(PRIME);
        self.is_empty = false;
    }

    fn end(&mut self, words: &mut Vec<u64>) {
        if !self.is_empty {
            words.push(self.hash);
            *self = Self::default();
        }
    }
}

/// One hash of a run of words (the finaliser of MurmurHash3 after each).
fn mix(run: &[u64]) -> u64 {
    run.iter().fold(OFFSET, |hash, word| {
        let mut mixed = hash.rotate_left(23) ^ word;
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        mixed ^ (mixed >> 33)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "You answer customers of {{company}} politely, and never promise a date that nobody confirmed.";

    #[track_caller]
    fn check(a: &str, b: &str, expected: f64) {
        let found = Shingles::of(a).likeness(&Shingles::of(b));
        assert!((found - expected).abs() < 1e-9, "{found}: {a} / {b}");
    }

    #[test]
    fn case_spaces_punctuation_and_names_of_variables_make_no_difference() {
        check(TEXT, TEXT, 1.0);
        check(TEXT, &TEXT.to_uppercase().replace("{{COMPANY}}", "{{ firm }}"), 1.0);
        check(TEXT, &TEXT.replace(' ', "\n  ").replace(',', ";"), 1.0);
    }

    #[test]
    fn one_word_of_fourteen_changes_three_runs_of_twelve() {
        check(TEXT, &TEXT.replace("never", "always"), 9.0 / 15.0);
        check(TEXT, &format!("{TEXT} Really"), 12.0 / 13.0);
    }

    #[test]
    fn unrelated_and_short_texts_are_not_alike() {
        check(TEXT, "Summarise the meeting below in five bullet points for people who could not come to it", 0.0);
        check("You are a helpful assistant", "You are a helpful assistant", 0.0);
    }

    #[test]
    fn scripts_without_spaces_are_compared_by_character() {
        check("请用礼貌的语气回答客户关于订单的问题", "请用礼貌的语气回答客户关于订单的问题", 1.0);
        assert!(
            Shingles::of("请用礼貌的语气回答客户关于订单的问题")
                .likeness(&Shingles::of("今天天气很好我们一起去公园散步吧好吗"))
                < 0.1
        );
    }

    proptest! {
        #[test]
        fn likeness_is_symmetric_and_a_share(a in "([a-e]{1,3} ){0,40}", b in "([a-e]{1,3} ){0,40}") {
            let (a, b) = (Shingles::of(&a), Shingles::of(&b));
            prop_assert_eq!(a.likeness(&b), b.likeness(&a));
            prop_assert!((0.0..=1.0).contains(&a.likeness(&b)));
            prop_assert!(a.hashes().is_empty() || a.likeness(&a) == 1.0);
        }

        #[test]
        fn no_text_panics(text in "(\\{\\{|\\}\\}|\\PC){0,60}") {
            let _ = Shingles::of(&text);
        }
    }
}
