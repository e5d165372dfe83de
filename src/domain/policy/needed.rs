//! What must be looked up before a decision, and no more: each answer is a list for the GitHub room. Looks nothing up.

use std::collections::BTreeSet;

use super::decision::Why;
use super::facts::{Person, PullFacts};
use super::known::Known;
use super::overriding::overriders;
use super::people::{Named, Whom};
use super::standing::Standing;
use super::when::may_apply;
use super::words::{asks_code_owners, asks_each_owner};
use super::{Policy, Quorum};
use crate::domain::ids::{CommitSha, TeamSlug};

/// The quorums of rules that may apply, as far as is known.
fn quorums<'a>(policy: &'a Policy, known: &Known<'_>) -> Vec<&'a Quorum> {
    let rules = policy.rules.iter().filter(|rule| may_apply(&rule.when, known));
    rules.flat_map(|rule| rule.require.quorums()).collect()
}

/// The teams of which it must be known whether the author is in them: those that a rule's `when` names. `facts` needs no
/// memberships yet.
#[must_use]
pub fn author_memberships_needed(policy: &Policy, facts: &PullFacts) -> Vec<(TeamSlug, Person)> {
    let known = Known::of(policy, facts);
    let Some(author) = &facts.author else { return Vec::new() };
    let mut needed = BTreeSet::new();
    for rule in policy.rules.iter().filter(|rule| may_apply(&rule.when, &known)) {
        let whom = Whom::of(&rule.when.author, &known);
        if matches!(whom.named(author), Named::Unknown(_)) {
            needed.extend(whom.teams().cloned());
        }
    }
    needed.into_iter().map(|team| (team, author.clone())).collect()
}

/// Whether a rule that may apply asks for code owners.
#[must_use]
pub fn needs_code_owners(policy: &Policy, facts: &PullFacts) -> bool {
    quorums(policy, &Known::of(policy, facts)).into_iter().any(asks_code_owners)
}

/// Which memberships must be looked up to decide: of every reviewer whose review counts, in every team of a rule that may
/// apply, and of everybody who overrides, in the teams that may. `facts` needs only those of the author yet. Nobody is asked about who is named in person, unless each owner must
/// approve: then they may stand for a team besides.
#[must_use]
pub fn memberships_needed(policy: &Policy, facts: &PullFacts) -> Vec<(TeamSlug, Person)> {
    let known = Known::of(policy, facts);
    let reviewers: Vec<&Person> = reviewers(&known.standing).collect();
    let overriders = overriders(facts);
    let of_rules = quorums(policy, &known).into_iter().map(|quorum| (quorum, &reviewers));
    let mut seen = BTreeSet::new();
    let mut needed = Vec::new();
    for (quorum, people) in of_rules.chain(policy.overriders.iter().map(|quorum| (quorum, &overriders))) {
        let whom = Whom::of(&quorum.from, &known);
        let each_owner = asks_each_owner(quorum) || asks_code_owners(quorum);
        for person in people {
            if !each_owner && whom.is_user(&person.login) {
                continue;
            }
            for team in whom.teams() {
                if seen.insert((team, person.id)) {
                    needed.push((team.clone(), (*person).clone()));
                }
            }
        }
    }
    needed
}

/// The teams that must be there and be seen: all of those that rules name which may apply.
#[must_use]
pub fn teams_needed(policy: &Policy, facts: &PullFacts) -> BTreeSet<TeamSlug> {
    let known = Known::of(policy, facts);
    quorums(policy, &known)
        .into_iter()
        .flat_map(|quorum| Whom::of(&quorum.from, &known).teams().cloned().collect::<Vec<_>>())
        .collect()
}

/// Whose permissions must be looked up, and are not known yet: reviewers where a rule asks for a permission, and whoever's
/// approval would count, because those without access to the repository do not approve; in a public one everybody has access.
/// `facts` needs memberships.
#[must_use]
pub fn permissions_needed(policy: &Policy, facts: &PullFacts, is_public: bool) -> Vec<Person> {
    let known = Known::of(policy, facts);
    let whoms: Vec<Whom<'_>> =
        quorums(policy, &known).into_iter().map(|quorum| Whom::of(&quorum.from, &known)).collect();
    let asked = whoms.iter().any(Whom::asks_permission);
    let names = |whom: &Whom<'_>, person: &Person| matches!(whom.named(person), Named::Yes | Named::Unknown(_));
    let counts = |person: &Person| !is_public && whoms.iter().any(|whom| names(whom, person));
    let approvers = known.standing.approvals.iter().copied().filter(|person| asked || counts(person));
    let others = known.standing.requests.iter().copied().filter(|_| asked);
    let unknown = |person: &&Person| !facts.permissions.contains_key(&person.id.0);
    approvers.chain(others).filter(unknown).cloned().collect()
}

/// The commits at which approvals were given that would count if those brought the same content as head: what must be
/// compared before [`decide`](super::decide). `facts` needs no `content_at` yet.
#[must_use]
pub fn commits_to_compare(facts: &PullFacts) -> BTreeSet<CommitSha> {
    let discounted = Standing::of(facts).discounted.into_iter();
    discounted
        .filter_map(|(_, why)| match why {
            Why::Outdated { commit } => commit,
            _ => None,
        })
        .collect()
}

fn reviewers<'s>(standing: &'s Standing<'_>) -> impl Iterator<Item = &'s Person> {
    standing.approvals.iter().chain(&standing.requests).copied()
}
