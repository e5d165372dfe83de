//! A policy's decision about one pull request: for a terminal, and as `promptops.policy/v1`. Decides nothing.

use serde::Serialize;
use serde_json::{Value, json};

use super::approval::{ApprovalLine, ApprovalState, ApprovalSummary};
use crate::domain::gate::Verdict;
use crate::domain::policy::decision::{Applies, Decision, RuleOutcome, State};
use crate::domain::policy::facts::PullFacts;
use crate::domain::untrusted::{Secrets, Untrusted};

/// Longest sentence that is shown.
const SENTENCE: usize = 1_000;
/// Most changed files that are named.
const SHOWN_CHANGES: usize = 20;

/// A decision with what it was made from.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The facts.
    pub facts: PullFacts,
    /// The evaluation's verdict, once there is one.
    pub verdict: Option<Verdict>,
    /// What the policy makes of them.
    pub decision: Decision,
}

impl Explained {
    /// Whether nothing that a policy knows of holds the merge.
    #[must_use]
    pub fn satisfied(&self) -> bool {
        self.decision.state == State::Satisfied && !self.blocked()
    }

    /// Whether the verdict blocks and no rule lets it pass.
    fn blocked(&self) -> bool {
        let blocks = matches!(self.verdict, Some(Verdict::Regression | Verdict::NotMeasured));
        blocks && self.decision.waiver.is_none() && !self.decision.is_overridden()
    }

    /// Rule by rule, for a terminal.
    #[must_use]
    pub fn text(&self, secrets: &Secrets) -> String {
        let facts = &self.facts;
        let show = |text: &str| Untrusted::new(text, secrets).line(SENTENCE);
        let author = facts.author.as_ref().map_or("nobody".to_owned(), |author| format!("@{}", author.login));
        let mut lines = vec![show(&format!(
            "{}#{} at {} into {}, opened by {author}",
            facts.repo,
            facts.number,
            facts.head_sha.short(),
            facts.base_branch
        ))];
        let named = facts.changes.iter().take(SHOWN_CHANGES);
        lines.extend(named.map(|change| format!("  changes {} ({})", show(change.path.as_str()), word(&change.kind))));
        if let Some(more) = facts.changes.len().checked_sub(SHOWN_CHANGES).filter(|more| *more > 0) {
            lines.push(format!("  and {more} more"));
        }
        let evaluation = match self.verdict {
            None => "no verdict yet".to_owned(),
            Some(verdict) => {
                let ends = match (&self.decision.waiver, self.blocked()) {
                    (Some(waiver), _) => {
                        let rules: Vec<String> = waiver.rules.iter().map(|rule| format!("“{rule}”")).collect();
                        format!("let pass by {}", rules.join(", "))
                    }
                    (None, false) if self.decision.is_overridden() => "overridden".to_owned(),
                    (None, true) => "blocks".to_owned(),
                    (None, false) => "blocks nothing".to_owned(),
                };
                format!("{}, {ends}", word(&verdict))
            }
        };
        let summary = ApprovalSummary::of(&self.decision);
        lines.push(format!("evaluation: {}", show(&evaluation)));
        lines.push(format!("approval: {}. {}", state_words(summary.state), show(&summary.line)));
        summary.rules.iter().for_each(|rule| indented(rule, 0, &show, &mut lines));
        lines.join("\n")
    }

    /// `promptops.policy/v1`.
    #[must_use]
    pub fn json(&self, secrets: &Secrets) -> Value {
        let summary = ApprovalSummary::of(&self.decision);
        let value = json!({
            "schema": "promptops.policy/v1",
            "satisfied": self.satisfied(),
            "repository": self.facts.repo,
            "pull": self.facts.number.0,
            "base": self.facts.base_branch,
            "head": self.facts.head_sha,
            "verdict": self.verdict,
            "evaluation": if self.verdict.is_none() { "waiting" } else if self.blocked() { "blocked" } else { "passes" },
            "waived_by": self.decision.waiver.as_ref().map(|waiver| &waiver.rules),
            "approval": self.decision.state,
            "summary": summary.line,
            "problems": self.decision.problems,
            "rules": self.decision.rules.iter().map(rule_json).collect::<Vec<_>>(),
        });
        Untrusted::in_value(&value, secrets)
    }
}

/// A line about a rule, and below it the parts of what it asks for.
fn indented(line: &ApprovalLine, depth: usize, show: &dyn Fn(&str) -> String, lines: &mut Vec<String>) {
    lines.push(format!("{}- {}", "  ".repeat(depth), show(&line.text)));
    // Settings nest no deeper than a reader can follow.
    line.parts.iter().for_each(|part| indented(part, depth + 1, show, lines));
}

fn rule_json(rule: &RuleOutcome) -> Value {
    json!({
        "name": rule.name,
        "applies": match rule.applies {
            Applies::Yes => "yes",
            Applies::No => "no",
            Applies::OnceEvaluated => "once_evaluated",
        },
        "state": rule.state,
        "needed": rule.needed,
        "counted": rule.counted,
        "not_counted": rule.not_counted.iter().map(|one| json!({ "login": one.login, "why": one.why })).collect::<Vec<_>>(),
        "changes_requested": rule.changes_requested,
        "could": rule.could,
        "problems": rule.problems,
    })
}

fn state_words(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Satisfied => "satisfied",
        ApprovalState::Waiting => "waiting",
        ApprovalState::ChangesRequested => "changes requested",
        ApprovalState::Undecidable => "cannot be decided",
    }
}

/// The word that settings and results use for a kind or a verdict.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
