//! An evaluator as editors see it, made from the readers' own tables: a kind that is added there is taken here.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::domain::evaluator_syntax::{OPTIONS, github, spellings};

/// Kinds whose value is one text.
const TEXTS: [&str; 6] = ["contains", "not_contains", "icontains", "starts_with", "ends_with", "regex"];

/// One item of an `evaluators` list.
pub struct Evaluator;

impl JsonSchema for Evaluator {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Evaluator".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kinds = spellings();
        let properties: Map<String, Value> = kinds.iter().map(|kind| (kind.clone(), value(kind))).collect();
        let ours = json!({
            "type": "object",
            "description": "One key: what is checked; its value bare, or in a mapping with options.",
            "properties": properties,
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        });
        let bare = json!({ "enum": kinds, "description": "A check that needs no value." });
        Schema::try_from(json!({
            "description": "One check of the answer.",
            "anyOf": [ours, bare, github_form()],
        }))
        .unwrap_or_default()
    }
}

/// The options that every kind has.
fn options() -> Map<String, Value> {
    let shape = |option: &str| match option {
        "weight" => json!({ "type": "number", "minimum": 0, "description": "Share in the score; 0 informs only." }),
        "threshold" => json!({ "type": "number", "description": "Lowest score that passes." }),
        "metric" => json!({ "type": "string", "description": "The named metric it counts towards." }),
        _ => json!({ "type": ["string", "number", "boolean"], "description": "What reports call it." }),
    };
    OPTIONS.iter().map(|option| ((*option).to_owned(), shape(option))).collect()
}

/// What may stand behind a kind's key. Of most the reader alone knows all; their options are offered.
fn value(kind: &str) -> Value {
    let mut properties = options();
    if !TEXTS.contains(&kind) {
        return json!({ "anyOf": [{ "type": "object", "properties": properties }, true] });
    }
    let text = json!({ "type": ["string", "number", "boolean"], "minLength": 1 });
    properties.insert("value".to_owned(), text.clone());
    json!({
        "anyOf": [
            text,
            { "type": "object", "properties": properties, "required": ["value"], "additionalProperties": false },
        ],
    })
}

/// GitHub's form: a name, and one of three keys.
fn github_form() -> Value {
    let mut properties = options();
    for kind in github::KINDS {
        let shape = match kind {
            "string" => {
                let text = json!({ "anyOf": [{ "type": ["string", "number", "boolean"] }, { "const": null }] });
                let operators: Map<String, Value> =
                    github::OPERATORS.iter().map(|(name, _)| ((*name).to_owned(), text.clone())).collect();
                json!({ "type": "object", "properties": operators, "minProperties": 1 })
            }
            "uses" => json!({ "enum": github::BUILTINS.map(|(name, _)| name) }),
            _ => llm(),
        };
        properties.insert(kind.to_owned(), json!({ "anyOf": [shape, { "const": null }] }));
    }
    let one_of_them: Vec<Value> = github::KINDS.iter().map(|kind| json!({ "required": [kind] })).collect();
    json!({
        "type": "object",
        "description": "GitHub's form: `name` and one of `string`, `llm`, `uses`.",
        "properties": properties,
        "anyOf": one_of_them,
    })
}

fn llm() -> Value {
    json!({
        "type": "object",
        "required": ["prompt", "choices"],
        "properties": {
            "modelId": { "type": "string", "description": "The judge's model, as provider/name." },
            "systemPrompt": { "type": "string" },
            "prompt": { "type": "string", "description": "The question; `{{completion}}` is the answer to judge." },
            "choices": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["choice", "score"],
                    "properties": {
                        "choice": { "type": ["string", "number", "boolean"] },
                        "score": { "type": "number", "minimum": 0, "maximum": 1 },
                    },
                },
            },
        },
    })
}
