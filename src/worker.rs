//! Claim, dispatch, settle, in as many lanes as told; a drain that loses nothing. Knows no job's meaning.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval_at, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::app::job::JobError;
use crate::engine::clock::Clock;
use crate::store::{ClaimedJob, Renewal, Settlement, Store};

/// Does a job; stops soon after the token is cancelled. May be called again for the same job.
pub type Dispatch =
    Arc<dyn Fn(ClaimedJob, CancellationToken) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync>;

/// Says on the pull request that a job has given up, and why. May be called again for the same job.
pub type GiveUp = Arc<dyn Fn(ClaimedJob, String) -> BoxFuture<'static, ()> + Send + Sync>;

/// How the worker works.
#[derive(Debug, Clone, Copy)]
pub struct WorkerSettings {
    /// Jobs at once.
    pub lanes: usize,
    /// How long a claim holds without renewal.
    pub lease: Duration,
    /// How often a claim is renewed, which is also when work superseded through another process is noticed.
    pub heartbeat: Duration,
    /// How often to look for jobs that nobody announced.
    pub poll: Duration,
    /// How long running jobs may go on once the drain has begun.
    pub grace: Duration,
    /// Attempts of one job.
    pub max_attempts: u32,
    /// Wait after the first failed attempt; each further one is four times as long.
    pub first_retry: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            lanes: 8,
            lease: Duration::from_secs(60),
            heartbeat: Duration::from_secs(2),
            poll: Duration::from_secs(2),
            grace: Duration::from_secs(20),
            max_attempts: 5,
            first_retry: Duration::from_secs(10),
        }
    }
}

/// After a cancelled job's token, how long it may take to stop before it is dropped.
const STOPPING: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_secs(15 * 60);

/// The loop between the queue and the use cases.
#[derive(Clone)]
pub struct Worker {
    /// The queue.
    pub store: Store,
    /// Time for leases and retries.
    pub clock: Arc<dyn Clock>,
    /// How it works.
    pub settings: WorkerSettings,
    /// Does a job.
    pub dispatch: Dispatch,
    /// Says that a job has given up.
    pub give_up: GiveUp,
}

/// How an attempt ended, before it is settled.
enum Attempt {
    Ended(Result<(), JobError>),
    /// A newer job has made it pointless.
    Superseded,
    /// The lease was lost: whoever has the job now settles it.
    Lost,
    /// The drain's grace was over.
    Released,
}

impl Worker {
    /// Works until `shutdown`, then finishes or releases what runs.
    pub async fn run(self, shutdown: CancellationToken) {
        let lanes = (0..self.settings.lanes).map(|_| tokio::spawn(self.clone().lane(shutdown.clone())));
        futures::future::join_all(lanes).await;
    }

