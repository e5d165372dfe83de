//! Where the app is installed, and what is open there, in requests that cost nothing while nothing changes. Decides nothing.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::{Ask, part};
use super::auth::Scope;
use super::branch::ref_route;
use super::client::Github;
use super::error::GithubError;
use super::wire;
use crate::domain::ids::{BranchName, CommitSha, InstallationId, PullNumber, RepoId, RepoName};

/// A repository of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRepository {
    /// Its lasting id.
    pub id: RepoId,
    /// Its name.
    pub name: RepoName,
    /// Whether issues or pull requests are open there, and may change.
    pub is_busy: bool,
}

/// An open pull request of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPull {
    /// Its number.
    pub number: PullNumber,
    /// Its head.
    pub head_sha: CommitSha,
    /// The branch it goes to.
    pub base_branch: BranchName,
}

/// An answer that is asked for again with its tag.
#[derive(Debug)]
pub(super) struct Page {
    tag: String,
    body: String,
    has_next: bool,
}

impl Page {
    /// For the bound of what is kept.
    pub fn size(&self) -> u32 {
        u32::try_from(self.body.len() + self.tag.len()).unwrap_or(u32::MAX)
    }
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
    suspended_at: Option<String>,
}

#[derive(Deserialize)]
struct Repositories {
    repositories: Vec<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    id: RepoId,
    full_name: RepoName,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    disabled: bool,
    open_issues_count: u64,
}

/// More pages than any list that is surveyed can have.
const MOST_PAGES: usize = 200;
const PER_PAGE: usize = 100;

impl Github {
    /// All installations that are not suspended.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn installations(&self) -> Result<Vec<InstallationId>, GithubError> {
        const WHAT: &str = "the app's installations";
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let answer =
                self.as_app(&Ask::get(format!("/app/installations?per_page={PER_PAGE}&page={page}"), WHAT)).await?;
            let found: Vec<Installation> = answer.parse(WHAT)?;
            let is_last = !answer.has_next.unwrap_or(found.len() == PER_PAGE);
            all.extend(found.into_iter().filter(|one| one.suspended_at.is_none()).map(|one| InstallationId(one.id)));
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// All repositories that an installation covers.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn repositories(&self, installation: InstallationId) -> Result<Vec<ListedRepository>, GithubError> {
        let what = format!("the repositories of installation {installation}");
        let mut all = Vec::new();
        for number in 1..=MOST_PAGES {
            let route = format!("/installation/repositories?per_page={PER_PAGE}&page={number}");
            let page = self.page(installation, route, &what).await?;
            let found: Repositories = read(&page, &what)?;
            all.extend(found.repositories.into_iter().map(|repo| ListedRepository {
                id: repo.id,
                name: repo.full_name,
                is_busy: repo.open_issues_count > 0 && !repo.archived && !repo.disabled,
            }));
            if !page.has_next {
                break;
            }
        }
        Ok(all)
    }

    /// The open pull requests of a repository.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn open_pulls(
        &self,
        installation: InstallationId,
        repo: &RepoName,
    ) -> Result<Vec<ListedPull>, GithubError> {
        let what = format!("the open pull requests of {repo}");
        let mut all = Vec::new();
        for number in 1..=MOST_PAGES {
            let route = repo_route(repo, &format!("/pulls?state=open&per_page={PER_PAGE}&page={number}"));
            let page = self.page(installation, route, &what).await?;
            for pull in read::<Vec<wire::Pull>>(&page, &what)? {
                let shape = |error| GithubError::shape(&what, error);
                all.push(ListedPull {
                    number: PullNumber(pull.number),
                    head_sha: CommitSha::parse(&pull.head.sha).map_err(shape)?,
                    base_branch: BranchName::parse(&pull.base.name).map_err(shape)?,
                });
            }
            if !page.has_next {
                break;
            }
        }
        Ok(all)
    }

    /// A branch's tip; `None` if there is no such branch.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn surveyed_tip(
        &self,
        installation: InstallationId,
        repo: &RepoName,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, GithubError> {
        let what = format!("branch {branch} of {repo}");
        let page = match self.page(installation, repo_route(repo, &ref_route(branch)), &what).await {
            Err(GithubError::NotFound { .. }) => return Ok(None),
            page => page?,
        };
        let found: wire::Ref = read(&page, &what)?;
        CommitSha::parse(&found.object.sha).map(Some).map_err(|error| GithubError::shape(&what, error))
    }

    /// An answer that GitHub gives for nothing where it is the one we have.
    async fn page(&self, installation: InstallationId, route: String, what: &str) -> Result<Arc<Page>, GithubError> {
        let key = (installation, route.clone());
        let known = self.pages().get(&key).await;
        let ask = Ask { tag: known.as_ref().map(|page| page.tag.clone()), ..Ask::get(route, what) };
        let answer = self.call(installation, &Scope::Survey, &ask).await?;
        if let Some(known) = known.filter(|_| answer.is_unchanged) {
            return Ok(known);
        }
        let has_next = answer.has_next.unwrap_or(false);
        let page = Arc::new(Page { tag: answer.tag.clone().unwrap_or_default(), body: answer.body, has_next });
        if !page.tag.is_empty() {
            self.pages().insert(key, page.clone()).await;
        }
        Ok(page)
    }
}

fn read<T: DeserializeOwned>(page: &Page, what: &str) -> Result<T, GithubError> {
    serde_json::from_str(&page.body).map_err(|error| GithubError::shape(what, error))
}

fn repo_route(repo: &RepoName, rest: &str) -> String {
    format!("/repos/{}/{}{rest}", part(repo.owner()), part(repo.name()))
}
