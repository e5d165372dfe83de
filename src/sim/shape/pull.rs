//! Pull requests, reviews and comments. Knows nothing of who may do what.

use serde_json::{Value, json};

use super::account::{app, user, user_or_ghost};
use super::repository::{api_url, html_url, repository};
use super::{HTML, add_urls, node_id};
use crate::sim::clock::iso;
use crate::sim::state::{ACTIONS_APP, ACTIONS_BOT, Comment, Pull, Repository, Review, World};

/// How a person belongs to a repository.
fn association(world: &World, repo: &Repository, id: u64) -> &'static str {
    if repo.owner == id {
        "OWNER"
    } else if world.members.contains(&(repo.owner, id)) || world.admins.contains(&(repo.owner, id)) {
        "MEMBER"
    } else if repo.roles.contains_key(&id) {
        "COLLABORATOR"
    } else {
        "NONE"
    }
}

fn side(world: &World, repo: Option<&Repository>, name: &str, sha: &str) -> Value {
    let owner = repo.and_then(|repo| world.accounts.get(&repo.owner)).map_or("unknown", |owner| owner.login.as_str());
    json!({
        "label": format!("{owner}:{name}"), "ref": name, "sha": sha,
        "repo": repo.map_or(Value::Null, |repo| repository(world, repo)),
        "user": repo.map_or(Value::Null, |repo| user(world, repo.owner)),
    })
}

/// A label; its id is made up from its name.
pub(in crate::sim) fn label(world: &World, repo: &Repository, name: &str) -> Value {
    let id = name.bytes().fold(repo.id, |id, byte| (id * 31 + u64::from(byte)) % 1_000_000_007);
    json!({
        "id": id, "node_id": node_id("LA", id), "url": format!("{}/labels/{name}", api_url(world, repo)), "name": name,
        "description": "", "color": "ededed", "default": false,
    })
}

/// A pull request as lists hold it.
pub(in crate::sim) fn simple(world: &World, repo: &Repository, pull: &Pull) -> Value {
    let (api, html) = (api_url(world, repo), html_url(world, repo));
    let (number, sha) = (pull.number, pull.head_sha);
    let head_repo = pull.head_repo.and_then(|id| world.repos.get(&id));
    let requested: Value = pull.requested.iter().map(|id| user(world, *id)).collect();
    let labels: Value = pull.labels.iter().map(|name| label(world, repo, name)).collect();
    let mut shown = json!({
        "id": pull.id, "node_id": node_id("PR", pull.id), "number": number,
        "state": if pull.open { "open" } else { "closed" }, "locked": pull.locked, "title": pull.title,
        "user": user_or_ghost(world, pull.author), "body": pull.body, "labels": labels, "milestone": null,
        "active_lock_reason": null, "created_at": iso(pull.created), "updated_at": iso(pull.updated),
        "closed_at": pull.closed.map(iso), "merged_at": pull.merged.as_ref().map(|merge| iso(merge.at)),
        "merge_commit_sha": pull.merged.as_ref().map(|merge| merge.sha.to_string()),
        "assignee": null, "assignees": [], "requested_reviewers": requested, "requested_teams": [],
        "head": side(world, head_repo, &pull.head_ref, &sha.to_string()),
        "base": side(world, Some(repo), &pull.base_ref, &pull.base_sha.to_string()),
        "author_association": association(world, repo, pull.author), "auto_merge": null, "draft": pull.draft,
    });
    let (page, url) = (format!("{html}/pull/{number}"), format!("{api}/pulls/{number}"));
    add_urls(&mut shown, &page, &[("html_url", ""), ("diff_url", ".diff"), ("patch_url", ".patch")]);
    let links = [
        ("self", "url", url.clone()),
        ("html", "html_url", page),
        ("issue", "issue_url", format!("{api}/issues/{number}")),
        ("comments", "comments_url", format!("{api}/issues/{number}/comments")),
        ("review_comments", "review_comments_url", format!("{url}/comments")),
        ("review_comment", "review_comment_url", format!("{api}/pulls/comments{{/number}}")),
        ("commits", "commits_url", format!("{url}/commits")),
        ("statuses", "statuses_url", format!("{api}/statuses/{sha}")),
    ];
    for (link, field, href) in links {
        shown["_links"][link] = json!({"href": href});
        shown[field] = json!(href);
    }
    shown
}

