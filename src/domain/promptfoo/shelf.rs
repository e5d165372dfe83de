//! The files that a promptfoo config names: which they are, what is in them, which are still missing. Reads no disk.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::refusal::{self, Refusal};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::ids::PromptPath;
use crate::domain::node::{Key, Kind, Node};
use crate::domain::policy::Change;
use crate::domain::prompt::{Attachments, Reference};
use crate::domain::source::{MAX_GOLDEN_SET_BYTES, Source};
use crate::domain::yaml;

/// Most bytes of file contents that go into values; each use counts.
const MAX_VALUE_BYTES: usize = 64 << 20;

/// A file of the config.
pub(super) type File<'a> = (&'a PromptPath, &'a [u8]);

/// The config's files, and what it asked for so far.
pub(super) struct Shelf<'a> {
    config: &'a PromptPath,
    attached: &'a Attachments,
    missing: BTreeSet<Reference>,
    used: BTreeMap<PromptPath, Change>,
    values: HashMap<PromptPath, Value>,
    value_bytes: usize,
}

impl<'a> Shelf<'a> {
    /// The shelf of a config, for which these files were found.
    pub fn new(config: &'a PromptPath, attached: &'a Attachments) -> Self {
        let (missing, used, values) = Default::default();
        Self { config, attached, missing, used, values, value_bytes: 0 }
    }

    /// What nobody looked for yet.
    pub fn missing(&self) -> Vec<Reference> {
        self.missing.iter().cloned().collect()
    }

    /// Whether something was asked for that nobody looked for: then nothing can be said of the whole.
    pub fn is_incomplete(&self) -> bool {
        !self.missing.is_empty()
    }

    /// The files the config is made of, and what a change of each is.
    pub fn used(&self) -> &BTreeMap<PromptPath, Change> {
        &self.used
    }

    /// The config itself.
    pub fn config(&self) -> &'a PromptPath {
        self.config
    }

    /// The files that `written` names, from the folder of `from`; none where they are still missing.
    ///
    /// # Errors
    /// What is no file we read, or is not there.
    pub fn find(&mut self, from: &PromptPath, written: &str, change: Change) -> Result<Vec<File<'a>>, Refusal> {
        let reference = reference(from, written)?;
        let Some(found) = self.attached.get(&reference) else {
            self.missing.insert(reference);
            return Ok(Vec::new());
        };
        if found.is_empty() {
            let help = "the path is relative to the config's folder; check it";
            return Err(Refusal::new("file-not-found", format!("no file at `{written}`"), help));
        }
        for (path, _) in found {
            // A file that is both is guarded as what the others are judged by.
            let kept = self.used.entry(path.clone()).or_insert(change);
            if change == Change::GoldenSet {
                *kept = change;
            }
        }
        Ok(found.iter().map(|(path, bytes)| (path, &**bytes)).collect())
    }

    /// A file's content as data: YAML and JSON as what they hold, all else as text without its last line break.
    ///
    /// # Errors
    /// What cannot be read, with the finding in the file where there is one.
    pub fn value(&mut self, (path, bytes): File<'a>) -> Result<Value, Trouble> {
        self.value_bytes += bytes.len();
        if self.value_bytes > MAX_VALUE_BYTES {
            let message = format!("files in values add up to more than {} MiB", MAX_VALUE_BYTES >> 20);
            return Err(Refusal::new("too-large", message, "name large files in fewer cases").into());
        }
        if let Some(known) = self.values.get(path) {
            return Ok(known.clone());
        }
        let source = source(path, bytes)?;
        let value = match refusal::ending(path.as_str()) {
            "yaml" | "yml" | "json" => tidy(document(&source)?.to_value()),
            _ => Value::from(source.text.trim_end_matches(['\n', '\r'])),
        };
        self.values.insert(path.clone(), value.clone());
        Ok(value)
    }
}

/// Why something cannot be read: a refusal at the place that asked, or findings in a file of their own.
#[derive(Debug)]
pub(super) enum Trouble {
    /// To be said where the file is named.
    Here(Refusal),
    /// In the named file.
    There(Box<Diagnostic>),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Here(refusal)
    }
}

impl From<Box<Diagnostic>> for Trouble {
    fn from(finding: Box<Diagnostic>) -> Self {
        Self::There(finding)
    }
}

/// A file's text.
pub(super) fn source<'a>(path: &'a PromptPath, bytes: &'a [u8]) -> Result<Source<'a>, Box<Diagnostic>> {
    Source::read(path, bytes, MAX_GOLDEN_SET_BYTES)
}

/// A YAML or JSON file as nodes. JSON is read as the YAML it nearly always is, for its places; else without them.
pub(super) fn document(source: &Source<'_>) -> Result<Node, Box<Diagnostic>> {
    let parsed = yaml::parse(source);
    if parsed.is_err()
        && refusal::ending(source.path.as_str()) == "json"
        && let Ok(value) = serde_json::from_str::<Value>(source.text)
    {
        return Ok(placeless(value));
    }
    parsed
}

pub(super) fn placeless(value: Value) -> Node {
    use crate::domain::diagnostic::Location;
    let kind = match value {
        Value::Null => Kind::Null,
        Value::Bool(flag) => Kind::Flag(flag),
        Value::Number(number) => Kind::Number(number),
        Value::String(text) => Kind::Text(text.into()),
        Value::Array(items) => Kind::List(items.into_iter().map(placeless).collect()),
        Value::Object(entries) => {
            let key = |name: String| Key { name: name.into(), at: Location::START };
            Kind::Map(entries.into_iter().map(|(name, value)| (key(name), placeless(value))).collect())
        }
    };
    Node { kind, at: Location::START }
}

/// A value as JavaScript prints it: whole numbers without a point, nothing as an empty text.
pub(super) fn tidy(value: Value) -> Value {
    match value {
        Value::Null => Value::from(""),
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15);
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            whole.map_or(Value::Number(number), |float| Value::from(float as i64))
        }
        Value::String(mut text) => {
            if text.ends_with('\n') {
                text.pop();
            }
            Value::String(text)
        }
        other => other,
    }
}

/// What a written path means, from the folder of `from`.
fn reference(from: &PromptPath, written: &str) -> Result<Reference, Refusal> {
    let path = written.strip_prefix("file://").unwrap_or(written);
    if let Some(refused) = refusal::of_path(path) {
        return Err(refused);
    }
    let inside = |relative: &str| from.sibling(relative).map_err(|_| refusal::outside(written));
    let Some(special) = path.find(['*', '?', '[', '{']) else {
        return inside(path).map(Reference::File);
    };
    let folder = path[..special].rfind('/').map_or("", |end| &path[..end]);
    let rest = path[folder.len()..].trim_start_matches('/');
    if rest.split('/').any(|part| part == "..") {
        return Err(refusal::outside(written));
    }
    // The folder of the config may have characters that are special in a glob.
    let probe = inside(&if folder.is_empty() { "x".to_owned() } else { format!("{folder}/x") })?;
    let folder = probe.as_str().strip_suffix('x').unwrap_or_default();
    let escaped: String = folder
        .chars()
        .map(|c| if matches!(c, '*' | '?' | '[' | ']' | '{' | '}') { format!("[{c}]") } else { c.to_string() })
        .collect();
    Ok(Reference::Glob(format!("{escaped}{rest}")))
}
