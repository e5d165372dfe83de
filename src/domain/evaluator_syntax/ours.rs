//! Our own way to write an evaluator: one key per list item, its value bare or in a mapping with options.

use super::kinds::{self, Kind, without_not};
use super::values::{self, Given};
use super::{OPTIONS, Written, graded, is_form, with_options};
use crate::domain::diagnostic::Location;
use crate::domain::evaluator::spec::EvaluatorSpec;
use crate::domain::node::{self, Node};
use crate::domain::reader::{Fields, Reader, Unknown, suggestion};

/// Keys of which a JSON Schema has at least one.
const SCHEMA_KEYS: [&str; 30] = [
    "$schema",
    "$id",
    "$ref",
    "$defs",
    "definitions",
    "type",
    "properties",
    "required",
    "items",
    "prefixItems",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "enum",
    "const",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "contains",
    "minProperties",
    "maxProperties",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
];

/// Whether a mapping has a key that is one of our kinds.
pub(super) fn has_kind(item: &Node) -> bool {
    let node::Kind::Map(entries) = &item.kind else { return false };
    entries.iter().any(|(key, _)| is_kind(&key.name))
}

fn is_kind(name: &str) -> bool {
    let (plain, _) = without_not(name);
    Kind::named(plain).is_some() || graded::KINDS.contains(&&*plain.replace('-', "_"))
}

/// Reads one item.
pub(super) fn read(reader: &mut Reader<'_>, item: &Node) -> Option<Written> {
    let (name, name_at, value) = match &item.kind {
        node::Kind::Text(name) => (&**name, item.at, None),
        node::Kind::Map(entries) => match entries.as_slice() {
            [(key, value)] => (&*key.name, key.at, Some(value)),
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
    let (plain, negated) = without_not(name);
    let spec = if let Some(kind) = Kind::named(plain) {
        plain_kind(reader, kind, name, name_at, value)?
    } else if let Some(kind) = graded::KINDS.into_iter().find(|kind| *kind == plain.replace('-', "_")) {
        graded_kind(reader, kind, name_at, value)?
    } else {
        let mut known: Vec<&str> = kinds::NAMES.iter().map(|(name, _)| *name).collect();
        known.extend(graded::KINDS);
        known.extend(super::github::KINDS);
        reader.error("unknown-evaluator", name_at, format!("unknown evaluator `{name}`"), suggestion(plain, &known));
        return None;
    };
    Some(Written { spec: EvaluatorSpec { negated, ..spec }, at: value.map_or(name_at, |value| value.at) })
}

fn graded_kind(reader: &mut Reader<'_>, kind: &str, at: Location, value: Option<&Node>) -> Option<EvaluatorSpec> {
    let absent = Node { kind: node::Kind::Null, at };
    graded::ours(reader, kind, value.unwrap_or(&absent))
}

fn plain_kind(
    reader: &mut Reader<'_>,
    kind: Kind,
    name: &str,
    at: Location,
    value: Option<&Node>,
) -> Option<EvaluatorSpec> {
    if value.is_none() && !kind.needs_no_value() && !kind.falls_back_on_expected() {
        reader.error("invalid-evaluator", at, format!("`{name}` needs a value"), format!("write `{name}: value`"));
        return None;
    }
    let (inner, fields) = form(reader, kind, name, value)?;
    // A key without anything behind it is a slip where a value could stand.
    if let Some(node) = inner.filter(|node| matches!(node.kind, node::Kind::Null) && !kind.needs_no_value()) {
        reader.text(node, name)?;
    }
    let own = inner.filter(|node| matches!(node.kind, node::Kind::Map(_))).or(value.filter(|_| fields.is_some()));
    let limit = fields.filter(|_| kind.has_limit()).and_then(|fields| fields.get("threshold"));
    let check = values::read(reader, kind, &Given { name, at, value: inner, own, limit })?;
    with_options(reader, fields, check)
}

type Form<'n> = (Option<&'n Node>, Option<Fields<'n>>);

/// The value, and the options where it stands in a mapping with some.
fn form<'n>(reader: &mut Reader<'_>, kind: Kind, name: &str, value: Option<&'n Node>) -> Option<Form<'n>> {
    let Some(value) = value else { return Some((None, None)) };
    let node::Kind::Map(entries) = &value.kind else { return Some((Some(value), None)) };
    // A mapping is the value itself unless it has a `value` and nothing but options beside it.
    if kind == Kind::Equals && !is_form(value, &["value"]) {
        return Some((Some(value), None));
    }
    let is_schema = matches!(kind, Kind::IsJson | Kind::JsonSchema | Kind::ContainsJson)
        && !is_form(value, &["value", "schema"])
        && (kind == Kind::JsonSchema || entries.iter().any(|(key, _)| SCHEMA_KEYS.contains(&&*key.name)));
    if is_schema {
        return Some((Some(value), None));
    }
    let mut known = vec!["value"];
    known.extend(kind.keys());
    known.extend(OPTIONS);
    let fields = reader.fields(value, name, &known, Unknown::Refused)?;
    let has_own = kind.keys().iter().any(|key| fields.get(key).is_some());
    let inner = fields.get("value");
    if inner.is_none() && !has_own && !kind.needs_no_value() && !kind.falls_back_on_expected() && !kind.has_limit() {
        if kind == Kind::WordCount {
            return Some((Some(value), Some(fields)));
        }
        reader.error("invalid-evaluator", value.at, format!("`{name}` has no `value`"), "add a `value` key");
        return None;
    }
    if let Some(inner) = inner.filter(|node| matches!(node.kind, node::Kind::Map(_)) && has_keys(kind)) {
        reader.fields(inner, name, kind.keys(), Unknown::Refused)?;
    }
    let whole = Some(value).filter(|_| has_own && kind == Kind::WordCount);
    Some((inner.or(whole), Some(fields)))
}

/// Whether a mapping as its value has keys of its own, which a schema or JSON to equal has not.
fn has_keys(kind: Kind) -> bool {
    !matches!(kind, Kind::Equals | Kind::IsJson | Kind::JsonSchema | Kind::ContainsJson)
}
