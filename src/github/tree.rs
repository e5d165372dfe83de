//! All files of one commit, with what they are: a symlink or a submodule must not pass for a file. Plain data.

use std::collections::{BTreeMap, BTreeSet};

use super::wire;
use crate::domain::ids::{BlobSha, PromptPath};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A file (modes 100644 and 100755).
    File,
    /// A symbolic link (mode 120000): refused as a prompt or golden set.
    Symlink,
    /// Another repository's commit (mode 160000): refused as a prompt or golden set.
    Submodule,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// What it is.
    pub kind: EntryKind,
    /// Its content's id; for a submodule, the commit's.
    pub sha: BlobSha,
    /// Its size in bytes; 0 where GitHub does not say (submodules).
    pub size: u64,
}

/// All files of one commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// By path.
    pub entries: BTreeMap<PromptPath, TreeEntry>,
    /// Names that cannot be a path of a prompt, for instance with a backslash.
    pub unreadable: BTreeSet<String>,
    /// Whether GitHub cut the list: then what is absent is unknown.
    pub truncated: bool,
}

impl Tree {
    pub(super) fn read(tree: wire::Tree) -> Self {
        let mut read = Self { truncated: tree.truncated, ..Self::default() };
        for entry in tree.tree {
            let kind = match entry.mode.as_str() {
                "040000" => continue,
                "120000" => EntryKind::Symlink,
                "160000" => EntryKind::Submodule,
                _ => EntryKind::File,
            };
            let sha = entry.sha.as_deref().map(BlobSha::parse);
            match (PromptPath::parse(&entry.path), sha) {
                (Ok(path), Some(Ok(sha))) => {
                    read.entries.insert(path, TreeEntry { kind, sha, size: entry.size.unwrap_or(0) });
                }
                _ => drop(read.unreadable.insert(entry.path)),
            }
        }
        read
    }
}
