//! Posts JSON to a provider: one shared client, no redirects, time and size caps. Knows no vendor's format.

use std::error::Error as StdError;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::address::{PublicResolver, RefusedAddress, check_literal};
use super::rate;
use super::refusal::{Remedy, bearable, refusal};
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::provider::{ProviderError, RateHint};

/// Largest answer that is read; longer ones are no model's text.
const MAX_BODY: usize = 8 * 1024 * 1024;
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest look at what a vendor offers.
const LOOK_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest exchange, whatever the caller's own limit is.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(600);

/// The client all vendors share.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    allow_private: bool,
}

/// One vendor's base URL with what every call carries; built once.
#[derive(Debug)]
pub(super) struct Endpoint {
    base: Url,
    headers: HeaderMap,
    secrets: Vec<SecretString>,
    remedy: Remedy,
}

/// A vendor's answer, with what came beside it.
#[derive(Debug)]
pub(super) struct Answered<A> {
    pub answer: A,
    /// How long it took.
    pub latency_ms: u32,
    /// What the vendor says of its limits.
    pub rate: Option<RateHint>,
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

    /// An endpoint with a base URL, for instance `https://api.openai.com/v1`.
    ///
    /// # Errors
    /// What is wrong with the URL, and what to do.
    pub fn endpoint(&self, base: &str, remedy: Remedy) -> Result<Endpoint, String> {
        let broken = || format!("the base URL of {} is not a URL: {}", remedy.vendor, remedy.url);
        let base = Url::parse(base).map_err(|_| broken())?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(broken());
        }
        if !self.allow_private {
            check_literal(&base).map_err(|refused| refused.to_string())?;
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Ok(Endpoint { base, headers, secrets: Vec::new(), remedy })
    }

    /// Reads what is at a path below the endpoint's base.
    ///
    /// # Errors
    /// As [`Http::post`].
    pub async fn get<A: DeserializeOwned>(&self, endpoint: &Endpoint, path: &str) -> Result<A, ProviderError> {
        let request = self.client.get(endpoint.url(path)).headers(endpoint.headers.clone()).timeout(LOOK_TIMEOUT);
        let mut response = request.send().await.map_err(|error| endpoint.unreachable(error))?;
        let status = response.status();
        let body = endpoint.read(&mut response).await?;
        if !status.is_success() {
            let now_ms = SystemClock.now_ms();
            return Err(refusal(status, response.headers(), &body, &endpoint.remedy, &endpoint.secrets, now_ms));
        }
        serde_json::from_slice(&body).map_err(|error| endpoint.garbage(&error.to_string()))
    }

    /// Posts `question` to a path below the endpoint's base and reads the answer.
    ///
    /// # Errors
    /// Whether to try again, to give this question up, or all of them.
    pub async fn post<Q: Serialize, A: DeserializeOwned>(
        &self,
        endpoint: &Endpoint,
        path: &str,
        question: &Q,
    ) -> Result<Answered<A>, ProviderError> {
        self.send(endpoint, endpoint.url(path), HeaderMap::new(), body(question)?).await
    }

    /// The same with a body that is made already, and headers of this call alone.
    ///
    /// # Errors
    /// As [`Http::post`].
    pub async fn send<A: DeserializeOwned>(
        &self,
        endpoint: &Endpoint,
        url: Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answered<A>, ProviderError> {
        let started = Instant::now();
        let request = self.client.post(url).headers(endpoint.headers.clone()).headers(headers).body(body);
        let mut response = request.send().await.map_err(|error| endpoint.unreachable(error))?;
        let status = response.status();
        let body = endpoint.read(&mut response).await?;
        let latency_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        let now_ms = SystemClock.now_ms();
        if !status.is_success() {
            return Err(refusal(status, response.headers(), &body, &endpoint.remedy, &endpoint.secrets, now_ms));
        }
        match serde_json::from_slice(&body) {
            Ok(answer) => Ok(Answered { answer, latency_ms, rate: rate::hint(response.headers(), now_ms) }),
            Err(error) => Err(endpoint.garbage(&error.to_string())),
        }
    }
}

/// A question as it is sent.
///
/// # Errors
/// When it cannot be written as JSON.
pub(super) fn body<Q: Serialize>(question: &Q) -> Result<Vec<u8>, ProviderError> {
    serde_json::to_vec(question)
        .map_err(|error| ProviderError::GiveUp { message: format!("the question is no JSON: {error}") })
}

impl Endpoint {
    /// An answer that is not what the vendor's interface says; often a proxy's page, so it is tried again.
    pub fn garbage(&self, what: &str) -> ProviderError {
        let vendor = &self.remedy.vendor;
        let message = format!("{vendor} sent an answer that is not readable: {}", self.bearable(what));
        ProviderError::Retry { message, after: None }
    }

    /// Adds a header that every call carries; its value is no secret.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Adds a header that every call carries and nobody else may see.
    ///
    /// # Errors
    /// When the secret holds what no header can.
    pub fn with_secret(mut self, name: HeaderName, prefix: &str, secret: SecretString) -> Result<Self, String> {
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", secret.expose_secret().trim())).map_err(|_| {
            format!("the key of {} holds characters no key has: {}", self.remedy.vendor, self.remedy.key)
        })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        self.secrets.push(secret);
        Ok(self)
    }

    /// Adds a value that is never shown, should the vendor echo it.
    pub fn hiding(mut self, secret: SecretString) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Adds a parameter that every call's address carries.
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        self.base.query_pairs_mut().append_pair(name, value);
        self
    }

    /// The address of a path below the base; parts of it that come from outside are encoded already.
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    /// A text from the vendor as it may be shown.
    pub fn bearable(&self, text: &str) -> String {
        bearable(text, &self.secrets)
    }

    /// What messages call the vendor.
    pub fn vendor(&self) -> &str {
        &self.remedy.vendor
    }

    /// The host the endpoint is on.
    pub fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
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
        ProviderError::Retry { message: self.bearable(&message), after: None }
    }
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(Some(error as &(dyn StdError + 'static)), |error: &&(dyn StdError + 'static)| {
        (*error).source()
    })
}

/// A text from outside as one segment of a path: all but unreserved characters are encoded.
pub(super) fn segment(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}
