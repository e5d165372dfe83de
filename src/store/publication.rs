//! Our comment on a pull request, so that it is edited and not repeated, and the generation that keeps late writers away.
//! Knows no GitHub call.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Saved, Store, StoreError, from_db, to_db};
use crate::domain::ids::{Digest, PullNumber, RepoId};

/// What is on a pull request. A value read, changed and saved; saving fails if another did so in between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// How often it was saved: 0 when never.
    pub generation: i64,
    /// Our comment.
    pub comment_id: Option<u64>,
    /// Of the comment's text, so that an unchanged one is not written again.
    pub comment_digest: Option<Digest>,
}

const LOAD: &str = "load a publication";
const SAVE: &str = "save a publication";

impl Store {
    /// What is on a pull request; empty when we never wrote there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn publication(&self, repo: RepoId, pull: PullNumber) -> Result<Publication, StoreError> {
        let row = sqlx::query(
            "SELECT generation, comment_id, comment_digest FROM publications WHERE repo_id = $1 AND pull = $2",
        )
        .bind(to_db(repo.0))
        .bind(to_db(pull.0))
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during(LOAD))?;
        row.map_or_else(|| Ok(Publication::default()), |row| from_row(&row))
    }

    /// Saves over exactly the generation that was read. A late worker gets [`Saved::Stale`] and must not write.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_publication(
        &self,
        repo: RepoId,
        pull: PullNumber,
        publication: &Publication,
    ) -> Result<Saved, StoreError> {
        let next = publication.generation + 1;
        let sql = if publication.generation == 0 {
            "INSERT INTO publications (repo_id, pull, generation, comment_id, comment_digest, checks) \
             VALUES ($1, $2, $3, $4, $5, '[]') ON CONFLICT (repo_id, pull) DO NOTHING"
        } else {
            "UPDATE publications SET generation = $3, comment_id = $4, comment_digest = $5 \
             WHERE repo_id = $1 AND pull = $2 AND generation = $3 - 1"
        };
        let mut write = self.write(SAVE).await?;
        let saved = sqlx::query(sql)
            .bind(to_db(repo.0))
            .bind(to_db(pull.0))
            .bind(next)
            .bind(publication.comment_id.map(to_db))
            .bind(publication.comment_digest.map(|digest| digest.0.to_vec()))
            .execute(&mut *write.tx)
            .await
            .map_err(StoreError::during(SAVE))?;
        write.commit().await?;
        Ok(if saved.rows_affected() == 1 { Saved::Stored(next) } else { Saved::Stale })
    }
}

fn from_row(row: &AnyRow) -> Result<Publication, StoreError> {
    const BROKEN: StoreError = StoreError::Corrupt { what: "publication" };
    let comment_id: Option<i64> = row.try_get(1).map_err(StoreError::during(LOAD))?;
    let digest: Option<Vec<u8>> = row.try_get(2).map_err(StoreError::during(LOAD))?;
    let digest = digest.map(|bytes| bytes.try_into().map(Digest).map_err(|_| BROKEN)).transpose()?;
    Ok(Publication {
        generation: row.try_get(0).map_err(StoreError::during(LOAD))?,
        comment_id: comment_id.map(from_db),
        comment_digest: digest,
    })
}
