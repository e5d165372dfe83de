//! The approval policy: rules, facts of a pull request, a decision with its reasons. Pure; looks nothing up.

mod decide;
pub mod decision;
pub mod facts;
mod overriding;
mod people;
mod standing;
#[cfg(test)]
mod tests;
mod when;

pub use decide::decide;
pub use overriding::{is_named, overriders, overriding, teams_of_overriders};
pub use people::{commits_to_compare, memberships_needed};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::gate::Verdict;
use super::ids::{Login, TeamSlug};

/// A user or a team, as settings write them: `@login`, `@org/team`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Principal {
    /// One person.
    User(Login),
    /// All active members of a team.
    Team(TeamSlug),
}

/// Where a rule's approvals may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A user or team.
    Principal(Principal),
    /// A role of the settings, resolved to its members when settings are validated.
    Role {
        /// Its name.
        name: String,
        /// Its members.
        members: Vec<Principal>,
    },
    /// Whoever the changed prompts' own `owner` fields name, on base.
    Owner,
}

/// `count` approvals from `from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// How many different people; at least 1.
    pub count: u32,
    /// Where from.
    pub from: Vec<Source>,
}

/// What a rule asks for: one of these quorums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Require {
    /// Never empty; more than one when the settings say `any_of`.
    pub any_of: Vec<Quorum>,
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

/// When a rule applies; every given predicate must hold, an empty one always does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// Globs, any of which matches a changed governed path (either name of a rename).
    pub paths: Vec<String>,
    /// Kinds of change, any of which is there.
    pub changes: Vec<Change>,
    /// Verdicts of the evaluation, any of which it has.
    pub verdict: Vec<Verdict>,
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

/// The rules of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Every rule whose `when` holds must be satisfied.
    pub rules: Vec<Rule>,
    /// Who may override a blocked evaluation.
    pub overriders: Option<Quorum>,
}
