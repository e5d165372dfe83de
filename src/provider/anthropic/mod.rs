//! Anthropic's messages format. Knows no key names. The format has no seed: a prompt's seed is not sent.

mod content;

use std::borrow::Cow;

use reqwest::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::form;
use super::http::{Endpoint, Http};
use super::listing::ModelList;
use super::media::system_text;
use super::refusal::unsupported;
use super::tools::{Call, said_or_called};
use crate::domain::prompt::{ResponseFormat, Role};
use crate::engine::provider::{Completion, CompletionRequest, ProviderError, Task};
use content::{Tool, Turn};

/// The version of the format, which every call names.
const VERSION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01"));

/// The format demands a limit; this stands in for a prompt that names none.
const DEFAULT_MAX_TOKENS: u32 = 4096;

/// Models without `output_config.format`, by the start of their names; they are told in words.
const WITHOUT_STRUCTURED_OUTPUTS: [&str; 7] = [
    "claude-2",
    "claude-3",
    "claude-opus-4-0",
    "claude-opus-4-1",
    "claude-opus-4-2",
    "claude-sonnet-4-0",
    "claude-sonnet-4-2",
];

/// Anthropic, or a gateway that speaks its format.
#[derive(Debug)]
pub(super) struct Anthropic {
    http: Http,
    endpoint: Endpoint,
}

#[derive(Debug, Serialize)]
struct Question<'q> {
    model: &'q str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<Cow<'q, str>>,
    messages: Vec<Turn<'q>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'q [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig<'q>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'q>>,
}

#[derive(Debug, Serialize)]
struct OutputConfig<'q> {
    format: Format<'q>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format<'q> {
    JsonSchema { schema: &'q Value },
}

#[derive(Deserialize)]
struct Answer {
    content: Vec<Block>,
    stop_reason: Option<String>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    ToolUse {
        id: Option<String>,
        name: String,
        #[serde(default)]
        input: Value,
    },
    /// A model's thoughts, for one.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Tokens {
    input_tokens: Option<u32>,
    output_tokens: Option<u32>,
}

impl Anthropic {
    pub fn new(http: Http, endpoint: Endpoint) -> Self {
        let (name, value) = VERSION;
        Self { http, endpoint: endpoint.with_header(name, value) }
    }

    /// Which models there are.
    pub async fn models(&self) -> Result<ModelList, ProviderError> {
        self.http.get(&self.endpoint, "/v1/models").await
    }

    /// Asks once.
    pub async fn complete(&self, request: &CompletionRequest) -> Result<Completion, ProviderError> {
        let vendor = self.endpoint.vendor();
        if request.task == Task::Embed {
            let help = "name an embedding model of another provider";
            return Err(unsupported(vendor, "a text to embed", help));
        }
        let question = question(request, vendor)?;
        let answered = self.http.post::<_, Answer>(&self.endpoint, "/v1/messages", &question).await?;
        let (answer, latency_ms, rate) = (answered.answer, answered.latency_ms, answered.rate);
        let (mut said, mut calls) = (String::new(), Vec::new());
        for block in answer.content {
            match block {
                Block::Text { text } => said.push_str(&text),
                Block::ToolUse { id, name, input } => calls.push(Call::new(id, name, input.to_string())),
                Block::Other => {}
            }
        }
        let text = said_or_called(said, &calls);
        let (input_tokens, output_tokens) =
            answer.usage.map_or((None, None), |tokens| (tokens.input_tokens, tokens.output_tokens));
        Ok(Completion {
            text: text.into(),
            finish_reason: answer.stop_reason,
            input_tokens,
            output_tokens,
            latency_ms,
            rate,
        })
    }
}

fn question<'q>(request: &'q CompletionRequest, vendor: &str) -> Result<Question<'q>, ProviderError> {
    let (system, messages): (Vec<_>, Vec<_>) =
        request.messages.iter().partition(|message| message.role == Role::System);
    if messages.is_empty() {
        return Err(unsupported(vendor, "a prompt without a user message", "add one"));
    }
    let model = request.model.name();
    let (told, output_config) = form(&request.response_format, model);
    let parts = system.into_iter().map(|message| system_text(message, vendor).map(Cow::Borrowed));
    let mut parts = parts.collect::<Result<Vec<Cow<'_, str>>, _>>()?;
    parts.extend(told.map(Cow::Owned));
    let system = match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(Cow::Owned(parts.join("\n\n"))),
    };
    let parameters = &request.parameters;
    Ok(Question {
        model,
        max_tokens: parameters.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS),
        system,
        messages: messages.into_iter().map(|message| Turn::of(message, vendor)).collect::<Result<_, _>>()?,
        temperature: parameters.temperature,
        top_p: parameters.top_p,
        stop_sequences: &parameters.stop,
        output_config,
        tools: Tool::all(request)?,
    })
}

