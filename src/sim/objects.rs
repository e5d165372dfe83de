//! Real Git objects: blobs, trees and commits with the ids Git itself gives them. Knows no GitHub.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;

/// A Git object's id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Oid([u8; 20]);

impl Oid {
    /// Parses 40 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 20];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    fn of(kind: &str, body: &[u8]) -> Self {
        let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        context.update(format!("{kind} {}\0", body.len()).as_bytes());
        context.update(body);
        let mut bytes = [0; 20];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({})", &hex::encode(self.0)[..7])
    }
}

/// What a tree's entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// An ordinary file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its blob holds the target.
    Symlink,
    /// Another repository's commit.
    Submodule,
    /// A folder.
    Folder,
}

impl Mode {
    /// The six digits of the API.
    pub(super) fn digits(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Submodule => "160000",
            Self::Folder => "040000",
        }
    }

    /// The kind of object the entry names.
    pub(super) fn object_type(self) -> &'static str {
        match self {
            Self::File | Self::Executable | Self::Symlink => "blob",
            Self::Submodule => "commit",
            Self::Folder => "tree",
        }
    }
}

/// One name in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) mode: Mode,
    pub(super) id: Oid,
}

/// All files of a commit by full path, without folders.
pub(super) type Files = BTreeMap<String, Entry>;

/// Who wrote or committed, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) seconds: u64,
}

/// A commit.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub(super) tree: Oid,
    pub(super) parents: Vec<Oid>,
    pub(super) author: Signature,
    pub(super) committer: Signature,
    pub(super) message: String,
    /// Whether GitHub made it on its own pages and signed it.
    pub(super) signed: bool,
}

/// The signature of commits that GitHub makes itself.
pub(super) const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----\n\nc2lt\n-----END PGP SIGNATURE-----\n";

/// Every object of every repository; forks share them, as at GitHub.
#[derive(Debug, Default)]
pub(super) struct Objects {
    blobs: HashMap<Oid, Arc<[u8]>>,
    trees: HashMap<Oid, BTreeMap<String, Entry>>,
    commits: HashMap<Oid, Commit>,
}

impl Objects {
    /// Stores a blob.
    pub(super) fn put_blob(&mut self, bytes: &[u8]) -> Oid {
        let id = Oid::of("blob", bytes);
        self.blobs.entry(id).or_insert_with(|| bytes.into());
        id
    }

    /// The id of a commit that lies in another repository, as a submodule names it.
    pub(super) fn foreign_commit(name: &str) -> Oid {
        Oid::of("commit", name.as_bytes())
    }

    /// Stores the tree of these files, with a tree for each folder.
    pub(super) fn put_tree(&mut self, files: &Files) -> Oid {
        let mut here: BTreeMap<String, Entry> = BTreeMap::new();
        let mut folders: BTreeMap<&str, Files> = BTreeMap::new();
        for (path, entry) in files {
            match path.split_once('/') {
                None => {
                    here.insert(path.clone(), *entry);
                }
                Some((folder, rest)) => {
                    folders.entry(folder).or_default().insert(rest.to_owned(), *entry);
                }
            }
        }
        for (folder, inner) in folders {
            here.insert(folder.to_owned(), Entry { mode: Mode::Folder, id: self.put_tree(&inner) });
        }
        let id = Oid::of("tree", &tree_bytes(&here));
        self.trees.entry(id).or_insert(here);
        id
    }

    /// Stores a commit.
    pub(super) fn put_commit(&mut self, commit: Commit) -> Oid {
        let id = Oid::of("commit", commit_text(&commit).as_bytes());
        self.commits.entry(id).or_insert(commit);
        id
    }

    /// A blob's bytes.
    pub(super) fn blob(&self, id: Oid) -> Option<&Arc<[u8]>> {
        self.blobs.get(&id)
    }

    /// A tree's own entries.
    pub(super) fn tree(&self, id: Oid) -> Option<&BTreeMap<String, Entry>> {
        self.trees.get(&id)
    }

    /// A commit.
    pub(super) fn commit(&self, id: Oid) -> Option<&Commit> {
        self.commits.get(&id)
    }

    /// The one commit whose id starts with these digits.
    pub(super) fn commit_by_prefix(&self, prefix: &str) -> Option<Oid> {
        let mut found = self.commits.keys().filter(|id| id.to_string().starts_with(prefix));
        let first = *found.next()?;
        found.next().is_none().then_some(first)
    }

