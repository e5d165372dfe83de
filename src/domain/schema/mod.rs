//! JSON Schemas of the files people write and of the result, for editors and other programs. Mirrors what the readers take;
//! the readers decide. Knows no file system.

mod evaluator;
mod golden;
mod policy_tests;
mod prompt;
mod settings;
#[cfg(test)]
mod tests;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

pub use golden::{Case, GoldenSet};
pub use policy_tests::PolicyTests;
pub use prompt::{PromptFile, Variable};
pub use settings::Settings;

use super::report::json_v1;

/// Where editors find the schemas.
const HOME: &str = "https://raw.githubusercontent.com/promptops/promptops/main/schemas";

/// Every schema with the name of its file in `schemas/`.
#[must_use]
pub fn all() -> Vec<(&'static str, Value)> {
    let result = SchemaSettings::draft07().for_serialize().into_generator().into_root_schema_for::<json_v1::Result>();
    vec![
        named("prompt.schema.json", written::<PromptFile>()),
        named("golden-set.schema.json", written::<GoldenSet>()),
        named("case.schema.json", written::<Case>()),
        named("settings.schema.json", or_nothing(written::<Settings>())),
        named("policy-tests.schema.json", written::<PolicyTests>()),
        named("result.schema.json", result.to_value()),
    ]
}

/// The schema of a file that people write. A key without a value is an error of the file, so nothing may be null.
fn written<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.meta_schema = None);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    without_null(&mut schema);
    schema
}

/// Takes "or null", by which schemars says that a key may be left out, out of a schema. What may really be null says so by
/// `enum` or `const`, which stay.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            if let Some(Value::Array(types)) = entries.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    entries.insert("type".to_owned(), one);
                }
            }
            if let Some(Value::Array(choices)) = entries.get_mut("anyOf") {
                choices.retain(|choice| *choice != json!({ "type": "null" }));
                if choices.len() == 1 {
                    // Beside a bare `$ref` a description would not count.
                    let only = entries.shift_remove("anyOf").unwrap_or_default();
                    entries.insert("allOf".to_owned(), only);
                }
            }
            entries.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An empty file is valid.
fn or_nothing(mut schema: Value) -> Value {
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!(["object", "null"]);
    }
    schema
}

fn named(file: &'static str, mut schema: Value) -> (&'static str, Value) {
    if let Value::Object(entries) = &mut schema {
        entries.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
        entries.insert("$id".to_owned(), format!("{HOME}/{file}").into());
    }
    (file, schema)
}

/// A text; numbers, true and false count as the text they are written as.
pub struct Text;

impl JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// A model as `provider/name`.
pub struct Model;

impl JsonSchema for Model {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Model".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[^/]+/[^ ]+$", "examples": ["openai/gpt-4o-mini"] })
    }
}

/// Anything.
pub struct Anything;

impl JsonSchema for Anything {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Anything".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({})
    }
}
