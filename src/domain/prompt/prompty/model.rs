//! `model` of a Prompty file: which model, its options, its answer's form. Knows no provider.

use std::sync::Arc;

use crate::domain::ids::ModelId;
use crate::domain::node::{Kind, Node};
use crate::domain::prompt::{Parameters, ResponseFormat};
use crate::domain::reader::{Fields, Reader, Unknown};

/// What it says.
#[derive(Default)]
pub(super) struct Model<'n> {
    pub(super) id: Option<ModelId>,
    pub(super) parameters: Parameters,
    pub(super) format: Option<ResponseFormat>,
    /// Version 1 keeps the tools among the parameters.
    pub(super) tools: Option<&'n Node>,
}

const KEYS: [&str; 9] =
    ["id", "provider", "apiType", "api", "connection", "configuration", "options", "parameters", "response"];
/// Options that shape the answer and that we do not send.
const NOT_SENT: [&str; 12] = [
    "frequencyPenalty",
    "frequency_penalty",
    "presencePenalty",
    "presence_penalty",
    "topK",
    "top_k",
    "logit_bias",
    "n",
    "tool_choice",
    "allowMultipleToolCalls",
    "additionalProperties",
    "logprobs",
];
const OPTIONS: [&str; 18] = [
    "maxOutputTokens",
    "maxTokens",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "topP",
    "top_p",
    "seed",
    "stopSequences",
    "stop",
    "responseFormat",
    "response_format",
    "tools",
    "stream",
    "stream_options",
    "user",
    "kind",
    "metadata",
];

/// Reads a model's name, or a mapping.
pub(super) fn read<'n>(reader: &mut Reader<'_>, node: &'n Node) -> Model<'n> {
    let mut model = Model::default();
    if !matches!(node.kind, Kind::Map(_)) {
        model.id = reader.words(node, "model").and_then(|name| id(reader, node, None, &name));
        return model;
    }
    let Some(fields) = reader.fields(node, "`model`", &KEYS, Unknown::Warned) else { return model };
    api(reader, &fields);
    model.id = named(reader, &fields);
    if let Some(node) = fields.get("options").or(fields.get("parameters")) {
        options(reader, node, &mut model);
    }
    model
}

/// Only conversations are evaluated.
fn api(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    let Some(node) = fields.get("apiType").or(fields.get("api")) else { return };
    let Some(api) = reader.text(node, "apiType") else { return };
    if !matches!(api.as_str(), "chat" | "responses" | "agent") {
        let message = format!("the API `{api}` is not supported");
        reader.error("unsupported-api", node.at, message, "use `chat`: only conversations are evaluated");
    }
}

