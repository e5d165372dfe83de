//! All facts of one pull request, gathered at one head SHA with as few requests as they need. Decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::answer::part;
use super::branch::ref_route;
use super::content::{self, ChangedFile, Governed};
use super::contributors;
use super::error::GithubError;
use super::membership::Teams;
use super::repository::{PullView, Repository};
use super::tree::{EntryKind, Tree};
use super::wire;
use crate::domain::codeowners;
use crate::domain::ids::{CommitSha, Digest, PromptPath, PullNumber};
use crate::domain::policy::facts::{CodeOwnerFacts, CommitFact, FileFacts, PullFacts, Review};
use crate::domain::policy::{
    Policy, author_memberships_needed, commits_to_compare, memberships_needed, needs_code_owners, permissions_needed,
    teams_needed,
};
use crate::domain::source::MAX_FILE_BYTES;

/// What a pull request is and brings, before anything is known of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The pull request.
    pub pull: PullView,
    /// The tip of its base branch now: what control comes from.
    pub base_sha: CommitSha,
    /// Where head left the base branch.
    pub merge_base: CommitSha,
    /// All files it changes, relative to the merge base.
    pub files: Vec<ChangedFile>,
    /// Its commits, oldest first.
    pub commits: Vec<CommitFact>,
    /// All files at `base_sha`.
    pub base_tree: Tree,
    /// Caps that were hit; any makes the gate fail closed.
    pub caps: Vec<String>,
}

/// The most files GitHub lists in a comparison.
pub(super) const COMPARED_FILES: u64 = 300;
/// The most files GitHub lists of a pull request.
const PULL_FILES: u64 = 3000;
/// A tree that GitHub cuts.
const TRUNCATED: &str =
    "the repository has more files than GitHub lists: move the prompts to a repository of their own";
/// The most commits GitHub lists of a pull request.
pub(super) const PULL_COMMITS: u64 = 250;

/// Changed files and whether they are all.
struct Listed {
    files: Vec<ChangedFile>,
    unreadable: Vec<String>,
    truncated: bool,
}

