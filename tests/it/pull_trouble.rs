//! What goes wrong around us: models, GitHub, crashes. Nothing is lost, nothing is said twice, nothing passes unmeasured.

use std::time::Duration;

use promptops::domain::ids::PullNumber;
use promptops::sim::{Change, Fault, Trouble, When};

use crate::support::app::{MODEL_KEY, Mood, PROMPT, SETTINGS, SETTINGS_PATH, TestApp, forgets, prompt};
use crate::support::database::TestDatabase;

fn better() -> Change {
    Change::by("ann").write(PROMPT, prompt("You answer customers politely."))
}

async fn unmeasured_then_fine(mood: Mood) {
    let mut app = TestApp::new().await;
    app.mood(mood.clone());
    let pull = app.open_unsettled(&better());
    app.until("the first attempt ends", |app| {
        let sha = app.head(pull);
        app.check_on(&sha, "promptops/evaluation: main").is_some_and(|run| run.conclusion.as_deref() == Some("failure"))
    })
    .await;
    assert!(!app.can_merge(pull), "{mood:?}");
    app.mood(Mood::Fine);
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    let report = app.report(pull).unwrap();
    assert!(report.contains("1 better"), "{report}");
    app.finish().await;
}

#[tokio::test]
async fn a_model_that_fails_is_no_bad_prompt_and_is_asked_again() {
    tokio::join!(
        unmeasured_then_fine(Mood::Status(500)),
        unmeasured_then_fine(Mood::Status(503)),
        unmeasured_then_fine(Mood::Garbage),
        unmeasured_then_fine(Mood::Hang),
    );
}

#[tokio::test]
async fn a_model_that_never_recovers_leaves_the_gate_closed_and_says_so() {
    let mut app = TestApp::new().await;
    app.may_fail(1);
    app.mood(Mood::Status(500));
    let pull = app.open(&better()).await;
    app.expect(pull, "failure", "in_progress");
    let title = app.evaluation(pull).title.unwrap();
    assert!(
        title.to_lowercase().contains("not measured") || title.to_lowercase().contains("could be measured"),
        "{title}"
    );
    app.approve(pull, "mara").await;
    app.expect(pull, "failure", "success");
    app.mood(Mood::Fine);
    app.say(pull, "ann", "/promptops eval").await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_key_that_is_refused_says_what_to_set_and_not_what_it_is() {
    let mut app = TestApp::new().await;
    app.may_fail(1);
    app.mood(Mood::Status(401));
    let pull = app.open(&better()).await;
    let evaluation = app.evaluation(pull);
    assert_eq!(evaluation.conclusion.as_deref(), Some("failure"));
    let report = app.report(pull).unwrap();
    assert!(report.contains("OPENAI_API_KEY"), "{report}");
    app.finish().await;
}

#[tokio::test]
async fn a_run_over_its_budget_does_not_start_and_names_the_figures() {
    let budget = SETTINGS.replace("evaluation:", "evaluation:\n  budget: { run_usd: 0.0001 }");
    let mut app = TestApp::with_settings(&budget).await;
    let pull = app.open_better().await;
    app.expect(pull, "action_required", "in_progress");
    let evaluation = app.evaluation(pull);
    let said = format!("{:?} {:?}", evaluation.title, evaluation.summary);
    assert!(said.contains("$0.0001"), "{said}");
    assert_eq!(app.model.calls(), 0);
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn an_evaluation_that_gives_up_before_it_begins_leaves_no_approval_that_may_be_withdrawn() {
    let mut app = TestApp::new().await;
    app.may_fail(1);
    let pull = app.open(&better()).await;
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    // Each attempt fails before anything is posted, and the job may have taken the place of one that looks at approvals.
    let compare = "/repos/{owner}/{repo}/compare/{basehead*}";
    app.sim.order(Fault::new("GET", compare, When::Before, Trouble::Status(500)).times(1_000));
    app.repo.rerequest_check(app.evaluation(pull).id, "ann").unwrap();
    app.settle().await;
    app.expect(pull, "success", "failure");
    assert!(!app.can_merge(pull));
    // Without the look for what was left over: the rest of the faults is.
    app.stop().await;
}

/// One pull request that breaks two cases while GitHub fails once as told.
async fn with_fault(method: &str, pattern: &str, when: When, trouble: Trouble) {
    let mut app = TestApp::new().await;
    app.sim.order(Fault::new(method, pattern, when, trouble.clone()));
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])))).await;
    app.expect(pull, "failure", "in_progress");
    assert_eq!(app.evaluation(pull).annotations.len(), 2, "{method} {pattern} {when:?} {trouble:?}");
    assert!(app.report(pull).unwrap().contains("order-5"));
    assert_eq!(app.repo.comments(pull).len(), 1);
    let runs = app.repo.check_runs(&app.head(pull));
    assert_eq!(runs.len(), 2, "{method} {pattern} {when:?} {trouble:?}");
    app.finish().await;
}

