//! Running again until chance lets a regression pass does not help: all runs of the same content count together.

use promptops::sim::Change;

use crate::support::app::{Mood, PROMPT, SETTINGS, TestApp, forgets, prompt};

#[tokio::test]
async fn a_regression_is_taken_back_only_by_more_runs_without_it_than_with_it() {
    let mut app = TestApp::new().await;
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])))).await;
    app.expect(pull, "failure", "in_progress");
    app.mood(Mood::Lucky);
    app.say(pull, "ann", "/promptops eval").await;
    app.expect(pull, "failure", "in_progress");
    let title = app.evaluation(pull).title.unwrap();
    assert!(title.contains("(run 2: 1 of 2 found a regression)"), "{title}");
    assert!(app.report(pull).unwrap().contains("One more run that finds none takes it back"));
    app.say(pull, "ann", "/promptops eval").await;
    app.expect(pull, "success", "in_progress");
    let title = app.evaluation(pull).title.unwrap();
    assert!(title.contains("(run 3: 1 of 3 found a regression)"), "{title}");
    app.say(pull, "bob", "/promptops explain").await;
    assert!(app.answers(pull)[0].contains("1 of 3 runs of this content found a regression"));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn neither_an_empty_push_nor_a_second_pull_request_makes_a_run_forgotten() {
    let mut app = TestApp::new().await;
    let worse = Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])));
    let pull = app.open(&worse).await;
    app.mood(Mood::Lucky);
    app.say(pull, "ann", "/promptops eval").await;
    app.expect(pull, "failure", "in_progress");
    let asked = app.model.calls();
    // The lucky answers are known by now; as they are the same answers they are no new run.
    for n in 0..3 {
        app.push(&Change::by("ann").write("README.md", format!("More {n}"))).await;
        app.expect(pull, "failure", "in_progress");
    }
    let again = app.open(&worse).await;
    app.expect(again, "failure", "in_progress");
    assert_eq!(app.model.calls(), asked);
    assert!(!app.can_merge(pull) && !app.can_merge(again));
    let _ = (app.report(pull), app.report(again));
    app.finish().await;
}

#[tokio::test]
async fn a_run_that_measured_nothing_counts_for_neither() {
    let mut app = TestApp::new().await;
    app.may_fail(2);
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])))).await;
    app.mood(Mood::Status(401));
    for _ in 0..2 {
        app.say(pull, "ann", "/promptops eval").await;
        app.expect(pull, "failure", "in_progress");
    }
    app.mood(Mood::Lucky);
    app.say(pull, "ann", "/promptops eval").await;
    assert!(app.evaluation(pull).title.unwrap().contains("1 of 2 found"));
    app.expect(pull, "failure", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

/// A rule for outages must not open a regression that is known, by breaking the next run.
#[tokio::test]
async fn a_run_that_fails_does_not_turn_a_known_regression_into_an_outage() {
    let outage = "  - name: outage\n    when: { verdict: [not_measured] }\n    require: { count: 1, from: [leads] }\n";
    let mut app = TestApp::with_settings(&format!("{SETTINGS}{outage}")).await;
    app.may_fail(1);
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])))).await;
    app.approve(pull, "mara").await;
    app.approve(pull, "lee").await;
    app.mood(Mood::Status(401));
    app.say(pull, "ann", "/promptops eval").await;
    app.expect(pull, "failure", "success");
    assert!(!app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}
