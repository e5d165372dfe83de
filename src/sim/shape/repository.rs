//! Repositories. Knows nothing of what is in them.

use serde_json::{Value, json};

use super::account::user;
use super::{HTML, add_urls, node_id};
use crate::sim::clock::iso;
use crate::sim::state::{Repository, World};

const URLS: &[(&str, &str)] = &[
    ("url", ""),
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];

/// The API's address of a repository.
pub(in crate::sim) fn api_url(world: &World, repo: &Repository) -> String {
    format!("{}/repos/{}", world.url, world.full_name(repo))
}

/// The page of a repository.
pub(in crate::sim) fn html_url(world: &World, repo: &Repository) -> String {
    format!("{HTML}/{}", world.full_name(repo))
}

/// A repository as lists and payloads hold it.
pub(in crate::sim) fn repository(world: &World, repo: &Repository) -> Value {
    let html = html_url(world, repo);
    let forks = world.repos.values().filter(|other| other.fork_of == Some(repo.id)).count();
    let open = repo.pulls.values().filter(|pull| pull.open).count();
    let mut shown = json!({
        "id": repo.id, "node_id": node_id("R", repo.id), "name": repo.name, "full_name": world.full_name(repo),
        "private": repo.private, "owner": user(world, repo.owner), "html_url": html, "description": null,
        "fork": repo.fork_of.is_some(), "homepage": null, "language": null, "license": null, "mirror_url": null,
        "forks_count": forks, "forks": forks, "stargazers_count": 0, "watchers_count": 0, "watchers": 0,
        "size": 0, "default_branch": repo.default_branch, "open_issues_count": open, "open_issues": open,
        "is_template": false, "topics": [], "has_issues": true, "has_projects": true, "has_wiki": true,
        "has_pages": false, "has_downloads": true, "has_discussions": false, "archived": false, "disabled": false,
        "visibility": if repo.private { "private" } else { "public" },
        "pushed_at": iso(repo.created), "created_at": iso(repo.created), "updated_at": iso(repo.created),
    });
    shown["git_url"] = json!(format!("git://github.com/{}.git", world.full_name(repo)));
    shown["ssh_url"] = json!(format!("git@github.com:{}.git", world.full_name(repo)));
    shown["clone_url"] = json!(format!("{html}.git"));
    shown["svn_url"] = json!(html);
    add_urls(&mut shown, &api_url(world, repo), URLS);
    shown
}

/// A repository by itself.
pub(in crate::sim) fn full(world: &World, repo: &Repository) -> Value {
    let mut shown = repository(world, repo);
    shown["subscribers_count"] = json!(0);
    shown["network_count"] = shown["forks_count"].clone();
    if let Some(parent) = repo.fork_of.and_then(|parent| world.repos.get(&parent)) {
        shown["parent"] = repository(world, parent);
        shown["source"] = repository(world, parent);
    }
    shown
}
