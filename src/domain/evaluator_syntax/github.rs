//! GitHub's way to write an evaluator: a `name` and one of `string`, `llm`, `uses`, in that order of precedence.

use super::{OPTIONS, Written, read_model, with_options};
use crate::domain::evaluator::spec::{CheckSpec, GithubBuiltin, GithubString};
use crate::domain::node::{Kind, Node};
use crate::domain::reader::{Reader, Unknown, suggestion};

/// The three kinds, the first that is set counts.
pub(in crate::domain) const KINDS: [&str; 3] = ["string", "llm", "uses"];

/// What `string` compares by.
pub(in crate::domain) const OPERATORS: [(&str, GithubString); 4] = [
    ("equals", GithubString::Equals),
    ("contains", GithubString::Contains),
    ("startsWith", GithubString::StartsWith),
    ("endsWith", GithubString::EndsWith),
];

/// What `uses` may name.
pub(in crate::domain) const BUILTINS: [(&str, GithubBuiltin); 5] = [
    ("github/similarity", GithubBuiltin::Similarity),
    ("github/coherence", GithubBuiltin::Coherence),
    ("github/fluency", GithubBuiltin::Fluency),
    ("github/relevance", GithubBuiltin::Relevance),
    ("github/groundedness", GithubBuiltin::Groundedness),
];

/// The operator's key.
pub(super) fn operator_name(operator: GithubString) -> &'static str {
    OPERATORS.iter().find(|(_, known)| *known == operator).map_or("equals", |(name, _)| name)
}

/// What `uses` calls a built-in judge.
pub(super) fn builtin_name(builtin: GithubBuiltin) -> &'static str {
    BUILTINS.iter().find(|(_, known)| *known == builtin).map_or("github/similarity", |(name, _)| name)
}

/// Reads one item.
pub(super) fn read(reader: &mut Reader<'_>, item: &Node, unknown: Unknown) -> Option<Written> {
    let known = ["string", "llm", "uses", OPTIONS[0], OPTIONS[1], OPTIONS[2], OPTIONS[3]];
    let fields = reader.fields(item, "an evaluator", &known, unknown)?;
    let set = KINDS.iter().find_map(|kind| {
        let value = fields.get(kind)?;
        (!matches!(value.kind, Kind::Null)).then_some((*kind, value))
    });
    let Some((kind, value)) = set else {
        let message = "an evaluator has none of `string`, `llm`, `uses`";
        reader.error("invalid-evaluator", item.at, message, "add one of them");
        return None;
    };
    let check = match kind {
        "string" => string(reader, value, unknown)?,
        "llm" => llm(reader, value, unknown)?,
        _ => uses(reader, value)?,
    };
    Some(Written { spec: with_options(reader, Some(fields), check)?, at: value.at })
}

/// An operator is set if its text is not empty, as GitHub's own runner had it.
fn string(reader: &mut Reader<'_>, value: &Node, unknown: Unknown) -> Option<CheckSpec> {
    let fields = reader.fields(value, "string", &OPERATORS.map(|(name, _)| name), unknown)?;
    for (name, operator) in OPERATORS {
        let Some(node) = fields.get(name).filter(|node| !matches!(node.kind, Kind::Null)) else { continue };
        let text = reader.text(node, name)?;
        if !text.is_empty() {
            return Some(CheckSpec::GithubString { operator, value: text });
        }
    }
    let message = "`string` has none of `equals`, `contains`, `startsWith`, `endsWith`";
    reader.error("invalid-evaluator", value.at, message, "add one of them with a text");
    None
}

fn llm(reader: &mut Reader<'_>, value: &Node, unknown: Unknown) -> Option<CheckSpec> {
    let fields = reader.fields(value, "llm", &["modelId", "prompt", "choices", "systemPrompt"], unknown)?;
    let (Some(prompt), Some(choices)) = (fields.get("prompt"), fields.get("choices")) else {
        let message = "`llm` needs `prompt` and `choices`";
        reader.error("invalid-evaluator", value.at, message, "add the missing key");
        return None;
    };
    let model = match fields.get("modelId") {
        Some(node) => Some(read_model(reader, node, "modelId")?),
        None => None,
    };
    let system_prompt = match fields.get("systemPrompt") {
        Some(node) => Some(reader.text(node, "systemPrompt")?),
        None => None,
    };
    let prompt = reader.words(prompt, "prompt")?;
    let items = reader.list(choices, "choices")?;
    if items.is_empty() {
        reader.error("invalid-evaluator", choices.at, "`choices` is empty", "add a choice with its score");
        return None;
    }
    let choices = items.iter().map(|item| choice(reader, item, unknown)).collect::<Option<Vec<_>>>()?;
    Some(CheckSpec::GithubChoice { model, system_prompt, prompt, choices })
}

fn choice(reader: &mut Reader<'_>, item: &Node, unknown: Unknown) -> Option<(String, f64)> {
    let fields = reader.fields(item, "a choice", &["choice", "score"], unknown)?;
    let (Some(choice), Some(score)) = (fields.get("choice"), fields.get("score")) else {
        reader.error("invalid-evaluator", item.at, "a choice needs `choice` and `score`", "add the missing key");
        return None;
    };
    Some((reader.words(choice, "choice")?, reader.number(score, "score", 0.0, 1.0)?))
}

fn uses(reader: &mut Reader<'_>, value: &Node) -> Option<CheckSpec> {
    let name = reader.text(value, "uses")?;
    let builtin = BUILTINS.iter().find(|(known, _)| *known == name);
    if builtin.is_none() {
        let known = BUILTINS.map(|(name, _)| name);
        let all = known.map(|name| format!("`{name}`")).join(", ");
        let nearest = suggestion(&name, &known);
        let help = if nearest.starts_with("use one") { nearest } else { format!("{nearest} There are {all}") };
        reader.error("unknown-evaluator", value.at, format!("unknown evaluator `{name}` in `uses`"), help);
    }
    builtin.map(|(_, builtin)| CheckSpec::GithubBuiltin(*builtin))
}
