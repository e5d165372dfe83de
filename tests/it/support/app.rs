//! The whole service between a fake GitHub and a scripted model: webhooks go in, checks and one comment come out.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use promptops::app::job::Job;
use promptops::app::service::RunBounds;
use promptops::cli::Server;
use promptops::config::{GithubConfig, ProviderConfig, ServeConfig};
use promptops::domain::app_manifest::{EVENTS, PERMISSIONS};
use promptops::domain::audit::AuditEntry;
use promptops::domain::ids::{CommitSha, InstallationId, PullNumber, RepoName, TeamSlug};
use promptops::engine::clock::{Clock, SystemClock};
use promptops::provider::{Kind, ModelServer};
use promptops::sim::{Change, CheckView, Exchange, NewPull, Repo, RequiredCheck, Sim, Verdict};
use promptops::store::Store;
use promptops::worker::WorkerSettings;
use tokio::runtime::Runtime;

use super::database::TestDatabase;
use super::openapi::assert_conforms;
use super::provider::{Asked, Reply, Scripted};

pub const SETTINGS_PATH: &str = ".github/promptops.yml";
pub const PROMPT: &str = "prompts/reply.prompt.yml";
pub const GOLDEN: &str = "prompts/reply.golden.yml";
/// What the model must be asked with, and what must never be shown.
pub const MODEL_KEY: &str = "sk-proj-a-key-that-nobody-may-see-0123456789";

/// One approval by the reviewers' team, whatever changes.
pub const SETTINGS: &str = r#"prompts:
  include: ["prompts/**"]
evaluation:
  model: openai/gpt-4o-mini
roles:
  leads: ["@acme/prompt-leads"]
  reviewers: ["@acme/prompt-reviewers"]
approval:
  - name: reviewer
    require: { count: 1, from: [reviewers] }
"#;

/// A prompt about orders; the model forgets those that the instruction tells it to forget.
pub fn prompt(instruction: &str) -> String {
    format!(
        "name: Order reply\ndescription: Tells customers where their order is\nmodel: openai/gpt-4o-mini\nmessages:\n  \
         - role: system\n    content: {instruction:?}\n  - role: user\n    content: \"Where is {{{{order}}}}?\"\n"
    )
}

/// A golden set of these orders: each must be named in the answer.
pub fn golden(orders: impl IntoIterator<Item = u32>) -> String {
    let case = |order| {
        let id = order_id(order);
        format!("  - id: order-{order}\n    vars: {{ order: {id} }}\n    evaluators:\n      - contains: {id}\n")
    };
    format!("cases:\n{}", orders.into_iter().map(case).collect::<String>())
}

fn order_id(order: u32) -> String {
    format!("A-{order:03}")
}

/// An instruction that makes the model forget these orders.
pub fn forgets(orders: impl IntoIterator<Item = u32>) -> String {
    let orders: Vec<String> = orders.into_iter().map(|order| format!("forget {}", order_id(order))).collect();
    format!("You answer customers; {}.", orders.join(", "))
}

/// What the model does now.
#[derive(Debug, Clone)]
pub enum Mood {
    Fine,
    /// Forgets nothing, whatever the instruction says.
    Lucky,
    Slow(Duration),
    Status(u16),
    Garbage,
    Hang,
}

fn answer(mood: &Mood, asked: &Asked) -> Reply {
    let key = asked.headers.get("authorization").and_then(|value| value.to_str().ok());
    if key != Some(&format!("Bearer {MODEL_KEY}")) {
        return Reply::error(401, "wrong key");
    }
    let instruction = asked.body["messages"][0]["content"].as_str().unwrap_or_default();
    let order = asked.user().trim_start_matches("Where is ").trim_end_matches('?');
    let forgotten = instruction.contains(&format!("forget {order}")) && !matches!(mood, Mood::Lucky);
    let text = if forgotten { "I know of no order.".to_owned() } else { format!("Order {order} ships tomorrow.") };
    match mood {
        Mood::Fine | Mood::Lucky => Reply::Text(text),
        Mood::Slow(wait) => Reply::After(*wait, Box::new(Reply::Text(text))),
        Mood::Status(status) => Reply::error(*status, "scripted trouble"),
        Mood::Garbage => {
            Reply::Status(200, vec![("content-type", "application/json".into())], "{\"choices\": [".into())
        }
        Mood::Hang => Reply::Hang,
    }
}

