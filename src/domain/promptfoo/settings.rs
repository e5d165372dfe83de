//! A promptfoo provider's `config`: sampling, the answer's form, tools. Keys and addresses are never taken from a file.

use std::sync::Arc;

use serde_json::Value;

use super::refusal::Refusal;
use super::shelf::{Shelf, Trouble};
use crate::domain::node::{Kind, Node};
use crate::domain::policy::Change;
use crate::domain::prompt::{Parameters, ResponseFormat};
use crate::domain::reader::{Fields, Reader};

/// What a provider or prompt says of how it is asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub parameters: Parameters,
    pub response_format: Option<ResponseFormat>,
    pub tools: Option<Arc<[Value]>>,
}

impl Settings {
    /// These, with what `other` says in their place.
    pub fn overlaid(&self, other: &Self) -> Self {
        let (below, above) = (&self.parameters, &other.parameters);
        Self {
            parameters: Parameters {
                max_tokens: above.max_tokens.or(below.max_tokens),
                temperature: above.temperature.or(below.temperature),
                top_p: above.top_p.or(below.top_p),
                seed: above.seed.or(below.seed),
                stop: if above.stop.is_empty() { below.stop.clone() } else { above.stop.clone() },
            },
            response_format: other.response_format.clone().or_else(|| self.response_format.clone()),
            tools: other.tools.clone().or_else(|| self.tools.clone()),
        }
    }
}

const MAX_TOKENS: [&str; 5] =
    ["max_tokens", "maxTokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens"];
const KNOWN: [&str; 10] = [
    "temperature",
    "top_p",
    "topP",
    "seed",
    "stop",
    "stop_sequences",
    "stopSequences",
    "response_format",
    "tools",
    "generationConfig",
];
/// Parts of names of settings that say where a request goes or with what key.
const SECRETS: [&str; 7] = ["apikey", "baseurl", "apihost", "headers", "accesskey", "secret", "token"];

