//! Repositories: themselves, branches, rules, roles.

use serde_json::{Value, json};

use super::repo_of;
use crate::sim::call::{Answer, Call, Refusal, Reply};
use crate::sim::shape::{account, git, repository};
use crate::sim::state::{RequiredCheck, World};

/// `GET /repos/{owner}/{repo}`
pub(in crate::sim) fn get(world: &mut World, call: &Call) -> Answer {
    Ok(Reply::json(200, repository::full(world, repo_of(world, call)?)))
}

/// `GET /repos/{owner}/{repo}/installation`
pub(in crate::sim) fn installation(world: &mut World, call: &Call) -> Answer {
    let found = world.installation_of(repo_of(world, call)?).ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(200, account::installation(world, found)))
}

pub(super) fn required_checks(required: &[RequiredCheck]) -> Value {
    required.iter().map(|check| json!({"context": check.name, "app_id": check.app_id})).collect()
}

/// `GET /repos/{owner}/{repo}/branches/{branch}`
pub(in crate::sim) fn branch(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let name = call.param("branch");
    let id = *repo.branches.get(name).ok_or_else(|| Refusal::new(404, "Branch not found"))?;
    let commit = world.objects.commit(id).ok_or_else(Refusal::not_found)?;
    // Only branch protection is summed up here; of a ruleset the word `protected` alone tells.
    let required = repo.protection.get(name);
    let is_classic = repo.manners.get(name).is_some_and(|manner| manner.classic);
    let checks = required.filter(|_| is_classic).map(Vec::as_slice).unwrap_or_default();
    let contexts: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
    let level = if checks.is_empty() { "off" } else { "non_admins" };
    let url = format!("{}/branches/{}", repository::api_url(world, repo), git::encode_path(name));
    let body = json!({
        "name": name, "commit": git::commit(world, repo, id, commit), "protected": required.is_some(),
        "_links": {"self": url, "html": format!("{}/tree/{name}", repository::html_url(world, repo))},
        "protection": {"enabled": is_classic, "required_status_checks": {
            "enforcement_level": level, "contexts": contexts, "checks": required_checks(checks)}},
        "protection_url": format!("{url}/protection"),
    });
    Ok(Reply::json(200, body))
}

/// `GET /repos/{owner}/{repo}/collaborators/{login}/permission`
pub(in crate::sim) fn permission(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let login = call.param("login");
    let found = world.account(login).ok_or_else(|| Refusal::new(404, &format!("{login} is not a user")))?;
    let (role, permission) = world.role(repo, found.id);
    let mut user = account::simple(world, found);
    user["role_name"] = json!(role);
    Ok(Reply::json(200, json!({"permission": permission, "role_name": role, "user": user})))
}
