//! Google's Gemini format: `generateContent` and `embedContent`. Knows no key names.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::embedding;
use super::http::{Endpoint, Http, segment};
use super::listing::ModelList;
use super::media::{Medium, Piece, Source, pieces, system_text};
use super::refusal::unsupported;
use super::tools::{Call, Function, said_or_called};
use crate::domain::prompt::{ChatMessage, Parameters, ResponseFormat, Role};
use crate::engine::provider::{Completion, CompletionRequest, ProviderError, Task};

/// Google's Gemini interface, or a gateway that speaks it.
#[derive(Debug)]
pub(super) struct Gemini {
    http: Http,
    endpoint: Endpoint,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'q> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'q>>,
    contents: Vec<Content<'q>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tools<'q>>,
    #[serde(skip_serializing_if = "Generation::is_default")]
    generation_config: Generation<'q>,
}

#[derive(Serialize)]
struct Content<'q> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<Part<'q>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Part<'q> {
    Text(&'q str),
    #[serde(rename_all = "camelCase")]
    InlineData {
        mime_type: &'q str,
        data: &'q str,
    },
    #[serde(rename_all = "camelCase")]
    FileData {
        mime_type: &'q str,
        file_uri: &'q str,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tools<'q> {
    function_declarations: Vec<Declaration<'q>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Declaration<'q> {
    name: &'q str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'q str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<&'q Value>,
}

#[derive(Serialize, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Generation<'q> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'q [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<&'q Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    candidates: Vec<Candidate>,
    prompt_feedback: Option<Feedback>,
    usage_metadata: Option<Usage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Said>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    parts: Vec<Spoken>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spoken {
    text: Option<String>,
    /// Whether the text is a thought, which is no answer.
    #[serde(default)]
    thought: bool,
    function_call: Option<Called>,
}

#[derive(Deserialize)]
struct Called {
    id: Option<String>,
    name: String,
    #[serde(default)]
    args: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    prompt_token_count: Option<u32>,
    candidates_token_count: Option<u32>,
    /// Billed as part of the answer.
    thoughts_token_count: Option<u32>,
}

#[derive(Serialize)]
struct Embed<'q> {
    content: Content<'q>,
}

#[derive(Deserialize)]
struct Embedded {
    embedding: Vector,
}

#[derive(Deserialize)]
struct Vector {
    #[serde(default)]
    values: Vec<f64>,
}

impl Gemini {
    pub fn new(http: Http, endpoint: Endpoint) -> Self {
        Self { http, endpoint }
    }

    /// Which models there are.
    pub async fn models(&self) -> Result<ModelList, ProviderError> {
        self.http.get(&self.endpoint, "/v1beta/models").await
    }

    /// Asks once.
    pub async fn complete(&self, request: &CompletionRequest) -> Result<Completion, ProviderError> {
        match request.task {
            Task::Embed => self.embed(request).await,
            Task::Chat => self.generate(request).await,
        }
    }

    async fn generate(&self, request: &CompletionRequest) -> Result<Completion, ProviderError> {
        let vendor = self.endpoint.vendor();
        let question = question(request, vendor)?;
        let path = path(request, "generateContent");
        let answered = self.http.post::<_, Answer>(&self.endpoint, &path, &question).await?;
        let (answer, latency_ms, rate) = (answered.answer, answered.latency_ms, answered.rate);
        let Some(Candidate { content, finish_reason }) = answer.candidates.into_iter().next() else {
            return match answer.prompt_feedback.and_then(|feedback| feedback.block_reason) {
                Some(reason) => Err(self.withheld(&reason)),
                None => Err(self.endpoint.garbage("no candidates")),
            };
        };
        let pieces = content.map(|content| content.parts).unwrap_or_default();
        let (said, calls) = pieces.into_iter().filter(|piece| !piece.thought).fold(
            (String::new(), Vec::new()),
            |(mut said, mut calls), piece| {
                said.push_str(piece.text.as_deref().unwrap_or_default());
                calls.extend(piece.function_call.map(|call| Call::new(call.id, call.name, call.args.to_string())));
                (said, calls)
            },
        );
        let text = said_or_called(said, &calls);
        match finish_reason.as_deref() {
            Some(reason) if text.is_empty() && !matches!(reason, "STOP" | "MAX_TOKENS") => {
                return Err(self.withheld(reason));
            }
            _ => {}
        }
        let usage = answer.usage_metadata;
        let output = usage.as_ref().and_then(|usage| {
            let thoughts = usage.thoughts_token_count.unwrap_or(0);
            usage.candidates_token_count.or(Some(0).filter(|_| thoughts > 0)).map(|said| said.saturating_add(thoughts))
        });
        Ok(Completion {
            text: text.into(),
            finish_reason,
            input_tokens: usage.and_then(|usage| usage.prompt_token_count),
            output_tokens: output,
            latency_ms,
            rate,
        })
    }

    async fn embed(&self, request: &CompletionRequest) -> Result<Completion, ProviderError> {
        let content = Content { role: None, parts: vec![Part::Text(embedding::text(request)?)] };
        let path = path(request, "embedContent");
        let answered = self.http.post::<_, Embedded>(&self.endpoint, &path, &Embed { content }).await?;
        let vector = answered.answer.embedding.values;
        if vector.is_empty() {
            return Err(self.endpoint.garbage("no embedding"));
        }
        Ok(embedding::completion(&vector, None, answered.latency_ms, answered.rate))
    }

    fn withheld(&self, reason: &str) -> ProviderError {
        let (vendor, reason) = (self.endpoint.vendor(), self.endpoint.bearable(reason));
        let message = format!("{vendor} withheld the answer ({reason}): change the prompt or the case");
        ProviderError::GiveUp { message }
    }
}

/// Where a model's question goes; the name may hold anything.
fn path(request: &CompletionRequest, verb: &str) -> String {
    let name = request.model.name();
    format!("/v1beta/models/{}:{verb}", segment(name.strip_prefix("models/").unwrap_or(name)))
}

fn question<'q>(request: &'q CompletionRequest, vendor: &str) -> Result<Question<'q>, ProviderError> {
    let (system, said): (Vec<_>, Vec<_>) = request.messages.iter().partition(|message| message.role == Role::System);
    if said.is_empty() {
        return Err(unsupported(vendor, "a prompt without a user message", "add one"));
    }
    let system = system.into_iter().map(|message| system_text(message, vendor).map(Part::Text));
    let system = system.collect::<Result<Vec<_>, _>>()?;
    let functions = Function::all(request)?;
    let declarations = functions.iter().map(|function| Declaration {
        name: function.name,
        description: function.description,
        parameters_json_schema: function.parameters,
    });
    Ok(Question {
        system_instruction: (!system.is_empty()).then_some(Content { role: None, parts: system }),
        contents: said.into_iter().map(|message| content(message, vendor)).collect::<Result<_, _>>()?,
        tools: match functions.is_empty() {
            true => Vec::new(),
            false => vec![Tools { function_declarations: declarations.collect() }],
        },
        generation_config: Generation::of(&request.parameters, &request.response_format),
    })
}

