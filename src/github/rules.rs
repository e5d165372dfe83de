//! What a branch requires before a merge, from rulesets and from branch protection, as far as the app may see. Judges nothing.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::{Ask, part};
use super::auth::Scope;
use super::client::Github;
use super::error::GithubError;
use super::repository::decode;
use super::wire;
use crate::domain::doctor::repository::{Required, RulesSeen};
use crate::domain::ids::{BranchName, InstallationId, PromptPath, RepoName};

/// More pages of rules than a branch has.
const MOST_PAGES: usize = 10;
const PER_PAGE: usize = 100;
/// More rulesets than are asked who may bypass them.
const MOST_RULESETS: usize = 20;

#[derive(Deserialize)]
struct Home {
    default_branch: BranchName,
}

#[derive(Deserialize)]
struct Branch {
    protection: Option<Protection>,
}

#[derive(Deserialize)]
struct Protection {
    #[serde(default)]
    enabled: bool,
    required_status_checks: Option<ProtectedChecks>,
}

#[derive(Deserialize)]
struct ProtectedChecks {
    #[serde(default)]
    checks: Vec<ProtectedCheck>,
    #[serde(default)]
    strict: bool,
}

#[derive(Deserialize)]
struct Enforced {
    enabled: bool,
}

#[derive(Deserialize)]
struct ProtectedCheck {
    context: String,
    app_id: Option<i64>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(rename = "type")]
    kind: String,
    ruleset_id: Option<u64>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(default)]
    required_status_checks: Vec<RuleCheck>,
    #[serde(default)]
    strict_required_status_checks_policy: bool,
}

#[derive(Deserialize)]
struct RuleCheck {
    context: String,
    integration_id: Option<i64>,
}

#[derive(Deserialize)]
struct Ruleset {
    /// Left out for those who may not edit the ruleset.
    bypass_actors: Option<Vec<Actor>>,
}

#[derive(Deserialize)]
struct Actor {
    actor_id: Option<i64>,
    actor_type: String,
}

/// Any app at all is written as none, or as a number below one.
fn source(app: Option<i64>) -> Option<u64> {
    app.and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0)
}

/// One repository, asked through the installation that covers it.
#[derive(Debug)]
pub struct Lookout<'a> {
    github: &'a Github,
    installation: InstallationId,
    name: &'a RepoName,
    reads: Scope,
}

impl Github {
    /// A look at a repository.
    ///
    /// # Errors
    /// `NotFound` if the app is not installed on it, and whatever a call can meet.
    pub async fn lookout<'a>(&'a self, name: &'a RepoName) -> Result<Lookout<'a>, GithubError> {
        let installation = self.installation_of(name).await?;
        Ok(Lookout { github: self, installation, name, reads: Scope::Contents(name.name().to_owned()) })
    }
}

