//! Results that share a check: kept by holder, posted once, never overwritten by a late writer. On both databases.

use promptops::domain::ids::{CommitSha, Digest, PullNumber, RepoId};
use promptops::store::{CheckKey, Guard, Saved, Store};

use crate::support::database::on_each_database;

const REPO: RepoId = RepoId(11);
const NAME: &str = "promptops/evaluation: main";
const NOON: i64 = 1_800_000_000_000;

fn key() -> CheckKey {
    CheckKey { repo: REPO, sha: CommitSha::parse(&"a".repeat(40)).unwrap(), name: NAME.to_owned() }
}

async fn put(store: &Store, holder: &str, body: &str, guard: Option<Guard>) -> Saved {
    let results = [(NAME.to_owned(), body.to_owned())];
    store.put_results((REPO, &key().sha), holder, &results, guard, NOON).await.unwrap()
}

async fn bodies(store: &Store) -> Vec<String> {
    store.shared_check(&key()).await.unwrap().results.into_iter().map(|held| held.body).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_confirmed_only_if_no_result_came_in_meanwhile() {
    on_each_database(|store| async move {
        put(&store, "pull/7", "green", None).await;
        let early = store.shared_check(&key()).await.unwrap().posted;
        assert_eq!((early.generation, early.writers, early.check_id), (1, 1, None));
        put(&store, "pull/8", "red", None).await;
        let digest = Some(Digest::of_parts([b"green".as_slice()]));
        assert!(!store.confirm_post(&key(), &early, Some(5), digest).await.unwrap());
        let now = store.shared_check(&key()).await.unwrap();
        assert_eq!((now.posted.generation, now.posted.check_id, now.results.len()), (2, None, 2));
        assert!(!now.posted.is_confirmed());
        assert!(store.confirm_post(&key(), &now.posted, Some(5), digest).await.unwrap());
        let own = store.results_of(REPO, "pull/8").await.unwrap();
        assert_eq!((own.len(), own[0].body.as_str(), own[0].posted.check_id), (1, "red", Some(5)));
        assert!(own[0].posted.is_confirmed());

        assert!(store.drop_result(&key(), "pull/8", NOON).await.unwrap());
        assert!(!store.drop_result(&key(), "pull/8", NOON).await.unwrap());
        assert_eq!(bodies(&store).await, ["green"]);
        assert!(!store.confirm_post(&key(), &now.posted, Some(5), digest).await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_who_each_made_a_check_run_one_is_told_to_look_again() {
    on_each_database(|store| async move {
        put(&store, "pull/7", "begun", None).await;
        put(&store, "pull/8", "begun", None).await;
        let read = store.shared_check(&key()).await.unwrap().posted;
        let digest = Some(Digest::of_parts([b"begun".as_slice()]));
        assert!(store.confirm_post(&key(), &read, Some(5), digest).await.unwrap());
        assert!(!store.confirm_post(&key(), &read, Some(6), digest).await.unwrap());
        let again = store.shared_check(&key()).await.unwrap().posted;
        assert_eq!(again.check_id, Some(5));
        assert!(store.confirm_post(&key(), &again, Some(6), digest).await.unwrap());
        assert_eq!(store.shared_check(&key()).await.unwrap().posted.check_id, Some(6));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_worker_s_result_is_not_kept() {
    on_each_database(|store| async move {
        let guard = |generation| Some(Guard { pull: PullNumber(7), generation });
        assert_eq!(put(&store, "pull/7", "first", guard(0)).await, Saved::Stored(1));
        assert_eq!(put(&store, "pull/7", "late", guard(0)).await, Saved::Stale);
        assert_eq!(put(&store, "pull/7", "newer", guard(1)).await, Saved::Stored(2));
        assert_eq!(put(&store, "pull/7", "late", guard(1)).await, Saved::Stale);
        assert_eq!(bodies(&store).await, ["newer"]);
        let publication = store.publication(REPO, PullNumber(7)).await.unwrap();
        assert_eq!((publication.generation, publication.comment_id), (2, None));
    })
    .await;
}
