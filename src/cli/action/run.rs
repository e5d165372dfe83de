//! What the step measures, from its inputs to a report. Prints nothing but progress.

use std::time::Instant;

use super::super::exit::{CommandError, Outcome};
use super::super::progress::Progress;
use super::super::{answers, eval};
use super::Ended;
use crate::app::action::{self, ActionOptions, Standing};
use crate::app::local::{self, Gathered, LocalError, LocalOptions};
use crate::app::plan::Overrides;
use crate::config::{ActionConfig, ProviderConfig};
use crate::domain::actions::commands::Kind;
use crate::domain::actions::{End, Event, FailOn};
use crate::domain::diagnostic::Severity;
use crate::domain::ids::ModelId;
use crate::domain::report::{Outcome as ReportOutcome, Report};
use crate::github::Repository;
use crate::provider::{Registry, variables};

/// Model calls at once.
const CONCURRENCY: usize = 16;

/// What somebody can do about a fork's pull request.
const FOR_A_FORK: &str = "To have it measured, a maintainer reads the change and runs the workflow by hand \
                          (workflow_dispatch) on a branch that holds it, or installs the PromptOps App.";

/// Why a step came to no report of its own.
enum Stopped {
    Local(LocalError),
    Command(CommandError),
}

impl From<LocalError> for Stopped {
    fn from(error: LocalError) -> Self {
        Self::Local(error)
    }
}

impl From<CommandError> for Stopped {
    fn from(error: CommandError) -> Self {
        Self::Command(error)
    }
}

/// Measures what the event changes.
pub async fn run(
    config: &ActionConfig,
    event: &Event,
    vendors: ProviderConfig,
    repository: Option<Repository>,
) -> Ended {
    let mut ended = match work(config, event, vendors, repository).await {
        Ok(ended) => ended,
        Err(Stopped::Local(error)) => failed(config, error),
        Err(Stopped::Command(CommandError::Input(message))) => wrong(config, message),
        Err(Stopped::Command(error)) => unreachable_world(config, error.to_string()),
    };
    ended.report.of_step = true;
    if let Some(head) = event.pull().map(|pull| &pull.head).or(config.sha.as_ref()) {
        ended.report.head = head.to_string();
    }
    if ended.report.base.is_none() {
        ended.report.base = event.pull().map(|pull| pull.base.to_string());
    }
    ended
}

/// The end of a step whose input is wrong.
pub fn wrong(config: &ActionConfig, message: String) -> Ended {
    let mut ended = stopped(config, End::WrongInput, &message);
    ended.remarks.push((Kind::Error, message));
    ended
}

fn unreachable_world(config: &ActionConfig, message: String) -> Ended {
    let outcome = ReportOutcome::Failed { message: message.clone() };
    let mut ended = Ended::of(End::NotMeasured, report(config, outcome));
    ended.remarks.push((Kind::Error, message));
    ended
}

/// Where it takes several lines to say what to do, the first says what it is.
fn stopped(config: &ActionConfig, end: End, message: &str) -> Ended {
    let first = message.lines().next().unwrap_or_default().trim_end_matches(':').to_owned();
    Ended::of(end, report(config, ReportOutcome::NeedsPerson { message: first }))
}

fn report(config: &ActionConfig, outcome: ReportOutcome) -> Report {
    let head = config.sha.as_ref().map_or_else(|| "working tree".to_owned(), ToString::to_string);
    let mut report = Report::new(outcome, None, head);
    report.of_step = true;
    report
}

fn failed(config: &ActionConfig, error: LocalError) -> Ended {
    let broken = |end, findings| {
        let mut report = report(config, ReportOutcome::BrokenFiles);
        report.diagnostics = findings;
        Ended::of(end, report)
    };
    match error {
        LocalError::Findings(findings) => broken(End::WrongInput, findings),
        LocalError::Lint(findings) => broken(End::Blocked, findings),
        LocalError::Input(message) => wrong(config, message),
        LocalError::Git(error) => wrong(config, error.to_string()),
        LocalError::Files(error) => unreachable_world(config, error.to_string()),
        LocalError::Run(error) => unreachable_world(config, error.to_string()),
        LocalError::World(message) => unreachable_world(config, message),
    }
}

async fn work(
    config: &ActionConfig,
    event: &Event,
    vendors: ProviderConfig,
    repository: Option<Repository>,
) -> Result<Ended, Stopped> {
    let inputs = &config.inputs;
    for (input, file) in [("sarif-file", &inputs.sarif_file), ("junit-file", &inputs.junit_file)] {
        file.as_ref().map_or(Ok(()), |file| eval::check_output(&format!("the input `{input}`"), file))?;
    }
    let options = options(config, event, repository)?;
    let Standing { ground, notes, is_elsewhere } = action::stand(&options).await?;
    let pull = event.pull();
    let is_fork = pull.is_some_and(|pull| pull.is_fork);
    let keys_at_risk = pull.is_some_and(|pull| pull.is_fork && pull.has_secrets);
    if is_elsewhere && keys_at_risk {
        let mut ended = stopped(config, End::NotMeasured, &risk(&vendors));
        ended
            .report
            .notes
            .push("The checkout holds the base branch, so the change itself was not looked at.".to_owned());
        ended.report.notes.push(FOR_A_FORK.to_owned());
        return Ok(ended);
    }
    if is_elsewhere {
        return Ok(wrong(config, BASE_CHECKED_OUT.to_owned()));
    }
    let gathered = local::gather_on(&options.local, &ground).await?;
    let overrides = &options.local.overrides;
    let mut ended = if gathered.pairs.is_empty() {
        Ended::of(End::Passed, gathered.idle())
    } else if keys_at_risk {
        let report = action::without_models(&options.local, &ground, &gathered, risk(&vendors)).await?;
        withheld(report)
    } else {
        let missing = missing(&action::models(&gathered, overrides)?, &vendors)?;
        match missing {
            None => measure(config, &gathered, overrides, vendors).await?,
            Some(_) if is_fork => {
                let message = "the pull request comes from a fork, which gets none of this workflow's keys, so no model was asked";
                withheld(action::without_models(&options.local, &ground, &gathered, message.to_owned()).await?)
            }
            Some(message) => {
                let first = message.lines().next().unwrap_or_default().trim_end_matches(':').to_owned();
                let mut ended = Ended::of(End::NotMeasured, gathered.report(ReportOutcome::Failed { message: first }));
                ended.remarks.push((Kind::Error, message));
                ended
            }
        }
    };
    tell_what_was_looked_at(&mut ended.report, &gathered, notes);
    Ok(ended)
}

