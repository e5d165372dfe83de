//! Money on both databases: what is set aside together never passes a limit, and what is spent stays counted.

use promptops::domain::ids::{PullNumber, RepoId, UserId};
use promptops::store::{Payer, Reserved, Retention, SpendLimit, SpendLimits, Store};

use crate::support::database::on_each_database;

const NOON: i64 = 1_800_000_000_000;
const DAY: i64 = 86_400_000;
const MINUTE: i64 = 60_000;

fn payer(pull: u64, author: u64) -> Payer {
    Payer { repo: RepoId(11), pull: PullNumber(pull), author: UserId(author) }
}

fn a_day(micros: i64) -> SpendLimits {
    SpendLimits { day: Some(micros), ..SpendLimits::default() }
}

async fn reserve(store: &Store, id: &str, payer: Payer, micros: i64, limits: SpendLimits, now_ms: i64) -> Reserved {
    store.reserve_spend(id, payer, micros, limits, (now_ms, now_ms + MINUTE)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_ask_at_once_cannot_together_pass_the_days_limit() {
    on_each_database(|store| async move {
        let asks = (0..20).map(|run| {
            let store = store.clone();
            tokio::spawn(async move {
                reserve(&store, &format!("run-{run}"), payer(run, run), 100, a_day(1_000), NOON).await
            })
        });
        let answers: Vec<Reserved> =
            futures::future::join_all(asks).await.into_iter().map(|answer| answer.unwrap()).collect();
        let granted = answers.iter().filter(|answer| **answer == Reserved::Granted).count();
        assert_eq!(granted, 10);
        let full = Reserved::Refused { limit: SpendLimit::Day, most: 1_000, spent: 0, reserved: 1_000 };
        assert!(answers.iter().all(|answer| *answer == Reserved::Granted || *answer == full), "{answers:?}");
        let other = Payer { repo: RepoId(12), ..payer(1, 1) };
        assert_eq!(reserve(&store, "elsewhere", other, 1_000, a_day(1_000), NOON).await, Reserved::Granted);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spent_counts_and_what_is_left_over_is_free_again() {
    on_each_database(|store| async move {
        let (ann, limits) = (payer(7, 1), a_day(1_000));
        assert_eq!(reserve(&store, "a", ann, 800, limits, NOON).await, Reserved::Granted);
        store.settle_spend("a", ann, 300, NOON, Some(NOON + MINUTE)).await.unwrap();
        assert_eq!(store.spent_on_day(ann.repo, NOON).await.unwrap(), 300);
        let refused = Reserved::Refused { limit: SpendLimit::Day, most: 1_000, spent: 300, reserved: 500 };
        assert_eq!(reserve(&store, "b", ann, 201, limits, NOON).await, refused);
        assert_eq!(reserve(&store, "a", ann, 200, limits, NOON).await, Reserved::Granted, "a top-up");
        store.settle_spend("a", ann, 100, NOON, None).await.unwrap();
        assert_eq!(reserve(&store, "b", ann, 600, limits, NOON).await, Reserved::Granted);
        store.settle_spend("b", ann, 700, NOON, None).await.unwrap();
        assert_eq!(store.spent_on_day(ann.repo, NOON).await.unwrap(), 1_100, "an overrun is spent too");
        assert_eq!(reserve(&store, "c", ann, 1_000, limits, NOON + DAY).await, Reserved::Granted, "a new day");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pull_requests_and_authors_have_limits_of_their_own() {
    on_each_database(|store| async move {
        let limits = SpendLimits { pull: Some(500), day: Some(10_000), author_day: Some(800) };
        let ask = async |pull, author, micros, day| {
            let (payer, now_ms) = (payer(pull, author), NOON + day * DAY);
            let answer = reserve(&store, "run", payer, micros, limits, now_ms).await;
            store
                .settle_spend("run", payer, if answer == Reserved::Granted { micros } else { 0 }, now_ms, None)
                .await
                .unwrap();
            match answer {
                Reserved::Granted => None,
                Reserved::Refused { limit, .. } => Some(limit),
            }
        };
        assert_eq!(ask(1, 1, 500, 0).await, None);
        assert_eq!(ask(1, 1, 1, 1).await, Some(SpendLimit::Pull), "a pull request's budget outlasts the day");
        assert_eq!(ask(2, 1, 400, 0).await, Some(SpendLimit::AuthorDay));
        assert_eq!(ask(2, 1, 400, 1).await, None);
        assert_eq!(ask(3, 2, 500, 0).await, None, "another author");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_that_vanished_had_set_aside_is_free_after_a_while() {
    on_each_database(|store| async move {
        let (gone, next) = (payer(7, 1), payer(8, 2));
        assert_eq!(reserve(&store, "gone", gone, 900, a_day(1_000), NOON).await, Reserved::Granted);
        assert!(matches!(reserve(&store, "next", next, 900, a_day(1_000), NOON).await, Reserved::Refused { .. }));
        store.settle_spend("gone", gone, 50, NOON, Some(NOON + MINUTE)).await.unwrap();
        store.prune(Retention::default(), NOON + 2 * MINUTE).await.unwrap();
        let later = NOON + 2 * MINUTE;
        assert_eq!(reserve(&store, "next", next, 950, a_day(1_000), later).await, Reserved::Granted);
        assert_eq!(store.spent_on_day(gone.repo, later).await.unwrap(), 50, "what it has spent stays counted");
    })
    .await;
}
