//! Which provider answers for which model. Knows the settings, given as values; it reads no environment.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use secrecy::ExposeSecret;

use super::http::Http;
use super::listing::Listing;
use super::settings::{Kind, ModelServer, ProviderConfig};
use super::vendor::{Vendor, facts, not_set_up};
use crate::domain::ids::{Digest, ModelId};
use crate::engine::provider::{Completion, CompletionRequest, Provider, ProviderError};

/// Why there are no providers at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up HTTP for model providers: install the system's CA certificates")]
pub struct SetupError(#[from] reqwest::Error);

/// All providers; one that is not usable says why when it is asked.
#[derive(Debug)]
pub struct Registry {
    vendors: BTreeMap<String, Result<Vendor, String>>,
    /// Whether `openai` is a server of the team's own choice, which may serve other publishers' models.
    is_gateway: bool,
}

impl Registry {
    /// Sets the providers up; none is called.
    ///
    /// # Errors
    /// When there is no TLS to be had.
    pub fn new(config: ProviderConfig) -> Result<Self, SetupError> {
        let http = Http::new(config.allow_private)?;
        let mut servers = config.providers;
        servers.values_mut().for_each(tidy);
        let openai = servers.get("openai").filter(|server| server.kind == Kind::OpenAi).cloned();
        let is_gateway = openai.as_ref().is_some_and(|server| server.base_url.is_some());
        // One key opens both of OpenAI's formats, and Google's models go by the name of either.
        if let Some(openai) = openai {
            let other = ModelServer { kind: Kind::OpenAiResponses, ..openai };
            servers.entry("openai-responses".to_owned()).or_insert(other);
        }
        for (name, other) in [("gemini", "google"), ("google", "gemini")] {
            if let Some(server) = servers.get(name).cloned() {
                servers.entry(other.to_owned()).or_insert(server);
            }
        }
        // Ollama needs nothing to be set.
        servers.entry("ollama".to_owned()).or_insert_with(|| ModelServer::new(Kind::Ollama));
        let vendors = servers.into_iter().map(|(name, server)| {
            let vendor = Vendor::new(&http, &name, server);
            (name, vendor)
        });
        Ok(Self { vendors: vendors.collect(), is_gateway })
    }

    async fn dispatch(&self, request: &CompletionRequest) -> Result<Completion, ProviderError> {
        let fatal = |message: String| ProviderError::Fatal { message };
        let (vendor, name) = self.vendor(&request.model).map_err(fatal)?;
        vendor.complete(request, name).await
    }

    /// Who answers for a model, and what it is called there.
    fn vendor<'m>(&self, model: &'m ModelId) -> Result<(&Vendor, &'m str), String> {
        let (vendor, name) = match self.vendors.get(model.provider()) {
            Some(vendor) => (vendor, model.name()),
            None => match self.vendors.get("openai").filter(|_| self.is_gateway) {
                Some(gateway) => (gateway, model.as_str()),
                None => return Err(self.unknown(model)),
            },
        };
        Ok((vendor.as_ref().map_err(String::clone)?, name))
    }

    /// Whether somebody is set up to answer for a model. Asks nobody.
    ///
    /// # Errors
    /// What is missing, and what to do.
    pub fn check(&self, model: &ModelId) -> Result<(), String> {
        self.vendor(model).map(drop)
    }

    /// Asks who answers for a model which models there are: whether the key is accepted, for nothing.
    ///
    /// # Errors
    /// Why it is not, or why nobody answers.
    pub async fn listing(&self, model: &ModelId) -> Result<Listing, ProviderError> {
        let (vendor, _) = self.vendor(model).map_err(|message| ProviderError::Fatal { message })?;
        vendor.models().await
    }

    /// That nobody answers for a model.
    fn unknown(&self, model: &ModelId) -> String {
        let name = model.provider();
        let own = if name == "google" { Some(Kind::Gemini) } else { Kind::named(name) };
        if let Some(kind) = own {
            return not_set_up(name, kind);
        }
        let mut known: Vec<&str> = Kind::ALL.iter().map(|(name, _)| *name).collect();
        known.extend(
            self.vendors.keys().map(String::as_str).filter(|name| *name != "google" && Kind::named(name).is_none()),
        );
        format!(
            "no provider `{name}` for the model `{model}`: use one of {}, add [providers.{name}] to promptops.toml, or set \
             OPENAI_BASE_URL to a gateway that serves it",
            known.join(", ")
        )
    }
}

/// The variables that open a vendor's models, by the provider's name; none for names of a team's own.
#[must_use]
pub fn variables(provider: &str) -> Vec<&'static str> {
    let kind = if provider == "google" { Some(Kind::Gemini) } else { Kind::named(provider) };
    let Some(kind) = kind else { return Vec::new() };
    let (key, url) = facts(kind).variables;
    match kind {
        Kind::Azure => vec![key, url],
        Kind::Bedrock => vec![key, "AWS_REGION"],
        Kind::Ollama => vec![url],
        _ => vec![key],
    }
}

/// Compose files hand unset variables on as empty ones.
fn tidy(server: &mut ModelServer) {
    server.key = server.key.take().filter(|key| !key.expose_secret().trim().is_empty());
    server.base_url = server.base_url.take().filter(|url| !url.trim().is_empty());
}

impl Provider for Registry {
    fn complete<'a>(
        &'a self,
        request: &'a CompletionRequest,
        _key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>> {
        Box::pin(self.dispatch(request))
    }

    fn ready(&self, model: &ModelId) -> Result<(), String> {
        self.check(model)
    }
}
