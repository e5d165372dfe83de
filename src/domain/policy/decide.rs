//! The decision: every rule against the facts, then the worst of them. Pure: the same facts decide the same.

use super::decision::{Applies, Asks, Decision, NotCounted, Reason, RuleOutcome, State, Waiver, Why};
use super::facts::PullFacts;
use super::known::Known;
use super::overriding::overriding;
use super::people::{Doubts, Named};
use super::reason::{Leaf, judge};
use super::standing::{changed_hands, unknown_contributors};
use super::when::{applies, blocks};
use super::words::requirement;
use super::{Policy, Rule};
use crate::domain::gate::Verdict;
use crate::domain::ids::Login;

/// Decides whether the people a policy names have approved the pull request. `verdict` is the evaluation's, once there is
/// one.
///
/// Three-valued: what is unknown makes the outcome undecidable unless it cannot matter, and is never hidden by "pending".
#[must_use]
pub fn decide(policy: &Policy, facts: &PullFacts, verdict: Option<Verdict>) -> Decision {
    let known = Known::of(policy, facts);
    let rules: Vec<RuleOutcome> = policy.rules.iter().map(|rule| outcome(rule, &known, verdict)).collect();
    let mut problems = facts.caps.clone();
    if rules.iter().any(|rule| rule.applies != Applies::No) {
        problems.extend(unknown_contributors(facts));
    }
    problems.extend(changed_hands(facts));
    let of_problems = if problems.is_empty() { State::Satisfied } else { State::Undecidable };
    let state = rules.iter().map(|rule| rule.state).fold(of_problems, State::max);
    let waiver = if problems.is_empty() { waiver(policy, &rules, verdict) } else { None };
    Decision { state, rules, problems, waiver, overriding: overriding(policy, facts) }
}

fn outcome(rule: &Rule, known: &Known<'_>, verdict: Option<Verdict>) -> RuleOutcome {
    match applies(&rule.when, known, verdict) {
        Ok(Applies::Yes) => of_tree(rule, known),
        Ok(Applies::No) => silent(rule, known, Applies::No, State::Satisfied),
        Ok(Applies::OnceEvaluated) => silent(rule, known, Applies::OnceEvaluated, State::Pending),
        Err(problems) => {
            let unknown = silent(rule, known, Applies::Yes, State::Undecidable);
            RuleOutcome { problems, ..unknown }
        }
    }
}

/// A rule whose approvals are not counted (yet).
fn silent(rule: &Rule, known: &Known<'_>, applies: Applies, state: State) -> RuleOutcome {
    RuleOutcome {
        name: rule.name.clone(),
        applies,
        state,
        needed: rule.require.quorums().first().map_or(1, |quorum| quorum.count.max(1)),
        counted: Vec::new(),
        not_counted: Vec::new(),
        changes_requested: Vec::new(),
        tree: None,
        could: requirement(&rule.require, known),
        problems: Vec::new(),
    }
}

fn of_tree(rule: &Rule, known: &Known<'_>) -> RuleOutcome {
    let mut leaves = Vec::new();
    let tree = judge(&rule.require, known, &mut leaves);
    let mut state = tree.state;
    let mut problems = tree.problems.clone();
    let mut changes_requested = Vec::new();
    let mut doubts = Doubts::default();
    for person in &known.standing.requests {
        let answers: Vec<Named<'_>> = leaves.iter().map(|leaf| leaf.whom.named(person)).collect();
        if answers.contains(&Named::Yes) {
            changes_requested.push(person.login.clone());
            state = state.max(State::ChangesRequested);
            continue;
        }
        for answer in answers {
            if let Named::Unknown(unsure) = answer {
                doubts.add(unsure, &person.login);
                state = State::Undecidable;
            }
        }
    }
    for problem in doubts.sentences(known.places) {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    RuleOutcome {
        name: rule.name.clone(),
        applies: Applies::Yes,
        state,
        needed: tree.needed,
        counted: tree.counted.clone(),
        not_counted: not_counted(&leaves, known),
        changes_requested,
        could: still_missing(&tree),
        tree: Some(tree),
        problems,
    }
}

/// Who could approve; where somebody did already, also which owners are missing.
fn still_missing(tree: &Reason) -> String {
    let is_begun = tree.asks == Asks::Quorum && !tree.counted.is_empty() && !tree.missing.is_empty();
    if is_begun { format!("{}; still missing: {}", tree.could, tree.missing.join(", ")) } else { tree.could.clone() }
}

/// Whose approvals count for no part of the rule.
pub(super) fn not_counted(leaves: &[Leaf<'_>], known: &Known<'_>) -> Vec<NotCounted> {
    let discounted = known.standing.discounted.iter().map(|(person, why)| (*person, why.clone()));
    let unnamed = known.standing.approvals.iter().enumerate().filter_map(|(place, person)| {
        let mut why = Why::NotNamed;
        for answer in leaves.iter().filter_map(|leaf| leaf.answers.get(place)) {
            match answer {
                Named::Yes | Named::Unknown(_) => return None,
                Named::Invited => why = Why::Invited,
                Named::No => {}
            }
        }
        Some((*person, why))
    });
    discounted.chain(unnamed).map(|(person, why)| NotCounted { login: person.login.clone(), why }).collect()
}

/// A blocking verdict passes when a rule names it and every rule that does is satisfied.
fn waiver(policy: &Policy, outcomes: &[RuleOutcome], verdict: Option<Verdict>) -> Option<Waiver> {
    let verdict = verdict.filter(|verdict| blocks(*verdict))?;
    let on_verdict: Vec<&RuleOutcome> = policy
        .rules
        .iter()
        .zip(outcomes)
        .filter(|(rule, outcome)| outcome.applies == Applies::Yes && rule.when.verdict.contains(&verdict))
        .map(|(_, outcome)| outcome)
        .collect();
    if on_verdict.is_empty() || on_verdict.iter().any(|outcome| outcome.state != State::Satisfied) {
        return None;
    }
    let mut by: Vec<Login> = on_verdict.iter().flat_map(|outcome| outcome.counted.iter().cloned()).collect();
    by.sort();
    by.dedup();
    Some(Waiver { rules: on_verdict.iter().map(|outcome| outcome.name.clone()).collect(), verdict, by })
}
