//! Jobs: what follows from an event, as a small text that survives a restart. Knows neither queue nor handler.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::group_ref::GroupRef;
use super::wide::Wide;
use crate::domain::ids::{CommitSha, InstallationId, Login, PullNumber, RepoId, RepoName, UserId};
use crate::github::webhook::{
    CheckRunEvent, CommentEvent, Event, MergeGroupAction, MergeGroupEvent, Origin, PullAction, PullRequestEvent,
};
use crate::store::{ClaimedJob, NewJob};

/// Which pull request a job is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRef {
    /// The repository's name when the event happened.
    pub repo: RepoName,
    /// Its lasting id.
    pub repo_id: RepoId,
    /// Through which installation to act; looked up when absent.
    pub installation: Option<InstallationId>,
    /// The pull request.
    pub number: PullNumber,
    /// The delivery that asked for it, for the audit log; known once the job is claimed.
    #[serde(skip)]
    pub delivery: Option<String>,
}

impl PullRef {
    /// The lane of this pull request: one job of it runs at a time.
    #[must_use]
    pub fn lane(&self) -> String {
        format!("{}/{}", self.repo_id, self.number)
    }
}

/// Why a pull request is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is new.
    Opened,
    /// Its head moved.
    Pushed {
        /// When, in seconds by GitHub's clock.
        #[serde(default)]
        at_s: Option<i64>,
    },
    /// It is open again.
    Reopened,
    /// It goes to another branch now.
    BaseChanged {
        /// When, in seconds by GitHub's clock.
        #[serde(default)]
        at_s: Option<i64>,
    },
    /// It is no draft any more.
    ReadyForReview,
    /// Somebody asked for it.
    Requested,
    /// The sweep found that its checks are missing.
    Swept,
}

/// A comment that may hold commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandComment {
    /// The comment's id.
    pub comment_id: u64,
    /// Its text, from outside.
    pub body: String,
    /// Who wrote it.
    pub author_id: UserId,
    /// Their login.
    pub author: Login,
    /// GitHub's word for their relation to the repository; a hint, never a permission.
    pub association: String,
    /// When it was written, in seconds by GitHub's clock.
    #[serde(default)]
    pub created_s: Option<i64>,
}

/// A button of a check that somebody pressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Press {
    /// The check run's id.
    pub check_run_id: u64,
    /// The button's identifier.
    pub button: String,
    /// Who pressed it.
    pub by_id: UserId,
    /// Their login.
    pub by: Login,
}

/// What is to be done. All facts are read anew when it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// Evaluate and decide.
    EvaluatePull {
        /// Which.
        pull: PullRef,
        /// Why.
        reason: Reason,
        /// Even if this head has been evaluated already.
        force: bool,
    },
    /// Decide again, without a new run.
    DecideApproval {
        /// Which.
        pull: PullRef,
    },
    /// Read a comment's commands and obey them.
    Command {
        /// Where.
        pull: PullRef,
        /// What was said, by whom.
        comment: CommandComment,
    },
    /// Do what a button of a check stands for.
    Button {
        /// Where.
        pull: PullRef,
        /// What was pressed, by whom.
        press: Press,
    },
    /// End what is open on a closed pull request.
    ClosePull {
        /// Which.
        pull: PullRef,
        /// Its head at that time.
        head_sha: CommitSha,
    },
    /// Find the pull requests that something concerns, and queue a job for each.
    Spread {
        /// What happened.
        wide: Wide,
    },
    /// Look for what never arrived.
    Sweep,
    /// Evaluate and decide a merge queue's group.
    EvaluateGroup {
        /// Which.
        group: GroupRef,
    },
    /// End what is open on a group that is gone.
    EndGroup {
        /// Which.
        group: GroupRef,
    },
}

/// Why a job's attempt ended without success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Try again, a bounded number of times.
    #[error("{message}")]
    Retry {
        /// What happened.
        message: String,
        /// How long to wait, if the other side said so.
        after: Option<Duration>,
    },
    /// Try again, not before the other side's limit ends.
    #[error("{message}")]
    RetryAt {
        /// What happened.
        message: String,
        /// Milliseconds since the Unix epoch.
        at_ms: i64,
    },
    /// Try again, a bounded number of times: what could not be measured is decided about and said already.
    #[error("{message}")]
    Unmeasured {
        /// What happened.
        message: String,
    },
    /// Trying again would not help.
    #[error("{message}")]
    GiveUp {
        /// What happened and what to do.
        message: String,
    },
}

