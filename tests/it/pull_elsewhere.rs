//! What happens elsewhere is noticed: people come and go, base branches move, whole suites run again.

use std::time::Duration;

use promptops::domain::ids::PullNumber;
use promptops::sim::{Change, Exchange, Repo};

use crate::support::app::{GOLDEN, Mood, PROMPT, SETTINGS, SETTINGS_PATH, TestApp, forgets, golden, prompt, team};

const REVIEWERS: &str = "@acme/prompt-reviewers";

/// Two approvals, of which one is the lead's.
const STRICTER: &str = r#"prompts:
  include: ["prompts/**"]
evaluation:
  model: openai/gpt-4o-mini
roles:
  leads: ["@acme/prompt-leads"]
  reviewers: ["@acme/prompt-reviewers"]
approval:
  - name: reviewer
    require: { count: 1, from: [reviewers] }
  - name: lead
    require: { count: 1, from: [leads] }
"#;

/// A pull request that Mara approved and that may be merged.
async fn approved(app: &mut TestApp) -> PullNumber {
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    assert!(app.can_merge(pull));
    pull
}

/// What was written to a check, if that is what it was.
fn check_write(exchange: &Exchange) -> Option<String> {
    let is_write = exchange.method != "GET" && exchange.path.contains("/check-runs");
    exchange.request.as_ref().filter(|_| is_write).map(ToString::to_string)
}

