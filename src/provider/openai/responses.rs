//! OpenAI's responses format, for models that chat completions do not serve. It has neither a seed, which is not sent, nor
//! texts that end the answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::prompt::{ChatMessage, ResponseFormat, Role};
use crate::engine::provider::{Completion, CompletionRequest, ProviderError, Task};
use crate::provider::http::{Endpoint, Http};
use crate::provider::listing::ModelList;
use crate::provider::media::{Piece, Sort, Source, pieces};
use crate::provider::refusal::unsupported;
use crate::provider::tools::{Call, Function, said_or_called};

/// A server of this format.
#[derive(Debug)]
pub(in crate::provider) struct Responses {
    http: Http,
    endpoint: Endpoint,
}

#[derive(Serialize)]
struct Question<'q> {
    model: &'q str,
    input: Vec<Turn<'q>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'q>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'q>>,
    /// The vendor keeps nothing that a case holds.
    store: bool,
}

#[derive(Serialize)]
struct Turn<'q> {
    role: Role,
    content: Content<'q>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'q> {
    Text(&'q str),
    Parts(Vec<Part<'q>>),
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Part<'q> {
    #[serde(rename = "input_text")]
    Text { text: &'q str },
    #[serde(rename = "input_image")]
    Image { image_url: &'q str },
    #[serde(rename = "input_file")]
    File { filename: &'static str, file_data: &'q str },
}

#[derive(Serialize)]
struct Text<'q> {
    format: Format<'q>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format<'q> {
    JsonObject,
    JsonSchema {
        name: &'q str,
        schema: &'q Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
}

#[derive(Serialize)]
struct Tool<'q> {
    r#type: &'static str,
    name: &'q str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'q str>,
    parameters: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Deserialize)]
struct Answer {
    output: Vec<Item>,
    incomplete_details: Option<Incomplete>,
    error: Option<Failed>,
    usage: Option<Tokens>,
}

/// One item of the answer. Items of other types, such as a model's thoughts, are no answer.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Item {
    Message {
        #[serde(default)]
        content: Vec<Said>,
    },
    FunctionCall {
        call_id: Option<String>,
        name: String,
        arguments: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Said {
    text: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Failed {
    code: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    input_tokens: Option<u32>,
    output_tokens: Option<u32>,
}

impl Responses {
    pub fn new(http: Http, endpoint: Endpoint) -> Self {
        Self { http, endpoint }
    }

    /// Which models there are.
    pub async fn models(&self) -> Result<ModelList, ProviderError> {
        self.http.get(&self.endpoint, "/models").await
    }

    /// Asks once.
    pub async fn complete(&self, request: &CompletionRequest) -> Result<Completion, ProviderError> {
        let vendor = self.endpoint.vendor();
        if request.task == Task::Embed {
            return Err(unsupported(vendor, "a text to embed", "use the same model as openai/…"));
        }
        let question = question(request, vendor)?;
        let answered = self.http.post::<_, Answer>(&self.endpoint, "/responses", &question).await?;
        let answer = answered.answer;
        if let Some(Failed { code, message }) = answer.error {
            return Err(self.failed(&code.unwrap_or_default(), &message.unwrap_or_default()));
        }
        let (mut said, mut calls) = (String::new(), Vec::new());
        for item in answer.output {
            match item {
                Item::Message { content } => {
                    said.extend(content.into_iter().filter_map(|part| part.text.or(part.refusal)));
                }
                Item::FunctionCall { call_id, name, arguments } => calls.push(Call::new(call_id, name, arguments)),
                Item::Other => {}
            }
        }
        let cut = answer.incomplete_details.and_then(|details| details.reason);
        if cut.as_deref() == Some("content_filter") && said.is_empty() {
            let message = format!("{vendor} withheld the answer: its content filter objects");
            return Err(ProviderError::GiveUp { message });
        }
        let ended = if calls.is_empty() { "stop" } else { "tool_calls" };
        let (input_tokens, output_tokens) =
            answer.usage.map_or((None, None), |tokens| (tokens.input_tokens, tokens.output_tokens));
        Ok(Completion {
            text: said_or_called(said, &calls).into(),
            finish_reason: Some(cut.unwrap_or_else(|| ended.to_owned())),
            input_tokens,
            output_tokens,
            latency_ms: answered.latency_ms,
            rate: answered.rate,
        })
    }

    /// A failure that comes as an answer.
    fn failed(&self, code: &str, message: &str) -> ProviderError {
        let message = format!("{} failed: {}", self.endpoint.vendor(), self.endpoint.bearable(message));
        match code {
            "server_error" | "rate_limit_exceeded" => ProviderError::Retry { message, after: None },
            _ => ProviderError::GiveUp { message: format!("{message}: change the prompt, its parameters or the case") },
        }
    }
}

fn question<'q>(request: &'q CompletionRequest, vendor: &str) -> Result<Question<'q>, ProviderError> {
    let parameters = &request.parameters;
    if !parameters.stop.is_empty() {
        return Err(unsupported(vendor, "`stop`", "leave it out, or use the model as openai/…"));
    }
    let tools = Function::all(request)?.into_iter().map(|function| Tool {
        r#type: "function",
        name: function.name,
        description: function.description,
        parameters: function.schema(),
        strict: function.strict,
    });
    Ok(Question {
        model: request.model.name(),
        input: request.messages.iter().map(|message| turn(message, vendor)).collect::<Result<_, _>>()?,
        max_output_tokens: parameters.max_tokens,
        temperature: parameters.temperature,
        top_p: parameters.top_p,
        text: match &request.response_format {
            ResponseFormat::Text => None,
            ResponseFormat::JsonObject => Some(Format::JsonObject),
            ResponseFormat::JsonSchema { name, schema, strict } => {
                Some(Format::JsonSchema { name, schema, strict: *strict })
            }
        }
        .map(|format| Text { format }),
        tools: tools.collect(),
        store: false,
    })
}

fn turn<'q>(message: &'q ChatMessage, vendor: &str) -> Result<Turn<'q>, ProviderError> {
    if message.role == Role::Tool {
        return Err(unsupported(vendor, "a tool's message", "write what it gave back as a user message"));
    }
    if message.parts.is_empty() {
        return Ok(Turn { role: message.role, content: Content::Text(&message.content) });
    }
    let parts = pieces(message)?.into_iter().map(|piece| match piece {
        Piece::Text(text) => Ok(Part::Text { text }),
        Piece::Medium(medium) => match (medium.sort(), medium.source) {
            (Sort::Image | Sort::Unknown, Source::Inline { url, .. } | Source::Remote(url)) => {
                Ok(Part::Image { image_url: url })
            }
            (Sort::Document, Source::Inline { url, .. }) if medium.media_type == Some("application/pdf") => {
                Ok(Part::File { filename: "document.pdf", file_data: url })
            }
            _ => Err(medium.refused(vendor)),
        },
    });
    Ok(Turn { role: message.role, content: Content::Parts(parts.collect::<Result<_, _>>()?) })
}
