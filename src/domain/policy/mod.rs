//! The approval policy: rules, facts of a pull request, a decision with its reasons. Pure; looks nothing up.

mod decide;
pub mod decision;
pub mod facts;
mod known;
mod named;
mod needed;
mod overriding;
mod people;
mod reason;
mod standing;
#[cfg(test)]
mod tests;
mod when;
mod words;

pub use decide::decide;
pub use named::named_in_person;
pub use needed::{
    author_memberships_needed, commits_to_compare, memberships_needed, needs_code_owners, permissions_needed,
    teams_needed,
};
pub use overriding::{is_named, overriders, overriding, teams_of_overriders};

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::diagnostic::{Location, Severity};
use super::gate::Verdict;
use super::ids::{Login, PromptPath, TeamSlug};
use super::patterns::Patterns;

/// A user or a team, as settings write them: `@login`, `@org/team`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Principal {
    /// One person.
    User(Login),
    /// All active members of a team.
    Team(TeamSlug),
}

impl Principal {
    /// Parses `@login` or `@org/team`; `None` where the text is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix('@')?;
        if name.contains('/') {
            TeamSlug::parse(name).ok().map(Self::Team)
        } else {
            Login::parse(name).ok().map(Self::User)
        }
    }
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(login) => write!(f, "@{login}"),
            Self::Team(team) => team.fmt(f),
        }
    }
}

impl TryFrom<String> for Principal {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
            .ok_or_else(|| format!("`{text}` is neither a user nor a team: write it as @login or @org/team"))
    }
}

impl From<Principal> for String {
    fn from(principal: Principal) -> Self {
        principal.to_string()
    }
}

/// What somebody may do in the repository, as far as rules ask. Who has more has this as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Push.
    Write,
    /// Push, and manage the repository.
    Maintain,
    /// Everything.
    Admin,
}

impl Level {
    /// GitHub's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }
}

/// Where a rule's approvals may come from, and who an author may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A user or team.
    Principal(Principal),
    /// A role of the settings, resolved to its members when settings are validated.
    Role {
        /// Its name.
        name: String,
        /// Its members, those of roles it names included.
        members: Arc<[Principal]>,
    },
    /// Whoever the changed prompts' own `owner` fields name, on base.
    Owner,
    /// Whoever base's CODEOWNERS names for the changed governed files.
    CodeOwners,
    /// Whoever has at least this permission in the repository.
    Permission(Level),
}

/// `count` approvals from `from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// How many different people; at least 1.
    pub count: u32,
    /// Where from.
    pub from: Vec<Source>,
}

/// What a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Require {
    /// So many approvals.
    Quorum(Quorum),
    /// One of these; never empty.
    AnyOf(Vec<Require>),
    /// Each of these; never empty.
    AllOf(Vec<Require>),
}

impl Require {
    /// All quorums within.
    #[must_use]
    pub fn quorums(&self) -> Vec<&Quorum> {
        match self {
            Self::Quorum(quorum) => vec![quorum],
            Self::AnyOf(parts) | Self::AllOf(parts) => parts.iter().flat_map(Self::quorums).collect(),
        }
    }
}

/// What part of the governed content a pull request changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A prompt file.
    Prompt,
    /// A golden set.
    GoldenSet,
    /// A golden set that judges less strictly than before: cases removed or edited, thresholds lowered, evaluators dropped,
    /// another judge. Comes beside [`Change::GoldenSet`].
    GoldenSetWeakened,
    /// The settings file.
    Policy,
    /// The model of a prompt, or its parameters. Comes beside [`Change::Prompt`].
    Model,
    /// What a prompt file says about itself: name, description, version, owner and the like. Comes beside [`Change::Prompt`].
    Metadata,
}

/// A size that a change has to exceed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SizeOver {
    /// More governed files than this.
    pub files: Option<u64>,
    /// More lines added and removed in them than this.
    pub lines: Option<u64>,
}

/// When a rule applies; every given predicate must hold, an empty one always does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// Globs, any of which matches a changed governed path (either name of a rename).
    pub paths: Patterns,
    /// Kinds of change, any of which is there.
    pub changes: Vec<Change>,
    /// Verdicts of the evaluation, any of which it has.
    pub verdict: Vec<Verdict>,
    /// Who the author is, any of these.
    pub author: Vec<Source>,
    /// Whether head is in another repository.
    pub fork: Option<bool>,
    /// Globs, any of which matches the base branch.
    pub base: Patterns,
    /// Labels, any of which is there; in any case.
    pub labels: Vec<String>,
    /// Severities, of any of which lint found something.
    pub lint: Vec<Severity>,
    /// Sizes, any of which is exceeded.
    pub size: Option<SizeOver>,
}

/// One approval rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Shown to people.
    pub name: Arc<str>,
    /// When it applies.
    pub when: When,
    /// What it asks for.
    pub require: Require,
}

/// Where something stands in a settings file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub file: PromptPath,
    /// The line and column.
    pub at: Location,
}

impl Policy {
    /// Whether anybody may approve or override as a code owner: then CODEOWNERS is part of the policy.
    #[must_use]
    pub fn asks_code_owners(&self) -> bool {
        let quorums = self.rules.iter().flat_map(|rule| rule.require.quorums()).chain(&self.overriders);
        quorums.into_iter().any(|quorum| quorum.from.contains(&Source::CodeOwners))
    }
}

/// The rules of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Every rule whose `when` holds must be satisfied.
    pub rules: Vec<Rule>,
    /// Who may override a blocked evaluation.
    pub overriders: Option<Quorum>,
    /// Where each team is named first: shown where it cannot be read.
    pub places: BTreeMap<TeamSlug, Place>,
}
