//! How the runs of one content came out, so that none is forgotten by running again. Knows no gate.

use sqlx::Row;

use super::{Store, StoreError, to_db};
use crate::domain::gate::rerolls::Runs;
use crate::domain::ids::{Digest, RepoId};

const VERB: &str = "remember how a run came out";

impl Store {
    /// Counts a run that found a regression, or did not, and answers with all runs of that content.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_run(
        &self,
        repo: RepoId,
        content: &Digest,
        found: bool,
        now_ms: i64,
    ) -> Result<Runs, StoreError> {
        let mut write = self.write(VERB).await?;
        let row = sqlx::query(
            "INSERT INTO verdicts (repo_id, content, found, clear, saved_ms) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (repo_id, content) DO UPDATE SET found = verdicts.found + excluded.found, \
             clear = verdicts.clear + excluded.clear, saved_ms = excluded.saved_ms RETURNING found, clear",
        )
        .bind(to_db(repo.0))
        .bind(content.0.to_vec())
        .bind(i64::from(found))
        .bind(i64::from(!found))
        .bind(now_ms)
        .fetch_one(&mut *write.tx)
        .await
        .map_err(StoreError::during(VERB))?;
        let runs = runs(row.try_get(0), row.try_get(1))?;
        write.commit().await?;
        Ok(runs)
    }

    /// The runs of a content so far.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counted_runs(&self, repo: RepoId, content: &Digest) -> Result<Runs, StoreError> {
        let row = sqlx::query("SELECT found, clear FROM verdicts WHERE repo_id = $1 AND content = $2")
            .bind(to_db(repo.0))
            .bind(content.0.to_vec())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::during(VERB))?;
        row.map_or(Ok(Runs::default()), |row| runs(row.try_get(0), row.try_get(1)))
    }
}

fn runs(found: Result<i64, sqlx::Error>, clear: Result<i64, sqlx::Error>) -> Result<Runs, StoreError> {
    let number = |number: Result<i64, sqlx::Error>| {
        number.map(|number| u32::try_from(number).unwrap_or(u32::MAX)).map_err(StoreError::during(VERB))
    };
    Ok(Runs { found: number(found)?, clear: number(clear)? })
}
