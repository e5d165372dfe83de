//! The queue: one lane per pull request, claims under a lease with a fencing token. Knows no job's meaning.

use std::time::Duration;

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Engine, Store, StoreError, Write};

/// A job that this worker alone may do, until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    /// Its place in the order of all jobs.
    pub id: i64,
    /// Its lane.
    pub lane: String,
    /// What to do.
    pub payload: String,
    /// The delivery that asked for it, for logs and the audit.
    pub delivery: Option<String>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Proves the claim; worth nothing once somebody else has claimed the job.
    pub lease_token: String,
}

/// What a renewed lease says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Go on.
    Kept,
    /// Stop: a newer job has made this one pointless. The lease is kept for settling.
    Cancelled,
    /// Stop: the lease ran out and the job is somebody else's.
    Lost,
}

/// How a job's attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It is done.
    Done,
    /// It failed and is tried again from then on.
    RetryAt {
        /// Not before this time.
        run_at_ms: i64,
        /// What happened.
        error: String,
    },
    /// It is not tried again unless its delivery comes again.
    GivenUp {
        /// What happened.
        error: String,
    },
    /// It was not finished for reasons of ours; the attempt does not count.
    Released,
}

/// Live and given-up jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Waiting, those that wait to be tried again included.
    pub queued: i64,
    /// Claimed.
    pub running: i64,
    /// Given up.
    pub failed: i64,
}

const CLAIM: &str = "claim a job";
const SETTLE: &str = "settle a job";

macro_rules! claim_sql {
    ($lock:literal) => {
        concat!(
            "UPDATE jobs SET state = 'running', cancel = 0, attempt = attempt + 1, lease_token = $1, lease_until = $2 ",
            "WHERE id = (SELECT j.id FROM jobs j WHERE j.state = 'queued' AND j.run_at_ms <= $3 ",
            "AND NOT EXISTS (SELECT 1 FROM jobs r WHERE r.lane = j.lane AND r.state = 'running') ",
            "AND NOT EXISTS (SELECT 1 FROM jobs o WHERE o.lane = j.lane AND o.state = 'queued' ",
            "AND o.id < j.id AND o.run_at_ms <= $3) ORDER BY j.id LIMIT 1",
            $lock,
            ") RETURNING id, lane, payload, delivery, attempt"
        )
    };
}

