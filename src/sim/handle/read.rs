//! What a test reads of pull requests, comments and check runs.

use serde_json::Value;

use super::repo::{Repo, sha};
use super::{SimError, missing};
use crate::domain::ids::{CommitSha, PullNumber, UserId};
use crate::sim::objects::Oid;
use crate::sim::state::{Check, Repository};

/// A pull request as a test reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullView {
    /// The head's commit.
    pub head: CommitSha,
    /// The branch it goes to.
    pub base: String,
    /// Whether it is open.
    pub open: bool,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether it was merged.
    pub merged: bool,
}

/// A comment as a test reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentView {
    /// Its id.
    pub id: u64,
    /// Who wrote it.
    pub author: UserId,
    /// Whether the app wrote it.
    pub by_app: bool,
    /// Its text.
    pub body: String,
    /// Reactions to it.
    pub reactions: Vec<String>,
}

/// A check run as a test reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckView {
    /// Its id.
    pub id: u64,
    /// The app that made it.
    pub app_id: u64,
    /// Its name.
    pub name: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// How it ended.
    pub conclusion: Option<String>,
    /// The app's own name for it.
    pub external_id: String,
    /// The output's title.
    pub title: Option<String>,
    /// The output's summary.
    pub summary: Option<String>,
    /// The output's text.
    pub text: Option<String>,
    /// All annotations so far.
    pub annotations: Vec<Value>,
    /// The buttons.
    pub actions: Vec<Value>,
}

impl From<&Check> for CheckView {
    fn from(check: &Check) -> Self {
        Self {
            id: check.id,
            app_id: check.app,
            name: check.name.clone(),
            status: check.status.clone(),
            conclusion: check.conclusion.clone(),
            external_id: check.external_id.clone(),
            title: check.title.clone(),
            summary: check.summary.clone(),
            text: check.text.clone(),
            annotations: check.annotations.clone(),
            actions: check.actions.clone(),
        }
    }
}

impl Repo {
    /// The pull request as it is.
    ///
    /// # Errors
    /// When the pull request is unknown.
    pub fn pull(&self, number: PullNumber) -> Result<PullView, SimError> {
        let pull = self.with(|repo| repo.pulls.get(&number.0).cloned())?;
        let pull = pull.ok_or_else(|| missing("pull request", &number))?;
        let (head, merged) = (sha(pull.head_sha)?, pull.merged.is_some());
        Ok(PullView { head, base: pull.base_ref, open: pull.open, draft: pull.draft, merged })
    }

    /// The comments of a pull request, oldest first; they count as read.
    #[must_use]
    pub fn comments(&self, number: PullNumber) -> Vec<CommentView> {
        let view = |repo: &mut Repository| {
            let comments = repo.comments.values_mut().filter(|comment| comment.number == number.0);
            let view = comments.map(|comment| {
                comment.unread = false;
                CommentView {
                    id: comment.id,
                    author: UserId(comment.user),
                    by_app: comment.by_app,
                    body: comment.body.clone(),
                    reactions: comment.reactions.iter().map(|(_, _, content)| content.clone()).collect(),
                }
            });
            view.collect()
        };
        self.with(view).unwrap_or_default()
    }

    /// All check runs on a commit, oldest first.
    #[must_use]
    pub fn check_runs(&self, on: &CommitSha) -> Vec<CheckView> {
        let id = Oid::parse(on.as_str());
        let view = |repo: &mut Repository| {
            repo.checks.values().filter(|check| Some(check.head_sha) == id).map(CheckView::from).collect()
        };
        self.with(view).unwrap_or_default()
    }
}
