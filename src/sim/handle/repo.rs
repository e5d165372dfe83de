//! Repositories: branches, commits, pushes, forks, protection, roles.

use super::change::{Change, Who};
use super::people::{account, noreply, permissions};
use super::{Sim, SimError, missing};
use crate::domain::ids::{CommitSha, RepoId, RepoName, UserId};
use crate::sim::objects::{Commit, Files, Oid, Signature};
use crate::sim::state::{Repository, RequiredCheck, Token, World};

/// A repository at the fake.
#[derive(Debug, Clone)]
pub struct Repo {
    pub(super) sim: Sim,
    pub(super) id: u64,
    name: RepoName,
}

/// An id in the domain's type.
pub(super) fn sha(id: Oid) -> Result<CommitSha, SimError> {
    Ok(CommitSha::parse(&id.to_string())?)
}

impl Sim {
    /// Creates a public repository with one commit on `main`; its owner becomes a user where there is none.
    ///
    /// # Errors
    /// When it exists already.
    pub fn repo(&self, name: &RepoName, first: &Change) -> Result<Repo, SimError> {
        if self.world().account(name.owner()).is_none() {
            self.user(name.owner());
        }
        let mut world = self.world();
        let owner = account(&world, name.owner())?.id;
        if world.repo_id(name.owner(), name.name()).is_some() {
            return Err(SimError::Refused(format!("`{name}` exists already")));
        }
        let commit = commit(&mut world, first, &[], None)?;
        let repo = blank(&mut world, owner, name.name(), None);
        let id = repo.id;
        world.repos.insert(id, Repository { branches: [("main".to_owned(), commit)].into(), ..repo });
        Ok(Repo { sim: self.clone(), id, name: name.clone() })
    }
}

fn blank(world: &mut World, owner: u64, name: &str, fork_of: Option<u64>) -> Repository {
    Repository {
        id: world.next_id(),
        owner,
        name: name.to_owned(),
        private: false,
        fork_of,
        default_branch: "main".to_owned(),
        branches: Default::default(),
        roles: Default::default(),
        protection: Default::default(),
        pulls: Default::default(),
        queue: Vec::new(),
        comments: Default::default(),
        checks: Default::default(),
        statuses: Vec::new(),
        created: world.clock.seconds(),
    }
}

fn signature(world: &World, who: &Who) -> Result<Signature, SimError> {
    let seconds = world.clock.seconds();
    Ok(match who {
        Who::User(login) => {
            let user = account(world, login)?;
            Signature { name: user.login.clone(), email: noreply(user.id, &user.login), seconds }
        }
        Who::Stranger(name, email) => Signature { name: name.clone(), email: email.clone(), seconds },
    })
}

/// Stores a commit of the change over its first parent's files, or over the given ones.
fn commit(world: &mut World, change: &Change, parents: &[Oid], files: Option<Files>) -> Result<Oid, SimError> {
    let author = signature(world, &change.author)?;
    let committer = signature(world, change.committer.as_ref().unwrap_or(&change.author))?;
    let before = files.or_else(|| parents.first().map(|parent| world.objects.files(*parent))).unwrap_or_default();
    let files = change.apply(&mut world.objects, before);
    let tree = world.objects.put_tree(&files);
    let (message, signed) = (change.message.clone(), change.signed);
    Ok(world.objects.put_commit(Commit { tree, parents: parents.to_vec(), author, committer, message, signed }))
}

impl World {
    /// Moves a branch; pushes and the pull requests that follow it are announced.
    pub(super) fn move_branch(&mut self, repo: u64, branch: &str, to: Oid, pusher: u64) {
        let Some(place) = self.repos.get_mut(&repo) else { return };
        let before = place.branches.insert(branch.to_owned(), to);
        self.emit_push(repo, branch, before, to, pusher);
        let follows = |base: &Repository, number: u64| {
            base.pulls.get(&number).is_some_and(|p| p.open && p.head_repo == Some(repo) && p.head_ref == branch)
        };
        let all = self.repos.values().flat_map(|base| base.pulls.keys().map(move |number| (base, *number)));
        let affected: Vec<(u64, u64)> =
            all.filter(|(base, number)| follows(base, *number)).map(|(base, number)| (base.id, number)).collect();
        let now = self.clock.seconds();
        for (base, number) in affected {
            let Some(place) = self.repos.get_mut(&base) else { continue };
            let Some(pull) = place.pulls.get_mut(&number) else { continue };
            let old = std::mem::replace(&mut pull.head_sha, to);
            pull.base_sha = place.branches.get(&pull.base_ref).copied().unwrap_or(pull.base_sha);
            pull.updated = now;
            let more = serde_json::json!({"before": old.to_string(), "after": to.to_string()});
            self.emit_pull(base, number, "synchronize", pusher, &more);
        }
    }
}

