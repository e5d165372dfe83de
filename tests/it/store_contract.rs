//! The store keeps its promises on both databases: nothing lost, nothing twice, one job of a lane at a time.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use promptops::domain::ids::{Digest, PullNumber, RepoId};
use promptops::engine::provider::Completion;
use promptops::store::{
    ClaimedJob, DeliveryWriter, NewDelivery, NewJob, Publication, Recorded, Renewal, Retention, Saved, Settlement,
    Store, WriterError,
};

use crate::support::database::{TestDatabase, on_each_database};

const LEASE: Duration = Duration::from_secs(60);
const NOON: i64 = 1_800_000_000_000;

fn job(lane: &str, payload: &str) -> NewJob {
    NewJob { lane: lane.to_owned(), payload: payload.to_owned(), supersedes: false, yields: true }
}

fn push(lane: &str, payload: &str) -> NewJob {
    NewJob { supersedes: true, ..job(lane, payload) }
}

fn delivery(guid: &str, job: NewJob) -> NewDelivery {
    NewDelivery {
        guid: guid.to_owned(),
        event: "pull_request".to_owned(),
        action: Some("synchronize".to_owned()),
        received_ms: NOON,
        job: Some(job),
    }
}

async fn claim(store: &Store, now_ms: i64) -> Option<ClaimedJob> {
    store.claim_job(now_ms, LEASE).await.unwrap()
}

async fn claimed_payload(store: &Store, now_ms: i64) -> Option<String> {
    claim(store, now_ms).await.map(|job| job.payload)
}

async fn settle(store: &Store, job: &ClaimedJob, settlement: Settlement) -> bool {
    store.settle_job(&job.lease_token, &settlement, NOON).await.unwrap()
}

