//! What the columns of a CSV golden set hold, by their names: ours and promptfoo's. Knows no rows.

use std::collections::HashSet;

use ::csv::StringRecord;

use crate::domain::diagnostic::Location;
use crate::domain::reader::{Reader, suggestion};

/// Whose columns are reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `id`, `expected` and so on beside promptfoo's.
    Ours,
    /// Only those that start with two underscores.
    Promptfoo,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    Variable(String),
    Id,
    Expected,
    MustPass,
    Weight,
    Tags,
    Cluster,
    /// An assertion, with its number: 1 where the name has none.
    Assertion(u32),
    /// The threshold of the assertion with this number.
    AssertionThreshold(u32),
    Prefix,
    Suffix,
    Description,
    Metric,
    Threshold,
    Ignored,
}

/// Columns that are not ours, for suggestions.
const RESERVED: [&str; 10] = [
    "__expected",
    "__expected1",
    "__prefix",
    "__suffix",
    "__description",
    "__metric",
    "__threshold",
    "__metadata:id",
    "__metadata:tags",
    "__config:__expected:threshold",
];

/// The columns of a header. `None` only after an error was recorded.
pub(super) fn columns(reader: &mut Reader<'_>, header: &StringRecord, dialect: Dialect) -> Option<Vec<Column>> {
    let mut seen = HashSet::new();
    let columns: Vec<_> = header
        .iter()
        .map(|name| {
            let name = name.trim();
            if !seen.insert(name) {
                let message = format!("duplicate column `{name}`");
                reader.error("duplicate-key", Location::START, message, "remove one of the two");
                return None;
            }
            column(reader, name, dialect)
        })
        .collect();
    columns.into_iter().collect()
}

fn column(reader: &mut Reader<'_>, name: &str, dialect: Dialect) -> Option<Column> {
    if dialect == Dialect::Ours
        && let Some(own) = own(name)
    {
        return Some(own);
    }
    if let Some(known) = foreign(name) {
        return Some(known);
    }
    let (message, help) = match name {
        "" => ("a column has no name".to_owned(), "name a variable".to_owned()),
        "__providerOutput" => (
            "column `__providerOutput` is not read: every answer is asked for anew".to_owned(),
            "remove it; `--replay FILE` answers from a recording".to_owned(),
        ),
        _ if name.starts_with("__") => {
            (format!("column `{name}` is not understood"), format!("name a variable; {}", suggestion(name, &RESERVED)))
        }
        _ => {
            if RESERVED.iter().any(|reserved| reserved.strip_prefix('_') == Some(name)) {
                let message = format!("column `{name}` is read as a variable");
                reader.warning("single-underscore", Location::START, message, format!("did you mean `_{name}`?"));
            }
            return Some(Column::Variable(name.to_owned()));
        }
    };
    reader.error("unknown-column", Location::START, message, help);
    None
}

fn own(name: &str) -> Option<Column> {
    Some(match name {
        "id" => Column::Id,
        "expected" => Column::Expected,
        "must_pass" => Column::MustPass,
        "weight" => Column::Weight,
        "tags" => Column::Tags,
        "cluster" => Column::Cluster,
        _ => return None,
    })
}

fn foreign(name: &str) -> Option<Column> {
    Some(match name {
        "__prefix" => Column::Prefix,
        "__suffix" => Column::Suffix,
        "__description" => Column::Description,
        "__metric" => Column::Metric,
        "__threshold" => Column::Threshold,
        "__metadata:id" => Column::Id,
        "__metadata:tags" | "__metadata:tags[]" => Column::Tags,
        "__metadata" => Column::Ignored,
        _ if name.starts_with("__metadata:") => Column::Ignored,
        _ => {
            if let Some(rest) = name.strip_prefix("__config:__expected") {
                return Some(Column::AssertionThreshold(number(rest.strip_suffix(":threshold")?)?));
            }
            Column::Assertion(number(name.strip_prefix("__expected")?)?)
        }
    })
}

/// The number of an assertion's column.
fn number(digits: &str) -> Option<u32> {
    if digits.is_empty() {
        return Some(1);
    }
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}
