//! Entries of the audit log and the chain of digests that shows a change of any of them. Knows no database.

pub mod chain;
pub mod export;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{CommitSha, Digest, Login, PullNumber, RepoId, RepoName, UserId};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// The gate came to a decision about a pull request.
    Decision,
    /// Somebody let a change through although the evaluation blocks it.
    Override,
    /// Somebody took an override back.
    OverrideCancelled,
    /// Somebody released a commit for evaluation.
    Release,
    /// The settings that control a repository are others than before.
    PolicyChange,
}

/// Who did it, where a person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Their lasting id.
    pub id: UserId,
    /// Their login at that time.
    pub login: Login,
}

/// One entry: who, what, when, on which commit, asked for by which delivery, on which evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// What.
    pub kind: AuditKind,
    /// Who; absent where the gate itself decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// The repository's name at that time.
    pub repo: RepoName,
    /// Its lasting id.
    pub repo_id: RepoId,
    /// The pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<PullNumber>,
    /// The commit it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha: Option<CommitSha>,
    /// The webhook delivery that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// What it came to, in words; a person's reason is among them as it was written.
    pub said: String,
    /// What it rests on, by name: ids of reviews and comments, commits, digests, the key of the run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, String>,
}

/// The digest before the first entry.
pub const BEGINNING: Digest = Digest([0; 32]);

/// The digest of an entry as it is stored: over its place, the digest before it and its text, so that none of these can be
/// changed, left out or put elsewhere unseen.
#[must_use]
pub fn link(seq: i64, before: &Digest, body: &str) -> Digest {
    Digest::of_parts([seq.to_be_bytes().as_slice(), before.0.as_slice(), body.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_predecessor_and_text_all_make_the_digest() {
        let known = link(1, &BEGINNING, "a");
        assert_eq!(known, link(1, &BEGINNING, "a"));
        for other in [link(2, &BEGINNING, "a"), link(1, &known, "a"), link(1, &BEGINNING, "b")] {
            assert_ne!(known, other);
        }
    }
}