impl Repository {
    /// Reads a pull request: three requests for a small one.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn snapshot(&self, number: PullNumber) -> Result<Snapshot, GithubError> {
        let pull = self.pull(number).await?;
        let compared = self.compare_with_base(&pull).await?;
        self.gather(pull, compared).await
    }

    /// The same of a head that `pull` describes, against exactly this commit.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn snapshot_onto(&self, pull: PullView, base: &CommitSha) -> Result<Snapshot, GithubError> {
        let compared = self.compare(base.as_str(), &pull.head_sha).await?;
        self.gather(pull, compared).await
    }

    async fn gather(&self, pull: PullView, compared: wire::Comparison) -> Result<Snapshot, GithubError> {
        let base_sha = commit_id(&compared.base_commit.sha)?;
        let merge_base = commit_id(&compared.merge_base_commit.sha)?;
        let (base_tree, listed, commits) = tokio::try_join!(
            self.tree(&base_sha),
            self.all_files(&pull, &merge_base, compared.files),
            self.all_commits(&base_sha, &pull.head_sha, compared.total_commits, compared.commits),
        )?;
        let mut caps = Vec::new();
        let changed = pull.changed_files.max(listed.files.len() as u64);
        if changed >= PULL_FILES {
            caps.push(format!(
                "the pull request changes {changed} files, and GitHub lists less than {PULL_FILES}: split it into \
                 smaller ones"
            ));
        }
        let (had, total) = (commits.len() as u64, compared.total_commits);
        if had < total {
            caps.push(format!("the pull request has {total} commits and GitHub lists {had}: squash them, or split it"));
        }
        if base_tree.truncated || listed.truncated {
            caps.push(TRUNCATED.to_owned());
        }
        caps.extend(
            listed
                .unreadable
                .iter()
                .map(|name| format!("the name of the changed file `{name}` is no path PromptOps can read: rename it")),
        );
        let known: Vec<_> = pull.author.iter().cloned().collect();
        let commits = contributors::read(&commits, &known)?;
        Ok(Snapshot { pull, base_sha, merge_base, files: listed.files, commits, base_tree, caps })
    }

    /// The comparison of the base branch's tip with head: tip, merge base, commits and files in one request.
    async fn compare_with_base(&self, pull: &PullView) -> Result<wire::Comparison, GithubError> {
        let compared = self.compare(pull.base_branch.as_str(), &pull.head_sha).await?;
        if compared.base_commit.sha == pull.recorded_base.as_str() {
            return Ok(compared);
        }
        // The branch moved, or a tag has its name: only the fully named reference says which.
        let route = self.route(&ref_route(&pull.base_branch));
        let tip: wire::Ref = self.get(route, format!("branch {} of {}", pull.base_branch, self.name())).await?;
        if compared.base_commit.sha == tip.object.sha {
            Ok(compared)
        } else {
            self.compare(&tip.object.sha, &pull.head_sha).await
        }
    }

    pub(super) async fn compare(&self, base: &str, head: &CommitSha) -> Result<wire::Comparison, GithubError> {
        let what = format!("the comparison of {base} and {} in {}", head.short(), self.name());
        self.get(self.route(&format!("/compare/{}...{head}", part(base))), what).await
    }

    /// A comparison at its cap, or with fewer files than the pull request counts, is no list of all files; then the trees
    /// tell. Unlike the pull request's own list they are of exactly these commits, whatever is pushed meanwhile.
    async fn all_files(
        &self,
        pull: &PullView,
        merge_base: &CommitSha,
        compared: Vec<wire::File>,
    ) -> Result<Listed, GithubError> {
        let listed = compared.len() as u64;
        if listed < COMPARED_FILES && listed >= pull.changed_files {
            let (files, unreadable) = content::read(compared);
            return Ok(Listed { files, unreadable, truncated: false });
        }
        let (base, head) = tokio::try_join!(self.tree(merge_base), self.tree(&pull.head_sha))?;
        let (files, unreadable) = content::between(&base, &head);
        Ok(Listed { files, unreadable, truncated: base.truncated || head.truncated })
    }

    /// A comparison may give its commits in pages; beyond GitHub's cap of a pull request they are not asked for.
    pub(super) async fn all_commits(
        &self,
        base: &CommitSha,
        head: &CommitSha,
        total: u64,
        compared: Vec<wire::Commit>,
    ) -> Result<Vec<wire::Commit>, GithubError> {
        if compared.len() as u64 >= total || total > PULL_COMMITS {
            return Ok(compared);
        }
        let mut all = Vec::new();
        for page in 1.. {
            let route = self.route(&format!("/compare/{base}...{head}?per_page=100&page={page}"));
            let what = format!("the commits of {} up to {}", self.name(), head.short());
            let found: wire::Comparison = self.get(route, what).await?;
            let is_last = found.commits.is_empty() || (all.len() + found.commits.len()) as u64 >= total;
            all.extend(found.commits);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// What must be known before a run: all but reviews and who is who, which are those of the moment of the decision.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn first_facts(
        &self,
        snapshot: &Snapshot,
        governed: Governed<'_>,
        said: FileFacts,
    ) -> Result<PullFacts, GithubError> {
        let permissions = self.author_permission(snapshot).await?;
        Ok(PullFacts { permissions, ..self.known(snapshot, governed, said) })
    }

    /// All that a policy can ask of the pull request. Reviews, memberships and permissions are looked up now; what no rule
    /// can ask for is not. `said` is what the changed files say of themselves.
    ///
    /// # Errors
    /// Whatever a call can meet.
    pub async fn facts(
        &self,
        snapshot: &Snapshot,
        governed: Governed<'_>,
        policy: &Policy,
        said: FileFacts,
    ) -> Result<PullFacts, GithubError> {
        let mut facts = self.known(snapshot, governed, said);
        if facts.changes.is_empty() {
            return Ok(facts);
        }
        (facts.reviews, facts.permissions) =
            tokio::try_join!(self.reviews_for(policy, snapshot.pull.number), self.author_permission(snapshot),)?;
        let commits = commits_to_compare(&facts);
        let at = try_join_all(commits.iter().map(|commit| self.content_at(snapshot, commit, governed))).await?;
        facts.content_at = commits.into_iter().zip(at).filter_map(|(commit, at)| Some((commit, at?))).collect();
        self.add_people(snapshot, governed, policy, &mut facts).await?;
        Ok(facts)
    }

    /// Who is who, as far as rules ask: the author first, because it depends on them which rules apply.
    async fn add_people(
        &self,
        snapshot: &Snapshot,
        governed: Governed<'_>,
        policy: &Policy,
        facts: &mut PullFacts,
    ) -> Result<(), GithubError> {
        let mut teams = Teams::default();
        let of_author = author_memberships_needed(policy, facts);
        facts.memberships = self.memberships(of_author, BTreeSet::new(), &mut teams).await?;
        if needs_code_owners(policy, facts) {
            facts.code_owners = self.code_owners(snapshot, governed).await?;
        }
        let (needed, all) = (memberships_needed(policy, facts), teams_needed(policy, facts));
        facts.memberships.extend(self.memberships(needed, all, &mut teams).await?);
        facts.unreadable_teams = teams.unreadable();
        let people = permissions_needed(policy, facts, snapshot.pull.is_public);
        let found = try_join_all(people.iter().map(|person| self.permission(&person.login))).await?;
        facts.permissions.extend(people.iter().zip(found).map(|(person, found)| (person.id.0, found.role)));
        Ok(())
    }

    /// What base's CODEOWNERS says of the changed governed files, by both names of a rename.
    async fn code_owners(&self, snapshot: &Snapshot, governed: Governed<'_>) -> Result<CodeOwnerFacts, GithubError> {
        let places = codeowners::PLACES.iter().filter_map(|place| PromptPath::parse(place).ok());
        let mut found = places.filter_map(|path| Some((snapshot.base_tree.entries.get(&path)?, path)));
        let Some((entry, file)) = found.next() else { return Ok(CodeOwnerFacts::default()) };
        let unusable = |problem: &str| {
            let problems = vec![format!("{file} on the base branch {problem}")];
            CodeOwnerFacts { file: Some(file.clone()), problems, ..CodeOwnerFacts::default() }
        };
        if entry.kind != EntryKind::File {
            return Ok(unusable("is a link, which is not followed: commit the file itself there"));
        }
        let bytes = match self.blob(entry, MAX_FILE_BYTES as u64).await {
            Ok(bytes) => bytes,
            Err(GithubError::TooLarge { .. }) => return Ok(unusable("is too large to be read: use fewer patterns")),
            Err(error) => return Err(error),
        };
        let names = snapshot.files.iter().flat_map(|file| file.previous.iter().chain([&file.path]));
        Ok(codeowners::facts(&file, &bytes, names.filter(|path| governed(path).is_some())))
    }

    /// The facts that need no further request.
    fn known(&self, snapshot: &Snapshot, governed: Governed<'_>, said: FileFacts) -> PullFacts {
        let pull = &snapshot.pull;
        let mut caps = snapshot.caps.clone();
        let content = content::digest(&snapshot.files, governed).unwrap_or_else(|| {
            caps.push("GitHub does not say what a changed file holds: push the change again".to_owned());
            Digest::of_parts([])
        });
        let mut changes = content::governed_changes(&snapshot.files, governed);
        changes.extend(said.kinds.iter().cloned());
        PullFacts {
            repo: self.name().clone(),
            repo_id: self.id(),
            number: pull.number,
            author: pull.author.clone(),
            base_branch: pull.base_branch.clone(),
            base_sha: snapshot.base_sha.clone(),
            head_sha: pull.head_sha.clone(),
            is_fork: pull.is_fork,
            changes,
            content,
            content_at: BTreeMap::new(),
            reviews: Vec::new(),
            commits: snapshot.commits.clone(),
            caps,
            said,
            labels: pull.labels.clone(),
            size: content::size(&snapshot.files, governed),
            overrides: Vec::new(),
            blocked: None,
            code_owners: CodeOwnerFacts::default(),
            unreadable_teams: Vec::new(),
            pins: Vec::new(),
            memberships: Vec::new(),
            permissions: BTreeMap::new(),
        }
    }

    /// Reviews matter only to a policy with rules.
    async fn reviews_for(&self, policy: &Policy, number: PullNumber) -> Result<Vec<Review>, GithubError> {
        if policy.rules.is_empty() { Ok(Vec::new()) } else { self.reviews(number).await }
    }

    async fn author_permission(&self, snapshot: &Snapshot) -> Result<BTreeMap<u64, String>, GithubError> {
        let Some(author) = &snapshot.pull.author else { return Ok(BTreeMap::new()) };
        let permission = self.permission(&author.login).await?;
        Ok([(author.id.0, permission.role)].into())
    }

    /// The digest of the governed content at an earlier commit; `None` where it cannot be known: the commit is gone, or its
    /// comparison reaches GitHub's cap.
    async fn content_at(
        &self,
        snapshot: &Snapshot,
        commit: &CommitSha,
        governed: Governed<'_>,
    ) -> Result<Option<Digest>, GithubError> {
        let compared = match self.compare(snapshot.base_sha.as_str(), commit).await {
            Ok(compared) => compared,
            Err(GithubError::NotFound { .. } | GithubError::Validation { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if compared.files.len() as u64 >= COMPARED_FILES {
            return Ok(None);
        }
        let (files, unreadable) = content::read(compared.files);
        Ok(if unreadable.is_empty() { content::digest(&files, governed) } else { None })
    }
}

fn commit_id(text: &str) -> Result<CommitSha, GithubError> {
    CommitSha::parse(text).map_err(|error| GithubError::shape("a comparison of commits", error))
}
