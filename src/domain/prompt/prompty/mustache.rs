//! Mustache texts of Prompty files: variables only. Sections are refused by name. Knows no front matter.

use crate::domain::diagnostic::Location;
use crate::domain::prompt::front_matter::FrontMatter;
use crate::domain::prompt::{Body, messages};
use crate::domain::reader::Reader;

/// Reads the text into messages.
pub(super) fn read(reader: &mut Reader<'_>, cut: &FrontMatter<'_>) -> Option<Body> {
    for (number, line) in (cut.body_line..).zip(cut.body.lines()) {
        for (at, _) in line.match_indices("{{") {
            let Some(what) = refused(&line[at + 2..]) else { continue };
            let column = u32::try_from(line[..at].chars().count()).unwrap_or(u32::MAX) + 1;
            let at = Location { line: number, column, length: 3 };
            let message = format!("{what} of Mustache is not supported");
            reader.error("unsupported-template", at, message, "write it in Jinja: `template: jinja2`");
        }
    }
    // Nothing is escaped here, so the forms that ask for that mean the same.
    let plain = cut.body.replace("{{{", "{{").replace("}}}", "}}").replace("{{&", "{{");
    messages::split(reader, &plain, cut.body_line, messages::Preamble::System)
}

fn refused(tag: &str) -> Option<&'static str> {
    Some(match tag.chars().next()? {
        '#' | '/' => "a section (`{{#…}}`)",
        '^' => "an inverted section (`{{^…}}`)",
        '>' => "a partial (`{{>…}}`)",
        '=' => "a change of delimiters (`{{=…}}`)",
        '!' => "a comment (`{{!…}}`)",
        _ => return None,
    })
}
