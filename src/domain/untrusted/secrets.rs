//! Takes secrets out of text: the values we hold, and whatever has the shape of a token. Knows nothing of rendering.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// What stands where a secret stood.
const REDACTED: &str = "[redacted]";

/// Shorter values would take ordinary words out of every report.
const SHORTEST_SECRET: usize = 4;

/// Token shapes of the services a prompt team uses. A private key is taken out even when its end is missing.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and a test compiles it")]
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)",
        r"|\b(?:sk-[A-Za-z0-9_-]{16,}",
        r"|gh[pousr]_[A-Za-z0-9_]{16,}",
        r"|github_pat_[A-Za-z0-9_]{16,}",
        r"|(?:AKIA|ASIA)[A-Z0-9]{16}",
        r"|AIza[A-Za-z0-9_-]{35}",
        r"|xox[a-z]-[A-Za-z0-9-]{10,}",
        r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})",
    ))
    .unwrap()
});

/// The secret values this process holds. Empty for one that holds none; token shapes are taken out all the same.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Longest first, so that a secret inside another leaves nothing behind.
    values: Vec<String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.values.len())
    }
}

impl Secrets {
    /// Secrets with these values; very short ones are left out.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut all: Vec<String> = values
            .into_iter()
            .map(|value| value.trim().to_owned())
            .filter(|value| value.chars().count() >= SHORTEST_SECRET)
            .collect();
        // Inputs are shown as JSON, where a quote or a line end inside a secret is escaped.
        let escaped: Vec<String> = all.iter().map(|value| json_escaped(value)).collect();
        all.extend(escaped);
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
        Self { values: all }
    }

    /// `text` without secrets.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut clean = Cow::Borrowed(text);
        for value in &self.values {
            if clean.contains(value.as_str()) {
                clean = Cow::Owned(clean.replace(value.as_str(), REDACTED));
            }
        }
        if TOKEN.is_match(&clean) {
            clean = Cow::Owned(TOKEN.replace_all(&clean, REDACTED).into_owned());
        }
        clean
    }
}

/// How many pieces of a text have the shape of a token or a private key.
#[must_use]
pub fn tokens_in(text: &str) -> usize {
    TOKEN.find_iter(text).count()
}

/// Where in a text pieces of that shape stand, in order.
pub fn token_spans(text: &str) -> impl Iterator<Item = std::ops::Range<usize>> {
    TOKEN.find_iter(text).map(|found| found.range())
}

fn json_escaped(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let secrets =
            Secrets::new(["hunter2hunter2".to_owned(), "hunter2".to_owned(), "a\"b\nc".to_owned(), "x".to_owned()]);
        assert_eq!(secrets.redact(text), expected);
    }

    #[test]
    fn held_values_are_taken_out_whole() {
        check("key hunter2hunter2.", "key [redacted].");
        check("a\"b\nc and {\"k\":\"a\\\"b\\nc\"}", "[redacted] and {\"k\":\"[redacted]\"}");
        check("x is too short to be a secret", "x is too short to be a secret");
    }

    #[test]
    fn token_shapes_are_taken_out() {
        let body = "0123456789abcdefABCD";
        for token in [
            format!("sk-proj-{body}"),
            format!("sk-ant-{body}"),
            format!("ghp_{body}"),
            format!("ghs_{body}"),
            format!("github_pat_{body}"),
            "AKIAIOSFODNN7EXAMPLE".to_owned(),
            "xoxb-1234567890-abc".to_owned(),
            format!("eyJ{body}.eyJ{body}.{body}"),
        ] {
            check(&format!("before {token} after"), "before [redacted] after");
        }
    }

    #[test]
    fn a_private_key_goes_with_all_its_lines() {
        check("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nok", "[redacted]\nok");
        check("-----BEGIN PRIVATE KEY-----\nMIIE cut off", "[redacted]");
    }

    #[test]
    fn ordinary_words_stay() {
        check("the risk-averse desk-bound task-force", "the risk-averse desk-bound task-force");
        check("AKIA is a prefix, eyJ too", "AKIA is a prefix, eyJ too");
    }
}
