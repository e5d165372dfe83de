//! Names and numbers from outside, parsed once and then trusted. Knows no format, no network, no clock.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

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
    |text| matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
);
text_id!(
    /// A Git blob's id; equal ids mean equal bytes.
    BlobSha, "blob id", "give all 40 (or 64) lower-case hexadecimal digits",
    |text| matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
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

/// A user's login without `@`; compared without regard to case, as GitHub does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Login(Arc<str>);

impl Login {
    /// Parses a login; a leading `@` is dropped. Bots end in `[bot]`.
    ///
    /// # Errors
    /// When the text cannot be a GitHub login.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let login = text.strip_prefix('@').unwrap_or(text);
        let stem = login.strip_suffix("[bot]").unwrap_or(login);
        if is_name_part(stem) {
            Ok(Self(login.into()))
        } else {
            Err(InvalidId::new("login", text, "write it as @login"))
        }
    }

    /// The login without `@`, in its own case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Login {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}
impl Eq for Login {}
impl PartialOrd for Login {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Login {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.to_ascii_lowercase().cmp(&other.0.to_ascii_lowercase())
    }
}
impl std::hash::Hash for Login {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}
impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl TryFrom<String> for Login {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::parse(&text)
    }
}
impl From<Login> for String {
    fn from(login: Login) -> Self {
        login.0.as_ref().to_owned()
    }
}

/// A team as `org/slug`, written `@org/slug` in settings.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TeamSlug {
    org: Arc<str>,
    slug: Arc<str>,
}

impl TeamSlug {
    /// Parses `@org/slug` or `org/slug`; both parts are kept in lower case.
    ///
    /// # Errors
    /// When the text has not exactly two valid parts.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        match text.strip_prefix('@').unwrap_or(text).split_once('/') {
            Some((org, slug)) if is_name_part(org) && is_name_part(slug) => {
                Ok(Self { org: org.to_ascii_lowercase().into(), slug: slug.to_ascii_lowercase().into() })
            }
            _ => Err(InvalidId::new("team", text, "write it as @org/team")),
        }
    }

    /// The organisation.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.org
    }

    /// The team's slug within the organisation.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }
}

impl fmt::Display for TeamSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}/{}", self.org, self.slug)
    }
}
impl TryFrom<String> for TeamSlug {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::parse(&text)
    }
}
impl From<TeamSlug> for String {
    fn from(team: TeamSlug) -> Self {
        format!("{}/{}", team.org, team.slug)
    }
}

/// A file's path inside its repository: relative, `/`-separated, without `.` and `..` parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PromptPath(Arc<str>);

impl PromptPath {
    /// Parses a path; `./` at the front is dropped.
    ///
    /// # Errors
    /// When the path is absolute, empty, leaves the repository, or has control characters.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let path = text.strip_prefix("./").unwrap_or(text);
        let valid = !path.is_empty()
            && path.len() <= 4096
            && !path.contains('\\')
            && !path.chars().any(char::is_control)
            && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if valid {
            Ok(Self(path.into()))
        } else {
            Err(InvalidId::new("path", text, "give a path inside the repository, relative to its root"))
        }
    }

    /// The path a file names relative to itself, with `..` resolved inside the repository.
    ///
    /// # Errors
    /// When the target lies outside the repository.
    pub fn sibling(&self, relative: &str) -> Result<Self, InvalidId> {
        let outside = || InvalidId::new("path", relative, "it must stay inside the repository");
        let mut parts: Vec<&str> = self.0.split('/').collect();
        parts.pop();
        for part in relative.split('/') {
            match part {
                "." => {}
                ".." => {
                    parts.pop().ok_or_else(outside)?;
                }
                other => parts.push(other),
            }
        }
        Self::parse(&parts.join("/"))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The form in which governed paths are compared: Unicode-normalised, lower case.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.nfkc().collect::<String>().to_lowercase()
    }
}

impl fmt::Display for PromptPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl TryFrom<String> for PromptPath {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::parse(&text)
    }
}
impl From<PromptPath> for String {
    fn from(path: PromptPath) -> Self {
        path.0.as_ref().to_owned()
    }
}

/// A SHA-256 over content; its text form is 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of parts, each preceded by its length so that no two lists of parts collide.
    #[must_use]
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        for part in parts {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }

    /// A seed for pseudo-random draws that follow from the content.
    #[must_use]
    pub fn seed(&self) -> u64 {
        let mut head = [0; 8];
        head.copy_from_slice(&self.0[..8]);
        u64::from_le_bytes(head)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", hex::encode(&self.0[..6]))
    }
}
impl TryFrom<String> for Digest {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes)
            .map_err(|_| InvalidId::new("digest", &text, "give 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}
impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

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
impl TryFrom<String> for ModelId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::parse(&text)
    }
}
impl From<ModelId> for String {
    fn from(model: ModelId) -> Self {
        model.0.as_ref().to_owned()
    }
}
