//! The comment on a pull request: counts first, one table, folds for the rest. Knows Markdown and GitHub's limits, no API.

mod answers;
mod folds;
mod money;
mod section;
mod sets;
#[cfg(test)]
mod tests;

pub use answers::{explain, help};

use super::approval::{ApprovalLine, ApprovalState, ApprovalSummary};
use super::findings::rule;
use super::fit::{Block, Keep, Measure, fit};
use super::{Outcome, Report, Sides, words};
use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::gate::Verdict;
use crate::domain::untrusted::{Secrets, Untrusted};

/// Marks our comment. It is recognised by its stored id and by our app as its author, never by this line alone.
pub const MARKER: &str = "<!-- promptops:report -->";

/// GitHub takes 65,536 characters; the rest is room for what it adds.
const COMMENT_CHARACTERS: usize = 60_000;

/// More findings about files are counted, not shown.
const SHOWN_DIAGNOSTICS: usize = 20;

/// More sentences of one kind are counted, not shown.
const SHOWN_SENTENCES: usize = 30;

/// Longest sentence from outside.
const SENTENCE: usize = 500;

/// The comment.
#[must_use]
pub fn comment(report: &Report, secrets: &Secrets) -> String {
    let mut blocks = vec![Block { keep: Keep::Always, text: format!("{MARKER}\n{}", alert(report, secrets)) }];
    if let Some(approval) = &report.approval {
        blocks.push(Block { keep: Keep::Always, text: approval_line(approval, secrets) });
    }
    blocks.extend(details(report, secrets));
    blocks.push(Block { keep: Keep::Always, text: footer(report, secrets) });
    fit(blocks, COMMENT_CHARACTERS, Measure::Characters)
}

/// The page of a workflow's step: the comment without its mark, of at most so many bytes.
#[must_use]
pub fn page(report: &Report, limit: usize, secrets: &Secrets) -> String {
    let mut blocks = vec![Block { keep: Keep::Always, text: alert(report, secrets) }];
    blocks.extend(details(report, secrets));
    blocks.push(Block { keep: Keep::Always, text: footer(report, secrets) });
    fit(blocks, limit, Measure::Bytes)
}

/// Everything below the alert and the approvals; the comment and the check's text share it.
pub(super) fn details(report: &Report, secrets: &Secrets) -> Vec<Block> {
    let mut blocks = Vec::new();
    let always = |text: String| Block { keep: Keep::Always, text };
    let said: Vec<String> = report.overriding.iter().cloned().chain(words::runs(report)).collect();
    for sentences in [&said, &report.notes] {
        if !sentences.is_empty() {
            blocks.push(always(bullets(sentences, secrets)));
        }
    }
    if let Outcome::OverBudget(over) = &report.outcome {
        blocks.push(Block { keep: Keep::Section, text: money::figures(over, secrets) });
    }
    let has_errors = report.diagnostics.iter().any(|finding| finding.severity == Severity::Error);
    if has_errors {
        let text = format!("### Findings in the files\n\n{}", diagnostics(&report.diagnostics, secrets));
        blocks.push(Block { keep: Keep::Section, text });
    }
    blocks.extend(sets::changes(&report.set_changes, secrets));
    for (place, prompt) in report.worst_first().into_iter().enumerate() {
        blocks.push(Block { keep: Keep::Section, text: section::section(prompt, secrets) });
        blocks.extend(folds::folds(prompt, place == 0, secrets));
    }
    if !has_errors && !report.diagnostics.is_empty() {
        // Warnings hold nothing: what broke comes first.
        let title = words::counted(report.diagnostics.len(), "warning about the files", "warnings about the files");
        let body = diagnostics(&report.diagnostics, secrets);
        blocks.push(Block { keep: Keep::Fold, text: folds::fold(&title, &body) });
    }
    for change in &report.not_run {
        blocks.extend(folds::not_run(change, secrets).map(|text| Block { keep: Keep::Fold, text }));
    }
    if !report.settings_changes.is_empty() {
        let body = bullets(&report.settings_changes, secrets);
        blocks.push(Block { keep: Keep::Fold, text: folds::fold("What changes in the settings", &body) });
    }
    if let Some(rules) = report.approval.as_ref().map(|approval| &approval.rules).filter(|rules| !rules.is_empty()) {
        blocks.push(Block {
            keep: Keep::Fold,
            text: folds::fold("Approval, rule by rule", &approval_list(rules, secrets)),
        });
    }
    blocks
}

