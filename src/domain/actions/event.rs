//! The event that started a workflow, from the runner's file. Only what decides what is compared with what is read.

use serde::Deserialize;
use thiserror::Error;

use crate::domain::ids::{CommitSha, PullNumber};

/// What started the workflow, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// `pull_request` and `pull_request_target`.
    Pull(PullEvent),
    /// `push`: the commit the branch was at; none for a new branch.
    Push(Option<CommitSha>),
    /// `merge_group`: the tip of the queue's branch before this group.
    MergeGroup(CommitSha),
    /// `workflow_dispatch` and `schedule`: somebody wants to know how things stand.
    Manual,
    /// Any other: treated as [`Event::Manual`], and said.
    Other(String),
}

/// A pull request at the time of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullEvent {
    /// Its number.
    pub number: PullNumber,
    /// The base branch's tip.
    pub base: CommitSha,
    /// The commit it brings.
    pub head: CommitSha,
    /// Whether head is in another repository, or its repository is gone.
    pub is_fork: bool,
    /// Whether the workflow runs with the base repository's secrets (`pull_request_target`).
    pub has_secrets: bool,
}

/// The event's file cannot be used.
#[derive(Debug, Error)]
#[error(
    "the event `{event}` cannot be read from GITHUB_EVENT_PATH: {problem}; run this as a step of a workflow, with the file that the runner wrote"
)]
pub struct EventError {
    event: String,
    problem: String,
}

#[derive(Deserialize)]
struct PullPayload {
    number: u64,
    pull_request: Pull,
}

#[derive(Deserialize)]
struct Pull {
    base: Side,
    head: Side,
}

#[derive(Deserialize)]
struct Side {
    sha: String,
    repo: Option<Repo>,
}

#[derive(Deserialize)]
struct Repo {
    id: u64,
}

#[derive(Deserialize)]
struct PushPayload {
    before: String,
}

#[derive(Deserialize)]
struct GroupPayload {
    merge_group: Group,
}

#[derive(Deserialize)]
struct Group {
    base_sha: String,
}

impl Event {
    /// Reads an event: its name and the bytes of its file.
    ///
    /// # Errors
    /// When the file lacks what an event of this name must say.
    pub fn parse(name: &str, payload: &[u8]) -> Result<Self, EventError> {
        let failed = |problem: String| EventError { event: name.to_owned(), problem };
        match name {
            "pull_request" | "pull_request_target" => {
                let payload: PullPayload = read(payload).map_err(failed)?;
                let Pull { base, head } = payload.pull_request;
                let ids = [&base, &head].map(|side| side.repo.as_ref().map(|repo| repo.id));
                Ok(Self::Pull(PullEvent {
                    number: PullNumber(payload.number),
                    base: commit(&base.sha).map_err(failed)?,
                    head: commit(&head.sha).map_err(failed)?,
                    is_fork: ids[1].is_none() || ids[0] != ids[1],
                    has_secrets: name == "pull_request_target",
                }))
            }
            "push" => {
                let payload: PushPayload = read(payload).map_err(failed)?;
                let is_new = payload.before.bytes().all(|digit| digit == b'0');
                let before = (!is_new).then(|| commit(&payload.before)).transpose().map_err(failed)?;
                Ok(Self::Push(before))
            }
            "merge_group" => {
                let payload: GroupPayload = read(payload).map_err(failed)?;
                Ok(Self::MergeGroup(commit(&payload.merge_group.base_sha).map_err(failed)?))
            }
            "workflow_dispatch" | "schedule" => Ok(Self::Manual),
            other => Ok(Self::Other(other.to_owned())),
        }
    }

    /// The pull request, if it is about one.
    #[must_use]
    pub fn pull(&self) -> Option<&PullEvent> {
        match self {
            Self::Pull(pull) => Some(pull),
            _ => None,
        }
    }

    /// The commit that head is compared with, where the event names one.
    #[must_use]
    pub fn base(&self) -> Option<&CommitSha> {
        match self {
            Self::Pull(pull) => Some(&pull.base),
            Self::Push(before) => before.as_ref(),
            Self::MergeGroup(base) => Some(base),
            Self::Manual | Self::Other(_) => None,
        }
    }
}

fn read<'p, T: Deserialize<'p>>(payload: &'p [u8]) -> Result<T, String> {
    serde_json::from_slice(payload).map_err(|error| error.to_string())
}

fn commit(text: &str) -> Result<CommitSha, String> {
    CommitSha::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sha(digit: char) -> String {
        digit.to_string().repeat(40)
    }

    fn id(digit: char) -> CommitSha {
        CommitSha::parse(&sha(digit)).expect("a commit")
    }

    fn parse(name: &str, payload: &Value) -> Result<Event, String> {
        Event::parse(name, payload.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    fn pull(name: &str, head_repo: &Value) -> Event {
        let (base, head) = (json!({"sha": sha('a'), "repo": {"id": 7}}), json!({"sha": sha('b'), "repo": head_repo}));
        let payload = json!({"action": "opened", "number": 3, "pull_request": {"base": base, "head": head, "new": 1}});
        parse(name, &payload).expect("an event")
    }

    #[test]
    fn a_pull_request_is_compared_with_its_base() {
        let expected = |is_fork, has_secrets| {
            let (base, head) = (id('a'), id('b'));
            Event::Pull(PullEvent { number: PullNumber(3), base, head, is_fork, has_secrets })
        };
        assert_eq!(pull("pull_request", &json!({"id": 7})), expected(false, false));
        assert_eq!(pull("pull_request", &json!({"id": 8})), expected(true, false));
        assert_eq!(pull("pull_request", &json!(null)), expected(true, false));
        assert_eq!(pull("pull_request_target", &json!({"id": 8})), expected(true, true));
    }

    #[test]
    fn other_events_name_their_base_or_none() {
        let check = |name: &str, payload: Value, expected: Event| assert_eq!(parse(name, &payload), Ok(expected));
        check("push", json!({"before": sha('a'), "forced": true}), Event::Push(Some(id('a'))));
        check("push", json!({"before": sha('0')}), Event::Push(None));
        check("merge_group", json!({"merge_group": {"base_sha": sha('a')}}), Event::MergeGroup(id('a')));
        check("workflow_dispatch", json!({"inputs": null}), Event::Manual);
        check("schedule", json!({"schedule": "0 0 * * *"}), Event::Manual);
        check("release", json!({}), Event::Other("release".to_owned()));
    }

    #[test]
    fn a_malformed_file_is_said_with_what_to_do() {
        let said = Event::parse("push", b"{\"before\": ").expect_err("cut off").to_string();
        assert_eq!(
            said,
            "the event `push` cannot be read from GITHUB_EVENT_PATH: EOF while parsing a value at line 1 column 11; run \
             this as a step of a workflow, with the file that the runner wrote"
        );
        assert!(parse("pull_request", &json!({"number": 1})).is_err());
        assert!(parse("merge_group", &json!({"merge_group": {"base_sha": "main"}})).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_file_is_a_panic(name in "(push|pull_request|merge_group|x)", payload: Vec<u8>) {
            drop(Event::parse(&name, &payload));
        }
    }
}
