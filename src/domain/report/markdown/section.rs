//! One prompt's part of the comment, above the folds: its story, its numbers, its table of cases. No p-value stands here.

use crate::domain::gate::verdict::Reason;
use crate::domain::report::{CaseReport, PromptReport, SideReport, words};
use crate::domain::untrusted::{Secrets, Untrusted};

/// More rows are counted, not shown.
const SHOWN_ROWS: usize = 40;

/// Longest id or evaluator name in a table.
const CELL: usize = 80;

pub(super) fn section(prompt: &PromptReport, secrets: &Secrets) -> String {
    let name = Untrusted::new(&prompt.name, secrets).prose(100);
    let path = Untrusted::new(prompt.path.as_str(), secrets).code(200);
    let mut text = format!("### {name} ({path})\n\n{}\n", words::story(prompt));
    let show = |id: &str| Untrusted::new(id, secrets).code(CELL);
    for reason in prompt.reasons.iter().filter(|reason| !is_in_story(reason)) {
        text.push_str(&format!("\n{}\n", words::reason(reason, &show)));
    }
    text.push_str(&format!("\n{}\n", words::numbers(prompt)));
    let troubled = prompt.troubled();
    if !troubled.is_empty() {
        text.push('\n');
        text.push_str(&table(prompt, &troubled, secrets));
    }
    text
}

/// The story says already which cases failed again.
fn is_in_story(reason: &Reason) -> bool {
    matches!(reason, Reason::ConfirmedBreaks { .. })
}

/// A table of cases: what failed, and how often the old and the new prompt passed.
fn table(prompt: &PromptReport, cases: &[&CaseReport], secrets: &Secrets) -> String {
    let header = if prompt.has_base { "passed, old → new" } else { "passed" };
    let mut text = format!("| case | what failed | {header} |\n|---|---|---|\n");
    for case in cases.iter().take(SHOWN_ROWS) {
        let id = Untrusted::new(&case.id, secrets).cell(CELL);
        text.push_str(&format!("| {id} | {} | {} |\n", what_failed(case, secrets), counts(prompt, case)));
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
    let mut names: Vec<String> =
        case.failed_evaluators.iter().take(2).map(|failed| Untrusted::new(&failed.name, secrets).cell(CELL)).collect();
    if case.failed_evaluators.len() > names.len() {
        names.push(format!("{} more", case.failed_evaluators.len() - names.len()));
    }
    if names.is_empty() { "–".to_owned() } else { names.join(", ") }
}

/// "passed 1 of 1 → 0 of 1, again 6 of 6 → 0 of 6"
pub(super) fn counts(prompt: &PromptReport, case: &CaseReport) -> String {
    let head = side(case.head.as_ref());
    let mut text = match &case.base {
        Some(base) => format!("{} → {head}", side(Some(base))),
        None => head,
    };
    if let Some(again) = prompt.candidate(&case.id) {
        text.push_str(&format!("; again {} of {} → {} of {}", again.base, again.k, again.head, again.k));
    }
    text
}

fn side(side: Option<&SideReport>) -> String {
    match side {
        Some(side) if side.trials > 0 => {
            let graded = side.score.filter(|score| side.trials == 1 && *score > 0.0 && *score < 1.0);
            let score = graded.map_or(String::new(), |score| format!(" (score {})", words::score(score)));
            format!("{} of {}{score}", side.passes, side.trials)
        }
        Some(_) => "no answer".to_owned(),
        None => "not run".to_owned(),
    }
}
