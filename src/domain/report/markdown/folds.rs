//! The folds below a prompt's table: answers case by case, cases that changed, and all numbers behind the verdict.

use crate::domain::gate::verdict::{CaseStatus, ConfirmedBreak};
use crate::domain::report::diff::{self, Line};
use crate::domain::report::fit::{Block, Keep};
use crate::domain::report::{CaseReport, PromptReport, SideReport, Sides, TextChange, words};
use crate::domain::untrusted::{Secrets, Untrusted, fence};

/// Longest text of one side in a fold.
const ANSWER: usize = 4_000;

/// More listed cases are counted, not shown.
const LISTED: usize = 40;

/// All folds of one prompt, the most telling first.
pub(super) fn folds(prompt: &PromptReport, secrets: &Secrets) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for case in prompt.troubled() {
        let id = Untrusted::new(&case.id, secrets).summary(100);
        blocks.push(Block {
            keep: Keep::Case,
            text: fold(&format!("{id}: the answers"), &answers(case, prompt.sides, secrets)),
        });
    }
    let mut add = |text: Option<String>| blocks.extend(text.map(|text| Block { keep: Keep::Fold, text }));
    add(fixed(prompt, secrets));
    add(changed_cases(prompt, secrets));
    add(unmeasured(prompt, secrets));
    add(prompt_text(prompt, secrets));
    add(Some(fold("How this was decided", &decided(prompt, secrets))));
    blocks
}

/// A fold; `title` is HTML of ours.
pub(super) fn fold(title: &str, body: &str) -> String {
    format!("<details><summary>{title}</summary>\n\n{body}\n</details>\n")
}

/// Inputs, what failed, and the difference of the two answers.
fn answers(case: &CaseReport, sides: Sides, secrets: &Secrets) -> String {
    let mut text = String::new();
    if !case.vars.is_empty() {
        let inputs: Vec<String> = case.vars.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect();
        text.push_str(&format!("The input:\n\n{}\n", Untrusted::new(&inputs.join("\n"), secrets).fence(ANSWER)));
    }
    for failed in &case.failed_evaluators {
        let (name, reason) = (Untrusted::new(&failed.name, secrets), Untrusted::new(&failed.reason, secrets));
        text.push_str(&format!("- {} failed: {}\n", name.code(100), reason.prose(500)));
    }
    if !case.failed_evaluators.is_empty() {
        text.push('\n');
    }
    text.push_str(&two_sides(case.base.as_ref(), case.head.as_ref(), sides, secrets));
    text
}

