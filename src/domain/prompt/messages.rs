//! Texts with role markers and logic-less places, split into messages. Knows no front matter.

use super::jinja::Remark;
use super::roles::{self, Marker};
use super::template::Template;
use super::{Body, Message, Role};
use crate::domain::diagnostic::Location;
use crate::domain::reader::Reader;

/// Whose the text before the first marker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preamble {
    /// The system's, always.
    System,
    /// The system's if a marker follows; a text without any marker is the user's.
    UserIfAlone,
}

/// Splits a text that starts on line `first_line` of the reader's file.
pub(super) fn split(reader: &mut Reader<'_>, text: &str, first_line: u32, preamble: Preamble) -> Option<Body> {
    let mut parts: Vec<(Role, u32, String)> = vec![(Role::System, first_line, String::new())];
    for (number, line) in (first_line..).zip(text.split_inclusive('\n')) {
        match roles::marker(line) {
            Some(Marker::Role { role, attributes }) => {
                parts.push((role, number + 1, String::new()));
                if attributes {
                    roles::tell(reader, 1, Remark { line: number, refused: None });
                }
            }
            Some(Marker::Refused(name)) => roles::tell(reader, 1, Remark { line: number, refused: Some(name) }),
            None => {
                let line = line.strip_suffix("\r\n").map_or_else(|| line.to_owned(), |line| format!("{line}\n"));
                if let Some((_, _, text)) = parts.last_mut() {
                    text.push_str(&line);
                }
            }
        }
    }
    if let ([(role, _, _)], Preamble::UserIfAlone) = (parts.as_mut_slice(), preamble) {
        *role = Role::User;
    }
    let messages: Vec<Message> = parts.iter().filter_map(|part| message(reader, part)).collect();
    if messages.is_empty() {
        let at = Location { line: first_line.saturating_sub(1).max(1), column: 1, length: 0 };
        reader.error("empty-body", at, "the prompt has no text", "write it below the front matter");
        return None;
    }
    Some(Body::Messages(messages))
}

/// A message without the blank lines around it; a blank one is none.
fn message(reader: &Reader<'_>, (role, line, text): &(Role, u32, String)) -> Option<Message> {
    let blank = text.chars().take_while(|c| *c == '\n').count();
    let content = text.trim_matches('\n');
    if content.trim().is_empty() {
        return None;
    }
    let at = Location { line: line + u32::try_from(blank).unwrap_or(0), column: 1, length: 0 };
    let content = Template::located(content, reader.source.from_line(at.line), at);
    Some(Message { role: *role, content, location: Some(at) })
}
