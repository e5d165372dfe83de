//! `promptops doctor`: gathers, has it judged, prints. Knows neither what is looked at nor what is right.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::ExposeSecret;

use super::args::{DoctorArguments, RenderFormat};
use super::exit::{CommandError, Outcome};
use crate::app::doctor::{here, providers, repository, service};
use crate::app::local::LocalError;
use crate::config::{self, ConfigError, ServiceSeen};
use crate::domain::doctor::here::FileSeen;
use crate::domain::doctor::providers::ProviderFacts;
use crate::domain::doctor::{self, Finding, Level, Part, Sheet, Trouble, count};
use crate::domain::ids::{BranchName, ModelId, RepoName};
use crate::domain::report::doctor_v1::{self, number};
use crate::domain::untrusted::{Secrets, Untrusted};
use crate::engine::clock::{Clock, SystemClock};
use crate::github::{Github, GithubOptions, github_clock};
use crate::provider::{ProviderConfig, Registry};

/// Longest line.
const LINE: usize = 500;

/// Runs the command.
///
/// # Errors
/// See [`CommandError`].
pub async fn run(arguments: &DoctorArguments) -> Result<Outcome, CommandError> {
    let asked = target(arguments)?;
    let environment = config::process();
    let (vendors, toml) = vendors(environment.providers(), environment.users_settings_file());
    let service = environment.service_seen();
    let secrets = secrets(&vendors, service.as_ref());
    let cache = environment.cache_folder().ok().flatten();
    let mut findings = at_desk(&super::folder()?, toml, cache, vendors, arguments.online).await?;
    findings.extend(of_service(service, asked).await);
    match arguments.format {
        RenderFormat::Text => print(&text(&findings, &secrets)),
        RenderFormat::Json => print(&doctor_v1::json(&findings, &secrets)),
    }
    Ok(match (number(&findings, Level::Problem), number(&findings, Level::Unreachable)) {
        (0, 0) => Outcome::Passed,
        (0, _) => Outcome::NotMeasured,
        (_, _) => Outcome::WrongInput,
    })
}

/// A repository to look at, and another branch of it.
type Target = Option<(RepoName, Option<BranchName>)>;

fn target(arguments: &DoctorArguments) -> Result<Target, CommandError> {
    let Some(repo) = &arguments.repo else { return Ok(None) };
    let wrong = |error: crate::domain::ids::InvalidId| CommandError::Input(format!("--repo, --branch: {error}"));
    let branch = arguments.branch.as_deref().map(BranchName::parse).transpose().map_err(wrong)?;
    Ok(Some((RepoName::parse(repo).map_err(wrong)?, branch)))
}

/// The author's providers, and what is to be said of `promptops.toml`.
fn vendors(
    config: Result<ProviderConfig, ConfigError>,
    file: Result<Option<(PathBuf, bool)>, ConfigError>,
) -> (ProviderConfig, FileSeen<String>) {
    match (config, file) {
        (Err(error), _) | (_, Err(error)) => (ProviderConfig::default(), FileSeen::Broken(vec![error.to_string()])),
        (Ok(config), Ok(Some((path, true)))) => {
            let seen = format!("`{}`, {} set up", path.display(), count(config.providers.len(), "provider"));
            (config, FileSeen::Ready(seen))
        }
        (Ok(config), Ok(_)) => (config, FileSeen::Missing),
    }
}

/// What must never be shown.
fn secrets(vendors: &ProviderConfig, service: Option<&ServiceSeen>) -> Secrets {
    let reader = service.and_then(|service| service.github.as_ref().ok());
    let database = service.and_then(|service| service.database_url.as_ref().ok());
    let theirs = service.and_then(|service| service.providers.as_ref().ok()).into_iter().flat_map(ProviderConfig::keys);
    let keys = vendors.keys().chain(theirs).chain(reader.map(|reader| &reader.private_key)).chain(database);
    Secrets::new(keys.map(|key| key.expose_secret().to_owned()))
}

async fn at_desk(
    folder: &Path,
    toml: FileSeen<String>,
    cache: Option<PathBuf>,
    vendors: ProviderConfig,
    online: bool,
) -> Result<Vec<Finding>, CommandError> {
    let here = here::gather(folder, toml, cache).await.map_err(|error| match error {
        LocalError::Files(error) => CommandError::World(error.to_string()),
        error => CommandError::Input(error.to_string()),
    })?;
    let mut findings = doctor::here::judge(&here.facts);
    findings.extend(doctor::workflow::judge(&here.workflows));
    let facts = provider_facts(&here.models, here.without_model, vendors, online).await?;
    findings.extend(doctor::providers::judge(&facts));
    Ok(findings)
}

