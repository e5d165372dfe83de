//! Amazon's Converse format: one for all models that Bedrock serves.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::prompt::{ChatMessage, ResponseFormat, Role};
use crate::engine::provider::{CompletionRequest, ProviderError};
use crate::provider::form;
use crate::provider::media::{Medium, Piece, Sort, Source, pieces, system_text};
use crate::provider::refusal::unsupported;
use crate::provider::tools::Function;

/// Publishers on Bedrock whose models are held to a schema; Anthropic's only from 4.5 on. Others are told in words.
const WITH_STRUCTURED_OUTPUTS: [&str; 8] =
    ["qwen.", "deepseek.", "mistral.", "google.", "nvidia.", "minimax.", "moonshot", "openai."];
const CLAUDES_WITHOUT: [&str; 6] =
    ["claude-v", "claude-instant", "claude-3", "claude-opus-4-1", "claude-opus-4-2", "claude-sonnet-4-2"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Question<'q> {
    messages: Vec<Turn<'q>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Told>,
    #[serde(skip_serializing_if = "Inference::is_default")]
    inference_config: Inference<'q>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<ToolConfig<'q>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig<'q>>,
}

#[derive(Serialize)]
struct Turn<'q> {
    role: Role,
    content: Vec<Block<'q>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Block<'q> {
    Text(&'q str),
    Image { format: &'static str, source: Bytes<'q> },
    Document { format: &'static str, name: &'static str, source: Bytes<'q> },
}

/// Base64.
#[derive(Serialize)]
struct Bytes<'q> {
    bytes: &'q str,
}

#[derive(Serialize)]
struct Told {
    text: String,
}

#[derive(Serialize, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Inference<'q> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'q [String],
}

impl Inference<'_> {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Serialize)]
struct ToolConfig<'q> {
    tools: Vec<Tool<'q>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tool<'q> {
    tool_spec: ToolSpec<'q>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolSpec<'q> {
    name: &'q str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'q str>,
    input_schema: Json,
}

#[derive(Serialize)]
struct Json {
    json: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputConfig<'q> {
    text_format: TextFormat<'q>,
}

#[derive(Serialize)]
struct TextFormat<'q> {
    r#type: &'static str,
    structure: Structure<'q>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Structure<'q> {
    json_schema: Schema<'q>,
}

#[derive(Serialize)]
struct Schema<'q> {
    name: &'q str,
    /// JSON as text.
    schema: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub output: Output,
    pub stop_reason: Option<String>,
    pub usage: Option<Tokens>,
}

#[derive(Deserialize)]
pub(super) struct Output {
    pub message: Said,
}

#[derive(Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    pub content: Vec<Spoken>,
}

/// One block of the answer; of other kinds, such as a model's thoughts, neither field is there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spoken {
    pub text: Option<String>,
    pub tool_use: Option<ToolUse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolUse {
    pub tool_use_id: Option<String>,
    pub name: String,
    #[serde(default)]
    pub input: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tokens {
    pub input_tokens: Option<u32>,
    pub output_tokens: Option<u32>,
}

/// The question as it is sent.
///
/// # Errors
/// When the format has no way to say it.
pub(super) fn question<'q>(request: &'q CompletionRequest, vendor: &str) -> Result<Question<'q>, ProviderError> {
    let (system, said): (Vec<_>, Vec<_>) = request.messages.iter().partition(|message| message.role == Role::System);
    if said.is_empty() {
        return Err(unsupported(vendor, "a prompt without a user message", "add one"));
    }
    let output_config = output_config(request);
    let told = if output_config.is_some() { None } else { form::in_words(&request.response_format) };
    let system = system.into_iter().map(|message| system_text(message, vendor).map(str::to_owned));
    let system = system.chain(told.map(Ok)).map(|text| Ok(Told { text: text? }));
    let tools: Vec<Tool<'_>> = Function::all(request)?
        .into_iter()
        .map(|function| Tool {
            tool_spec: ToolSpec {
                name: function.name,
                description: function.description,
                input_schema: Json { json: function.schema() },
            },
        })
        .collect();
    let parameters = &request.parameters;
    Ok(Question {
        messages: said.into_iter().map(|message| turn(message, vendor)).collect::<Result<_, _>>()?,
        system: system.collect::<Result<_, _>>()?,
        inference_config: Inference {
            max_tokens: parameters.max_tokens,
            temperature: parameters.temperature,
            top_p: parameters.top_p,
            stop_sequences: &parameters.stop,
        },
        tool_config: (!tools.is_empty()).then_some(ToolConfig { tools }),
        output_config,
    })
}

/// A strict schema as a constraint, where the model can be held to one.
fn output_config(request: &CompletionRequest) -> Option<OutputConfig<'_>> {
    match &request.response_format {
        ResponseFormat::JsonSchema { name, schema, strict: Some(true) } if is_held_to_schemas(request.model.name()) => {
            let json_schema = Schema { name, schema: schema.to_string() };
            Some(OutputConfig {
                text_format: TextFormat { r#type: "json_schema", structure: Structure { json_schema } },
            })
        }
        _ => None,
    }
}

/// Ids read `publisher.model`, `region.publisher.model`, or an ARN that ends in one of them.
fn is_held_to_schemas(id: &str) -> bool {
    let id = id.rsplit('/').next().unwrap_or(id);
    match id.split_once("anthropic.") {
        Some((_, claude)) => !CLAUDES_WITHOUT.iter().any(|family| claude.starts_with(family)),
        None => WITH_STRUCTURED_OUTPUTS.iter().any(|publisher| {
            id.starts_with(publisher) || id.split_once('.').is_some_and(|(_, id)| id.starts_with(publisher))
        }),
    }
}

fn turn<'q>(message: &'q ChatMessage, vendor: &str) -> Result<Turn<'q>, ProviderError> {
    if message.role == Role::Tool {
        return Err(unsupported(vendor, "a tool's message", "write what it gave back as a user message"));
    }
    let blocks = pieces(message)?.into_iter().map(|piece| match piece {
        Piece::Text(text) => Ok(Block::Text(text)),
        Piece::Medium(medium) => block(&medium, vendor),
    });
    Ok(Turn { role: message.role, content: blocks.collect::<Result<_, _>>()? })
}

fn block<'q>(medium: &Medium<'q>, vendor: &str) -> Result<Block<'q>, ProviderError> {
    // Bedrock fetches from nowhere but S3.
    let Source::Inline { data, .. } = medium.source else { return Err(medium.refused(vendor)) };
    let source = Bytes { bytes: data };
    match (medium.sort(), medium.media_type) {
        (Sort::Image, Some("image/png")) => Ok(Block::Image { format: "png", source }),
        (Sort::Image, Some("image/jpeg" | "image/jpg")) => Ok(Block::Image { format: "jpeg", source }),
        (Sort::Image, Some("image/gif")) => Ok(Block::Image { format: "gif", source }),
        (Sort::Image, Some("image/webp")) => Ok(Block::Image { format: "webp", source }),
        (Sort::Document, Some("application/pdf")) => Ok(Block::Document { format: "pdf", name: "document", source }),
        _ => Err(medium.refused(vendor)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_hold_the_models_that_know_them() {
        for id in [
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
            "qwen.qwen3-32b-v1:0",
        ] {
            assert!(is_held_to_schemas(id), "{id}");
        }
        for id in [
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            "amazon.nova-lite-v1:0",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0",
            "meta.llama3-70b-instruct-v1:0",
        ] {
            assert!(!is_held_to_schemas(id), "{id}");
        }
    }
}
