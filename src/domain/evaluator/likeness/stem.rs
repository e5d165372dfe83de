//! Porter's stemmer (1980) for lower-case English words; other words come back as they are. Knows no text.

/// Endings and what takes their place where enough of a word is left: more than no vowel-consonant change before it.
const STEP_2: [(&str, &str); 20] = [
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("abli", "able"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
];
const STEP_3: [(&str, &str); 7] =
    [("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];
/// Endings that go where more than one change is left.
const STEP_4: [&str; 19] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
];

/// The stem of a word.
pub(super) fn stem(word: &str) -> String {
    if word.len() < 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let mut stem = plural(word);
    past(&mut stem);
    if let Some(before) = stem.strip_suffix('y').filter(|before| has_vowel(before)) {
        stem = format!("{before}i");
    }
    replace(&mut stem, &STEP_2);
    replace(&mut stem, &STEP_3);
    cut(&mut stem);
    if let Some(before) = stem.strip_suffix('e') {
        let changes = changes(before);
        if changes > 1 || (changes == 1 && !is_short(before)) {
            stem.pop();
        }
    }
    if stem.ends_with("ll") && changes(&stem) > 1 {
        stem.pop();
    }
    stem
}

fn plural(word: &str) -> String {
    let kept = match word {
        _ if word.ends_with("sses") || word.ends_with("ies") => word.len() - 2,
        _ if word.ends_with('s') && !word.ends_with("ss") => word.len() - 1,
        _ => word.len(),
    };
    word[..kept].to_owned()
}

/// `-eed`, `-ed` and `-ing`, and what they leave behind.
fn past(stem: &mut String) {
    if stem.ends_with("eed") {
        if changes(&stem[..stem.len() - 3]) > 0 {
            stem.pop();
        }
        return;
    }
    let kept = ["ed", "ing"].iter().find_map(|ending| stem.strip_suffix(ending)).filter(|before| has_vowel(before));
    let Some(kept) = kept.map(str::len) else { return };
    stem.truncate(kept);
    if ["at", "bl", "iz"].iter().any(|ending| stem.ends_with(ending)) {
        stem.push('e');
    } else if ends_double(stem) && !stem.ends_with(['l', 's', 'z']) {
        stem.pop();
    } else if changes(stem) == 1 && is_short(stem) {
        stem.push('e');
    }
}

/// The longest ending that the stem has decides, whether or not enough is left before it.
fn replace(stem: &mut String, endings: &[(&str, &str)]) {
    let longest = endings.iter().filter(|(ending, _)| stem.ends_with(ending)).max_by_key(|(ending, _)| ending.len());
    if let Some((ending, instead)) = longest {
        let kept = stem.len() - ending.len();
        if changes(&stem[..kept]) > 0 {
            stem.truncate(kept);
            stem.push_str(instead);
        }
    }
}

fn cut(stem: &mut String) {
    let longest = STEP_4.iter().filter(|ending| stem.ends_with(*ending)).max_by_key(|ending| ending.len());
    if let Some(ending) = longest {
        let before = &stem[..stem.len() - ending.len()];
        if changes(before) > 1 && (*ending != "ion" || before.ends_with(['s', 't'])) {
            stem.truncate(before.len());
        }
    }
}

/// Whether each letter is a vowel; `y` is one after a consonant.
fn vowels(text: &str) -> impl Iterator<Item = bool> {
    let mut was_vowel = true;
    text.bytes().enumerate().map(move |(at, byte)| {
        was_vowel = match byte {
            b'a' | b'e' | b'i' | b'o' | b'u' => true,
            b'y' => at > 0 && !was_vowel,
            _ => false,
        };
        was_vowel
    })
}

fn has_vowel(text: &str) -> bool {
    vowels(text).any(|is_vowel| is_vowel)
}

/// How often a vowel is followed by a consonant: Porter's measure.
fn changes(text: &str) -> usize {
    let mut was_vowel = false;
    vowels(text).filter(|is_vowel| std::mem::replace(&mut was_vowel, *is_vowel) && !is_vowel).count()
}

fn ends_double(text: &str) -> bool {
    let last = text.as_bytes().last_chunk::<2>().is_some_and(|[a, b]| a == b);
    last && !vowels(text).last().unwrap_or(true)
}

/// Ends in consonant, vowel, consonant, the last of them not `w`, `x` or `y`.
fn is_short(text: &str) -> bool {
    let kinds: Vec<bool> = vowels(text).collect();
    kinds.ends_with(&[false, true, false]) && !text.ends_with(['w', 'x', 'y'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stems_are_porters() {
        // Words and stems as nltk's PorterStemmer gives them in its mode ORIGINAL_ALGORITHM, those of two letters left out.
        let words = "caresses ponies ties cats feed agreed plastered bled motoring sing conflated troubled sized \
             hopping tanned falling hissing fizzed failing filing happy sky relational conditional rational \
             valenci digitizer conformabli radicalli differentli vileli analogousli vietnamization predication \
             operator feudalism decisiveness hopefulness callousness formaliti sensitiviti sensibiliti \
             triplicate formative formalize electriciti electrical hopeful goodness revival allowance inference \
             airliner gyroscopic adjustable defensible irritant replacement adjustment dependent adoption \
             communism activate angulariti homologous effective bowdlerize probate rate cease controll roll \
             refunded refunds orders ordering ion yes says be running generalization oscillators";
        let stems = "caress poni ti cat feed agre plaster bled motor sing conflat troubl size hop tan fall hiss fizz \
             fail file happi sky relat condit ration valenc digit conform radic differ vile analog vietnam \
             predic oper feudal decis hope callous formal sensit sensibl triplic form formal electr electr hope \
             good reviv allow infer airlin gyroscop adjust defens irrit replac adjust depend adopt commun activ \
             angular homolog effect bowdler probat rate ceas control roll refund refund order order ion ye sai \
             be run gener oscil";
        let found: Vec<String> = words.split(' ').map(stem).collect();
        assert_eq!(found.join(" "), stems);
    }

    proptest! {
        #[test]
        fn no_word_panics_and_none_grows(word in "[a-zé']{0,12}") {
            prop_assert!(stem(&word).len() <= word.len() + 1);
        }
    }
}
