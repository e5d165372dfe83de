//! People, teams and installations: what an organisation's owners do on GitHub.

use std::collections::{BTreeMap, BTreeSet};

use super::{Sim, SimError, missing};
use crate::domain::ids::{InstallationId, RepoName, TeamSlug, UserId};
use crate::sim::state::{Account, AccountKind, Installation, Permissions, Team, World};

/// What the app asks for when it is installed.
pub const DEFAULT_PERMISSIONS: &[(&str, &str)] = &[
    ("checks", "write"),
    ("contents", "read"),
    ("issues", "write"),
    ("members", "read"),
    ("merge_queues", "read"),
    ("metadata", "read"),
    ("pull_requests", "write"),
    ("statuses", "write"),
];

/// A list of permissions as a map.
pub(super) fn permissions(list: &[(&str, &str)]) -> Permissions {
    list.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect()
}

/// The address GitHub gives a user for commits.
pub(super) fn noreply(id: u64, login: &str) -> String {
    format!("{id}+{login}@users.noreply.github.com").to_ascii_lowercase()
}

/// The account, or why not.
pub(super) fn account<'w>(world: &'w World, login: &str) -> Result<&'w Account, SimError> {
    world.account(login).ok_or_else(|| missing("account", login))
}

fn team_id(world: &World, team: &TeamSlug) -> Result<u64, SimError> {
    world.team(team.org(), team.slug()).map(|team| team.id).ok_or_else(|| missing("team", team))
}

fn repo_ids(world: &World, names: Option<&[&RepoName]>) -> Result<Option<BTreeSet<u64>>, SimError> {
    let find = |name: &&RepoName| world.repo_id(name.owner(), name.name()).ok_or_else(|| missing("repository", name));
    names.map(|names| names.iter().map(find).collect()).transpose()
}

impl Sim {
    fn add_account(&self, login: &str, kind: AccountKind) -> u64 {
        let mut world = self.world();
        if let Some(known) = world.account(login) {
            return known.id;
        }
        let id = world.next_id();
        world.emails.insert(noreply(id, login), id);
        world.accounts.insert(id, Account { id, login: login.to_owned(), kind });
        id
    }

    /// A user of this login; the same one when asked again.
    pub fn user(&self, login: &str) -> UserId {
        UserId(self.add_account(login, AccountKind::User))
    }

    /// A bot; its login ends in `[bot]`.
    pub fn bot(&self, login: &str) -> UserId {
        UserId(self.add_account(login, AccountKind::Bot))
    }

    /// An organisation of this login, owned by a user.
    pub fn org(&self, login: &str, owner: &str) {
        let org = self.add_account(login, AccountKind::Organization);
        let UserId(owner) = self.user(owner);
        self.world().admins.insert((org, owner));
    }

