//! What people said is kept with its audit entry, once, and bound to the commit they said it of, on both databases.

use std::collections::BTreeMap;

use promptops::domain::audit::{AuditEntry, AuditKind};
use promptops::domain::gate::rerolls::Runs;
use promptops::domain::ids::{BranchName, CommitSha, Digest, Login, PullNumber, RepoId, RepoName, UserId};
use promptops::domain::policy::facts::{Blocked, BlockedResult, OverrideFact, Person};
use promptops::store::Store;

use crate::support::database::on_each_database;

const REPO: RepoId = RepoId(11);
const PULL: PullNumber = PullNumber(7);
const OF: (RepoId, PullNumber) = (REPO, PULL);

fn sha(digit: &str) -> CommitSha {
    CommitSha::parse(&digit.repeat(40)).unwrap()
}

fn entry(kind: AuditKind) -> AuditEntry {
    AuditEntry {
        at_ms: 1_800_000_000_000,
        kind,
        by: None,
        repo: RepoName::parse("acme/prompts").unwrap(),
        repo_id: REPO,
        pull: Some(PULL),
        sha: None,
        delivery: None,
        said: String::new(),
        evidence: BTreeMap::new(),
    }
}

fn given(login: &str, id: u64, comment_id: u64) -> OverrideFact {
    let by = Person { id: UserId(id), login: Login::parse(login).unwrap(), is_bot: false };
    let given_for = BlockedResult { question: Digest::of_parts([b"question".as_slice()]), how: Blocked::OverBudget };
    OverrideFact { by, reason: "because".to_owned(), at_ms: 5, comment_id, sha: sha("a"), given_for, lapsed: false }
}

async fn add(store: &Store, given: &OverrideFact) -> bool {
    store.add_override(OF, 0, given, &entry(AuditKind::Override)).await.unwrap()
}

async fn kinds(store: &Store) -> Vec<AuditKind> {
    let rows = store.audit_after(0, 99).await.unwrap();
    rows.iter().map(|row| serde_json::from_str::<AuditEntry>(&row.body).unwrap().kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_for_one_commit() {
    on_each_database(|store| async move {
        let released = |digit: &str, by| {
            let (store, sha) = (store.clone(), sha(digit));
            async move { store.release_sha(OF, &sha, UserId(by), &entry(AuditKind::Release)).await.unwrap() }
        };
        released("a", 3).await;
        released("a", 4).await;
        assert_eq!(store.released_by(REPO, PULL, &sha("a")).await.unwrap(), Some(UserId(3)));
        assert_eq!(store.released_by(REPO, PULL, &sha("b")).await.unwrap(), None, "a push needs a new release");
        assert_eq!(store.released_by(REPO, PullNumber(8), &sha("a")).await.unwrap(), None);
        assert_eq!(kinds(&store).await, [AuditKind::Release], "the second released nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_is_recorded_once_and_taken_back_by_whoever_may() {
    on_each_database(|store| async move {
        let (lee, max) = (given("lee", 3, 20), given("max", 4, 21));
        assert!(add(&store, &lee).await);
        assert!(!add(&store, &lee).await, "the command's second attempt");
        assert!(add(&store, &max).await);
        assert_eq!(store.overrides(REPO, PULL).await.unwrap(), [lee.clone(), max.clone()]);
        assert!(store.overrides(REPO, PullNumber(8)).await.unwrap().is_empty());
        let cancel = |comment, by, only_own| {
            let store = store.clone();
            async move {
                let entry = entry(AuditKind::OverrideCancelled);
                store.cancel_overrides(OF, (comment, 0), UserId(by), only_own, &entry).await.unwrap()
            }
        };
        assert_eq!(cancel(19, 3, false).await, 0, "a command that was given before");
        assert_eq!(cancel(30, 5, true).await, 0, "somebody who gave none");
        assert_eq!(cancel(30, 4, true).await, 1);
        assert_eq!(store.overrides(REPO, PULL).await.unwrap(), [lee]);
        assert_eq!(cancel(31, 5, false).await, 1);
        assert!(store.overrides(REPO, PULL).await.unwrap().is_empty());
        use AuditKind::{Override, OverrideCancelled};
        assert_eq!(kinds(&store).await, [Override, Override, OverrideCancelled, OverrideCancelled]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_lapses_with_its_head_or_base_branch_and_never_comes_back() {
    on_each_database(|store| async move {
        let (main, dev) = (BranchName::parse("main").unwrap(), BranchName::parse("dev").unwrap());
        let see = |digit: &str, base: &BranchName, at| {
            let (store, sha, base) = (store.clone(), sha(digit), base.clone());
            async move { store.see_head(OF, (&sha, &base), at).await.unwrap() }
        };
        let lapsed =
            || async { store.overrides(REPO, PULL).await.unwrap().iter().map(|one| one.lapsed).collect::<Vec<_>>() };
        assert_eq!(see("a", &main, 10).await, 10);
        assert_eq!(see("a", &main, 15).await, 10, "a comment changes the pull request and not its head");
        add(&store, &given("lee", 3, 20)).await;
        assert_eq!(lapsed().await, [false]);
        assert_eq!(see("b", &main, 20).await, 20);
        assert_eq!(see("a", &main, 12).await, 20, "a late worker does not make the head older");
        assert_eq!(lapsed().await, [true], "the old commit does not bring it back");
        add(&store, &given("lee", 3, 21)).await;
        assert_eq!(see("a", &dev, 30).await, 30);
        assert_eq!(lapsed().await, [true, true]);
        let at = |second: i64, comment| OverrideFact { at_ms: second * 1_000, ..given("lee", 3, comment) };
        add(&store, &at(31, 23)).await;
        store.head_moved(REPO, PULL, 31).await.unwrap();
        assert_eq!(lapsed().await, [true, true, true], "given in the second of the push, and the same head came back");
        assert_eq!(see("a", &dev, 40).await, 31, "who writes after the push has seen what it left");
        add(&store, &at(32, 24)).await;
        store.head_moved(REPO, PULL, 31).await.unwrap();
        assert_eq!(lapsed().await, [true, true, true, false], "a late or repeated delivery takes nothing newer back");
        assert_eq!(see("a", &dev, 50).await, 31);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_counted_per_content() {
    on_each_database(|store| async move {
        let (one, other) = (Digest([1; 32]), Digest([2; 32]));
        assert_eq!(store.counted_runs(REPO, &one).await.unwrap(), Runs::default());
        for (found, expected) in [(true, (1, 0)), (false, (1, 1)), (true, (2, 1))] {
            let runs = store.count_run(REPO, &one, found, 5).await.unwrap();
            assert_eq!((runs.found, runs.clear), expected);
        }
        assert_eq!(store.counted_runs(REPO, &one).await.unwrap(), Runs { found: 2, clear: 1 });
        assert_eq!(store.counted_runs(REPO, &other).await.unwrap(), Runs::default());
        assert_eq!(store.counted_runs(RepoId(12), &one).await.unwrap(), Runs::default());
    })
    .await;
}
