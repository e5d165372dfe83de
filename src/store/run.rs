//! Runs as text, kept so that a verdict can be replayed. Knows nothing of what a run holds.

use sqlx::Row;

use super::audit::{self, AuditNote};
use super::{Saved, Store, StoreError};

/// A run as it was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRun {
    /// Grows with each newer result of the same key.
    pub generation: i64,
    /// The run.
    pub body: String,
    /// When it was saved.
    pub saved_ms: i64,
}

impl Store {
    /// Saves a run unless a newer generation of it is stored; the same generation is replaced.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_run(&self, key: &str, generation: i64, body: &str, now_ms: i64) -> Result<Saved, StoreError> {
        self.save_run_noting(key, generation, body, now_ms, &[]).await
    }

    /// The same, and notes in the audit log what the run came to: both or neither. A run that is stale notes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_run_noting(
        &self,
        key: &str,
        generation: i64,
        body: &str,
        now_ms: i64,
        notes: &[AuditNote],
    ) -> Result<Saved, StoreError> {
        const VERB: &str = "save a run";
        let mut write = self.write(VERB).await?;
        let saved = sqlx::query(
            "INSERT INTO runs (run_key, generation, body, saved_ms) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (run_key) DO UPDATE SET generation = excluded.generation, body = excluded.body, \
             saved_ms = excluded.saved_ms WHERE runs.generation <= excluded.generation",
        )
        .bind(key)
        .bind(generation)
        .bind(body)
        .bind(now_ms)
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(VERB))?;
        let is_stored = saved.rows_affected() == 1;
        if is_stored {
            audit::note(&mut write, notes).await?;
        }
        write.commit().await?;
        Ok(if is_stored { Saved::Stored(generation) } else { Saved::Stale })
    }

    /// The run of a key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load_run(&self, key: &str) -> Result<Option<StoredRun>, StoreError> {
        let row = sqlx::query("SELECT generation, body, saved_ms FROM runs WHERE run_key = $1")
            .bind(key)
            .fetch_optional(&self.pool)
            .await
            .and_then(|row| {
                row.map(|row| {
                    Ok(StoredRun { generation: row.try_get(0)?, body: row.try_get(1)?, saved_ms: row.try_get(2)? })
                })
                .transpose()
            });
        row.map_err(StoreError::during("load a run"))
    }
}
