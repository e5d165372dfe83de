//! An override lets a blocked evaluation pass: by whom the settings name, with a reason, for one commit, and never by an author.

use promptops::domain::audit::AuditKind;
use promptops::domain::ids::PullNumber;
use promptops::sim::{Change, DEFAULT_PERMISSIONS};

use crate::support::app::{GOLDEN, Mood, PROMPT, SETTINGS, TestApp, forgets, golden, prompt, team};

const WHY: &str = "/promptops override legal wants it today, see `notes`";

fn settings(overriders: &str) -> String {
    format!("{SETTINGS}override: {overriders}\n")
}

fn worse() -> Change {
    Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])))
}

/// Lee leads and may override; Ann's change breaks two cases, and Mara approves it all the same.
async fn blocked(overriders: &str) -> (TestApp, PullNumber) {
    let mut app = TestApp::with_settings(&settings(overriders)).await;
    let pull = app.open(&worse()).await;
    app.approve(pull, "mara").await;
    app.expect(pull, "failure", "success");
    (app, pull)
}

async fn end(app: TestApp, pull: PullNumber) {
    let _ = (app.report(pull), app.answers(pull));
    app.finish().await;
}

fn last_answer(app: &TestApp, pull: PullNumber) -> String {
    app.answers(pull).pop().expect("an answer")
}

#[tokio::test]
async fn a_lead_overrides_a_regression_with_a_reason_that_is_shown_and_kept() {
    let (app, pull) = blocked("{ from: [leads] }").await;
    assert!(!app.can_merge(pull));
    assert!(
        app.report(pull).unwrap().contains("`/promptops explain`, `/promptops override REASON`, `/promptops help`.")
    );
    app.say_later(pull, "lee", WHY).await;
    app.expect(pull, "success", "success");
    assert!(app.can_merge(pull));
    let title = app.evaluation(pull).title.unwrap();
    assert!(title.starts_with("Overridden by @lee: legal wants it today"), "{title}");
    let report = app.report(pull).unwrap();
    assert!(
        report.contains("Overridden by `@lee`") && report.contains("Without that: Regression: 2 of 12"),
        "{report}"
    );
    let audit = app.audit().await;
    let entry = audit.iter().find(|entry| entry.kind == AuditKind::Override).unwrap();
    assert_eq!(entry.by.as_ref().unwrap().login.as_str(), "lee");
    assert_eq!((entry.sha.clone(), entry.said.as_str()), (Some(app.head(pull)), "legal wants it today, see `notes`"));
    assert!(entry.delivery.is_some() && entry.evidence.contains_key("comment"), "{entry:?}");
    let comment = format!("@lee (user {}) by comment {}", entry.by.as_ref().unwrap().id, entry.evidence["comment"]);
    let decision = audit.iter().rfind(|entry| entry.kind == AuditKind::Decision).unwrap();
    assert_eq!(decision.evidence.get("override"), Some(&comment), "the decision names what it rests on: {decision:?}");
    end(app, pull).await;
}

#[tokio::test]
async fn an_override_needs_the_approvals_all_the_same() {
    let mut app = TestApp::with_settings(&settings("{ from: [leads] }")).await;
    let pull = app.open(&worse()).await;
    app.say_later(pull, "lee", WHY).await;
    app.expect(pull, "success", "in_progress");
    assert!(!app.can_merge(pull));
    end(app, pull).await;
}

#[tokio::test]
async fn a_push_takes_an_override_back_and_the_report_says_so() {
    let (app, pull) = blocked("{ from: [leads] }").await;
    let first = app.head(pull);
    app.say_later(pull, "lee", WHY).await;
    app.expect(pull, "success", "success");
    app.push(&Change::by("ann").write("README.md", "More")).await;
    app.expect(pull, "failure", "success");
    assert!(!app.can_merge(pull));
    let report = app.report(pull).unwrap();
    assert!(report.contains("has lapsed: a push") && report.contains(first.short()), "{report}");
    // The same commit again does not bring it back.
    app.repo.reset(&app.branch(), &first, "ann").unwrap();
    app.settle().await;
    app.expect(pull, "failure", "success");
    assert!(!app.can_merge(pull));
    end(app, pull).await;
}

