//! The organisation's settings: a default, bounds that no repository loosens, and nothing that can get lost unseen.

use promptops::domain::ids::RepoName;
use promptops::sim::{Change, DEFAULT_PERMISSIONS, Repo};

use crate::support::app::{PROMPT, SETTINGS, SETTINGS_PATH, TestApp, forgets, prompt, state};

/// A floor, and a lead for every change; `leads` are the organisation's.
const ENFORCE: &str = r#"enforce:
  evaluation: { min_score: 1.0 }
  roles: { leads: ["@acme/prompt-leads"] }
  approval:
    - name: lead
      require: { count: 1, from: [leads] }
"#;

fn better() -> Change {
    Change::by("ann").write(PROMPT, prompt("You answer customers politely."))
}

/// Acme's own repository with these settings.
fn organisation(app: &TestApp, settings: &str) -> Repo {
    let name = RepoName::parse("acme/.github").unwrap();
    app.sim.repo(&name, &Change::by("lee").write(SETTINGS_PATH, settings)).unwrap()
}

fn said(app: &TestApp, pull: promptops::domain::ids::PullNumber) -> String {
    let (evaluation, approval) = (app.evaluation(pull), app.approval(pull));
    format!("{:?} {:?} {:?} {:?}", evaluation.title, evaluation.summary, approval.title, approval.text)
}

#[tokio::test]
async fn what_the_organisation_enforces_holds_in_a_repository_with_settings_of_its_own() {
    // Its own role of the same name does not count for the organisation's rule.
    let own = SETTINGS.replace("leads: [\"@acme/prompt-leads\"]", "leads: [\"@max\"]");
    let own = own.replace("evaluation:", "evaluation:\n  min_score: 0.1");
    let mut app = TestApp::with_settings(&own).await;
    organisation(&app, ENFORCE);
    let worse = app.open(&Change::by("ann").write(PROMPT, prompt(&format!("Be kind; {}", forgets([3]))))).await;
    assert_eq!(state(&app.evaluation(worse)), "failure", "{}", said(&app, worse));
    let report = app.report(worse).unwrap();
    assert!(report.contains("is 0.1, but the organisation asks for at least 1"), "{report}");
    assert!(report.contains(".github/promptops.yml:"), "{report}");
    let pull = app.open(&better()).await;
    app.expect(pull, "success", "in_progress");
    app.approve(pull, "max").await;
    app.expect(pull, "success", "in_progress");
    assert!(said(&app, pull).contains("organisation: lead"), "{}", said(&app, pull));
    app.approve(pull, "lee").await;
    app.expect(pull, "success", "success");
    assert!(app.can_merge(pull) && !app.can_merge(worse));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_floor_that_the_organisation_raises_later_is_measured_anew() {
    let mut app = TestApp::new().await;
    let shared = organisation(&app, "");
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&format!("Be kind; {}", forgets([3]))))).await;
    app.expect(pull, "success", "in_progress");
    app.approve(pull, "mara").await;
    assert!(app.can_merge(pull));
    shared.push("main", &Change::by("lee").write(SETTINGS_PATH, ENFORCE)).unwrap();
    app.settle().await;
    app.expect(pull, "failure", "in_progress");
    assert!(!app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn mistakes_in_the_organisation_s_settings_close_every_gate_and_name_the_place() {
    for own in [SETTINGS, ""] {
        let first = Change::by("ann");
        let first = if own.is_empty() { first } else { first.write(SETTINGS_PATH, own) };
        let mut app = TestApp::with(first).await;
        let shared = organisation(&app, "enforce:\n  evaluation:\n    margins: 1\n");
        let pull = app.open_better().await;
        app.expect(pull, "action_required", "failure");
        let text = said(&app, pull);
        assert!(text.contains("acme/.github: .github/promptops.yml:3:5: unknown key"), "{text}");
        assert!(text.contains("mend it in acme/.github"), "{text}");
        app.approve(pull, "mara").await;
        assert!(!app.can_merge(pull));
        shared.push("main", &Change::by("lee").write(SETTINGS_PATH, SETTINGS)).unwrap();
        app.say(pull, "ann", "/promptops eval").await;
        app.expect(pull, "success", "success");
        let _ = app.report(pull);
        app.finish().await;
    }
}

#[tokio::test]
async fn an_enforce_in_a_repository_is_a_mistake_and_in_the_organisation_s_own_it_is_not() {
    let mut app = TestApp::with_settings(&format!("{SETTINGS}{ENFORCE}")).await;
    let pull = app.open_better().await;
    app.expect(pull, "action_required", "failure");
    assert!(said(&app, pull).contains("`enforce` counts in the organisation's settings only"), "{}", said(&app, pull));
    let _ = app.report(pull);
    let shared = organisation(&app, &format!("{SETTINGS}{ENFORCE}"));
    shared.role("ann", "write").unwrap();
    shared.branch("change", "main").unwrap();
    shared.push("change", &Change::by("ann").write(SETTINGS_PATH, format!("# ours\n{SETTINGS}{ENFORCE}"))).unwrap();
    let number = shared.open_pull(&promptops::sim::NewPull::new("ann", "change", "main")).unwrap();
    app.settle().await;
    let runs = shared.check_runs(&shared.pull(number).unwrap().head);
    let states: Vec<String> = runs.iter().map(|run| format!("{} {}", run.name, state(run))).collect();
    assert!(states.contains(&"promptops/evaluation: main success".to_owned()), "{states:?}");
    assert!(states.contains(&"promptops/approval: main in_progress".to_owned()), "{states:?}");
    let _ = shared.comments(number);
    app.finish().await;
}

/// Whatever takes the organisation's settings out of sight, no gate opens by it.
async fn lost(settings: Option<&str>, lose: impl Fn(&TestApp, &Repo), regain: impl Fn(&TestApp, &Repo)) {
    let first = Change::by("ann");
    let first = settings.iter().fold(first, |first, settings| first.write(SETTINGS_PATH, settings));
    let mut app = TestApp::with(first).await;
    let shared = organisation(&app, &format!("{SETTINGS}{ENFORCE}"));
    shared.set_private(true).unwrap();
    let seen = app.open(&better()).await;
    app.expect(seen, "success", "in_progress");
    lose(&app, &shared);
    app.approve(seen, "mara").await;
    app.approve(seen, "lee").await;
    app.expect(seen, "action_required", "failure");
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt("You answer customers kindly."))).await;
    app.expect(pull, "action_required", "failure");
    assert!(
        said(&app, pull).contains("settings in acme/.github were there and cannot be read"),
        "{}",
        said(&app, pull)
    );
    assert!(!app.can_merge(seen) && !app.can_merge(pull));
    regain(&app, &shared);
    app.say(seen, "ann", "/promptops eval").await;
    app.expect(seen, "success", "success");
    let _ = (app.report(seen), app.report(pull));
    app.finish().await;
}

