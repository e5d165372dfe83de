//! What changes between two commits, for a checkout that does not hold both. Decides nothing.

use super::answer::part;
use super::content::{self, ChangedFile};
use super::error::GithubError;
use super::repository::Repository;
use super::snapshot::COMPARED_FILES;
use super::wire;
use crate::domain::ids::CommitSha;

impl Repository {
    /// The commit that a revision means; `None` if it means none.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn commit(&self, revision: &str) -> Result<Option<CommitSha>, GithubError> {
        let what = format!("revision {revision} of {}", self.name());
        match self.get::<wire::Commit>(self.route(&format!("/commits/{}", part(revision))), what.clone()).await {
            Ok(commit) => CommitSha::parse(&commit.sha).map(Some).map_err(|error| GithubError::shape(&what, error)),
            Err(GithubError::NotFound { .. } | GithubError::Validation { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The files that head changes since it left base, with renames as long as they are few; `None` where GitHub does not
    /// list them all.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn changes(&self, base: &CommitSha, head: &CommitSha) -> Result<Option<Vec<ChangedFile>>, GithubError> {
        let compared = self.compare(base.as_str(), head).await?;
        if (compared.files.len() as u64) < COMPARED_FILES {
            return Ok(Some(content::read(compared.files).0));
        }
        let what = "a comparison of commits";
        let fork =
            CommitSha::parse(&compared.merge_base_commit.sha).map_err(|error| GithubError::shape(what, error))?;
        let (before, after) = tokio::try_join!(self.tree(&fork), self.tree(head))?;
        Ok((!before.truncated && !after.truncated).then(|| content::between(&before, &after).0))
    }
}