#[tokio::test]
async fn an_override_of_the_head_before_does_not_count_for_a_head_pushed_meanwhile() {
    let (mut app, pull) = blocked("{ from: [leads] }").await;
    app.sim.advance(std::time::Duration::from_secs(2));
    // The comment is about the first head; before we read it, the second one is there and evaluated.
    app.kill();
    app.repo.comment(pull, "lee", WHY).unwrap();
    app.sim.settle().await;
    let comment = app.sim.deliveries().into_iter().rfind(|one| one.event == "issue_comment").unwrap();
    app.start().await;
    app.sim.advance(std::time::Duration::from_secs(2));
    app.push(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 8])))).await;
    app.sim.redeliver(comment.id).unwrap();
    app.settle().await;
    app.expect(pull, "failure", "in_progress");
    let answer = last_answer(&app, pull);
    assert!(answer.contains("does not count") && answer.contains(app.head(pull).short()), "{answer}");
    assert!(app.audit().await.iter().all(|entry| entry.kind != AuditKind::Override));
    end(app, pull).await;
}

#[tokio::test]
async fn who_made_the_change_and_whom_the_settings_do_not_name_cannot_override() {
    let (app, pull) = blocked("{ from: [leads, \"@ann\", \"@bob\"] }").await;
    for (by, because) in [("ann", "opened the pull request"), ("mara", "does not name them")] {
        app.say_later(pull, by, WHY).await;
        let answer = last_answer(&app, pull);
        assert!(answer.contains(because) && answer.contains(by), "{answer}");
        app.expect(pull, "failure", "success");
    }
    // Without a reason it is no override; by somebody who may only read it is not even answered.
    app.say_later(pull, "lee", "/promptops override").await;
    assert!(last_answer(&app, pull).contains("I do not know this command"));
    let answers = app.answers(pull).len();
    app.say_later(pull, "rex", WHY).await;
    assert_eq!(app.answers(pull).len(), answers);
    app.expect(pull, "failure", "success");
    // Bob commits to the branch, so he is one of its authors from then on.
    app.push(&Change::by("bob").write(PROMPT, prompt(&forgets([5, 7, 8])))).await;
    app.say_later(pull, "bob", WHY).await;
    assert!(last_answer(&app, pull).contains("wrote part of it"), "{}", last_answer(&app, pull));
    app.expect(pull, "failure", "in_progress");
    end(app, pull).await;
}

#[tokio::test]
async fn without_override_in_the_settings_nobody_can() {
    let mut app = TestApp::new().await;
    let pull = app.open(&worse()).await;
    let report = app.report(pull).unwrap();
    assert!(report.contains("`/promptops explain`, `/promptops help`.") && !report.contains("/promptops override"));
    app.say_later(pull, "lee", WHY).await;
    assert!(last_answer(&app, pull).contains("Nobody may override here"));
    app.expect(pull, "failure", "in_progress");
    end(app, pull).await;
}

#[tokio::test]
async fn a_head_that_names_overriders_for_itself_has_none() {
    let mut app = TestApp::new().await;
    let own = worse().write(crate::support::app::SETTINGS_PATH, settings("{ from: [\"@bob\"] }"));
    let pull = app.open(&own).await;
    app.say_later(pull, "bob", WHY).await;
    app.expect(pull, "failure", "in_progress");
    assert!(last_answer(&app, pull).contains("Nobody may override here"));
    end(app, pull).await;
}

#[tokio::test]
async fn two_are_two_people() {
    let (app, pull) = blocked("{ count: 2, from: [leads, \"@max\"] }").await;
    app.say_later(pull, "lee", WHY).await;
    app.say_later(pull, "lee", "/promptops override once more").await;
    app.expect(pull, "failure", "success");
    let report = app.report(pull).unwrap();
    assert!(report.contains("That is 1 of 2"), "{report}");
    app.say_later(pull, "max", "/promptops override agreed").await;
    app.expect(pull, "success", "success");
    let title = app.evaluation(pull).title.unwrap();
    assert!(title.contains("@lee, @max") && title.contains("agreed"), "{title}");
    end(app, pull).await;
}

#[tokio::test]
async fn an_override_is_taken_back_by_its_author_or_by_whom_the_settings_name() {
    let (app, pull) = blocked("{ from: [leads, \"@max\"] }").await;
    app.say_later(pull, "lee", WHY).await;
    app.expect(pull, "success", "success");
    app.say_later(pull, "mara", "/promptops override cancel").await;
    app.expect(pull, "success", "success");
    assert!(last_answer(&app, pull).contains("no override of yours"));
    app.say_later(pull, "max", "/promptops override cancel").await;
    app.expect(pull, "failure", "success");
    assert!(!app.can_merge(pull));
    let kinds: Vec<AuditKind> = app.audit().await.iter().map(|entry| entry.kind).collect();
    assert!(kinds.contains(&AuditKind::OverrideCancelled), "{kinds:?}");
    // Two commands of one comment are obeyed in order.
    app.say_later(pull, "lee", "/promptops override again\n/promptops override cancel").await;
    app.expect(pull, "failure", "success");
    app.say_later(pull, "lee", "/promptops override cancel\n/promptops override for good").await;
    app.expect(pull, "success", "success");
    end(app, pull).await;
}

