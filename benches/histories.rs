//! Random histories of pull requests against the fake GitHub, with an oracle beside them: nothing forbidden may be mergeable,
//! and what is allowed is mergeable once all has settled. `-- N` plays N of them (10,000), `-- --seed S` one alone.

#![expect(clippy::unwrap_used, reason = "a story that cannot be told should panic")]

#[path = "../tests/it/model/mod.rs"]
mod model;
#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, reason = "the histories need a part of what the tests stand on")]
mod support;

use std::time::{Duration, Instant};

use futures::StreamExt;

/// Histories of a house, which share one server and one fake GitHub.
const HISTORIES: u64 = 25;
const ROUNDS: usize = 7;
const ALL: u64 = 10_000;
/// Houses at once.
const HOUSES: usize = 2;
/// The tests play the first ones.
const FIRST: u64 = 100;
/// How long a history that failed may be made shorter.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = arguments.iter().find_map(|argument| argument.parse::<u64>().ok());
    let is_seed = arguments.iter().any(|argument| argument == "--seed");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let good = runtime.block_on(async {
        match number {
            Some(seed) if is_seed => one(seed).await,
            _ => many(number.unwrap_or(ALL)).await,
        }
    });
    std::process::exit(i32::from(!good));
}

async fn one(seed: u64) -> bool {
    let nth = seed % model::SEEDS;
    let figures = model::house(seed / model::SEEDS, nth..nth + 1, ROUNDS, PATIENCE).await;
    println!("{figures}\n{}", figures.violations.join("\n"));
    figures.violations.is_empty()
}

async fn many(histories: u64) -> bool {
    let started = Instant::now();
    let houses = histories.div_ceil(HISTORIES);
    let played = futures::stream::iter(0..houses)
        .map(|nth| tokio::spawn(model::house(FIRST + nth, 0..HISTORIES, ROUNDS, PATIENCE)))
        .buffer_unordered(HOUSES);
    let (mut steps, mut compared, mut mergeable, mut looks, mut violations) = (0, 0, 0, 0, 0);
    let mut done = 0;
    futures::pin_mut!(played);
    while let Some(figures) = played.next().await {
        let figures = figures.unwrap();
        done += figures.histories;
        steps += figures.steps;
        compared += figures.compared;
        mergeable += figures.mergeable;
        looks += figures.looks;
        violations += figures.violations.len();
        for said in &figures.violations {
            println!("{said}");
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "histories: {done} in {seconds:.0} s, {:.1} a second; {steps} steps, {compared} comparisons of which {mergeable} \
         mergeable, {looks} looks in between, {violations} violations",
        done as f64 / seconds
    );
    violations == 0
}