/// Acme's prompts, protected by our two checks. Ann writes prompts; Mara and Max review them; Lee leads; Rex only reads.
pub struct TestApp {
    pub sim: Sim,
    pub repo: Repo,
    pub model: Scripted,
    pub installation: InstallationId,
    pub config: ServeConfig,
    pub store: Store,
    mood: Arc<Mutex<Mood>>,
    database: TestDatabase,
    server: Option<(Runtime, Server)>,
    replicas: Vec<(Runtime, Server)>,
    branches: u32,
    may_fail: i64,
}

impl TestApp {
    /// With the usual settings and a golden set of 12 orders, one of which the prompt on `main` forgets.
    pub async fn new() -> Self {
        Self::with(Change::by("ann").write(SETTINGS_PATH, SETTINGS)).await
    }

    /// With other settings.
    pub async fn with_settings(settings: &str) -> Self {
        Self::with(Change::by("ann").write(SETTINGS_PATH, settings)).await
    }

    /// With these files besides the prompt and its golden set.
    pub async fn with(first: Change) -> Self {
        Self::on(TestDatabase::sqlite(), first).await
    }

    /// On this database.
    pub async fn on(database: TestDatabase, first: Change) -> Self {
        let sim = Sim::start().await.unwrap();
        for login in ["olga", "ann", "bob", "mara", "max", "lee", "rex"] {
            sim.user(login);
        }
        sim.org("acme", "olga");
        sim.team(&team("@acme/prompt-reviewers"), None, &["mara", "max", "ann", "bob"]).unwrap();
        sim.team(&team("@acme/prompt-leads"), None, &["lee"]).unwrap();
        let first = first.write(PROMPT, prompt(&forgets([3]))).write(GOLDEN, golden(1..=12)).write("README.md", "Acme");
        let repo = sim.repo(&RepoName::parse("acme/prompts").unwrap(), &first).unwrap();
        for (login, role) in
            [("ann", "write"), ("bob", "write"), ("mara", "write"), ("max", "write"), ("lee", "maintain")]
        {
            repo.role(login, role).unwrap();
        }
        // Exactly what the App asks for: whatever needs more fails here.
        sim.reregister(PERMISSIONS, EVENTS);
        let installation = sim.install_on("acme", None, PERMISSIONS).unwrap();
        protect(&sim, &repo, "main");
        let mood = Arc::new(Mutex::new(Mood::Fine));
        let shared = mood.clone();
        let model = Scripted::start(move |asked| answer(&shared.lock().unwrap(), asked)).await;
        let config = config(&sim, &model, &database);
        let store = database.open().await;
        let (server, replicas) = (None, Vec::new());
        let (branches, may_fail) = (0, 0);
        let mut app = Self {
            sim,
            repo,
            model,
            installation,
            config,
            store,
            mood,
            database,
            server,
            replicas,
            branches,
            may_fail,
        };
        app.start().await;
        app
    }

    /// Starts the server on the same database, and sends it the webhooks.
    pub async fn start(&mut self) {
        assert!(self.server.is_none(), "it runs already");
        let (runtime, server) = self.one_more().await;
        self.sim.deliver_to(&format!("http://{}/webhooks/github", server.address()));
        self.server = Some((runtime, server));
    }

    /// Starts another server on the same database, which is sent no webhooks and does the same jobs.
    pub async fn start_replica(&mut self) {
        let replica = self.one_more().await;
        self.replicas.push(replica);
    }

    async fn one_more(&self) -> (Runtime, Server) {
        // A runtime of its own, so that it can be killed with all it does.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_stack_size(16 << 20)
            .enable_all()
            .build()
            .unwrap();
        let config = self.config.clone();
        let start = async move { Server::start(&config, worker_settings(), bounds()).await };
        let server = runtime.spawn(start).await.unwrap().unwrap();
        (runtime, server)
    }

    /// Ends the server as a crash does: nothing is finished, nothing is given back.
    pub fn kill(&mut self) {
        let (runtime, _) = self.server.take().expect("it runs");
        runtime.shutdown_background();
    }

    /// Ends the server as SIGTERM does.
    pub async fn stop(&mut self) {
        let (runtime, server) = self.server.take().expect("it runs");
        runtime.spawn(server.stop()).await.unwrap().unwrap();
        runtime.shutdown_background();
    }

