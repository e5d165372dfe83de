//! Money spent and set aside, per repository, pull request, author and day, in millionths of a USD. Knows no price.

use sqlx::Row;

use super::{Store, StoreError, Write, to_db};
use crate::domain::ids::{PullNumber, RepoId, UserId};

const MS_PER_DAY: i64 = 86_400_000;

/// For whom money is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payer {
    /// The repository.
    pub repo: RepoId,
    /// The pull request.
    pub pull: PullNumber,
    /// Who opened it; 0 for a deleted account.
    pub author: UserId,
}

/// Most that may be spent and set aside together; an absent one is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpendLimits {
    /// For the pull request.
    pub pull: Option<i64>,
    /// For the repository on one day.
    pub day: Option<i64>,
    /// For the author on one day.
    pub author_day: Option<i64>,
}

/// Which of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendLimit {
    /// The pull request's.
    Pull,
    /// The day's.
    Day,
    /// The author's.
    AuthorDay,
}

/// What came of asking for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// It is set aside.
    Granted,
    /// A limit stands against it; nothing was changed.
    Refused {
        /// Which.
        limit: SpendLimit,
        /// How much it is.
        most: i64,
        /// What is spent of it.
        spent: i64,
        /// What is set aside of it, by this run and others.
        reserved: i64,
    },
}

impl Store {
    /// Sets money aside for the run `id`, on top of what it has, until `until_ms`; all of it or nothing.
    ///
    /// # Errors
    /// When the database fails; then nothing is set aside.
    pub async fn reserve_spend(
        &self,
        id: &str,
        payer: Payer,
        usd_micros: i64,
        limits: SpendLimits,
        (now_ms, until_ms): (i64, i64),
    ) -> Result<Reserved, StoreError> {
        const VERB: &str = "reserve money";
        let mut write = self.write(VERB).await?;
        let lock = "INSERT INTO purses (repo_id, asked_ms) VALUES ($1, $2) \
                    ON CONFLICT (repo_id) DO UPDATE SET asked_ms = excluded.asked_ms";
        let locked = sqlx::query(lock).bind(to_db(payer.repo.0)).bind(now_ms).execute(&mut *write.tx).await;
        locked.map_err(StoreError::during(VERB))?;
        let (spent, reserved) = (spent(&mut write, payer, now_ms).await?, reserved(&mut write, payer, now_ms).await?);
        for (limit, most, spent, reserved) in [
            (SpendLimit::Pull, limits.pull, spent.pull, reserved.pull),
            (SpendLimit::Day, limits.day, spent.day, reserved.day),
            (SpendLimit::AuthorDay, limits.author_day, spent.author_day, reserved.author_day),
        ] {
            if let Some(most) = most.filter(|most| spent.saturating_add(reserved).saturating_add(usd_micros) > *most) {
                return Ok(Reserved::Refused { limit, most, spent, reserved });
            }
        }
        let set_aside = "INSERT INTO reservations (id, repo_id, pull, author, usd_micros, until_ms) \
                         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET \
                         usd_micros = reservations.usd_micros + excluded.usd_micros, until_ms = excluded.until_ms";
        sqlx::query(set_aside)
            .bind(id)
            .bind(to_db(payer.repo.0))
            .bind(to_db(payer.pull.0))
            .bind(to_db(payer.author.0))
            .bind(usd_micros)
            .bind(until_ms)
            .execute(&mut *write.tx)
            .await
            .map_err(StoreError::during(VERB))?;
        write.commit().await?;
        Ok(Reserved::Granted)
    }

