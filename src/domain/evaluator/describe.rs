//! What identifies an evaluator: its kind and value as canonical JSON, and a short name for people.

use serde_json::{Value, json};

use super::check::bounds;
use super::spec::{CheckSpec, Extent, GithubString, Likeness, Sensitive, SqlDialect, Texts};
use super::text::{QUOTE, excerpt, quote};
use crate::domain::ids::Digest;

/// The kind's name in files and its value. Equal descriptions mean equal checks.
pub(in crate::domain) fn describe(check: &CheckSpec) -> (&'static str, Value) {
    match check {
        CheckSpec::Equals(value) => ("equals", json!({ "value": value })),
        CheckSpec::Contains(text) => ("contains", json!(text)),
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
        CheckSpec::ContainsList { texts: list, all, any_case } => (list_name(*all, *any_case), texts(list)),
        CheckSpec::ContainsJson(schema) => ("contains_json", json!({ "schema": schema })),
        CheckSpec::Xml { extent: Extent::Whole, required } => ("is_xml", json!(required)),
        CheckSpec::Xml { extent: Extent::Part, required } => ("contains_xml", json!(required)),
        CheckSpec::Html(Extent::Whole) => ("is_html", Value::Null),
        CheckSpec::Html(Extent::Part) => ("contains_html", Value::Null),
        CheckSpec::Sql { extent, dialect, tables } => {
            let kind = if *extent == Extent::Whole { "is_sql" } else { "contains_sql" };
            (kind, json!({"database_type": dialect_name(*dialect), "allowed_tables": tables}))
        }
        CheckSpec::Likeness { measure, to } => (likeness_name(*measure), json!(to)),
        CheckSpec::IsRefusal => ("is_refusal", Value::Null),
        CheckSpec::FinishReason(reason) => ("finish_reason", json!(reason)),
        CheckSpec::Cost(most) => ("cost", json!(most)),
        CheckSpec::Latency(most) => ("latency", json!(most)),
        CheckSpec::FunctionCall => ("is_valid_openai_function_call", Value::Null),
        CheckSpec::ToolCalls => ("is_valid_openai_tools_call", Value::Null),
        CheckSpec::ToolCallF1(list) => ("tool_call_f1", texts(list)),
        CheckSpec::SensitiveData { allow } => {
            let allow: Vec<_> = allow.iter().map(|kind| sensitive_name(*kind)).collect();
            ("sensitive_data", json!({ "allow": allow }))
        }
        CheckSpec::BannedPhrases(phrases) => ("banned_phrases", json!(phrases)),
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
pub(super) fn default_name(check: &CheckSpec, negated: bool) -> String {
    let name = positive_name(check);
    if negated { format!("not_{name}") } else { name }
}

fn positive_name(check: &CheckSpec) -> String {
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
        CheckSpec::Likeness { to, .. } => match to.as_slice() {
            [] => format!("{} expected", describe(check).0),
            [first, ..] => format!("{} {}", describe(check).0, quote(first)),
        },
        CheckSpec::Cost(most) => format!("cost at most ${most}"),
        CheckSpec::Latency(most) => format!("latency at most {most} ms"),
        CheckSpec::ContainsList { texts, .. } | CheckSpec::ToolCallF1(texts) => {
            let texts = match texts {
                Texts::List(items) => items.join(", "),
                Texts::Commas(text) => text.clone(),
            };
            format!("{} {}", describe(check).0, quote(&texts))
        }
        CheckSpec::Graded(graded) => graded.title(),
        CheckSpec::Contains(text)
        | CheckSpec::Icontains(text)
        | CheckSpec::StartsWith(text)
        | CheckSpec::EndsWith(text)
        | CheckSpec::FinishReason(text)
        | CheckSpec::Regex(text) => format!("{} {}", describe(check).0, quote(text)),
        CheckSpec::IsJson
        | CheckSpec::JsonSchema(_)
        | CheckSpec::ContainsJson(_)
        | CheckSpec::Xml { .. }
        | CheckSpec::Html(_)
        | CheckSpec::Sql { .. }
        | CheckSpec::IsRefusal
        | CheckSpec::FunctionCall
        | CheckSpec::ToolCalls
        | CheckSpec::SensitiveData { .. }
        | CheckSpec::BannedPhrases(_) => describe(check).0.to_owned(),
    }
}

/// A list as files write it.
fn texts(texts: &Texts) -> Value {
    match texts {
        Texts::List(items) => json!(items),
        Texts::Commas(text) => json!(text),
    }
}

const fn list_name(all: bool, any_case: bool) -> &'static str {
    match (all, any_case) {
        (true, false) => "contains_all",
        (false, false) => "contains_any",
        (true, true) => "icontains_all",
        (false, true) => "icontains_any",
    }
}

const fn likeness_name(measure: Likeness) -> &'static str {
    match measure {
        Likeness::Bleu => "bleu",
        Likeness::Gleu => "gleu",
        Likeness::RougeN => "rouge_n",
        Likeness::Meteor => "meteor",
        Likeness::Lexical => "lexical_similarity",
    }
}

/// The name of a kind of sensitive data in files.
pub(super) const fn sensitive_name(kind: Sensitive) -> &'static str {
    match kind {
        Sensitive::Secret => "secret",
        Sensitive::Email => "email",
        Sensitive::Phone => "phone",
        Sensitive::Card => "card",
        Sensitive::Iban => "iban",
        Sensitive::Ssn => "ssn",
    }
}

const fn dialect_name(dialect: SqlDialect) -> &'static str {
    match dialect {
        SqlDialect::Generic => "generic",
        SqlDialect::MySql => "mysql",
        SqlDialect::Postgres => "postgresql",
        SqlDialect::Sqlite => "sqlite",
        SqlDialect::MsSql => "transactsql",
        SqlDialect::BigQuery => "bigquery",
        SqlDialect::Snowflake => "snowflake",
        SqlDialect::Redshift => "redshift",
        SqlDialect::Hive => "hive",
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
