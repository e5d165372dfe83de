//! `promptops eval`: arguments to options, run, print, exit code.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use secrecy::ExposeSecret;

use super::answers;
use super::args::{EvalArguments, Format, Output};
use super::exit::{CommandError, Outcome};
use super::progress::Progress;
use super::show;
use crate::app::compare;
use crate::app::local::{self, Gathered, LocalError, LocalOptions};
use crate::app::plan::Overrides;
use crate::config;
use crate::domain::budget::Estimate;
use crate::domain::ids::ModelId;
use crate::domain::report::Outcome::BrokenFiles as Broken;
use crate::domain::report::text::{self, Style};
use crate::domain::report::{Report, estimate, github_models, html, json_v1, junit, markdown, sarif};
use crate::domain::untrusted::Secrets;

/// Runs the command.
///
/// # Errors
/// See [`CommandError`].
pub async fn run(arguments: &EvalArguments) -> Result<Outcome, CommandError> {
    let mut options = options(arguments)?;
    check_outputs(&arguments.output)?;
    let vendors = config::process().providers().map_err(|error| CommandError::Input(error.to_string()))?;
    let secrets = Secrets::new(vendors.keys().map(|key| key.expose_secret().to_owned()));
    let gathered = match gather(arguments, &mut options).await {
        Ok(gathered) => gathered,
        Err(error) => return failed(arguments, error, &secrets),
    };
    show::findings(&gathered.warnings);
    if gathered.pairs.is_empty() {
        let mut report = gathered.idle();
        gathered.tell_removed(&mut report);
        report.diagnostics.extend(gathered.warnings.iter().cloned());
        print(arguments, &report, &secrets, true)?;
        return Ok(Outcome::Passed);
    }
    // A recording answers from a file: nobody needs to be spared.
    let spared = arguments.replay.is_none().then_some(&vendors);
    let max_cost = arguments.max_cost.or(gathered.settings.run_usd);
    let limits = answers::limits(&vendors, spared, arguments.concurrency as usize, max_cost);
    let (provider, writer) = match &arguments.replay {
        Some(file) => (answers::replay(file)?, None),
        None => answers::provider(vendors, !arguments.no_cache, arguments.record.as_deref()).await?,
    };
    if arguments.estimate {
        return match local::estimate(&gathered, &options.overrides, provider, &limits).await {
            Ok(estimate) => print_estimate(arguments, &estimate, &secrets),
            Err(error) => failed(arguments, error, &secrets),
        };
    }
    let progress = Progress::start(limits.cancel.clone());
    let started = Instant::now();
    let result =
        local::evaluate(&gathered, &options.overrides, provider, &limits, &|event| progress.show(&event)).await;
    progress.finish();
    if let Some(writer) = writer {
        writer.finish().await;
    }
    match result {
        Ok(mut report) => {
            show::findings(&report.diagnostics);
            gathered.tell_removed(&mut report);
            report.diagnostics.extend(gathered.warnings.iter().cloned());
            report.took_ms = u64::try_from(started.elapsed().as_millis()).ok();
            report.replayed = arguments.replay.is_some();
            print(arguments, &report, &secrets, true)?;
            Ok(outcome(arguments, &report))
        }
        Err(LocalError::Run(error)) => {
            // The text for a terminal would only repeat the error.
            print(arguments, &gathered.unmeasured(&error), &secrets, arguments.format != Format::Text)?;
            Err(CommandError::World(error.to_string()))
        }
        Err(error) => failed(arguments, error, &secrets),
    }
}

/// Scripts written for `gh models eval` know no case without an answer: with one, the run is not measured.
fn outcome(arguments: &EvalArguments, report: &Report) -> Outcome {
    match report.verdict().into() {
        Outcome::Passed if arguments.format == Format::GithubModels && github_models::has_unmeasured(report) => {
            Outcome::NotMeasured
        }
        outcome => outcome,
    }
}

async fn gather(arguments: &EvalArguments, options: &mut LocalOptions) -> Result<Gathered, LocalError> {
    match arguments.compare.as_slice() {
        [a, b] => compare::gather(options, [a, b], arguments.golden.as_deref()).await,
        _ => local::gather(options).await,
    }
}

fn options(arguments: &EvalArguments) -> Result<LocalOptions, CommandError> {
    let model = arguments.model.as_deref().map(ModelId::parse).transpose();
    let overrides = Overrides {
        model: model.map_err(|error| CommandError::Input(format!("--model: {error}")))?,
        base_model: None,
        trials: arguments.trials,
        seed: arguments.seed,
        strict: arguments.strict || arguments.format == Format::GithubModels,
        base_gates: false,
    };
    Ok(LocalOptions {
        folder: super::folder()?,
        paths: arguments.paths.clone(),
        base: arguments.base.clone(),
        head: arguments.head.clone(),
        settings: arguments.config.clone(),
        overrides,
    })
}

