//! Which prompt files a command line means: files, folders, globs, or every governed prompt. Reads names, not contents.

use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;

use super::local::LocalError;
use crate::domain::doctor::{count, some};
use crate::domain::governed::Governed;
use crate::domain::ids::PromptPath;
use crate::domain::init;
use crate::domain::policy::Change;
use crate::domain::prompt::{self, Format};
use crate::domain::promptfoo;
use crate::domain::reader::nearest;
use crate::domain::settings::Settings;
use crate::git::{GitError, Repository};

/// Most names in a message.
const MOST_NAMED: usize = 3;
/// Most files that are looked at outside a repository, so that a stray call in `/` ends.
const MAX_FILES: usize = 100_000;

/// Where paths are relative to, and whether that is a repository.
#[derive(Debug)]
pub struct Place {
    /// The top folder.
    pub root: PathBuf,
    /// The repository, if the folder is in one.
    pub repository: Option<Repository>,
}

/// The repository (or else the folder) that the named paths, or `folder` itself, are in.
///
/// # Errors
/// When `git` is needed and cannot be run.
pub async fn place(folder: &Path, paths: &[String]) -> Result<Place, LocalError> {
    let named = paths.first().map(|path| folder.join(literal_part(path)));
    let near = match named {
        Some(path) if path.is_dir() => path,
        Some(path) => path.parent().filter(|parent| parent.is_dir()).unwrap_or(folder).to_owned(),
        None => folder.to_owned(),
    };
    match Repository::discover(&near).await {
        Ok(repository) => Ok(Place { root: repository.root().to_owned(), repository: Some(repository) }),
        Err(GitError::NoRepository(_) | GitError::NotRunnable(_)) => {
            let inside = near.starts_with(folder) || paths.is_empty();
            let root = if inside { folder.to_owned() } else { near };
            Ok(Place { root, repository: None })
        }
        Err(error) => Err(error.into()),
    }
}

/// The prompt files that `paths` mean among `all`, sorted; every governed prompt where no path is given.
///
/// # Errors
/// When a path names nothing, or a file of no known format.
pub fn select(
    folder: &Path,
    place: &Place,
    paths: &[String],
    all: &[PromptPath],
    governed: &Governed,
) -> Result<Vec<PromptPath>, LocalError> {
    if paths.is_empty() {
        return Ok(all.iter().filter(|path| governed.classify(path) == Some(Change::Prompt)).cloned().collect());
    }
    let mut selected = Vec::new();
    for path in paths {
        let found = select_one(folder, place, path, all)?;
        if found.is_empty() {
            let near = near(path, all).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(LocalError::Input(format!(
                "no prompt file at `{path}`; prompt files end in {}{near}",
                prompt::endings()
            )));
        }
        selected.extend(found);
    }
    selected.sort();
    selected.dedup();
    Ok(selected)
}

/// A prompt file whose name is most like a path that names none.
fn near<'a>(path: &str, all: &'a [PromptPath]) -> Option<&'a str> {
    let known: Vec<&str> = all.iter().filter(|path| Format::of(path).is_some()).map(PromptPath::as_str).collect();
    // Whoever names the file alone may have left out its folder.
    let at_end = |name: &&&str| name.strip_suffix(path).is_some_and(|folder| folder.ends_with('/'));
    known.iter().find(at_end).copied().or_else(|| {
        // Endings are alike in all of them, so they do not count.
        let named = PromptPath::parse(path).ok()?;
        let stems: Vec<&str> = all.iter().filter(|path| Format::of(path).is_some()).map(prompt::path_stem).collect();
        let nearest = nearest(prompt::path_stem(&named), &stems)?;
        known.into_iter().zip(stems).find(|(_, stem)| *stem == nearest).map(|(name, _)| name)
    })
}

/// That a place has no prompts: where was looked, for what, and what may have been meant.
pub fn none_found(place: &Place, all: &[PromptPath], settings: &Settings) -> String {
    let root = place.root.display();
    let prompts: Vec<&str> = all.iter().filter(|path| Format::of(path).is_some()).map(PromptPath::as_str).collect();
    if let Some(first) = prompts.first() {
        let patterns = |patterns: &[String]| some(patterns, MOST_NAMED);
        let rules = match (settings.include.as_slice(), settings.exclude.as_slice()) {
            ([], exclude) => format!("`prompts.exclude` ({}) takes all of them out", patterns(exclude)),
            (include, []) => format!("`prompts.include` ({}) covers none", patterns(include)),
            (include, exclude) => {
                let (include, exclude) = (patterns(include), patterns(exclude));
                format!("`prompts.include` ({include}) without `prompts.exclude` ({exclude}) leaves none")
            }
        };
        let files = count(prompts.len(), "prompt file");
        return format!(
            "no prompt files found: of {files} in `{root}`, as {first}, {rules}; correct that in .github/promptops.yml, or \
             name the files"
        );
    }
    let misses: Vec<&PromptPath> = all.iter().filter(|path| is_near_miss(path) || init::is_near_miss(path)).collect();
    let names: Vec<&str> = misses.iter().map(|path| path.as_str()).collect();
    let near = match names.as_slice() {
        [] => String::new(),
        names => format!(" (not prompts by their names: {})", some(names, MOST_NAMED)),
    };
    let renaming = init::renaming(&misses).map_or_else(String::new, |command| format!(", as in `{command}`"));
    format!(
        "no prompt files found in `{root}`: none of {} ends in {}, or is a promptfoo config{near}; name such a file{renaming}, or run \
         `promptops init`",
        count(all.len(), "file"),
        prompt::endings()
    )
}

