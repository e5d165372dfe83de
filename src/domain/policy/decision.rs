//! What a policy says of a pull request, with its reasons. Plain data: knows no rule of its own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::gate::Verdict;
use crate::domain::ids::{CommitSha, Login};

/// What a rule, or all rules together, come to. The order is how bad it is: the worst of several is what counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is missing.
    Satisfied,
    /// Waits for people, or for the evaluation.
    Pending,
    /// Somebody a rule names asked for changes.
    ChangesRequested,
    /// Something that must be known is not: never a success, and never hidden by a mere "pending".
    Undecidable,
}

/// Whether a rule has a say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applies {
    /// Its `when` holds.
    Yes,
    /// Its `when` does not hold.
    No,
    /// It depends on a verdict that is not there yet and that would open the gate by itself.
    OnceEvaluated,
}

/// Why an approval does not count.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Why {
    /// Opened the pull request.
    Author,
    /// Wrote, committed or co-authored one of its commits.
    Contributor,
    /// Is a bot.
    Bot,
    /// Was given for other content than head's; `commit` is what was seen, where GitHub says.
    Outdated {
        /// The commit of the review.
        commit: Option<CommitSha>,
    },
    /// Was given for another result of the evaluation than the one that blocks now.
    OtherResult,
    /// Was dismissed.
    Dismissed,
    /// Is only invited to the team.
    Invited,
    /// Has no access to the repository any more.
    NoAccess,
    /// May not write to the repository (any more).
    NoWrite,
    /// Is nobody the rule names.
    NotNamed,
}

/// One approval that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NotCounted {
    /// Whose.
    pub login: Login,
    /// Why.
    pub why: Why,
}

/// What a node of a rule's requirement asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// So many approvals.
    Quorum,
    /// One of its parts.
    AnyOf,
    /// Each of its parts.
    AllOf,
}

/// Why a requirement is satisfied or not: the tree of the settings, with what became of each node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What the node asks for.
    pub asks: Asks,
    /// The same in words, with who could approve: `1 of reviewers (@mara, @acme/prompts)`.
    pub could: String,
    /// What it comes to.
    pub state: State,
    /// How many approvals it asks for: of any of several parts, the nearest's; of all, their sum.
    pub needed: u32,
    /// Whose approvals count towards that.
    pub counted: Vec<Login>,
    /// Whose approvals do not count for a quorum, and why.
    pub not_counted: Vec<NotCounted>,
    /// Owners that must approve besides, and that nobody stands for yet.
    pub missing: Vec<String>,
    /// What makes it undecidable, one sentence each, which ends with what to do.
    pub problems: Vec<String>,
    /// Its parts, where it has some.
    pub parts: Vec<Reason>,
}

/// What became of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleOutcome {
    /// The rule.
    pub name: Arc<str>,
    /// Whether it has a say.
    pub applies: Applies,
    /// What it comes to; `Satisfied` where it does not apply.
    pub state: State,
    /// How many approvals it asks for (of the alternative that is nearest).
    pub needed: u32,
    /// Whose approvals count towards that.
    pub counted: Vec<Login>,
    /// Whose approvals do not, and why.
    pub not_counted: Vec<NotCounted>,
    /// Who, named by the rule, asked for changes.
    pub changes_requested: Vec<Login>,
    /// The whole requirement, node by node; `None` where approvals are not counted (yet).
    pub tree: Option<Reason>,
    /// Who could approve, in words: `1 of reviewers (@mara, @acme/prompts) or 2 of leads (@acme/leads)`.
    pub could: String,
    /// What made it undecidable, one sentence each, which ends with what to do.
    pub problems: Vec<String>,
}

/// A verdict that would block, and that the rules on it let pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// The rules on the verdict; all are satisfied.
    pub rules: Vec<Arc<str>>,
    /// The verdict that is waived.
    pub verdict: Verdict,
    /// Whose approvals did it.
    pub by: Vec<Login>,
}

/// What the policy says of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The worst of the rules and the problems; `Satisfied` if no rule applies.
    pub state: State,
    /// Every rule of the policy, in its order.
    pub rules: Vec<RuleOutcome>,
    /// What no rule can be decided without, one sentence each, which ends with what to do.
    pub problems: Vec<String>,
    /// Set when a blocking verdict is waived.
    pub waiver: Option<Waiver>,
    /// What became of overrides; absent where nobody asked for one.
    #[serde(default)]
    pub overriding: Option<Overriding>,
}

/// One override that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrider {
    /// Whose.
    pub login: Login,
    /// Why: text from outside.
    pub reason: String,
    /// The comment that asked for it.
    pub comment_id: u64,
}

/// What the overrides of a pull request come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overriding {
    /// `Satisfied` where a blocked evaluation is to pass.
    pub state: State,
    /// How many people it takes.
    pub needed: u32,
    /// Whose count.
    pub counted: Vec<Overrider>,
    /// Whose do not, and why.
    pub not_counted: Vec<NotCounted>,
    /// Who could override, in words.
    pub could: String,
    /// What made it undecidable, one sentence each, which ends with what to do.
    pub problems: Vec<String>,
}

impl Decision {
    /// Whether enough people whom `override` names let a blocked evaluation pass.
    #[must_use]
    pub fn is_overridden(&self) -> bool {
        self.overriding.as_ref().is_some_and(|overriding| overriding.state == State::Satisfied)
    }
}
