//! Values as Handlebars sees them, which is as JavaScript does: what is text, what counts as empty, what is equal.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Number, Value};

/// The text that stands for a value in a template.
#[must_use]
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number_text(number),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        Value::Object(_) => "[object Object]".to_owned(),
    }
}

/// Whole numbers without a fraction, whatever they were written as; very large and small ones with an exponent.
fn number_text(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else { return number.to_string() };
    if float == 0.0 {
        return "0".to_owned();
    }
    if (1e-6..1e21).contains(&float.abs()) {
        return float.to_string();
    }
    let text = format!("{float:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}

/// Nothing, false, an empty text or list; zero and an empty mapping are something.
pub(super) fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Bool(true) | Value::Number(_) | Value::Object(_)) => false,
    }
}

/// Zero counts as nothing for a condition.
pub(super) fn is_zero(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::Number(number)) if number.as_f64() == Some(0.0))
}

/// `===`: lists and mappings are equal only to themselves.
pub(super) fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(Value::Number(one)), Some(Value::Number(other))) => one == other || one.as_f64() == other.as_f64(),
        (Some(one @ (Value::Array(_) | Value::Object(_))), Some(other)) => std::ptr::eq(one, other),
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// How many bytes and parts a value has, roughly: what copying or printing it costs.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => 8 + text.len(),
        Value::Array(items) => 8 + items.iter().map(weight).sum::<usize>(),
        Value::Object(entries) => 8 + entries.iter().map(|(key, value)| key.len() + weight(value)).sum::<usize>(),
    }
}

/// JSON as `JSON.stringify` writes it.
pub(super) fn json(value: &Value, indent: &str) -> String {
    let plain = plain(value);
    if indent.is_empty() {
        return plain.to_string();
    }
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(indent.as_bytes()));
    // Writing a value into memory cannot fail.
    let _ = plain.serialize(&mut serializer);
    String::from_utf8(out).unwrap_or_default()
}

/// The same with `1.0` as `1`.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let whole = number_text(number).parse::<i64>().ok();
            whole.map_or_else(|| value.clone(), |whole| Value::Number(whole.into()))
        }
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        Value::Object(entries) => {
            Value::Object(entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}
