//! The sentences of counts that every rendering shares. Plain text without outside text, except where a case is named: those
//! take a `show` function. Knows no Markdown.

mod figures;
mod reasons;
#[cfg(test)]
mod tests;

pub use figures::{counted, duration, grouped, percent, points, score, usd};
pub use reasons::{named, reason};

use super::{CaseReport, Outcome, PromptReport, Report, SideReport, SideUsage, Sides};
use crate::domain::budget::OverBudget;
use crate::domain::gate::verdict::{CaseStatus, ConfirmedBreak, Reason};
use crate::domain::gate::{JudgeAgreement, Verdict};
use crate::domain::ids::CommitSha;

/// Lane 3 runs at most this many cases again.
const MOST_RUN_AGAIN: usize = 35;

/// A sentence names at most this many things.
const NAMED: usize = 10;

/// The one line that says how it ended, without a full stop. Outside text in it is not shown safely yet.
pub fn headline(report: &Report) -> String {
    headline_of(report, &report.outcome)
}

/// What the line would say without the people who let it pass; `None` where nobody did.
pub fn without_override(report: &Report) -> Option<String> {
    match &report.outcome {
        Outcome::Overridden { was, .. } => Some(headline_of(report, was)),
        _ => None,
    }
}

/// "Run 3: 1 of 3 runs of this content found a regression …"; `None` while there is one run.
pub fn runs(report: &Report) -> Option<String> {
    let runs = report.runs.filter(|runs| runs.counted() > 1)?;
    let (found, all) = (runs.found, runs.counted());
    let what_next = match runs.missing() {
        0 if found > 0 => "More found none, so it counts as chance.".to_owned(),
        0 => "None of them counts against it.".to_owned(),
        1 => "One more run that finds none takes it back.".to_owned(),
        more => format!("{more} more runs that find none take it back."),
    };
    Some(format!("{found} of {all} runs of this content found a regression. {what_next}"))
}

