//! Servers that speak OpenAI's formats: OpenAI, Azure, Ollama, vLLM and most gateways. Knows no key names.

mod chat;
mod embedding;
mod responses;
mod turn;

pub(super) use responses::Responses;

use serde::Serialize;
use serde_json::Value;

use super::http::{Endpoint, Http, segment};
use super::listing::ModelList;
use crate::domain::prompt::ResponseFormat;
use crate::engine::provider::{Completion, CompletionRequest, ProviderError, Task};

/// A server of this family.
#[derive(Debug)]
pub(super) struct OpenAi {
    http: Http,
    endpoint: Endpoint,
    dialect: Dialect,
}

/// How servers of the family differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Chat completions with the model's name in the body.
    Chat,
    /// The same, and the answer's limit always under its newer name.
    NewerChat,
    /// Azure's dated interface, where a deployment is part of the path.
    Deployments,
}

impl OpenAi {
    pub fn new(http: Http, endpoint: Endpoint, dialect: Dialect) -> Self {
        Self { http, endpoint, dialect }
    }

    /// Asks once, for the model of this name at the server.
    pub async fn complete(&self, request: &CompletionRequest, model: &str) -> Result<Completion, ProviderError> {
        match request.task {
            Task::Embed => self.embed(request, model).await,
            Task::Chat => self.chat(request, model).await,
        }
    }

    /// Which models there are.
    pub async fn models(&self) -> Result<ModelList, ProviderError> {
        self.http.get(&self.endpoint, "/models").await
    }

    /// Where a question to a model goes.
    fn path(&self, model: &str, door: &str) -> String {
        match self.dialect {
            Dialect::Deployments => format!("/deployments/{}{door}", segment(model)),
            Dialect::Chat | Dialect::NewerChat => door.to_owned(),
        }
    }
}

/// The form of the answer as chat completions want it.
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

impl<'q> Format<'q> {
    fn of(format: &'q ResponseFormat) -> Option<Self> {
        match format {
            ResponseFormat::Text => None,
            ResponseFormat::JsonObject => Some(Self::JsonObject),
            ResponseFormat::JsonSchema { name, schema, strict } => {
                Some(Self::JsonSchema { json_schema: Schema { name, schema, strict: *strict } })
            }
        }
    }
}
