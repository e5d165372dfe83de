//! Properties of a Prompty file as JSON Schema: outputs and the parameters of tools. Knows no model.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::domain::node::{Kind, Node};
use crate::domain::prompt::ResponseFormat;
use crate::domain::reader::Reader;

/// Deepest nesting of properties.
const MAX_DEPTH: usize = 32;

/// The answer's form that `outputs` asks for; nothing where it lists no property.
pub(super) fn outputs(reader: &mut Reader<'_>, node: &Node, name: &str) -> Option<ResponseFormat> {
    let mut schema = object(reader, node, "outputs", 0)?;
    if schema.get("properties").and_then(Value::as_object).is_none_or(Map::is_empty) {
        return None;
    }
    // An answer with a property that nobody asked for would be no answer of this form.
    schema["additionalProperties"] = json!(false);
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' })
        .take(64)
        .collect();
    Some(ResponseFormat::JsonSchema { name, schema: Arc::new(schema), strict: None })
}

/// The tools, each in OpenAI's form.
pub(super) fn tools(reader: &mut Reader<'_>, node: &Node) -> Vec<Value> {
    match &node.kind {
        Kind::Map(entries) => entries.iter().filter_map(|(key, node)| tool(reader, node, Some(&key.name))).collect(),
        _ => {
            reader.list(node, "tools").unwrap_or_default().iter().filter_map(|node| tool(reader, node, None)).collect()
        }
    }
}

fn tool(reader: &mut Reader<'_>, node: &Node, name: Option<&str>) -> Option<Value> {
    reader.map(node, "a tool")?;
    if node.get("function").is_some_and(|inner| inner.get("name").is_some()) {
        return Some(node.to_value());
    }
    let name = match (node.get("name").or(node.get("id")), name) {
        (Some(node), _) => reader.words(node, "name")?,
        (None, Some(name)) => name.to_owned(),
        (None, None) => {
            reader.error("missing-key", node.at, "a tool needs `name`", "add it");
            return None;
        }
    };
    let kind = match node.get("kind").or(node.get("type")) {
        Some(node) => reader.text(node, "kind")?,
        None => "function".to_owned(),
    };
    if kind != "function" {
        let message = format!("the tool `{name}` is of kind `{kind}`, which needs a server or another prompt to run");
        let help = "declare it as `kind: function` with its parameters: only its declaration is sent";
        reader.error("unsupported-tool", node.at, message, help);
        return None;
    }
    let mut function = json!({ "name": name });
    if let Some(node) = node.get("description") {
        function["description"] = json!(reader.text(node, "description")?);
    }
    let mut parameters = match node.get("parameters") {
        Some(node) => object(reader, node, "parameters", 0)?,
        None => json!({"type": "object", "properties": {}}),
    };
    if let Some(strict) = node.get("strict") {
        function["strict"] = json!(reader.flag(strict, "strict")?);
        parameters["additionalProperties"] = json!(false);
    }
    function["parameters"] = parameters;
    Some(json!({"type": "function", "function": function}))
}

/// Properties as a list, as a mapping, or under `properties`; a mapping with a `type` is JSON Schema already.
fn object(reader: &mut Reader<'_>, node: &Node, what: &str, depth: usize) -> Option<Value> {
    if node.get("type").is_some_and(|kind| matches!(&kind.kind, Kind::Text(kind) if &**kind == "object")) {
        return Some(node.to_value());
    }
    let listed = match node.get("properties") {
        Some(inner) if matches!(inner.kind, Kind::List(_) | Kind::Map(_)) => inner,
        _ => node,
    };
    let mut properties = Map::new();
    let mut required = Vec::new();
    let entries: Vec<(String, &Node)> = match &listed.kind {
        Kind::Map(entries) => entries.iter().map(|(key, node)| (key.name.to_string(), node)).collect(),
        _ => {
            let items = reader.list(listed, what)?;
            let named = items.iter().map(|item| match item.get("name") {
                Some(name) => Some((reader.words(name, "name")?, item)),
                None => {
                    reader.error("missing-key", item.at, format!("an item of `{what}` needs `name`"), "add it");
                    None
                }
            });
            named.collect::<Option<_>>()?
        }
    };
    for (name, node) in entries {
        let is_required = node.get("required").and_then(|node| reader.flag(node, "required"));
        if is_required.unwrap_or(what == "outputs") {
            required.push(json!(name));
        }
        properties.insert(name, property(reader, node, depth)?);
    }
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = Value::Array(required);
    }
    Some(schema)
}

fn property(reader: &mut Reader<'_>, node: &Node, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        reader.error("too-deep", node.at, "the properties nest too deep", "flatten them");
        return None;
    }
    if !matches!(node.kind, Kind::Map(_)) {
        // The kind alone.
        let kind = reader.text(node, "kind")?;
        return schema_type(reader, node, &kind);
    }
    let mut schema = match node.get("kind").or(node.get("type")) {
        Some(kind_node) => {
            let kind = reader.text(kind_node, "kind")?;
            schema_type(reader, kind_node, &kind)?
        }
        None => json!({"type": "string"}),
    };
    if schema["type"] == "object" && node.get("properties").is_some() {
        schema = object(reader, node, "properties", depth + 1)?;
    }
    if let Some(items) = node.get("items").filter(|_| schema["type"] == "array") {
        schema["items"] = property(reader, items, depth + 1)?;
    }
    if let Some(node) = node.get("description") {
        schema["description"] = json!(reader.text(node, "description")?);
    }
    if let Some(values) = node.get("enumValues").or(node.get("enum")) {
        schema["enum"] = Value::Array(reader.list(values, "enumValues")?.iter().map(Node::to_value).collect());
    }
    Some(schema)
}

fn schema_type(reader: &mut Reader<'_>, node: &Node, kind: &str) -> Option<Value> {
    Some(match kind {
        "string" | "integer" | "number" | "boolean" | "array" | "object" => json!({ "type": kind }),
        "float" => json!({"type": "number"}),
        "any" => json!({}),
        _ => {
            let message = format!("unknown kind `{kind}`");
            let help = "use string, integer, float, boolean, array or object";
            reader.error("unknown-kind", node.at, message, help);
            return None;
        }
    })
}
