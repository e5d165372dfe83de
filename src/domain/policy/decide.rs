//! The decision: every rule against the facts, then the worst of them. Pure: the same facts decide the same.

use super::decision::{Applies, Decision, NotCounted, RuleOutcome, State, Waiver, Why};
use super::facts::{Person, PullFacts};
use super::overriding::overriding;
use super::people::{Named, asks_each_owner, describe, named, owners_missing, principals};
use super::standing::{Standing, unknown_contributors};
use super::when::{applies, blocks};
use super::{Policy, Principal, Quorum, Rule};
use crate::domain::gate::Verdict;
use crate::domain::ids::{Login, TeamSlug};

/// Decides whether the people a policy names have approved the pull request. `verdict` is the evaluation's, once there is
/// one.
///
/// Three-valued: what is unknown makes the outcome undecidable unless it cannot matter, and is never hidden by "pending".
#[must_use]
pub fn decide(policy: &Policy, facts: &PullFacts, verdict: Option<Verdict>) -> Decision {
    let standing = Standing::of(facts);
    let rules: Vec<RuleOutcome> = policy.rules.iter().map(|rule| outcome(rule, facts, &standing, verdict)).collect();
    let mut problems = facts.caps.clone();
    if rules.iter().any(|rule| rule.applies != Applies::No) {
        problems.extend(unknown_contributors(facts));
    }
    let of_problems = if problems.is_empty() { State::Satisfied } else { State::Undecidable };
    let state = rules.iter().map(|rule| rule.state).fold(of_problems, State::max);
    let waiver = if problems.is_empty() { waiver(policy, &rules, verdict) } else { None };
    Decision { state, rules, problems, waiver, overriding: overriding(policy, facts) }
}

fn outcome(rule: &Rule, facts: &PullFacts, standing: &Standing<'_>, verdict: Option<Verdict>) -> RuleOutcome {
    match applies(&rule.when, facts, verdict) {
        Ok(Applies::Yes) => judge(rule, facts, standing),
        Ok(Applies::No) => silent(rule, facts, Applies::No, State::Satisfied),
        Ok(Applies::OnceEvaluated) => silent(rule, facts, Applies::OnceEvaluated, State::Pending),
        Err(problem) => {
            RuleOutcome { problems: vec![problem], ..silent(rule, facts, Applies::Yes, State::Undecidable) }
        }
    }
}

/// A rule whose approvals are not counted (yet).
fn silent(rule: &Rule, facts: &PullFacts, applies: Applies, state: State) -> RuleOutcome {
    RuleOutcome {
        name: rule.name.clone(),
        applies,
        state,
        needed: rule.require.any_of.first().map_or(1, |quorum| quorum.count.max(1)),
        counted: Vec::new(),
        not_counted: Vec::new(),
        changes_requested: Vec::new(),
        could: could(rule, facts),
        problems: Vec::new(),
    }
}

/// An applying rule against the people who stand for it.
pub(super) fn judge(rule: &Rule, facts: &PullFacts, standing: &Standing<'_>) -> RuleOutcome {
    let tallies: Vec<Tally> = rule.require.any_of.iter().map(|quorum| tally(quorum, facts, standing)).collect();
    let everyone: Vec<Principal> = rule.require.any_of.iter().flat_map(|quorum| principals(quorum, facts).0).collect();
    let of_quorums = if tallies.iter().any(|tally| tally.state == State::Satisfied) {
        State::Satisfied
    } else {
        // An alternative that is unknown is worse than one that waits.
        tallies.iter().map(|tally| tally.state).max().unwrap_or(State::Undecidable)
    };
    let mut problems: Vec<String> = Vec::new();
    if of_quorums != State::Satisfied {
        problems.extend(tallies.iter().flat_map(|tally| tally.problems.iter().cloned()));
    }
    let mut state = of_quorums;
    let mut changes_requested = Vec::new();
    for person in &standing.requests {
        match named(person, &everyone, facts) {
            Named::Yes => {
                changes_requested.push(person.login.clone());
                state = state.max(State::ChangesRequested);
            }
            Named::Unknown(team) => {
                problems.push(unreadable(person, &team));
                state = State::Undecidable;
            }
            Named::No | Named::Invited => {}
        }
    }
    problems.dedup();
    let not_counted = not_counted(standing, &everyone, facts);
    let nearest = tallies.into_iter().min_by_key(Tally::missing);
    let mut could = could(rule, facts);
    if let Some(tally) = nearest.as_ref().filter(|tally| !tally.counted.is_empty() && !tally.owners_missing.is_empty())
    {
        could.push_str(&format!("; still missing: {}", tally.owners_missing.join(", ")));
    }
    let (needed, counted) = nearest.map_or((1, Vec::new()), |tally| (tally.needed, tally.counted));
    RuleOutcome {
        state,
        could,
        needed,
        counted,
        not_counted,
        changes_requested,
        problems,
        ..silent(rule, facts, Applies::Yes, state)
    }
}

