//! The sentences of counts that every rendering shares. Plain text without outside text, except where a case is named: those
//! take a `show` function. Knows no Markdown.

use super::{CaseReport, Outcome, PromptReport, Report, SideUsage};
use crate::domain::gate::Verdict;
use crate::domain::gate::verdict::{CaseStatus, ConfirmedBreak, Reason};
use crate::domain::untrusted::thousands;

/// Lane 3 runs at most this many cases again.
const MOST_RUN_AGAIN: usize = 35;

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
        Outcome::OverBudget { estimate_usd, limit_usd } => {
            format!("Not run: it would cost about {}, the limit is {}", usd(*estimate_usd), usd(*limit_usd))
        }
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

fn measured_headline(report: &Report, verdict: Verdict) -> String {
    let (worse, better) = (report.count(CaseStatus::Broken), report.count(CaseStatus::Fixed));
    let compared = report.compared();
    let counts = if compared == 0 {
        let cases: usize = report.prompts.iter().map(|prompt| prompt.cases.len()).sum();
        counted(cases, "case, no old prompt to compare with", "cases, no old prompt to compare with")
    } else {
        format!("{worse} of {} got worse, {better} better", counted(compared, "case", "cases"))
    };
    match verdict {
        Verdict::Pass => format!("Pass: {counts}"),
        Verdict::NoRegressionFound => format!("No regression found: {counts}"),
        Verdict::NotMeasured => {
            let unmeasured = report.count(CaseStatus::Unmeasured);
            format!("Not measured: {} got no answer", counted(unmeasured, "case", "cases"))
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
    if !prompt.has_base {
        let passed = prompt.cases.iter().filter(|case| passes_all(case)).count();
        return format!("We ran the prompt on {}. {passed} passed.", counted(prompt.cases.len(), "case", "cases"));
    }
    let (worse, better) = (prompt.count(CaseStatus::Broken), prompt.count(CaseStatus::Fixed));
    let compared = prompt.compared();
    let same_cases = if compared == 1 { "1 case".to_owned() } else { format!("{compared} cases") };
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
        return vec!["Those are too many to be chance, so none was run again.".to_owned()];
    }
    let confirmed: Vec<&ConfirmedBreak> = prompt.candidates.iter().filter(|candidate| candidate.confirmed).collect();
    let unsure = worse.max(prompt.candidates.len()) - confirmed.len();
    if worse == 0 && prompt.candidates.is_empty() {
        return Vec::new();
    }
    let those = match worse.max(prompt.candidates.len()) {
        1 => "that one".to_owned(),
        several => format!("those {several}"),
    };
    if confirmed.is_empty() {
        return vec![format!("We ran {those} again: no clear difference, it may be chance.")];
    }
    let failures = range(confirmed.iter().map(|candidate| candidate.k - candidate.head.min(candidate.k)));
    let passes = range(confirmed.iter().map(|candidate| candidate.base));
    let runs = confirmed[0].k;
    let mut sentences = vec![format!(
        "We ran {those} again: {} failed {failures} of {runs} while the old prompt passed {passes} of {runs}.",
        confirmed.len()
    )];
    match unsure {
        0 => {}
        1 => sentences.push("The other one may be chance.".to_owned()),
        several => sentences.push(format!("The other {several} may be chance.")),
    }
    sentences
}

/// `6`, or `5 to 6`.
fn range(numbers: impl Iterator<Item = u32> + Clone) -> String {
    let (low, high) = (numbers.clone().min().unwrap_or(0), numbers.max().unwrap_or(0));
    if low == high { low.to_string() } else { format!("{low} to {high}") }
}

/// One reason in a sentence of counts; `show` renders a case's id.
pub fn reason(reason: &Reason, show: &dyn Fn(&str) -> String) -> String {
    let list = |cases: &[std::sync::Arc<str>]| cases.iter().map(|case| show(case)).collect::<Vec<_>>().join(", ");
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

fn cannot_exclude(drop: f64, more_cases: Option<u32>) -> String {
    let points = points(drop);
    match more_cases {
        Some(more) => format!(
            "This golden set cannot exclude a drop of more than {points} points; about {more} more {} would.",
            if more == 1 { "case" } else { "cases" }
        ),
        None => format!(
            "This golden set cannot exclude a drop of more than {points} points; more cases would."
        ),
    }
}

/// "48 cases · 3 worse · 1 better · score 0.94 → 0.89 · …"
pub fn numbers(prompt: &PromptReport) -> String {
    let mut parts = vec![counted(prompt.cases.len(), "case", "cases")];
    let counts = [
        (CaseStatus::Broken, "worse", prompt.has_base),
        (CaseStatus::Fixed, "better", prompt.has_base),
        (CaseStatus::Unmeasured, "not measured", false),
        (CaseStatus::New, "new", false),
        (CaseStatus::Edited, "edited", false),
        (CaseStatus::Removed, "removed", false),
    ];
    for (status, word, always) in counts {
        let number = prompt.count(status);
        if (always || number > 0) && !(status == CaseStatus::New && !prompt.has_base) {
            parts.push(format!("{number} {word}"));
        }
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

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
    usize::try_from(number).map_or_else(|_| number.to_string(), thousands)
}

fn passes_all(case: &CaseReport) -> bool {
    case.head.as_ref().is_some_and(|side| side.trials > 0 && side.passes == side.trials)
}

/// `1 case`, `3 cases`.
pub fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// USD, with cents where they are enough.
pub fn usd(amount: f64) -> String {
    match amount {
        0.0 => "$0".to_owned(),
        small if small < 0.01 => format!("${}", format!("{small:.6}").trim_end_matches('0')),
        cents if cents < 1.0 => format!("${cents:.4}"),
        dollars => format!("${dollars:.2}"),
    }
}

/// A score with two digits.
pub fn score(score: f64) -> String {
    format!("{score:.2}")
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A difference of scores in points of a hundred.
pub fn points(difference: f64) -> String {
    format!("{:.1}", difference * 100.0).replace('-', "−")
}
