//! Golden sets in CSV (RFC 4180): columns are variables, but for reserved ones and promptfoo's `__expected…`.

use ::csv::{ErrorKind, ReaderBuilder, StringRecord};
use serde_json::Value;

use super::GoldenSet;
use super::columns::{Column, columns};
use super::raw::{Builder, RawCase};
use super::yaml::parse_must_pass;
use crate::domain::diagnostic::Location;
use crate::domain::evaluator_syntax::promptfoo;
use crate::domain::prompt::{Prompt, affix};
use crate::domain::reader::Reader;

pub(crate) use super::columns::Dialect;

/// A row: a case, and what only promptfoo's columns say.
pub(crate) struct Row {
    pub(crate) case: RawCase,
    pub(crate) prefix: Option<String>,
    pub(crate) suffix: Option<String>,
    pub(crate) description: Option<String>,
}

/// Reads the file. `None` only after an error was recorded.
pub(super) fn read(reader: &mut Reader<'_>, prompt: &Prompt) -> Option<GoldenSet> {
    let mut builder = Builder::new(reader, &prompt.evaluators, Vec::new());
    rows(reader, Dialect::Ours, &mut |reader, row| match row.and_then(|row| with_affixes(reader, row)) {
        Some(raw) => builder.push(reader, raw),
        None => builder.skip(),
    })?;
    builder.finish(reader, Location::START, "add one row per case")
}

/// The row's case, with what is put before and after the prompt filled and among its vars.
fn with_affixes(reader: &mut Reader<'_>, row: Row) -> Option<RawCase> {
    let Row { case: mut raw, prefix, suffix, description: _ } = row;
    for (name, text) in [(affix::PREFIX, prefix), (affix::SUFFIX, suffix)] {
        let Some(text) = text else { continue };
        match affix::fill(&text, &raw.vars) {
            Ok(filled) => raw.vars.insert(name, filled),
            Err(variable) => {
                let message = format!("variable `{variable}` in `{name}` has no value in this row");
                reader.error("undefined-variable", raw.at, message, format!("add a column `{variable}`"));
                return None;
            }
        };
    }
    Some(raw)
}

/// Reads the file row by row; `None` for a row whose error is recorded. `None` at the end if there is no header to read
/// rows by.
pub(crate) fn rows(
    reader: &mut Reader<'_>,
    dialect: Dialect,
    each: &mut dyn FnMut(&mut Reader<'_>, Option<Row>),
) -> Option<()> {
    let text = reader.source.text;
    let mut lines = Lines { text, offset: 0, line: 1 };
    if let Some(line) = unclosed_quote(text) {
        let help = "close it with `\"`, and double quotes within it";
        reader.error("invalid-csv", on_line(line), "a quoted field is never closed", help);
        return None;
    }
    let mut records = ReaderBuilder::new().from_reader(text.as_bytes());
    let header = records.headers().ok().filter(|header| !header.is_empty()).cloned().unwrap_or_default();
    if header.is_empty() {
        let help = "add a header of variable names and one row per case";
        reader.error("no-cases", Location::START, "the golden set is empty", help);
        return None;
    }
    let columns = columns(reader, &header, dialect)?;
    let mut record = StringRecord::new();
    loop {
        match records.read_record(&mut record) {
            Ok(false) => return Some(()),
            Ok(true) => {
                let at = lines.place(record.position());
                let row = row(reader, &columns, &record, at);
                each(reader, row);
            }
            Err(error) => {
                bad_record(reader, &error, lines.place(error.position()));
                each(reader, None);
            }
        }
    }
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

/// Reads one row; an empty field in a reserved column counts as absent.
fn row(reader: &mut Reader<'_>, columns: &[Column], record: &StringRecord, at: Location) -> Option<Row> {
    let mut row = Row { case: RawCase::new(at), prefix: None, suffix: None, description: None };
    let mut vars = Vec::with_capacity(columns.len());
    let mut assertions: Vec<(u32, &str)> = Vec::new();
    let mut thresholds: Vec<(u32, f64)> = Vec::new();
    let mut metric = None;
    for (column, field) in columns.iter().zip(record) {
        match column {
            Column::Variable(name) => vars.push((name.clone(), Value::String(field.to_owned()))),
            _ if field.trim().is_empty() => {}
            Column::Assertion(number) => assertions.push((*number, field)),
            Column::AssertionThreshold(number) => {
                thresholds.push((*number, decimal(reader, "threshold", field, at)?));
            }
            Column::Prefix => row.prefix = Some(field.to_owned()),
            Column::Suffix => row.suffix = Some(field.to_owned()),
            Column::Description => row.description = Some(field.trim().to_owned()),
            Column::Metric => metric = Some(field.trim().to_owned()),
            _ => own(reader, &mut row.case, column, field)?,
        }
    }
    row.case.vars = vars.into_iter().collect();
    for (number, field) in assertions {
        let threshold = thresholds.iter().find(|(of, _)| *of == number).map(|(_, threshold)| *threshold);
        let mut written = match threshold {
            Some(threshold) => promptfoo::read_text(reader, &with_threshold(field, threshold), at)?,
            None => promptfoo::read_text(reader, field, at)?,
        };
        written.spec.metric.clone_from(&metric);
        row.case.evaluators.push(written);
    }
    Some(row)
}

/// Reads a field that says something of the case itself.
fn own(reader: &mut Reader<'_>, case: &mut RawCase, column: &Column, field: &str) -> Option<()> {
    let text = field.trim();
    match column {
        Column::Id => case.id = Some((text.to_owned(), case.at)),
        Column::Expected => case.expected = Some(field.to_owned()),
        Column::MustPass => {
            let Some(must_pass) = parse_must_pass(&text.to_ascii_lowercase()) else {
                let message = format!("`must_pass` is `{field}`");
                reader.error("unknown-value", case.at, message, "write `always`, `reliably`, true or false");
                return None;
            };
            case.must_pass = must_pass;
        }
        Column::Weight => case.weight = decimal(reader, "weight", field, case.at)?,
        Column::Threshold => case.threshold = Some(decimal(reader, "__threshold", field, case.at)?),
        Column::Tags => {
            let tags = field.split([',', ';']).map(str::trim).filter(|tag| !tag.is_empty());
            case.tags = tags.map(str::to_owned).collect();
        }
        Column::Cluster => case.cluster = Some(text.to_owned()),
        _ => {}
    }
    Some(())
}

/// A number of at least 0.
fn decimal(reader: &mut Reader<'_>, what: &str, field: &str, at: Location) -> Option<f64> {
    let number = field.trim().parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    if number.is_none() {
        let message = format!("`{what}` is `{field}`, but must be a number of at least 0");
        reader.error("out-of-range", at, message, "write a number of at least 0");
    }
    number
}

/// `type:value` as `type(threshold):value`; an assertion that gives its own threshold keeps it.
fn with_threshold(field: &str, threshold: f64) -> String {
    let (head, rest) = field.split_at(field.find(':').unwrap_or(field.len()));
    if head.contains('(') { field.to_owned() } else { format!("{}({threshold}){rest}", head.trim_end()) }
}
