//! How numbers are written: counts, money, scores, shares. Knows no report.

use crate::domain::untrusted::thousands;

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
    usize::try_from(number).map_or_else(|_| number.to_string(), thousands)
}

/// `1 case`, `3 cases`.
pub fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// USD, with cents where they are enough.
pub fn usd(amount: f64) -> String {
    match amount {
        0.0 => "$0".to_owned(),
        small if small < 0.01 => format!("${}", format!("{small:.6}").trim_end_matches('0')),
        cents if cents < 1.0 => format!("${cents:.4}"),
        dollars => format!("${dollars:.2}"),
    }
}

/// A score with two digits.
pub fn score(score: f64) -> String {
    format!("{score:.2}")
}

/// A share as a percentage.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A difference of scores in points of a hundred.
pub fn points(difference: f64) -> String {
    format!("{:.1}", difference * 100.0).replace('-', "−")
}

/// A length of time, with two digits where it is short.
#[expect(clippy::cast_precision_loss, reason = "nobody reads milliseconds beyond 2^53")]
pub fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..=999 => format!("{milliseconds} ms"),
        1_000..=9_999 => format!("{:.1} s", milliseconds as f64 / 1_000.0),
        10_000..=119_999 => format!("{} s", milliseconds / 1_000),
        _ => format!("{} min", milliseconds.div_ceil(60_000)),
    }
}
