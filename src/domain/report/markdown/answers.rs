//! The answers to `/promptops help` and `/promptops explain`: comments of their own, without the report's marker.

use super::{COMMENT_CHARACTERS, approval_list, bullets, folds, headline};
use crate::domain::report::fit::{Block, Keep, Measure, fit};
use crate::domain::report::{PromptReport, Report, words};
use crate::domain::untrusted::{Secrets, Untrusted};

/// What the commands do.
#[must_use]
pub fn help() -> String {
    "Write one of these at the start of a line of a new comment. You need write permission.\n\n\
     | command | what it does |\n|---|---|\n\
     | `/promptops eval` | runs the evaluation again |\n\
     | `/promptops eval <commit>` | the same; for a fork, releases exactly this commit, written out in full |\n\
     | `/promptops explain` | shows every number behind the verdict, every run and every approval rule |\n\
     | `/promptops override <reason>` | lets a blocked evaluation of this commit pass; for those whom `override` in the \
     settings names, and nobody who wrote part of the change |\n\
     | `/promptops override cancel` | takes the override back |\n\
     | `/promptops help` | shows this list |\n"
        .to_owned()
}

/// How the verdict was reached, with every number and every rule.
#[must_use]
pub fn explain(report: &Report, secrets: &Secrets) -> String {
    let mut blocks = vec![Block { keep: Keep::Always, text: format!("{}\n", headline(report, secrets)) }];
    blocks.push(Block { keep: Keep::Section, text: which_run(report, secrets) });
    for prompt in report.worst_first() {
        blocks.push(Block { keep: Keep::Section, text: reasons(prompt, secrets) });
    }
    if let Some(approval) = &report.approval {
        let line = Untrusted::new(&approval.line, secrets).prose(500);
        let text = format!("### Approval\n\n{line}\n\n{}", approval_list(&approval.rules, secrets));
        blocks.push(Block { keep: Keep::Section, text });
    }
    if !report.overriding.is_empty() {
        let text = format!("### Override\n\n{}", bullets(&report.overriding, secrets));
        blocks.push(Block { keep: Keep::Section, text });
    }
    fit(blocks, COMMENT_CHARACTERS, Measure::Characters)
}

/// "Commit `…`, compared with `…`. This run: 24 calls, $0.01."
fn which_run(report: &Report, secrets: &Secrets) -> String {
    let code = |text: &str| Untrusted::new(&words::revision(text), secrets).code(60);
    let base = report.base.as_deref().map_or(String::new(), |base| format!(", compared with {}", code(base)));
    let spent =
        if report.prompts.is_empty() { String::new() } else { format!(" This run: {}.", words::spending(report)) };
    let runs = words::runs(report).map_or(String::new(), |runs| format!(" {runs}"));
    format!("Commit {}{base}.{spent}{runs}\n", code(&report.head))
}

fn reasons(prompt: &PromptReport, secrets: &Secrets) -> String {
    let show = |id: &str| Untrusted::new(id, secrets).code(80);
    let name = Untrusted::new(&prompt.name, secrets).prose(100);
    let reasons: String =
        prompt.reasons.iter().map(|reason| format!("- {}\n", words::reason(reason, prompt.sides, &show))).collect();
    format!("### {name}\n\n{}\n\n{reasons}\n{}", words::story(prompt), folds::decided(prompt, secrets))
}
