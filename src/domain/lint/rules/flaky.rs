//! `flaky-must-pass`: must-pass cases that one prompt answered right and wrong in the same run. Knows no other rule.

use crate::domain::gate::verdict::Reason;
use crate::domain::lint::place;
use crate::domain::lint::{Config, Finding, Rule, RuleId, Subject};

/// The rule.
pub struct FlakyMustPass;

impl Rule for FlakyMustPass {
    fn id(&self) -> RuleId {
        RuleId::FlakyMustPass
    }

    fn check(&self, subject: &Subject<'_>, _: &Config<'_>, found: &mut Vec<Finding>) {
        for report in subject.ran {
            for (id, failures, runs) in report.reasons.iter().filter_map(mixed) {
                let set = report.golden_set.as_ref().unwrap_or(subject.path);
                let line = report.cases.iter().find(|case| *case.id == **id).map(|case| case.line);
                let at = line.filter(|line| *line > 0).map(place::line);
                let message = format!("must-pass case `{id}` failed {failures} of {runs} runs of the same prompt");
                let help = "make the prompt or its evaluator clearer; a case that may fail should not be must-pass";
                found.push(Finding::of_file(self.id(), set, message, help).at(at));
            }
        }
    }
}

/// A must-pass case whose runs disagree.
fn mixed(reason: &Reason) -> Option<(&std::sync::Arc<str>, u32, u32)> {
    match reason {
        Reason::MustPassShaky { case, failures, runs } | Reason::MustPassFailed { case, failures, runs, .. } => {
            (0 < *failures && failures < runs).then_some((case, *failures, *runs))
        }
        _ => None,
    }
}
