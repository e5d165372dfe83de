//! Bytes and headers become one typed event at the door; nothing behind it sees JSON. Knows no store and no job.

mod payload;

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::ids::{BranchName, CommitSha, InstallationId, Login, PullNumber, RepoId, RepoName, UserId};

/// Why a delivery was refused after its signature held.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// Not JSON, or not of the event's form.
    #[error("the payload of `{event}` is not of the form GitHub documents: check what sends it")]
    Malformed {
        /// The event's name.
        event: String,
        /// Where it went wrong.
        #[source]
        source: serde_json::Error,
    },
}

/// The secrets that sign deliveries; several while one replaces another.
pub struct WebhookSecrets(Vec<hmac::Key>);

impl WebhookSecrets {
    /// Prepares the keys.
    #[must_use]
    pub fn new(secrets: &[SecretString]) -> Self {
        Self(secrets.iter().map(|s| hmac::Key::new(hmac::HMAC_SHA256, s.expose_secret().as_bytes())).collect())
    }

    /// Whether `signature` (`sha256=…`) is that of exactly these bytes under one of the secrets. In constant time.
    #[must_use]
    pub fn verify(&self, signature: &str, body: &[u8]) -> bool {
        let mut tag = [0; 32];
        let Some(digits) = signature.strip_prefix("sha256=") else { return false };
        hex::decode_to_slice(digits, &mut tag).is_ok() && self.0.iter().any(|key| hmac::verify(key, body, &tag).is_ok())
    }
}

/// Where an event happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The repository's name at that time.
    pub repo: RepoName,
    /// Its lasting id.
    pub repo_id: RepoId,
    /// The installation through which we may act; absent from a repository's own webhook.
    pub installation: Option<InstallationId>,
}

/// What happened to a pull request, as far as it concerns us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullAction {
    /// It is new.
    Opened,
    /// Its head moved.
    Synchronize,
    /// It is open again.
    Reopened,
    /// It goes to another branch now.
    BaseChanged,
    /// It is no draft any more.
    ReadyForReview,
    /// It was closed or merged.
    Closed,
    /// It has other labels than before.
    Labelled,
}

/// A pull request changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequestEvent {
    /// Where.
    pub origin: Origin,
    /// How.
    pub action: PullAction,
    /// Which.
    pub number: PullNumber,
    /// Its head at that time.
    pub head_sha: CommitSha,
    /// The branch it goes to.
    pub base_branch: BranchName,
    /// When it was changed, in seconds by GitHub's clock.
    pub changed_s: Option<i64>,
}

/// A review was submitted, edited or dismissed; which of these is read again with all reviews.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewEvent {
    /// Where.
    pub origin: Origin,
    /// On which pull request.
    pub number: PullNumber,
}

/// A new comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentEvent {
    /// Where.
    pub origin: Origin,
    /// On which pull request.
    pub number: PullNumber,
    /// The comment's id.
    pub comment_id: u64,
    /// Its text, from outside.
    pub body: String,
    /// Who wrote it.
    pub author_id: UserId,
    /// Their login.
    pub author: Login,
    /// Whether an app or bot wrote it.
    pub by_bot: bool,
    /// GitHub's word for the author's relation to the repository; a hint, never a permission.
    pub association: String,
    /// When it was written, in seconds since the Unix epoch by GitHub's clock.
    pub created_s: Option<i64>,
}

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Their id.
    pub id: UserId,
    /// Their login.
    pub login: Login,
}

/// Somebody pressed "re-run" or a button on a check of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRunEvent {
    /// Where.
    pub origin: Origin,
    /// The check run's id.
    pub check_run_id: u64,
    /// Its name.
    pub name: String,
    /// The commit it is on.
    pub head_sha: CommitSha,
    /// What we called it when we made it.
    pub external_id: Option<String>,
    /// The pull requests it belongs to; empty for forks.
    pub pulls: Vec<PullNumber>,
    /// Who pressed it.
    pub sender: Option<Sender>,
    /// The identifier of the button; `None` for "re-run".
    pub button: Option<String>,
}

