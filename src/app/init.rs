//! The start in a repository: looks at its files, and writes those that the domain plans. Replaces nothing.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::discover;
use super::files::{Content, Files, FilesError};
use super::ground;
use super::load::{self, LoadError, LoadedPrompt};
use super::local::{self, LocalError};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::golden::GoldenSet;
use crate::domain::governed::{GoldenSource, Governed, golden_source};
use crate::domain::ids::PromptPath;
use crate::domain::init::{self, Cases, Found, FoundPrompt, PlannedFile};
use crate::domain::policy::Change;
use crate::domain::prompt::{Format, Prompt};
use crate::domain::settings::{SETTINGS_PATH, Settings};
use crate::domain::source::MAX_FILE_BYTES;

/// Most prompt files that are read.
const MOST_PROMPTS: usize = 1_000;
/// Most workflows that are read.
const MOST_WORKFLOWS: usize = 100;
/// What a workflow says that runs the Action.
const ACTION: &str = "promptops/promptops@";

/// Why the start failed.
#[derive(Debug, Error)]
pub enum InitError {
    /// The person can mend it.
    #[error("{0}")]
    Input(String),
    /// Files cannot be read or written.
    #[error("{0}")]
    World(String),
}

impl From<LocalError> for InitError {
    fn from(error: LocalError) -> Self {
        match error {
            LocalError::Files(error) => error.into(),
            other => Self::Input(other.to_string()),
        }
    }
}

impl From<FilesError> for InitError {
    fn from(error: FilesError) -> Self {
        Self::World(format!("{error}; check its folder and its permissions, then run this again"))
    }
}

/// A repository, or a folder, and what is in it.
#[derive(Debug)]
pub struct Looked {
    /// The top folder.
    pub root: PathBuf,
    /// Whether it is a repository's.
    pub is_repository: bool,
    /// What was found.
    pub found: Found,
}

/// Looks at the repository around `folder`, or at the folder itself outside of any.
///
/// # Errors
/// When files cannot be read, or are too many.
pub async fn look(folder: &Path) -> Result<Looked, InitError> {
    let place = discover::place(folder, &[]).await?;
    let (files, _, all) = ground::head_side(&place, None).await?;
    let mut found = Found::default();
    let settings_path = PromptPath::parse(SETTINGS_PATH).map_err(|error| InitError::Input(error.to_string()))?;
    let settings_there = files.exists(&settings_path);
    let settings = match local::settings_of((None, &files), &settings_path, &mut Vec::new()).await {
        Err(LocalError::Findings(findings)) => {
            found.broken.extend(findings.into_iter().next());
            Settings::default()
        }
        other => other?,
    };
    let governed = Governed::new(&settings).map_err(|error| InitError::Input(error.to_string()))?;
    // Once there are settings, they say what is a prompt.
    let is_own = |path: &PromptPath| settings_there || !(init::is_editors(path) || init::is_third_party(path));
    let is_prompt = |path: &&PromptPath| governed.classify(path) == Some(Change::Prompt);
    let (prompts, others): (Vec<_>, Vec<_>) = all.iter().filter(is_prompt).partition(|path| is_own(path));
    found.editors = others.into_iter().filter(|path| init::is_editors(path)).count();
    found.unseen = prompts.len().saturating_sub(MOST_PROMPTS);
    let mut attached: BTreeSet<PromptPath> = BTreeSet::new();
    for path in prompts.into_iter().take(MOST_PROMPTS) {
        match look_at(&files, path, &mut attached).await? {
            Ok(prompt) => found.prompts.push(prompt),
            Err(finding) => found.broken.push(finding),
        }
    }
    found.near = all.iter().filter(|path| init::is_near_miss(path) && !attached.contains(*path)).cloned().collect();
    found.workflow = workflow(&files, &all).await?;
    Ok(Looked { root: place.root, is_repository: place.repository.is_some(), found })
}

/// One prompt file, or the first thing that is wrong with it.
async fn look_at(
    files: &Files,
    path: &PromptPath,
    attached: &mut BTreeSet<PromptPath>,
) -> Result<Result<FoundPrompt, Diagnostic>, FilesError> {
    let findings = match load::load(files, path).await {
        Ok(loaded) => return Ok(Ok(described(path, &loaded, attached))),
        Err(LoadError::Input(findings)) => findings,
        Err(LoadError::Files(error)) => return Err(error),
    };
    // Cases that check nothing, or a golden set that is named and not there, are what a new set mends.
    match load::load_alone(files, path).await {
        Ok(alone) if !has_set(files, &alone.prompt) => Ok(Ok(described(path, std::slice::from_ref(&alone), attached))),
        Ok(_) | Err(LoadError::Input(_)) => Ok(Err(findings
            .into_iter()
            .next()
            .unwrap_or_else(|| Diagnostic::error("unreadable", path, "the file cannot be read")))),
        Err(LoadError::Files(error)) => Err(error),
    }
}