#[tokio::test]
async fn an_organisation_s_settings_that_are_out_of_sight_are_not_none() {
    let prompts = RepoName::parse("acme/prompts").unwrap();
    let deselect = |app: &TestApp, _: &Repo| app.sim.reselect(app.installation, Some(&[&prompts])).unwrap();
    let reselect = |app: &TestApp, _: &Repo| app.sim.reselect(app.installation, None).unwrap();
    tokio::join!(lost(Some(SETTINGS), deselect, reselect), lost(None, deselect, reselect));
}

#[tokio::test]
async fn a_public_repository_of_the_organisation_that_turns_private_is_lost_and_not_none() {
    let prompts = RepoName::parse("acme/prompts").unwrap();
    let mut app = TestApp::new().await;
    app.sim.reselect(app.installation, Some(&[&prompts])).unwrap();
    let shared = organisation(&app, ENFORCE);
    let pull = app.open(&better()).await;
    app.expect(pull, "success", "in_progress");
    shared.set_private(true).unwrap();
    app.approve(pull, "mara").await;
    app.approve(pull, "lee").await;
    app.expect(pull, "action_required", "failure");
    assert!(!app.can_merge(pull));
    // Deleted where it can be seen, it is gone for good.
    shared.set_private(false).unwrap();
    shared.push("main", &Change::by("lee").remove(SETTINGS_PATH).write("README.md", "Acme")).unwrap();
    app.say(pull, "ann", "/promptops eval").await;
    app.expect(pull, "success", "success");
    shared.set_private(true).unwrap();
    app.say(pull, "ann", "/promptops eval").await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn an_app_that_lost_the_contents_fails_closed() {
    let mut app = TestApp::new().await;
    let seen = app.open(&better()).await;
    app.expect(seen, "success", "in_progress");
    let without: Vec<_> = DEFAULT_PERMISSIONS.iter().copied().filter(|(name, _)| *name != "contents").collect();
    app.repo.set_private(true).unwrap();
    app.sim.regrant(app.installation, &without).unwrap();
    app.may_fail(2);
    app.approve(seen, "mara").await;
    let pull = app.open(&better()).await;
    assert!(!app.can_merge(seen) && !app.can_merge(pull));
    let _ = (app.report(seen), app.report(pull));
    app.finish().await;
}

#[tokio::test]
async fn settings_that_a_commit_removed_from_base_leave_the_organisation_s() {
    let mut app = TestApp::new().await;
    organisation(&app, &SETTINGS.replace("reviewer\n", "everybody\n"));
    let pull = app.open(&better()).await;
    app.repo.push("main", &Change::by("lee").remove(SETTINGS_PATH).write("README.md", "Acme, newer")).unwrap();
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    assert!(said(&app, pull).contains("everybody"), "{}", said(&app, pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn new_settings_are_tried_on_the_tests_that_come_with_them_and_decide_nothing() {
    const TESTS: &str = ".github/promptops.tests.yml";
    let test = |name: &str, stands: &str| {
        let pull = "pull: { author: ann, changes: [prompts/a.prompt.yml] }";
        format!("  - {{ name: {name}, {pull}, expect: {{ approval: {stands} }} }}\n")
    };
    let mut app = TestApp::new().await;
    let newer = Change::by("ann").write(SETTINGS_PATH, format!("# newer\n{SETTINGS}"));
    let tests = format!("tests:\n{}{}", test("waits", "waiting"), test("free", "satisfied"));
    let pull = app.open(&newer.clone().write(TESTS, tests)).await;
    app.expect(pull, "success", "in_progress");
    let report = app.report(pull).unwrap();
    assert!(report.contains("the new settings fail 1 of 2 tests") && report.contains("free"), "{report}");
    app.push(&Change::by("ann").write(TESTS, format!("tests:\n{}", test("waits", "waiting")))).await;
    assert!(app.report(pull).unwrap().contains("the new settings pass all 1 tests"), "{:?}", app.report(pull));
    app.push(&Change::by("ann").write(TESTS, "test: []\n")).await;
    app.expect(pull, "success", "in_progress");
    assert!(app.report(pull).unwrap().contains("unknown key"), "{:?}", app.report(pull));
    app.finish().await;
}
