//! The shipped binary itself: `promptops serve` takes webhooks, drains on SIGTERM, and logs neither secrets nor prompts.

use std::process::Stdio;
use std::time::Duration;

use promptops::sim::{Change, Sim};
use secrecy::ExposeSecret;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::app::{MODEL_KEY, Mood, PROMPT, TestApp, forgets, prompt};
use crate::support::desk::Desk;

/// `promptops serve` with its log.
struct Process {
    child: Child,
    address: String,
    log: UnboundedReceiver<String>,
    said: Vec<String>,
}

impl Process {
    /// Starts it in the place of the app's server, and sends it the webhooks.
    async fn start(app: &TestApp) -> Self {
        let (config, providers) = (&app.config, &app.config.providers);
        let mut child = Command::new(env!("CARGO_BIN_EXE_promptops"))
            .arg("serve")
            .env_clear()
            .env("RUST_LOG", "trace,h2=info,sqlx=info")
            .env("PROMPTOPS_LISTEN", "127.0.0.1:0")
            .env("PROMPTOPS_DATABASE_URL", config.database_url.expose_secret())
            .env("PROMPTOPS_GITHUB_APP_ID", config.github.app_id.to_string())
            .env("PROMPTOPS_GITHUB_PRIVATE_KEY", config.github.private_key.expose_secret())
            .env("PROMPTOPS_GITHUB_WEBHOOK_SECRET", config.github.webhook_secrets[0].expose_secret())
            .env("PROMPTOPS_GITHUB_API_URL", config.github.api_url.as_str())
            .env("PROMPTOPS_ALLOW_PRIVATE_PROVIDERS", "1")
            .env("OPENAI_API_KEY", MODEL_KEY)
            .env("OPENAI_BASE_URL", providers.providers["openai"].base_url.as_deref().unwrap())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (said, log) = unbounded_channel();
        // Read all the time: a full pipe would stop the process.
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                if said.send(line).is_err() {
                    return;
                }
            }
        });
        let mut process = Self { child, address: String::new(), log, said: Vec::new() };
        let address = process.hears("listening").await["fields"]["address"].as_str().unwrap().to_owned();
        app.sim.deliver_to(&format!("http://{address}/webhooks/github"));
        process.address = address;
        process
    }

    /// The first line from now on that says this.
    async fn hears(&mut self, message: &str) -> serde_json::Value {
        let reading = async {
            while let Some(line) = self.log.recv().await {
                let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
                self.said.push(line);
                if parsed["fields"]["message"] == message {
                    return parsed;
                }
            }
            panic!("it ended without a word of `{message}`: {:?}", self.said)
        };
        tokio::time::timeout(Duration::from_secs(30), reading).await.unwrap()
    }

    /// What `promptops healthcheck` says of it.
    async fn health(&self) -> (Option<i32>, String) {
        let mut check = Command::new(env!("CARGO_BIN_EXE_promptops"));
        let check = check.arg("healthcheck").env_clear().env("PROMPTOPS_LISTEN", &self.address).output().await.unwrap();
        (check.status.code(), String::from_utf8([check.stdout, check.stderr].concat()).unwrap())
    }

    async fn stop(mut self) -> String {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
        self.hears("stopped").await;
        assert!(self.child.wait().await.unwrap().success());
        self.said.join("\n")
    }
}

#[tokio::test]
async fn the_binary_serves_a_pull_request_drains_and_logs_no_secret_and_no_prompt() {
    let mut app = TestApp::new().await;
    app.stop().await;
    let process = Process::start(&app).await;
    assert_eq!(process.health().await, (Some(0), "ready\n".to_owned()));
    app.mood(Mood::Slow(Duration::from_millis(200)));
    let pull = app.open_unsettled(&Change::by("ann").write(PROMPT, prompt(&forgets([5]))));
    app.until("the model is asked", |app| app.model.calls() > 0).await;
    let log = process.stop().await;
    app.settle().await;
    app.expect(pull, "failure", "in_progress");
    let delivery = &app.sim.deliveries().into_iter().find(|one| one.event == "pull_request").unwrap().guid;
    assert!(log.contains(delivery.as_str()), "a job's lines name its delivery");
    let github = &app.config.github;
    let key = github.private_key.expose_secret();
    for hidden in [
        MODEL_KEY,
        github.webhook_secrets[0].expose_secret(),
        &key[100..140],
        "You answer customers",
        "ships tomorrow",
        "ghs_",
    ] {
        let found = log.lines().find(|line| line.contains(hidden));
        assert!(found.is_none(), "`{hidden}` is logged: {found:?}");
    }
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_named_with_what_to_do() {
    let key = Sim::start().await.unwrap().private_key();
    let desk = Desk::plain();
    desk.write("mine.db", "this is no database, and it is longer than the header of one would have to be");
    let variables = [
        ("PROMPTOPS_DATABASE_URL", "sqlite://mine.db"),
        ("PROMPTOPS_LISTEN", "127.0.0.1:0"),
        ("PROMPTOPS_GITHUB_APP_ID", "1"),
        ("PROMPTOPS_GITHUB_PRIVATE_KEY", key),
        ("PROMPTOPS_GITHUB_WEBHOOK_SECRET", "a secret that is long enough"),
        ("OPENAI_API_KEY", MODEL_KEY),
    ];
    let ran = desk.run_in("", &["serve"], &variables).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("`mine.db`: the database "), "{ran:?}");
    assert!(ran.stderr.contains("; restore it from a backup, or move it away to start with an empty one"), "{ran:?}");
}
