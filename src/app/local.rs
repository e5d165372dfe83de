//! An evaluation without GitHub: the command line and the Action step. The same plan, run and verdict as a pull request.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use super::discover::{self, Place};
use super::files::{Content, Entry, Files, FilesError};
use super::load::{self, LoadError, LoadedPrompt};
use super::plan::{self, Overrides, Pair};
use super::result;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::governed::Governed;
use crate::domain::ids::{CommitSha, PromptPath};
use crate::domain::report::Report;
use crate::domain::settings::{self, SETTINGS_PATH, Settings};
use crate::engine::event::RunEvent;
use crate::engine::provider::Provider;
use crate::engine::run::{self, RunError, RunLimits};
use crate::git::{GitError, Repository};

/// What the user asked for.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// The folder the command was called in.
    pub folder: PathBuf,
    /// Prompt files, folders or globs.
    pub paths: Vec<String>,
    /// Revision to compare with.
    pub base: Option<String>,
    /// Revision to measure; the working tree if absent.
    pub head: Option<String>,
    /// What overrides the settings.
    pub overrides: Overrides,
}

/// Why a local evaluation came to no result.
#[derive(Debug, Error)]
pub enum LocalError {
    /// The arguments are wrong.
    #[error("{0}")]
    Input(String),
    /// The files are wrong.
    #[error("{} findings in the files", .0.len())]
    Findings(Vec<Diagnostic>),
    /// A revision or repository is wrong.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file could not be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The run has no measurements.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Everything a local evaluation needs, read once.
#[derive(Debug)]
pub struct Gathered {
    /// The settings that apply.
    pub settings: Settings,
    /// The prompts, on both sides.
    pub pairs: Vec<Pair>,
    /// The base revision's commit.
    pub base: Option<CommitSha>,
    /// The head revision's commit; `None` for the working tree.
    pub head: Option<CommitSha>,
    /// Findings that stop nothing.
    pub warnings: Vec<Diagnostic>,
}

/// Reads settings, prompts and golden sets of both sides.
///
/// # Errors
/// When something named is not there, or a file is wrong.
pub async fn gather(options: &LocalOptions) -> Result<Gathered, LocalError> {
    let place = discover::place(&options.folder, &options.paths).await?;
    let (base_files, base) = revision(&place, options.base.as_deref()).await?.unzip();
    let (head_files, head, all) = head_side(&place, options.head.as_deref()).await?;
    let mut warnings = Vec::new();
    let settings = settings_of(base_files.as_ref(), &head_files, &mut warnings).await?;
    let governed = Governed::new(&settings).map_err(|error| LocalError::Input(error.to_string()))?;
    let paths = discover::select(&options.folder, &place, &options.paths, &all, &governed)?;
    if paths.is_empty() {
        return Err(LocalError::Input(
            "no prompt files found; name them, or check `prompts.include` in .github/promptops.yml".to_owned(),
        ));
    }
    let named = !options.paths.is_empty();
    let pairs = load_pairs(&paths, base_files.as_ref(), &head_files, named, &mut warnings).await?;
    Ok(Gathered { settings, pairs, base, head, warnings })
}

async fn revision(place: &Place, revision: Option<&str>) -> Result<Option<(Files, CommitSha)>, LocalError> {
    let Some(revision) = revision else { return Ok(None) };
    let repository = place.repository.clone().ok_or_else(|| GitError::NoRepository(place.root.clone()))?;
    let commit = repository.resolve(revision).await?;
    Ok(Some((at_commit(repository, &commit).await?, commit)))
}

async fn at_commit(repository: Repository, commit: &CommitSha) -> Result<Files, LocalError> {
    let tree = repository.tree(commit).await?;
    let tree = tree.into_iter().map(|file| (file.path, Entry { mode: file.mode, blob: file.blob })).collect();
    Ok(Files::Revision { repository, tree })
}

async fn head_side(
    place: &Place,
    head: Option<&str>,
) -> Result<(Files, Option<CommitSha>, Vec<PromptPath>), LocalError> {
    if let Some((files, commit)) = revision(place, head).await? {
        let all = files.paths().into_iter().cloned().collect();
        return Ok((files, Some(commit), all));
    }
    let mut all = match &place.repository {
        Some(repository) => repository.working_tree().await?,
        None => discover::walk(&place.root)?,
    };
    // The index still lists files that were deleted from disk.
    all.retain(|path| place.root.join(path.as_str()).symlink_metadata().is_ok());
    all.sort();
    Ok((Files::Disk { root: place.root.clone() }, None, all))
}

/// Base's settings where there is a base that has some, as at the gate; else head's.
async fn settings_of(
    base: Option<&Files>,
    head: &Files,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Settings, LocalError> {
    let Ok(path) = PromptPath::parse(SETTINGS_PATH) else { return Ok(Settings::default()) };
    for files in base.into_iter().chain([head]) {
        match files.read(&path).await? {
            Content::Missing => {}
            Content::Bytes(bytes) => {
                let parsed = settings::parse(&path, &bytes).map_err(LocalError::Findings)?;
                warnings.extend(parsed.warnings);
                return Ok(parsed.value);
            }
            Content::Refused(why) => return Err(LocalError::Input(format!("`{path}` is {why}"))),
        }
    }
    Ok(Settings::default())
}

async fn load_pairs(
    paths: &[PromptPath],
    base: Option<&Files>,
    head: &Files,
    named: bool,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Vec<Pair>, LocalError> {
    let mut pairs = Vec::with_capacity(paths.len());
    let mut findings = Vec::new();
    for path in paths {
        let mut loaded = match load_side(head, path, &mut findings).await? {
            Some(loaded) => loaded,
            None => continue,
        };
        let base = match base {
            Some(files) if files.exists(path) => load_base(files, path, warnings).await?,
            _ => None,
        };
        let has_cases = loaded.golden.is_some() || base.as_ref().is_some_and(|base| base.golden.is_some());
        if !has_cases {
            if named {
                findings.push(no_golden_set(path));
            } else {
                warnings.push(no_golden_set(path).into_warning());
            }
            continue;
        }
        warnings.append(&mut loaded.warnings);
        pairs.push(Pair { path: path.clone(), base, head: loaded });
    }
    if pairs.is_empty() && findings.is_empty() {
        findings.extend(paths.iter().map(no_golden_set));
    }
    if findings.is_empty() { Ok(pairs) } else { Err(LocalError::Findings(findings)) }
}

async fn load_side(
    files: &Files,
    path: &PromptPath,
    findings: &mut Vec<Diagnostic>,
) -> Result<Option<LoadedPrompt>, LocalError> {
    match load::load(files, path).await {
        Ok(loaded) => Ok(Some(loaded)),
        Err(LoadError::Input(found)) => {
            findings.extend(found);
            Ok(None)
        }
        Err(LoadError::Files(error)) => Err(error.into()),
    }
}

/// A base version that cannot be used is said, and head is measured alone: whoever mends a broken file needs that.
async fn load_base(
    files: &Files,
    path: &PromptPath,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Option<LoadedPrompt>, LocalError> {
    let mut found = Vec::new();
    let loaded = load_side(files, path, &mut found).await?;
    warnings.extend(found.into_iter().map(|finding| {
        let message = format!("on base: {}", finding.message);
        Diagnostic { message, ..finding.into_warning() }
    }));
    Ok(loaded)
}

/// The finding for a prompt that nothing tests.
pub fn no_golden_set(path: &PromptPath) -> Diagnostic {
    let stem = path.file_name().split(".prompt.").next().unwrap_or_default();
    load::about(
        "no-golden-set",
        path,
        "the prompt has no golden set, so nothing can be measured".to_owned(),
        &format!("add `{stem}.golden.yml` beside it, or `testData` in it"),
    )
}

/// Plans, runs and decides.
///
/// # Errors
/// When nothing can be planned or measured.
pub async fn evaluate(
    gathered: &Gathered,
    overrides: &Overrides,
    provider: Arc<dyn Provider>,
    limits: &RunLimits,
    events: &(dyn Fn(RunEvent) + Sync),
) -> Result<Report, LocalError> {
    let plan = plan::plan(&gathered.pairs, &gathered.settings, overrides).map_err(LocalError::Findings)?;
    let runs = run::run(&plan, &*provider, limits, events).await?;
    let base = gathered.base.as_ref().map(ToString::to_string);
    let head = gathered.head.as_ref().map_or_else(|| "working tree".to_owned(), ToString::to_string);
    Ok(result::report(&plan, runs, base, head))
}

/// Everything parsing finds in the files: errors and warnings, in file order.
///
/// # Errors
/// When something named is not there.
pub async fn lint(options: &LocalOptions) -> Result<Vec<Diagnostic>, LocalError> {
    let place = discover::place(&options.folder, &options.paths).await?;
    let (files, _, all) = head_side(&place, options.head.as_deref()).await?;
    let mut findings = Vec::new();
    let settings = match settings_of(None, &files, &mut findings).await {
        Err(LocalError::Findings(found)) => {
            findings.extend(found);
            Settings::default()
        }
        other => other?,
    };
    let governed = Governed::new(&settings).map_err(|error| LocalError::Input(error.to_string()))?;
    for path in discover::select(&options.folder, &place, &options.paths, &all, &governed)? {
        if let Some(loaded) = load_side(&files, &path, &mut findings).await? {
            if loaded.golden.is_none() {
                findings.push(no_golden_set(&path).into_warning());
            }
            findings.extend(loaded.warnings);
        }
    }
    Ok(findings)
}
