//! The difference of two commits' files, with renames, as GitHub lists it. Knows objects only.

use std::collections::{BTreeMap, HashMap};

use similar::{ChangeTag, TextDiff};

use super::objects::{Entry, Files, Mode, Objects, Oid};

/// Above this many unmatched files on a side only exact renames are looked for, as Git does.
const RENAME_LIMIT: usize = 400;
/// A patch larger than this is left out, as GitHub does.
const PATCH_LIMIT: usize = 100_000;

/// How a file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Added,
    Removed,
    Modified,
    Renamed,
    /// The mode only.
    Changed,
}

impl Status {
    /// The API's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Modified => "modified",
            Self::Renamed => "renamed",
            Self::Changed => "changed",
        }
    }
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileChange {
    pub(super) path: String,
    pub(super) previous_path: Option<String>,
    pub(super) status: Status,
    pub(super) id: Oid,
    pub(super) additions: usize,
    pub(super) deletions: usize,
    pub(super) patch: Option<String>,
}

/// The changes from one set of files to another, by path.
pub(super) fn diff(objects: &Objects, old: &Files, new: &Files) -> Vec<FileChange> {
    let mut removed: BTreeMap<&str, Entry> = BTreeMap::new();
    let mut added: BTreeMap<&str, Entry> = BTreeMap::new();
    let mut changes = Vec::new();
    for (path, entry) in old {
        match new.get(path) {
            None => drop(removed.insert(path, *entry)),
            Some(other) if other != entry => {
                let status = if other.id == entry.id { Status::Changed } else { Status::Modified };
                changes.push(change(objects, status, Some((path, *entry)), (path, *other)));
            }
            Some(_) => {}
        }
    }
    added.extend(new.iter().filter(|(path, _)| !old.contains_key(*path)).map(|(path, entry)| (path.as_str(), *entry)));
    for (from, to) in renames(objects, &removed, &added) {
        let old_entry = removed.remove(from.as_str());
        let new_entry = added.remove(to.as_str());
        if let (Some(before), Some(after)) = (old_entry, new_entry) {
            changes.push(change(objects, Status::Renamed, Some((&from, before)), (&to, after)));
        }
    }
    changes.extend(added.iter().map(|(path, entry)| change(objects, Status::Added, None, (path, *entry))));
    changes.extend(
        removed.iter().map(|(path, entry)| change(objects, Status::Removed, Some((path, *entry)), (path, *entry))),
    );
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

fn renames(objects: &Objects, removed: &BTreeMap<&str, Entry>, added: &BTreeMap<&str, Entry>) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut by_blob: HashMap<Oid, Vec<&str>> = HashMap::new();
    for (path, entry) in removed.iter().rev().filter(|(_, entry)| entry.mode != Mode::Submodule) {
        by_blob.entry(entry.id).or_default().push(path);
    }
    for (path, entry) in added {
        if let Some(from) = by_blob.get_mut(&entry.id).and_then(Vec::pop) {
            pairs.push((from.to_owned(), (*path).to_owned()));
        }
    }
    let left: Vec<_> = removed.iter().filter(|(path, _)| pairs.iter().all(|(from, _)| from != *path)).collect();
    let right: Vec<_> = added.iter().filter(|(path, _)| pairs.iter().all(|(_, to)| to != *path)).collect();
    if left.len().max(right.len()) > RENAME_LIMIT {
        return pairs;
    }
    let mut scored = Vec::new();
    for (from, before) in &left {
        for (to, after) in &right {
            let score = similarity(objects, **before, **after);
            if score >= 0.5 {
                scored.push((score, **from, **to));
            }
        }
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    for (_, from, to) in scored {
        if pairs.iter().all(|(taken_from, taken_to)| taken_from != from && taken_to != to) {
            pairs.push((from.to_owned(), to.to_owned()));
        }
    }
    pairs
}

/// The share of the larger file's bytes that stand in lines both files have.
fn similarity(objects: &Objects, before: Entry, after: Entry) -> f64 {
    let (Some(old), Some(new)) = (objects.blob(before.id), objects.blob(after.id)) else { return 0.0 };
    let larger = old.len().max(new.len());
    if larger == 0 || before.mode == Mode::Symlink || after.mode == Mode::Symlink {
        return 0.0;
    }
    let mut lines: HashMap<&[u8], usize> = HashMap::new();
    for line in old.split_inclusive(|byte| *byte == b'\n') {
        *lines.entry(line).or_default() += 1;
    }
    let mut shared = 0;
    for line in new.split_inclusive(|byte| *byte == b'\n') {
        if let Some(left) = lines.get_mut(line).filter(|left| **left > 0) {
            *left -= 1;
            shared += line.len();
        }
    }
    shared as f64 / larger as f64
}

fn change(objects: &Objects, status: Status, old: Option<(&str, Entry)>, new: (&str, Entry)) -> FileChange {
    let text = |entry: Entry| objects.blob(entry.id).map_or(Some(""), |bytes| as_text(bytes));
    let before = old.map_or(Some(""), |(_, entry)| text(entry));
    let after = if status == Status::Removed { Some("") } else { text(new.1) };
    let (additions, deletions, patch) = match (before, after) {
        (Some(before), Some(after)) => line_diff(before, after),
        _ => (0, 0, None),
    };
    let previous_path = old.filter(|_| status == Status::Renamed).map(|(path, _)| path.to_owned());
    FileChange { path: new.0.to_owned(), previous_path, status, id: new.1.id, additions, deletions, patch }
}

fn as_text(bytes: &[u8]) -> Option<&str> {
    if bytes.contains(&0) { None } else { std::str::from_utf8(bytes).ok() }
}

fn line_diff(before: &str, after: &str) -> (usize, usize, Option<String>) {
    let lines = TextDiff::from_lines(before, after);
    let count = |tag| lines.iter_all_changes().filter(|change| change.tag() == tag).count();
    let (additions, deletions) = (count(ChangeTag::Insert), count(ChangeTag::Delete));
    let patch = lines.unified_diff().context_radius(3).to_string();
    let shown = !patch.is_empty() && patch.len() <= PATCH_LIMIT;
    (additions, deletions, shown.then(|| patch.trim_end_matches('\n').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &[(&str, &str)], new: &[(&str, &str)], expected: &[(&str, Status, Option<&str>, usize, usize)]) {
        let mut objects = Objects::default();
        let mut files = |list: &[(&str, &str)]| -> Files {
            let entry =
                |objects: &mut Objects, text: &str| Entry { mode: Mode::File, id: objects.put_blob(text.as_bytes()) };
            list.iter().map(|(path, text)| ((*path).to_owned(), entry(&mut objects, text))).collect()
        };
        let (old, new) = (files(old), files(new));
        let found = diff(&objects, &old, &new);
        let found: Vec<_> = found
            .iter()
            .map(|c| (c.path.as_str(), c.status, c.previous_path.as_deref(), c.additions, c.deletions))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn plain_changes() {
        check(
            &[("a", "1\n2\n"), ("b", "gone\n"), ("c", "same\n")],
            &[("a", "1\n3\n"), ("c", "same\n"), ("d", "wholly new\n")],
            &[
                ("a", Status::Modified, None, 1, 1),
                ("b", Status::Removed, None, 0, 1),
                ("d", Status::Added, None, 1, 0),
            ],
        );
    }

    #[test]
    fn an_exact_move_is_a_rename() {
        check(&[("old/x", "text\n")], &[("new/x", "text\n")], &[("new/x", Status::Renamed, Some("old/x"), 0, 0)]);
    }

    #[test]
    fn half_the_lines_make_a_rename_and_less_does_not() {
        check(&[("x", "aaa\nbbb\n")], &[("y", "aaa\nccc\n")], &[("y", Status::Renamed, Some("x"), 1, 1)]);
        check(
            &[("x", "aaa\nbbb\nddd\n")],
            &[("y", "aaa\nccc\neee\n")],
            &[("x", Status::Removed, None, 0, 3), ("y", Status::Added, None, 3, 0)],
        );
    }
}
