//! Reads nodes as the texts, numbers and mappings a format wants, and collects what is wrong. Knows no format's keys.

use serde_json::Number;

use super::diagnostic::{Diagnostic, Location, Parsed, Severity};
use super::node::{Key, Kind, Node};
use super::source::Source;

/// Most findings kept per file: a broken file of 100,000 cases need not say so 100,000 times.
const MAX_FINDINGS: usize = 50;

/// What an unknown key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The file cannot be used.
    Refused,
    /// Kept by the file's other readers; worth a look.
    Warned,
}

/// A source and what was found in it so far.
#[derive(Debug)]
pub struct Reader<'s> {
    /// The file.
    pub source: Source<'s>,
    findings: Vec<Diagnostic>,
    errors: usize,
}

impl<'s> Reader<'s> {
    /// A reader that found nothing yet.
    #[must_use]
    pub fn new(source: Source<'s>) -> Self {
        Self { source, findings: Vec::new(), errors: 0 }
    }

    /// How many errors there are so far.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Records an error: a fragment that names the thing, and what to do.
    pub fn error(&mut self, code: &str, at: Location, message: impl Into<String>, help: impl Into<String>) {
        self.errors += 1;
        if self.errors <= MAX_FINDINGS {
            self.findings.push(self.source.error(code, at, message).with_help(help));
        }
    }

    /// Records what was found elsewhere.
    pub fn push(&mut self, finding: Diagnostic) {
        self.errors += usize::from(finding.severity == Severity::Error);
        self.findings.push(finding);
    }

    /// Records a warning.
    pub fn warning(&mut self, code: &str, at: Location, message: impl Into<String>, help: impl Into<String>) {
        if self.findings.len() < 2 * MAX_FINDINGS {
            self.findings.push(self.source.error(code, at, message).with_help(help).into_warning());
        }
    }

    /// The value with its warnings, if nothing was wrong.
    ///
    /// # Errors
    /// All errors (and warnings) in the order of their lines.
    pub fn finish<T>(self, value: Option<T>) -> Result<Parsed<T>, Vec<Diagnostic>> {
        let Self { source, mut findings, errors } = self;
        if errors > MAX_FINDINGS {
            let message = format!("{} more errors are not shown", errors - MAX_FINDINGS);
            findings
                .push(Diagnostic::error("more-errors", source.path, message).with_help("correct the ones above first"));
        }
        findings.sort_by_key(|found| found.location.map_or((u32::MAX, 0), |at| (at.line, at.column)));
        match value {
            Some(value) if findings.iter().all(|found| found.severity == Severity::Warning) => {
                Ok(Parsed { value, warnings: findings })
            }
            _ => Err(findings),
        }
    }

    fn wrong_kind(&mut self, node: &Node, what: &str, wanted: &str) {
        let help = match node.kind {
            Kind::Null => "give it a value or remove the key".to_owned(),
            _ => format!("write {wanted} here"),
        };
        // Some things are named in words, which have their quotes already.
        let what = if what.contains([' ', '`']) { what.to_owned() } else { format!("`{what}`") };
        let message = match node.kind {
            Kind::Null => format!("{what} has no value; it must be {wanted}"),
            _ => format!("{what} must be {wanted}, found {}", node.kind_name()),
        };
        self.error("wrong-type", node.at, message, help);
    }

