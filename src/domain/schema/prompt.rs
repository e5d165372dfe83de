//! The prompt file as editors see it: `.prompt.yml` and `.prompt.yaml`. Unknown keys are kept there, so they pass here.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use super::evaluator::Evaluator;
use super::{Anything, Model, Text};
use crate::domain::prompt::{github_models, parameters};

/// A prompt with its model, its messages and, if you like, its test cases.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", title = "PromptOps prompt file")]
pub struct PromptFile {
    /// What people call it; the file's name if absent.
    pub name: Option<Text>,
    /// What it is, for people.
    pub description: Option<Text>,
    /// The model it runs on, as provider/name.
    pub model: Option<Model>,
    /// How the answer is sampled.
    pub model_parameters: Option<ModelParameters>,
    /// What it says.
    #[schemars(length(min = 1))]
    pub messages: Vec<Message>,
    /// The form the answer must have.
    pub response_format: Option<ResponseFormat>,
    /// For `responseFormat: json_schema`: `name`, `schema` and perhaps `strict`, as a mapping or as JSON in a text.
    pub json_schema: Option<AnswerSchema>,
    /// Cases in the file itself: the variables of one, and `expected`.
    pub test_data: Option<Vec<BTreeMap<String, Anything>>>,
    /// What judges the answer of every case.
    pub evaluators: Option<Vec<Evaluator>>,
    /// Semantic version of the prompt.
    #[schemars(regex(pattern = r"^\d+\.\d+\.\d+"))]
    pub version: Option<String>,
    /// Who answers for it: `@user` or `@org/team`.
    #[schemars(regex(pattern = "^@"))]
    pub owner: Option<String>,
    /// What it is for.
    pub use_case: Option<Text>,
    /// Variables that the messages use.
    pub variables: Option<Variables>,
    /// A sample of a good answer.
    pub example_output: Option<Text>,
    /// Path of its golden set, relative to this file.
    #[schemars(regex(pattern = r"\.([yY][mM][lL]|[yY][aA][mM][lL]|[jJ][sS][oO][nN][lL]|[cC][sS][vV])$"))]
    pub golden_set: Option<String>,
    /// Free labels.
    pub tags: Option<Vec<Text>>,
    /// Tools the model may call, each in OpenAI's form.
    pub tools: Option<Vec<Tool>>,
}

/// A tool as OpenAI has it: `{type: function, function: {name, description, parameters}}`.
#[derive(JsonSchema)]
pub struct Tool {
    /// Always `function`.
    pub r#type: String,
    /// Its name, what it is for, and the schema of its arguments.
    pub function: Function,
}

/// A function that a model may call.
#[derive(JsonSchema)]
pub struct Function {
    /// What the model calls it.
    pub name: String,
    /// For the model.
    pub description: Option<String>,
    /// The JSON Schema of its arguments.
    pub parameters: Option<serde_json::Value>,
}

/// Sampling parameters; an absent one is the provider's default.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct ModelParameters {
    /// Longest answer, in tokens.
    #[schemars(range(min = 1))]
    pub max_tokens: Option<u32>,
    /// Sampling temperature.
    #[schemars(range(min = 0, max = 10))]
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    #[schemars(range(min = 0, max = 1))]
    pub top_p: Option<f64>,
    /// Sampling seed, where the provider takes one.
    pub seed: Option<u64>,
    /// A text that ends the answer, or several.
    pub stop: Option<Stop>,
}

/// One text or several.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Stop {
    /// One.
    One(Text),
    /// Several.
    Several(Vec<Text>),
}

/// One message.
#[derive(JsonSchema)]
pub struct Message {
    /// Who speaks, in any case.
    pub role: Role,
    /// What is said; `{{ name }}` is filled from the case's variables.
    pub content: Text,
}

/// Who speaks.
pub struct Role;

impl JsonSchema for Role {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Role".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Editors offer the first; any case is taken.
        let any_case = |role: &str| -> String {
            role.chars().map(|letter| format!("[{letter}{}]", letter.to_ascii_uppercase())).collect()
        };
        let pattern = format!("^({})$", github_models::ROLES.map(any_case).join("|"));
        json_schema!({ "anyOf": [{ "enum": github_models::ROLES }, { "type": "string", "pattern": pattern }] })
    }
}

/// The form of the answer.
pub struct ResponseFormat;

impl JsonSchema for ResponseFormat {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ResponseFormat".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": parameters::FORMATS })
    }
}

/// The schema of the answer.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum AnswerSchema {
    /// JSON in a text.
    Written(String),
    /// A mapping.
    Mapping {
        /// The schema's name.
        name: String,
        /// The schema itself.
        schema: BTreeMap<String, Anything>,
        /// Whether the provider must hold to it strictly.
        strict: Option<bool>,
    },
}

/// Name to what is known of the variable.
pub struct Variables;

impl JsonSchema for Variables {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Variables".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let variable = generator.subschema_for::<Variable>();
        json_schema!({
            "type": "object",
            "additionalProperties": { "anyOf": [variable, { "const": json!(null) }] },
        })
    }
}

/// One variable.
#[derive(JsonSchema)]
pub struct Variable {
    /// For people.
    pub description: Option<Text>,
    /// Whether a case must give it.
    pub required: Option<bool>,
    /// The value of a case that gives none.
    pub default: Option<Anything>,
    /// A sample value.
    pub example: Option<Anything>,
}
