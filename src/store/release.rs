//! The commits of forks that a person has released, with the entry in the audit log. Knows no policy.

use super::{Store, StoreError, audit, from_db, to_db};
use crate::domain::audit::AuditEntry;
use crate::domain::ids::{CommitSha, PullNumber, RepoId, UserId};

impl Store {
    /// Remembers that a person has released exactly this commit for evaluation, with its audit entry; the first to do so
    /// stays, and then nothing is appended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_sha(
        &self,
        (repo, pull): (RepoId, PullNumber),
        sha: &CommitSha,
        by: UserId,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        const VERB: &str = "record a release";
        let mut write = self.write(VERB).await?;
        let released = sqlx::query(
            "INSERT INTO releases (repo_id, pull, sha, released_by, released_ms) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (repo_id, pull, sha) DO NOTHING",
        )
        .bind(to_db(repo.0))
        .bind(to_db(pull.0))
        .bind(sha.as_str())
        .bind(to_db(by.0))
        .bind(entry.at_ms)
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(VERB))?;
        if released.rows_affected() > 0 {
            audit::append(&mut write, entry).await?;
        }
        write.commit().await
    }

    /// Who has released this commit, if anybody has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn released_by(
        &self,
        repo: RepoId,
        pull: PullNumber,
        sha: &CommitSha,
    ) -> Result<Option<UserId>, StoreError> {
        let by: Option<i64> =
            sqlx::query_scalar("SELECT released_by FROM releases WHERE repo_id = $1 AND pull = $2 AND sha = $3")
                .bind(to_db(repo.0))
                .bind(to_db(pull.0))
                .bind(sha.as_str())
                .fetch_optional(&self.pool)
                .await
                .map_err(StoreError::during("read a release"))?;
        Ok(by.map(|by| UserId(from_db(by))))
    }
}