impl Job {
    /// The pull request it is about, where it is about one.
    #[must_use]
    pub fn pull(&self) -> Option<&PullRef> {
        match self {
            Self::EvaluatePull { pull, .. }
            | Self::DecideApproval { pull }
            | Self::Command { pull, .. }
            | Self::Button { pull, .. }
            | Self::ClosePull { pull, .. } => Some(pull),
            Self::Spread { .. } | Self::Sweep | Self::EvaluateGroup { .. } | Self::EndGroup { .. } => None,
        }
    }

    fn pull_mut(&mut self) -> Option<&mut PullRef> {
        match self {
            Self::EvaluatePull { pull, .. }
            | Self::DecideApproval { pull }
            | Self::Command { pull, .. }
            | Self::Button { pull, .. }
            | Self::ClosePull { pull, .. } => Some(pull),
            Self::Spread { .. } | Self::Sweep | Self::EvaluateGroup { .. } | Self::EndGroup { .. } => None,
        }
    }

    /// One job of a lane runs at a time. What people ask for does not wait behind the evaluation of the same pull request.
    #[must_use]
    pub fn lane(&self) -> String {
        match self {
            Self::Command { pull, .. } | Self::Button { pull, .. } => format!("{}/commands", pull.lane()),
            Self::Spread { wide } => wide.lane(),
            Self::Sweep => "sweep".to_owned(),
            Self::EvaluatePull { pull, .. } | Self::DecideApproval { pull } | Self::ClosePull { pull, .. } => {
                pull.lane()
            }
            Self::EvaluateGroup { group } | Self::EndGroup { group } => group.lane(),
        }
    }

    /// The word for logs and metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::EvaluatePull { .. } => "evaluate_pull",
            Self::DecideApproval { .. } => "decide_approval",
            Self::Command { .. } => "command",
            Self::Button { .. } => "button",
            Self::ClosePull { .. } => "close_pull",
            Self::Spread { .. } => "spread",
            Self::Sweep => "sweep",
            Self::EvaluateGroup { .. } => "evaluate_group",
            Self::EndGroup { .. } => "end_group",
        }
    }

    /// The job as the store keeps it.
    #[must_use]
    pub fn to_new(&self, supersedes: bool) -> NewJob {
        NewJob {
            lane: self.lane(),
            // Texts and numbers always serialise.
            payload: serde_json::to_string(self).unwrap_or_default(),
            supersedes,
            // A person waits for the answer to a command, whatever is pushed meanwhile.
            yields: !matches!(self, Self::Command { .. } | Self::Button { .. }),
        }
    }

    /// Reads a claimed job, and remembers which delivery asked for it.
    ///
    /// # Errors
    /// When a newer version of this program wrote it.
    pub fn from_claimed(claimed: &ClaimedJob) -> Result<Self, JobError> {
        let mut job = Self::from_payload(&claimed.payload)?;
        if let Some(pull) = job.pull_mut() {
            pull.delivery.clone_from(&claimed.delivery);
        }
        Ok(job)
    }

    /// Reads a stored job.
    ///
    /// # Errors
    /// When a newer version of this program wrote it.
    pub fn from_payload(payload: &str) -> Result<Self, JobError> {
        serde_json::from_str(payload).map_err(|error| JobError::GiveUp {
            message: format!("a stored job cannot be read ({error}): run the newest version on all servers"),
        })
    }

    /// What follows from an event, and whether it makes earlier work on the same pull request pointless.
    #[must_use]
    pub fn from_event(event: Event) -> Option<(Self, bool)> {
        match event {
            Event::PullRequest(event) => Some(pull_request(event)),
            Event::Review(event) => Some((Self::DecideApproval { pull: pull_ref(event.origin, event.number) }, false)),
            Event::IssueComment(event) => command(event),
            Event::CheckRunRerequested(event) => rerequested(event),
            event @ (Event::CheckSuiteRerequested(_) | Event::Push(_) | Event::People(_) | Event::Collaborators(_)) => {
                // Not superseding: what an earlier event asked for is not less due because of a later one.
                Wide::of(event).map(|wide| (Self::Spread { wide }, false))
            }
            Event::CheckRunButton(event) => button(event),
            Event::MergeGroup(event) => Some(merge_group(event)),
            Event::Ping | Event::Ignored => None,
        }
    }
}

