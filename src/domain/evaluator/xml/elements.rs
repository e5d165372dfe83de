//! Where elements may stand in a text that is not XML as a whole. Knows not whether they are well-formed.

use super::{continues_name, starts_name};

/// What opens and closes a piece that holds no tags.
const COMMENTS: [(&str, &str); 3] = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];

/// Start and end of the outermost elements that are closed in order. What is open at a tag that closes something else
/// is no element, and neither is what is around it.
pub(super) fn elements(text: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut at = 0;
    // Where each kind of comment ends last: one that opens after it is none, and is not looked for again and again.
    let ends = COMMENTS.map(|(_, closing)| text.rfind(closing).unwrap_or(0));
    while let Some(start) = text[at..].find('<').map(|offset| at + offset) {
        let Some(tag) = Tag::read(text, start, &ends) else {
            at = start + 1;
            continue;
        };
        at = tag.end;
        let closed = match tag.kind {
            TagKind::Other => None,
            TagKind::Empty => Some(start),
            TagKind::Open => {
                open.push((tag.name, start));
                None
            }
            TagKind::Close => match open.pop() {
                Some((name, opened)) if name == tag.name => Some(opened),
                _ => {
                    open.clear();
                    None
                }
            },
        };
        if let Some(opened) = closed {
            while found.last().is_some_and(|(inner, _)| *inner > opened) {
                found.pop();
            }
            found.push((opened, tag.end));
        }
    }
    found
}

enum TagKind {
    Open,
    Close,
    Empty,
    /// A comment, CDATA or an instruction.
    Other,
}

struct Tag<'t> {
    kind: TagKind,
    name: &'t str,
    end: usize,
}

impl<'t> Tag<'t> {
    /// The tag that opens at `start`, if it is one and ends.
    fn read(text: &'t str, start: usize, ends: &[usize; 3]) -> Option<Self> {
        let rest = &text[start..];
        for ((opening, closing), last) in COMMENTS.iter().zip(ends) {
            if let Some(inner) = rest.strip_prefix(opening) {
                if start > *last {
                    return None;
                }
                let end = start + opening.len() + inner.find(*closing)? + closing.len();
                return Some(Self { kind: TagKind::Other, name: "", end });
            }
        }
        let (inner, is_close) = match rest.strip_prefix("</") {
            Some(inner) => (inner, true),
            None => (&rest[1..], false),
        };
        if !inner.starts_with(starts_name) {
            return None;
        }
        let length = inner.find(|c| !continues_name(c)).unwrap_or(inner.len());
        let mut quote = None;
        for (offset, byte) in inner.bytes().enumerate().skip(length) {
            match (quote, byte) {
                (Some(open), _) if open == byte => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'<') => return None,
                (None, b'>') => {
                    let kind = match (is_close, inner[..offset].ends_with('/')) {
                        (true, _) => TagKind::Close,
                        (false, true) => TagKind::Empty,
                        (false, false) => TagKind::Open,
                    };
                    let end = start + (rest.len() - inner.len()) + offset + 1;
                    return Some(Self { kind, name: &inner[..length], end });
                }
                (None, _) => {}
            }
        }
        None
    }
}