/// What one quorum has.
struct Tally {
    state: State,
    needed: u32,
    counted: Vec<Login>,
    /// Owners that must approve and that nobody stands for.
    owners_missing: Vec<String>,
    problems: Vec<String>,
}

impl Tally {
    fn missing(&self) -> u32 {
        self.needed.saturating_sub(u32::try_from(self.counted.len()).unwrap_or(u32::MAX))
    }
}

fn tally(quorum: &Quorum, facts: &PullFacts, standing: &Standing<'_>) -> Tally {
    let (principals, mut problems) = principals(quorum, facts);
    let mut counted = Vec::new();
    for person in &standing.approvals {
        match named(person, &principals, facts) {
            Named::Yes => counted.push(person.login.clone()),
            Named::Unknown(team) => problems.push(unreadable(person, &team)),
            Named::No | Named::Invited => {}
        }
    }
    let mut tally =
        Tally { state: State::Satisfied, needed: quorum.count.max(1), counted, owners_missing: Vec::new(), problems };
    if asks_each_owner(quorum) {
        ask_each_owner(&mut tally, facts, standing);
    }
    tally.state = match (tally.missing(), tally.problems.is_empty()) {
        (0, _) => State::Satisfied,
        (_, true) => State::Pending,
        (_, false) => State::Undecidable,
    };
    tally
}

/// An owner nobody stands for is one approval more that is needed, however many there are; so is a prompt without an owner.
fn ask_each_owner(tally: &mut Tally, facts: &PullFacts, standing: &Standing<'_>) {
    for missing in owners_missing(&standing.approvals, facts) {
        tally.owners_missing.push(missing.owner.to_owned());
        tally.problems.extend(missing.unknown.iter().map(|(person, team)| unreadable(person, team)));
    }
    tally.problems.extend(facts.said.unowned.iter().map(|path| {
        format!(
            "`{path}` names no owner on the base branch, so nobody can approve it as its owner: give the rule another \
             approver, or name an owner there first"
        )
    }));
    let open = tally.counted.len() + tally.owners_missing.len() + facts.said.unowned.len();
    tally.needed = tally.needed.max(u32::try_from(open).unwrap_or(u32::MAX));
}

fn not_counted(standing: &Standing<'_>, everyone: &[Principal], facts: &PullFacts) -> Vec<NotCounted> {
    let discounted = standing.discounted.iter().map(|(person, why)| (*person, why.clone()));
    let unnamed = standing.approvals.iter().filter_map(|person| match named(person, everyone, facts) {
        Named::No => Some((*person, Why::NotNamed)),
        Named::Invited => Some((*person, Why::Invited)),
        Named::Yes | Named::Unknown(_) => None,
    });
    discounted.chain(unnamed).map(|(person, why)| NotCounted { login: person.login.clone(), why }).collect()
}

fn unreadable(person: &Person, team: &TeamSlug) -> String {
    format!(
        "team {team} cannot be read, so nobody can say whether @{} is in it: let the app read the organisation's members, \
         or correct the team's name in the settings",
        person.login
    )
}

fn could(rule: &Rule, facts: &PullFacts) -> String {
    let quorums: Vec<String> = rule.require.any_of.iter().map(|quorum| describe(quorum, facts)).collect();
    quorums.join(" or ")
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
