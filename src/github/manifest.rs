//! A GitHub App from its manifest: trades GitHub's one-time code for the App's credentials. Knows no page and no file.

use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use reqwest::{Client, Response, StatusCode};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

/// Largest answer that is read.
const MOST_BYTES: usize = 1 << 20;
/// Longest code; GitHub's have forty characters.
const LONGEST_CODE: usize = 200;
/// Longest exchange.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An App that GitHub has made.
#[derive(Debug)]
pub struct CreatedApp {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its page at GitHub.
    pub html_url: Url,
    /// Its private key in PEM.
    pub private_key: SecretString,
    /// What its webhooks are signed with.
    pub webhook_secret: SecretString,
    /// What it may do.
    pub permissions: Map<String, Value>,
}

/// Why a code was not traded.
#[derive(Debug, Error)]
pub enum ConversionError {
    /// Nobody at GitHub writes codes so.
    #[error("this is no code of GitHub's: start again from the first page")]
    NotACode,
    /// Used, or older than an hour.
    #[error(
        "GitHub does not know the code (any more): it can be used once, within an hour; start again from the first page"
    )]
    Expired,
    /// GitHub said no.
    #[error("GitHub refused the code with status {0}: try again in a minute")]
    Refused(u16),
    /// GitHub cannot be reached.
    #[error("GitHub cannot be reached at {host}: {cause}; check the network, then reload the page")]
    Unreachable {
        /// Where.
        host: String,
        /// What the network said.
        cause: String,
    },
    /// The answer is none of GitHub's.
    #[error(
        "GitHub's answer cannot be read ({0}): look at the App on its settings page, and make a key and a webhook secret there"
    )]
    Garbage(String),
    /// The client cannot be set up.
    #[error("the HTTP client cannot be set up: check the system's certificates")]
    Client(#[source] reqwest::Error),
}

#[derive(Deserialize)]
struct Wire {
    id: u64,
    name: String,
    html_url: Url,
    pem: String,
    webhook_secret: Option<String>,
    #[serde(default)]
    permissions: Map<String, Value>,
}

/// Trades a code; it can be used once.
///
/// # Errors
/// See [`ConversionError`].
pub async fn convert(api_url: &Url, code: &str) -> Result<CreatedApp, ConversionError> {
    let is_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if code.is_empty() || code.len() > LONGEST_CODE || !code.chars().all(is_code) {
        return Err(ConversionError::NotACode);
    }
    let client = Client::builder()
        .user_agent(concat!("promptops/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(TIMEOUT)
        .timeout(TIMEOUT)
        .build()
        .map_err(ConversionError::Client)?;
    let mut url = api_url.clone();
    url.set_path(&format!("{}/app-manifests/{code}/conversions", api_url.path().trim_end_matches('/')));
    let unreachable = |error: reqwest::Error| {
        let host = api_url.host_str().unwrap_or_default().to_owned();
        let error = error.without_url();
        let last = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source()).last();
        ConversionError::Unreachable { host, cause: last.map(ToString::to_string).unwrap_or_default() }
    };
    let mut response =
        client.post(url).header("accept", "application/vnd.github+json").send().await.map_err(unreachable)?;
    match response.status() {
        status if status.is_success() => {}
        // GitHub says 422 of some codes that were used.
        StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => return Err(ConversionError::Expired),
        status => return Err(ConversionError::Refused(status.as_u16())),
    }
    let bytes = read(&mut response).await.map_err(unreachable)?;
    let garbage = |what: &str| ConversionError::Garbage(what.to_owned());
    let bytes = bytes.ok_or_else(|| garbage("it is too long"))?;
    // The error of a parser would quote what it read.
    let wire: Wire = serde_json::from_slice(&bytes).map_err(|_| garbage("it is not what the API says"))?;
    if !matches!(wire.html_url.scheme(), "https" | "http") {
        return Err(garbage("its page is no web address"));
    }
    let webhook_secret = wire.webhook_secret.ok_or_else(|| garbage("it has no webhook secret"))?;
    Ok(CreatedApp {
        id: wire.id,
        name: wire.name,
        html_url: wire.html_url,
        private_key: wire.pem.into(),
        webhook_secret: webhook_secret.into(),
        permissions: wire.permissions,
    })
}

/// The body, or `None` where it is too long.
async fn read(response: &mut Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > MOST_BYTES {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// Where people see what the API at this address serves: `https://github.com`, or the host of an Enterprise Server.
#[must_use]
pub fn pages_url(api_url: &Url) -> String {
    let port = api_url.port().map_or_else(String::new, |port| format!(":{port}"));
    let host = api_url.host_str().unwrap_or_default();
    // `api.github.com` and `api.NAME.ghe.com`; on an Enterprise Server the API is a path.
    let host = host.strip_prefix("api.").unwrap_or(host);
    format!("{}://{host}{port}", api_url.scheme())
}

/// A text that nobody can guess; `None` where the system gives no randomness.
#[must_use]
pub fn unguessable() -> Option<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_beside_the_api() {
        let check = |api: &str, expected: &str| assert_eq!(pages_url(&Url::parse(api).unwrap()), expected);
        check("https://api.github.com", "https://github.com");
        check("https://api.acme.ghe.com/", "https://acme.ghe.com");
        check("https://git.acme.dev:8443/api/v3", "https://git.acme.dev:8443");
    }

    #[tokio::test]
    async fn what_is_no_code_is_not_sent() {
        let nowhere = Url::parse("http://127.0.0.1:1").unwrap();
        for code in ["", "../../user", "a/b", "ä", &"x".repeat(201)] {
            assert!(matches!(convert(&nowhere, code).await, Err(ConversionError::NotACode)), "{code}");
        }
        assert!(matches!(convert(&nowhere, "abc").await, Err(ConversionError::Unreachable { .. })));
    }
}
