//! Golden sets in CSV (RFC 4180): columns are variables, but for reserved ones and promptfoo's `__expected…`.

use std::collections::HashSet;

use ::csv::{ErrorKind, ReaderBuilder, StringRecord};
use serde_json::Value;

use super::GoldenSet;
use super::raw::{Builder, RawCase};
use super::yaml::parse_must_pass;
use crate::domain::diagnostic::Location;
use crate::domain::evaluator_syntax::promptfoo;
use crate::domain::prompt::Prompt;
use crate::domain::reader::{Reader, suggestion};

/// What a column holds.
enum Column {
    Variable(String),
    Id,
    Expected,
    MustPass,
    Weight,
    Tags,
    Cluster,
    Assertion,
    Ignored,
}

/// Reads the file. `None` only after an error was recorded.
pub(super) fn read(reader: &mut Reader<'_>, prompt: &Prompt) -> Option<GoldenSet> {
    let first = Location::START;
    let mut lines = Lines { text: reader.source.text, offset: 0, line: 1 };
    if let Some(line) = unclosed_quote(reader.source.text) {
        reader.error(
            "invalid-csv",
            on_line(line),
            "a quoted field is never closed",
            "close it with `\"`, and double quotes within it",
        );
        return None;
    }
    let mut records = ReaderBuilder::new().from_reader(reader.source.text.as_bytes());
    let header = records.headers().ok().filter(|header| !header.is_empty()).cloned().unwrap_or_default();
    if header.is_empty() {
        reader.error(
            "no-cases",
            first,
            "the golden set is empty",
            "add a header of variable names and one row per case",
        );
        return None;
    }
    let columns = columns(reader, &header)?;
    let mut builder = Builder::new(reader, prompt, Vec::new());
    for record in records.records() {
        match record {
            Ok(record) => {
                let at = lines.place(record.position());
                match row(reader, &columns, &record, at) {
                    Some(raw) => builder.push(reader, raw),
                    None => builder.skip(),
                }
            }
            Err(error) => {
                bad_record(reader, &error, lines.place(error.position()));
                builder.skip();
            }
        }
    }
    builder.finish(reader, first, "add one row per case")
}

fn on_line(line: u64) -> Location {
    Location { line: u32::try_from(line).unwrap_or(u32::MAX), column: 1, length: 0 }
}

/// Counts lines forward; the parser's own numbers are off after blank lines and Windows line ends.
struct Lines<'t> {
    text: &'t str,
    offset: usize,
    line: u64,
}

impl Lines<'_> {
    /// Where the record starts that the parser began to look for at this position.
    fn place(&mut self, position: Option<&::csv::Position>) -> Location {
        let bytes = self.text.as_bytes();
        let mut start = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.offset);
        while matches!(bytes.get(start), Some(b'\r' | b'\n')) {
            start += 1;
        }
        let between = bytes.get(self.offset..start).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.offset = self.offset.max(start);
        on_line(self.line)
    }
}

fn bad_record(reader: &mut Reader<'_>, error: &::csv::Error, at: Location) {
    let message = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} fields, the header {expected_len}")
        }
        _ => format!("invalid CSV: {error}"),
    };
    reader.error("invalid-csv", at, message, "give each row one field per column; quote fields that hold commas");
}

/// The line on which a quoted field opens that the file never closes.
fn unclosed_quote(text: &str) -> Option<u64> {
    let (mut line, mut opened, mut at_field_start) = (1, None, true);
    for byte in text.bytes() {
        match (byte, opened) {
            (b'"', None) if at_field_start => opened = Some(line),
            // A doubled quote closes and opens again at once.
            (b'"', Some(_)) => opened = None,
            (b'"', None) => opened = Some(line),
            _ => {}
        }
        line += u64::from(byte == b'\n');
        at_field_start = opened.is_none() && matches!(byte, b',' | b'\n' | b'\r');
    }
    opened
}

fn columns(reader: &mut Reader<'_>, header: &StringRecord) -> Option<Vec<Column>> {
    let mut seen = HashSet::new();
    let columns: Vec<_> = header
        .iter()
        .map(|name| {
            let name = name.trim();
            if !seen.insert(name) {
                reader.error(
                    "duplicate-key",
                    Location::START,
                    format!("duplicate column `{name}`"),
                    "remove one of the two",
                );
                return None;
            }
            column(reader, name)
        })
        .collect();
    columns.into_iter().collect()
}

fn column(reader: &mut Reader<'_>, name: &str) -> Option<Column> {
    let known = match name {
        "id" => Column::Id,
        "expected" => Column::Expected,
        "must_pass" => Column::MustPass,
        "weight" => Column::Weight,
        "tags" => Column::Tags,
        "cluster" => Column::Cluster,
        "__description" => Column::Ignored,
        _ if name.starts_with("__metadata:") => Column::Ignored,
        _ => match name.strip_prefix("__expected") {
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => Column::Assertion,
            _ if name.starts_with("__") || name.is_empty() => {
                let message = format!("column `{name}` is not understood");
                let help =
                    format!("name a variable; {}", suggestion(name, &["__expected", "__expected1", "__description"]));
                reader.error("unknown-column", Location::START, message, help);
                return None;
            }
            _ => Column::Variable(name.to_owned()),
        },
    };
    Some(known)
}

/// Reads one row; an empty field in a reserved column counts as absent.
fn row(reader: &mut Reader<'_>, columns: &[Column], record: &StringRecord, at: Location) -> Option<RawCase> {
    let mut raw = RawCase {
        id: None,
        vars: Default::default(),
        expected: None,
        must_pass: None,
        weight: 1.0,
        tags: Vec::new(),
        cluster: None,
        evaluators: Vec::new(),
        at,
    };
    for (column, field) in columns.iter().zip(record) {
        match column {
            Column::Variable(name) => {
                raw.vars.insert(name.clone(), Value::String(field.to_owned()));
            }
            _ if field.trim().is_empty() => {}
            Column::Id => raw.id = Some((field.trim().to_owned(), at)),
            Column::Expected => raw.expected = Some(field.to_owned()),
            Column::MustPass => {
                let Some(must_pass) = parse_must_pass(&field.trim().to_ascii_lowercase()) else {
                    let message = format!("`must_pass` is `{field}`");
                    reader.error("unknown-value", at, message, "write `always`, `reliably`, true or false");
                    return None;
                };
                raw.must_pass = must_pass;
            }
            Column::Weight => {
                let weight = field.trim().parse().ok().filter(|weight: &f64| weight.is_finite() && *weight >= 0.0);
                let Some(weight) = weight else {
                    let message = format!("`weight` is `{field}`, but must be a number of at least 0");
                    reader.error("out-of-range", at, message, "write a number of at least 0");
                    return None;
                };
                raw.weight = weight;
            }
            Column::Tags => {
                let tags = field.split([',', ';']).map(str::trim).filter(|tag| !tag.is_empty());
                raw.tags = tags.map(str::to_owned).collect();
            }
            Column::Cluster => raw.cluster = Some(field.trim().to_owned()),
            Column::Assertion => raw.evaluators.push(promptfoo::read_text(reader, field, at)?),
            Column::Ignored => {}
        }
    }
    Some(raw)
}
