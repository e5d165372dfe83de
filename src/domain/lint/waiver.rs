//! Comments in a file that allow a finding, with a reason. Reads lines; knows no format, and no rule but by its name.

use std::sync::LazyLock;

use regex::Regex;

use super::catalogue::RuleId;
use crate::domain::diagnostic::Location;

/// Most waivers that are read of one file.
const MOST: usize = 1_000;

#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test compiles it")]
static WAIVER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:^|\s|\{)(?:#|<!--|\{\{!(?:--)?)\s*promptops:\s*allow\b",
        r"[ \t]*([A-Za-z0-9_-]*)(?:[ \t]+because\b)?(.*?)(?:--\s*>|-*\}\}|#\}|$)",
    ))
    .unwrap()
});

/// One comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// What stands where the rule's name belongs.
    pub name: String,
    /// The rule, if it is one.
    pub rule: Option<RuleId>,
    /// Why; empty where nothing is said.
    pub reason: String,
    /// Where.
    pub at: Location,
    /// Whether it stands among the comments at the head of the file: then it holds for all of it.
    pub is_at_head: bool,
}

impl Waiver {
    /// Whether it allows what a rule found there; `None`: in the file as a whole.
    #[must_use]
    pub fn covers(&self, rule: RuleId, at: Option<Location>) -> bool {
        let near = |at: Location| at.line == self.at.line || at.line == self.at.line + 1;
        // For a secret the whole file is too much: the next one would pass with it.
        let reaches = at.is_none_or(near) || self.is_at_head && rule != RuleId::Secret;
        self.rule == Some(rule) && !self.reason.is_empty() && reaches
    }
}

/// The waivers of a file.
#[must_use]
pub fn read(text: &str) -> Vec<Waiver> {
    let mut waivers = Vec::new();
    let mut is_head = true;
    for (before, line) in text.lines().enumerate() {
        let bare = line.trim();
        is_head &=
            bare.is_empty() || bare == "---" || bare == "+++" || bare.starts_with('#') || bare.starts_with("<!--");
        if !line.contains("promptops:") {
            continue;
        }
        let Some(found) = WAIVER.captures(line) else { continue };
        let part = |group| found.get(group).map_or("", |part| part.as_str()).trim().to_owned();
        let (name, said) = (part(1), part(2));
        let mut whole = found.get(0).map_or(0..0, |whole| whole.range());
        let matched = line.get(whole.clone()).unwrap_or("");
        whole.start += matched.len() - matched.trim_start().len();
        let column = line.get(..whole.start).unwrap_or("").chars().count() + 1;
        waivers.push(Waiver {
            rule: RuleId::named(&name),
            name,
            reason: reason(found.get(0).map_or("", |whole| whole.as_str()), said),
            at: Location {
                line: u32::try_from(before + 1).unwrap_or(u32::MAX),
                column: u32::try_from(column).unwrap_or(u32::MAX),
                length: u32::try_from(line.get(whole).unwrap_or("").chars().count()).unwrap_or(u32::MAX),
            },
            is_at_head: is_head,
        });
        if waivers.len() == MOST {
            break;
        }
    }
    waivers
}

/// The reason, if the word that leads to it is there.
fn reason(whole: &str, said: String) -> String {
    if whole.contains(" because") && said.chars().any(char::is_alphanumeric) { said } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &[(u32, &str, &str)]) {
        let waivers = read(text);
        let found: Vec<_> =
            waivers.iter().map(|waiver| (waiver.at.line, waiver.name.as_str(), waiver.reason.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_waiver_is_a_comment_of_any_format() {
        check("name: a\n# promptops: allow near-duplicate because two teams\n", &[(2, "near-duplicate", "two teams")]);
        check("key: x  # promptops: allow secret because revoked", &[(1, "secret", "revoked")]);
        check("<!-- promptops: allow personal-data because made up -->", &[(1, "personal-data", "made up")]);
        check("{{! promptops: allow secret because a test }}", &[(1, "secret", "a test")]);
        check("{{!-- promptops: allow secret because a test --}}", &[(1, "secret", "a test")]);
        check("{# promptops: allow secret because a test #}", &[(1, "secret", "a test")]);
    }

    #[test]
    fn one_without_a_reason_or_a_rule_is_told_apart() {
        check("# promptops: allow secret", &[(1, "secret", "")]);
        check("# promptops: allow secret because", &[(1, "secret", "")]);
        check("# promptops: allow secret because …", &[(1, "secret", "")]);
        check("# promptops: allow secret it is fine", &[(1, "secret", "")]);
        check("# promptops: allow", &[(1, "", "")]);
        check("we use promptops: allow secret because x", &[]);
    }

    #[test]
    fn it_holds_for_its_line_the_next_or_the_file() {
        let text = "---\n# promptops: allow secret because a\n# promptops: allow near-duplicate because b\nname: a\n\
                    # promptops: allow personal-data because c\nx: y\n";
        let waivers = read(text);
        let covers = |rule, line| {
            waivers.iter().any(|waiver| waiver.covers(rule, Some(Location { line, column: 1, length: 1 })))
        };
        assert!(covers(RuleId::PersonalData, 5) && covers(RuleId::PersonalData, 6));
        assert!(!covers(RuleId::PersonalData, 7) && !covers(RuleId::PersonalData, 4));
        assert!(covers(RuleId::NearDuplicate, 99), "it stands at the head");
        assert!(covers(RuleId::Secret, 3) && !covers(RuleId::Secret, 4), "a secret is waived by its line only");
        assert!(waivers.iter().any(|waiver| waiver.covers(RuleId::NearDuplicate, None)));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(# promptops: allow [a-z-]{0,9}( because)?\\PC{0,20}\n|\\PC{0,30}\n){0,5}") {
            let _ = read(&text);
        }
    }
}