/// Whether a file may be meant for a prompt although its name does not say so.
fn is_near_miss(path: &PromptPath) -> bool {
    let folded = path.folded();
    let name = folded.rsplit('/').next().unwrap_or(&folded);
    let ends = [".yml", ".yaml", ".md", ".txt", ".json"].iter().any(|end| name.ends_with(end));
    ends && name.contains("prompt") && !name.starts_with("promptops.")
}

/// The file that a path means, whatever format it is in.
///
/// # Errors
/// When it lies outside the place.
pub fn file(folder: &Path, place: &Place, path: &str) -> Result<PromptPath, LocalError> {
    let inside = relative(folder, &place.root, path).ok_or_else(|| outside(place, path))?;
    PromptPath::parse(&inside).map_err(|error| LocalError::Input(error.to_string()))
}

fn outside(place: &Place, path: &str) -> LocalError {
    LocalError::Input(format!("`{path}` is outside `{}`; run this in its own folder", place.root.display()))
}

fn select_one(folder: &Path, place: &Place, path: &str, all: &[PromptPath]) -> Result<Vec<PromptPath>, LocalError> {
    let inside = relative(folder, &place.root, path).ok_or_else(|| outside(place, path))?;
    let known = |path: &PromptPath| Format::of(path).is_some();
    if is_glob(path) {
        let glob = GlobBuilder::new(&inside)
            .literal_separator(true)
            .build()
            .map_err(|error| LocalError::Input(format!("`{path}` is not a valid glob: {}", error.kind())))?
            .compile_matcher();
        return Ok(all.iter().filter(|file| known(file) && glob.is_match(file.as_str())).cloned().collect());
    }
    let prefix = format!("{inside}/");
    if inside.is_empty() || all.iter().any(|file| file.as_str().starts_with(&prefix)) {
        let below = |file: &&PromptPath| inside.is_empty() || file.as_str().starts_with(&prefix);
        return Ok(all.iter().filter(below).filter(|file| known(file)).cloned().collect());
    }
    let file = PromptPath::parse(&inside).map_err(|error| LocalError::Input(error.to_string()))?;
    // What may be a promptfoo config under another name is looked into when it is loaded.
    if !known(&file) && !promptfoo::may_be(&file) {
        return Err(LocalError::Input(format!(
            "`{path}` is in no known prompt format; prompt files end in {}",
            prompt::endings()
        )));
    }
    // A named file may be ignored by Git and is meant all the same.
    let exists = all.contains(&file) || (place.root.join(&inside).symlink_metadata().is_ok());
    Ok(exists.then_some(file).into_iter().collect())
}

/// Every file below `root`, as far as its name is a valid path; for folders outside any repository.
///
/// # Errors
/// When there are too many files, or the folder cannot be read.
pub fn walk(root: &Path) -> Result<Vec<PromptPath>, LocalError> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            seen += 1;
            if seen > MAX_FILES {
                return Err(LocalError::Input(format!(
                    "more than {MAX_FILES} files below `{}`; name the prompt files",
                    root.display()
                )));
            }
            let path = entry.path();
            match entry.file_type() {
                // Git's own files are no prompts, and there can be very many.
                Ok(kind) if kind.is_dir() && entry.file_name() == ".git" => {}
                Ok(kind) if kind.is_dir() => folders.push(path),
                _ => found.extend(path.strip_prefix(root).ok().and_then(as_prompt_path)),
            }
        }
    }
    found.sort();
    Ok(found)
}

fn as_prompt_path(path: &Path) -> Option<PromptPath> {
    PromptPath::parse(&path.to_str()?.replace(std::path::MAIN_SEPARATOR, "/")).ok()
}

fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// The part of a glob before its first special character's folder.
fn literal_part(path: &str) -> PathBuf {
    Path::new(path).components().take_while(|part| !is_glob(&part.as_os_str().to_string_lossy())).collect()
}

/// `path`, as written in `folder`, relative to `root`; `None` if it lies outside.
pub(super) fn relative(folder: &Path, root: &Path, path: &str) -> Option<String> {
    let mut parts: Vec<std::ffi::OsString> = Vec::new();
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let joined = real(folder).join(path);
    for part in joined.components() {
        match part {
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::CurDir => {}
            other => parts.push(other.as_os_str().to_owned()),
        }
    }
    let full: PathBuf = parts.into_iter().collect();
    let inside = full.strip_prefix(real(root)).or_else(|_| full.strip_prefix(root)).ok()?;
    Some(inside.to_str()?.replace(std::path::MAIN_SEPARATOR, "/"))
}
