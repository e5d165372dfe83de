//! Which provider answers for which model. Knows the vendors' settings, given as values; it reads no environment.

use futures::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderName};
use secrecy::{ExposeSecret, SecretString};

use super::anthropic::Anthropic;
use super::http::Http;
use super::openai::{Dialect, OpenAi};
use super::refusal::Remedy;
use crate::domain::ids::Digest;
use crate::engine::provider::{Completion, CompletionRequest, Provider, ProviderError};

const OPENAI_URL: &str = "https://api.openai.com/v1";
const ANTHROPIC_URL: &str = "https://api.anthropic.com";
const OLLAMA_HOST: &str = "http://127.0.0.1:11434";
const ANTHROPIC_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The vendors' settings, under the vendors' own names.
#[derive(Debug, Clone, Default)]
pub struct ProviderConfig {
    /// `OPENAI_API_KEY`.
    pub openai_key: Option<SecretString>,
    /// `OPENAI_BASE_URL`, for instance `http://localhost:8000/v1`.
    pub openai_base_url: Option<String>,
    /// `ANTHROPIC_API_KEY`.
    pub anthropic_key: Option<SecretString>,
    /// `ANTHROPIC_BASE_URL`, without `/v1`.
    pub anthropic_base_url: Option<String>,
    /// `OLLAMA_HOST`, with or without a scheme.
    pub ollama_host: Option<String>,
    /// Whether providers may be on loopback and private addresses.
    pub allow_private: bool,
}

impl ProviderConfig {
    /// Whether no provider is named, by a key or by an address: then no model can be asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let keys = [&self.openai_key, &self.anthropic_key];
        let addresses = [&self.openai_base_url, &self.anthropic_base_url, &self.ollama_host];
        keys.iter().all(|key| key.is_none()) && addresses.iter().all(|address| address.is_none())
    }

    /// Which servers answer, as one digest: keys do not count, addresses do.
    #[must_use]
    pub fn servers(&self) -> Digest {
        let urls = [&self.openai_base_url, &self.anthropic_base_url, &self.ollama_host];
        Digest::of_parts(urls.map(|url| url.as_deref().unwrap_or_default().as_bytes()))
    }

    /// The keys that are set: values that must never be shown.
    pub fn keys(&self) -> impl Iterator<Item = &SecretString> {
        [&self.openai_key, &self.anthropic_key].into_iter().flatten()
    }
}

/// Why there are no providers at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up HTTP for model providers: install the system's CA certificates")]
pub struct SetupError(#[from] reqwest::Error);

/// All vendors; one that is not usable says why when it is asked.
#[derive(Debug)]
pub struct Registry {
    openai: Result<OpenAi, String>,
    anthropic: Result<Anthropic, String>,
    ollama: Result<OpenAi, String>,
    /// Whether `openai` is a server of the team's own choice, which may serve other publishers' models.
    is_gateway: bool,
}

impl Registry {
    /// Sets the vendors up; none is called.
    ///
    /// # Errors
    /// When there is no TLS to be had.
    pub fn new(config: ProviderConfig) -> Result<Self, SetupError> {
        let http = Http::new(config.allow_private)?;
        // Compose files hand unset variables on as empty ones.
        let key = |key: Option<SecretString>| key.filter(|key| !key.expose_secret().trim().is_empty());
        let url = |url: Option<String>| url.filter(|url| !url.trim().is_empty());
        let openai_url = url(config.openai_base_url);
        Ok(Self {
            openai: openai(&http, key(config.openai_key), openai_url.as_deref()),
            anthropic: anthropic(&http, key(config.anthropic_key), url(config.anthropic_base_url).as_deref()),
            ollama: ollama(&http, url(config.ollama_host).as_deref()),
            is_gateway: openai_url.is_some(),
        })
    }

    async fn dispatch(&self, request: &CompletionRequest) -> Result<Completion, ProviderError> {
        let model = &request.model;
        match model.provider() {
            "openai" => usable(&self.openai)?.complete(request, model.name()).await,
            "anthropic" => usable(&self.anthropic)?.complete(request).await,
            "ollama" => usable(&self.ollama)?.complete(request, model.name()).await,
            _ if self.is_gateway => usable(&self.openai)?.complete(request, model.as_str()).await,
            unknown => Err(ProviderError::Fatal {
                message: format!(
                    "no provider `{unknown}` for the model `{model}`: use openai, anthropic or ollama, or set \
                     OPENAI_BASE_URL to a gateway that serves it"
                ),
            }),
        }
    }
}

impl Provider for Registry {
    fn complete<'a>(
        &'a self,
        request: &'a CompletionRequest,
        _key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>> {
        Box::pin(self.dispatch(request))
    }
}

fn usable<P>(vendor: &Result<P, String>) -> Result<&P, ProviderError> {
    vendor.as_ref().map_err(|message| ProviderError::Fatal { message: message.clone() })
}

fn openai(http: &Http, key: Option<SecretString>, base: Option<&str>) -> Result<OpenAi, String> {
    if key.is_none() && base.is_none() {
        return Err("no key for openai models: set OPENAI_API_KEY".to_owned());
    }
    let remedy = Remedy {
        vendor: "openai".to_owned(),
        key: "set OPENAI_API_KEY to a key that may use the model".to_owned(),
        model: "check `model` in the prompt, or evaluation.model".to_owned(),
        url: "set OPENAI_BASE_URL to the address that ends in /v1".to_owned(),
    };
    let endpoint = http.endpoint(base.unwrap_or(OPENAI_URL), remedy)?;
    let endpoint = match key {
        Some(key) => endpoint.with_secret(AUTHORIZATION, "Bearer ", key)?,
        None => endpoint,
    };
    Ok(OpenAi::new(http.clone(), endpoint, Dialect::Chat))
}

fn anthropic(http: &Http, key: Option<SecretString>, base: Option<&str>) -> Result<Anthropic, String> {
    if key.is_none() && base.is_none() {
        return Err("no key for anthropic models: set ANTHROPIC_API_KEY".to_owned());
    }
    let remedy = Remedy {
        vendor: "anthropic".to_owned(),
        key: "set ANTHROPIC_API_KEY to a key that may use the model".to_owned(),
        model: "check `model` in the prompt, or evaluation.model".to_owned(),
        url: "set ANTHROPIC_BASE_URL to the address without /v1".to_owned(),
    };
    let endpoint = http.endpoint(base.unwrap_or(ANTHROPIC_URL), remedy)?;
    let endpoint = match key {
        Some(key) => endpoint.with_secret(ANTHROPIC_KEY, "", key)?,
        None => endpoint,
    };
    Ok(Anthropic::new(http.clone(), endpoint))
}

fn ollama(http: &Http, host: Option<&str>) -> Result<OpenAi, String> {
    let host = host.unwrap_or(OLLAMA_HOST).trim_end_matches('/');
    let base = if host.contains("://") { host.to_owned() } else { format!("http://{host}") };
    let remedy = Remedy {
        vendor: "ollama".to_owned(),
        key: "check OLLAMA_HOST: Ollama itself asks for no key".to_owned(),
        model: "run `ollama pull` for it".to_owned(),
        url: "set OLLAMA_HOST to where Ollama listens".to_owned(),
    };
    let endpoint = http.endpoint(&format!("{base}/v1"), remedy)?;
    Ok(OpenAi::new(http.clone(), endpoint, Dialect::Chat))
}
