//! Who let a pull request through although its evaluation blocks it, with its entry in the audit log. Knows no policy.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError, audit, from_db, to_db};
use crate::domain::audit::AuditEntry;
use crate::domain::ids::{CommitSha, Digest, Login, PullNumber, RepoId, UserId};
use crate::domain::policy::facts::{Blocked, BlockedResult, OverrideFact, Person};

/// More of one pull request than anybody looks at; the newest count.
const MOST: i64 = 50;

const ADD: &str = "record an override";
const CANCEL: &str = "cancel an override";
const READ: &str = "read overrides";

impl Store {
    /// Records an override and its audit entry; false when the same command was recorded before, and then nothing changes.
    /// `place` is the command's place in its comment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_override(
        &self,
        (repo, pull): (RepoId, PullNumber),
        place: i64,
        given: &OverrideFact,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut write = self.write(ADD).await?;
        let added = sqlx::query(
            "INSERT INTO overrides (repo_id, pull, comment_id, place, sha, by_id, by_login, reason, at_ms, lapsed, question, how) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             ON CONFLICT (repo_id, pull, comment_id, place) DO NOTHING",
        )
        .bind(to_db(repo.0))
        .bind(to_db(pull.0))
        .bind(to_db(given.comment_id))
        .bind(place)
        .bind(given.sha.as_str())
        .bind(to_db(given.by.id.0))
        .bind(given.by.login.as_str())
        .bind(given.reason.as_str())
        .bind(given.at_ms)
        .bind(i64::from(given.lapsed))
        .bind(given.given_for.question.0.to_vec())
        .bind(word(given.given_for.how))
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(ADD))?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        audit::append(&mut write, entry).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Takes back the overrides that stand and were given before this command (its comment and its place there): one person's,
    /// or everybody's. Answers how many; only then the audit entry is appended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel_overrides(
        &self,
        (repo, pull): (RepoId, PullNumber),
        (comment, place): (u64, i64),
        by: UserId,
        only_own: bool,
        entry: &AuditEntry,
    ) -> Result<u64, StoreError> {
        let mut write = self.write(CANCEL).await?;
        let cancelled = sqlx::query(
            "UPDATE overrides SET cancelled_by = $1 WHERE repo_id = $2 AND pull = $3 AND lapsed = 0 \
             AND cancelled_by IS NULL AND (comment_id < $4 OR (comment_id = $4 AND place < $5)) \
             AND ($6 = 0 OR by_id = $1)",
        )
        .bind(to_db(by.0))
        .bind(to_db(repo.0))
        .bind(to_db(pull.0))
        .bind(to_db(comment))
        .bind(place)
        .bind(i64::from(only_own))
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(CANCEL))?
        .rows_affected();
        if cancelled > 0 {
            audit::append(&mut write, entry).await?;
        }
        write.commit().await?;
        Ok(cancelled)
    }

    /// The overrides of a pull request that nobody took back, oldest first; those that lapsed are marked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overrides(&self, repo: RepoId, pull: PullNumber) -> Result<Vec<OverrideFact>, StoreError> {
        let rows = sqlx::query(
            "SELECT sha, by_id, by_login, reason, at_ms, comment_id, lapsed, question, how FROM overrides \
             WHERE repo_id = $1 AND pull = $2 AND cancelled_by IS NULL ORDER BY comment_id DESC, place DESC LIMIT $3",
        )
        .bind(to_db(repo.0))
        .bind(to_db(pull.0))
        .bind(MOST)
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during(READ))?;
        rows.iter().rev().map(row).collect()
    }
}

const HOW: [Blocked; 4] = [Blocked::Regression, Blocked::NotMeasured, Blocked::OverBudget, Blocked::BrokenFiles];

/// How a result blocked, as it is kept.
fn word(how: Blocked) -> &'static str {
    match how {
        Blocked::Regression => "regression",
        Blocked::NotMeasured => "not_measured",
        Blocked::OverBudget => "over_budget",
        Blocked::BrokenFiles => "broken_files",
    }
}

fn row(row: &AnyRow) -> Result<OverrideFact, StoreError> {
    const BROKEN: StoreError = StoreError::Corrupt { what: "override" };
    let (sha, login): (String, String) = (column(row, 0)?, column(row, 2)?);
    let login = Login::parse(&login).map_err(|_| BROKEN)?;
    let lapsed: i64 = column(row, 6)?;
    let (question, how): (Vec<u8>, String) = (column(row, 7)?, column(row, 8)?);
    let how = HOW.into_iter().find(|known| word(*known) == how).ok_or(BROKEN)?;
    let question = question.try_into().map(Digest).map_err(|_| BROKEN)?;
    Ok(OverrideFact {
        // Commands of bots are not obeyed.
        by: Person { id: UserId(from_db(column(row, 1)?)), login, is_bot: false },
        reason: column(row, 3)?,
        at_ms: column(row, 4)?,
        comment_id: from_db(column(row, 5)?),
        sha: CommitSha::parse(&sha).map_err(|_| BROKEN)?,
        given_for: BlockedResult { question, how },
        lapsed: lapsed != 0,
    })
}

fn column<'r, T>(row: &'r AnyRow, place: usize) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Any> + sqlx::Type<sqlx::Any>,
{
    row.try_get(place).map_err(StoreError::during(READ))
}
