//! A workflow that uses the Action, played by `act` without containers: the real composite, the real program, a fake GitHub, a
//! scripted model. Knows nothing of what the program ought to say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use promptops::domain::ids::{PullNumber, RepoName};
use promptops::sim::{Change, NewPull, Repo, Sim};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::app::{GOLDEN, MODEL_KEY, PROMPT, SETTINGS, SETTINGS_PATH, forgets, golden, prompt};
use super::desk::Desk;
use super::provider::{Reply, Scripted};
use super::runner;
use super::runner::{VERSION, root};

/// What this machine's runner is called in the tool cache.
const MACHINE: &str = if cfg!(target_arch = "aarch64") { "ARM64" } else { "X64" };
/// What a hostile model adds to its wrong answers.
pub const HOSTILE: &str = "::set-output name=verdict::pass\n::error::a command of the model";

/// The program `act`: on PATH, or where `.ci/tools` puts it. `None` where there is none; under CI that is a failure.
fn act() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([root().join("target/ci-tools/bin")]);
    let found = folders.map(|folder| folder.join("act")).find(|file| file.is_file());
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "act is not installed, and CI must not skip its tests: run .ci/tools"
        );
        eprintln!("SKIPPED: no act found; run .ci/tools to run this test");
    }
    found
}

/// Acme's prompts on GitHub and in a checkout of a pull request's head.
pub struct Shop {
    act: PathBuf,
    home: TempDir,
    pub desk: Desk,
    pub model: Scripted,
    pub sim: Sim,
    pub repo: Repo,
    pub pull: PullNumber,
    /// The base commit of the checkout, and that of GitHub, which no checkout has.
    pub base: String,
    pub base_on_github: String,
    token: String,
}

/// How one run of the workflow is asked for.
pub struct Ask<'a> {
    pub event: &'a str,
    pub payload: Value,
    /// The step's inputs.
    pub with: &'a [(&'a str, &'a str)],
    /// The model's key; empty where a workflow has no secrets.
    pub key: &'a str,
    /// More of the runner's variables.
    pub env: &'a [(&'a str, &'a str)],
}

/// What the run left behind.
#[derive(Debug)]
pub struct Played {
    /// The step's `outcome`.
    pub outcome: String,
    /// What the step ended with.
    pub code: i32,
    pub outputs: Value,
    pub summary: String,
    /// The annotations' messages.
    pub errors: Vec<String>,
    /// Every line of the log.
    pub log: String,
    /// Files of the checkout that were not there before.
    pub new_files: String,
    /// The file of the output `report-file`.
    pub report: Option<Value>,
}

