//! Pull requests: themselves, their files, commits, reviews.

use serde_json::{Value, json};

use super::{pull_of, repo_mut, repo_of};
use crate::sim::call::{self, Answer, Call, Refusal, Reply};
use crate::sim::objects::Oid;
use crate::sim::shape::{account, git, pull as shape};
use crate::sim::state::{Pull, Repository, World};

/// `GET /repos/{owner}/{repo}/pulls`
pub(in crate::sim) fn list(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let head = |pull: &Pull| {
        let owner = pull.head_repo.and_then(|id| world.repos.get(&id)).and_then(|repo| world.accounts.get(&repo.owner));
        format!("{}:{}", owner.map_or("unknown", |owner| owner.login.as_str()), pull.head_ref)
    };
    let wanted = |pull: &&Pull| {
        let state = match call.arg("state").unwrap_or("open") {
            "open" => pull.open,
            "closed" => !pull.open,
            _ => true,
        };
        let base = call.arg("base").is_none_or(|base| base == pull.base_ref);
        state && base && call.arg("head").is_none_or(|wanted| wanted.eq_ignore_ascii_case(&head(pull)))
    };
    let mut pulls: Vec<&Pull> = repo.pulls.values().filter(wanted).collect();
    if call.arg("sort") == Some("updated") {
        pulls.sort_by_key(|pull| pull.updated);
    }
    if call.arg("direction").unwrap_or("desc") == "desc" {
        pulls.reverse();
    }
    Ok(call::list(call, &world.url, &pulls, |pull| shape::simple(world, repo, pull)))
}

/// `GET /repos/{owner}/{repo}/commits/{sha}/pulls`
pub(in crate::sim) fn of_commit(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let unknown = || Refusal::new(422, &format!("No commit found for SHA: {}", call.param("sha")));
    let id = Oid::parse(call.param("sha")).filter(|id| world.objects.commit(*id).is_some()).ok_or_else(unknown)?;
    let brings = |pull: &&Pull| {
        (pull.open || pull.merged.is_some())
            && (world.pull_commits(repo, pull).contains(&id) || pull.merged.as_ref().is_some_and(|m| m.sha == id))
    };
    let pulls: Vec<&Pull> = repo.pulls.values().filter(brings).collect();
    Ok(call::list(call, &world.url, &pulls, |pull| shape::simple(world, repo, pull)))
}

/// `GET /repos/{owner}/{repo}/pulls/{number}`
pub(in crate::sim) fn get(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let body = shape::full(world, repo, pull_of(repo, call)?);
    let number = call.number("number")?;
    if let Some(pull) = repo_mut(world, call)?.pulls.get_mut(&number) {
        pull.mergeable_unknown = pull.mergeable_unknown.saturating_sub(1);
    }
    Ok(Reply::json(200, body))
}

/// `GET /repos/{owner}/{repo}/pulls/{number}/files`
pub(in crate::sim) fn files(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let pull = pull_of(repo, call)?;
    let mut changes = world.pull_changes(repo, pull);
    changes.truncate(world.caps.pull_files);
    Ok(call::list(call, &world.url, &changes, |change| git::file(world, repo, pull.head_sha, change)))
}

/// `GET /repos/{owner}/{repo}/pulls/{number}/commits`
pub(in crate::sim) fn commits(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let mut ids = world.pull_commits(repo, pull_of(repo, call)?);
    ids.truncate(world.caps.pull_commits);
    let commit = |id: &Oid| world.objects.commit(*id).map_or(Value::Null, |c| git::commit(world, repo, *id, c));
    Ok(call::list(call, &world.url, &ids, commit))
}

/// `GET /repos/{owner}/{repo}/pulls/{number}/reviews`: in the order they were submitted.
pub(in crate::sim) fn reviews(world: &mut World, call: &Call) -> Answer {
    let repo: &Repository = repo_of(world, call)?;
    let pull = pull_of(repo, call)?;
    Ok(call::list(call, &world.url, &pull.reviews, |review| shape::review(world, repo, pull, review)))
}

/// `GET /repos/{owner}/{repo}/pulls/{number}/requested_reviewers`
pub(in crate::sim) fn requested_reviewers(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let users: Value = pull_of(repo, call)?.requested.iter().map(|id| account::user(world, *id)).collect();
    Ok(Reply::json(200, json!({"users": users, "teams": []})))
}
