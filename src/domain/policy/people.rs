//! Whom a rule names, and whether somebody is among them, as far as the facts can tell. Looks nothing up.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Membership, Person, PullFacts};
use super::known::{Known, Members, at, few};
use super::{Level, Place, Principal, Source};
use crate::domain::ids::{Login, TeamSlug};

/// Whether somebody is among those a rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named<'k> {
    Yes,
    No,
    /// Invited to a team that is named, but not a member yet.
    Invited,
    /// Nobody can say.
    Unknown(Unsure<'k>),
}

/// Why nobody can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsure<'k> {
    /// A named team cannot be read.
    Team(&'k TeamSlug),
    /// Their permission is not known.
    Permission,
}

/// Everyone that sources name.
pub(super) struct Whom<'k> {
    facts: &'k PullFacts,
    users: Vec<&'k Login>,
    teams: Vec<(&'k TeamSlug, Option<&'k Members>)>,
    level: Option<Level>,
    /// Why the sources cannot be followed, one sentence each.
    pub problems: Vec<String>,
}

impl<'k> Whom<'k> {
    /// Everyone these sources name; sources that name nobody are problems.
    pub fn of(sources: impl IntoIterator<Item = &'k Source>, known: &'k Known<'_>) -> Self {
        let mut whom = Self::of_principals(std::iter::empty(), known);
        let mut asked = None;
        for source in sources {
            match source {
                Source::Principal(principal) => whom.add(principal, known),
                Source::Role { members, .. } => members.iter().for_each(|member| whom.add(member, known)),
                Source::Permission(level) => whom.level = Some(whom.level.map_or(*level, |had| had.min(*level))),
                Source::Owner => {
                    asked = Some(NO_OWNER);
                    whom.add_owners(known);
                }
                Source::CodeOwners => {
                    asked = asked.or(Some(NO_CODE_OWNER));
                    known.code_owners.iter().for_each(|owner| whom.add(owner, known));
                    whom.problems.extend(code_owner_problems(known));
                }
            }
        }
        if whom.is_nobody() && whom.problems.is_empty() {
            whom.problems.push(asked.unwrap_or(NOBODY).to_owned());
        }
        whom
    }

    /// Everyone these principals are.
    pub fn of_principals<'p: 'k>(principals: impl Iterator<Item = &'p Principal>, known: &'k Known<'_>) -> Self {
        let mut whom =
            Self { facts: known.facts, users: Vec::new(), teams: Vec::new(), level: None, problems: Vec::new() };
        principals.for_each(|principal| whom.add(principal, known));
        whom
    }

    fn add(&mut self, principal: &'k Principal, known: &'k Known<'_>) {
        match principal {
            Principal::User(login) => self.users.push(login),
            Principal::Team(team) => self.teams.push((team, known.members(team))),
        }
    }

    fn add_owners(&mut self, known: &'k Known<'_>) {
        for (owner, principal) in &known.owners {
            match principal {
                Some(principal) => self.add(principal, known),
                None => self.problems.push(format!(
                    "the owner `{owner}` of a changed prompt is neither a user nor a team: write it as @login or @org/team \
                     on the base branch"
                )),
            }
        }
    }

    fn is_nobody(&self) -> bool {
        self.users.is_empty() && self.teams.is_empty() && self.level.is_none()
    }