/// The `external_id` of our check runs, which leads back from a check on a fork's commit to its pull request.
#[must_use]
pub fn check_external_id(pull: PullNumber) -> String {
    format!("pull/{pull}")
}

fn pull_of_check(external_id: &str) -> Option<PullNumber> {
    let digits = external_id.strip_prefix("pull/")?.split('/').next()?;
    digits.parse().ok().map(PullNumber)
}

fn pull_request(event: PullRequestEvent) -> (Job, bool) {
    let pull = pull_ref(event.origin, event.number);
    let (reason, supersedes) = match event.action {
        PullAction::Opened => (Reason::Opened, true),
        PullAction::Synchronize => (Reason::Pushed { at_s: event.changed_s }, true),
        PullAction::Reopened => (Reason::Reopened, true),
        PullAction::BaseChanged => (Reason::BaseChanged { at_s: event.changed_s }, true),
        // The head is the same: what runs on it stays right.
        PullAction::ReadyForReview => (Reason::ReadyForReview, false),
        PullAction::Closed => return (Job::ClosePull { pull, head_sha: event.head_sha }, true),
        // Rules may ask for labels; no answer of a model depends on them.
        PullAction::Labelled => return (Job::DecideApproval { pull }, false),
    };
    (Job::EvaluatePull { pull, reason, force: false }, supersedes)
}

/// What runs for a group that is gone has no purpose any more.
fn merge_group(event: MergeGroupEvent) -> (Job, bool) {
    let Origin { repo, repo_id, installation } = event.origin;
    let MergeGroupEvent { action, head_sha, head_branch, base_sha, base_branch, .. } = event;
    let group = GroupRef { repo, repo_id, installation, head_sha, head_branch, base_sha, base_branch };
    match action {
        MergeGroupAction::ChecksRequested => (Job::EvaluateGroup { group }, false),
        MergeGroupAction::Destroyed => (Job::EndGroup { group }, true),
    }
}

/// Comments without our name are most of all comments, and no work.
fn command(event: CommentEvent) -> Option<(Job, bool)> {
    if event.by_bot || !event.body.contains("/promptops") {
        return None;
    }
    let comment = CommandComment {
        comment_id: event.comment_id,
        body: event.body,
        author_id: event.author_id,
        author: event.author,
        association: event.association,
        created_s: event.created_s,
    };
    Some((Job::Command { pull: pull_ref(event.origin, event.number), comment }, false))
}

/// A press that names nobody cannot be authorised.
fn button(event: CheckRunEvent) -> Option<(Job, bool)> {
    let number = pull_of_event(&event)?;
    let (sender, button) = (event.sender?, event.button?);
    let press = Press { check_run_id: event.check_run_id, button, by_id: sender.id, by: sender.login };
    Some((Job::Button { pull: pull_ref(event.origin, number), press }, false))
}

/// On a fork's commit only our own mark leads to the pull request.
fn pull_of_event(event: &CheckRunEvent) -> Option<PullNumber> {
    event.external_id.as_deref().and_then(pull_of_check).or_else(|| event.pulls.first().copied())
}

fn rerequested(event: CheckRunEvent) -> Option<(Job, bool)> {
    let number = pull_of_event(&event)?;
    let pull = pull_ref(event.origin, number);
    // Looking at approvals again needs no model.
    if event.name.starts_with("promptops/approval") {
        return Some((Job::DecideApproval { pull }, false));
    }
    Some((Job::EvaluatePull { pull, reason: Reason::Requested, force: true }, true))
}

fn pull_ref(origin: Origin, number: PullNumber) -> PullRef {
    PullRef { repo: origin.repo, repo_id: origin.repo_id, installation: origin.installation, number, delivery: None }
}

#[cfg(test)]
mod tests;
