//! What a pull request would change, and whether GitHub would let it merge. Knows state and objects, no HTTP.

use super::diff::{FileChange, diff};
use super::history::{merge_base, range};
use super::objects::{Files, Oid};
use super::state::{Group, Pull, Repository, RequiredCheck, World};

/// Conclusions that count as passing.
const PASSING: [&str; 3] = ["success", "neutral", "skipped"];

impl World {
    /// The tip of the branch a pull request goes to; where the branch is gone, what it was.
    pub(super) fn base_tip(&self, repo: &Repository, pull: &Pull) -> Oid {
        repo.branches.get(&pull.base_ref).copied().filter(|_| pull.open).unwrap_or(pull.base_sha)
    }

    /// The files a pull request changes, counted from where it left its base.
    pub(super) fn pull_changes(&self, repo: &Repository, pull: &Pull) -> Vec<FileChange> {
        let base = self.base_tip(repo, pull);
        let from = merge_base(&self.objects, base, pull.head_sha).map(|id| self.objects.files(id)).unwrap_or_default();
        diff(&self.objects, &from, &self.objects.files(pull.head_sha))
    }

    /// The commits a pull request brings.
    pub(super) fn pull_commits(&self, repo: &Repository, pull: &Pull) -> Vec<Oid> {
        range(&self.objects, self.base_tip(repo, pull), pull.head_sha)
    }

    /// The files after a merge; `None` where both sides changed the same path differently.
    pub(super) fn merged_files(&self, base: Oid, head: Oid) -> Option<Files> {
        let origin = merge_base(&self.objects, base, head).map(|id| self.objects.files(id)).unwrap_or_default();
        let (ours, theirs) = (self.objects.files(base), self.objects.files(head));
        let mut merged = ours.clone();
        for path in origin.keys().chain(theirs.keys()) {
            let (before, our, their) = (origin.get(path), ours.get(path), theirs.get(path));
            if their == before || their == our {
                continue;
            }
            if our != before {
                return None;
            }
            match their {
                Some(entry) => drop(merged.insert(path.clone(), *entry)),
                None => drop(merged.remove(path)),
            }
        }
        Some(merged)
    }

    /// Everything that keeps a pull request from being merged, one sentence each.
    pub(super) fn merge_blockers(&self, repo: &Repository, pull: &Pull) -> Vec<String> {
        let mut blockers = Vec::new();
        if !pull.open {
            blockers.push("the pull request is closed".to_owned());
        }
        if pull.draft {
            blockers.push("the pull request is a draft".to_owned());
        }
        if self.merged_files(self.base_tip(repo, pull), pull.head_sha).is_none() {
            blockers.push("the branches conflict".to_owned());
        }
        blockers.extend(unmet_checks(repo, &pull.base_ref, pull.head_sha));
        blockers
    }

    /// Everything that keeps a merge queue's group from being merged: the same checks, on the group's own head.
    pub(super) fn group_blockers(&self, repo: &Repository, group: &Group) -> Vec<String> {
        unmet_checks(repo, &group.base_ref, group.head).collect()
    }
}

/// The checks that a branch requires and a commit does not have.
fn unmet_checks<'r>(repo: &'r Repository, base: &str, sha: Oid) -> impl Iterator<Item = String> + use<'r> {
    let required = repo.protection.get(base).map(Vec::as_slice).unwrap_or_default();
    required.iter().filter_map(move |check| unmet(repo, sha, check))
}

/// Why a required check does not pass on a commit.
fn unmet(repo: &Repository, sha: Oid, required: &RequiredCheck) -> Option<String> {
    let name = &required.name;
    let by_wanted_app = |app: u64| required.app_id.is_none_or(|wanted| wanted == app);
    let runs = repo.checks.values().filter(|run| run.head_sha == sha && run.name == *name && by_wanted_app(run.app));
    // The map is in order of creation: the last of each app is its latest.
    let mut latest = std::collections::BTreeMap::new();
    for run in runs {
        latest.insert(run.app, run);
    }
    let mut results: Vec<(bool, &str)> = latest
        .values()
        .map(|run| match &run.conclusion {
            Some(conclusion) => (PASSING.contains(&conclusion.as_str()), conclusion.as_str()),
            None => (false, run.status.as_str()),
        })
        .collect();
    if required.app_id.is_none() {
        let status = repo.statuses.iter().rev().find(|s| s.sha == sha && s.context.eq_ignore_ascii_case(name));
        results.extend(status.map(|status| (status.state == "success", status.state.as_str())));
    }
    match results.iter().find(|(passes, _)| !passes) {
        Some((_, word)) => Some(format!("required check `{name}` is {word}")),
        None if results.is_empty() => Some(format!("required check `{name}` is expected")),
        None => None,
    }
}
