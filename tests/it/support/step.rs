//! A step of a workflow: a checkout, the runner's files and variables, a repository at the fake GitHub, a scripted model, and
//! the real binary in the middle.

use std::collections::BTreeMap;

use promptops::domain::ids::{CommitSha, PullNumber, RepoName};
use promptops::sim::{Change, NewPull, Repo, Sim};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::desk::{Desk, Ran};
use super::provider::{Reply, Scripted};

pub const PROMPT: &str = "prompts/reply.prompt.yml";
pub const GOLDEN: &str = "prompts/reply.golden.yml";
const OTHER: &str = "prompts/other.prompt.yml";

/// A prompt that the scripted model answers well if it is kind.
pub fn prompt(how: &str) -> String {
    format!(
        "name: Reply\nmodel: openai/gpt-4o-mini\nmessages:\n  - role: user\n    content: Reply {how} to {{{{question}}}}\n"
    )
}

const CASES: &str = "cases:\n  - id: greets\n    vars: { question: hi }\n    must_pass: always\n    evaluators: [{ contains: Hello }]\n";

/// What the step left behind.
pub struct Stepped {
    pub ran: Ran,
    pub outputs: BTreeMap<String, String>,
    /// The outputs' file as it is.
    pub output_file: String,
    pub summary: String,
}

impl Stepped {
    /// The lines that the runner obeys, masks aside.
    pub fn commands(&self) -> Vec<&str> {
        let mut stopped: Option<String> = None;
        let mut obeyed = Vec::new();
        for line in self.ran.stdout.lines() {
            let line = line.trim_start();
            match &stopped {
                Some(token) if line == format!("::{token}::") => stopped = None,
                Some(_) => {}
                None => match line.strip_prefix("::stop-commands::") {
                    Some(token) => stopped = Some(token.to_owned()),
                    None if line.starts_with("::add-mask::") => {}
                    None if line.starts_with("::") || line.contains("##[") => obeyed.push(line),
                    None => {}
                },
            }
        }
        obeyed
    }

    pub fn verdict(&self) -> (i32, &str) {
        (self.ran.code, self.outputs.get("verdict").map_or("", String::as_str))
    }

    /// The result that the step points at.
    pub fn result(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(&self.outputs["report-file"]).unwrap()).unwrap()
    }
}

/// The step before it runs.
pub struct Step {
    pub sim: Sim,
    pub repo: Repo,
    pub number: PullNumber,
    /// The checkout.
    pub desk: Desk,
    pub model: Scripted,
    /// Base and head at the fake.
    pub base: CommitSha,
    pub head: CommitSha,
    runner: TempDir,
    variables: BTreeMap<String, String>,
}

impl Step {
    /// A pull request that changes one of two prompts to be answered `how`, checked out with all its history.
    pub async fn pull_request(how: &str) -> Self {
        let model = Scripted::start(|asked| {
            Reply::text(if asked.user().contains("kindly") { "Hello and welcome" } else { "Go away" })
        });
        Self::with_model(how, model.await).await
    }

    /// The same with a model of one's own.
    pub async fn with_model(how: &str, model: Scripted) -> Self {
        let sim = Sim::start().await.unwrap();
        sim.org("acme", "olga");
        sim.user("ana");
        let before = [(PROMPT, prompt("kindly")), (OTHER, prompt("most kindly")), (GOLDEN, CASES.to_owned())];
        let mut first = Change::by("olga").write("prompts/other.golden.yml", CASES);
        let desk = Desk::repository(&[("prompts/other.golden.yml", CASES)]);
        for (path, text) in &before {
            first = first.write(path, text);
            desk.write(path, text);
        }
        let repo = sim.repo(&RepoName::parse("acme/shop").unwrap(), &first).unwrap();
        repo.branch("change", "main").unwrap();
        let head = repo.push("change", &Change::by("ana").write(PROMPT, prompt(how))).unwrap();
        let number = repo.open_pull(&NewPull::new("ana", "change", "main")).unwrap();
        desk.commit("base");
        desk.write(PROMPT, prompt(how));
        desk.commit("change");
        let (base, runner) = (repo.tip("main").unwrap(), TempDir::new().unwrap());
        let token = repo.job_token(&[("contents", "read"), ("pull_requests", "write")]).unwrap();
        let mut step = Self { sim, repo, number, desk, model, base, head, runner, variables: BTreeMap::new() };
        step.surroundings(&token);
        let local_base = step.desk.git(&["rev-parse", "HEAD~1"]);
        step.pull_event("pull_request", &local_base, false);
        step
    }

