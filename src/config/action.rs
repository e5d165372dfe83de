//! What a step of GitHub Actions is told by its runner and by its inputs. Reads variables only; knows no event.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::{ConfigError, Environment, URL_HELP, web_url};
use crate::domain::actions::FailOn;
use crate::domain::ids::{CommitSha, ModelId, RepoId, RepoName};
use crate::domain::settings::SETTINGS_PATH;

/// What the runner says, and what the workflow asks for.
#[derive(Debug, Clone)]
pub struct ActionConfig {
    /// The event's name.
    pub event: String,
    /// The event's file.
    pub event_path: Option<PathBuf>,
    /// The repository that the workflow belongs to, with its id.
    pub repository: Option<(RepoName, RepoId)>,
    /// The commit that the workflow runs for.
    pub sha: Option<CommitSha>,
    /// The REST API.
    pub api_url: String,
    /// The GraphQL API.
    pub graphql_url: String,
    /// Where outputs are written.
    pub output: Option<PathBuf>,
    /// Where the job's summary is written.
    pub summary: Option<PathBuf>,
    /// The folder that checkouts go to.
    pub workspace: Option<PathBuf>,
    /// A folder for the job's own files.
    pub temp: Option<PathBuf>,
    /// The job's token.
    pub token: Option<SecretString>,
    /// The inputs.
    pub inputs: ActionInputs,
}

/// The step's inputs.
#[derive(Debug, Clone)]
pub struct ActionInputs {
    /// Prompt files, folders, globs.
    pub paths: Vec<String>,
    /// Revision to compare with, in the place of the event's.
    pub base: Option<String>,
    /// Settings file.
    pub config: Option<String>,
    /// One model for every prompt.
    pub model: Option<ModelId>,
    /// Samples per case and side.
    pub trials: Option<u32>,
    /// Most USD that the run may cost.
    pub max_cost: Option<f64>,
    /// When the step fails.
    pub fail_on: FailOn,
    /// Whether a pull request gets a comment.
    pub comment: bool,
    /// Where the result is written as SARIF.
    pub sarif_file: Option<PathBuf>,
    /// Where the result is written as JUnit XML.
    pub junit_file: Option<PathBuf>,
}

/// GitHub's own addresses, where the runner names none.
const API: (&str, &str) = ("GITHUB_API_URL", "https://api.github.com");
const GRAPHQL: (&str, &str) = ("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql");