    /// A text; numbers, true and false count as the text they are written as.
    pub fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.kind {
            Kind::Text(text) => Some(text.to_string()),
            Kind::Number(number) => Some(self.spelling(node, number)),
            Kind::Flag(flag) => Some(flag.to_string()),
            Kind::Null | Kind::List(_) | Kind::Map(_) => {
                self.wrong_kind(node, what, "a text");
                None
            }
        }
    }

    /// A number as it is written in the file, so that `1.50` stays `1.50`.
    fn spelling(&self, node: &Node, number: &Number) -> String {
        let line = if number.is_f64() { self.source.line(node.at.line) } else { None };
        let written = line
            .map(|line| {
                let rest = line.chars().skip((node.at.column as usize).saturating_sub(1));
                rest.take_while(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E')).collect::<String>()
            })
            .filter(|written| written.parse().ok() == number.as_f64());
        written.unwrap_or_else(|| number.to_string())
    }

    /// A text that is not blank.
    pub fn words(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = self.text(node, what)?;
        if text.trim().is_empty() {
            self.error("empty-text", node.at, format!("`{what}` is empty"), "give it a text or remove the key");
            return None;
        }
        Some(text)
    }

    /// A finite number within bounds (both included).
    pub fn number(&mut self, node: &Node, what: &str, min: f64, max: f64) -> Option<f64> {
        let Kind::Number(number) = &node.kind else {
            self.wrong_kind(node, what, "a number");
            return None;
        };
        let value = number.as_f64().filter(|value| (min..=max).contains(value));
        if value.is_none() {
            let bounds = if max.is_finite() { format!("from {min} to {max}") } else { format!("at least {min}") };
            let message = format!("`{what}` is {number}, but must be {bounds}");
            self.error("out-of-range", node.at, message, format!("write a number {bounds}"));
        }
        value
    }

    /// A whole number within bounds (both included).
    pub fn whole(&mut self, node: &Node, what: &str, min: u64, max: u64) -> Option<u64> {
        let value = match &node.kind {
            Kind::Number(number) => number.as_u64().filter(|value| (min..=max).contains(value)),
            _ => None,
        };
        if value.is_none() {
            let bounds =
                if max < u64::from(u32::MAX) { format!("from {min} to {max}") } else { format!("of at least {min}") };
            let found = match &node.kind {
                Kind::Number(number) => number.to_string(),
                _ => node.kind_name().to_owned(),
            };
            let message = format!("`{what}` must be a whole number {bounds}, found {found}");
            self.error("out-of-range", node.at, message, format!("write a whole number {bounds}"));
        }
        value
    }

    /// True or false.
    pub fn flag(&mut self, node: &Node, what: &str) -> Option<bool> {
        let Kind::Flag(flag) = node.kind else {
            self.wrong_kind(node, what, "true or false");
            return None;
        };
        Some(flag)
    }

    /// A list.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        let Kind::List(items) = &node.kind else {
            self.wrong_kind(node, what, "a list");
            return None;
        };
        Some(items)
    }

    /// A list of texts that are not blank.
    pub fn texts(&mut self, node: &Node, what: &str) -> Option<Vec<String>> {
        let items = self.list(node, what)?;
        items.iter().map(|item| self.words(item, what)).collect()
    }

    /// A mapping whose keys are free.
    pub fn map<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [(Key, Node)]> {
        let Kind::Map(entries) = &node.kind else {
            self.wrong_kind(node, what, "a mapping");
            return None;
        };
        Some(entries)
    }

    /// A mapping with known keys; others are reported with the nearest known one.
    pub fn fields<'n>(&mut self, node: &'n Node, what: &str, known: &[&str], unknown: Unknown) -> Option<Fields<'n>> {
        let entries = self.map(node, what)?;
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&&*key.name)) {
            let message = format!("unknown key `{}` in {what}", key.name);
            let help = suggestion(&key.name, known);
            match unknown {
                Unknown::Refused => self.error("unknown-key", key.at, message, help),
                Unknown::Warned => self.warning("unknown-key", key.at, message, help),
            }
        }
        Some(Fields { entries, at: node.at })
    }
}

/// A mapping's values by key.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'n> {
    entries: &'n [(Key, Node)],
    /// Where the mapping starts.
    pub at: Location,
}

impl<'n> Fields<'n> {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(key, _)| &*key.name == name).map(|(_, node)| node)
    }

    /// Reads the value of a key, if it is there.
    pub fn read<'s, T>(
        &self,
        reader: &mut Reader<'s>,
        name: &str,
        read: impl FnOnce(&mut Reader<'s>, &Node, &str) -> Option<T>,
    ) -> Option<T> {
        self.get(name).and_then(|node| read(reader, node, name))
    }

    /// The place of a key.
    #[must_use]
    pub fn key_at(&self, name: &str) -> Location {
        self.entries.iter().find(|(key, _)| &*key.name == name).map_or(self.at, |(key, _)| key.at)
    }
}

/// The one of the known names that is most like this one, if any is.
#[must_use]
pub fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let alike = known.iter().map(|candidate| (strsim::jaro_winkler(&plain(name), &plain(candidate)), *candidate));
    let (likeness, nearest) = alike.max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(nearest).filter(|_| likeness >= 0.82)
}

/// The nearest of the known names, else all of them.
#[must_use]
pub fn suggestion(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("use one of {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}
