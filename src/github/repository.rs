//! Reading one repository: each function is one endpoint, paged to its end. Knows no policy and writes nothing.

use base64::Engine as _;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::answer::{Answer, Ask, part};
use super::auth::Scope;
use super::client::Github;
use super::error::GithubError;
use super::tree::{Tree, TreeEntry};
use super::wire;
use crate::domain::ids::{BranchName, CommitSha, InstallationId, Login, PromptPath, PullNumber, RepoId, RepoName};
use crate::domain::policy::facts::{Person, Review, ReviewState};

/// One repository, as an installation of the app sees it.
#[derive(Debug, Clone)]
pub struct Repository {
    github: Github,
    installation: InstallationId,
    name: RepoName,
    id: RepoId,
}

/// A pull request at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullView {
    /// Its number.
    pub number: PullNumber,
    /// Its title: text from outside.
    pub title: String,
    /// Whether it is open.
    pub is_open: bool,
    /// Whether it was merged.
    pub is_merged: bool,
    /// Whether it is a draft.
    pub is_draft: bool,
    /// Whether its conversation is locked.
    pub is_locked: bool,
    /// Who opened it; `None` for a deleted account.
    pub author: Option<Person>,
    /// The branch it would be merged into.
    pub base_branch: BranchName,
    /// That branch's tip when GitHub last looked, which may be long ago.
    pub recorded_base: CommitSha,
    /// The commit it brings.
    pub head_sha: CommitSha,
    /// The branch it brings.
    pub head_branch: String,
    /// Whether head is in another repository, or its repository is gone.
    pub is_fork: bool,
    /// Whether head's repository is gone.
    pub head_repo_is_gone: bool,
    /// Whether everybody can read the repository; false where GitHub does not say.
    pub is_public: bool,
    /// How many files it changes.
    pub changed_files: u64,
    /// How many commits it brings.
    pub commits: u64,
    /// Its labels: text from outside.
    pub labels: Vec<String>,
    /// When it last changed in any way, in seconds since the Unix epoch by GitHub's clock, where GitHub says.
    pub changed_s: Option<i64>,
}

/// What somebody may do in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// `admin`, `maintain`, `write`, `triage`, `read`, `none`; a role of the organisation's own making is given as the one of
    /// these it builds on.
    pub role: String,
}

impl Permission {
    /// Whether they may push.
    #[must_use]
    pub fn can_write(&self) -> bool {
        matches!(self.role.as_str(), "admin" | "maintain" | "write")
    }

    fn read(found: wire::Permission) -> Self {
        let known =
            |role: &String| matches!(role.as_str(), "admin" | "maintain" | "write" | "triage" | "read" | "none");
        Self { role: found.role_name.filter(known).unwrap_or(found.permission) }
    }
}

/// Entries on a page.
const PER_PAGE: usize = 100;
/// More pages than any list of GitHub's that we read can have.
const MOST_PAGES: usize = 1000;

