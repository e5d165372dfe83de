//! Which governed content a pull request brings, and its digest: what an approval is bound to. Pure.

use super::tree::Tree;
use super::wire;
use crate::domain::ids::{BlobSha, Digest, PromptPath};
use crate::domain::policy::Change;
use crate::domain::policy::facts::{ChangeSize, GovernedChange};

/// Says what part of the governed content a path is, if any.
pub type Governed<'a> = &'a (dyn Fn(&PromptPath) -> Option<Change> + Sync);

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path on head (its old path if it was removed).
    pub path: PromptPath,
    /// Its earlier path, if it was renamed or copied.
    pub previous: Option<PromptPath>,
    /// GitHub's word: `added`, `removed`, `modified`, `renamed`, `copied`, `changed`.
    pub status: String,
    /// Its content on head (on base if it was removed).
    pub blob: Option<BlobSha>,
    /// Lines added and removed; `None` where GitHub does not say, as of a file it takes for binary.
    pub lines: Option<u64>,
}

/// Changed files, and the names among them that cannot be a path, which are therefore in no tree we read.
pub(super) fn read(files: Vec<wire::File>) -> (Vec<ChangedFile>, Vec<String>) {
    let mut changed = Vec::new();
    let mut unreadable = Vec::new();
    for file in files {
        let previous = file.previous_filename.as_deref().map(PromptPath::parse).transpose();
        match (PromptPath::parse(&file.filename), previous) {
            _ if file.status == "unchanged" => {}
            (Ok(path), Ok(previous)) => {
                let lines = lines(&file);
                let blob = file.sha.and_then(|sha| BlobSha::parse(&sha).ok());
                changed.push(ChangedFile { path, previous, status: file.status, blob, lines });
            }
            _ => unreadable.push(file.filename),
        }
    }
    (changed, unreadable)
}

/// Content that changes without a line is content GitHub shows no lines of.
fn lines(file: &wire::File) -> Option<u64> {
    let lines = file.additions?.checked_add(file.deletions?)?;
    (lines > 0 || file.status == "renamed").then_some(lines)
}

/// The same from two trees: a rename is a removal and an addition there.
pub(super) fn between(base: &Tree, head: &Tree) -> (Vec<ChangedFile>, Vec<String>) {
    let mut changed = Vec::new();
    let mut add = |path: &PromptPath, status: &str, blob: &BlobSha| {
        changed.push(ChangedFile {
            path: path.clone(),
            previous: None,
            status: status.to_owned(),
            blob: Some(blob.clone()),
            lines: None,
        });
    };
    for (path, now) in &head.entries {
        match base.entries.get(path) {
            None => add(path, "added", &now.sha),
            Some(before) if (before.kind, &before.sha) != (now.kind, &now.sha) => add(path, "modified", &now.sha),
            Some(_) => {}
        }
    }
    for (path, before) in base.entries.iter().filter(|(path, _)| !head.entries.contains_key(path)) {
        add(path, "removed", &before.sha);
    }
    (changed, base.unreadable.symmetric_difference(&head.unreadable).cloned().collect())
}

/// The governed ones among the changed files. A rename counts under both names, so it may be two changes.
pub(super) fn governed_changes(files: &[ChangedFile], governed: Governed<'_>) -> Vec<GovernedChange> {
    let mut changes = Vec::new();
    for file in files {
        let now = governed(&file.path);
        let before = file.previous.as_ref().and_then(governed);
        for kind in now.into_iter().chain(before.filter(|before| Some(*before) != now)) {
            changes.push(GovernedChange { path: file.path.clone(), previous: file.previous.clone(), kind });
        }
    }
    changes
}

/// How much the governed files among the changed ones change.
pub(super) fn size(files: &[ChangedFile], governed: Governed<'_>) -> ChangeSize {
    let touched: Vec<&ChangedFile> = files.iter().filter(|file| touches(file, governed)).collect();
    let lines = touched.iter().map(|file| file.lines).try_fold(0_u64, |sum, lines| sum.checked_add(lines?));
    ChangeSize { files: touched.len() as u64, lines }
}

