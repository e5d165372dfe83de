//! One server made ready from its settings: address, key, and what to do when either is wrong. Knows no other server.

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::ExposeSecret;

use super::anthropic::Anthropic;
use super::bedrock::Bedrock;
use super::gemini::Gemini;
use super::http::{Endpoint, Http};
use super::listing::Listing;
use super::openai::{Dialect, OpenAi, Responses};
use super::refusal::Remedy;
use super::settings::{Kind, ModelServer, Origin, is_secret};
use crate::engine::provider::{Completion, CompletionRequest, ProviderError};

/// A server that can be asked.
#[derive(Debug)]
pub(super) enum Vendor {
    OpenAi(OpenAi),
    Responses(Responses),
    Anthropic(Anthropic),
    Gemini(Gemini),
    Bedrock(Bedrock),
}

/// What is particular to a vendor's settings.
pub(super) struct Facts {
    /// The address without which there is none.
    url: Option<&'static str>,
    /// The header of the key and what stands before it.
    auth: (HeaderName, &'static str),
    /// The variables of key and address.
    pub variables: (&'static str, &'static str),
    /// What an address looks like.
    form: &'static str,
}

pub(super) fn facts(kind: Kind) -> Facts {
    let (url, auth, variables, form) = match kind {
        Kind::OpenAi | Kind::OpenAiResponses => (
            Some("https://api.openai.com/v1"),
            (AUTHORIZATION, "Bearer "),
            ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
            "the address that ends in /v1",
        ),
        Kind::Azure => (
            None,
            (HeaderName::from_static("api-key"), ""),
            ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"),
            "the resource's endpoint, as in https://NAME.openai.azure.com",
        ),
        Kind::Anthropic => (
            Some("https://api.anthropic.com"),
            (HeaderName::from_static("x-api-key"), ""),
            ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
            "the address without /v1",
        ),
        Kind::Gemini => (
            Some("https://generativelanguage.googleapis.com"),
            (HeaderName::from_static("x-goog-api-key"), ""),
            ("GEMINI_API_KEY", "GEMINI_BASE_URL"),
            "the address without /v1beta",
        ),
        Kind::Bedrock => (
            None,
            (AUTHORIZATION, "Bearer "),
            (
                "AWS_BEARER_TOKEN_BEDROCK or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
            ),
            "the address of Bedrock's runtime",
        ),
        Kind::Ollama => (
            Some("http://127.0.0.1:11434"),
            (AUTHORIZATION, "Bearer "),
            ("OLLAMA_API_KEY", "OLLAMA_HOST"),
            "where Ollama listens",
        ),
    };
    Facts { url, auth, variables, form }
}

/// That a vendor's own name is used and nothing is set for it.
pub(super) fn not_set_up(name: &str, kind: Kind) -> String {
    let (key, url) = facts(kind).variables;
    match kind {
        Kind::Azure => format!("no key and endpoint for {name} models: set {key} and {url}"),
        Kind::Bedrock => format!("no key and region for {name} models: set {key}, and AWS_REGION"),
        Kind::OpenAi => format!(
            "no key for {name} models: set {key}, or {url} to a gateway that serves them; models named ollama/NAME need no \
             key"
        ),
        _ => format!("no key for {name} models: set {key}"),
    }
}

impl Vendor {
    /// Makes a server ready; it is not called.
    ///
    /// # Errors
    /// What is missing or wrong, and what to do.
    pub fn new(http: &Http, name: &str, server: ModelServer) -> Result<Self, String> {
        let Facts { url, auth: (header, prefix), .. } = facts(server.kind);
        // A server of one's own often needs no key; a vendor's own does.
        if server.kind != Kind::Ollama && server.key.is_none() && server.aws.is_none() && server.base_url.is_none() {
            return Err(match server.origin {
                Origin::Environment => not_set_up(name, server.kind),
                Origin::File => {
                    format!("no key for {name} models: set `api_key` of [providers.{name}] in promptops.toml")
                }
            });
        }
        let remedy = remedy(name, &server);
        let base = address(name, &server, url)?;
        let mut endpoint = http.endpoint(&base, remedy)?;
        if let Some(key) = server.key.clone() {
            endpoint = endpoint.with_secret(header, prefix, key)?;
        }
        for (name, value) in &server.headers {
            let broken = || {
                format!(
                    "the header `{name}` of {} cannot be sent: write a name and a text of one line",
                    endpoint.vendor()
                )
            };
            let header = HeaderName::try_from(name.as_str()).map_err(|_| broken())?;
            let mut text = HeaderValue::from_str(value.expose_secret()).map_err(|_| broken())?;
            text.set_sensitive(is_secret(name, value));
            let hidden = text.is_sensitive().then(|| value.clone());
            endpoint = endpoint.with_header(header, text);
            endpoint = hidden.into_iter().fold(endpoint, Endpoint::hiding);
        }
        Ok(Self::of(http.clone(), endpoint, server))
    }