/// After this happened the pull request must not be merged any more.
async fn check_closes_the_gate(happens: impl FnOnce(&TestApp)) {
    let mut app = TestApp::new().await;
    let pull = approved(&mut app).await;
    let calls = app.model.calls();
    happens(&app);
    app.settle().await;
    assert!(!app.can_merge(pull), "{:?}", app.approval(pull));
    assert_eq!(app.model.calls(), calls, "nothing has to be measured again");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn an_approval_ends_with_the_membership_of_who_gave_it() {
    check_closes_the_gate(|app| app.sim.leave_team(&team(REVIEWERS), "mara").unwrap()).await;
}

#[tokio::test]
async fn an_approval_ends_when_who_gave_it_leaves_the_organisation() {
    check_closes_the_gate(|app| app.sim.leave_org("acme", "mara").unwrap()).await;
}

#[tokio::test]
async fn an_approval_ends_with_the_team_that_named_who_gave_it() {
    check_closes_the_gate(|app| app.sim.delete_team(&team(REVIEWERS)).unwrap()).await;
}

#[tokio::test]
async fn whoever_joins_the_team_counts_from_then_on() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.approve(pull, "rex").await;
    app.expect(pull, "success", "in_progress");
    app.sim.join_team(&team(REVIEWERS), "rex", true).unwrap();
    app.settle().await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_changed_role_is_looked_at_and_a_closed_pull_request_is_left_alone() {
    let mut app = TestApp::new().await;
    let closed = app.open_better().await;
    app.repo.close(closed, "ann").unwrap();
    let pull = approved(&mut app).await;
    app.sim.forget_exchanges();
    app.repo.role("ann", "read").unwrap();
    app.settle().await;
    let asked: Vec<String> = app.sim.exchanges().into_iter().map(|exchange| exchange.path).collect();
    assert!(asked.iter().any(|path| path.ends_with(&format!("/pulls/{pull}"))), "{asked:?}");
    assert!(!asked.iter().any(|path| path.ends_with(&format!("/pulls/{closed}"))), "{asked:?}");
    let _ = (app.report(pull), app.report(closed));
    app.finish().await;
}

#[tokio::test]
async fn stricter_settings_on_base_hold_a_pull_request_that_was_green() {
    let mut app = TestApp::new().await;
    let pull = approved(&mut app).await;
    app.repo.push("main", &Change::by("lee").write(SETTINGS_PATH, STRICTER)).unwrap();
    app.settle().await;
    assert!(!app.can_merge(pull));
    app.expect(pull, "success", "in_progress");
    app.approve(pull, "lee").await;
    assert!(app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn stricter_golden_sets_on_base_are_measured_against() {
    let mut app = TestApp::new().await;
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([13, 14, 15])))).await;
    app.approve(pull, "mara").await;
    assert!(app.can_merge(pull));
    app.repo.push("main", &Change::by("lee").write(GOLDEN, golden(1..=15))).unwrap();
    app.settle().await;
    assert!(!app.can_merge(pull));
    app.expect(pull, "failure", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_push_to_base_that_touches_nothing_governed_keeps_the_verdict_and_asks_little() {
    let mut app = TestApp::new().await;
    let pull = approved(&mut app).await;
    let (calls, check) = (app.model.calls(), app.evaluation(pull).id);
    app.sim.forget_exchanges();
    app.repo.push("main", &Change::by("lee").write("README.md", "Acme, newer")).unwrap();
    app.settle().await;
    let asked = app.sim.exchanges().len();
    // Two of them look for the organisation's settings.
    assert!(asked <= 7, "{asked} requests for a push that concerns nobody");
    app.approve(pull, "max").await;
    assert_eq!((app.model.calls(), app.evaluation(pull).id), (calls, check));
    assert!(app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn what_comes_to_be_governed_on_base_is_held() {
    let only_legal = SETTINGS.replace("prompts/**", "legal/**");
    let mut app = TestApp::with_settings(&only_legal).await;
    let pull = app.open_better().await;
    assert!(app.can_merge(pull), "nothing governed is touched");
    app.repo.push("main", &Change::by("lee").write(SETTINGS_PATH, SETTINGS)).unwrap();
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    assert!(!app.can_merge(pull));
    app.repo.push("main", &Change::by("lee").write(SETTINGS_PATH, only_legal)).unwrap();
    app.settle().await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn settings_that_appear_on_base_bring_checks_to_what_is_open() {
    let mut app = TestApp::with(Change::by("ann")).await;
    let pull = app.open_better().await;
    assert!(app.repo.check_runs(&app.head(pull)).is_empty());
    app.repo.push("main", &Change::by("lee").write(SETTINGS_PATH, SETTINGS)).unwrap();
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

/// The prompt as `main` has it later: the pull request holds it first, and goes back to the old one.
fn sneak(repo: &Repo) {
    repo.branch("sneak", "main").unwrap();
    repo.push("sneak", &Change::by("ann").write(PROMPT, prompt("You answer customers politely."))).unwrap();
    repo.branch("stepping-stone", "sneak").unwrap();
    repo.push("sneak", &Change::by("ann").write(PROMPT, prompt(&forgets([3])))).unwrap();
}

#[tokio::test]
async fn a_commit_that_base_comes_to_share_shows_what_the_pull_request_takes_back() {
    let app = TestApp::new().await;
    sneak(&app.repo);
    let pull = app.repo.open_pull(&promptops::sim::NewPull::new("ann", "sneak", "main")).unwrap();
    app.settle().await;
    assert!(app.can_merge(pull), "against main as it is, nothing changes");
    // Base gets the better prompt on its own; then it merges the commit that the pull request goes back on.
    app.repo.push("main", &Change::by("lee").write(PROMPT, prompt("You answer customers politely."))).unwrap();
    app.settle().await;
    app.repo.merge_branch("stepping-stone", "main", "lee").unwrap();
    app.settle().await;
    assert!(!app.can_merge(pull), "now it would bring the old prompt back");
    app.expect(pull, "failure", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn all_checks_of_a_commit_run_again_on_request() {
    let mut app = TestApp::new().await;
    let pull = approved(&mut app).await;
    let (calls, head) = (app.model.calls(), app.head(pull));
    app.repo.rerequest_suite(&head, "mara").unwrap();
    app.settle().await;
    assert!(app.model.calls() > calls, "the model is asked anew");
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn settings_that_tighten_while_a_run_is_under_way_are_the_ones_it_is_decided_by() {
    let mut app = TestApp::new().await;
    app.mood(Mood::Slow(Duration::from_millis(700)));
    let pull = app.open_unsettled(&Change::by("ann").write(PROMPT, prompt("You answer customers politely.")));
    app.until("the model is asked", |app| app.model.calls() > 0).await;
    app.approve_unsettled(pull, "mara");
    app.repo.push("main", &Change::by("lee").write(SETTINGS_PATH, STRICTER)).unwrap();
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    let writes: Vec<String> = app.sim.exchanges().iter().filter_map(check_write).collect();
    let successes = writes.iter().filter(|write| write.contains("\"success\""));
    assert_eq!(successes.count(), 1, "the evaluation's, by the new settings: {writes:#?}");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn where_code_owners_approve_their_file_is_policy() {
    let settings = SETTINGS.replace("from: [reviewers]", "from: [codeowners]");
    let first = Change::by("ann").write(SETTINGS_PATH, settings).write(".github/CODEOWNERS", "* @mara\n");
    let mut app = TestApp::with(first).await;
    // Whoever could change it alone could appoint an accomplice.
    let appoints = app.open(&Change::by("bob").write(".github/CODEOWNERS", "* @max\n")).await;
    app.expect(appoints, "success", "in_progress");
    assert!(!app.can_merge(appoints));
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    assert!(app.can_merge(pull));
    app.repo.push("main", &Change::by("lee").write(".github/CODEOWNERS", "* @max\n")).unwrap();
    app.settle().await;
    assert!(!app.can_merge(pull), "who approved is no owner any more");
    for pull in [appoints, pull] {
        let _ = app.report(pull);
    }
    app.finish().await;
}

#[tokio::test]
async fn what_holds_the_merge_is_posted_before_what_lets_it_through() {
    let waiver = "  - name: careful\n    when: { verdict: [pass, no_regression_found] }\n    require: { count: 1, from: [leads] }\n";
    let mut app = TestApp::with_settings(&format!("{SETTINGS}{waiver}")).await;
    let pull = app.open_better().await;
    let writes: Vec<String> = app.sim.exchanges().iter().filter_map(check_write).collect();
    let place = |wanted: &str| writes.iter().rposition(|write| write.contains(wanted)).unwrap();
    assert!(place("\"success\"") > place("Waiting for"), "{writes:#?}");
    let _ = app.report(pull);
    app.finish().await;
}
