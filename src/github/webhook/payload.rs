//! The few fields of GitHub's payloads that we read, and how they become events. Everything else is skipped.

use serde::Deserialize;

use super::{
    CheckRunEvent, CheckSuiteEvent, CommentEvent, Event, MergeGroupAction, MergeGroupEvent, Origin, Parsed,
    PeopleEvent, PullAction, PullRequestEvent, PushEvent, ReviewEvent, Sender,
};
use crate::domain::ids::{BranchName, CommitSha, InstallationId, Login, PullNumber, RepoId, RepoName, UserId};

#[derive(Deserialize)]
struct Action {
    action: Option<String>,
}

#[derive(Deserialize)]
struct Repository {
    id: RepoId,
    full_name: RepoName,
}

#[derive(Deserialize)]
struct Installation {
    id: InstallationId,
}

#[derive(Deserialize)]
struct Pull {
    number: PullNumber,
    head: Head,
    base: Base,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    sha: CommitSha,
}

#[derive(Deserialize)]
struct Base {
    #[serde(rename = "ref")]
    branch: BranchName,
}

#[derive(Deserialize)]
struct NumberOnly {
    number: PullNumber,
}

#[derive(Deserialize)]
struct Changes {
    base: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct PullRequestPayload {
    action: String,
    pull_request: Pull,
    changes: Option<Changes>,
    repository: Repository,
    installation: Option<Installation>,
}

#[derive(Deserialize)]
struct ReviewPayload {
    action: String,
    pull_request: NumberOnly,
    repository: Repository,
    installation: Option<Installation>,
}

#[derive(Deserialize)]
struct CommentPayload {
    action: String,
    issue: Issue,
    comment: Comment,
    repository: Repository,
    installation: Option<Installation>,
}

#[derive(Deserialize)]
struct Issue {
    number: PullNumber,
    pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Comment {
    id: u64,
    body: Option<String>,
    user: Option<User>,
    #[serde(default)]
    author_association: String,
    created_at: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: UserId,
    login: Login,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct CheckRunPayload {
    action: String,
    check_run: CheckRun,
    requested_action: Option<Button>,
    sender: Option<User>,
    repository: Repository,
    installation: Option<Installation>,
}

#[derive(Deserialize)]
struct Button {
    identifier: String,
}

#[derive(Deserialize)]
struct CheckSuitePayload {
    action: String,
    check_suite: CheckSuite,
    sender: Option<User>,
    repository: Repository,
    installation: Option<Installation>,
}

#[derive(Deserialize)]
struct CheckSuite {
    head_sha: CommitSha,
    #[serde(default)]
    pull_requests: Vec<NumberOnly>,
}

#[derive(Deserialize)]
struct MergeGroupPayload {
    action: String,
    merge_group: MergeGroup,
    repository: Repository,
    installation: Option<Installation>,
}

#[derive(Deserialize)]
struct MergeGroup {
    head_sha: CommitSha,
    head_ref: String,
    base_sha: CommitSha,
    base_ref: String,
}

#[derive(Deserialize)]
struct PushPayload {
    #[serde(rename = "ref")]
    reference: String,
    after: CommitSha,
    #[serde(default)]
    deleted: bool,
    repository: Repository,
    installation: Option<Installation>,
}

#[derive(Deserialize)]
struct PeoplePayload {
    action: String,
    organization: Option<User>,
    installation: Option<Installation>,
}

#[derive(Deserialize)]
struct CollaboratorPayload {
    action: String,
    repository: Repository,
    installation: Option<Installation>,
}

#[derive(Deserialize)]
struct CheckRun {
    id: u64,
    name: String,
    head_sha: CommitSha,
    external_id: Option<String>,
    #[serde(default)]
    pull_requests: Vec<NumberOnly>,
}

/// Actions of a pull request that concern us.
const PULL_REQUEST: [&str; 8] =
    ["opened", "synchronize", "reopened", "edited", "ready_for_review", "closed", "labeled", "unlabeled"];

pub(super) fn parse(event: &str, body: &[u8]) -> Result<Parsed, serde_json::Error> {
    match event {
        "pull_request" => read(body, &PULL_REQUEST, pull_request),
        "pull_request_review" => read(body, &["submitted", "edited", "dismissed"], review),
        "issue_comment" => read(body, &["created"], comment),
        "check_run" => read(body, &["rerequested", "requested_action"], check_run),
        "check_suite" => read(body, &["rerequested"], check_suite),
        "merge_group" => read(body, &["checks_requested", "destroyed"], merge_group),
        "push" => push(body),
        "membership" => read(body, &["added", "removed"], people),
        "team" => read(body, &["deleted", "edited", "removed_from_repository", "added_to_repository"], people),
        "organization" => read(body, &["member_added", "member_removed"], people),
        "member" => read(body, &["added", "edited", "removed"], collaborators),
        _ => {
            let action = serde_json::from_slice::<Action>(body)?.action;
            let event = if event == "ping" { Event::Ping } else { Event::Ignored };
            Ok(Parsed { event, action })
        }
    }
}

/// A payload that lacks fields is an error only if its action is one of ours: of others we know no fields.
fn read<'a, P: Deserialize<'a>>(
    body: &'a [u8],
    ours: &[&str],
    event: fn(P) -> (Event, String),
) -> Result<Parsed, serde_json::Error> {
    let error = match serde_json::from_slice(body) {
        Ok(payload) => {
            let (event, action) = event(payload);
            let event = if ours.contains(&action.as_str()) { event } else { Event::Ignored };
            return Ok(Parsed { event, action: Some(action) });
        }
        Err(error) => error,
    };
    let action = serde_json::from_slice::<Action>(body)?.action;
    match &action {
        Some(action) if !ours.contains(&action.as_str()) => {
            Ok(Parsed { event: Event::Ignored, action: Some(action.clone()) })
        }
        _ => Err(error),
    }
}

fn pull_request(payload: PullRequestPayload) -> (Event, String) {
    let base_changed = payload.changes.is_some_and(|changes| changes.base.is_some());
    let action = match payload.action.as_str() {
        "opened" => PullAction::Opened,
        "synchronize" => PullAction::Synchronize,
        "reopened" => PullAction::Reopened,
        "ready_for_review" => PullAction::ReadyForReview,
        "closed" => PullAction::Closed,
        "labeled" | "unlabeled" => PullAction::Labelled,
        "edited" if base_changed => PullAction::BaseChanged,
        _ => return (Event::Ignored, payload.action),
    };
    let event = Event::PullRequest(PullRequestEvent {
        origin: origin(payload.repository, payload.installation),
        action,
        number: payload.pull_request.number,
        head_sha: payload.pull_request.head.sha,
        base_branch: payload.pull_request.base.branch,
        changed_s: payload.pull_request.updated_at.as_deref().and_then(crate::github::time::seconds),
    });
    (event, payload.action)
}

fn review(payload: ReviewPayload) -> (Event, String) {
    let event = Event::Review(ReviewEvent {
        origin: origin(payload.repository, payload.installation),
        number: payload.pull_request.number,
    });
    (event, payload.action)
}

fn comment(payload: CommentPayload) -> (Event, String) {
    // A deleted account has no user; nobody is there to answer.
    let (Some(_), Some(user)) = (payload.issue.pull_request, payload.comment.user) else {
        return (Event::Ignored, payload.action);
    };
    let event = Event::IssueComment(CommentEvent {
        origin: origin(payload.repository, payload.installation),
        number: payload.issue.number,
        comment_id: payload.comment.id,
        body: payload.comment.body.unwrap_or_default(),
        author_id: user.id,
        author: user.login,
        by_bot: user.kind == "Bot",
        association: payload.comment.author_association,
        created_s: payload.comment.created_at.as_deref().and_then(crate::github::time::seconds),
    });
    (event, payload.action)
}

fn check_run(payload: CheckRunPayload) -> (Event, String) {
    let check_run = payload.check_run;
    let button = payload.requested_action.map(|button| button.identifier);
    let pressed = button.is_some();
    let event = CheckRunEvent {
        origin: origin(payload.repository, payload.installation),
        check_run_id: check_run.id,
        name: check_run.name,
        head_sha: check_run.head_sha,
        external_id: check_run.external_id,
        pulls: numbers(check_run.pull_requests),
        sender: payload.sender.map(sender),
        button,
    };
    let event = match (payload.action.as_str(), pressed) {
        ("requested_action", true) => Event::CheckRunButton(event),
        ("requested_action", false) => Event::Ignored,
        _ => Event::CheckRunRerequested(event),
    };
    (event, payload.action)
}

fn check_suite(payload: CheckSuitePayload) -> (Event, String) {
    let event = Event::CheckSuiteRerequested(CheckSuiteEvent {
        origin: origin(payload.repository, payload.installation),
        head_sha: payload.check_suite.head_sha,
        pulls: numbers(payload.check_suite.pull_requests),
        sender: payload.sender.map(sender),
    });
    (event, payload.action)
}

fn merge_group(payload: MergeGroupPayload) -> (Event, String) {
    let group = payload.merge_group;
    let (Some(head_branch), Some(base_branch)) = (branch(&group.head_ref), branch(&group.base_ref)) else {
        return (Event::Ignored, payload.action);
    };
    let action = match payload.action.as_str() {
        "checks_requested" => MergeGroupAction::ChecksRequested,
        _ => MergeGroupAction::Destroyed,
    };
    let event = Event::MergeGroup(MergeGroupEvent {
        origin: origin(payload.repository, payload.installation),
        action,
        head_sha: group.head_sha,
        head_branch,
        base_sha: group.base_sha,
        base_branch,
    });
    (event, payload.action)
}

/// A push has no action; one of a tag moves no branch.
fn push(body: &[u8]) -> Result<Parsed, serde_json::Error> {
    let payload: PushPayload = serde_json::from_slice(body)?;
    let event = match (payload.reference.starts_with("refs/heads/"), branch(&payload.reference)) {
        (true, Some(branch)) => Event::Push(PushEvent {
            origin: origin(payload.repository, payload.installation),
            branch,
            after: Some(payload.after).filter(|_| !payload.deleted),
        }),
        _ => Event::Ignored,
    };
    Ok(Parsed { event, action: None })
}

fn branch(reference: &str) -> Option<BranchName> {
    BranchName::parse(reference.strip_prefix("refs/heads/").unwrap_or(reference)).ok()
}

fn people(payload: PeoplePayload) -> (Event, String) {
    let event = payload.organization.map_or(Event::Ignored, |org| {
        Event::People(PeopleEvent { org: org.login, installation: payload.installation.map(|one| one.id) })
    });
    (event, payload.action)
}

fn collaborators(payload: CollaboratorPayload) -> (Event, String) {
    (Event::Collaborators(origin(payload.repository, payload.installation)), payload.action)
}

fn numbers(pulls: Vec<NumberOnly>) -> Vec<PullNumber> {
    pulls.into_iter().map(|pull| pull.number).collect()
}

fn sender(user: User) -> Sender {
    Sender { id: user.id, login: user.login }
}

fn origin(repository: Repository, installation: Option<Installation>) -> Origin {
    Origin {
        repo: repository.full_name,
        repo_id: repository.id,
        installation: installation.map(|installation| installation.id),
    }
}

#[cfg(test)]
mod tests;
