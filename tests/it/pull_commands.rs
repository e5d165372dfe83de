//! What people can ask for: commands in comments, the button of a check, and the release of a fork's commit.

use promptops::domain::ids::PullNumber;
use promptops::sim::{Change, NewPull, Repo};

use crate::support::app::{PROMPT, SETTINGS, TestApp, forgets, prompt};

/// Rex, who may only read, opens a pull request from a fork that breaks a case.
async fn from_fork(app: &TestApp) -> (Repo, PullNumber) {
    let fork = app.repo.fork("rex").unwrap();
    fork.branch("mine", "main").unwrap();
    fork.push("mine", &Change::by("rex").write(PROMPT, prompt(&forgets([5])))).unwrap();
    let pull = app.repo.open_pull(&NewPull { from: Some(&fork), ..NewPull::new("rex", "mine", "main") }).unwrap();
    app.settle().await;
    (fork, pull)
}

#[tokio::test]
async fn a_fork_is_evaluated_only_once_somebody_releases_exactly_its_commit() {
    let app = TestApp::new().await;
    let (fork, pull) = from_fork(&app).await;
    app.expect(pull, "action_required", "in_progress");
    let head = app.head(pull);
    let asked = format!("/promptops eval {head}");
    assert!(app.report(pull).unwrap().contains(&asked), "{}", app.report(pull).unwrap());
    app.say(pull, "rex", &asked).await;
    app.say(pull, "bob", "/promptops eval").await;
    app.say(pull, "bob", &format!("/promptops eval {}", "0".repeat(40))).await;
    app.expect(pull, "action_required", "in_progress");
    assert_eq!((app.model.calls(), app.answers(pull).len()), (0, 2));
    app.say(pull, "bob", &asked).await;
    app.expect(pull, "failure", "in_progress");
    assert!(app.report(pull).unwrap().contains("order-5"));
    let calls = app.model.calls();
    assert!(calls > 0);
    fork.push("mine", &Change::by("rex").write(PROMPT, prompt("You answer."))).unwrap();
    app.settle().await;
    app.expect(pull, "action_required", "in_progress");
    // The old release does not come back with the old commit's name.
    app.say(pull, "bob", &asked).await;
    app.expect(pull, "action_required", "in_progress");
    assert_eq!((app.model.calls(), app.answers(pull).len()), (calls, 3));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn forks_are_only_checked_for_errors_where_the_settings_say_so() {
    let app = TestApp::with_settings(&SETTINGS.replace("evaluation:", "evaluation:\n  forks: lint")).await;
    let (fork, pull) = from_fork(&app).await;
    app.expect(pull, "action_required", "in_progress");
    app.say(pull, "bob", &format!("/promptops eval {}", app.head(pull))).await;
    app.expect(pull, "action_required", "in_progress");
    fork.push("mine", &Change::by("rex").write(PROMPT, "messages: [\n")).unwrap();
    app.settle().await;
    assert_eq!(app.evaluation(pull).annotations[0]["path"], PROMPT);
    assert_eq!(app.model.calls(), 0);
    let _ = (app.report(pull), app.answers(pull));
    app.finish().await;
}

#[tokio::test]
async fn explain_and_help_are_answered_once_and_strangers_are_not() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.say(pull, "rex", "/promptops help").await;
    assert!(app.answers(pull).is_empty());
    app.say(pull, "ann", "Look:\n/promptops help\n\n> /promptops explain").await;
    app.say(pull, "mara", "/promptops explain").await;
    let answers = app.answers(pull);
    assert_eq!(answers.len(), 2, "{answers:?}");
    assert!(answers[0].contains("/promptops eval") && answers[1].contains("reviewer"), "{answers:?}");
    let comments = app.sim.deliveries().into_iter().filter(|one| one.event == "issue_comment");
    let again: Vec<u64> = comments.map(|one| one.id).collect();
    for id in again {
        app.sim.redeliver(id).unwrap();
    }
    app.settle().await;
    assert_eq!(app.answers(pull), answers);
    app.expect(pull, "success", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_check_that_is_asked_for_again_runs_with_fresh_answers() {
    let mut app = TestApp::new().await;
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])))).await;
    let (calls, check) = (app.model.calls(), app.evaluation(pull));
    assert_eq!(check.annotations.len(), 2);
    app.repo.rerequest_check(check.id, "ann").unwrap();
    app.settle().await;
    app.expect(pull, "failure", "in_progress");
    assert!(app.model.calls() >= 2 * calls - 1, "{calls} calls, then {}", app.model.calls());
    let again = app.evaluation(pull);
    assert_eq!(again.annotations.len(), 2);
    assert_ne!(again.id, check.id);
    app.say(pull, "bob", "/promptops eval").await;
    app.expect(pull, "failure", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}
