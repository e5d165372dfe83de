//! Settings that were seen at a source: what must not be taken for "none" once it cannot be read. Knows no source's meaning.

use sqlx::Row;

use super::{Store, StoreError};
use crate::domain::ids::Digest;

const READ: &str = "read which settings were seen";

impl Store {
    /// Remembers that settings with this digest stand at a source. Writes only what is new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remember_settings(&self, source: &str, digest: Digest, now_ms: i64) -> Result<(), StoreError> {
        const VERB: &str = "remember settings";
        if self.settings_seen(source).await?.is_some_and(|(known, _)| known == digest) {
            return Ok(());
        }
        let mut write = self.write(VERB).await?;
        sqlx::query(
            "INSERT INTO settings_seen (source, digest, seen_ms) VALUES ($1, $2, $3) \
             ON CONFLICT (source) DO UPDATE SET digest = excluded.digest, seen_ms = excluded.seen_ms",
        )
        .bind(source)
        .bind(digest.0.to_vec())
        .bind(now_ms)
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(VERB))?;
        write.commit().await
    }

    /// Forgets a source, after its settings were taken away where everybody can see it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_settings(&self, source: &str) -> Result<(), StoreError> {
        const VERB: &str = "forget settings";
        if self.settings_seen(source).await?.is_none() {
            return Ok(());
        }
        let mut write = self.write(VERB).await?;
        sqlx::query("DELETE FROM settings_seen WHERE source = $1")
            .bind(source)
            .execute(&mut *write.tx)
            .await
            .map_err(StoreError::during(VERB))?;
        write.commit().await
    }

    /// The digest of the settings that were last read at a source and when they were first read so, in milliseconds since
    /// the Unix epoch; `None` if there never were any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settings_seen(&self, source: &str) -> Result<Option<(Digest, i64)>, StoreError> {
        let row = sqlx::query("SELECT digest, seen_ms FROM settings_seen WHERE source = $1")
            .bind(source)
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::during(READ))?;
        let Some(row) = row else { return Ok(None) };
        let digest: Vec<u8> = row.try_get(0).map_err(StoreError::during(READ))?;
        let digest = digest.try_into().map_err(|_| StoreError::Corrupt { what: "memory of settings" })?;
        Ok(Some((Digest(digest), row.try_get(1).map_err(StoreError::during(READ))?)))
    }
}
