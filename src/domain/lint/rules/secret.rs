//! `secret`: tokens and private keys in any of the files. Says what kind and where, never which. Knows no other rule.

use std::collections::HashSet;

use crate::domain::lint::place::Places;
use crate::domain::lint::{Config, Finding, Rule, RuleId, Subject};
use crate::domain::untrusted::token_spans;

/// Kinds of token by how they begin; the first that fits counts.
const KINDS: [(&str, &str); 9] = [
    ("-----BEGIN", "a private key"),
    ("sk-ant-", "an Anthropic API key"),
    ("sk-", "an API key"),
    ("github_pat_", "a GitHub token"),
    ("gh", "a GitHub token"),
    ("AKIA", "an AWS access key"),
    ("ASIA", "an AWS access key"),
    ("AIza", "a Google API key"),
    ("xox", "a Slack token"),
];

/// The rule.
pub struct Secret;

impl Rule for Secret {
    fn id(&self) -> RuleId {
        RuleId::Secret
    }

    fn check(&self, subject: &Subject<'_>, _: &Config<'_>, found: &mut Vec<Finding>) {
        for text in subject.texts {
            let on_base: HashSet<&str> = text
                .base
                .map_or_else(HashSet::new, |base| token_spans(base).filter_map(|span| base.get(span)).collect());
            let mut places = Places::new(text.text);
            for span in token_spans(text.text) {
                let token = text.text.get(span.clone()).unwrap_or("");
                let kind =
                    KINDS.iter().find(|(start, _)| token.starts_with(start)).map_or("a token", |(_, kind)| *kind);
                let message = format!("{kind} stands here");
                let help = "revoke it, then remove it: what is in a prompt reaches the provider";
                let mut finding = Finding::of_file(self.id(), text.path, message, help).hidden();
                finding.on_base = on_base.contains(token);
                found.push(finding.at(Some(places.of(&span))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::lint::testing::Bench;

    const FILE: &str = "name: a\nmessages:\n  - role: user\n    content: \"Use KEY please\"\n";

    #[track_caller]
    fn check(token: &str, expected: &str) {
        let said =
            Bench::new(&FILE.replace("KEY", token)).expect("secret", &[&format!("4 secret: {expected} stands here")]);
        assert!(!said.contains(token.lines().next().unwrap()), "it is never shown: {said}");
    }

    #[test]
    fn tokens_are_told_by_kind_and_never_shown() {
        check("sk-proj-0123456789abcdefABCD", "an API key");
        check("sk-ant-0123456789abcdefABCD", "an Anthropic API key");
        check("ghp_0123456789abcdefABCD", "a GitHub token");
        check("github_pat_0123456789abcdefABCD", "a GitHub token");
        check("AKIAIOSFODNN7EXAMPLE", "an AWS access key");
        check("xoxb-1234567890-abc", "a Slack token");
        check("eyJ0123456789.eyJ0123456789.0123456789", "a token");
        check("-----BEGIN PRIVATE KEY-----MIIE-----END PRIVATE KEY-----", "a private key");
    }

    #[test]
    fn golden_sets_are_looked_through_and_ordinary_text_is_not_accused() {
        Bench::new(FILE)
            .golden("cases:\n  - {id: a, vars: {x: sk-proj-0123456789abcdefABCD}, expected: y}\n")
            .expect("secret", &["golden:2 secret: an API key stands here"]);
        Bench::new(&FILE.replace("KEY", "the task-force and sk-short")).expect("secret", &[]);
    }

    #[test]
    fn a_waiver_on_its_line_counts_but_in_a_pull_request_only_where_base_has_the_secret() {
        let key = "# promptops: allow secret because it is the vendor's example\ndescription: AKIAIOSFODNN7EXAMPLE\n";
        let plain = "messages: [{role: user, content: hi}]\n";
        let head = format!("{key}{plain}");
        let finding = "2 secret: an AWS access key stands here";
        Bench::new(&head).expect("secret", &[]);
        Bench::new(&head).base(plain).pull().expect("secret", &[finding]);
        Bench::new(&head).pull().expect("secret", &[finding]);
        Bench::new(&head).base(&head).pull().expect("secret", &[]);
        let old = key.lines().last().unwrap();
        Bench::new(&head).base(&format!("{old}\n{plain}")).pull().expect("secret", &[]);
        let waiver = key.lines().next().unwrap();
        // The words of a waiver that base has do not wave another secret through.
        Bench::new(&head).base(&format!("{waiver}\n{plain}")).pull().expect("secret", &[finding]);
        let other = format!("{waiver}\ndescription: AKIAIOSFODNN7EXAMPL2\n{plain}");
        Bench::new(&other).base(&head).pull().expect("secret", &[finding]);
    }
}
