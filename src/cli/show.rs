//! What the commands say on standard error, and how standard output looks. Outside text goes through the one untrusted type.

use std::io::IsTerminal;

use crate::config;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::report::findings::{EXPLAIN, for_people, rule};
use crate::domain::report::terminal::Look;
use crate::domain::report::text::Style;
use crate::domain::untrusted::Secrets;

/// Columns of a line where nobody says how many there are.
const COLUMNS: u16 = 80;
/// Longer lines are hard to read, however wide the terminal.
const MOST_COLUMNS: u16 = 100;

/// Width and colours of standard output: 80 columns and no colours where it is no terminal.
pub fn look() -> Look {
    let terminal = std::io::stdout().is_terminal();
    let size = console::Term::stdout().size_checked().filter(|_| terminal);
    let columns = size.map_or(COLUMNS, |(_, columns)| columns.min(MOST_COLUMNS));
    Look { columns: columns.into(), style: Style { colour: terminal && config::process().colour() } }
}

/// Prints findings with their excerpts and rules. What has the shape of a secret on such a line is taken out.
pub fn findings(findings: &[Diagnostic]) {
    let secrets = Secrets::default();
    let shown = for_people(findings);
    for finding in &shown {
        eprintln!("{}", secrets.redact(&finding.render_of(rule(finding))));
    }
    if shown.iter().any(|finding| rule(finding).is_some()) {
        eprintln!("{EXPLAIN}");
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
