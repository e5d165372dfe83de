//! `promptops eval`: arguments to options, run, print, exit code.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

use super::args::{EvalArguments, Format, Output};
use super::exit::{CommandError, Outcome};
use super::progress::Progress;
use super::show;
use crate::app::cached::{AnswerWriter, Cached};
use crate::app::compare;
use crate::app::local::{self, Gathered, LocalError, LocalOptions};
use crate::app::plan::Overrides;
use crate::config;
use crate::domain::budget::Estimate;
use crate::domain::ids::ModelId;
use crate::domain::price::Prices;
use crate::domain::report::Outcome::BrokenFiles as Broken;
use crate::domain::report::text::{self, Style};
use crate::domain::report::{Report, estimate, github_models, html, json_v1, junit, markdown, sarif};
use crate::domain::untrusted::Secrets;
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::limits::Limiter;
use crate::engine::provider::Provider;
use crate::engine::run::RunLimits;
use crate::provider::{ProviderConfig, Recorder, Registry, Replay};
use crate::store::{Retention, Store};

/// Longest single model call.
const CALL_TIMEOUT: Duration = Duration::from_secs(90);
/// Longest run.
const RUN_TIMEOUT: Duration = Duration::from_secs(3_600);
/// Tries per call.
const TRIES: u32 = 5;

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
    let limits = limits(arguments, &vendors, gathered.settings.run_usd);
    let (provider, writer) = provider(arguments, vendors).await?;
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

fn limits(arguments: &EvalArguments, vendors: &ProviderConfig, run_usd: Option<f64>) -> RunLimits {
    // A recording answers from a file: nobody needs to be spared.
    let by_name = if arguments.replay.is_some() { BTreeMap::new() } else { vendors.limits_by_name() };
    RunLimits {
        concurrency: arguments.concurrency as usize,
        call_timeout: CALL_TIMEOUT,
        run_timeout: RUN_TIMEOUT,
        tries: TRIES,
        max_cost_usd: arguments.max_cost.or(run_usd),
        account: None,
        prices: Arc::new(Prices::new(vendors.prices.clone())),
        limiter: Arc::new(Limiter::new(arguments.concurrency as usize, by_name)),
        cancel: CancellationToken::new(),
    }
}

/// Who answers: a recording, or the vendors behind the cache of answers, with a recorder in front if asked for.
async fn provider(
    arguments: &EvalArguments,
    vendors: ProviderConfig,
) -> Result<(Arc<dyn Provider>, Option<AnswerWriter>), CommandError> {
    if let Some(file) = &arguments.replay {
        let replay = Replay::open(file).map_err(|error| CommandError::Input(error.to_string()))?;
        return Ok((Arc::new(replay), None));
    }
    let servers = vendors.servers();
    let registry = Registry::new(vendors).map_err(|error| CommandError::World(error.to_string()))?;
    let mut provider: Arc<dyn Provider> = Arc::new(registry);
    let mut writer = None;
    if !arguments.no_cache
        && let Some(store) = answers().await
    {
        let (cached, task) = Cached::new(provider, servers, store, Arc::new(SystemClock));
        provider = Arc::new(cached);
        writer = Some(task);
    }
    if let Some(file) = &arguments.record {
        let recorder = Recorder::open(file, provider).map_err(|error| CommandError::Input(error.to_string()))?;
        provider = Arc::new(recorder);
    }
    Ok((provider, writer))
}

/// The cache of answers; a run goes on without it when it cannot be opened.
async fn answers() -> Option<Store> {
    let opened = async {
        let folder = config::process().cache_folder().map_err(|error| error.to_string())?;
        let folder = folder.ok_or("there is no cache folder")?;
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let file = folder.join("answers.db");
        Store::open(&format!("sqlite://{}", file.display())).await.map_err(|error| error.to_string())
    };
    match opened.await {
        Ok(store) => {
            // A cache that cannot be tidied still answers.
            if let Err(error) = store.prune(Retention::default(), SystemClock.now_ms()).await {
                show::warning(&format!("old answers were not removed from the cache: {error}"));
            }
            Some(store)
        }
        Err(error) => {
            show::warning(&format!("answers are not cached: {error}; set PROMPTOPS_CACHE_DIR to a writable folder"));
            None
        }
    }
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
    for Output { file, .. } in outputs {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() || file.is_dir() {
            let what = if file.is_dir() { "is a folder" } else { "is in no folder that exists" };
            return Err(CommandError::Input(format!("--output: `{}` {what}; name a file", file.display())));
        }
    }
    Ok(())
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

fn write_file(file: &Path, text: &str) -> Result<(), CommandError> {
    std::fs::write(file, text)
        .map_err(|error| CommandError::Input(format!("cannot write `{}`: {error}", file.display())))
}
