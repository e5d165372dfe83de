//! What the engine adds to the model's own time: wall, CPU and memory of whole runs. `cargo bench --bench engine`.
//! Each scenario runs in a process of its own, so that its peak memory is its own; exits 1 when a figure is missed.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should panic")]

#[path = "../tests/it/support/plans.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod plans;
#[path = "../tests/it/support/provider.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod provider;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use promptops::domain::evaluator::spec::CheckSpec;
use promptops::domain::ids::Digest;
use promptops::engine::provider::{Completion, CompletionRequest, KnownAnswers, Provider, ProviderError};
use promptops::engine::run::{RunLimits, RunPlan, run};
use promptops::provider::{ProviderConfig, Registry};

use provider::{Reply, Scripted};

const ANSWER: &str = "Thank you for writing to us. We have received your request about the refund and passed it to a \
    person in our support team, who will look at the order and answer within one working day. You need not do anything \
    until then; should you want to add something, simply reply to this message and it will be attached to your case.";
const PROMPT: &str = "You answer customers of a shop in a friendly and brief way. Never promise a refund above 500 EUR; \
    escalate to a person instead. Quote the order's number. Write in the customer's language, at most six sentences, \
    without any markup. The customer's message is number {{n}}. ";
/// Latency of the slow model, and calls at once.
const LATENCY: Duration = Duration::from_millis(50);
const WIDTH: usize = 64;
/// CPU time is counted in ticks of 1/100 s on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// A scenario: where answers come from, how many, and what it may take.
struct Scenario {
    name: &'static str,
    calls: usize,
    wall_s: f64,
    cpu_ms_per_call: f64,
    peak_mb: f64,
}

const ANY: f64 = f64::INFINITY;
const SCENARIOS: [Scenario; 5] = [
    Scenario { name: "slow", calls: 2000, wall_s: ideal_s(2000) * 1.08, cpu_ms_per_call: 0.3, peak_mb: 80.0 },
    Scenario { name: "slow-http", calls: 2000, wall_s: ANY, cpu_ms_per_call: ANY, peak_mb: ANY },
    Scenario { name: "instant", calls: 10_000, wall_s: 2.5, cpu_ms_per_call: 0.3, peak_mb: 80.0 },
    Scenario { name: "instant-http", calls: 10_000, wall_s: ANY, cpu_ms_per_call: ANY, peak_mb: 80.0 },
    Scenario { name: "recall", calls: 10_000, wall_s: 0.3, cpu_ms_per_call: 0.3, peak_mb: 80.0 },
];

const fn ideal_s(calls: usize) -> f64 {
    calls as f64 * LATENCY.as_millis() as f64 / 1000.0 / WIDTH as f64
}

/// Answers by itself, after a while or from memory.
struct Local {
    latency: Duration,
    knows_all: bool,
}

fn completion() -> Completion {
    Completion {
        text: ANSWER.into(),
        finish_reason: Some("stop".to_owned()),
        input_tokens: Some(120),
        output_tokens: Some(80),
        latency_ms: 50,
        rate: None,
    }
}

impl Provider for Local {
    fn complete<'a>(
        &'a self,
        _request: &'a CompletionRequest,
        _key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>> {
        Box::pin(async {
            if !self.latency.is_zero() {
                tokio::time::sleep(self.latency).await;
            }
            Ok(completion())
        })
    }

    fn recall<'a>(&'a self, keys: &'a [Digest]) -> BoxFuture<'a, KnownAnswers> {
        let known = if self.knows_all { keys } else { &[] };
        Box::pin(async move { known.iter().map(|key| (*key, completion())).collect() })
    }
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == "--scenario") {
        Some(at) => runtime.block_on(measure(&arguments[at + 1], &arguments[at + 2])),
        None => runtime.block_on(measure_all()),
    }
}

/// Runs each scenario in a process of its own, beside the HTTP providers, which stay in this one.
async fn measure_all() -> ExitCode {
    let slow = Scripted::start(|_| Reply::After(LATENCY, Box::new(Reply::text(ANSWER)))).await;
    let instant = Scripted::start(|_| Reply::text(ANSWER)).await;
    let mut missed = false;
    println!("{:<14}{:>8}{:>18}{:>22}{:>18}", "scenario", "calls", "wall s", "CPU ms per call", "peak MB");
    for scenario in &SCENARIOS {
        let url = if scenario.name.starts_with("slow") { slow.url() } else { instant.url() };
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--scenario", scenario.name, &url]);
        let status = tokio::task::spawn_blocking(move || child.status()).await.unwrap().unwrap();
        missed |= !status.success();
    }
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn measure(name: &str, url: &str) -> ExitCode {
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name).unwrap();
    let provider: Box<dyn Provider> = match name {
        "slow" => Box::new(Local { latency: LATENCY, knows_all: false }),
        "instant" => Box::new(Local { latency: Duration::ZERO, knows_all: false }),
        "recall" => Box::new(Local { latency: Duration::ZERO, knows_all: true }),
        _ => Box::new(over_http(url)),
    };
    let plan = plan(scenario.calls / 2);
    let limits = RunLimits { concurrency: WIDTH, ..plans::limits() };
    let (started, cpu) = (Instant::now(), cpu_s());
    let measured = run(&plan, provider.as_ref(), &limits, &|_| {}).await.unwrap();
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_s() - cpu);
    let all_measured = measured[0].record.cases.iter().all(|case| case.base[0].is_some() && case.head[0].is_some());
    let figures = [
        (wall, scenario.wall_s),
        (cpu * 1000.0 / scenario.calls as f64, scenario.cpu_ms_per_call),
        (peak_mb(), scenario.peak_mb),
    ];
    let shown = figures.map(|(figure, limit)| match limit.is_finite() {
        true => format!("{figure:.3} (≤ {limit:.2})"),
        false => format!("{figure:.3}"),
    });
    println!("{name:<14}{:>8}{:>18}{:>22}{:>18}", scenario.calls, shown[0], shown[1], shown[2]);
    let reached = all_measured && figures.iter().all(|(figure, limit)| figure <= limit);
    if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn over_http(url: &str) -> Registry {
    let openai_base_url = Some(format!("{url}/v1"));
    Registry::new(ProviderConfig { openai_base_url, allow_private: true, ..ProviderConfig::default() }).unwrap()
}

/// One prompt that was changed, `cases` cases, four evaluators each.
fn plan(cases: usize) -> RunPlan {
    let evaluators = [
        CheckSpec::Contains("support team".to_owned()),
        CheckSpec::NotContains("As an AI".to_owned()),
        CheckSpec::Regex("(?i)working\\s+day".to_owned()),
        CheckSpec::WordCount { min: Some(5), max: Some(200) },
    ];
    let evaluators = evaluators.into_iter().map(plans::evaluator).collect();
    plans::plan(&format!("{PROMPT}Thank them."), &format!("{PROMPT}Be kind."), cases, evaluators)
}

/// CPU time of this process, user and system.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The name in parentheses may hold spaces; user and system time are fields 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS_PER_SECOND
}

/// Most memory this process has held.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
