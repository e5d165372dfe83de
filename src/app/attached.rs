//! Files that are governed because a prompt file is made of them: who uses which. Read only when such a file may change.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{Content, Files};
use super::job::JobError;
use super::load;
use super::sides::merged_tree;
use crate::domain::governed::{Attachment, Governed};
use crate::domain::ids::PromptPath;
use crate::domain::policy::Change;
use crate::domain::prompt::Format;
use crate::domain::source::MAX_FILE_BYTES;
use crate::github::{Repository, Snapshot};

/// Most prompt files with attached files that are read; beyond, nobody can say whose file a change is of.
const MAX_READ: usize = 100;

/// The rule of what is governed, with the files that governed prompts on base or on head are made of.
///
/// # Errors
/// When GitHub cannot be asked.
pub async fn with_attached(
    repository: &Repository,
    snapshot: &Snapshot,
    governed: Governed,
) -> Result<Governed, JobError> {
    let changed = || snapshot.files.iter().flat_map(|file| file.previous.iter().chain([&file.path]));
    // A file of a known format may be attached as well, as a partial is.
    if !changed().any(|path| governed.classify(path) != Some(Change::Policy)) {
        return Ok(governed);
    }
    let base_tree = &snapshot.base_tree.entries;
    let is_made_of_files = |path: &&PromptPath| {
        Format::of(path).is_some_and(Format::has_references) && governed.classify(path) == Some(Change::Prompt)
    };
    let mut users: BTreeSet<PromptPath> = base_tree.keys().filter(is_made_of_files).cloned().collect();
    users.extend(snapshot.files.iter().map(|file| &file.path).filter(is_made_of_files).cloned());
    if users.is_empty() {
        return Ok(governed);
    }
    if users.len() > MAX_READ || snapshot.base_tree.truncated {
        return Ok(governed.overlooking());
    }
    let base = Files::Remote { repository: repository.clone(), tree: base_tree.clone() };
    let head_tree = repository.tree(&snapshot.pull.head_sha).await?.entries;
    let head = Files::Remote { repository: repository.clone(), tree: merged_tree(base_tree, &head_tree, snapshot) };
    let mut attachments: BTreeMap<PromptPath, Attachment> = BTreeMap::new();
    for user in users {
        let mut found = changes(&base, &user).await?;
        let touched = changed().any(|path| *path == user || found.contains_key(path));
        if touched || !base.exists(&user) {
            found.extend(changes(&head, &user).await?);
        }
        for (path, change) in found {
            let kept = attachments.entry(path).or_insert_with(|| Attachment { change, users: Vec::new() });
            kept.users.push(user.clone());
            if change == Change::GoldenSet {
                kept.change = change;
            }
        }
    }
    Ok(governed.with_attachments(attachments))
}

/// The files that a prompt file is made of on one side, as far as they can be read, and what a change of each is.
async fn changes(files: &Files, user: &PromptPath) -> Result<BTreeMap<PromptPath, Change>, JobError> {
    let Content::Bytes(bytes) = files.read(user, MAX_FILE_BYTES).await? else { return Ok(BTreeMap::new()) };
    Ok(load::attached_changes(files, user, &bytes).await?)
}
