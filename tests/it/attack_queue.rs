//! Attacks on the merge queue: a group is judged on its own head, and brings what its pull request was approved for.

use std::time::Duration;

use promptops::domain::ids::{CommitSha, PullNumber};
use promptops::sim::{Change, Fault, Knobs, Trouble, When};

use crate::support::app::{GOLDEN, Mood, PROMPT, SETTINGS, SETTINGS_PATH, TestApp, forgets, golden, prompt, state};

const OTHER: &str = "prompts/refund.prompt.yml";

/// How both checks stand on a group's head.
fn checks(app: &TestApp, group: &CommitSha) -> [String; 2] {
    ["evaluation", "approval"].map(|what| {
        let name = format!("promptops/{what}: main");
        state(&app.check_on(group, &name).unwrap_or_else(|| panic!("no check `{name}` on the group")))
    })
}

fn can_merge(app: &TestApp, group: &CommitSha) -> bool {
    app.repo.can_merge_group(group).is_ok()
}

#[tokio::test]
async fn an_approved_change_passes_the_queue_without_a_model_call() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    let calls = app.model.calls();
    app.repo.push("main", &Change::by("lee").write("README.md", "Acme, newer")).unwrap();
    let group = app.repo.enqueue(pull).unwrap();
    assert!(!can_merge(&app, &group));
    app.settle().await;
    assert_eq!(checks(&app, &group), ["success", "success"]);
    assert_eq!(app.model.calls(), calls, "the same prompts were asked before");
    app.repo.merge_group(&group, "mara").unwrap();
    app.settle().await;
    assert!(app.repo.pull(pull).unwrap().merged);
    assert_eq!(checks(&app, &group), ["success", "success"]);
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn groups_are_built_on_each_other_and_each_is_judged_by_what_it_brings_itself() {
    let mut app = TestApp::new().await;
    let first = app.open_better().await;
    app.approve(first, "mara").await;
    let other = Change::by("ann").write(OTHER, prompt("You refund.")).write("prompts/refund.golden.yml", golden(1..=5));
    let second = app.open(&other).await;
    app.approve(second, "mara").await;
    let third = app.open(&Change::by("ann").write("README.md", "Acme, newest")).await;
    let groups = [first, second, third].map(|pull| app.repo.enqueue(pull).unwrap());
    app.settle().await;
    for group in &groups {
        assert_eq!(checks(&app, group), ["success", "success"]);
        assert!(can_merge(&app, group));
    }
    let said = app.check_on(&groups[1], "promptops/evaluation: main").unwrap();
    let said = format!("{:?} {:?}", said.summary, said.text);
    assert!(said.contains("refund.prompt.yml") && !said.contains("reply.prompt.yml"), "{said}");
    for pull in [first, second] {
        let _ = app.report(pull);
    }
    app.finish().await;
}

#[tokio::test]
async fn what_nobody_approved_does_not_pass_the_queue() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let group = app.repo.enqueue(pull).unwrap();
    app.settle().await;
    assert_eq!(checks(&app, &group), ["success", "failure"]);
    assert!(!can_merge(&app, &group));
    let worse = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 6])))).await;
    app.approve(worse, "mara").await;
    app.repo.dequeue(&group).unwrap();
    let group = app.repo.enqueue(worse).unwrap();
    app.settle().await;
    assert_eq!(checks(&app, &group), ["failure", "success"]);
    assert!(!can_merge(&app, &group));
    for pull in [pull, worse] {
        let _ = app.report(pull);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_group_that_brings_more_than_its_pull_request_is_refused_by_the_file() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    let more = [
        Change::by("web-flow").write(PROMPT, prompt("You answer customers rudely.")),
        Change::by("web-flow").write(GOLDEN, golden([1])),
        Change::by("web-flow").write("Prompts/more.prompt.yml", prompt("You answer.")),
    ];
    for (change, path) in more.iter().zip([PROMPT, GOLDEN, "Prompts/more.prompt.yml"]) {
        let group = app.repo.enqueue_with(pull, change).unwrap();
        app.settle().await;
        assert_eq!(checks(&app, &group), ["action_required", "failure"]);
        assert!(!can_merge(&app, &group));
        let title = app.check_on(&group, "promptops/approval: main").unwrap().title.unwrap();
        assert!(title.contains(path), "{title}");
        app.repo.dequeue(&group).unwrap();
        app.settle().await;
    }
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_text_that_git_merged_out_of_two_changes_is_seen_by_people_first() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    // Base changes the same file; the group holds a mixture of both.
    app.repo.push("main", &Change::by("lee").write(PROMPT, prompt("You answer customers politely."))).unwrap();
    app.repo.push("main", &Change::by("lee").write(GOLDEN, golden(1..=13))).unwrap();
    let group = app.repo.enqueue_with(pull, &Change::by("web-flow").write(PROMPT, prompt("Mixed."))).unwrap();
    app.settle().await;
    assert_eq!(checks(&app, &group), ["action_required", "failure"]);
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn an_approval_that_is_withdrawn_closes_the_group() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let review = app.approve(pull, "mara").await;
    let group = app.repo.enqueue(pull).unwrap();
    app.settle().await;
    assert!(can_merge(&app, &group));
    app.repo.dismiss(pull, review, "lee").unwrap();
    app.settle().await;
    assert_eq!(checks(&app, &group), ["success", "failure"]);
    assert!(!can_merge(&app, &group));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_withdrawal_that_github_refuses_is_repeated() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let review = app.approve(pull, "mara").await;
    let group = app.repo.enqueue(pull).unwrap();
    app.settle().await;
    assert!(can_merge(&app, &group));
    // One goes to the pull request's own check; the group's is refused more often than one job tries by itself.
    let own = app.check_on(&group, "promptops/approval: main").unwrap().id;
    let pattern = format!("/repos/{{owner}}/{{repo}}/check-runs/{own}");
    app.sim.order(Fault::new("PATCH", &pattern, When::Before, Trouble::Status(502)).times(6));
    app.repo.dismiss(pull, review, "lee").unwrap();
    app.settle().await;
    assert_eq!(checks(&app, &group), ["success", "failure"]);
    assert!(!can_merge(&app, &group));
    let _ = app.report(pull);
    app.finish().await;
}