fn has_set(files: &Files, prompt: &Prompt) -> bool {
    match golden_source(prompt) {
        GoldenSource::Named(named) => files.exists(&named),
        GoldenSource::Siblings(siblings) => siblings.iter().any(|path| files.exists(path)),
    }
}

fn described(path: &PromptPath, loaded: &[LoadedPrompt], attached: &mut BTreeSet<PromptPath>) -> FoundPrompt {
    attached.extend(loaded.iter().flat_map(|one| one.attached.iter().cloned()));
    let format = Format::of(path).unwrap_or(Format::Promptfoo);
    let several = format == Format::Promptfoo;
    let cases = match loaded.iter().find_map(|one| one.golden.as_ref()) {
        None => Cases::None,
        Some(GoldenSet { path: set, cases }) if several || set == path => Cases::Inline(cases.len()),
        Some(GoldenSet { path: set, cases }) => Cases::Set { path: set.clone(), count: cases.len() },
    };
    let mut models: Vec<_> = loaded.iter().filter_map(|one| one.prompt.model.clone()).collect();
    models.sort();
    models.dedup();
    let prompt = loaded.first().filter(|_| !several).map(|one| one.prompt.clone());
    FoundPrompt { path: path.clone(), format, models, cases, prompt }
}

/// A workflow that runs the Action already.
async fn workflow(files: &Files, all: &[PromptPath]) -> Result<Option<PromptPath>, FilesError> {
    let is_workflow = |path: &&PromptPath| {
        let file = path.as_str().strip_prefix(".github/workflows/");
        path.as_str() != init::WORKFLOW_PATH
            && file.is_some_and(|file| file.ends_with(".yml") || file.ends_with(".yaml"))
    };
    for path in all.iter().filter(is_workflow).take(MOST_WORKFLOWS) {
        let Content::Bytes(bytes) = files.read(path, MAX_FILE_BYTES).await? else { continue };
        if String::from_utf8_lossy(&bytes).contains(ACTION) {
            return Ok(Some(path.clone()));
        }
    }
    Ok(None)
}

/// Whether anything stands at the path.
#[must_use]
pub fn is_there(root: &Path, path: &PromptPath) -> bool {
    root.join(path.as_str()).symlink_metadata().is_ok()
}

/// Writes a file; false where something is there already, which stays as it is. Whoever looks sees a whole file or none.
///
/// # Errors
/// When it cannot be written, or would be written through a link.
pub fn write(root: &Path, file: &PlannedFile) -> Result<bool, InitError> {
    if is_there(root, &file.path) {
        return Ok(false);
    }
    let target = root.join(file.path.as_str());
    let failed = |error: io::Error| {
        InitError::World(format!(
            "cannot write `{}`: {error}; check the permissions of its folder, then run this again",
            file.path
        ))
    };
    for (end, _) in file.path.as_str().match_indices('/') {
        let folder = file.path.as_str().get(..end).unwrap_or_default();
        if root.join(folder).symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(InitError::Input(format!(
                "`{folder}` is a symbolic link, which GitHub does not follow: `{}` was not written; make it a folder",
                file.path
            )));
        }
    }
    let folder = target.parent().unwrap_or(root);
    fs::create_dir_all(folder).map_err(failed)?;
    let draft = folder.join(format!(".promptops-init-{}.tmp", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&draft)
        .and_then(|mut out| out.write_all(file.text.as_bytes()))
        .and_then(|()| put(&draft, &target));
    // It is gone where it was renamed.
    fs::remove_file(&draft).ok();
    written.map_err(failed)
}

/// Gives the draft its name unless another file has it.
fn put(draft: &Path, target: &Path) -> io::Result<bool> {
    match fs::hard_link(draft, target) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        // Some file systems know no second name for a file.
        Err(_) if target.symlink_metadata().is_err() => fs::rename(draft, target).map(|()| true),
        Err(error) => Err(error),
    }
}
