//! What vendors say of their limits in headers. Knows their names for it; decides nothing.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::domain::date;
use crate::engine::provider::RateHint;

/// One limit as a vendor states it: how much is left, and how long until it is whole again.
struct Limit {
    left: Option<u64>,
    reset: Option<Duration>,
}

/// Where the vendors write what is left of requests and when that resets.
const REQUESTS: [(&str, &str); 2] = [
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
];
/// The same of tokens; of several the scarcest counts.
const TOKENS: [(&str, &str); 4] = [
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
];

/// What an answer's headers say of the vendor's limits, if anything.
pub(super) fn hint(headers: &HeaderMap, now_ms: i64) -> Option<RateHint> {
    let read = |names: &[(&str, &str)]| -> Vec<Limit> {
        let limits = names.iter().map(|(left, reset)| Limit {
            left: text(headers, left).and_then(|left| left.parse().ok()),
            reset: text(headers, reset).and_then(|reset| moment(reset, now_ms)),
        });
        limits.filter(|limit| limit.left.is_some() || limit.reset.is_some()).collect()
    };
    let (requests, tokens) = (read(&REQUESTS), read(&TOKENS));
    let all = || requests.iter().chain(&tokens);
    all().next()?;
    let used_up = all().filter(|limit| limit.left == Some(0)).filter_map(|limit| limit.reset).max();
    Some(RateHint {
        remaining_requests: requests.iter().filter_map(|limit| limit.left).min(),
        remaining_tokens: tokens.iter().filter_map(|limit| limit.left).min(),
        reset_after: used_up.or_else(|| all().filter_map(|limit| limit.reset).max()),
    })
}

/// How long a vendor that refuses asks to wait: its own words, else the end of a limit that is used up.
pub(super) fn retry_after(headers: &HeaderMap, now_ms: i64) -> Option<Duration> {
    let millis = ["retry-after-ms", "x-ms-retry-after-ms"].iter().find_map(|name| text(headers, name)?.parse().ok());
    millis.map(Duration::from_millis).or_else(|| asked(headers, now_ms)).or_else(|| {
        let hint = hint(headers, now_ms)?;
        hint.reset_after.filter(|_| hint.remaining_requests == Some(0) || hint.remaining_tokens == Some(0))
    })
}

/// `Retry-After` in seconds or as an HTTP date.
fn asked(headers: &HeaderMap, now_ms: i64) -> Option<Duration> {
    let value = text(headers, RETRY_AFTER.as_str())?;
    seconds(value).or_else(|| {
        let at = httpdate::parse_http_date(value).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(at.saturating_sub(Duration::from_millis(u64::try_from(now_ms).unwrap_or(0))))
    })
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// `6m0s` as OpenAI writes it, `12` seconds, or a point in time as Anthropic writes it.
fn moment(value: &str, now_ms: i64) -> Option<Duration> {
    seconds(value).or_else(|| span(value)).or_else(|| {
        let ahead = date::parse_rfc3339(value)?.saturating_sub(now_ms);
        Some(Duration::from_millis(u64::try_from(ahead).unwrap_or(0)))
    })
}

fn seconds(value: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(value.parse().ok()?).ok()
}

/// A span in parts, each a number with its unit: `1h2m`, `6m0s`, `120ms`.
pub(super) fn span(value: &str) -> Option<Duration> {
    let mut rest = value;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit_ends = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_ends);
        let scale = match unit {
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * scale).ok()?;
        total = total.checked_add(part)?;
        rest = tail;
    }
    (!value.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderName;

    use super::*;

    /// 2026-03-01T12:00:00Z.
    const NOW: i64 = 1_772_366_400_000;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn check(pairs: &[(&'static str, &str)], expected: Option<(Option<u64>, Option<u64>, Option<u64>)>) {
        let found = hint(&headers(pairs), NOW).map(|hint| {
            let millis = hint.reset_after.map(|reset| u64::try_from(reset.as_millis()).unwrap());
            (hint.remaining_requests, hint.remaining_tokens, millis)
        });
        assert_eq!(found, expected, "{pairs:?}");
    }

    #[test]
    fn openai_states_spans() {
        check(
            &[
                ("x-ratelimit-remaining-requests", "59"),
                ("x-ratelimit-remaining-tokens", "149984"),
                ("x-ratelimit-reset-requests", "1s"),
                ("x-ratelimit-reset-tokens", "6m0s"),
            ],
            Some((Some(59), Some(149_984), Some(360_000))),
        );
    }

    #[test]
    fn the_limit_that_is_used_up_says_when_it_is_whole_again() {
        check(
            &[
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-remaining-tokens", "149984"),
                ("x-ratelimit-reset-requests", "120ms"),
                ("x-ratelimit-reset-tokens", "6m0s"),
            ],
            Some((Some(0), Some(149_984), Some(120))),
        );
    }

    #[test]
    fn anthropic_states_points_in_time_and_several_kinds_of_tokens() {
        check(
            &[
                ("anthropic-ratelimit-requests-remaining", "49"),
                ("anthropic-ratelimit-requests-reset", "2026-03-01T12:00:02Z"),
                ("anthropic-ratelimit-input-tokens-remaining", "30000"),
                ("anthropic-ratelimit-output-tokens-remaining", "8000"),
                ("anthropic-ratelimit-output-tokens-reset", "2026-03-01T12:00:05.500Z"),
            ],
            Some((Some(49), Some(8_000), Some(5_500))),
        );
    }

    #[test]
    fn silence_and_nonsense_are_no_hint() {
        check(&[("content-type", "application/json")], None);
        check(&[("x-ratelimit-remaining-requests", "many"), ("x-ratelimit-reset-tokens", "soon")], None);
    }

    #[test]
    fn the_time_to_wait_is_the_vendors_own_word_first() {
        let wait = |pairs: &[(&'static str, &str)]| retry_after(&headers(pairs), NOW).map(|wait| wait.as_millis());
        assert_eq!(wait(&[("retry-after", "7")]), Some(7_000));
        assert_eq!(wait(&[("retry-after", "Sun, 01 Mar 2026 12:00:30 GMT")]), Some(30_000));
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[("retry-after", "-1")]), None);
        assert_eq!(wait(&[("retry-after-ms", "250"), ("retry-after", "1")]), Some(250));
        let used_up = [("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "12s")];
        assert_eq!(wait(&used_up), Some(12_000));
        assert_eq!(wait(&[("x-ratelimit-remaining-tokens", "5"), ("x-ratelimit-reset-tokens", "12s")]), None);
    }

    proptest! {
        #[test]
        fn no_header_text_is_a_panic(text in "\\PC{0,20}") {
            let _ = moment(&text, NOW);
        }

        #[test]
        fn a_span_is_the_sum_of_its_parts(hours in 0_u64..99, minutes in 0_u64..99, seconds in 0_u64..99, millis in 0_u64..999) {
            let expected = Duration::from_millis(((hours * 60 + minutes) * 60 + seconds) * 1_000 + millis);
            let found = span(&format!("{hours}h{minutes}m{seconds}s{millis}ms")).unwrap();
            prop_assert!(found.abs_diff(expected) < Duration::from_micros(1));
        }
    }
}
