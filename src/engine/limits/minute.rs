//! What may be used within any sixty seconds, kept exactly. Knows neither calls nor providers.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// A limit and what was used of it within the last minute.
#[derive(Debug)]
pub(super) struct Minute {
    most: u64,
    used: VecDeque<(Instant, u64)>,
    sum: u64,
    /// Number of the first entry of `used`.
    first: u64,
}

impl Minute {
    pub fn new(most: u64) -> Self {
        Self { most, used: VecDeque::new(), sum: 0, first: 0 }
    }

    /// Until when to wait before `amount` may be used; `None`: it may now. More than the limit has a minute to itself.
    pub fn wait(&mut self, now: Instant, amount: u64) -> Option<Instant> {
        while let Some((at, used)) = self.used.front().copied()
            && at + MINUTE <= now
        {
            self.used.pop_front();
            self.first += 1;
            self.sum = self.sum.saturating_sub(used);
        }
        let mut left = self.sum;
        let mut free_at = None;
        for (at, used) in &self.used {
            if left.saturating_add(amount) <= self.most {
                break;
            }
            left = left.saturating_sub(*used);
            free_at = Some(*at + MINUTE);
        }
        free_at
    }

    /// Uses `amount`. The number corrects it later.
    pub fn take(&mut self, now: Instant, amount: u64) -> u64 {
        self.used.push_back((now, amount));
        self.sum = self.sum.saturating_add(amount);
        self.first + self.used.len() as u64 - 1
    }

    /// Says what was really used.
    pub fn correct(&mut self, number: u64, amount: u64) {
        let at = number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        if let Some((_, used)) = at.and_then(|at| self.used.get_mut(at)) {
            self.sum = self.sum.saturating_sub(*used).saturating_add(amount);
            *used = amount;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn what_was_used_is_free_again_after_a_minute() {
        let (start, mut minute) = (Instant::now(), Minute::new(10));
        assert_eq!(minute.wait(start, 6), None);
        minute.take(start, 6);
        minute.take(after(start, 1_000), 4);
        assert_eq!(minute.wait(after(start, 2_000), 1), Some(after(start, 60_000)));
        assert_eq!(minute.wait(after(start, 2_000), 7), Some(after(start, 61_000)));
        assert_eq!(minute.wait(after(start, 60_000), 6), None);
    }

    #[test]
    fn a_correction_counts_from_then_on() {
        let (start, mut minute) = (Instant::now(), Minute::new(10));
        let number = minute.take(start, 10);
        minute.correct(number, 3);
        assert_eq!(minute.wait(start, 7), None);
        assert_eq!(minute.wait(start, 8), Some(after(start, 60_000)));
        assert_eq!(minute.wait(after(start, 60_000), 10), None);
        minute.correct(number, 9);
        assert_eq!(minute.wait(after(start, 60_000), 10), None, "it is long gone");
    }

    #[test]
    fn more_than_the_limit_waits_for_an_empty_minute_and_not_for_ever() {
        let (start, mut minute) = (Instant::now(), Minute::new(10));
        minute.take(start, 1);
        assert_eq!(minute.wait(start, 50), Some(after(start, 60_000)));
        assert_eq!(minute.wait(after(start, 60_000), 50), None);
    }

    proptest! {
        #[test]
        fn no_sixty_seconds_ever_hold_more_than_the_limit(
            most in 1u64..50,
            asks in prop::collection::vec((0u64..20_000, 1u64..10), 1..120),
        ) {
            let (start, mut minute) = (Instant::now(), Minute::new(most));
            let (mut now, mut taken) = (start, Vec::new());
            for (pause, amount) in asks {
                let amount = amount.min(most);
                now += Duration::from_millis(pause);
                while let Some(until) = minute.wait(now, amount) {
                    prop_assert!(until > now);
                    now = until;
                }
                minute.take(now, amount);
                taken.push((now, amount));
            }
            for (from, _) in &taken {
                let within = taken.iter().filter(|(at, _)| at >= from && *at < *from + MINUTE);
                prop_assert!(within.map(|(_, amount)| amount).sum::<u64>() <= most);
            }
        }
    }
}
