//! The sentences of counts that every rendering shares. Plain text without outside text, except where a case is named: those
//! take a `show` function. Knows no Markdown.

mod figures;
#[cfg(test)]
mod tests;

pub use figures::{counted, grouped, percent, points, score, usd};

use std::sync::Arc;

use super::{CaseReport, Outcome, PromptReport, Report, SideReport, SideUsage};
use crate::domain::budget::OverBudget;
use crate::domain::gate::Verdict;
use crate::domain::gate::verdict::{CaseStatus, ConfirmedBreak, Reason};

/// Lane 3 runs at most this many cases again.
const MOST_RUN_AGAIN: usize = 35;

/// A sentence names at most this many cases.
const NAMED: usize = 10;

/// The one line that says how it ended, without a full stop. Outside text in it is not shown safely yet.
pub fn headline(report: &Report) -> String {
    match &report.outcome {
        Outcome::NothingGoverned => "No prompt, golden set or settings file is changed".to_owned(),
        Outcome::Measured(verdict) => measured_headline(report, *verdict),
        Outcome::Waived { verdict, by, why } => {
            format!("{}, let through by {}: {why}", measured_headline(report, *verdict), by.join(", "))
        }
        Outcome::Failed { message } => format!("Not measured: {message}"),
        Outcome::WaitsForRelease { sha } => {
            format!("Not run yet: somebody with write permission has to release commit {}", sha.short())
        }
        Outcome::OverBudget(over) => over_budget(over),
        Outcome::BrokenFiles => {
            let errors = report
                .diagnostics
                .iter()
                .filter(|finding| finding.severity == crate::domain::diagnostic::Severity::Error)
                .count();
            format!("Not run: {} to fix first", counted(errors, "problem in the files", "problems in the files"))
        }
        Outcome::NeedsPerson { message } => format!("Needs a person: {message}"),
        Outcome::Superseded => "Stopped: a newer commit took its place".to_owned(),
        Outcome::Closed => "Stopped: the pull request was closed".to_owned(),
    }
}

/// Which budget, how much of it is gone, and what was needed.
fn over_budget(over: &OverBudget) -> String {
    let (limit, per) = (usd(over.limit_usd), over.budget.per());
    let needed = usd(over.needed_usd);
    let begin = if over.began {
        format!("Stopped: the next calls need about {needed}")
    } else {
        format!("Not run: it would cost about {needed}")
    };
    if over.spent_usd == 0.0 && over.reserved_usd == 0.0 {
        return format!("{begin}, the limit is {limit} {per}");
    }
    let reserved =
        if over.reserved_usd > 0.0 { format!(", {} reserved", usd(over.reserved_usd)) } else { String::new() };
    format!("{begin}; of {limit} {per} {} are spent{reserved}", usd(over.spent_usd))
}

fn measured_headline(report: &Report, verdict: Verdict) -> String {
    let (worse, better) = (report.count(CaseStatus::Broken), report.count(CaseStatus::Fixed));
    let compared = report.compared();
    let counts = if compared == 0 {
        let cases = || report.prompts.iter().flat_map(|prompt| &prompt.cases).filter(|case| case.head.is_some());
        let passed = cases().filter(|case| passes_all(case)).count();
        format!("{passed} of {} passed", counted(cases().count(), "case", "cases"))
    } else {
        format!("{worse} of {} got worse, {better} better", counted(compared, "case", "cases"))
    };
    match verdict {
        // Without a base nothing was compared: a failing case is no pass, it only blocks nothing.
        Verdict::Pass if compared == 0 && fails_any(report) => format!("Nothing blocks: {counts}"),
        Verdict::Pass => format!("Pass: {counts}"),
        Verdict::NoRegressionFound => format!("No regression found: {counts}"),
        Verdict::NotMeasured => {
            let unmeasured: usize = report.prompts.iter().map(|prompt| prompt.unmeasured().count()).sum();
            let cases: usize = report.prompts.iter().map(|prompt| prompt.cases.len()).sum();
            if unmeasured > 0 || cases == 0 {
                format!("Not measured: {unmeasured} of {} got no answer", counted(cases, "case", "cases"))
            } else {
                "Not measured: too many of the repeated runs got no answer".to_owned()
            }
        }
        Verdict::Regression => match blocking_headline(report) {
            Some(reason) if worse == 0 => format!("Regression: {reason}; {counts}"),
            _ => format!("Regression: {counts}"),
        },
    }
}

/// For a change that is blocked although no case broke.
fn blocking_headline(report: &Report) -> Option<String> {
    report.prompts.iter().flat_map(|prompt| &prompt.reasons).find_map(|reason| match reason {
        Reason::MustPassFailed { .. } => Some("a must-pass case fails".to_owned()),
        Reason::StrictFailures { cases } => Some(counted(cases.len(), "case fails", "cases fail")),
        Reason::ScoreBelowFloor { score, floor } => Some(format!("score {score:.2} is below the floor of {floor:.2}")),
        Reason::CostIncrease { base, head, .. } => Some(format!("a call costs {} more", percent(head / base - 1.0))),
        Reason::LatencyIncrease { base, head, .. } => {
            Some(format!("an answer takes {} longer", percent(head / base - 1.0)))
        }
        Reason::SuiteWorse { .. } => Some("the scores as a whole got worse".to_owned()),
        _ => None,
    })
}

