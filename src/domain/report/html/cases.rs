//! The cases of a prompt for the page, in groups, each case in a fold of its own. Bounded: answers and cases.

use std::collections::HashSet;

use super::{DiffLine, difference};
use crate::domain::gate::verdict::CaseStatus;
use crate::domain::report::{CaseReport, PromptReport, SideReport, words};
use crate::domain::untrusted::{Secrets, Untrusted};

/// Most cases of a page; more are counted.
pub(super) const MOST: usize = 1_000;
/// Longest answer or input of a case that somebody has to look at.
const ANSWER: usize = 10_000;
/// Longest one of the others.
const SHORT_ANSWER: usize = 1_000;
/// Cases that are open when the page opens.
const OPEN: usize = 3;
/// More evaluators of one case are counted.
const EVALUATORS: usize = 50;

/// Cases that came out alike.
pub(super) struct Group {
    pub title: String,
    pub open: bool,
    pub cases: Vec<CaseView>,
    pub left_out: usize,
}

/// What the template needs of a case.
pub(super) struct CaseView {
    pub id: String,
    pub tone: &'static str,
    pub word: &'static str,
    pub counts: String,
    pub open: bool,
    pub first_reason: Option<String>,
    pub input: Option<String>,
    pub expected: Option<String>,
    pub evaluators: Vec<(bool, String, String, String)>,
    pub more_evaluators: usize,
    pub diff: Vec<DiffLine>,
    pub answers: Vec<(String, String)>,
    pub errors: Vec<String>,
}

/// All groups that have cases, the ones to look at first.
pub(super) fn groups(prompt: &PromptReport, budget: &mut usize, secrets: &Secrets) -> Vec<Group> {
    let troubled = prompt.troubled();
    // By place and not by id: an edited case stands there in both versions.
    let looked_at: HashSet<*const CaseReport> = troubled.iter().map(|case| std::ptr::from_ref(*case)).collect();
    let rest = prompt.cases.iter().filter(|case| !looked_at.contains(&std::ptr::from_ref(*case)));
    let rest: Vec<&CaseReport> = rest.collect();
    let of = |status: CaseStatus| -> Vec<&CaseReport> {
        rest.iter().copied().filter(|case| case.status == status && !case.is_unmeasured()).collect()
    };
    let unmeasured = rest.iter().copied().filter(|case| case.is_unmeasured()).collect();
    let mut all = vec![
        (if prompt.has_base { "Got worse" } else { "Failed" }, true, troubled.clone()),
        ("Not measured", false, unmeasured),
        ("Got better", false, of(CaseStatus::Fixed)),
        ("Edited in the golden set", false, of(CaseStatus::Edited)),
    ];
    let new = of(CaseStatus::New);
    all.push((if prompt.has_base { "New in the golden set" } else { "Passed" }, false, new));
    all.push(("Removed from the golden set", false, of(CaseStatus::Removed)));
    all.push(("The same", false, of(CaseStatus::Same)));
    all.into_iter()
        .filter(|(_, _, cases)| !cases.is_empty())
        .map(|(title, open, cases)| group(prompt, title, open, &cases, budget, secrets))
        .collect()
}

fn group(
    prompt: &PromptReport,
    title: &str,
    open: bool,
    cases: &[&CaseReport],
    budget: &mut usize,
    secrets: &Secrets,
) -> Group {
    let room = cases.len().min(*budget);
    *budget -= room;
    let shown = cases.iter().take(room).enumerate();
    let limit = if open { ANSWER } else { SHORT_ANSWER };
    Group {
        title: format!("{title}: {}", words::counted(cases.len(), "case", "cases")),
        open,
        cases: shown.map(|(place, case)| view(prompt, case, open && place < OPEN, limit, secrets)).collect(),
        left_out: cases.len() - room,
    }
}

fn view(prompt: &PromptReport, case: &CaseReport, open: bool, limit: usize, secrets: &Secrets) -> CaseView {
    let line = |text: &str, most| Untrusted::new(text, secrets).line(most);
    let text = |text: &str| Untrusted::new(text, secrets).lines(limit);
    let output = |side: &Option<SideReport>| side.as_ref().and_then(|side| side.output.clone());
    let (old, new) = (output(&case.base), output(&case.head));
    let diff = match (&old, &new) {
        (Some(old), Some(new)) => difference(old, new, secrets),
        _ => Vec::new(),
    };
    let labels = prompt.sides.labels();
    let (tone, word) = status(case);
    let inputs: Vec<String> = case.vars.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect();
    let failed = case.failed_evaluators.first().map(|failed| format!("{}: {}", failed.name, failed.reason));
    let errors = labels.iter().zip([&case.base, &case.head]).filter_map(|(label, side)| {
        Some(format!("no {label} answer: {}", line(side.as_ref()?.error.as_deref()?, 500)))
    });
    CaseView {
        id: line(&case.id, 100),
        tone,
        word,
        counts: words::counts(prompt, case),
        open,
        first_reason: failed.map(|reason| line(&reason, 120)),
        input: (!inputs.is_empty()).then(|| text(&inputs.join("\n"))),
        expected: case.expected.as_deref().map(text),
        evaluators: evaluators(case, secrets),
        more_evaluators: case.evaluators.len().saturating_sub(EVALUATORS),
        answers: answers(labels, old.as_deref(), new.as_deref(), diff.is_empty(), &text),
        diff,
        errors: errors.collect(),
    }
}

/// The answers as they were; two that are equal once.
fn answers(
    [base, head]: [&str; 2],
    old: Option<&str>,
    new: Option<&str>,
    equal: bool,
    text: &dyn Fn(&str) -> String,
) -> Vec<(String, String)> {
    match (old, new) {
        (Some(_), Some(new)) if equal => vec![(format!("The answer, {base} and {head}"), text(new))],
        (old, new) => [(base, old), (head, new)]
            .into_iter()
            .filter_map(|(label, answer)| Some((format!("The {label} answer"), text(answer?))))
            .collect(),
    }
}

/// What each evaluator said, failures first.
fn evaluators(case: &CaseReport, secrets: &Secrets) -> Vec<(bool, String, String, String)> {
    let line = |text: &str, most| Untrusted::new(text, secrets).line(most);
    let mut sorted: Vec<_> = case.evaluators.iter().collect();
    sorted.sort_by_key(|found| found.passed);
    sorted
        .into_iter()
        .take(EVALUATORS)
        .map(|found| (found.passed, line(&found.name, 100), words::score(found.score), line(&found.reason, 500)))
        .collect()
}

fn status(case: &CaseReport) -> (&'static str, &'static str) {
    match case.status {
        _ if case.is_unmeasured() => ("unsure", "no answer"),
        CaseStatus::Broken if case.confirmed => ("bad", "worse, confirmed"),
        CaseStatus::Broken => ("bad", "worse"),
        CaseStatus::Fixed => ("good", "better"),
        CaseStatus::Removed => ("same", "removed"),
        CaseStatus::New | CaseStatus::Edited | CaseStatus::Same | CaseStatus::Unmeasured if case.fails() => {
            ("bad", "fails")
        }
        CaseStatus::New | CaseStatus::Edited | CaseStatus::Same | CaseStatus::Unmeasured => ("good", "passes"),
    }
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