impl Repo {
    /// `owner/name`.
    #[must_use]
    pub fn name(&self) -> &RepoName {
        &self.name
    }

    /// The numeric id.
    #[must_use]
    pub fn id(&self) -> RepoId {
        RepoId(self.id)
    }

    /// Runs a change of the repository under the lock.
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Repository) -> T) -> Result<T, SimError> {
        let mut world = self.sim.world();
        world.repos.get_mut(&self.id).map(f).ok_or_else(|| missing("repository", &self.name))
    }

    /// The token of a workflow's job, with these permissions on this repository and none elsewhere; it lives six hours.
    ///
    /// # Errors
    /// When the repository was deleted.
    pub fn job_token(&self, granted: &[(&str, &str)]) -> Result<String, SimError> {
        self.with(|_| ())?;
        let mut world = self.sim.world();
        let mut granted = permissions(granted);
        granted.insert("metadata".to_owned(), "read".to_owned());
        let expires = world.clock.seconds() + 6 * 60 * 60;
        let text = format!("ghs_{}", uuid::Uuid::new_v4().simple());
        world.tokens.insert(
            text.clone(),
            Token { installation: 0, expires, repos: Some([self.id].into()), permissions: granted },
        );
        Ok(text)
    }

    /// Makes it private or public.
    ///
    /// # Errors
    /// When it was deleted.
    pub fn set_private(&self, private: bool) -> Result<(), SimError> {
        self.with(|repo| repo.private = private)
    }

    /// Gives someone a role: `read`, `triage`, `write`, `maintain`, `admin`, or a custom one that can read. Sends `member`
    /// with `added`, or `edited` where they had one.
    ///
    /// # Errors
    /// When it was deleted.
    pub fn role(&self, login: &str, role: &str) -> Result<(), SimError> {
        let UserId(user) = self.sim.user(login);
        let before = self.with(|repo| repo.roles.insert(user, role.to_owned()))?;
        let action = if before.is_some() { "edited" } else { "added" };
        self.sim.world().emit_member(self.id, user, action);
        Ok(())
    }

    /// Takes someone's role. Sends `member` with `removed`.
    ///
    /// # Errors
    /// When it was deleted, or there is no such user.
    pub fn no_role(&self, login: &str) -> Result<(), SimError> {
        let user = account(&self.sim.world(), login)?.id;
        self.with(|repo| repo.roles.remove(&user))?;
        self.sim.world().emit_member(self.id, user, "removed");
        Ok(())
    }

    /// Protects a branch with required checks.
    ///
    /// # Errors
    /// When it was deleted.
    pub fn protect(&self, branch: &str, required: Vec<RequiredCheck>) -> Result<(), SimError> {
        self.with(|repo| drop(repo.protection.insert(branch.to_owned(), required)))
    }

    /// The commit at the tip of a branch.
    ///
    /// # Errors
    /// When there is no such branch.
    pub fn tip(&self, branch: &str) -> Result<CommitSha, SimError> {
        sha(self.tip_id(branch)?)
    }

    pub(super) fn tip_id(&self, branch: &str) -> Result<Oid, SimError> {
        self.with(|repo| repo.branches.get(branch).copied())?.ok_or_else(|| missing("branch", branch))
    }

    /// Starts a branch where another one is.
    ///
    /// # Errors
    /// When there is no such branch, or the new one exists.
    pub fn branch(&self, name: &str, from: &str) -> Result<(), SimError> {
        let tip = self.tip_id(from)?;
        if self.tip_id(name).is_ok() {
            return Err(SimError::Refused(format!("branch `{name}` exists already")));
        }
        self.with(|repo| {
            repo.branches.insert(name.to_owned(), tip);
        })
    }

    /// Commits onto a branch and pushes it. Sends `push`, and `synchronize` for its open pull requests.
    ///
    /// # Errors
    /// When there is no such branch or author.
    pub fn push(&self, branch: &str, change: &Change) -> Result<CommitSha, SimError> {
        let tip = self.tip_id(branch)?;
        self.push_onto(branch, &[tip], change, None)
    }

    /// Puts a new commit on top of `onto` in the place of the branch's history, as a rebase or an amended commit does.
    ///
    /// # Errors
    /// When there is no such branch or author.
    pub fn force_push(&self, branch: &str, onto: &str, change: &Change) -> Result<CommitSha, SimError> {
        let onto = self.tip_id(onto)?;
        self.push_onto(branch, &[onto], change, None)
    }

    /// Puts a branch back to a commit it had before. Sends what a push sends.
    ///
    /// # Errors
    /// When the commit or the user is unknown.
    pub fn reset(&self, branch: &str, to: &CommitSha, by: &str) -> Result<(), SimError> {
        let mut world = self.sim.world();
        let user = account(&world, by)?.id;
        let id = Oid::parse(to.as_str()).filter(|id| world.objects.commit(*id).is_some());
        let id = id.ok_or_else(|| missing("commit", to))?;
        world.move_branch(self.id, branch, id, user);
        Ok(())
    }

    /// Merges a branch into another with a merge commit, as the button that updates a pull request's branch does.
    ///
    /// # Errors
    /// When there is no such branch or user, or the branches conflict.
    pub fn merge_branch(&self, from: &str, into: &str, by: &str) -> Result<CommitSha, SimError> {
        let (from_id, into_id) = (self.tip_id(from)?, self.tip_id(into)?);
        let merged = self.sim.world().merged_files(into_id, from_id);
        let merged = merged.ok_or_else(|| SimError::Refused(format!("`{from}` and `{into}` conflict")))?;
        let change = Change::by(by).in_browser().message(&format!("Merge branch '{from}' into {into}\n"));
        self.push_onto(into, &[into_id, from_id], &change, Some(merged))
    }

    pub(super) fn push_onto(
        &self,
        branch: &str,
        parents: &[Oid],
        change: &Change,
        files: Option<Files>,
    ) -> Result<CommitSha, SimError> {
        let mut world = self.sim.world();
        let id = commit(&mut world, change, parents, files)?;
        let people = change.committer.iter().chain([&change.author]);
        let login = people.filter_map(|who| if let Who::User(login) = who { Some(login) } else { None }).next();
        let pusher = match login {
            Some(login) => account(&world, login)?.id,
            None => world.repos.get(&self.id).map_or(0, |repo| repo.owner),
        };
        world.move_branch(self.id, branch, id, pusher);
        sha(id)
    }

    /// Forks it to another account, with all its branches.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn fork(&self, owner: &str) -> Result<Self, SimError> {
        let name = RepoName::parse(&format!("{owner}/{}", self.name.name()))?;
        let UserId(owner_id) = self.sim.user(owner);
        let (root, branches) = self.with(|repo| (repo.fork_of.unwrap_or(repo.id), repo.branches.clone()))?;
        let mut world = self.sim.world();
        if world.repo_id(owner, name.name()).is_some() {
            return Err(SimError::Refused(format!("`{name}` exists already")));
        }
        let fork = blank(&mut world, owner_id, name.name(), Some(root));
        let id = fork.id;
        world.repos.insert(id, Repository { branches, ..fork });
        Ok(Self { sim: self.sim.clone(), id, name })
    }

    /// Deletes it; pull requests from it stay, without a head repository.
    pub fn delete(self) {
        let mut world = self.sim.world();
        world.repos.remove(&self.id);
        for pull in world.repos.values_mut().flat_map(|repo| repo.pulls.values_mut()) {
            pull.head_repo = pull.head_repo.filter(|head| *head != self.id);
        }
    }
}
