//! A base branch by itself: its tip, how it got there, and what it holds for a pull request that changes nothing. Decides nothing.

use super::answer::part;
use super::error::GithubError;
use super::repository::Repository;
use super::snapshot::{PULL_COMMITS, Snapshot};
use super::wire;
use crate::domain::ids::{BranchName, CommitSha, PullNumber};

impl Repository {
    /// A branch's tip; `None` if there is no such branch.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn tip(&self, branch: &BranchName) -> Result<Option<CommitSha>, GithubError> {
        let what = format!("branch {branch} of {}", self.name());
        match self.get::<wire::Ref>(self.route(&ref_route(branch)), what.clone()).await {
            Ok(found) => {
                CommitSha::parse(&found.object.sha).map(Some).map_err(|error| GithubError::shape(&what, error))
            }
            Err(GithubError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The commits that came to a branch between two of its tips. `None` where it did not simply go forward, where they are
    /// more than GitHub lists, or where the earlier tip is gone.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn commits_between(
        &self,
        before: &CommitSha,
        tip: &CommitSha,
    ) -> Result<Option<Vec<CommitSha>>, GithubError> {
        let compared = match self.compare(before.as_str(), tip).await {
            Ok(compared) => compared,
            Err(GithubError::NotFound { .. } | GithubError::Validation { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if compared.merge_base_commit.sha != before.as_str() || compared.total_commits > PULL_COMMITS {
            return Ok(None);
        }
        let commits = self.all_commits(before, tip, compared.total_commits, compared.commits).await?;
        Ok((commits.len() as u64 >= compared.total_commits)
            .then(|| commits.iter().filter_map(|commit| CommitSha::parse(&commit.sha).ok()).collect()))
    }

    /// What a pull request would see at this tip of its base branch if it changed nothing.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn unchanged(&self, number: PullNumber, tip: &CommitSha) -> Result<Snapshot, GithubError> {
        let (pull, base_tree) = tokio::try_join!(self.pull(number), self.tree(tip))?;
        Ok(Snapshot {
            pull,
            base_sha: tip.clone(),
            merge_base: tip.clone(),
            files: Vec::new(),
            commits: Vec::new(),
            base_tree,
            caps: Vec::new(),
        })
    }
}

/// Only the fully named reference says which of a branch and a tag is meant.
pub(super) fn ref_route(branch: &BranchName) -> String {
    let parts: Vec<String> = branch.as_str().split('/').map(part).collect();
    format!("/git/ref/heads/{}", parts.join("/"))
}
