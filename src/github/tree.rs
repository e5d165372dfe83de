//! All files of one commit, with what they are: a symlink or a submodule must not pass for a file. Plain data.

use std::collections::BTreeMap;

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
    /// By path. Names that cannot be a path of a prompt are left out.
    pub entries: BTreeMap<PromptPath, TreeEntry>,
    /// Whether GitHub cut the list: then what is absent is unknown.
    pub truncated: bool,
}

impl Tree {
    pub(super) fn read(tree: wire::Tree) -> Self {
        let entries = tree.tree.into_iter().filter_map(|entry| {
            let kind = match entry.mode.as_str() {
                "040000" => return None,
                "120000" => EntryKind::Symlink,
                "160000" => EntryKind::Submodule,
                _ => EntryKind::File,
            };
            let path = PromptPath::parse(&entry.path).ok()?;
            let sha = BlobSha::parse(&entry.sha?).ok()?;
            Some((path, TreeEntry { kind, sha, size: entry.size.unwrap_or(0) }))
        });
        Self { entries: entries.collect(), truncated: tree.truncated }
    }
}
