//! The figures of a run that a budget stopped: the budget, and what each prompt was expected to cost. Knows no other part.

use std::fmt::Write;

use crate::domain::budget::{Budget, Estimate, OverBudget};
use crate::domain::report::words::{grouped, usd};
use crate::domain::untrusted::{Secrets, Untrusted};

/// More prompts are counted, not shown.
const SHOWN: usize = 50;

/// The budget's figures, and the estimate's table where there is one.
pub(super) fn figures(over: &OverBudget, secrets: &Secrets) -> String {
    let mut text = format!(
        "### What it would cost\n\n| budget | limit | spent | reserved | needed |\n|---|--:|--:|--:|--:|\n\
         | `{}` | {} | {} | {} | {} |\n",
        over.budget.key(),
        usd(over.limit_usd),
        usd(over.spent_usd),
        usd(over.reserved_usd),
        usd(over.needed_usd)
    );
    if let Some(estimate) = &over.estimate {
        text.push('\n');
        text.push_str(&table(estimate, secrets));
    }
    text
}

/// What to do about it.
pub(super) fn remedy(over: &OverBudget) -> String {
    let key = over.budget.key();
    let wait = match over.budget {
        Budget::Run | Budget::PullRequest => "or take cases out of the golden set",
        Budget::Day | Budget::AuthorDay => "or comment `/promptops eval` tomorrow (days are UTC)",
    };
    format!("Raise `evaluation.budget.{key}` in `.github/promptops.yml` on the base branch, {wait}.")
}

fn table(estimate: &Estimate, secrets: &Secrets) -> String {
    let mut text = "| prompt | cases | sides | trials | calls | known | tokens in | tokens out | about |\n\
                    |---|--:|--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for prompt in estimate.prompts.iter().take(SHOWN) {
        let path = Untrusted::new(prompt.path.as_str(), secrets).code(200);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {path} | {} | {} | {} | {} | {} | {} | {} | {} |",
            grouped(prompt.cases as u64),
            prompt.sides,
            prompt.trials,
            grouped(prompt.calls),
            grouped(prompt.known),
            grouped(prompt.input_tokens),
            grouped(prompt.output_tokens),
            usd(prompt.usd)
        );
    }
    if let Some(more) = estimate.prompts.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(text, "| … and {more} more | | | | | | | | |");
    }
    text
}
