//! What the commands say on standard error. Outside text goes through the one untrusted type.

use crate::domain::diagnostic::Diagnostic;
use crate::domain::untrusted::Secrets;

/// Prints findings with their excerpts. What has the shape of a secret on such a line is taken out.
pub fn findings(findings: &[Diagnostic]) {
    let secrets = Secrets::default();
    for finding in findings {
        eprintln!("{}", secrets.redact(&finding.render()));
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
