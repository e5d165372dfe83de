//! Says a policy's decision in plain sentences: who counts, who does not and why, who could. Decides nothing.

use super::approval::{ApprovalLine, ApprovalState, ApprovalSummary};
use crate::domain::ids::Login;
use crate::domain::policy::decision::{Applies, Asks, Decision, NotCounted, Reason, RuleOutcome, State, Why};

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
        let mut rules: Vec<ApprovalLine> = decision.problems.iter().cloned().map(ApprovalLine::from).collect();
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
    format!("{} (rule “{}”)", open(rule), rule.name)
}

/// What is still missing for a rule, in words.
fn open(rule: &RuleOutcome) -> String {
    match &rule.tree {
        Some(tree) if tree.asks != Asks::Quorum => open_parts(tree),
        _ => rule.could.clone(),
    }
}

fn open_parts(node: &Reason) -> String {
    let (word, parts): (_, Vec<&Reason>) = match node.asks {
        Asks::Quorum => return node.could.clone(),
        Asks::AnyOf => (" or ", node.parts.iter().collect()),
        Asks::AllOf => (" and ", node.parts.iter().filter(|part| part.state != State::Satisfied).collect()),
    };
    let one = |part: &&Reason| match part.asks {
        Asks::AnyOf | Asks::AllOf if parts.len() > 1 => format!("({})", open_parts(part)),
        _ => open_parts(part),
    };
    parts.iter().map(one).collect::<Vec<_>>().join(word)
}

fn rule_line(rule: &RuleOutcome) -> ApprovalLine {
    let mut text = match (rule.applies, rule.state) {
        (Applies::No, _) => format!("{}: does not apply to this change.", rule.name),
        (_, State::Satisfied) => format!("{}: satisfied by {}.", rule.name, names(&rule.counted)),
        (Applies::OnceEvaluated, _) => format!("{}: waits for the evaluation.", rule.name),
        (_, State::Pending) if rule.counted.is_empty() => format!("{}: waits for {}.", rule.name, open(rule)),
        (_, State::Pending) => {
            format!("{}: {} counted so far; waits for {}.", rule.name, names(&rule.counted), open(rule))
        }
        (_, State::ChangesRequested) => {
            format!("{}: {} asked for changes.", rule.name, names(&rule.changes_requested))
        }
        (_, State::Undecidable) => format!("{}: cannot be decided: {}.", rule.name, rule.problems.join("; ")),
    };
    text.push_str(&not_counted(&rule.not_counted));
    let parts = rule.tree.iter().flat_map(|tree| &tree.parts).map(node_line).collect();
    ApprovalLine { text, parts }
}

/// A part of what a rule asks for: what it is, where it stands, who counts, who does not.
fn node_line(node: &Reason) -> ApprovalLine {
    let asks = match node.asks {
        Asks::Quorum => node.could.clone(),
        Asks::AnyOf => "one of these".to_owned(),
        Asks::AllOf => "all of these".to_owned(),
    };
    let mut text = match node.state {
        State::Satisfied => format!("{asks}: satisfied by {}.", names(&node.counted)),
        State::Undecidable if node.asks == Asks::Quorum => {
            format!("{asks}: cannot be decided: {}.", node.problems.join("; "))
        }
        State::Undecidable => format!("{asks}: cannot be decided."),
        State::Pending | State::ChangesRequested if node.counted.is_empty() => format!("{asks}: nobody so far."),
        State::Pending | State::ChangesRequested => format!("{asks}: {} so far.", names(&node.counted)),
    };
    if !node.missing.is_empty() {
        text.push_str(&format!(" Still missing: {}.", node.missing.join(", ")));
    }
    text.push_str(&not_counted(&node.not_counted));
    ApprovalLine { text, parts: node.parts.iter().map(node_line).collect() }
}

/// Most approvals that do not count and are said one by one.
const MOST_NOT_COUNTED: usize = 10;

fn not_counted(all: &[NotCounted]) -> String {
    let mut text = String::new();
    for NotCounted { login, why } in all.iter().take(MOST_NOT_COUNTED) {
        let review = if *why == Why::Dismissed { "review" } else { "approval" };
        text.push_str(&format!(" The {review} of @{login} does not count: {}.", because(why)));
    }
    if let Some(more) = all.len().checked_sub(MOST_NOT_COUNTED).filter(|more| *more > 0) {
        text.push_str(&format!(" Nor do those of {more} more."));
    }
    text
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
        Why::OtherResult => "it was given for another result".into(),
        Why::Dismissed => "it was dismissed".into(),
        Why::Invited => "they are invited to the team, but no member yet".into(),
        Why::NoAccess => "they have no access to the repository any more".into(),
        Why::NoWrite => "they have no write permission".into(),
        Why::NotNamed => "the rule does not name them".into(),
    }
}

fn names<'a>(people: impl IntoIterator<Item = &'a Login>) -> String {
    people.into_iter().map(|login| format!("@{login}")).collect::<Vec<_>>().join(", ")
}