/// What to do where the change is not in the checkout.
const BASE_CHECKED_OUT: &str = "the checkout does not hold the change but something else, so there is nothing to compare; run \
                                on pull_request, or check out the change:\n- uses: actions/checkout@v4\n  with:\n    \
                                ref: ${{ github.event.pull_request.head.sha }}\n";

/// Why a fork's text is not shown to a model with this repository's keys.
fn risk(vendors: &ProviderConfig) -> String {
    let keys = if vendors.keys().next().is_some() {
        "the keys given to this step were not used"
    } else {
        "no model was asked"
    };
    format!(
        "the pull request comes from a fork and the workflow runs with this repository's secrets (pull_request_target): {keys}"
    )
}

fn withheld(mut report: Report) -> Ended {
    let errors = report.diagnostics.iter().any(|finding| finding.severity == Severity::Error);
    report.notes.push(FOR_A_FORK.to_owned());
    let remark = (Kind::Notice, format!("No model was asked for this fork's pull request. {FOR_A_FORK}"));
    let end = if errors { End::Blocked } else { End::NotMeasured };
    Ended { end, report, remarks: vec![remark] }
}

fn tell_what_was_looked_at(report: &mut Report, gathered: &Gathered, notes: Vec<String>) {
    report.notes.extend(notes);
    gathered.tell_removed(report);
    match gathered.unchanged {
        0 => {}
        1 => report.notes.push("1 prompt does not change and was not run.".to_owned()),
        more => report.notes.push(format!("{more} prompts do not change and were not run.")),
    }
}

fn options(
    config: &ActionConfig,
    event: &Event,
    repository: Option<Repository>,
) -> Result<ActionOptions, CommandError> {
    let inputs = &config.inputs;
    let overrides = Overrides {
        model: inputs.model.clone(),
        trials: inputs.trials,
        strict: inputs.fail_on == FailOn::AnyFailure,
        ..Overrides::default()
    };
    let local = LocalOptions {
        folder: super::super::folder()?,
        paths: inputs.paths.clone(),
        base: inputs.base.clone(),
        head: None,
        settings: inputs.config.clone(),
        overrides,
    };
    let (sha, workspace) = (config.sha.clone(), config.workspace.clone());
    Ok(ActionOptions { local, event: event.clone(), sha, workspace, repository })
}

/// Why the models cannot be asked, with what to add to the workflow; `None` if they can.
fn missing(models: &[ModelId], vendors: &ProviderConfig) -> Result<Option<String>, CommandError> {
    let registry = Registry::new(vendors.clone()).map_err(|error| CommandError::World(error.to_string()))?;
    let reasons: Vec<(&ModelId, String)> =
        models.iter().filter_map(|model| Some((model, registry.check(model).err()?))).collect();
    let Some((_, first)) = reasons.first() else { return Ok(None) };
    let mut names: Vec<&str> = reasons.iter().flat_map(|(model, _)| variables(model.provider())).collect();
    names.sort_unstable();
    names.dedup();
    let lines: String = names.iter().map(|name| format!("  {name}: ${{{{ secrets.{name} }}}}\n")).collect();
    Ok(Some(if lines.is_empty() { first.clone() } else { format!("{first}; add to the step:\nenv:\n{lines}") }))
}

async fn measure(
    config: &ActionConfig,
    gathered: &Gathered,
    overrides: &Overrides,
    vendors: ProviderConfig,
) -> Result<Ended, Stopped> {
    let max_cost = config.inputs.max_cost.or(gathered.settings.run_usd);
    let limits = answers::limits(&vendors, Some(&vendors), CONCURRENCY, max_cost);
    let (provider, writer) = answers::provider(vendors, true, None).await?;
    let progress = Progress::start(limits.cancel.clone());
    let started = Instant::now();
    let result = local::evaluate(gathered, overrides, provider, &limits, &|event| progress.show(&event)).await;
    progress.finish();
    if let Some(writer) = writer {
        writer.finish().await;
    }
    match result {
        Ok(mut report) => {
            report.diagnostics.extend(gathered.warnings.iter().cloned());
            report.took_ms = u64::try_from(started.elapsed().as_millis()).ok();
            let end = match Outcome::from(report.verdict()) {
                Outcome::Passed => End::Passed,
                Outcome::Blocked => End::Blocked,
                Outcome::WrongInput => End::WrongInput,
                Outcome::NotMeasured => End::NotMeasured,
            };
            Ok(Ended::of(end, report))
        }
        Err(LocalError::Run(error)) => {
            let mut ended = Ended::of(End::NotMeasured, gathered.unmeasured(&error));
            ended.remarks.push((Kind::Error, error.to_string()));
            Ok(ended)
        }
        Err(error) => Err(error.into()),
    }
}
