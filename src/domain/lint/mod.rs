//! What can be said of a prompt without asking a model: one rule a file, one list of them, waivers in the files themselves.
//! Knows no file system and no pull request: texts come in, findings go out.

pub mod catalogue;
mod finding;
pub mod near_duplicate;
mod outcome;
mod place;
mod rules;
mod subject;
mod waiver;

pub use catalogue::{CATALOGUE, LEVELS, Level, RuleId};
pub use finding::Finding;
pub use outcome::{Checked, Ran, after_run, check};
pub use rules::size as too_small;
pub use subject::{Config, Member, Neighbours, Part, Subject, Text};

/// One rule. It says what it finds; whether that is wanted, waived or grave is decided elsewhere.
pub trait Rule: Sync {
    /// Its name and what there is to say of it.
    fn id(&self) -> RuleId;

    /// Looks at a prompt file and all that belongs to it.
    fn check(&self, subject: &Subject<'_>, config: &Config<'_>, found: &mut Vec<Finding>);
}

/// The one list of rules. Waivers are looked at after all of them.
pub static RULES: [&dyn Rule; 12] = [
    &rules::metadata::MissingMetadata,
    &rules::undeclared::UndeclaredVariable,
    &rules::unused::UnusedVariable,
    &rules::version::VersionNotBumped,
    &rules::placeholder::LeftoverPlaceholder,
    &rules::secret::Secret,
    &rules::personal::PersonalData,
    &rules::phrase::BannedPhrase,
    &rules::size::GoldenSetTooSmall,
    &rules::flaky::FlakyMustPass,
    &rules::duplicate::NearDuplicate,
    &rules::length::PromptTooLong,
];

/// Hits in one text that a rule looks up one by one: each is searched for from the text's start.
const MOST_HITS: usize = 200;

#[cfg(test)]
pub(in crate::domain::lint) mod testing;
