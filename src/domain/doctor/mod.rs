//! What is right and wrong with an installation: facts become findings, each with what to do. Knows neither how facts are
//! gathered nor how findings are printed.

pub mod here;
pub mod providers;
pub mod repository;
pub mod service;
pub mod workflow;

use serde::Serialize;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The folder the command was called in.
    Here,
    /// The model providers that its prompts need.
    Providers,
    /// The service and its app.
    Service,
    /// A repository at GitHub.
    Repository,
}

impl Part {
    /// The headline.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Providers => "providers",
            Self::Service => "service",
            Self::Repository => "repository",
        }
    }
}

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Not looked at; the text says why.
    Skipped,
    /// It works, and could be better.
    Warning,
    /// The user has to mend it.
    Problem,
    /// The world has to mend it: no answer came.
    Unreachable,
}

impl Level {
    /// The word at the start of a line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::Unreachable => "no answer",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub part: Part,
    /// What was looked at: a stable kebab-case name.
    pub check: &'static str,
    /// How it stands.
    pub level: Level,
    /// What was seen. Outside text in it is as it was: printing escapes it.
    pub message: String,
    /// What to do.
    pub advice: Option<String>,
}

/// Findings of one part, in the order they were made.
#[derive(Debug)]
pub struct Sheet {
    part: Part,
    findings: Vec<Finding>,
}

impl Sheet {
    /// An empty one.
    #[must_use]
    pub fn new(part: Part) -> Self {
        Self { part, findings: Vec::new() }
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Vec<Finding> {
        self.findings
    }

    /// It is as it should be.
    pub fn ok(&mut self, check: &'static str, message: impl Into<String>) {
        self.add(check, Level::Ok, message.into(), None);
    }

    /// It was not looked at.
    pub fn skipped(&mut self, check: &'static str, why: impl Into<String>) {
        self.add(check, Level::Skipped, why.into(), None);
    }

    /// It works, and could be better.
    pub fn warning(&mut self, check: &'static str, message: impl Into<String>, advice: impl Into<String>) {
        self.add(check, Level::Warning, message.into(), Some(advice.into()));
    }

    /// The user has to mend it.
    pub fn problem(&mut self, check: &'static str, message: impl Into<String>, advice: impl Into<String>) {
        self.add(check, Level::Problem, message.into(), Some(advice.into()));
    }

    /// Nobody answered, or it failed there; the message itself says what to do.
    pub fn failed(&mut self, check: &'static str, trouble: &Trouble) {
        let level = if trouble.is_world { Level::Unreachable } else { Level::Problem };
        self.add(check, level, trouble.message.clone(), None);
    }

    fn add(&mut self, check: &'static str, level: Level, message: String, advice: Option<String>) {
        self.findings.push(Finding { part: self.part, check, level, message, advice });
    }
}

/// Why a fact could not be had. The message ends with what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What happened.
    pub message: String,
    /// Whether the world has to mend it, not the user.
    pub is_world: bool,
}

/// `1 thing`, `2 things`.
#[must_use]
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// The first few of a list, and how many more there are.
#[must_use]
pub fn some<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Short forms of findings, for the tests of this folder.
#[cfg(test)]
pub(crate) mod testing {
    use super::Finding;

    /// `level check: message`, one a line.
    pub(crate) fn lines(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(|one| format!("{} {}: {}", one.level.word(), one.check, one.message)).collect()
    }

    /// Whether one line begins so, and every warning and problem says what to do.
    #[track_caller]
    pub(crate) fn has(findings: &[Finding], expected: &str) {
        let lines = lines(findings);
        assert!(
            lines.iter().any(|line| line.starts_with(expected)),
            "no line begins `{expected}`:\n{}",
            lines.join("\n")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut() {
        assert_eq!(some(&["a", "b", "c"], 5), "a, b, c");
        assert_eq!(some(&["a", "b", "c"], 1), "a and 2 more");
        assert_eq!((count(1, "case"), count(0, "case")), ("1 case".to_owned(), "0 cases".to_owned()));
    }
}
