//! What a policy says of facts: its own tests, imagined facts, or a live pull request under its own or other settings.
//! Writes nothing and asks no model.

use std::path::{Path, PathBuf};

use super::control::{self, Controlled};
use super::discover;
use super::files::{Content, Files, FilesError};
use super::job::JobError;
use super::load::about;
use super::local::LocalError;
use super::organisation::{self, Memory};
use super::pull::{Governed, StoredRun, facts_by, run_key};
use super::sides;
use super::watch;
use crate::domain::codeowners;
use crate::domain::diagnostic::{Diagnostic, Parsed};
use crate::domain::gate::Verdict;
use crate::domain::governed;
use crate::domain::ids::{PromptPath, PullNumber, RepoName};
use crate::domain::policy;
use crate::domain::policy::facts::{BlockedResult, PullFacts};
use crate::domain::policy_tests::{self, Outcome, TESTS_PATH};
use crate::domain::report::Outcome as Ended;
use crate::domain::report::decision::Explained;
use crate::domain::settings::{self, SETTINGS_PATH, Settings};
use crate::domain::source::{MAX_FILE_BYTES, too_large};
use crate::github::{Github, Repository};
use crate::store::{Store, StoreError};

/// Tests that were run.
#[derive(Debug)]
pub struct Tested {
    /// The file they stand in.
    pub path: PromptPath,
    /// How each ended, in file order.
    pub outcomes: Vec<Outcome>,
    /// Findings that stop nothing.
    pub warnings: Vec<Diagnostic>,
}

/// Runs a file of tests against the settings of the same repository, both as they are in the working tree.
///
/// # Errors
/// When a file is missing or wrong.
pub async fn test(folder: &Path, file: Option<&str>) -> Result<Tested, LocalError> {
    let named: Vec<String> = file.iter().map(|file| (*file).to_owned()).collect();
    let desk = Desk::at(folder, &named).await?;
    let path = desk.path(folder, file.unwrap_or(TESTS_PATH), file.is_none())?;
    let bytes = match desk.files.read(&path, MAX_FILE_BYTES).await? {
        Content::Missing if file.is_none() => return Err(LocalError::Input(no_tests())),
        _ => desk.read(&path).await?,
    };
    let (tests, settings) = (policy_tests::parse(&path, &bytes), desk.settings(None).await);
    let (mut tests, settings) = match (tests, settings) {
        (Ok(tests), Ok(settings)) => (tests, settings),
        (Err(mut findings), Err(LocalError::Findings(more))) => {
            findings.extend(more);
            return Err(LocalError::Findings(findings));
        }
        (Err(findings), Ok(_)) => return Err(LocalError::Findings(findings)),
        (_, Err(error)) => return Err(error),
    };
    tests.value.people.code_owners = code_owners(&desk.files).await?;
    let outcomes = policy_tests::run(&tests.value, &settings.value).map_err(|e| LocalError::Input(e.to_string()))?;
    Ok(Tested { path, outcomes, warnings: settings.warnings.into_iter().chain(tests.warnings).collect() })
}

fn no_tests() -> String {
    let example: String = policy_tests::EXAMPLE.lines().map(|line| format!("  {line}\n")).collect();
    format!("no file at `{TESTS_PATH}`: write one to start from, as\n{}", example.trim_end())
}

/// The repository's CODEOWNERS, where GitHub looks for it.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn code_owners(files: &Files) -> Result<Option<(PromptPath, Vec<u8>)>, FilesError> {
    for place in codeowners::PLACES.iter().filter_map(|place| PromptPath::parse(place).ok()) {
        if let Content::Bytes(bytes) = files.read(&place, MAX_FILE_BYTES).await? {
            return Ok(Some((place, bytes.to_vec())));
        }
    }
    Ok(None)
}

/// Decides about facts from a file: imagined ones, or those of a stored run as JSON.
///
/// # Errors
/// When a file is missing or wrong.
pub async fn explain_facts(
    folder: &Path,
    file: &str,
    settings: Option<&str>,
    verdict: Option<Verdict>,
) -> Result<Explained, LocalError> {
    let desk = Desk::at(folder, &[file.to_owned()]).await?;
    let settings = desk.settings(settings).await?.value;
    let path = desk.path(folder, file, false)?;
    let bytes = desk.read(&path).await?;
    let governed = governed::Governed::new(&settings).map_err(|error| LocalError::Input(error.to_string()))?;
    let (facts, said) = match serde_json::from_slice::<PullFacts>(&bytes) {
        Ok(facts) => (facts, None),
        Err(_) => {
            let (mut people, scenario) = policy_tests::parse_facts(&path, &bytes).map_err(LocalError::Findings)?.value;
            people.code_owners = code_owners(&desk.files).await?;
            let kind = |path: &PromptPath| governed.classify(path);
            let imagined = policy_tests::imagine(&people, &scenario, &settings.policy, &kind);
            (imagined.map_err(|error| LocalError::Input(error.to_string()))?.facts, scenario.verdict)
        }
    };
    let verdict = verdict.or(said);
    let decision = policy::decide(&settings.policy, &facts, verdict);
    Ok(Explained { facts, verdict, decision })
}

/// Why a live pull request could not be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The input is wrong.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// GitHub or the database failed.
    #[error("{0}")]
    World(String),
}

impl From<JobError> for ExplainError {
    fn from(error: JobError) -> Self {
        Self::World(error.to_string())
    }
}

impl From<StoreError> for ExplainError {
    fn from(error: StoreError) -> Self {
        Self::World(error.to_string())
    }
}

