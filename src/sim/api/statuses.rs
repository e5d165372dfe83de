//! Commit statuses.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{repo_mut, repo_of, resolve_commit};
use crate::sim::call::{Answer, Call, Page, Refusal, Reply};
use crate::sim::objects::Oid;
use crate::sim::shape::{check as shape, repository};
use crate::sim::state::{CommitStatus, Repository, World};

const LONGEST_DESCRIPTION: usize = 140;
const MOST_OF_A_CONTEXT: usize = 1_000;

/// `POST /repos/{owner}/{repo}/statuses/{sha}`
pub(in crate::sim) fn create(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let (sha, _) = resolve_commit(world, repo, call.param("sha"))?;
    check(repo, sha, call)?;
    let status = CommitStatus {
        id: 0,
        sha,
        creator: world.app.bot,
        state: call.text("state").unwrap_or_default().to_owned(),
        context: context_of(call).to_owned(),
        description: call.text("description").map(str::to_owned),
        target_url: call.text("target_url").map(str::to_owned),
        created: world.clock.seconds(),
    };
    let status = CommitStatus { id: world.next_id(), ..status };
    repo_mut(world, call)?.statuses.push(status.clone());
    Ok(Reply::json(201, shape::status(world, repo_of(world, call)?, &status)))
}

fn context_of(call: &Call) -> &str {
    call.text("context").unwrap_or("default")
}

/// GitHub's rules for a new status.
fn check(repo: &Repository, sha: Oid, call: &Call) -> Result<(), Refusal> {
    let state = call.required_text("Status", "state")?;
    if !["error", "failure", "pending", "success"].contains(&state) {
        return Err(Refusal::invalid("Status", "state", "invalid"));
    }
    if call.text("description").is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
        let message = "description is too long (maximum is 140 characters)";
        return Err(Refusal::explained("Status", "description", "custom", message));
    }
    let same = |status: &&CommitStatus| status.sha == sha && status.context.eq_ignore_ascii_case(context_of(call));
    if repo.statuses.iter().filter(same).count() >= MOST_OF_A_CONTEXT {
        let message = "This SHA and context has reached the maximum number of statuses.";
        return Err(Refusal::explained("Status", "base", "custom", message));
    }
    Ok(())
}

/// `GET /repos/{owner}/{repo}/commits/{ref}/status`: the latest of each context.
pub(in crate::sim) fn combined(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let (sha, _) = resolve_commit(world, repo, call.param("ref"))?;
    let mut latest: BTreeMap<String, &CommitStatus> = BTreeMap::new();
    for status in repo.statuses.iter().filter(|status| status.sha == sha) {
        latest.insert(status.context.to_lowercase(), status);
    }
    let any = |states: &[&str]| latest.values().any(|status| states.contains(&status.state.as_str()));
    let state = match () {
        () if any(&["error", "failure"]) => "failure",
        () if any(&["pending"]) || latest.is_empty() => "pending",
        () => "success",
    };
    let page = Page::of(call, &world.url, latest.len());
    let shown: Value = latest.values().skip(page.skip).take(page.take).map(|s| shape::status(world, repo, s)).collect();
    let url = format!("{}/commits/{sha}", repository::api_url(world, repo));
    let total = latest.len();
    Ok(page.reply(json!({
        "state": state, "statuses": shown, "sha": sha.to_string(), "total_count": total,
        "repository": repository::repository(world, repo), "commit_url": url, "url": format!("{url}/status"),
    })))
}
