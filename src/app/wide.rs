//! What may concern several pull requests: people, a base branch, all checks of a commit. Knows neither job nor store.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{BranchName, CommitSha, InstallationId, Login, PullNumber, RepoId, RepoName};
use crate::github::webhook::{Event, Origin};

/// What several pull requests may have to be looked at for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wide {
    /// Who belongs to what has changed in an account.
    Account {
        /// The account.
        owner: Login,
        /// Through which installation the event came.
        installation: Option<InstallationId>,
    },
    /// The settings of an account may be others now, also for repositories that had none so far.
    Settings {
        /// The account.
        owner: Login,
        /// Through which installation the event came.
        installation: Option<InstallationId>,
    },
    /// Who may do what in a repository has changed.
    Collaborators {
        /// The repository.
        repo_id: RepoId,
    },
    /// A branch moved: those that go to it may be controlled by something else now.
    Base {
        /// The repository.
        repo_id: RepoId,
        /// The branch.
        branch: BranchName,
    },
    /// All checks of a commit are to run again.
    Head {
        /// The repository's name when the event happened.
        repo: RepoName,
        /// Its lasting id.
        repo_id: RepoId,
        /// Through which installation to act.
        installation: Option<InstallationId>,
        /// The commit.
        sha: CommitSha,
        /// The pull requests that GitHub named; it names none of forks.
        pulls: Vec<PullNumber>,
    },
}

impl Wide {
    /// What of several pull requests an event may concern, if any.
    #[must_use]
    pub fn of(event: Event) -> Option<Self> {
        match event {
            Event::CheckSuiteRerequested(event) => {
                let Origin { repo, repo_id, installation } = event.origin;
                Some(Self::Head { repo, repo_id, installation, sha: event.head_sha, pulls: event.pulls })
            }
            // A branch that is gone closes its pull requests, and GitHub tells of each.
            Event::Push(event) => event.after.map(|_| {
                let Origin { repo, repo_id, installation } = event.origin;
                match Login::parse(repo.owner()) {
                    Ok(owner) if repo.name().eq_ignore_ascii_case(".github") => Self::Settings { owner, installation },
                    _ => Self::Base { repo_id, branch: event.branch },
                }
            }),
            Event::People(event) => Some(Self::Account { owner: event.org, installation: event.installation }),
            Event::Collaborators(origin) => Some(Self::Collaborators { repo_id: origin.repo_id }),
            _ => None,
        }
    }

    /// One job of a lane runs at a time.
    #[must_use]
    pub fn lane(&self) -> String {
        match self {
            Self::Account { owner, .. } => format!("org/{}", owner.as_str().to_ascii_lowercase()),
            Self::Settings { owner, .. } => format!("org/{}/settings", owner.as_str().to_ascii_lowercase()),
            Self::Collaborators { repo_id } => format!("repo/{repo_id}/people"),
            Self::Base { repo_id, branch } => format!("base/{repo_id}/{branch}"),
            Self::Head { repo_id, sha, .. } => format!("head/{repo_id}/{sha}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::webhook::{CheckSuiteEvent, PeopleEvent, PushEvent};

    #[test]
    fn what_concerns_many_pull_requests_has_a_lane_of_its_own() {
        let check = |event: Event, expected: Option<&str>| {
            let wide = Wide::of(event);
            assert_eq!(wide.as_ref().map(Wide::lane).as_deref(), expected);
        };
        let origin = || Origin {
            repo: RepoName::parse("acme/prompts").unwrap(),
            repo_id: RepoId(11),
            installation: Some(InstallationId(5)),
        };
        let sha = CommitSha::parse(&"a".repeat(40)).unwrap();
        let people = PeopleEvent { org: Login::parse("Acme").unwrap(), installation: Some(InstallationId(5)) };
        let push = |after| PushEvent { origin: origin(), branch: BranchName::parse("main").unwrap(), after };
        let suite = CheckSuiteEvent { origin: origin(), head_sha: sha.clone(), pulls: vec![], sender: None };
        check(Event::People(people), Some("org/acme"));
        check(Event::Collaborators(origin()), Some("repo/11/people"));
        check(Event::Push(push(Some(sha.clone()))), Some("base/11/main"));
        check(Event::Push(push(None)), None);
        let home = Origin { repo: RepoName::parse("acme/.github").unwrap(), ..origin() };
        let of_home = PushEvent { origin: home, ..push(Some(sha.clone())) };
        check(Event::Push(of_home), Some("org/acme/settings"));
        check(Event::CheckSuiteRerequested(suite), Some(&format!("head/11/{sha}")));
        check(Event::Ping, None);
    }
}
