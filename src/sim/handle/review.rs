//! What people say on a pull request: reviews, comments, the buttons of check runs.

use super::SimError;
use super::missing;
use super::repo::Repo;
use crate::domain::ids::{CommitSha, PullNumber};
use crate::sim::objects::Oid;
use crate::sim::state::{Check, Review};

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

impl Repo {
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
        found.ok_or_else(|| missing("review", &id))?;
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

    /// Changes a comment's text. Sends `edited`.
    ///
    /// # Errors
    /// When the comment or the user is unknown.
    pub fn edit_comment(&self, id: u64, body: &str, by: &str) -> Result<(), SimError> {
        let user = self.user(by)?;
        let found = self.with(|repo| repo.comments.get_mut(&id).map(|comment| body.clone_into(&mut comment.body)))?;
        found.ok_or_else(|| missing("comment", &id))?;
        self.sim.world().emit_comment(self.id, id, "edited", user);
        Ok(())
    }

    /// Deletes a comment.
    ///
    /// # Errors
    /// When the comment is unknown.
    pub fn delete_comment(&self, id: u64) -> Result<(), SimError> {
        self.with(|repo| repo.comments.remove(&id))?.map(drop).ok_or_else(|| missing("comment", &id))
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

    /// Presses "re-run all checks" on a commit. Sends `check_suite` with `rerequested`.
    ///
    /// # Errors
    /// When the commit's id is none, or the user is unknown.
    pub fn rerequest_suite(&self, on: &CommitSha, by: &str) -> Result<(), SimError> {
        let head = Oid::parse(on.as_str()).ok_or_else(|| missing("commit", on))?;
        let user = self.user(by)?;
        self.sim.world().emit_suite(self.id, head, user);
        Ok(())
    }

    fn press(&self, id: u64, by: &str, action: &str, button: Option<&str>) -> Result<(), SimError> {
        let user = self.user(by)?;
        if !self.with(|repo| repo.checks.contains_key(&id))? {
            return Err(missing("check run", &id));
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
}
