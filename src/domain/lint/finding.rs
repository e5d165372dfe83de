//! What a rule finds, before waivers and levels. Knows no rule.

use super::catalogue::RuleId;
use super::subject::Subject;
use crate::domain::diagnostic::{Diagnostic, Location, Severity};
use crate::domain::ids::PromptPath;

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Whose.
    pub rule: RuleId,
    /// The file.
    pub path: PromptPath,
    /// The place; `None` for what concerns the file as a whole.
    pub at: Option<Location>,
    /// A lower-case fragment that names the thing.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Whether its line may be shown: one with a secret may not.
    pub shows_line: bool,
    /// Whether the very same stands in base's version of the file.
    pub on_base: bool,
}

impl Finding {
    /// A finding about a file as a whole.
    #[must_use]
    pub fn of_file(rule: RuleId, path: &PromptPath, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            rule,
            path: path.clone(),
            at: None,
            message: message.into(),
            help: help.into(),
            shows_line: true,
            on_base: false,
        }
    }

    /// The same at a place, where that is known.
    #[must_use]
    pub fn at(mut self, at: Option<Location>) -> Self {
        self.at = at;
        self
    }

    /// The same, its line never shown.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.shows_line = false;
        self
    }

    /// The finding as every report shows it.
    #[must_use]
    pub(super) fn into_diagnostic(self, severity: Severity, subject: &Subject<'_>) -> Diagnostic {
        let text = subject.text_of(&self.path).map_or("", |text| text.text);
        let mut diagnostic = Diagnostic::error(self.rule.name(), &self.path, self.message).with_help(self.help);
        diagnostic.severity = severity;
        match self.at {
            Some(at) => {
                let line = (at.line as usize).checked_sub(1).and_then(|before| text.lines().nth(before));
                diagnostic.at(at, line.filter(|_| self.shows_line))
            }
            None => diagnostic,
        }
    }
}
