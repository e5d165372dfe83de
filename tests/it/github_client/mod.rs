//! The GitHub room against a GitHub on loopback: real HTTP, real Git objects, real paging, limits and faults.

#![expect(clippy::unwrap_used, reason = "a stage that cannot be set up fails its test")]

mod calls;
mod facts;
mod writes;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::support::openapi::assert_conforms;
use promptops::domain::gate::Verdict;
use promptops::domain::ids::{InstallationId, Login, PromptPath, PullNumber, RepoName, TeamSlug};
use promptops::domain::policy::decision::State;
use promptops::domain::policy::facts::{Membership, Person, PullFacts, ReviewState};
use promptops::domain::policy::{
    self, Change as Kind, Policy, Principal, Quorum, Require, Rule, Source, When as RuleWhen,
};
use promptops::engine::clock::{Clock, SystemClock};
use promptops::github::check::{Annotation, CheckOutput, CheckRun, CheckState, Conclusion, Level};
use promptops::github::{
    CheckId, CheckWrite, CommentOutcome, CommentWrite, EntryKind, Github, GithubError, GithubOptions, Head,
    REPORT_MARKER, Remembered, Repository, Snapshot, Teams,
};
use promptops::sim::{Caller, Caps, Change, Fault, Limits, NewPull, Repo, Sim, Trouble, Verdict as Says, When};

const PROMPT: &str = "prompts/refund.prompt.yml";
const GOLDEN: &str = "prompts/refund.golden.yml";
const SETTINGS: &str = ".github/promptops.yml";

fn governed(path: &PromptPath) -> Option<Kind> {
    match path.as_str() {
        SETTINGS => Some(Kind::Policy),
        name if name.ends_with(".golden.yml") => Some(Kind::GoldenSet),
        name if name.starts_with("prompts/") => Some(Kind::Prompt),
        _ => None,
    }
}

fn path(text: &str) -> PromptPath {
    PromptPath::parse(text).unwrap()
}

fn team() -> TeamSlug {
    TeamSlug::parse("@acme/reviewers").unwrap()
}

fn one_of_the_reviewers() -> Policy {
    let from = vec![Source::Principal(Principal::Team(team()))];
    let require = Require::Quorum(Quorum { count: 1, from });
    let rules = vec![Rule { name: "reviewer".into(), when: RuleWhen::default(), require }];
    Policy { rules, ..Policy::default() }
}

/// Acme's prompts: Ann changed one prompt and its golden set in a pull request, Mara is one of the reviewers.
struct Stage {
    sim: Sim,
    repo: Repo,
    number: PullNumber,
    github: Github,
    installation: InstallationId,
    /// Milliseconds by which the app's clock is ahead.
    ahead: Arc<AtomicI64>,
}

impl Stage {
    async fn new() -> Self {
        let sim = Sim::start().await.unwrap();
        for login in ["olga", "ann", "mara", "lee"] {
            sim.user(login);
        }
        sim.org("acme", "olga");
        sim.team(&team(), None, &["mara"]).unwrap();
        let first = Change::by("ann").write(PROMPT, "one").write(GOLDEN, "cases").write(SETTINGS, "prompts: {}");
        let repo = sim.repo(&RepoName::parse("acme/prompts").unwrap(), &first).unwrap();
        repo.role("ann", "write").unwrap();
        let installation = sim.install("acme").unwrap();
        repo.branch("better", "main").unwrap();
        repo.push("better", &Change::by("ann").write(PROMPT, "two")).unwrap();
        repo.push("better", &Change::by("ann").write(GOLDEN, "more cases")).unwrap();
        let number = repo.open_pull(&NewPull::new("ann", "better", "main")).unwrap();
        let ahead = Arc::new(AtomicI64::new(0));
        let github = client(&sim, ahead.clone());
        Self { sim, repo, number, github, installation, ahead }
    }

    fn repository(&self) -> Repository {
        self.github.repository(self.installation, self.repo.name().clone(), self.repo.id())
    }

    async fn snapshot(&self) -> Snapshot {
        self.repository().snapshot(self.number).await.unwrap()
    }

    async fn facts(&self) -> PullFacts {
        let snapshot = self.snapshot().await;
        self.repository().facts(&snapshot, &governed, &one_of_the_reviewers(), Default::default()).await.unwrap()
    }

    async fn state(&self) -> State {
        policy::decide(&one_of_the_reviewers(), &self.facts().await, Some(Verdict::Pass)).state
    }

    fn head(&self) -> Head {
        let pull = self.repo.pull(self.number).unwrap();
        Head { number: self.number, sha: pull.head, base: pull.base.try_into().unwrap() }
    }

    /// What every test may leave behind, and that GitHub itself would understand each request.
    fn assert_quiet(&self) {
        self.sim.check_quiet().unwrap();
        assert_conforms(&self.sim.exchanges());
    }

    fn asked(&self, method: &str, end: &str) -> usize {
        let exchanges = self.sim.exchanges();
        exchanges.iter().filter(|one| one.method == method && one.path.ends_with(end)).count()
    }
}

fn client(sim: &Sim, ahead: Arc<AtomicI64>) -> Github {
    let options = GithubOptions {
        api_url: sim.url().to_owned(),
        app_id: sim.app_id(),
        private_key: sim.private_key().into(),
        now_ms: Arc::new(move || SystemClock.now_ms() + ahead.load(Ordering::Relaxed)),
    };
    Github::new(options).unwrap()
}

fn check(name: &str, state: CheckState, annotations: usize) -> CheckRun {
    let annotation = Annotation {
        path: path(PROMPT),
        line: 1,
        end_line: 1,
        columns: None,
        level: Level::Warning,
        message: "look here".into(),
        title: "lint".into(),
    };
    let output = CheckOutput {
        title: "1 case broke".into(),
        summary: "summary".into(),
        text: "text".into(),
        annotations: vec![annotation; annotations],
    };
    CheckRun {
        name: name.into(),
        state,
        output,
        external_id: "acme/prompts#1".into(),
        details_url: None,
        buttons: Vec::new(),
    }
}

fn write(run: CheckRun, known: Remembered<CheckId>) -> CheckWrite {
    CheckWrite { run, known, last: None }
}

fn report(known: Remembered<promptops::github::CommentId>) -> CommentWrite {
    CommentWrite { body: format!("{REPORT_MARKER}\nAll good."), known, last: None }
}

const DONE: CheckState = CheckState::Completed(Conclusion::Success);