impl Shop {
    /// On main the prompt forgets order 3; the pull request's forgets these. `None` without `act`.
    pub async fn open(forgotten: impl IntoIterator<Item = u32>) -> Option<Self> {
        let act = act()?;
        let (old, new) = (prompt(&forgets([3])), prompt(&forgets(forgotten)));
        let files = [(SETTINGS_PATH, SETTINGS.to_owned()), (PROMPT, old), (GOLDEN, golden(1..=12))];
        let sim = Sim::start().await.unwrap();
        sim.user("olga");
        sim.user("ann");
        sim.org("acme", "olga");
        let first = files.iter().fold(Change::by("ann"), |change, (path, text)| change.write(path, text));
        let repo = sim.repo(&RepoName::parse("acme/prompts").unwrap(), &first).unwrap();
        repo.role("ann", "write").unwrap();
        let base_on_github = repo.tip("main").unwrap().to_string();
        repo.branch("change", "main").unwrap();
        repo.push("change", &Change::by("ann").write(PROMPT, &new)).unwrap();
        let pull = repo.open_pull(&NewPull::new("ann", "change", "main")).unwrap();
        let token = repo.job_token(&[("contents", "read"), ("pull_requests", "write")]).unwrap();

        let desk = Desk::repository(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
        let base = desk.git(&["rev-parse", "HEAD"]);
        desk.write(PROMPT, &new);
        desk.commit("change");
        let model = Scripted::start(|asked| {
            let instruction = asked.body["messages"][0]["content"].as_str().unwrap_or_default();
            let order = asked.user().trim_start_matches("Where is ").trim_end_matches('?');
            let forgotten = instruction.contains(&format!("forget {order}"));
            Reply::Text(if forgotten { format!("No idea.\n{HOSTILE}") } else { format!("{order} ships tomorrow.") })
        })
        .await;
        let home = TempDir::new().unwrap();
        let shop = Self { act, home, desk, model, sim, repo, pull, base, base_on_github, token };
        shop.lay_out();
        Some(shop)
    }

    /// The Action's own files, a stand-in for actions/cache, and the program in the tool cache.
    fn lay_out(&self) {
        let action = self.folder("action-source");
        for file in ["action.yml", "Cargo.toml", "action/install.sh"] {
            fs::create_dir_all(action.join(file).parent().unwrap()).unwrap();
            fs::copy(root().join(file), action.join(file)).unwrap();
        }
        let cache = "name: cache\ndescription: Says what it keeps\ninputs: { path: {}, key: {}, restore-keys: {} }\nruns:\n  \
                     using: composite\n  steps:\n    - shell: bash\n      env: { KEPT: \"${{ inputs.path }} ${{ inputs.key }}\" }\n      \
                     run: echo \"kept $KEPT\"\n";
        fs::write(self.folder("cache-source").join("action.yml"), cache).unwrap();
        let kept = self.folder(&format!("cache/act/tool_cache/promptops/{VERSION}/Linux-{MACHINE}"));
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_promptops"), kept.join("promptops")).unwrap();
    }

    /// Empties the tool cache, so that the program is downloaded from the mirror that is given back.
    pub fn with_mirror(&self) -> PathBuf {
        fs::remove_dir_all(self.home.path().join("cache/act/tool_cache")).unwrap();
        let machine = if MACHINE == "X64" { "x86_64" } else { "aarch64" };
        let release = self.folder(&format!("mirror/v{VERSION}"));
        let program = Path::new(env!("CARGO_BIN_EXE_promptops"));
        runner::pack(
            program.parent().unwrap(),
            &release.join(format!("promptops-{VERSION}-{machine}-unknown-linux-musl.tar.gz")),
        );
        runner::sum(&release);
        release
    }

    /// A folder of the runner, made where it is missing.
    fn folder(&self, path: &str) -> PathBuf {
        let folder = self.home.path().join(path);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// The payload of the pull request's events, its base as in the checkout.
    pub fn pull_payload(&self, base: &str, head_repo: u64) -> Value {
        let head = self.repo.pull(self.pull).unwrap().head.to_string();
        let repository = |id: u64| json!({"id": id, "full_name": "acme/prompts", "default_branch": "main"});
        let own = self.repo.id().0;
        let base = json!({"ref": "main", "sha": base, "repo": repository(own)});
        let head = json!({"ref": "change", "sha": head, "repo": repository(head_repo)});
        let pull = json!({"number": self.pull.0, "base": base, "head": head});
        json!({"action": "synchronize", "number": self.pull.0, "pull_request": pull, "repository": repository(own)})
    }

    /// A pull request's event with the model's key.
    pub fn ask<'a>(&self, with: &'a [(&'a str, &'a str)]) -> Ask<'a> {
        let payload = self.pull_payload(&self.base, self.repo.id().0);
        Ask { event: "pull_request", payload, with, key: MODEL_KEY, env: &[] }
    }

    /// Plays the workflow.
    pub async fn play(&self, ask: &Ask<'_>) -> Played {
        let results = self.home.path().join("results");
        fs::remove_dir_all(&results).ok();
        self.folder("results");
        self.desk.write(".github/workflows/prompts.yml", workflow(ask.with));
        // Untracked, as the checkout of a workflow's file of another branch would be, so it is no part of the change.
        self.desk.write(".git/info/exclude", ".github/workflows\n");
        let mut command = self.command(ask);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let log = String::from_utf8(output.stdout).unwrap();
        let read = |name: &str| {
            fs::read_to_string(results.join(name))
                .unwrap_or_else(|error| panic!("{name}: {error}\n{log}\n{}", String::from_utf8_lossy(&output.stderr)))
        };
        let outputs: Value = serde_json::from_str(&read("outputs.json")).unwrap();
        let report = fs::read_to_string(results.join("report.json")).ok();
        Played {
            outcome: read("outcome.txt"),
            outputs,
            new_files: read("new.txt"),
            report: report.map(|text| serde_json::from_str(&text).unwrap()),
            ..played(&log)
        }
    }