/// How one prompt was compared, in sentences of counts.
pub fn story(prompt: &PromptReport) -> String {
    let compared = prompt.compared();
    if compared == 0 {
        let run = prompt.cases.iter().filter(|case| case.head.is_some()).count();
        let passed = prompt.cases.iter().filter(|case| passes_all(case)).count();
        let alone = if prompt.has_base { "No case could be compared with the old prompt. " } else { "" };
        let run = counted(run, "case", "cases");
        return match prompt.unmeasured().count() {
            0 => format!("{alone}We ran the prompt on {run}. {passed} passed."),
            lost => format!("{alone}We ran the prompt on {run}. {passed} passed, {lost} got no answer."),
        };
    }
    let (worse, better) = (prompt.count(CaseStatus::Broken), prompt.count(CaseStatus::Fixed));
    let same_cases = counted(compared, "case", "cases");
    let mut sentences = vec![
        format!("We ran the old and the new prompt side by side on the same {same_cases}."),
        match (worse, better) {
            (0, 0) => "None got worse, none better.".to_owned(),
            (0, _) => format!("None got worse, {better} better."),
            _ => format!("{worse} got worse, {better} better."),
        },
    ];
    sentences.extend(run_again(prompt, worse));
    sentences.join(" ")
}

/// "We ran those 3 again: 2 failed 6 of 6 while the old prompt passed 6 of 6."
fn run_again(prompt: &PromptReport, worse: usize) -> Vec<String> {
    if worse > MOST_RUN_AGAIN {
        return vec!["Those are too many to run again; the suite as a whole decides.".to_owned()];
    }
    let those = match prompt.run_again {
        0 => return Vec::new(),
        1 if worse == 1 => "that one".to_owned(),
        again if again == worse => format!("those {again}"),
        again => counted(again, "case", "cases"),
    };
    let confirmed: Vec<&ConfirmedBreak> = prompt.candidates.iter().filter(|candidate| candidate.confirmed).collect();
    let Some(first) = confirmed.first() else {
        return vec![format!("We ran {those} again: no clear difference, it may be chance.")];
    };
    let failures = range(confirmed.iter().map(|candidate| candidate.k - candidate.head.min(candidate.k)));
    let passes = range(confirmed.iter().map(|candidate| candidate.base));
    let (number, runs) = (confirmed.len(), first.k);
    let others = match prompt.run_again.saturating_sub(number) {
        0 => None,
        1 => Some("The other one may be chance.".to_owned()),
        several => Some(format!("The other {several} may be chance.")),
    };
    let found = format!(
        "We ran {those} again: {number} failed {failures} of {runs} while the old prompt passed {passes} of {runs}."
    );
    [Some(found), others].into_iter().flatten().collect()
}

/// `6`, or `5 to 6`.
fn range(numbers: impl Iterator<Item = u32> + Clone) -> String {
    let (low, high) = (numbers.clone().min().unwrap_or(0), numbers.max().unwrap_or(0));
    if low == high { low.to_string() } else { format!("{low} to {high}") }
}

/// One reason in a sentence of counts; `show` renders a case's id.
pub fn reason(reason: &Reason, show: &dyn Fn(&str) -> String) -> String {
    let list = |cases: &[Arc<str>]| named(cases, show);
    match reason {
        Reason::MustPassFailed { case, failures, runs, broken_on_base } => {
            let already = if *broken_on_base { "; already broken on base" } else { "" };
            format!("Must-pass case {} failed {failures} of {runs} runs{already}.", show(case))
        }
        Reason::MustPassShaky { case, failures, runs } => {
            format!("Must-pass case {} failed {failures} of {runs} runs: allowed, but not stable.", show(case))
        }
        Reason::SuiteWorse { got_worse, got_better, compared, p: _ } => {
            format!(
                "Over all {compared} cases, {got_worse} got worse and {got_better} better: more than chance explains."
            )
        }
        Reason::ConfirmedBreaks { cases } => {
            let ids: Vec<_> = cases.iter().map(|case| case.id.clone()).collect();
            format!(
                "{} on fresh runs while the old prompt passed: {}.",
                counted(cases.len(), "case failed again", "cases failed again"),
                list(&ids)
            )
        }
        Reason::ScoreBelowFloor { score, floor } => {
            format!("The score is {score:.3}, the floor (`min_score`) is {floor:.3}.")
        }
        Reason::CostIncrease { base, head, limit } => format!(
            "A call costs {} instead of {} ({} more), the limit is {} more.",
            usd(*head),
            usd(*base),
            percent(head / base - 1.0),
            percent(*limit)
        ),
        Reason::LatencyIncrease { base, head, limit } => format!(
            "An answer takes {head:.0} ms instead of {base:.0} ms ({} longer), the limit is {} longer.",
            percent(head / base - 1.0),
            percent(*limit)
        ),
        Reason::StrictFailures { cases } => {
            format!("{} (`--strict`): {}.", counted(cases.len(), "case fails", "cases fail"), list(cases))
        }
        Reason::Unmeasured { unmeasured, compared, must_pass } => {
            let of_those = if must_pass.is_empty() {
                String::new()
            } else {
                format!(", among them must-pass {}", list(must_pass))
            };
            format!("{unmeasured} of {compared} cases could not be measured{of_those}: too many to decide.")
        }
        Reason::Unconfirmed { cases } => format!(
            "{} on head after passing on base, but too few fresh runs were measured to tell: {}.",
            counted(cases.len(), "case failed", "cases failed"),
            list(cases)
        ),
        Reason::CannotExclude { drop, more_cases } => cannot_exclude(*drop, *more_cases),
    }
}

