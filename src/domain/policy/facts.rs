//! All that is known of a pull request when a decision is made. Filled by the GitHub room, kept with the run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Principal;
use crate::domain::ids::{
    BranchName, CommitSha, Digest, Login, PromptPath, PullNumber, RepoId, RepoName, TeamSlug, UserId,
};

/// A GitHub account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Compared by this.
    pub id: UserId,
    /// Shown.
    pub login: Login,
    /// Bots never approve.
    pub is_bot: bool,
}

/// State of one review. Pending reviews are not facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// An approval.
    Approved,
    /// A request for changes.
    ChangesRequested,
    /// A mere comment: neither gives nor takes.
    Commented,
    /// An approval or request that was dismissed; never revives an older approval.
    Dismissed,
}

/// One submitted review; the list is in GitHub's (chronological) order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// GitHub's id.
    pub id: u64,
    /// Who; `None` for a deleted account.
    pub by: Option<Person>,
    /// What.
    pub state: ReviewState,
    /// On which commit; `None` when GitHub does not say.
    pub commit: Option<CommitSha>,
}

/// Who made one commit of the pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitFact {
    /// The commit.
    pub sha: CommitSha,
    /// The author's account; `None` if it maps to none.
    pub author: Option<Person>,
    /// The committer's account; `None` if it maps to none. GitHub's own web committer (`web-flow`) is left out by the reader.
    pub committer: Option<Person>,
    /// True where the committer is GitHub itself (`web-flow`), which is nobody.
    pub committed_by_github: bool,
    /// Accounts named by `Co-authored-by` trailers, as far as they map to accounts.
    pub co_authors: Vec<Person>,
    /// `Co-authored-by` trailers that map to no account, as text.
    pub unknown_co_authors: Vec<String>,
}

/// What could be learned of somebody's membership in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// Counts.
    Active,
    /// Invited: does not count.
    Pending,
    /// Not a member, and the team itself can be read.
    No,
    /// The team cannot be read: an error, not "no".
    Unreadable,
}

/// One changed governed file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GovernedChange {
    /// Its path on head (its old path if it was removed).
    pub path: PromptPath,
    /// Its earlier path, if it was renamed.
    pub previous: Option<PromptPath>,
    /// What it is.
    pub kind: super::Change,
}

/// What the changed files themselves say, as far as approvals go by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileFacts {
    /// `@user` and `@org/team` that the changed prompts name as owners on base.
    pub owners: Vec<String>,
    /// Changed prompts that base has and that name no owner there, or whose owner cannot be read.
    pub unowned: Vec<PromptPath>,
    /// Kinds of change that a file's name does not tell: a prompt file whose own cases change is a golden set as well, one
    /// that names another model changes the model.
    pub kinds: Vec<GovernedChange>,
    /// What lint found in the changed files.
    pub lint: LintCounts,
}

/// How many findings of lint there are, by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LintCounts {
    /// Errors.
    pub errors: u64,
    /// Warnings.
    pub warnings: u64,
}

/// How much a pull request changes in governed files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangeSize {
    /// Governed files that change.
    pub files: u64,
    /// Lines added and removed in them; `None` where GitHub does not say.
    pub lines: Option<u64>,
}

/// What base's CODEOWNERS says of the changed governed files; empty where no rule asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeOwnerFacts {
    /// The file; `None` where base has none.
    pub file: Option<PromptPath>,
    /// Changed files that have owners, together where the owners are the same. Files without an owner are left out.
    pub owned: Vec<OwnedPaths>,
    /// What keeps an owner from being known, one sentence each, which names file and line and ends with what to do.
    pub problems: Vec<String>,
}

/// Changed files with the same owners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedPaths {
    /// Any one of them speaks for these files; never empty.
    pub owners: Vec<Principal>,
    /// The files; never empty.
    pub paths: Vec<PromptPath>,
}

/// How an evaluation blocks a change, as far as an override tells one from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocked {
    /// A regression was measured, now or by earlier runs of the same content.
    Regression,
    /// Too little or nothing could be measured.
    NotMeasured,
    /// The run would cost too much, or did.
    OverBudget,
    /// Files cannot be used as they are.
    BrokenFiles,
}

/// The result that somebody looked at before they overrode it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedResult {
    /// Digest of the question it answers: what controls the pull request, and what it changes.
    pub question: Digest,
    /// How it blocks.
    pub how: Blocked,
}

/// Somebody asked to let the change through although the evaluation blocks it. Bound to one commit and one result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideFact {
    /// Who.
    pub by: Person,
    /// Why: text from outside, never empty.
    pub reason: String,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The comment that asked for it.
    pub comment_id: u64,
    /// The commit it was given for.
    pub sha: CommitSha,
    /// The result it was given for.
    pub given_for: BlockedResult,
    /// Whether a push or another base branch has taken it back; it stays so even if the same commit comes again.
    pub lapsed: bool,
}

/// Facts of one pull request, gathered at one head SHA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullFacts {
    /// The repository.
    pub repo: RepoName,
    /// Its numeric id.
    pub repo_id: RepoId,
    /// The pull request.
    pub number: PullNumber,
    /// Who opened it; `None` for a deleted account.
    pub author: Option<Person>,
    /// The branch it would be merged into.
    pub base_branch: BranchName,
    /// That branch's tip.
    pub base_sha: CommitSha,
    /// The commit all facts are of.
    pub head_sha: CommitSha,
    /// Whether head is in another repository (or its repository is gone).
    pub is_fork: bool,
    /// Changed governed files.
    pub changes: Vec<GovernedChange>,
    /// Digest of the governed content the pull request brings, at head.
    pub content: Digest,
    /// The same at the commits of reviews that were made elsewhere; a commit that is missing cannot be compared.
    pub content_at: BTreeMap<CommitSha, Digest>,
    /// Reviews in GitHub's order.
    pub reviews: Vec<Review>,
    /// Commits, oldest first.
    pub commits: Vec<CommitFact>,
    /// Caps that were hit (3,000 files, 250 commits, truncated trees …): one sentence each; any makes the gate fail closed.
    pub caps: Vec<String>,
    /// What the changed files say of themselves.
    #[serde(default)]
    pub said: FileFacts,
    /// The pull request's labels.
    #[serde(default)]
    pub labels: Vec<String>,
    /// How much it changes.
    #[serde(default)]
    pub size: ChangeSize,
    /// Overrides that nobody has taken back, oldest first; also those that a push has.
    #[serde(default)]
    pub overrides: Vec<OverrideFact>,
    /// The result that an override has to be given for; `None` where nothing blocks, or nothing has been measured yet.
    #[serde(default)]
    pub blocked: Option<BlockedResult>,
    /// What CODEOWNERS says.
    #[serde(default)]
    pub code_owners: CodeOwnerFacts,
    /// Teams that rules name and that do not exist or cannot be seen.
    #[serde(default)]
    pub unreadable_teams: Vec<TeamSlug>,
    /// Whose the logins were that settings name in person, when they first counted.
    #[serde(default)]
    pub pins: Vec<(Login, UserId)>,
    /// What is known of memberships, for every (team, person) that a rule can ask about.
    pub memberships: Vec<(TeamSlug, UserId, Membership)>,
    /// `role_name` per user, for the author and reviewers that were looked up: `admin`, `maintain`, `write`, `triage`, `read`, `none`.
    pub permissions: BTreeMap<u64, String>,
}
