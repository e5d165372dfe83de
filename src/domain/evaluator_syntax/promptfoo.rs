//! promptfoo's assertions, as a mapping `{type, value, threshold, weight, metric}` and as a CSV field
//! `[not-]type[(threshold)][:value]`. Knows no file around them.

use serde_json::{Number, Value};

use super::kinds::{self, Kind, without_not};
use super::refused;
use super::values::{self, Given};
use super::{Written, graded};
use crate::domain::diagnostic::Location;
use crate::domain::evaluator::spec::{CheckSpec, EvaluatorSpec};
use crate::domain::node::{self, Node};
use crate::domain::prompt::template::Template;
use crate::domain::reader::{Fields, Reader, Unknown, suggestion};

/// Keys of an assertion.
const KEYS: [&str; 6] = ["type", "value", "threshold", "weight", "metric", "provider"];

/// Keys of an assertion that change its meaning in a way that is not declared: code, or a prompt of the file's own.
const REFUSED_KEYS: [(&str, &str); 5] = [
    (
        "transform",
        "it runs code on the answer; check the answer as it is, for instance with `contains-json` or `regex`",
    ),
    ("contextTransform", "it runs code on the answer; put the context into a variable"),
    ("rubricPrompt", "a judge is asked in our own words; put what matters into the rubric"),
    ("config", "it is handed to code; remove it"),
    ("files", "files are not sent to a judge; remove it"),
];

/// Types whose default threshold in a CSV field is not that of the mapping form.
const CSV_THRESHOLDS: [(&str, f64); 5] = [
    ("answer-relevance", 0.75),
    ("context-faithfulness", 0.75),
    ("context-recall", 0.75),
    ("context-relevance", 0.75),
    ("similar", 0.8),
];

/// An assertion's type with what it is given.
struct Assertion<'n> {
    name: &'n str,
    at: Location,
    value: Option<&'n Node>,
    threshold: Option<&'n Node>,
}

/// Reads an assertion mapping. `None`: what is wrong is recorded.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Written> {
    if let Some((key, why)) = REFUSED_KEYS.iter().find(|(key, _)| node.get(key).is_some()) {
        let at = node.get(key).map_or(node.at, |value| value.at);
        reader.error("unsupported", at, format!("`{key}` of an assertion is not supported"), *why);
        return None;
    }
    let fields = reader.fields(node, "an assertion", &KEYS, Unknown::Refused)?;
    let Some(kind) = fields.get("type") else {
        reader.error("invalid-evaluator", node.at, "an assertion has no `type`", "add one, for instance `contains`");
        return None;
    };
    let name = reader.words(kind, "type")?;
    if let Some(provider) = fields.get("provider") {
        let help = "the model of `evaluation.judge` in the settings is asked; remove `provider`";
        reader.warning("ignored-key", provider.at, "`provider` of an assertion is not used", help);
    }
    let value = fields.get("value").filter(|value| !matches!(value.kind, node::Kind::Null));
    let threshold = fields.get("threshold").filter(|node| !matches!(node.kind, node::Kind::Null));
    let spec = typed(reader, &Assertion { name: name.trim(), at: kind.at, value, threshold })?;
    Some(Written { spec: options(reader, fields, spec)?, at: value.map_or(kind.at, |value| value.at) })
}

fn options(reader: &mut Reader<'_>, fields: Fields<'_>, spec: EvaluatorSpec) -> Option<EvaluatorSpec> {
    let weight = match fields.get("weight") {
        Some(node) => Some(reader.number(node, "weight", 0.0, f64::INFINITY)?),
        None => None,
    };
    let metric = match fields.get("metric") {
        Some(node) => Some(reader.words(node, "metric")?),
        None => None,
    };
    Some(EvaluatorSpec { weight, metric, ..spec })
}

/// Reads a field that is not empty. A text that does not look like `type:value` is what the answer must equal.
pub fn read_text(reader: &mut Reader<'_>, field: &str, at: Location) -> Option<Written> {
    let field = field.trim();
    let (head, value) = match field.split_once(':') {
        Some((head, value)) => (head, Some(value.trim())),
        None => (field, None),
    };
    let (name, threshold) = split_threshold(head);
    let is_type = match value {
        Some(value) => looks_like_type(name) && (!value.starts_with("//") || name == "file"),
        None => {
            is_known(name)
                && Kind::named(without_not(name).0).is_none_or(|kind| kind.needs_no_value() || kind.has_limit())
        }
    };
    if !is_type {
        let spec = EvaluatorSpec::plain(CheckSpec::Equals(Some(field.into())));
        return Some(Written { spec, at });
    }
    let name = if name == "grade" { "llm-rubric" } else { name };
    let plain = without_not(name).0;
    let default = || CSV_THRESHOLDS.iter().find(|(known, _)| *known == plain).map(|(_, threshold)| *threshold);
    let number = threshold.or_else(default).and_then(Number::from_f64);
    let threshold = number.map(|number| Node { kind: node::Kind::Number(number), at });
    let value = value.filter(|value| !value.is_empty());
    let value = value.map(|value| Node { kind: node::Kind::Text(value.into()), at });
    let spec = typed(reader, &Assertion { name, at, value: value.as_ref(), threshold: threshold.as_ref() })?;
    Some(Written { spec, at })
}

/// `name(0.8)` as name and threshold.
fn split_threshold(head: &str) -> (&str, Option<f64>) {
    let inner = head.strip_suffix(')').and_then(|head| head.split_once('('));
    match inner.and_then(|(name, number)| Some((name, number.parse::<f64>().ok().filter(|n| n.is_finite())?))) {
        Some((name, threshold)) => (name, Some(threshold)),
        None => (head, None),
    }
}

