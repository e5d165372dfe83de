//! Lint in pull requests: findings on the lines that change, a secret that reaches no model, waivers, near-duplicates.

use promptops::sim::Change;

use crate::support::app::{GOLDEN, PROMPT, SETTINGS, SETTINGS_PATH, TestApp, golden, prompt};

const KEY: &str = "ghp_0123456789abcdefABCD0123456789abcdef";

#[tokio::test]
async fn a_finding_stands_on_the_changed_line_and_one_on_another_line_in_the_text() {
    let mut app = TestApp::new().await;
    let old = prompt("You answer. TODO: tone.");
    let pull = app.open(&Change::by("ann").write(PROMPT, &old)).await;
    app.expect(pull, "success", "in_progress");
    let evaluation = app.evaluation(pull);
    let found: Vec<_> =
        evaluation.annotations.iter().map(|one| (&one["path"], &one["start_line"], &one["title"])).collect();
    assert_eq!(found, [(&PROMPT.into(), &6.into(), &"leftover-placeholder".into())]);
    assert_eq!(evaluation.annotations[0]["annotation_level"], "warning");
    let text = evaluation.text.unwrap();
    assert!(text.contains("12 cases; to exclude a drop of"), "the set did not change, so it is told here: {text}");
    app.approve(pull, "mara").await;
    assert!(app.can_merge(pull), "warnings block nothing");
    let _ = app.report(pull);
    app.repo.merge(pull, "ann").unwrap();

    let pull = app.open(&Change::by("ann").write(PROMPT, old.replace("Tells", "Says to"))).await;
    let evaluation = app.evaluation(pull);
    assert_eq!(evaluation.annotations, [] as [serde_json::Value; 0], "base has that line");
    assert!(evaluation.text.unwrap().contains("TODO"));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_secret_blocks_reaches_no_model_and_is_never_shown() {
    let mut app = TestApp::new().await;
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&format!("Log in with {KEY}.")))).await;
    app.expect(pull, "action_required", "in_progress");
    let evaluation = app.evaluation(pull);
    assert_eq!(evaluation.annotations[0]["title"], "secret");
    assert_eq!(evaluation.annotations[0]["start_line"], 6);
    assert_eq!(app.model.calls(), 0);
    app.push(
        &Change::by("ann").write(PROMPT, prompt("You answer.")).write(GOLDEN, golden(1..=12).replace("A-007", KEY)),
    )
    .await;
    app.expect(pull, "action_required", "in_progress");
    assert_eq!(app.evaluation(pull).annotations[0]["path"], GOLDEN);
    assert_eq!(app.model.calls(), 0, "values of cases would reach the model, too");
    let shown = format!("{:?} {:?} {:?}", evaluation, app.evaluation(pull), app.report(pull));
    assert!(!shown.contains(KEY), "{shown}");
    app.approve(pull, "mara").await;
    assert!(!app.can_merge(pull));
    app.push(&Change::by("ann").write(GOLDEN, golden(1..=12))).await;
    app.expect(pull, "success", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn head_cannot_wave_its_own_secret_through_and_new_waivers_are_shown() {
    let waiver = "# promptops: allow secret because the vendor prints it in its manual\n";
    let described = |head: &str| format!("{head}{}", prompt("You answer customers."));
    let mut app = TestApp::new().await;
    let with_key = described(&format!("{waiver}exampleOutput: {KEY}\n"));
    let pull = app.open(&Change::by("ann").write(PROMPT, &with_key)).await;
    app.expect(pull, "action_required", "in_progress");
    let evaluation = app.evaluation(pull);
    let message = evaluation.annotations[0]["message"].as_str().unwrap();
    assert!(message.contains("counts only where the base branch has the very same secret"), "{message}");
    assert_eq!(app.model.calls(), 0);
    let report = app.report(pull).unwrap();
    assert!(report.contains("a new waiver of lint rule") && report.contains("the vendor prints it"), "{report}");

    app.push(&Change::by("ann").write(PROMPT, described(waiver))).await;
    app.expect(pull, "success", "in_progress");
    app.approve(pull, "mara").await;
    let _ = app.report(pull);
    app.repo.merge(pull, "ann").unwrap();
    // That base has a waiver in these words does not wave the secret through.
    let pull = app.open(&Change::by("ann").write(PROMPT, with_key)).await;
    app.expect(pull, "action_required", "in_progress");
    assert!(!app.report(pull).unwrap().contains("a new waiver"), "base has it");
    app.finish().await;
}

#[tokio::test]
async fn what_only_heads_own_waivers_allow_still_asks_for_the_people_of_a_rule_on_lint() {
    let rule = "  - name: lint\n    when: { lint: [error] }\n    require: { count: 1, from: [leads] }\n";
    let settings = format!("{SETTINGS}{rule}lint: {{ rules: {{ leftover-placeholder: error }} }}\n");
    let mut app = TestApp::with_settings(&settings).await;
    let waived = format!("# promptops: allow leftover-placeholder because I say so\n{}", prompt("You answer. TODO."));
    let pull = app.open(&Change::by("ann").write(PROMPT, waived)).await;
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "in_progress");
    assert!(!app.can_merge(pull));
    app.approve(pull, "lee").await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn levels_come_from_base_and_errors_block() {
    let settings =
        format!("{SETTINGS}lint: {{ banned_phrases: [world-class], rules: {{ golden-set-too-small: off }} }}\n");
    let mut app = TestApp::with_settings(&settings).await;
    let change = Change::by("ann").write(PROMPT, prompt("Praise our world-class service."));
    let pull = app.open(&change.write(SETTINGS_PATH, SETTINGS)).await;
    app.expect(pull, "action_required", "in_progress");
    let evaluation = app.evaluation(pull);
    assert_eq!(evaluation.annotations[0]["title"], "banned-phrase");
    assert_eq!(app.model.calls(), 0);
    app.push(&Change::by("ann").write(PROMPT, prompt("Praise our service.")).write(SETTINGS_PATH, settings)).await;
    app.expect(pull, "success", "in_progress");
    assert_eq!(app.evaluation(pull).annotations, [] as [serde_json::Value; 0]);
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_copy_of_a_prompt_that_base_has_is_named() {
    let mut app = TestApp::new().await;
    let text = "You answer customers of a parcel service politely and never promise a date.";
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(text))).await;
    app.approve(pull, "mara").await;
    let _ = app.report(pull);
    app.repo.merge(pull, "ann").unwrap();
    let change = Change::by("ann")
        .write("prompts/copy.prompt.yml", prompt(text).replace("Order reply", "Copy"))
        .write("prompts/copy.golden.yml", golden(1..=60));
    let pull = app.open(&change).await;
    app.expect(pull, "success", "in_progress");
    let evaluation = app.evaluation(pull);
    let found: Vec<_> = evaluation.annotations.iter().map(|one| (&one["path"], &one["title"])).collect();
    assert_eq!(found, [(&"prompts/copy.prompt.yml".into(), &"near-duplicate".into())]);
    let message = evaluation.annotations[0]["message"].as_str().unwrap();
    assert!(message.starts_with("the prompt is 100 % the same as prompts/reply.prompt.yml"), "{message}");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_version_that_stays_is_told_on_its_line_or_in_the_text() {
    let mut app = TestApp::new().await;
    let with = |version: &str, text: &str| format!("version: {version}\n{}", prompt(text));
    let pull = app.open(&Change::by("ann").write(PROMPT, with("1.0.0", "You answer."))).await;
    app.approve(pull, "mara").await;
    let _ = app.report(pull);
    app.repo.merge(pull, "ann").unwrap();
    let pull = app.open(&Change::by("ann").write(PROMPT, with("1.0.0", "You answer kindly."))).await;
    let evaluation = app.evaluation(pull);
    assert_eq!(evaluation.annotations, [] as [serde_json::Value; 0], "its line is not among the changed ones");
    let text = evaluation.text.unwrap();
    assert!(text.contains("its version is still 1.0.0") && text.contains("(`version-not-bumped`)"), "{text}");
    app.push(&Change::by("ann").write(PROMPT, with("0.9.0", "You answer kindly."))).await;
    assert_eq!(app.evaluation(pull).annotations[0]["title"], "version-not-bumped");
    let _ = app.report(pull);
    app.finish().await;
}
