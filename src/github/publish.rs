//! What we write to a pull request: two checks and one comment, each an upsert that finds what is already there. Renders
//! nothing and keeps no ids: they are taken and given back.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Ask, Repeat};
use super::check::CheckRun;
use super::error::GithubError;
use super::repository::Repository;
use super::wire;
use crate::domain::ids::{BranchName, CommitSha, Digest, PullNumber};

/// The marker of the one comment.
pub const REPORT_MARKER: &str = "<!-- promptops:report -->";
/// Characters GitHub takes in a comment.
const COMMENT_CHARS: usize = 65_536;

/// A comment's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommentId(pub u64);

/// A check run's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckId(pub u64);

/// What is remembered of a thing that may have been written before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remembered<T> {
    /// It was written under this id.
    Id(T),
    /// No attempt was ever made: it is created without looking.
    Never,
    /// An attempt may have been made whose answer was lost: it is looked for first.
    Unsure,
}

/// A pull request as it was when what is to be published was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The pull request.
    pub number: PullNumber,
    /// The commit all of it is about.
    pub sha: CommitSha,
    /// The base branch it is about.
    pub base: BranchName,
}

/// The comment to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentWrite {
    /// Its text with [`REPORT_MARKER`].
    pub body: String,
    /// What is remembered of it.
    pub known: Remembered<CommentId>,
    /// The digest of what it said last, if known: the same is not written again.
    pub last: Option<Digest>,
}

/// A check to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckWrite {
    /// The check.
    pub run: CheckRun,
    /// What is remembered of it. GitHub appends annotations to a check it knows: a re-run that has some says `Never`.
    pub known: Remembered<CheckId>,
    /// The digest of what it said last, if known: the same is not written again.
    pub last: Option<Digest>,
}

/// What became of the comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentOutcome {
    /// It says what it should.
    Written {
        /// Its id.
        id: CommentId,
        /// The digest of what it says.
        digest: Digest,
    },
    /// The conversation is locked, so it could not be written.
    Locked,
}

