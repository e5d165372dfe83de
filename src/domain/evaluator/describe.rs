//! What identifies an evaluator: its kind and value as canonical JSON, and a short name for people.

use serde_json::{Value, json};

use super::check::bounds;
use super::spec::{CheckSpec, GithubString};
use super::text::{QUOTE, excerpt, quote};
use crate::domain::ids::Digest;

/// The kind's name in files and its value. Equal descriptions mean equal checks.
fn describe(check: &CheckSpec) -> (&'static str, Value) {
    match check {
        CheckSpec::Equals(value) => ("equals", json!({ "value": value })),
        CheckSpec::Contains(text) => ("contains", json!(text)),
        CheckSpec::NotContains(text) => ("not_contains", json!(text)),
        CheckSpec::Icontains(text) => ("icontains", json!(text)),
        CheckSpec::StartsWith(text) => ("starts_with", json!(text)),
        CheckSpec::EndsWith(text) => ("ends_with", json!(text)),
        CheckSpec::Regex(pattern) => ("regex", json!(pattern)),
        CheckSpec::IsJson => ("is_json", Value::Null),
        CheckSpec::JsonSchema(schema) => ("json_schema", schema.clone()),
        CheckSpec::WordCount { min, max } => ("word_count", json!({"min": min, "max": max})),
        CheckSpec::Levenshtein { to, max } => ("levenshtein", json!({"to": to, "max": max})),
        CheckSpec::Judge { rubric, model } => ("judge", json!({"rubric": rubric, "model": model})),
        CheckSpec::GithubString { operator, value } => {
            ("string", json!({"operator": operator_name(*operator), "value": value}))
        }
        CheckSpec::GithubChoice { model, system_prompt, prompt, choices } => {
            ("llm", json!({"model": model, "system": system_prompt, "prompt": prompt, "choices": choices}))
        }
        CheckSpec::GithubBuiltin(builtin) => ("uses", json!(builtin.name())),
        CheckSpec::Graded(graded) => (graded.kind.name(), graded.value()),
    }
}

/// The hash of kind, value, weight, threshold and metric. The order of keys does not matter.
pub(super) fn definition(check: &CheckSpec, weight: f64, threshold: Option<f64>, metric: Option<&str>) -> Digest {
    let (kind, value) = describe(check);
    let mut whole = json!({"kind": kind, "value": value, "weight": weight, "threshold": threshold, "metric": metric});
    whole.sort_all_objects();
    Digest::of_parts([b"evaluator/v1".as_slice(), whole.to_string().as_bytes()])
}

/// The name of an evaluator that the file gives none.
pub(super) fn default_name(check: &CheckSpec) -> String {
    match check {
        CheckSpec::Equals(None) => "equals expected".to_owned(),
        CheckSpec::Equals(Some(Value::String(text))) => format!("equals {}", quote(text)),
        CheckSpec::Equals(Some(value)) => format!("equals {}", excerpt(&value.to_string(), QUOTE)),
        CheckSpec::WordCount { min, max } => format!("word_count {}", bounds(*min, *max)),
        CheckSpec::Levenshtein { max, .. } => format!("levenshtein at most {max}"),
        CheckSpec::Judge { rubric, .. } => format!("judge {}", quote(rubric)),
        CheckSpec::GithubString { operator, value } => format!("{} {}", operator_name(*operator), quote(value)),
        CheckSpec::GithubChoice { prompt, .. } => format!("llm {}", quote(prompt)),
        CheckSpec::GithubBuiltin(builtin) => builtin.name().to_owned(),
        CheckSpec::Graded(graded) => graded.title(),
        CheckSpec::IsJson => "is_json".to_owned(),
        CheckSpec::JsonSchema(_) => "json_schema".to_owned(),
        CheckSpec::Contains(text)
        | CheckSpec::NotContains(text)
        | CheckSpec::Icontains(text)
        | CheckSpec::StartsWith(text)
        | CheckSpec::EndsWith(text)
        | CheckSpec::Regex(text) => format!("{} {}", describe(check).0, quote(text)),
    }
}

const fn operator_name(operator: GithubString) -> &'static str {
    match operator {
        GithubString::Equals => "string equals",
        GithubString::Contains => "string contains",
        GithubString::StartsWith => "string startsWith",
        GithubString::EndsWith => "string endsWith",
    }
}
