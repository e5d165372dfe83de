//! Our own way to write an evaluator: one key per list item, its value bare or in a mapping with options.

use super::{OPTIONS, Written, graded, is_form, with_options};
use crate::domain::evaluator::spec::{CheckSpec, EvaluatorSpec};
use crate::domain::node::{Kind, Node};
use crate::domain::reader::{Fields, Reader, Unknown, suggestion};

/// Kinds in the order of the documentation, GitHub's last.
pub(super) const KINDS: [&str; 15] = [
    "equals",
    "contains",
    "not_contains",
    "icontains",
    "starts_with",
    "ends_with",
    "regex",
    "is_json",
    "json_schema",
    "word_count",
    "levenshtein",
    "judge",
    "string",
    "llm",
    "uses",
];

/// Reads one item.
pub(super) fn read(reader: &mut Reader<'_>, item: &Node) -> Option<Written> {
    let absent = Node { kind: Kind::Null, at: item.at };
    let (kind, kind_at, value) = match &item.kind {
        Kind::Text(kind) => (&**kind, item.at, None),
        Kind::Map(entries) => match entries.as_slice() {
            [(kind, value)] => (&*kind.name, kind.at, Some(value)),
            _ => {
                let message = format!("an evaluator must have one key, found {}", entries.len());
                let help = "write one evaluator per list item, options inside: `contains: { value: …, weight: 2 }`";
                reader.error("invalid-evaluator", item.at, message, help);
                return None;
            }
        },
        _ => {
            let message =
                format!("an evaluator must be a mapping such as `contains: text`, found {}", item.kind_name());
            reader.error("invalid-evaluator", item.at, message, "write `kind: value`");
            return None;
        }
    };
    let needs_value = !matches!(kind, "is_json" | "equals" | "levenshtein");
    if KINDS.contains(&kind) && value.is_none() && needs_value {
        reader.error("invalid-evaluator", kind_at, format!("`{kind}` needs a value"), format!("write `{kind}: value`"));
        return None;
    }
    let at = value.map_or(kind_at, |value| value.at);
    let value = value.unwrap_or(&absent);
    let bare = matches!(item.kind, Kind::Text(_));
    let spec = match kind {
        "equals" if bare => with_options(reader, None, CheckSpec::Equals(None)),
        "levenshtein" if bare => with_options(reader, None, CheckSpec::Levenshtein { to: None, max: 5 }),
        "equals" => equals(reader, value),
        "is_json" => is_json(reader, value),
        "json_schema" => json_schema(reader, value),
        "word_count" => word_count(reader, value),
        "levenshtein" => levenshtein(reader, value),
        kind if graded::KINDS.contains(&kind) => graded::ours(reader, kind, value),
        kind if KINDS.contains(&kind) => text_check(reader, kind, value),
        unknown => {
            let message = format!("unknown evaluator `{unknown}`");
            let known: Vec<&str> = KINDS.iter().chain(&graded::KINDS).copied().collect();
            reader.error("unknown-evaluator", kind_at, message, suggestion(unknown, &known));
            None
        }
    }?;
    Some(Written { spec, at })
}

/// The value and the options of the mapping form; of the bare form the value alone.
fn form<'n>(reader: &mut Reader<'_>, kind: &str, value: &'n Node) -> Option<(&'n Node, Option<Fields<'n>>)> {
    if !matches!(value.kind, Kind::Map(_)) {
        return Some((value, None));
    }
    let fields =
        reader.fields(value, kind, &["value", OPTIONS[0], OPTIONS[1], OPTIONS[2], OPTIONS[3]], Unknown::Refused)?;
    let Some(inner) = fields.get("value") else {
        reader.error("invalid-evaluator", value.at, format!("`{kind}` has no `value`"), "add a `value` key");
        return None;
    };
    Some((inner, Some(fields)))
}

fn text_check(reader: &mut Reader<'_>, kind: &str, value: &Node) -> Option<EvaluatorSpec> {
    let (value, options) = form(reader, kind, value)?;
    let text = reader.text(value, kind)?;
    if text.is_empty() {
        reader.error(
            "invalid-evaluator",
            value.at,
            format!("`{kind}` is empty, so every answer has it"),
            "give it a text",
        );
        return None;
    }
    let check = match kind {
        "contains" => CheckSpec::Contains(text),
        "not_contains" => CheckSpec::NotContains(text),
        "icontains" => CheckSpec::Icontains(text),
        "starts_with" => CheckSpec::StartsWith(text),
        "ends_with" => CheckSpec::EndsWith(text),
        _ => CheckSpec::Regex(text),
    };
    with_options(reader, options, check)
}

