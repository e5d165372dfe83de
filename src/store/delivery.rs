//! A delivery and its job, committed together; the same delivery twice makes one job. Knows no event's meaning.

use std::collections::{HashMap, HashSet};

use sqlx::{AssertSqlSafe, Row};

use super::{Store, StoreError, Write, placeholders};

/// Work to do, in a lane of its own pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// One job of a lane runs at a time.
    pub lane: String,
    /// What to do, as text that the worker understands.
    pub payload: String,
    /// Whether waiting and running jobs of the lane become pointless by this one.
    pub supersedes: bool,
    /// Whether a later job may make this one pointless; an answer owed to a person never is.
    pub yields: bool,
}

/// A delivery that was verified and understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// GitHub's id, the same on every redelivery.
    pub guid: String,
    /// The event's name.
    pub event: String,
    /// The event's action.
    pub action: Option<String>,
    /// When it came in.
    pub received_ms: i64,
    /// What follows from it; `None` when nothing does.
    pub job: Option<NewJob>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is new and stored, with its job.
    Stored,
    /// It was here already, and its job waits, runs or is done.
    Repeated,
    /// It was here already, its job had given up, and has been queued again.
    QueuedAgain,
}

impl Recorded {
    /// The word for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Repeated => "repeated",
            Self::QueuedAgain => "queued_again",
        }
    }
}

const RECORD: &str = "record deliveries";
const ENQUEUE: &str = "queue a job";
/// Jobs that are queued by one statement.
const MAX_BATCH: usize = 100;

impl Store {
    /// Stores deliveries and their jobs in one commit; the answers are parallel to `batch`.
    ///
    /// # Errors
    /// When the database fails; then nothing of the batch is stored.
    pub async fn record_deliveries(&self, batch: &[NewDelivery]) -> Result<Vec<Recorded>, StoreError> {
        let mut write = self.write(RECORD).await?;
        let first_id = take_job_ids(&mut write, batch.len()).await?;
        let ids: Vec<i64> = (first_id..).take(batch.len()).collect();
        let mut fresh = insert_deliveries(&mut write, batch, &ids).await?;
        let seen = batch.iter().map(|delivery| delivery.guid.as_str()).filter(|guid| !fresh.contains(*guid)).collect();
        let mut given_up = given_up(&mut write, seen).await?;
        let mut outcomes = Vec::with_capacity(batch.len());
        let mut jobs = Vec::new();
        for (delivery, &id) in batch.iter().zip(&ids) {
            // Removing makes the first of equal deliveries in one batch the only new one.
            let outcome = if fresh.remove(&delivery.guid) {
                Recorded::Stored
            } else if given_up.remove(&delivery.guid) {
                point_to_job(&mut write, &delivery.guid, id).await?;
                Recorded::QueuedAgain
            } else {
                Recorded::Repeated
            };
            if let (Some(job), true) = (&delivery.job, outcome != Recorded::Repeated) {
                jobs.push(Queued { id, job, delivery: Some(&delivery.guid), now_ms: delivery.received_ms });
            }
            outcomes.push(outcome);
        }
        queue(&mut write, &jobs).await?;
        write.commit().await?;
        if !jobs.is_empty() {
            self.ring(jobs.iter().any(|queued| queued.job.supersedes));
        }
        Ok(outcomes)
    }

