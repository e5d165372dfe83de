//! The release of a fork's commit, attacked: it is for one commit, by somebody who may write now, and for nothing else.

use promptops::domain::audit::AuditKind;
use promptops::domain::ids::PullNumber;
use promptops::sim::{Change, NewPull, Repo};

use crate::support::app::{PROMPT, SETTINGS, TestApp, forgets, prompt};

fn worse(order: u32) -> Change {
    Change::by("rex").write(PROMPT, prompt(&forgets([order])))
}

/// Rex, who may only read, opens a pull request from a fork.
async fn from_fork(app: &TestApp) -> (Repo, PullNumber) {
    let fork = app.repo.fork("rex").unwrap();
    fork.branch("mine", "main").unwrap();
    fork.push("mine", &worse(5)).unwrap();
    let pull = app.repo.open_pull(&NewPull { from: Some(&fork), ..NewPull::new("rex", "mine", "main") }).unwrap();
    app.settle().await;
    (fork, pull)
}

async fn end(app: TestApp, pull: PullNumber) {
    assert!(!app.can_merge(pull));
    let _ = (app.report(pull), app.answers(pull));
    app.finish().await;
}

async fn releases(app: &TestApp) -> usize {
    app.audit().await.iter().filter(|entry| entry.kind == AuditKind::Release).count()
}

#[tokio::test]
async fn a_commit_that_is_not_written_out_releases_nothing_and_the_full_line_is_given() {
    let app = TestApp::new().await;
    let (_, pull) = from_fork(&app).await;
    let head = app.head(pull);
    for named in [head.short().to_owned(), "HEAD".to_owned(), format!("{head}0"), format!("{head} please")] {
        app.say(pull, "bob", &format!("/promptops eval {named}")).await;
        let answer = app.answers(pull).pop().unwrap();
        assert!(answer.contains(&format!("`/promptops eval {head}`")), "{answer}");
        app.expect(pull, "action_required", "in_progress");
    }
    assert_eq!((app.model.calls(), releases(&app).await), (0, 0));
    app.say(pull, "bob", &format!("/promptops eval {}", head.as_str().to_uppercase())).await;
    app.expect(pull, "failure", "in_progress");
    assert_eq!(releases(&app).await, 1);
    end(app, pull).await;
}

#[tokio::test]
async fn a_push_between_the_look_and_the_release_leaves_nothing_released() {
    let app = TestApp::new().await;
    let (fork, pull) = from_fork(&app).await;
    let seen = app.head(pull);
    fork.push("mine", &worse(6)).unwrap();
    app.repo.comment(pull, "bob", &format!("/promptops eval {seen}")).unwrap();
    app.settle().await;
    app.expect(pull, "action_required", "in_progress");
    assert_eq!((app.model.calls(), releases(&app).await), (0, 0));
    // Nor does the old name help later, or the same webhook again.
    let comment = app.sim.deliveries().into_iter().rfind(|one| one.event == "issue_comment").unwrap();
    app.sim.redeliver(comment.id).unwrap();
    app.say(pull, "bob", &format!("/promptops eval {seen}")).await;
    assert_eq!((app.model.calls(), releases(&app).await), (0, 0));
    end(app, pull).await;
}

#[tokio::test]
async fn a_release_lapses_on_push_and_its_webhook_does_not_release_the_next_commit() {
    let app = TestApp::new().await;
    let (fork, pull) = from_fork(&app).await;
    app.say(pull, "bob", &format!("/promptops eval {}", app.head(pull))).await;
    app.expect(pull, "failure", "in_progress");
    let calls = app.model.calls();
    fork.push("mine", &worse(6)).unwrap();
    app.settle().await;
    for comment in app.sim.deliveries().into_iter().filter(|one| one.event == "issue_comment") {
        app.sim.redeliver(comment.id).unwrap();
    }
    app.settle().await;
    app.expect(pull, "action_required", "in_progress");
    assert_eq!((app.model.calls(), releases(&app).await), (calls, 1));
    end(app, pull).await;
}

#[tokio::test]
async fn hidden_commands_and_those_of_readers_release_nothing() {
    let app = TestApp::new().await;
    let (_, pull) = from_fork(&app).await;
    let line = format!("/promptops eval {}", app.head(pull));
    app.say(pull, "rex", &line).await;
    for hidden in
        [format!("> {line}"), format!("```\n{line}\n```"), format!("<!-- \n{line}\n-->"), format!("see {line}")]
    {
        app.say(pull, "bob", &hidden).await;
    }
    // Whoever lost the permission since is nobody either.
    app.repo.role("bob", "read").unwrap();
    app.say(pull, "bob", &line).await;
    app.expect(pull, "action_required", "in_progress");
    assert_eq!((app.model.calls(), app.answers(pull).len(), releases(&app).await), (0, 0, 0));
    end(app, pull).await;
}

#[tokio::test]
async fn a_comment_that_is_edited_later_is_not_read_again() {
    let app = TestApp::new().await;
    let (_, pull) = from_fork(&app).await;
    let id = app.repo.comment(pull, "bob", "I will look at it.").unwrap();
    app.settle().await;
    app.repo.edit_comment(id, &format!("/promptops eval {}", app.head(pull)), "bob").unwrap();
    app.settle().await;
    app.expect(pull, "action_required", "in_progress");
    assert_eq!((app.model.calls(), releases(&app).await), (0, 0));
    end(app, pull).await;
}

#[tokio::test]
async fn settings_without_forks_release_none() {
    for word in ["lint", "never"] {
        let app =
            TestApp::with_settings(&SETTINGS.replace("evaluation:", &format!("evaluation:\n  forks: {word}"))).await;
        let (_, pull) = from_fork(&app).await;
        app.say(pull, "bob", &format!("/promptops eval {}", app.head(pull))).await;
        app.expect(pull, "action_required", "in_progress");
        let answer = app.answers(pull).pop().unwrap();
        assert!(answer.contains(&format!("`forks: {word}`")), "{answer}");
        assert_eq!((app.model.calls(), releases(&app).await), (0, 0));
        end(app, pull).await;
    }
}

#[tokio::test]
async fn an_author_of_this_repository_who_may_not_write_any_more_is_like_a_fork() {
    let mut app = TestApp::new().await;
    app.repo.role("ann", "triage").unwrap();
    let pull = app.open_better().await;
    app.expect(pull, "action_required", "in_progress");
    app.say(pull, "ann", &format!("/promptops eval {}", app.head(pull))).await;
    assert!(app.answers(pull).is_empty());
    app.say(pull, "bob", "/promptops eval").await;
    let answer = app.answers(pull).pop().unwrap();
    assert!(answer.contains("without write permission") && answer.contains(app.head(pull).as_str()), "{answer}");
    app.expect(pull, "action_required", "in_progress");
    app.say(pull, "bob", &format!("/promptops eval {}", app.head(pull))).await;
    app.expect(pull, "success", "in_progress");
    assert_eq!(releases(&app).await, 1);
    end(app, pull).await;
}
