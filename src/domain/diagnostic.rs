//! What is wrong with a file from outside, where, and what to do. Knows no file system: the source text is handed in.

use serde::{Deserialize, Serialize};

use super::ids::PromptPath;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look; changes no verdict.
    Warning,
    /// The file cannot be used as it is.
    Error,
}

/// A place in a file; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// First line.
    pub line: u32,
    /// First column on that line.
    pub column: u32,
    /// How many characters of that line are meant; 0 when unknown.
    pub length: u32,
}

impl Location {
    /// The start of a file, for what concerns all of it.
    pub const START: Self = Self { line: 1, column: 1, length: 0 };
}

/// One finding about one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable kebab-case name of the kind of finding, for instance `duplicate-key`.
    pub code: String,
    /// Error or warning.
    pub severity: Severity,
    /// The file.
    pub path: PromptPath,
    /// The place, where there is one.
    pub location: Option<Location>,
    /// A lower-case fragment that names the thing. Outside text in it is quoted as it was: renderings escape it.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The line of source at `location`, cut to a bearable length.
    pub excerpt: Option<String>,
    /// Whether its line is none that the change brings: then it is told in the text, not on the line.
    #[serde(default)]
    pub is_aside: bool,
}

/// A value read from a file, with what deserves a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed<T> {
    /// The value.
    pub value: T,
    /// Findings that do not make the file unusable.
    pub warnings: Vec<Diagnostic>,
}

/// Most characters of a source line that an excerpt holds.
const EXCERPT_WIDTH: usize = 160;

impl Diagnostic {
    /// An error about a file as a whole.
    #[must_use]
    pub fn error(code: &str, path: &PromptPath, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            severity: Severity::Error,
            path: path.clone(),
            location: None,
            message: message.into(),
            help: None,
            excerpt: None,
            is_aside: false,
        }
    }

    /// The same as a warning.
    #[must_use]
    pub fn into_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Says in front where the file was seen, for instance on base.
    #[must_use]
    pub fn noted(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The same, told in the text and not on its line.
    #[must_use]
    pub fn aside(mut self) -> Self {
        self.is_aside = true;
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Points at a place; `line` is the text of its line, where that is known.
    #[must_use]
    pub fn at(mut self, mut location: Location, line: Option<&str>) -> Self {
        if let Some(line) = line {
            let rest = line.chars().count().saturating_sub(location.column.saturating_sub(1) as usize);
            location.length = location.length.min(u32::try_from(rest).unwrap_or(u32::MAX));
        }
        self.excerpt = line.map(|line| excerpt(line, location.column));
        self.location = Some(location);
        self
    }

    /// The finding for a terminal or a log: `path:line:column: error: message`, the excerpt with a caret, the help.
    #[must_use]
    pub fn render(&self) -> String {
        self.render_of(None)
    }

    /// The same with the rule that it comes from at the end of its line.
    #[must_use]
    pub fn render_of(&self, rule: Option<&str>) -> String {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let mut out = visible(self.path.as_str());
        if let Some(at) = self.location {
            out += &format!(":{}:{}", at.line, at.column);
        }
        let rule = rule.map_or_else(String::new, |rule| format!(" [{rule}]"));
        out += &format!(": {severity}: {}{rule}\n", visible(&self.message));
        if let (Some(at), Some(excerpt)) = (self.location, &self.excerpt) {
            let number = at.line.to_string();
            let gutter = " ".repeat(number.len());
            out += &format!("  {number} | {}\n  {gutter} | {}\n", visible(excerpt).trim_end(), caret(excerpt, at));
        }
        if let Some(help) = &self.help {
            out += &format!("  = help: {}\n", visible(help));
        }
        out
    }
}

/// How many characters at the start of a line an excerpt leaves out, so that `column` is within it.
fn cut_before(column: u32) -> usize {
    if column > 120 { column as usize - 60 } else { 0 }
}

fn excerpt(line: &str, column: u32) -> String {
    let start = cut_before(column);
    let mut chars = line.trim_end_matches('\r').chars().skip(start);
    let mut text = if start > 0 { String::from("…") } else { String::new() };
    text.extend(chars.by_ref().take(EXCERPT_WIDTH));
    if chars.next().is_some() {
        text.push('…');
    }
    text
}

fn caret(excerpt: &str, at: Location) -> String {
    let start = cut_before(at.column);
    let before = (at.column.saturating_sub(1) as usize).saturating_sub(start) + usize::from(start > 0);
    let shown = |text: String| visible(&text).chars().count();
    let indent = shown(excerpt.chars().take(before).collect());
    let width = shown(excerpt.chars().skip(before).take(at.length.max(1) as usize).collect());
    format!("{}{}", " ".repeat(indent), "^".repeat(width.max(1)))
}

/// Control, bidirectional, zero-width and tag characters as escapes, so that a finding shows what is really there.
fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let hidden = c.is_control()
                || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
            let escaped = hidden.then(|| c.escape_default());
            let plain = (!hidden).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, (line, column, length): (u32, u32, u32), expected: &str) {
        let path = PromptPath::parse("prompts/refund.prompt.yml").unwrap();
        let diagnostic = Diagnostic::error("duplicate-key", &path, "duplicate key `name`")
            .with_help("remove one of the two")
            .at(Location { line, column, length }, source.lines().nth(line as usize - 1));
        assert_eq!(diagnostic.render(), expected);
    }

    #[test]
    fn a_finding_shows_its_line_with_a_caret_and_says_what_to_do() {
        check(
            "name: a\r\nmodel: b\r\nname: c\r\n",
            (3, 1, 4),
            "prompts/refund.prompt.yml:3:1: error: duplicate key `name`\n  3 | name: c\n    | ^^^^\n  = help: remove one of the two\n",
        );
    }

    #[test]
    fn hidden_characters_are_shown_and_the_caret_still_fits() {
        check(
            "a: \u{202e}\tx",
            (1, 6, 9),
            "prompts/refund.prompt.yml:1:6: error: duplicate key `name`\n  1 | a: \\u{202e}\\tx\n    |              ^\n  = help: remove one of the two\n",
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let path = PromptPath::parse("a.yml").unwrap();
        let line = format!("{}HERE{}", "a".repeat(500), "b".repeat(500));
        let at = Location { line: 1, column: 501, length: 4 };
        let rendered = Diagnostic::error("x", &path, "m").at(at, Some(&line)).render();
        let lines: Vec<&str> = rendered.lines().collect();
        let column = lines[2].find('^').unwrap();
        let marked: String = lines[1].chars().skip(column).take(4).collect();
        assert_eq!(marked, "HERE");
        assert!(lines[1].chars().count() < 180);
    }

    #[test]
    fn a_place_outside_the_text_gives_no_excerpt() {
        let path = PromptPath::parse("a.yml").unwrap();
        for (line, column) in [(0, 0), (9, 9), (1, u32::MAX)] {
            let diagnostic = Diagnostic::error("x", &path, "m").at(Location { line, column, length: 3 }, Some("abc"));
            assert!(diagnostic.render().starts_with("a.yml:"));
        }
    }
}