    /// What the model does from now on.
    pub fn mood(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Ann opens a pull request with one commit, on a branch of its own.
    pub async fn open(&mut self, change: &Change) -> PullNumber {
        let number = self.open_unsettled(change);
        self.settle().await;
        number
    }

    pub fn open_unsettled(&mut self, change: &Change) -> PullNumber {
        self.branches += 1;
        let branch = format!("change-{}", self.branches);
        self.repo.branch(&branch, "main").unwrap();
        self.repo.push(&branch, change).unwrap();
        self.repo.open_pull(&NewPull::new("ann", &branch, "main")).unwrap()
    }

    /// A pull request that makes the prompt better.
    pub async fn open_better(&mut self) -> PullNumber {
        self.open(&Change::by("ann").write(PROMPT, prompt("You answer customers politely."))).await
    }

    /// Ann pushes to the branch of the pull request that was opened last.
    pub async fn push(&self, change: &Change) -> CommitSha {
        let sha = self.repo.push(&self.branch(), change).unwrap();
        self.settle().await;
        sha
    }

    /// The branch of the pull request that was opened last.
    pub fn branch(&self) -> String {
        format!("change-{}", self.branches)
    }

    pub async fn approve(&self, pull: PullNumber, by: &str) -> u64 {
        let id = self.repo.review(pull, by, Verdict::Approve, "fine").unwrap();
        self.settle().await;
        id
    }

    pub fn approve_unsettled(&self, pull: PullNumber, by: &str) {
        self.repo.review(pull, by, Verdict::Approve, "fine").unwrap();
    }

    /// What the server does every few minutes, now; waits for all that follows.
    pub async fn sweep(&self) {
        self.store.enqueue_job(&Job::Sweep.to_new(false), SystemClock.now_ms()).await.unwrap();
        self.settle().await;
        // What it asked for again may come in just when its own job ends.
        self.settle().await;
    }

    /// Another pull request with the head of the one that was opened last, on a branch of its own.
    pub fn open_twin(&mut self, author: &str, base: &str) -> PullNumber {
        let from = self.branch();
        self.branches += 1;
        let branch = self.branch();
        self.repo.branch(&branch, &from).unwrap();
        self.repo.open_pull(&NewPull::new(author, &branch, base)).unwrap()
    }

    pub async fn say(&self, pull: PullNumber, by: &str, body: &str) {
        self.repo.comment(pull, by, body).unwrap();
        self.settle().await;
    }

    /// The same some seconds later: GitHub tells times by the second, and whoever overrides has looked at the head before.
    pub async fn say_later(&self, pull: PullNumber, by: &str, body: &str) {
        self.sim.advance(Duration::from_secs(2));
        self.say(pull, by, body).await;
    }

    /// What the audit log says, oldest first.
    pub async fn audit(&self) -> Vec<AuditEntry> {
        let rows = self.store.audit_after(0, 1_000).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(&row.body).unwrap()).collect()
    }

