//! What controls a pull request: the settings of its base branch under those of its organisation. Never anything from head.

use crate::domain::diagnostic::{Diagnostic, Parsed};
use crate::domain::governed::{Governed, InvalidPattern};
use crate::domain::ids::{Digest, PromptPath};
use crate::domain::settings::{self, Enforced, SETTINGS_PATH, Settings};
use crate::domain::source::{MAX_FILE_BYTES, too_large};
use crate::github::{EntryKind, GithubError, Repository, Snapshot};
use bytes::Bytes;

use super::attached;
use super::job::JobError;
use super::load::about;
use super::named;
use super::organisation::{self, Found, Memory, Standing};

/// The settings that apply, and what they govern.
#[derive(Debug)]
pub struct Control {
    /// The settings, under what the organisation enforces.
    pub settings: Settings,
    /// What the organisation enforces.
    pub enforced: Enforced,
    /// Which files they govern.
    pub governed: Governed,
    /// Findings in the settings that stop nothing.
    pub warnings: Vec<Diagnostic>,
    /// What exactly they were read from.
    pub evidence: Evidence,
}

/// The digests of the files that control a pull request, for whoever asks later by which rules it was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The repository's own file on its base branch.
    pub repository: Option<Digest>,
    /// The organisation's file.
    pub organisation: Option<Digest>,
}

impl Evidence {
    /// One digest of both.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let part = |digest: &Option<Digest>| digest.map_or_else(Vec::new, |digest| digest.0.to_vec());
        Digest::of_parts([part(&self.repository).as_slice(), part(&self.organisation).as_slice()])
    }
}

/// What the base branch and the organisation say.
#[derive(Debug)]
pub enum Controlled {
    /// No settings anywhere: the bot stays silent.
    Silent,
    /// Settings that cannot be used.
    Broken {
        /// Why.
        findings: Vec<Diagnostic>,
        /// Where to mend them, in words.
        place: String,
    },
    /// Settings that were there and cannot be seen any more: what it is and what to do.
    Lost(String),
    /// Settings.
    Ready(Box<Control>),
}

/// The repository's own file on its base branch.
enum Own {
    Missing,
    There(Bytes),
    Broken(Diagnostic),
}

/// Reads the settings at the base branch's tip, and the organisation's: they are the default, and what they enforce holds
/// everywhere.
///
/// # Errors
/// When GitHub or the store cannot be asked.
pub async fn control(
    repository: &Repository,
    snapshot: &Snapshot,
    memory: Option<Memory<'_>>,
) -> Result<Controlled, JobError> {
    let Ok(path) = PromptPath::parse(SETTINGS_PATH) else { return Ok(Controlled::Silent) };
    let organisation = match organisation::read(repository, memory).await? {
        Found::None => None,
        Found::Ready(standing) => Some(*standing),
        Found::Lost(message) => return Ok(Controlled::Lost(message)),
        Found::Broken(findings) => {
            return Ok(Controlled::Broken { findings, place: format!("in {}", organisation::home(repository)) });
        }
    };
    let on_base = |findings| Controlled::Broken { findings, place: "on the base branch".to_owned() };
    let mut evidence = Evidence { repository: None, organisation: organisation.as_ref().map(|found| found.digest) };
    let Standing { organisation, warnings, .. } = match (own(repository, snapshot, &path).await?, organisation) {
        (Own::Broken(finding), _) => return Ok(on_base(vec![finding])),
        (Own::Missing, None) => return Ok(Controlled::Silent),
        (Own::Missing, Some(standing)) => standing,
        (Own::There(bytes), standing) => {
            let digest = Digest::of_parts([bytes.as_ref()]);
            evidence.repository = Some(digest);
            let enforced = standing.map(|standing| standing.organisation.enforced).unwrap_or_default();
            match parse(repository, &path, &bytes, &enforced) {
                Ok(parsed) => {
                    let organisation = settings::Organisation { settings: parsed.value, enforced };
                    Standing { organisation, warnings: parsed.warnings, digest }
                }
                Err(findings) => return Ok(on_base(findings)),
            }
        }
    };
    let settings::Organisation { settings, enforced } = organisation;
    match govern(repository, snapshot, &settings).await? {
        Ok(governed) => Ok(Controlled::Ready(Box::new(Control { settings, enforced, governed, warnings, evidence }))),
        Err(error) => {
            let help = "mend the glob in the settings";
            Ok(on_base(vec![about("invalid-glob", &path, error.to_string(), help)]))
        }
    }
}

/// What settings govern of a pull request's files.
pub(super) async fn govern(
    repository: &Repository,
    snapshot: &Snapshot,
    settings: &Settings,
) -> Result<Result<Governed, InvalidPattern>, JobError> {
    let governed = match Governed::new(settings) {
        Ok(governed) => governed,
        Err(error) => return Ok(Err(error)),
    };
    let governed = named::with_named_sets(repository, snapshot, governed).await?;
    Ok(Ok(attached::with_attached(repository, snapshot, governed).await?))
}

/// A repository's settings under what its organisation enforces. The organisation's own repository may say `enforce`; what
/// counts of that is what its default branch says.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn parse(
    repository: &Repository,
    path: &PromptPath,
    bytes: &[u8],
    enforced: &Enforced,
) -> Result<Parsed<Settings>, Vec<Diagnostic>> {
    if !organisation::is_home(repository) {
        return settings::parse_under(path, bytes, enforced);
    }
    let parsed = settings::parse_organisation(path, bytes)?;
    let (value, _) = enforced.over(parsed.value.settings);
    Ok(Parsed { value, warnings: parsed.warnings })
}

async fn own(repository: &Repository, snapshot: &Snapshot, path: &PromptPath) -> Result<Own, JobError> {
    Ok(match snapshot.base_tree.entries.get(path) {
        Some(entry) if entry.kind != EntryKind::File => Own::Broken(about(
            "not-a-regular-file",
            path,
            "the settings on the base branch are not a regular file".to_owned(),
            "commit the file itself to the base branch",
        )),
        Some(entry) => match repository.blob(entry, MAX_FILE_BYTES as u64).await {
            Ok(bytes) => Own::There(bytes),
            Err(GithubError::TooLarge { size, .. }) => Own::Broken(too_large(path, size, MAX_FILE_BYTES)),
            Err(error) => return Err(error.into()),
        },
        // A tree that GitHub cuts may hide the settings: then they are asked for by their path.
        None if snapshot.base_tree.truncated => {
            repository.file_at(&snapshot.base_sha, path).await?.map_or(Own::Missing, Own::There)
        }
        None => Own::Missing,
    })
}