fn two_sides(base: Option<&SideReport>, head: Option<&SideReport>, sides: Sides, secrets: &Secrets) -> String {
    let [base_word, head_word] = sides.labels();
    match (base.and_then(|side| side.output.as_deref()), head.and_then(|side| side.output.as_deref())) {
        (Some(old), Some(new)) => {
            let lines = diff::words(&Untrusted::new(old, secrets), &Untrusted::new(new, secrets));
            if lines.is_empty() {
                return format!("Both answered the same:\n\n{}", Untrusted::new(new, secrets).fence(ANSWER));
            }
            format!(
                "The answer, {base_word} (-) and {head_word} (+):\n\n{}",
                fence("diff", lines.iter().map(Line::marked))
            )
        }
        (old, new) => {
            let one = |title: &str, answer: Option<&str>, side: Option<&SideReport>| match (answer, side) {
                (Some(answer), _) => {
                    format!("The {title} answer:\n\n{}\n", Untrusted::new(answer, secrets).fence(ANSWER))
                }
                (None, Some(SideReport { error: Some(error), .. })) => {
                    format!("No {title} answer: {}\n\n", Untrusted::new(error, secrets).prose(500))
                }
                (None, _) => String::new(),
            };
            format!("{}{}", one(base_word, old, base), one(head_word, new, head))
        }
    }
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn fixed(prompt: &PromptReport, secrets: &Secrets) -> Option<String> {
    let cases: Vec<&CaseReport> = prompt.with_status(CaseStatus::Fixed).collect();
    let title = words::counted(cases.len(), "case got better", "cases got better");
    let lines: Vec<String> = cases
        .iter()
        .map(|case| format!("- {}: {}\n", Untrusted::new(&case.id, secrets).code(100), words::counts(prompt, case)))
        .collect();
    (!cases.is_empty()).then(|| fold(&title, &listed(&lines)))
}

/// New, edited and removed cases; without a base every case is new, which says nothing.
fn changed_cases(prompt: &PromptReport, secrets: &Secrets) -> Option<String> {
    let kinds = [(CaseStatus::New, "new"), (CaseStatus::Edited, "edited"), (CaseStatus::Removed, "removed")];
    let mut lines: Vec<String> = Vec::new();
    for (status, word) in kinds {
        for case in prompt.with_status(status) {
            let id = Untrusted::new(&case.id, secrets).code(100);
            let result = case.head.as_ref().filter(|_| status != CaseStatus::Removed).map_or(String::new(), |head| {
                format!(": {} passed {} of {}", prompt.sides.the_new(), head.passes, head.trials)
            });
            lines.push(format!("- {word}: {id}{result}\n"));
        }
    }
    let title = format!("{} in the golden set", words::counted(lines.len(), "changed case", "changed cases"));
    (prompt.has_base && !lines.is_empty()).then(|| fold(&title, &listed(&lines)))
}

fn unmeasured(prompt: &PromptReport, secrets: &Secrets) -> Option<String> {
    let show = |id: &str| Untrusted::new(id, secrets).code(100);
    let lines: Vec<String> = prompt
        .unmeasured_by_error()
        .into_iter()
        .map(|(error, ids)| format!("- {}: {}\n", words::named(&ids, &show), Untrusted::new(error, secrets).prose(300)))
        .collect();
    let cases = prompt.unmeasured().count();
    let title = words::counted(cases, "case could not be measured", "cases could not be measured");
    (!lines.is_empty()).then(|| fold(&title, &listed(&lines)))
}

fn listed(lines: &[String]) -> String {
    let mut text: String = lines.iter().take(LISTED).map(String::as_str).collect();
    if let Some(more) = lines.len().checked_sub(LISTED).filter(|more| *more > 0) {
        text.push_str(&format!("- … and {more} more\n"));
    }
    text
}

fn prompt_text(prompt: &PromptReport, secrets: &Secrets) -> Option<String> {
    let (old, new) = prompt.prompt_text.as_ref()?;
    let lines = diff::words(&Untrusted::new(old, secrets), &Untrusted::new(new, secrets));
    (!lines.is_empty()).then(|| fold("What changed in the prompt", &fence("diff", lines.iter().map(Line::marked))))
}

/// How a prompt changes that nobody ran; nothing where its text stays.
pub(super) fn not_run(change: &TextChange, secrets: &Secrets) -> Option<String> {
    let lines = diff::words(&Untrusted::new(&change.old, secrets), &Untrusted::new(&change.new, secrets));
    let title = format!("What changes in {}", Untrusted::new(change.path.as_str(), secrets).summary(200));
    (!lines.is_empty()).then(|| fold(&title, &fence("diff", lines.iter().map(Line::marked))))
}

/// Every number behind the verdict; the only place of p-values.
pub(super) fn decided(prompt: &PromptReport, secrets: &Secrets) -> String {
    let arrow = words::arrow(prompt.sides);
    let mut rows: Vec<(String, String)> =
        vec![("model".to_owned(), Untrusted::new(prompt.model.as_str(), secrets).cell(100))];
    if let (Some(base), Some(head)) = (prompt.base_score, prompt.head_score) {
        rows.push((format!("mean score, {arrow}"), format!("{base:.4} → {head:.4}")));
    }
    if let Some(bound) = prompt.bound {
        rows.push(("difference in score, at worst (95 %)".to_owned(), format!("{} points", words::points(bound))));
    }
    if let Some(p) = prompt.suite_p {
        rows.push((
            "the suite as a whole: p (blocks from 0.025 down, lower with several prompts)".to_owned(),
            format!("{p:.4}"),
        ));
    }
    for (name, base, head) in words::metrics(prompt) {
        let name = Untrusted::new(name, secrets).cell(60);
        rows.push((format!("metric {name}, {arrow}"), format!("{} → {}", number(base), number(head))));
    }
    for agreement in &prompt.agreements {
        let name = Untrusted::new(&agreement.name, secrets).cell(60);
        rows.push((format!("{name} agreed with itself"), words::agreement(agreement)));
    }
    let [base_calls, head_calls] = match prompt.sides {
        Sides::Change => ["the old prompt's calls", "the new prompt's calls"],
        Sides::Rivals => ["A's calls", "B's calls"],
    };
    for (what, usage) in [base_calls, head_calls].into_iter().zip(&prompt.usage) {
        if prompt.has_base || what == head_calls {
            rows.push((
                what.to_owned(),
                format!(
                    "{}, {} tokens in, {} out",
                    words::spent([usage]),
                    words::grouped(usage.input_tokens),
                    words::grouped(usage.output_tokens)
                ),
            ));
        }
    }
    let mut text = "| number | value |\n|---|---|\n".to_owned();
    text.extend(rows.into_iter().map(|(name, value)| format!("| {name} | {value} |\n")));
    if !prompt.candidates.is_empty() {
        text.push_str(&run_again(&prompt.candidates, prompt.sides, secrets));
    }
    text
}

fn run_again(candidates: &[ConfirmedBreak], sides: Sides, secrets: &Secrets) -> String {
    let [base_word, head_word] = sides.labels();
    let mut text = format!(
        "\nCases run again with fresh answers, the same number on each side. p is Fisher's exact test, adjusted \
                    for the number of cases (Holm); it counts from 0.025 down, lower with several prompts.\n\n\
                    | case | {base_word} passed | {head_word} passed | p | broke |\n|---|---|---|---|---|\n"
    );
    for candidate in candidates {
        let ConfirmedBreak { id, k, base, head, p, confirmed } = candidate;
        let id = Untrusted::new(id, secrets).cell(80);
        let broke = if *confirmed { "yes" } else { "not proved" };
        text.push_str(&format!("| {id} | {base} of {k} | {head} of {k} | {p:.4} | {broke} |\n"));
    }
    text
}

fn number(score: Option<f64>) -> String {
    score.map_or_else(|| "–".to_owned(), |score| format!("{score:.3}"))
}
