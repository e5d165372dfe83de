//! The parts of GitHub's answers that are read, as GitHub writes them. Private to this room; converts into its types.

use serde::Deserialize;

use crate::domain::ids::{Login, UserId};
use crate::domain::policy::facts::Person;

/// GitHub shows content of deleted accounts under this one; it is nobody.
const GHOST: u64 = 10137;
/// GitHub's own account for commits made on its pages; it is nobody, and no proof by itself.
const WEB_FLOW: &str = "web-flow";

#[derive(Deserialize)]
pub(super) struct Numbered {
    pub id: u64,
}

#[derive(Deserialize)]
pub(super) struct App {
    pub slug: String,
}

#[derive(Deserialize)]
pub(super) struct Token {
    pub token: String,
    pub expires_at: String,
}

/// An account; GitHub writes an unknown one as null, `{}` or its ghost.
#[derive(Deserialize)]
pub(super) struct Account {
    id: Option<u64>,
    login: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Account {
    pub fn person(&self) -> Option<Person> {
        let (id, login) = (self.id?, self.login.as_deref()?);
        if id == GHOST {
            return None;
        }
        let is_bot = self.is_bot() || login.ends_with("[bot]");
        Some(Person { id: UserId(id), login: Login::parse(login).ok()?, is_bot })
    }

    pub fn is_bot(&self) -> bool {
        self.kind.as_deref() == Some("Bot")
    }

    pub fn is(&self, login: &str) -> bool {
        self.login.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(login))
    }

    pub fn is_web_flow(&self) -> bool {
        self.login.as_deref() == Some(WEB_FLOW)
    }
}

#[derive(Deserialize)]
pub(super) struct Pull {
    pub number: u64,
    pub state: String,
    pub title: Option<String>,
    pub draft: Option<bool>,
    pub merged: Option<bool>,
    pub locked: Option<bool>,
    pub user: Option<Account>,
    pub head: Tip,
    pub base: Tip,
    pub changed_files: Option<u64>,
    pub commits: Option<u64>,
    #[serde(default)]
    pub labels: Vec<Label>,
    pub updated_at: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Label {
    pub name: String,
}

#[derive(Deserialize)]
pub(super) struct Tip {
    pub sha: String,
    #[serde(rename = "ref")]
    pub name: String,
    pub repo: Option<TipRepo>,
}

#[derive(Deserialize)]
pub(super) struct TipRepo {
    pub id: u64,
    pub private: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Comparison {
    pub base_commit: Sha,
    pub merge_base_commit: Sha,
    pub total_commits: u64,
    pub commits: Vec<Commit>,
    #[serde(default)]
    pub files: Vec<File>,
}

#[derive(Deserialize)]
pub(super) struct Sha {
    pub sha: String,
}

#[derive(Deserialize)]
pub(super) struct Ref {
    pub object: Sha,
}

#[derive(Deserialize)]
pub(super) struct File {
    pub filename: String,
    pub previous_filename: Option<String>,
    pub status: String,
    pub sha: Option<String>,
    pub additions: Option<u64>,
    pub deletions: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Commit {
    pub sha: String,
    pub author: Option<Account>,
    pub committer: Option<Account>,
    pub commit: GitCommit,
}

#[derive(Deserialize)]
pub(super) struct GitCommit {
    pub author: Option<Signature>,
    pub committer: Option<Signature>,
    pub message: String,
    pub verification: Option<Verification>,
}

/// What GitHub says of a commit's signature.
#[derive(Deserialize)]
pub(super) struct Verification {
    pub verified: bool,
}

impl Commit {
    /// Whether GitHub itself committed it. It signs its own commits; anybody can write its address into theirs.
    pub fn is_by_github(&self) -> bool {
        let verified = self.commit.verification.as_ref().is_some_and(|verification| verification.verified);
        verified && self.committer.as_ref().is_some_and(Account::is_web_flow)
    }
}

#[derive(Deserialize)]
pub(super) struct Signature {
    pub email: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Review {
    pub id: u64,
    pub user: Option<Account>,
    pub state: String,
    pub commit_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Tree {
    pub tree: Vec<TreeEntry>,
    #[serde(default)]
    pub truncated: bool,
}

#[derive(Deserialize)]
pub(super) struct TreeEntry {
    pub path: String,
    pub mode: String,
    pub sha: Option<String>,
    pub size: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Content {
    pub content: String,
    pub encoding: String,
    #[serde(default)]
    pub size: u64,
}

#[derive(Deserialize)]
pub(super) struct Membership {
    pub state: String,
}

#[derive(Deserialize)]
pub(super) struct Permission {
    pub permission: String,
    pub role_name: Option<String>,
    pub user: Option<Account>,
}

#[derive(Deserialize)]
pub(super) struct Comment {
    pub id: u64,
    pub body: Option<String>,
    pub user: Option<Account>,
    pub performed_via_github_app: Option<Numbered>,
}

#[derive(Deserialize)]
pub(super) struct CheckRuns {
    pub check_runs: Vec<CheckRun>,
}

#[derive(Deserialize)]
pub(super) struct CheckRun {
    pub id: u64,
    pub name: String,
    pub app: Option<Numbered>,
    pub output: CheckRunOutput,
}

#[derive(Deserialize)]
pub(super) struct CheckRunOutput {
    pub annotations_count: u64,
}

/// The answer to a question for the token's holder.
#[derive(Debug, Deserialize)]
pub(super) struct Viewer {
    /// Absent where the question was refused.
    pub data: Option<ViewerData>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ViewerData {
    pub viewer: ViewerAccount,
}

#[derive(Debug, Deserialize)]
pub(super) struct ViewerAccount {
    pub login: String,
}
