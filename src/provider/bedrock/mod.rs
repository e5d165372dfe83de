//! Amazon Bedrock: its Converse interface, signed with account keys or opened with a key of its own. Knows no key names.

mod signature;
mod wire;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use signature::AwsKeys;

use super::embedding;
use super::http::{self, Answered, Endpoint, Http, segment};
use super::refusal::unsupported;
use super::tools::{Call, said_or_called};
use crate::domain::date;
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::provider::{Completion, CompletionRequest, ProviderError, Task};
use signature::{Scope, authorization};

const AUTHORIZATION: &str = "authorization";
const DATE: &str = "x-amz-date";
const TOKEN: &str = "x-amz-security-token";

/// Bedrock in one region.
#[derive(Debug)]
pub(super) struct Bedrock {
    http: Http,
    endpoint: Endpoint,
    region: String,
    /// `None` where the endpoint carries a key of its own.
    keys: Option<AwsKeys>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TitanQuestion<'q> {
    input_text: &'q str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TitanAnswer {
    embedding: Vec<f64>,
    input_text_token_count: Option<u32>,
}

impl Bedrock {
    pub fn new(http: Http, endpoint: Endpoint, region: String, keys: Option<AwsKeys>) -> Self {
        let hidden = keys.iter().flat_map(|keys| std::iter::once(&keys.secret).chain(&keys.session_token));
        let endpoint = hidden.fold(endpoint, |endpoint, secret| endpoint.hiding(secret.clone()));
        Self { http, endpoint, region, keys }
    }

    /// Asks once.
    pub async fn complete(&self, request: &CompletionRequest) -> Result<Completion, ProviderError> {
        match request.task {
            Task::Chat => self.converse(request).await,
            Task::Embed => self.embed(request).await,
        }
    }

    async fn converse(&self, request: &CompletionRequest) -> Result<Completion, ProviderError> {
        let vendor = self.endpoint.vendor();
        let question = wire::question(request, vendor)?;
        let answered = self.post::<_, wire::Answer>(request, "converse", &question).await?;
        let (answer, latency_ms, rate) = (answered.answer, answered.latency_ms, answered.rate);
        let (mut said, mut calls) = (String::new(), Vec::new());
        for block in answer.output.message.content {
            said.push_str(block.text.as_deref().unwrap_or_default());
            calls.extend(block.tool_use.map(|call| Call::new(call.tool_use_id, call.name, call.input.to_string())));
        }
        let text = said_or_called(said, &calls);
        if text.is_empty() && answer.stop_reason.as_deref() == Some("content_filtered") {
            let message = format!("{vendor} withheld the answer: its content filter objects");
            return Err(ProviderError::GiveUp { message });
        }
        let (input_tokens, output_tokens) =
            answer.usage.map_or((None, None), |tokens| (tokens.input_tokens, tokens.output_tokens));
        let finish_reason = answer.stop_reason;
        Ok(Completion { text: text.into(), finish_reason, input_tokens, output_tokens, latency_ms, rate })
    }

    /// Each publisher on Bedrock has a format of its own for embeddings; Amazon's is the one we know.
    async fn embed(&self, request: &CompletionRequest) -> Result<Completion, ProviderError> {
        if !request.model.name().starts_with("amazon.titan-embed-text") {
            let help = "use amazon.titan-embed-text-v2:0, or another provider's embeddings";
            return Err(unsupported(self.endpoint.vendor(), "a text to embed with this model", help));
        }
        let question = TitanQuestion { input_text: embedding::text(request)? };
        let answered = self.post::<_, TitanAnswer>(request, "invoke", &question).await?;
        let TitanAnswer { embedding: vector, input_text_token_count } = answered.answer;
        Ok(embedding::completion(&vector, input_text_token_count, answered.latency_ms, answered.rate))
    }

    async fn post<Q: Serialize, A: DeserializeOwned>(
        &self,
        request: &CompletionRequest,
        verb: &str,
        question: &Q,
    ) -> Result<Answered<A>, ProviderError> {
        let body = http::body(question)?;
        let url = self.endpoint.url(&format!("/model/{}/{verb}", segment(request.model.name())));
        let headers = match &self.keys {
            None => HeaderMap::new(),
            Some(keys) => self.signed(keys, &url, &body, SystemClock.now_ms())?,
        };
        self.http.send(&self.endpoint, url, headers, body).await
    }

    fn signed(&self, keys: &AwsKeys, url: &url::Url, body: &[u8], now_ms: i64) -> Result<HeaderMap, ProviderError> {
        let time = date::compact(now_ms);
        let host = match (url.host_str().unwrap_or_default(), url.port()) {
            (host, None) => host.to_owned(),
            (host, Some(port)) => format!("{host}:{port}"),
        };
        let token = keys.session_token.as_ref().map(|token| token.expose_secret().trim());
        let mut named = vec![("content-type", "application/json"), ("host", host.as_str()), (DATE, &time)];
        named.extend(token.map(|token| (TOKEN, token)));
        let scope = Scope { region: &self.region, service: "bedrock", time: &time };
        let signature = authorization(keys, scope, url.path(), &named, body);
        let mut headers = HeaderMap::new();
        for (name, value) in [(AUTHORIZATION, Some(signature.as_str())), (DATE, Some(&time)), (TOKEN, token)] {
            let Some(value) = value else { continue };
            let mut value = HeaderValue::from_str(value).map_err(|_| ProviderError::Fatal {
                message: "the AWS keys hold characters no key has: copy them again".to_owned(),
            })?;
            value.set_sensitive(name != DATE);
            headers.insert(HeaderName::from_static(name), value);
        }
        Ok(headers)
    }
}
