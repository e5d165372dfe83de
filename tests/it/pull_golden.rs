//! Who weakens what judges a prompt is held by base's version, seen by every reader, and met by the rules that name it.

use promptops::sim::Change;

use crate::support::app::{GOLDEN, PROMPT, SETTINGS_PATH, TestApp, forgets, golden, prompt};

/// One rule per kind of change; each waits for one of the leads.
const RULES: &str = r#"prompts:
  include: ["prompts/**"]
evaluation:
  model: openai/gpt-4o-mini
  judge: openai/gpt-4o
roles:
  leads: ["@acme/prompt-leads"]
approval:
  - name: weaker
    when: { changes: [golden_set_weakened] }
    require: { count: 1, from: [leads] }
  - name: model
    when: { changes: [model] }
    require: { count: 1, from: [leads] }
  - name: metadata
    when: { changes: [metadata] }
    require: { count: 1, from: [leads] }
  - name: set
    when: { changes: [golden_set] }
    require: { count: 1, from: [leads] }
"#;

async fn app() -> TestApp {
    TestApp::with_settings(RULES).await
}

/// Opens a pull request, and gives the rules that apply, with the report.
async fn applying(app: &mut TestApp, change: &Change) -> (Vec<&'static str>, String) {
    let pull = app.open(change).await;
    let text = app.approval(pull).text.unwrap_or_default();
    let applies = |name: &&str| !text.contains(&format!("{name}: does not apply"));
    let rules = ["weaker", "model", "metadata", "set"].into_iter().filter(applies).collect();
    (rules, app.report(pull).unwrap_or_default())
}

fn better() -> String {
    prompt("You answer customers politely.")
}

#[tokio::test]
async fn each_kind_of_change_meets_its_own_rule() {
    let mut app = app().await;
    let write = |path: &str, text: String| Change::by("ann").write(path, text);
    for (change, expected) in [
        (write(PROMPT, better()), &[][..]),
        (write(PROMPT, better().replace("gpt-4o-mini", "gpt-4o")), &["model"]),
        (write(PROMPT, better().replace("model: openai/gpt-4o-mini\n", "")), &["model"]),
        (write(PROMPT, format!("{}modelParameters: {{ temperature: 0.1 }}\n", better())), &["model"]),
        (write(PROMPT, format!("{}owner: '@mara'\n", better())), &["metadata"]),
        (write(GOLDEN, golden(1..=13)), &["set"]),
        (write(GOLDEN, golden(1..=11)), &["weaker", "set"]),
        (write(GOLDEN, golden(1..=12).replacen("- contains: A-001", "- icontains: a", 1)), &["weaker", "set"]),
        (write(GOLDEN, golden(1..=12).replacen("id: order-1\n", "id: order-1\n    must_pass: true\n", 1)), &["set"]),
        (
            write("prompts/new.prompt.yml", format!("{}testData: [{{ order: A-001, expected: x }}]\n", better())),
            &["model", "metadata"],
        ),
        (Change::by("ann").remove(PROMPT), &["weaker", "model", "metadata", "set"]),
        (write(PROMPT, "name: [".to_owned()), &["weaker", "model", "metadata", "set"]),
    ] {
        let (rules, report) = applying(&mut app, &change).await;
        assert_eq!(rules, expected, "{report}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_prompt_that_takes_its_cases_from_elsewhere_is_judged_by_the_old_ones_too() {
    let easy = "prompts/easy.golden.yml";
    let base = Change::by("lee")
        .write(SETTINGS_PATH, RULES)
        .write(easy, golden(1..=12).replace("contains: A-", "contains: A"));
    let mut app = TestApp::with(base).await;
    let pointed = format!("{}goldenSet: easy.golden.yml\n", prompt(&forgets([5, 7])));
    let change = Change::by("ann").write(PROMPT, pointed);
    let (rules, report) = applying(&mut app, &change).await;
    assert_eq!(rules, ["weaker", "set"], "{report}");
    assert!(
        report
            .contains("takes its cases from `prompts/easy.golden.yml` now, no longer from `prompts/reply.golden.yml`"),
        "{report}"
    );
    let pull = promptops::domain::ids::PullNumber(1);
    app.expect(pull, "failure", "in_progress");
    app.approve(pull, "lee").await;
    app.expect(pull, "failure", "success");
    assert!(!app.can_merge(pull), "{report}");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_weaker_set_opens_no_gate_by_any_way() {
    let mut app = app().await;
    let broken = prompt(&forgets([5, 7]));
    let weaker = [
        golden((1..=12).filter(|order| ![5, 7].contains(order))),
        golden(1..=12).replace("contains: A-005", "contains: order").replace("contains: A-007", "contains: order"),
        golden(1..=12)
            .replace("id: order-5\n", "id: other-5\n    weight: 0\n")
            .replace("id: order-7\n", "id: other-7\n    weight: 0\n"),
        golden(1..=12).replace("evaluators:", "threshold: 0\n    evaluators:"),
        (1..=12).fold(golden(1..=12), |set, order| {
            let word = format!("A-{order:03}");
            set.replace(&format!("contains: {word}"), &format!("contains: {{ value: {word}, weight: 0 }}"))
        }),
    ];
    for set in weaker {
        let change = Change::by("ann").write(PROMPT, &broken).write(GOLDEN, &set);
        let pull = app.open(&change).await;
        app.approve(pull, "lee").await;
        app.expect(pull, "failure", "success");
        assert!(!app.can_merge(pull), "{set}");
        assert!(app.report(pull).unwrap().contains("what judges these prompts.**"), "{set}");
    }
    app.finish().await;
}

#[tokio::test]
async fn what_a_hostile_set_says_of_itself_is_shown_as_text() {
    let mut app = app().await;
    let hostile = golden(1..=12)
        .replace("id: order-5\n", "id: \"</summary> @octocat ![x](https://evil.example/x.png)\"\n")
        .replace("contains: A-007", "contains: \"<img src=x> closes #1 @octocat\"");
    let pull = app.open(&Change::by("ann").write(GOLDEN, hostile)).await;
    let report = app.report(pull).unwrap();
    let fold = report.split("What changes in the golden set").nth(1).unwrap().split("</details>").next().unwrap();
    assert!(fold.contains("octocat"), "{fold}");
    // Outside inline code nothing of it is left that GitHub could act on.
    let plain: String = fold.split('`').step_by(2).collect();
    for text in ["@octocat", "<img", "![x]", "#1", "https:"] {
        assert!(!plain.contains(text), "{text} in {plain}");
    }
    app.finish().await;
}

#[tokio::test]
async fn settings_that_let_more_through_are_told_key_by_key() {
    let mut app = app().await;
    let looser = RULES.replace("  judge: openai/gpt-4o\n", "  judge: openai/gpt-4o-mini\n  margin: 0.5\n").replace(
        "  - name: weaker\n    when: { changes: [golden_set_weakened] }\n    require: { count: 1, from: [leads] }\n",
        "",
    );
    let pull = app.open(&Change::by("ann").write(SETTINGS_PATH, looser)).await;
    let report = app.report(pull).unwrap();
    let fold = report.split("What changes in the settings").nth(1).unwrap();
    for text in [
        "looser: evaluation.margin is 0.5, before: 0.05",
        "looser: evaluation.judge is `openai/gpt-4o-mini`",
        "rule “weaker” is removed",
    ] {
        assert!(fold.contains(text), "{text} is missing in {fold}");
    }
    app.finish().await;
}
