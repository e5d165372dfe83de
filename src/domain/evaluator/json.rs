//! JSON answers: well-formed, equal, or valid after a schema. Knows no case; fetches nothing.

use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ReferencingError, ValidationError, Validator};
use serde::de::IgnoredAny;
use serde_json::{Number, Value};

use super::compile::CompileError;
use super::text::{self, Facts, MissingValue, Text};
use crate::domain::prompt::template::Template;

/// Steps that a pattern inside a schema may take on one string.
const PATTERN_STEPS: usize = 50_000;
/// Largest compiled pattern inside a schema, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// Whether the text is one JSON value. Builds nothing and recurses nowhere, so that size and depth do not matter.
pub(super) fn well_formed(text: &str) -> Result<(), String> {
    serde_json::from_str::<IgnoredAny>(text).map(|_| ()).map_err(|error| not_json(&error))
}

/// Parses an answer.
pub(super) fn parse(text: &str) -> Result<Value, NotJson> {
    serde_json::from_str(text).map_err(|error| {
        // Well-formed or not: the parser stopped before it could tell.
        let too_deep = error.is_syntax() && error.to_string().starts_with("recursion limit exceeded");
        NotJson { reason: not_json(&error), too_deep }
    })
}

/// Why an answer could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotJson {
    /// A line for people.
    pub reason: String,
    /// Whether it may be JSON all the same, nested deeper than the parser goes.
    pub too_deep: bool,
}

fn not_json(error: &serde_json::Error) -> String {
    format!("the answer is not JSON: {error}")
}

/// JSON objects that stand in a text, from left to right; what lies within one of them is not looked at again. An
/// object nested deeper than the parser goes is seen through to those inside it, so each start costs little.
pub(super) fn objects(text: &str) -> impl Iterator<Item = Value> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            at += text.get(at..)?.find('{')?;
            let rest = &text[at..];
            if rest[1..].trim_start().starts_with(['"', '}']) {
                let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
                if let Some(Ok(found)) = stream.next() {
                    at += stream.byte_offset();
                    return Some(found);
                }
            }
            at += 1;
        }
    })
}

/// Deep equality: the order of keys does not matter, and 1 equals 1.0.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => equal_numbers(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

fn equal_numbers(a: &Number, b: &Number) -> bool {
    // Integers are compared as they are: as floats, large neighbours would be one.
    if (a.is_i64() || a.is_u64()) && (b.is_i64() || b.is_u64()) { a == b } else { a.as_f64() == b.as_f64() }
}

/// A JSON value that an answer should equal.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// The same for every case.
    Fixed(Value),
    /// Holds strings with places.
    Filled {
        /// The value with its places.
        value: Value,
        /// The names of the places.
        names: Vec<String>,
    },
}

impl Wanted {
    /// Reads the value and sees whether one of its strings has places.
    pub fn new(value: Value) -> Self {
        let templates: Vec<_> = strings(&value).into_iter().map(Template::parse).collect();
        let names: Vec<_> = templates.iter().flat_map(Template::variables).map(str::to_owned).collect();
        if names.is_empty() { Self::Fixed(value) } else { Self::Filled { value, names } }
    }

    /// The names of the places in its strings.
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Fixed(_) => Vec::new(),
            Self::Filled { names, .. } => names.iter().map(String::as_str).collect(),
        }
    }

    /// Whether an answer equals the value as the case fills it.
    pub fn matches(&self, answer: &Value, facts: Facts<'_>) -> Result<bool, MissingValue> {
        match self {
            Self::Fixed(value) => Ok(equal(value, answer)),
            Self::Filled { value, .. } => Ok(equal(&filled(value, facts)?, answer)),
        }
    }
}

/// All strings of a value, keys left out.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(entries) => entries.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

fn filled(value: &Value, facts: Facts<'_>) -> Result<Value, MissingValue> {
    Ok(match value {
        Value::String(text) => Value::String(Text::parse(text).fill(facts)?.into_owned()),
        Value::Array(items) => Value::Array(items.iter().map(|item| filled(item, facts)).collect::<Result<_, _>>()?),
        Value::Object(entries) => Value::Object(
            entries.iter().map(|(key, item)| Ok((key.clone(), filled(item, facts)?))).collect::<Result<_, _>>()?,
        ),
        other => other.clone(),
    })
}

/// A compiled JSON Schema.
#[derive(Debug, Clone)]
pub(super) struct Schema(Arc<Validator>);

impl Schema {
    /// Compiles a schema: a mapping, `true` or `false`, or a text that holds one. References out of it are refused.
    pub fn compile(schema: &Value) -> Result<Self, CompileError> {
        let parsed = match schema {
            Value::String(text) => Some(serde_json::from_str::<Value>(text).map_err(|error| {
                CompileError::new(format!("the schema is not JSON: {error}")).help("write the schema as a mapping")
            })?),
            _ => None,
        };
        let schema = parsed.as_ref().unwrap_or(schema);
        if !matches!(schema, Value::Object(_) | Value::Bool(_)) {
            return Err(CompileError::new("the schema is neither a mapping nor a boolean")
                .help("write a JSON Schema, for instance {type: object}"));
        }
        let patterns = PatternOptions::fancy_regex().backtrack_limit(PATTERN_STEPS).size_limit(PATTERN_SIZE);
        jsonschema::options()
            .offline()
            .with_pattern_options(patterns)
            .build(schema)
            .map(|validator| Self(Arc::new(validator)))
            .map_err(|error| refused(&error))
    }