/// The headline and each prompt's counts, for the check's summary.
pub(super) fn summary(report: &Report, secrets: &Secrets) -> Vec<Block> {
    let top = Block { keep: Keep::Always, text: format!("{}\n", headline(report, secrets)) };
    let told = |prompt| Block { keep: Keep::Section, text: section::told(prompt, secrets) };
    std::iter::once(top).chain(report.worst_first().into_iter().map(told)).collect()
}

/// The alert on top of the comment.
fn alert(report: &Report, secrets: &Secrets) -> String {
    let kind = match &report.outcome {
        Outcome::NothingGoverned | Outcome::Measured(Verdict::Pass) => "TIP",
        Outcome::Measured(Verdict::NoRegressionFound)
        | Outcome::Waived { .. }
        | Outcome::Overridden { .. }
        | Outcome::Superseded
        | Outcome::Closed => "NOTE",
        Outcome::Measured(Verdict::Regression) => "CAUTION",
        Outcome::Measured(Verdict::NotMeasured) | Outcome::Failed { .. } => "WARNING",
        Outcome::WaitsForRelease { .. }
        | Outcome::OverBudget { .. }
        | Outcome::BrokenFiles
        | Outcome::NeedsPerson { .. } => "IMPORTANT",
    };
    format!("> [!{kind}]\n> {}\n", headline(report, secrets))
}

/// How it ended, in counts, and what happens next; one line.
pub(super) fn headline(report: &Report, secrets: &Secrets) -> String {
    let headline = words::headline(report);
    let headline = Untrusted::new(&headline, secrets).prose(SENTENCE);
    let next_step = match words::without_override(report) {
        Some(was) => format!("Without that: {}.", Untrusted::new(&was, secrets).prose(SENTENCE)),
        None => next_step(report),
    };
    format!("**{headline}.** {next_step}").trim_end().to_owned()
}

fn next_step(report: &Report) -> String {
    match &report.outcome {
        Outcome::Measured(Verdict::Regression) if report.of_step => {
            "Mend the prompt. Where an answer below is right, mend the golden set instead.".to_owned()
        }
        Outcome::Measured(Verdict::Regression) => match report.sides {
            Sides::Change => format!("This holds the merge. {}", remedy(report)),
            Sides::Rivals => "B is worse than A on this golden set.".to_owned(),
        },
        Outcome::Measured(Verdict::NotMeasured) if report.is_too_noisy() => {
            "This says nothing about the prompt. Sharpen the judge's rubric, or add a check without a judge to the cases named here."
                .to_owned()
        }
        Outcome::Measured(Verdict::NotMeasured) | Outcome::Failed { .. } if report.of_step => {
            "This says nothing about the prompt. Run the workflow again once the cause is mended.".to_owned()
        }
        Outcome::Measured(Verdict::NotMeasured) | Outcome::Failed { .. } => {
            "This says nothing about the prompt. It is tried again by itself; the comment `/promptops eval` tries now."
                .to_owned()
        }
        Outcome::WaitsForRelease { sha } => {
            format!(
                "Read the change first: running it costs money. Then release it with the comment `/promptops eval {sha}`."
            )
        }
        Outcome::OverBudget(_) if report.of_step => {
            "Raise the input `max-cost` or the settings' `evaluation.budget.run_usd`, or take cases out of the golden set."
                .to_owned()
        }
        Outcome::OverBudget(over) => money::remedy(over),
        Outcome::BrokenFiles => "Push a commit that fixes them; it is tried again then.".to_owned(),
        Outcome::NothingGoverned
        | Outcome::Measured(Verdict::Pass | Verdict::NoRegressionFound)
        | Outcome::Waived { .. }
        | Outcome::Overridden { .. }
        | Outcome::NeedsPerson { .. }
        | Outcome::Superseded
        | Outcome::Closed => String::new(),
    }
}

/// What the author of a regression can do.
fn remedy(report: &Report) -> &'static str {
    if report.prompts.iter().any(|prompt| !prompt.troubled().is_empty()) {
        "Mend the prompt and push. Where a new answer below is right after all, change that case of the golden set in a \
         pull request of its own."
    } else {
        "Mend the prompt and push, or change the limit in the settings on the base branch."
    }
}

fn approval_line(approval: &ApprovalSummary, secrets: &Secrets) -> String {
    let state = match approval.state {
        ApprovalState::Satisfied => "given",
        ApprovalState::Waiting => "waiting",
        ApprovalState::ChangesRequested => "changes requested",
        ApprovalState::Undecidable => "cannot be decided",
    };
    // "waiting. Waiting for" would say it twice.
    let (stop, line) = match approval.line.strip_prefix("Waiting for ") {
        Some(whom) if approval.state == ApprovalState::Waiting => ("", format!("for {whom}")),
        _ => (".", approval.line.clone()),
    };
    format!("**Approval: {state}{stop}** {}\n", Untrusted::new(&line, secrets).prose(SENTENCE))
}

