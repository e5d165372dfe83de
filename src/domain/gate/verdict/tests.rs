//! Verdicts of hand-made scenarios: every lane, every verdict, every reason.

use super::super::testing::{case, many, prompt, settings};
use super::Verdict::{NoRegressionFound, NotMeasured, Pass, Regression};
use super::*;
use crate::domain::golden::MustPass::{Always, Reliably};

fn decide_alone(record: &PromptRecord, settings: &GateSettings) -> PromptVerdict {
    decide(std::slice::from_ref(record), settings).remove(0)
}

/// `n` cases that pass on both sides, and these.
fn among(n: usize, cases: Vec<CaseRecord>) -> PromptRecord {
    prompt([many(n, &case("fine", "P", "P")), cases].concat())
}

/// The reasons' names, in order.
fn names(reasons: &[Reason]) -> String {
    let name = |reason: &Reason| match reason {
        Reason::MustPassFailed { .. } => "must-pass",
        Reason::MustPassShaky { .. } => "shaky",
        Reason::SuiteWorse { .. } => "suite",
        Reason::ConfirmedBreaks { .. } => "breaks",
        Reason::ScoreBelowFloor { .. } => "floor",
        Reason::CostIncrease { .. } => "cost",
        Reason::LatencyIncrease { .. } => "latency",
        Reason::StrictFailures { .. } => "strict",
        Reason::JudgeTooNoisy { .. } => "noisy",
        Reason::Unmeasured { .. } => "unmeasured",
        Reason::Unconfirmed { .. } => "unconfirmed",
        Reason::CannotExclude { .. } => "cannot exclude",
    };
    reasons.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// A story, what was measured, the verdict, the reasons in order.
type Row = (&'static str, PromptRecord, Verdict, &'static str);

fn check(table: Vec<Row>) {
    for (story, record, verdict, reasons) in table {
        let found = decide_alone(&record, &settings());
        assert_eq!((found.verdict, names(&found.reasons).as_str()), (verdict, reasons), "{story}");
        assert_eq!(found.statuses.len(), record.cases.len(), "{story}");
    }
}

fn dropped() -> CaseRecord {
    case("flaky", "P", "F").screened("PP")
}

fn broken() -> CaseRecord {
    case("broken", "P", "F").confirmed("PPPPPP", "FFFFFF")
}

#[test]
fn golden_table_of_the_suite_and_its_breaks() {
    let shared = case("c", "P", "F").confirmed("PFFFPF", "FFFFFF");
    let others = vec![case("n", "", "P").kind(CaseKind::New), case("e", "", "F").kind(CaseKind::Edited)];
    check(vec![
        ("nothing changed, a set large enough", among(60, vec![]), Pass, ""),
        ("nothing changed, a small set", among(20, vec![]), NoRegressionFound, "cannot exclude"),
        ("one flip that was chance", among(120, vec![dropped()]), Pass, ""),
        ("one confirmed break", among(100, vec![broken()]), Regression, "breaks"),
        ("a break that base shares on fresh runs", among(120, vec![shared]), Pass, ""),
        ("lane 2 alone, five down", among(100, many(5, &dropped())), Regression, "suite"),
        ("four down", among(100, many(4, &dropped())), NoRegressionFound, "cannot exclude"),
        ("lanes 2 and 3", among(100, many(5, &broken())), Regression, "breaks, suite"),
        ("too many candidates: lane 2 decides", among(100, many(36, &broken())), Regression, "suite"),
        ("only new and edited cases", prompt(others), NoRegressionFound, "cannot exclude"),
        ("no case at all", prompt(vec![]), NoRegressionFound, "cannot exclude"),
    ]);
}

#[test]
fn golden_table_of_must_pass_cases() {
    let must = |rule, runs: &str| among(100, vec![case("must", "P", "P").must_pass(rule, runs)]);
    let suite_unmeasured = case("must", "P", "?").must_pass(Always, "PPP");
    check(vec![
        ("always, passed", must(Always, "PPP"), Pass, ""),
        ("always, one failure", must(Always, "PPF"), Regression, "must-pass"),
        ("reliably, passed", must(Reliably, "PPP"), Pass, ""),
        ("reliably, one failure of eight", must(Reliably, "PFPPPPPP"), Pass, "shaky"),
        ("reliably, two failures of eight", must(Reliably, "PFPPPPPF"), Regression, "must-pass"),
        ("no run measured", must(Always, "??????"), NotMeasured, "unmeasured"),
        ("too few runs measured", must(Reliably, "PF??????????????"), NotMeasured, "unmeasured"),
        ("a failure is a failure, however few runs", must(Always, "F?????"), Regression, "must-pass"),
        ("its suite trial unmeasured", among(100, vec![suite_unmeasured]), NotMeasured, "unmeasured"),
    ]);
}

#[test]
fn golden_table_of_what_is_not_measured() {
    let much = [vec![broken()], many(30, &case("c", "?", "?"))].concat();
    let not_screened = case("c", "P", "F").screened("??????");
    let not_confirmed = case("c", "P", "F").confirmed("PP??????????", "FF??????????");
    let four_pairs = case("c", "P", "F").confirmed("PPPP????????", "FFFF????????");
    check(vec![
        ("one in twenty unmeasured", among(95, many(5, &case("c", "P", "?"))), Pass, ""),
        ("more than that", among(94, many(6, &case("c", "?", "P"))), NotMeasured, "unmeasured"),
        ("a regression fires although much is unmeasured", among(60, much), Regression, "breaks, unmeasured"),
        ("a candidate nobody could run again", among(120, vec![not_screened]), NotMeasured, "unconfirmed"),
        ("a break that fires on fewer pairs", among(120, vec![four_pairs]), Regression, "breaks"),
        ("a kept case with too few pairs", among(120, vec![not_confirmed]), NotMeasured, "unconfirmed"),
    ]);
}

#[test]
fn without_a_base_head_passes_unless_an_absolute_rule_says_otherwise() {
    let new = |head: &str| case("new", "", head).kind(CaseKind::New);
    let alone = |cases: Vec<CaseRecord>, settings: &GateSettings| {
        let found = decide_alone(&PromptRecord { has_base: false, ..prompt(cases) }, settings);
        (found.verdict, names(&found.reasons), found.bound, found.suite_p)
    };
    let strict = GateSettings { strict: true, ..settings() };
    let floor = GateSettings { min_score: Some(0.8), ..settings() };
    let with = |verdict, reasons: &str| (verdict, reasons.to_owned(), None, None);
    assert_eq!(alone(vec![new("P"), new("F")], &settings()), with(Pass, ""));
    assert_eq!(alone(vec![new("P"), new("F")], &strict), with(Regression, "strict"));
    assert_eq!(alone(vec![new("P"), new("F")], &floor), with(Regression, "floor"));
    assert_eq!(alone(vec![new("P").must_pass(Always, "PFP")], &settings()), with(Regression, "must-pass"));
    assert_eq!(alone(vec![new("P"), new("?")], &settings()), with(NotMeasured, "unmeasured"));
    assert_eq!(alone(vec![], &settings()), with(NoRegressionFound, "cannot exclude"));
}

#[test]
fn the_limits_are_met_by_what_equals_them() {
    let limited = |floor: f64, cost: (f64, f64), latency: (f64, f64)| {
        let settings = GateSettings {
            min_score: Some(floor),
            max_cost_increase: Some(0.25),
            max_latency_increase: Some(0.25),
            ..settings()
        };
        let cases = [many(80, &case("fine", "P", "P")), many(20, &case("chronic", "F", "F"))].concat();
        names(
            &decide_alone(&PromptRecord { cost: Some(cost), latency: Some(latency), ..prompt(cases) }, &settings)
                .reasons,
        )
    };
    assert_eq!(limited(0.8, (0.4, 0.5), (100.0, 125.0)), "");
    assert_eq!(limited(0.81, (0.4, 0.5), (100.0, 125.0)), "floor");
    assert_eq!(limited(0.8, (0.4, 0.501), (100.0, 125.0)), "cost");
    assert_eq!(limited(0.8, (0.4, 0.5), (100.0, 125.1)), "latency");
}

#[test]
fn strict_names_every_failing_head_case() {
    let record = among(60, vec![case("both", "F", "F"), case("new", "", "F").kind(CaseKind::New)]);
    let found = decide_alone(&record, &GateSettings { strict: true, ..settings() });
    assert_eq!(found.reasons, [Reason::StrictFailures { cases: vec!["both".into(), "new".into()] }]);
}

#[test]
fn a_must_pass_case_that_base_fails_too_still_blocks_and_says_so() {
    let record = among(60, vec![case("must", "F", "F").must_pass(Always, "FFF")]);
    let found = decide_alone(&record, &settings());
    let reason = Reason::MustPassFailed { case: "must".into(), failures: 3, runs: 3, broken_on_base: true };
    assert_eq!((found.verdict, found.reasons), (Regression, vec![reason]));
}

#[test]
fn the_sentence_of_counts_has_all_it_needs() {
    // "We ran both on the same 48 cases. 3 got worse, 1 better. We ran those 3 again: 2 failed 6 of 6 while the old prompt
    // passed 6 of 6."
    let broken = case("broken", "P", "F").confirmed("PPPPPP", "FFFFFF");
    let flaky = case("flaky", "P", "F").screened("PP");
    let record = among(44, [many(2, &broken), vec![flaky, case("fixed", "F", "P")]].concat());
    let found = decide_alone(&record, &settings());
    let counted = |status| found.statuses.iter().filter(|found| **found == status).count();
    assert_eq!((counted(CaseStatus::Broken), counted(CaseStatus::Fixed), counted(CaseStatus::Same)), (3, 1, 44));
    let confirmed: Vec<_> = found.candidates.iter().map(|c| (&*c.id, c.k, c.base, c.head, c.confirmed)).collect();
    assert_eq!(confirmed, [("broken-0", 6, 6, 0, true), ("broken-1", 6, 6, 0, true)]);
    assert!((found.candidates[0].p - 2.0 / 924.0).abs() < 1e-12);
    assert_eq!(found.reasons, [Reason::ConfirmedBreaks { cases: found.candidates.clone() }]);
    assert!((found.base_score.unwrap() - 47.0 / 48.0).abs() < 1e-12);
    assert!((found.head_score.unwrap() - 45.0 / 48.0).abs() < 1e-12);
}

#[test]
fn what_a_small_set_cannot_exclude_and_how_many_more_cases_would() {
    let found = decide_alone(&among(20, vec![]), &settings());
    let Reason::CannotExclude { drop, more_cases } = &found.reasons[0] else { panic!("{:?}", found.reasons) };
    assert!((drop - 0.119).abs() < 5e-4);
    // Without a flip 52 cases exclude five points.
    assert_eq!(*more_cases, Some(32));
    // At a rate of more than five points lost, no number would.
    let found = decide_alone(&among(18, many(2, &case("c", "P", "F").screened("PP"))), &settings());
    assert!(matches!(found.reasons[..], [Reason::CannotExclude { more_cases: None, .. }]));
}

#[test]
fn graded_scores_go_by_their_differences() {
    // Eight cases of twenty lose two tenths and still pass: no case broke, and the suite did.
    let record = prompt([many(12, &case("same", "9", "9")), many(8, &case("lower", "9", "7"))].concat());
    let found = decide_alone(&record, &settings());
    assert_eq!(found.statuses, [CaseStatus::Same; 20]);
    assert_eq!(found.suite_p, Some(1.0 / 256.0));
    let reason = Reason::SuiteWorse { got_worse: 8, got_better: 0, compared: 20, p: 1.0 / 256.0 };
    assert_eq!((found.verdict, found.reasons), (Regression, vec![reason]));
}

#[test]
fn cases_of_one_source_are_one_witness() {
    let lower = CaseRecord { cluster: Some("one document".into()), ..case("lower", "9", "7") };
    let record = prompt([many(40, &case("same", "9", "9")), many(8, &lower)].concat());
    let found = decide_alone(&record, &settings());
    assert_eq!((found.suite_p, found.verdict), (Some(0.5), NoRegressionFound));
}

#[test]
fn weights_count_in_the_scores() {
    let heavy = CaseRecord { weight: 3.0, ..case("heavy", "P", "F").screened("PP") };
    let found = decide_alone(&prompt(vec![heavy, case("light", "P", "P")]), &settings());
    assert_eq!((found.base_score, found.head_score), (Some(1.0), Some(0.25)));
}

#[test]
fn several_trials_break_and_fix_by_pass_rate() {
    let statuses = |base: &str, head: &str| {
        decide_alone(&prompt(vec![case("c", base, head)]), &GateSettings { trials: 3, ..settings() }).statuses[0]
    };
    assert_eq!(statuses("PPP", "PFF"), CaseStatus::Broken);
    assert_eq!(statuses("PPP", "PPF"), CaseStatus::Same);
    assert_eq!(statuses("FFF", "PFF"), CaseStatus::Fixed);
    assert_eq!(statuses("PFF", "PPF"), CaseStatus::Same);
    assert_eq!(statuses("PP?", "??F"), CaseStatus::Broken);
    assert_eq!(statuses("???", "PPP"), CaseStatus::Unmeasured);
}

#[test]
fn prompts_share_the_level_by_holm() {
    // Five down has p = 1/64: enough alone, not beside a quiet prompt, and again beside one that is worse still.
    let five = || among(100, many(5, &case("c", "P", "F").screened("PP")));
    let ten = || among(100, many(10, &case("c", "P", "F").screened("PP")));
    let quiet = || among(100, vec![]);
    let verdicts = |records: &[PromptRecord]| -> Vec<Verdict> {
        decide(records, &settings()).into_iter().map(|prompt| prompt.verdict).collect()
    };
    assert_eq!(verdicts(&[five()]), [Regression]);
    assert_eq!(verdicts(&[five(), quiet()]), [NoRegressionFound, Pass]);
    assert_eq!(verdicts(&[five(), ten()]), [Regression, Regression]);
    // A prompt without a base tests nothing and takes no share.
    let new = PromptRecord { has_base: false, ..quiet() };
    assert_eq!(verdicts(&[five(), new]), [Regression, Pass]);
}

#[test]
fn the_worst_prompt_speaks_for_the_change() {
    assert_eq!(overall(&[]), Pass);
    assert_eq!(overall(&[Pass, NoRegressionFound]), NoRegressionFound);
    assert_eq!(overall(&[NotMeasured, NoRegressionFound]), NotMeasured);
    assert_eq!(overall(&[NotMeasured, Regression, Pass]), Regression);
}

#[test]
fn a_case_that_fails_only_by_a_noisy_judge_cannot_block_alone() {
    let must = |noisy: bool| {
        let case = case("must", "P", "F").must_pass(Always, "FFF").screened("PP");
        if noisy { case.noisy() } else { case }
    };
    check(vec![
        ("a solid judge blocks lane 1", among(300, vec![must(false)]), Regression, "must-pass"),
        ("a noisy one leaves lane 1 undecided", among(300, vec![must(true)]), NotMeasured, "noisy"),
        ("a solid judge confirms a break", among(300, vec![broken()]), Regression, "breaks"),
        ("a noisy one leaves it undecided", among(300, vec![broken().noisy()]), NotMeasured, "noisy"),
        ("other breaks still block", among(300, vec![broken(), broken().noisy()]), Regression, "breaks, noisy"),
        ("one that was dropped is not spoken of", among(300, vec![dropped().noisy()]), Pass, ""),
        (
            "the suite still counts it",
            among(60, many(8, &case("c", "P", "F").screened("PP").noisy())),
            Regression,
            "suite",
        ),
        (
            "one that was neither dropped nor kept is undecided, whoever judged it",
            among(300, vec![case("c", "P", "F").screened("F?????").noisy()]),
            NotMeasured,
            "unconfirmed",
        ),
    ]);
}

#[test]
fn a_noisy_break_takes_its_place_in_the_correction_of_the_others() {
    let found = |cases: Vec<CaseRecord>| {
        let found = decide_alone(&among(60, cases), &settings());
        found.candidates.iter().map(|case| (case.p, case.confirmed)).collect::<Vec<_>>()
    };
    let solid = found(vec![broken(), broken()]);
    let noisy = found(vec![broken(), broken().noisy()]);
    assert_eq!(solid[0], noisy[0], "the other one is judged as if both counted");
    assert_eq!((noisy[1].0, noisy[1].1), (solid[1].0, false));
}
