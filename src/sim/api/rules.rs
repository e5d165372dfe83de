//! What a branch requires: rulesets and branch protection, which hold the same checks by two ways.

use serde_json::{Value, json};

use super::repo_of;
use super::repos::required_checks;
use crate::sim::call::{Answer, Call, Refusal, Reply, list};
use crate::sim::clock::iso;
use crate::sim::shape::repository;
use crate::sim::state::{Manner, Repository, RequiredCheck, World};

fn manner(repo: &Repository, branch: &str) -> Manner {
    repo.manners.get(branch).cloned().unwrap_or_default()
}

/// `GET /repos/{owner}/{repo}/rules/branches/{branch}`
pub(in crate::sim) fn of_branch(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let branch = call.param("branch");
    let Manner { classic, strict, queue, .. } = manner(repo, branch);
    let required = repo.protection.get(branch).map(Vec::as_slice).unwrap_or_default();
    let check = |check: &RequiredCheck| match check.app_id {
        Some(app) => json!({"context": check.name, "integration_id": app}),
        None => json!({"context": check.name}),
    };
    let checks: Value = required.iter().map(check).collect();
    let rule = |kind: &str, parameters: Value| {
        json!({
            "type": kind, "ruleset_source_type": "Repository", "ruleset_source": world.full_name(repo),
            "ruleset_id": repo.id, "parameters": parameters,
        })
    };
    let mut rules: Vec<Value> = Vec::new();
    if !required.is_empty() && !classic {
        let parameters = json!({"required_status_checks": checks, "strict_required_status_checks_policy": strict});
        rules.push(rule("required_status_checks", parameters));
    }
    if queue {
        let parameters = json!({
            "check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5,
            "max_entries_to_merge": 5, "merge_method": "MERGE", "min_entries_to_merge": 1,
            "min_entries_to_merge_wait_minutes": 5,
        });
        rules.push(rule("merge_queue", parameters));
    }
    Ok(list(call, &world.url, &rules, Value::clone))
}

/// `GET /repos/{owner}/{repo}/rulesets/{id}`: each repository has one.
pub(in crate::sim) fn ruleset(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    if call.number("id")? != repo.id {
        return Err(Refusal::not_found());
    }
    let created = iso(repo.created);
    let mut body = json!({
        "id": repo.id, "name": "checks", "target": "branch", "source_type": "Repository", "source": world.full_name(repo),
        "enforcement": "active", "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}, "rules": [],
        "node_id": format!("RRS_{}", repo.id), "created_at": created, "updated_at": created,
    });
    let shown: Option<Vec<u64>> = repo.manners.values().find_map(|manner| manner.bypass.clone());
    if let Some(teams) = shown {
        let actor = |team: &u64| json!({"actor_id": team, "actor_type": "Team", "bypass_mode": "always"});
        body["bypass_actors"] = teams.iter().map(actor).collect();
    }
    Ok(Reply::json(200, body))
}

/// `GET /repos/{owner}/{repo}/branches/{branch}/protection/required_status_checks`
pub(in crate::sim) fn protection(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let branch = call.param("branch");
    let Manner { classic, strict, .. } = manner(repo, branch);
    let required = repo.protection.get(branch).filter(|_| classic);
    let required = required.ok_or_else(|| Refusal::new(404, "Branch not protected"))?;
    let contexts: Vec<&str> = required.iter().map(|check| check.name.as_str()).collect();
    let url = format!("{}/branches/{branch}/protection/required_status_checks", repository::api_url(world, repo));
    let body = json!({
        "url": url, "contexts_url": format!("{url}/contexts"), "strict": strict, "contexts": contexts,
        "checks": required_checks(required),
    });
    Ok(Reply::json(200, body))
}

/// `GET /repos/{owner}/{repo}/branches/{branch}/protection/enforce_admins`
pub(in crate::sim) fn enforce_admins(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let branch = call.param("branch");
    let Manner { classic, binds_admins, .. } = manner(repo, branch);
    if !classic {
        return Err(Refusal::new(404, "Branch not protected"));
    }
    let url = format!("{}/branches/{branch}/protection/enforce_admins", repository::api_url(world, repo));
    Ok(Reply::json(200, json!({"url": url, "enabled": binds_admins})))
}
