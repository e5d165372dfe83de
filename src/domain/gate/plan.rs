//! What to run next, from what has been measured. Pure: knows no provider, and no meaning beyond which runs are missing.
//!
//! Stage 1 is the suite (lane 2) and the first runs of must-pass cases (lane 1). Then, side by side: more runs of must-pass
//! cases, and lane 3's screening; when every candidate is screened, the confirmation of those kept. A lane that gets nothing
//! measured gives a case up after twice the runs it wants, so every sequence of stages ends.

use super::breaks::{candidates, confirm_missing, confirm_runs, screening};
use super::case::{Count, Screening, is_compared, is_run, missing, must_pass_wanted, tried};
use super::{CaseRecord, GateSettings, Lane, PromptRecord, Side, Tried};

/// One trial to run: case `case` (index in its prompt), on one side, as sample `index` of its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ask {
    /// Index into [`PromptRecord::cases`].
    pub case: usize,
    /// Which prompt text answers.
    pub side: Side,
    /// Why.
    pub lane: Lane,
    /// Sample index within the lane, from 0; appended to the lane's list in this order.
    pub index: u32,
}

/// The next stage of trials for one prompt; empty when all is measured that can be. Asks of one stage are independent,
/// and base and head are interleaved. Results, measured or not, are appended to the record before the next call.
///
/// At most, per case: `trials` per side in the suite, 16 of lane 1, 6 of screening, 16 per side of confirmation.
#[must_use]
pub fn next(record: &PromptRecord, settings: &GateSettings) -> Vec<Ask> {
    let mut asks = suite(record, settings.trials.max(1));
    let suite_is_done = asks.is_empty();
    asks.extend(must_pass(record));
    if suite_is_done {
        asks.extend(fresh(record));
    }
    asks
}

/// Asks for `more` samples after those in `tries`.
fn more_of(case: usize, side: Side, lane: Lane, tries: &[Tried], more: u32) -> impl Iterator<Item = Ask> + use<> {
    let from = tried(tries);
    (from..from + more).map(move |index| Ask { case, side, lane, index })
}

/// Lane 2, trial by trial, so that base and head of one case are asked at about the same time.
fn suite(record: &PromptRecord, trials: u32) -> Vec<Ask> {
    let lane = Lane::Suite;
    let mut asks = Vec::new();
    for index in 0..trials {
        for (case, of) in record.cases.iter().enumerate().filter(|(_, of)| is_run(of)) {
            if is_compared(record, of) && tried(&of.base) <= index {
                asks.push(Ask { case, side: Side::Base, lane, index });
            }
            if tried(&of.head) <= index {
                asks.push(Ask { case, side: Side::Head, lane, index });
            }
        }
    }
    asks
}

/// Lane 1: what its runs still lack.
fn must_pass(record: &PromptRecord) -> Vec<Ask> {
    let of_case = |(case, of): (usize, &CaseRecord)| {
        let runs = &of.must_pass_runs;
        let more = of
            .must_pass
            .filter(|_| is_run(of))
            .map_or(0, |rule| missing(must_pass_wanted(rule, runs), Count::of(runs).runs, tried(runs)));
        more_of(case, Side::Head, Lane::MustPass, runs, more)
    };
    record.cases.iter().enumerate().flat_map(of_case).collect()
}

/// Lane 3: screening while any candidate is open, since how many are kept sets the number of runs; then confirmation.
fn fresh(record: &PromptRecord) -> Vec<Ask> {
    let (mut screens, mut kept) = (Vec::new(), Vec::new());
    for case in candidates(record) {
        let runs = &record.cases[case].screen_runs;
        match screening(&record.cases[case]) {
            Screening::Open(more) => screens.extend(more_of(case, Side::Head, Lane::Screen, runs, more)),
            Screening::Kept => kept.push(case),
            Screening::Dropped | Screening::GivenUp => {}
        }
    }
    if screens.is_empty() { confirm(record, &kept) } else { screens }
}

