//! Blanks around tags: `~` takes them, and a block, comment or partial with a line of its own takes the line. Knows no
//! nesting: two tags on a line are enough to see that neither stands alone.

use super::lexer::{TagKind, Token};

/// What is taken from one end of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Take {
    Nothing,
    /// Up to the line's end or start.
    Line,
    /// All blanks.
    All,
}

/// The tokens with their texts cut, empty ones left out, and partials told their indentation.
pub(super) fn control(mut tokens: Vec<Token>) -> Vec<Token> {
    let mut takes = vec![(Take::Nothing, Take::Nothing); tokens.len()];
    for index in 0..tokens.len() {
        let Some(Token::Tag(tag)) = tokens.get(index) else { continue };
        let (strip, kind) = (tag.strip, tag.kind);
        let alone = kind != TagKind::Value && starts_line(&tokens, index) && ends_line(&tokens, index);
        let side = |strip: bool| match (strip, alone) {
            (true, _) => Take::All,
            (false, true) => Take::Line,
            (false, false) => Take::Nothing,
        };
        if kind == TagKind::Partial && alone && !strip.0 {
            let indent = index.checked_sub(1).map_or_else(String::new, |before| indent(&tokens[before]));
            if let Some(Token::Tag(tag)) = tokens.get_mut(index) {
                tag.indent = indent;
            }
        }
        if let Some((_, right)) = index.checked_sub(1).and_then(|before| takes.get_mut(before)) {
            *right = (*right).max(side(strip.0));
        }
        if let Some((left, _)) = takes.get_mut(index + 1) {
            *left = (*left).max(side(strip.1));
        }
    }
    let cut = tokens.into_iter().zip(takes).filter_map(|(token, take)| match token {
        Token::Text(text) => Some(Token::Text(cut(&text, take))).filter(|token| *token != Token::Text(String::new())),
        tag => Some(tag),
    });
    cut.collect()
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// Whether only blanks stand before the token on its line.
fn starts_line(tokens: &[Token], index: usize) -> bool {
    match index.checked_sub(1).and_then(|before| tokens.get(before)) {
        None => true,
        Some(Token::Text(text)) => match text.rsplit_once('\n') {
            Some((_, line)) => is_blank(line),
            None => index == 1 && is_blank(text),
        },
        Some(Token::Tag(_)) => false,
    }
}

/// Whether only blanks stand after the token on its line.
fn ends_line(tokens: &[Token], index: usize) -> bool {
    match tokens.get(index + 1) {
        None => true,
        Some(Token::Text(text)) => match text.split_once('\n') {
            Some((line, _)) => is_blank(line),
            None => index + 2 == tokens.len() && is_blank(text),
        },
        Some(Token::Tag(_)) => false,
    }
}

fn indent(before: &Token) -> String {
    let Token::Text(text) = before else { return String::new() };
    text[text.trim_end_matches([' ', '\t']).len()..].to_owned()
}

fn cut(text: &str, (left, right): (Take, Take)) -> String {
    let text = match left {
        Take::Nothing => text,
        Take::Line => {
            let rest = text.trim_start_matches([' ', '\t']);
            rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')).unwrap_or(rest)
        }
        Take::All => text.trim_start(),
    };
    let text = match right {
        Take::Nothing => text,
        Take::Line => text.trim_end_matches([' ', '\t']),
        Take::All => text.trim_end(),
    };
    text.to_owned()
}
