//! Sensitive data in answers: secrets and data of persons, by shape and check digits. Says how many, never which.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::spec::Sensitive;
use crate::domain::untrusted::tokens_in;

/// Lengths of account numbers by country: without them any number of letters might belong to one.
const IBAN_LENGTHS: &str = "AD24 AE23 AT20 AZ28 BE16 BG22 BH22 BR29 CH21 CY28 CZ24 DE22 DK18 EE20 ES24 FI18 FR27 GB22 GE22 GI23 GR27 HR21 \
    HU28 IE22 IL23 IS26 IT27 KW30 KZ20 LI21 LT20 LU20 LV21 MC27 MT31 NL18 NO15 PL28 PT25 QA29 RO24 RS22 SA24 SE24 \
    SI19 TR26";

const KINDS: [Sensitive; 6] =
    [Sensitive::Secret, Sensitive::Email, Sensitive::Phone, Sensitive::Card, Sensitive::Iban, Sensitive::Ssn];

#[expect(clippy::unwrap_used, reason = "the patterns are constants, and a test compiles them")]
fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

static EMAIL: LazyLock<Regex> = LazyLock::new(|| constant(r"[\w.%+-]+@(?:[\w-]+\.)+\p{L}{2,}"));
/// With a country's code, in the form of North America, or with a leading nought and a separator.
static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    constant(concat!(
        r"\+[0-9][0-9 ().-]{6,20}[0-9]",
        r"|(?:\([2-9][0-9]{2}\) ?|\b[2-9][0-9]{2}[ .-])[0-9]{3}[ .-][0-9]{4}\b",
        r"|\b0[0-9]{2,4}[ /-][0-9]{5,8}\b",
    ))
});
static CARD: LazyLock<Regex> = LazyLock::new(|| constant(r"\b[2-6](?:[ -]?[0-9]){12,18}\b"));
static IBAN: LazyLock<Regex> = LazyLock::new(|| constant(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}"));
static SSN: LazyLock<Regex> = LazyLock::new(|| constant(r"\b([0-8][0-9]{2})-([0-9]{2})-([0-9]{4})\b"));

/// What the text holds of the kinds that are not allowed, in words; `None`: nothing.
pub(super) fn found(text: &str, allow: &[Sensitive]) -> Option<String> {
    let counts = KINDS.iter().filter(|kind| !allow.contains(kind)).map(|kind| (*kind, count(*kind, text)));
    let said: Vec<String> = counts.filter(|(_, count)| *count > 0).map(|(kind, count)| say(kind, count)).collect();
    (!said.is_empty()).then(|| format!("holds {}", said.join(", ")))
}

fn count(kind: Sensitive, text: &str) -> usize {
    if kind == Sensitive::Secret { tokens_in(text) } else { spans(kind, text).len() }
}

/// Where data of that kind stands, in order; nothing for secrets, which have no single form.
fn spans(kind: Sensitive, text: &str) -> Vec<Range<usize>> {
    let all = |regex: &Regex, counts: fn(&str) -> bool| -> Vec<Range<usize>> {
        regex.find_iter(text).filter(|found| counts(found.as_str())).map(|found| found.range()).collect()
    };
    match kind {
        Sensitive::Secret => Vec::new(),
        Sensitive::Email => all(&EMAIL, |_| true),
        Sensitive::Phone => all(&PHONE, is_phone),
        Sensitive::Card => all(&CARD, is_card),
        Sensitive::Iban => all(&IBAN, is_iban),
        Sensitive::Ssn => {
            let given = SSN.captures_iter(text).filter(|found| is_ssn(&found[1], &found[2], &found[3]));
            given.filter_map(|found| Some(found.get(0)?.range())).collect()
        }
    }
}

/// A piece of data of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal {
    /// What it is, with its article.
    pub what: &'static str,
    /// Where it stands.
    pub span: Range<usize>,
}

/// Data of persons in a text, in order; where two kinds fit one place, the first of `KINDS`.
#[must_use]
pub fn personal_data(text: &str) -> Vec<Personal> {
    let of_kind = |kind: &Sensitive| {
        let what = match kind {
            Sensitive::Secret => "a secret",
            Sensitive::Email => "an e-mail address",
            Sensitive::Phone => "a telephone number",
            Sensitive::Card => "a card number",
            Sensitive::Iban => "a bank account number",
            Sensitive::Ssn => "a social security number",
        };
        spans(*kind, text).into_iter().map(move |span| Personal { what, span })
    };
    let mut found: Vec<Personal> = KINDS.iter().flat_map(of_kind).collect();
    // The sort is stable: of two at one place the first kind stays.
    found.sort_by_key(|one| one.span.start);
    found.dedup_by(|later, kept| later.span.start < kept.span.end);
    found
}

