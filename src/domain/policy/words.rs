//! What a requirement asks for, in words that name who could approve. Decides nothing.

use super::known::{Known, few};
use super::people::code_owner_problems;
use super::{Principal, Quorum, Require, Source};

/// A requirement: `1 of reviewers (@mara) and (1 of @acme/legal or 2 of leads (@acme/leads))`.
pub(super) fn requirement(require: &Require, known: &Known<'_>) -> String {
    match require {
        Require::Quorum(quorum) => describe(quorum, known),
        Require::AnyOf(parts) => joined(parts, " or ", known),
        Require::AllOf(parts) => joined(parts, " and ", known),
    }
}

fn joined(parts: &[Require], word: &str, known: &Known<'_>) -> String {
    let part = |part: &Require| match part {
        Require::Quorum(_) => requirement(part, known),
        Require::AnyOf(_) | Require::AllOf(_) => format!("({})", requirement(part, known)),
    };
    parts.iter().map(part).collect::<Vec<_>>().join(word)
}

/// Whether a quorum names nobody but owners: then it asks each of them, because the owner of one prompt has no say in
/// another.
pub(super) fn asks_each_owner(quorum: &Quorum) -> bool {
    !quorum.from.is_empty() && quorum.from.iter().all(|source| matches!(source, Source::Owner))
}

/// Whether a quorum asks an owner of each changed file.
pub(super) fn asks_code_owners(quorum: &Quorum) -> bool {
    quorum.from.iter().any(|source| matches!(source, Source::CodeOwners))
}

/// A quorum in words: `1 of reviewers (@mara, @acme/prompts)`.
pub(super) fn describe(quorum: &Quorum, known: &Known<'_>) -> String {
    let count = quorum.count.max(1);
    if asks_each_owner(quorum) && known.owners.len() > 1 {
        let owners = few(known.owners.iter().map(|(owner, _)| (*owner).to_owned()));
        return format!("{count} of the owners of the changed prompts, and each of them ({owners})");
    }
    let sources: Vec<String> = quorum.from.iter().map(|source| describe_source(source, known)).collect();
    format!("{count} of {}", sources.join(", "))
}

fn describe_source(source: &Source, known: &Known<'_>) -> String {
    match source {
        Source::Principal(principal) => principal.to_string(),
        Source::Role { name, members } => format!("{name} ({})", few(members.iter().map(Principal::to_string))),
        Source::Owner if known.owners.is_empty() => "the prompt's owner (none is named)".to_owned(),
        Source::Owner => {
            format!("the prompt's owner ({})", few(known.owners.iter().map(|(owner, _)| (*owner).to_owned())))
        }
        Source::CodeOwners if !known.code_owners.is_empty() => {
            let owners = few(known.code_owners.iter().map(ToString::to_string));
            match known.facts.code_owners.owned.len() {
                1 => format!("the code owners ({owners})"),
                _ => format!("the code owners ({owners}), for each changed file one of its own"),
            }
        }
        Source::CodeOwners if code_owner_problems(known).is_empty() => "the code owners (none is named)".to_owned(),
        Source::CodeOwners => "the code owners (not known)".to_owned(),
        Source::Permission(level) => format!("everybody with {} permission", level.word()),
    }
}
