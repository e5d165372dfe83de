//! What a head could do to pass unmeasured, or measured by its own yardstick only: found here, and refused.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{Content, Files, FilesError};
use super::load::{LoadedPrompt, about};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::governed::{self, GoldenSource, Governed};
use crate::domain::ids::PromptPath;
use crate::domain::prompt::{self, Format};
use crate::domain::source::MAX_FILE_BYTES;
use crate::github::{ChangedFile, EntryKind, TreeEntry};

/// Links of head that stand where a folder of governed files was: who reads the old path gets what the link leads to, which
/// nobody measured.
pub(super) fn linked_folders(
    changed: &[ChangedFile],
    head: &BTreeMap<PromptPath, TreeEntry>,
    governed: &Governed,
) -> Vec<Diagnostic> {
    let links: BTreeMap<String, (&PromptPath, EntryKind)> = head
        .iter()
        .filter(|(_, entry)| entry.kind != EntryKind::File)
        .map(|(path, entry)| (path.folded(), (path, entry.kind)))
        .collect();
    let mut named = BTreeSet::new();
    let mut findings = Vec::new();
    for gone in changed.iter().filter_map(gone).filter(|path| governed.classify(path).is_some()) {
        let folded = gone.folded();
        let folders = folded.match_indices('/').map(|(end, _)| &folded[..end]);
        for (link, kind) in folders.filter_map(|folder| links.get(folder)) {
            if !named.insert(*link) {
                continue;
            }
            let what = if *kind == EntryKind::Submodule { "a submodule" } else { "a symbolic link" };
            findings.push(about(
                "linked-folder",
                link,
                format!("`{link}` becomes {what} where `{gone}` was, so what would be read there cannot be measured"),
                "links and submodules are not followed; commit the files themselves, or give the link another name",
            ));
        }
    }
    findings
}

/// Governed files of head that are one with another file wherever names are compared without regard to case or Unicode form:
/// which of the two is read there, nobody measured. What base has already is no finding.
pub(super) fn same_names(
    changed: &[ChangedFile],
    base: &BTreeMap<PromptPath, TreeEntry>,
    merged: &BTreeMap<PromptPath, TreeEntry>,
    governed: &Governed,
) -> Vec<Diagnostic> {
    let brought = changed.iter().map(|file| &file.path);
    let brought: BTreeMap<String, &PromptPath> = brought
        .filter(|path| merged.contains_key(*path) && governed.classify(path).is_some())
        .map(|path| (path.folded(), path))
        .collect();
    if brought.is_empty() {
        return Vec::new();
    }
    let twins = merged.keys().filter_map(|other| brought.get(&other.folded()).map(|path| (*path, other)));
    let new = twins.filter(|(path, other)| path != other && !(base.contains_key(path) && base.contains_key(other)));
    let found = new.map(|(path, other)| {
        about(
            "same-name",
            path,
            format!("`{path}` and `{other}` are one file where names are compared without regard to case"),
            "keep one of them, or give one another name",
        )
    });
    found.collect()
}

/// The path that a change leaves empty.
fn gone(file: &ChangedFile) -> Option<&PromptPath> {
    match file.status.as_str() {
        "removed" => Some(&file.path),
        "renamed" => file.previous.as_ref(),
        _ => None,
    }
}

/// The prompt's owner as base names them, even where the prompt's golden set is broken.
pub(super) async fn base_owner(base: &Files, path: &PromptPath) -> Result<Option<String>, FilesError> {
    let Content::Bytes(bytes) = base.read(path, MAX_FILE_BYTES).await? else { return Ok(None) };
    Ok(prompt::parse(path, &bytes).ok().and_then(|parsed| parsed.value.owner))
}

/// An error if base's version cannot be read and head replaces both the prompt and its golden set: nothing of base would be
/// left to measure it by. Mending either of them alone stays possible.
pub(super) async fn unreadable_base(
    base: &Files,
    previous: &PromptPath,
    head: &Files,
    after: &LoadedPrompt,
) -> Result<Option<Diagnostic>, FilesError> {
    let path = &after.prompt.path;
    if Format::of(path) == Some(Format::Promptfoo) {
        return Ok(unreadable_config(base, previous, head, after));
    }
    if base.id(previous) == head.id(path) {
        return Ok(None);
    }
    let after_set = after.golden.as_ref().map(|set| &set.path);
    let Some(before_set) = base_golden_set(base, previous, after_set).await? else { return Ok(None) };
    if base.id(&before_set) == after_set.and_then(|set| head.id(set)) {
        return Ok(None);
    }
    Ok(Some(about(
        "base-unreadable",
        path,
        format!(
            "base's version of `{previous}` with golden set `{before_set}` cannot be read, and both are replaced here"
        ),
        "mend it on the base branch first, in a pull request that changes only the broken file",
    )))
}

/// The same for a promptfoo config, which holds both itself: only one of its files may be mended, and not the config.
fn unreadable_config(base: &Files, previous: &PromptPath, head: &Files, after: &LoadedPrompt) -> Option<Diagnostic> {
    let path = &after.prompt.path;
    let replaced = after.attached.iter().filter(|file| base.id(file) != head.id(file)).collect::<BTreeSet<_>>();
    if base.id(previous) == head.id(path) && replaced.len() <= 1 {
        return None;
    }
    Some(about(
        "base-unreadable",
        path,
        format!("base's version of `{previous}` cannot be read, and it is replaced here with its tests"),
        "mend it on the base branch first, as somebody who may merge past the gate",
    ))
}

/// Where base's golden set stands, as far as its prompt file can be read; else where head's would have stood.
async fn base_golden_set(
    base: &Files,
    path: &PromptPath,
    after: Option<&PromptPath>,
) -> Result<Option<PromptPath>, FilesError> {
    let parsed = match base.read(path, MAX_FILE_BYTES).await? {
        Content::Bytes(bytes) => prompt::parse(path, &bytes).ok(),
        Content::Missing | Content::Refused(_) | Content::TooLarge(_) => None,
    };
    let mut candidates = match parsed.map(|parsed| governed::golden_source(&parsed.value)) {
        Some(GoldenSource::Named(named)) => vec![named],
        Some(GoldenSource::Siblings(siblings)) => siblings,
        None => after.cloned().into_iter().chain(governed::golden_siblings(path)).collect(),
    };
    // Cases within the prompt file are no file of their own.
    candidates.retain(|set| set != path && base.exists(set));
    Ok(candidates.into_iter().next())
}
