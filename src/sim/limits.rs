//! GitHub's primary and secondary rate limits, counted per installation. Knows no route.

use std::collections::{BTreeMap, VecDeque};

/// How much is allowed; the defaults are GitHub's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests an hour.
    pub requests_per_hour: u32,
    /// Points a minute: a read costs 1, a write 5.
    pub points_per_minute: u32,
    /// Writes a minute.
    pub writes_per_minute: u32,
    /// Writes an hour.
    pub writes_per_hour: u32,
    /// Requests at the same time.
    pub concurrent: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_hour: 5_000,
            points_per_minute: 900,
            writes_per_minute: 80,
            writes_per_hour: 500,
            concurrent: 100,
        }
    }
}

/// Where GitHub cuts lists off; the defaults are GitHub's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Files of a pull request.
    pub pull_files: usize,
    /// Commits of a pull request.
    pub pull_commits: usize,
    /// Files of a comparison.
    pub compare_files: usize,
    /// Entries of a recursive tree.
    pub tree_entries: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { pull_files: 3_000, pull_commits: 250, compare_files: 300, tree_entries: 100_000 }
    }
}

/// Who is counted: the app itself (0) or an installation.
pub(super) type Holder = u64;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The hour's requests are used up.
    Primary,
    /// Too fast; wait so many seconds.
    Secondary(u64),
}

/// The hour's count of one holder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) used: u32,
    pub(super) resets: u64,
}

/// Counts requests.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    pub(super) limits: Limits,
    windows: BTreeMap<Holder, Window>,
    recent: BTreeMap<Holder, VecDeque<(u64, bool)>>,
}

impl Limiter {
    /// The holder's current hour.
    pub(super) fn window(&self, holder: Holder, now: u64) -> Window {
        let window = self.windows.get(&holder).copied().unwrap_or_default();
        if window.resets <= now { Window { used: 0, resets: now + 3_600 } } else { window }
    }

    /// Counts one request, or says why not.
    pub(super) fn admit(&mut self, holder: Holder, write: bool, now: u64) -> Result<(), Refused> {
        let mut window = self.window(holder, now);
        if window.used >= self.limits.requests_per_hour {
            self.windows.insert(holder, window);
            return Err(Refused::Primary);
        }
        window.used += 1;
        self.windows.insert(holder, window);
        let recent = self.recent.entry(holder).or_default();
        while recent.front().is_some_and(|(at, _)| at + 3_600 <= now) {
            recent.pop_front();
        }
        recent.push_back((now, write));
        match too_fast(recent, &self.limits, now) {
            Some(wait) => {
                recent.pop_back();
                Err(Refused::Secondary(wait))
            }
            None => Ok(()),
        }
    }

    /// Takes a request back that turned out to be free (answered 304).
    pub(super) fn refund(&mut self, holder: Holder) {
        if let Some(window) = self.windows.get_mut(&holder) {
            window.used = window.used.saturating_sub(1);
        }
    }
}

/// Seconds to wait, where the requests of the last minute or hour are too many.
fn too_fast(recent: &VecDeque<(u64, bool)>, limits: &Limits, now: u64) -> Option<u64> {
    let last_minute = || recent.iter().rev().take_while(|(at, _)| at + 60 > now);
    let points: u32 = last_minute().map(|(_, write)| if *write { 5 } else { 1 }).sum();
    let minute_writes = last_minute().filter(|(_, write)| *write).count();
    let hour_writes = recent.iter().filter(|(_, write)| *write).count();
    if hour_writes > limits.writes_per_hour as usize {
        return recent.iter().find(|(_, write)| *write).map(|(at, _)| (at + 3_600).saturating_sub(now));
    }
    let fast = points > limits.points_per_minute || minute_writes > limits.writes_per_minute as usize;
    fast.then(|| last_minute().last().map_or(60, |(at, _)| (at + 60).saturating_sub(now)).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(limits: Limits, requests: &[(u64, bool)], expected: Result<(), Refused>) {
        let mut limiter = Limiter { limits, ..Limiter::default() };
        let (last, before) = requests.split_last().unwrap();
        for (at, write) in before {
            limiter.admit(1, *write, *at).unwrap();
        }
        assert_eq!(limiter.admit(1, last.1, last.0), expected);
    }

    #[test]
    fn the_hour_runs_out_and_starts_anew() {
        let limits = Limits { requests_per_hour: 2, ..Limits::default() };
        check(limits, &[(0, false), (1, false), (2, false)], Err(Refused::Primary));
        check(limits, &[(0, false), (1, false), (3_601, false)], Ok(()));
    }

    #[test]
    fn writes_are_held_to_a_minute_and_an_hour() {
        let limits = Limits { writes_per_minute: 2, writes_per_hour: 3, ..Limits::default() };
        check(limits, &[(0, true), (10, true), (20, true)], Err(Refused::Secondary(40)));
        check(limits, &[(0, true), (10, true), (60, true)], Ok(()));
        check(limits, &[(0, true), (100, true), (200, true), (300, true)], Err(Refused::Secondary(3_300)));
    }

    #[test]
    fn a_write_costs_five_points() {
        let limits = Limits { points_per_minute: 7, ..Limits::default() };
        check(limits, &[(0, true), (0, false), (0, false)], Ok(()));
        check(limits, &[(0, true), (0, true)], Err(Refused::Secondary(60)));
    }

    #[test]
    fn a_refund_gives_the_request_back() {
        let mut limiter = Limiter::default();
        limiter.admit(7, false, 0).unwrap();
        limiter.refund(7);
        assert_eq!(limiter.window(7, 1).used, 0);
    }
}
