//! 200 random histories: nobody merges what nobody was allowed to merge, and who may merge can. `model` has the rules.

use std::time::Duration;

use crate::model::house;

/// Histories of a house, which share one server and one fake GitHub.
const HISTORIES: u64 = 10;
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

macro_rules! houses {
    ($($name:ident: $seed:literal),+ $(,)?) => {
        $(#[tokio::test]
        async fn $name() {
            holds($seed).await;
        })+
    };
}

// Nobody merges what nobody was allowed to merge in the house of this seed.
houses! {
    house_01: 1,
    house_02: 2,
    house_03: 3,
    house_04: 4,
    house_05: 5,
    house_06: 6,
    house_07: 7,
    house_08: 8,
    house_09: 9,
    house_10: 10,
    house_11: 11,
    house_12: 12,
    house_13: 13,
    house_14: 14,
    house_15: 15,
    house_16: 16,
    house_17: 17,
    house_18: 18,
    house_19: 19,
    house_20: 20,
}
