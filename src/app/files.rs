//! The files of one side of a change, wherever they are kept. Knows no format.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::domain::ids::{BlobSha, PromptPath};
use crate::git::Repository;
use crate::github::{self, EntryKind, GithubError, TreeEntry};

const SYMLINK: &str = "a symbolic link; commit the file itself";
const SUBMODULE: &str = "a submodule; commit the file itself";

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    Missing,
    /// A regular file.
    Bytes(Bytes),
    /// A regular file of this size, which is over the cap: it was not read.
    TooLarge(u64),
    /// Something that must not be followed or cannot be read; the text completes "is …".
    Refused(String),
}

/// The world's failure to give a file: worth another try.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{path}`: {message}")]
pub struct FilesError {
    /// The file.
    pub path: PromptPath,
    /// Why.
    pub message: String,
}

/// One entry of a Git tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Git's mode.
    pub mode: u32,
    /// The content's id.
    pub blob: BlobSha,
}

/// Entries by path.
pub type Tree = BTreeMap<PromptPath, Entry>;

/// One side's files.
#[derive(Debug)]
pub enum Files {
    /// The working tree below a folder.
    Disk {
        /// The folder that paths are relative to.
        root: PathBuf,
        /// The paths of its files, sorted; a file that Git ignores is there all the same, if it is named.
        all: Vec<PromptPath>,
        /// Whether nothing is there but `all`: in a workflow other steps leave files that are not the change's.
        is_closed: bool,
    },
    /// A commit of a repository on disk.
    Revision {
        /// The repository.
        repository: Repository,
        /// The commit's tree.
        tree: Tree,
    },
    /// A commit at GitHub.
    Remote {
        /// The repository.
        repository: github::Repository,
        /// The side's tree.
        tree: BTreeMap<PromptPath, TreeEntry>,
    },
}

impl Files {
    /// Whether anything stands at the path.
    pub fn exists(&self, path: &PromptPath) -> bool {
        match self {
            Self::Disk { all, is_closed: true, .. } if all.binary_search(path).is_err() => false,
            Self::Disk { root, .. } => root.join(path.as_str()).symlink_metadata().is_ok(),
            Self::Revision { tree, .. } => tree.contains_key(path),
            Self::Remote { tree, .. } => tree.contains_key(path),
        }
    }

    /// The top folder, where the files are on this machine.
    pub fn root(&self) -> Option<&Path> {
        match self {
            Self::Disk { root, .. } => Some(root),
            Self::Revision { repository, .. } => Some(repository.root()),
            Self::Remote { .. } => None,
        }
    }

    /// The paths of all files, sorted.
    pub fn paths(&self) -> Vec<&PromptPath> {
        match self {
            Self::Disk { all, .. } => all.iter().collect(),
            Self::Revision { tree, .. } => tree.keys().collect(),
            Self::Remote { tree, .. } => tree.keys().collect(),
        }
    }

    /// The id of what stands at the path of a commit; the working tree has none.
    pub fn id(&self, path: &PromptPath) -> Option<&BlobSha> {
        match self {
            Self::Disk { .. } => None,
            Self::Revision { tree, .. } => tree.get(path).map(|entry| &entry.blob),
            Self::Remote { tree, .. } => tree.get(path).map(|entry| &entry.sha),
        }
    }

    /// What stands at the path; `cap` is the most bytes that whoever parses it would take, so that no more are fetched.
    ///
    /// # Errors
    /// When it cannot be read now.
    pub async fn read(&self, path: &PromptPath, cap: usize) -> Result<Content, FilesError> {
        match self {
            Self::Disk { all, is_closed: true, .. } if all.binary_search(path).is_err() => Ok(Content::Missing),
            Self::Disk { root, .. } => read_disk(root, path, cap).await,
            Self::Revision { repository, tree } => {
                let Some(entry) = tree.get(path) else { return Ok(Content::Missing) };
                if let Some(refused) = refused_mode(entry.mode) {
                    return Ok(refused);
                }
                let failed = |message: String| FilesError { path: path.clone(), message };
                let mut blobs =
                    repository.blobs(std::slice::from_ref(&entry.blob)).await.map_err(|e| failed(e.to_string()))?;
                Ok(blobs.remove(&entry.blob).map_or(Content::Missing, |bytes| Content::Bytes(bytes.into())))
            }
            Self::Remote { repository, tree } => match tree.get(path) {
                None => Ok(Content::Missing),
                Some(entry) => read_remote(repository, path, entry, cap).await,
            },
        }
    }
}

/// What a mode other than a regular file's means for us.
fn refused_mode(mode: u32) -> Option<Content> {
    match mode {
        0o100_644 | 0o100_755 | 0o100_664 => None,
        0o120_000 => Some(Content::Refused(SYMLINK.to_owned())),
        0o160_000 => Some(Content::Refused(SUBMODULE.to_owned())),
        other => Some(Content::Refused(format!("not a regular file (mode {other:o}); commit a regular file"))),
    }
}

async fn read_remote(
    repository: &github::Repository,
    path: &PromptPath,
    entry: &TreeEntry,
    cap: usize,
) -> Result<Content, FilesError> {
    match entry.kind {
        EntryKind::Symlink => return Ok(Content::Refused(SYMLINK.to_owned())),
        EntryKind::Submodule => return Ok(Content::Refused(SUBMODULE.to_owned())),
        EntryKind::File => {}
    }
    match repository.blob(entry, cap as u64).await {
        Ok(bytes) => Ok(Content::Bytes(bytes)),
        Err(GithubError::TooLarge { size, .. }) => Ok(Content::TooLarge(size)),
        Err(error) => Err(FilesError { path: path.clone(), message: error.to_string() }),
    }
}

/// The folders above a path, from the top.
fn folders<'p>(root: &'p Path, path: &'p PromptPath) -> impl Iterator<Item = PathBuf> + use<'p> {
    path.as_str().match_indices('/').filter_map(|(end, _)| Some(root.join(path.as_str().get(..end)?)))
}

async fn read_disk(root: &std::path::Path, path: &PromptPath, cap: usize) -> Result<Content, FilesError> {
    let failed = |error: std::io::Error| FilesError { path: path.clone(), message: error.to_string() };
    let full = root.join(path.as_str());
    if path.as_str().split('/').any(|part| part.eq_ignore_ascii_case(".git")) {
        return Ok(Content::Refused("in Git's own folder; name a file of the repository".to_owned()));
    }
    // A folder that is a link leads as far out as a file that is one.
    for folder in folders(root, path) {
        if tokio::fs::symlink_metadata(&folder).await.is_ok_and(|metadata| metadata.is_symlink()) {
            return Ok(Content::Refused(SYMLINK.to_owned()));
        }
    }
    let metadata = match tokio::fs::symlink_metadata(&full).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Content::Missing),
        other => other.map_err(failed)?,
    };
    if metadata.is_symlink() {
        return Ok(Content::Refused(SYMLINK.to_owned()));
    }
    if !metadata.is_file() {
        return Ok(Content::Refused("not a regular file; give a file".to_owned()));
    }
    if metadata.len() > cap as u64 {
        return Ok(Content::TooLarge(metadata.len()));
    }
    tokio::fs::read(&full).await.map(|bytes| Content::Bytes(bytes.into())).map_err(failed)
}
