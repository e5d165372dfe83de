//! `promptops action`: a step of a workflow. Everything it needs comes from the runner's environment; what it finds goes to
//! the log, the job's summary, outputs, annotations and the pull request's comment.

mod console;
mod publish;
mod run;

use secrecy::ExposeSecret;

use super::exit::{CommandError, Outcome};
use crate::config::{self, ActionConfig, ProviderConfig};
use crate::domain::actions::commands::{self, Kind};
use crate::domain::actions::{End, Event};
use crate::domain::report::Report;
use crate::domain::untrusted::Secrets;
use crate::engine::clock::{Clock, SystemClock};
use crate::github::{Github, Repository, TokenOptions};
use console::Console;

/// How the step ended.
struct Ended {
    end: End,
    report: Report,
    /// What is said beside the report, each with its weight.
    remarks: Vec<(Kind, String)>,
}

impl Ended {
    fn of(end: End, report: Report) -> Self {
        Self { end, report, remarks: Vec::new() }
    }
}

/// Runs the step.
///
/// # Errors
/// See [`CommandError`].
pub async fn run() -> Result<Outcome, CommandError> {
    let input = |error: config::ConfigError| CommandError::Input(error.to_string());
    let config = config::process().action().map_err(input)?;
    let vendors = config::process().providers().map_err(input)?;
    let secrets = mask(&config, &vendors);
    let event = event(&config);
    let repository = repository(&config)?;
    // From here on the runner obeys nothing until the report is told.
    let console = Console::quiet();
    let mut ended = match &event {
        Ok(event) => run::run(&config, event, vendors, repository.clone()).await,
        Err(message) => run::wrong(&config, message.clone()),
    };
    console.report(&ended.report, &secrets);
    for (_, remark) in &ended.remarks {
        console.tell(remark, &secrets);
    }
    let fails = config.inputs.fail_on.fails(ended.end);
    if !fails && ended.end != End::Passed {
        console.tell("The input `fail-on` lets this step pass all the same.", &secrets);
    }
    ended.remarks.extend(publish::files(&config, &ended, &secrets));
    if let Ok(Event::Pull(pull)) = &event
        && config.inputs.comment
    {
        ended.remarks.extend(publish::comment(repository.as_ref(), pull, &ended.report, &secrets).await);
    }
    console.resume();
    publish::annotations(&ended, &secrets);
    Ok(match ended.end {
        _ if !fails => Outcome::Passed,
        End::Passed => Outcome::Passed,
        End::Blocked => Outcome::Blocked,
        End::WrongInput => Outcome::WrongInput,
        End::NotMeasured => Outcome::NotMeasured,
    })
}

/// Hides every secret that the step holds in the runner's log, before anything else is said.
fn mask(config: &ActionConfig, vendors: &ProviderConfig) -> Secrets {
    let held: Vec<String> =
        vendors.keys().chain(&config.token).map(|secret| secret.expose_secret().to_owned()).collect();
    for secret in &held {
        console::print(&commands::mask(secret));
    }
    Secrets::new(held)
}

/// What started the workflow.
fn event(config: &ActionConfig) -> Result<Event, String> {
    // What these say is not needed.
    if matches!(config.event.as_str(), "workflow_dispatch" | "schedule") {
        return Ok(Event::Manual);
    }
    let help = "run this as a step of a workflow, with the file that the runner wrote";
    let Some(path) = &config.event_path else {
        return Err(format!("GITHUB_EVENT_PATH is not set; {help}"));
    };
    let payload = std::fs::read(path)
        .map_err(|error| format!("the file that GITHUB_EVENT_PATH names cannot be read: {error}; {help}"))?;
    Event::parse(&config.event, &payload).map_err(|error| error.to_string())
}

/// The repository by the job's token; none without a token.
fn repository(config: &ActionConfig) -> Result<Option<Repository>, CommandError> {
    let (Some(token), Some((name, id))) = (&config.token, &config.repository) else { return Ok(None) };
    let options = TokenOptions {
        api_url: config.api_url.clone(),
        graphql_url: config.graphql_url.clone(),
        token: token.clone(),
        now_ms: std::sync::Arc::new(|| SystemClock.now_ms()),
    };
    let github = Github::with_token(options).map_err(|error| CommandError::Input(super::chain(&error)))?;
    Ok(Some(github.of_token(name.clone(), *id)))
}
