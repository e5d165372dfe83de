//! Names and numbers from outside, parsed once and then trusted. Knows no format, no network, no clock.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

mod digest;
mod path;
mod people;

pub use digest::Digest;
pub use path::PromptPath;
pub use people::{Login, TeamSlug};

/// A text that is not a valid name of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a valid {kind}: {expected}")]
pub struct InvalidId {
    kind: &'static str,
    text: String,
    expected: &'static str,
}

impl InvalidId {
    fn new(kind: &'static str, text: &str, expected: &'static str) -> Self {
        Self { kind, text: text.chars().take(200).collect(), expected }
    }
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// A pull request's number within its repository.
    PullNumber
);
number_id!(
    /// A user's numeric id: people are compared by it, since logins change hands.
    UserId
);
number_id!(
    /// An installation of the app on an account.
    InstallationId
);
number_id!(
    /// A repository's numeric id, which survives renames.
    RepoId
);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses the text.
            ///
            /// # Errors
            /// When the text is not of the kind's form.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(InvalidId::new($kind, text, $expected)) }
            }

            /// The text as it was parsed.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }
    };
}

/// SHA-1 or SHA-256, as Git writes it.
fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn is_name_part(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text != "."
        && text != ".."
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

text_id!(
    /// `owner/name` of a repository.
    RepoName, "repository name", "write it as owner/name",
    |text| matches!(text.split_once('/'), Some((owner, name)) if is_name_part(owner) && is_name_part(name))
);
text_id!(
    /// A full commit id in lower-case hexadecimal (SHA-1 or SHA-256).
    CommitSha, "commit id", "give all 40 (or 64) lower-case hexadecimal digits",
    is_object_id
);
text_id!(
    /// A Git blob's id; equal ids mean equal bytes.
    BlobSha, "blob id", "give all 40 (or 64) lower-case hexadecimal digits",
    is_object_id
);
text_id!(
    /// A branch's short name, without `refs/heads/`.
    BranchName, "branch name", "give the branch's short name",
    |text| !text.is_empty() && text.len() <= 255 && !text.chars().any(char::is_control)
);

impl RepoName {
    /// The account before the slash.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.0.split_once('/').map_or("", |(owner, _)| owner)
    }

    /// The repository after the slash.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }
}

impl CommitSha {
    /// The first seven digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

/// Conversions that serde goes through: text in, parsed; text out.
macro_rules! as_text {
    ($name:ident, $out:expr) => {
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                let out: fn(&$name) -> String = $out;
                out(&id)
            }
        }
    };
}
use as_text;

/// A model as `provider/name`, for instance `openai/gpt-4o-mini`; the name may hold further slashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelId(Arc<str>);

impl ModelId {
    /// Parses `provider/name`.
    ///
    /// # Errors
    /// When either part is missing.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        match text.split_once('/') {
            Some((provider, name))
                if is_name_part(provider) && !name.is_empty() && !name.chars().any(|c| c.is_control() || c == ' ') =>
            {
                Ok(Self(text.into()))
            }
            _ => Err(InvalidId::new("model", text, "write it as provider/name, for instance openai/gpt-4o-mini")),
        }
    }

    /// Who serves the model: the part before the first slash.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.0.split_once('/').map_or("", |(provider, _)| provider)
    }

    /// The model's name at its provider.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }

    /// The whole text, `provider/name`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
as_text!(ModelId, |id| id.0.as_ref().to_owned());

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T, E>(parse: fn(&str) -> Result<T, E>, valid: &[&str], invalid: &[&str]) {
        for text in valid {
            assert!(parse(text).is_ok(), "{text:?} is valid");
        }
        for text in invalid {
            assert!(parse(text).is_err(), "{text:?} is not valid");
        }
    }

    #[test]
    fn names_are_parsed_once() {
        check(
            RepoName::parse,
            &["acme/prompts", "a/b.c_d-e"],
            &["acme", "acme/", "/x", "a/b/c", "../x", "a/..", "a b/c"],
        );
        let (sha1, sha256) = ("a1".repeat(20), "0f".repeat(32));
        check(CommitSha::parse, &[&sha1, &sha256], &["", "main", &sha1[1..], &sha1.to_uppercase()]);
        check(BranchName::parse, &["main", "release/1.0", "ünï"], &["", "a\nb"]);
        check(ModelId::parse, &["openai/gpt-4o", "meta/llama/3"], &["gpt-4o", "openai/", "/x", "openai/a b"]);
    }

    #[test]
    fn a_repository_has_two_parts_and_a_model_as_well() {
        let repo = RepoName::parse("acme/prompts").unwrap();
        assert_eq!((repo.owner(), repo.name()), ("acme", "prompts"));
        let model = ModelId::parse("meta/llama/3").unwrap();
        assert_eq!((model.provider(), model.name()), ("meta", "llama/3"));
    }
}
