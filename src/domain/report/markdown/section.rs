//! One prompt's part of the comment, above the folds: its story, its numbers, its table of cases. No p-value stands here.

use crate::domain::gate::verdict::Reason;
use crate::domain::report::{CaseReport, FailedEvaluator, PromptReport, words};
use crate::domain::untrusted::{Secrets, Untrusted};

/// More rows are counted, not shown.
const SHOWN_ROWS: usize = 40;

/// Longest id or evaluator name in a table.
const CELL: usize = 80;

/// Longest reason in a table; the whole one stands in the case's fold.
const REASON: usize = 120;

pub(super) fn section(prompt: &PromptReport, secrets: &Secrets) -> String {
    let mut text = told(prompt, secrets);
    let troubled = prompt.troubled();
    if !troubled.is_empty() {
        text.push('\n');
        text.push_str(&table(prompt, &troubled, secrets));
    }
    text
}

/// The part without the table, which the check's summary shows too.
pub(super) fn told(prompt: &PromptReport, secrets: &Secrets) -> String {
    let name = Untrusted::new(&prompt.name, secrets).prose(100);
    let path = Untrusted::new(prompt.path.as_str(), secrets).code(200);
    let mut text = format!("### {name} ({path})\n\n{}\n", words::story(prompt));
    let show = |id: &str| Untrusted::new(id, secrets).code(CELL);
    for reason in prompt.reasons.iter().filter(|reason| !is_in_story(reason)) {
        text.push_str(&format!("\n{}\n", words::reason(reason, prompt.sides, &show)));
    }
    text.push_str(&format!("\n{}\n", words::numbers(prompt)));
    let show = |name: &str| Untrusted::new(name, secrets).prose(40);
    if let Some(metrics) = words::metric_line(prompt, &show) {
        text.push_str(&format!("\nMetrics: {metrics}\n"));
    }
    text
}

/// The story says already which cases failed again.
fn is_in_story(reason: &Reason) -> bool {
    matches!(reason, Reason::ConfirmedBreaks { .. })
}

/// A table of cases: what failed, and how often the old and the new prompt passed.
fn table(prompt: &PromptReport, cases: &[&CaseReport], secrets: &Secrets) -> String {
    let header = if prompt.has_base { format!("passed, {}", words::arrow(prompt.sides)) } else { "passed".to_owned() };
    let mut text = format!("| case | what failed | {header} |\n|---|---|---|\n");
    for case in cases.iter().take(SHOWN_ROWS) {
        let id = Untrusted::new(&case.id, secrets).cell(CELL);
        text.push_str(&format!("| {id} | {} | {} |\n", what_failed(case, secrets), words::counts(prompt, case)));
    }
    if let Some(more) = cases.len().checked_sub(SHOWN_ROWS).filter(|more| *more > 0) {
        text.push_str(&format!("\n… and {}.\n", words::counted(more, "more case", "more cases")));
    }
    text
}

fn what_failed(case: &CaseReport, secrets: &Secrets) -> String {
    if let Some(error) = case.head.as_ref().and_then(|side| side.error.as_ref()) {
        return format!("no answer: {}", Untrusted::new(error, secrets).cell(CELL));
    }
    let mut found: Vec<String> = case.failed_evaluators.iter().take(2).map(|failed| finding(failed, secrets)).collect();
    if case.failed_evaluators.len() > found.len() {
        found.push(format!("{} more", case.failed_evaluators.len() - found.len()));
    }
    if found.is_empty() { "–".to_owned() } else { found.join("; ") }
}

/// What a check found, in its own words. A name that is made of what the check asks for would only say it twice.
fn finding(failed: &FailedEvaluator, secrets: &Secrets) -> String {
    let reason = Untrusted::new(&failed.reason, secrets).prose_cell(REASON);
    if failed.reason.trim().is_empty() || !failed.name.contains('"') {
        let name = Untrusted::new(&failed.name, secrets).cell(CELL);
        return if failed.reason.trim().is_empty() { name } else { format!("{name}: {reason}") };
    }
    reason
}
