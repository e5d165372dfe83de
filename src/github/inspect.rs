//! Looking at the app itself: GitHub's clock, the app, its webhook, where it is installed. Writes nothing, judges nothing.

use std::sync::Arc;

use octocrab::Octocrab;
use octocrab::service::middleware::retry::RetryConfig;
use serde::Deserialize;

use super::answer::Ask;
use super::client::{Github, SetupError, api_base, http};
use super::error::GithubError;
use crate::domain::doctor::Trouble;
use crate::domain::doctor::service::{AppSeen, DeliveriesSeen, HookSeen, InstallationSeen, Permissions};

/// More pages than installations that anybody wants to read about.
const MOST_PAGES: usize = 10;
const PER_PAGE: usize = 100;

#[derive(Deserialize)]
struct App {
    slug: String,
    #[serde(default)]
    permissions: Permissions,
    #[serde(default)]
    events: Vec<String>,
}

#[derive(Deserialize)]
struct Hook {
    url: Option<String>,
    content_type: Option<String>,
    /// Documented as a text or a number, `"1"` or `1`.
    insecure_ssl: Option<serde_json::Value>,
    secret: Option<String>,
}

#[derive(Deserialize)]
struct Installation {
    account: Option<Account>,
    suspended_at: Option<String>,
    #[serde(default)]
    permissions: Permissions,
}

#[derive(Deserialize)]
struct Account {
    login: Option<String>,
}

impl From<GithubError> for Trouble {
    fn from(error: GithubError) -> Self {
        Self { message: error.to_string(), is_world: error.is_temporary() }
    }
}

/// GitHub's clock in milliseconds since the Unix epoch, as its answer to nobody in particular says; `None` where it does not.
/// Whatever else the answer says, it came.
///
/// # Errors
/// When the address is none, or no answer comes.
pub async fn github_clock(api_url: &str) -> Result<Option<i64>, Trouble> {
    const WHAT: &str = "its API's root";
    let settings = |error: SetupError| Trouble { message: error.to_string(), is_world: false };
    let silent =
        |source| Trouble::from(GithubError::Transport { what: WHAT.into(), retry: true, source: Arc::new(source) });
    let (base, http) = (api_base(api_url).map_err(settings)?, http().map_err(settings)?);
    let crab = Octocrab::builder()
        .base_uri(base)
        .and_then(|builder| builder.add_retry_config(RetryConfig::None).build_with_reqwest(http))
        .map_err(silent)?;
    let request = http::Request::builder().method(http::Method::GET).uri("/");
    let response = crab.execute(crab.build_request(request, None::<&()>).map_err(silent)?).await.map_err(silent)?;
    let date = response.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
    let time = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let since = time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    Ok(since.and_then(|since| i64::try_from(since.as_millis()).ok()))
}

impl Github {
    /// The app that the credentials belong to.
    ///
    /// # Errors
    /// When there is no app of that id, and whatever else a call can meet.
    pub async fn app_seen(&self) -> Result<AppSeen, Trouble> {
        const WHAT: &str = "the app itself";
        let answer = self.as_app(&Ask::get("/app".into(), WHAT)).await;
        let App { slug, permissions, events } = match answer.and_then(|answer| answer.parse(WHAT)) {
            Err(GithubError::NotFound { .. }) => {
                let message =
                    "GitHub knows no app of this id: compare PROMPTOPS_GITHUB_APP_ID with the app's settings page";
                return Err(Trouble { message: message.to_owned(), is_world: false });
            }
            app => app?,
        };
        Ok(AppSeen { slug, permissions, events })
    }

    /// The app's webhook.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn hook_seen(&self) -> Result<HookSeen, GithubError> {
        const WHAT: &str = "the app's webhook";
        let hook: Hook = self.as_app(&Ask::get("/app/hook/config".into(), WHAT)).await?.parse(WHAT)?;
        let is_insecure = hook.insecure_ssl.is_some_and(|value| value == "1" || value == 1);
        Ok(HookSeen {
            url: hook.url,
            is_insecure,
            has_secret: hook.secret.is_some_and(|secret| !secret.is_empty()),
            is_json: hook.content_type.as_deref() == Some("json"),
        })
    }

    /// Where the app is installed, suspended or not.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn installations_seen(&self) -> Result<Vec<InstallationSeen>, GithubError> {
        const WHAT: &str = "the app's installations";
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let ask = Ask::get(format!("/app/installations?per_page={PER_PAGE}&page={page}"), WHAT);
            let answer = self.as_app(&ask).await?;
            let found: Vec<Installation> = answer.parse(WHAT)?;
            let is_last = !answer.has_next.unwrap_or(found.len() == PER_PAGE);
            all.extend(found.into_iter().map(|one| InstallationSeen {
                account:
                    one.account.and_then(|account| account.login).unwrap_or_else(|| "a deleted account".to_owned()),
                is_suspended: one.suspended_at.is_some(),
                permissions: one.permissions,
            }));
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// The newest page of the log of deliveries: of each delivery its newest attempt.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn deliveries_seen(&self) -> Result<DeliveriesSeen, GithubError> {
        let mut newest: Vec<(String, String, u16)> = Vec::new();
        for attempt in self.deliveries(None).await?.deliveries {
            if !newest.iter().any(|(guid, ..)| *guid == attempt.guid) {
                newest.push((attempt.guid, attempt.event, attempt.status_code));
            }
        }
        let all = newest.len();
        let failed = newest.into_iter().filter(|(.., status)| !(200..300).contains(status));
        Ok(DeliveriesSeen { all, failed: failed.map(|(_, event, status)| (event, status)).collect() })
    }
}
