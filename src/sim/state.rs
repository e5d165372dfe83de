//! What the fake GitHub holds: accounts, teams, repositories, installations. Data only; knows no HTTP and no JSON.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::clock::Clock;
use super::limits::{Caps, Limiter};
use super::objects::{Objects, Oid};
use super::record::Record;
use super::webhook::Hooks;

/// A user's, bot's or organisation's account.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) id: u64,
    pub(super) login: String,
    pub(super) kind: AccountKind,
}

/// What an account is, in the API's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AccountKind {
    User,
    Organization,
    Bot,
}

/// A team of an organisation.
#[derive(Debug, Clone)]
pub(super) struct Team {
    pub(super) id: u64,
    pub(super) org: u64,
    pub(super) slug: String,
    pub(super) parent: Option<u64>,
    /// `true` once the invitation is accepted.
    pub(super) members: BTreeMap<u64, bool>,
}

/// Where the app is installed, on what, and with which permissions.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    pub(super) id: u64,
    pub(super) account: u64,
    /// `None`: all repositories of the account.
    pub(super) repos: Option<BTreeSet<u64>>,
    pub(super) permissions: Permissions,
    pub(super) created: u64,
    /// When it was suspended, if it is.
    pub(super) suspended: Option<u64>,
}

/// Permission name → `read` or `write`.
pub(super) type Permissions = BTreeMap<String, String>;

/// An installation token.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// 0 for the token of a workflow's job, which belongs to no installation of ours.
    pub(super) installation: u64,
    pub(super) expires: u64,
    /// `None`: all the installation sees.
    pub(super) repos: Option<BTreeSet<u64>>,
    pub(super) permissions: Permissions,
}

/// A check a branch requires, and the app it must come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredCheck {
    /// The check's name (or the status's context).
    pub name: String,
    /// The only app that may report it.
    pub app_id: Option<u64>,
}

/// How a branch requires its checks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manner {
    /// By branch protection; else by a ruleset.
    pub classic: bool,
    /// Branch protection binds administrators too.
    pub binds_admins: bool,
    /// A branch must be up to date before it is merged.
    pub strict: bool,
    /// There is a merge queue.
    pub queue: bool,
    /// Teams that may bypass the ruleset; `None` where the app is not shown who may.
    pub bypass: Option<Vec<u64>>,
}

/// A repository.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    pub(super) id: u64,
    pub(super) owner: u64,
    pub(super) name: String,
    pub(super) private: bool,
    pub(super) fork_of: Option<u64>,
    pub(super) default_branch: String,
    pub(super) branches: BTreeMap<String, Oid>,
    pub(super) roles: BTreeMap<u64, String>,
    pub(super) protection: BTreeMap<String, Vec<RequiredCheck>>,
    /// How the branches require what they require; the usual where nothing is said.
    pub(super) manners: BTreeMap<String, Manner>,
    pub(super) pulls: BTreeMap<u64, Pull>,
    /// The groups of its merge queues, oldest first.
    pub(super) queue: Vec<Group>,
    pub(super) comments: BTreeMap<u64, Comment>,
    pub(super) checks: BTreeMap<u64, Check>,
    pub(super) statuses: Vec<CommitStatus>,
    pub(super) created: u64,
}

/// A pull request.
#[derive(Debug, Clone)]
pub(super) struct Pull {
    pub(super) id: u64,
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) author: u64,
    /// `None` once the fork is deleted.
    pub(super) head_repo: Option<u64>,
    pub(super) head_ref: String,
    pub(super) head_sha: Oid,
    pub(super) base_ref: String,
    pub(super) base_sha: Oid,
    pub(super) open: bool,
    pub(super) draft: bool,
    pub(super) locked: bool,
    pub(super) merged: Option<Merge>,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) closed: Option<u64>,
    pub(super) reviews: Vec<Review>,
    pub(super) requested: BTreeSet<u64>,
    pub(super) labels: BTreeSet<String>,
    /// How many more reads answer `mergeable: null`.
    pub(super) mergeable_unknown: u32,
}

/// A group of a merge queue.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) branch: String,
    pub(super) head: Oid,
    /// The commit it is built on.
    pub(super) base: Oid,
    pub(super) base_ref: String,
    pub(super) pull: u64,
}

/// How a pull request was merged.
#[derive(Debug, Clone)]
pub(super) struct Merge {
    pub(super) sha: Oid,
    pub(super) by: u64,
    pub(super) at: u64,
}

