//! The names of all rules, how much each weighs unless settings say otherwise, and what it means. Knows no file and no check.

use crate::domain::diagnostic::Severity;

/// What a finding of a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing: the rule is not asked.
    Off,
    /// It is shown.
    Warning,
    /// It is shown, and it blocks.
    Error,
}

impl Level {
    /// The level's name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// How much a finding weighs; `None` for one that is not wanted.
    #[must_use]
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

/// Names of levels, as settings write them.
pub const LEVELS: [&str; 3] = ["off", "warning", "error"];

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleId {
    /// Metadata that settings ask for is missing.
    MissingMetadata,
    /// A variable is used that the prompt does not declare.
    UndeclaredVariable,
    /// A variable is declared that nothing uses.
    UnusedVariable,
    /// The prompt says something else under the same version.
    VersionNotBumped,
    /// A placeholder was left in.
    LeftoverPlaceholder,
    /// A token or a private key.
    Secret,
    /// Data of a person.
    PersonalData,
    /// A phrase that settings ban.
    BannedPhrase,
    /// Too few cases to exclude a drop of the margin.
    GoldenSetTooSmall,
    /// A must-pass case whose runs disagree.
    FlakyMustPass,
    /// Another prompt says nearly the same.
    NearDuplicate,
    /// The model cannot take so much text.
    PromptTooLong,
    /// A waiver says no reason.
    WaiverWithoutReason,
    /// A waiver waives nothing.
    UnusedWaiver,
}

/// What there is to say of a rule.
#[derive(Debug)]
pub struct About {
    /// The rule.
    pub rule: RuleId,
    /// Its stable name.
    pub name: &'static str,
    /// Its level unless settings give it another.
    pub level: Level,
    /// One line.
    pub title: &'static str,
    /// What it looks at, why, and what to do.
    pub text: &'static str,
}

const fn about(rule: RuleId, name: &'static str, level: Level, title: &'static str, text: &'static str) -> About {
    About { rule, name, level, title, text }
}

/// All rules, in the order of their ids.
pub static CATALOGUE: [About; 14] = [
    about(
        RuleId::MissingMetadata,
        "missing-metadata",
        Level::Error,
        "metadata that `lint.require` asks for is missing",
        "`lint.require` in the settings lists keys that every prompt has to fill: owner, useCase, exampleOutput and so on. \
         Nothing is asked for until the list is there. Fill the key that the finding names.",
    ),
    about(
        RuleId::UndeclaredVariable,
        "undeclared-variable",
        Level::Warning,
        "a variable is used that the prompt does not declare",
        "Asked of prompts that declare variables at all. A name that is used and not declared is often a typing mistake. \
         Declare it, or correct the name.",
    ),
    about(
        RuleId::UnusedVariable,
        "unused-variable",
        Level::Warning,
        "a variable is declared that nothing uses",
        "Neither the prompt, nor what it is made of, nor an evaluator uses the name. Remove the declaration, or use it.",
    ),
    about(
        RuleId::VersionNotBumped,
        "version-not-bumped",
        Level::Warning,
        "the prompt changed and its version did not",
        "Asked where there is a base to compare with. Who reads a version wants one text behind it. Raise `version` when \
         the messages, the model, its parameters, the answer's form or the tools change.",
    ),
    about(
        RuleId::LeftoverPlaceholder,
        "leftover-placeholder",
        Level::Warning,
        "a placeholder was left in",
        "TODO, TBD, FIXME, XXX, lorem ipsum, <insert …>, [YOUR NAME] and the like, in what the prompt says or says of \
         itself. A model takes them at their word. Write the text that belongs there.",
    ),
    about(
        RuleId::Secret,
        "secret",
        Level::Error,
        "a token or a private key stands in the file",
        "Looked for in prompts, the files they are made of, and golden sets. What is in a prompt reaches the provider, and \
         what is in Git stays there. Revoke it, then remove it. In a pull request a waiver counts that base has as well.",
    ),
    about(
        RuleId::PersonalData,
        "personal-data",
        Level::Warning,
        "data of a person stands in the file",
        "E-mail addresses, telephone, card, bank account and social security numbers by their form and check digits. \
         Addresses of example domains and numbers of the 555-01 range do not count. Replace it by made-up data.",
    ),
    about(
        RuleId::BannedPhrase,
        "banned-phrase",
        Level::Error,
        "a phrase that `lint.banned_phrases` bans",
        "`lint.banned_phrases` in the settings lists phrases that no prompt may hold: whole words in any case. Nothing is \
         banned until the list is there. Say it in other words.",
    ),
    about(
        RuleId::GoldenSetTooSmall,
        "golden-set-too-small",
        Level::Warning,
        "too few cases to exclude a drop of the margin",
        "With fewer cases than the finding says, a drop of `evaluation.margin` cannot be excluded even if no case changes, \
         so the best verdict is `no regression found`. Cases of one cluster count once. Add cases, or widen the margin.",
    ),
    about(
        RuleId::FlakyMustPass,
        "flaky-must-pass",
        Level::Warning,
        "a must-pass case passes in some runs and fails in others",
        "Known once the evaluation has run: the same prompt answered the same case right and wrong. Make the prompt \
         clearer, or the evaluator fairer; a case that may fail should not be must-pass.",
    ),
    about(
        RuleId::NearDuplicate,
        "near-duplicate",
        Level::Warning,
        "another prompt of the repository says nearly the same",
        "Compared by runs of three words, without regard to case, spaces and names of variables. Prompts of fewer than \
         12 words are left out. Use one prompt for both, or say why there are two in a waiver.",
    ),
    about(
        RuleId::PromptTooLong,
        "prompt-too-long",
        Level::Warning,
        "the prompt is longer than its model takes",
        "The prompt with its longest case, and the answer it may give, in tokens against the model's context window. \
         Models whose window is not known are left out. Shorten it, or take another model.",
    ),
    about(
        RuleId::WaiverWithoutReason,
        "waiver-without-reason",
        Level::Warning,
        "a waiver says no reason",
        "A waiver without a reason counts for nothing. Write `promptops: allow RULE because REASON`.",
    ),
    about(
        RuleId::UnusedWaiver,
        "unused-waiver",
        Level::Warning,
        "a waiver waives nothing",
        "Nothing is found where the waiver stands, or it names no rule. Remove it, before it hides something else.",
    ),
];

impl RuleId {
    /// What there is to say of it.
    #[must_use]
    pub fn about(self) -> &'static About {
        // A test holds that each rule is in the list.
        CATALOGUE.iter().find(|about| about.rule == self).unwrap_or(&CATALOGUE[0])
    }

    /// Its stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// The rule of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        CATALOGUE.iter().find(|about| about.name == name).map(|about| about.rule)
    }
}

/// The names of all rules.
#[must_use]
pub fn names() -> [&'static str; CATALOGUE.len()] {
    std::array::from_fn(|at| CATALOGUE[at].name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_listed_in_its_place_under_a_name_of_its_own() {
        for (at, about) in CATALOGUE.iter().enumerate() {
            assert_eq!(about.rule as usize, at);
            assert_eq!(RuleId::named(about.name), Some(about.rule));
            assert!(about.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", about.name);
        }
        assert_eq!(CATALOGUE.len(), RuleId::UnusedWaiver as usize + 1);
    }
}
