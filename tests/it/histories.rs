//! 200 random histories: nobody merges what nobody was allowed to merge, and who may merge can. `model` has the rules.

use std::time::Duration;

use crate::model::house;

/// Histories of a house, which share one server and one fake GitHub.
const HISTORIES: u64 = 25;
const ROUNDS: usize = 7;
/// How long a history that failed may be made shorter; the runner ends a test that takes too long.
const PATIENCE: Duration = Duration::from_secs(20);

/// One house each, so that they run beside each other.
async fn holds(seed: u64) {
    let figures = house(seed, 0..HISTORIES, ROUNDS, PATIENCE).await;
    println!("{figures}");
    if let Some(found) = figures.violations.first() {
        panic!("{} of {HISTORIES} histories went wrong, the first of them:\n{found}", figures.violations.len());
    }
    let (few, most) = (figures.compared / 10, figures.compared * 9 / 10);
    assert!((few..most).contains(&figures.mergeable), "either nothing or everything may be merged: {figures}");
}

#[tokio::test]
async fn nobody_merges_what_nobody_was_allowed_to_merge_1() {
    holds(1).await;
}

#[tokio::test]
async fn nobody_merges_what_nobody_was_allowed_to_merge_2() {
    holds(2).await;
}

#[tokio::test]
async fn nobody_merges_what_nobody_was_allowed_to_merge_3() {
    holds(3).await;
}

#[tokio::test]
async fn nobody_merges_what_nobody_was_allowed_to_merge_4() {
    holds(4).await;
}

#[tokio::test]
async fn nobody_merges_what_nobody_was_allowed_to_merge_5() {
    holds(5).await;
}

#[tokio::test]
async fn nobody_merges_what_nobody_was_allowed_to_merge_6() {
    holds(6).await;
}

#[tokio::test]
async fn nobody_merges_what_nobody_was_allowed_to_merge_7() {
    holds(7).await;
}

#[tokio::test]
async fn nobody_merges_what_nobody_was_allowed_to_merge_8() {
    holds(8).await;
}
