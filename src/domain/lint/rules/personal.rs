//! `personal-data`: addresses and numbers of persons, by form and check digits. Says what kind, never which. Knows no other
//! rule.

use std::collections::BTreeSet;

use crate::domain::evaluator::{Personal, personal_data};
use crate::domain::lint::place::Places;
use crate::domain::lint::{Config, Finding, Part, Rule, RuleId, Subject};

/// Keys whose value is about who made the file.
const MAKERS: [&str; 8] = ["author", "authors", "owner", "owners", "contact", "contacts", "maintainer", "maintainers"];
/// Ends of domains that belong to nobody (RFC 2606 and 6761).
const NOBODYS: [&str; 7] = ["example.com", "example.org", "example.net", ".example", ".test", ".invalid", ".localhost"];

/// The rule.
pub struct PersonalData;

impl Rule for PersonalData {
    fn id(&self) -> RuleId {
        RuleId::PersonalData
    }

    fn check(&self, subject: &Subject<'_>, _: &Config<'_>, found: &mut Vec<Finding>) {
        for text in subject.texts {
            let makers = if text.part == Part::GoldenSet { BTreeSet::new() } else { maker_lines(text.text) };
            let mut places = Places::new(text.text);
            for Personal { what, span } in personal_data(text.text) {
                let at = places.of(&span);
                let data = text.text.get(span).unwrap_or("");
                if is_made_up(data) || makers.contains(&at.line) {
                    continue;
                }
                let message = format!("{what} stands here");
                let help = "replace it by made-up data, for instance of example.com";
                found.push(Finding::of_file(self.id(), text.path, message, help).hidden().at(Some(at)));
            }
        }
    }
}

/// Addresses and telephone numbers that are set aside for examples.
fn is_made_up(data: &str) -> bool {
    let lower = data.to_lowercase();
    let digits: String = data.chars().filter(char::is_ascii_digit).collect();
    let is_fictional_number =
        digits.len() >= 10 && digits.get(digits.len() - 7..).is_some_and(|end| end.starts_with("55501"));
    lower.contains('@') && NOBODYS.iter().any(|end| lower.ends_with(end)) || is_fictional_number
}

/// The lines of keys that name the file's makers, and of lists under them.
fn maker_lines(text: &str) -> BTreeSet<u32> {
    let mut lines = BTreeSet::new();
    let mut is_makers = false;
    for (before, line) in text.lines().enumerate() {
        let inner = line.trim_start();
        if !inner.starts_with("- ") {
            let key = inner.split_once(':').map(|(key, _)| key.trim());
            is_makers = key.is_some_and(|key| MAKERS.contains(&key));
        }
        if is_makers {
            lines.insert(u32::try_from(before + 1).unwrap_or(u32::MAX));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use crate::domain::lint::testing::Bench;

    #[track_caller]
    fn check(content: &str, expected: Option<&str>) {
        let file = format!("name: a\nmessages:\n  - role: user\n    content: {content:?}\n");
        let expected = expected.map(|what| format!("4 personal-data: {what} stands here"));
        let said = Bench::new(&file).expect("personal-data", &expected.as_deref().into_iter().collect::<Vec<_>>());
        assert!(!said.contains("4111") && !said.contains("anna"), "it is never shown: {said}");
    }

    #[test]
    fn data_of_persons_is_told_by_kind() {
        check("Write to anna@acme.com.", Some("an e-mail address"));
        check("Call +49 89 1234567.", Some("a telephone number"));
        check("Card 4111 1111 1111 1111", Some("a card number"));
        check("Pay to DE89 3704 0044 0532 0130 00 now", Some("a bank account number"));
        check("SSN 123-45-6789", Some("a social security number"));
    }

    #[test]
    fn examples_and_the_makers_of_a_file_do_not_count() {
        check("Write to anna@example.com or bob@mail.test.", None);
        check("Call (415) 555-0132.", None);
        check("Order 4711 of 2024-11-23", None);
        let file = "---\nname: a\nauthors:\n  - anna@acme.com\nowner: \"@anna\"\n---\nuser:\nHello anna@acme.com\n";
        Bench::named("a.prompty", file).expect("personal-data", &["8 personal-data: an e-mail address stands here"]);
    }

    #[test]
    fn golden_sets_are_looked_through_and_may_be_waived_as_a_whole() {
        let file = "messages: [{role: user, content: \"{{x}}\"}]\n";
        let cases = "cases:\n  - {id: a, vars: {x: a@acme.com}, expected: y}\n";
        Bench::new(file)
            .golden(cases)
            .expect("personal-data", &["golden:2 personal-data: an e-mail address stands here"]);
        Bench::new(file)
            .golden(&format!("# promptops: allow personal-data because they are staff who agreed\n{cases}"))
            .expect("personal-data", &[]);
    }
}
