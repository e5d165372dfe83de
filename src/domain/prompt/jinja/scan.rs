//! Where a Jinja text has its tags, expressions, comments and plain text. Knows nothing of what they mean.

use std::ops::Range;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// Text that is printed as it is, outside `{% raw %}`.
    Text,
    /// The text inside `{% raw %}`.
    Raw,
    /// `{{ … }}`.
    Expression,
    /// `{% … %}`.
    Tag,
    /// `{# … #}`.
    Comment,
}

/// A piece and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: PieceKind,
    /// All of it, in bytes.
    pub(super) whole: Range<usize>,
    /// Of a tag or an expression, what stands between the braces, without the signs of whitespace control.
    pub(super) inner: Range<usize>,
}

/// Cuts a text into its pieces, in order and without gaps. What is never closed is text: the engine says so itself.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut in_raw = false;
    while let Some(open) = text[at..].find('{').map(|open| at + open) {
        let piece = if in_raw { end_of_raw(text, open) } else { piece_at(text, open) };
        let Some(piece) = piece else {
            at = open + 1;
            continue;
        };
        push_text(&mut found, start..open, in_raw);
        in_raw = piece.kind == PieceKind::Tag && word(&text[piece.inner.clone()]) == "raw";
        (start, at) = (piece.whole.end, piece.whole.end);
        found.push(piece);
    }
    push_text(&mut found, start..text.len(), in_raw);
    found
}

/// The first word of a tag.
pub(super) fn word(inner: &str) -> &str {
    let inner = inner.trim_start();
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    &inner[..end]
}

fn push_text(found: &mut Vec<Piece>, range: Range<usize>, in_raw: bool) {
    if !range.is_empty() {
        let kind = if in_raw { PieceKind::Raw } else { PieceKind::Text };
        found.push(Piece { kind, whole: range.clone(), inner: range });
    }
}

fn end_of_raw(text: &str, open: usize) -> Option<Piece> {
    piece_at(text, open).filter(|piece| piece.kind == PieceKind::Tag && word(&text[piece.inner.clone()]) == "endraw")
}

fn piece_at(text: &str, open: usize) -> Option<Piece> {
    let (kind, close) = match text.as_bytes().get(open + 1)? {
        b'{' => (PieceKind::Expression, "}}"),
        b'%' => (PieceKind::Tag, "%}"),
        b'#' => (PieceKind::Comment, "#}"),
        _ => return None,
    };
    let from = open + 2;
    let end = match kind {
        PieceKind::Comment => from + text[from..].find(close)?,
        _ => from + closing(&text[from..], close)?,
    };
    let signs = |c: char| matches!(c, '-' | '+');
    let inner = text[from..end].strip_prefix(signs).unwrap_or(&text[from..end]);
    let start = end - inner.len();
    let inner = start..start + inner.strip_suffix(signs).unwrap_or(inner).len();
    Some(Piece { kind, whole: open..end + 2, inner })
}

/// Where a tag closes, past its quoted texts and its braces.
fn closing(text: &str, close: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    let mut quote = None;
    while let Some(&byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, _) if depth == 0 && text.is_char_boundary(at) && text[at..].starts_with(close) => return Some(at),
            (None, b'{') => depth += 1,
            (None, b'}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        at += 1;
    }
    None
}

/// The names in an expression: not its quoted texts, not what follows a dot, a bar or a digit.
pub(super) fn names(inner: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut before = ' ';
    let mut quote = None;
    let mut chars = inner.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if let Some(open) = quote {
            if c == '\\' {
                chars.next();
            } else if c == open {
                quote = None;
            }
            continue;
        }
        if matches!(c, '"' | '\'') {
            quote = Some(c);
        } else if c.is_alphanumeric() || c == '_' {
            let mut end = start + c.len_utf8();
            while let Some((_, next)) = chars.next_if(|(_, next)| next.is_alphanumeric() || *next == '_') {
                end += next.len_utf8();
            }
            if !matches!(before, '.' | '|') && !c.is_numeric() {
                found.push((start, &inner[start..end]));
            }
        }
        if !c.is_whitespace() {
            before = c;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[(PieceKind, &str)]) {
        let found = pieces(text);
        let shown: Vec<_> = found.iter().map(|piece| (piece.kind, &text[piece.inner.clone()])).collect();
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn pieces_are_found_past_quotes_braces_and_raw_text() {
        use PieceKind::{Comment, Expression, Raw, Tag, Text};
        check("a {{ x }} {b}", &[(Text, "a "), (Expression, " x "), (Text, " {b}")]);
        check("{{- '}}' -}}", &[(Expression, " '}}' ")]);
        check("{{ {'a': {}} }}!", &[(Expression, " {'a': {}} "), (Text, "!")]);
        check("{# {{ x }} #}{% if x %}", &[(Comment, " {{ x }} "), (Tag, " if x ")]);
        check("{% raw %}{{ x }}{% endraw %}", &[(Tag, " raw "), (Raw, "{{ x }}"), (Tag, " endraw ")]);
        check("a {{ x", &[(Text, "a {{ x")]);
    }

    #[test]
    fn names_are_neither_texts_nor_attributes_nor_filters() {
        let found: Vec<_> = names("a.b | upper ~ 'c' ~ d[e] if x1").into_iter().map(|(_, name)| name).collect();
        assert_eq!(found, ["a", "d", "e", "if", "x1"]);
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(text in "[{}%#'a \n\\\\é-]*") {
            let mut end = 0;
            for piece in pieces(&text) {
                prop_assert_eq!(piece.whole.start, end);
                prop_assert!(text.get(piece.inner.clone()).is_some());
                names(&text[piece.inner]);
                end = piece.whole.end;
            }
            prop_assert_eq!(end, text.len());
        }
    }
}
