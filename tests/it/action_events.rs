//! What each event of a workflow measures, and how the step ends.

use serde_json::json;

use crate::support::desk::Desk;
use crate::support::step::{GOLDEN, PROMPT, Step, prompt};

#[tokio::test]
async fn a_pull_request_runs_what_it_changes_and_says_so_everywhere() {
    let step = Step::pull_request("kindly indeed").await;
    let done = step.run().await;
    assert_eq!(done.verdict(), (0, "no_regression_found"), "{:?}", done.ran);
    assert_eq!((done.outputs["score"].as_str(), done.outputs["broken"].as_str()), ("1.0000", "0"));
    assert_ne!(done.outputs["cost-usd"], "");
    let result = done.result();
    assert_eq!(result["prompts"].as_array().map(Vec::len), Some(1));
    assert_eq!(result["prompts"][0]["path"], PROMPT);
    assert!(done.summary.contains("1 prompt does not change and was not run"), "{}", done.summary);
    assert!(!done.summary.contains("/promptops"), "{}", done.summary);
    let comments = step.comments();
    assert!(comments.len() == 1 && comments[0].starts_with("<!-- promptops:report -->"), "{comments:?}");
    assert_eq!(done.commands(), [""; 0]);
}

#[tokio::test]
async fn a_regression_fails_the_step_and_stands_on_the_prompts_lines() {
    let step = Step::pull_request("rudely").await;
    let done = step.run().await;
    assert_eq!(done.verdict(), (1, "regression"));
    assert_eq!((done.outputs["score"].as_str(), done.outputs["broken"].as_str()), ("0.0000", "1"));
    let commands = done.commands();
    assert_eq!(commands.len(), 1, "{commands:?}");
    assert!(commands[0].starts_with("::error file=prompts/reply.prompt.yml,line=5,"), "{commands:?}");
    assert!(step.comments()[0].contains("Regression"));
}

#[tokio::test]
async fn what_is_not_governed_passes_at_once() {
    let mut step = Step::pull_request("kindly").await;
    step.desk.write("README.md", "words");
    step.desk.commit("words");
    let done = step.run().await;
    assert_eq!(done.verdict(), (0, "pass"));
    assert!(done.summary.contains("No prompt, golden set or settings file is changed"), "{}", done.summary);
    assert_eq!((step.model.calls(), step.comments().len(), done.outputs["score"].as_str()), (0, 0, ""));
    // The same where only GitHub knows what changes.
    let base = step.base.to_string();
    step.make_shallow().pull_event("pull_request", &base, false);
    let (done, calls) = (step.run().await, step.model.calls());
    assert_eq!((done.verdict(), calls), ((0, "pass"), 0), "{}", done.summary);
}

#[tokio::test]
async fn a_golden_set_and_the_settings_count_as_changes() {
    let step = Step::pull_request("kindly").await;
    step.desk
        .write(GOLDEN, "cases:\n  - id: greets\n    vars: { question: hi }\n    evaluators: [{ contains: Hello }]\n");
    let prompts = |result: &serde_json::Value| result["prompts"].as_array().map(Vec::len);
    assert_eq!(prompts(&step.run().await.result()), Some(1));
    step.desk.write(".github/promptops.yml", "evaluation: { trials: 1 }\n");
    step.desk.commit("settings");
    assert_eq!(prompts(&step.run().await.result()), Some(2));
}

#[tokio::test]
async fn other_events_have_the_base_they_name_or_none() {
    let mut step = Step::pull_request("rudely").await;
    let base = step.desk.git(&["rev-parse", "HEAD~1"]);
    let zeros = "0".repeat(40);
    let check = async |step: &mut Step, event: &str, payload: serde_json::Value, prompts: usize, said: &str| {
        let done = step.event(event, &payload).run().await;
        let result = done.result();
        assert_eq!(result["prompts"].as_array().map(Vec::len), Some(prompts), "{event}: {}", done.summary);
        assert_eq!(result["base"].is_null(), prompts == 2, "{event}");
        assert_eq!(done.ran.code, 1, "{event}");
        assert!(done.summary.contains(said), "{event}: {}", done.summary);
    };
    check(&mut step, "push", json!({"before": base}), 1, "1 prompt does not change").await;
    check(&mut step, "push", json!({"before": zeros}), 2, "The branch is new").await;
    check(&mut step, "push", json!({"before": "f".repeat(40), "forced": true}), 2, "pushed by force").await;
    check(&mut step, "merge_group", json!({"merge_group": {"base_sha": base}}), 1, "does not change").await;
    check(&mut step, "workflow_dispatch", json!({}), 2, "names nothing to compare with").await;
    check(&mut step, "schedule", json!({}), 2, "names nothing to compare with").await;
    check(&mut step, "release", json!({}), 2, "The event release").await;
    assert_eq!(step.comments().len(), 0);
    let done = step.set("INPUT_BASE", "HEAD~1").event("workflow_dispatch", &json!({})).run().await;
    let result = done.result();
    assert_eq!((result["base"].as_str(), result["prompts"].as_array().map(Vec::len)), (Some(base.as_str()), Some(2)));
}

