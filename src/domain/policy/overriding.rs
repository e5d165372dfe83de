//! Who lets a change through although the evaluation blocks it, and whether that counts. Knows no verdict: what an override can
//! do to which outcome is the caller's.

use super::Policy;
use super::decide::not_counted;
use super::decision::{NotCounted, Overrider, Overriding, State, Why};
use super::facts::{OverrideFact, Person, PullFacts};
use super::known::Known;
use super::people::{Named, Whom};
use super::reason::judge_quorum;
use super::standing::{Standing, contributors, involved, unknown_contributors};
use crate::domain::ids::TeamSlug;

/// Roles that may write to a repository.
const WRITERS: [&str; 3] = ["admin", "maintain", "write"];

/// What the overrides come to; `None` where nobody asked for one.
#[must_use]
pub fn overriding(policy: &Policy, facts: &PullFacts) -> Option<Overriding> {
    if facts.overrides.is_empty() {
        return None;
    }
    let mut standing = Standing::default();
    for given in latest(facts) {
        match discount(facts, given) {
            None => standing.approvals.push(&given.by),
            Some(why) => standing.discounted.push((&given.by, why)),
        }
    }
    let Some(quorum) = &policy.overriders else {
        let unnamed = standing.approvals.iter().map(|person| (*person, Why::NotNamed));
        let not_counted = standing.discounted.iter().cloned().chain(unnamed);
        return Some(Overriding {
            state: State::Pending,
            needed: 1,
            counted: Vec::new(),
            not_counted: not_counted.map(|(person, why)| NotCounted { login: person.login.clone(), why }).collect(),
            could: "nobody: the settings name nobody under `override`".to_owned(),
            problems: Vec::new(),
        });
    };
    let known = Known::of_standing(policy, facts, standing);
    let mut leaves = Vec::new();
    let judged = judge_quorum(quorum, &known, &mut leaves);
    let mut problems = judged.problems;
    let mut state = judged.state;
    if !known.standing.approvals.is_empty() {
        // Whoever cannot be kept apart from the authors must not count, and a change that is not all seen cannot be judged.
        let unknown: Vec<String> = unknown_contributors(facts).into_iter().chain(facts.caps.iter().cloned()).collect();
        if !unknown.is_empty() {
            state = State::Undecidable;
            problems.extend(unknown);
        }
    }
    let counted = judged.counted.into_iter().filter_map(|login| {
        let given = latest(facts).find(|given| given.by.login == login)?;
        Some(Overrider { login, reason: given.reason.clone(), comment_id: given.comment_id })
    });
    Some(Overriding {
        state,
        needed: judged.needed,
        counted: counted.collect(),
        not_counted: not_counted(&leaves, &known),
        could: judged.could,
        problems,
    })
}

/// Each person's latest override.
fn latest(facts: &PullFacts) -> impl Iterator<Item = &OverrideFact> {
    let is_latest = |place: usize, given: &OverrideFact| {
        !facts.overrides.iter().skip(place + 1).any(|later| later.by.id == given.by.id)
    };
    facts.overrides.iter().enumerate().filter(move |(place, given)| is_latest(*place, given)).map(|(_, given)| given)
}

fn discount(facts: &PullFacts, given: &OverrideFact) -> Option<Why> {
    if given.lapsed || given.sha != facts.head_sha {
        return Some(Why::Outdated { commit: Some(given.sha.clone()) });
    }
    if facts.blocked.is_some_and(|blocked| blocked != given.given_for) {
        return Some(Why::OtherResult);
    }
    involved(facts, &contributors(facts), &given.by).or_else(|| {
        let role = facts.permissions.get(&given.by.id.0);
        (!role.is_some_and(|role| WRITERS.contains(&role.as_str()))).then_some(Why::NoWrite)
    })
}

/// Whose override of this head may count: what else must be known of them is their permission, then their memberships.
#[must_use]
pub fn overriders(facts: &PullFacts) -> Vec<&Person> {
    let contributors = contributors(facts);
    let on_head = latest(facts).filter(|given| !given.lapsed && given.sha == facts.head_sha);
    on_head.map(|given| &given.by).filter(|person| involved(facts, &contributors, person).is_none()).collect()
}

/// The teams by which somebody may override.
#[must_use]
pub fn teams_of_overriders(policy: &Policy, facts: &PullFacts) -> Vec<TeamSlug> {
    let Some(quorum) = &policy.overriders else { return Vec::new() };
    let known = Known::of(policy, facts);
    Whom::of(&quorum.from, &known).teams().cloned().collect()
}

/// Whether `override` names somebody, whatever they have to do with the change; `None` where a team cannot be read.
#[must_use]
pub fn is_named(policy: &Policy, facts: &PullFacts, person: &Person) -> Option<bool> {
    let Some(quorum) = &policy.overriders else { return Some(false) };
    let known = Known::of(policy, facts);
    match Whom::of(&quorum.from, &known).named(person) {
        Named::Yes => Some(true),
        Named::No | Named::Invited => Some(false),
        Named::Unknown(_) => None,
    }
}
