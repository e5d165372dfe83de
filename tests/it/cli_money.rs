//! Money at an author's desk: what a run would cost, a run that stops at its limit, old answers that are checked before use.

use serde_json::json;

use crate::cli_eval::{PROMPT, answer};
use crate::support::desk::Desk;
use crate::support::provider::{Asked, Reply, Scripted};

/// A desk with a prompt and this many cases, committed.
fn desk(cases: usize) -> Desk {
    let case = |n: usize| {
        format!("  - id: c{n}\n    vars: {{ amount: \"{n} EUR\" }}\n    evaluators: [{{ contains: EUR }}]\n")
    };
    let golden: String = std::iter::once("cases:\n".to_owned()).chain((0..cases).map(case)).collect();
    Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", &golden)])
}

/// Says back what it was asked.
fn echo(asked: &Asked) -> Reply {
    Reply::text(format!("about {}", asked.user()))
}

/// Changes the prompt so that each of its questions is a new one.
fn reword(desk: &Desk, words: &str) {
    desk.write("a.prompt.yml", PROMPT.replace("{{amount}}", &format!("{words} {{{{amount}}}}")));
}

#[tokio::test]
async fn an_estimate_says_what_a_run_would_cost_and_calls_nobody() {
    let server = Scripted::start(echo).await;
    let desk = desk(40);
    reword(&desk, "exactly");
    let ran = desk.ask(&server, &["eval", "--base", "main", "--estimate"]).await;
    assert_eq!((ran.code, server.calls(), ran.stderr.as_str()), (0, 0, ""), "{ran:?}");
    assert!(
        ran.stdout.starts_with("a.prompt.yml\n  40 cases × 2 sides × 1 trial: 80 calls, 0 known already\n  about "),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("\nIn total 80 calls, about $0.0") && ran.stdout.ends_with("No model was called.\n"));
    let ran = desk.ask(&server, &["eval", "--base", "main", "--estimate", "--format", "json"]).await;
    let estimate = ran.json();
    assert_eq!((&estimate["schema"], &estimate["calls"]), (&json!("promptops.estimate/v1"), &json!(80)));
    assert_eq!(estimate["prompts"][0]["path"], "a.prompt.yml");
    assert!(estimate["usd"].as_f64().unwrap() > 0.001);
    assert_eq!(desk.ask(&server, &["eval", "--base", "main"]).await.code, 0);
    let known = desk.ask(&server, &["eval", "--base", "main", "--estimate", "--format", "json"]).await.json();
    assert_eq!((&known["calls"], &known["prompts"][0]["known"], &known["usd"]), (&json!(0), &json!(80), &json!(0.0)));
    assert_eq!(server.calls(), 80);
    let ran = desk.ask(&server, &["eval", "--estimate", "--format", "markdown"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[tokio::test]
async fn a_run_that_reaches_its_limit_stops_its_calls_and_is_not_measured() {
    // The cases promise answers of a word; the model counts ten times the tokens.
    let server = Scripted::start(echo).await;
    let desk = desk(200);
    let golden = desk.read("a.golden.yml").replace("    evaluators", "    expected: x\n    evaluators");
    desk.write("a.golden.yml", golden);
    let ran = desk.ask(&server, &["eval", "--max-cost", "0.002", "--concurrency", "1", "--format", "json"]).await;
    assert_eq!((ran.code, &ran.json()["verdict"]), (3, &json!("not_measured")), "{ran:?}");
    assert!(
        ran.stderr.contains("error: the run was stopped: its next calls need about $0.00")
            && ran.stderr.contains("of the $0.0020 a run $0.0020 are spent: raise it with `run_usd`"),
        "{ran:?}"
    );
    assert_eq!(server.calls(), 96, "each costs 21 millionths of a dollar");
}

#[tokio::test]
async fn a_model_without_a_price_runs_without_a_budget_only() {
    let server = Scripted::start(answer).await;
    let desk = desk(4);
    let ran = desk.ask(&server, &["eval", "--model", "openai/ours", "--max-cost", "1"]).await;
    assert_eq!((ran.code, server.calls()), (3, 0), "{ran:?}");
    assert!(ran.stderr.contains("error: the price of `openai/ours` is not known, so no budget can be kept"), "{ran:?}");
    let ran = desk.run(&["eval", "--model", "openai/ours", "--max-cost", "1"]).await;
    let first = "error: a.prompt.yml: no key for openai models: set OPENAI_API_KEY";
    assert!(ran.code == 3 && ran.stderr.contains(first) && !ran.stderr.contains("price"), "a key comes first: {ran:?}");
    let ran = desk.run(&["eval", "--model", "openai/ours", "--estimate"]).await;
    assert!(ran.code == 0 && !ran.stdout.contains('$'), "what is not known is not nothing: {ran:?}");
    assert!(ran.stdout.contains(" out: unknown price\nIn total 4 calls, unknown price.\n"), "{ran:?}");
    let advice = "The price of openai/ours is not known: state it under [prices.\"openai/ours\"] in promptops.toml.";
    assert!(ran.stdout.contains(advice), "{ran:?}");
    let ran = desk.ask(&server, &["eval", "--model", "openai/ours", "--format", "markdown"]).await;
    assert_eq!((ran.code, server.calls()), (0, 4), "{ran:?}");
    let said = ran.stdout.replace('`', "");
    assert!(said.contains("The cost of openai/ours is not known and in no figure here."), "{ran:?}");
}

#[tokio::test]
async fn known_answers_of_base_are_checked_and_a_provider_that_drifted_is_named() {
    let drifted = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = drifted.clone();
    let server = Scripted::start(move |asked| match now.load(std::sync::atomic::Ordering::SeqCst) {
        true => Reply::text("I cannot say."),
        false => echo(asked),
    })
    .await;
    let desk = desk(30);
    let compare = async |words: &str| {
        reword(&desk, words);
        let before = server.calls();
        let ran = desk.ask(&server, &["eval", "--base", "main", "--format", "markdown"]).await;
        (ran, server.calls() - before)
    };
    let (ran, calls) = compare("first").await;
    assert_eq!((ran.code, calls), (0, 60), "{ran:?}");
    let (ran, calls) = compare("second").await;
    assert_eq!((ran.code, calls), (0, 40), "thirty new ones, ten of base to check the others: {ran:?}");
    assert!(!ran.stdout.contains("drift"), "{ran:?}");
    drifted.store(true, std::sync::atomic::Ordering::SeqCst);
    let (ran, calls) = compare("third").await;
    assert_eq!(calls, 60, "{ran:?}");
    assert!(ran.stdout.contains("a.prompt.yml: Provider drift: 10 of 10 known answers of the old prompt"), "{ran:?}");
    assert!(ran.stdout.contains("0 better"), "both sides fare the same: {ran:?}");
}

#[tokio::test]
async fn a_price_from_the_settings_file_is_in_the_estimate_and_in_the_budget() {
    let server = Scripted::start(echo).await;
    let desk = desk(4);
    let settings = Desk::plain();
    settings.write("named.toml", "[prices.\"openai/ours\"]\ninput = 1000.0\noutput = 0.0\n");
    let file = settings.file("named.toml");
    let url = format!("{}/v1", server.url());
    let variables = [("OPENAI_BASE_URL", url.as_str()), ("PROMPTOPS_CONFIG", file.to_str().unwrap())];
    let estimate = ["eval", "--model", "openai/ours", "--estimate", "--format", "json"];
    let unknown = desk.run_in("", &estimate, &variables[..1]).await.json();
    assert_eq!((&unknown["unpriced"], &unknown["usd"]), (&json!(["openai/ours"]), &json!(0.0)));
    let known = desk.run_in("", &estimate, &variables).await.json();
    let tokens = known["prompts"][0]["input_tokens"].as_f64().unwrap();
    assert_eq!(known["unpriced"], json!([]));
    assert!(tokens > 0.0 && (known["usd"].as_f64().unwrap() - tokens / 1e3).abs() < 1e-9, "{known}");
    let run = |most| ["eval", "--model", "openai/ours", "--max-cost", most];
    let ran = desk.run_in("", &run("0.001"), &variables).await;
    assert_eq!((ran.code, server.calls()), (3, 0), "{ran:?}");
    let ran = desk.run_in("", &run("1"), &variables).await;
    assert_eq!((ran.code, server.calls()), (0, 4), "{ran:?}");
}
