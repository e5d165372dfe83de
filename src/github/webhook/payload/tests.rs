//! What GitHub sends, and what it means to us.

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
    check("labeled", Value::Null, Some(PullAction::Labelled));
    check("assigned", Value::Null, None);
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
fn a_push_moves_a_branch_and_a_tag_moves_none() {
    let check = |reference: &str, deleted: bool, expected: Option<(&str, bool)>| {
        let payload = json!({
            "ref": reference, "after": "a".repeat(40), "deleted": deleted,
            "repository": { "id": 11, "full_name": "acme/prompts" },
        });
        let event = parsed("push", &payload).unwrap().event;
        let got = match &event {
            Event::Push(push) => Some((push.branch.as_str(), push.after.is_some())),
            _ => None,
        };
        assert_eq!(got, expected, "{reference}");
    };
    check("refs/heads/release/1", false, Some(("release/1", true)));
    check("refs/heads/main", true, Some(("main", false)));
    check("refs/tags/main", false, None);
}

#[test]
fn a_merge_group_names_both_branches_and_who_left_a_team_names_the_organisation() {
    let payload = json!({
        "action": "checks_requested", "repository": { "id": 11, "full_name": "acme/prompts" },
        "merge_group": {
            "head_sha": "a".repeat(40), "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-abc",
            "base_sha": "b".repeat(40), "base_ref": "refs/heads/main", "head_commit": {},
        },
    });
    let Event::MergeGroup(group) = parsed("merge_group", &payload).unwrap().event else { panic!("no group") };
    assert_eq!((group.base_branch.as_str(), group.action), ("main", MergeGroupAction::ChecksRequested));
    assert_eq!(group.head_branch.as_str(), "gh-readonly-queue/main/pr-7-abc");
    let payload = json!({
        "action": "removed", "organization": { "id": 3, "login": "acme" }, "installation": { "id": 5 },
    });
    let Event::People(people) = parsed("membership", &payload).unwrap().event else { panic!("nobody") };
    assert_eq!((people.org.as_str(), people.installation), ("acme", Some(InstallationId(5))));
}

#[test]
fn only_our_events_have_to_be_complete() {
    let bare = |action: &str| json!({ "action": action });
    assert!(parsed("pull_request", &bare("opened")).is_err());
    assert!(parsed("check_run", &bare("rerequested")).is_err());
    assert!(parse("pull_request", b"not json").is_err());
    assert!(parse("star", b"not json").is_err());
    assert!(parse("ping", b"not json").is_err());
    for (event, action) in [("pull_request", "assigned"), ("check_run", "completed"), ("star", "created")] {
        assert_eq!(parsed(event, &bare(action)).unwrap().event, Event::Ignored);
    }
}