impl Repository {
    /// The head of the pull request if it has another head or base by now: then nothing that was decided about `head` is to be
    /// published.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn moved(&self, head: &Head) -> Result<Option<CommitSha>, GithubError> {
        let now = self.pull(head.number).await?;
        Ok((now.head_sha != head.sha || now.base_branch != head.base).then_some(now.head_sha))
    }

    /// Writes checks onto a commit, without a look at any pull request: `queued` right after a push, `cancelled` on a commit
    /// that was overtaken.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn upsert_checks(
        &self,
        sha: &CommitSha,
        checks: &[CheckWrite],
    ) -> Result<Vec<(CheckId, Digest)>, GithubError> {
        let there = if checks.iter().any(|check| check.known == Remembered::Unsure) {
            self.own_checks(sha).await?
        } else {
            Vec::new()
        };
        let mut written = Vec::with_capacity(checks.len());
        for check in checks {
            let digest = check.run.digest(sha);
            let id = match check.known {
                Remembered::Id(id) if check.last == Some(digest) => Some(id),
                Remembered::Id(id) => self.update_check(id, &check.run).await?,
                Remembered::Unsure => match there.iter().find(|there| there.name == check.run.name) {
                    Some(there) => self.update_check(CheckId(there.id), &check.run).await?,
                    None => None,
                },
                Remembered::Never => None,
            };
            let id = match id {
                Some(id) => id,
                None => self.create_check(sha, &check.run).await?,
            };
            written.push((id, digest));
        }
        Ok(written)
    }

    /// How many annotations our check of this name on a commit has; 0 if it is not there.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn annotations_on(&self, sha: &CommitSha, name: &str) -> Result<u64, GithubError> {
        let there = self.own_checks(sha).await?;
        Ok(there.iter().find(|run| run.name == name).map_or(0, |run| run.output.annotations_count))
    }

    /// Our checks on a commit; another app's check of the same name is not ours.
    async fn own_checks(&self, sha: &CommitSha) -> Result<Vec<wire::CheckRun>, GithubError> {
        let Some(app) = self.github().app_id() else { return Ok(Vec::new()) };
        let what = format!("the checks of {}@{}", self.name(), sha.short());
        let route = format!("/commits/{sha}/check-runs?filter=latest&app_id={app}&per_page=100");
        let found: wire::CheckRuns = self.get(self.route(&route), what).await?;
        let ours = found.check_runs.into_iter().filter(|run| run.app.as_ref().is_some_and(|by| by.id == app));
        Ok(ours.collect())
    }

    async fn create_check(&self, sha: &CommitSha, run: &CheckRun) -> Result<CheckId, GithubError> {
        let what = format!("check `{}` on {}@{}", run.name, self.name(), sha.short());
        let ask = Ask::post(self.route("/check-runs"), run.body(Some(sha)), what);
        let created: wire::Numbered = self.ask(&ask).await?.parse(&ask.what)?;
        let id = CheckId(created.id);
        self.append_pages(id, run).await?;
        Ok(id)
    }

    /// `None` if the check is gone.
    async fn update_check(&self, id: CheckId, run: &CheckRun) -> Result<Option<CheckId>, GithubError> {
        let what = format!("check `{}` of {}", run.name, self.name());
        // Annotations are appended each time, so a change that brings some must not happen twice.
        let repeat = if run.output.annotations.is_empty() { Repeat::Safe } else { Repeat::Never };
        let ask = Ask::patch(self.route(&format!("/check-runs/{}", id.0)), run.body(None), repeat, what);
        match self.ask(&ask).await {
            Ok(_) => {}
            Err(GithubError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
        self.append_pages(id, run).await?;
        Ok(Some(id))
    }

    async fn append_pages(&self, id: CheckId, run: &CheckRun) -> Result<(), GithubError> {
        for page in run.pages() {
            let what = format!("annotations of check `{}` of {}", run.name, self.name());
            self.ask(&Ask::patch(self.route(&format!("/check-runs/{}", id.0)), page, Repeat::Never, what)).await?;
        }
        Ok(())
    }

    /// Writes the one comment: by its id, else by its marker and our app as its author, else anew.
    ///
    /// # Errors
    /// Whatever a call can meet, except a locked conversation, which is an outcome.
    pub async fn upsert_comment(
        &self,
        number: PullNumber,
        comment: &CommentWrite,
    ) -> Result<CommentOutcome, GithubError> {
        let body: String = comment.body.chars().take(COMMENT_CHARS).collect();
        let digest = Digest::of_parts([body.as_bytes()]);
        let known = match comment.known {
            Remembered::Id(id) if comment.last == Some(digest) => return Ok(CommentOutcome::Written { id, digest }),
            Remembered::Id(id) => Some(id),
            Remembered::Unsure => self.own_comment(number, REPORT_MARKER).await?,
            Remembered::Never => None,
        };
        let written = match known {
            Some(id) => match self.update_comment(number, id, &body).await {
                // Somebody deleted it: a look for another one, then a new one.
                Err(GithubError::NotFound { .. }) => match self.own_comment(number, REPORT_MARKER).await? {
                    Some(id) => self.update_comment(number, id, &body).await,
                    None => self.create_comment(number, &body).await,
                },
                other => other,
            },
            None => self.create_comment(number, &body).await,
        };
        outcome(written, digest)
    }

    /// Answers a command in a comment of its own, once: `marker` is in `body` and names the command.
    ///
    /// # Errors
    /// Whatever a call can meet, except a locked conversation, which is an outcome.
    pub async fn comment_once(
        &self,
        number: PullNumber,
        body: &str,
        marker: &str,
    ) -> Result<CommentOutcome, GithubError> {
        let body: String = body.chars().take(COMMENT_CHARS).collect();
        let digest = Digest::of_parts([body.as_bytes()]);
        let written = match self.own_comment(number, marker).await? {
            Some(id) => Ok(id),
            None => self.create_comment(number, &body).await,
        };
        outcome(written, digest)
    }

    /// Whether our report stands in a comment of the pull request.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn has_report(&self, number: PullNumber) -> Result<bool, GithubError> {
        Ok(self.own_comment(number, REPORT_MARKER).await?.is_some())
    }

    /// The first comment with the marker that our own app, or the token's holder, wrote; anybody can copy a marker.
    async fn own_comment(&self, number: PullNumber, marker: &str) -> Result<Option<CommentId>, GithubError> {
        let Some(app) = self.github().app_id() else { return self.comment_by_login(number, marker).await };
        let marked = |comment: &wire::Comment| comment.body.as_deref().is_some_and(|body| body.contains(marker));
        let by_us = |comment: &wire::Comment| comment.performed_via_github_app.as_ref().is_some_and(|by| by.id == app);
        let route = self.route(&format!("/issues/{number}/comments"));
        let what = format!("the comments of {}#{number}", self.name());
        let comments: Vec<wire::Comment> = self
            .pages(&route, &what, |page: &[wire::Comment]| page.iter().any(|comment| marked(comment) && by_us(comment)))
            .await?;
        let marked: Vec<&wire::Comment> = comments.iter().filter(|comment| marked(comment)).collect();
        if let Some(ours) = marked.iter().find(|comment| by_us(comment)) {
            return Ok(Some(CommentId(ours.id)));
        }
        // Some servers do not say which app wrote a comment; then the app's own account does.
        let by_bot = |comment: &&&wire::Comment| {
            comment.performed_via_github_app.is_none() && comment.user.as_ref().is_some_and(wire::Account::is_bot)
        };
        if !marked.iter().any(|comment| by_bot(&comment)) {
            return Ok(None);
        }
        let login = self.github().own_login().await?;
        let ours = marked.iter().filter(by_bot).find(|comment| comment.user.as_ref().is_some_and(|by| by.is(&login)));
        Ok(ours.map(|comment| CommentId(comment.id)))
    }

    /// The same where there is no app. A job's account writes for other steps too, which may quote anybody: only a text that
    /// begins with the marker is ours.
    async fn comment_by_login(&self, number: PullNumber, marker: &str) -> Result<Option<CommentId>, GithubError> {
        let login = self.github().own_login().await?;
        let is_ours = |comment: &wire::Comment| {
            let by_us = |by: &wire::Account| by.is(&login) || (by.is_bot() && by.is(&format!("{login}[bot]")));
            comment.user.as_ref().is_some_and(by_us)
                && comment.body.as_deref().is_some_and(|body| body.starts_with(marker))
        };
        let route = self.route(&format!("/issues/{number}/comments"));
        let what = format!("the comments of {}#{number}", self.name());
        let comments: Vec<wire::Comment> =
            self.pages(&route, &what, |page: &[wire::Comment]| page.iter().any(is_ours)).await?;
        Ok(comments.iter().find(|comment| is_ours(comment)).map(|comment| CommentId(comment.id)))
    }

    async fn create_comment(&self, number: PullNumber, body: &str) -> Result<CommentId, GithubError> {
        let what = format!("a comment on {}#{number}", self.name());
        let ask = Ask::post(self.route(&format!("/issues/{number}/comments")), json!({ "body": body }), what);
        let created: wire::Numbered = self.ask(&ask).await?.parse(&ask.what)?;
        Ok(CommentId(created.id))
    }

    async fn update_comment(&self, number: PullNumber, id: CommentId, body: &str) -> Result<CommentId, GithubError> {
        let what = format!("our comment on {}#{number}", self.name());
        let route = self.route(&format!("/issues/comments/{}", id.0));
        self.ask(&Ask::patch(route, json!({ "body": body }), Repeat::Safe, what)).await?;
        Ok(id)
    }
}

fn outcome(written: Result<CommentId, GithubError>, digest: Digest) -> Result<CommentOutcome, GithubError> {
    match written {
        Ok(id) => Ok(CommentOutcome::Written { id, digest }),
        Err(GithubError::Forbidden { message, .. }) if message.contains("locked") => Ok(CommentOutcome::Locked),
        Err(error) => Err(error),
    }
}
