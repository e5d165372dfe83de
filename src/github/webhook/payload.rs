//! The few fields of GitHub's payloads that we read, and how they become events. Everything else is skipped.

use serde::Deserialize;

use super::{CheckRunEvent, CommentEvent, Event, Origin, Parsed, PullAction, PullRequestEvent, ReviewEvent};
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

pub(super) fn parse(event: &str, body: &[u8]) -> Result<Parsed, serde_json::Error> {
    match event {
        "pull_request" => {
            read(body, &["opened", "synchronize", "reopened", "edited", "ready_for_review", "closed"], pull_request)
        }
        "pull_request_review" => read(body, &["submitted", "edited", "dismissed"], review),
        "issue_comment" => read(body, &["created"], comment),
        "check_run" => read(body, &["rerequested"], check_run),
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
        "edited" if base_changed => PullAction::BaseChanged,
        _ => return (Event::Ignored, payload.action),
    };
    let event = Event::PullRequest(PullRequestEvent {
        origin: origin(payload.repository, payload.installation),
        action,
        number: payload.pull_request.number,
        head_sha: payload.pull_request.head.sha,
        base_branch: payload.pull_request.base.branch,
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
    });
    (event, payload.action)
}

fn check_run(payload: CheckRunPayload) -> (Event, String) {
    let check_run = payload.check_run;
    let event = Event::CheckRunRerequested(CheckRunEvent {
        origin: origin(payload.repository, payload.installation),
        check_run_id: check_run.id,
        name: check_run.name,
        head_sha: check_run.head_sha,
        external_id: check_run.external_id,
        pulls: check_run.pull_requests.into_iter().map(|pull| pull.number).collect(),
    });
    (event, payload.action)
}

fn origin(repository: Repository, installation: Option<Installation>) -> Origin {
    Origin {
        repo: repository.full_name,
        repo_id: repository.id,
        installation: installation.map(|installation| installation.id),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn payload(action: &str) -> Value {
        json!({
            "action": action,
            "number": 7,
            "pull_request": { "number": 7, "head": { "sha": "a".repeat(40) }, "base": { "ref": "main" }, "title": "x" },
            "repository": { "id": 11, "full_name": "acme/prompts", "private": true },
            "installation": { "id": 5 },
        })
    }

    fn parsed(event: &str, payload: &Value) -> Result<Parsed, serde_json::Error> {
        parse(event, &serde_json::to_vec(payload).unwrap())
    }

    #[test]
    fn actions_of_a_pull_request_become_what_they_mean_to_us() {
        let check = |action: &str, changes: Value, expected: Option<PullAction>| {
            let mut payload = payload(action);
            payload["changes"] = changes;
            let got = match parsed("pull_request", &payload).unwrap().event {
                Event::PullRequest(event) => Some(event.action),
                Event::Ignored => None,
                other => panic!("{other:?}"),
            };
            assert_eq!(got, expected, "{action}");
        };
        check("opened", Value::Null, Some(PullAction::Opened));
        check("synchronize", Value::Null, Some(PullAction::Synchronize));
        check("reopened", Value::Null, Some(PullAction::Reopened));
        check("ready_for_review", Value::Null, Some(PullAction::ReadyForReview));
        check("closed", Value::Null, Some(PullAction::Closed));
        check("edited", json!({ "base": { "ref": { "from": "old" } } }), Some(PullAction::BaseChanged));
        check("edited", json!({ "title": { "from": "old" } }), None);
        check("labeled", Value::Null, None);
        check("an_action_of_next_year", Value::Null, None);
    }

    #[test]
    fn a_comment_counts_only_on_a_pull_request_and_from_somebody() {
        let check = |pull: Value, user: Value, expected: bool| {
            let payload = json!({
                "action": "created", "issue": { "number": 7, "pull_request": pull },
                "comment": { "id": 9, "body": "/promptops help", "user": user, "author_association": "MEMBER" },
                "repository": { "id": 11, "full_name": "acme/prompts" },
            });
            let event = parsed("issue_comment", &payload).unwrap().event;
            assert_eq!(matches!(event, Event::IssueComment(_)), expected);
        };
        let mara = json!({ "id": 1, "login": "mara", "type": "User" });
        check(json!({ "url": "…" }), mara.clone(), true);
        check(Value::Null, mara, false);
        check(json!({ "url": "…" }), Value::Null, false);
    }

    #[test]
    fn only_our_events_have_to_be_complete() {
        let bare = |action: &str| json!({ "action": action });
        assert!(parsed("pull_request", &bare("opened")).is_err());
        assert!(parsed("check_run", &bare("rerequested")).is_err());
        assert!(parse("pull_request", b"not json").is_err());
        assert!(parse("star", b"not json").is_err());
        assert!(parse("ping", b"not json").is_err());
        for (event, action) in [("pull_request", "labeled"), ("check_run", "completed"), ("star", "created")] {
            assert_eq!(parsed(event, &bare(action)).unwrap().event, Event::Ignored);
        }
    }
}
