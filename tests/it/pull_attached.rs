//! Pull requests that change a file a promptfoo config is made of: the config is measured, and the file is governed.

use promptops::sim::Change;

use crate::support::app::{SETTINGS, SETTINGS_PATH, TestApp, forgets};

const KEEPER: &str =
    "  - name: golden set keeper\n    when: { changes: [golden_set] }\n    require: { count: 1, from: [leads] }\n";
const CONFIG: &str = "prompts/promptfooconfig.yaml";
const TEXT: &str = "texts/reply.json";
const CASES: &str = "data/cases.csv";

fn text(instruction: &str) -> String {
    format!(
        "[{{\"role\": \"system\", \"content\": {instruction:?}}}, {{\"role\": \"user\", \"content\": \"Where is {{{{order}}}}?\"}}]"
    )
}

fn cases(orders: std::ops::RangeInclusive<u32>) -> String {
    let row = |order| format!("order {order},A-{order:03},contains:A-{order:03}\n");
    format!("__description,order,__expected\n{}", orders.map(row).collect::<String>())
}

/// A config under the governed paths whose text and cases lie elsewhere.
fn library() -> Change {
    let config =
        "prompts: [file://../texts/*.json]\nproviders: [openai:gpt-4o-mini]\ntests: file://../data/cases.csv\n";
    Change::by("ann")
        .write(SETTINGS_PATH, format!("{SETTINGS}{KEEPER}"))
        .write(CONFIG, config)
        .write(TEXT, text("You answer customers."))
        .write(CASES, cases(1..=12))
        .write("data/other.csv", "a,b\n")
}

#[tokio::test]
async fn a_changed_text_is_measured_by_the_config_that_names_it() {
    let mut app = TestApp::with(library()).await;
    let pull = app.open(&Change::by("ann").write(TEXT, text(&forgets(1..=6)))).await;
    app.expect(pull, "failure", "in_progress");
    let report = app.report(pull).unwrap();
    assert!(report.contains("order 3") && report.contains(CONFIG), "{report}");
    assert!(report.contains("golden set keeper: does not apply to this change"), "the text is no golden set: {report}");
    app.finish().await;
}

#[tokio::test]
async fn a_weakened_test_file_needs_its_keeper_and_goes_on_deciding() {
    let mut app = TestApp::with(library()).await;
    let change = Change::by("ann").write(CASES, cases(1..=6)).write(TEXT, text(&forgets(7..=12)));
    let pull = app.open(&change).await;
    app.expect(pull, "failure", "in_progress");
    let report = app.report(pull).unwrap();
    assert!(report.contains("golden set keeper”") && report.contains("order 9"), "{report}");
    assert!(report.contains("is removed; it goes on deciding"), "{report}");
    app.finish().await;
}

#[tokio::test]
async fn a_file_that_is_part_of_nothing_needs_nobody() {
    let mut app = TestApp::with(library()).await;
    let pull = app.open(&Change::by("ann").write("data/other.csv", "a,c\n")).await;
    app.expect(pull, "success", "success");
    assert_eq!(app.model.calls(), 0);
    app.finish().await;
}

#[tokio::test]
async fn a_file_that_goes_missing_is_said_at_the_config() {
    let mut app = TestApp::with(library()).await;
    let pull = app.open(&Change::by("ann").remove(CASES)).await;
    app.expect(pull, "action_required", "in_progress");
    let evaluation = app.evaluation(pull);
    assert_eq!(evaluation.annotations[0]["path"], CONFIG);
    assert!(evaluation.text.unwrap().contains("no file at"), "the place is named");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_model_or_config_that_changes_is_compared_with_what_it_was() {
    let mut app = TestApp::with(library()).await;
    let config = "prompts: [file://../texts/*.json]\nproviders: [{id: openai:gpt-4o, config: {temperature: 0.1}}]\ntests: file://../data/cases.csv\n";
    let pull = app.open(&Change::by("ann").write(CONFIG, config)).await;
    app.expect(pull, "success", "in_progress");
    assert_eq!(app.model.calls(), 24, "both sides");
    assert!(app.report(pull).unwrap().contains("12"), "{}", app.report(pull).unwrap());
    app.finish().await;
}