/// A rename counts under both names.
fn touches(file: &ChangedFile, governed: Governed<'_>) -> bool {
    governed(&file.path).is_some() || file.previous.as_ref().is_some_and(|path| governed(path).is_some())
}

/// The digest of the governed content that the changed files bring. `None` where a content is not known.
pub(super) fn digest(files: &[ChangedFile], governed: Governed<'_>) -> Option<Digest> {
    let mut rows = Vec::new();
    for file in files.iter().filter(|file| touches(file, governed)) {
        let previous = file.previous.as_ref().map_or("", PromptPath::as_str);
        rows.push([file.path.as_str(), previous, file.status.as_str(), file.blob.as_ref()?.as_str()]);
    }
    rows.sort_unstable();
    Some(Digest::of_parts(rows.iter().flatten().map(|field| field.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn governed(path: &PromptPath) -> Option<Change> {
        match path.as_str() {
            name if name.ends_with(".prompt.yml") => Some(Change::Prompt),
            name if name.ends_with(".golden.yml") => Some(Change::GoldenSet),
            _ => None,
        }
    }

    fn file(name: &str, previous: Option<&str>, blob: char) -> ChangedFile {
        let path = |text: &str| PromptPath::parse(text).unwrap();
        let status = if previous.is_some() { "renamed" } else { "modified" };
        let blob = BlobSha::parse(&blob.to_string().repeat(40)).ok();
        ChangedFile { path: path(name), previous: previous.map(path), status: status.into(), blob, lines: Some(2) }
    }

    fn check(files: &[ChangedFile], expected: &[Change]) {
        let kinds: Vec<Change> = governed_changes(files, &governed).iter().map(|change| change.kind).collect();
        assert_eq!(kinds, expected);
    }

    #[test]
    fn a_rename_counts_under_both_names() {
        check(&[file("a.prompt.yml", None, '1'), file("README.md", None, '2')], &[Change::Prompt]);
        check(&[file("notes.txt", Some("a.golden.yml"), '1')], &[Change::GoldenSet]);
        check(&[file("a.prompt.yml", Some("a.golden.yml"), '1')], &[Change::Prompt, Change::GoldenSet]);
        check(&[file("b.prompt.yml", Some("a.prompt.yml"), '1')], &[Change::Prompt]);
    }

    #[test]
    fn the_size_is_of_governed_files_and_not_known_where_one_is_not() {
        let files =
            [file("a.prompt.yml", None, '1'), file("README.md", None, '2'), file("x", Some("a.golden.yml"), '1')];
        assert_eq!(size(&files, &governed), ChangeSize { files: 2, lines: Some(4) });
        let binary = ChangedFile { lines: None, ..file("b.prompt.yml", None, '1') };
        let files = [files, [binary.clone(), binary.clone(), binary]].concat();
        assert_eq!(size(&files, &governed), ChangeSize { files: 5, lines: None });
        let wire = |status: &str, lines: u64| wire::File {
            filename: "a".into(),
            previous_filename: None,
            status: status.into(),
            sha: None,
            additions: Some(lines),
            deletions: Some(0),
        };
        assert_eq!((lines(&wire("modified", 3)), lines(&wire("renamed", 0))), (Some(3), Some(0)));
        assert_eq!(lines(&wire("modified", 0)), None);
    }

    #[test]
    fn the_digest_is_of_the_governed_content_alone_in_any_order() {
        let (prompt, golden) = (file("a.prompt.yml", None, '1'), file("a.golden.yml", None, '2'));
        let both = digest(&[prompt.clone(), golden.clone()], &governed);
        assert!(both.is_some());
        assert_eq!(both, digest(&[golden, file("README.md", None, '9'), prompt.clone()], &governed));
        assert_ne!(both, digest(&[prompt.clone(), file("a.golden.yml", None, '3')], &governed));
        assert_ne!(both, digest(std::slice::from_ref(&prompt), &governed));
        assert_eq!(digest(&[ChangedFile { blob: None, ..prompt }], &governed), None);
    }
}