fn footer(report: &Report, secrets: &Secrets) -> String {
    let code = |text: &str| Untrusted::new(&words::revision(text), secrets).code(60);
    let revisions = match (&report.base, report.sides) {
        (Some(base), Sides::Change) => format!("Old: {}, new: {}.", code(base), code(&report.head)),
        (Some(base), Sides::Rivals) => format!("A: {}, B: {}.", code(base), code(&report.head)),
        (None, _) => format!("Commit: {}.", code(&report.head)),
    };
    let spent =
        if report.prompts.is_empty() { String::new() } else { format!(" This run: {}.", words::spending(report)) };
    let commands = match (report.of_step, report.can_override) {
        (true, _) => "",
        (false, true) => {
            " Commands: `/promptops eval`, `/promptops explain`, `/promptops override REASON`, `/promptops help`."
        }
        (false, false) => " Commands: `/promptops eval`, `/promptops explain`, `/promptops help`.",
    };
    format!("{revisions}{spent}{commands}\n")
}

/// A list of sentences from outside.
pub(super) fn bullets(sentences: &[String], secrets: &Secrets) -> String {
    let mut list: String = sentences
        .iter()
        .take(SHOWN_SENTENCES)
        .map(|sentence| format!("- {}\n", Untrusted::new(sentence, secrets).prose(SENTENCE)))
        .collect();
    if let Some(more) = sentences.len().checked_sub(SHOWN_SENTENCES).filter(|more| *more > 0) {
        list.push_str(&format!("- … and {more} more\n"));
    }
    list
}

/// What became of the rules, each with its parts set in below it.
pub(super) fn approval_list(rules: &[ApprovalLine], secrets: &Secrets) -> String {
    let mut list = String::new();
    for rule in rules.iter().take(SHOWN_SENTENCES) {
        approval_item(rule, 0, secrets, &mut list);
    }
    if let Some(more) = rules.len().checked_sub(SHOWN_SENTENCES).filter(|more| *more > 0) {
        list.push_str(&format!("- … and {more} more\n"));
    }
    list
}

/// Settings nest no deeper than this shows.
const DEEPEST: usize = 10;

fn approval_item(item: &ApprovalLine, depth: usize, secrets: &Secrets, list: &mut String) {
    let indent = "  ".repeat(depth);
    list.push_str(&format!("{indent}- {}\n", Untrusted::new(&item.text, secrets).prose(SENTENCE)));
    if depth < DEEPEST {
        for part in &item.parts {
            approval_item(part, depth + 1, secrets, list);
        }
    }
}

/// The findings about files: errors first, with the line of source.
pub(super) fn diagnostics(findings: &[Diagnostic], secrets: &Secrets) -> String {
    let mut sorted: Vec<&Diagnostic> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut text = String::new();
    for finding in sorted.iter().take(SHOWN_DIAGNOSTICS) {
        let place = match finding.location {
            Some(at) => format!("{}:{}:{}", finding.path, at.line, at.column),
            None => finding.path.to_string(),
        };
        let word = match finding.severity {
            Severity::Error => "Error",
            Severity::Warning => "Warning",
        };
        let (place, message) = (Untrusted::new(&place, secrets), Untrusted::new(&finding.message, secrets));
        text.push_str(&format!("- {word} in {}: {}", place.code(300), message.prose(SENTENCE)));
        if let Some(help) = &finding.help {
            let (first, rest) = help.split_at(help.chars().next().map_or(0, char::len_utf8));
            let help = format!("{}{rest}", first.to_uppercase());
            text.push_str(&format!(". {}.", Untrusted::new(help.trim_end_matches('.'), secrets).prose(SENTENCE)));
        }
        text.push_str(&rule(finding).map_or_else(|| "\n".to_owned(), |rule| format!(" (`{rule}`)\n")));
        if let Some(excerpt) = &finding.excerpt {
            // Set in by two, so that the fence belongs to its list item.
            for line in Untrusted::new(excerpt, secrets).fence(300).lines() {
                text.push_str(&format!("  {line}\n"));
            }
        }
    }
    if let Some(more) = sorted.len().checked_sub(SHOWN_DIAGNOSTICS).filter(|more| *more > 0) {
        text.push_str(&format!("- … and {more} more\n"));
    }
    text
}
