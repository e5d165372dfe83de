//! promptfoo's assertions in a CSV field, `[not-]type[(threshold)][:value]`, as far as we have the type.

use super::Written;
use crate::domain::diagnostic::Location;
use crate::domain::evaluator::spec::{CheckSpec, EvaluatorSpec};
use crate::domain::node::{Kind, Node};
use crate::domain::reader::{Reader, Unknown, suggestion};

const TYPES: [&str; 12] = [
    "equals",
    "contains",
    "not-contains",
    "icontains",
    "starts-with",
    "ends-with",
    "regex",
    "is-json",
    "word-count",
    "levenshtein",
    "llm-rubric",
    "grade",
];

/// Reads an assertion as a mapping of `type`, `value`, `threshold`, `weight` and `metric`.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Written> {
    let fields =
        reader.fields(node, "an assertion", &["type", "value", "threshold", "weight", "metric"], Unknown::Refused)?;
    let kind = fields.get("type")?;
    let name = reader.words(kind, "type")?;
    let value = fields.get("value");
    let threshold =
        fields.read(reader, "threshold", |reader, node, what| reader.number(node, what, 0.0, f64::INFINITY));
    let at = value.map_or(kind.at, |value| value.at);
    let structured = value.filter(|value| matches!(value.kind, Kind::Map(_) | Kind::List(_))).map(Node::to_value);
    let check = match (name.as_str(), structured) {
        ("equals", Some(value)) => CheckSpec::Equals(Some(value)),
        ("is-json", Some(schema)) => CheckSpec::JsonSchema(schema),
        _ => {
            let text = match value {
                Some(value) => reader.text(value, "value")?,
                None => String::new(),
            };
            typed(reader, &name, &text, threshold, at)?
        }
    };
    let graded = matches!(check, CheckSpec::Judge { .. });
    let mut spec = super::with_options(reader, None, check)?;
    spec.threshold = threshold.filter(|_| graded);
    spec.weight = fields.read(reader, "weight", |reader, node, what| reader.number(node, what, 0.0, f64::INFINITY));
    spec.metric = fields.read(reader, "metric", Reader::words);
    Some(Written { spec, at })
}

/// Reads a field that is not empty. A text that does not look like `type:value` is what the answer must equal.
pub fn read_text(reader: &mut Reader<'_>, field: &str, at: Location) -> Option<Written> {
    let field = field.trim();
    let (head, value) = match field.split_once(':') {
        Some((head, value)) => (head, Some(value.trim())),
        None => (field, None),
    };
    let (name, threshold) = split_threshold(head);
    let is_type = if value.is_some() { looks_like_type(name) } else { name == "is-json" };
    let check = if is_type {
        typed(reader, name, value.unwrap_or_default(), threshold, at)?
    } else {
        CheckSpec::Equals(Some(field.into()))
    };
    let graded = matches!(check, CheckSpec::Judge { .. });
    let threshold = threshold.filter(|_| is_type && graded);
    Some(Written { spec: EvaluatorSpec { threshold, ..EvaluatorSpec::plain(check) }, at })
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
}

fn typed(reader: &mut Reader<'_>, name: &str, value: &str, threshold: Option<f64>, at: Location) -> Option<CheckSpec> {
    let number = |reader: &mut Reader<'_>, value: &str| {
        let number = value.parse::<u64>().ok();
        if number.is_none() {
            reader.error(
                "invalid-evaluator",
                at,
                format!("`{name}` needs a whole number, found `{value}`"),
                "write one",
            );
        }
        number
    };
    let canonical = name.replace('_', "-");
    let text = value.to_owned();
    if text.is_empty() && !matches!(canonical.as_str(), "is-json" | "equals") {
        let message = format!("`{name}` has no value");
        reader.error("invalid-evaluator", at, message, format!("write `{name}:value`"));
        return None;
    }
    match canonical.as_str() {
        "equals" => Some(CheckSpec::Equals(Some(text.into()))),
        "contains" => Some(CheckSpec::Contains(text)),
        "not-contains" => Some(CheckSpec::NotContains(text)),
        "icontains" => Some(CheckSpec::Icontains(text)),
        "starts-with" => Some(CheckSpec::StartsWith(text)),
        "ends-with" => Some(CheckSpec::EndsWith(text)),
        "regex" => Some(CheckSpec::Regex(text)),
        "is-json" if text.is_empty() => Some(CheckSpec::IsJson),
        "is-json" => match serde_json::from_str(value) {
            Ok(schema) => Some(CheckSpec::JsonSchema(schema)),
            Err(error) => {
                let message = format!("`{name}` holds no JSON Schema: {error}");
                reader.error("invalid-evaluator", at, message, "write the schema as JSON after the colon");
                None
            }
        },
        "word-count" => number(reader, value).map(|words| CheckSpec::WordCount { min: Some(words), max: Some(words) }),
        "levenshtein" => {
            let max = threshold.filter(|max| *max >= 0.0).map_or(5, |max| max as u64);
            Some(CheckSpec::Levenshtein { to: Some(text), max })
        }
        "llm-rubric" | "grade" => Some(CheckSpec::Judge { rubric: text, model: None }),
        _ => {
            let nearest = suggestion(name, &TYPES);
            let help = format!("{nearest} For a text the answer must equal write `equals:{name}:{value}`");
            reader.error("unknown-evaluator", at, format!("unknown evaluator `{name}`"), help);
            None
        }
    }
}