impl Lookout<'_> {
    /// The branch that pull requests go to by themselves.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn default_branch(&self) -> Result<BranchName, GithubError> {
        let home: Home = self.get("", format!("repository {}", self.name)).await?;
        Ok(home.default_branch)
    }

    /// A file on a branch; `None` if there is none.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn file(&self, path: &PromptPath, branch: &BranchName) -> Result<Option<Bytes>, GithubError> {
        let parts: Vec<String> = path.as_str().split('/').map(part).collect();
        let rest = format!("/contents/{}?ref={}", parts.join("/"), part(branch.as_str()));
        let what = format!("{path} of {}", self.name);
        match self.get::<wire::Content>(&rest, what.clone()).await {
            Ok(content) => decode(&content, &what).map(Some),
            Err(GithubError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a branch requires; `None` if there is no such branch.
    ///
    /// # Errors
    /// Whatever a call can meet, but for refusals of what the app does not ask for: those are told.
    pub async fn rules(&self, branch: &BranchName) -> Result<Option<RulesSeen>, GithubError> {
        let route = format!("/branches/{}", part(branch.as_str()));
        let found: Branch = match self.get(&route, format!("branch {branch} of {}", self.name)).await {
            Err(GithubError::NotFound { .. }) => return Ok(None),
            found => found?,
        };
        let mut seen = RulesSeen::default();
        self.rulesets(branch, &mut seen).await?;
        if let Some(protection) = found.protection.filter(|protection| protection.enabled) {
            let checks = protection.required_status_checks.into_iter().flat_map(|required| required.checks);
            seen.required.extend(checks.map(|check| Required {
                name: check.context,
                app: source(check.app_id),
                by: "branch protection".to_owned(),
            }));
            self.protection(branch, &mut seen).await?;
        }
        Ok(Some(seen))
    }

    async fn rulesets(&self, branch: &BranchName, seen: &mut RulesSeen) -> Result<(), GithubError> {
        let mut rulesets: Vec<u64> = Vec::new();
        for page in 1..=MOST_PAGES {
            let rest = format!("/rules/branches/{}?per_page={PER_PAGE}&page={page}", part(branch.as_str()));
            let rules: Vec<Rule> = self.get(&rest, format!("the rules of {branch} of {}", self.name)).await?;
            let is_last = rules.len() < PER_PAGE;
            for Rule { kind, ruleset_id, parameters } in rules {
                let by = ruleset_id.map_or_else(|| "a ruleset".to_owned(), |id| format!("ruleset {id}"));
                rulesets.extend(ruleset_id.filter(|id| !rulesets.contains(id)));
                seen.has_queue |= kind == "merge_queue";
                let Some(parameters) = parameters.filter(|_| kind == "required_status_checks") else { continue };
                if parameters.strict_required_status_checks_policy {
                    seen.strict.push(by.clone());
                }
                seen.required.extend(parameters.required_status_checks.into_iter().map(|check| Required {
                    name: check.context,
                    app: source(check.integration_id),
                    by: by.clone(),
                }));
            }
            if is_last {
                break;
            }
        }
        seen.has_ruleset = !rulesets.is_empty();
        seen.bypass = self.bypass(&rulesets).await?;
        Ok(())
    }

    /// Who may pass by these rulesets; `None` where GitHub does not show it for one of them.
    async fn bypass(&self, rulesets: &[u64]) -> Result<Option<Vec<String>>, GithubError> {
        let mut all: Vec<String> = Vec::new();
        for id in rulesets.iter().take(MOST_RULESETS) {
            let found = self.get::<Ruleset>(&format!("/rulesets/{id}"), format!("ruleset {id} of {}", self.name)).await;
            let actors = match found {
                Ok(ruleset) => ruleset.bypass_actors,
                Err(GithubError::NotFound { .. } | GithubError::Forbidden { .. }) => None,
                Err(error) => return Err(error),
            };
            let Some(actors) = actors else { return Ok(None) };
            all.extend(actors.into_iter().map(|actor| match actor.actor_id {
                Some(id) => format!("{} {id}", actor.actor_type),
                None => actor.actor_type,
            }));
        }
        all.sort();
        all.dedup();
        Ok(Some(all))
    }

    /// What of branch protection only administrators see.
    async fn protection(&self, branch: &BranchName, seen: &mut RulesSeen) -> Result<(), GithubError> {
        let found = async {
            let checks: Option<ProtectedChecks> = self.administered(branch, "required_status_checks").await?;
            let admins: Option<Enforced> = self.administered(branch, "enforce_admins").await?;
            Ok((checks.is_some_and(|checks| checks.strict), admins.is_some_and(|admins| !admins.enabled)))
        };
        match found.await {
            Ok((is_strict, is_lax)) => {
                seen.strict.extend(is_strict.then(|| "branch protection".to_owned()));
                seen.is_lax = is_lax;
            }
            Err(GithubError::Validation { .. } | GithubError::Forbidden { .. }) => seen.unseen.push(
                "whether branch protection wants branches up to date, and whether administrators may bypass it, takes \
                 Administration: read, which the app does not ask for"
                    .to_owned(),
            ),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// A part of a branch's protection; `None` where it protects nothing of that kind.
    async fn administered<T: DeserializeOwned>(
        &self,
        branch: &BranchName,
        kind: &str,
    ) -> Result<Option<T>, GithubError> {
        let what = format!("the protection of {branch} of {}", self.name);
        let route = self.route(&format!("/branches/{}/protection/{kind}", part(branch.as_str())));
        let scope = Scope::Protection(self.name.name().to_owned());
        match self.github.call(self.installation, &scope, &Ask::get(route, what.clone())).await {
            Ok(answer) => answer.parse(&what).map(Some),
            Err(GithubError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn route(&self, rest: &str) -> String {
        format!("/repos/{}/{}{rest}", part(self.name.owner()), part(self.name.name()))
    }

    async fn get<T: DeserializeOwned>(&self, rest: &str, what: String) -> Result<T, GithubError> {
        let ask = Ask::get(self.route(rest), what);
        self.github.call(self.installation, &self.reads, &ask).await?.parse(&ask.what)
    }
}
