//! Picoschema to JSON Schema; what is JSON Schema already goes through. Knows no file's other keys.

use serde_json::{Map, Value, json};

use crate::domain::diagnostic::Location;
use crate::domain::node::{Key, Kind, Node};
use crate::domain::reader::{Reader, suggestion};

const SCALARS: [&str; 6] = ["string", "number", "integer", "boolean", "null", "any"];
const WILDCARD: &str = "(*)";
/// Most levels of mappings and lists in a schema: compiling one costs stack for each.
const MAX_DEPTH: usize = 40;

/// The JSON Schema that a node means; `None` after an error was recorded.
pub(super) fn schema(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Value> {
    let written = matches!(&node.kind, Kind::Map(_)).then(|| as_json_schema(node)).flatten();
    let schema = match written {
        Some(schema) => schema,
        None => pico(reader, node, what)?,
    };
    if depth(&schema) > MAX_DEPTH {
        let message = format!("`{what}` has more than {MAX_DEPTH} levels");
        reader.error("invalid-schema", node.at, message, "make the schema flatter");
        return None;
    }
    if let Err(error) = jsonschema::validator_for(&schema) {
        let message = format!("`{what}` is not a valid JSON Schema: {error}");
        reader.error("invalid-schema", node.at, message, "correct the schema; remote references are not followed");
        return None;
    }
    Some(schema)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(entries) => 1 + entries.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The node as it is, if it is JSON Schema: it has a `type` of that language, or `properties`.
fn as_json_schema(node: &Node) -> Option<Value> {
    let known = |name: &str| SCALARS.contains(&name) || matches!(name, "object" | "array");
    if matches!(node.get("type").map(|node| &node.kind), Some(Kind::Text(name)) if known(name)) {
        return Some(node.to_value());
    }
    if !matches!(node.get("properties").map(|node| &node.kind), Some(Kind::Map(_))) {
        return None;
    }
    let Value::Object(mut schema) = node.to_value() else { return None };
    schema.insert("type".to_owned(), "object".into());
    Some(Value::Object(schema))
}

fn pico(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Value> {
    match &node.kind {
        Kind::Text(text) => scalar(reader, text, node.at),
        // `null` without quotes is the type of that name.
        Kind::Null => Some(json!({"type": "null"})),
        Kind::Map(entries) => object(reader, entries),
        _ => {
            let message = format!("`{what}` must be a type or a mapping, found {}", node.kind_name());
            reader.error("invalid-schema", node.at, message, "write for instance `string, what it is`");
            None
        }
    }
}

/// `type` or `type, description`.
fn described(text: &str) -> (&str, Option<&str>) {
    match text.split_once(',') {
        Some((kind, description)) => (kind.trim(), Some(description.trim_start()).filter(|text| !text.is_empty())),
        None => (text.trim(), None),
    }
}

fn scalar(reader: &mut Reader<'_>, text: &str, at: Location) -> Option<Value> {
    let (kind, description) = described(text);
    if !SCALARS.contains(&kind) {
        let message = format!("unknown type `{kind}` in a schema");
        let help =
            format!("{}; a schema that code registers under a name is written out here", suggestion(kind, &SCALARS));
        reader.error("invalid-schema", at, message, help);
        return None;
    }
    let mut schema = Map::new();
    if kind != "any" {
        schema.insert("type".to_owned(), kind.into());
    }
    describe(&mut schema, description);
    Some(Value::Object(schema))
}

fn describe(schema: &mut Map<String, Value>, description: Option<&str>) {
    if let Some(description) = description {
        schema.insert("description".to_owned(), description.into());
    }
}

fn object(reader: &mut Reader<'_>, entries: &[(Key, Node)]) -> Option<Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut others = Value::Bool(false);
    let mut sound = true;
    for (key, node) in entries {
        if &*key.name == WILDCARD {
            match pico(reader, node, WILDCARD) {
                Some(schema) => others = schema,
                None => sound = false,
            }
            continue;
        }
        let name = key.name.split('(').next().unwrap_or_default().trim_end();
        let bare = name.strip_suffix('?');
        if bare.is_none() {
            required.push(Value::from(name));
        }
        match property(reader, key, node, bare.is_some()) {
            Some(schema) => {
                properties.insert(bare.unwrap_or(name).to_owned(), schema);
            }
            None => sound = false,
        }
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), Value::Array(required));
    }
    schema.insert("additionalProperties".to_owned(), others);
    sound.then_some(Value::Object(schema))
}

/// `name`, `name?`, `name(array)`, `name?(enum, what it is)` and so on.
fn property(reader: &mut Reader<'_>, key: &Key, node: &Node, optional: bool) -> Option<Value> {
    let Some((_, inside)) = key.name.split_once('(') else {
        let schema = pico(reader, node, &key.name)?;
        return Some(if optional { nullable(schema) } else { schema });
    };
    let (kind, description) = described(inside.strip_suffix(')').unwrap_or(inside));
    let schema = match kind {
        "array" => {
            let items = pico(reader, node, &key.name)?;
            Some(json!({"type": "array", "items": items}))
                .map(|schema| if optional { nullable(schema) } else { schema })
        }
        "object" => pico(reader, node, &key.name).map(|schema| if optional { nullable(schema) } else { schema }),
        "enum" => enumeration(reader, key, node, optional),
        _ => {
            let message = format!("unknown type `{kind}` in parentheses");
            let help = suggestion(kind, &["array", "object", "enum"]);
            reader.error("invalid-schema", key.at, message, help);
            None
        }
    };
    let mut schema = schema?;
    if let Value::Object(entries) = &mut schema {
        describe(entries, description);
    }
    Some(schema)
}

fn enumeration(reader: &mut Reader<'_>, key: &Key, node: &Node, optional: bool) -> Option<Value> {
    let Kind::List(_) = &node.kind else {
        let message = format!("`{}` must be a list of values, found {}", key.name, node.kind_name());
        reader.error("invalid-schema", node.at, message, "write the values it may have as a list");
        return None;
    };
    let Value::Array(mut values) = node.to_value() else { return None };
    if optional && !values.contains(&Value::Null) {
        values.push(Value::Null);
    }
    Some(json!({"enum": values}))
}

/// The schema, or null.
fn nullable(mut schema: Value) -> Value {
    if let Some(kind) = schema.get_mut("type")
        && kind.is_string()
    {
        *kind = json!([kind.take(), "null"]);
    }
    schema
}