fn say(kind: Sensitive, count: usize) -> String {
    let (one, several) = match kind {
        Sensitive::Secret => ("secret", "secrets"),
        Sensitive::Email => ("e-mail address", "e-mail addresses"),
        Sensitive::Phone => ("phone number", "phone numbers"),
        Sensitive::Card => ("card number", "card numbers"),
        Sensitive::Iban => ("bank account number", "bank account numbers"),
        Sensitive::Ssn => ("social security number", "social security numbers"),
    };
    format!("{count} {}", if count == 1 { one } else { several })
}

fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> {
    text.chars().filter_map(|c| c.to_digit(10))
}

fn is_phone(text: &str) -> bool {
    (8..=15).contains(&digits(text).count())
}

/// Luhn's check digit; a number of one digit repeated is an example.
fn is_card(text: &str) -> bool {
    let first = digits(text).next();
    let sum: u32 = digits(text)
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => digit,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10) && digits(text).any(|digit| Some(digit) != first)
}

/// The length of its country, and the remainder that ISO 13616 asks for.
fn is_iban(text: &str) -> bool {
    let plain: Vec<char> = text.chars().filter(|c| *c != ' ').collect();
    let country: String = plain.iter().take(2).collect();
    let length = IBAN_LENGTHS.split(' ').find_map(|entry| entry.strip_prefix(&*country)?.parse::<usize>().ok());
    let Some(number) = length.and_then(|length| plain.get(..length)) else { return false };
    let turned = number.iter().skip(4).chain(number.iter().take(4));
    let remainder = turned
        .filter_map(|c| c.to_digit(36))
        .fold(0, |remainder, value| (remainder * if value > 9 { 100 } else { 10 } + value) % 97);
    remainder == 1
}

/// Numbers that were never given to anyone do not count.
fn is_ssn(area: &str, group: &str, serial: &str) -> bool {
    !matches!(area, "000" | "666") && group != "00" && serial != "0000"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(found(text, &[]).as_deref(), expected, "{text}");
    }

    #[test]
    fn each_kind_is_found() {
        check("Write to anna.b+c@mail.example.org now", Some("holds 1 e-mail address"));
        check("sk-proj-0123456789abcdefABCD", Some("holds 1 secret"));
        check("Call +49 89 1234567 or (415) 555-0132 or 089/1234567", Some("holds 3 phone numbers"));
        check("Card 4111 1111 1111 1111", Some("holds 1 card number"));
        check("Pay to DE89 3704 0044 0532 0130 00 AND BE HAPPY", Some("holds 1 bank account number"));
        check("GB82WEST12345698765432", Some("holds 1 bank account number"));
        check("SSN 123-45-6789", Some("holds 1 social security number"));
        check("a@b.de, c@d.fr, 123-45-6789", Some("holds 2 e-mail addresses, 1 social security number"));
    }

    #[test]
    fn numbers_with_wrong_check_digits_and_ordinary_text_are_not() {
        for text in [
            "Card 4111 1111 1111 1112",
            "Order 5555 5555 5555 5555",
            "DE88 3704 0044 0532 0130 00",
            "XX89 3704 0044 0532 0130 00",
            "000-45-6789 and 123-00-6789",
            "Version 1.2.3.4 of 2024-11-23 at 10:30, room 012-3",
            "We refund 1,234,567.89 EUR @ noon",
            "user@localhost",
            "",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn allowed_kinds_do_not_count_and_the_data_is_not_said() {
        let text = "anna@example.org 4111111111111111";
        assert_eq!(found(text, &[Sensitive::Email]).unwrap(), "holds 1 card number");
        assert_eq!(found(text, &[Sensitive::Email, Sensitive::Card]), None);
        let said = found(text, &[]).unwrap();
        assert!(!said.contains("anna") && !said.contains("4111"), "{said}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[A-Z0-9 @.+-]{0,60}|\\PC{0,30}") {
            found(&text, &[]);
        }
    }
}
