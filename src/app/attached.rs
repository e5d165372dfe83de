//! Files that are governed because a prompt file is made of them: who uses which. Read only when such a file may change.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{Content, Files};
use super::job::JobError;
use super::load::{self, Made};
use super::sides::merged_tree;
use crate::domain::governed::{Attachment, Governed};
use crate::domain::ids::PromptPath;
use crate::domain::policy::Change;
use crate::domain::prompt::Format;
use crate::domain::source::MAX_FILE_BYTES;
use crate::github::{Repository, Snapshot};

/// Most prompt files with attached files that are read; beyond, nobody can say whose file a change is of.
const MAX_READ: usize = 100;
/// Most attached files that are read for all of them together.
const MAX_ATTACHED_READS: usize = 2_000;

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
    let mut reads = MAX_ATTACHED_READS;
    for user in users {
        let before = made_of(&base, &user, &mut reads).await?;
        // A file that base looked for in vain is part of the prompt once head adds it.
        let touched = changed().any(|path| *path == user || before.looks_for(path));
        let after = match touched || !base.exists(&user) {
            true => made_of(&head, &user, &mut reads).await?,
            false => Made::default(),
        };
        if before.exceeded || after.exceeded {
            return Ok(governed.overlooking());
        }
        let mut found = before.changes.clone();
        found.extend(after.changes.clone());
        for path in changed().filter(|path| before.looks_for(path) || after.looks_for(path)) {
            found.entry(path.clone()).or_insert_with(|| unread(&user));
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

/// What a change of a file is that is part of a prompt file and that neither side can read: as what guards most.
fn unread(user: &PromptPath) -> Change {
    if Format::of(user) == Some(Format::Promptfoo) { Change::GoldenSet } else { Change::Prompt }
}

/// What a prompt file is made of on one side.
async fn made_of(files: &Files, user: &PromptPath, reads: &mut usize) -> Result<Made, JobError> {
    let Content::Bytes(bytes) = files.read(user, MAX_FILE_BYTES).await? else { return Ok(Made::default()) };
    Ok(load::made_of(files, user, &bytes, reads).await?)
}