/// How the answer's form is asked for: in words, or, for a strict schema on a model that can, as a constraint. A schema
/// that is not strict may use what the constraint does not support, so it goes in words as well.
fn form<'q>(format: &'q ResponseFormat, model: &str) -> (Option<String>, Option<OutputConfig<'q>>) {
    let constrains = !WITHOUT_STRUCTURED_OUTPUTS.iter().any(|family| model.starts_with(family));
    match format {
        ResponseFormat::JsonSchema { schema, strict: Some(true), .. } if constrains => {
            (None, Some(OutputConfig { format: Format::JsonSchema { schema } }))
        }
        _ => (form::in_words(format), None),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::domain::gate::Lane;
    use crate::domain::ids::ModelId;
    use crate::domain::prompt::{ChatMessage, Parameters};
    use crate::engine::provider::{Sample, Task};

    fn request(model: &str, said: &[(Role, &str)], response_format: ResponseFormat) -> CompletionRequest {
        CompletionRequest {
            model: ModelId::parse(model).unwrap(),
            messages: said.iter().map(|(role, text)| ChatMessage::text(*role, *text)).collect(),
            parameters: Parameters { seed: Some(7), ..Parameters::default() },
            response_format,
            tools: [].into(),
            task: Task::Chat,
            sample: Sample { lane: Lane::Suite, index: 0 },
        }
    }

    #[test]
    fn the_system_text_is_lifted_out_and_a_limit_is_always_sent() {
        let said = [(Role::System, "Be brief."), (Role::User, "Hi"), (Role::System, "Be kind.")];
        let request = request("anthropic/claude-haiku-4-5", &said, ResponseFormat::Text);
        assert_eq!(
            serde_json::to_value(question(&request, "anthropic").unwrap()).unwrap(),
            json!({
                "model": "claude-haiku-4-5",
                "max_tokens": 4096,
                "system": "Be brief.\n\nBe kind.",
                "messages": [{"role": "user", "content": "Hi"}],
            })
        );
    }

    #[test]
    fn a_strict_schema_is_a_constraint_where_the_model_knows_it_and_words_elsewhere() {
        let schema = Arc::new(json!({"type": "object"}));
        let format = || ResponseFormat::JsonSchema { name: "x".into(), schema: schema.clone(), strict: Some(true) };
        let sent = |model: &str| {
            let request = request(model, &[(Role::User, "Hi")], format());
            serde_json::to_value(question(&request, "anthropic").unwrap()).unwrap()
        };
        let modern = sent("anthropic/claude-sonnet-4-5-20250929");
        assert_eq!(modern["output_config"]["format"], json!({"type": "json_schema", "schema": {"type": "object"}}));
        assert!(modern.get("system").is_none());
        let older = sent("anthropic/claude-sonnet-4-20250514");
        assert!(older.get("output_config").is_none());
        assert!(older["system"].as_str().unwrap().ends_with(r#"{"type":"object"}"#));
    }

    #[test]
    fn a_prompt_without_a_user_message_is_given_up_with_what_to_do() {
        let request = request("anthropic/claude-haiku-4-5", &[(Role::System, "Be brief.")], ResponseFormat::Text);
        assert!(question(&request, "anthropic").unwrap_err().to_string().ends_with("add one"));
    }
}
