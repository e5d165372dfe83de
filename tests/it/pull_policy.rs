//! The policy language through the webhook's door: what a rule asks about, and from whom approvals come.

use promptops::domain::ids::PullNumber;
use promptops::sim::{Change, NewPull};

use crate::support::app::{PROMPT, SETTINGS, SETTINGS_PATH, TestApp, golden, prompt, team};

fn rules(app: &TestApp, pull: PullNumber) -> String {
    app.approval(pull).text.unwrap_or_default()
}

/// The usual settings with these rules in place of theirs.
fn settings(rules: &str) -> String {
    let (head, _) = SETTINGS.split_once("approval:").unwrap();
    format!("{head}approval:\n{rules}")
}

const REVIEWER: &str = "  - name: reviewer\n    require: { count: 1, from: [reviewers] }\n";

/// The reviewers' rule, and another that asks Lee under this condition.
fn leads_when(when: &str) -> String {
    settings(&format!("{REVIEWER}  - name: leads\n    when: {when}\n    require: {{ from: [leads] }}\n"))
}

async fn waits_then_merges_with_lee(app: &mut TestApp, pull: PullNumber) {
    app.expect(pull, "success", "in_progress");
    assert!(!app.can_merge(pull));
    app.approve(pull, "lee").await;
    app.expect(pull, "success", "success");
    assert!(app.can_merge(pull));
    let _ = app.report(pull);
}

#[tokio::test]
async fn a_label_brings_a_rule_and_takes_it_away() {
    let mut app = TestApp::with_settings(&leads_when("{ labels: [\"Needs Leads\"] }")).await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    app.repo.label(pull, "needs leads", "ann").unwrap();
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    assert!(!app.can_merge(pull));
    app.repo.unlabel(pull, "needs leads", "ann").unwrap();
    app.settle().await;
    app.expect(pull, "success", "success");
    app.repo.label(pull, "needs leads", "ann").unwrap();
    app.settle().await;
    waits_then_merges_with_lee(&mut app, pull).await;
    app.finish().await;
}

