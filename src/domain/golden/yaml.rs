//! Golden sets in YAML, and the keys of a case that YAML and JSONL share. Knows no file system.

use super::raw::{Builder, RawCase};
use super::{GoldenSet, MustPass};
use crate::domain::diagnostic::Location;
use crate::domain::evaluator_syntax;
use crate::domain::node::{Kind, Node};
use crate::domain::prompt::{Prompt, Vars};
use crate::domain::reader::{Reader, Unknown};
use crate::domain::yaml;

const HELP: &str = "add `cases:` with at least one case";
/// Keys of a case.
pub(in crate::domain) const KEYS: [&str; 9] =
    ["id", "vars", "expected", "must_pass", "weight", "tags", "cluster", "threshold", "evaluators"];

/// Keys of a golden set.
pub(in crate::domain) const TOP: [&str; 2] = ["evaluators", "cases"];

/// Small files are read at once; of larger ones the cases are streamed, so that their nodes are never held together.
const STREAM_FROM_BYTES: usize = 1 << 20;

/// Reads the file. `None` only after an error was recorded.
pub(super) fn read(reader: &mut Reader<'_>, prompt: &Prompt) -> Option<GoldenSet> {
    let streams = reader.source.text.len() >= STREAM_FROM_BYTES;
    // The set's own evaluators may stand after its cases, so a streamed file is read twice.
    let top = if streams { yaml::stream(&reader.source, "cases", &mut drop) } else { yaml::parse(&reader.source) };
    let node = match top {
        Ok(node) => node,
        Err(error) => {
            reader.push(*error);
            return None;
        }
    };
    if matches!(node.kind, Kind::Null) {
        reader.error("no-cases", Location::START, "the golden set is empty", HELP);
        return None;
    }
    let fields = reader.fields(&node, "a golden set", &TOP, Unknown::Refused)?;
    let set = fields.get("evaluators").map(|node| evaluator_syntax::read_list(reader, node, Unknown::Refused));
    let cases = match fields.get("cases") {
        Some(cases) => reader.list(cases, "cases")?,
        None => &[],
    };
    let mut builder = Builder::new(reader, &prompt.evaluators, set.unwrap_or_default());
    if streams {
        let source = reader.source.clone();
        // The first reading had no errors, so this one has none either.
        let _ = yaml::stream(&source, "cases", &mut |item| push(reader, &mut builder, &item));
    } else {
        cases.iter().for_each(|item| push(reader, &mut builder, item));
    }
    builder.finish(reader, fields.key_at("cases"), HELP)
}

fn push(reader: &mut Reader<'_>, builder: &mut Builder<'_>, item: &Node) {
    match read_case(reader, item) {
        Some(raw) => builder.push(reader, raw),
        None => builder.skip(),
    }
}

/// Reads one case. `None` after any error in it, so that no error follows from another.
pub(super) fn read_case(reader: &mut Reader<'_>, node: &Node) -> Option<RawCase> {
    let errors = reader.errors();
    let fields = reader.fields(node, "a case", &KEYS, Unknown::Refused)?;
    let read_id = |reader: &mut Reader<'_>, node: &Node, what: &str| Some((reader.words(node, what)?, node.at));
    let evaluators = fields.get("evaluators").map(|node| evaluator_syntax::read_list(reader, node, Unknown::Refused));
    let raw = RawCase {
        id: fields.read(reader, "id", read_id),
        vars: fields.read(reader, "vars", vars).unwrap_or_default(),
        expected: fields.read(reader, "expected", Reader::text),
        must_pass: fields.read(reader, "must_pass", must_pass).flatten(),
        weight: fields.read(reader, "weight", |r, node, what| r.number(node, what, 0.0, f64::INFINITY)).unwrap_or(1.0),
        tags: fields.read(reader, "tags", Reader::texts).unwrap_or_default(),
        cluster: fields.read(reader, "cluster", Reader::words),
        evaluators: evaluators.unwrap_or_default(),
        threshold: fields.read(reader, "threshold", |reader, node, what| reader.number(node, what, 0.0, 1.0)),
        sets: Vec::new(),
        at: node.at,
    };
    (reader.errors() == errors).then_some(raw)
}

fn vars(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vars> {
    let entries = reader.map(node, what)?;
    Some(entries.iter().map(|(key, value)| (key.name.to_string(), value.to_value())).collect())
}

/// `true` means reliably, `false` that the case is no must-pass case.
#[expect(clippy::option_option, reason = "outer: readable at all; inner: whether it is a must-pass case")]
fn must_pass(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Option<MustPass>> {
    let text = reader.text(node, what)?;
    let read = parse_must_pass(&text);
    if read.is_none() {
        let message = format!("`{what}` is `{text}`");
        reader.error("unknown-value", node.at, message, "write `always`, `reliably`, true or false");
    }
    read
}

/// The words of `must_pass`.
#[expect(clippy::option_option, reason = "outer: readable at all; inner: whether it is a must-pass case")]
pub(super) fn parse_must_pass(text: &str) -> Option<Option<MustPass>> {
    match text {
        "always" => Some(Some(MustPass::Always)),
        "reliably" | "true" => Some(Some(MustPass::Reliably)),
        "false" => Some(None),
        _ => None,
    }
}
