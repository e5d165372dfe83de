//! Splits a `.prompt` file: comment lines, front matter between `---` lines, template. Reads neither.

use crate::domain::diagnostic::{Diagnostic, Location};
use crate::domain::source::Source;

/// The parts of a file.
#[derive(Debug, PartialEq)]
pub(super) struct Document<'t> {
    /// The front matter, with an empty line for each line before it: its places are those of the file.
    pub(super) front: Option<String>,
    /// The template.
    pub(super) body: &'t str,
    /// Where the template starts.
    pub(super) at: Location,
}

/// Finds the parts. A file that does not begin with front matter is a template as it stands; the template after front
/// matter has no blanks around it.
pub(super) fn split<'t>(source: &Source<'t>) -> Result<Document<'t>, Box<Diagnostic>> {
    let text = source.text;
    let mut lines = Lines { text, start: 0, number: 0 };
    let opening = loop {
        match lines.next() {
            Some((_, line)) if line.trim().is_empty() || line.starts_with('#') => {}
            Some((_, line)) if line.trim_end() == "---" => break lines.number,
            _ => return Ok(Document { front: None, body: text, at: Location::START }),
        }
    };
    let yaml_start = lines.start;
    while let Some((start, line)) = lines.next() {
        if line.trim_end() == "---" {
            let front = format!("{}{}", "\n".repeat(opening), &text[yaml_start..start]);
            let body = text.get(lines.start..).unwrap_or("");
            let at = after_blanks(body, lines.number + 1);
            return Ok(Document { front: Some(front), body: body.trim(), at });
        }
    }
    let at = Location { line: u32::try_from(opening).unwrap_or(u32::MAX), column: 1, length: 3 };
    let help = "add a line `---` between the keys and the template";
    Err(Box::new(source.error("unclosed-front-matter", at, "the front matter is not closed").with_help(help)))
}

/// Where the first character that is no blank stands, if the text starts on this line.
fn after_blanks(text: &str, line: usize) -> Location {
    let blanks = &text[..text.len() - text.trim_start().len()];
    let last = blanks.rsplit('\n').next().unwrap_or(blanks);
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let line = number(line + blanks.matches('\n').count());
    Location { line, column: number(last.chars().count() + 1), length: 0 }
}

struct Lines<'t> {
    text: &'t str,
    /// Where the next line starts.
    start: usize,
    /// The last line's number.
    number: usize,
}

impl<'t> Lines<'t> {
    /// The next line with its start.
    fn next(&mut self) -> Option<(usize, &'t str)> {
        let rest = self.text.get(self.start..).filter(|rest| !rest.is_empty())?;
        let start = self.start;
        let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
        self.start += end;
        self.number += 1;
        Some((start, rest[..end].trim_end_matches('\n')))
    }
}
