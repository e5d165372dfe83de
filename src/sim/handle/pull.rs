//! Pull requests: what their authors and maintainers do with them. Reviews and comments are in `review`.

use serde_json::json;

use super::change::Change;
use super::people::account;
use super::repo::Repo;
use super::{SimError, missing};
use crate::domain::ids::{CommitSha, PullNumber};
use crate::sim::objects::Oid;
use crate::sim::shape;
use crate::sim::state::{Merge, Pull};

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

impl Repo {
    pub(super) fn user(&self, login: &str) -> Result<u64, SimError> {
        Ok(account(&self.sim.world(), login)?.id)
    }

    /// Changes a pull request and answers with what the change gave.
    pub(super) fn change_pull<T>(&self, number: PullNumber, f: impl FnOnce(&mut Pull) -> T) -> Result<T, SimError> {
        let now = self.sim.world().clock.seconds();
        let changed = self.with(|repo| {
            repo.pulls.get_mut(&number.0).map(|pull| {
                pull.updated = now;
                f(pull)
            })
        })?;
        changed.ok_or_else(|| missing("pull request", &number))
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
            labels: Default::default(),
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

    /// Puts a label on it. Sends `labeled`.
    ///
    /// # Errors
    /// When the pull request or the user is unknown.
    pub fn label(&self, number: PullNumber, label: &str, by: &str) -> Result<(), SimError> {
        self.change_label(number, label, by, "labeled", |pull| {
            pull.labels.insert(label.to_owned());
        })
    }

    /// Takes a label off it. Sends `unlabeled`.
    ///
    /// # Errors
    /// When the pull request or the user is unknown.
    pub fn unlabel(&self, number: PullNumber, label: &str, by: &str) -> Result<(), SimError> {
        self.change_label(number, label, by, "unlabeled", |pull| {
            pull.labels.remove(label);
        })
    }

    fn change_label(
        &self,
        number: PullNumber,
        label: &str,
        by: &str,
        action: &str,
        f: impl FnOnce(&mut Pull),
    ) -> Result<(), SimError> {
        let user = self.user(by)?;
        self.change_pull(number, f)?;
        let mut world = self.sim.world();
        let repo = world.repos.get(&self.id).ok_or_else(|| missing("repository", self.name()))?;
        let shown = json!({"label": shape::pull::label(&world, repo, label)});
        world.emit_pull(self.id, number.0, action, user, &shown);
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
        self.change_pull(number, |pull| {
            pull.requested.insert(user);
        })
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
            None => vec![missing("pull request", &number).to_string()],
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
        let change = Change::by(by).in_browser().message(&format!("Merge pull request #{number}\n"));
        let merged = self.push_onto(&base, &[tip, head], &change, files)?;
        let id = Oid::parse(merged.as_str()).ok_or_else(|| missing("commit", &merged))?;
        self.announce(number, "closed", by, |pull, now| {
            (pull.open, pull.closed) = (false, Some(now));
            (pull.base_sha, pull.merged) = (tip, Some(Merge { sha: id, by: user, at: now }));
        })?;
        Ok(merged)
    }
}
