//! The fake GitHub's own clock: real time plus an offset that tests move. Knows no other part of the fake.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Real time, shifted forward by what a test asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    offset: Duration,
}

impl Clock {
    /// Moves the clock forward.
    pub(super) fn advance(&mut self, by: Duration) {
        self.offset += by;
    }

    /// Time since the Unix epoch.
    #[expect(clippy::disallowed_methods, reason = "clients sign their tokens with real time, so the server checks it")]
    pub(super) fn now(self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO) + self.offset
    }

    /// Whole seconds since the Unix epoch.
    pub(super) fn seconds(self) -> u64 {
        self.now().as_secs()
    }
}

/// Seconds since the epoch as GitHub writes a time: `2026-11-24T06:30:54Z`.
pub(super) fn iso(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days to a civil date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(seconds: u64, expected: &str) {
        assert_eq!(iso(seconds), expected);
    }

    #[test]
    fn times_are_written_as_github_does() {
        check(0, "1970-01-01T00:00:00Z");
        check(951_782_400, "2000-02-29T00:00:00Z");
        check(1_795_501_854, "2026-11-24T06:30:54Z");
    }
}