    fn command(&self, ask: &Ask<'_>) -> Command {
        let (home, url) = (self.home.path(), self.sim.url());
        let payload = home.join("event.json");
        fs::write(&payload, ask.payload.to_string()).unwrap();
        let mut command = Command::new(&self.act);
        command.arg(ask.event).args(["--json", "-P", "ubuntu-latest=-self-hosted", "--action-offline-mode"]);
        command.arg("--eventpath").arg(payload).arg("--use-new-action-cache");
        let action = fs::read_to_string(root().join("action.yml")).unwrap();
        let pinned = action.lines().find_map(|line| line.trim().strip_prefix("uses: ")).unwrap();
        let pinned = pinned.split(' ').next().unwrap();
        for (name, folder) in
            [(format!("promptops/promptops@v{VERSION}").as_str(), "action-source"), (pinned, "cache-source")]
        {
            command.arg("--local-repository").arg(format!("{name}={}", home.join(folder).display()));
        }
        command.args(["--cache-server-addr", "127.0.0.1", "--cache-server-path"]).arg(home.join("cache-server"));
        command.args([
            "--secret",
            &format!("GITHUB_TOKEN={}", self.token),
            "--secret",
            &format!("MODEL_KEY={}", ask.key),
        ]);
        let id = self.repo.id().0.to_string();
        // A server's address alone would do for a model that wants no key.
        let model = if ask.key.is_empty() { String::new() } else { format!("{}/v1", self.model.url()) };
        let graphql = format!("{url}/graphql");
        let results = home.join("results").display().to_string();
        let own = [
            ("GITHUB_API_URL", url),
            ("GITHUB_GRAPHQL_URL", &graphql),
            ("GITHUB_REPOSITORY", "acme/prompts"),
            ("GITHUB_REPOSITORY_ID", &id),
            ("OPENAI_BASE_URL", &model),
            ("RESULTS", &results),
        ];
        for (name, value) in own.iter().chain(ask.env) {
            command.args(["--env", &format!("{name}={value}")]);
        }
        command.current_dir(self.desk.path()).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", home).env("XDG_CACHE_HOME", home.join("cache")).stdin(Stdio::null());
        command
    }
}

/// A workflow as `docs/github-action.md` shows it, and a step that keeps what the Action left.
fn workflow(with: &[(&str, &str)]) -> String {
    let inputs: String = with.iter().map(|(name, value)| format!("          {name}: {}\n", json!(value))).collect();
    let with = if inputs.is_empty() { String::new() } else { format!("        with:\n{inputs}") };
    format!(
        "on: [pull_request, pull_request_target, push, merge_group, workflow_dispatch, schedule]
jobs:
  evaluate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - id: promptops
        uses: promptops/promptops@v{VERSION}
{with}        env:
          OPENAI_API_KEY: ${{{{ secrets.MODEL_KEY }}}}
      - if: always()
        env:
          OUTPUTS: ${{{{ toJSON(steps.promptops.outputs) }}}}
          OUTCOME: ${{{{ steps.promptops.outcome }}}}
          REPORT: ${{{{ steps.promptops.outputs.report-file }}}}
        run: |
          printf %s \"$OUTPUTS\" >\"$RESULTS/outputs.json\"
          printf %s \"$OUTCOME\" >\"$RESULTS/outcome.txt\"
          git status --short --untracked-files=all >\"$RESULTS/new.txt\"
          if [ -f \"$REPORT\" ]; then cp \"$REPORT\" \"$RESULTS/report.json\"; fi
"
    )
}

/// Reads act's own log, one JSON object a line.
fn played(log: &str) -> Played {
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let message = |line: &Value| line["msg"].as_str().unwrap_or_default().to_owned();
    let of = |name: &str| -> Vec<Value> { lines.iter().filter(|line| line["command"] == name).cloned().collect() };
    let code = lines.iter().find_map(|line| message(line).strip_prefix("exit status ")?.parse().ok());
    Played {
        outcome: String::new(),
        code: code.unwrap_or(0),
        outputs: Value::Null,
        summary: of("summary").first().and_then(|line| line["content"].as_str()).unwrap_or_default().to_owned(),
        errors: of("error").iter().filter_map(|line| line["arg"].as_str()).map(str::to_owned).collect(),
        log: lines.iter().map(|line| message(line) + "\n").collect(),
        new_files: String::new(),
        report: None,
    }
}
