//! A pull request's life: retargeted, drafted, closed, reopened, told of twice or out of order.

use std::time::Duration;

use promptops::domain::ids::RepoName;
use promptops::sim::{Change, Knobs, NewPull};

use crate::support::app::{
    GOLDEN, Mood, PROMPT, SETTINGS, SETTINGS_PATH, TestApp, forgets, golden, prompt, protect, state,
};

#[tokio::test]
async fn another_base_gets_checks_of_its_own_name() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    assert!(app.can_merge(pull));
    app.repo.branch("release", "main").unwrap();
    protect(&app.sim, &app.repo, "release");
    app.repo.push("release", &Change::by("lee").write("README.md", "release")).unwrap();
    app.repo.retarget(pull, "release", "ann").unwrap();
    assert!(!app.can_merge(pull));
    app.settle().await;
    app.expect(pull, "success", "success");
    assert!(app.evaluation(pull).name.ends_with(": release"));
    assert!(app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn waiting_checks_end_where_the_pull_request_moves_on() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let old = app.head(pull);
    app.push(&Change::by("ann").write(PROMPT, prompt("You answer customers kindly."))).await;
    let approval = app.check_on(&old, "promptops/approval: main").unwrap();
    assert_eq!(state(&approval), "cancelled");
    // The prompt is as on main again, so there is nothing to wait for any more.
    let old = app.head(pull);
    app.push(&Change::by("ann").write(PROMPT, prompt(&forgets([3]))).write("README.md", "Acme, newer")).await;
    app.expect(pull, "success", "success");
    assert_eq!(state(&app.check_on(&old, "promptops/approval: main").unwrap()), "cancelled");
    assert!(app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_draft_is_evaluated_and_not_again_when_it_is_ready() {
    let app = TestApp::new().await;
    app.repo.branch("draft", "main").unwrap();
    app.repo.push("draft", &Change::by("ann").write(PROMPT, prompt("You answer customers politely."))).unwrap();
    let pull = app.repo.open_pull(&NewPull { draft: true, ..NewPull::new("ann", "draft", "main") }).unwrap();
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    let calls = app.model.calls();
    app.repo.ready(pull, "ann").unwrap();
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    assert_eq!((app.model.calls(), app.comment_writes()), (calls, 1));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn closing_ends_what_waits_and_reopening_brings_it_back() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let calls = app.model.calls();
    app.repo.close(pull, "ann").unwrap();
    app.settle().await;
    app.expect(pull, "success", "cancelled");
    app.repo.reopen(pull, "ann").unwrap();
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    assert_eq!(app.model.calls(), calls);

    app.mood(Mood::Slow(Duration::from_millis(300)));
    app.repo.push(&app.branch(), &Change::by("ann").write(PROMPT, prompt(&forgets([5])))).unwrap();
    app.until("the new head is being evaluated", |app| app.model.calls() > calls).await;
    app.repo.close(pull, "ann").unwrap();
    app.settle().await;
    app.expect(pull, "cancelled", "cancelled");
    app.repo.reopen(pull, "ann").unwrap();
    app.settle().await;
    app.expect(pull, "failure", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_head_that_moves_during_the_run_stops_it_and_nothing_stale_is_said() {
    let mut app = TestApp::new().await;
    app.mood(Mood::Slow(Duration::from_millis(900)));
    let pull = app.open_unsettled(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 6]))));
    app.until("the old head is being evaluated", |app| app.model.open() > 0).await;
    let old = app.head(pull);
    app.mood(Mood::Fine);
    app.push(&Change::by("ann").write(PROMPT, prompt("You answer customers politely."))).await;
    app.expect(pull, "success", "in_progress");
    assert!(app.model.abandoned() > 0, "the old run's calls were stopped");
    for name in ["promptops/evaluation: main", "promptops/approval: main"] {
        assert_eq!(state(&app.check_on(&old, name).unwrap()), "cancelled");
    }
    assert_eq!(app.comment_writes(), 1);
    assert!(!app.report(pull).unwrap().contains("order-5"));
    app.finish().await;
}

#[tokio::test]
async fn deliveries_told_twice_and_out_of_order_change_nothing() {
    let mut app = TestApp::new().await;
    app.sim.set_knobs(Knobs { duplicates: 2, reorder: 9, ..Knobs::default() });
    let pull = app.open_unsettled(&Change::by("ann").write(PROMPT, prompt(&forgets([5]))));
    app.repo.push(&app.branch(), &Change::by("ann").write(PROMPT, prompt("You answer customers politely."))).unwrap();
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    assert_eq!(app.repo.comments(pull).len(), 1);
    let writes = app.comment_writes();
    for delivery in app.sim.deliveries() {
        app.sim.redeliver(delivery.id).unwrap();
    }
    app.settle().await;
    app.expect(pull, "success", "success");
    assert_eq!(app.comment_writes(), writes);
    app.finish().await;
}

#[tokio::test]
async fn a_comment_that_is_gone_comes_back_and_a_locked_conversation_keeps_the_checks() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let first = app.repo.comments(pull)[0].id;
    app.repo.delete_comment(first).unwrap();
    app.approve(pull, "mara").await;
    assert!(app.report(pull).unwrap().contains("Approved by"));
    let report = app.repo.comments(pull)[0].id;
    app.repo.delete_comment(report).unwrap();
    app.repo.lock(pull).unwrap();
    app.push(&Change::by("ann").write(PROMPT, prompt(&forgets([5])))).await;
    app.expect(pull, "failure", "in_progress");
    assert!(app.report(pull).is_none());
    app.finish().await;
}

#[tokio::test]
async fn the_organisation_s_settings_govern_where_a_repository_has_none() {
    let mut app = TestApp::with(Change::by("ann")).await;
    let shared = RepoName::parse("acme/.github").unwrap();
    app.sim.repo(&shared, &Change::by("lee").write(SETTINGS_PATH, SETTINGS)).unwrap();
    let pull = app.open_better().await;
    app.expect(pull, "success", "in_progress");
    app.approve(pull, "mara").await;
    assert!(app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_base_that_moved_is_measured_anew_at_the_next_review() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.repo.push("main", &Change::by("lee").write(GOLDEN, golden(1..=20))).unwrap();
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    assert!(app.report(pull).unwrap().contains("the same 20 cases"), "{}", app.report(pull).unwrap());
    app.finish().await;
}

#[tokio::test]
async fn a_review_brings_the_checks_where_the_opening_was_lost_and_nothing_is_governed() {
    let mut app = TestApp::new().await;
    app.sim.set_knobs(Knobs { drop_next: u32::MAX, ..Knobs::default() });
    let pull = app.open(&Change::by("ann").write("README.md", "Acme, newer")).await;
    app.sim.set_knobs(Knobs::default());
    assert!(!app.can_merge(pull));
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    assert!(app.can_merge(pull) && app.report(pull).is_none());
    app.finish().await;
}
