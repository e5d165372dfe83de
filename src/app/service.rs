//! What every use case of the service works with, made once at the start. Holds no state of any pull request.

use std::sync::Arc;
use std::time::Duration;

use crate::app::job::{JobError, PullRef};
use crate::app::organisation::Memory;
use crate::domain::ids::{InstallationId, RepoId, RepoName};
use crate::domain::price::Prices;
use crate::domain::untrusted::Secrets;
use crate::engine::clock::Clock;
use crate::engine::limits::Limiter;
use crate::engine::provider::Provider;
use crate::github::{Github, GithubError, Repository};
use crate::store::{Store, StoreError};

/// The service's tools.
pub struct Service {
    /// GitHub, as the app sees it.
    pub github: Github,
    /// Deliveries, jobs, runs, answers.
    pub store: Store,
    /// Models, with the answers of earlier runs in front.
    pub provider: Arc<dyn Provider>,
    /// Models without the answers of earlier runs: for whoever asks for a run anew.
    pub fresh: Arc<dyn Provider>,
    /// What models cost.
    pub prices: Arc<Prices>,
    /// How fast each provider may be asked, by all pull requests together.
    pub limiter: Arc<Limiter>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Values that must never be shown.
    pub secrets: Secrets,
    /// Bounds of a run.
    pub bounds: RunBounds,
}

/// Bounds of a run that do not depend on the pull request.
#[derive(Debug, Clone, Copy)]
pub struct RunBounds {
    /// Model calls at once.
    pub concurrency: usize,
    /// Longest single call.
    pub call_timeout: Duration,
    /// Longest run.
    pub run_timeout: Duration,
    /// Tries per call.
    pub tries: u32,
}

impl Default for RunBounds {
    fn default() -> Self {
        Self {
            concurrency: 16,
            call_timeout: Duration::from_secs(120),
            run_timeout: Duration::from_secs(3_600),
            tries: 5,
        }
    }
}

impl Service {
    /// What is remembered of settings, as of now.
    #[must_use]
    pub fn memory(&self) -> Memory<'_> {
        Memory { store: &self.store, now_ms: self.clock.now_ms() }
    }

    /// The repository a job is about, through its installation.
    ///
    /// # Errors
    /// When the installation has to be looked up and is not there.
    pub async fn repository(&self, pull: &PullRef) -> Result<Repository, JobError> {
        self.repository_of(&pull.repo, pull.repo_id, pull.installation).await
    }

    /// A repository through an installation, which is looked up where it is not known.
    ///
    /// # Errors
    /// When the installation has to be looked up and is not there.
    pub async fn repository_of(
        &self,
        repo: &RepoName,
        id: RepoId,
        installation: Option<InstallationId>,
    ) -> Result<Repository, JobError> {
        let installation = match installation {
            Some(installation) => installation,
            None => self.github.installation_of(repo).await?,
        };
        Ok(self.github.repository(installation, repo.clone(), id))
    }
}

impl From<GithubError> for JobError {
    fn from(error: GithubError) -> Self {
        let message = error.to_string();
        match error.not_before_ms() {
            Some(at_ms) => Self::RetryAt { message, at_ms },
            None if error.is_temporary() => Self::Retry { message, after: None },
            None => Self::GiveUp { message },
        }
    }
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        Self::Retry { message: error.to_string(), after: None }
    }
}
