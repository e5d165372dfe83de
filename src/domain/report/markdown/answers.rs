//! The answers to `/promptops help` and `/promptops explain`: comments of their own, without the report's marker.

use super::{COMMENT_CHARACTERS, approval_list, folds, headline};
use crate::domain::report::fit::{Block, Keep, Measure, fit};
use crate::domain::report::{PromptReport, Report, words};
use crate::domain::untrusted::{Secrets, Untrusted};

/// What the commands do.
#[must_use]
pub fn help() -> String {
    "Write one of these at the start of a line of a new comment. You need write permission.\n\n\
     | command | what it does |\n|---|---|\n\
     | `/promptops eval` | runs the evaluation again |\n\
     | `/promptops eval <commit>` | the same; for a fork, releases exactly this commit |\n\
     | `/promptops explain` | shows every number behind the verdict and every approval rule |\n\
     | `/promptops help` | shows this list |\n"
        .to_owned()
}

/// How the verdict was reached, with every number and every rule.
#[must_use]
pub fn explain(report: &Report, secrets: &Secrets) -> String {
    let mut blocks = vec![Block { keep: Keep::Always, text: format!("{}\n", headline(report, secrets)) }];
    for prompt in report.worst_first() {
        blocks.push(Block { keep: Keep::Section, text: reasons(prompt, secrets) });
    }
    if let Some(approval) = &report.approval {
        let line = Untrusted::new(&approval.line, secrets).prose(500);
        let text = format!("### Approval\n\n{line}\n\n{}", approval_list(&approval.rules, secrets));
        blocks.push(Block { keep: Keep::Section, text });
    }
    fit(blocks, COMMENT_CHARACTERS, Measure::Characters)
}

fn reasons(prompt: &PromptReport, secrets: &Secrets) -> String {
    let show = |id: &str| Untrusted::new(id, secrets).code(80);
    let name = Untrusted::new(&prompt.name, secrets).prose(100);
    let reasons: String =
        prompt.reasons.iter().map(|reason| format!("- {}\n", words::reason(reason, prompt.sides, &show))).collect();
    format!("### {name}\n\n{}\n\n{reasons}\n{}", words::story(prompt), folds::decided(prompt, secrets))
}
