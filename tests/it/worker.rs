//! The worker's promises: superseded work stops at once, failures are tried again, a drain loses nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use promptops::app::job::JobError;
use promptops::engine::clock::{Clock, SystemClock};
use promptops::store::{ClaimedJob, JobCounts, NewJob, Store};
use promptops::worker::{Worker, WorkerSettings};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::database::TestDatabase;

/// A worker whose jobs tell what happens to them.
struct Scene {
    database: TestDatabase,
    store: Store,
    said: UnboundedReceiver<String>,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

type Say = UnboundedSender<String>;

impl Scene {
    async fn with<F>(settings: WorkerSettings, dispatch: F) -> Self
    where
        F: Fn(Say, ClaimedJob, CancellationToken) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync + 'static,
    {
        Self::on(TestDatabase::sqlite(), settings, dispatch).await
    }

    async fn on<F>(database: TestDatabase, settings: WorkerSettings, dispatch: F) -> Self
    where
        F: Fn(Say, ClaimedJob, CancellationToken) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync + 'static,
    {
        let store = database.open().await;
        let (say, said) = unbounded_channel();
        let given_up = say.clone();
        let worker = Worker {
            store: store.clone(),
            clock: Arc::new(SystemClock),
            settings,
            dispatch: Arc::new(move |job, stop| dispatch(say.clone(), job, stop)),
            give_up: Arc::new(move |job, why| {
                let say = given_up.clone();
                Box::pin(async move { say.send(format!("{} gave up: {why}", job.payload)).unwrap() })
            }),
        };
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(worker.run(shutdown.clone()));
        Self { database, store, said, shutdown, running }
    }

    async fn enqueue(&self, payload: &str, supersedes: bool) {
        let job = NewJob { lane: "1/7".to_owned(), payload: payload.to_owned(), supersedes, yields: true };
        self.store.enqueue_job(&job, SystemClock.now_ms()).await.unwrap();
    }

    async fn hears(&mut self, expected: &str) {
        let said = tokio::time::timeout(Duration::from_secs(10), self.said.recv()).await;
        assert_eq!(said.expect("something is said in time").unwrap(), expected);
    }

    /// The store, and the database it needs as long as it is looked at.
    async fn drained(self) -> (Store, TestDatabase) {
        self.shutdown.cancel();
        self.running.await.unwrap();
        (self.store, self.database)
    }
}

fn settings() -> WorkerSettings {
    WorkerSettings { grace: Duration::from_millis(100), ..WorkerSettings::default() }
}

fn retry(message: &str) -> Result<(), JobError> {
    Err(JobError::Retry { message: message.to_owned(), after: Some(Duration::ZERO) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_head_stops_the_older_ones_work_at_once() {
    let slow = WorkerSettings { heartbeat: Duration::from_secs(60), poll: Duration::from_secs(60), ..settings() };
    let mut scene = Scene::with(slow, |say, job, stop| {
        Box::pin(async move {
            say.send(format!("{} begins", job.payload)).unwrap();
            if job.payload == "old" {
                stop.cancelled().await;
                say.send("old stops".to_owned()).unwrap();
            }
            Ok(())
        })
    })
    .await;
    scene.enqueue("old", true).await;
    scene.hears("old begins").await;
    scene.enqueue("new", true).await;
    scene.hears("old stops").await;
    scene.hears("new begins").await;
    let (store, _database) = scene.drained().await;
    assert_eq!(store.job_counts().await.unwrap(), JobCounts::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_and_a_panic_are_tried_again_and_then_it_works() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let mut scene = Scene::with(WorkerSettings { max_attempts: 3, ..settings() }, move |say, job, _| {
        let attempt = attempts.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            say.send(format!("attempt {}", job.attempt)).unwrap();
            match attempt {
                0 => retry("503"),
                _ => Ok(()),
            }
        })
    })
    .await;
    scene.enqueue("evaluate", false).await;
    scene.hears("attempt 1").await;
    scene.hears("attempt 2").await;
    let (store, _database) = scene.drained().await;
    assert_eq!(store.job_counts().await.unwrap(), JobCounts::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_gives_up_says_so_and_stays_known_as_failed() {
    let mut scene = Scene::with(WorkerSettings { max_attempts: 2, ..settings() }, |_, job, _| {
        Box::pin(async move {
            match job.payload.as_str() {
                "hopeless" => Err(JobError::GiveUp { message: "no such repository".to_owned() }),
                _ => retry("503"),
            }
        })
    })
    .await;
    scene.enqueue("hopeless", false).await;
    scene.hears("hopeless gave up: no such repository").await;
    scene.enqueue("stubborn", false).await;
    scene.hears("stubborn gave up: 503").await;
    let (store, _database) = scene.drained().await;
    assert_eq!(store.job_counts().await.unwrap().failed, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failed_attempt_and_the_worker_goes_on() {
    let mut scene = Scene::with(WorkerSettings { max_attempts: 1, ..settings() }, |say, job, _| {
        Box::pin(async move {
            assert_ne!(job.payload, "broken", "a bug of ours");
            say.send("fine".to_owned()).unwrap();
            Ok(())
        })
    })
    .await;
    scene.enqueue("broken", false).await;
    scene.hears("broken gave up: the job ended by a bug of ours: report it with the server's log").await;
    scene.enqueue("next", false).await;
    scene.hears("fine").await;
    scene.drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_takes_the_process_down_each_time_gives_up_in_the_end() {
    let database = TestDatabase::sqlite();
    let store = database.open().await;
    let job = NewJob { lane: "1/7".to_owned(), payload: "deadly".to_owned(), supersedes: false, yields: true };
    store.enqueue_job(&job, 0).await.unwrap();
    for attempt in 1..=2 {
        let died = store.claim_job(SystemClock.now_ms(), Duration::ZERO).await.unwrap().unwrap();
        assert_eq!(died.attempt, attempt);
    }
    let mut scene = Scene::on(database, WorkerSettings { max_attempts: 2, ..settings() }, |_, _, _| {
        Box::pin(async { panic!("it is not tried a third time") })
    })
    .await;
    scene
        .hears("deadly gave up: the server stopped in each attempt at this job: report it with the server's log")
        .await;
    scene.drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_lets_short_work_finish_and_gives_long_work_back() {
    let mut scene = Scene::with(settings(), |say, job, stop| {
        Box::pin(async move {
            say.send("begins".to_owned()).unwrap();
            stop.cancelled().await;
            say.send(format!("stops in attempt {}", job.attempt)).unwrap();
            retry("stopped")
        })
    })
    .await;
    scene.enqueue("long", false).await;
    scene.hears("begins").await;
    let (store, _database) = scene.drained().await;
    assert_eq!(store.job_counts().await.unwrap(), JobCounts { queued: 1, ..JobCounts::default() });
    let again = store.claim_job(SystemClock.now_ms(), Duration::from_secs(9)).await.unwrap().unwrap();
    assert_eq!(again.attempt, 1, "the attempt that was cut short does not count");
}
