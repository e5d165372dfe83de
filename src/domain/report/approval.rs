//! Where the approvals of a pull request stand, as plain text. Knows no rule and no person: the policy decides, this shows.

use serde::{Deserialize, Serialize};

/// What the approval check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Every rule is satisfied, or none applies.
    Satisfied,
    /// People are still to approve.
    Waiting,
    /// Somebody a rule names asked for changes.
    ChangesRequested,
    /// It cannot be decided: an unreadable team, an unknown author of a commit, broken settings.
    Undecidable,
}

/// The approvals in one line, and rule by rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalSummary {
    /// Where it stands.
    pub state: ApprovalState,
    /// One sentence: for whom it waits, or who approved.
    pub line: String,
    /// One line per rule: who counts, who does not and why, who could; below it the parts of what it asks for.
    pub rules: Vec<ApprovalLine>,
}

/// A line about a rule or a part of one, and the lines below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalLine {
    /// One or more sentences.
    pub text: String,
    /// What belongs to it; no deeper than the settings nest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<ApprovalLine>,
}

impl From<String> for ApprovalLine {
    fn from(text: String) -> Self {
        Self { text, parts: Vec::new() }
    }
}
