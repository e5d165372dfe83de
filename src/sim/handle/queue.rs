//! The merge queue: groups are made of pull requests, their checks are asked for, they are merged or taken back.

use super::change::Change;
use super::repo::Repo;
use super::{SimError, missing};
use crate::domain::ids::{CommitSha, PullNumber};
use crate::sim::objects::Oid;
use crate::sim::state::{Group, Merge};

impl Repo {
    /// Puts a pull request into its base's merge queue: a branch with the merge commit, on top of the group before it. Sends
    /// `push` and `merge_group`; answers with the group's head.
    ///
    /// # Errors
    /// When the pull request is unknown, or the branches conflict.
    pub fn enqueue(&self, number: PullNumber) -> Result<CommitSha, SimError> {
        self.enqueue_with(number, &Change::by("web-flow"))
    }

    /// The same with a group's commit that changes more than its pull request does.
    ///
    /// # Errors
    /// As [`Repo::enqueue`].
    pub fn enqueue_with(&self, number: PullNumber, more: &Change) -> Result<CommitSha, SimError> {
        let (base_ref, head) = self.change_pull(number, |pull| (pull.base_ref.clone(), pull.head_sha))?;
        let before = self.with(|repo| repo.queue.iter().rev().find(|g| g.base_ref == base_ref).map(|g| g.head))?;
        let base = match before {
            Some(head) => head,
            None => self.tip_id(&base_ref)?,
        };
        let files = self.sim.world().merged_files(base, head);
        let files = files.ok_or_else(|| SimError::Refused("the branches conflict".to_owned()))?;
        let branch = format!("gh-readonly-queue/{base_ref}/pr-{number}-{base}");
        let change = more.clone().message(&format!("Merge pull request #{number}\n"));
        let head = self.push_onto(&branch, &[base, head], &change, Some(files))?;
        let id = Oid::parse(head.as_str()).ok_or_else(|| missing("commit", &head))?;
        let group = Group { branch: branch.clone(), head: id, base, base_ref, pull: number.0 };
        self.with(|repo| repo.queue.push(group))?;
        self.sim.world().emit_group(self.id, &branch, "checks_requested", None);
        Ok(head)
    }

    /// Takes a group out of the queue. Sends `destroyed`.
    ///
    /// # Errors
    /// When there is no such group.
    pub fn dequeue(&self, head: &CommitSha) -> Result<(), SimError> {
        self.destroy(head, "dequeued").map(|_| ())
    }

    fn group(&self, head: &CommitSha) -> Result<Group, SimError> {
        let id = Oid::parse(head.as_str());
        let found = self.with(|repo| repo.queue.iter().find(|group| Some(group.head) == id).cloned())?;
        found.ok_or_else(|| missing("merge group", head))
    }

    fn destroy(&self, head: &CommitSha, reason: &str) -> Result<Group, SimError> {
        let group = self.group(head)?;
        self.sim.world().emit_group(self.id, &group.branch, "destroyed", Some(reason));
        self.with(|repo| {
            repo.queue.retain(|other| other.head != group.head);
            repo.branches.remove(&group.branch);
        })?;
        Ok(group)
    }

    /// Whether GitHub would merge a group: the checks its base requires have passed on its own head.
    ///
    /// # Errors
    /// One sentence for each thing that keeps it.
    pub fn can_merge_group(&self, head: &CommitSha) -> Result<(), Vec<String>> {
        let group = self.group(head).map_err(|error| vec![error.to_string()])?;
        let world = self.sim.world();
        let blockers = world.repos.get(&self.id).map_or_else(Vec::new, |repo| world.group_blockers(repo, &group));
        if blockers.is_empty() { Ok(()) } else { Err(blockers) }
    }

    /// Merges a group: its base moves to the group's head. Sends `destroyed`, `push` and `closed`.
    ///
    /// # Errors
    /// When GitHub would not merge it.
    pub fn merge_group(&self, head: &CommitSha, by: &str) -> Result<(), SimError> {
        self.can_merge_group(head).map_err(|blockers| SimError::Refused(blockers.join("; ")))?;
        let (user, now) = (self.user(by)?, self.sim.world().clock.seconds());
        let group = self.destroy(head, "merged")?;
        self.sim.world().move_branch(self.id, &group.base_ref, group.head, user);
        self.change_pull(PullNumber(group.pull), |pull| {
            (pull.open, pull.closed) = (false, Some(now));
            (pull.base_sha, pull.merged) = (group.base, Some(Merge { sha: group.head, by: user, at: now }));
        })?;
        self.sim.world().emit_pull(self.id, group.pull, "closed", user, &serde_json::json!({}));
        Ok(())
    }
}
