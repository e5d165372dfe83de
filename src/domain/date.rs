//! Points in time as text, from and to milliseconds since 1970. Knows no clock.

const DAY_MS: i64 = 86_400_000;

/// A point in time in RFC 3339, with `Z` or an offset.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
    };
    let mark = |at: usize, marks: &str| text.get(at..=at).is_some_and(|found| marks.contains(found));
    if !(mark(4, "-") && mark(7, "-") && mark(10, "Tt ") && mark(13, ":") && mark(16, ":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !((1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61) {
        return None;
    }
    let tail = text.get(19..)?;
    let zone_at = tail.find(['Z', 'z', '+', '-'])?;
    let fraction = tail.get(..zone_at)?;
    let millis = match fraction.strip_prefix('.') {
        None if fraction.is_empty() => 0,
        Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{digits:0<3}").get(..3)?.parse::<i64>().ok()?
        }
        _ => return None,
    };
    let zone = tail.get(zone_at..)?;
    let offset_minutes = match zone {
        "Z" | "z" => 0,
        _ => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let minutes = hours.parse::<i64>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?)?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    let minutes = ((days(year, month, day) * 24 + hour) * 60 + minute).checked_sub(offset_minutes)?;
    minutes.checked_mul(60)?.checked_add(second)?.checked_mul(1_000)?.checked_add(millis)
}

/// `20150830T123600Z`, the form that AWS signs.
pub fn compact(ms: i64) -> String {
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    let (hour, minute, second) = of_day(ms);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// `2015-08-30T12:36:00.000Z`, in RFC 3339.
pub fn rfc3339(ms: i64) -> String {
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    let (hour, minute, second) = of_day(ms);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms.rem_euclid(1_000))
}

/// A point in time in RFC 3339, or a day alone: its beginning in UTC.
pub fn parse_day_or_time(text: &str) -> Option<i64> {
    if text.len() == 10 { parse_rfc3339(&format!("{text}T00:00:00Z")) } else { parse_rfc3339(text) }
}

/// Hour, minute and second.
fn of_day(ms: i64) -> (i64, i64, i64) {
    let seconds = ms.rem_euclid(DAY_MS) / 1_000;
    (seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

// Both ways go through years that begin in March, so that the leap day is the last: see Howard Hinnant,
// "chrono-Compatible Low-Level Date Algorithms".

/// Days since 1970-01-01.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a day since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(parse_rfc3339(text), expected, "{text}");
    }

    #[test]
    fn points_in_time_are_read() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("2015-08-30T12:36:00Z", Some(1_440_938_160_000));
        check("2026-03-01T12:00:05.5Z", Some(1_772_366_405_500));
        check("2026-03-01T13:00:00+01:00", Some(1_772_366_400_000));
        check("2024-02-29T23:59:59.999999-00:30", Some(1_709_252_999_999));
        for wrong in ["", "soon", "2026-03-01", "2026-13-01T00:00:00Z", "2026-03-01T12:00:00", "2026-03-01T12:00:00.Z"]
        {
            check(wrong, None);
        }
    }

    #[test]
    fn the_compact_form_is_that_of_the_published_example() {
        assert_eq!(compact(1_440_938_160_000), "20150830T123600Z");
        assert_eq!(compact(951_782_400_000), "20000229T000000Z");
    }

    #[test]
    fn a_day_alone_is_its_beginning() {
        assert_eq!(parse_day_or_time("2026-03-01"), Some(1_772_323_200_000));
        assert_eq!(parse_day_or_time("2026-03-01T12:00:05.5Z"), Some(1_772_366_405_500));
        assert_eq!(parse_day_or_time("2026-3-1"), None);
        assert_eq!(rfc3339(1_772_366_405_500), "2026-03-01T12:00:05.500Z");
    }

    proptest! {
        #[test]
        fn a_time_comes_back_from_its_text(ms in -4_000_000_000_000_i64..4_000_000_000_000) {
            prop_assert_eq!(parse_rfc3339(&rfc3339(ms)), Some(ms));
        }

        #[test]
        fn a_day_comes_back_from_its_name(day in -100_000_i64..100_000) {
            let (year, month, of_month) = civil(day);
            prop_assert_eq!(days(year, month, of_month), day);
        }

        #[test]
        fn no_text_is_a_panic(text in "\\PC{0,40}") {
            let _ = parse_rfc3339(&text);
        }
    }
}