/// Somebody asked for all checks of a commit again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSuiteEvent {
    /// Where.
    pub origin: Origin,
    /// The commit.
    pub head_sha: CommitSha,
    /// The pull requests it belongs to; empty for forks.
    pub pulls: Vec<PullNumber>,
    /// Who asked.
    pub sender: Option<Sender>,
}

/// What happened to a group of the merge queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeGroupAction {
    /// Its checks are to be reported on its own head.
    ChecksRequested,
    /// It is gone: merged, overtaken or taken out.
    Destroyed,
}

/// A merge queue made a group, or took one back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeGroupEvent {
    /// Where.
    pub origin: Origin,
    /// How.
    pub action: MergeGroupAction,
    /// The group's own head.
    pub head_sha: CommitSha,
    /// Its branch, `gh-readonly-queue/<base>/pr-N-<sha>`.
    pub head_branch: BranchName,
    /// What it is built on: the base branch's tip, or the group before it.
    pub base_sha: CommitSha,
    /// The branch it goes to.
    pub base_branch: BranchName,
}

/// A branch moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushEvent {
    /// Where.
    pub origin: Origin,
    /// Which branch.
    pub branch: BranchName,
    /// Its tip now; `None` where it was deleted.
    pub after: Option<CommitSha>,
}

/// Who belongs to what, or may do what, has changed in an account: a team, a membership, the organisation itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleEvent {
    /// The organisation.
    pub org: Login,
    /// Through which installation to act.
    pub installation: Option<InstallationId>,
}

/// One thing that happened at GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A pull request changed.
    PullRequest(PullRequestEvent),
    /// A review changed.
    Review(ReviewEvent),
    /// A comment was written on a pull request.
    IssueComment(CommentEvent),
    /// A check is to run again.
    CheckRunRerequested(CheckRunEvent),
    /// A button on a check was pressed.
    CheckRunButton(CheckRunEvent),
    /// All checks of a commit are to run again.
    CheckSuiteRerequested(CheckSuiteEvent),
    /// A merge queue's group.
    MergeGroup(MergeGroupEvent),
    /// A branch moved.
    Push(PushEvent),
    /// Teams, memberships or an organisation changed.
    People(PeopleEvent),
    /// Who may do what in a repository changed.
    Collaborators(Origin),
    /// GitHub tries the webhook.
    Ping,
    /// Nothing that concerns us.
    Ignored,
}

/// An event with the action GitHub gave it, for logs and the delivery's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What happened.
    pub event: Event,
    /// The payload's `action`, where it has one.
    pub action: Option<String>,
}

/// Reads a payload whose signature has been checked. Unknown events and actions are [`Event::Ignored`].
///
/// # Errors
/// When the bytes are not JSON, or an event that concerns us lacks what GitHub documents.
pub fn parse(event: &str, body: &[u8]) -> Result<Parsed, PayloadError> {
    payload::parse(event, body)
        .map_err(|source| PayloadError::Malformed { event: event.chars().take(60).collect(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(all: &[&str]) -> WebhookSecrets {
        WebhookSecrets::new(&all.iter().map(|secret| SecretString::from(*secret)).collect::<Vec<_>>())
    }

    #[test]
    fn the_signature_github_publishes_holds_and_no_other_does() {
        const PUBLISHED: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let secret = "It's a Secret to Everybody";
        let check = |all: &[&str], signature: &str, body: &str, expected: bool| {
            assert_eq!(secrets(all).verify(signature, body.as_bytes()), expected, "{signature} {body}");
        };
        check(&[secret], PUBLISHED, "Hello, World!", true);
        check(&["old", secret], PUBLISHED, "Hello, World!", true);
        check(&["other"], PUBLISHED, "Hello, World!", false);
        check(&[secret], PUBLISHED, "Hello, World?", false);
        check(&[secret], &PUBLISHED.replace("sha256=", "sha1="), "Hello, World!", false);
        check(&[secret], &PUBLISHED[..40], "Hello, World!", false);
        check(&[secret], "", "Hello, World!", false);
        check(&[], PUBLISHED, "Hello, World!", false);
    }
}