/// A review.
#[derive(Debug, Clone)]
pub(super) struct Review {
    pub(super) id: u64,
    pub(super) user: u64,
    pub(super) body: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED` or `PENDING`.
    pub(super) state: &'static str,
    pub(super) commit: Oid,
    pub(super) submitted: u64,
}

/// A comment on a pull request's conversation.
#[derive(Debug, Clone)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) number: u64,
    pub(super) user: u64,
    pub(super) by_app: bool,
    pub(super) body: String,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) reactions: Vec<(u64, u64, String)>,
    /// Written by the app and not yet read by the test.
    pub(super) unread: bool,
}

/// A check run.
#[derive(Debug, Clone)]
pub(super) struct Check {
    pub(super) id: u64,
    pub(super) app: u64,
    pub(super) name: String,
    pub(super) head_sha: Oid,
    pub(super) external_id: String,
    pub(super) details_url: String,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
    pub(super) started: Option<String>,
    pub(super) completed: Option<String>,
    pub(super) title: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) text: Option<String>,
    pub(super) annotations: Vec<serde_json::Value>,
    pub(super) actions: Vec<serde_json::Value>,
}

/// A commit status.
#[derive(Debug, Clone)]
pub(super) struct CommitStatus {
    pub(super) id: u64,
    pub(super) sha: Oid,
    pub(super) creator: u64,
    pub(super) state: String,
    pub(super) context: String,
    pub(super) description: Option<String>,
    pub(super) target_url: Option<String>,
    pub(super) created: u64,
}

/// The app under test.
#[derive(Debug, Clone)]
pub(super) struct App {
    pub(super) id: u64,
    pub(super) slug: String,
    pub(super) owner: u64,
    pub(super) bot: u64,
    pub(super) permissions: Permissions,
    pub(super) events: Vec<String>,
    pub(super) created: u64,
}

/// Everything.
#[derive(Debug)]
pub(super) struct World {
    pub(super) url: String,
    pub(super) clock: Clock,
    pub(super) objects: Objects,
    pub(super) accounts: BTreeMap<u64, Account>,
    /// Addresses in commits, in lower case, and whose they are.
    pub(super) emails: HashMap<String, u64>,
    pub(super) admins: BTreeSet<(u64, u64)>,
    pub(super) members: BTreeSet<(u64, u64)>,
    pub(super) teams: BTreeMap<u64, Team>,
    pub(super) repos: BTreeMap<u64, Repository>,
    pub(super) installations: BTreeMap<u64, Installation>,
    pub(super) tokens: HashMap<String, Token>,
    pub(super) app: App,
    /// Apps that wait for their code to be traded: code and manifest.
    pub(super) manifests: HashMap<String, serde_json::Value>,
    pub(super) limiter: Limiter,
    pub(super) caps: Caps,
    pub(super) record: Record,
    pub(super) hooks: Hooks,
    pub(super) last_id: u64,
}

/// The account that a workflow's job writes as.
pub(super) const ACTIONS_BOT: u64 = 41_898_282;
/// The app behind that account.
pub(super) const ACTIONS_APP: u64 = 15_368;

impl Token {
    /// Whether it is a workflow's job's.
    pub(super) fn is_job(&self) -> bool {
        self.installation == 0
    }
}

impl World {
    /// The account that whoever holds a token writes as.
    pub(super) fn writer(&self, token: Option<&Token>) -> u64 {
        if token.is_some_and(Token::is_job) { ACTIONS_BOT } else { self.app.bot }
    }

    /// A fresh numeric id.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// The account of this login, in any case.
    pub(super) fn account(&self, login: &str) -> Option<&Account> {
        self.accounts.values().find(|account| account.login.eq_ignore_ascii_case(login))
    }

    /// The repository of this `owner/name`, in any case.
    pub(super) fn repo_id(&self, owner: &str, name: &str) -> Option<u64> {
        let owner = self.account(owner)?.id;
        self.repos.values().find(|repo| repo.owner == owner && repo.name.eq_ignore_ascii_case(name)).map(|repo| repo.id)
    }

    /// `owner/name` of a repository.
    pub(super) fn full_name(&self, repo: &Repository) -> String {
        let owner = self.accounts.get(&repo.owner).map_or("ghost", |owner| owner.login.as_str());
        format!("{owner}/{}", repo.name)
    }

    /// The team of an organisation.
    pub(super) fn team(&self, org: &str, slug: &str) -> Option<&Team> {
        let org = self.account(org)?.id;
        self.teams.values().find(|team| team.org == org && team.slug.eq_ignore_ascii_case(slug))
    }

    /// Membership in a team or in one of its child teams: `Some(true)` is active, `Some(false)` pending.
    pub(super) fn membership(&self, team: u64, user: u64) -> Option<bool> {
        let own = self.teams.get(&team)?.members.get(&user).copied();
        let children = self.teams.values().filter(|child| child.parent == Some(team));
        children.filter_map(|child| self.membership(child.id, user)).chain(own).max()
    }

    /// The installation that covers a repository.
    pub(super) fn installation_of(&self, repo: &Repository) -> Option<&Installation> {
        self.installations.values().find(|installation| installation.covers(repo))
    }

    /// The role's real name and the legacy permission of a user on a repository.
    pub(super) fn role(&self, repo: &Repository, user: u64) -> (String, &'static str) {
        let admin = repo.owner == user || self.admins.contains(&(repo.owner, user));
        let role = if admin { Some("admin") } else { repo.roles.get(&user).map(String::as_str) };
        let role = role.unwrap_or(if repo.private { "none" } else { "read" });
        let legacy = match role {
            "admin" => "admin",
            "maintain" | "write" => "write",
            "none" => "none",
            _ => "read",
        };
        (role.to_owned(), legacy)
    }

    /// The user a commit's address belongs to.
    pub(super) fn user_of_email(&self, email: &str) -> Option<&Account> {
        self.emails.get(&email.to_ascii_lowercase()).and_then(|id| self.accounts.get(id))
    }
}

impl Installation {
    /// Whether the app sees this repository through this installation.
    pub(super) fn covers(&self, repo: &Repository) -> bool {
        self.account == repo.owner && self.repos.as_ref().is_none_or(|repos| repos.contains(&repo.id))
    }
}

impl AccountKind {
    /// The API's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Organization => "Organization",
            Self::Bot => "Bot",
        }
    }
}