#[tokio::test]
async fn each_level_of_fail_on_decides_the_exit_code_and_not_the_verdict() {
    let check = async |step: &mut Step, level: &str, expected: (i32, &str)| {
        let done = step.set("INPUT_FAIL_ON", level).run().await;
        assert_eq!(done.verdict(), expected, "{level}: {}", done.summary);
    };
    let mut step = Step::pull_request("rudely").await;
    check(&mut step, "never", (0, "regression")).await;
    check(&mut step, "regression", (1, "regression")).await;
    step.without_keys();
    check(&mut step, "never", (0, "not_measured")).await;
    check(&mut step, "regression", (0, "not_measured")).await;
    check(&mut step, "not-measured", (3, "not_measured")).await;
    check(&mut step, "any-failure", (3, "not_measured")).await;
    step.desk.write(PROMPT, "messages: 7\n");
    check(&mut step, "never", (2, "wrong_input")).await;
    let mut step = Step::pull_request("coldly").await;
    step.desk.write(GOLDEN, "cases:\n  - id: a\n    vars: { question: hi }\n    evaluators: [{ contains: Hello }]\n");
    step.event("schedule", &json!({}));
    check(&mut step, "not-measured", (0, "pass")).await;
    check(&mut step, "any-failure", (1, "regression")).await;
}

#[tokio::test]
async fn inputs_go_where_the_arguments_of_eval_go() {
    let mut step = Step::pull_request("kindly indeed").await;
    let change = step.desk.git(&["rev-parse", "HEAD"]);
    step.desk.git(&["checkout", "--quiet", "--detach", "HEAD~1"]);
    step.desk.write("ci/settings.yml", "evaluation: { min_score: 0.9 }\nlint: { banned_phrases: [indeed] }\n");
    let base = step.desk.commit("settings");
    step.desk.git(&["cherry-pick", &change]);
    step.set("INPUT_BASE", &base);
    let out = step.desk.file("out.xml").display().to_string();
    step.set("INPUT_MODEL", "openai/gpt-4o").set("INPUT_TRIALS", "2").set("INPUT_JUNIT_FILE", &out);
    step.set("INPUT_PATHS", &format!("{PROMPT}\n"));
    assert_eq!(step.run().await.verdict(), (0, "no_regression_found"));
    assert!(step.model.asked().iter().all(|asked| asked.model() == "gpt-4o"));
    assert!(step.desk.read("out.xml").contains("<testsuite "));
    // A lint error is known before a model is asked.
    let calls = step.model.calls();
    let done = step.set("INPUT_CONFIG", "ci/settings.yml").run().await;
    assert_eq!((done.verdict(), step.model.calls()), ((1, "regression"), calls), "{}", done.summary);
    let done = step.set("INPUT_CONFIG", "ci/none.yml").run().await;
    assert_eq!(done.verdict(), (2, "wrong_input"));
    assert!(done.ran.stdout.contains("no settings file at `ci/none.yml`"));
    let done = step.set("INPUT_CONFIG", "").set("INPUT_SARIF_FILE", "nowhere/x.sarif").run().await;
    assert_eq!(done.verdict(), (2, "wrong_input"));
    assert!(done.ran.stdout.contains("the input `sarif-file`: `nowhere/x.sarif` is in no folder that exists"));
}

#[tokio::test]
async fn outside_a_workflow_the_command_says_what_to_use() {
    let desk = Desk::repository(&[(PROMPT, &prompt("kindly"))]);
    let ran = desk.run(&["action"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("this is no step of a workflow") && ran.stderr.contains("promptops eval"), "{ran:?}");
}

#[tokio::test]
async fn a_malformed_event_is_wrong_input() {
    let mut step = Step::pull_request("kindly").await;
    let done = step.event("pull_request", &json!({"number": 1})).run().await;
    assert_eq!(done.verdict(), (2, "wrong_input"));
    assert!(done.summary.contains("missing field"), "{}", done.summary);
    let done = step.set("GITHUB_EVENT_PATH", "/nowhere/event.json").run().await;
    assert_eq!(done.verdict(), (2, "wrong_input"));
}
