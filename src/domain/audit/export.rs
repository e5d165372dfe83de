//! Entries as lines of a file, and back: each with its place, its digest and the one before, so that the file can be checked by
//! itself. Knows no file.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::AuditEntry;
use super::chain::Link;
use crate::domain::date::rfc3339;
use crate::domain::ids::Digest;
use crate::domain::untrusted::{Secrets, Untrusted};

/// The form of an exported log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON object per line.
    Jsonl,
    /// A table; `entry` is the text that the digest is of.
    Csv,
}

/// Columns of the table. The last four are what is checked; the others are read from `entry`.
const COLUMNS: [&str; 15] = [
    "seq", "at", "kind", "by_id", "by", "repo", "repo_id", "pull", "sha", "delivery", "said", "evidence", "previous",
    "digest", "entry",
];

/// Longest text in a cell for people.
const CELL: usize = 2_000;

#[derive(Serialize)]
struct Written<'a> {
    seq: i64,
    previous: Digest,
    digest: Digest,
    entry: &'a RawValue,
}

#[derive(Deserialize)]
struct Read<'a> {
    seq: i64,
    previous: Digest,
    digest: Digest,
    #[serde(borrow)]
    entry: &'a RawValue,
}

impl Form {
    /// What a file of this form begins with.
    #[must_use]
    pub fn head(self) -> Option<String> {
        (self == Self::Csv).then(|| COLUMNS.join(","))
    }

    /// The form of a file by its first line.
    #[must_use]
    pub fn of(first: &str) -> Option<Self> {
        if first.starts_with('{') {
            return Some(Self::Jsonl);
        }
        (first == COLUMNS.join(",")).then_some(Self::Csv)
    }

    /// An entry as one line, without its end.
    #[must_use]
    pub fn line(self, link: &Link) -> String {
        match self {
            Self::Jsonl => json(link),
            Self::Csv => csv(link),
        }
    }

    /// Reads a line that [`Form::line`] wrote; `None` if it cannot be one.
    #[must_use]
    pub fn read(self, line: &str) -> Option<Link> {
        match self {
            Self::Jsonl => {
                let Read { seq, previous, digest, entry } = serde_json::from_str(line).ok()?;
                let body = match entry.get().strip_prefix('"') {
                    Some(_) => serde_json::from_str(entry.get()).ok()?,
                    None => entry.get().to_owned(),
                };
                Some(Link { seq, before: previous, digest, body })
            }
            Self::Csv => {
                let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
                let cells = reader.records().next()?.ok()?;
                let cell = |name: &str| cells.get(COLUMNS.iter().position(|column| *column == name)?);
                let digest = |name: &str| Digest::parse(cell(name)?).ok();
                let (seq, body) = (cell("seq")?.parse().ok()?, cell("entry")?.to_owned());
                Some(Link { seq, before: digest("previous")?, digest: digest("digest")?, body })
            }
        }
    }
}

/// The entry stands in the line byte for byte, since its digest is of its text.
fn json(link: &Link) -> String {
    let raw = |text: String| RawValue::from_string(text).ok();
    let is_object = link.body.starts_with('{') && !link.body.contains(['\n', '\r']);
    let own = if is_object { raw(link.body.clone()) } else { None };
    // What is no JSON object was not written by us: it is kept as a text, so that it can be checked and looked at.
    let entry = own.or_else(|| raw(serde_json::to_string(&link.body).unwrap_or_default()));
    let written =
        entry.as_deref().map(|entry| Written { seq: link.seq, previous: link.before, digest: link.digest, entry });
    written.and_then(|written| serde_json::to_string(&written).ok()).unwrap_or_default()
}

fn csv(link: &Link) -> String {
    let entry: Option<AuditEntry> = serde_json::from_str(&link.body).ok();
    let of = |show: &dyn Fn(&AuditEntry) -> Option<String>| entry.as_ref().and_then(show).unwrap_or_default();
    let kind = |entry: &AuditEntry| serde_json::to_value(entry.kind).ok()?.as_str().map(str::to_owned);
    let cells = [
        link.seq.to_string(),
        of(&|entry| Some(rfc3339(entry.at_ms))),
        of(&kind),
        of(&|entry| Some(entry.by.as_ref()?.id.to_string())),
        of(&|entry| Some(cell(entry.by.as_ref()?.login.as_str()))),
        of(&|entry| Some(cell(entry.repo.as_str()))),
        of(&|entry| Some(entry.repo_id.to_string())),
        of(&|entry| Some(entry.pull?.to_string())),
        of(&|entry| Some(entry.sha.as_ref()?.to_string())),
        of(&|entry| entry.delivery.as_deref().map(cell)),
        of(&|entry| Some(cell(&entry.said))),
        of(&|entry| Some(cell(&serde_json::to_string(&entry.evidence).ok()?))),
        link.before.to_string(),
        link.digest.to_string(),
        link.body.clone(),
    ];
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    let written = writer.write_record(cells).is_ok();
    let bytes = writer.into_inner().ok().filter(|_| written).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default().trim_end_matches('\n').to_owned()
}

/// A text on one line that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let line = Untrusted::new(text, &Secrets::default()).line(CELL);
    if line.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{line}") } else { line }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::audit::{BEGINNING, link};

    const BODY: &str = r#"{"at_ms":1800000000000,"kind":"override","by":{"id":7,"login":"lee"},"repo":"acme/prompts","repo_id":11,"pull":3,"delivery":"guid","said":"=1+1\nfine","evidence":{"comment":"9"}}"#;

    fn of(body: &str) -> Link {
        Link { seq: 1, before: BEGINNING, digest: link(1, &BEGINNING, body), body: body.to_owned() }
    }

    #[test]
    fn a_line_of_the_table_is_for_people_and_for_the_check() {
        let line = Form::Csv.line(&of(BODY));
        let shown =
            "1,2027-01-15T08:00:00.000Z,override,7,lee,acme/prompts,11,3,,guid,'=1+1 ↵ fine,\"{\"\"comment\"\":";
        assert!(line.starts_with(shown), "{line}");
        assert_eq!(Form::of(&Form::Csv.head().unwrap()), Some(Form::Csv));
    }

    #[test]
    fn a_line_of_json_holds_the_entry_as_it_is_stored() {
        let line = Form::Jsonl.line(&of(BODY));
        assert!(line.contains(&format!("\"entry\":{BODY}}}")), "{line}");
        assert_eq!(Form::of(&line), Some(Form::Jsonl));
        assert_eq!(Form::of("something"), None);
        assert_eq!(Form::Jsonl.read("{}"), None);
        assert_eq!(Form::Csv.read("1,2"), None);
    }

    proptest! {
        #[test]
        fn whatever_stands_in_the_log_comes_back_as_it_was(text in "\\PC{0,40}", object in any::<bool>()) {
            let body = if object { serde_json::json!({ "said": text }).to_string() } else { text };
            for form in [Form::Jsonl, Form::Csv] {
                let line = form.line(&of(&body));
                prop_assert!(!line.contains('\n'), "{line}");
                prop_assert_eq!(form.read(&line), Some(of(&body)));
            }
        }

        #[test]
        fn no_line_panics(line in "\\PC{0,80}") {
            let _ = (Form::Jsonl.read(&line), Form::Csv.read(&line), Form::of(&line));
        }
    }
}
