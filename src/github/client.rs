//! The one way to GitHub: one connection pool, cached narrowed tokens, and the one function every call goes through.
//! Knows no endpoint but the one that mints tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Method;
use jsonwebtoken::EncodingKey;
use moka::future::Cache;
use octocrab::Octocrab;
use octocrab::service::middleware::retry::RetryConfig;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use thiserror::Error;
use tokio::sync::Semaphore;

use super::answer::{Answer, Ask, Next, Repeat, judge, judge_silence, part};
use super::auth::{Scope, app_token, parse_time};
use super::error::GithubError;
use super::repository::Repository;
use super::survey::Page;
use super::wire;
use crate::domain::ids::{BlobSha, InstallationId, RepoId, RepoName};

/// Milliseconds since the Unix epoch; time is an argument.
pub type NowMs = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What the client must be told.
pub struct GithubOptions {
    /// Base of the REST API, for instance `https://api.github.com` or `https://HOST/api/v3`.
    pub api_url: String,
    /// The app's numeric id.
    pub app_id: u64,
    /// The app's private key in PEM.
    pub private_key: SecretString,
    /// The time of day.
    pub now_ms: NowMs,
}

/// What the client must be told to call with a token that somebody else minted, such as a workflow's.
pub struct TokenOptions {
    /// Base of the REST API.
    pub api_url: String,
    /// The GraphQL API: the only one that says whose a job's token is.
    pub graphql_url: String,
    /// The token.
    pub token: SecretString,
    /// The time of day.
    pub now_ms: NowMs,
}

/// As whom GitHub is called.
enum Credentials {
    /// An app, which mints a token for each installation.
    App { id: u64, key: EncodingKey },
    /// Whoever holds the token.
    Token { token: SecretString, graphql_url: http::Uri },
}

