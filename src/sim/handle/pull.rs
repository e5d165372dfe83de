//! Pull requests: what authors, reviewers and maintainers do with them, and what can be read of them.

use serde_json::{Value, json};

use super::change::Change;
use super::people::account;
use super::repo::{Repo, sha};
use super::{SimError, missing};
use crate::domain::ids::{CommitSha, PullNumber, UserId};
use crate::sim::objects::Oid;
use crate::sim::state::{Check, Merge, Pull, Repository, Review};

/// A pull request to be opened.
#[derive(Debug, Clone)]
pub struct NewPull<'a> {
    /// Who opens it.
    pub author: &'a str,
    /// Its title.
    pub title: &'a str,
    /// The branch it brings.
    pub head: &'a str,
    /// The branch it goes to.
    pub base: &'a str,
    /// The fork the head is in; `None`: the same repository.
    pub from: Option<&'a Repo>,
    /// Whether it is a draft.
    pub draft: bool,
}

impl<'a> NewPull<'a> {
    /// A pull request within the repository, ready for review.
    #[must_use]
    pub fn new(author: &'a str, head: &'a str, base: &'a str) -> Self {
        Self { author, title: head, head, base, from: None, draft: false }
    }
}

/// What a reviewer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Approves.
    Approve,
    /// Asks for changes.
    RequestChanges,
    /// Only comments.
    Comment,
    /// Keeps the review to themself for now.
    Pending,
}

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
    fn user(&self, login: &str) -> Result<u64, SimError> {
        Ok(account(&self.sim.world(), login)?.id)
    }

    /// Changes a pull request and answers with what the change gave.
    fn change_pull<T>(&self, number: PullNumber, f: impl FnOnce(&mut Pull) -> T) -> Result<T, SimError> {
        let now = self.sim.world().clock.seconds();
        let changed = self.with(|repo| {
            repo.pulls.get_mut(&number.0).map(|pull| {
                pull.updated = now;
                f(pull)
            })
        })?;
        changed.ok_or_else(|| missing("pull request", number))
    }

    /// Opens a pull request. Sends `opened`.
    ///
    /// # Errors
    /// When a branch or the author is unknown.
    pub fn open_pull(&self, new: &NewPull<'_>) -> Result<PullNumber, SimError> {
        let head_repo = new.from.unwrap_or(self);
        let (author, head_sha, base_sha) =
            (self.user(new.author)?, head_repo.tip_id(new.head)?, self.tip_id(new.base)?);
        let mut world = self.sim.world();
        let (id, now) = (world.next_id(), world.clock.seconds());
        let repo = world.repos.get_mut(&self.id).ok_or_else(|| missing("repository", self.name()))?;
        let number = repo.pulls.keys().last().map_or(1, |last| last + 1);
        let pull = Pull {
            id,
            number,
            title: new.title.to_owned(),
            body: String::new(),
            author,
            head_repo: Some(head_repo.id),
            head_ref: new.head.to_owned(),
            head_sha,
            base_ref: new.base.to_owned(),
            base_sha,
            open: true,
            draft: new.draft,
            locked: false,
            merged: None,
            created: now,
            updated: now,
            closed: None,
            reviews: Vec::new(),
            requested: Default::default(),
            mergeable_unknown: 0,
        };
        repo.pulls.insert(number, pull);
        world.emit_pull(self.id, number, "opened", author, &json!({}));
        Ok(PullNumber(number))
    }

    /// Changes a pull request's base. Sends `edited` with `changes.base`.
    ///
    /// # Errors
    /// When the pull request, the branch or the user is unknown.
    pub fn retarget(&self, number: PullNumber, base: &str, by: &str) -> Result<(), SimError> {
        let (user, tip) = (self.user(by)?, self.tip_id(base)?);
        let old = self.change_pull(number, |pull| {
            let old_ref = std::mem::replace(&mut pull.base_ref, base.to_owned());
            (old_ref, std::mem::replace(&mut pull.base_sha, tip))
        })?;
        let changes = json!({"changes": {"base": {"ref": {"from": old.0}, "sha": {"from": old.1.to_string()}}}});
        self.sim.world().emit_pull(self.id, number.0, "edited", user, &changes);
        Ok(())
    }

    /// Changes the title. Sends `edited` without `changes.base`.
    ///
    /// # Errors
    /// When the pull request or the user is unknown.
    pub fn retitle(&self, number: PullNumber, title: &str, by: &str) -> Result<(), SimError> {
        let user = self.user(by)?;
        let old = self.change_pull(number, |pull| std::mem::replace(&mut pull.title, title.to_owned()))?;
        let changes = json!({"changes": {"title": {"from": old}}});
        self.sim.world().emit_pull(self.id, number.0, "edited", user, &changes);
        Ok(())
    }

    fn announce(
        &self,
        number: PullNumber,
        action: &str,
        by: &str,
        f: impl FnOnce(&mut Pull, u64),
    ) -> Result<(), SimError> {
        let (user, now) = (self.user(by)?, self.sim.world().clock.seconds());
        self.change_pull(number, |pull| f(pull, now))?;
        self.sim.world().emit_pull(self.id, number.0, action, user, &json!({}));
        Ok(())
    }

    /// Closes it. Sends `closed`.
    ///
    /// # Errors
    /// When the pull request or the user is unknown.
    pub fn close(&self, number: PullNumber, by: &str) -> Result<(), SimError> {
        self.announce(number, "closed", by, |pull, now| (pull.open, pull.closed) = (false, Some(now)))
    }

    /// Opens it again. Sends `reopened`.
    ///
    /// # Errors
    /// When the pull request or the user is unknown.
    pub fn reopen(&self, number: PullNumber, by: &str) -> Result<(), SimError> {
        self.announce(number, "reopened", by, |pull, _| (pull.open, pull.closed) = (true, None))
    }

    /// Marks it as ready. Sends `ready_for_review`.
    ///
    /// # Errors
    /// When the pull request or the user is unknown.
    pub fn ready(&self, number: PullNumber, by: &str) -> Result<(), SimError> {
        self.announce(number, "ready_for_review", by, |pull, _| pull.draft = false)
    }

    /// Makes it a draft. Sends `converted_to_draft`.
    ///
    /// # Errors
    /// When the pull request or the user is unknown.
    pub fn to_draft(&self, number: PullNumber, by: &str) -> Result<(), SimError> {
        self.announce(number, "converted_to_draft", by, |pull, _| pull.draft = true)
    }

    /// Locks its conversation.
    ///
    /// # Errors
    /// When the pull request is unknown.
    pub fn lock(&self, number: PullNumber) -> Result<(), SimError> {
        self.change_pull(number, |pull| pull.locked = true)
    }

    /// Lets the next reads of it answer `mergeable: null`, as while GitHub computes.
    ///
    /// # Errors
    /// When the pull request is unknown.
    pub fn mergeable_unknown(&self, number: PullNumber, reads: u32) -> Result<(), SimError> {
        self.change_pull(number, |pull| pull.mergeable_unknown = reads)
    }

    /// Asks someone for a review.
    ///
    /// # Errors
    /// When the pull request or the user is unknown.
    pub fn request_review(&self, number: PullNumber, from: &str) -> Result<(), SimError> {
        let user = self.user(from)?;
        self.change_pull(number, |pull| drop(pull.requested.insert(user)))
    }

    /// Whether GitHub would let it be merged.
    ///
    /// # Errors
    /// One sentence for each thing that keeps it.
    pub fn can_merge(&self, number: PullNumber) -> Result<(), Vec<String>> {
        let world = self.sim.world();
        let repo = world.repos.get(&self.id);
        let blockers = match repo.and_then(|repo| Some((repo, repo.pulls.get(&number.0)?))) {
            Some((repo, pull)) => world.merge_blockers(repo, pull),
            None => vec![missing("pull request", number).to_string()],
        };
        if blockers.is_empty() { Ok(()) } else { Err(blockers) }
    }

    /// Merges it with a merge commit. Sends `push` and `closed`.
    ///
    /// # Errors
    /// When GitHub would not let it be merged.
    pub fn merge(&self, number: PullNumber, by: &str) -> Result<CommitSha, SimError> {
        self.can_merge(number).map_err(|blockers| SimError::Refused(blockers.join("; ")))?;
        let user = self.user(by)?;
        let (base, head) = self.change_pull(number, |pull| (pull.base_ref.clone(), pull.head_sha))?;
        let tip = self.tip_id(&base)?;
        let files = self.sim.world().merged_files(tip, head);
        let change = Change::by(by).message(&format!("Merge pull request #{number}\n"));
        let merged = self.push_onto(&base, &[tip, head], &change, files)?;
        let id = Oid::parse(merged.as_str()).ok_or_else(|| missing("commit", &merged))?;
        self.announce(number, "closed", by, |pull, now| {
            (pull.open, pull.closed) = (false, Some(now));
            (pull.base_sha, pull.merged) = (tip, Some(Merge { sha: id, by: user, at: now }));
        })?;
        Ok(merged)
    }

    /// Submits a review on the current head; answers with its id. Sends `submitted` unless it is pending.
    ///
    /// # Errors
    /// When the pull request or the user is unknown.
    pub fn review(&self, number: PullNumber, by: &str, verdict: Verdict, body: &str) -> Result<u64, SimError> {
        let user = self.user(by)?;
        let state = match verdict {
            Verdict::Approve => "APPROVED",
            Verdict::RequestChanges => "CHANGES_REQUESTED",
            Verdict::Comment => "COMMENTED",
            Verdict::Pending => "PENDING",
        };
        let (id, submitted) = {
            let mut world = self.sim.world();
            (world.next_id(), world.clock.seconds())
        };
        self.change_pull(number, |pull| {
            pull.requested.remove(&user);
            let (body, commit) = (body.to_owned(), pull.head_sha);
            pull.reviews.push(Review { id, user, body, state, commit, submitted });
        })?;
        if verdict != Verdict::Pending {
            self.sim.world().emit_review(self.id, number.0, id, "submitted", user);
        }
        Ok(id)
    }

    fn change_review(
        &self,
        (number, id): (PullNumber, u64),
        action: &str,
        by: &str,
        f: impl FnOnce(&mut Review),
    ) -> Result<(), SimError> {
        let user = self.user(by)?;
        let found = self.change_pull(number, |pull| pull.reviews.iter_mut().find(|one| one.id == id).map(f))?;
        found.ok_or_else(|| missing("review", id))?;
        self.sim.world().emit_review(self.id, number.0, id, action, user);
        Ok(())
    }

    /// Changes a review's text. Sends `edited`.
    ///
    /// # Errors
    /// When the review or the user is unknown.
    pub fn edit_review(&self, number: PullNumber, id: u64, body: &str, by: &str) -> Result<(), SimError> {
        self.change_review((number, id), "edited", by, |review| body.clone_into(&mut review.body))
    }

    /// Dismisses a review. Sends `dismissed`.
    ///
    /// # Errors
    /// When the review or the user is unknown.
    pub fn dismiss(&self, number: PullNumber, id: u64, by: &str) -> Result<(), SimError> {
        self.change_review((number, id), "dismissed", by, |review| review.state = "DISMISSED")
    }

    /// Writes a comment; answers with its id. Sends `created`.
    ///
    /// # Errors
    /// When the pull request or the user is unknown.
    pub fn comment(&self, number: PullNumber, by: &str, body: &str) -> Result<u64, SimError> {
        let user = self.user(by)?;
        self.change_pull(number, |_| ())?;
        let mut world = self.sim.world();
        let id = world.add_comment(self.id, number.0, user, false, body.to_owned());
        world.emit_comment(self.id, id, "created", user);
        Ok(id)
    }

    /// Deletes a comment.
    ///
    /// # Errors
    /// When the comment is unknown.
    pub fn delete_comment(&self, id: u64) -> Result<(), SimError> {
        self.with(|repo| repo.comments.remove(&id))?.map(drop).ok_or_else(|| missing("comment", id))
    }

    /// Presses "re-run" on a check run. Sends `rerequested`; the check run itself stays as it is.
    ///
    /// # Errors
    /// When the check run or the user is unknown.
    pub fn rerequest_check(&self, id: u64, by: &str) -> Result<(), SimError> {
        self.press(id, by, "rerequested", None)
    }

    /// Presses one of a check run's buttons. Sends `requested_action`.
    ///
    /// # Errors
    /// When the check run or the user is unknown.
    pub fn request_action(&self, id: u64, identifier: &str, by: &str) -> Result<(), SimError> {
        self.press(id, by, "requested_action", Some(identifier))
    }

    fn press(&self, id: u64, by: &str, action: &str, button: Option<&str>) -> Result<(), SimError> {
        let user = self.user(by)?;
        if !self.with(|repo| repo.checks.contains_key(&id))? {
            return Err(missing("check run", id));
        }
        self.sim.world().emit_check(self.id, id, action, user, button);
        Ok(())
    }

    /// A finished check run of another app, such as a workflow that forges our name.
    ///
    /// # Errors
    /// When the commit is not a commit's id.
    pub fn foreign_check(&self, app: u64, name: &str, on: &CommitSha, conclusion: &str) -> Result<u64, SimError> {
        let head_sha = Oid::parse(on.as_str()).ok_or_else(|| missing("commit", on))?;
        let id = self.sim.world().next_id();
        let check = Check {
            id,
            app,
            name: name.to_owned(),
            head_sha,
            external_id: String::new(),
            details_url: String::new(),
            status: "completed".to_owned(),
            conclusion: Some(conclusion.to_owned()),
            started: None,
            completed: None,
            title: None,
            summary: None,
            text: None,
            annotations: Vec::new(),
            actions: Vec::new(),
        };
        self.with(|repo| repo.checks.insert(id, check))?;
        Ok(id)
    }

    /// The pull request as it is.
    ///
    /// # Errors
    /// When the pull request is unknown.
    pub fn pull(&self, number: PullNumber) -> Result<PullView, SimError> {
        let pull = self.with(|repo| repo.pulls.get(&number.0).cloned())?;
        let pull = pull.ok_or_else(|| missing("pull request", number))?;
        let (head, merged) = (sha(pull.head_sha)?, pull.merged.is_some());
        Ok(PullView { head, base: pull.base_ref, open: pull.open, draft: pull.draft, merged })
    }

    /// The comments of a pull request, oldest first.
    #[must_use]
    pub fn comments(&self, number: PullNumber) -> Vec<CommentView> {
        let view = |repo: &mut Repository| {
            let comments = repo.comments.values().filter(|comment| comment.number == number.0);
            let view = comments.map(|comment| CommentView {
                id: comment.id,
                author: UserId(comment.user),
                by_app: comment.by_app,
                body: comment.body.clone(),
                reactions: comment.reactions.iter().map(|(_, _, content)| content.clone()).collect(),
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
