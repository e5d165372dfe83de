//! Tests of a policy, `.github/promptops.tests.yml`: facts in, the expected decision out. Pure: no GitHub, no clock, no files.

mod facts;
pub(in crate::domain) mod read;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::diagnostic::Location;
use super::gate::Verdict;
use super::ids::{BranchName, Login, PromptPath, TeamSlug};
use super::policy::Change;
use super::policy::facts::{ChangeSize, LintCounts, ReviewState};

pub use facts::{Imagined, imagine};
pub use read::{parse, parse_facts};
pub use run::{Outcome, run};

/// Path of the tests in a repository.
pub const TESTS_PATH: &str = ".github/promptops.tests.yml";

/// A file of tests to start from.
pub const EXAMPLE: &str = "\
teams: { \"@acme/prompt-reviewers\": [\"@mara\"] }
tests:
  - name: a change waits for a reviewer
    pull: { author: \"@ann\", changes: [prompts/a.prompt.yml] }
    expect: { approval: waiting }
";

/// A file of tests.
#[derive(Debug, Clone, PartialEq)]
pub struct TestFile {
    /// Who is in which team, and may do what.
    pub people: People,
    /// The tests, in file order.
    pub tests: Vec<PolicyTest>,
}

/// What is true of people, whatever the pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// Teams; one that is not listed cannot be read.
    pub teams: BTreeMap<TeamSlug, Team>,
    /// Permission levels in the repository.
    pub permissions: BTreeMap<Login, String>,
    /// The repository's CODEOWNERS, path and text, where whoever reads the tests has it.
    pub code_owners: Option<(PromptPath, Vec<u8>)>,
}

/// What is known of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Team {
    /// Its active members.
    Members(Vec<Login>),
    /// The app may not read it.
    Unreadable,
}

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyTest {
    /// Its name, unique in the file.
    pub name: String,
    /// Where it stands.
    pub at: Location,
    /// The facts.
    pub scenario: Scenario,
    /// What the policy must make of them.
    pub expect: Expect,
}

/// The facts of an imagined pull request.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The pull request.
    pub pull: Pull,
    /// Its reviews, oldest first.
    pub reviews: Vec<Review>,
    /// How the evaluation ended; `None` while it has not.
    pub verdict: Option<Verdict>,
}

/// An imagined pull request.
#[derive(Debug, Clone, PartialEq)]
pub struct Pull {
    /// Who opened it.
    pub author: Login,
    /// The branch it goes to.
    pub base: BranchName,
    /// Whether it comes from a fork.
    pub fork: bool,
    /// Its labels.
    pub labels: Vec<String>,
    /// The files it changes; those without a kind are what the settings make of their names.
    pub changes: Vec<FileChange>,
    /// Whom the changed prompts name as owners on base.
    pub owners: Vec<String>,
    /// Changed prompts that name no owner on base.
    pub unowned: Vec<PromptPath>,
    /// How much it changes; counted from `changes` where it is not given.
    pub size: Option<ChangeSize>,
    /// What lint found.
    pub lint: LintCounts,
    /// Who made its commits; `None` is somebody without an account.
    pub commits_by: Vec<Option<Login>>,
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Its path.
    pub path: PromptPath,
    /// What it is; empty: what the settings make of its name.
    pub kinds: Vec<Change>,
}

/// An imagined review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// By whom.
    pub by: Login,
    /// What it says.
    pub state: ReviewState,
    /// Whether the governed content has changed since.
    pub outdated: bool,
}

/// What is expected of a decision; what is absent is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// Where the approvals stand.
    pub approval: Option<Stands>,
    /// Whether the evaluation lets the change pass.
    pub passes: Option<bool>,
    /// Where single rules stand, by their names.
    pub rules: Vec<(String, Stands)>,
}

/// Where a rule, or all of them, stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// Nothing is missing.
    Satisfied,
    /// People, or the evaluation, are missing.
    Waiting,
    /// Somebody a rule names asked for changes.
    ChangesRequested,
    /// Something that must be known is not.
    Undecidable,
    /// The rule does not apply; never said of all rules together.
    DoesNotApply,
}

impl Stands {
    /// The word in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Satisfied => "satisfied",
            Self::Waiting => "waiting",
            Self::ChangesRequested => "changes_requested",
            Self::Undecidable => "undecidable",
            Self::DoesNotApply => "does_not_apply",
        }
    }
}