fn named(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<ModelId> {
    let below = |part: &str, key: &str| fields.get(part).and_then(|node| node.get(key));
    let deployment = below("configuration", "azure_deployment").or_else(|| below("connection", "azure_deployment"));
    let named = fields.get("id").or(deployment).or_else(|| below("configuration", "name"));
    let provider = fields.get("provider").or_else(|| below("configuration", "type"));
    let provider = provider.and_then(|node| reader.text(node, "provider"));
    let on_azure = deployment.is_some() || below("configuration", "azure_endpoint").is_some();
    let provider = provider.or_else(|| on_azure.then(|| "azure".to_owned()));
    let node = named?;
    let name = reader.words(node, "id")?;
    id(reader, node, provider.as_deref(), &name)
}

/// `provider/name`; a name that is alone is OpenAI's.
fn id(reader: &mut Reader<'_>, node: &Node, provider: Option<&str>, name: &str) -> Option<ModelId> {
    let lower = provider.map(|provider| provider.trim().to_ascii_lowercase());
    let vendor = match lower.as_deref() {
        None if name.contains('/') => "",
        None | Some("openai") => "openai",
        Some(
            "azure" | "azure_openai" | "azure-openai" | "foundry" | "azure_serverless" | "serverless" | "azure.ai",
        ) => "azure",
        Some("google" | "gemini" | "vertexai") => "gemini",
        Some(other) => other,
    };
    let whole = if vendor.is_empty() { name.to_owned() } else { format!("{vendor}/{name}") };
    let parsed = ModelId::parse(&whole);
    if let Err(error) = &parsed {
        let message = format!("`model`: {error}");
        reader.error("invalid-model", node.at, message, "name the model as its provider does");
    }
    parsed.ok()
}

fn options<'n>(reader: &mut Reader<'_>, node: &'n Node, model: &mut Model<'n>) {
    let known: Vec<&str> = OPTIONS.iter().chain(&NOT_SENT).copied().collect();
    let Some(fields) = reader.fields(node, "the model's options", &known, Unknown::Warned) else { return };
    for key in NOT_SENT.iter().filter(|key| fields.get(key).is_some()) {
        let message = format!("`{key}` is not sent to the model");
        reader.warning("ignored-key", fields.key_at(key), message, "remove it, or expect answers as without it");
    }
    let first = |keys: &[&str]| keys.iter().find_map(|key| fields.get(key));
    let tokens = first(&["maxOutputTokens", "maxTokens", "max_tokens", "max_completion_tokens"]);
    let tokens = tokens.and_then(|node| reader.whole(node, "maxOutputTokens", 1, u64::from(u32::MAX)));
    model.parameters = Parameters {
        max_tokens: tokens.and_then(|tokens| u32::try_from(tokens).ok()),
        temperature: first(&["temperature"]).and_then(|node| reader.number(node, "temperature", 0.0, 10.0)),
        top_p: first(&["topP", "top_p"]).and_then(|node| reader.number(node, "topP", 0.0, 1.0)),
        seed: first(&["seed"]).and_then(|node| reader.whole(node, "seed", 0, u64::MAX)),
        stop: first(&["stopSequences", "stop"]).and_then(|node| stop(reader, node)).unwrap_or_default(),
    };
    model.format = first(&["responseFormat", "response_format"]).and_then(|node| format(reader, node));
    model.tools = first(&["tools"]);
}

fn stop(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<String>> {
    match &node.kind {
        Kind::List(items) => items.iter().map(|item| reader.text(item, "stop")).collect(),
        Kind::Null => Some(Vec::new()),
        _ => Some(vec![reader.text(node, "stop")?]),
    }
}

/// OpenAI's form: a mapping with `type`, or the type alone.
fn format(reader: &mut Reader<'_>, node: &Node) -> Option<ResponseFormat> {
    let kind = reader.text(node.get("type").unwrap_or(node), "response_format")?;
    match (kind.as_str(), node.get("json_schema")) {
        ("text", _) => Some(ResponseFormat::Text),
        ("json_object", _) => Some(ResponseFormat::JsonObject),
        ("json_schema", Some(whole)) => {
            let schema = whole.get("schema").map(Node::to_value).filter(serde_json::Value::is_object);
            let strict = whole.get("strict").and_then(|node| reader.flag(node, "strict"));
            let name = whole.get("name").and_then(|node| reader.words(node, "name"));
            match schema.map(|schema| (jsonschema::validator_for(&schema).map(|_| ()), schema)) {
                Some((Ok(()), schema)) => {
                    let name = name.unwrap_or_else(|| "answer".to_owned());
                    Some(ResponseFormat::JsonSchema { name, schema: Arc::new(schema), strict })
                }
                _ => {
                    let message = "`json_schema` holds no valid `schema`";
                    reader.error("invalid-schema", whole.at, message, "write the JSON Schema as a mapping there");
                    None
                }
            }
        }
        _ => {
            let message = format!("unknown response format `{kind}`");
            let help = "write `type: text`, `json_object`, or `json_schema` with a `json_schema`";
            reader.error("unknown-response-format", node.at, message, help);
            None
        }
    }
}
