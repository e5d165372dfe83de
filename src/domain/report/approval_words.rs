//! Says a policy's decision in plain sentences: who counts, who does not and why, who could. Decides nothing.

use super::approval::{ApprovalState, ApprovalSummary};
use crate::domain::ids::Login;
use crate::domain::policy::decision::{Applies, Decision, NotCounted, RuleOutcome, State, Why};

impl ApprovalSummary {
    /// The decision in words.
    #[must_use]
    pub fn of(decision: &Decision) -> Self {
        let state = match decision.state {
            State::Satisfied => ApprovalState::Satisfied,
            State::Pending => ApprovalState::Waiting,
            State::ChangesRequested => ApprovalState::ChangesRequested,
            State::Undecidable => ApprovalState::Undecidable,
        };
        let mut rules: Vec<String> = decision.problems.clone();
        rules.extend(decision.rules.iter().map(rule_line));
        Self { state, line: line(decision), rules }
    }
}

fn line(decision: &Decision) -> String {
    let in_state = |state: State| decision.rules.iter().filter(move |rule| rule.state == state);
    match decision.state {
        State::Satisfied => {
            let mut people: Vec<&Login> = decision.rules.iter().flat_map(|rule| &rule.counted).collect();
            people.sort();
            people.dedup();
            if people.is_empty() { "No approval is needed.".into() } else { format!("Approved by {}.", names(people)) }
        }
        State::Pending => {
            let waits: Vec<String> = in_state(State::Pending).map(waits_for).collect();
            format!("Waiting for {}.", waits.join("; "))
        }
        State::ChangesRequested => {
            let mut people: Vec<&Login> = decision.rules.iter().flat_map(|rule| &rule.changes_requested).collect();
            people.sort();
            people.dedup();
            format!("Changes requested by {}.", names(people))
        }
        State::Undecidable => {
            let mut problems =
                decision.problems.iter().chain(in_state(State::Undecidable).flat_map(|rule| &rule.problems));
            problems.next().cloned().unwrap_or_else(|| "The approvals cannot be decided.".into())
        }
    }
}

fn waits_for(rule: &RuleOutcome) -> String {
    if rule.applies == Applies::OnceEvaluated {
        return format!("the evaluation, which decides whether the rule “{}” applies", rule.name);
    }
    format!("{} (rule “{}”)", rule.could, rule.name)
}

fn rule_line(rule: &RuleOutcome) -> String {
    let mut line = match (rule.applies, rule.state) {
        (Applies::No, _) => format!("{}: does not apply to this change.", rule.name),
        (_, State::Satisfied) => format!("{}: satisfied by {}.", rule.name, names(&rule.counted)),
        (Applies::OnceEvaluated, _) => format!("{}: waits for the evaluation.", rule.name),
        (_, State::Pending) if rule.counted.is_empty() => format!("{}: waits for {}.", rule.name, rule.could),
        (_, State::Pending) => {
            format!("{}: {} counted so far; waits for {}.", rule.name, names(&rule.counted), rule.could)
        }
        (_, State::ChangesRequested) => {
            format!("{}: {} asked for changes.", rule.name, names(&rule.changes_requested))
        }
        (_, State::Undecidable) => format!("{}: cannot be decided. {}", rule.name, rule.problems.join(" ")),
    };
    for NotCounted { login, why } in &rule.not_counted {
        let review = if *why == Why::Dismissed { "review" } else { "approval" };
        line.push_str(&format!(" The {review} of @{login} does not count: {}.", because(why)));
    }
    line
}

pub(super) fn because(why: &Why) -> String {
    match why {
        Why::Author => "they opened the pull request".into(),
        Why::Contributor => "they wrote part of it".into(),
        Why::Bot => "it is a bot".into(),
        Why::Outdated { commit: Some(commit) } => {
            format!("it was given for {}, and the governed content has changed since", commit.short())
        }
        Why::Outdated { commit: None } => "GitHub does not say for which commit it was given".into(),
        Why::Dismissed => "it was dismissed".into(),
        Why::Invited => "they are invited to the team, but no member yet".into(),
        Why::NoWrite => "they have no write permission".into(),
        Why::NotNamed => "the rule does not name them".into(),
    }
}

fn names<'a>(people: impl IntoIterator<Item = &'a Login>) -> String {
    people.into_iter().map(|login| format!("@{login}")).collect::<Vec<_>>().join(", ")
}
