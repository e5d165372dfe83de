//! The demo's stage: a GitHub on loopback with one repository, and the real service beside it. Prints nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::PROMPT;
use super::show::Moment;
use crate::app::service::RunBounds;
use crate::cli::exit::CommandError;
use crate::cli::server::Server;
use crate::config::{GithubConfig, ProviderConfig, ServeConfig};
use crate::domain::ids::{CommitSha, PullNumber, RepoName, TeamSlug};
use crate::engine::provider::Provider;
use crate::sim::{Change, CheckView, Repo, RequiredCheck, Sim, SimError};
use crate::worker::WorkerSettings;

/// What is on `main`.
const LIBRARY: [(&str, &str); 5] = [
    (".github/promptops.yml", include_str!("../../../examples/support-team/.github/promptops.yml")),
    (PROMPT, include_str!("../../../examples/support-team/prompts/reply.prompt.yml")),
    ("prompts/reply.golden.yml", include_str!("../../../examples/support-team/prompts/reply.golden.yml")),
    ("prompts/triage.prompt.yml", include_str!("../../../examples/support-team/prompts/triage.prompt.yml")),
    ("prompts/triage.golden.jsonl", include_str!("../../../examples/support-team/prompts/triage.golden.jsonl")),
];
/// Longest wait for one step; each takes well under a second.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn bug(error: impl std::fmt::Display) -> CommandError {
    CommandError::Bug(error.to_string())
}

/// A GitHub with one repository, and the service beside it.
pub struct Stage {
    sim: Sim,
    /// The library's repository.
    pub repo: Repo,
    server: Server,
    folder: PathBuf,
}

impl Stage {
    pub async fn build(provider: Arc<dyn Provider>) -> Result<Self, CommandError> {
        let sim = Sim::start().await.map_err(bug)?;
        let repo = library(&sim).map_err(bug)?;
        let folder = std::env::temp_dir().join(format!("promptops-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .map_err(|error| CommandError::World(format!("cannot make `{}`: {error}", folder.display())))?;
        let config = config(&sim, &folder)?;
        let settings = WorkerSettings { lanes: 2, ..WorkerSettings::default() };
        let server = Server::start_with(&config, provider, settings, RunBounds::default()).await?;
        sim.deliver_to(&format!("http://{}/webhooks/github", server.address()));
        Ok(Self { sim, repo, server, folder })
    }

    pub async fn clear(self) -> Result<(), CommandError> {
        self.sim.settle().await;
        self.server.stop().await?;
        // A folder that stays is the system's to clean.
        std::fs::remove_dir_all(&self.folder).ok();
        Ok(())
    }

    /// Waits until the checks on a commit are as wanted and all work that follows is done: the comment comes last.
    pub async fn settled(&self, head: &CommitSha, which: &str) -> Result<(), CommandError> {
        let wait = async {
            loop {
                if self.server.is_idle().await? && ended(&self.repo.check_runs(head), which) {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.map_err(|_| bug("the checks did not end in time"))?
    }

    /// What the pull request shows now.
    pub fn moment(&self, number: PullNumber, head: &CommitSha) -> Moment {
        let comment = self.repo.comments(number).into_iter().find(|comment| comment.by_app);
        Moment {
            checks: self.repo.check_runs(head),
            held: self.repo.can_merge(number).err().unwrap_or_default(),
            comment: comment.map_or_else(String::new, |comment| comment.body),
        }
    }
}

fn ended(checks: &[CheckView], which: &str) -> bool {
    checks.iter().any(|check| check.name.starts_with(&format!("promptops/{which}")) && check.status == "completed")
}

/// The service as an App of this GitHub.
fn config(sim: &Sim, folder: &Path) -> Result<ServeConfig, CommandError> {
    Ok(ServeConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        database_url: format!("sqlite://{}", folder.join("demo.db").display()).into(),
        github: GithubConfig {
            app_id: sim.app_id(),
            private_key: sim.private_key().into(),
            webhook_secrets: vec![sim.webhook_secret().into()],
            api_url: sim.url().parse().map_err(bug)?,
        },
        public_url: None,
        reconcile: Duration::from_secs(300),
        providers: ProviderConfig::default(),
    })
}

/// The team, its repository and its branch protection.
fn library(sim: &Sim) -> Result<Repo, SimError> {
    for login in ["nora", "tom", "ida"] {
        sim.user(login);
    }
    sim.org("fjell-og-fjord", "nora");
    let team = TeamSlug::parse("fjell-og-fjord/support")?;
    sim.team(&team, None, &["ida", "tom"])?;
    let files = LIBRARY
        .iter()
        .fold(Change::by("nora").message("Start the library"), |change, (path, content)| change.write(path, content));
    let repo = sim.repo(&RepoName::parse("fjell-og-fjord/prompts")?, &files)?;
    for login in ["tom", "ida"] {
        repo.role(login, "write")?;
    }
    sim.install("fjell-og-fjord")?;
    let required = ["promptops/evaluation: main", "promptops/approval: main"];
    let required = required.map(|name| RequiredCheck { name: name.to_owned(), app_id: Some(sim.app_id()) });
    repo.protect("main", required.to_vec())?;
    Ok(repo)
}