    /// Deletes an account: what it wrote stays, without a user.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn delete_account(&self, login: &str) -> Result<(), SimError> {
        let mut world = self.world();
        let id = account(&world, login)?.id;
        world.accounts.remove(&id);
        Ok(())
    }

    /// Gives an account another login; what it wrote shows the new one, and the old one is free for anybody.
    ///
    /// # Errors
    /// When there is no such account, or the login is taken.
    pub fn rename_account(&self, login: &str, new: &str) -> Result<(), SimError> {
        let mut world = self.world();
        let id = account(&world, login)?.id;
        if world.account(new).is_some_and(|other| other.id != id) {
            return Err(SimError::Refused(format!("`{new}` is taken")));
        }
        world.emails.insert(noreply(id, new), id);
        if let Some(account) = world.accounts.get_mut(&id) {
            new.clone_into(&mut account.login);
        }
        Ok(())
    }

    /// Makes a user a member of an organisation. Sends `organization` with `member_added`.
    ///
    /// # Errors
    /// When there is no such organisation.
    pub fn org_member(&self, org: &str, login: &str) -> Result<(), SimError> {
        let UserId(user) = self.user(login);
        let mut world = self.world();
        let org = account(&world, org)?.id;
        if world.members.insert((org, user)) {
            world.emit_organization(org, user, "member_added");
        }
        Ok(())
    }

    /// Takes someone out of an organisation, and with it out of all its teams and repositories. Sends `organization` with
    /// `member_removed`.
    ///
    /// # Errors
    /// When there is no such organisation or user.
    pub fn leave_org(&self, org: &str, login: &str) -> Result<(), SimError> {
        let mut world = self.world();
        let (org, user) = (account(&world, org)?.id, account(&world, login)?.id);
        world.members.remove(&(org, user));
        for team in world.teams.values_mut().filter(|team| team.org == org) {
            team.members.remove(&user);
        }
        for repo in world.repos.values_mut().filter(|repo| repo.owner == org) {
            repo.roles.remove(&user);
        }
        world.emit_organization(org, user, "member_removed");
        Ok(())
    }

    /// Deletes a team; its members stay in the organisation. Sends `team` with `deleted`.
    ///
    /// # Errors
    /// When there is no such team.
    pub fn delete_team(&self, team: &TeamSlug) -> Result<(), SimError> {
        let mut world = self.world();
        let id = team_id(&world, team)?;
        if let Some(team) = world.teams.remove(&id) {
            world.emit_team(&team, "deleted");
        }
        Ok(())
    }

    /// A team of an organisation, below another where one is named, with these active members.
    ///
    /// # Errors
    /// When the organisation or the parent is unknown.
    pub fn team(&self, team: &TeamSlug, parent: Option<&TeamSlug>, members: &[&str]) -> Result<(), SimError> {
        let members: BTreeMap<u64, bool> = members.iter().map(|login| (self.user(login).0, true)).collect();
        let mut world = self.world();
        let org = account(&world, team.org())?.id;
        let parent = parent.map(|parent| team_id(&world, parent)).transpose()?;
        let id = world.next_id();
        world.members.extend(members.keys().map(|user| (org, *user)));
        world.teams.insert(id, Team { id, org, slug: team.slug().to_owned(), parent, members });
        Ok(())
    }

    /// Adds someone to a team; `active` is false while the invitation is open. Sends `membership` when active.
    ///
    /// # Errors
    /// When there is no such team.
    pub fn join_team(&self, team: &TeamSlug, login: &str, active: bool) -> Result<(), SimError> {
        let UserId(user) = self.user(login);
        let mut world = self.world();
        let id = team_id(&world, team)?;
        if let Some(team) = world.teams.get_mut(&id) {
            team.members.insert(user, active);
        }
        if active {
            world.emit_membership(id, user, "added", user);
        }
        Ok(())
    }

    /// Takes someone out of a team. Sends `membership`.
    ///
    /// # Errors
    /// When there is no such team or user.
    pub fn leave_team(&self, team: &TeamSlug, login: &str) -> Result<(), SimError> {
        let mut world = self.world();
        let (id, user) = (team_id(&world, team)?, account(&world, login)?.id);
        if let Some(team) = world.teams.get_mut(&id) {
            team.members.remove(&user);
        }
        world.emit_membership(id, user, "removed", user);
        Ok(())
    }

    /// Installs the app on all repositories of an account with the permissions it asks for. Sends `installation`.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn install(&self, login: &str) -> Result<InstallationId, SimError> {
        self.install_on(login, None, DEFAULT_PERMISSIONS)
    }

    /// Installs the app with these permissions, on these repositories (`None`: all). Sends `installation`.
    ///
    /// # Errors
    /// When there is no such account or repository.
    pub fn install_on(
        &self,
        login: &str,
        repos: Option<&[&RepoName]>,
        granted: &[(&str, &str)],
    ) -> Result<InstallationId, SimError> {
        let mut world = self.world();
        let owner = account(&world, login)?.id;
        let repos = repo_ids(&world, repos)?;
        let (id, created) = (world.next_id(), world.clock.seconds());
        let permissions = permissions(granted);
        world
            .installations
            .insert(id, Installation { id, account: owner, repos, permissions, created, suspended: None });
        world.emit_installation(id, "created", owner);
        Ok(InstallationId(id))
    }

    /// Changes what an installation may do; tokens it already has lose what it loses.
    ///
    /// # Errors
    /// When there is no such installation.
    pub fn regrant(&self, installation: InstallationId, granted: &[(&str, &str)]) -> Result<(), SimError> {
        let mut world = self.world();
        let found = world.installations.get_mut(&installation.0);
        found.ok_or_else(|| missing("installation", &installation))?.permissions = permissions(granted);
        Ok(())
    }

    /// Suspends an installation.
    ///
    /// # Errors
    /// When there is no such installation.
    pub fn suspend(&self, installation: InstallationId) -> Result<(), SimError> {
        let mut world = self.world();
        let now = world.clock.seconds();
        let found = world.installations.get_mut(&installation.0);
        found.ok_or_else(|| missing("installation", &installation))?.suspended = Some(now);
        Ok(())
    }

    /// Changes what the app asks for and which events it listens to.
    pub fn reregister(&self, asked: &[(&str, &str)], events: &[&str]) {
        let mut world = self.world();
        world.app.permissions = permissions(asked);
        world.app.events = events.iter().map(|event| (*event).to_owned()).collect();
    }

    /// Changes which repositories an installation covers (`None`: all); tokens it already has lose what it loses.
    ///
    /// # Errors
    /// When there is no such installation or repository.
    pub fn reselect(&self, installation: InstallationId, repos: Option<&[&RepoName]>) -> Result<(), SimError> {
        let mut world = self.world();
        let repos = repo_ids(&world, repos)?;
        let found = world.installations.get_mut(&installation.0);
        found.ok_or_else(|| missing("installation", &installation))?.repos = repos;
        Ok(())
    }

    /// Takes the app off an account; its tokens are void. Sends `installation`.
    ///
    /// # Errors
    /// When there is no such installation.
    pub fn uninstall(&self, installation: InstallationId) -> Result<(), SimError> {
        let mut world = self.world();
        let found = world.installations.get(&installation.0);
        let owner = found.ok_or_else(|| missing("installation", &installation))?.account;
        world.emit_installation(installation.0, "deleted", owner);
        world.installations.remove(&installation.0);
        world.tokens.retain(|_, token| token.installation != installation.0);
        Ok(())
    }
}
