//! Git's own objects, commits, comparisons.

use serde_json::{Value, json};

use super::contents::wrapped_base64;
use super::{repo_of, resolve, resolve_commit};
use crate::sim::call::{Answer, Body, Call, Page, Refusal, Reply, list};
use crate::sim::diff::diff;
use crate::sim::history::{ancestors, merge_base, range};
use crate::sim::objects::{Entry, Oid};
use crate::sim::shape::repository::{api_url, html_url};
use crate::sim::shape::{git as shape, node_id};
use crate::sim::state::{Repository, World};

/// `GET /repos/{owner}/{repo}/git/blobs/{sha}`
pub(in crate::sim) fn blob(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let id = Oid::parse(call.param("sha")).ok_or_else(|| {
        Refusal::new(422, "The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    })?;
    let bytes = world.objects.blob(id).ok_or_else(Refusal::not_found)?;
    if call.accept.contains("raw") {
        return Ok(Reply {
            body: Body::Raw("application/vnd.github.raw; charset=utf-8", bytes.to_vec()),
            ..Reply::empty(200)
        });
    }
    let body = json!({
        "sha": id.to_string(), "node_id": node_id("B", id), "size": bytes.len(),
        "url": format!("{}/git/blobs/{id}", api_url(world, repo)), "content": wrapped_base64(bytes), "encoding": "base64",
    });
    Ok(Reply::json(200, body))
}

/// `GET /repos/{owner}/{repo}/git/trees/{sha}`: a tree, or the tree of a commit or branch.
pub(in crate::sim) fn tree(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let reference = call.param("sha");
    let own = Oid::parse(reference).filter(|id| world.objects.tree(*id).is_some());
    let of_commit = || world.objects.commit(resolve(world, repo, reference)?).map(|commit| commit.tree);
    let id = own.or_else(of_commit).ok_or_else(Refusal::not_found)?;
    let mut entries: Vec<(String, Entry)> = Vec::new();
    if call.arg("recursive").is_some() {
        world.objects.walk(id, "", &mut entries);
    } else {
        entries.extend(world.objects.tree(id).into_iter().flatten().map(|(name, entry)| (name.clone(), *entry)));
    }
    let api = api_url(world, repo);
    let truncated = entries.len() > world.caps.tree_entries;
    entries.truncate(world.caps.tree_entries);
    let shown: Value = entries.iter().map(|(path, entry)| tree_entry(world, &api, path, *entry)).collect();
    let url = format!("{api}/git/trees/{id}");
    Ok(Reply::json(200, json!({"sha": id.to_string(), "url": url, "tree": shown, "truncated": truncated})))
}

fn tree_entry(world: &World, api: &str, path: &str, entry: Entry) -> Value {
    let kind = entry.mode.object_type();
    let mut shown = json!({"path": path, "mode": entry.mode.digits(), "type": kind, "sha": entry.id.to_string()});
    if let Some(bytes) = world.objects.blob(entry.id).filter(|_| kind == "blob") {
        shown["size"] = json!(bytes.len());
    }
    // A submodule's commit lies in another repository: it has no address here.
    if kind != "commit" {
        shown["url"] = json!(format!("{api}/git/{kind}s/{}", entry.id));
    }
    shown
}

/// `GET /repos/{owner}/{repo}/git/commits/{sha}`
pub(in crate::sim) fn git_commit(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let id = Oid::parse(call.param("sha")).ok_or_else(Refusal::not_found)?;
    let commit = world.objects.commit(id).ok_or_else(Refusal::not_found)?;
    Ok(Reply::json(200, shape::git_commit(world, repo, id, commit)))
}

/// `GET /repos/{owner}/{repo}/git/ref/{ref}`
pub(in crate::sim) fn git_ref(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let name = call.param("ref").strip_prefix("heads/").ok_or_else(Refusal::not_found)?;
    let id = repo.branches.get(name).ok_or_else(Refusal::not_found)?;
    let api = api_url(world, repo);
    let object = json!({"type": "commit", "sha": id.to_string(), "url": format!("{api}/git/commits/{id}")});
    let url = format!("{api}/git/refs/heads/{}", shape::encode_path(name));
    let node = node_id("REF", name);
    Ok(Reply::json(200, json!({"ref": format!("refs/heads/{name}"), "node_id": node, "url": url, "object": object})))
}

fn shown_commit(world: &World, repo: &Repository, id: Oid) -> Value {
    world.objects.commit(id).map_or(Value::Null, |commit| shape::commit(world, repo, id, commit))
}

/// `GET /repos/{owner}/{repo}/commits`
pub(in crate::sim) fn commits(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let from = resolve(world, repo, call.arg("sha").unwrap_or(&repo.default_branch)).ok_or_else(Refusal::not_found)?;
    let mut ids: Vec<Oid> = ancestors(&world.objects, from).into_iter().collect();
    ids.sort_by_key(|id| std::cmp::Reverse((world.objects.commit(*id).map(|c| c.committer.seconds), *id)));
    Ok(list(call, &world.url, &ids, |id| shown_commit(world, repo, *id)))
}

/// `GET /repos/{owner}/{repo}/commits/{ref}`
pub(in crate::sim) fn commit(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let (id, commit) = resolve_commit(world, repo, call.param("ref"))?;
    if call.accept.contains("vnd.github.sha") {
        return Ok(Reply {
            body: Body::Raw("application/vnd.github.sha", id.to_string().into_bytes()),
            ..Reply::empty(200)
        });
    }
    let before = commit.parents.first().map(|parent| world.objects.files(*parent)).unwrap_or_default();
    let changes = diff(&world.objects, &before, &world.objects.files(id));
    let (additions, deletions) = changes.iter().fold((0, 0), |(a, d), c| (a + c.additions, d + c.deletions));
    let mut body = shape::commit(world, repo, id, commit);
    body["stats"] = json!({"additions": additions, "deletions": deletions, "total": additions + deletions});
    let files = changes.iter().take(world.caps.compare_files).map(|change| shape::file(world, repo, id, change));
    body["files"] = files.collect();
    Ok(Reply::json(200, body))
}

/// A side of a comparison: a reference, or `owner:branch` of a repository in the same network.
fn compared(world: &World, repo: &Repository, side: &str) -> Option<Oid> {
    let Some((owner, branch)) = side.split_once(':') else { return resolve(world, repo, side) };
    let owner = world.account(owner)?.id;
    let root = repo.fork_of.unwrap_or(repo.id);
    let mut network = world.repos.values().filter(|other| other.id == root || other.fork_of == Some(root));
    network.find(|other| other.owner == owner)?.branches.get(branch).copied()
}

fn standing(ahead: usize, behind: usize) -> &'static str {
    match (ahead, behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    }
}

/// `GET /repos/{owner}/{repo}/compare/{base}...{head}`
pub(in crate::sim) fn compare(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let basehead = call.param("basehead");
    let (left, right) = basehead.split_once("...").ok_or_else(Refusal::not_found)?;
    let base = compared(world, repo, left).ok_or_else(Refusal::not_found)?;
    let head = compared(world, repo, right).ok_or_else(Refusal::not_found)?;
    let common = || Refusal::new(404, &format!("No common ancestor between {left} and {right}."));
    let from = merge_base(&world.objects, base, head).ok_or_else(common)?;
    let ahead = range(&world.objects, base, head);
    let behind = range(&world.objects, head, base).len();
    let page = Page::sized(call, &world.url, ahead.len(), world.caps.pull_commits);
    let shown: Value = ahead.iter().skip(page.skip).take(page.take).map(|id| shown_commit(world, repo, *id)).collect();
    let changes = diff(&world.objects, &world.objects.files(from), &world.objects.files(head));
    let files: Value =
        changes.iter().take(world.caps.compare_files).map(|change| shape::file(world, repo, head, change)).collect();
    let basehead = encoded(basehead);
    let html = format!("{}/compare/{basehead}", html_url(world, repo));
    Ok(page.reply(json!({
        "url": format!("{}/compare/{basehead}", api_url(world, repo)), "html_url": html, "permalink_url": html,
        "diff_url": format!("{html}.diff"), "patch_url": format!("{html}.patch"),
        "base_commit": shown_commit(world, repo, base), "merge_base_commit": shown_commit(world, repo, from),
        "status": standing(ahead.len(), behind), "ahead_by": ahead.len(), "behind_by": behind, "total_commits": ahead.len(),
        "commits": shown, "files": files,
    })))
}

/// A name as it stands in an address: what is no ASCII is percent-encoded.
fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| text.push_str(&format!("%{byte:02X}")));
        }
    }
    text
}
