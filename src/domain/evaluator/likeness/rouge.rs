//! ROUGE-N for single words: F1 of tokens after the Penn Treebank's rules. Knows no case and no threshold.

use std::collections::HashMap;

/// Contractions that are two tokens.
const PAIRS: [(&str, usize); 8] =
    [("cannot", 3), ("gimme", 3), ("gonna", 3), ("gotta", 3), ("lemme", 3), ("wanna", 3), ("'tis", 2), ("'twas", 2)];

/// Endings that are a token of their own.
const ENDINGS: [&str; 8] = ["'s", "'m", "'d", "'ll", "'re", "'ve", "n't", "'"];

/// F1 of the tokens of two texts in lower case, each counted at most as often as in the other.
pub(super) fn rouge_1(answer: &str, reference: &str) -> f64 {
    let (lower, lowered) = (answer.to_lowercase(), reference.to_lowercase());
    let (own, other) = (tokens(&lower), tokens(&lowered));
    let mut left: HashMap<&str, usize> = HashMap::new();
    for token in &other {
        *left.entry(token).or_default() += 1;
    }
    let mut shared = 0_usize;
    for token in &own {
        if let Some(count) = left.get_mut(token).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    let all = own.len() + other.len();
    #[expect(clippy::cast_precision_loss, reason = "lengths stay far below 2^52")]
    if all == 0 { 0.0 } else { 2.0 * shared as f64 / all as f64 }
}

/// Tokens: punctuation apart, endings such as `'s` and `n't` apart, a full stop apart at the very end only.
fn tokens(text: &str) -> Vec<&str> {
    let closers = |c: char| c.is_whitespace() || matches!(c, ']' | ')' | '}' | '>' | '\'');
    let last = text.trim_end_matches(closers).len();
    // The dots of an ellipsis stay together.
    let has_stop = text[..last].ends_with('.') && !text[..last].ends_with("..");
    let (body, rest) = text.split_at(if has_stop { last - 1 } else { text.len() });
    let mut tokens = Vec::new();
    body.split_whitespace().for_each(|word| split(word, &mut tokens));
    if has_stop {
        tokens.push(&rest[..1]);
        rest[1..].split_whitespace().for_each(|word| split(word, &mut tokens));
    }
    tokens
}

/// Splits what stands between spaces.
fn split<'t>(word: &'t str, tokens: &mut Vec<&'t str>) {
    let mut from = 0;
    let mut at = 0;
    while let Some(c) = word[at..].chars().next() {
        let rest = &word[at..];
        let mark = match c {
            '.' if rest.starts_with("...") => 3,
            '-' if rest.starts_with("--") => 2,
            '`' if rest.starts_with("``") => 2,
            '\'' if rest.starts_with("''") => 2,
            ':' | ',' if !rest[1..].starts_with(char::is_numeric) => 1,
            ';' | '@' | '#' | '$' | '%' | '&' | '?' | '!' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '"' => 1,
            _ => 0,
        };
        if mark == 0 {
            at += c.len_utf8();
            continue;
        }
        contracted(&word[from..at], tokens);
        tokens.push(&word[at..at + mark]);
        at += mark;
        from = at;
    }
    contracted(&word[from..], tokens);
}

/// A piece without punctuation, its ending apart.
fn contracted<'t>(piece: &'t str, tokens: &mut Vec<&'t str>) {
    if piece.is_empty() {
        return;
    }
    let ending = ENDINGS.iter().find(|ending| piece.len() > ending.len() && piece.ends_with(*ending));
    let pair = PAIRS.iter().find(|(whole, _)| *whole == piece).map(|(_, at)| *at);
    match pair.or(ending.map(|ending| piece.len() - ending.len())) {
        Some(at) => tokens.extend([&piece[..at], &piece[at..]]),
        None => tokens.push(piece),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(tokens(text).join(" "), expected, "{text}");
    }

    #[test]
    fn tokens_are_those_of_the_penn_treebank() {
        check("it's a dog, isn't it?", "it 's a dog , is n't it ?");
        check("at 10:30, pay $1,000.50.", "at 10:30 , pay $ 1,000.50 .");
        check("mr. smith cannot go (today)...", "mr. smith can not go ( today ) ...");
        check("say \"yes\" -- or no!", "say \" yes \" -- or no !");
        check("the end.)", "the end . )");
        check("the dogs' bones we'll they've", "the dogs ' bones we 'll they 've");
    }

    proptest! {
        #[test]
        fn no_character_is_lost(text in "[a-c'.,:()é\u{3000} -]{0,30}") {
            let kept: String = text.split_whitespace().collect();
            prop_assert_eq!(tokens(&text).concat(), kept);
        }
    }
}