    /// The teams among them.
    pub fn teams(&self) -> impl Iterator<Item = &'k TeamSlug> {
        self.teams.iter().map(|(team, _)| *team)
    }

    /// Whether they are named in person.
    pub fn is_user(&self, login: &Login) -> bool {
        self.users.contains(&login)
    }

    /// Whether a permission is enough to be one of them.
    pub fn asks_permission(&self) -> bool {
        self.level.is_some()
    }

    /// Certain membership wins, then what is unknown: an unreadable team must not pass for "no".
    pub fn named(&self, person: &Person) -> Named<'k> {
        if self.is_user(&person.login) {
            return Named::Yes;
        }
        let mut answer = Named::No;
        for (team, members) in &self.teams {
            // A membership nobody looked up is as unknown as one that cannot be read.
            match members.and_then(|members| members.get(&person.id)).unwrap_or(&Membership::Unreadable) {
                Membership::Active => return Named::Yes,
                Membership::Pending if answer == Named::No => answer = Named::Invited,
                Membership::Pending | Membership::No => {}
                Membership::Unreadable => answer = Named::Unknown(Unsure::Team(team)),
            }
        }
        match self.level.map(|wanted| self.has(person, wanted)) {
            Some(Some(true)) => Named::Yes,
            Some(None) if !matches!(answer, Named::Unknown(_)) => Named::Unknown(Unsure::Permission),
            _ => answer,
        }
    }

    /// Whether they have at least this permission; `None` where that is not known.
    fn has(&self, person: &Person, wanted: Level) -> Option<bool> {
        let has = match self.facts.permissions.get(&person.id.0)?.as_str() {
            "none" | "read" | "triage" => return Some(false),
            "write" => Level::Write,
            "maintain" => Level::Maintain,
            "admin" => Level::Admin,
            _ => return None,
        };
        Some(has >= wanted)
    }
}

const NOBODY: &str = "the rule names nobody, so nobody could approve: name somebody in the settings on the base branch";
const NO_OWNER: &str = "no changed prompt names an owner on the base branch, so nobody could approve: give the rule another \
                        approver, or name an owner there first";
const NO_CODE_OWNER: &str = "no changed file has an owner in CODEOWNERS on the base branch, so nobody could approve: give \
                             the rule another approver, or name an owner there first";

/// What keeps code owners from being known.
pub(super) fn code_owner_problems(known: &Known<'_>) -> Vec<String> {
    let found = &known.facts.code_owners;
    if found.file.is_none() && found.problems.is_empty() {
        return vec![
            "the base branch has no CODEOWNERS file, so nobody could approve: add .github/CODEOWNERS there, or give the \
             rule another approver"
                .to_owned(),
        ];
    }
    found.problems.clone()
}

/// Who may be meant and may not: gathered by what is not known, so that each is said once.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubts {
    teams: BTreeMap<TeamSlug, BTreeSet<Login>>,
    permissions: BTreeSet<Login>,
}

impl Doubts {
    /// Nobody can say whether this person is meant.
    pub fn add(&mut self, unsure: Unsure<'_>, login: &Login) {
        match unsure {
            Unsure::Team(team) => self.teams.entry(team.clone()).or_default().insert(login.clone()),
            Unsure::Permission => self.permissions.insert(login.clone()),
        };
    }

    /// Nobody can say who is in the teams that cannot be read, even before anybody approved.
    pub fn add_unreadable(&mut self, whom: &Whom<'_>, known: &Known<'_>) {
        for team in whom.teams().filter(|team| known.unreadable.contains(team)) {
            self.teams.entry(team.clone()).or_default();
        }
    }

    /// All of another's.
    pub fn merge(&mut self, other: &Self) {
        for (team, logins) in &other.teams {
            self.teams.entry(team.clone()).or_default().extend(logins.iter().cloned());
        }
        self.permissions.extend(other.permissions.iter().cloned());
    }

    /// One sentence for each thing that is not known, which ends with what to do.
    pub fn sentences(&self, places: &BTreeMap<TeamSlug, Place>) -> Vec<String> {
        let team = |(team, logins): (&TeamSlug, &BTreeSet<Login>)| {
            let place = places
                .get(team)
                .map_or_else(String::new, |Place { file, at }| format!(" ({file}:{}:{})", at.line, at.column));
            let who = match logins.len() {
                0 => "who is in it".to_owned(),
                1 => format!("whether {} is in it", few(logins.iter().map(at))),
                _ => format!("whether {} are in it", few(logins.iter().map(at))),
            };
            format!(
                "team {team} cannot be read{place}, so nobody can say {who}: let the app read the organisation's members, \
                 or correct the team's name"
            )
        };
        let permissions = (!self.permissions.is_empty()).then(|| {
            format!(
                "the permission of {} in the repository is not known, so nobody can say whether they may approve: comment \
                 `/promptops eval` to look again",
                few(self.permissions.iter().map(at))
            )
        });
        self.teams.iter().map(team).chain(permissions).collect()
    }
}
