//! Reads the front matter of a `.prompt` file into a prompt and its details. Knows neither template nor partials.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::details::Details;
use super::picoschema;
use crate::domain::evaluator_syntax::read_model;
use crate::domain::ids::ModelId;
use crate::domain::node::{Key, Kind, Node};
use crate::domain::prompt::{Parameters, Prompt, ResponseFormat, metadata, parameters};
use crate::domain::reader::{Fields, Reader, Unknown};

/// The format's own keys, ours, and those of its best known runtime.
const KEYS: [&str; 23] = [
    "name",
    "variant",
    "version",
    "model",
    "description",
    "config",
    "tools",
    "toolDefs",
    "input",
    "output",
    "raw",
    "ext",
    "owner",
    "useCase",
    "variables",
    "exampleOutput",
    "goldenSet",
    "tags",
    "metadata",
    "maxTurns",
    "returnToolRequests",
    "toolChoice",
    "use",
];

/// Reads the keys into `prompt`, whose name is the file's unless the front matter has one.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, prompt: &mut Prompt) -> Option<Details> {
    if matches!(node.kind, Kind::Null) {
        return Some(Details::default());
    }
    let entries = reader.map(node, "the front matter")?;
    let raw: Map<String, Value> = entries.iter().map(|(key, node)| (key.name.to_string(), node.to_value())).collect();
    let own = Node { kind: Kind::Map(own_entries(reader, entries)), at: node.at };
    let fields = reader.fields(&own, "the front matter", &KEYS, Unknown::Warned)?;
    if let Some(name) = fields.read(reader, "name", Reader::words) {
        prompt.name = name;
    }
    prompt.description = fields.read(reader, "description", Reader::text);
    let model = fields.read(reader, "model", model);
    prompt.model = model.as_deref().and_then(|text| ModelId::parse(text).ok());
    let config = fields.read(reader, "config", config).unwrap_or_default();
    prompt.parameters = config.0;
    let output = fields.read(reader, "output", output).unwrap_or_default();
    prompt.response_format = response_format(&output, &prompt.name);
    prompt.tools = tools(reader, &fields).into();
    metadata::read(reader, &fields).give(prompt);
    prompt.golden_set_at = fields.get("goldenSet").map(|node| node.at);
    let input = fields.read(reader, "input", input).unwrap_or_default();
    declare(&input, prompt);
    Some(Details { model, config: config.1, input, output, ext: ext(&raw), raw })
}

/// The entries without dotted keys, and without a version that only this format takes for one.
fn own_entries(reader: &mut Reader<'_>, entries: &[(Key, Node)]) -> Vec<(Key, Node)> {
    let mut own = Vec::with_capacity(entries.len());
    for (key, node) in entries {
        if key.name.contains('.') {
            continue;
        }
        if &*key.name == "version"
            && reader.text(node, "version").is_some_and(|text| semver::Version::parse(&text).is_err())
        {
            let help = "write it as major.minor.patch, for instance 1.0.0, to see it in reports";
            reader.warning("invalid-version", node.at, "the version is not a semantic version", help);
            continue;
        }
        own.push((key.clone(), node.clone()));
    }
    own
}

