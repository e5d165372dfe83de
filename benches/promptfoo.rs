//! Throughput of a whole `promptops eval` beside promptfoo's on one config, 64 wide, against a model on loopback.
//! `PROMPTFOO="node …/promptfoo" cargo bench --bench promptfoo`; without PROMPTFOO only our own figure. Exits 1 below 20 times, or below 80 % of what
//! the model allows where it is the model that bounds.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should panic")]
#![expect(clippy::disallowed_methods, reason = "the other program is named by the environment")]

#[path = "../tests/it/support/provider.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod provider;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use provider::{Reply, Scripted};

const CASES: usize = 2_000;
const WIDTH: &str = "64";
/// How many times promptfoo's throughput is wanted.
const WANTED: f64 = 20.0;
/// The share wanted of what the model's own latency allows at this width, start and end of the process included.
const SHARE: f64 = 0.8;
const ANSWER: &str = "Thank you for writing to us. Our support team answers within one working day.";
const CONFIG: &str = "promptfooconfig.yaml";

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut reached = true;
    for latency in [Duration::ZERO, Duration::from_millis(50)] {
        let model = runtime.block_on(Scripted::start(move |_| match latency.is_zero() {
            true => Reply::text(ANSWER),
            false => Reply::After(latency, Box::new(Reply::text(ANSWER))),
        }));
        let url = format!("{}/v1", model.url());
        std::fs::write(folder.path().join(CONFIG), config()).unwrap();
        let ours = throughput(promptops(folder.path()), &url, &model);
        print!("model at {:>2} ms: promptops {ours:.0} cases/s", latency.as_millis());
        if let Ok(command) = std::env::var("PROMPTFOO") {
            let theirs = throughput(promptfoo(&command, folder.path()), &url, &model);
            print!(", promptfoo {theirs:.0} cases/s, {:.1} times", ours / theirs);
            // A model that takes its time bounds both: then nearly all that it allows is wanted.
            let most = if latency.is_zero() { f64::INFINITY } else { width() / latency.as_secs_f64() };
            reached &= ours >= (WANTED * theirs).min(SHARE * most);
        }
        println!();
    }
    if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn width() -> f64 {
    WIDTH.parse().unwrap()
}

/// Cases per second from the start of the process to its end.
fn throughput(mut command: Command, url: &str, model: &Scripted) -> f64 {
    let before = model.calls();
    let started = Instant::now();
    command.env("OPENAI_BASE_URL", url).env("OPENAI_API_KEY", "none").stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().unwrap();
    let wall = started.elapsed();
    let calls = model.calls() - before;
    assert!(calls >= CASES, "{command:?} ended with {status} after {calls} calls");
    CASES as f64 / wall.as_secs_f64()
}

fn promptops(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_promptops"));
    command.args(["eval", CONFIG, "--no-cache", "--concurrency", WIDTH]).current_dir(folder);
    command
}

fn promptfoo(command: &str, folder: &Path) -> Command {
    let mut words = command.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    let arguments = ["eval", "-c", CONFIG, "--no-cache", "--no-progress-bar", "--no-table", "-j", WIDTH];
    command.args(words).args(arguments).current_dir(folder);
    command.env("PROMPTFOO_DISABLE_TELEMETRY", "1").env("PROMPTFOO_DISABLE_UPDATE", "1");
    command.env("PROMPTFOO_CONFIG_DIR", folder.join("state"));
    command
}

/// One prompt, four assertions on every case.
fn config() -> String {
    let mut text = "\
prompts:
  - 'Answer the customer {{name}} in two sentences: {{question}}'
providers:
  - openai:chat:gpt-4o-mini
defaultTest:
  assert:
    - { type: contains, value: support team }
    - { type: not-contains, value: As an AI }
    - { type: regex, value: 'working\\s+day' }
    - { type: icontains, value: THANK YOU }
tests:
"
    .to_owned();
    for case in 0..CASES {
        let _ = writeln!(text, "  - vars: {{ name: customer {case}, question: 'Where is my order number {case}?' }}");
    }
    text
}
