//! Attacks with several pull requests on one commit: the success of one must never open another.

use std::time::Duration;

use promptops::domain::ids::PullNumber;
use promptops::sim::{Change, Knobs, NewPull, Verdict};

use crate::support::app::{PROMPT, TestApp, prompt, state};

fn better() -> Change {
    Change::by("ann").write(PROMPT, prompt("You answer customers politely."))
}

fn read_reports(app: &TestApp, pulls: &[PullNumber]) {
    for pull in pulls {
        let _ = app.report(*pull);
    }
}

#[tokio::test]
async fn an_approval_of_one_pull_request_does_not_open_another_on_its_commit() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    let twin = app.open_twin("bob", "main");
    app.settle().await;
    app.approve(pull, "mara").await;
    assert!(!app.can_merge(pull) && !app.can_merge(twin));
    let approval = app.approval(twin);
    assert_eq!(state(&approval), "in_progress");
    assert!(approval.title.as_ref().unwrap().starts_with("#2: "), "{:?}", approval.title);
    assert!(approval.summary.as_ref().unwrap().contains("2 open pull requests"), "{:?}", approval.summary);
    // The comments stay each pull request's own.
    assert!(app.report(pull).unwrap().contains("Approved by"));
    assert!(!app.report(twin).unwrap().contains("Approved by"));
    app.approve(twin, "mara").await;
    assert!(app.can_merge(pull) && app.can_merge(twin));
    read_reports(&app, &[pull, twin]);
    app.finish().await;
}

#[tokio::test]
async fn the_worst_holds_all_until_it_is_gone_and_then_the_others_are_posted_anew() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    let twin = app.open_twin("bob", "main");
    app.settle().await;
    app.approve(pull, "mara").await;
    app.repo.review(twin, "max", Verdict::RequestChanges, "no").unwrap();
    app.settle().await;
    app.expect(pull, "success", "failure");
    assert!(!app.can_merge(pull) && !app.can_merge(twin));
    app.repo.close(twin, "bob").unwrap();
    app.settle().await;
    app.expect(pull, "success", "success");
    assert!(app.can_merge(pull));
    // It comes back, and goes to another branch.
    app.repo.reopen(twin, "bob").unwrap();
    app.settle().await;
    app.expect(pull, "success", "failure");
    app.repo.branch("release", "main").unwrap();
    app.repo.retarget(twin, "release", "bob").unwrap();
    app.settle().await;
    assert!(app.can_merge(pull));
    assert_eq!(state(&app.approval(twin)), "failure");
    read_reports(&app, &[pull, twin]);
    app.finish().await;
}

#[tokio::test]
async fn a_pull_request_that_moves_on_leaves_the_commit_to_the_other() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    let twin = app.open_twin("bob", "main");
    app.settle().await;
    app.approve(pull, "mara").await;
    assert!(!app.can_merge(pull));
    // Ann's own head stays; Bob's moves.
    app.push(&Change::by("bob").write(PROMPT, prompt("You answer customers kindly."))).await;
    app.expect(pull, "success", "success");
    app.expect(twin, "success", "in_progress");
    assert!(app.can_merge(pull) && !app.can_merge(twin));
    read_reports(&app, &[pull, twin]);
    app.finish().await;
}

#[tokio::test]
async fn a_pull_request_we_were_never_told_of_holds_the_commit_too() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    app.sim.set_knobs(Knobs { drop_next: 1, ..Knobs::default() });
    let twin = app.open_twin("bob", "main");
    app.approve(pull, "mara").await;
    assert!(!app.can_merge(pull) && !app.can_merge(twin));
    let title = app.approval(pull).title.unwrap();
    assert!(title.starts_with("#2: Not looked at yet"), "{title}");
    let lost = app.sim.deliveries().into_iter().find(|one| one.status_code == 0).unwrap();
    app.sim.redeliver(lost.id).unwrap();
    app.settle().await;
    assert!(!app.can_merge(pull) && !app.can_merge(twin));
    app.approve(twin, "mara").await;
    assert!(app.can_merge(pull) && app.can_merge(twin));
    read_reports(&app, &[pull, twin]);
    app.finish().await;
}