impl Repository {
    pub(super) fn new(github: Github, installation: InstallationId, name: RepoName, id: RepoId) -> Self {
        Self { github, installation, name, id }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &RepoName {
        &self.name
    }

    /// Its numeric id.
    #[must_use]
    pub fn id(&self) -> RepoId {
        self.id
    }

    /// Through which installation it is seen.
    #[must_use]
    pub fn installation(&self) -> InstallationId {
        self.installation
    }

    pub(super) fn github(&self) -> &Github {
        &self.github
    }

    /// `/repos/{owner}/{repo}` and what follows.
    pub(super) fn route(&self, rest: &str) -> String {
        format!("/repos/{}/{}{rest}", part(self.name.owner()), part(self.name.name()))
    }

    pub(super) async fn ask(&self, ask: &Ask) -> Result<Answer, GithubError> {
        self.github.call(self.installation, &Scope::Gate(self.id), ask).await
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, route: String, what: String) -> Result<T, GithubError> {
        let ask = Ask::get(route, what);
        self.ask(&ask).await?.parse(&ask.what)
    }

    /// A list from its first page to its last, or until `enough` says so of a page.
    pub(super) async fn pages<T: DeserializeOwned>(
        &self,
        route: &str,
        what: &str,
        mut enough: impl FnMut(&[T]) -> bool + Send,
    ) -> Result<Vec<T>, GithubError> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let separator = if route.contains('?') { '&' } else { '?' };
            let ask = Ask::get(format!("{route}{separator}per_page={PER_PAGE}&page={page}"), what);
            let answer = self.ask(&ask).await?;
            let items: Vec<T> = answer.parse(what)?;
            let is_last = !answer.has_next.unwrap_or(items.len() == PER_PAGE) || enough(&items);
            all.extend(items);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// The pull request as it is now.
    ///
    /// # Errors
    /// `NotFound` if it is not there, and whatever a call can meet.
    pub async fn pull(&self, number: PullNumber) -> Result<PullView, GithubError> {
        let what = format!("pull request {}#{number}", self.name);
        let pull: wire::Pull = self.get(self.route(&format!("/pulls/{number}")), what.clone()).await?;
        view(pull).map_err(|error| GithubError::shape(&what, error))
    }

    /// All files of a commit; `truncated` where GitHub cuts the list.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn tree(&self, commit: &CommitSha) -> Result<Tree, GithubError> {
        let what = format!("the files of {}@{}", self.name, commit.short());
        let tree: wire::Tree = self.get(self.route(&format!("/git/trees/{commit}?recursive=1")), what).await?;
        Ok(Tree::read(tree))
    }

    /// The bytes of a file of a tree. Equal ids mean equal bytes, so what was read is kept for a while.
    ///
    /// # Errors
    /// `TooLarge` beyond `limit` bytes, and whatever a call can meet.
    pub async fn blob(&self, entry: &TreeEntry, limit: u64) -> Result<Bytes, GithubError> {
        let sha = &entry.sha;
        let what = format!("blob {sha}");
        let too_large = |size| GithubError::TooLarge { what: what.clone(), size, limit };
        if entry.size > limit {
            return Err(too_large(entry.size));
        }
        let key = (self.id, sha.clone());
        if let Some(bytes) = self.github.blobs().get(&key).await {
            return Ok(bytes);
        }
        let content: wire::Content = self.get(self.route(&format!("/git/blobs/{sha}")), what.clone()).await?;
        let bytes = decode(&content, &what)?;
        if bytes.len() as u64 > limit {
            return Err(too_large(bytes.len() as u64));
        }
        self.github.blobs().insert(key, bytes.clone()).await;
        Ok(bytes)
    }

