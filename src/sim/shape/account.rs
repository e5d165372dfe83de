//! Users, the app, installations, teams. Knows nothing of what they work on.

use serde_json::{Value, json};

use super::{HTML, add_urls, node_id};
use crate::sim::clock::iso;
use crate::sim::state::{Account, AccountKind, Installation, Team, World};

/// What the app listens to at first.
pub(in crate::sim) const EVENTS: [&str; 11] = [
    "check_run",
    "check_suite",
    "issue_comment",
    "member",
    "membership",
    "merge_group",
    "organization",
    "pull_request",
    "pull_request_review",
    "push",
    "team",
];

/// The account that stands for those that are gone.
const GHOST: u64 = 10_137;

/// A user by id; `null` when the account is gone.
pub(in crate::sim) fn user(world: &World, id: u64) -> Value {
    world.accounts.get(&id).map_or(Value::Null, |account| simple(world, account))
}

/// A user by id; where the account is gone and GitHub must show one, the account it shows then.
pub(in crate::sim) fn user_or_ghost(world: &World, id: u64) -> Value {
    let ghost = || Account { id: GHOST, login: "ghost".to_owned(), kind: AccountKind::User };
    world.accounts.get(&id).map_or_else(|| simple(world, &ghost()), |account| simple(world, account))
}

/// A user, bot or organisation.
pub(in crate::sim) fn simple(world: &World, account: &Account) -> Value {
    let login = &account.login;
    let mut shown = json!({
        "login": login, "id": account.id, "node_id": node_id("U", account.id),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", account.id),
        "gravatar_id": "", "html_url": format!("{HTML}/{}", login.trim_end_matches("[bot]")),
        "type": account.kind.word(), "site_admin": false,
    });
    let base = format!("{}/users/{}", world.url, login.replace('[', "%5B").replace(']', "%5D"));
    add_urls(
        &mut shown,
        &base,
        &[
            ("url", ""),
            ("followers_url", "/followers"),
            ("following_url", "/following{/other_user}"),
            ("gists_url", "/gists{/gist_id}"),
            ("starred_url", "/starred{/owner}{/repo}"),
            ("subscriptions_url", "/subscriptions"),
            ("organizations_url", "/orgs"),
            ("repos_url", "/repos"),
            ("events_url", "/events{/privacy}"),
            ("received_events_url", "/received_events"),
        ],
    );
    shown
}

/// The app, as check runs and comments show it.
pub(in crate::sim) fn app(world: &World, id: u64) -> Value {
    let app = &world.app;
    let (slug, permissions) = if id == app.id {
        (app.slug.clone(), json!(app.permissions))
    } else {
        (format!("app-{id}"), json!({"checks": "write", "metadata": "read"}))
    };
    json!({
        "id": id, "slug": slug, "node_id": node_id("A", id), "client_id": format!("Iv1.{id:016x}"),
        "owner": user(world, app.owner), "name": slug, "description": "",
        "external_url": "https://promptops.example", "html_url": format!("{HTML}/apps/{slug}"),
        "created_at": iso(app.created), "updated_at": iso(app.created),
        "permissions": permissions, "events": app.events,
    })
}

/// An installation.
pub(in crate::sim) fn installation(world: &World, installation: &Installation) -> Value {
    let id = installation.id;
    let target = world.accounts.get(&installation.account).map_or(AccountKind::Organization, |account| account.kind);
    json!({
        "id": id, "account": user(world, installation.account),
        "repository_selection": if installation.repos.is_some() { "selected" } else { "all" },
        "access_tokens_url": format!("{}/app/installations/{id}/access_tokens", world.url),
        "repositories_url": format!("{}/installation/repositories", world.url),
        "html_url": format!("{HTML}/settings/installations/{id}"),
        "app_id": world.app.id, "app_slug": world.app.slug,
        "target_id": installation.account, "target_type": target.word(),
        "permissions": installation.permissions, "events": world.app.events,
        "created_at": iso(installation.created), "updated_at": iso(installation.created),
        "single_file_name": null,
        "suspended_by": installation.suspended.map(|_| user(world, installation.account)),
        "suspended_at": installation.suspended.map(iso),
    })
}

/// A team without its counts.
pub(in crate::sim) fn team_simple(world: &World, team: &Team) -> Value {
    let org = world.accounts.get(&team.org).map_or("ghost", |org| org.login.as_str());
    let url = format!("{}/organizations/{}/team/{}", world.url, team.org, team.id);
    json!({
        "id": team.id, "node_id": node_id("T", team.id), "name": team.slug, "slug": team.slug,
        "description": null, "privacy": "closed", "notification_setting": "notifications_enabled",
        "permission": "pull", "url": url, "members_url": format!("{url}/members{{/member}}"),
        "repositories_url": format!("{url}/repos"),
        "html_url": format!("{HTML}/orgs/{org}/teams/{}", team.slug),
        "type": "organization", "organization_id": team.org,
    })
}

/// A team in full.
pub(in crate::sim) fn team_full(world: &World, team: &Team) -> Value {
    let mut shown = team_simple(world, team);
    let parent = team.parent.and_then(|parent| world.teams.get(&parent));
    shown["parent"] = parent.map_or(Value::Null, |parent| team_simple(world, parent));
    shown["members_count"] = json!(team.members.values().filter(|active| **active).count());
    shown["repos_count"] = json!(0);
    shown["created_at"] = json!(iso(world.app.created));
    shown["updated_at"] = json!(iso(world.app.created));
    shown["organization"] = organization(world, team.org);
    shown
}

fn organization(world: &World, id: u64) -> Value {
    let login = world.accounts.get(&id).map_or("ghost", |org| org.login.as_str());
    let url = format!("{}/orgs/{login}", world.url);
    let repos = world.repos.values().filter(|repo| repo.owner == id && !repo.private).count();
    let mut shown = json!({
        "login": login, "id": id, "node_id": node_id("O", id), "description": null,
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
        "has_organization_projects": true, "has_repository_projects": true,
        "public_repos": repos, "public_gists": 0, "followers": 0, "following": 0,
        "html_url": format!("{HTML}/{login}"), "type": "Organization",
        "created_at": iso(world.app.created), "updated_at": iso(world.app.created), "archived_at": null,
    });
    add_urls(
        &mut shown,
        &url,
        &[
            ("url", ""),
            ("repos_url", "/repos"),
            ("events_url", "/events"),
            ("hooks_url", "/hooks"),
            ("issues_url", "/issues"),
            ("members_url", "/members{/member}"),
            ("public_members_url", "/public_members{/member}"),
        ],
    );
    shown
}
