//! What a newcomer waits for beside the download and the models: the Action's step and the demo, by the real binary. Prints the
//! median and the worst of each beside the limit, and exits with 1 where a median is above it.
//!
//! `cargo bench --bench first_minutes`

#![expect(clippy::unwrap_used, reason = "a figure that cannot be taken should panic")]

#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, reason = "the step and the desk are a part of what the tests stand on")]
mod support;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use support::desk::Desk;
use support::step::Step;
use tempfile::TempDir;

/// The longest that a median may be.
const LIMIT: Duration = Duration::from_secs(1);
const ROUNDS: usize = 15;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let good = runtime.block_on(async {
        // Each round has a figure of its own line; none hides another.
        let figures = [
            ("step, every answer asked of a model on loopback", asked().await),
            ("step, every answer known already", known().await),
            ("step, nothing to evaluate", idle().await),
            ("demo", demo().await),
        ];
        let over = figures.into_iter().filter_map(|(what, waits)| (!holds(what, waits)).then_some(what));
        over.count() == 0
    });
    ExitCode::from(u8::from(!good))
}

/// Prints a figure; whether it holds.
fn holds(what: &str, mut waits: Vec<Duration>) -> bool {
    waits.sort_unstable();
    let (median, worst) = (waits[waits.len() / 2], waits[waits.len() - 1]);
    println!("{what}: median {median:.2?}, worst {worst:.2?} of {}; median at most {LIMIT:?}", waits.len());
    median <= LIMIT
}

/// A pull request that changes one of two prompts, with a cache that is empty each time.
async fn asked() -> Vec<Duration> {
    let mut step = Step::pull_request("most kindly").await;
    let mut waits = Vec::new();
    for _ in 0..ROUNDS {
        let empty = TempDir::new().unwrap();
        step.set("PROMPTOPS_CACHE_DIR", empty.path().to_str().unwrap());
        waits.push(timed(&step).await);
    }
    assert!(step.model.asked().len() >= ROUNDS, "the model was asked each time");
    waits
}

/// The same with the cache of a run before.
async fn known() -> Vec<Duration> {
    let step = Step::pull_request("most kindly").await;
    timed(&step).await;
    let asked = step.model.asked().len();
    let mut waits = Vec::new();
    for _ in 0..ROUNDS {
        waits.push(timed(&step).await);
    }
    assert_eq!(step.model.asked().len(), asked, "nothing was asked again");
    waits
}

/// A pull request that leaves every prompt as it was.
async fn idle() -> Vec<Duration> {
    let step = Step::pull_request("kindly").await;
    let mut waits = Vec::new();
    for _ in 0..ROUNDS {
        waits.push(timed(&step).await);
    }
    assert!(step.model.asked().is_empty(), "there is nothing to ask");
    waits
}

async fn timed(step: &Step) -> Duration {
    let started = Instant::now();
    let stepped = step.run().await;
    let wait = started.elapsed();
    assert_eq!(stepped.ran.code, 0, "{:?}", stepped.ran);
    wait
}

async fn demo() -> Vec<Duration> {
    let desk = Desk::plain();
    let mut waits = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let ran = desk.run(&["demo"]).await;
        waits.push(started.elapsed());
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    waits
}
