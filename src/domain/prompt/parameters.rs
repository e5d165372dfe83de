//! What a prompt file says of how it is sampled and what form the answer has. Knows no provider.

use std::sync::Arc;

use serde_json::Value;

use super::{Parameters, ResponseFormat};
use crate::domain::node::{Kind, Node};
use crate::domain::reader::{Fields, Reader, Unknown, suggestion};

/// Keys of `modelParameters`.
pub(in crate::domain) const KEYS: [&str; 5] = ["maxTokens", "temperature", "topP", "seed", "stop"];
/// What `responseFormat` may be.
pub(in crate::domain) const FORMATS: [&str; 3] = ["text", "json_object", "json_schema"];

/// Reads `modelParameters`.
pub(super) fn read_parameters(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Parameters> {
    let fields = reader.fields(node, what, &KEYS, Unknown::Warned)?;
    let whole = |reader: &mut Reader<'_>, node: &Node, what: &str| reader.whole(node, what, 1, u64::from(u32::MAX));
    Some(Parameters {
        max_tokens: fields.read(reader, "maxTokens", whole).and_then(|tokens| u32::try_from(tokens).ok()),
        temperature: fields.read(reader, "temperature", |reader, node, what| reader.number(node, what, 0.0, 10.0)),
        top_p: fields.read(reader, "topP", |reader, node, what| reader.number(node, what, 0.0, 1.0)),
        seed: fields.read(reader, "seed", |reader, node, what| reader.whole(node, what, 0, u64::MAX)),
        stop: fields.read(reader, "stop", stop).unwrap_or_default(),
    })
}

/// One text or a list of them.
pub(super) fn stop(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<String>> {
    match &node.kind {
        Kind::List(items) => items.iter().map(|item| reader.text(item, what)).collect(),
        _ => Some(vec![reader.text(node, what)?]),
    }
}

/// Reads `tools`: functions in OpenAI's form.
pub(super) fn read_tools(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<Value>> {
    let items = reader.list(node, what)?;
    let read = items.iter().map(|item| {
        let is_function = item.get("function").and_then(|function| function.get("name")).is_some();
        if !is_function {
            let help = "write `type: function` and `function: { name, description, parameters }`";
            reader.error("invalid-tool", item.at, "a tool has no `function` with a `name`", help);
        }
        is_function.then(|| item.to_value())
    });
    read.collect()
}

/// Reads `responseFormat` and the `jsonSchema` that `json_schema` needs.
pub(super) fn read_response_format(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<ResponseFormat> {
    let schema = fields.read(reader, "jsonSchema", json_schema);
    let node = fields.get("responseFormat")?;
    let format = reader.text(node, "responseFormat")?;
    match format.as_str() {
        "text" => Some(ResponseFormat::Text),
        "json_object" => Some(ResponseFormat::JsonObject),
        "json_schema" if fields.get("jsonSchema").is_none() => {
            let message = "`responseFormat: json_schema` needs `jsonSchema`";
            reader.error("missing-key", node.at, message, "add `jsonSchema` with `name` and `schema`");
            None
        }
        "json_schema" => schema,
        _ => {
            let help = suggestion(&format, &FORMATS);
            reader.error("unknown-response-format", node.at, format!("unknown response format `{format}`"), help);
            None
        }
    }
}

/// A text holding JSON, as GitHub has it, or the same as a mapping.
fn json_schema(reader: &mut Reader<'_>, node: &Node, _what: &str) -> Option<ResponseFormat> {
    let whole = match &node.kind {
        Kind::Text(text) => match serde_json::from_str::<Value>(text) {
            Ok(value) => value,
            Err(error) => {
                let message = format!("`jsonSchema` is not valid JSON: {error}");
                reader.error("invalid-json", node.at, message, "write JSON with `name` and `schema`");
                return None;
            }
        },
        _ => node.to_value(),
    };
    let problem = match (whole.get("name"), whole.get("schema"), whole.get("strict")) {
        (Some(Value::String(name)), Some(schema), None | Some(Value::Bool(_) | Value::Null)) if schema.is_object() => {
            match jsonschema::validator_for(schema) {
                Ok(_) => {
                    let strict = whole.get("strict").and_then(Value::as_bool);
                    return Some(ResponseFormat::JsonSchema {
                        name: name.clone(),
                        schema: Arc::new(schema.clone()),
                        strict,
                    });
                }
                Err(error) => format!("`jsonSchema` holds an invalid schema: {error}"),
            }
        }
        (Some(Value::String(_)), Some(_), Some(_)) => "`strict` of `jsonSchema` must be true or false".to_owned(),
        (Some(Value::String(_)), _, _) => "`jsonSchema` needs a mapping `schema`".to_owned(),
        _ => "`jsonSchema` needs a text `name`".to_owned(),
    };
    reader.error("invalid-schema", node.at, problem, "write JSON with `name`, `schema` and perhaps `strict`");
    None
}