/// Ann's change breaks two cases; Mara approves it and Lee overrides.
async fn overridden() -> (TestApp, PullNumber) {
    let mut app = TestApp::with_settings(&format!("{SETTINGS}override: {{ from: [leads] }}\n")).await;
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])))).await;
    app.approve(pull, "mara").await;
    app.say_later(pull, "lee", "/promptops override legal wants it today").await;
    app.expect(pull, "success", "success");
    (app, pull)
}

#[tokio::test]
async fn an_override_that_is_taken_back_closes_the_group() {
    let (app, pull) = overridden().await;
    let group = app.repo.enqueue(pull).unwrap();
    app.settle().await;
    assert_eq!(checks(&app, &group), ["success", "success"]);
    assert!(can_merge(&app, &group));
    app.say_later(pull, "lee", "/promptops override cancel").await;
    app.expect(pull, "failure", "success");
    assert_eq!(checks(&app, &group), ["failure", "success"]);
    assert!(!can_merge(&app, &group));
    let _ = (app.report(pull), app.answers(pull));
    app.finish().await;
}

#[tokio::test]
async fn settings_that_break_on_base_close_the_group() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    let group = app.repo.enqueue(pull).unwrap();
    app.settle().await;
    assert!(can_merge(&app, &group));
    app.repo.push("main", &Change::by("lee").write(SETTINGS_PATH, "rules: [\n")).unwrap();
    app.settle().await;
    assert_eq!(checks(&app, &group), ["failure", "failure"]);
    assert!(!can_merge(&app, &group));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_group_that_is_still_measured_when_its_pull_request_stops_passing_gets_no_success() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let review = app.approve(pull, "mara").await;
    unasked_cases(&app);
    app.settle().await;
    let calls = app.model.calls();
    app.mood(Mood::Slow(Duration::from_millis(500)));
    let group = app.repo.enqueue(pull).unwrap();
    app.until("the group is being evaluated", |app| app.model.calls() > calls).await;
    app.repo.dismiss(pull, review, "lee").unwrap();
    app.mood(Mood::Fine);
    app.settle().await;
    assert_eq!(checks(&app, &group)[1], "failure");
    assert!(!can_merge(&app, &group));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_group_of_a_closed_pull_request_or_with_another_content_than_its_head_is_refused() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    app.repo.close(pull, "ann").unwrap();
    let group = app.repo.enqueue(pull).unwrap();
    app.settle().await;
    assert_eq!(checks(&app, &group), ["action_required", "failure"]);
    assert!(!can_merge(&app, &group));
    app.repo.dequeue(&group).unwrap();
    app.repo.reopen(pull, "ann").unwrap();
    app.settle().await;
    // A push right after queueing: the group holds the old content, the pull request another.
    app.sim.set_knobs(Knobs { delay: Duration::from_millis(100), ..Knobs::default() });
    let group = app.repo.enqueue(pull).unwrap();
    app.repo.push(&app.branch(), &Change::by("ann").write(PROMPT, prompt("You answer customers kindly."))).unwrap();
    app.settle().await;
    assert_eq!(checks(&app, &group), ["action_required", "failure"]);
    let _ = app.report(pull);
    app.finish().await;
}

/// New cases on base that no answer is known to: what told of them is lost, so that the pull request is not measured first.
fn unasked_cases(app: &TestApp) {
    app.sim.set_knobs(Knobs { drop_next: 1, ..Knobs::default() });
    app.repo.push("main", &Change::by("lee").write(GOLDEN, golden(1..=20))).unwrap();
}

#[tokio::test]
async fn a_group_that_is_taken_back_stops_its_run_and_ends_its_checks() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    unasked_cases(&app);
    app.settle().await;
    let calls = app.model.calls();
    app.mood(Mood::Slow(Duration::from_millis(900)));
    let group = app.repo.enqueue(pull).unwrap();
    app.until("the group is being evaluated", |app| app.model.calls() > calls).await;
    app.repo.dequeue(&group).unwrap();
    app.settle().await;
    assert!(app.model.abandoned() > 0, "its calls were stopped");
    assert_eq!(checks(&app, &group), ["cancelled", "cancelled"]);
    app.mood(Mood::Fine);
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_group_that_is_gone_before_it_is_looked_at_gets_no_success() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    app.sim.set_knobs(Knobs { reorder: 9, duplicates: 1, ..Knobs::default() });
    let group = app.repo.enqueue(pull).unwrap();
    app.repo.dequeue(&group).unwrap();
    app.settle().await;
    assert!(app.repo.check_runs(&group).iter().all(|run| run.conclusion.as_deref() != Some("success")));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_model_that_fails_is_asked_again_before_the_queue_is_told() {
    let mut app = TestApp::new().await;
    app.may_fail(1);
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    unasked_cases(&app);
    app.settle().await;
    let calls = app.model.calls();
    app.mood(Mood::Status(500));
    let group = app.repo.enqueue(pull).unwrap();
    app.until("the model is asked", |app| app.model.calls() > calls).await;
    assert_eq!(checks(&app, &group), ["in_progress", "in_progress"]);
    app.settle().await;
    assert_eq!(checks(&app, &group), ["failure", "failure"]);
    app.mood(Mood::Fine);
    let _ = app.report(pull);
    app.finish().await;
}
