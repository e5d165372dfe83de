//! Contents by path, with GitHub's rules for large files, symbolic links and submodules.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{repo_of, resolve};
use crate::sim::call::{Answer, Body, Call, Refusal, Reply};
use crate::sim::objects::{Entry, Mode, Oid};
use crate::sim::shape::git::encode_path;
use crate::sim::shape::repository::{api_url, html_url};
use crate::sim::state::{Repository, World};

const MEGABYTE: usize = 1 << 20;

/// `GET /repos/{owner}/{repo}/contents/{path}`
pub(in crate::sim) fn get(world: &mut World, call: &Call) -> Answer {
    let repo = repo_of(world, call)?;
    let path = call.param("path").trim_matches('/');
    let reference = call.arg("ref").unwrap_or(&repo.default_branch);
    let no_commit = || Refusal::new(404, &format!("No commit found for the ref {reference}"));
    let commit = resolve(world, repo, reference).ok_or_else(no_commit)?;
    let tree = world.objects.commit(commit).ok_or_else(no_commit)?.tree;
    let entry = world.objects.entry_at(tree, path).ok_or_else(Refusal::not_found)?;
    let shown = Shown { world, repo, reference };
    match entry.mode {
        Mode::Folder => Ok(Reply::json(200, shown.folder(path, entry))),
        Mode::Submodule => Ok(Reply::json(200, shown.submodule(path, entry))),
        Mode::File | Mode::Executable => shown.file(path, entry, call),
        Mode::Symlink => match target_file(world, tree, path, entry) {
            Some(target) => shown.file(path, target, call),
            None => Ok(Reply::json(200, shown.symlink(path, entry))),
        },
    }
}

/// The ordinary file a symbolic link leads to inside the repository.
fn target_file(world: &World, tree: Oid, path: &str, link: Entry) -> Option<Entry> {
    let target = String::from_utf8(world.objects.blob(link.id)?.to_vec()).ok()?;
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    let found = world.objects.entry_at(tree, &parts.join("/"))?;
    matches!(found.mode, Mode::File | Mode::Executable).then_some(found)
}

struct Shown<'w> {
    world: &'w World,
    repo: &'w Repository,
    reference: &'w str,
}

impl Shown<'_> {
    /// What every kind of content has.
    fn item(&self, path: &str, entry: Entry, kind: &str) -> Value {
        let encoded = encode_path(path);
        let (api, html) = (api_url(self.world, self.repo), html_url(self.world, self.repo));
        let folder = entry.mode == Mode::Folder;
        let url = format!("{api}/contents/{encoded}?ref={}", self.reference);
        let git = format!("{api}/git/{}/{}", if folder { "trees" } else { "blobs" }, entry.id);
        let page = format!("{html}/{}/{}/{encoded}", if folder { "tree" } else { "blob" }, self.reference);
        let download = format!("{html}/raw/{}/{encoded}", self.reference);
        json!({
            "type": kind, "name": path.rsplit('/').next(), "path": path, "sha": entry.id.to_string(),
            "size": self.world.objects.blob(entry.id).map_or(0, |bytes| bytes.len()),
            "url": url, "git_url": git, "html_url": page, "download_url": (!folder).then_some(download),
            "_links": {"self": url, "git": git, "html": page},
        })
    }

    fn folder(&self, path: &str, folder: Entry) -> Value {
        let entries = self.world.objects.tree(folder.id).into_iter().flatten();
        let shown = entries.map(|(name, entry)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            // Submodules look like files in listings, for old clients' sake.
            let kind = match entry.mode {
                Mode::Folder => "dir",
                Mode::Symlink => "symlink",
                Mode::File | Mode::Executable | Mode::Submodule => "file",
            };
            self.item(&path, *entry, kind)
        });
        shown.collect()
    }

    fn submodule(&self, path: &str, entry: Entry) -> Value {
        let mut item = self.item(path, entry, "submodule");
        item["submodule_git_url"] = json!(format!("{}.git", html_url(self.world, self.repo)));
        item
    }

    fn symlink(&self, path: &str, entry: Entry) -> Value {
        let mut item = self.item(path, entry, "symlink");
        let target = self.world.objects.blob(entry.id).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        item["target"] = json!(target);
        item
    }

    fn file(&self, path: &str, entry: Entry, call: &Call) -> Answer {
        let bytes = self.world.objects.blob(entry.id).ok_or_else(Refusal::not_found)?;
        if bytes.len() > 100 * MEGABYTE {
            return Err(Refusal::explained(
                "Blob",
                "data",
                "too_large",
                "This API returns blobs up to 100 MB in size.",
            ));
        }
        if call.accept.contains("raw") {
            return Ok(Reply {
                body: Body::Raw("application/vnd.github.raw; charset=utf-8", bytes.to_vec()),
                ..Reply::empty(200)
            });
        }
        let mut item = self.item(path, entry, "file");
        let large = bytes.len() > MEGABYTE;
        item["encoding"] = json!(if large { "none" } else { "base64" });
        item["content"] = json!(if large { String::new() } else { wrapped_base64(bytes) });
        Ok(Reply::json(200, item))
    }
}

/// Base64 in lines of 60, as GitHub writes it.
pub(super) fn wrapped_base64(bytes: &[u8]) -> String {
    let mut wrapped = String::new();
    for (at, digit) in STANDARD.encode(bytes).chars().enumerate() {
        if at > 0 && at % 60 == 0 {
            wrapped.push('\n');
        }
        wrapped.push(digit);
    }
    wrapped.push('\n');
    wrapped
}
