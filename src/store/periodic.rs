//! Work that is due now and then, once for all replicas, and where it stopped. Knows no job's meaning.

use std::time::Duration;

use super::delivery::{NewJob, has_live_job, queue_one};
use super::{Store, StoreError};

/// A number that outlives the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// When the sweep last began, in milliseconds since the Unix epoch.
    SweepBegun,
    /// The newest delivery of GitHub's log that the sweep has dealt with.
    SweepDelivery,
    /// How many sweeps there were, so that each begins with other repositories.
    SweepRound,
}

impl Mark {
    fn name(self) -> &'static str {
        match self {
            Self::SweepBegun => "sweep_begun",
            Self::SweepDelivery => "sweep_delivery",
            Self::SweepRound => "sweep_round",
        }
    }
}

const QUEUE: &str = "queue periodic work";
const READ: &str = "read where the sweep is";
const WRITE: &str = "remember where the sweep is";

impl Store {
    /// Queues a job if the last one began at least a period ago and none of its lane waits or runs; however many replicas
    /// ask at once, one does. Says whether it was queued.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue_when_due(
        &self,
        mark: Mark,
        period: Duration,
        job: &NewJob,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let period_ms = i64::try_from(period.as_millis()).unwrap_or(i64::MAX);
        let mut write = self.write(QUEUE).await?;
        let due = sqlx::query("UPDATE counters SET value = $1 WHERE name = $2 AND value <= $3")
            .bind(now_ms)
            .bind(mark.name())
            .bind(now_ms.saturating_sub(period_ms))
            .execute(&mut *write.tx)
            .await
            .map_err(StoreError::during(QUEUE))?;
        if due.rows_affected() == 0 || has_live_job(&mut write, &job.lane).await? {
            write.tx.rollback().await.map_err(StoreError::during(QUEUE))?;
            return Ok(false);
        }
        queue_one(&mut write, job, now_ms).await?;
        write.commit().await?;
        self.ring(job.supersedes);
        Ok(true)
    }

    /// Reads a mark; 0 when it was never set.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark(&self, mark: Mark) -> Result<i64, StoreError> {
        let value: Option<i64> = sqlx::query_scalar("SELECT value FROM counters WHERE name = $1")
            .bind(mark.name())
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::during(READ))?;
        Ok(value.unwrap_or_default())
    }

    /// Sets a mark.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_mark(&self, mark: Mark, value: i64) -> Result<(), StoreError> {
        let mut write = self.write(WRITE).await?;
        sqlx::query("UPDATE counters SET value = $1 WHERE name = $2")
            .bind(value)
            .bind(mark.name())
            .execute(&mut *write.tx)
            .await
            .map_err(StoreError::during(WRITE))?;
        write.commit().await
    }
}
