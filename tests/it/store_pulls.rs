//! Open pull requests are found again by what concerns them, periodic work is queued once, and logins are remembered.

use std::time::Duration;

use promptops::domain::ids::{
    BranchName, CommitSha, Digest, InstallationId, Login, PullNumber, RepoId, RepoName, UserId,
};
use promptops::store::{Mark, NewJob, Store, Watched, WatchedPull};

use crate::support::database::on_each_database;

const NOON: i64 = 1_800_000_000_000;

fn sha(digit: char) -> CommitSha {
    CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
}

fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

fn pull(repo_id: u64, number: u64, repo: &str) -> WatchedPull {
    WatchedPull {
        repo_id: RepoId(repo_id),
        number: PullNumber(number),
        repo: RepoName::parse(repo).unwrap(),
        installation: InstallationId(repo_id * 10),
        head_sha: sha('a'),
        base_branch: branch("main"),
        base_sha: sha('0'),
        control: Some(Digest::of_parts([b"x".as_slice()])),
        commits: vec![sha('9'), sha('a')],
        silent: false,
    }
}

async fn check(store: &Store, which: Watched, expected: &[u64]) {
    let found = store.watched_pulls(&which).await.unwrap();
    assert_eq!(found.iter().map(|pull| pull.number.0).collect::<Vec<_>>(), expected, "{which:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn open_pull_requests_are_found_by_what_concerns_them() {
    on_each_database(|store| async move {
        let release = WatchedPull { base_branch: branch("release"), head_sha: sha('b'), ..pull(1, 2, "Acme/prompts") };
        let elsewhere = WatchedPull { control: None, commits: vec![], silent: true, ..pull(2, 3, "other/prompts") };
        for (place, watched) in (0..).zip([&release, &pull(1, 1, "Acme/prompts"), &elsewhere]) {
            store.watch_pull(watched, NOON + place).await.unwrap();
        }
        let acme = Login::parse("acme").unwrap();
        check(&store, Watched::Account(acme.clone(), None), &[1, 2]).await;
        check(&store, Watched::Account(acme, Some(InstallationId(20))), &[1, 2, 3]).await;
        check(&store, Watched::Repository(RepoId(1)), &[1, 2]).await;
        check(&store, Watched::Base(RepoId(1), branch("release")), &[2]).await;
        check(&store, Watched::Head(RepoId(1), sha('a')), &[1]).await;
        check(&store, Watched::Installation(InstallationId(10)), &[2, 1]).await;
        assert_eq!(store.watched_pulls(&Watched::Repository(RepoId(2))).await.unwrap(), [elsewhere]);

        store.base_moved(&[pull(1, 1, "Acme/prompts")], &sha('1')).await.unwrap();
        let stale = WatchedPull { base_sha: sha('7'), ..release.clone() };
        store.base_moved(&[stale], &sha('1')).await.unwrap();
        let bases = store.watched_pulls(&Watched::Repository(RepoId(1))).await.unwrap();
        assert_eq!(bases.iter().map(|pull| pull.base_sha.clone()).collect::<Vec<_>>(), [sha('1'), sha('0')]);

        store.unwatch_pull(RepoId(1), PullNumber(2)).await.unwrap();
        check(&store, Watched::Repository(RepoId(1)), &[1]).await;
        store.watch_pull(&WatchedPull { head_sha: sha('c'), ..release }, NOON).await.unwrap();
        check(&store, Watched::Head(RepoId(1), sha('c')), &[2]).await;
    })
    .await;
}

fn job(lane: &str) -> NewJob {
    NewJob { lane: lane.to_owned(), payload: "decide".to_owned(), supersedes: false, yields: true }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_already_is_not_queued_twice_and_one_that_runs_is() {
    on_each_database(|store| async move {
        let all: Vec<NewJob> = (0..250).map(|lane| job(&lane.to_string())).collect();
        assert_eq!(store.enqueue_jobs(&all, Some("guid"), NOON).await.unwrap(), 250);
        assert_eq!(store.enqueue_jobs(&all[..2], None, NOON).await.unwrap(), 0);
        let claimed = store.claim_job(NOON, Duration::from_secs(60)).await.unwrap().unwrap();
        assert_eq!((claimed.lane.as_str(), claimed.delivery.as_deref()), ("0", Some("guid")));
        // What runs may have read what is old by now.
        assert_eq!(store.enqueue_jobs(&all[..2], None, NOON).await.unwrap(), 1);
        assert_eq!(store.enqueue_jobs(&[], None, NOON).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn periodic_work_is_queued_once_for_all_replicas() {
    on_each_database(|store| async move {
        const PERIOD: Duration = Duration::from_secs(300);
        let due = |now_ms| {
            let store = store.clone();
            async move { store.enqueue_when_due(Mark::SweepBegun, PERIOD, &job("sweep"), now_ms).await.unwrap() }
        };
        let at_once = futures::future::join_all((0..4).map(|_| due(NOON))).await;
        assert_eq!(at_once.iter().filter(|queued| **queued).count(), 1);
        assert!(!due(NOON + 299_000).await, "not due");
        assert!(!due(NOON + 400_000).await, "the last one still waits");
        let claimed = store.claim_job(NOON, Duration::from_secs(60)).await.unwrap().unwrap();
        store.settle_job(&claimed.lease_token, &promptops::store::Settlement::Done, NOON).await.unwrap();
        assert!(due(NOON + 400_000).await);
        store.set_mark(Mark::SweepDelivery, 7).await.unwrap();
        assert_eq!(store.mark(Mark::SweepDelivery).await.unwrap(), 7);
        assert_eq!(store.mark(Mark::SweepRound).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_stays_whose_it_was_until_it_is_forgotten() {
    on_each_database(|store| async move {
        let (mara, main) = (Login::parse("Mara").unwrap(), branch("main"));
        let of_main = (RepoId(1), &main);
        let first = [(mara.clone(), UserId(7))];
        store.update_pins(of_main, &first, &[], NOON).await.unwrap();
        store.update_pins(of_main, &[(mara.clone(), UserId(8))], &[], NOON).await.unwrap();
        assert_eq!(store.pins(RepoId(1), &main).await.unwrap(), first);
        assert_eq!(store.pins(RepoId(1), &branch("release")).await.unwrap(), []);
        store.update_pins(of_main, &[], &[mara], NOON).await.unwrap();
        assert_eq!(store.pins(RepoId(1), &main).await.unwrap(), []);
    })
    .await;
}