    async fn lane(self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            match self.store.claim_job(self.clock.now_ms(), self.settings.lease).await {
                Ok(Some(job)) => {
                    // Where one job was, more may be: the next lane looks, too.
                    self.store.job_arrived().notify_one();
                    let span = tracing::info_span!("job", id = job.id, lane = job.lane, delivery = job.delivery);
                    self.work(job, &shutdown).instrument(span).await;
                }
                Ok(None) => self.wait(&shutdown).await,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "no job could be claimed");
                    self.wait(&shutdown).await;
                }
            }
        }
    }

    async fn wait(&self, shutdown: &CancellationToken) {
        tokio::select! {
            () = self.store.job_arrived().notified() => {}
            () = sleep(self.settings.poll) => {}
            () = shutdown.cancelled() => {}
        }
    }

    async fn work(&self, job: ClaimedJob, shutdown: &CancellationToken) {
        let started = Instant::now();
        let settlement = match self.attempt(&job, shutdown).await {
            Attempt::Lost => {
                tracing::warn!("the lease was lost, another worker has the job");
                return;
            }
            Attempt::Released => Settlement::Released,
            // The store knows that it was superseded, and keeps that word.
            Attempt::Superseded | Attempt::Ended(Ok(())) => Settlement::Done,
            Attempt::Ended(Err(error)) => self.after_failure(&job, error).await,
        };
        let outcome = outcome_name(&settlement);
        metrics::counter!("promptops_jobs_settled_total", "outcome" => outcome).increment(1);
        metrics::histogram!("promptops_job_duration_seconds").record(started.elapsed().as_secs_f64());
        match self.store.settle_job(&job.lease_token, &settlement, self.clock.now_ms()).await {
            Ok(_) => tracing::info!(outcome, attempt = job.attempt, "job settled"),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a job was not settled, its lease will end");
            }
        }
    }

    /// Runs the job beside its lease.
    async fn attempt(&self, job: &ClaimedJob, shutdown: &CancellationToken) -> Attempt {
        if job.attempt > self.settings.max_attempts {
            // No attempt came to its end: whatever stops the process must not do so for ever.
            let message = "the server stopped in each attempt at this job: report it with the server's log".to_owned();
            return Attempt::Ended(Err(JobError::GiveUp { message }));
        }
        let stop = CancellationToken::new();
        // A task of its own, so that a panic ends the attempt and not the lane.
        let dispatched = (self.dispatch)(job.clone(), stop.clone()).instrument(tracing::Span::current());
        let mut running = tokio::spawn(dispatched);
        let mut heartbeat = interval_at(Instant::now() + self.settings.heartbeat, self.settings.heartbeat);
        let mut lease_ends = Instant::now() + self.settings.lease;
        let grace_over = async {
            shutdown.cancelled().await;
            sleep(self.settings.grace).await;
        };
        tokio::pin!(grace_over);
        loop {
            tokio::select! {
                ended = &mut running => return Attempt::Ended(flatten(ended)),
                () = &mut grace_over => {
                    stop_task(&stop, running).await;
                    return Attempt::Released;
                }
                () = self.store.superseded().notified() => {}
                _ = heartbeat.tick() => {}
            }
            match self.renew(job).await {
                Some(Renewal::Kept) => lease_ends = Instant::now() + self.settings.lease,
                Some(Renewal::Cancelled) => {
                    stop_task(&stop, running).await;
                    return Attempt::Superseded;
                }
                None if Instant::now() < lease_ends => {}
                Some(Renewal::Lost) | None => {
                    stop_task(&stop, running).await;
                    return Attempt::Lost;
                }
            }
        }
    }

    async fn renew(&self, job: &ClaimedJob) -> Option<Renewal> {
        match self.store.renew_lease(&job.lease_token, self.clock.now_ms(), self.settings.lease).await {
            Ok(renewal) => Some(renewal),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the lease was not renewed");
                None
            }
        }
    }

    async fn after_failure(&self, job: &ClaimedJob, error: JobError) -> Settlement {
        let now_ms = self.clock.now_ms();
        let is_said = matches!(error, JobError::Unmeasured { .. });
        let again = match &error {
            JobError::Retry { .. } | JobError::Unmeasured { .. } => {
                let after = if let JobError::Retry { after, .. } = &error { *after } else { None };
                let wait = after.unwrap_or_else(|| back_off(self.settings.first_retry, job.attempt)).min(LONGEST_RETRY);
                Some(now_ms.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
            }
            JobError::RetryAt { at_ms, .. } => Some((*at_ms).max(now_ms)),
            JobError::GiveUp { .. } => None,
        };
        let error = error.to_string();
        if let Some(run_at_ms) = again.filter(|_| job.attempt < self.settings.max_attempts) {
            tracing::warn!(error, attempt = job.attempt, wait_ms = run_at_ms - now_ms, "job failed, it is tried again");
            return Settlement::RetryAt { run_at_ms, error };
        }
        tracing::error!(error, attempt = job.attempt, "job gave up");
        if is_said {
            return Settlement::GivenUp { error };
        }
        // Before settling, so that a crash in between says it again rather than never.
        let said = tokio::spawn((self.give_up)(job.clone(), error.clone()));
        if timeout(self.settings.lease / 2, said).await.is_err() {
            tracing::warn!("it took too long to say that the job gave up");
        }
        Settlement::GivenUp { error }
    }
}

fn flatten(ended: Result<Result<(), JobError>, tokio::task::JoinError>) -> Result<(), JobError> {
    ended.unwrap_or_else(|_| {
        Err(JobError::Retry {
            message: "the job ended by a bug of ours: report it with the server's log".to_owned(),
            after: None,
        })
    })
}

async fn stop_task(stop: &CancellationToken, mut running: JoinHandle<Result<(), JobError>>) {
    stop.cancel();
    if timeout(STOPPING, &mut running).await.is_err() {
        running.abort();
        let _ = running.await;
    }
}

fn back_off(first: Duration, attempt: u32) -> Duration {
    first.saturating_mul(4_u32.saturating_pow(attempt.saturating_sub(1))).min(LONGEST_RETRY)
}

fn outcome_name(settlement: &Settlement) -> &'static str {
    match settlement {
        Settlement::Done => "done",
        Settlement::RetryAt { .. } => "retry",
        Settlement::GivenUp { .. } => "given_up",
        Settlement::Released => "released",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_between_attempts_grow_and_are_bounded() {
        let first = WorkerSettings::default().first_retry;
        let seconds: Vec<u64> = (1..=6).map(|attempt| back_off(first, attempt).as_secs()).collect();
        assert_eq!(seconds, [10, 40, 160, 640, 900, 900]);
    }
}
