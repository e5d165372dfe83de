//! Posts JSON to a provider: one shared client, no redirects, time and size caps. Knows no vendor's format.

use std::error::Error as StdError;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::address::{PublicResolver, RefusedAddress, check_literal};
use super::refusal::{Remedy, bearable, refusal};
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::provider::ProviderError;

/// Largest answer that is read; longer ones are no model's text.
const MAX_BODY: usize = 8 * 1024 * 1024;
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest exchange, whatever the caller's own limit is.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(600);

/// The client all vendors share.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    allow_private: bool,
}

/// One vendor's address with its headers; built once.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: Url,
    headers: HeaderMap,
    secret: Option<SecretString>,
    remedy: Remedy,
}

impl Http {
    pub fn new(allow_private: bool) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("promptops/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .tcp_nodelay(true);
        // A proxy would resolve names itself, out of reach of the guard.
        let builder = if allow_private { builder } else { builder.no_proxy().dns_resolver(PublicResolver) };
        Ok(Self { client: builder.build()?, allow_private })
    }

    /// An endpoint below a base URL, for instance `/chat/completions` below `https://api.openai.com/v1`.
    ///
    /// # Errors
    /// What is wrong with the URL or the key, and what to do.
    pub fn endpoint(
        &self,
        base: &str,
        path: &str,
        auth: Option<(HeaderName, &str, SecretString)>,
        remedy: Remedy,
    ) -> Result<Endpoint, String> {
        let broken = || format!("the base URL of {} is not a URL: {}", remedy.vendor, remedy.url);
        let url = Url::parse(&format!("{}{path}", base.trim_end_matches('/'))).map_err(|_| broken())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(broken());
        }
        if !self.allow_private {
            check_literal(&url).map_err(|refused| refused.to_string())?;
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut secret = None;
        if let Some((name, prefix, key)) = auth {
            let mut value = HeaderValue::from_str(&format!("{prefix}{}", key.expose_secret().trim()))
                .map_err(|_| format!("the key of {} holds characters no key has: {}", remedy.vendor, remedy.key))?;
            value.set_sensitive(true);
            headers.insert(name, value);
            secret = Some(key);
        }
        Ok(Endpoint { url, headers, secret, remedy })
    }

    /// Posts `question` and reads the answer, with the milliseconds it took.
    ///
    /// # Errors
    /// Whether to try again, to give this question up, or all of them.
    pub async fn post<Q: Serialize, A: DeserializeOwned>(
        &self,
        endpoint: &Endpoint,
        question: &Q,
    ) -> Result<(A, u32), ProviderError> {
        let body = serde_json::to_vec(question)
            .map_err(|error| ProviderError::GiveUp { message: format!("the question is no JSON: {error}") })?;
        let started = Instant::now();
        let request = self.client.post(endpoint.url.clone()).headers(endpoint.headers.clone()).body(body);
        let mut response = request.send().await.map_err(|error| endpoint.unreachable(error))?;
        let status = response.status();
        let body = endpoint.read(&mut response).await?;
        let latency_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        if !status.is_success() {
            let secret = endpoint.secret.as_ref().map(|key| key.expose_secret().trim());
            let now_ms = SystemClock.now_ms();
            return Err(refusal(status, response.headers(), &body, &endpoint.remedy, secret, now_ms));
        }
        match serde_json::from_slice(&body) {
            Ok(answer) => Ok((answer, latency_ms)),
            Err(error) => Err(endpoint.garbage(&error.to_string())),
        }
    }
}

impl Endpoint {
    /// An answer that is not what the vendor's interface says; often a proxy's page, so it is tried again.
    pub fn garbage(&self, what: &str) -> ProviderError {
        let vendor = &self.remedy.vendor;
        let message = format!("{vendor} sent an answer that is not readable: {}", bearable(what, self.secret()));
        ProviderError::Retry { message, after: None }
    }

    /// Adds a header that every call carries.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// What messages call the vendor.
    pub fn vendor(&self) -> &str {
        &self.remedy.vendor
    }

    /// The host the endpoint is on.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    fn secret(&self) -> Option<&str> {
        self.secret.as_ref().map(|key| key.expose_secret().trim())
    }

    async fn read(&self, response: &mut reqwest::Response) -> Result<Vec<u8>, ProviderError> {
        let too_large = || {
            let message = format!("{} sent more than {} MiB: lower max_tokens", self.remedy.vendor, MAX_BODY >> 20);
            ProviderError::GiveUp { message }
        };
        let announced = response.content_length().unwrap_or(0);
        let announced = usize::try_from(announced).ok().filter(|bytes| *bytes <= MAX_BODY).ok_or_else(too_large)?;
        let mut body = Vec::with_capacity(announced);
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn unreachable(&self, error: reqwest::Error) -> ProviderError {
        // The URL may hold a password.
        let error = error.without_url();
        if let Some(refused) = causes(&error).find_map(|cause| cause.downcast_ref::<RefusedAddress>()) {
            return ProviderError::Fatal { message: format!("{}: {refused}", self.remedy.vendor) };
        }
        let cause = causes(&error).last().map(ToString::to_string).unwrap_or_default();
        let message = format!("{} cannot be reached at {}: {cause}", self.remedy.vendor, self.host());
        ProviderError::Retry { message: bearable(&message, self.secret()), after: None }
    }
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(Some(error as &(dyn StdError + 'static)), |error: &&(dyn StdError + 'static)| {
        (*error).source()
    })
}