impl Store {
    /// Claims the oldest job that is due and whose lane is free. Ended leases go back to the queue first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_job(&self, now_ms: i64, lease: Duration) -> Result<Option<ClaimedJob>, StoreError> {
        loop {
            let mut write = self.write(CLAIM).await?;
            requeue_ended_leases(&mut write, now_ms).await?;
            match self.claim_one(&mut write, now_ms, lease).await {
                Ok(job) => {
                    write.commit().await?;
                    return Ok(job);
                }
                // Two workers went for one lane; the index let one through. Whoever lost looks again.
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {}
                Err(error) => return Err(StoreError::during(CLAIM)(error)),
            }
        }
    }

    async fn claim_one(
        &self,
        write: &mut Write,
        now_ms: i64,
        lease: Duration,
    ) -> Result<Option<ClaimedJob>, sqlx::Error> {
        let lease_token = uuid::Uuid::new_v4().to_string();
        let sql = match self.engine {
            Engine::Sqlite => claim_sql!(""),
            Engine::Postgres => claim_sql!(" FOR UPDATE OF j SKIP LOCKED"),
        };
        let row = sqlx::query(sql)
            .bind(lease_token.as_str())
            .bind(end_of(lease, now_ms))
            .bind(now_ms)
            .fetch_optional(&mut *write.tx)
            .await?;
        row.map(|row| claimed(&row, lease_token)).transpose()
    }

    /// Keeps a claim alive, and hears whether it is still wanted.
    ///
    /// # Errors
    /// When the database fails; the lease then runs on until its end.
    pub async fn renew_lease(&self, lease_token: &str, now_ms: i64, lease: Duration) -> Result<Renewal, StoreError> {
        let mut write = self.write("renew a lease").await?;
        let cancel: Option<i64> = sqlx::query_scalar(
            "UPDATE jobs SET lease_until = $1 WHERE lease_token = $2 AND state = 'running' RETURNING cancel",
        )
        .bind(end_of(lease, now_ms))
        .bind(lease_token)
        .fetch_optional(&mut *write.tx)
        .await
        .map_err(StoreError::during(write.verb))?;
        write.commit().await?;
        Ok(match cancel {
            Some(0) => Renewal::Kept,
            Some(_) => Renewal::Cancelled,
            None => Renewal::Lost,
        })
    }

    /// Ends a claim; false when it was no longer ours, and nothing changed.
    ///
    /// # Errors
    /// When the database fails; the job is then claimed again after its lease.
    pub async fn settle_job(
        &self,
        lease_token: &str,
        settlement: &Settlement,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let (state, run_at_ms, error, attempts_back) = match settlement {
            Settlement::Done => ("done", None, None, 0),
            Settlement::RetryAt { run_at_ms, error } => ("queued", Some(*run_at_ms), Some(error.as_str()), 0),
            Settlement::GivenUp { error } => ("failed", None, Some(error.as_str()), 0),
            Settlement::Released => ("queued", None, None, 1_i64),
        };
        let mut write = self.write(SETTLE).await?;
        let settled = sqlx::query(
            "UPDATE jobs SET state = CASE WHEN cancel = 1 THEN 'superseded' ELSE $1 END, \
             finished_ms = CASE WHEN $1 = 'queued' AND cancel = 0 THEN NULL ELSE $2 END, \
             run_at_ms = COALESCE($3, run_at_ms), error = COALESCE($4, error), attempt = attempt - $5, \
             lease_token = NULL, lease_until = NULL WHERE lease_token = $6 AND state = 'running'",
        )
        .bind(state)
        .bind(now_ms)
        .bind(run_at_ms)
        .bind(error)
        .bind(attempts_back)
        .bind(lease_token)
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(SETTLE))?;
        write.commit().await?;
        // The lane is free: another job of it may be due.
        self.job_arrived.notify_one();
        Ok(settled.rows_affected() == 1)
    }

    /// How long the oldest job that could run has been waiting; `None` when none waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn oldest_waiting(&self, now_ms: i64) -> Result<Option<Duration>, StoreError> {
        let due: Option<i64> = sqlx::query_scalar(
            "SELECT j.run_at_ms FROM jobs j WHERE j.state = 'queued' AND j.run_at_ms <= $1 \
             AND NOT EXISTS (SELECT 1 FROM jobs r WHERE r.lane = j.lane AND r.state = 'running' AND r.lease_until > $1) \
             ORDER BY j.id LIMIT 1",
        )
        .bind(now_ms)
        .fetch_optional(&self.pool)
        .await
        .map_err(StoreError::during("find the oldest job"))?;
        Ok(due.map(|due| Duration::from_millis(now_ms.saturating_sub(due).try_into().unwrap_or_default())))
    }

    /// Jobs per state, for gauges.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn job_counts(&self) -> Result<JobCounts, StoreError> {
        const VERB: &str = "count jobs";
        let rows = sqlx::query(
            "SELECT state, COUNT(*) AS n FROM jobs WHERE state IN ('queued', 'running') GROUP BY state \
             UNION ALL SELECT 'failed', COUNT(*) FROM jobs WHERE state = 'failed'",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::during(VERB))?;
        let mut counts = JobCounts::default();
        for row in rows {
            let state: String = row.try_get(0).map_err(StoreError::during(VERB))?;
            let n = row.try_get(1).map_err(StoreError::during(VERB))?;
            match state.as_str() {
                "queued" => counts.queued = n,
                "running" => counts.running = n,
                _ => counts.failed = n,
            }
        }
        Ok(counts)
    }
}

async fn requeue_ended_leases(write: &mut Write, now_ms: i64) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE jobs SET state = CASE WHEN cancel = 1 THEN 'superseded' ELSE 'queued' END, \
         finished_ms = CASE WHEN cancel = 1 THEN $1 ELSE NULL END, lease_token = NULL, lease_until = NULL \
         WHERE state = 'running' AND lease_until <= $1",
    )
    .bind(now_ms)
    .execute(&mut *write.tx)
    .await
    .map_err(StoreError::during(write.verb))?;
    Ok(())
}

fn claimed(row: &AnyRow, lease_token: String) -> Result<ClaimedJob, sqlx::Error> {
    let attempt: i64 = row.try_get("attempt")?;
    Ok(ClaimedJob {
        id: row.try_get("id")?,
        lane: row.try_get("lane")?,
        payload: row.try_get("payload")?,
        delivery: row.try_get("delivery")?,
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        lease_token,
    })
}

fn end_of(lease: Duration, now_ms: i64) -> i64 {
    now_ms.saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX))
}
