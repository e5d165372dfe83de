//! Check runs and commit statuses. Knows nothing of how they are judged.

use serde_json::{Value, json};

use super::account::{app, user};
use super::repository::{api_url, html_url};
use super::{HTML, node_id};
use crate::sim::clock::iso;
use crate::sim::state::{Check, CommitStatus, Pull, Repository, World};

/// A check run.
pub(in crate::sim) fn check_run(world: &World, repo: &Repository, check: &Check) -> Value {
    let url = format!("{}/check-runs/{}", api_url(world, repo), check.id);
    // GitHub lists a pull request only where its head is in the same repository.
    let pulls = repo.pulls.values().filter(|pull| pull.open && pull.head_sha == check.head_sha);
    let pulls: Value =
        pulls.filter(|pull| pull.head_repo == Some(repo.id)).map(|pull| minimal(world, repo, pull)).collect();
    json!({
        "id": check.id, "name": check.name, "node_id": node_id("CR", check.id), "head_sha": check.head_sha.to_string(),
        "external_id": check.external_id, "url": url, "details_url": check.details_url,
        "html_url": format!("{}/runs/{}", html_url(world, repo), check.id),
        "status": check.status, "conclusion": check.conclusion,
        "started_at": check.started, "completed_at": check.completed,
        "output": {
            "title": check.title, "summary": check.summary, "text": check.text,
            "annotations_count": check.annotations.len(), "annotations_url": format!("{url}/annotations"),
        },
        "check_suite": {"id": suite_id(check)}, "app": app(world, check.app), "pull_requests": pulls,
    })
}

/// One suite per app and commit.
fn suite_id(check: &Check) -> u64 {
    let digits = check.head_sha.to_string();
    u64::from_str_radix(&digits[..8], 16).unwrap_or(0) + check.app
}

/// A pull request as a check run lists it.
fn minimal(world: &World, repo: &Repository, pull: &Pull) -> Value {
    let url = api_url(world, repo);
    let place = json!({"id": repo.id, "url": url, "name": repo.name});
    json!({
        "id": pull.id, "number": pull.number, "url": format!("{url}/pulls/{}", pull.number),
        "head": {"ref": pull.head_ref, "sha": pull.head_sha.to_string(), "repo": place},
        "base": {"ref": pull.base_ref, "sha": pull.base_sha.to_string(), "repo": place},
    })
}

/// A commit status.
pub(in crate::sim) fn status(world: &World, repo: &Repository, status: &CommitStatus) -> Value {
    json!({
        "id": status.id, "node_id": node_id("SC", status.id), "state": status.state,
        "url": format!("{}/statuses/{}", api_url(world, repo), status.sha),
        "avatar_url": format!("{HTML}/in/{}.png", status.creator),
        "description": status.description, "target_url": status.target_url, "context": status.context,
        "created_at": iso(status.created), "updated_at": iso(status.created), "creator": user(world, status.creator),
    })
}
