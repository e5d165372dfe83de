//! The Action in a workflow: what each event compares, what the step leaves behind, and what it refuses.

use std::fs;

use serde_json::{Value, json};

use crate::support::act::{Ask, HOSTILE, Played, Shop};
use crate::support::app::{MODEL_KEY, PROMPT};
use crate::support::runner::VERSION;

/// Asserts the step's outcome, what it ended with and its verdict, and what holds for every run.
#[track_caller]
fn check(played: &Played, code: i32, verdict: &str) {
    let outcome = if code == 0 { "success" } else { "failure" };
    let found = (played.outcome.as_str(), played.code, played.outputs["verdict"].as_str().unwrap_or_default());
    assert_eq!(found, (outcome, code, verdict), "{played:#?}");
    assert!(!played.log.contains(MODEL_KEY) && !played.summary.contains(MODEL_KEY), "{played:#?}");
    assert_eq!(played.new_files, "", "the checkout is left as it was");
}

fn reports(shop: &Shop) -> Vec<String> {
    shop.repo.comments(shop.pull).into_iter().map(|comment| comment.body).collect()
}

fn manual(event: &str, payload: Value) -> Ask<'_> {
    Ask { event, payload, with: &[], key: MODEL_KEY, env: &[] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_regression_fails_the_step_and_is_told_everywhere() {
    let Some(shop) = Shop::open(1..=6).await else { return };
    let played = shop.play(&shop.ask(&[("sarif-file", "../found.sarif"), ("junit-file", "../cases.xml")])).await;
    check(&played, 1, "regression");
    let outputs = &played.outputs;
    assert_eq!(
        (&outputs["score"], &outputs["broken"], &outputs["fixed"]),
        (&json!("0.5000"), &json!("5"), &json!("0"))
    );
    let cost: f64 = outputs["cost-usd"].as_str().unwrap().parse().unwrap();
    assert!(cost > 0.0, "{outputs}");
    assert_eq!(played.report.as_ref().unwrap()["verdict"], "regression");
    assert!(played.summary.contains("Order reply"), "{}", played.summary);
    let comments = reports(&shop);
    assert!(comments.len() == 1 && comments[0].contains("<!-- promptops:report -->"), "{comments:?}");
    // What a model says is no command of the runner.
    assert!(played.report.unwrap().to_string().contains("a command of the model"), "the answers held {HOSTILE}");
    assert!(!played.errors.iter().any(|error| error.contains("a command of the model")), "{:?}", played.errors);
    // Once more: the same comment, edited.
    check(&shop.play(&shop.ask(&[])).await, 1, "regression");
    assert_eq!(reports(&shop).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fail_on_and_comment_are_obeyed_and_an_improvement_passes() {
    let Some(shop) = Shop::open(1..=6).await else { return };
    check(&shop.play(&shop.ask(&[("fail-on", "never"), ("comment", "false")])).await, 0, "regression");
    assert_eq!(reports(&shop), Vec::<String>::new());
    let Some(shop) = Shop::open([]).await else { return };
    let played = shop.play(&shop.ask(&[])).await;
    check(&played, 0, played.outputs["verdict"].as_str().unwrap());
    assert!(["pass", "no_regression_found"].contains(&played.outputs["verdict"].as_str().unwrap()), "{played:#?}");
    assert_eq!(played.outputs["fixed"], "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_base_that_the_checkout_lacks_is_read_from_github() {
    let Some(shop) = Shop::open(1..=6).await else { return };
    let payload = shop.pull_payload(&shop.base_on_github, shop.repo.id().0);
    check(&shop.play(&Ask { payload, ..shop.ask(&[]) }).await, 1, "regression");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_and_merge_groups_compare_with_what_was_before() {
    let Some(shop) = Shop::open(1..=6).await else { return };
    let push = json!({"ref": "refs/heads/main", "before": shop.base, "after": "f".repeat(40)});
    check(&shop.play(&manual("push", push)).await, 1, "regression");
    let group = json!({"base_sha": shop.base, "head_sha": "f".repeat(40), "base_ref": "refs/heads/main",
        "head_ref": "refs/heads/gh-readonly-queue/main/pr-1-f"});
    check(
        &shop.play(&manual("merge_group", json!({"action": "checks_requested", "merge_group": group}))).await,
        1,
        "regression",
    );
    assert_eq!(reports(&shop), Vec::<String>::new(), "no pull request, no comment");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_and_runs_by_hand_measure_what_is_there() {
    let Some(shop) = Shop::open([]).await else { return };
    for (event, payload) in
        [("workflow_dispatch", json!({"inputs": {}})), ("schedule", json!({"schedule": "0 5 * * 1"}))]
    {
        let played = shop.play(&manual(event, payload)).await;
        check(&played, 0, "pass");
        assert_eq!(played.outputs["score"], "1.0000", "{event}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_without_keys_is_linted_and_not_measured() {
    let Some(shop) = Shop::open(1..=6).await else { return };
    let payload = shop.pull_payload(&shop.base, 4711);
    let ask = Ask { payload, key: "", ..shop.ask(&[]) };
    let played = shop.play(&ask).await;
    check(&played, 3, "not_measured");
    assert!(played.summary.contains("fork"), "{}", played.summary);
    let ask = Ask { with: &[("fail-on", "regression")], ..ask };
    check(&shop.play(&ask).await, 0, "not_measured");
    assert_eq!(shop.model.calls(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fork_code_is_never_evaluated_with_keys() {
    let Some(shop) = Shop::open(1..=6).await else { return };
    let payload = shop.pull_payload(&shop.base, 4711);
    let played = shop.play(&Ask { event: "pull_request_target", payload, ..shop.ask(&[]) }).await;
    check(&played, 3, "not_measured");
    assert!(played.summary.contains("pull_request_target"), "{}", played.summary);
    assert_eq!(shop.model.calls(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_inputs_run_nothing() {
    let Some(shop) = Shop::open(1..=6).await else { return };
    let evil =
        "$(touch pwned1)\n`touch pwned2`\n\"; touch pwned3; \"\n'$(touch pwned4)'\n::error::a command of an input";
    for input in ["paths", "base", "config", "model", "trials", "max-cost", "fail-on", "comment", "cache", "version"] {
        let played = shop.play(&shop.ask(&[(input, evil)])).await;
        assert_eq!((played.outcome.as_str(), played.code), ("failure", 2), "{input}: {played:#?}");
        assert_eq!(played.new_files, "", "{input}");
        let commanded = played.errors.iter().any(|error| error.trim() == "a command of an input");
        assert!(!commanded, "{input}: {:?}", played.errors);
    }
    assert_eq!(shop.model.calls(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_step_works_in_the_folder_it_is_given_and_on_the_paths_it_is_given() {
    let Some(shop) = Shop::open(1..=6).await else { return };
    shop.desk.write("docs/other.prompt.yml", "name: Other\nmessages: [{ role: user, content: Hi }]\n");
    shop.desk.commit("other");
    check(&shop.play(&shop.ask(&[("paths", "prompts/**\n"), ("working-directory", ".")])).await, 1, "regression");
    let below =
        [("working-directory", "prompts"), ("paths", "reply.prompt.yml"), ("config", "../.github/promptops.yml")];
    check(&shop.play(&shop.ask(&below)).await, 1, "regression");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_kept_where_actions_cache_looks_when_asked() {
    let Some(shop) = Shop::open(1..=6).await else { return };
    let played = shop.play(&shop.ask(&[("cache", "true")])).await;
    check(&played, 1, "regression");
    assert!(played.log.contains("/promptops-answers promptops-answers-Linux-"), "{}", played.log);
    let played = shop.play(&shop.ask(&[])).await;
    assert!(!played.log.contains("kept "), "{}", played.log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_comes_from_the_mirror_and_a_wrong_checksum_stops_the_step() {
    let Some(shop) = Shop::open(1..=6).await else { return };
    let release = shop.with_mirror();
    let mirror = format!("file://{}", release.parent().unwrap().display());
    let env = [("PROMPTOPS_DOWNLOAD_URL", mirror.as_str())];
    let sums = fs::read_to_string(release.join("SHA256SUMS")).unwrap();
    let zeros = format!("{} {}", "0".repeat(64), &sums[65..]);
    fs::write(release.join("SHA256SUMS"), zeros).unwrap();
    let played = shop.play(&Ask { env: &env, ..shop.ask(&[]) }).await;
    check(&played, 3, "");
    assert!(played.errors.iter().any(|error| error.contains("nothing was installed")), "{:?}", played.errors);
    assert_eq!(shop.model.calls(), 0);

    fs::write(release.join("SHA256SUMS"), sums).unwrap();
    let played = shop.play(&Ask { env: &env, ..shop.ask(&[]) }).await;
    check(&played, 1, "regression");
    assert!(played.log.contains(&format!("promptops {VERSION}: ")), "{}", played.log);
    assert!(played.summary.contains(PROMPT) || played.summary.contains("Order reply"), "{}", played.summary);
}
