//! Since when a pull request has had its head: what a person who says something then may have seen. Knows no policy.

use sqlx::Row;

use super::{Store, StoreError, Write, to_db};
use crate::domain::ids::{BranchName, CommitSha, PullNumber, RepoId};

const SEE: &str = "remember a head";

impl Store {
    /// Remembers which head and base branch a pull request was seen with, and answers since when it has had them. `changed_s`
    /// is when GitHub last changed the pull request in any way, so a head that is new here has been there since then at the
    /// latest. With another head or base branch all overrides lapse.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn see_head(
        &self,
        (repo, pull): (RepoId, PullNumber),
        (sha, base): (&CommitSha, &BranchName),
        changed_s: i64,
    ) -> Result<i64, StoreError> {
        let known = sqlx::query("SELECT sha, base, since_s FROM heads WHERE repo_id = $1 AND pull = $2")
            .bind(to_db(repo.0))
            .bind(to_db(pull.0))
            .fetch_optional(&self.pool)
            .await
            .and_then(|row| {
                row.map(|row| {
                    Ok((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?, row.try_get::<i64, _>(2)?))
                })
                .transpose()
            })
            .map_err(StoreError::during(SEE))?;
        if let Some((known_sha, known_base, since_s)) = known
            && known_sha == sha.as_str()
            && known_base == base.as_str()
        {
            return Ok(since_s);
        }
        let mut write = self.write(SEE).await?;
        // A late worker may bring an older head back; then its time must not be older than the newest known.
        let since_s: i64 = sqlx::query_scalar(
            "INSERT INTO heads (repo_id, pull, sha, base, since_s) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (repo_id, pull) DO UPDATE SET sha = excluded.sha, base = excluded.base, \
             since_s = CASE WHEN heads.since_s > excluded.since_s THEN heads.since_s ELSE excluded.since_s END \
             RETURNING since_s",
        )
        .bind(to_db(repo.0))
        .bind(to_db(pull.0))
        .bind(sha.as_str())
        .bind(base.as_str())
        .bind(changed_s)
        .fetch_one(&mut *write.tx)
        .await
        .map_err(StoreError::during(SEE))?;
        lapse(&mut write, repo, pull, i64::MAX).await?;
        write.commit().await?;
        Ok(since_s)
    }

    /// A push or another base branch at this time, in seconds by GitHub's clock: even if the same head is back, nothing that was
    /// said until then is about it. A delivery that comes late or twice takes back nothing that was said since.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head_moved(&self, repo: RepoId, pull: PullNumber, moved_s: i64) -> Result<(), StoreError> {
        let mut write = self.write(SEE).await?;
        sqlx::query("UPDATE heads SET since_s = $3 WHERE repo_id = $1 AND pull = $2 AND since_s < $3")
            .bind(to_db(repo.0))
            .bind(to_db(pull.0))
            .bind(moved_s)
            .execute(&mut *write.tx)
            .await
            .map_err(StoreError::during(SEE))?;
        lapse(&mut write, repo, pull, moved_s.saturating_add(1).saturating_mul(1_000)).await?;
        write.commit().await
    }
}

/// Takes back the overrides that were given before a time, in milliseconds.
async fn lapse(write: &mut Write, repo: RepoId, pull: PullNumber, before_ms: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE overrides SET lapsed = 1 WHERE repo_id = $1 AND pull = $2 AND lapsed = 0 AND at_ms < $3")
        .bind(to_db(repo.0))
        .bind(to_db(pull.0))
        .bind(before_ms)
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(SEE))?;
    Ok(())
}