/// The first cases by name, the rest by number.
pub fn named(cases: &[Arc<str>], show: &dyn Fn(&str) -> String) -> String {
    let mut names: Vec<String> = cases.iter().take(NAMED).map(|case| show(case)).collect();
    if cases.len() > NAMED {
        names.push(format!("and {} more", cases.len() - NAMED));
    }
    names.join(", ")
}

fn cannot_exclude(drop: f64, more_cases: Option<u32>) -> String {
    let points = points(drop);
    match more_cases {
        Some(more) => format!(
            "This golden set cannot exclude a drop of more than {points} points; about {more} more {} would.",
            if more == 1 { "case" } else { "cases" }
        ),
        None => format!("This golden set cannot exclude a drop of more than {points} points."),
    }
}

/// "48 cases · 3 worse · 1 better · score 0.94 → 0.89 · …"
pub fn numbers(prompt: &PromptReport) -> String {
    let mut parts = vec![counted(prompt.cases.len(), "case", "cases")];
    let counts = [
        (prompt.count(CaseStatus::Broken), "worse", prompt.has_base),
        (prompt.count(CaseStatus::Fixed), "better", prompt.has_base),
        (prompt.unmeasured().count(), "not measured", false),
        (prompt.count(CaseStatus::Edited), "edited", false),
        (prompt.count(CaseStatus::Removed), "removed", false),
    ];
    for (number, word, always) in counts {
        if always || number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    // Without a base every case is new, which says nothing.
    let new = prompt.count(CaseStatus::New);
    if prompt.has_base && new > 0 {
        parts.push(format!("{new} new"));
    }
    match (prompt.base_score, prompt.head_score) {
        (Some(base), Some(head)) => parts.push(format!("score {} → {}", score(base), score(head))),
        (None, Some(head)) => parts.push(format!("score {}", score(head))),
        _ => {}
    }
    if let Some((base, head)) = prompt.median_cost {
        parts.push(format!("cost per answer {} → {}", usd(base), usd(head)));
    }
    if let Some((base, head)) = prompt.median_latency {
        parts.push(format!("time per answer {base:.0} → {head:.0} ms"));
    }
    parts.join(" · ")
}

/// What the whole run took.
pub fn spending(report: &Report) -> String {
    spent(report.prompts.iter().flat_map(|prompt| &prompt.usage))
}

/// "96 calls, 40 from the cache, $0.31"
pub fn spent<'a>(sides: impl IntoIterator<Item = &'a SideUsage>) -> String {
    let (mut calls, mut known, mut cost) = (0, 0, 0.0);
    for side in sides {
        calls += side.calls;
        known += side.cached_calls;
        cost += side.cost_usd;
    }
    let word = if calls == 1 { "call" } else { "calls" };
    format!("{} {word}, {} from the cache, {}", grouped(calls), grouped(known), usd(cost))
}

/// "1 of 1 → 0 of 1; again 6 of 6 → 0 of 6": how often the old and the new prompt passed one case.
pub fn counts(prompt: &PromptReport, case: &CaseReport) -> String {
    let head = side(case.head.as_ref());
    let mut text = match &case.base {
        Some(base) => format!("{} → {head}", side(Some(base))),
        None => head,
    };
    if let Some(again) = prompt.candidate(&case.id) {
        text.push_str(&format!("; again {} of {} → {} of {}", again.base, again.k, again.head, again.k));
    }
    if let Some((failures, runs)) = prompt.must_pass_failures(&case.id) {
        text.push_str(&format!("; must pass, failed {failures} of {runs}"));
    }
    text
}

fn side(side: Option<&SideReport>) -> String {
    match side {
        Some(side) if side.trials > 0 => {
            let graded = side.score.filter(|score| side.trials == 1 && *score > 0.0 && *score < 1.0);
            let graded = graded.map_or(String::new(), |graded| format!(" (score {})", score(graded)));
            format!("{} of {}{graded}", side.passes, side.trials)
        }
        Some(_) => "no answer".to_owned(),
        None => "not run".to_owned(),
    }
}

fn fails_any(report: &Report) -> bool {
    report.prompts.iter().flat_map(|prompt| &prompt.cases).any(|case| case.head.is_some() && !passes_all(case))
}

fn passes_all(case: &CaseReport) -> bool {
    case.head.as_ref().is_some_and(|side| side.trials > 0 && side.passes == side.trials)
}
