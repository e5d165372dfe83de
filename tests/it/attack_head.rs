//! Attacks with heads and bases that move: a success belongs to one commit and one branch, and to the approvals of now.

use std::time::Duration;

use promptops::sim::{Change, Fault, NewPull, Trouble, When};

use crate::support::app::{Mood, PROMPT, SETTINGS_PATH, TestApp, forgets, prompt, protect, state};

fn better() -> Change {
    Change::by("ann").write(PROMPT, prompt("You answer customers politely."))
}

#[tokio::test]
async fn a_base_that_is_left_and_taken_again_finds_no_old_success() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    let review = app.approve(pull, "mara").await;
    assert!(app.can_merge(pull));
    app.repo.branch("release", "main").unwrap();
    protect(&app.sim, &app.repo, "release");
    app.repo.retarget(pull, "release", "ann").unwrap();
    assert!(!app.can_merge(pull), "main's success is none here");
    app.settle().await;
    assert!(app.can_merge(pull));
    app.repo.dismiss(pull, review, "lee").unwrap();
    app.settle().await;
    assert!(!app.can_merge(pull));
    app.repo.retarget(pull, "main", "ann").unwrap();
    assert!(!app.can_merge(pull), "nor is the success that main once saw");
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    assert!(!app.can_merge(pull));
    let head = app.head(pull);
    for name in ["promptops/evaluation: release", "promptops/approval: release"] {
        assert_eq!(state(&app.check_on(&head, name).unwrap()), "cancelled");
    }
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_head_that_comes_back_finds_no_old_approval() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    let approved = app.head(pull);
    let review = app.approve(pull, "mara").await;
    app.push(&Change::by("ann").write(PROMPT, prompt("You answer customers kindly."))).await;
    assert!(!app.can_merge(pull));
    app.repo.dismiss(pull, review, "lee").unwrap();
    app.settle().await;
    app.repo.reset(&app.branch(), &approved, "ann").unwrap();
    assert!(!app.can_merge(pull), "the approval was withdrawn meanwhile");
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_closed_pull_request_that_comes_back_finds_no_old_approval() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    let review = app.approve(pull, "mara").await;
    assert!(app.can_merge(pull));
    app.repo.close(pull, "ann").unwrap();
    app.settle().await;
    app.repo.dismiss(pull, review, "lee").unwrap();
    app.settle().await;
    app.repo.reopen(pull, "ann").unwrap();
    assert!(!app.can_merge(pull));
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_run_asked_for_anew_holds_the_merge_while_it_runs() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    app.approve(pull, "mara").await;
    assert!(app.can_merge(pull));
    let calls = app.model.calls();
    app.mood(Mood::Slow(Duration::from_millis(300)));
    app.repo.comment(pull, "ann", "/promptops eval").unwrap();
    app.until("the model is asked again", |app| app.model.calls() > calls).await;
    assert!(!app.can_merge(pull), "the old success stands beside no run");
    app.settle().await;
    assert!(app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_push_while_a_success_is_being_published_is_not_let_through_by_it() {
    let mut app = TestApp::new().await;
    app.mood(Mood::Slow(Duration::from_millis(300)));
    let pull = app.open_unsettled(&better());
    app.until("the head is being evaluated", |app| app.model.open() > 0).await;
    // The read of the head before publishing takes long: the push comes right after it.
    let slow = Trouble::Slow(Duration::from_millis(1_500));
    app.sim.order(Fault::new("GET", "/repos/{owner}/{repo}/pulls/{number}", When::After, slow));
    app.mood(Mood::Fine);
    let old = app.head(pull);
    app.until("all answers are there", |app| app.model.open() == 0).await;
    app.repo.push(&app.branch(), &Change::by("ann").write(PROMPT, prompt(&forgets([5, 6])))).unwrap();
    assert!(!app.can_merge(pull));
    app.settle().await;
    app.expect(pull, "failure", "in_progress");
    assert_ne!(app.head(pull), old);
    assert!(app.report(pull).unwrap().contains("order-5"), "the comment is about the newest head");
    app.finish().await;
}

#[tokio::test]
async fn servers_that_share_a_database_say_everything_once_and_the_newest_last() {
    let mut app = TestApp::new().await;
    app.start_replica().await;
    app.start_replica().await;
    app.mood(Mood::Slow(Duration::from_millis(150)));
    let pull = app.open_unsettled(&Change::by("ann").write(PROMPT, prompt(&forgets([5]))));
    for instruction in ["You answer.", &forgets([5, 6]), "You answer well.", &forgets([7, 8])] {
        app.repo.push(&app.branch(), &Change::by("ann").write(PROMPT, prompt(instruction))).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    app.settle().await;
    app.expect(pull, "failure", "in_progress");
    assert_eq!(app.repo.check_runs(&app.head(pull)).len(), 2);
    assert_eq!(app.repo.comments(pull).len(), 1);
    let report = app.report(pull).unwrap();
    assert!(report.contains("order-7") && !report.contains("order-6"), "{report}");
    app.finish().await;
}

/// GitHub refuses the first write of a check; `times` are more than one job tries by itself.
fn refuse_checks(app: &TestApp, times: u32) {
    let pattern = "/repos/{owner}/{repo}/check-runs/{id}";
    app.sim.order(Fault::new("PATCH", pattern, When::Before, Trouble::Status(502)).times(times));
}

#[tokio::test]
async fn a_success_that_github_refuses_to_take_back_is_taken_back_by_the_next_try() {
    for times in [1, 6] {
        let mut app = TestApp::new().await;
        let pull = app.open(&better()).await;
        let review = app.approve(pull, "mara").await;
        assert!(app.can_merge(pull));
        refuse_checks(&app, times);
        app.repo.close(pull, "ann").unwrap();
        app.settle().await;
        assert_ne!(state(&app.approval(pull)), "success", "refused {times} times");
        app.repo.dismiss(pull, review, "lee").unwrap();
        app.settle().await;
        app.repo.reopen(pull, "ann").unwrap();
        assert!(!app.can_merge(pull));
        app.settle().await;
        app.expect(pull, "success", "in_progress");
        let _ = app.report(pull);
        app.finish().await;
    }
}

#[tokio::test]
async fn a_crash_while_a_success_is_taken_back_leaves_it_to_the_next_server() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    app.approve(pull, "mara").await;
    let slow = Trouble::Slow(Duration::from_secs(5));
    app.sim.order(Fault::new("PATCH", "/repos/{owner}/{repo}/check-runs/{id}", When::Before, slow));
    let before = app.sim.exchanges().len();
    app.repo.close(pull, "ann").unwrap();
    app.until("GitHub is asked about the closed pull request", |app| app.sim.exchanges().len() > before).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    app.kill();
    app.start().await;
    app.settle().await;
    assert_ne!(state(&app.approval(pull)), "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn another_base_s_success_is_taken_back_even_if_github_refuses_it_once() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    app.approve(pull, "mara").await;
    let head = app.head(pull);
    app.repo.branch("release", "main").unwrap();
    protect(&app.sim, &app.repo, "release");
    // Both checks are new there, so that what is changed is main's.
    refuse_checks(&app, 6);
    app.repo.retarget(pull, "release", "ann").unwrap();
    app.settle().await;
    assert!(app.can_merge(pull));
    for name in ["promptops/evaluation: main", "promptops/approval: main"] {
        assert_eq!(state(&app.check_on(&head, name).unwrap()), "cancelled");
    }
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_way_through_a_branch_without_settings_keeps_no_old_success() {
    let mut app = TestApp::new().await;
    app.repo.branch("plain", "main").unwrap();
    app.repo.push("plain", &Change::by("lee").remove(SETTINGS_PATH)).unwrap();
    app.settle().await;
    let pull = app.open(&better()).await;
    let review = app.approve(pull, "mara").await;
    assert!(app.can_merge(pull));
    app.repo.retarget(pull, "plain", "ann").unwrap();
    app.settle().await;
    app.repo.dismiss(pull, review, "lee").unwrap();
    app.settle().await;
    app.stop().await;
    app.repo.retarget(pull, "main", "ann").unwrap();
    assert!(!app.can_merge(pull), "nobody has looked at it since");
    app.start().await;
    app.push(&Change::by("ann").write("README.md", "Acme, newer")).await;
    app.expect(pull, "success", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

/// A tag of the base branch's name is another commit; slashes, other scripts and long names are names all the same.
#[tokio::test]
async fn base_branches_of_any_name_get_checks_of_their_own() {
    let app = TestApp::new().await;
    let long = format!("release/{}", "x".repeat(220));
    for (number, base) in ["v1", "release/2026/spring", "veröffentlicht/überall-✓", &long].into_iter().enumerate() {
        app.repo.branch(base, "main").unwrap();
        protect(&app.sim, &app.repo, base);
        let branch = format!("to-{number}");
        app.repo.branch(&branch, base).unwrap();
        app.repo.push(&branch, &better()).unwrap();
        let pull = app.repo.open_pull(&NewPull::new("ann", &branch, base)).unwrap();
        assert!(!app.can_merge(pull));
        app.settle().await;
        app.expect(pull, "success", "in_progress");
        app.approve(pull, "mara").await;
        assert!(app.can_merge(pull), "{base}");
        let _ = app.report(pull);
    }
    app.finish().await;
}

#[tokio::test]
async fn another_app_s_check_of_our_name_opens_nothing() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better()).await;
    let head = app.head(pull);
    for name in ["promptops/evaluation: main", "promptops/approval: main"] {
        app.repo.foreign_check(15_368, name, &head, "success").unwrap();
    }
    assert!(!app.can_merge(pull));
    app.push(&Change::by("ann").write("README.md", "Acme, newer")).await;
    assert!(!app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}