/// A model with or without a provider.
fn model(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<String> {
    let text = reader.words(node, what)?;
    if text.contains('/') {
        return read_model(reader, node, what).map(|model| model.to_string());
    }
    let message = format!("model `{text}` names no provider, so it is not the one that is evaluated");
    let help = "write it as provider/name; until then `evaluation.model` of the settings or --model counts";
    reader.warning("model-without-provider", node.at, message, help);
    Some(text)
}

/// What is sent of `config`, and all of it.
fn config(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<(Parameters, Map<String, Value>)> {
    const SENT: [&str; 7] = ["maxOutputTokens", "maxTokens", "temperature", "topP", "seed", "stopSequences", "stop"];
    let entries = reader.map(node, what)?;
    for (key, _) in entries.iter().filter(|(key, _)| !SENT.contains(&&*key.name)) {
        let message = format!("`{}` of `config` is not sent to the model", key.name);
        reader.warning("config-not-sent", key.at, message, "evaluations run without it");
    }
    let fields =
        reader.fields(node, what, &entries.iter().map(|(key, _)| &*key.name).collect::<Vec<_>>(), Unknown::Warned)?;
    let whole = |reader: &mut Reader<'_>, node: &Node, what: &str| reader.whole(node, what, 1, u64::from(u32::MAX));
    let tokens = ["maxOutputTokens", "maxTokens"].into_iter().find_map(|name| fields.read(reader, name, whole));
    let stop = ["stopSequences", "stop"].into_iter().find_map(|name| fields.read(reader, name, parameters::stop));
    let parameters = Parameters {
        max_tokens: tokens.and_then(|tokens| u32::try_from(tokens).ok()),
        temperature: fields.read(reader, "temperature", |reader, node, what| reader.number(node, what, 0.0, 10.0)),
        top_p: fields.read(reader, "topP", |reader, node, what| reader.number(node, what, 0.0, 1.0)),
        seed: fields.read(reader, "seed", |reader, node, what| reader.whole(node, what, 0, u64::MAX)),
        stop: stop.unwrap_or_default(),
    };
    let Value::Object(whole) = node.to_value() else { return None };
    Some((parameters, whole))
}

fn input(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Map<String, Value>> {
    let fields = reader.fields(node, what, &["default", "schema"], Unknown::Warned)?;
    let mut input = Map::new();
    if let Some(default) = fields.get("default").filter(|node| node.kind != Kind::Null) {
        reader.map(default, "default")?;
        input.insert("default".to_owned(), default.to_value());
    }
    if let Some(schema) = fields.read(reader, "schema", picoschema::schema) {
        input.insert("schema".to_owned(), schema);
    }
    Some(input)
}

fn output(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Map<String, Value>> {
    let Value::Object(mut output) = node.to_value() else {
        reader.map(node, what)?;
        return None;
    };
    let fields = reader.fields(node, what, &["format", "schema", "contentType", "instructions"], Unknown::Warned)?;
    if let Some(format) = fields.read(reader, "format", Reader::text)
        && !matches!(format.as_str(), "json" | "text")
        && let Some(node) = fields.get("format")
    {
        let message = format!("output format `{format}` is evaluated as text");
        reader.warning("unknown-output-format", node.at, message, "write `json` or `text`");
    }
    match fields.read(reader, "schema", picoschema::schema) {
        Some(schema) => output.insert("schema".to_owned(), schema),
        None => output.remove("schema"),
    };
    Some(output)
}

/// A schema alone asks for JSON, as in the format's runtimes.
fn response_format(output: &Map<String, Value>, prompt: &str) -> ResponseFormat {
    let is_json = output.get("format").is_none_or(|format| format == "json");
    match output.get("schema") {
        Some(schema) if is_json => {
            ResponseFormat::JsonSchema { name: schema_name(prompt), schema: Arc::new(schema.clone()), strict: None }
        }
        None if output.get("format").is_some_and(|format| format == "json") => ResponseFormat::JsonObject,
        _ => ResponseFormat::Text,
    }
}

/// A name that providers take.
fn schema_name(prompt: &str) -> String {
    let usable = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = prompt.chars().map(usable).take(64).collect();
    if name.is_empty() { "answer".to_owned() } else { name }
}

/// The tools that the file defines, as OpenAI writes them.
fn tools(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<Value> {
    let defined = fields.read(reader, "toolDefs", |reader, node, what| {
        let items = reader.list(node, what)?;
        Some(items.iter().filter_map(|item| tool(reader, item)).collect::<Vec<_>>())
    });
    let defined = defined.unwrap_or_default();
    let Some(node) = fields.get("tools") else { return defined };
    for item in reader.list(node, "tools").unwrap_or_default() {
        let Some(name) = reader.words(item, "tools") else { continue };
        if !defined.iter().any(|tool| tool["function"]["name"] == name.as_str()) {
            let message = format!("tool `{name}` is not defined here, so it is not sent to the model");
            reader.warning(
                "unknown-tool",
                item.at,
                message,
                "define it under `toolDefs` with `name` and `inputSchema`",
            );
        }
    }
    defined
}

fn tool(reader: &mut Reader<'_>, item: &Node) -> Option<Value> {
    let fields =
        reader.fields(item, "a tool", &["name", "description", "inputSchema", "outputSchema"], Unknown::Warned)?;
    let Some(name) = fields.read(reader, "name", Reader::words) else {
        reader.error("missing-key", item.at, "a tool needs `name`", "add it");
        return None;
    };
    let mut function = Map::new();
    function.insert("name".to_owned(), name.into());
    if let Some(description) = fields.read(reader, "description", Reader::text) {
        function.insert("description".to_owned(), description.into());
    }
    if let Some(schema) = fields.read(reader, "inputSchema", picoschema::schema) {
        function.insert("parameters".to_owned(), schema);
    }
    Some(json!({"type": "function", "function": function}))
}

/// `a.b.c: 1` as `{"a.b": {"c": 1}}`, beside what stands under `ext` itself.
fn ext(raw: &Map<String, Value>) -> Map<String, Value> {
    let mut ext = raw.get("ext").and_then(Value::as_object).cloned().unwrap_or_default();
    for (key, value) in raw {
        let Some((namespace, field)) = key.rsplit_once('.') else { continue };
        let inside = ext.entry(namespace).or_insert_with(|| json!({}));
        if !inside.is_object() {
            *inside = json!({});
        }
        inside[field] = value.clone();
    }
    ext
}

/// The variables that the input's schema and defaults name; what `variables` says of them counts first.
fn declare(input: &Map<String, Value>, prompt: &mut Prompt) {
    let schema = input.get("schema").unwrap_or(&Value::Null);
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let variable = prompt.variables.entry(name.clone()).or_default();
        let description = property["description"].as_str().map(str::to_owned);
        variable.description = variable.description.take().or(description);
        variable.required = variable.required.or(Some(required.contains(&Value::from(name.as_str()))));
    }
    for (name, default) in input.get("default").and_then(Value::as_object).into_iter().flatten() {
        let variable = prompt.variables.entry(name.clone()).or_default();
        variable.default = variable.default.take().or_else(|| Some(default.clone()));
    }
}
