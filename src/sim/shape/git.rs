//! Commits, changed files, comparisons. Knows nothing of pull requests.

use serde_json::{Value, json};

use super::account::simple;
use super::node_id;
use super::repository::{api_url, html_url};
use crate::sim::clock::iso;
use crate::sim::diff::FileChange;
use crate::sim::objects::{Commit, Oid, SIGNATURE, Signature, signed_text};
use crate::sim::state::{Repository, World};

fn verification(commit: &Commit) -> Value {
    if !commit.signed {
        return json!({"verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null});
    }
    json!({
        "verified": true, "reason": "valid", "signature": SIGNATURE, "payload": signed_text(commit),
        "verified_at": iso(commit.committer.seconds),
    })
}

fn person(who: &Signature) -> Value {
    json!({"name": who.name, "email": who.email, "date": iso(who.seconds)})
}

/// A commit with the users its addresses belong to; `null` where they belong to nobody.
pub(in crate::sim) fn commit(world: &World, repo: &Repository, id: Oid, commit: &Commit) -> Value {
    let (api, html) = (api_url(world, repo), html_url(world, repo));
    let url = format!("{api}/commits/{id}");
    let user = |who: &Signature| world.user_of_email(&who.email).map_or(Value::Null, |user| simple(world, user));
    json!({
        "sha": id.to_string(), "node_id": node_id("C", id), "url": url,
        "html_url": format!("{html}/commit/{id}"), "comments_url": format!("{url}/comments"),
        "commit": {
            "author": person(&commit.author), "committer": person(&commit.committer), "message": commit.message,
            "tree": {"sha": commit.tree.to_string(), "url": format!("{api}/git/trees/{}", commit.tree)},
            "url": format!("{api}/git/commits/{id}"), "comment_count": 0, "verification": verification(commit),
        },
        "author": user(&commit.author), "committer": user(&commit.committer),
        "parents": parents(&format!("{api}/commits"), &html, commit),
    })
}

/// A commit as Git knows it.
pub(in crate::sim) fn git_commit(world: &World, repo: &Repository, id: Oid, commit: &Commit) -> Value {
    let (api, html) = (api_url(world, repo), html_url(world, repo));
    json!({
        "sha": id.to_string(), "node_id": node_id("C", id), "url": format!("{api}/git/commits/{id}"),
        "html_url": format!("{html}/commit/{id}"),
        "author": person(&commit.author), "committer": person(&commit.committer), "message": commit.message,
        "tree": {"sha": commit.tree.to_string(), "url": format!("{api}/git/trees/{}", commit.tree)},
        "parents": parents(&format!("{api}/git/commits"), &html, commit), "verification": verification(commit),
    })
}

fn parents(api: &str, html: &str, commit: &Commit) -> Value {
    let one = |id: &Oid| json!({"sha": id.to_string(), "url": format!("{api}/{id}"), "html_url": format!("{html}/commit/{id}")});
    commit.parents.iter().map(one).collect()
}

/// A changed file.
pub(in crate::sim) fn file(world: &World, repo: &Repository, head: Oid, change: &FileChange) -> Value {
    let (api, html) = (api_url(world, repo), html_url(world, repo));
    let path = encode_path(&change.path);
    let mut shown = json!({
        "sha": change.id.to_string(), "filename": change.path, "status": change.status.word(),
        "additions": change.additions, "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": format!("{html}/blob/{head}/{path}"), "raw_url": format!("{html}/raw/{head}/{path}"),
        "contents_url": format!("{api}/contents/{path}?ref={head}"),
    });
    if let Some(patch) = &change.patch {
        shown["patch"] = json!(patch);
    }
    if let Some(previous) = &change.previous_path {
        shown["previous_filename"] = json!(previous);
    }
    shown
}

/// A path with each part percent-encoded.
pub(in crate::sim) fn encode_path(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
