//! The gate against simulated models, small: loose bounds in every test run. The benchmark `gate_simulation` has the figures.

use fastrand::Rng;

use super::testing::{answer, case, prompt, settings};
use super::verdict::decide;
use super::{Side, Trial, Verdict};

/// Three in four cases near-certain, some flaky, some that nearly always fail.
fn pass_rate(rng: &mut Rng) -> f64 {
    match rng.f64() {
        kind if kind < 0.75 => 0.99,
        kind if kind < 0.93 => 0.73,
        _ => 0.03,
    }
}

/// One pull request of `n` cases; whether it is blocked and how many calls it took per case.
fn pull(n: usize, one_broken: bool, rng: &mut Rng) -> (bool, f64) {
    let mut rates: Vec<[f64; 2]> = (0..n).map(|_| [pass_rate(rng); 2]).collect();
    if one_broken {
        rates[0] = [0.99, 0.03];
    }
    let mut record = prompt((0..n).map(|i| case(&i.to_string(), "", "")).collect());
    let stages = answer(&mut record, &settings(), |ask| {
        let passed = rng.f64() < rates[ask.case][usize::from(ask.side == Side::Head)];
        Some(Trial { passed, score: f64::from(u8::from(passed)) })
    });
    let blocked = decide(&[record], &settings())[0].verdict == Verdict::Regression;
    (blocked, stages.iter().sum::<usize>() as f64 / n as f64)
}

#[test]
fn a_pull_request_that_changes_nothing_is_rarely_blocked_and_one_broken_case_is_mostly_caught() {
    const ROUNDS: usize = 300;
    let mut rng = Rng::with_seed(2);
    for n in [30, 100] {
        let quiet: Vec<(bool, f64)> = (0..ROUNDS).map(|_| pull(n, false, &mut rng)).collect();
        let blocked = quiet.iter().filter(|(blocked, _)| *blocked).count();
        let caught = (0..ROUNDS).filter(|_| pull(n, true, &mut rng).0).count();
        let calls = quiet.iter().map(|(_, calls)| calls).sum::<f64>() / ROUNDS as f64;
        assert!(blocked * 100 <= 6 * ROUNDS, "{blocked} of {ROUNDS} no-op pull requests of {n} cases blocked");
        assert!(caught * 100 >= 88 * ROUNDS, "{caught} of {ROUNDS} broken cases among {n} caught");
        assert!(calls <= 2.5, "{calls} calls per case");
    }
}
