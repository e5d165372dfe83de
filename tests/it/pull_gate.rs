//! The gate on a pull request: evaluated side by side, held until people approve, closed by a regression, opened by a fix.

use promptops::sim::Change;

use crate::support::app::{GOLDEN, PROMPT, SETTINGS_PATH, TestApp, forgets, golden, prompt};

#[tokio::test]
async fn a_better_prompt_waits_for_a_reviewer_and_then_merges() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.expect(pull, "success", "in_progress");
    let title = app.approval(pull).title.unwrap();
    assert!(title.contains("reviewers (@acme/prompt-reviewers)"), "{title}");
    let report = app.report(pull).unwrap();
    assert!(report.contains("1 better"), "{report}");
    assert!(!app.can_merge(pull));
    assert_eq!(app.comment_writes(), 1);
    let requests = app.sim.exchanges().len();
    println!("a small pull request, from the webhook to its result: {requests} requests to GitHub");
    // Two of them look for the organisation's settings, of which there are none.
    assert!(requests <= 23, "{:#?}", asked(&app));

    app.sim.forget_exchanges();
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    assert!(app.can_merge(pull));
    assert!(app.report(pull).unwrap().contains("@mara"));
    println!("an approval: {} requests to GitHub", app.sim.exchanges().len());
    assert_eq!(app.comment_writes(), 1);
    app.repo.merge(pull, "ann").unwrap();
    app.finish().await;
}

fn asked(app: &TestApp) -> Vec<String> {
    app.sim.exchanges().iter().map(|one| format!("{} {}", one.method, one.path)).collect()
}

#[tokio::test]
async fn a_push_that_breaks_cases_closes_the_gate_and_a_fix_opens_it() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let old = app.head(pull);
    app.push(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])))).await;
    app.expect(pull, "failure", "in_progress");
    let report = app.report(pull).unwrap();
    for text in ["order-5", "order-7", "I know of no order.", "ships tomorrow"] {
        assert!(report.contains(text), "{text} is missing in\n{report}");
    }
    let evaluation = app.evaluation(pull);
    assert_eq!(evaluation.annotations.len(), 2, "{:?}", evaluation.annotations);
    assert_eq!(
        (&evaluation.annotations[0]["path"], &evaluation.annotations[0]["start_line"]),
        (&PROMPT.into(), &6.into())
    );
    assert_eq!(evaluation.annotations[0]["end_line"], 8);
    app.approve(pull, "mara").await;
    app.expect(pull, "failure", "success");
    assert!(!app.can_merge(pull));

    app.push(&Change::by("ann").write(PROMPT, prompt("You answer customers kindly."))).await;
    app.expect(pull, "success", "in_progress");
    let rules = app.approval(pull).text.unwrap();
    assert!(rules.contains("@mara") && rules.contains("has changed since"), "{rules}");
    assert!(!app.report(pull).unwrap().contains("order-5"));
    app.approve(pull, "max").await;
    assert!(app.can_merge(pull));
    assert_eq!(app.repo.comments(pull).len(), 1);
    // Better, worse, approved, better again, approved again.
    assert_eq!(app.comment_writes(), 5);
    assert_ne!(old, app.head(pull));
    app.finish().await;
}

#[tokio::test]
async fn a_change_of_nothing_governed_passes_at_once_without_a_comment() {
    let mut app = TestApp::new().await;
    let pull = app.open(&Change::by("ann").write("README.md", "Acme's prompts")).await;
    app.expect(pull, "success", "success");
    assert!(app.can_merge(pull));
    assert!(app.repo.comments(pull).is_empty());
    assert_eq!(app.model.calls(), 0);
    let requests = app.sim.exchanges().len();
    println!("a pull request that touches nothing governed: {requests} requests to GitHub");
    app.finish().await;
}

#[tokio::test]
async fn a_golden_set_that_head_weakens_still_gates_with_base_s_version() {
    let mut app = TestApp::new().await;
    let weakened = golden((1..=12).filter(|order| *order != 5)).replace("contains: A-007", "contains: order");
    let change = Change::by("ann").write(PROMPT, prompt(&forgets([5, 7]))).write(GOLDEN, weakened);
    let pull = app.open(&change).await;
    app.expect(pull, "failure", "in_progress");
    let report = app.report(pull).unwrap();
    for text in [
        "**2 changes weaken what judges these prompts.**",
        "**weaker:** reply.golden.yml: case `order-5` is removed; it goes on deciding",
        "**weaker:** reply.golden.yml: case `order-7` is edited: the evaluator",
        "base's version goes on deciding",
    ] {
        assert!(report.contains(text), "{text} is missing in\n{report}");
    }
    app.approve(pull, "mara").await;
    app.expect(pull, "failure", "success");
    assert!(!app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_repository_without_settings_sees_nothing_of_us() {
    let mut app = TestApp::with(Change::by("ann")).await;
    let pull = app.open_better().await;
    assert!(app.repo.check_runs(&app.head(pull)).is_empty());
    app.approve(pull, "mara").await;
    app.say(pull, "ann", "/promptops help").await;
    let mut wrote = app.sim.exchanges();
    wrote.retain(|one| one.method != "GET" && !one.path.ends_with("/access_tokens"));
    assert!(wrote.is_empty(), "{wrote:?}");
    assert!(app.repo.comments(pull).iter().all(|one| !one.by_app));
    assert_eq!(app.model.calls(), 0);
    app.finish().await;
}

#[tokio::test]
async fn settings_of_head_change_nothing_before_they_are_merged() {
    let mut app = TestApp::new().await;
    let change = Change::by("ann")
        .write(SETTINGS_PATH, "approval: []\nevaluation: { trails: 3 }\n")
        .write(PROMPT, prompt(&forgets([1])));
    let pull = app.open(&change).await;
    app.expect(pull, "action_required", "in_progress");
    let evaluation = app.evaluation(pull);
    assert_eq!(evaluation.annotations[0]["path"], SETTINGS_PATH);
    assert_eq!(evaluation.annotations[0]["start_line"], 2);
    app.push(&Change::by("ann").write(SETTINGS_PATH, "evaluation: { trials: 3 }\n")).await;
    app.expect(pull, "failure", "in_progress");
    assert!(app.report(pull).unwrap().contains("the settings of the base branch decide here"));
    app.finish().await;
}