impl<V, R> Environment<V, R>
where
    V: Fn(&str) -> Option<String>,
    R: Fn(&Path) -> std::io::Result<String>,
{
    /// Reads what a step of a workflow is told.
    ///
    /// # Errors
    /// When there is no runner, or an input is wrong; says which and what to do.
    pub fn action(&self) -> Result<ActionConfig, ConfigError> {
        let path = |name| self.given(name).map(PathBuf::from);
        let runs = self.given("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let event = self.given("GITHUB_EVENT_NAME").filter(|_| runs).ok_or(ConfigError::NoRunner)?;
        let id = self.given("GITHUB_REPOSITORY_ID").and_then(|id| id.parse().ok()).map_or(RepoId(0), RepoId);
        Ok(ActionConfig {
            event,
            event_path: path("GITHUB_EVENT_PATH"),
            repository: self
                .given("GITHUB_REPOSITORY")
                .and_then(|name| RepoName::parse(&name).ok())
                .map(|name| (name, id)),
            sha: self.given("GITHUB_SHA").and_then(|sha| CommitSha::parse(&sha).ok()),
            api_url: self.address(API)?,
            graphql_url: self.address(GRAPHQL)?,
            output: path("GITHUB_OUTPUT"),
            summary: path("GITHUB_STEP_SUMMARY"),
            workspace: path("GITHUB_WORKSPACE"),
            temp: path("RUNNER_TEMP"),
            token: self.given("INPUT_GITHUB_TOKEN").map(SecretString::from),
            inputs: self.inputs()?,
        })
    }

    fn inputs(&self) -> Result<ActionInputs, ConfigError> {
        let wrong = |name, help| ConfigError::Input { name, help };
        let paths = self.given("INPUT_PATHS").unwrap_or_default();
        let model = self.given("INPUT_MODEL").map(|model| ModelId::parse(&model)).transpose();
        let trials = self.given("INPUT_TRIALS").map(|trials| trials.parse().ok().filter(|n| (1..=100).contains(n)));
        let max_cost = self
            .given("INPUT_MAX_COST")
            .map(|cost| cost.parse::<f64>().ok().filter(|cost| cost.is_finite() && *cost >= 0.0));
        let fail_on = self.given("INPUT_FAIL_ON").map(|level| FailOn::named(&level));
        Ok(ActionInputs {
            paths: paths.lines().map(str::trim).filter(|path| !path.is_empty()).map(str::to_owned).collect(),
            base: self.given("INPUT_BASE"),
            // The usual name means the usual place, whatever the working folder is.
            config: self.given("INPUT_CONFIG").filter(|path| path != SETTINGS_PATH),
            model: model.map_err(|_| wrong("model", "write it as provider/name, as in openai/gpt-4o-mini"))?,
            trials: trials.map(|n| n.ok_or(wrong("trials", "give a whole number from 1 to 100"))).transpose()?,
            max_cost: max_cost
                .map(|cost| cost.ok_or(wrong("max-cost", "give an amount in US dollars, for instance 0.50")))
                .transpose()?,
            fail_on: match fail_on {
                None => FailOn::default(),
                Some(level) => {
                    level.ok_or(wrong("fail-on", "choose one of never, regression, not-measured, any-failure"))?
                }
            },
            comment: match self.given("INPUT_COMMENT").as_deref() {
                None | Some("true") => true,
                Some("false") => false,
                Some(_) => return Err(wrong("comment", "write true or false")),
            },
            sarif_file: self.given("INPUT_SARIF_FILE").map(PathBuf::from),
            junit_file: self.given("INPUT_JUNIT_FILE").map(PathBuf::from),
        })
    }

    /// A variable that has no `_FILE` twin: the runner's names end in anything. Empty counts as absent.
    fn given(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn address(&self, (name, default): (&'static str, &str)) -> Result<String, ConfigError> {
        let text = self.given(name).unwrap_or_else(|| default.to_owned());
        // As it was written: a parsed address may end in a slash that the text has not.
        web_url(&text)
            .map(|_| text.trim_end_matches('/').to_owned())
            .ok_or(ConfigError::Invalid { name, help: URL_HELP })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<ActionConfig, String> {
        let all: Vec<(&str, &str)> =
            [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push")].iter().chain(variables).copied().collect();
        let find =
            |name: &str| all.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Environment::new(find, |_: &Path| Err(std::io::Error::other("no files"))).action().map_err(|e| e.to_string())
    }

    #[test]
    fn inputs_that_are_not_given_have_defaults() {
        let config = read(&[("INPUT_COMMENT", ""), ("INPUT_PATHS", "a.prompt.yml\n\n  b/** \n")]).expect("valid");
        assert_eq!(config.inputs.paths, ["a.prompt.yml", "b/**"]);
        assert_eq!((config.inputs.comment, config.inputs.fail_on), (true, FailOn::NotMeasured));
        assert_eq!(config.api_url, "https://api.github.com");
    }

    #[test]
    fn what_is_wrong_is_named_as_the_workflow_names_it() {
        let check = |variable: (&str, &str), expected: &str| {
            assert_eq!(read(&[variable]).expect_err("wrong"), expected);
        };
        check(("INPUT_TRIALS", "0"), "the input `trials` is not valid: give a whole number from 1 to 100");
        check(("INPUT_COMMENT", "yes"), "the input `comment` is not valid: write true or false");
        check(
            ("INPUT_FAIL_ON", "always"),
            "the input `fail-on` is not valid: choose one of never, regression, not-measured, any-failure",
        );
        check(
            ("INPUT_MODEL", "gpt"),
            "the input `model` is not valid: write it as provider/name, as in openai/gpt-4o-mini",
        );
        check(
            ("INPUT_MAX_COST", "-1"),
            "the input `max-cost` is not valid: give an amount in US dollars, for instance 0.50",
        );
        check(
            ("GITHUB_API_URL", "here"),
            "GITHUB_API_URL is not valid: give a URL that begins with https:// or http://",
        );
        check(
            ("GITHUB_ACTIONS", ""),
            "this is no step of a workflow (GITHUB_ACTIONS and GITHUB_EVENT_NAME are not set): use `promptops eval` here, \
             or `uses: promptops/promptops` in a workflow",
        );
    }
}