fn looks_like_type(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
        || is_known(name)
}

fn is_known(name: &str) -> bool {
    let plain = without_not(name).0;
    Kind::named(plain).is_some() || graded::is_promptfoo(plain) || refused::reason(plain).is_some()
}

/// The one way from a type's name to a check, for both forms.
fn typed(reader: &mut Reader<'_>, assertion: &Assertion<'_>) -> Option<EvaluatorSpec> {
    let Assertion { name, at, value, threshold } = *assertion;
    let (plain, negated) = without_not(name);
    if let Some(why) = refused::reason(plain) {
        reader.error("unsupported-evaluator", at, format!("`{name}` is not supported: {}", why.0), why.1);
        return None;
    }
    if let Some(node) = value.filter(|node| names_a_file(node)) {
        let message = format!("the value of `{name}` is a file or a package, which is not read");
        reader.error("unsupported", node.at, message, "write what it holds here");
        return None;
    }
    if let Some(node) = value.filter(|node| has_logic(node)) {
        let message = format!("the value of `{name}` holds template code, which is not run");
        reader.error("unsupported", node.at, message, "use nothing but `{{name}}`, or write the value as it is meant");
        return None;
    }
    let kind = Kind::named(plain);
    let is_limit = kind.is_some_and(|kind| kind.has_limit() || kind == Kind::Levenshtein);
    let check = match kind {
        Some(kind) => plain_kind(reader, kind, assertion, threshold.filter(|_| is_limit))?,
        None if value.is_none() && graded::needs_value(plain) => {
            reader.error("invalid-evaluator", at, format!("`{name}` has no value"), "give it a `value`");
            return None;
        }
        None if graded::is_promptfoo(plain) => graded::promptfoo(reader, plain, value)?,
        None => {
            unknown(reader, assertion);
            return None;
        }
    };
    let score = match threshold.filter(|_| !is_limit) {
        Some(node) => Some(reader.number(node, "threshold", 0.0, graded::highest_threshold(&check))?),
        None => None,
    };
    // promptfoo reads no threshold where there is no graded score.
    let threshold = score.filter(|_| kind.is_none() || check.is_graded());
    Some(EvaluatorSpec { threshold, negated, ..EvaluatorSpec::plain(check) })
}

fn plain_kind(
    reader: &mut Reader<'_>,
    kind: Kind,
    assertion: &Assertion<'_>,
    limit: Option<&Node>,
) -> Option<CheckSpec> {
    let Assertion { name, at, value, .. } = *assertion;
    if value.is_none() && !kind.needs_no_value() && !kind.has_limit() {
        reader.error("invalid-evaluator", at, format!("`{name}` has no value"), "give it a `value`");
        return None;
    }
    let own = value.filter(|value| matches!(value.kind, node::Kind::Map(_)));
    let has_keys = !matches!(kind, Kind::Equals | Kind::IsJson | Kind::JsonSchema | Kind::ContainsJson);
    if let Some(own) = own.filter(|_| has_keys) {
        reader.fields(own, name, kind.keys(), Unknown::Refused)?;
    }
    // A schema may well have a property called `schema`: here a mapping is the schema itself.
    let own = own.filter(|_| has_keys);
    // promptfoo ignores a value where it wants none.
    let wants_none = matches!(
        kind,
        Kind::IsHtml | Kind::ContainsHtml | Kind::IsRefusal | Kind::FunctionCall | Kind::ToolCalls | Kind::Cost
    ) || kind == Kind::Latency;
    let value = value.filter(|_| !wants_none);
    values::read(reader, kind, &Given { name, at, value, own, limit })
}

/// Whether a value holds what promptfoo would run as a template and we would take as it stands.
fn has_logic(node: &Node) -> bool {
    let in_text = |text: &str| {
        let is_block = |open: &str, close: &str| text.split_once(open).is_some_and(|(_, rest)| rest.contains(close));
        // What is left of `{{name}}` once it is taken out is no place that we would fill.
        let left = Template::parse(text).render(&|_| Some(&Value::Null)).unwrap_or_default();
        is_block("{%", "%}")
            || is_block("{#", "#}")
            || left.split_once("{{").is_some_and(|(_, rest)| rest.contains("}}"))
    };
    match &node.kind {
        node::Kind::Text(text) => in_text(text),
        node::Kind::List(items) => {
            items.iter().any(|item| matches!(&item.kind, node::Kind::Text(text) if in_text(text)))
        }
        _ => false,
    }
}

/// Whether a value stands for the content of a file, or for what code in one returns.
fn names_a_file(node: &Node) -> bool {
    let is_file = |text: &str| text.starts_with("file://") || text.starts_with("package:");
    match &node.kind {
        node::Kind::Text(text) => is_file(text),
        node::Kind::List(items) => {
            items.iter().any(|item| matches!(&item.kind, node::Kind::Text(text) if is_file(text)))
        }
        _ => false,
    }
}

fn unknown(reader: &mut Reader<'_>, assertion: &Assertion<'_>) {
    let Assertion { name, at, value, .. } = *assertion;
    let dashed: Vec<String> = kinds::NAMES.iter().map(|(name, _)| name.replace('_', "-")).collect();
    let mut known: Vec<&str> = dashed.iter().map(String::as_str).collect();
    known.extend(graded::PROMPTFOO);
    let nearest = suggestion(without_not(name).0, &known);
    let value = value.and_then(|node| if let node::Kind::Text(text) = &node.kind { Some(text) } else { None });
    let help = match value {
        Some(value) if looks_like_type(name) => {
            format!("{nearest} For a text the answer must equal write `equals:{name}:{value}`")
        }
        _ => nearest,
    };
    reader.error("unknown-evaluator", at, format!("unknown evaluator `{name}`"), help);
}
