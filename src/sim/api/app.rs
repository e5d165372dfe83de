//! The app itself: installations, tokens, the log of deliveries, rate limits.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::sim::auth::grants;
use crate::sim::call::{Answer, Call, Refusal, Reply, counted, list};
use crate::sim::clock::iso;
use crate::sim::record::Caller;
use crate::sim::route::Level;
use crate::sim::shape::{account, repository};
use crate::sim::state::{Installation, Permissions, Repository, Token, World};
use crate::sim::webhook::shown;

const TOKEN_LIFE: u64 = 3_600;

/// What the API's root answers.
const ROOT: &[(&str, &str)] = &[
    ("current_user_url", "/user"),
    ("current_user_authorizations_html_url", "/settings/connections/applications{/client_id}"),
    ("authorizations_url", "/authorizations"),
    ("code_search_url", "/search/code?q={query}{&page,per_page,sort,order}"),
    ("commit_search_url", "/search/commits?q={query}{&page,per_page,sort,order}"),
    ("emails_url", "/user/emails"),
    ("emojis_url", "/emojis"),
    ("events_url", "/events"),
    ("feeds_url", "/feeds"),
    ("followers_url", "/user/followers"),
    ("following_url", "/user/following{/target}"),
    ("gists_url", "/gists{/gist_id}"),
    ("issue_search_url", "/search/issues?q={query}{&page,per_page,sort,order}"),
    ("issues_url", "/issues"),
    ("keys_url", "/user/keys"),
    ("label_search_url", "/search/labels?q={query}&repository_id={repository_id}{&page,per_page}"),
    ("notifications_url", "/notifications"),
    ("organization_url", "/orgs/{org}"),
    ("organization_repositories_url", "/orgs/{org}/repos{?type,page,per_page,sort}"),
    ("organization_teams_url", "/orgs/{org}/teams"),
    ("public_gists_url", "/gists/public"),
    ("rate_limit_url", "/rate_limit"),
    ("repository_url", "/repos/{owner}/{repo}"),
    ("repository_search_url", "/search/repositories?q={query}{&page,per_page,sort,order}"),
    ("current_user_repositories_url", "/user/repos{?type,page,per_page,sort}"),
    ("starred_url", "/user/starred{/owner}{/repo}"),
    ("starred_gists_url", "/gists/starred"),
    ("user_url", "/users/{user}"),
    ("user_organizations_url", "/user/orgs"),
    ("user_repositories_url", "/users/{user}/repos{?type,page,per_page,sort}"),
    ("user_search_url", "/search/users?q={query}{&page,per_page,sort,order}"),
];

/// `GET /`
pub(in crate::sim) fn root(world: &mut World, _: &Call) -> Answer {
    let mut body = json!({});
    crate::sim::shape::add_urls(&mut body, &world.url, ROOT);
    Ok(Reply::json(200, body))
}

/// `GET /app`
pub(in crate::sim) fn app(world: &mut World, _: &Call) -> Answer {
    let mut body = account::app(world, world.app.id);
    body["installations_count"] = json!(world.installations.len());
    Ok(Reply::json(200, body))
}

/// `GET /app/installations`
pub(in crate::sim) fn installations(world: &mut World, call: &Call) -> Answer {
    let all: Vec<&Installation> = world.installations.values().collect();
    Ok(list(call, &world.url, &all, |one| {
        let mut shown = account::installation(world, one);
        // GitHub's description of this list asks for an enterprise's fields on every account.
        shown["account"]["name"] = shown["account"]["login"].clone();
        shown["account"]["slug"] = shown["account"]["login"].clone();
        shown["account"]["created_at"] = shown["created_at"].clone();
        shown["account"]["updated_at"] = shown["updated_at"].clone();
        shown
    }))
}

/// `POST /app/installations/{id}/access_tokens`
pub(in crate::sim) fn create_token(world: &mut World, call: &Call) -> Answer {
    let installation = world.installations.get(&call.number("id")?).ok_or_else(Refusal::not_found)?;
    if installation.suspended.is_some() {
        return Err(Refusal::suspended());
    }
    let repos = narrowed_repos(world, installation, call)?;
    let permissions = narrowed_permissions(installation, call)?;
    let expires = world.clock.seconds() + TOKEN_LIFE;
    let mut body = json!({
        "expires_at": iso(expires), "permissions": permissions,
        "repository_selection": if repos.is_some() || installation.repos.is_some() { "selected" } else { "all" },
    });
    if let Some(repos) = &repos {
        let shown = repos.iter().filter_map(|id| world.repos.get(id)).map(|repo| repository::repository(world, repo));
        body["repositories"] = shown.collect();
    }
    let token = Token { installation: installation.id, expires, repos, permissions };
    // The length is not fixed at GitHub: nothing may rely on it.
    let text = format!("ghs_{}{}", uuid::Uuid::new_v4().simple(), "x".repeat(world.tokens.len() % 7));
    world.tokens.insert(text.clone(), token);
    body["token"] = json!(text);
    Ok(Reply::json(201, body))
}