    /// A tree's entries with full paths, folders included, in the API's order.
    pub(super) fn walk(&self, tree: Oid, prefix: &str, into: &mut Vec<(String, Entry)>) {
        for (name, entry) in self.trees.get(&tree).into_iter().flatten() {
            let path = format!("{prefix}{name}");
            into.push((path.clone(), *entry));
            if entry.mode == Mode::Folder {
                self.walk(entry.id, &format!("{path}/"), into);
            }
        }
    }

    /// All files of a commit.
    pub(super) fn files(&self, commit: Oid) -> Files {
        let mut entries = Vec::new();
        if let Some(commit) = self.commits.get(&commit) {
            self.walk(commit.tree, "", &mut entries);
        }
        entries.into_iter().filter(|(_, entry)| entry.mode != Mode::Folder).collect()
    }

    /// The entry at a path of a tree; the empty path is the tree itself.
    pub(super) fn entry_at(&self, tree: Oid, path: &str) -> Option<Entry> {
        let root = Entry { mode: Mode::Folder, id: tree };
        path.split('/')
            .filter(|part| !part.is_empty())
            .try_fold(root, |at, part| self.trees.get(&at.id).and_then(|entries| entries.get(part)).copied())
    }
}

/// Git orders a folder as if its name ended in a slash.
fn tree_bytes(entries: &BTreeMap<String, Entry>) -> Vec<u8> {
    let sort_key = |name: &str, mode: Mode| if mode == Mode::Folder { format!("{name}/") } else { name.to_owned() };
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by_key(|(name, entry)| sort_key(name, entry.mode));
    let mut bytes = Vec::new();
    for (name, entry) in sorted {
        bytes.extend_from_slice(entry.mode.digits().trim_start_matches('0').as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&entry.id.0);
    }
    bytes
}

/// A commit as Git hashes it, signature included, as Git keeps it within the commit.
fn commit_text(commit: &Commit) -> String {
    let payload = signed_text(commit);
    match payload.split_once("\n\n") {
        Some((header, message)) if commit.signed => {
            format!("{header}\ngpgsig {}\n\n{message}", SIGNATURE.trim_end().replace('\n', "\n "))
        }
        _ => payload,
    }
}

/// What a commit's signature is over.
pub(super) fn signed_text(commit: &Commit) -> String {
    let signature = |who: &Signature| format!("{} <{}> {} +0000", who.name, who.email, who.seconds);
    let parents: String = commit.parents.iter().map(|parent| format!("parent {parent}\n")).collect();
    let (author, committer) = (signature(&commit.author), signature(&commit.committer));
    format!("tree {}\n{parents}author {author}\ncommitter {committer}\n\n{}", commit.tree, commit.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Oid {
        Oid::parse(text).unwrap()
    }

    #[test]
    fn ids_are_those_of_git() {
        let mut objects = Objects::default();
        let mut files = Files::new();
        let contents: [(&str, Mode, &[u8]); 5] = [
            ("a.txt", Mode::File, b"hello\n"),
            ("a/b", Mode::File, b"x"),
            ("lib/deep/f", Mode::File, b"deep\n"),
            ("link", Mode::Symlink, b"a.txt"),
            ("run.sh", Mode::Executable, b"#!/bin/sh\n"),
        ];
        for (path, mode, bytes) in contents {
            files.insert(path.into(), Entry { mode, id: objects.put_blob(bytes) });
        }
        // From `git hash-object a.txt`; also used as the submodule's commit with `git update-index --cacheinfo`.
        let hello = id("ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(files["a.txt"].id, hello);
        files.insert("sub".into(), Entry { mode: Mode::Submodule, id: hello });
        let tree = objects.put_tree(&files);
        // From `git write-tree` and `git commit-tree` over the same files.
        assert_eq!(tree, id("f6df9ebe1ec3f1d583928695bdc8773d552a5ea0"));
        assert_eq!(objects.entry_at(tree, "lib").unwrap().id, id("5c94e64a81c5549832fc3bdf568d54dc8164d973"));
        let who = |seconds| Signature { name: "Ana".into(), email: "ana@example.com".into(), seconds };
        let (author, committer) = (who(1_000_000_000), who(1_000_000_001));
        let commit = objects.put_commit(Commit {
            tree,
            parents: vec![],
            author,
            committer,
            message: "first\n".into(),
            signed: false,
        });
        assert_eq!(commit, id("26174db36ce245bbf85a9a54c40b4ef3ecc27c7a"));
        assert_eq!(objects.files(commit), files);
    }
}