/// Reads `config`.
pub(super) fn read(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, node: &Node) -> Option<Settings> {
    let entries = reader.map(node, "config")?;
    for (key, _) in entries {
        let name = &*key.name;
        let plain = name.to_ascii_lowercase().replace('_', "");
        if MAX_TOKENS.contains(&name) || KNOWN.contains(&name) {
            continue;
        }
        if SECRETS.iter().any(|secret| plain.contains(secret)) {
            let message = format!("`{name}` would send the request elsewhere or with another key");
            let help = "remove it: keys and addresses come from the environment or the server's settings";
            reader.error("setting-refused", key.at, message, help);
        } else {
            let message = format!("`{name}` of a provider's config is not sent");
            reader.warning("not-used", key.at, message, "check that the answers do not depend on it");
        }
    }
    let fields = reader.fields(node, "config", &all(entries), crate::domain::reader::Unknown::Warned)?;
    let first = |names: &[&'static str]| names.iter().find_map(|name| fields.get(name).map(|node| (node, *name)));
    let mut settings = Settings::default();
    let parameters = &mut settings.parameters;
    if let Some((node, name)) = MAX_TOKENS.iter().find_map(|name| fields.get(name).map(|node| (node, *name))) {
        let tokens = reader.whole(node, name, 1, u64::from(u32::MAX))?;
        parameters.max_tokens = u32::try_from(tokens).ok();
    }
    parameters.temperature =
        fields.read(reader, "temperature", |reader, node, what| reader.number(node, what, 0.0, 10.0));
    if let Some((node, name)) = first(&["top_p", "topP"]) {
        parameters.top_p = reader.number(node, name, 0.0, 1.0);
    }
    parameters.seed = fields.read(reader, "seed", |reader, node, what| reader.whole(node, what, 0, u64::MAX));
    if let Some((node, name)) = first(&["stop", "stop_sequences", "stopSequences"]) {
        parameters.stop = super::providers::names(reader, node, name)?;
    }
    settings.response_format = response_format(reader, shelf, &fields)?;
    settings.tools = tools(reader, shelf, &fields)?;
    if let Some(node) = fields.get("generationConfig") {
        let inner = read(reader, shelf, node)?;
        settings = inner.overlaid(&settings);
    }
    Some(settings)
}

/// All keys, since the unknown ones were told already.
fn all(entries: &[(crate::domain::node::Key, Node)]) -> Vec<&str> {
    entries.iter().map(|(key, _)| &*key.name).collect()
}

/// A value, or what stands in the file that it names.
fn value(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, node: &Node) -> Option<Value> {
    let Kind::Text(text) = &node.kind else { return Some(node.to_value()) };
    if !text.starts_with("file://") {
        return Some(Value::from(&**text));
    }
    match load(shelf, text) {
        Ok(value) => Some(value),
        Err(Trouble::Here(refused)) => {
            refused.tell(reader, node.at);
            None
        }
        Err(Trouble::There(finding)) => {
            reader.push(*finding);
            None
        }
    }
}

/// Nothing while the file is still missing.
fn load(shelf: &mut Shelf<'_>, text: &str) -> Result<Value, Trouble> {
    match shelf.find(shelf.config(), text, Change::Prompt)?.first() {
        Some(file) => shelf.value(*file),
        None => Ok(Value::Null),
    }
}

#[expect(clippy::option_option, reason = "outer: readable at all; inner: whether it is there")]
fn response_format(
    reader: &mut Reader<'_>,
    shelf: &mut Shelf<'_>,
    fields: &Fields<'_>,
) -> Option<Option<ResponseFormat>> {
    let Some(node) = fields.get("response_format") else { return Some(None) };
    let value = value(reader, shelf, node)?;
    if value.is_null() {
        return Some(None);
    }
    let problem = match value.get("type").and_then(Value::as_str) {
        Some("text") => return Some(Some(ResponseFormat::Text)),
        Some("json_object") => return Some(Some(ResponseFormat::JsonObject)),
        Some("json_schema") => {
            // The schema stands one level down, or beside the type.
            let whole = value.get("json_schema").unwrap_or(&value);
            match whole
                .get("schema")
                .filter(|schema| schema.is_object())
                .map(|schema| (schema, jsonschema::validator_for(schema)))
            {
                Some((schema, Ok(_))) => {
                    return Some(Some(ResponseFormat::JsonSchema {
                        name: whole.get("name").and_then(Value::as_str).unwrap_or("answer").to_owned(),
                        schema: Arc::new(schema.clone()),
                        strict: whole.get("strict").and_then(Value::as_bool),
                    }));
                }
                Some((_, Err(error))) => format!("`response_format` holds an invalid schema: {error}"),
                None => "`response_format` has no `json_schema` with a `schema`".to_owned(),
            }
        }
        other => format!("unknown `response_format` `{}`", other.unwrap_or("without a type")),
    };
    let help = "write `{type: json_object}` or `{type: json_schema, json_schema: {name, schema}}`";
    Refusal::new("unknown-response-format", problem, help).tell(reader, node.at);
    None
}

/// Tools in OpenAI's form.
#[expect(clippy::option_option, reason = "outer: readable at all; inner: whether they are there")]
fn tools(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, fields: &Fields<'_>) -> Option<Option<Arc<[Value]>>> {
    let Some(node) = fields.get("tools") else { return Some(None) };
    let tools = match value(reader, shelf, node)? {
        Value::Null => return Some(None),
        Value::Array(tools) => tools,
        other => vec![other],
    };
    let is_function = |tool: &Value| tool.pointer("/function/name").is_some_and(Value::is_string);
    if !tools.iter().all(is_function) {
        let help = "write each as `{type: function, function: {name, description, parameters}}`";
        reader.error("invalid-tools", node.at, "`tools` holds a tool that is no function", help);
        return None;
    }
    Some(Some(tools.into()))
}