    fn surroundings(&mut self, token: &str) {
        let at = |name: &str| self.runner.path().join(name).display().to_string();
        let url = self.sim.url().to_owned();
        let pairs = [
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_REPOSITORY", "acme/shop".to_owned()),
            ("GITHUB_REPOSITORY_ID", self.repo.id().to_string()),
            ("GITHUB_SHA", self.head.to_string()),
            ("GITHUB_API_URL", url.clone()),
            ("GITHUB_GRAPHQL_URL", format!("{url}/graphql")),
            ("GITHUB_EVENT_PATH", at("event.json")),
            ("GITHUB_OUTPUT", at("output")),
            ("GITHUB_STEP_SUMMARY", at("summary")),
            ("GITHUB_WORKSPACE", self.desk.path().display().to_string()),
            ("RUNNER_TEMP", self.runner.path().display().to_string()),
            ("INPUT_GITHUB_TOKEN", token.to_owned()),
            ("OPENAI_API_KEY", "sk-proj-0123456789abcdefghij".to_owned()),
            ("OPENAI_BASE_URL", format!("{}/v1", self.model.url())),
        ];
        self.variables = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    }

    /// Makes the checkout the merge that GitHub offers: without history, and naming the pull request's head as a parent.
    pub fn check_out_merge(&self) -> String {
        let commit = self.desk.git(&["cat-file", "commit", "HEAD"]);
        let (before, after) = commit.split_once("author ").unwrap();
        let file = self.runner.path().join("merge");
        std::fs::write(&file, format!("{before}parent {}\nauthor {after}\n", self.head)).unwrap();
        let merge = self.desk.git(&["hash-object", "-t", "commit", "-w", "--literally", file.to_str().unwrap()]);
        self.desk.write(".git/shallow", format!("{merge}\n"));
        self.desk.git(&["checkout", "--quiet", "--detach", &merge]);
        merge
    }

    /// Another value of a variable; empty is as if it were not given.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// No keys for models.
    pub fn without_keys(&mut self) -> &mut Self {
        self.set("OPENAI_API_KEY", "").set("OPENAI_BASE_URL", "")
    }

    /// A token with these permissions.
    pub fn grant(&mut self, permissions: &[(&str, &str)]) -> &mut Self {
        let token = self.repo.job_token(permissions).unwrap();
        self.set("INPUT_GITHUB_TOKEN", &token)
    }

    /// The event of a name with this file.
    pub fn event(&mut self, name: &str, payload: &Value) -> &mut Self {
        std::fs::write(self.runner.path().join("event.json"), payload.to_string()).unwrap();
        self.set("GITHUB_EVENT_NAME", name)
    }

    /// A pull request's event as GitHub sends it, with this base.
    pub fn pull_event(&mut self, name: &str, base: &str, is_fork: bool) -> &mut Self {
        let id = self.repo.id().0;
        let side = |sha: &str, id: u64| json!({"ref": "x", "sha": sha, "repo": {"id": id, "full_name": "acme/shop"}});
        let payload = json!({
            "action": "synchronize", "number": self.number.0, "repository": {"id": id},
            "pull_request": {
                "number": self.number.0, "draft": false,
                "base": side(base, id), "head": side(self.head.as_str(), if is_fork { id + 1 } else { id }),
            },
        });
        self.event(name, &payload)
    }

    /// Takes the history away, as `actions/checkout` does unless it is told otherwise.
    pub fn make_shallow(&mut self) -> &mut Self {
        let shallow = Desk::plain();
        let from = format!("file://{}", self.desk.path().display());
        shallow.git(&["clone", "--quiet", "--depth", "1", &from, "."]);
        self.desk = shallow;
        let workspace = self.desk.path().display().to_string();
        self.set("GITHUB_WORKSPACE", &workspace)
    }

    pub async fn run(&self) -> Stepped {
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        for name in ["output", "summary"] {
            std::fs::write(self.runner.path().join(name), "").unwrap();
        }
        let ran = self.desk.run_in("", &["action"], &variables).await;
        let read = |name: &str| std::fs::read_to_string(self.runner.path().join(name)).unwrap();
        let output_file = read("output");
        let stepped = Stepped { ran, outputs: outputs(&output_file), output_file, summary: read("summary") };
        self.keeps_secrets(&stepped);
        stepped
    }

    /// Nothing that a step writes holds a secret, but for the lines that hide it.
    fn keeps_secrets(&self, stepped: &Stepped) {
        let log: String = stepped.ran.stdout.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
        let result = stepped.outputs.get("report-file").and_then(|file| std::fs::read_to_string(file).ok());
        for name in ["OPENAI_API_KEY", "INPUT_GITHUB_TOKEN"] {
            let secret = self.variables[name].as_str();
            let places = [&log, &stepped.ran.stderr, &stepped.summary, &stepped.output_file];
            let shown = places.into_iter().chain(&result).any(|text| !secret.is_empty() && text.contains(secret));
            assert!(!shown, "{name} is shown");
        }
    }

    /// Our comments on the pull request.
    pub fn comments(&self) -> Vec<String> {
        let bot = self.sim.bot("github-actions[bot]");
        self.repo.comments(self.number).into_iter().filter(|one| one.author == bot).map(|one| one.body).collect()
    }
}

/// Reads the outputs' file as the runner does.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (name, delimiter) = line.split_once("<<").unwrap_or_else(|| panic!("`{line}` begins no output"));
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        outputs.insert(name.to_owned(), value.join("\n"));
    }
    outputs
}
