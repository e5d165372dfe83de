//! Whom a rule names, and whether somebody is among them, as far as the facts can tell. Looks nothing up.

use std::collections::BTreeSet;

use super::decision::Why;
use super::facts::{Membership, Person, PullFacts};
use super::overriding::overriders;
use super::standing::Standing;
use super::when::may_apply;
use super::{Policy, Principal, Quorum, Source};
use crate::domain::ids::{CommitSha, Login, TeamSlug, UserId};

/// Whether somebody is among those a rule names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Yes,
    No,
    /// Invited to a team that is named, but not a member yet.
    Invited,
    /// A named team cannot be read.
    Unknown(TeamSlug),
}

/// Everyone a quorum names; `owner` texts that name nobody come back as problems.
pub(super) fn principals(quorum: &Quorum, facts: &PullFacts) -> (Vec<Principal>, Vec<String>) {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for source in &quorum.from {
        match source {
            Source::Principal(principal) => found.push(principal.clone()),
            Source::Role { members, .. } => found.extend(members.iter().cloned()),
            Source::Owner => {
                for owner in &facts.said.owners {
                    match owner_principal(owner) {
                        Some(principal) => found.push(principal),
                        None => problems.push(format!(
                            "the owner `{owner}` of a changed prompt is neither a user nor a team: write it as @login \
                             or @org/team on the base branch"
                        )),
                    }
                }
            }
        }
    }
    if found.is_empty() && problems.is_empty() {
        problems.push(
            "no changed prompt names an owner on the base branch, so nobody could approve: give the rule another \
             approver, or name an owner there first"
                .to_owned(),
        );
    }
    (found, problems)
}

/// Whether a quorum names nobody but owners: then it asks each of them, because the owner of one prompt has no say in
/// another.
pub(super) fn asks_each_owner(quorum: &Quorum) -> bool {
    !quorum.from.is_empty() && quorum.from.iter().all(|source| matches!(source, Source::Owner))
}

/// The owners that none of these people stands for.
pub(super) fn owners_missing<'a>(approvals: &[&Person], facts: &'a PullFacts) -> Vec<MissingOwner<'a>> {
    let mut missing = Vec::new();
    for owner in &facts.said.owners {
        let principals: Vec<Principal> = owner_principal(owner).into_iter().collect();
        let answers: Vec<(Named, &Person)> =
            approvals.iter().map(|person| (named(person, &principals, facts), *person)).collect();
        if answers.iter().any(|(answer, _)| *answer == Named::Yes) {
            continue;
        }
        let unknown = answers.into_iter().filter_map(|(answer, person)| match answer {
            Named::Unknown(team) => Some((person.clone(), team)),
            _ => None,
        });
        missing.push(MissingOwner { owner, unknown: unknown.collect() });
    }
    missing
}

/// An owner nobody stands for yet.
pub(super) struct MissingOwner<'a> {
    /// As base names them.
    pub owner: &'a str,
    /// Who approved and might be in a team that cannot be read.
    pub unknown: Vec<(Person, TeamSlug)>,
}

fn owner_principal(owner: &str) -> Option<Principal> {
    let name = owner.trim().strip_prefix('@')?;
    if name.contains('/') {
        TeamSlug::parse(name).ok().map(Principal::Team)
    } else {
        Login::parse(name).ok().map(Principal::User)
    }
}

/// Certain membership wins, then what is unknown: an unreadable team must not pass for "no".
pub(super) fn named(person: &Person, principals: &[Principal], facts: &PullFacts) -> Named {
    let mut answer = Named::No;
    for principal in principals {
        match principal {
            Principal::User(login) if *login == person.login => return Named::Yes,
            Principal::User(_) => {}
            Principal::Team(team) => match membership(facts, team, person.id) {
                Membership::Active => return Named::Yes,
                Membership::Pending if answer == Named::No => answer = Named::Invited,
                Membership::Pending | Membership::No => {}
                Membership::Unreadable => answer = Named::Unknown(team.clone()),
            },
        }
    }
    answer
}

/// A membership nobody looked up is as unknown as one that cannot be read.
fn membership(facts: &PullFacts, team: &TeamSlug, user: UserId) -> Membership {
    facts
        .memberships
        .iter()
        .find(|(of, who, _)| of == team && *who == user)
        .map_or(Membership::Unreadable, |(_, _, membership)| *membership)
}

/// Which memberships must be looked up to decide: of every reviewer whose review counts, in every team of a rule that may
/// apply, and of everybody who overrides, in the teams that may. `facts` needs no memberships yet. Nobody is asked about who is named in person, unless each owner must approve: then
/// they may stand for a team besides.
#[must_use]
pub fn memberships_needed(policy: &Policy, facts: &PullFacts) -> Vec<(TeamSlug, Person)> {
    let standing = Standing::of(facts);
    let reviewers: Vec<&Person> = standing.approvals.iter().chain(&standing.requests).copied().collect();
    let mut seen = BTreeSet::new();
    let mut needed = Vec::new();
    let of_rules =
        policy.rules.iter().filter(|rule| may_apply(&rule.when, facts)).flat_map(|rule| &rule.require.any_of);
    let of_rules = of_rules.map(|quorum| (quorum, &reviewers));
    let overriders = overriders(facts);
    for (quorum, people) in of_rules.chain(policy.overriders.iter().map(|quorum| (quorum, &overriders))) {
        let (principals, _) = principals(quorum, facts);
        for person in people {
            if !asks_each_owner(quorum) && principals.contains(&Principal::User(person.login.clone())) {
                continue;
            }
            for principal in &principals {
                if let Principal::Team(team) = principal
                    && seen.insert((team.clone(), person.id))
                {
                    needed.push((team.clone(), (*person).clone()));
                }
            }
        }
    }
    needed
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

/// A quorum in words: `1 of reviewers (@mara, @acme/prompts)`.
pub(super) fn describe(quorum: &Quorum, facts: &PullFacts) -> String {
    if asks_each_owner(quorum) && facts.said.owners.len() > 1 {
        let owners = facts.said.owners.join(", ");
        return format!("{} of the owners of the changed prompts, and each of them ({owners})", quorum.count.max(1));
    }
    let sources: Vec<String> = quorum.from.iter().map(|source| describe_source(source, facts)).collect();
    format!("{} of {}", quorum.count.max(1), sources.join(", "))
}

fn describe_source(source: &Source, facts: &PullFacts) -> String {
    match source {
        Source::Principal(principal) => describe_principal(principal),
        Source::Role { name, members } => {
            let members: Vec<String> = members.iter().map(describe_principal).collect();
            format!("{name} ({})", members.join(", "))
        }
        Source::Owner if facts.said.owners.is_empty() => "the prompt's owner (none is named)".to_owned(),
        Source::Owner => format!("the prompt's owner ({})", facts.said.owners.join(", ")),
    }
}

fn describe_principal(principal: &Principal) -> String {
    match principal {
        Principal::User(login) => format!("@{login}"),
        Principal::Team(team) => team.to_string(),
    }
}
