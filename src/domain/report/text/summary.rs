//! The part of the terminal's text that is read in ten seconds: what got worse, what to do, what it took.

use super::{Style, wrap};
use crate::domain::gate::Verdict;
use crate::domain::gate::verdict::{CaseStatus, Reason};
use crate::domain::report::{CaseReport, Outcome, PromptReport, Report, Sides, words};
use crate::domain::untrusted::{Secrets, Untrusted};

/// More cases are counted here; the sections below show more of them.
const NAMED_CASES: usize = 5;

/// Column in which the second part of a line begins.
const INDENT: usize = 9;

/// The lines under the headline.
pub(super) fn lines(report: &Report, style: Style, secrets: &Secrets) -> Vec<String> {
    let mut lines = vec![String::new()];
    if let (Sides::Rivals, Some(base)) = (report.sides, &report.base) {
        lines.extend(entry("A", &Untrusted::new(base, secrets).line(200)));
        lines.extend(entry("B", &Untrusted::new(&report.head, secrets).line(200)));
    }
    lines.extend(worse(report, secrets));
    if let Some(next) = next(report) {
        lines.extend(entry("next", &next));
    }
    if !report.prompts.is_empty() {
        lines.extend(entry("took", &words::spending(report)).iter().map(|line| style.dim(line)));
    }
    if lines.len() > 1 { lines } else { Vec::new() }
}

/// A word, and the text set in behind it.
fn entry(word: &str, text: &str) -> Vec<String> {
    wrap(text, &format!("  {word:<width$}", width = INDENT - 2))
}

/// The cases to look at with the first reason of each; where no case is, the reasons that block.
fn worse(report: &Report, secrets: &Secrets) -> Vec<String> {
    let prompts = report.worst_first();
    let cases: Vec<(&PromptReport, &CaseReport)> =
        prompts.iter().flat_map(|prompt| prompt.troubled().into_iter().map(move |case| (*prompt, case))).collect();
    let several = prompts.len() > 1;
    let of_case = |(prompt, case): &(&PromptReport, &CaseReport)| (word(case), named(prompt, case, several, secrets));
    let mut texts: Vec<(&str, String)> = cases.iter().take(NAMED_CASES).map(of_case).collect();
    if let Some(more) = cases.len().checked_sub(NAMED_CASES).filter(|more| *more > 0) {
        texts.push(("", format!("… and {}", words::counted(more, "more case", "more cases"))));
    }
    if texts.is_empty() && report.verdict() == Verdict::Regression {
        let word = if report.base.is_some() { "worse" } else { "fails" };
        texts = blocking(&prompts, secrets).into_iter().map(|text| (word, text)).collect();
    }
    let mut before = "";
    let mut lines = Vec::new();
    for (word, text) in &texts {
        // A word stands once for all that it is true of.
        lines.extend(entry(if *word == before { "" } else { word }, text));
        before = word;
    }
    lines
}

/// What a case to look at did: only what base passed can have become worse.
fn word(case: &CaseReport) -> &'static str {
    if case.status == CaseStatus::Broken { "worse" } else { "fails" }
}

fn named(prompt: &PromptReport, case: &CaseReport, several: bool, secrets: &Secrets) -> String {
    let show = |text: &str, most| Untrusted::new(text, secrets).line(most);
    let of = if several { format!("{} / ", show(&prompt.name, 30)) } else { String::new() };
    let both = if prompt.is_broken_on_base(&case.id) { " (must pass, fails on both sides)" } else { "" };
    let reason = match (case.failed_evaluators.first(), case.error()) {
        (Some(failed), _) => format!("{}: {}", failed.name, failed.reason),
        (None, Some(error)) => format!("no answer: {error}"),
        (None, None) => return format!("{of}{}{both}", show(&case.id, 40)),
    };
    format!("{of}{}{both}  {}", show(&case.id, 40), show(&reason, 90))
}

fn blocking(prompts: &[&PromptReport], secrets: &Secrets) -> Vec<String> {
    let show = |id: &str| Untrusted::new(id, secrets).line(40);
    let blocked = prompts.iter().filter(|prompt| prompt.verdict == Verdict::Regression);
    blocked
        .filter_map(|prompt| prompt.reasons.first().map(|reason| words::reason(reason, prompt.sides, &show)))
        .take(NAMED_CASES)
        .collect()
}

/// What whoever ran it can do now.
fn next(report: &Report) -> Option<String> {
    let Outcome::Measured(verdict) = report.outcome else { return None };
    let case = report.prompts.iter().any(|prompt| !prompt.troubled().is_empty());
    let text = match (verdict, report.sides) {
        (Verdict::Regression, Sides::Rivals) => "Keep A, or mend B where its answers below are wrong.",
        (Verdict::Regression, Sides::Change) if case => {
            "Mend the prompt. Where an answer below is right, mend the golden set instead."
        }
        (Verdict::Regression, Sides::Change) => "Mend the prompt, or change the limit in .github/promptops.yml.",
        (Verdict::NotMeasured, _) if report.is_too_noisy() => {
            "Sharpen the judge's rubric, or add a check without a judge to the cases named below."
        }
        (Verdict::NotMeasured, _) => "See below why, then run it again. Answers that came are not asked for again.",
        (Verdict::NoRegressionFound, Sides::Change) if fails_anew(report) => {
            "Mend the prompt or the golden set. The cases that fail are new, so they are not compared: they are from the next \
             change on, once the golden set is on base."
        }
        (Verdict::NoRegressionFound, _) => return more_cases(report),
        (Verdict::Pass, _) if report.base.is_none() && case => {
            "Mend the prompt or the golden set; with --strict such a case blocks."
        }
        (Verdict::Pass, _) => return None,
    };
    Some(text.to_owned())
}

/// Whether a case fails that base does not have: nothing is worse, and something is to be mended all the same.
fn fails_anew(report: &Report) -> bool {
    let cases = report.prompts.iter().filter(|prompt| prompt.has_base).flat_map(|prompt| &prompt.cases);
    let fails =
        |case: &CaseReport| case.base.is_none() && case.head.as_ref().is_some_and(|head| head.passes < head.trials);
    cases.into_iter().any(fails)
}

/// How many cases would turn "no regression found" into a pass.
fn more_cases(report: &Report) -> Option<String> {
    let most = report.prompts.iter().flat_map(|prompt| &prompt.reasons).filter_map(|reason| match reason {
        Reason::CannotExclude { more_cases, .. } => *more_cases,
        _ => None,
    });
    let more = most.max()?;
    let cases = words::counted(more as usize, "more case", "more cases");
    Some(format!("Nothing to mend. About {cases} would show that it is no worse."))
}