fn gave_up() -> Settlement {
    Settlement::GivenUp { error: "no installation".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_runs_once_however_often_it_comes_and_again_only_after_it_gave_up() {
    on_each_database(|store| async move {
        let comes = async || store.record_deliveries(&[delivery("g1", job("1/7", "evaluate"))]).await.unwrap()[0];
        assert_eq!(comes().await, Recorded::Stored);
        assert_eq!(comes().await, Recorded::Repeated, "while it waits");
        let first = claim(&store, NOON).await.unwrap();
        assert_eq!((first.attempt, first.delivery.as_deref()), (1, Some("g1")));
        assert_eq!(comes().await, Recorded::Repeated, "while it runs");
        assert!(settle(&store, &first, gave_up()).await);
        assert_eq!(store.job_counts().await.unwrap().failed, 1);
        assert_eq!(comes().await, Recorded::QueuedAgain, "after it gave up");
        let second = claim(&store, NOON).await.unwrap();
        assert!(settle(&store, &second, Settlement::Done).await);
        assert_eq!(comes().await, Recorded::Repeated, "after it was done");
        assert_eq!(claim(&store, NOON).await, None);
        assert_eq!(store.deliveries_stored().await.unwrap(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_arrive_together_are_told_apart() {
    on_each_database(|store| async move {
        let ignored = NewDelivery { job: None, event: "star".to_owned(), ..delivery("g3", job("", "")) };
        let batch = [
            delivery("g1", job("1/7", "one")),
            delivery("g1", job("1/7", "one again")),
            delivery("g2", job("1/8", "two")),
            ignored,
        ];
        let stored = store.record_deliveries(&batch).await.unwrap();
        assert_eq!(stored, [Recorded::Stored, Recorded::Repeated, Recorded::Stored, Recorded::Stored]);
        assert_eq!(store.deliveries_stored().await.unwrap(), 3);
        assert_eq!(claimed_payload(&store, NOON).await.as_deref(), Some("one"));
        assert_eq!(claimed_payload(&store, NOON).await.as_deref(), Some("two"));
        assert_eq!(claimed_payload(&store, NOON).await, None);
        let asked = ["g1", "g9", "g3"].map(str::to_owned);
        assert_eq!(store.missing_deliveries(&asked).await.unwrap(), ["g9"]);
        assert_eq!(store.record_deliveries(&[]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_does_one_job_at_a_time_in_order_and_lanes_do_not_wait_for_each_other() {
    on_each_database(|store| async move {
        for (lane, payload) in [("1/7", "first"), ("1/7", "second"), ("1/8", "other lane")] {
            store.enqueue_job(&job(lane, payload), NOON).await.unwrap();
        }
        let first = claim(&store, NOON).await.unwrap();
        assert_eq!(first.payload, "first");
        assert_eq!(claimed_payload(&store, NOON).await.as_deref(), Some("other lane"));
        assert_eq!(claim(&store, NOON).await, None, "the lane is busy");
        assert_eq!(store.oldest_waiting(NOON + 1000).await.unwrap(), None, "a busy lane is no reason to worry");
        settle(&store, &first, Settlement::Done).await;
        assert_eq!(store.oldest_waiting(NOON + 1000).await.unwrap(), Some(Duration::from_secs(1)));
        assert_eq!(claimed_payload(&store, NOON).await.as_deref(), Some("second"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_makes_what_came_before_pointless_except_what_a_person_waits_for() {
    on_each_database(|store| async move {
        store.enqueue_job(&push("1/7", "old head"), NOON).await.unwrap();
        let running = claim(&store, NOON).await.unwrap();
        store.enqueue_job(&job("1/7", "decide"), NOON).await.unwrap();
        let help = NewJob { yields: false, ..job("1/7", "help") };
        store.enqueue_job(&help, NOON).await.unwrap();
        assert_eq!(store.renew_lease(&running.lease_token, NOON, LEASE).await.unwrap(), Renewal::Kept);

        let batch = [delivery("g1", push("1/7", "newer head")), delivery("g2", push("1/7", "newest head"))];
        store.record_deliveries(&batch).await.unwrap();

        assert_eq!(store.renew_lease(&running.lease_token, NOON, LEASE).await.unwrap(), Renewal::Cancelled);
        assert!(settle(&store, &running, Settlement::RetryAt { run_at_ms: NOON, error: "stopped".to_owned() }).await);
        let help = claim(&store, NOON).await.unwrap();
        assert_eq!(help.payload, "help");
        settle(&store, &help, Settlement::Done).await;
        let newest = claim(&store, NOON).await.unwrap();
        assert_eq!(newest.payload, "newest head");
        settle(&store, &newest, Settlement::Done).await;
        assert_eq!(claim(&store, NOON).await, None);
        let redelivered = store.record_deliveries(&batch).await.unwrap();
        assert_eq!(redelivered, [Recorded::Repeated, Recorded::Repeated], "superseded is done");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_vanished_loses_its_job_to_another_and_cannot_settle_it_any_more() {
    on_each_database(|store| async move {
        store.enqueue_job(&job("1/7", "evaluate"), NOON).await.unwrap();
        let vanished = claim(&store, NOON).await.unwrap();
        let almost = NOON + 59_999;
        assert_eq!(claim(&store, almost).await, None);
        assert_eq!(store.renew_lease(&vanished.lease_token, almost, LEASE).await.unwrap(), Renewal::Kept);
        assert_eq!(claim(&store, NOON + 60_000).await, None, "the lease was renewed");

        let other = claim(&store, almost + 60_000).await.unwrap();
        assert_eq!((other.id, other.attempt), (vanished.id, 2));
        assert_eq!(store.renew_lease(&vanished.lease_token, almost, LEASE).await.unwrap(), Renewal::Lost);
        assert!(!settle(&store, &vanished, gave_up()).await, "too late");
        assert!(settle(&store, &other, Settlement::Done).await);
        assert!(!settle(&store, &other, Settlement::Done).await, "once is enough");

        store.enqueue_job(&push("1/7", "old head"), NOON).await.unwrap();
        claim(&store, NOON).await.unwrap();
        store.enqueue_job(&push("1/7", "new head"), NOON).await.unwrap();
        let later = NOON + 60_000;
        assert_eq!(claimed_payload(&store, later).await.as_deref(), Some("new head"), "nobody runs the old one again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_attempt_waits_lets_others_pass_and_a_released_one_does_not_count() {
    on_each_database(|store| async move {
        store.enqueue_job(&job("1/7", "evaluate"), NOON).await.unwrap();
        let failed = claim(&store, NOON).await.unwrap();
        settle(&store, &failed, Settlement::RetryAt { run_at_ms: NOON + 5_000, error: "503".to_owned() }).await;
        assert_eq!(claim(&store, NOON + 4_999).await, None);
        store.enqueue_job(&job("1/7", "decide"), NOON).await.unwrap();
        let passing = claim(&store, NOON + 4_999).await.unwrap();
        assert_eq!(passing.payload, "decide");
        settle(&store, &passing, Settlement::Done).await;
        let again = claim(&store, NOON + 5_000).await.unwrap();
        assert_eq!((again.payload.as_str(), again.attempt), ("evaluate", 2));
        settle(&store, &again, Settlement::Released).await;
        assert_eq!(claim(&store, NOON + 5_000).await.unwrap().attempt, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_do_each_job_once_in_order_and_never_two_of_a_lane() {
    on_each_database(|store| async move {
        const LANES: usize = 12;
        const JOBS: usize = 240;
        let batch: Vec<_> = (0..JOBS)
            .map(|n| delivery(&format!("g{n}"), job(&format!("1/{}", n % LANES), &format!("{n:04}"))))
            .collect();
        store.record_deliveries(&batch).await.unwrap();
        let busy = Arc::new(Mutex::new(HashSet::<String>::new()));
        let done = Arc::new(Mutex::new(HashMap::<String, Vec<String>>::new()));
        let worker = async || {
            while let Some(job) = claim(&store, NOON).await {
                assert!(busy.lock().unwrap().insert(job.lane.clone()), "two jobs of {} at once", job.lane);
                tokio::time::sleep(Duration::from_millis(1)).await;
                done.lock().unwrap().entry(job.lane.clone()).or_default().push(job.payload.clone());
                busy.lock().unwrap().remove(&job.lane);
                assert!(settle(&store, &job, Settlement::Done).await);
            }
        };
        futures::future::join_all((0..8).map(|_| worker())).await;
        // A worker may find every lane busy and leave; the last ones do the rest.
        worker().await;
        let done = done.lock().unwrap();
        assert_eq!(done.values().map(Vec::len).sum::<usize>(), JOBS);
        assert!(done.values().all(|lane| lane.is_sorted()), "{done:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_worker_never_overwrites_a_newer_result() {
    on_each_database(|store| async move {
        let (repo, pull) = (RepoId(11), PullNumber(7));
        let mut early = store.publication(repo, pull).await.unwrap();
        assert_eq!(early, Publication::default());
        let late = early.clone();
        early.comment_id = Some(99);
        early.comment_digest = Some(Digest::of_parts([b"text".as_slice()]));
        assert_eq!(store.save_publication(repo, pull, &early).await.unwrap(), Saved::Stored(1));
        assert_eq!(store.save_publication(repo, pull, &late).await.unwrap(), Saved::Stale);
        let stored = store.publication(repo, pull).await.unwrap();
        assert_eq!(stored, Publication { generation: 1, ..early.clone() });
        assert_eq!(store.save_publication(repo, pull, &stored).await.unwrap(), Saved::Stored(2));
        assert_eq!(store.save_publication(repo, pull, &stored).await.unwrap(), Saved::Stale);

        assert_eq!(store.save_run("11/7/aaa", 2, "{\"newer\":1}", NOON).await.unwrap(), Saved::Stored(2));
        assert_eq!(store.save_run("11/7/aaa", 1, "{\"older\":1}", NOON).await.unwrap(), Saved::Stale);
        assert_eq!(store.save_run("11/7/aaa", 2, "{\"same\":1}", NOON).await.unwrap(), Saved::Stored(2));
        assert_eq!(store.load_run("11/7/aaa").await.unwrap().unwrap().body, "{\"same\":1}");
        assert_eq!(store.load_run("11/7/bbb").await.unwrap(), None);
    })
    .await;
}

fn completion(text: &str) -> Completion {
    Completion {
        text: text.into(),
        finish_reason: Some("stop".to_owned()),
        input_tokens: Some(120),
        output_tokens: None,
        latency_ms: 340,
        rate: None,
    }
}

fn question(n: u32) -> Digest {
    Digest::of_parts([n.to_le_bytes().as_slice()])
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_found_again_with_their_time_and_a_newer_one_takes_the_place_of_an_older() {
    on_each_database(|store| async move {
        let answers: Vec<_> = (0..1_200).map(|n| (question(n), completion(&format!("answer {n}")))).collect();
        store.save_answers(&answers, NOON).await.unwrap();
        store.save_answers(&[(question(0), completion("another"))], NOON + 5).await.unwrap();
        let asked: Vec<_> = (0..1_300).map(question).collect();
        let found = store.load_answers(&asked).await.unwrap();
        let mut expected: HashMap<_, _> = answers.into_iter().collect();
        expected.insert(question(0), completion("another"));
        assert_eq!(found, expected);
        let times = store.answer_times(&asked).await.unwrap();
        assert_eq!((times.len(), times[&question(0)], times[&question(1)]), (1_200, NOON + 5, NOON));
        assert!(store.load_answers(&[]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_and_finished_is_forgotten_and_waiting_is_not() {
    on_each_database(|store| async move {
        let batch = [delivery("done", job("1/7", "done")), delivery("waiting", job("1/8", "waiting"))];
        store.record_deliveries(&batch).await.unwrap();
        let done = claim(&store, NOON).await.unwrap();
        settle(&store, &done, Settlement::Done).await;
        store.save_answers(&[(question(1), completion("old"))], NOON).await.unwrap();
        store.save_run("run", 1, "{}", NOON).await.unwrap();
        let keep = Retention::default();

        store.prune(keep, NOON + 1_000).await.unwrap();
        assert_eq!(store.deliveries_stored().await.unwrap(), 2);
        store.prune(keep, NOON + 100 * 86_400_000).await.unwrap();
        assert_eq!(store.deliveries_stored().await.unwrap(), 1);
        assert_eq!(claimed_payload(&store, NOON).await.as_deref(), Some("waiting"));
        assert!(store.load_answers(&[question(1)]).await.unwrap().is_empty());
        assert_eq!(store.load_run("run").await.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writable_database_says_so_and_a_store_can_be_opened_twice() {
    let database = TestDatabase::sqlite();
    let (one, two) = (database.open().await, database.open().await);
    one.check_writable().await.unwrap();
    one.enqueue_job(&job("1/7", "from one"), NOON).await.unwrap();
    assert_eq!(claimed_payload(&two, NOON).await.as_deref(), Some("from one"));
    let error = Store::open("mysql://user:secret@host/db").await.unwrap_err().to_string();
    assert!(error.starts_with("`mysql` is not a database this program speaks"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_database_stalls_the_queue_fills_and_then_refuses() {
    let database = TestDatabase::sqlite();
    let writer = DeliveryWriter::start(database.open().await);
    let blocker = sqlx::AnyPool::connect(&database.url).await.unwrap();
    let blocking = blocker.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let waiting: Vec<_> = (0..2_600)
        .map(|n| {
            let writer = writer.clone();
            tokio::spawn(async move { writer.record(delivery(&format!("g{n}"), job("1/7", "x"))).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    blocking.rollback().await.unwrap();
    let (mut stored, mut refused) = (0, 0);
    for outcome in waiting {
        match outcome.await.unwrap() {
            Ok(Recorded::Stored) => stored += 1,
            Err(WriterError::Busy) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(refused > 0, "{stored} stored");
    assert_eq!(database.open().await.deliveries_stored().await.unwrap(), stored);
}

const CHILD_DATABASE: &str = "STORE_CONTRACT_CHILD_DATABASE";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of the next test, which kills it"]
async fn child_that_stores_and_claims_until_it_is_killed() {
    let Some(url) = std::env::var_os(CHILD_DATABASE) else { return };
    let store = Store::open(url.to_str().unwrap()).await.unwrap();
    let writer = DeliveryWriter::start(store.clone());
    let acknowledge = async |worker: usize| {
        for n in 0.. {
            let guid = format!("{worker}-{n}");
            writer.record(delivery(&guid, job(&format!("1/{guid}"), &guid))).await.unwrap();
            println!("acknowledged {guid}");
            if let Some(job) = store.claim_job(NOON, LEASE).await.unwrap()
                && n % 2 == 0
            {
                println!("settling {}", job.payload);
                store.settle_job(&job.lease_token, &Settlement::Done, NOON).await.unwrap();
                println!("done {}", job.payload);
            }
        }
    };
    futures::future::join_all((0..4).map(acknowledge)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_nine_at_any_moment_loses_no_acknowledged_delivery_and_undoes_no_settled_job() {
    let mut databases = vec![TestDatabase::sqlite()];
    databases.extend(TestDatabase::postgres().await);
    for database in databases {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture"])
            .arg("store_contract::child_that_stores_and_claims_until_it_is_killed")
            .env(CHILD_DATABASE, &database.url)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut said: Vec<String> = lines.by_ref().take(120).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        said.extend(lines);
        let all = |word: &str| -> HashSet<&str> { said.iter().filter_map(|line| line.strip_prefix(word)).collect() };
        let (acknowledged, done) = (all("acknowledged "), all("done "));
        assert!(acknowledged.len() > 20 && done.len() > 5, "{} and {}", acknowledged.len(), done.len());

        let store = database.open().await;
        let guids: Vec<String> = acknowledged.iter().map(|guid| (*guid).to_owned()).collect();
        assert_eq!(store.missing_deliveries(&guids).await.unwrap(), [""; 0]);
        // After the dead worker's leases every job that was not settled is done by the next one.
        let mut left = HashSet::new();
        while let Some(job) = claim(&store, NOON + 60_000).await {
            settle(&store, &job, Settlement::Done).await;
            left.insert(job.payload);
        }
        assert!(done.iter().all(|guid| !left.contains(*guid)), "a settled job ran again");
        let settling = all("settling ");
        let lost: Vec<_> = acknowledged.difference(&settling).filter(|guid| !left.contains(**guid)).collect();
        assert!(lost.is_empty(), "{lost:?}");
        store.close().await;
    }
}