fn content<'q>(message: &'q ChatMessage, vendor: &str) -> Result<Content<'q>, ProviderError> {
    let role = match message.role {
        Role::Assistant => "model",
        Role::Tool => return Err(unsupported(vendor, "a tool's message", "write what it gave back as a user message")),
        Role::User | Role::System => "user",
    };
    let parts = pieces(message)?.into_iter().map(|piece| match piece {
        Piece::Text(text) => Ok(Part::Text(text)),
        Piece::Medium(Medium { media_type: Some(mime_type), source }) => Ok(match source {
            Source::Inline { data, .. } => Part::InlineData { mime_type, data },
            Source::Remote(file_uri) => Part::FileData { mime_type, file_uri },
        }),
        Piece::Medium(medium) => Err(medium.refused(vendor)),
    });
    Ok(Content { role: Some(role), parts: parts.collect::<Result<_, _>>()? })
}

impl<'q> Generation<'q> {
    fn of(parameters: &'q Parameters, format: &'q ResponseFormat) -> Self {
        let (response_mime_type, response_json_schema) = match format {
            ResponseFormat::Text => (None, None),
            ResponseFormat::JsonObject => (Some("application/json"), None),
            ResponseFormat::JsonSchema { schema, .. } => (Some("application/json"), Some(&**schema)),
        };
        Self {
            max_output_tokens: parameters.max_tokens,
            temperature: parameters.temperature,
            top_p: parameters.top_p,
            seed: parameters.seed,
            stop_sequences: &parameters.stop,
            response_mime_type,
            response_json_schema,
        }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
