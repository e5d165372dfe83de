//! The sweep finds what never arrived: lost webhooks, heads without checks, people and bases that changed unseen.

use std::time::Duration;

use promptops::sim::{Change, Knobs};

use crate::support::app::{GOLDEN, PROMPT, SETTINGS, SETTINGS_PATH, TestApp, forgets, golden, prompt, state, team};

/// So many of the next webhooks are lost.
fn lose(app: &TestApp, webhooks: u32) {
    app.sim.set_knobs(Knobs { drop_next: webhooks, ..Knobs::default() });
}

fn redeliveries(app: &TestApp) -> usize {
    app.sim.deliveries().iter().filter(|delivery| delivery.redelivery).count()
}

#[tokio::test]
async fn lost_webhooks_are_asked_for_again_and_only_once() {
    let mut app = TestApp::new().await;
    app.sweep().await;
    let before = redeliveries(&app);
    lose(&app, 2);
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt("You answer customers politely."))).await;
    assert!(app.repo.check_runs(&app.head(pull)).is_empty(), "the webhook was lost");
    app.sweep().await;
    app.expect(pull, "success", "in_progress");
    assert_eq!(redeliveries(&app), before + 2, "the push and the pull request");
    app.approve(pull, "mara").await;
    let (calls, writes) = (app.model.calls(), app.comment_writes());
    app.sweep().await;
    app.sweep().await;
    assert_eq!((redeliveries(&app), app.model.calls(), app.comment_writes()), (before + 2, calls, writes));
    assert!(app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_pull_request_that_no_delivery_tells_of_gets_its_checks() {
    let mut app = TestApp::new().await;
    // Nothing is delivered anywhere, so nothing is in the log either.
    app.sim.stop_delivering();
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt("You answer customers politely."))).await;
    app.sweep().await;
    app.expect(pull, "success", "in_progress");
    let head = app.push(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 6])))).await;
    assert!(app.check_on(&head, "promptops/evaluation: main").is_none());
    app.sweep().await;
    app.expect(pull, "failure", "in_progress");
    app.repo.close(pull, "ann").unwrap();
    app.sweep().await;
    assert_eq!(state(&app.approval(pull)), "cancelled");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn people_and_bases_that_changed_unseen_are_noticed() {
    let mut app = TestApp::new().await;
    let by_mara = app.open_better().await;
    app.approve(by_mara, "mara").await;
    let by_max = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([13, 14, 15])))).await;
    app.approve(by_max, "max").await;
    assert!(app.can_merge(by_mara) && app.can_merge(by_max));
    app.sim.stop_delivering();
    app.sim.leave_team(&team("@acme/prompt-reviewers"), "mara").unwrap();
    app.repo.push("main", &Change::by("lee").write(GOLDEN, golden(1..=15))).unwrap();
    app.sweep().await;
    assert!(!app.can_merge(by_mara) && !app.can_merge(by_max));
    app.expect(by_mara, "success", "in_progress");
    app.expect(by_max, "failure", "success");
    let _ = (app.report(by_mara), app.report(by_max));
    app.finish().await;
}

#[tokio::test]
async fn a_quiet_installation_costs_the_sweep_nothing_of_the_limit() {
    let app = TestApp::new().await;
    app.sweep().await;
    app.sim.forget_exchanges();
    app.sweep().await;
    let paid = |exchange: &promptops::sim::Exchange| {
        exchange.status != 304 && matches!(exchange.caller, promptops::sim::Caller::Installation(_))
    };
    let paid: Vec<_> = app.sim.exchanges().into_iter().filter(paid).map(|exchange| exchange.path).collect();
    assert!(paid.is_empty(), "{paid:?}");
    app.finish().await;
}

#[tokio::test]
async fn repositories_without_settings_are_left_in_peace() {
    let mut app = TestApp::with(Change::by("ann")).await;
    let pull = app.open_better().await;
    app.sweep().await;
    app.sim.forget_exchanges();
    app.sweep().await;
    let of_pull = |path: &str| path.ends_with(&format!("/pulls/{pull}"));
    assert!(!app.sim.exchanges().iter().any(|exchange| of_pull(&exchange.path)));
    assert!(app.repo.check_runs(&app.head(pull)).is_empty());
    app.finish().await;
}

#[tokio::test]
async fn the_sweep_comes_by_itself() {
    let mut app = TestApp::new().await;
    app.stop().await;
    let pull = app.open_unsettled(&Change::by("ann").write(PROMPT, prompt("You answer customers politely.")));
    app.sim.settle().await;
    app.config.reconcile = Duration::from_millis(400);
    app.start().await;
    let name = "promptops/evaluation: main";
    app.until("the sweep brought the checks", |app| {
        app.check_on(&app.head(pull), name).is_some_and(|check| state(&check) == "success")
    })
    .await;
    app.config.reconcile = Duration::from_secs(300);
    app.stop().await;
    app.start().await;
    app.settle().await;
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_kill_between_push_and_sweep_loses_nothing() {
    let mut app = TestApp::with_settings(SETTINGS).await;
    let pull = app.open_better().await;
    app.kill();
    app.repo.push("main", &Change::by("lee").write(SETTINGS_PATH, SETTINGS.replace("count: 1", "count: 2"))).unwrap();
    app.approve_unsettled(pull, "mara");
    app.sim.settle().await;
    app.start().await;
    app.sweep().await;
    app.expect(pull, "success", "in_progress");
    assert!(!app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}