fn narrowed_repos(world: &World, installation: &Installation, call: &Call) -> Result<Option<BTreeSet<u64>>, Refusal> {
    let list = |field: &str| call.body.as_ref().and_then(|body| body.get(field)).and_then(Value::as_array);
    let covered = |wanted: &dyn Fn(&Repository) -> bool| {
        let found = world.repos.values().find(|repo| installation.covers(repo) && wanted(repo));
        found.map(|repo| repo.id).ok_or_else(|| {
            let message =
                "There is at least one repository that does not exist or is not accessible to the parent installation.";
            Refusal::new(422, message)
        })
    };
    if let Some(ids) = list("repository_ids").filter(|ids| !ids.is_empty()) {
        return ids.iter().map(|id| covered(&|repo| Some(repo.id) == id.as_u64())).collect::<Result<_, _>>().map(Some);
    }
    let Some(names) = list("repositories").filter(|names| !names.is_empty()) else { return Ok(None) };
    let named = |name: &Value| covered(&|repo| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(&repo.name)));
    names.iter().map(named).collect::<Result<_, _>>().map(Some)
}

fn narrowed_permissions(installation: &Installation, call: &Call) -> Result<Permissions, Refusal> {
    let wanted = call.body.as_ref().and_then(|body| body.get("permissions")).and_then(Value::as_object);
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else { return Ok(installation.permissions.clone()) };
    let mut narrowed = Permissions::from([("metadata".to_owned(), "read".to_owned())]);
    for (name, level) in wanted {
        let level = level.as_str().unwrap_or_default();
        let needed = if level == "read" { Level::Read } else { Level::Write };
        if !grants(&installation.permissions, name, needed) {
            return Err(Refusal::new(422, "The permissions requested are not granted to this installation."));
        }
        narrowed.insert(name.clone(), level.to_owned());
    }
    Ok(narrowed)
}

/// `GET /installation/repositories`
pub(in crate::sim) fn installation_repositories(world: &mut World, call: &Call) -> Answer {
    let token = call.token.as_ref().ok_or_else(Refusal::forbidden)?;
    let installation = world.installations.get(&token.installation).ok_or_else(Refusal::not_found)?;
    let seen = |repo: &&Repository| {
        installation.covers(repo) && token.repos.as_ref().is_none_or(|repos| repos.contains(&repo.id))
    };
    let repos: Vec<&Repository> = world.repos.values().filter(seen).collect();
    Ok(counted(call, &world.url, "repositories", &repos, |repo| repository::repository(world, repo)))
}

/// `GET /app/hook/config`
pub(in crate::sim) fn hook_config(world: &mut World, _: &Call) -> Answer {
    let (url, is_insecure) = (world.hooks.url.as_deref().unwrap_or_default(), world.hooks.is_insecure);
    let body = json!({
        "content_type": "json", "insecure_ssl": if is_insecure { "1" } else { "0" }, "secret": "********", "url": url,
    });
    Ok(Reply::json(200, body))
}

/// `GET /app/hook/deliveries`: the newest first, a cursor instead of pages.
pub(in crate::sim) fn deliveries(world: &mut World, call: &Call) -> Answer {
    let take = call.arg("per_page").and_then(|text| text.parse().ok()).unwrap_or(30_usize).clamp(1, 100);
    let before = match call.arg("cursor") {
        None => u64::MAX,
        Some(cursor) => {
            let id = cursor.strip_prefix("v1_").and_then(|id| id.parse().ok());
            id.ok_or_else(|| Refusal::new(400, "Invalid cursor"))?
        }
    };
    let wanted = |failed: bool| match call.arg("status") {
        // A time-out is no failure here, as at GitHub.
        Some("failure") => failed,
        Some("success") => !failed,
        _ => true,
    };
    let log = world.hooks.deliveries.iter().rev().filter(|d| d.id < before && wanted(d.status_code >= 400));
    let page: Vec<_> = log.take(take + 1).collect();
    let body: Value = page.iter().take(take).map(|delivery| shown(delivery)).collect();
    let mut reply = Reply::json(200, body);
    if let Some(last) = page.get(take - 1).filter(|_| page.len() > take) {
        let link = format!("<{}/app/hook/deliveries?per_page={take}&cursor=v1_{}>; rel=\"next\"", world.url, last.id);
        reply.headers.push(("link", link));
    }
    Ok(reply)
}

/// `POST /app/hook/deliveries/{id}/attempts`
pub(in crate::sim) fn redeliver(world: &mut World, call: &Call) -> Answer {
    let id = call.number("id")?;
    if world.redeliver(id) { Ok(Reply::json(202, json!({}))) } else { Err(Refusal::not_found()) }
}

/// `GET /rate_limit`
pub(in crate::sim) fn rate_limit(world: &mut World, call: &Call) -> Answer {
    let holder = if let Caller::Installation(id) = call.caller { id } else { 0 };
    let window = world.limiter.window(holder, world.clock.seconds());
    let limit = world.limiter.limits.requests_per_hour;
    let rate = json!({"limit": limit, "used": window.used, "remaining": limit.saturating_sub(window.used), "reset": window.resets});
    Ok(Reply::json(200, json!({"resources": {"core": rate, "search": rate}, "rate": rate})))
}
