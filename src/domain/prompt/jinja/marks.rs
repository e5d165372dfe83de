//! Boundaries in a Jinja text: role markers and images become marks that no value can forge. Knows no engine.
//!
//! A mark is the variable [`MARK`] and a code. The variable's value is a digest over the text and all values, so
//! whoever writes a value cannot write the mark.

use std::ops::Range;

use super::sandbox::MARK;
use super::scan::{Piece, PieceKind};
use crate::domain::prompt::Role;
use crate::domain::prompt::roles::{self, Marker};

/// A marker in the text that starts no message of a known role, or says more than a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remark {
    /// Its line within the text, from 1.
    pub line: u32,
    /// The name of what is not supported; `None` for attributes, which do no harm.
    pub refused: Option<&'static str>,
}

/// What stands between two marks of a rendered text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Run {
    /// A message of this role starts.
    Start(Role),
    /// Text of the message.
    Text(String),
    /// The address of an image in the message.
    Image(String),
}

/// The text with marks in place of its markers.
pub(super) struct Marked {
    pub(super) text: String,
    pub(super) remarks: Vec<Remark>,
}

/// Puts marks into a text: for role markers, and for images in Markdown's form where they are asked for.
pub(super) fn mark(text: &str, pieces: &[Piece], images: bool) -> Marked {
    let mut marked = Marked { text: String::with_capacity(text.len() + 64), remarks: Vec::new() };
    let mut at = 0;
    for (number, line) in (1u32..).zip(text.split_inclusive('\n')) {
        let end = at + line.len();
        match own_text(text, pieces, at, end).and_then(|own| roles::marker(&own)) {
            Some(Marker::Role { role, attributes }) => {
                mark_line(text, pieces, at..end, role, &mut marked.text);
                if attributes {
                    marked.remarks.push(Remark { line: number, refused: None });
                }
            }
            Some(Marker::Refused(name)) => marked.remarks.push(Remark { line: number, refused: Some(name) }),
            None if images => mark_images(line, at, pieces, &mut marked.text),
            None => marked.text += line,
        }
        at = end;
    }
    marked
}

/// The mark around the address of an image.
pub(super) fn image(mark: &str, url: &str) -> String {
    format!("{mark}i;{url}{mark}j;")
}

fn code(code: char) -> String {
    format!("{{{{ {MARK} }}}}{code};")
}

const ROLES: [(char, Role); 4] = [('s', Role::System), ('u', Role::User), ('a', Role::Assistant), ('t', Role::Tool)];

fn role_code(role: Role) -> char {
    ROLES.iter().find(|(_, other)| *other == role).map_or('u', |(code, _)| *code)
}

/// What a line prints by itself, if it holds only text and tags (which print nothing); tags may frame a marker.
pub(super) fn own_text(text: &str, pieces: &[Piece], start: usize, end: usize) -> Option<String> {
    let mut own = String::new();
    for piece in on_line(pieces, start, end) {
        match piece.kind {
            PieceKind::Text => own.push_str(&text[piece.whole.start.max(start)..piece.whole.end.min(end)]),
            PieceKind::Tag => {}
            PieceKind::Raw | PieceKind::Expression | PieceKind::Comment => return None,
        }
    }
    Some(own)
}

fn on_line(pieces: &[Piece], start: usize, end: usize) -> impl Iterator<Item = &Piece> {
    let first = pieces.partition_point(|piece| piece.whole.end <= start);
    pieces[first..].iter().take_while(move |piece| piece.whole.start < end)
}

/// The line with its marker replaced; its tags and its end stay.
fn mark_line(text: &str, pieces: &[Piece], line: Range<usize>, role: Role, out: &mut String) {
    let mut mark = Some(code(role_code(role)));
    for piece in on_line(pieces, line.start, line.end) {
        let part = &text[piece.whole.start.max(line.start)..piece.whole.end.min(line.end)];
        match (piece.kind, part.trim().is_empty()) {
            (PieceKind::Text, true) => out.push_str(part),
            (PieceKind::Text, false) => {
                out.push_str(&mark.take().unwrap_or_default());
                out.push_str(if part.ends_with('\n') { "\n" } else { "" });
            }
            _ => out.push_str(part),
        }
    }
}

/// Whether a range lies in plain text.
fn is_text(pieces: &[Piece], start: usize, end: usize) -> bool {
    let after = pieces.partition_point(|piece| piece.whole.end <= start);
    pieces.get(after).is_some_and(|piece| piece.kind == PieceKind::Text && end <= piece.whole.end)
}

/// `![alt](address "title")` on one line, the address perhaps from a variable.
fn mark_images(line: &str, offset: usize, pieces: &[Piece], out: &mut String) {
    let mut rest = 0;
    while let Some((open, url)) = image_opening(line, rest) {
        let close = line[url..].match_indices(')').map(|(at, _)| url + at);
        let close = close.clone().find(|close| is_text(pieces, offset + close, offset + close + 1));
        let Some(close) = close.filter(|_| is_text(pieces, offset + open, offset + url)) else {
            out.push_str(&line[rest..url]);
            rest = url;
            continue;
        };
        out.push_str(&line[rest..open]);
        out.push_str(&code('i'));
        out.push_str(&line[url..close]);
        out.push_str(&code('j'));
        rest = close + 1;
    }
    out.push_str(&line[rest..]);
}

/// Where the next `![alt](` starts and ends.
fn image_opening(line: &str, from: usize) -> Option<(usize, usize)> {
    let mut from = from;
    loop {
        let open = from + line[from..].find("![")?;
        let alt = open + 2 + line[open + 2..].find(']')?;
        if line[alt + 1..].starts_with('(') {
            return Some((open, alt + 2));
        }
        from = open + 2;
    }
}

/// Cuts a rendered text at its marks.
pub(super) fn runs(rendered: &str, mark: &str) -> Vec<Run> {
    let mut pieces = rendered.split(mark);
    let mut runs = vec![Run::Text(pieces.next().unwrap_or_default().to_owned())];
    for piece in pieces {
        let code = piece.chars().next().unwrap_or_default();
        let text = piece.split_once(';').map_or("", |(_, text)| text);
        if let Some((_, role)) = ROLES.iter().find(|(known, _)| *known == code) {
            runs.push(Run::Start(*role));
        }
        runs.push(if code == 'i' { Run::Image(address(text)) } else { Run::Text(text.to_owned()) });
    }
    runs
}

/// An address without the title that may follow it.
fn address(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_owned()
}