#[tokio::test]
async fn whoever_leaves_the_team_or_loses_write_permission_does_not_override_any_more() {
    let (app, pull) = blocked("{ from: [leads] }").await;
    app.say_later(pull, "lee", WHY).await;
    app.expect(pull, "success", "success");
    app.sim.leave_team(&team("@acme/prompt-leads"), "lee").unwrap();
    app.approve(pull, "max").await;
    app.expect(pull, "failure", "success");
    assert!(
        app.report(pull).unwrap().contains("The override of `@lee` does not count"),
        "{}",
        app.report(pull).unwrap()
    );
    app.sim.join_team(&team("@acme/prompt-leads"), "lee", true).unwrap();
    app.approve(pull, "max").await;
    app.expect(pull, "success", "success");
    app.repo.role("lee", "read").unwrap();
    app.approve(pull, "max").await;
    app.expect(pull, "failure", "success");
    assert!(app.report(pull).unwrap().contains("no write permission"));
    end(app, pull).await;
}

#[tokio::test]
async fn a_team_that_cannot_be_read_never_overrides() {
    let (app, pull) = blocked("{ from: [leads] }").await;
    app.say_later(pull, "lee", WHY).await;
    app.expect(pull, "success", "success");
    let without: Vec<_> = DEFAULT_PERMISSIONS.iter().copied().filter(|(name, _)| *name != "members").collect();
    app.sim.regrant(app.installation, &without).unwrap();
    app.approve(pull, "max").await;
    assert_eq!(crate::support::app::state(&app.evaluation(pull)), "failure");
    assert!(!app.can_merge(pull));
    let report = app.report(pull).unwrap();
    assert!(report.contains("The override cannot be decided: team `@acme/prompt-leads` cannot be read"), "{report}");
    app.sim.regrant(app.installation, DEFAULT_PERMISSIONS).unwrap();
    app.approve(pull, "max").await;
    app.expect(pull, "success", "success");
    end(app, pull).await;
}

#[tokio::test]
async fn an_outage_and_broken_files_can_be_overridden_and_a_pass_is_not_marked() {
    let mut app = TestApp::with_settings(&settings("{ from: [leads] }")).await;
    app.may_fail(1);
    app.mood(Mood::Status(401));
    let pull = app.open(&worse()).await;
    app.expect(pull, "failure", "in_progress");
    app.say_later(pull, "lee", WHY).await;
    app.expect(pull, "success", "in_progress");
    app.mood(Mood::Lucky);
    app.say_later(pull, "bob", "/promptops eval").await;
    app.expect(pull, "success", "in_progress");
    let title = app.evaluation(pull).title.unwrap();
    assert!(title.starts_with("Pass") || title.starts_with("No regression"), "{title}");
    let _ = (app.report(pull), app.answers(pull));
    let broken = app.open(&Change::by("ann").write(PROMPT, "messages: [\n")).await;
    app.expect(broken, "action_required", "in_progress");
    app.say_later(broken, "lee", WHY).await;
    app.expect(broken, "success", "in_progress");
    let _ = (app.report(broken), app.answers(broken));
    let passing = app.open_better().await;
    app.say_later(passing, "lee", WHY).await;
    assert!(last_answer(&app, passing).contains("There is nothing to override"));
    end(app, passing).await;
}

#[tokio::test]
async fn an_override_of_an_outage_does_not_cover_a_regression_that_is_measured_later() {
    let mut app = TestApp::with_settings(&settings("{ from: [leads] }")).await;
    app.may_fail(1);
    app.mood(Mood::Status(401));
    let pull = app.open(&worse()).await;
    app.approve(pull, "mara").await;
    app.expect(pull, "failure", "success");
    app.say_later(pull, "lee", WHY).await;
    app.expect(pull, "success", "success");
    app.mood(Mood::Fine);
    app.say(pull, "bob", "/promptops eval").await;
    app.expect(pull, "failure", "success");
    assert!(!app.can_merge(pull));
    let report = app.report(pull).unwrap();
    assert!(report.contains("The override of `@lee` was given for another result: comment again."), "{report}");
    app.say_later(pull, "lee", "/promptops override the regression is known").await;
    app.expect(pull, "success", "success");
    end(app, pull).await;
}

