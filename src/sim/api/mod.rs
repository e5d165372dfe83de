//! The handlers, one file per resource. They turn calls into changes and answers; they know no transport.

pub(super) mod app;
pub(super) mod checks;
pub(super) mod comments;
pub(super) mod contents;
pub(super) mod git;
pub(super) mod graphql;
pub(super) mod orgs;
pub(super) mod pulls;
pub(super) mod repos;
pub(super) mod statuses;

use super::call::{Call, Refusal};
use super::objects::{Commit, Oid};
use super::state::{Pull, Repository, World};

/// The repository a call names.
fn repo_of<'w>(world: &'w World, call: &Call) -> Result<&'w Repository, Refusal> {
    world.repos.get(&call.repo).ok_or_else(Refusal::not_found)
}

/// The same, to change it.
fn repo_mut<'w>(world: &'w mut World, call: &Call) -> Result<&'w mut Repository, Refusal> {
    world.repos.get_mut(&call.repo).ok_or_else(Refusal::not_found)
}

/// The pull request a call names.
fn pull_of<'w>(repo: &'w Repository, call: &Call) -> Result<&'w Pull, Refusal> {
    repo.pulls.get(&call.number("number")?).ok_or_else(Refusal::not_found)
}

/// The commit that a branch, `heads/branch`, full id or prefix of an id names.
fn resolve(world: &World, repo: &Repository, reference: &str) -> Option<Oid> {
    let name = reference.strip_prefix("refs/").unwrap_or(reference);
    let name = name.strip_prefix("heads/").unwrap_or(name);
    let branch = || repo.branches.get(name).or_else(|| repo.branches.get(reference)).copied();
    let full = || Oid::parse(reference).filter(|id| world.objects.commit(*id).is_some());
    let prefix = || Some(reference).filter(|text| (7..40).contains(&text.len()));
    branch().or_else(full).or_else(|| prefix().and_then(|text| world.objects.commit_by_prefix(text)))
}

/// The same with the commit; GitHub refuses what names none with 422.
fn resolve_commit<'w>(world: &'w World, repo: &Repository, reference: &str) -> Result<(Oid, &'w Commit), Refusal> {
    let missing = || Refusal::new(422, &format!("No commit found for SHA: {reference}"));
    let id = resolve(world, repo, reference).ok_or_else(missing)?;
    Ok((id, world.objects.commit(id).ok_or_else(missing)?))
}