fn failed(arguments: &EvalArguments, error: LocalError, secrets: &Secrets) -> Result<Outcome, CommandError> {
    match error {
        LocalError::Findings(findings) => {
            show::findings(&findings);
            let head = arguments.head.clone().unwrap_or_else(|| "working tree".to_owned());
            let mut report = Report::new(Broken, arguments.base.clone(), head);
            report.diagnostics = findings;
            print(arguments, &report, secrets, tells_findings(arguments.format))?;
            Ok(Outcome::WrongInput)
        }
        LocalError::Lint(findings) => {
            show::findings(&findings);
            let head = arguments.head.clone().unwrap_or_else(|| "working tree".to_owned());
            let mut report = Report::new(Broken, arguments.base.clone(), head);
            report.diagnostics = findings;
            print(arguments, &report, secrets, tells_findings(arguments.format))?;
            Ok(Outcome::Blocked)
        }
        LocalError::Input(message) => Err(CommandError::Input(message)),
        LocalError::Git(error) => Err(CommandError::Input(error.to_string())),
        LocalError::Files(error) => Err(CommandError::World(error.to_string())),
        LocalError::Run(error) => Err(CommandError::World(error.to_string())),
        LocalError::World(message) => Err(CommandError::World(message)),
    }
}

fn render(format: Format, report: &Report, colour: bool, secrets: &Secrets) -> String {
    match format {
        Format::Text => text::text(report, Style { colour }, secrets),
        Format::Markdown => markdown::comment(report, secrets),
        Format::Json => json_v1::json(report, secrets),
        Format::Junit => junit::xml(report, secrets),
        Format::Sarif => sarif::json(report, secrets),
        Format::Html => html::page(report, secrets),
        Format::GithubModels => github_models::json(report, secrets),
    }
}

/// Whether a format has a place for what is wrong with files; the others leave that to standard error.
fn tells_findings(format: Format) -> bool {
    matches!(format, Format::Junit | Format::Sarif | Format::Html)
}

/// A result that cannot be written should not cost a run.
fn check_outputs(outputs: &[Output]) -> Result<(), CommandError> {
    outputs.iter().try_for_each(|output| check_output("--output", &output.file))
}

/// The same for one file; `option` is what named it.
pub(super) fn check_output(option: &str, file: &Path) -> Result<(), CommandError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() && !file.is_dir() {
        return Ok(());
    }
    let what = if file.is_dir() { "is a folder" } else { "is in no folder that exists" };
    Err(CommandError::Input(format!("{option}: `{}` {what}; name a file", file.display())))
}

/// Writes the result where `--output` says, and prints it if `stdout` says so and no file took its place.
fn print(arguments: &EvalArguments, report: &Report, secrets: &Secrets, stdout: bool) -> Result<(), CommandError> {
    let mut written = false;
    for output in &arguments.output {
        let format = output.format.unwrap_or(arguments.format);
        if report.outcome == Broken && !tells_findings(format) {
            continue;
        }
        written |= output.format.is_none();
        write_file(&output.file, &render(format, report, false, secrets))?;
    }
    if stdout && !written {
        let colour = std::io::stdout().is_terminal() && config::process().colour();
        let mut stdout = std::io::stdout().lock();
        // Standard error has told the findings of files already.
        let findings = if arguments.format == Format::Text { Vec::new() } else { report.diagnostics.clone() };
        let report = Report { diagnostics: findings, ..report.clone() };
        // A reader that closed the pipe has seen what it wanted.
        writeln!(stdout, "{}", render(arguments.format, &report, colour, secrets).trim_end()).ok();
    }
    Ok(())
}

/// Prints what a run would cost, or writes it where `--output` says.
fn print_estimate(arguments: &EvalArguments, estimate: &Estimate, secrets: &Secrets) -> Result<Outcome, CommandError> {
    let render = |format| match format {
        Format::Json => Ok(estimate::json(estimate, secrets)),
        Format::Text => Ok(estimate::text(estimate, secrets)),
        _ => Err(CommandError::Input("--estimate is printed as text or json: choose one with --format".to_owned())),
    };
    let text = render(arguments.format)?;
    for output in &arguments.output {
        write_file(&output.file, &render(output.format.unwrap_or(arguments.format))?)?;
    }
    if arguments.output.iter().all(|output| output.format.is_some()) {
        // A reader that closed the pipe has seen what it wanted.
        write!(std::io::stdout().lock(), "{text}").ok();
    }
    Ok(Outcome::Passed)
}

pub(super) fn write_file(file: &Path, text: &str) -> Result<(), CommandError> {
    std::fs::write(file, text)
        .map_err(|error| CommandError::Input(format!("cannot write `{}`: {error}", file.display())))
}