    fn of(http: Http, endpoint: Endpoint, server: ModelServer) -> Self {
        match server.kind {
            Kind::OpenAi | Kind::Ollama => Self::OpenAi(OpenAi::new(http, endpoint, Dialect::Chat)),
            Kind::Azure => match azure_version(&server) {
                None => Self::OpenAi(OpenAi::new(http, endpoint, Dialect::NewerChat)),
                Some(version) if is_undated(version) => {
                    Self::OpenAi(OpenAi::new(http, endpoint.with_query("api-version", version), Dialect::NewerChat))
                }
                Some(version) => {
                    Self::OpenAi(OpenAi::new(http, endpoint.with_query("api-version", version), Dialect::Deployments))
                }
            },
            Kind::OpenAiResponses => Self::Responses(Responses::new(http, endpoint)),
            Kind::Anthropic => Self::Anthropic(Anthropic::new(http, endpoint)),
            Kind::Gemini => Self::Gemini(Gemini::new(http, endpoint)),
            Kind::Bedrock => {
                let keys = server.aws.filter(|_| server.key.is_none());
                Self::Bedrock(Bedrock::new(http, endpoint, server.region.unwrap_or_default(), keys))
            }
        }
    }

    /// Asks once, for the model of this name at the server.
    pub async fn complete(&self, request: &CompletionRequest, model: &str) -> Result<Completion, ProviderError> {
        match self {
            Self::OpenAi(vendor) => vendor.complete(request, model).await,
            Self::Responses(vendor) => vendor.complete(request).await,
            Self::Anthropic(vendor) => vendor.complete(request).await,
            Self::Gemini(vendor) => vendor.complete(request).await,
            Self::Bedrock(vendor) => vendor.complete(request).await,
        }
    }
}

impl Vendor {
    /// Asks which models there are, which costs nothing and takes the key.
    ///
    /// # Errors
    /// Why the key is not accepted, or why nobody answers.
    pub async fn models(&self) -> Result<Listing, ProviderError> {
        let listed = match self {
            Self::OpenAi(vendor) => vendor.models().await,
            Self::Responses(vendor) => vendor.models().await,
            Self::Anthropic(vendor) => vendor.models().await,
            Self::Gemini(vendor) => vendor.models().await,
            // Its runtime lists none; what lists them is another service with permissions of its own.
            Self::Bedrock(_) => return Ok(Listing::None),
        };
        match listed {
            Ok(list) => Ok(Listing::Models(list.count())),
            // Gateways need not list what they serve. A wrong key is no such answer.
            Err(ProviderError::GiveUp { .. }) => Ok(Listing::None),
            Err(error) => Err(error),
        }
    }
}

/// The base that paths of the format are below.
fn address(name: &str, server: &ModelServer, vendors: Option<&str>) -> Result<String, String> {
    let given = server.base_url.as_deref().or(vendors).map(|url| url.trim().trim_end_matches('/'));
    let missing = |what: &str, variable: &str| match server.origin {
        Origin::Environment => format!("no {what} for {name} models: set {variable}"),
        Origin::File => format!("no {what} for {name} models: set it in [providers.{name}] of promptops.toml"),
    };
    match server.kind {
        Kind::Bedrock => match (given, server.region.as_deref()) {
            (_, None) => Err(missing("region", "AWS_REGION")),
            (Some(given), Some(_)) => Ok(given.to_owned()),
            (None, Some(region)) if region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
                let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
                Ok(format!("https://bedrock-runtime.{region}.{domain}"))
            }
            (None, Some(_)) => Err(format!("the region of {name} is no region: write it as in us-east-1")),
        },
        Kind::Azure => {
            let given = given.ok_or_else(|| missing("endpoint", "AZURE_OPENAI_ENDPOINT"))?;
            let resource = given.trim_end_matches("/v1").trim_end_matches("/openai");
            match azure_version(server) {
                Some(version) if !is_undated(version) => Ok(format!("{resource}/openai")),
                _ => Ok(format!("{resource}/openai/v1")),
            }
        }
        Kind::Ollama => {
            let host = given.unwrap_or_default();
            let base = if host.contains("://") { host.to_owned() } else { format!("http://{host}") };
            Ok(if base.ends_with("/v1") { base } else { format!("{base}/v1") })
        }
        _ => Ok(given.unwrap_or_default().to_owned()),
    }
}

/// Azure's version, where one has to be named.
fn azure_version(server: &ModelServer) -> Option<&str> {
    server.api_version.as_deref().filter(|version| *version != "v1")
}

/// Versions of the interface that has no dates.
fn is_undated(version: &str) -> bool {
    matches!(version, "preview" | "latest")
}

fn remedy(name: &str, server: &ModelServer) -> Remedy {
    let Facts { variables: (key, url), form, .. } = facts(server.kind);
    let section = format!("of [providers.{name}] in promptops.toml");
    let is_file = server.origin == Origin::File;
    Remedy {
        vendor: name.to_owned(),
        key: match server.kind {
            Kind::Ollama if !is_file => "check OLLAMA_HOST: Ollama itself asks for no key".to_owned(),
            _ if is_file => format!("set `api_key` {section} to a key that may use the model"),
            _ => format!("set {key} to a key that may use the model"),
        },
        model: match server.kind {
            Kind::Ollama => "run `ollama pull` for it".to_owned(),
            Kind::Azure => "name a deployment of the resource in `model`, as azure/DEPLOYMENT".to_owned(),
            Kind::Bedrock => "check `model`, and that the account may use it in this region".to_owned(),
            _ => "check `model` in the prompt, or evaluation.model".to_owned(),
        },
        url: if is_file { format!("set `base_url` {section} to {form}") } else { format!("set {url} to {form}") },
    }
}