#[tokio::test]
async fn an_override_does_not_cover_the_result_under_other_golden_sets() {
    let (app, pull) = blocked("{ from: [leads] }").await;
    app.say_later(pull, "lee", WHY).await;
    app.expect(pull, "success", "success");
    app.repo.push("main", &Change::by("bob").write(GOLDEN, golden(1..=14))).unwrap();
    app.settle().await;
    app.expect(pull, "failure", "success");
    assert!(!app.can_merge(pull));
    assert!(app.report(pull).unwrap().contains("was given for another result: comment again"));
    end(app, pull).await;
}

#[tokio::test]
async fn settings_that_are_broken_on_base_cannot_be_overridden() {
    let mut app = TestApp::with_settings(&settings("{ from: [leads], count: none }")).await;
    let pull = app.open(&worse()).await;
    app.expect(pull, "action_required", "failure");
    app.say_later(pull, "lee", WHY).await;
    app.expect(pull, "action_required", "failure");
    assert!(last_answer(&app, pull).contains("Mend them there first"));
    end(app, pull).await;
}

#[tokio::test]
async fn an_override_for_one_base_branch_does_not_serve_another() {
    let (app, pull) = blocked("{ from: [leads] }").await;
    app.say_later(pull, "lee", WHY).await;
    app.expect(pull, "success", "success");
    app.repo.branch("release", "main").unwrap();
    app.repo.retarget(pull, "release", "ann").unwrap();
    app.settle().await;
    assert_eq!(crate::support::app::state(&app.evaluation(pull)), "failure");
    assert!(app.report(pull).unwrap().contains("has lapsed"));
    end(app, pull).await;
}

#[tokio::test]
async fn edited_quoted_and_hidden_commands_override_nothing() {
    let (app, pull) = blocked("{ from: [leads] }").await;
    for hidden in [
        format!("> {WHY}"),
        format!("```\n{WHY}\n```"),
        format!("<!--\n{WHY}\n-->"),
        format!("<details>\n{WHY}\n</details>"),
        format!("`\n{WHY}\n`"),
        format!("please {WHY}"),
    ] {
        app.say_later(pull, "lee", &hidden).await;
    }
    app.expect(pull, "failure", "success");
    assert!(app.answers(pull).is_empty(), "{:?}", app.answers(pull));
    end(app, pull).await;
}

#[tokio::test]
async fn a_command_does_not_wait_for_the_evaluation_that_runs() {
    let mut app = TestApp::new().await;
    app.mood(Mood::Hang);
    let pull = app.open_unsettled(&worse());
    app.until("the model is asked", |app| app.model.calls() > 0).await;
    app.repo.comment(pull, "bob", "/promptops help").unwrap();
    app.until("the answer", |app| !app.answers(pull).is_empty()).await;
    assert_eq!(crate::support::app::state(&app.evaluation(pull)), "in_progress");
    app.mood(Mood::Fine);
    app.say(pull, "bob", "/promptops eval").await;
    app.expect(pull, "failure", "in_progress");
    end(app, pull).await;
}

#[tokio::test]
async fn a_waiver_counts_for_its_verdict_and_for_the_content_it_saw() {
    let waiver = "  - name: waiver\n    when: { verdict: [regression] }\n    require: { count: 1, from: [leads] }\n";
    let mut app = TestApp::with_settings(&format!("{SETTINGS}{waiver}")).await;
    app.may_fail(1);
    let pull = app.open(&worse()).await;
    app.approve(pull, "lee").await;
    app.expect(pull, "success", "in_progress");
    let title = app.evaluation(pull).title.unwrap();
    assert!(title.contains("let through by @lee: rule “waiver”"), "{title}");
    app.push(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 8])))).await;
    app.expect(pull, "failure", "in_progress");
    let report = app.report(pull).unwrap();
    assert!(report.contains("The approval of `@lee` does not count"), "{report}");
    let _ = app.answers(pull);
    // What could not be measured is no regression: its rule does not open it.
    app.mood(Mood::Status(401));
    let unmeasured =
        app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([9]))).write(GOLDEN, golden(1..=12))).await;
    app.approve(unmeasured, "lee").await;
    app.expect(unmeasured, "failure", "in_progress");
    end(app, unmeasured).await;
}