    /// Queues a job that no delivery asked for, such as the sweep's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue_job(&self, job: &NewJob, now_ms: i64) -> Result<(), StoreError> {
        let mut write = self.write(ENQUEUE).await?;
        let id = take_job_ids(&mut write, 1).await?;
        queue(&mut write, &[Queued { id, job, delivery: None, now_ms }]).await?;
        write.commit().await?;
        self.ring(job.supersedes);
        Ok(())
    }

    /// Queues jobs that follow from one another's work, for the delivery that began it. A job of which an equal one waits
    /// and is due is left out: that one will see all there is to see. Says how many were queued.
    ///
    /// # Errors
    /// When the database fails; then none is queued.
    pub async fn enqueue_jobs(
        &self,
        jobs: &[NewJob],
        delivery: Option<&str>,
        now_ms: i64,
    ) -> Result<usize, StoreError> {
        let mut write = self.write(ENQUEUE).await?;
        let mut queued = 0;
        for batch in jobs.chunks(MAX_BATCH) {
            // Taken first: it makes others that queue wait, so that nothing is queued between looking and writing.
            let first_id = take_job_ids(&mut write, batch.len()).await?;
            let waiting = waiting(&mut write, batch, now_ms).await?;
            let new = batch.iter().filter(|job| !waiting.contains(&(job.lane.clone(), job.payload.clone())));
            let new: Vec<Queued<'_>> =
                (first_id..).zip(new).map(|(id, job)| Queued { id, job, delivery, now_ms }).collect();
            queue(&mut write, &new).await?;
            queued += new.len();
        }
        write.commit().await?;
        if queued > 0 {
            self.ring(jobs.iter().any(|job| job.supersedes));
        }
        Ok(queued)
    }

    /// Those of the given deliveries that never arrived here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missing_deliveries(&self, guids: &[String]) -> Result<Vec<String>, StoreError> {
        const VERB: &str = "look up deliveries";
        if guids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT guid FROM deliveries WHERE guid IN {}", placeholders(1, guids.len()));
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
        for guid in guids {
            query = query.bind(guid.as_str());
        }
        let rows = query.fetch_all(&self.pool).await.map_err(StoreError::during(VERB))?;
        let known: HashSet<String> = texts(&rows).map_err(StoreError::during(VERB))?;
        Ok(guids.iter().filter(|guid| !known.contains(*guid)).cloned().collect())
    }

    /// Rows of the delivery store.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries_stored(&self) -> Result<i64, StoreError> {
        const VERB: &str = "count deliveries";
        sqlx::query_scalar("SELECT COUNT(*) FROM deliveries")
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::during(VERB))
    }
}

/// A job with its place in the order.
struct Queued<'a> {
    id: i64,
    job: &'a NewJob,
    delivery: Option<&'a str>,
    now_ms: i64,
}

async fn take_job_ids(write: &mut Write, count: usize) -> Result<i64, StoreError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let last: i64 = sqlx::query_scalar("UPDATE counters SET value = value + $1 WHERE name = 'job' RETURNING value")
        .bind(count)
        .fetch_one(&mut *write.tx)
        .await
        .map_err(StoreError::during(write.verb))?;
    Ok(last - count + 1)
}

/// Queues one job in a transaction of another verb.
pub(super) async fn queue_one(write: &mut Write, job: &NewJob, now_ms: i64) -> Result<(), StoreError> {
    let id = take_job_ids(write, 1).await?;
    queue(write, &[Queued { id, job, delivery: None, now_ms }]).await
}

/// Whether a job of the lane waits or runs.
pub(super) async fn has_live_job(write: &mut Write, lane: &str) -> Result<bool, StoreError> {
    let live: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE lane = $1 AND state IN ('queued', 'running')")
        .bind(lane)
        .fetch_one(&mut *write.tx)
        .await
        .map_err(StoreError::during(write.verb))?;
    Ok(live > 0)
}

