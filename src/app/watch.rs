//! What is remembered of a pull request so that what happens elsewhere finds it, and what controls it there. Decides nothing.

use super::control::Controlled;
use super::job::{JobError, PullRef};
use super::service::Service;
use crate::domain::governed::Governed;
use crate::domain::ids::Digest;
use crate::domain::policy::Change;
use crate::domain::prompt::Format;
use crate::domain::settings::Settings;
use crate::github::{EntryKind, Repository, Snapshot, Tree};
use crate::store::WatchedPull;

/// Remembers an open pull request, with what controls it now.
///
/// # Errors
/// When the store fails.
pub async fn remember(
    service: &Service,
    repository: &Repository,
    snapshot: &Snapshot,
    controlled: &Controlled,
    control: Option<Digest>,
) -> Result<(), JobError> {
    let view = &snapshot.pull;
    // At a cap some may be missing, and then none is worth knowing.
    let all_known = snapshot.caps.is_empty();
    let commits = snapshot.commits.iter().filter(|_| all_known).map(|commit| commit.sha.clone());
    let watched = WatchedPull {
        repo_id: repository.id(),
        number: view.number,
        repo: repository.name().clone(),
        installation: repository.installation(),
        head_sha: view.head_sha.clone(),
        base_branch: view.base_branch.clone(),
        base_sha: snapshot.base_sha.clone(),
        control,
        commits: commits.collect(),
        silent: matches!(controlled, Controlled::Silent),
    };
    Ok(service.store.watch_pull(&watched, service.clock.now_ms()).await?)
}

/// The pull request of a row, for a job.
pub fn pull_ref(watched: &WatchedPull) -> PullRef {
    PullRef {
        repo: watched.repo.clone(),
        repo_id: watched.repo_id,
        installation: Some(watched.installation),
        number: watched.number,
        delivery: None,
    }
}

/// Digest of all on the base branch that can control a pull request: the settings, and every file that is governed by them
/// or might be. `None` where GitHub cuts the list of files.
pub fn control_digest(tree: &Tree, controlled: &Controlled) -> Option<Digest> {
    if tree.truncated {
        return None;
    }
    match controlled {
        Controlled::Silent => Some(Digest::of_parts([b"silent".as_slice()])),
        Controlled::Broken { findings, .. } => {
            Some(Digest::of_parts([b"broken".as_slice(), format!("{findings:?}").as_bytes()]))
        }
        Controlled::Lost(message) => Some(Digest::of_parts([b"lost".as_slice(), message.as_bytes()])),
        Controlled::Ready(control) => of_settings(tree, &control.settings),
    }
}

/// Its debug form shows every field of the settings, so that none which is added later can be forgotten here.
fn of_settings(tree: &Tree, settings: &Settings) -> Option<Digest> {
    let shown = format!("{settings:?}");
    // Which other files prompts name depends on what is read; here every file counts that one could name.
    let governed = Governed::new(settings).ok()?;
    let names_others = tree.entries.keys().any(|path| {
        Format::of(path).is_some_and(Format::has_references) && governed.classify(path) == Some(Change::Prompt)
    });
    let counts = |path| names_others || governed.classify(path).is_some() || governed.may_be_golden_set(path);
    let entries = tree.entries.iter().filter(|(path, _)| counts(path));
    let rows = entries.flat_map(|(path, entry)| [path.as_str(), kind(entry.kind), entry.sha.as_str()]);
    Some(Digest::of_parts([shown.as_str()].into_iter().chain(rows).map(str::as_bytes)))
}

fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::File => "file",
        EntryKind::Symlink => "symlink",
        EntryKind::Submodule => "submodule",
    }
}

/// Digest of the question a run answers: what controls it, and all that the pull request changes. A base branch may move
/// without changing it; a pull request may come to change something else without a push, by where it left its base.
pub fn question(snapshot: &Snapshot, control: Option<Digest>) -> Digest {
    let control = control.map_or_else(|| snapshot.base_sha.to_string(), |digest| digest.to_string());
    let files = snapshot.files.iter().flat_map(|file| {
        let previous = file.previous.as_ref().map_or("", |path| path.as_str());
        [file.path.as_str(), previous, file.status.as_str(), file.blob.as_ref().map_or("", |blob| blob.as_str())]
    });
    Digest::of_parts([control.as_str()].into_iter().chain(files).map(str::as_bytes))
}