#[tokio::test]
async fn a_pull_request_we_hear_of_when_it_moves_on_leaves_the_commit_to_the_other() {
    let mut app = TestApp::new().await;
    app.sim.set_knobs(Knobs { drop_next: u32::MAX, ..Knobs::default() });
    let unknown = app.open_unsettled(&better());
    app.sim.set_knobs(Knobs::default());
    let twin = app.open_twin("bob", "main");
    app.approve(twin, "mara").await;
    assert!(!app.can_merge(twin));
    let title = app.approval(twin).title.unwrap();
    assert!(title.starts_with("#1: Not looked at yet"), "{title}");
    app.repo.push("change-1", &Change::by("ann").write(PROMPT, prompt("You answer customers kindly."))).unwrap();
    app.settle().await;
    assert!(app.can_merge(twin) && !app.can_merge(unknown));
    read_reports(&app, &[unknown, twin]);
    app.finish().await;
}

#[tokio::test]
async fn a_pull_request_that_came_and_went_unheard_holds_nobody_at_the_next_look() {
    let mut app = TestApp::new().await;
    app.sim.set_knobs(Knobs { drop_next: u32::MAX, ..Knobs::default() });
    let unknown = app.open_unsettled(&better());
    app.sim.set_knobs(Knobs::default());
    let twin = app.open_twin("bob", "main");
    app.approve(twin, "mara").await;
    assert!(!app.can_merge(twin));
    app.sim.set_knobs(Knobs { drop_next: u32::MAX, ..Knobs::default() });
    app.repo.close(unknown, "ann").unwrap();
    app.sim.set_knobs(Knobs::default());
    app.approve(twin, "max").await;
    assert!(app.can_merge(twin));
    read_reports(&app, &[twin]);
    app.finish().await;
}

#[tokio::test]
async fn a_pull_request_that_was_closed_unheard_holds_nobody_for_ever() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    let twin = app.open_twin("bob", "main");
    app.settle().await;
    app.sim.set_knobs(Knobs { drop_next: 1, ..Knobs::default() });
    app.repo.close(twin, "bob").unwrap();
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    assert!(app.can_merge(pull));
    read_reports(&app, &[pull, twin]);
    app.finish().await;
}

#[tokio::test]
async fn a_stranger_s_fork_of_a_commit_waits_for_its_release_and_shows_whose_it_is() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    app.approve(pull, "mara").await;
    assert!(app.can_merge(pull));
    let fork = app.repo.fork("rex").unwrap();
    let branch = app.branch();
    let from_fork = NewPull { from: Some(&fork), ..NewPull::new("rex", &branch, "main") };
    let twin = app.repo.open_pull(&from_fork).unwrap();
    app.settle().await;
    assert!(!app.can_merge(twin));
    let evaluation = app.evaluation(twin);
    assert_eq!(state(&evaluation), "action_required");
    assert!(evaluation.title.unwrap().starts_with("#2: "));
    app.repo.close(twin, "rex").unwrap();
    app.settle().await;
    assert!(app.can_merge(pull));
    read_reports(&app, &[pull, twin]);
    app.finish().await;
}

/// Four pull requests on one commit, in four lanes of two servers, all at once.
#[tokio::test]
async fn lanes_that_post_at_once_never_let_a_success_stand_over_a_worse_result() {
    let mut app = TestApp::new().await;
    app.start_replica().await;
    let first = app.open_unsettled(&better());
    let mut pulls = vec![first];
    for author in ["bob", "lee", "max"] {
        pulls.push(app.open_twin(author, "main"));
    }
    app.settle().await;
    for pull in &pulls[..3] {
        app.repo.review(*pull, "mara", Verdict::Approve, "fine").unwrap();
    }
    app.settle().await;
    for pull in &pulls {
        assert!(!app.can_merge(*pull), "{pull}");
        app.expect(*pull, "success", "in_progress");
    }
    app.approve(pulls[3], "mara").await;
    for pull in &pulls {
        assert!(app.can_merge(*pull), "{pull}");
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    read_reports(&app, &pulls);
    app.finish().await;
}
