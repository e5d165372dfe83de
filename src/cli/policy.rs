//! `promptops policy`: what a policy decides and why, and its own tests, printed. Shows people who reviewed and whom rules
//! name, never who else is in a team.

use std::io::Write;
use std::sync::Arc;

use secrecy::ExposeSecret;
use url::Url;

use super::args::{ExplainArguments, PolicyCommand, PolicyTestArguments, RenderFormat, VerdictArgument};
use super::exit::{CommandError, Outcome};
use super::show;
use crate::app::local::LocalError;
use crate::app::policy::{self, ExplainError, Live, Tested};
use crate::config::{self, GithubReader};
use crate::domain::gate::Verdict;
use crate::domain::ids::{PullNumber, RepoName};
use crate::domain::report::decision::Explained;
use crate::domain::untrusted::{Secrets, Untrusted};
use crate::engine::clock::{Clock, SystemClock};
use crate::github::{Github, GithubOptions};
use crate::store::Store;

/// Longest line of a test's result.
const LINE: usize = 1_000;

/// Runs the command.
///
/// # Errors
/// See [`CommandError`].
pub async fn run(command: &PolicyCommand) -> Result<Outcome, CommandError> {
    match command {
        PolicyCommand::Explain(arguments) => explain(arguments).await,
        PolicyCommand::Test(arguments) => test(arguments).await,
    }
}

async fn test(arguments: &PolicyTestArguments) -> Result<Outcome, CommandError> {
    let Tested { path, outcomes, warnings } = match policy::test(&super::folder()?, arguments.file.as_deref()).await {
        Ok(tested) => tested,
        Err(error) => return wrong(error),
    };
    show::findings(&warnings);
    let secrets = Secrets::default();
    let line = |text: &str| Untrusted::new(text, &secrets).line(LINE);
    let mut out = String::new();
    for outcome in &outcomes {
        if outcome.passed() {
            out += &format!("ok    {}\n", line(&outcome.name));
            continue;
        }
        out += &format!("FAIL  {} ({path}:{})\n", line(&outcome.name), outcome.at.line);
        out.extend(outcome.differences.iter().map(|difference| format!("      {}\n", line(difference))));
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    let tests = if outcomes.len() == 1 { "test" } else { "tests" };
    out += &format!("{} {tests}: {} passed, {failed} failed", outcomes.len(), outcomes.len() - failed);
    print(&out);
    Ok(if failed == 0 { Outcome::Passed } else { Outcome::Blocked })
}

async fn explain(arguments: &ExplainArguments) -> Result<Outcome, CommandError> {
    let verdict = arguments.verdict.map(Verdict::from);
    let folder = super::folder()?;
    let settings = arguments.settings.as_deref();
    let (explained, secrets) = match (&arguments.facts, &arguments.pull) {
        (Some(file), _) => (
            policy::explain_facts(&folder, file, settings, verdict).await.map_err(ExplainError::from),
            Secrets::default(),
        ),
        (None, url) => {
            let (repo, number) = pull_of(url.as_deref().unwrap_or_default())?;
            let config = config::process().github_reader().map_err(|error| CommandError::Input(error.to_string()))?;
            let live = Live { folder: &folder, repo, number, settings, verdict };
            let keys = [&config.private_key].into_iter().chain(&config.database_url);
            let secrets = Secrets::new(keys.map(|key| key.expose_secret().to_owned()));
            (live_pull(&config, &live).await, secrets)
        }
    };
    let explained = match explained {
        Ok(explained) => explained,
        Err(ExplainError::Local(error)) => return wrong(error),
        Err(ExplainError::World(message)) => return Err(CommandError::World(message)),
    };
    print(&match arguments.format {
        RenderFormat::Text => explained.text(&secrets),
        RenderFormat::Json => format!("{:#}", explained.json(&secrets)),
    });
    Ok(if explained.satisfied() { Outcome::Passed } else { Outcome::Blocked })
}

async fn live_pull(config: &GithubReader, live: &Live<'_>) -> Result<Explained, ExplainError> {
    let world = |error: &dyn std::error::Error| ExplainError::World(super::chain(error));
    let clock = Arc::new(SystemClock);
    let now = clock.clone();
    let github = Github::new(GithubOptions {
        api_url: config.api_url.to_string(),
        app_id: config.app_id,
        private_key: config.private_key.clone(),
        now_ms: Arc::new(move || now.now_ms()),
    });
    let github = github.map_err(|error| LocalError::Input(super::chain(&error)))?;
    let store = match &config.database_url {
        Some(url) => Some(Store::open(url.expose_secret()).await.map_err(|error| world(&error))?),
        None => None,
    };
    let explained = policy::explain_pull(&github, store.as_ref(), clock.now_ms(), live).await;
    if let Some(store) = store {
        store.close().await;
    }
    explained
}

/// The pull request a page's address names: `https://HOST/OWNER/NAME/pull/NUMBER`.
fn pull_of(text: &str) -> Result<(RepoName, PullNumber), CommandError> {
    let wrong = || {
        let help = "write it as https://github.com/OWNER/NAME/pull/NUMBER";
        CommandError::Input(format!("`{text}` is no address of a pull request: {help}"))
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let parts: Vec<&str> = url.path().trim_matches('/').split('/').collect();
    let [owner, name, "pull", number, ..] = parts[..] else { return Err(wrong()) };
    let repo = RepoName::parse(&format!("{owner}/{name}")).map_err(|_| wrong())?;
    Ok((repo, PullNumber(number.parse().map_err(|_| wrong())?)))
}

fn wrong(error: LocalError) -> Result<Outcome, CommandError> {
    match error {
        LocalError::Findings(findings) => {
            show::findings(&findings);
            Ok(Outcome::WrongInput)
        }
        LocalError::Files(error) => Err(CommandError::World(error.to_string())),
        error => Err(CommandError::Input(error.to_string())),
    }
}

fn print(text: &str) {
    // A reader that closed the pipe has seen what it wanted.
    writeln!(std::io::stdout().lock(), "{}", text.trim_end()).ok();
}

impl From<VerdictArgument> for Verdict {
    fn from(argument: VerdictArgument) -> Self {
        match argument {
            VerdictArgument::Pass => Self::Pass,
            VerdictArgument::NoRegressionFound => Self::NoRegressionFound,
            VerdictArgument::Regression => Self::Regression,
            VerdictArgument::NotMeasured => Self::NotMeasured,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Option<(&str, u64)>) {
        let found = pull_of(url).ok();
        assert_eq!(found.as_ref().map(|(repo, number)| (repo.as_str(), number.0)), expected, "{url}");
    }

    #[test]
    fn a_pull_request_is_named_by_its_page() {
        check("https://github.com/acme/prompts/pull/7", Some(("acme/prompts", 7)));
        check("https://ghe.acme.example/acme/prompts/pull/7/files?w=1", Some(("acme/prompts", 7)));
        for url in ["acme/prompts#7", "https://github.com/acme/prompts/issues/7", "https://github.com/acme", ""] {
            check(url, None);
        }
    }
}
