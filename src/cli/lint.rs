//! `promptops lint`: everything that parsing and the rules find, without calling a model.

use std::io::Write;

use super::args::{LintArguments, LintFormat};
use super::exit::{CommandError, Outcome};
use super::show;
use crate::app::lint::{self, LintOptions, Linted};
use crate::app::local::LocalError;
use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::lint::{CATALOGUE, RuleId, catalogue};
use crate::domain::reader::suggestion;
use crate::domain::report::{lint_v1, sarif};
use crate::domain::untrusted::Secrets;

/// Runs the command.
///
/// # Errors
/// See [`CommandError`].
pub async fn run(arguments: &LintArguments) -> Result<Outcome, CommandError> {
    if arguments.rules {
        return Ok(list());
    }
    if let Some(name) = &arguments.explain {
        return explain(name);
    }
    let options = LintOptions {
        folder: super::folder()?,
        paths: arguments.paths.clone(),
        base: arguments.base.clone(),
        settings: arguments.config.clone(),
    };
    let linted = lint::lint(&options).await.map_err(|error| match error {
        LocalError::Files(error) => CommandError::World(error.to_string()),
        other => CommandError::Input(other.to_string()),
    })?;
    let findings: Vec<Diagnostic> = linted.files.iter().chain(&linted.rules).cloned().collect();
    linted.notes.iter().for_each(|note| show::warning(note));
    let secrets = Secrets::default();
    match arguments.format {
        LintFormat::Text => {
            show::findings(&findings);
            print(&summary(&linted));
        }
        LintFormat::Json => print(&lint_v1::json(linted.prompts, &findings, &secrets)),
        LintFormat::Sarif => print(&sarif::findings_json(&findings, &secrets)),
    }
    Ok(match (errors(&linted.files), errors(&linted.rules)) {
        (0, 0) => Outcome::Passed,
        (0, _) => Outcome::Blocked,
        (_, _) => Outcome::WrongInput,
    })
}

fn errors(findings: &[Diagnostic]) -> usize {
    findings.iter().filter(|finding| finding.severity == Severity::Error).count()
}

fn summary(linted: &Linted) -> String {
    let errors = errors(&linted.files) + errors(&linted.rules);
    let warnings = linted.files.len() + linted.rules.len() - errors;
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    format!("{}: {}, {}\n", count(linted.prompts, "prompt"), count(errors, "error"), count(warnings, "warning"))
}

/// A reader that closed the pipe has seen what it wanted.
fn print(text: &str) {
    write!(std::io::stdout().lock(), "{text}").ok();
}

/// All rules, one a line.
fn list() -> Outcome {
    let line = |about: &catalogue::About| format!("{:<22} {:<8} {}\n", about.name, about.level.name(), about.title);
    print(&CATALOGUE.iter().map(line).collect::<String>());
    Outcome::Passed
}

/// What a rule looks at and what to do.
fn explain(name: &str) -> Result<Outcome, CommandError> {
    let Some(rule) = RuleId::named(name) else {
        let help = suggestion(name, &catalogue::names());
        return Err(CommandError::Input(format!("--explain: `{name}` is no lint rule; {help}")));
    };
    let about = rule.about();
    print(&format!("{}: {}\nlevel: {}\n\n{}\n", about.name, about.title, about.level.name(), about.text));
    Ok(Outcome::Passed)
}