/// A pull request by itself.
pub(in crate::sim) fn full(world: &World, repo: &Repository, pull: &Pull) -> Value {
    let mut shown = simple(world, repo, pull);
    let changes = world.pull_changes(repo, pull);
    let clean = world.merged_files(world.base_tip(repo, pull), pull.head_sha).is_some();
    let unknown = pull.mergeable_unknown > 0;
    let blocked = !world.merge_blockers(repo, pull).is_empty();
    let state = match (unknown, clean, pull.draft) {
        (true, ..) => "unknown",
        (_, false, _) => "dirty",
        (_, _, true) => "draft",
        _ if blocked => "blocked",
        _ => "clean",
    };
    let extra = json!({
        "merged": pull.merged.is_some(), "mergeable": (!unknown).then_some(clean), "rebaseable": null,
        "mergeable_state": state, "merged_by": pull.merged.as_ref().map(|merge| user(world, merge.by)),
        "comments": repo.comments.values().filter(|comment| comment.number == pull.number).count(),
        "review_comments": 0, "maintainer_can_modify": pull.head_repo != Some(repo.id),
        "commits": world.pull_commits(repo, pull).len(), "changed_files": changes.len(),
        "additions": changes.iter().map(|change| change.additions).sum::<usize>(),
        "deletions": changes.iter().map(|change| change.deletions).sum::<usize>(),
    });
    if let (Some(shown), Value::Object(extra)) = (shown.as_object_mut(), extra) {
        shown.extend(extra);
    }
    shown
}

/// A review.
pub(in crate::sim) fn review(world: &World, repo: &Repository, pull: &Pull, review: &Review) -> Value {
    let html = format!("{}/pull/{}#pullrequestreview-{}", html_url(world, repo), pull.number, review.id);
    let url = format!("{}/pulls/{}", api_url(world, repo), pull.number);
    let mut shown = json!({
        "id": review.id, "node_id": node_id("PRR", review.id), "user": user(world, review.user), "body": review.body,
        "state": review.state, "html_url": html, "pull_request_url": url,
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "commit_id": review.commit.to_string(), "author_association": association(world, repo, review.user),
    });
    if review.state != "PENDING" {
        shown["submitted_at"] = json!(iso(review.submitted));
    }
    shown
}

/// A comment.
pub(in crate::sim) fn comment(world: &World, repo: &Repository, comment: &Comment) -> Value {
    let api = api_url(world, repo);
    let url = format!("{api}/issues/comments/{}", comment.id);
    json!({
        "id": comment.id, "node_id": node_id("IC", comment.id), "url": url,
        "html_url": format!("{}/pull/{}#issuecomment-{}", html_url(world, repo), comment.number, comment.id),
        "issue_url": format!("{api}/issues/{}", comment.number), "user": user(world, comment.user),
        "created_at": iso(comment.created), "updated_at": iso(comment.updated), "body": comment.body,
        "author_association": association(world, repo, comment.user), "reactions": reactions(&url, comment),
        "performed_via_github_app": comment.by_app.then(|| {
            app(world, if comment.user == ACTIONS_BOT { ACTIONS_APP } else { world.app.id })
        }),
    })
}

/// Reactions a comment can get.
pub(in crate::sim) const REACTIONS: [&str; 8] = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

fn reactions(url: &str, comment: &Comment) -> Value {
    let mut shown = json!({"url": format!("{url}/reactions"), "total_count": comment.reactions.len()});
    for content in REACTIONS {
        shown[content] = json!(comment.reactions.iter().filter(|(_, _, given)| given == content).count());
    }
    shown
}

/// The issue of a pull request, as comment events hold it.
pub(in crate::sim) fn issue(world: &World, repo: &Repository, pull: &Pull) -> Value {
    let url = format!("{}/issues/{}", api_url(world, repo), pull.number);
    let pull_url = format!("{}/pulls/{}", api_url(world, repo), pull.number);
    let html = format!("{}/pull/{}", html_url(world, repo), pull.number);
    let mut shown = json!({
        "id": pull.id, "node_id": node_id("PR", pull.id), "repository_url": api_url(world, repo),
        "html_url": html, "number": pull.number, "title": pull.title, "user": user(world, pull.author),
        "state": if pull.open { "open" } else { "closed" }, "labels": [], "assignee": null, "assignees": [],
        "milestone": null, "locked": pull.locked, "draft": pull.draft, "body": pull.body,
        "comments": repo.comments.values().filter(|comment| comment.number == pull.number).count(),
        "closed_at": pull.closed.map(iso), "created_at": iso(pull.created), "updated_at": iso(pull.updated),
        "author_association": association(world, repo, pull.author),
        "pull_request": {"url": pull_url, "html_url": html, "diff_url": format!("{HTML}/{}/pull/{}.diff", world.full_name(repo), pull.number),
                         "patch_url": format!("{html}.patch"), "merged_at": pull.merged.as_ref().map(|merge| iso(merge.at))},
    });
    add_urls(
        &mut shown,
        &url,
        &[("url", ""), ("labels_url", "/labels{/name}"), ("comments_url", "/comments"), ("events_url", "/events")],
    );
    shown
}
