//! The facts arranged for many rules: each question a rule asks is answered without going through lists again. Knows no rule.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Membership, OwnedPaths, PullFacts};
use super::people::{Doubts, Named, Whom};
use super::standing::Standing;
use super::{Change, Place, Policy, Principal};
use crate::domain::ids::{Login, TeamSlug, UserId};
use crate::domain::patterns::FoldedPaths;

/// Everything rules ask about, once per decision.
pub(super) struct Known<'a> {
    pub facts: &'a PullFacts,
    pub standing: Standing<'a>,
    /// Changed governed paths, by both names of a rename.
    pub paths: FoldedPaths,
    pub kinds: BTreeSet<Change>,
    /// In lower case.
    pub labels: BTreeSet<String>,
    /// Owners that changed prompts name, and whom they mean, if anybody.
    pub owners: Vec<(&'a str, Option<Principal>)>,
    /// All owners of all changed files.
    pub code_owners: BTreeSet<&'a Principal>,
    pub unreadable: BTreeSet<&'a TeamSlug>,
    pub places: &'a BTreeMap<TeamSlug, Place>,
    memberships: BTreeMap<&'a TeamSlug, Members>,
    owner_gaps: OnceCell<Vec<Gap>>,
    code_owner_gaps: OnceCell<Vec<Gap>>,
}

/// What is known of a team's members.
pub(super) type Members = BTreeMap<UserId, Membership>;

/// An owner that must approve and that nobody stands for yet.
pub(super) struct Gap {
    /// Who, in words.
    pub who: String,
    /// Who approved and may be that owner all the same.
    pub doubts: Doubts,
}

impl<'a> Known<'a> {
    pub fn of(policy: &'a Policy, facts: &'a PullFacts) -> Self {
        Self::of_standing(policy, facts, Standing::of(facts))
    }

    /// The same, where other people stand for something than those who reviewed.
    pub fn of_standing(policy: &'a Policy, facts: &'a PullFacts, standing: Standing<'a>) -> Self {
        let mut memberships: BTreeMap<&TeamSlug, Members> = BTreeMap::new();
        for (team, user, membership) in &facts.memberships {
            memberships.entry(team).or_default().entry(*user).or_insert(*membership);
        }
        let names = facts.changes.iter().flat_map(|change| std::iter::once(&change.path).chain(&change.previous));
        Self {
            facts,
            standing,
            paths: FoldedPaths::new(names),
            kinds: facts.changes.iter().map(|change| change.kind).collect(),
            labels: facts.labels.iter().map(|label| label.to_lowercase()).collect(),
            owners: facts.said.owners.iter().map(|owner| (owner.as_str(), Principal::parse(owner.trim()))).collect(),
            code_owners: facts.code_owners.owned.iter().flat_map(|owned| &owned.owners).collect(),
            unreadable: facts.unreadable_teams.iter().collect(),
            places: &policy.places,
            memberships,
            owner_gaps: OnceCell::new(),
            code_owner_gaps: OnceCell::new(),
        }
    }

    /// What is known of a team's members, if anything.
    pub fn members(&self, team: &TeamSlug) -> Option<&Members> {
        self.memberships.get(team)
    }

    /// The owners of changed prompts that nobody who approved stands for.
    pub fn owner_gaps(&self) -> &[Gap] {
        self.owner_gaps.get_or_init(|| {
            let gap =
                |(owner, principal): &(&str, Option<Principal>)| self.gap(principal.iter(), || (*owner).to_owned());
            self.owners.iter().filter_map(gap).collect()
        })
    }

    /// The owned files, by CODEOWNERS, that none of their owners who approved stands for.
    pub fn code_owner_gaps(&self) -> &[Gap] {
        self.code_owner_gaps.get_or_init(|| {
            let gap = |owned: &OwnedPaths| self.gap(owned.owners.iter(), || in_words(owned));
            self.facts.code_owners.owned.iter().filter_map(gap).collect()
        })
    }

    fn gap<'p>(&self, owners: impl Iterator<Item = &'p Principal>, who: impl Fn() -> String) -> Option<Gap> {
        let whom = Whom::of_principals(owners, self);
        let mut doubts = Doubts::default();
        for person in &self.standing.approvals {
            match whom.named(person) {
                Named::Yes => return None,
                Named::Unknown(unsure) => doubts.add(unsure, &person.login),
                Named::No | Named::Invited => {}
            }
        }
        doubts.add_unreadable(&whom, self);
        Some(Gap { who: who(), doubts })
    }
}

/// Most names in one sentence.
const MOST_NAMES: usize = 8;

fn in_words(owned: &OwnedPaths) -> String {
    let owners = few(owned.owners.iter().map(ToString::to_string));
    let first = owned.paths.first().map_or_else(String::new, |path| format!("`{path}`"));
    match owned.paths.len() {
        0 | 1 => format!("an owner of {first} ({owners})"),
        many => format!("an owner of {first} and {} more ({owners})", many - 1),
    }
}

/// The names, or the first of them and how many there are besides.
pub(super) fn few(names: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = names.collect();
    let more = all.len().saturating_sub(MOST_NAMES);
    if more > 1 {
        all.truncate(MOST_NAMES);
        all.push(format!("and {more} more"));
    }
    all.join(", ")
}

/// Logins as people write them.
pub(super) fn at(login: &Login) -> String {
    format!("@{login}")
}
