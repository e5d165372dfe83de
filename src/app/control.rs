//! What controls a pull request: the settings of its base branch, or of the organisation. Never anything from head.

use bytes::Bytes;

use crate::domain::diagnostic::Diagnostic;
use crate::domain::governed::Governed;
use crate::domain::ids::{Digest, PromptPath};
use crate::domain::settings::{self, SETTINGS_PATH, Settings};
use crate::domain::source::{MAX_FILE_BYTES, too_large};
use crate::github::{EntryKind, GithubError, Repository, Snapshot};

use super::attached;
use super::job::JobError;
use super::load::about;
use super::named;

/// The settings that apply, and what they govern.
#[derive(Debug)]
pub struct Control {
    /// The settings.
    pub settings: Settings,
    /// Which files they govern.
    pub governed: Governed,
    /// The digest of the settings' text.
    pub digest: Digest,
    /// Findings in the settings that stop nothing.
    pub warnings: Vec<Diagnostic>,
}

/// What the base branch says.
#[derive(Debug)]
pub enum Controlled {
    /// No settings anywhere: the bot stays silent.
    Silent,
    /// Settings that cannot be used.
    Broken(Vec<Diagnostic>),
    /// Settings.
    Ready(Box<Control>),
}

/// Reads the settings at the base branch's tip, else the organisation's.
///
/// # Errors
/// When GitHub cannot be asked.
pub async fn control(repository: &Repository, snapshot: &Snapshot) -> Result<Controlled, JobError> {
    let Ok(path) = PromptPath::parse(SETTINGS_PATH) else { return Ok(Controlled::Silent) };
    let bytes = match snapshot.base_tree.entries.get(&path) {
        Some(entry) if entry.kind != EntryKind::File => {
            let finding = about(
                "not-a-regular-file",
                &path,
                "the settings on the base branch are not a regular file".to_owned(),
                "commit the file itself to the base branch",
            );
            return Ok(Controlled::Broken(vec![finding]));
        }
        Some(entry) => match repository.blob(entry, MAX_FILE_BYTES as u64).await {
            Ok(bytes) => bytes,
            Err(GithubError::TooLarge { size, .. }) => {
                return Ok(Controlled::Broken(vec![too_large(&path, size, MAX_FILE_BYTES)]));
            }
            Err(error) => return Err(error.into()),
        },
        None => match elsewhere(repository, snapshot, &path).await? {
            Some(bytes) => bytes,
            None => return Ok(Controlled::Silent),
        },
    };
    let parsed = match settings::parse(&path, &bytes) {
        Ok(parsed) => parsed,
        Err(findings) => return Ok(Controlled::Broken(findings)),
    };
    match Governed::new(&parsed.value) {
        Ok(governed) => {
            let governed = named::with_named_sets(repository, snapshot, governed).await?;
            let governed = attached::with_attached(repository, snapshot, governed).await?;
            let digest = Digest::of_parts([bytes.as_ref()]);
            let (settings, warnings) = (parsed.value, parsed.warnings);
            Ok(Controlled::Ready(Box::new(Control { settings, governed, digest, warnings })))
        }
        Err(error) => Ok(Controlled::Broken(vec![about(
            "invalid-glob",
            &path,
            error.to_string(),
            "mend the glob on the base branch",
        )])),
    }
}

/// A tree that GitHub cuts may hide the settings: then they are asked for by their path. Else the organisation's count.
async fn elsewhere(repository: &Repository, snapshot: &Snapshot, path: &PromptPath) -> Result<Option<Bytes>, JobError> {
    if snapshot.base_tree.truncated
        && let Some(bytes) = repository.file_at(&snapshot.base_sha, path).await?
    {
        return Ok(Some(bytes));
    }
    Ok(repository.organisation_file(path).await?)
}
