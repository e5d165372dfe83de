//! `promptops demo`: the bundled library through a whole pull request, with the real service and a GitHub on loopback.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::exit::{CommandError, Outcome};
use super::server::Server;
use crate::app::service::RunBounds;
use crate::config::{GithubConfig, ProviderConfig, ServeConfig};
use crate::domain::ids::{CommitSha, PullNumber, RepoName, TeamSlug};
use crate::engine::provider::Provider;
use crate::provider::Replay;
use crate::sim::{Change, CheckView, NewPull, Repo, RequiredCheck, Sim, SimError, Verdict};
use crate::worker::WorkerSettings;

const PROMPT: &str = "prompts/reply.prompt.yml";
/// What is on `main`.
const LIBRARY: [(&str, &str); 5] = [
    (".github/promptops.yml", include_str!("../../examples/support-team/.github/promptops.yml")),
    (PROMPT, include_str!("../../examples/support-team/prompts/reply.prompt.yml")),
    ("prompts/reply.golden.yml", include_str!("../../examples/support-team/prompts/reply.golden.yml")),
    ("prompts/triage.prompt.yml", include_str!("../../examples/support-team/prompts/triage.prompt.yml")),
    ("prompts/triage.golden.jsonl", include_str!("../../examples/support-team/prompts/triage.golden.jsonl")),
];
const FIRST_PUSH: &str = include_str!("../../examples/support-team/pushes/1-hand-over.prompt.yml");
const SECOND_PUSH: &str = include_str!("../../examples/support-team/pushes/2-shorten.prompt.yml");
const ANSWERS: &str = include_str!("../../examples/support-team/answers.jsonl");
/// Longest wait for one step; each takes well under a second.
const PATIENCE: Duration = Duration::from_secs(120);

const AFTERWORD: &str = "\
Next: try it on a repository of yours.
  1. Put a golden set beside a prompt: prompts/x.prompt.yml, prompts/x.golden.yml
  2. Set OPENAI_API_KEY, ANTHROPIC_API_KEY or OLLAMA_HOST
  3. promptops eval --base main
The library of this demo is in examples/support-team.
";

/// Plays the demo and prints it.
///
/// # Errors
/// See [`CommandError`].
pub async fn run() -> Result<Outcome, CommandError> {
    let answers = Replay::read(ANSWERS.as_bytes(), Path::new("answers.jsonl")).map_err(bug)?;
    let mut printed = Vec::new();
    let played = play(Arc::new(answers), &mut printed).await;
    // A reader that closed the pipe has seen what it wanted.
    io::stdout().write_all(&printed).ok();
    played?;
    Ok(Outcome::Passed)
}

/// Plays the demo with `provider` answering, and writes what happens to `out`.
///
/// # Errors
/// See [`CommandError`].
pub async fn play(provider: Arc<dyn Provider>, out: &mut (dyn Write + Send)) -> Result<(), CommandError> {
    let stage = Stage::build(provider).await?;
    let told = stage.tell(out).await;
    stage.clear().await?;
    told
}

fn bug(error: impl std::fmt::Display) -> CommandError {
    CommandError::Bug(error.to_string())
}

/// A GitHub with one repository, and the service beside it.
struct Stage {
    sim: Sim,
    repo: Repo,
    server: Server,
    folder: PathBuf,
}

impl Stage {
    async fn build(provider: Arc<dyn Provider>) -> Result<Self, CommandError> {
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

    async fn clear(self) -> Result<(), CommandError> {
        self.sim.settle().await;
        self.server.stop().await?;
        // A folder that stays is the system's to clean.
        std::fs::remove_dir_all(&self.folder).ok();
        Ok(())
    }

    async fn tell(&self, out: &mut (dyn Write + Send)) -> Result<(), CommandError> {
        let push = |content, title: &str| {
            self.repo.push("hand-over", &Change::by("tom").message(title).write(PROMPT, content)).map_err(bug)
        };
        say(out, "PromptOps demo: a pull request on a support team's prompt library.")?;
        say(out, "The answers are recorded, GitHub is on loopback: no key, no network.\n")?;

        say(out, "1. Tom adds a sentence to the prompt and opens a pull request.\n")?;
        self.repo.branch("hand-over", "main").map_err(bug)?;
        let head = push(FIRST_PUSH, "Say who takes over and by when")?;
        let new = NewPull { title: "Say who takes over and by when", ..NewPull::new("tom", "hand-over", "main") };
        let number = self.repo.open_pull(&new).map_err(bug)?;
        self.settled(&head, |checks| ended(checks, "evaluation")).await?;
        self.show(out, number, &head)?;

        say(out, "2. Ida of the support team approves.\n")?;
        self.repo.review(number, "ida", Verdict::Approve, "Reads well.").map_err(bug)?;
        self.settled(&head, |checks| ended(checks, "approval")).await?;
        self.checks(out, number, &head)?;

        say(out, "3. Tom pushes a second commit that shortens the prompt. It drops the rule on\n   large refunds.\n")?;
        let head = push(SECOND_PUSH, "Shorten the instructions")?;
        self.settled(&head, |checks| ended(checks, "evaluation")).await?;
        self.show(out, number, &head)?;

        say(out, "The merge is held, and everybody can see why.\n")?;
        write!(out, "{AFTERWORD}").map_err(bug)
    }

    /// Waits until the checks on a commit are as wanted and all work that follows is done: the comment comes last.
    async fn settled(&self, head: &CommitSha, wanted: impl Fn(&[CheckView]) -> bool) -> Result<(), CommandError> {
        let wait = async {
            loop {
                if self.server.is_idle().await? && wanted(&self.repo.check_runs(head)) {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.map_err(|_| bug("the checks did not end in time"))?
    }

    fn show(&self, out: &mut dyn Write, number: PullNumber, head: &CommitSha) -> Result<(), CommandError> {
        self.checks(out, number, head)?;
        say(out, "   The comment on the pull request:\n")?;
        let comments = self.repo.comments(number);
        let body = comments.iter().find(|comment| comment.by_app).map_or("", |comment| comment.body.as_str());
        // The marker is for us, not for readers.
        for line in body.lines().filter(|line| !line.starts_with("<!--")) {
            say(out, format!("   | {line}").trim_end())?;
        }
        say(out, "")
    }

    fn checks(&self, out: &mut dyn Write, number: PullNumber, head: &CommitSha) -> Result<(), CommandError> {
        for check in self.repo.check_runs(head) {
            let state = check.conclusion.as_deref().unwrap_or(&check.status).replace('_', " ");
            say(out, &format!("   {}  {state}", check.name))?;
            say(out, &format!("      {}", check.title.as_deref().unwrap_or_default()))?;
        }
        let merge = match self.repo.can_merge(number) {
            Ok(()) => "open".to_owned(),
            Err(why) => format!("held: {}", why.join("; ")),
        };
        say(out, &format!("   merge  {merge}\n"))
    }
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), CommandError> {
    writeln!(out, "{line}").map_err(bug)
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