    /// Counts money as spent by the run `id` now. What it has set aside shrinks by as much and holds until `until_ms`;
    /// `None` ends the run, and what is left is free again.
    ///
    /// # Errors
    /// When the database fails; then nothing is counted.
    pub async fn settle_spend(
        &self,
        id: &str,
        payer: Payer,
        usd_micros: i64,
        now_ms: i64,
        until_ms: Option<i64>,
    ) -> Result<(), StoreError> {
        const VERB: &str = "settle money";
        let mut write = self.write(VERB).await?;
        if usd_micros != 0 {
            let count = "INSERT INTO expenses (repo_id, day, pull, author, usd_micros) VALUES ($1, $2, $3, $4, $5) \
                         ON CONFLICT (repo_id, day, pull, author) DO UPDATE SET \
                         usd_micros = expenses.usd_micros + excluded.usd_micros";
            sqlx::query(count)
                .bind(to_db(payer.repo.0))
                .bind(now_ms.div_euclid(MS_PER_DAY))
                .bind(to_db(payer.pull.0))
                .bind(to_db(payer.author.0))
                .bind(usd_micros)
                .execute(&mut *write.tx)
                .await
                .map_err(StoreError::during(VERB))?;
        }
        let settled = match until_ms {
            None => sqlx::query("DELETE FROM reservations WHERE id = $1").bind(id),
            Some(until_ms) => sqlx::query(
                "UPDATE reservations SET until_ms = $3, \
                 usd_micros = CASE WHEN usd_micros > $2 THEN usd_micros - $2 ELSE 0 END WHERE id = $1",
            )
            .bind(id)
            .bind(usd_micros)
            .bind(until_ms),
        };
        settled.execute(&mut *write.tx).await.map_err(StoreError::during(VERB))?;
        write.commit().await
    }

    /// What a repository has spent on the day of `now_ms` (UTC).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spent_on_day(&self, repo: RepoId, now_ms: i64) -> Result<i64, StoreError> {
        let sum = "SELECT CAST(COALESCE(SUM(usd_micros), 0) AS BIGINT) FROM expenses WHERE repo_id = $1 AND day = $2";
        sqlx::query_scalar(sum)
            .bind(to_db(repo.0))
            .bind(now_ms.div_euclid(MS_PER_DAY))
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::during("read the spending"))
    }
}

/// Sums as the three limits see them.
struct Sums {
    pull: i64,
    day: i64,
    author_day: i64,
}

async fn spent(write: &mut Write, payer: Payer, now_ms: i64) -> Result<Sums, StoreError> {
    let sums = "SELECT CAST(COALESCE(SUM(CASE WHEN pull = $3 THEN usd_micros ELSE 0 END), 0) AS BIGINT), \
                CAST(COALESCE(SUM(CASE WHEN day = $2 THEN usd_micros ELSE 0 END), 0) AS BIGINT), \
                CAST(COALESCE(SUM(CASE WHEN day = $2 AND author = $4 THEN usd_micros ELSE 0 END), 0) AS BIGINT) \
                FROM expenses WHERE repo_id = $1 AND (day = $2 OR pull = $3)";
    read(write, sums, payer, now_ms.div_euclid(MS_PER_DAY)).await
}

/// All that is set aside counts for the day, whenever it was: it will be spent today.
async fn reserved(write: &mut Write, payer: Payer, now_ms: i64) -> Result<Sums, StoreError> {
    let sums = "SELECT CAST(COALESCE(SUM(CASE WHEN pull = $3 THEN usd_micros ELSE 0 END), 0) AS BIGINT), \
                CAST(COALESCE(SUM(usd_micros), 0) AS BIGINT), \
                CAST(COALESCE(SUM(CASE WHEN author = $4 THEN usd_micros ELSE 0 END), 0) AS BIGINT) \
                FROM reservations WHERE repo_id = $1 AND until_ms > $2";
    read(write, sums, payer, now_ms).await
}

async fn read(write: &mut Write, sums: &'static str, payer: Payer, when: i64) -> Result<Sums, StoreError> {
    let query = sqlx::query(sums).bind(to_db(payer.repo.0)).bind(when);
    let query = query.bind(to_db(payer.pull.0)).bind(to_db(payer.author.0));
    let row = query.fetch_one(&mut *write.tx).await.map_err(StoreError::during(write.verb))?;
    let read = |at: usize| row.try_get::<i64, _>(at).map_err(StoreError::during(write.verb));
    Ok(Sums { pull: read(0)?, day: read(1)?, author_day: read(2)? })
}
