//! Which group of a merge queue a job is about, as it survives a restart. Knows neither queue nor handler.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{BranchName, CommitSha, InstallationId, PullNumber, RepoId, RepoName};

/// Which group of a merge queue a job is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRef {
    /// The repository's name when the event happened.
    pub repo: RepoName,
    /// Its lasting id.
    pub repo_id: RepoId,
    /// Through which installation to act; looked up when absent.
    pub installation: Option<InstallationId>,
    /// The group's own head.
    pub head_sha: CommitSha,
    /// The group's own branch.
    pub head_branch: BranchName,
    /// The commit it is built on.
    pub base_sha: CommitSha,
    /// The branch it goes to.
    pub base_branch: BranchName,
}

impl GroupRef {
    /// The lane of this group.
    #[must_use]
    pub fn lane(&self) -> String {
        format!("{}/group/{}", self.repo_id, self.head_sha)
    }

    /// The pull request that its branch names: `gh-readonly-queue/<base>/pr-<number>-<commit>`.
    #[must_use]
    pub fn number(&self) -> Option<PullNumber> {
        let rest = self.head_branch.as_str().strip_prefix("gh-readonly-queue/")?;
        let rest = rest.strip_prefix(self.base_branch.as_str())?.strip_prefix("/pr-")?;
        rest.split_once('-')?.0.parse().ok().map(PullNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_names_its_pull_request_by_its_branch() {
        let check = |branch: &str, base: &str, expected: Option<u64>| {
            let group = GroupRef {
                repo: RepoName::parse("acme/prompts").unwrap(),
                repo_id: RepoId(11),
                installation: None,
                head_sha: CommitSha::parse(&"a".repeat(40)).unwrap(),
                head_branch: BranchName::parse(branch).unwrap(),
                base_sha: CommitSha::parse(&"b".repeat(40)).unwrap(),
                base_branch: BranchName::parse(base).unwrap(),
            };
            assert_eq!(group.number(), expected.map(PullNumber), "{branch}");
        };
        check("gh-readonly-queue/main/pr-17-0123abc", "main", Some(17));
        check("gh-readonly-queue/release/1-x/pr-17-0123abc", "release/1-x", Some(17));
        check("gh-readonly-queue/main/pr-17-0123abc", "release", None);
        check("gh-readonly-queue/main/pr-x-0123abc", "main", None);
        check("main/pr-17-0123abc", "main", None);
    }
}