/// A mapping is compared as JSON unless it has a `value` and nothing but options beside it.
fn equals(reader: &mut Reader<'_>, value: &Node) -> Option<EvaluatorSpec> {
    let (value, options) = if is_form(value, &["value"]) { form(reader, "equals", value)? } else { (value, None) };
    let expected = match value.kind {
        Kind::List(_) | Kind::Map(_) => value.to_value(),
        _ => reader.text(value, "equals")?.into(),
    };
    with_options(reader, options, CheckSpec::Equals(Some(expected)))
}

fn is_json(reader: &mut Reader<'_>, value: &Node) -> Option<EvaluatorSpec> {
    let options = match value.kind {
        Kind::Null | Kind::Flag(true) => None,
        _ => Some(reader.fields(value, "is_json", &OPTIONS, Unknown::Refused)?),
    };
    with_options(reader, options, CheckSpec::IsJson)
}

fn json_schema(reader: &mut Reader<'_>, value: &Node) -> Option<EvaluatorSpec> {
    let known = ["schema", "value", OPTIONS[0], OPTIONS[1], OPTIONS[2], OPTIONS[3]];
    let is_options = is_form(value, &["schema", "value"]);
    let fields = if is_options { reader.fields(value, "json_schema", &known, Unknown::Refused) } else { None };
    let schema = fields.and_then(|fields| fields.get("schema").or(fields.get("value"))).unwrap_or(value);
    let schema = match &schema.kind {
        Kind::Map(_) | Kind::Flag(_) => schema.to_value(),
        _ => {
            let message = format!("`json_schema` must be a mapping, found {}", schema.kind_name());
            reader.error("wrong-type", schema.at, message, "write the schema itself here");
            return None;
        }
    };
    with_options(reader, fields, CheckSpec::JsonSchema(schema))
}

fn word_count(reader: &mut Reader<'_>, value: &Node) -> Option<EvaluatorSpec> {
    let known = ["value", "min", "max", OPTIONS[0], OPTIONS[1], OPTIONS[2], OPTIONS[3]];
    let exact = |reader: &mut Reader<'_>, node: &Node| {
        let words = reader.whole(node, "word_count", 0, u64::MAX)?;
        Some(CheckSpec::WordCount { min: Some(words), max: Some(words) })
    };
    if !matches!(value.kind, Kind::Map(_)) {
        let check = exact(reader, value)?;
        return with_options(reader, None, check);
    }
    let fields = reader.fields(value, "word_count", &known, Unknown::Refused)?;
    let check = match fields.get("value") {
        Some(inner) if !matches!(inner.kind, Kind::Map(_)) => exact(reader, inner)?,
        Some(inner) => {
            let bounds = reader.fields(inner, "word_count", &["min", "max"], Unknown::Refused)?;
            bounded(reader, bounds)?
        }
        None => bounded(reader, fields)?,
    };
    with_options(reader, Some(fields), check)
}

fn bounded(reader: &mut Reader<'_>, fields: Fields<'_>) -> Option<CheckSpec> {
    let mut bound = |name| match fields.get(name) {
        Some(node) => reader.whole(node, name, 0, u64::MAX).map(Some),
        None => Some(None),
    };
    let (min, max) = (bound("min")?, bound("max")?);
    let problem = match (min, max) {
        (None, None) => "has neither `min` nor `max`",
        (Some(min), Some(max)) if min > max => "has a `min` above its `max`",
        _ => return Some(CheckSpec::WordCount { min, max }),
    };
    reader.error(
        "invalid-evaluator",
        fields.at,
        format!("`word_count` {problem}"),
        "write a number, or `{ min: 5, max: 20 }`",
    );
    None
}

/// A number is the largest distance to the case's `expected`.
fn levenshtein(reader: &mut Reader<'_>, value: &Node) -> Option<EvaluatorSpec> {
    if matches!(value.kind, Kind::Number(_)) {
        let max = reader.whole(value, "levenshtein", 0, u64::MAX)?;
        return with_options(reader, None, CheckSpec::Levenshtein { to: None, max });
    }
    let known = ["value", "max", OPTIONS[0], OPTIONS[1], OPTIONS[2], OPTIONS[3]];
    let fields = reader.fields(value, "levenshtein", &known, Unknown::Refused)?;
    let to = match fields.get("value") {
        Some(node) => Some(reader.text(node, "value")?),
        None => None,
    };
    let max = match fields.get("max") {
        Some(node) => reader.whole(node, "max", 0, u64::MAX)?,
        None => 5,
    };
    with_options(reader, Some(fields), CheckSpec::Levenshtein { to, max })
}
