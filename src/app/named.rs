//! Golden sets that are none by their own name: those that a prompt names. Read only when such a file changes.

use std::collections::BTreeMap;

use futures::stream::{StreamExt, TryStreamExt};

use super::job::JobError;
use crate::domain::governed::Governed;
use crate::domain::ids::PromptPath;
use crate::domain::policy::Change;
use crate::domain::prompt;
use crate::github::{EntryKind, GithubError, Repository, Snapshot, TreeEntry};

/// Most prompts that are read; beyond, every file that may be a golden set counts as one.
const MAX_READ: usize = 300;
/// Prompts read at once.
const AT_ONCE: usize = 8;
/// Largest prompt that is read; larger ones are refused by their parser.
const MAX_PROMPT: u64 = 4 << 20;

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
    let prompts = prompts(snapshot, &governed);
    if prompts.len() > MAX_READ || snapshot.base_tree.truncated {
        let covered: Vec<PromptPath> = candidates.into_iter().filter(|path| governed.covers(path)).cloned().collect();
        return Ok(governed.with_golden_sets(&covered));
    }
    let reads = prompts.into_iter().map(|((path, _), entry)| golden_set_of(repository.clone(), path, entry));
    let named: Vec<Option<PromptPath>> = futures::stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    Ok(governed.with_golden_sets(named.iter().flatten()))
}

/// The governed prompts of base, and head's versions of those that change, each content once.
fn prompts(snapshot: &Snapshot, governed: &Governed) -> BTreeMap<(PromptPath, String), TreeEntry> {
    let is_prompt = |path: &PromptPath| governed.classify(path) == Some(Change::Prompt);
    let on_base = snapshot.base_tree.entries.iter().map(|(path, entry)| (path, entry.clone()));
    let on_head = snapshot.files.iter().filter_map(|file| {
        let sha = file.blob.clone()?;
        Some((&file.path, TreeEntry { kind: EntryKind::File, sha, size: 0 }))
    });
    on_base
        .chain(on_head)
        .filter(|(path, entry)| is_prompt(path) && entry.kind == EntryKind::File)
        .map(|(path, entry)| ((path.clone(), entry.sha.to_string()), entry))
        .collect()
}

/// What the prompt names; nothing where it cannot be read as a prompt, which is said where it is evaluated.
async fn golden_set_of(
    repository: Repository,
    path: PromptPath,
    entry: TreeEntry,
) -> Result<Option<PromptPath>, JobError> {
    match repository.blob(&entry, MAX_PROMPT).await {
        Ok(bytes) => Ok(prompt::parse(&path, &bytes).ok().and_then(|parsed| parsed.value.golden_set)),
        // A submodule has a commit in a blob's place.
        Err(GithubError::TooLarge { .. } | GithubError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
