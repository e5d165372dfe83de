//! The organisation's own settings: read at each decision and remembered, so that losing sight of them is not taken for
//! "none". Knows no pull request.

use std::path::Path;

use super::job::JobError;
use super::load::about;
use crate::domain::diagnostic::{Diagnostic, Parsed};
use crate::domain::ids::{Digest, PromptPath};
use crate::domain::settings::{self, Organisation, SETTINGS_PATH, Settings};
use crate::domain::source::{MAX_FILE_BYTES, too_large};
use crate::github::{GithubError, OrganisationFile, Repository};
use crate::store::Store;

/// What is remembered of settings, and the time of day. Without one nothing is remembered, and nothing is missed.
#[derive(Debug, Clone, Copy)]
pub struct Memory<'a> {
    /// Where it is kept.
    pub store: &'a Store,
    /// Now, in milliseconds since the Unix epoch.
    pub now_ms: i64,
}

/// The organisation's settings, as far as they can be had.
#[derive(Debug)]
pub(super) enum Found {
    /// It has none.
    None,
    /// It had some, and they cannot be seen any more: what it is and what to do.
    Lost(String),
    /// They cannot be used.
    Broken(Vec<Diagnostic>),
    /// They are there.
    Ready(Box<Standing>),
}

/// Settings of an organisation that can be used.
#[derive(Debug)]
pub(super) struct Standing {
    /// What they say.
    pub organisation: Organisation,
    /// Findings in them that stop nothing.
    pub warnings: Vec<Diagnostic>,
    /// The digest of their file.
    pub digest: Digest,
}

/// The repository that holds the settings of a repository's account.
pub(super) fn home(repository: &Repository) -> String {
    format!("{}/.github", repository.name().owner())
}

/// Whether a repository is the one that holds its account's settings.
pub(super) fn is_home(repository: &Repository) -> bool {
    repository.name().name().eq_ignore_ascii_case(".github")
}

/// The settings at a desk. A folder called `.github` is a copy of the repository that holds its account's settings.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn parse_local(root: &Path, path: &PromptPath, bytes: &[u8]) -> Result<Parsed<Settings>, Vec<Diagnostic>> {
    if root.file_name().is_none_or(|name| name != ".github") {
        return settings::parse(path, bytes);
    }
    let parsed = settings::parse_organisation(path, bytes)?;
    Ok(Parsed { value: parsed.value.settings, warnings: parsed.warnings })
}

/// Reads the settings of the account that a repository belongs to.
///
/// # Errors
/// When GitHub or the store cannot be asked.
pub(super) async fn read(repository: &Repository, memory: Option<Memory<'_>>) -> Result<Found, JobError> {
    let home = home(repository);
    let path = path(SETTINGS_PATH)?;
    // Findings name the repository, since the file is not in the one they are shown in.
    let shown = self::path(&format!("{home}: {SETTINGS_PATH}"))?;
    let seen = match memory {
        Some(Memory { store, .. }) => store.settings_seen(&source(&home)).await?.is_some(),
        None => false,
    };
    let bytes = match repository.organisation_file(&path, MAX_FILE_BYTES as u64, seen).await {
        Ok(OrganisationFile::There(bytes)) => bytes,
        Ok(OrganisationFile::Absent) => {
            forget(memory, &home).await?;
            return Ok(Found::None);
        }
        Ok(OrganisationFile::Unseen) if seen => return Ok(Found::Lost(lost(&home))),
        Ok(OrganisationFile::Unseen) => return Ok(Found::None),
        Err(GithubError::TooLarge { size, .. }) => {
            return Ok(Found::Broken(vec![too_large(&shown, size, MAX_FILE_BYTES)]));
        }
        Err(GithubError::Shape { .. }) => {
            let message = "the settings are not a regular file".to_owned();
            return Ok(Found::Broken(vec![about("not-a-regular-file", &shown, message, "commit the file itself")]));
        }
        Err(error) => return Err(error.into()),
    };
    let digest = Digest::of_parts([bytes.as_ref()]);
    if let Some(Memory { store, now_ms }) = memory {
        store.remember_settings(&source(&home), digest, now_ms).await?;
    }
    Ok(match settings::parse_organisation(&shown, &bytes) {
        Ok(parsed) => {
            let (organisation, warnings) = (parsed.value, parsed.warnings);
            Found::Ready(Box::new(Standing { organisation, warnings, digest }))
        }
        Err(findings) => Found::Broken(findings),
    })
}

async fn forget(memory: Option<Memory<'_>>, home: &str) -> Result<(), JobError> {
    if let Some(Memory { store, .. }) = memory {
        store.forget_settings(&source(home)).await?;
    }
    Ok(())
}

fn lost(home: &str) -> String {
    format!(
        "the organisation's settings in {home} were there and cannot be read any more: let the app read that repository \
         again; to end those settings, delete {SETTINGS_PATH} there while the app can see it"
    )
}

fn source(home: &str) -> String {
    home.to_ascii_lowercase()
}

fn path(text: &str) -> Result<PromptPath, JobError> {
    PromptPath::parse(text).map_err(|error| JobError::GiveUp { message: error.to_string() })
}