const COMMENTS: &str = "/repos/{owner}/{repo}/issues/{number}/comments";
const CHECKS: &str = "/repos/{owner}/{repo}/check-runs";
const CHECK: &str = "/repos/{owner}/{repo}/check-runs/{id}";

#[tokio::test]
async fn a_write_whose_answer_is_lost_or_refused_happens_once() {
    for (method, pattern) in [("POST", COMMENTS), ("POST", CHECKS), ("PATCH", CHECK)] {
        for when in [When::Before, When::After] {
            tokio::join!(
                with_fault(method, pattern, when, Trouble::Drop),
                with_fault(method, pattern, when, Trouble::Status(502)),
            );
        }
    }
}

#[tokio::test]
async fn a_read_that_fails_is_asked_again_and_a_limit_is_waited_for() {
    tokio::join!(
        with_fault("GET", "/repos/{owner}/{repo}/pulls/{number}", When::Before, Trouble::Status(503)),
        with_fault("GET", "/repos/{owner}/{repo}/git/trees/{sha}", When::Before, Trouble::Drop),
        with_fault("POST", COMMENTS, When::Before, Trouble::RetryAfter(403, 1)),
        with_fault("POST", CHECKS, When::Before, Trouble::RetryAfter(429, 1)),
    );
}

async fn assert_complete(app: &TestApp, pull: PullNumber) {
    app.settle().await;
    app.expect(pull, "failure", "in_progress");
    assert!(app.report(pull).unwrap().contains("order-5"));
    assert_eq!(app.repo.comments(pull).len(), 1);
    assert_eq!(app.evaluation(pull).annotations.len(), 2);
}

#[tokio::test]
async fn a_crash_in_the_middle_loses_nothing() {
    let mut app = TestApp::new().await;
    app.mood(Mood::Slow(Duration::from_millis(200)));
    let pull = app.open_unsettled(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7]))));
    app.until("the model is asked", |app| app.model.calls() > 0).await;
    app.kill();
    app.start().await;
    app.mood(Mood::Fine);
    assert_complete(&app, pull).await;
    app.finish().await;
}

#[tokio::test]
async fn a_crash_at_any_step_loses_nothing() {
    let crash = async |step: usize| {
        let mut app = TestApp::new().await;
        let pull = app.open_unsettled(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7]))));
        app.until("so many requests were made", |app| app.sim.exchanges().len() >= 2 * step).await;
        app.kill();
        app.start().await;
        assert_complete(&app, pull).await;
        app.finish().await;
    };
    futures::future::join_all((1..=8).map(crash)).await;
}

#[tokio::test]
async fn a_stop_finishes_what_runs() {
    let mut app = TestApp::new().await;
    app.mood(Mood::Slow(Duration::from_millis(200)));
    let pull = app.open_unsettled(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7]))));
    app.until("the model is asked", |app| app.model.calls() > 0).await;
    app.stop().await;
    let jobs = app.store.job_counts().await.unwrap();
    assert_eq!((jobs.queued, jobs.running), (0, 0));
    assert_complete(&app, pull).await;
    app.finish().await;
}

#[tokio::test]
async fn secrets_are_in_nothing_that_is_shown() {
    let mut app = TestApp::new().await;
    let leaking = format!("You answer customers; {MODEL_KEY} and ghp_{}; {}", "a1B2".repeat(9), forgets([5]));
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&leaking))).await;
    let written = app.sim.exchanges().into_iter().filter(|one| one.method != "GET");
    for one in written.filter_map(|one| one.request) {
        let shown = one.to_string();
        assert!(
            !shown.contains(MODEL_KEY) && !shown.contains("ghp_a1B2") && !shown.contains(app.sim.webhook_secret()),
            "{shown}"
        );
    }
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn the_same_on_postgresql() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let mut app = TestApp::on(database, Change::by("ann").write(SETTINGS_PATH, SETTINGS)).await;
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])))).await;
    assert_complete(&app, pull).await;
    app.mood(Mood::Slow(Duration::from_millis(100)));
    let calls = app.model.calls();
    app.repo.push(&app.branch(), &better()).unwrap();
    app.until("the model is asked", |app| app.model.calls() > calls).await;
    app.kill();
    app.start().await;
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    app.approve(pull, "mara").await;
    app.say(pull, "ann", "/promptops explain").await;
    assert!(app.can_merge(pull));
    assert_eq!((app.repo.comments(pull).len(), app.answers(pull).len()), (3, 1));
    app.finish().await;
}