#[tokio::test]
async fn all_of_needs_every_part_and_the_check_shows_them_one_below_the_other() {
    let both = "  - name: both\n    require:\n      all_of:\n        - from: [reviewers]\n        - any_of:\n            - from: [leads]\n            - { count: 2, from: [reviewers] }\n";
    let mut app = TestApp::with_settings(&settings(both)).await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "in_progress");
    let title = app.approval(pull).title.unwrap();
    assert!(title.starts_with("Waiting for 1 of leads (@acme/prompt-leads) or 2 of reviewers"), "{title}");
    let said = rules(&app, pull);
    assert!(
        said.contains("- both: ") && said.contains("\n  - 1 of reviewers") && said.contains("\n    - 1 of leads"),
        "{said}"
    );
    app.approve(pull, "max").await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn code_owners_come_from_base_and_one_of_each_file_must_approve() {
    let owners = "* @mara\n/prompts/legal* @acme/prompt-leads\n";
    let first =
        Change::by("ann").write(SETTINGS_PATH, settings("  - name: owners\n    require: { from: [codeowners] }\n"));
    let first = first
        .write(".github/CODEOWNERS", owners)
        .write("prompts/legal.prompt.yml", prompt("You warn."))
        .write("prompts/legal.golden.yml", golden(1..=2))
        .write("CODEOWNERS", "* @max\n");
    let mut app = TestApp::with(first).await;
    let both = Change::by("ann")
        .write(PROMPT, prompt("You answer customers politely."))
        .write("prompts/legal.prompt.yml", prompt("You warn politely."));
    // What head says of owners means nothing.
    let pull = app.open(&both.write(".github/CODEOWNERS", "* @max\n")).await;
    app.approve(pull, "max").await;
    app.expect(pull, "success", "in_progress");
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "in_progress");
    let said = rules(&app, pull);
    assert!(said.contains("still missing: an owner of") && said.contains("prompts/legal.prompt.yml"), "{said}");
    waits_then_merges_with_lee(&mut app, pull).await;
    app.repo
        .push("main", &Change::by("ann").write(".github/CODEOWNERS", "* @mara\n*.yml mara@acme.example\n"))
        .unwrap();
    app.settle().await;
    let later = app.open_better().await;
    app.approve(later, "mara").await;
    app.expect(later, "success", "failure");
    let title = app.approval(later).title.unwrap();
    assert!(title.contains(".github/CODEOWNERS:2") && !app.can_merge(later), "{title}");
    for pull in [pull, later] {
        let _ = app.report(pull);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_permission_is_looked_up_when_the_decision_is_made() {
    let mut app =
        TestApp::with_settings(&settings("  - name: maintainer\n    require: { from: [\"permission:maintain\"] }\n"))
            .await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "in_progress");
    assert!(!app.can_merge(pull));
    app.repo.role("mara", "admin").unwrap();
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn somebody_who_lost_access_does_not_approve() {
    let mut app = TestApp::new().await;
    app.repo.set_private(true).unwrap();
    let pull = app.open_better().await;
    app.repo.role("mara", "none").unwrap();
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "in_progress");
    assert!(rules(&app, pull).contains("they have no access to the repository any more") && !app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_rule_on_the_author_asks_whether_they_are_in_the_team_now() {
    let newcomers = "@acme/newcomers";
    let mut app = TestApp::with_settings(&leads_when(&format!("{{ author: [\"{newcomers}\"] }}"))).await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    // A team that is not there is no "not in it".
    app.expect(pull, "success", "failure");
    let title = app.approval(pull).title.unwrap();
    assert!(title.contains("@acme/newcomers cannot be read (.github/promptops.yml:12:22)"), "{title}");
    assert!(!app.can_merge(pull));
    app.sim.team(&team(newcomers), None, &[]).unwrap();
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    app.sim.join_team(&team(newcomers), "ann", true).unwrap();
    app.settle().await;
    app.approve(pull, "mara").await;
    waits_then_merges_with_lee(&mut app, pull).await;
    app.finish().await;
}

#[tokio::test]
async fn a_team_that_does_not_exist_is_said_with_its_place_before_anybody_approves() {
    let missing = SETTINGS.replace("@acme/prompt-reviewers", "@acme/prompt-reviwers");
    let mut app = TestApp::with_settings(&missing).await;
    let pull = app.open_better().await;
    app.expect(pull, "success", "failure");
    let title = app.approval(pull).title.unwrap();
    assert!(title.contains("@acme/prompt-reviwers cannot be read (.github/promptops.yml:7:15)"), "{title}");
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "failure");
    assert!(!app.can_merge(pull));
    let asked = app.sim.exchanges().iter().filter(|one| one.path.ends_with("/teams/prompt-reviwers")).count();
    assert_eq!(asked, 2, "once for each decision");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_rule_on_forks_and_one_on_the_base_branch() {
    let mut app = TestApp::with_settings(&leads_when("{ base: [\"release/*\"] }")).await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    app.repo.branch("release/1", "main").unwrap();
    crate::support::app::protect(&app.sim, &app.repo, "release/1");
    app.repo.retarget(pull, "release/1", "ann").unwrap();
    app.settle().await;
    waits_then_merges_with_lee(&mut app, pull).await;
    app.finish().await;

    let mut app = TestApp::with_settings(&leads_when("{ fork: true }")).await;
    let inside = app.open_better().await;
    app.approve(inside, "mara").await;
    app.expect(inside, "success", "success");
    let _ = app.report(inside);
    let fork = app.repo.fork("rex").unwrap();
    fork.push("main", &Change::by("rex").write(PROMPT, prompt("You answer customers briefly."))).unwrap();
    let pull = app.repo.open_pull(&NewPull { from: Some(&fork), ..NewPull::new("rex", "main", "main") }).unwrap();
    app.settle().await;
    let head = app.head(pull);
    app.say(pull, "mara", &format!("/promptops eval {head}")).await;
    app.approve(pull, "mara").await;
    waits_then_merges_with_lee(&mut app, pull).await;
    app.finish().await;
}

#[tokio::test]
async fn a_rule_on_the_size_of_a_change() {
    let mut app = TestApp::with_settings(&leads_when("{ size: { lines_over: 6 } }")).await;
    let small = app.open_better().await;
    app.approve(small, "mara").await;
    app.expect(small, "success", "success");
    let _ = app.report(small);
    let long = format!(
        "{}tags: [a, b]\nversion: 1.0.0\nuseCase: x\nowner: \"@mara\"\nexampleOutput: y\n",
        prompt("You answer customers politely.")
    );
    let pull = app.open(&Change::by("ann").write(PROMPT, long)).await;
    app.approve(pull, "mara").await;
    waits_then_merges_with_lee(&mut app, pull).await;
    app.finish().await;
}