    /// A file of a commit by its path, for trees too large to be listed; `None` if it is not there.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn file_at(&self, commit: &CommitSha, path: &PromptPath) -> Result<Option<Bytes>, GithubError> {
        let parts: Vec<String> = path.as_str().split('/').map(part).collect();
        let what = format!("{path} of {}@{}", self.name, commit.short());
        let route = self.route(&format!("/contents/{}?ref={commit}", parts.join("/")));
        match self.get::<wire::Content>(route, what.clone()).await {
            Ok(content) => decode(&content, &what).map(Some),
            Err(GithubError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Submitted reviews, oldest first.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn reviews(&self, number: PullNumber) -> Result<Vec<Review>, GithubError> {
        let what = format!("the reviews of {}#{number}", self.name);
        let reviews: Vec<wire::Review> =
            self.pages(&self.route(&format!("/pulls/{number}/reviews")), &what, |_| false).await?;
        Ok(reviews.into_iter().filter_map(review).collect())
    }

    /// What somebody may do in the repository.
    ///
    /// # Errors
    /// Whatever a call can meet, except that they are unknown, which is the permission `none`.
    pub async fn permission(&self, login: &Login) -> Result<Permission, GithubError> {
        let route = self.route(&format!("/collaborators/{}/permission", part(login.as_str())));
        match self.get(route, format!("the permission of @{login} on {}", self.name)).await {
            Ok(found) => Ok(Permission::read(found)),
            Err(GithubError::NotFound { .. }) => Ok(Permission { role: "none".to_owned() }),
            Err(error) => Err(error),
        }
    }

    /// What exactly this person may do: a login that somebody else has by now gives nothing.
    ///
    /// # Errors
    /// As [`Repository::permission`].
    pub async fn permission_of(&self, person: &Person) -> Result<Permission, GithubError> {
        let nobody = Permission { role: "none".to_owned() };
        let route = self.route(&format!("/collaborators/{}/permission", part(person.login.as_str())));
        match self.get::<wire::Permission>(route, format!("the permission of @{} on {}", person.login, self.name)).await
        {
            Ok(found) if found.user.as_ref().and_then(wire::Account::person).is_none_or(|now| now.id != person.id) => {
                Ok(nobody)
            }
            Ok(found) => Ok(Permission::read(found)),
            Err(GithubError::NotFound { .. }) => Ok(nobody),
            Err(error) => Err(error),
        }
    }

    /// Open pull requests into a branch whose head is this commit. Listed by their base: GitHub's list by commit lacks those
    /// from forks, and those whose commit is on the default branch already.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn pulls_with_head(&self, base: &BranchName, head: &CommitSha) -> Result<Vec<PullNumber>, GithubError> {
        let what = format!("the open pull requests of {} into {base}", self.name);
        let route = self.route(&format!("/pulls?state=open&base={}", part(base.as_str())));
        let pulls: Vec<wire::Pull> = self.pages(&route, &what, |_| false).await?;
        let ours = pulls
            .into_iter()
            .filter(|pull| pull.state == "open" && pull.base.name == base.as_str() && pull.head.sha == head.as_str());
        Ok(ours.map(|pull| PullNumber(pull.number)).collect())
    }
}

fn view(pull: wire::Pull) -> Result<PullView, crate::domain::ids::InvalidId> {
    let base_repo = pull.base.repo.as_ref().map(|repo| repo.id);
    let head_repo = pull.head.repo.as_ref().map(|repo| repo.id);
    Ok(PullView {
        number: PullNumber(pull.number),
        title: pull.title.unwrap_or_default(),
        is_open: pull.state == "open",
        is_merged: pull.merged.unwrap_or(false),
        is_draft: pull.draft.unwrap_or(false),
        is_locked: pull.locked.unwrap_or(false),
        author: pull.user.as_ref().and_then(wire::Account::person),
        base_branch: BranchName::parse(&pull.base.name)?,
        recorded_base: CommitSha::parse(&pull.base.sha)?,
        head_sha: CommitSha::parse(&pull.head.sha)?,
        head_branch: pull.head.name,
        is_fork: head_repo.is_none() || head_repo != base_repo,
        head_repo_is_gone: head_repo.is_none(),
        is_public: pull.base.repo.as_ref().is_some_and(|repo| repo.private == Some(false)),
        changed_files: pull.changed_files.unwrap_or(0),
        commits: pull.commits.unwrap_or(0),
        labels: pull.labels.into_iter().map(|label| label.name).collect(),
        changed_s: pull.updated_at.as_deref().and_then(super::time::seconds),
    })
}

/// `None` for a pending review and for states GitHub may invent: neither gives an approval.
fn review(review: wire::Review) -> Option<Review> {
    let state = match review.state.as_str() {
        "APPROVED" => ReviewState::Approved,
        "CHANGES_REQUESTED" => ReviewState::ChangesRequested,
        "COMMENTED" => ReviewState::Commented,
        "DISMISSED" => ReviewState::Dismissed,
        _ => return None,
    };
    Some(Review {
        id: review.id,
        by: review.user.as_ref().and_then(wire::Account::person),
        state,
        commit: review.commit_id.and_then(|commit| CommitSha::parse(&commit).ok()),
    })
}

pub(super) fn decode(content: &wire::Content, what: &str) -> Result<Bytes, GithubError> {
    if content.encoding != "base64" {
        return Ok(Bytes::from(content.content.clone().into_bytes()));
    }
    let text: String = content.content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(text).map_err(|error| GithubError::shape(what, error))?;
    Ok(Bytes::from(bytes))
}
