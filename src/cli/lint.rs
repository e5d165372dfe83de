//! `promptops lint`: everything parsing finds, without calling a model.

use super::args::LintArguments;
use super::exit::{CommandError, Outcome};
use super::show;
use crate::app::lint;
use crate::app::local::{LocalError, LocalOptions};
use crate::app::plan::Overrides;
use crate::domain::diagnostic::Severity;

/// Runs the command.
///
/// # Errors
/// See [`CommandError`].
pub async fn run(arguments: &LintArguments) -> Result<Outcome, CommandError> {
    let options = LocalOptions {
        folder: super::folder()?,
        paths: arguments.paths.clone(),
        base: None,
        head: None,
        overrides: Overrides::default(),
    };
    let linted = lint::lint(&options).await.map_err(|error| match error {
        LocalError::Files(error) => CommandError::World(error.to_string()),
        other => CommandError::Input(other.to_string()),
    })?;
    show::findings(&linted.findings);
    let errors = linted.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = linted.findings.len() - errors;
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    println!("{}: {}, {}", count(linted.prompts, "prompt"), count(errors, "error"), count(warnings, "warning"));
    Ok(if errors == 0 { Outcome::Passed } else { Outcome::WrongInput })
}