fn confirm(record: &PromptRecord, kept: &[usize]) -> Vec<Ask> {
    let k = confirm_runs(kept.len());
    let mut asks = Vec::new();
    for &case in kept {
        let of = &record.cases[case];
        let more = confirm_missing(of, k);
        let base = more_of(case, Side::Base, Lane::Confirm, &of.confirm_base, more);
        let head = more_of(case, Side::Head, Lane::Confirm, &of.confirm_head, more);
        asks.extend(base.zip(head).flat_map(|(base, head)| [base, head]));
    }
    asks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::CaseKind;
    use super::super::testing::{answer, case, many, prompt, settings, tries};
    use super::*;
    use crate::domain::golden::MustPass;

    fn count(asks: &[Ask], lane: Lane, side: Side) -> usize {
        asks.iter().filter(|ask| ask.lane == lane && ask.side == side).count()
    }

    #[test]
    fn the_first_stage_is_the_suite_and_the_first_three_runs_of_must_pass_cases() {
        let record = prompt(vec![
            case("ordinary", "", ""),
            case("must", "", "").must_pass(MustPass::Reliably, ""),
            case("new", "", "").kind(CaseKind::New).must_pass(MustPass::Always, ""),
            case("edited", "", "").kind(CaseKind::Edited),
            case("removed", "", "").kind(CaseKind::Removed).must_pass(MustPass::Always, ""),
        ]);
        let asks = next(&record, &settings());
        let suite: Vec<(usize, Side)> =
            asks.iter().filter(|ask| ask.lane == Lane::Suite).map(|ask| (ask.case, ask.side)).collect();
        let (base, head) = (Side::Base, Side::Head);
        assert_eq!(suite, [(0, base), (0, head), (1, base), (1, head), (2, head), (3, head)]);
        assert_eq!(count(&asks, Lane::MustPass, head), 6);
        assert_eq!(asks.len(), 12);
    }

    #[test]
    fn without_a_base_only_head_is_run() {
        let record = PromptRecord { has_base: false, ..prompt(many(4, &case("new", "", "").kind(CaseKind::New))) };
        let asks = next(&record, &GateSettings { trials: 3, ..settings() });
        assert_eq!((asks.len(), count(&asks, Lane::Suite, Side::Head)), (12, 12));
    }

    #[test]
    fn a_failure_in_the_first_three_runs_brings_five_more_where_the_case_must_pass_reliably() {
        let asked =
            |rule, runs: &str| next(&prompt(vec![case("m", "P", "P").must_pass(rule, runs)]), &settings()).len();
        assert_eq!(asked(MustPass::Reliably, "PPP"), 0);
        assert_eq!(asked(MustPass::Reliably, "PFP"), 5);
        assert_eq!(asked(MustPass::Reliably, "FFF"), 5);
        assert_eq!(asked(MustPass::Reliably, "PFPPPPPF"), 0);
        assert_eq!(asked(MustPass::Always, "PFP"), 0);
        assert_eq!(asked(MustPass::Always, "P?P"), 1);
        assert_eq!(asked(MustPass::Always, "P?????"), 0);
    }

    #[test]
    fn a_failing_must_pass_case_still_lets_the_other_lanes_run() {
        let record = prompt(vec![case("m", "P", "P").must_pass(MustPass::Always, "FFF"), case("broken", "P", "F")]);
        let asks = next(&record, &settings());
        assert_eq!((asks.len(), count(&asks, Lane::Screen, Side::Head)), (2, 2));
    }

    #[test]
    fn candidates_are_screened_until_two_passes_or_two_failures() {
        let asked = |runs: &str| {
            let asks = next(&prompt(vec![case("c", "P", "F").screened(runs)]), &settings());
            (count(&asks, Lane::Screen, Side::Head), count(&asks, Lane::Confirm, Side::Head))
        };
        assert_eq!(asked(""), (2, 0));
        assert_eq!(asked("PP"), (0, 0));
        assert_eq!(asked("PF"), (1, 0));
        assert_eq!(asked("PFP"), (0, 0));
        assert_eq!(asked("FPF"), (0, 6));
        assert_eq!(asked("F?"), (1, 0));
        assert_eq!(asked("F?????"), (0, 0));
    }

    #[test]
    fn a_candidate_that_compares_the_sides_is_confirmed_without_a_screening() {
        let asks = next(&prompt(vec![case("c", "P", "F").compares()]), &settings());
        let both = [Side::Base, Side::Head].map(|side| count(&asks, Lane::Confirm, side));
        assert_eq!((asks.len(), both), (12, [6, 6]));
    }

    #[test]
    fn who_is_a_candidate() {
        let is = |base: &str, head: &str| !candidates(&prompt(vec![case("c", base, head)])).is_empty();
        assert!(is("P", "F") && is("PPP", "PFF") && is("PPF", "FFF") && is("PP?", "F??"));
        assert!(!is("P", "P") && !is("F", "F") && !is("F", "P") && !is("PPP", "PPF") && !is("PPF", "PFF"));
        assert!(!is("P", "?") && !is("?", "F"));
    }

    #[test]
    fn the_more_cases_were_kept_the_more_often_each_is_run_again() {
        for (kept, k) in [(1, 6), (3, 6), (4, 7), (10, 7), (11, 8), (35, 8)] {
            let asks = next(&prompt(many(kept, &case("c", "P", "F").screened("FF"))), &settings());
            assert_eq!(count(&asks, Lane::Confirm, Side::Base), kept * k);
            assert_eq!(count(&asks, Lane::Confirm, Side::Head), kept * k);
        }
        assert_eq!(next(&prompt(many(36, &case("c", "P", "F"))), &settings()), []);
    }

    #[test]
    fn a_pair_is_run_again_when_either_side_is_unmeasured() {
        let record = prompt(vec![case("c", "P", "F").confirmed("PPPP?P", "FFFFF?")]);
        let asks = next(&record, &settings());
        assert_eq!((count(&asks, Lane::Confirm, Side::Base), count(&asks, Lane::Confirm, Side::Head)), (1, 1));
        assert!(asks.iter().all(|ask| ask.index == 6));
    }

    #[test]
    fn confirmation_waits_for_the_last_screening() {
        let record = prompt(vec![case("kept", "P", "F").screened("FF"), case("open", "P", "F").screened("PF")]);
        let asks = next(&record, &settings());
        assert_eq!((asks.len(), asks[0].case, asks[0].lane), (1, 1, Lane::Screen));
    }

    proptest! {
        #[test]
        fn whatever_is_answered_the_stages_end_within_their_bounds(
            answers in prop::collection::vec(0usize..3, 1..200),
            must_pass in prop::collection::vec(prop::option::of(prop::bool::ANY), 1..12),
            trials in 1u32..4,
        ) {
            let cases = must_pass.iter().enumerate().map(|(i, rule)| {
                let rule = rule.map(|always| if always { MustPass::Always } else { MustPass::Reliably });
                CaseRecord { must_pass: rule, ..case(&i.to_string(), "", "") }
            });
            let mut record = prompt(cases.collect());
            let mut at = answers.iter().cycle();
            let settings = GateSettings { trials, ..settings() };
            let stages = answer(&mut record, &settings, |_| tries(["P", "F", "?"][*at.next().unwrap()])[0]);
            prop_assert!(stages.len() <= 20);
            for case in &record.cases {
                prop_assert_eq!(case.base.len(), trials as usize);
                prop_assert_eq!(case.head.len(), trials as usize);
                prop_assert!(case.must_pass_runs.len() <= 16 && case.screen_runs.len() <= 6);
                prop_assert!(case.confirm_base.len() <= 16 && case.confirm_base.len() == case.confirm_head.len());
            }
            prop_assert_eq!(next(&record, &settings), next(&record.clone(), &settings));
        }
    }
}