    /// Waits until every delivery has its answer and no job is left to do.
    pub async fn settle(&self) {
        let started = Instant::now();
        loop {
            self.sim.settle().await;
            let jobs = self.store.job_counts().await.unwrap();
            if (jobs.queued, jobs.running) == (0, 0) {
                return;
            }
            assert!(started.elapsed() < Duration::from_secs(40), "jobs are left: {jobs:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until this holds.
    pub async fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < Duration::from_secs(20), "it never happened: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Our latest check of that name on a commit.
    pub fn check_on(&self, sha: &CommitSha, name: &str) -> Option<CheckView> {
        let ours = |run: &CheckView| run.app_id == self.sim.app_id() && run.name == name;
        self.repo.check_runs(sha).into_iter().rfind(ours)
    }

    pub fn head(&self, pull: PullNumber) -> CommitSha {
        self.repo.pull(pull).unwrap().head
    }

    pub fn evaluation(&self, pull: PullNumber) -> CheckView {
        self.check(pull, "evaluation")
    }

    pub fn approval(&self, pull: PullNumber) -> CheckView {
        self.check(pull, "approval")
    }

    fn check(&self, pull: PullNumber, what: &str) -> CheckView {
        let view = self.repo.pull(pull).unwrap();
        let name = format!("promptops/{what}: {}", view.base);
        self.check_on(&view.head, &name).unwrap_or_else(|| panic!("no check `{name}` on the head"))
    }

    /// Asserts how the two checks stand, and shows what they say if they do not.
    #[track_caller]
    pub fn expect(&self, pull: PullNumber, evaluation: &str, approval: &str) {
        let (of_evaluation, of_approval) = (self.evaluation(pull), self.approval(pull));
        assert_eq!(
            (state(&of_evaluation).as_str(), state(&of_approval).as_str()),
            (evaluation, approval),
            "{:?} / {:?}\n{:?}\n{:?}",
            of_evaluation.title,
            of_approval.title,
            of_evaluation.text,
            of_approval.text
        );
    }

    /// The report, of which there is at most one.
    pub fn report(&self, pull: PullNumber) -> Option<String> {
        let comments = self.repo.comments(pull).into_iter();
        let mut reports = comments.filter(|one| one.by_app && one.body.contains("<!-- promptops:report -->"));
        let report = reports.next().map(|one| one.body);
        assert_eq!(reports.count(), 0, "there is one report");
        report
    }

    /// Our comments that are no report.
    pub fn answers(&self, pull: PullNumber) -> Vec<String> {
        let comments = self.repo.comments(pull).into_iter();
        let answers = comments.filter(|one| one.by_app && !one.body.contains("<!-- promptops:report -->"));
        answers.map(|one| one.body).collect()
    }

    pub fn can_merge(&self, pull: PullNumber) -> bool {
        self.repo.can_merge(pull).is_ok()
    }

    pub fn comment_writes(&self) -> usize {
        self.sim.exchanges().iter().filter(|exchange| exchange.is_comment_write()).count()
    }

    /// So many jobs are expected to give up.
    pub fn may_fail(&mut self, jobs: i64) {
        self.may_fail = jobs;
    }

    /// What no story may leave behind.
    pub async fn finish(mut self) {
        self.settle().await;
        // What a sweep asked for again may come in just when all seemed done.
        self.settle().await;
        if self.server.is_some() {
            self.stop().await;
        }
        for (runtime, server) in std::mem::take(&mut self.replicas) {
            runtime.spawn(server.stop()).await.unwrap().unwrap();
            runtime.shutdown_background();
        }
        self.sim.check_quiet().unwrap();
        let jobs = self.store.job_counts().await.unwrap();
        assert_eq!((jobs.queued, jobs.running, jobs.failed), (0, 0, self.may_fail));
        assert_conforms(&self.sim.exchanges());
        assert_never_waved_through(&self.sim.exchanges());
        self.store.close().await;
        let _ = &self.database;
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        for (runtime, _) in self.server.take().into_iter().chain(std::mem::take(&mut self.replicas)) {
            runtime.shutdown_background();
        }
    }
}

/// GitHub takes these two words for a pass, so no check of ours ever ends with them.
fn assert_never_waved_through(exchanges: &[Exchange]) {
    for conclusion in exchanges.iter().filter_map(|one| one.request.as_ref()?.get("conclusion")) {
        assert!(conclusion != "neutral" && conclusion != "skipped", "{conclusion}");
    }
}

/// Both checks of ours are required on the branch.
pub fn protect(sim: &Sim, repo: &Repo, branch: &str) {
    let required =
        |what: &str| RequiredCheck { name: format!("promptops/{what}: {branch}"), app_id: Some(sim.app_id()) };
    repo.protect(branch, vec![required("evaluation"), required("approval")]).unwrap();
}

pub fn team(name: &str) -> TeamSlug {
    TeamSlug::parse(name).unwrap()
}

/// How it ended, or that it has not.
pub fn state(check: &CheckView) -> String {
    check.conclusion.clone().unwrap_or_else(|| check.status.clone())
}

fn worker_settings() -> WorkerSettings {
    WorkerSettings {
        lanes: 4,
        lease: Duration::from_secs(2),
        heartbeat: Duration::from_millis(100),
        poll: Duration::from_millis(50),
        grace: Duration::from_secs(5),
        max_attempts: 5,
        first_retry: Duration::from_millis(50),
    }
}

fn bounds() -> RunBounds {
    RunBounds { concurrency: 16, call_timeout: Duration::from_secs(1), run_timeout: Duration::from_secs(20), tries: 2 }
}

fn config(sim: &Sim, model: &Scripted, database: &TestDatabase) -> ServeConfig {
    ServeConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        database_url: database.url.clone().into(),
        github: GithubConfig {
            app_id: sim.app_id(),
            private_key: sim.private_key().into(),
            webhook_secrets: vec![sim.webhook_secret().into()],
            api_url: sim.url().parse().unwrap(),
        },
        public_url: None,
        reconcile: Duration::from_secs(300),
        providers: ProviderConfig { allow_private: true, ..ProviderConfig::default() }
            .with("openai", ModelServer::new(Kind::OpenAi).at(format!("{}/v1", model.url())).with_key(MODEL_KEY)),
    }
}
