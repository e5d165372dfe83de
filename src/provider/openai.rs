//! The OpenAI chat completions format, which vLLM, Ollama, llama.cpp and most gateways speak too. Knows no key names.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::http::{Endpoint, Http};
use super::turn::Turn;
use crate::domain::prompt::ResponseFormat;
use crate::engine::provider::{Completion, CompletionRequest, ProviderError};

/// A server of this format.
#[derive(Debug)]
pub(super) struct OpenAi {
    http: Http,
    endpoint: Endpoint,
}

#[derive(Serialize)]
struct Question<'q> {
    model: &'q str,
    messages: Vec<Turn<'q>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'q [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Format<'q>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format<'q> {
    JsonObject,
    JsonSchema { json_schema: Schema<'q> },
}

#[derive(Serialize)]
struct Schema<'q> {
    name: &'q str,
    schema: &'q Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<Content>,
    refusal: Option<String>,
}

/// A text; some gateways send it in parts, of which those that are not text (a model's thoughts) are no answer.
struct Content(String);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Array(parts) => {
                Ok(Self(parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str)).collect()))
            }
            _ => Err(serde::de::Error::custom("the content is neither a text nor a list of parts")),
        }
    }
}

#[derive(Deserialize)]
struct Tokens {
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
}

impl OpenAi {
    pub fn new(http: Http, endpoint: Endpoint) -> Self {
        Self { http, endpoint }
    }

    /// Asks once, for the model of this name at the server.
    pub async fn complete(&self, request: &CompletionRequest, model: &str) -> Result<Completion, ProviderError> {
        let question = self.question(request, model);
        let (answer, latency_ms): (Answer, u32) = self.http.post(&self.endpoint, &question).await?;
        let Some(Choice { message, finish_reason }) = answer.choices.into_iter().next() else {
            return Err(self.endpoint.garbage("no choices"));
        };
        if message.content.is_none() && finish_reason.as_deref() == Some("content_filter") {
            let message = format!("{} withheld the answer: its content filter objects", self.endpoint.vendor());
            return Err(ProviderError::GiveUp { message });
        }
        // A refusal is what the prompt's user would read, so it is judged like any answer.
        let text = message.content.map(|content| content.0).or(message.refusal).unwrap_or_default();
        let (input_tokens, output_tokens) =
            answer.usage.map_or((None, None), |tokens| (tokens.prompt_tokens, tokens.completion_tokens));
        Ok(Completion { text: text.into(), finish_reason, input_tokens, output_tokens, latency_ms, rate: None })
    }

    fn question<'q>(&self, request: &'q CompletionRequest, model: &'q str) -> Question<'q> {
        let parameters = &request.parameters;
        let renamed = takes_max_completion_tokens(self.endpoint.host(), model);
        Question {
            model,
            messages: request.messages.iter().map(Turn::of).collect(),
            max_tokens: parameters.max_tokens.filter(|_| !renamed),
            max_completion_tokens: parameters.max_tokens.filter(|_| renamed),
            temperature: parameters.temperature,
            top_p: parameters.top_p,
            seed: parameters.seed,
            stop: &parameters.stop,
            response_format: match &request.response_format {
                ResponseFormat::Text => None,
                ResponseFormat::JsonObject => Some(Format::JsonObject),
                ResponseFormat::JsonSchema { name, schema, strict } => {
                    Some(Format::JsonSchema { json_schema: Schema { name, schema, strict: *strict } })
                }
            },
        }
    }
}

/// OpenAI deprecated `max_tokens` and refuses it on its reasoning models; most other servers know only the old name.
fn takes_max_completion_tokens(host: &str, model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    host == "api.openai.com" || ["o1", "o3", "o4", "gpt-5"].iter().any(|family| name.starts_with(family))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, model: &str, expected: bool) {
        assert_eq!(takes_max_completion_tokens(host, model), expected, "{model} at {host}");
    }

    #[test]
    fn the_limit_goes_under_the_name_the_server_knows() {
        check("api.openai.com", "gpt-4o", true);
        check("127.0.0.1", "gpt-4o", false);
        check("gateway.example", "openai/gpt-5-mini", true);
        check("gateway.example", "meta/llama-3", false);
    }

    #[test]
    fn content_in_parts_is_joined() {
        let read = |json: &str| serde_json::from_str::<Content>(json).map(|content| content.0).ok();
        assert_eq!(read(r#""hi""#).as_deref(), Some("hi"));
        let parts = r#"[{"type":"thinking"},{"type":"text","text":"a"},{"type":"text","text":"b"}]"#;
        assert_eq!(read(parts).as_deref(), Some("ab"));
        assert_eq!(read("7"), None);
    }
}