/// Lanes and payloads of the jobs that wait in the lanes of these and are due.
async fn waiting(write: &mut Write, jobs: &[NewJob], now_ms: i64) -> Result<HashSet<(String, String)>, StoreError> {
    let lanes: HashSet<&str> = jobs.iter().map(|job| job.lane.as_str()).collect();
    let sql = format!(
        "SELECT lane, payload FROM jobs WHERE state = 'queued' AND run_at_ms <= ${} AND lane IN {}",
        lanes.len() + 1,
        placeholders(1, lanes.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    for lane in lanes {
        query = query.bind(lane);
    }
    let rows = query.bind(now_ms).fetch_all(&mut *write.tx).await;
    let read = |rows: Vec<sqlx::any::AnyRow>| {
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()
    };
    rows.and_then(read).map_err(StoreError::during(write.verb))
}

/// Inserts what is new and says which ids that was.
async fn insert_deliveries(
    write: &mut Write,
    batch: &[NewDelivery],
    ids: &[i64],
) -> Result<HashSet<String>, StoreError> {
    if batch.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = format!(
        "INSERT INTO deliveries (guid, event, action, received_ms, job_id) VALUES {} \
         ON CONFLICT (guid) DO NOTHING RETURNING guid",
        placeholders(batch.len(), 5)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    for (delivery, id) in batch.iter().zip(ids) {
        query = query
            .bind(delivery.guid.as_str())
            .bind(delivery.event.as_str())
            .bind(delivery.action.as_deref())
            .bind(delivery.received_ms)
            .bind(delivery.job.as_ref().map(|_| *id));
    }
    let rows = query.fetch_all(&mut *write.tx).await;
    rows.and_then(|rows| texts(&rows)).map_err(StoreError::during(write.verb))
}

/// Those of the deliveries whose job has given up.
async fn given_up(write: &mut Write, guids: HashSet<&str>) -> Result<HashSet<String>, StoreError> {
    if guids.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = format!(
        "SELECT d.guid FROM deliveries d JOIN jobs j ON j.id = d.job_id WHERE j.state = 'failed' AND d.guid IN {}",
        placeholders(1, guids.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    for guid in guids {
        query = query.bind(guid);
    }
    let rows = query.fetch_all(&mut *write.tx).await;
    rows.and_then(|rows| texts(&rows)).map_err(StoreError::during(write.verb))
}

async fn point_to_job(write: &mut Write, guid: &str, job_id: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE deliveries SET job_id = $1 WHERE guid = $2")
        .bind(job_id)
        .bind(guid)
        .execute(&mut *write.tx)
        .await
        .map_err(StoreError::during(write.verb))?;
    Ok(())
}

/// Supersedes what the jobs make pointless, in the database and among themselves, then inserts them.
async fn queue(write: &mut Write, jobs: &[Queued<'_>]) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let superseded_below: HashMap<&str, i64> = jobs
        .iter()
        .filter(|queued| queued.job.supersedes)
        .map(|queued| (queued.job.lane.as_str(), queued.id))
        .collect();
    if !superseded_below.is_empty() {
        supersede(write, superseded_below.keys().copied().collect(), jobs[0].now_ms).await?;
    }
    let sql = format!(
        "INSERT INTO jobs (id, lane, payload, delivery, state, yields, cancel, attempt, queued_ms, run_at_ms) VALUES {}",
        placeholders(jobs.len(), 10)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    for queued in jobs {
        let newest = superseded_below.get(queued.job.lane.as_str());
        let pointless = queued.job.yields && newest.is_some_and(|newest| queued.id < *newest);
        query = query
            .bind(queued.id)
            .bind(queued.job.lane.as_str())
            .bind(queued.job.payload.as_str())
            .bind(queued.delivery)
            .bind(if pointless { "superseded" } else { "queued" })
            .bind(i64::from(queued.job.yields))
            .bind(0_i64)
            .bind(0_i64)
            .bind(queued.now_ms)
            .bind(queued.now_ms);
    }
    query.execute(&mut *write.tx).await.map_err(StoreError::during(write.verb))?;
    Ok(())
}

/// One statement for waiting and running jobs, so that none slips through by changing between the two.
async fn supersede(write: &mut Write, lanes: Vec<&str>, now_ms: i64) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE jobs SET finished_ms = CASE WHEN state = 'queued' THEN ${} ELSE finished_ms END, \
         cancel = CASE WHEN state = 'running' THEN 1 ELSE cancel END, \
         state = CASE WHEN state = 'queued' THEN 'superseded' ELSE state END \
         WHERE state IN ('queued', 'running') AND yields = 1 AND lane IN {}",
        lanes.len() + 1,
        placeholders(1, lanes.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    for lane in lanes {
        query = query.bind(lane);
    }
    query.bind(now_ms).execute(&mut *write.tx).await.map_err(StoreError::during(write.verb))?;
    Ok(())
}

fn texts(rows: &[sqlx::any::AnyRow]) -> Result<HashSet<String>, sqlx::Error> {
    rows.iter().map(|row| row.try_get(0)).collect()
}
