//! What can go wrong between us and GitHub, and whether to try again. Knows no endpoint.

use std::sync::Arc;

use thiserror::Error;

/// A call to GitHub that gave no answer to use. `what` names what was asked for.
#[derive(Debug, Clone, Error)]
pub enum GithubError {
    /// 404 and 410: it does not exist, or the app may not see it.
    #[error("GitHub shows no {what}: check that it exists and that the app is installed on the repository")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// 403 that is no rate limit.
    #[error("GitHub refuses {what} ({message}){}", needs(permission.as_deref(), message))]
    Forbidden {
        /// What was asked for.
        what: String,
        /// The permission that is missing, where GitHub names it, for instance `checks=write`.
        permission: Option<String>,
        /// GitHub's own words.
        message: String,
    },
    /// 401, also with a fresh token.
    #[error(
        "GitHub does not accept the app's credentials for {what}: check the app id, the private key and the server's time"
    )]
    Unauthorized {
        /// What was asked for.
        what: String,
    },
    /// A rate limit that lasts longer than a call may wait.
    #[error("GitHub's rate limit is reached at {what}: try again after {until_ms} ms since 1970")]
    RateLimited {
        /// What was asked for.
        what: String,
        /// When it ends, in milliseconds since the Unix epoch.
        until_ms: i64,
    },
    /// 422 and other 4xx: GitHub does not accept what was sent.
    #[error("GitHub does not accept {what} ({message}): if the app may see the repository, please report it")]
    Validation {
        /// What was asked for.
        what: String,
        /// GitHub's own words.
        message: String,
    },
    /// 5xx.
    #[error("GitHub answered {status} for {what}: try again later, or see https://www.githubstatus.com")]
    Server {
        /// What was asked for.
        what: String,
        /// The status.
        status: u16,
        /// Whether the same call may be repeated as it is; a write that may have happened must be looked for first.
        retry: bool,
    },
    /// No answer at all.
    #[error("GitHub gave no answer for {what}: check the network and PROMPTOPS_GITHUB_API_URL")]
    Transport {
        /// What was asked for.
        what: String,
        /// Whether the same call may be repeated as it is; a write that may have happened must be looked for first.
        retry: bool,
        /// What the HTTP library says.
        #[source]
        source: Arc<octocrab::Error>,
    },
    /// An answer of another form than documented.
    #[error("GitHub's answer for {what} is not of the documented form: please report it")]
    Shape {
        /// What was asked for.
        what: String,
        /// Where it differs.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// Larger than we read.
    #[error("{what} has {size} bytes, more than the {limit} that are read: make it smaller")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// Its size.
        size: u64,
        /// The most we read.
        limit: u64,
    },
}

impl GithubError {
    /// Whether time may heal it: a job that met it is worth running again. Every write of this room looks first what is there.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Server { .. } | Self::Transport { .. })
    }

    /// Not before this time, in milliseconds since the Unix epoch, if GitHub says so.
    #[must_use]
    pub fn not_before_ms(&self) -> Option<i64> {
        match self {
            Self::RateLimited { until_ms, .. } => Some(*until_ms),
            _ => None,
        }
    }

    pub(super) fn shape(what: &str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Shape { what: what.to_owned(), source: Arc::new(source) }
    }
}

fn needs(permission: Option<&str>, message: &str) -> String {
    match permission {
        _ if message.contains("suspended") => {
            ": an owner of the account has to lift that in its settings, under GitHub Apps".to_owned()
        }
        Some(permission) => format!(": grant the app {permission} and accept that on the installation"),
        None => ": check the app's permissions on the installation".to_owned(),
    }
}
