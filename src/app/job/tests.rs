//! Which job follows from which event.

use super::*;
use crate::domain::ids::BranchName;
use crate::github::webhook::{ReviewEvent, Sender};

fn origin() -> Origin {
    Origin {
        repo: RepoName::parse("acme/prompts").unwrap(),
        repo_id: RepoId(11),
        installation: Some(InstallationId(5)),
    }
}

fn pull(action: PullAction) -> Event {
    Event::PullRequest(PullRequestEvent {
        origin: origin(),
        action,
        number: PullNumber(7),
        head_sha: CommitSha::parse(&"a".repeat(40)).unwrap(),
        base_branch: BranchName::parse("main").unwrap(),
        changed_s: Some(1_800_000_000),
    })
}

fn comment(body: &str, by_bot: bool) -> Event {
    Event::IssueComment(CommentEvent {
        origin: origin(),
        number: PullNumber(7),
        comment_id: 9,
        body: body.to_owned(),
        author_id: UserId(1),
        author: Login::parse("mara").unwrap(),
        by_bot,
        association: "MEMBER".to_owned(),
        created_s: Some(1_800_000_000),
    })
}

fn rerequested(external_id: Option<&str>, pulls: Vec<PullNumber>) -> Event {
    Event::CheckRunRerequested(CheckRunEvent {
        origin: origin(),
        check_run_id: 3,
        name: "promptops/evaluation: main".to_owned(),
        head_sha: CommitSha::parse(&"a".repeat(40)).unwrap(),
        external_id: external_id.map(str::to_owned),
        pulls,
        sender: None,
        button: None,
    })
}

fn check(event: Event, expected: Option<(&str, bool)>) {
    let job = Job::from_event(event);
    assert_eq!(job.as_ref().map(|(job, supersedes)| (job.name(), *supersedes)), expected);
    if let Some((job, supersedes)) = job {
        let expected = if ["command", "button"].contains(&job.name()) { "11/7/commands" } else { "11/7" };
        assert_eq!(job.lane(), expected);
        assert_eq!(Job::from_payload(&job.to_new(supersedes).payload).unwrap(), job);
    }
}

#[test]
fn a_push_makes_earlier_work_pointless_and_a_review_does_not() {
    check(pull(PullAction::Opened), Some(("evaluate_pull", true)));
    check(pull(PullAction::Synchronize), Some(("evaluate_pull", true)));
    check(pull(PullAction::ReadyForReview), Some(("evaluate_pull", false)));
    check(pull(PullAction::Closed), Some(("close_pull", true)));
    let review = ReviewEvent { origin: origin(), number: PullNumber(7) };
    check(Event::Review(review), Some(("decide_approval", false)));
}

#[test]
fn only_a_persons_comment_that_names_us_is_a_command_and_it_never_yields() {
    check(comment("/promptops help", false), Some(("command", false)));
    check(comment("looks good", false), None);
    check(comment("/promptops help", true), None);
    let (job, _) = Job::from_event(comment("/promptops help", false)).unwrap();
    assert!(!job.to_new(false).yields);
}

#[test]
fn a_button_is_a_job_of_whoever_pressed_it_and_it_never_yields() {
    let pressed = |sender: Option<Sender>| {
        let Event::CheckRunRerequested(event) = rerequested(Some("pull/7"), vec![]) else { unreachable!() };
        Event::CheckRunButton(CheckRunEvent { sender, button: Some("explain".to_owned()), ..event })
    };
    let mara = Sender { id: UserId(1), login: Login::parse("mara").unwrap() };
    check(pressed(Some(mara.clone())), Some(("button", false)));
    check(pressed(None), None);
    let (job, _) = Job::from_event(pressed(Some(mara))).unwrap();
    assert!(!job.to_new(false).yields);
}

#[test]
fn a_check_finds_its_pull_request_even_on_a_fork() {
    check(rerequested(Some(&check_external_id(PullNumber(7))), vec![]), Some(("evaluate_pull", true)));
    check(rerequested(Some("pull/7/evaluation"), vec![PullNumber(8)]), Some(("evaluate_pull", true)));
    check(rerequested(None, vec![PullNumber(7)]), Some(("evaluate_pull", true)));
    check(rerequested(Some("somebody else's"), vec![]), None);
}