    /// The first place of an answer that the schema does not accept, and why.
    pub fn violation(&self, answer: &Value) -> Option<String> {
        let error = self.0.validate(answer).err()?;
        let path = error.instance_path().to_string();
        let place = if path.is_empty() { "the top".to_owned() } else { format!("`{path}`") };
        Some(format!("at {place}: {error}"))
    }
}

/// A schema that cannot be compiled, in words.
fn refused(error: &ValidationError<'_>) -> CompileError {
    if let ValidationErrorKind::Referencing(ReferencingError::Unretrievable { uri, .. }) = error.kind() {
        return CompileError::new(format!("the schema refers to {} outside itself", text::quote(uri)))
            .help("copy what it refers to under `$defs` and refer to it as `#/$defs/…`; nothing is fetched");
    }
    CompileError::new(format!("invalid JSON Schema at `{}`: {error}", error.instance_path())).help("correct the schema")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(schema: &Value, answer: &Value, violation: Option<&str>) {
        let schema = Schema::compile(schema).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(schema.violation(answer).as_deref(), violation);
    }

    #[track_caller]
    fn check_refused(schema: &Value, message: &str) {
        let error = Schema::compile(schema).map(|_| ()).expect_err(message);
        assert!(error.to_string().contains(message), "{error}");
    }

    #[test]
    fn numbers_are_equal_by_value_and_order_of_keys_does_not_matter() {
        assert!(equal(&json!({"a": 1, "b": [2.0]}), &json!({"b": [2], "a": 1.0})));
        assert!(!equal(&json!({"a": 1}), &json!({"a": 1, "b": null})));
        assert!(!equal(&json!("1"), &json!(1)));
        assert!(!equal(&json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992_u64)));
    }

    #[test]
    fn the_first_violated_place_is_named() {
        let schema =
            json!({"type": "object", "properties": {"items": {"items": {"type": "number"}}}, "required": ["items"]});
        check(&schema, &json!({"items": [1, 2]}), None);
        check(&schema, &json!({"items": [1, "x"]}), Some(r#"at `/items/1`: "x" is not of type "number""#));
        check(&schema, &json!({}), Some(r#"at the top: "items" is a required property"#));
        check(&json!(r#"{"type": "null"}"#), &json!(null), None);
    }

    #[test]
    fn references_inside_the_schema_work_and_others_are_refused() {
        let own = json!({"$defs": {"n": {"type": "number"}}, "$ref": "#/$defs/n"});
        check(&own, &json!(1), None);
        check(&json!({"const": {"$ref": "http://example.com/x"}}), &json!({"$ref": "http://example.com/x"}), None);
        check_refused(&json!({"$ref": "https://example.com/schema.json"}), "outside itself");
        check_refused(&json!({"properties": {"a": {"$ref": "file:///etc/passwd"}}}), "outside itself");
        check_refused(&json!({"$ref": "other.json#/a"}), "outside itself");
        check_refused(&json!({"$ref": "#/$defs/gone"}), "invalid JSON Schema");
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        check_refused(&json!({"type": "nonsense"}), "invalid JSON Schema at `/type`");
        check_refused(&json!({"pattern": "("}), "invalid JSON Schema");
        check_refused(&json!([1]), "neither a mapping nor a boolean");
        check_refused(&json!("{"), "not JSON");
    }

    #[test]
    fn a_schema_cannot_keep_us_busy() {
        let bomb = Schema::compile(&json!({"pattern": r"^(a|aa)+\1[bc]"})).unwrap();
        assert!(bomb.violation(&json!("a".repeat(2_000))).is_some());
        // A schema that only refers to itself says nothing, and says it at once.
        if let Ok(schema) = Schema::compile(&json!({"$ref": "#"})) {
            let _ = schema.violation(&json!({}));
        }
    }

    #[test]
    fn objects_are_found_between_other_text() {
        let found = |text: &str| objects(text).map(|value| value.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(found(r#"Sure: {"a": {"b": 1}} and {} [{"c": 2}]"#), r#"{"a":{"b":1}} {} {"c":2}"#);
        assert_eq!(found(r#"{not} {"a": 1,} { "b" : 2 } é{"x"#), r#"{"b":2}"#);
        assert_eq!(found("[1] {{name}}"), "");
        let started = std::time::Instant::now();
        for text in [r#"{"a":"#.repeat(500), "{".repeat(20_000), r#"{"a":[{},"#.repeat(300), r#"{"a":1 "#.repeat(3_000)]
        {
            objects(&text).count();
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "{:?}", started.elapsed());
    }

    #[test]
    fn depth_of_an_answer_is_no_danger() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(well_formed(&deep(100_000)), Ok(()));
        assert!(parse(&deep(100)).is_ok());
        assert!(parse(&deep(100_000)).unwrap_err().too_deep);
        let recursive = Schema::compile(&json!({"type": "array", "items": {"$ref": "#"}})).unwrap();
        assert_eq!(recursive.violation(&parse(&deep(100)).unwrap()), None);
    }
}