async fn provider_facts(
    models: &[ModelId],
    without_model: Vec<String>,
    vendors: ProviderConfig,
    online: bool,
) -> Result<ProviderFacts, CommandError> {
    let registry = Registry::new(vendors).map_err(|error| CommandError::World(error.to_string()))?;
    let needed = providers::gather(models, &registry, online).await;
    let github = match (online, config::process().github_api_url()) {
        (false, _) => None,
        (true, Err(error)) => Some(Err(Trouble { message: error.to_string(), is_world: false })),
        (true, Ok(url)) => {
            let host = url.host_str().unwrap_or_default().to_owned();
            Some(github_clock(url.as_str()).await.map(|_| format!("{host} answers")))
        }
    };
    Ok(ProviderFacts { needed, without_model, github, online })
}

/// What is to be said of the service and, through it, of a repository.
async fn of_service(service: Option<ServiceSeen>, target: Target) -> Vec<Finding> {
    let Some(service) = service else { return without_app(target.as_ref()) };
    let said = |error: &ConfigError| error.to_string();
    let now_ms = SystemClock.now_ms();
    let (app, api_url) = match &service.github {
        Ok(reader) => (reader.app_id, reader.api_url.to_string()),
        Err(_) => (0, config::process().github_api_url().map(String::from).unwrap_or_default()),
    };
    let github = service.github.as_ref().map_err(said).and_then(|reader| {
        let (app_id, private_key) = (reader.app_id, reader.private_key.clone());
        let now_ms = Arc::new(|| SystemClock.now_ms());
        let options = GithubOptions { api_url: reader.api_url.to_string(), app_id, private_key, now_ms };
        Github::new(options).map_err(|error| error.to_string())
    });
    let facts = service::gather(service::Settings {
        github: github.as_ref().map_err(String::clone),
        api_url: &api_url,
        database_url: service.database_url.as_ref().map(ExposeSecret::expose_secret).map_err(said),
        secrets: service.secrets.as_ref().copied().map_err(said),
        public_url: service.public_url.as_ref().map(|url| url.as_ref().map(ToString::to_string)).map_err(said),
        providers: service.providers.as_ref().map(|config| config.providers.keys().cloned().collect()).map_err(said),
        now_ms,
    })
    .await;
    let mut findings = doctor::service::judge(&facts);
    let Some((repo, branch)) = target else { return findings };
    let mut sheet = Sheet::new(Part::Repository);
    match (&github, &facts.app) {
        (Ok(github), Some(Ok(seen))) => {
            match repository::gather(github, app, Some(&seen.events), &repo, branch.as_ref()).await {
                Ok(facts) => findings.extend(doctor::repository::judge(&facts)),
                Err(trouble) => sheet.failed("repository", &trouble),
            }
        }
        _ => sheet.skipped("repository", "GitHub cannot be asked as the app; see above"),
    }
    findings.extend(sheet.finish());
    findings
}

fn without_app(target: Option<&(RepoName, Option<BranchName>)>) -> Vec<Finding> {
    let mut service = Sheet::new(Part::Service);
    service.skipped("app", "PROMPTOPS_GITHUB_APP_ID is not set, so no service is set up here");
    let mut repository = Sheet::new(Part::Repository);
    match target {
        None => repository.skipped("repository", "none was named with `--repo OWNER/NAME`"),
        Some(_) => repository.problem(
            "repository",
            "`--repo` asks GitHub as the app, and no app is set up here",
            "set PROMPTOPS_GITHUB_APP_ID and PROMPTOPS_GITHUB_PRIVATE_KEY as for `promptops serve`",
        ),
    }
    [service.finish(), repository.finish()].concat()
}

fn text(findings: &[Finding], secrets: &Secrets) -> String {
    let clean = |text: &str| Untrusted::new(text, secrets).line(LINE);
    let mut out = String::new();
    let mut part = None;
    for finding in findings {
        if part.replace(finding.part) != Some(finding.part) {
            out += &format!("{}\n", finding.part.title());
        }
        out += &format!("  {:<10} {}: {}\n", finding.level.word(), finding.check, clean(&finding.message));
        if let Some(advice) = &finding.advice {
            out += &format!("  {:<10} -> {}\n", "", clean(advice));
        }
    }
    let problems = count(number(findings, Level::Problem), "problem");
    let warnings = count(number(findings, Level::Warning), "warning");
    let silent = match number(findings, Level::Unreachable) {
        0 => String::new(),
        number => format!(", {number} without an answer"),
    };
    out + &format!("\n{problems}, {warnings}{silent}\n")
}

/// A reader that closed the pipe has seen what it wanted.
fn print(text: &str) {
    write!(std::io::stdout().lock(), "{text}").ok();
}
