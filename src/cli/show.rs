//! What the commands say on standard error. Outside text goes through the one untrusted type.

use crate::domain::diagnostic::Diagnostic;

/// Prints findings with their excerpts.
pub fn findings(findings: &[Diagnostic]) {
    for finding in findings {
        eprintln!("{}", finding.render());
    }
}

/// Prints a warning of our own words.
pub fn warning(text: &str) {
    eprintln!("warning: {text}");
}

/// Prints why a command failed.
pub fn error(text: &str) {
    eprintln!("error: {text}");
}