/// Which pull request to explain, and under what.
#[derive(Debug)]
pub struct Live<'a> {
    /// The folder the command was called in.
    pub folder: &'a Path,
    /// The pull request's repository.
    pub repo: RepoName,
    /// Its number.
    pub number: PullNumber,
    /// Other settings than those that control it: what they would decide.
    pub settings: Option<&'a str>,
    /// Another verdict than the stored one.
    pub verdict: Option<Verdict>,
}

/// Decides about a pull request by its facts as they are now, and publishes nothing.
///
/// # Errors
/// When the settings are wrong, or GitHub or the database fails.
pub async fn explain_pull(
    github: &Github,
    store: Option<&Store>,
    now_ms: i64,
    live: &Live<'_>,
) -> Result<Explained, ExplainError> {
    let repository = github.find(&live.repo).await.map_err(JobError::from)?;
    let snapshot = repository.snapshot(live.number).await.map_err(JobError::from)?;
    let memory = store.map(|store| Memory { store, now_ms });
    let controlled = control::control(&repository, &snapshot, memory).await?;
    let digest = watch::control_digest(&snapshot.base_tree, &controlled);
    let mut control = match controlled {
        Controlled::Ready(control) => control,
        Controlled::Broken { findings, .. } => return Err(LocalError::Findings(findings).into()),
        Controlled::Lost(message) => return Err(ExplainError::World(message)),
        Controlled::Silent => {
            let message = format!(
                "{} has no {SETTINGS_PATH} on {}, and neither has its organisation: nothing is decided there",
                live.repo, snapshot.pull.base_branch
            );
            return Err(LocalError::Input(message).into());
        }
    };
    if let Some(file) = live.settings {
        control.settings = other_settings(&repository, live.folder, file, &control.enforced).await?;
        let other = control::govern(&repository, &snapshot, &control.settings).await?;
        control.governed = other.map_err(|error| LocalError::Input(error.to_string()))?;
    }
    let question = watch::question(&snapshot, digest);
    let governed = Governed { repository, snapshot, control, question, head_since: None };
    let stored = stored(store, live.number, &governed).await?;
    let how = stored.as_ref().and_then(|stored| stored.report.blocked());
    let (said, verdict) = match stored {
        Some(stored) => (stored.facts.said.clone(), verdict_of(&stored)),
        None => {
            let sides = sides::load(&governed.repository, &governed.snapshot, &governed.control).await?;
            (sides.said, None)
        }
    };
    let verdict = live.verdict.or(verdict);
    let mut facts = facts_by(store, &governed, said).await?;
    facts.blocked = how.map(|how| BlockedResult { question: governed.question, how });
    let decision = policy::decide(&governed.control.settings.policy, &facts, verdict);
    Ok(Explained { facts, verdict, decision })
}

async fn other_settings(
    repository: &Repository,
    folder: &Path,
    file: &str,
    enforced: &settings::Enforced,
) -> Result<Settings, LocalError> {
    let desk = Desk::at(folder, &[file.to_owned()]).await?;
    let path = desk.path(folder, file, false)?;
    let bytes = desk.read(&path).await?;
    control::parse(repository, &path, &bytes, enforced).map(|parsed| parsed.value).map_err(LocalError::Findings)
}

/// The run of this head that controls now, if a database has one.
async fn stored(
    store: Option<&Store>,
    number: PullNumber,
    governed: &Governed,
) -> Result<Option<StoredRun>, ExplainError> {
    let Some(store) = store else { return Ok(None) };
    let lane = format!("{}/{number}", governed.repository.id());
    let stored = store.load_run(&run_key(&lane, governed)).await?;
    let run: Option<StoredRun> = stored.and_then(|stored| serde_json::from_str(&stored.body).ok());
    Ok(run.filter(|run| run.question == governed.question))
}

fn verdict_of(run: &StoredRun) -> Option<Verdict> {
    match run.report.outcome.clone().without_people() {
        Ended::Measured(verdict) => Some(verdict),
        Ended::Failed { .. } => Some(Verdict::NotMeasured),
        _ => None,
    }
}

/// The author's files: a repository's working tree, or a folder.
struct Desk {
    files: Files,
    root: PathBuf,
    place: discover::Place,
}

impl Desk {
    async fn at(folder: &Path, named: &[String]) -> Result<Self, LocalError> {
        let place = discover::place(folder, named).await?;
        let root = place.root.clone();
        Ok(Self { files: Files::Disk { root: root.clone(), all: Vec::new(), is_closed: false }, root, place })
    }

    /// A path as it was written in `folder`, or below the root.
    fn path(&self, folder: &Path, file: &str, below_root: bool) -> Result<PromptPath, LocalError> {
        if below_root {
            return PromptPath::parse(file).map_err(|error| LocalError::Input(error.to_string()));
        }
        discover::file(folder, &self.place, file)
    }

    async fn read(&self, path: &PromptPath) -> Result<bytes::Bytes, LocalError> {
        let wrong = |finding| Err(LocalError::Findings(vec![finding]));
        match self.files.read(path, MAX_FILE_BYTES).await? {
            Content::Bytes(bytes) => Ok(bytes),
            Content::Missing => {
                Err(LocalError::Input(format!("no file at `{path}`: check the path, or write the file")))
            }
            Content::TooLarge(size) => wrong(too_large(path, size, MAX_FILE_BYTES)),
            Content::Refused(why) => {
                wrong(about("not-a-regular-file", path, format!("the file is {why}"), "links are not followed"))
            }
        }
    }

    /// The named settings, else those of the repository.
    async fn settings(&self, file: Option<&str>) -> Result<Parsed<Settings>, LocalError> {
        let path = self.path(&self.root, file.unwrap_or(SETTINGS_PATH), file.is_none())?;
        let bytes = self.read(&path).await?;
        organisation::parse_local(&self.root, &path, &bytes).map_err(LocalError::Findings)
    }
}
