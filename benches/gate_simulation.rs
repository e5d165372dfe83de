//! The gate against simulated models: how often it blocks a pull request that changes nothing, how often it catches one broken
//! case, what it costs. Drives the real plan and verdict; knows no provider. Exits with 1 if a promised figure is missed.
//!
//! `cargo bench --bench gate_simulation` (add `-- 2000` for fewer pull requests per row).

use std::process::ExitCode;
use std::sync::Arc;

use fastrand::Rng;
use promptops::domain::gate::plan::{Ask, next};
use promptops::domain::gate::verdict::decide;
use promptops::domain::gate::{CaseKind, CaseRecord, GateSettings, Lane, PromptRecord, Side, Trial, Tried, Verdict};

/// Pull requests per row unless an argument says otherwise.
const ROUNDS: u32 = 20_000;
/// Highest share of no-op pull requests that may be blocked.
const MOST_BLOCKED: f64 = 0.03;
/// Lowest share of single broken cases that must be caught.
const LEAST_CAUGHT: f64 = 0.92;
/// Most calls per case, both sides together, on a no-op.
const MOST_CALLS: f64 = 2.4;

/// Chance of passing per kind of case: near-certain, flaky (spread evenly around 0.73), chronic fail.
fn pass_rate(rng: &mut Rng) -> f64 {
    match rng.f64() {
        kind if kind < 0.75 => 0.99,
        kind if kind < 0.93 => 0.58 + 0.30 * rng.f64(),
        _ => 0.03,
    }
}

/// What a pull request does to the prompt.
#[derive(Clone, Copy)]
enum Change {
    /// Nothing: every trial of either side is a fresh draw with the case's own chance.
    Nothing,
    /// One near-certain case now nearly always fails.
    BreaksOne,
}

fn settings(trials: u32, seed: u64) -> GateSettings {
    GateSettings {
        trials,
        margin: 0.05,
        min_score: None,
        max_cost_increase: None,
        max_latency_increase: None,
        strict: false,
        seed,
    }
}

fn empty_case(index: usize) -> CaseRecord {
    CaseRecord {
        id: Arc::from(index.to_string()),
        kind: CaseKind::Compared,
        must_pass: None,
        weight: 1.0,
        cluster: None,
        base: Vec::new(),
        head: Vec::new(),
        must_pass_runs: Vec::new(),
        screen_runs: Vec::new(),
        confirm_base: Vec::new(),
        confirm_head: Vec::new(),
        noisy_judge: false,
        compares: false,
    }
}

fn append(record: &mut PromptRecord, ask: Ask, tried: Tried) {
    let case = &mut record.cases[ask.case];
    match (ask.lane, ask.side) {
        (Lane::Suite, Side::Base) => case.base.push(tried),
        (Lane::Suite, Side::Head) => case.head.push(tried),
        (Lane::MustPass, _) => case.must_pass_runs.push(tried),
        (Lane::Screen, _) => case.screen_runs.push(tried),
        (Lane::Confirm, Side::Base) => case.confirm_base.push(tried),
        (Lane::Confirm, Side::Head) => case.confirm_head.push(tried),
    }
}

/// One pull request: its verdict, and the calls it took.
fn pull(cases: usize, trials: u32, change: Change, rng: &mut Rng) -> (Verdict, u64) {
    let settings = settings(trials, rng.u64(..));
    let mut rates: Vec<[f64; 2]> = (0..cases).map(|_| [pass_rate(rng); 2]).collect();
    if matches!(change, Change::BreaksOne) {
        rates[0] = [0.99, 0.03];
    }
    let cases = (0..cases).map(empty_case).collect();
    let mut record = PromptRecord { has_base: true, cases, cost: None, latency: None };
    let mut calls = 0;
    loop {
        let asks = next(&record, &settings);
        if asks.is_empty() {
            break;
        }
        calls += asks.len() as u64;
        for ask in asks {
            let passed = rng.f64() < rates[ask.case][usize::from(ask.side == Side::Head)];
            append(&mut record, ask, Some(Trial { passed, score: if passed { 1.0 } else { 0.0 } }));
        }
    }
    let verdict = decide(&[record], &settings).first().map_or(Verdict::NotMeasured, |prompt| prompt.verdict);
    (verdict, calls)
}

/// The share that is blocked, and the calls per case.
fn row(cases: usize, trials: u32, change: Change, rounds: u32, rng: &mut Rng) -> (f64, f64) {
    let (mut blocked, mut calls) = (0, 0);
    for _ in 0..rounds {
        let (verdict, asked) = pull(cases, trials, change, rng);
        blocked += u32::from(verdict == Verdict::Regression);
        calls += asked;
    }
    (f64::from(blocked) / f64::from(rounds), calls as f64 / (f64::from(rounds) * cases as f64))
}

fn main() -> ExitCode {
    let rounds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(ROUNDS);
    let mut rng = Rng::with_seed(20_261_124);
    let mut all_held = true;
    println!("{rounds} pull requests per figure, one trial per case and side");
    println!("cases  no-op blocked (≤ 3 %)  one broken caught (≥ 92 %)  calls per case on a no-op (≤ 2.4)");
    for cases in [30, 100, 300] {
        let (blocked, calls) = row(cases, 1, Change::Nothing, rounds, &mut rng);
        let (caught, _) = row(cases, 1, Change::BreaksOne, rounds, &mut rng);
        let held = blocked <= MOST_BLOCKED && caught >= LEAST_CAUGHT && calls <= MOST_CALLS;
        all_held &= held;
        let mark = if held { "" } else { "  MISSED" };
        println!("{cases:5}  {:20.2} %  {:25.2} %  {calls:32.3}{mark}", 100.0 * blocked, 100.0 * caught);
    }
    let few = (rounds / 4).max(1);
    let (blocked, calls) = row(100, 3, Change::Nothing, few, &mut rng);
    let (caught, _) = row(100, 3, Change::BreaksOne, few, &mut rng);
    println!("For comparison, {few} pull requests of 100 cases with three trials per side:");
    println!("  100  {:20.2} %  {:25.2} %  {calls:32.3}", 100.0 * blocked, 100.0 * caught);
    if all_held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
