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
    /// One line per rule: who counts, who does not and why, who could.
    pub rules: Vec<String>,
}
