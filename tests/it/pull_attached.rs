//! Pull requests that change a file a prompt file is made of, or add one: the prompt is measured, and the file is governed.

use promptops::sim::Change;

use crate::support::app::{SETTINGS, SETTINGS_PATH, TestApp, forgets, golden};

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

#[tokio::test]
async fn a_text_that_a_glob_of_base_picks_up_is_governed_once_it_is_added() {
    let mut app = TestApp::with(library()).await;
    let pull = app.open(&Change::by("ann").write("texts/second.json", text(&forgets(1..=6)))).await;
    // A prompt that base does not have is measured alone.
    app.expect(pull, "success", "in_progress");
    assert!(app.report(pull).unwrap().contains("texts/second.json"), "{}", app.report(pull).unwrap());
    let moved = Change::by("ann").rename("data/other.csv", "texts/other.json");
    let pull = app.open(&moved).await;
    app.expect(pull, "success", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_partial_that_is_added_nearer_is_measured_by_its_prompt() {
    let reply =
        "---\nmodel: openai/gpt-4o-mini\n---\n{{role \"system\"}}\n{{>tone}}\n{{role \"user\"}}\nWhere is {{order}}?\n";
    let first = Change::by("ann")
        .write(SETTINGS_PATH, SETTINGS)
        .write("prompts/deep/order.prompt", reply)
        .write("prompts/deep/order.golden.yml", golden(1..=12))
        .write("prompts/_tone.prompt", "You answer customers.");
    let mut app = TestApp::with(first).await;
    let pull = app.open(&Change::by("ann").write("prompts/deep/_tone.prompt", forgets(1..=6))).await;
    app.expect(pull, "success", "in_progress");
    assert!(app.report(pull).unwrap().contains("+You answer customers; forget A-001"), "{}", app.report(pull).unwrap());
    let untouched = app.open(&Change::by("ann").write("other/_tone.prompt", forgets(1..=6))).await;
    app.expect(untouched, "success", "success");
    // A link there is no partial that can be read; it hides the one above all the same.
    let link = app.open(&Change::by("ann").symlink("prompts/deep/_tone.prompt", "../_tone.prompt")).await;
    app.expect(link, "action_required", "in_progress");
    let _ = app.report(link);
    app.finish().await;
}

/// On this base a changed text passes nobody: whose it is cannot be found out.
async fn check_closed(base: Change) {
    let mut app = TestApp::with(base).await;
    let pull = app.open(&Change::by("ann").write(TEXT, text(&forgets(1..=6)))).await;
    app.expect(pull, "action_required", "failure");
    let report = app.report(pull).unwrap();
    assert!(report.contains("too many prompt files are made of other files"), "{report}");
    assert!(report.contains(TEXT), "{report}");
    assert_eq!(app.model.calls(), 0);
    app.finish().await;
}

#[tokio::test]
async fn beyond_so_many_prompts_made_of_files_any_other_file_closes_the_gate() {
    check_closed((0..100).fold(library(), |change, n| change.write(&format!("prompts/{n}.prompt"), "Hi"))).await;
}

#[tokio::test]
async fn a_config_that_looks_for_too_much_closes_the_gate() {
    let config = |texts: String| format!("prompts: [{texts}]\nproviders: [openai:gpt-4o-mini]\n");
    let list = |item: &dyn Fn(u32) -> String, count| (0..count).map(item).collect::<Vec<_>>().join(", ");
    let globs = list(&|n| format!("file://gone/{n}/*.txt"), 51);
    check_closed(library().write("prompts/a/promptfooconfig.yaml", config(globs))).await;
    let files = list(&|n| format!("file://gone/{n}.txt"), 1_001);
    check_closed(library().write("prompts/a/promptfooconfig.yaml", config(files))).await;
}

#[tokio::test]
async fn all_prompts_together_have_one_budget_of_attached_files() {
    let many = (0..700).fold(library(), |change, n| change.write(&format!("many/{n}.txt"), "Hi"));
    let config = "prompts: [file://../../many/*.txt]\nproviders: [openai:gpt-4o-mini]\n";
    let base = ["a", "b", "c"]
        .iter()
        .fold(many, |change, folder| change.write(&format!("prompts/{folder}/promptfooconfig.yaml"), config));
    check_closed(base).await;
}

/// Somebody broke base's config past the gate; now head shall bring texts and tests of its own.
#[tokio::test]
async fn a_broken_config_on_base_may_not_be_replaced() {
    let mut app = TestApp::with(library()).await;
    app.repo.push("main", &Change::by("lee").write(CONFIG, "prompts: [\n")).unwrap();
    let config =
        "prompts: [file://../texts/*.json]\nproviders: [openai:gpt-4o-mini]\ntests: [{vars: {order: A-001}}]\n";
    let pull = app.open(&Change::by("ann").write(CONFIG, config)).await;
    app.expect(pull, "action_required", "in_progress");
    assert!(app.report(pull).unwrap().contains("Mend it on the base branch first"), "{}", app.report(pull).unwrap());
    assert_eq!(app.model.calls(), 0);
    app.finish().await;

    let mut app = TestApp::with(library()).await;
    app.repo.push("main", &Change::by("lee").remove(CASES)).unwrap();
    let mended = app.open(&Change::by("ann").write(CASES, cases(1..=12))).await;
    app.expect(mended, "success", "in_progress");
    let _ = app.report(mended);
    let replaced = app.open(&Change::by("ann").write(CASES, cases(1..=2)).write(TEXT, text(&forgets([5])))).await;
    app.expect(replaced, "action_required", "in_progress");
    let _ = app.report(replaced);
    app.finish().await;
}