/// Options that cannot work.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The key is no RSA key in PEM.
    #[error(
        "the app's private key is not an RSA key in PEM: set PROMPTOPS_GITHUB_PRIVATE_KEY to the text of the .pem file"
    )]
    Key(#[source] jsonwebtoken::errors::Error),
    /// The URL is none.
    #[error("`{url}` is not a URL of an API: set PROMPTOPS_GITHUB_API_URL to https://HOST/api/v3 or leave it out")]
    Url {
        /// What was given.
        url: String,
    },
    /// The HTTP library refused.
    #[error("the HTTP client cannot be set up: check the system's certificates")]
    Http(#[source] reqwest::Error),
}

/// Who writes with a workflow's own token.
const JOB_LOGIN: &str = "github-actions[bot]";
/// GitHub allows 100 requests at once for an installation; we keep below.
const AT_ONCE: usize = 48;
/// A token is renewed this long before it expires.
const EXPIRY_MARGIN_MS: i64 = 5 * 60 * 1000;
/// Tokens live an hour where GitHub does not say.
const TOKEN_LIFE_MS: i64 = 60 * 60 * 1000;
/// Blobs kept in memory, in bytes.
const BLOB_CACHE_BYTES: u64 = 32 << 20;
/// Surveyed pages kept in memory, in bytes.
const PAGE_CACHE_BYTES: u64 = 32 << 20;

/// A client per token.
pub(super) struct Minted {
    crab: Octocrab,
    expires_ms: i64,
    revoked: AtomicBool,
}

type MintedResult = Result<Arc<Minted>, GithubError>;

struct Shared {
    http: reqwest::Client,
    api_url: http::Uri,
    credentials: Credentials,
    now_ms: NowMs,
    tokens: Cache<(InstallationId, Scope), MintedResult>,
    blobs: Cache<(RepoId, BlobSha), bytes::Bytes>,
    pages: Cache<(InstallationId, String), Arc<Page>>,
    at_once: Semaphore,
}

/// GitHub, as one app sees it. Cheap to clone; everything is shared.
#[derive(Clone)]
pub struct Github {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Github {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Github").field("api_url", &self.shared.api_url).field("app_id", &self.app_id()).finish()
    }
}

fn address(url: &str) -> Result<http::Uri, SetupError> {
    let bad_url = || SetupError::Url { url: url.to_owned() };
    let address: http::Uri = url.trim_end_matches('/').parse().map_err(|_| bad_url())?;
    if address.scheme().is_none() || address.authority().is_none() { Err(bad_url()) } else { Ok(address) }
}

impl Github {
    /// Sets up the client; asks GitHub nothing.
    ///
    /// # Errors
    /// When the key or the URL cannot be used.
    pub fn new(options: GithubOptions) -> Result<Self, SetupError> {
        let key = EncodingKey::from_rsa_pem(options.private_key.expose_secret().as_bytes()).map_err(SetupError::Key)?;
        Self::with(&options.api_url, Credentials::App { id: options.app_id, key }, options.now_ms)
    }

    /// Sets up a client that calls with one token; asks GitHub nothing.
    ///
    /// # Errors
    /// When a URL cannot be used.
    pub fn with_token(options: TokenOptions) -> Result<Self, SetupError> {
        let graphql_url = address(&options.graphql_url)?;
        let credentials = Credentials::Token { token: options.token, graphql_url };
        Self::with(&options.api_url, credentials, options.now_ms)
    }

    fn with(api_url: &str, credentials: Credentials, now_ms: NowMs) -> Result<Self, SetupError> {
        let api_url = address(api_url)?;
        let http = reqwest::Client::builder()
            .user_agent(concat!("promptops/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(SetupError::Http)?;
        let blobs = Cache::builder()
            .max_capacity(BLOB_CACHE_BYTES)
            .weigher(|_, bytes: &bytes::Bytes| u32::try_from(bytes.len()).unwrap_or(u32::MAX))
            .build();
        let pages = Cache::builder().max_capacity(PAGE_CACHE_BYTES).weigher(|_, page: &Arc<Page>| page.size()).build();
        Ok(Self {
            shared: Arc::new(Shared {
                http,
                api_url,
                credentials,
                now_ms,
                tokens: Cache::new(10_000),
                blobs,
                pages,
                at_once: Semaphore::new(AT_ONCE),
            }),
        })
    }

    /// One repository, as an installation of the app sees it.
    #[must_use]
    pub fn repository(&self, installation: InstallationId, name: RepoName, id: RepoId) -> Repository {
        Repository::new(self.clone(), installation, name, id)
    }

    /// One repository, as the token's holder sees it.
    #[must_use]
    pub fn of_token(&self, name: RepoName, id: RepoId) -> Repository {
        // No token is minted, so the installation is never asked for.
        self.repository(InstallationId(0), name, id)
    }

    /// A repository of which only the name is known, through the installation that covers it.
    ///
    /// # Errors
    /// `NotFound` if the app is not installed on it, and whatever a call can meet.
    pub async fn find(&self, name: &RepoName) -> Result<Repository, GithubError> {
        let installation = self.installation_of(name).await?;
        let what = format!("repository {name}");
        let ask = Ask::get(format!("/repos/{}/{}", part(name.owner()), part(name.name())), what.clone());
        let scope = Scope::Contents(name.name().to_owned());
        let found: wire::Numbered = self.call(installation, &scope, &ask).await?.parse(&what)?;
        Ok(self.repository(installation, name.clone(), RepoId(found.id)))
    }

    /// The installation that covers a repository.
    ///
    /// # Errors
    /// `NotFound` if the app is not installed on it, and whatever a call can meet.
    pub async fn installation_of(&self, repo: &RepoName) -> Result<InstallationId, GithubError> {
        let what = format!("installation on {repo}");
        let ask = Ask::get(format!("/repos/{}/{}/installation", part(repo.owner()), part(repo.name())), what.clone());
        let found: wire::Numbered = self.as_app(&ask).await?.parse(&what)?;
        Ok(InstallationId(found.id))
    }

    /// The app's id, by which our own comments and checks are known; `None` without an app.
    pub(super) fn app_id(&self) -> Option<u64> {
        match &self.shared.credentials {
            Credentials::App { id, .. } => Some(*id),
            Credentials::Token { .. } => None,
        }
    }

    pub(super) fn blobs(&self) -> &Cache<(RepoId, BlobSha), bytes::Bytes> {
        &self.shared.blobs
    }

    pub(super) fn pages(&self) -> &Cache<(InstallationId, String), Arc<Page>> {
        &self.shared.pages
    }

    /// The login that our comments are written under: the app's own, `<slug>[bot]`, or that of the token's holder.
    pub(super) async fn own_login(&self) -> Result<String, GithubError> {
        if let Credentials::Token { token, graphql_url } = &self.shared.credentials {
            return Ok(self.viewer(token, graphql_url).await.unwrap_or_else(|| JOB_LOGIN.to_owned()));
        }
        let app: wire::App = self.as_app(&Ask::get("/app".into(), "the app itself")).await?.parse("the app itself")?;
        Ok(format!("{}[bot]", app.slug))
    }

    /// Whose a token is; `None` where nobody says.
    async fn viewer(&self, token: &SecretString, graphql_url: &http::Uri) -> Option<String> {
        // Not asked twice: whoever does not know costs less than a wait.
        let question = json!({ "query": "query { viewer { login } }" });
        let ask = Ask::post(graphql_url.path().to_owned(), question, "the token's holder");
        // The base's path would be put in front.
        let origin = http::Uri::builder()
            .scheme(graphql_url.scheme()?.clone())
            .authority(graphql_url.authority()?.clone())
            .path_and_query("/")
            .build()
            .ok()?;
        let crab = self.crab(token.expose_secret().to_owned(), origin).ok()?;
        let answer: wire::Viewer = self.exchange(&crab, &ask).await.ok()??.parse(&ask.what).ok()?;
        Some(answer.data?.viewer.login)
    }

    /// A call with a token of the installation. A token that is no longer accepted is replaced once.
    pub(super) async fn call(
        &self,
        installation: InstallationId,
        scope: &Scope,
        ask: &Ask,
    ) -> Result<Answer, GithubError> {
        let refused = || GithubError::Unauthorized { what: ask.what.clone() };
        if let Credentials::Token { token, .. } = &self.shared.credentials {
            let crab = self.crab(token.expose_secret().to_owned(), self.shared.api_url.clone())?;
            return self.exchange(&crab, ask).await?.ok_or_else(refused);
        }
        let first = self.token(installation, scope).await?;
        match self.exchange(&first.crab, ask).await? {
            Some(answer) => Ok(answer),
            None => {
                first.revoked.store(true, Ordering::Relaxed);
                let fresh = self.token(installation, scope).await?;
                self.exchange(&fresh.crab, ask).await?.ok_or_else(refused)
            }
        }
    }

    /// A call as the app itself.
    pub(super) async fn as_app(&self, ask: &Ask) -> Result<Answer, GithubError> {
        let refused = || GithubError::Unauthorized { what: ask.what.clone() };
        let Credentials::App { id, key } = &self.shared.credentials else { return Err(refused()) };
        let token = app_token(*id, key, (self.shared.now_ms)())
            .map_err(|error| GithubError::shape("the app's own token", error))?;
        let crab = self.crab(token, self.shared.api_url.clone())?;
        self.exchange(&crab, ask).await?.ok_or_else(refused)
    }

    /// The cached token, or a new one; however many ask at once, one is minted.
    async fn token(&self, installation: InstallationId, scope: &Scope) -> MintedResult {
        let now_ms = self.shared.now_ms.clone();
        let stale = move |kept: &MintedResult| match kept {
            Ok(minted) => minted.revoked.load(Ordering::Relaxed) || minted.expires_ms - EXPIRY_MARGIN_MS <= now_ms(),
            Err(_) => true,
        };
        let entry = self.shared.tokens.entry((installation, scope.clone()));
        entry.or_insert_with_if(self.mint(installation, scope), stale).await.into_value()
    }

    async fn mint(&self, installation: InstallationId, scope: &Scope) -> MintedResult {
        let what = format!("an access token for installation {installation}");
        let ask = |with_members| Ask {
            method: Method::POST,
            route: format!("/app/installations/{installation}/access_tokens"),
            body: Some(scope.body(with_members)),
            // A second token does no harm.
            repeat: Repeat::Safe,
            tag: None,
            what: what.clone(),
        };
        let answer = match self.as_app(&ask(true)).await {
            // The installation does not grant members; teams are unreadable then, and the policy says so.
            Err(GithubError::Validation { .. }) if matches!(scope, Scope::Gate(_)) => self.as_app(&ask(false)).await?,
            other => other?,
        };
        let token: wire::Token = answer.parse(&what)?;
        let life = (self.shared.now_ms)().saturating_add(TOKEN_LIFE_MS);
        let expires_ms = parse_time(&token.expires_at).unwrap_or(life);
        let crab = self.crab(token.token, self.shared.api_url.clone())?;
        Ok(Arc::new(Minted { crab, expires_ms, revoked: AtomicBool::new(false) }))
    }

    fn crab(&self, token: String, base: http::Uri) -> Result<Octocrab, GithubError> {
        Octocrab::builder()
            .base_uri(base)
            .and_then(|builder| {
                // Octocrab's own retry sends writes again; the policy is ours.
                builder
                    .personal_token(token)
                    .add_retry_config(RetryConfig::None)
                    .build_with_reqwest(self.shared.http.clone())
            })
            .map_err(|error| GithubError::shape("the client for GitHub", error))
    }

    /// The one function every request goes through: it alone repeats and waits. `None`: the token is not accepted.
    async fn exchange(&self, crab: &Octocrab, ask: &Ask) -> Result<Option<Answer>, GithubError> {
        let mut tried = 0;
        loop {
            let next = match self.send(crab, ask).await {
                Ok((status, headers, body)) => judge(ask, (status, &headers, body), tried, (self.shared.now_ms)()),
                Err(error) => judge_silence(ask, error, tried),
            };
            match next {
                Next::Done(answer) => return Ok(Some(answer)),
                Next::Unauthorized => return Ok(None),
                Next::Fail(error) => return Err(error),
                Next::Wait(wait, error) => {
                    tracing::debug!(wait_ms = wait.as_millis(), %error, "asking GitHub again");
                    tokio::time::sleep(wait).await;
                    tried += 1;
                }
            }
        }
    }

    async fn send(
        &self,
        crab: &Octocrab,
        ask: &Ask,
    ) -> Result<(http::StatusCode, http::HeaderMap, String), octocrab::Error> {
        // The semaphore is never closed, so a refusal cannot happen; without a permit we would only be less polite.
        let _permit = self.shared.at_once.acquire().await.ok();
        let mut request = http::Request::builder().method(ask.method.clone()).uri(ask.route.as_str());
        if let Some(tag) = &ask.tag {
            request = request.header(http::header::IF_NONE_MATCH, tag);
        }
        let response = crab.execute(crab.build_request(request, ask.body.as_ref())?).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = crab.body_to_string(response).await?;
        Ok((status, headers, body))
    }
}
