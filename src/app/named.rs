//! Golden sets that are none by their own name: those that a prompt names. Read only when such a file changes.

use std::collections::BTreeMap;

use futures::stream::{StreamExt, TryStreamExt};

use super::job::JobError;
use crate::domain::governed::Governed;
use crate::domain::ids::PromptPath;
use crate::domain::policy::Change;
use crate::domain::prompt;
use crate::domain::source::MAX_FILE_BYTES;
use crate::github::{EntryKind, GithubError, Repository, Snapshot, TreeEntry};

/// Most prompts that are read; beyond, every file that may be a golden set counts as one.
const MAX_READ: usize = 300;
/// Prompts read at once.
const AT_ONCE: usize = 8;

/// The rule of what is governed, with the golden sets that a governed prompt on base or a changed one on head names.
///
/// # Errors
/// When GitHub cannot be asked.
pub async fn with_named_sets(
    repository: &Repository,
    snapshot: &Snapshot,
    governed: Governed,
) -> Result<Governed, JobError> {
    let changed = snapshot.files.iter().flat_map(|file| file.previous.iter().chain([&file.path]));
    let candidates: Vec<&PromptPath> = changed.filter(|path| governed.may_be_golden_set(path)).collect();
    if candidates.is_empty() {
        return Ok(governed);
    }
    let prompts = prompts(repository, snapshot, &governed).await?;
    if prompts.len() > MAX_READ || snapshot.base_tree.truncated {
        let covered: Vec<PromptPath> = candidates.into_iter().filter(|path| governed.covers(path)).cloned().collect();
        return Ok(governed.with_golden_sets(&covered));
    }
    let reads = prompts.into_iter().map(|((path, _), entry)| golden_set_of(repository.clone(), path, entry));
    let named: Vec<Option<PromptPath>> = futures::stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    Ok(governed.with_golden_sets(named.iter().flatten()))
}

/// The governed prompts of base, and head's versions of those that change, each content once.
async fn prompts(
    repository: &Repository,
    snapshot: &Snapshot,
    governed: &Governed,
) -> Result<BTreeMap<(PromptPath, String), TreeEntry>, JobError> {
    let is_prompt = |path: &PromptPath| governed.classify(path) == Some(Change::Prompt);
    // Only a tree knows sizes, and what is too large must not be fetched.
    let head = if snapshot.files.iter().any(|file| is_prompt(&file.path)) {
        repository.tree(&snapshot.pull.head_sha).await?.entries
    } else {
        BTreeMap::new()
    };
    let base = &snapshot.base_tree.entries;
    let on_base = base.iter().map(|(path, entry)| (path, entry.clone()));
    let on_head = snapshot.files.iter().filter_map(|file| {
        let sha = file.blob.clone()?;
        let listed = [&head, base].into_iter().filter_map(|tree| tree.get(&file.path)).find(|entry| entry.sha == sha);
        Some((&file.path, listed.cloned().unwrap_or(TreeEntry { kind: EntryKind::File, sha, size: 0 })))
    });
    Ok(on_base
        .chain(on_head)
        .filter(|(path, entry)| is_prompt(path) && entry.kind == EntryKind::File)
        .map(|(path, entry)| ((path.clone(), entry.sha.to_string()), entry))
        .collect())
}

/// What the prompt names; nothing where it cannot be read as a prompt, which is said where it is evaluated.
async fn golden_set_of(
    repository: Repository,
    path: PromptPath,
    entry: TreeEntry,
) -> Result<Option<PromptPath>, JobError> {
    match repository.blob(&entry, MAX_FILE_BYTES as u64).await {
        Ok(bytes) => Ok(prompt::parse(&path, &bytes).ok().and_then(|parsed| parsed.value.golden_set)),
        // A submodule has a commit in a blob's place.
        Err(GithubError::TooLarge { .. } | GithubError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
