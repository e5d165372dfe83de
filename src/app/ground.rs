//! What a run without GitHub's webhooks stands on: the place, both sides' files, and which of them change. Reads names, and
//! of contents only what says whether a prompt is touched.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::discover::{self, Place};
use super::files::{Content, Entry, Files};
use super::load::{self, LoadError};
use super::local::LocalError;
use crate::domain::governed::{Governed, golden_siblings};
use crate::domain::ids::{CommitSha, PromptPath};
use crate::domain::policy::Change;
use crate::domain::prompt::Format;
use crate::domain::settings::SETTINGS_PATH;
use crate::domain::source::MAX_FILE_BYTES;
use crate::git::Repository;

/// Most files that are read to find out what one prompt is made of.
const MAX_READS: usize = 1_000;

/// Both sides, and where they are.
#[derive(Debug)]
pub struct Ground {
    /// The top folder.
    pub place: Place,
    /// The files of both sides.
    pub sides: Sides,
    /// The base revision's commit.
    pub base: Option<CommitSha>,
    /// The head revision's commit; `None` for the working tree.
    pub head: Option<CommitSha>,
    /// The paths of head's files.
    pub all: Vec<PromptPath>,
    /// What changes between base and head, by both names of a rename, where only prompts that change are meant.
    pub changed: Option<BTreeSet<PromptPath>>,
    /// Whether only base's settings decide, as at the gate, also where base has none.
    pub is_gate: bool,
}

/// The files of both sides.
#[derive(Debug)]
pub struct Sides {
    /// Before the change.
    pub base: Option<Files>,
    /// After it.
    pub head: Files,
    /// Base's name of a file by head's, where they differ.
    pub renames: HashMap<PromptPath, PromptPath>,
}

impl Sides {
    /// The base files and the prompt's path in them, where it is there.
    pub fn base_of<'s>(&'s self, path: &'s PromptPath) -> Option<(&'s Files, &'s PromptPath)> {
        let files = self.base.as_ref()?;
        let path = if files.exists(path) { path } else { self.renames.get(path)? };
        Some((files, path))
    }
}

/// Both sides as Git has them; head is the working tree where no revision is given.
///
/// # Errors
/// When a revision is not there, or `git` fails.
pub async fn ground(
    folder: &Path,
    paths: &[String],
    base: Option<&str>,
    head: Option<&str>,
) -> Result<Ground, LocalError> {
    let place = discover::place(folder, paths).await?;
    let (base_files, base) = revision(&place, base).await?.unzip();
    let (head_files, head, all) = head_side(&place, head).await?;
    let renames = renames(&place, base.as_ref(), head.as_ref()).await?;
    let sides = Sides { base: base_files, head: head_files, renames };
    Ok(Ground { place, sides, base, head, all, changed: None, is_gate: false })
}

/// Where the settings are: the named file, else the usual one.
///
/// # Errors
/// When the named one lies outside the place, or is on neither side.
pub(super) fn settings_path(
    folder: &Path,
    place: &Place,
    (base, head): (Option<&Files>, &Files),
    named: Option<&str>,
) -> Result<PromptPath, LocalError> {
    let usual = || PromptPath::parse(SETTINGS_PATH).map_err(|error| LocalError::Input(error.to_string()));
    let Some(named) = named else { return usual() };
    let path = discover::file(folder, place, named)?;
    let is_there = head.exists(&path) || base.is_some_and(|base| base.exists(&path));
    // The usual name may be given without a file being there: it means what leaving it out means.
    if is_there || usual()? == path {
        return Ok(path);
    }
    Err(LocalError::Input(format!("no settings file at `{named}`; name one that is there, or leave it out")))
}

/// Base's name of a file by head's, where they differ; `None` as head is the working tree.
pub(super) async fn renames(
    place: &Place,
    base: Option<&CommitSha>,
    head: Option<&CommitSha>,
) -> Result<HashMap<PromptPath, PromptPath>, LocalError> {
    match (&place.repository, base) {
        (Some(repository), Some(base)) => Ok(repository.renames(base, head).await?),
        _ => Ok(HashMap::new()),
    }
}

async fn revision(place: &Place, revision: Option<&str>) -> Result<Option<(Files, CommitSha)>, LocalError> {
    let Some(revision) = revision else { return Ok(None) };
    let repository = match &place.repository {
        Some(repository) => repository.clone(),
        // Asked again, so that a Git that does not run is not taken for a folder without a repository.
        None => Repository::discover(&place.root).await?,
    };
    let commit = repository.resolve(revision).await?;
    Ok(Some((at_commit(repository, &commit).await?, commit)))
}

/// The files of a commit on disk.
pub(super) async fn at_commit(repository: Repository, commit: &CommitSha) -> Result<Files, LocalError> {
    let tree = repository.tree(commit).await?;
    let tree = tree.into_iter().map(|file| (file.path, Entry { mode: file.mode, blob: file.blob })).collect();
    Ok(Files::Revision { repository, tree })
}

pub(super) async fn head_side(
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
    Ok((Files::Disk { root: place.root.clone(), all: all.clone(), is_closed: false }, None, all))
}

/// Governed prompts that head has no more, by the changed files where those are known; else a new name is no removal.
pub(super) fn gone(ground: &Ground, governed: &Governed) -> BTreeSet<PromptPath> {
    let is_there = |path: &PromptPath| {
        // A file that Git ignores now is on disk all the same.
        let on_disk = || ground.place.root.join(path.as_str()).symlink_metadata().is_ok();
        ground.all.binary_search(path).is_ok() || (ground.head.is_none() && on_disk())
    };
    let is_gone = |path: &&PromptPath| governed.classify(path) == Some(Change::Prompt) && !is_there(path);
    match (&ground.changed, &ground.sides.base) {
        (Some(changed), _) => changed.iter().filter(is_gone).cloned().collect(),
        (None, Some(base)) => {
            let renamed: BTreeSet<&PromptPath> = ground.sides.renames.values().collect();
            base.paths().into_iter().filter(is_gone).filter(|path| !renamed.contains(path)).cloned().collect()
        }
        (None, None) => BTreeSet::new(),
    }
}

/// Those of head's prompts that change.
///
/// # Errors
/// When a file cannot be read now.
pub(super) async fn only_touched(
    head: &Files,
    prompts: Vec<PromptPath>,
    changed: &BTreeSet<PromptPath>,
) -> Result<Vec<PromptPath>, LocalError> {
    let mut touched = Vec::new();
    for path in prompts {
        if is_touched(head, &path, changed).await? {
            touched.push(path);
        }
    }
    Ok(touched)
}

/// Whether a prompt of head changes: its file, its golden set, or a file that it is made of.
async fn is_touched(head: &Files, path: &PromptPath, changed: &BTreeSet<PromptPath>) -> Result<bool, LocalError> {
    if changed.contains(path) || golden_siblings(path).iter().any(|set| changed.contains(set)) {
        return Ok(true);
    }
    let Content::Bytes(bytes) = head.read(path, MAX_FILE_BYTES).await? else { return Ok(false) };
    if Format::of(path).is_none_or(Format::has_references) {
        let made = load::made_of(head, path, &bytes, &mut MAX_READS.clone()).await?;
        if made.exceeded || changed.iter().any(|file| made.looks_for(file)) {
            return Ok(true);
        }
    }
    match load::load_alone(head, path).await {
        Ok(loaded) => Ok(loaded.prompt.golden_set.as_ref().is_some_and(|set| changed.contains(set))),
        // It was as broken before.
        Err(LoadError::Input(_)) => Ok(false),
        Err(LoadError::Files(error)) => Err(error.into()),
    }
}
