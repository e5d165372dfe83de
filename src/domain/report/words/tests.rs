//! The sentences, as people read them.

use std::sync::Arc;

use super::*;
use crate::domain::report::sample;

#[track_caller]
fn tells(prompt: &PromptReport, expected: &str) {
    assert_eq!(story(prompt), format!("We ran the old and the new prompt side by side on the same {expected}"));
}

#[test]
fn breaks_that_held_up_are_told_with_their_counts() {
    let mut prompt = sample::prompt();
    tells(
        &prompt,
        "48 cases. 3 got worse, 1 better. We ran those 3 again: 2 failed 6 of 6 while the old prompt passed 6 of 6. \
         The other one may be chance.",
    );
    prompt.candidates[1].head = 1;
    prompt.candidates.truncate(2);
    prompt.run_again = 2;
    tells(
        &prompt,
        "48 cases. 3 got worse, 1 better. We ran 2 cases again: 2 failed 5 to 6 of 6 while the old prompt passed 6 of 6.",
    );
}

#[test]
fn breaks_that_did_not_hold_up_are_called_chance() {
    let mut prompt = sample::prompt();
    prompt.candidates.clear();
    tells(&prompt, "48 cases. 3 got worse, 1 better. We ran those 3 again: no clear difference, it may be chance.");
    prompt.run_again = 0;
    tells(&prompt, "48 cases. 3 got worse, 1 better.");
    prompt.cases.retain(|case| case.status == CaseStatus::Same);
    tells(&prompt, "44 cases. None got worse, none better.");
}

#[test]
fn every_reason_is_one_sentence() {
    let say = |of: Reason| reason(&of, Sides::Change, &|id| id.to_owned());
    let refund = || Arc::<str>::from("refund");
    let failed = Reason::MustPassFailed { case: refund(), failures: 2, runs: 8, broken_on_base: true };
    assert_eq!(say(failed), "Must-pass case refund failed 2 of 8 runs; already broken on base.");
    assert_eq!(
        say(Reason::SuiteWorse { got_worse: 9, got_better: 1, compared: 48, p: 0.01 }),
        "Over all 48 cases, 9 got worse and 1 better: more than chance explains."
    );
    assert_eq!(
        say(Reason::CostIncrease { base: 0.0002, head: 0.0003, limit: 0.25 }),
        "A call costs $0.0003 instead of $0.0002 (50 % more), the limit is 25 % more."
    );
    assert_eq!(
        say(Reason::LatencyIncrease { base: 800.0, head: 1200.0, limit: 0.25 }),
        "An answer takes 1200 ms instead of 800 ms (50 % longer), the limit is 25 % longer."
    );
    assert_eq!(say(Reason::StrictFailures { cases: vec![refund()] }), "1 case fails (`--strict`): refund.");
    let many = (1..=12).map(|number| number.to_string().into()).collect();
    assert_eq!(
        say(Reason::StrictFailures { cases: many }),
        "12 cases fail (`--strict`): 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, and 2 more."
    );
    assert_eq!(
        say(Reason::Unmeasured { unmeasured: 5, compared: 48, must_pass: vec![refund()] }),
        "5 of 48 cases could not be measured, among them must-pass refund: too many to decide."
    );
    assert_eq!(
        say(Reason::CannotExclude { drop: 0.026, more_cases: Some(60) }),
        "This golden set cannot exclude a drop of more than 2.6 points; about 60 more cases would."
    );
}

#[test]
fn a_blocked_change_without_a_broken_case_says_why() {
    let mut report = sample::regression();
    report.prompts[0].cases.retain(|case| case.status == CaseStatus::Same);
    report.prompts[0].reasons = vec![Reason::CostIncrease { base: 0.0002, head: 0.0003, limit: 0.25 }];
    assert_eq!(headline(&report), "Regression: a call costs 50 % more; 0 of 44 cases got worse, 0 better");
}