fn headline_of(report: &Report, outcome: &Outcome) -> String {
    match outcome {
        Outcome::NothingGoverned => "No prompt, golden set or settings file is changed".to_owned(),
        Outcome::Measured(verdict) => measured_headline(report, *verdict),
        Outcome::Overridden { by, why, .. } => format!("Overridden by {}: {why}", by.join(", ")),
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
    let line = measured(report, verdict);
    match report.runs.filter(|runs| runs.counted() > 1 && runs.found > 0) {
        Some(runs) => {
            let all = runs.counted();
            format!("{line} (run {all}: {} of {all} found a regression)", runs.found)
        }
        None => line,
    }
}

fn measured(report: &Report, verdict: Verdict) -> String {
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
            if report.is_too_noisy() {
                "Not measured: the judge is too noisy to decide".to_owned()
            } else if unmeasured > 0 || cases == 0 {
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
        let the_old = prompt.sides.the_old();
        let alone = if prompt.has_base { format!("No case could be compared with {the_old}. ") } else { String::new() };
        let run = counted(run, "case", "cases");
        return match prompt.unmeasured().count() {
            0 => format!("{alone}We ran the prompt on {run}. {passed} passed."),
            lost => format!("{alone}We ran the prompt on {run}. {passed} passed, {lost} got no answer."),
        };
    }
    let (worse, better) = (prompt.count(CaseStatus::Broken), prompt.count(CaseStatus::Fixed));
    let same_cases = counted(compared, "case", "cases");
    let mut sentences = vec![
        format!("We ran {} side by side on the same {same_cases}.", prompt.sides.both()),
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
        "We ran {those} again: {number} failed {failures} of {runs} while {} passed {passes} of {runs}.",
        prompt.sides.the_old()
    );
    [Some(found), others].into_iter().flatten().collect()
}

/// `6`, or `5 to 6`.
fn range(numbers: impl Iterator<Item = u32> + Clone) -> String {
    let (low, high) = (numbers.clone().min().unwrap_or(0), numbers.max().unwrap_or(0));
    if low == high { low.to_string() } else { format!("{low} to {high}") }
}

/// "9 of 10, κ = 0.74": how far a judge agreed with itself on texts that it judged twice.
pub fn agreement(agreement: &JudgeAgreement) -> String {
    let counts = format!("on {} of {}", agreement.agreed(), counted(agreement.doubled() as usize, "text", "texts"));
    match agreement.kappa() {
        Some(kappa) if agreement.is_noisy() => {
            format!("{counts}, κ = {kappa:.2}: too little to block alone").replace('-', "−")
        }
        Some(kappa) => format!("{counts}, κ = {kappa:.2}"),
        None => format!("{counts}: not known before {} more", agreement.missing()),
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
        parts.push(format!("1,000 answers cost {} → {}", thousand(base), thousand(head)));
    }
    if let Some((base, head)) = prompt.median_latency {
        parts.push(format!("time per answer {base:.0} → {head:.0} ms"));
    }
    parts.join(" · ")
}

/// What 1,000 answers cost: a single one costs too little to compare by eye.
fn thousand(per_answer: f64) -> String {
    let amount = per_answer * 1_000.0;
    if amount >= 0.1 { format!("${amount:.2}") } else { usd(amount) }
}

/// Every named metric of either side: base, head.
pub fn metrics(prompt: &PromptReport) -> Vec<(&str, Option<f64>, Option<f64>)> {
    let [base, head] = &prompt.metrics;
    let names: std::collections::BTreeSet<&str> = base.keys().chain(head.keys()).map(String::as_str).collect();
    names.into_iter().map(|name| (name, base.get(name).copied(), head.get(name).copied())).collect()
}

/// "accuracy 0.91 → 0.93 · tone 0.81 → 0.64"; `None` without metrics.
pub fn metric_line(prompt: &PromptReport, show: &dyn Fn(&str) -> String) -> Option<String> {
    let number = |side: Option<f64>| side.map_or_else(|| "–".to_owned(), score);
    let all = metrics(prompt);
    let mut parts: Vec<String> = all
        .iter()
        .take(NAMED)
        .map(|(name, base, head)| match (prompt.has_base, base) {
            (true, base) => format!("{} {} → {}", show(name), number(*base), number(*head)),
            (false, _) => format!("{} {}", show(name), number(*head)),
        })
        .collect();
    if let Some(more) = all.len().checked_sub(NAMED).filter(|more| *more > 0) {
        parts.push(format!("and {more} more"));
    }
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// A commit's first ten digits tell it from others; a revision of another form is shown whole.
pub fn revision(text: &str) -> String {
    CommitSha::parse(text).map_or_else(|_| text.to_owned(), |sha| sha.as_str()[..10].to_owned())
}

/// "old → new".
pub fn arrow(sides: Sides) -> String {
    sides.labels().join(" → ")
}

/// What the whole run took: "96 calls, 40 answers from the cache, $0.31, 12 s".
pub fn spending(report: &Report) -> String {
    let sides = || report.prompts.iter().flat_map(|prompt| &prompt.usage);
    let took = report.took_ms.map_or(String::new(), |took| format!(", {}", duration(took)));
    if report.replayed {
        let answers: u64 = sides().map(|side| side.calls + side.cached_calls).sum();
        let cost = sides().map(|side| side.cost_usd).sum();
        let word = if answers == 1 { "call" } else { "calls" };
        let before = if cost > 0.0 { format!(" (when recorded: {})", usd(cost)) } else { String::new() };
        return format!("{} {word} to the recording, $0{before}{took}", grouped(answers));
    }
    spent(sides()) + &took
}

/// "96 calls, 40 answers from the cache, $0.31"
pub fn spent<'a>(sides: impl IntoIterator<Item = &'a SideUsage>) -> String {
    let (mut calls, mut known, mut cost) = (0, 0, 0.0);
    for side in sides {
        calls += side.calls;
        known += side.cached_calls;
        cost += side.cost_usd;
    }
    let word = if calls == 1 { "call" } else { "calls" };
    match known {
        0 => format!("{} {word}, {}", grouped(calls), usd(cost)),
        1 => format!("{} {word}, 1 answer from the cache, {}", grouped(calls), usd(cost)),
        known => format!("{} {word}, {} answers from the cache, {}", grouped(calls), grouped(known), usd(cost)),
    }
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
