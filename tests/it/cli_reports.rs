//! The result in the formats of other tools, as CI and people get them from the real binary.

use serde_json::{Value, json};

use crate::cli_eval::{GOLDEN, PROMPT, answer};
use crate::support::desk::Desk;
use crate::support::provider::{Asked, Reply, Scripted};

fn desk() -> Desk {
    Desk::repository(&[("prompts/refund.prompt.yml", PROMPT), ("prompts/refund.golden.yml", GOLDEN)])
}

fn brief() -> String {
    PROMPT.replace("formally", "briefly")
}

/// Well-formed or a panic; the names of all elements.
fn elements(text: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => return found,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                found.push(tag.name().as_ref().to_owned());
            }
            _ => {}
        }
    }
}

fn count(all: &[String], name: &str) -> usize {
    all.iter().filter(|element| *element == name).count()
}

#[tokio::test]
async fn junit_fails_what_blocks_and_only_that() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("prompts/refund.prompt.yml", brief());
    let ran = desk.ask(&server, &["eval", "--base", "main", "--format", "junit"]).await;
    let all = elements(&ran.stdout);
    assert_eq!((ran.code, count(&all, "testcase"), count(&all, "failure"), count(&all, "error")), (1, 3, 2, 0));
    assert!(ran.stdout.contains(r#"type="confirmed-break""#), "{}", ran.stdout);
    desk.commit("brief");
    let same = desk.ask(&server, &["eval", "--base", "main", "--format", "junit"]).await;
    let all = elements(&same.stdout);
    assert_eq!((same.code, count(&all, "failure"), count(&all, "skipped")), (0, 0, 1), "{}", same.stdout);
    assert!(same.stdout.contains("fails as it does with the old prompt"), "{}", same.stdout);
}

#[tokio::test]
async fn junit_calls_a_case_without_an_answer_an_error() {
    let reply =
        |asked: &Asked| if asked.user().contains("900") { Reply::error(400, "no\u{1b}[31m") } else { answer(asked) };
    let (desk, server) = (desk(), Scripted::start(reply).await);
    let ran = desk.ask(&server, &["eval", "--format", "junit"]).await;
    let all = elements(&ran.stdout);
    assert_eq!((ran.code, count(&all, "failure"), count(&all, "error")), (3, 0, 2), "{ran:?}");
    assert!(!ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
}

#[tokio::test]
async fn sarif_places_a_broken_case_on_the_prompt() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("prompts/refund.prompt.yml", brief());
    let ran = desk.ask(&server, &["eval", "--base", "main", "--format", "sarif"]).await;
    let log = ran.json();
    let result = &log["runs"][0]["results"][0];
    assert_eq!((ran.code, &log["version"], &result["ruleId"]), (1, &json!("2.1.0"), &json!("case-worse")));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "prompts/refund.prompt.yml");
    assert_eq!(place["region"], json!({"startLine": 5, "endLine": 7}));
    let set = &result["relatedLocations"][0]["physicalLocation"];
    assert_eq!(
        (&set["artifactLocation"]["uri"], &set["region"]["startLine"]),
        (&json!("prompts/refund.golden.yml"), &json!(6))
    );
}

const OLD_STYLE: &str = "\
name: Refund
description: Answers refunds
model: openai/gpt-4o-mini
messages:
  - role: user
    content: \"Refund {{amount}}\"
testData:
  - amount: 5 EUR
    expected: \"5 EUR\"
  - amount: 7 EUR
    expected: \"7 EUR\"
evaluators:
  - name: says how much
    string: { contains: \"{{expected}}\" }
";

#[tokio::test]
async fn scripts_for_gh_models_eval_go_on_working() {
    let reply = |asked: &Asked| match asked.user() {
        "Refund 5 EUR" => Reply::text("Done: 5 EUR"),
        _ => Reply::text("Done."),
    };
    let (desk, server) = (Desk::plain(), Scripted::start(reply).await);
    desk.write("refund.prompt.yml", OLD_STYLE);
    let ran = desk.ask(&server, &["eval", "refund.prompt.yml", "--format", "github-models"]).await;
    let result = ran.json();
    assert_eq!(ran.code, 1, "a failed case is exit 1: {ran:?}");
    assert_eq!(
        (&result["name"], &result["description"], &result["model"]),
        (&json!("Refund"), &json!("Answers refunds"), &json!("openai/gpt-4o-mini"))
    );
    assert_eq!(result["summary"], json!({"totalTests": 2, "passedTests": 1, "failedTests": 1, "passRate": 50.0}));
    let first = &result["testResults"][0];
    assert_eq!(first["testCase"], json!({"amount": "5 EUR", "expected": "5 EUR"}));
    assert_eq!(first["modelResponse"], "Done: 5 EUR");
    assert_eq!(first["evaluationResults"][0]["evaluatorName"], "says how much");
    assert_eq!(first["evaluationResults"][0]["passed"], true);
    assert_eq!(result["testResults"][1]["evaluationResults"][0]["score"], 0.0);
    desk.write("refund.prompt.yml", "messages: 5\n");
    assert_eq!(desk.run(&["eval", "refund.prompt.yml", "--format", "github-models"]).await.code, 2);
}

#[tokio::test]
async fn for_those_scripts_one_case_without_an_answer_is_not_measured() {
    let cases: String = (0..40)
        .map(|n| format!("  - {{ id: c{n}, vars: {{ amount: {n} EUR }}, evaluators: [contains: EUR] }}\n"))
        .collect();
    let reply = |asked: &Asked| {
        if asked.user() == "Refund 7 EUR" { Reply::error(400, "too long") } else { Reply::text("5 EUR") }
    };
    let (desk, server) = (Desk::plain(), Scripted::start(reply).await);
    desk.write("a.prompt.yml", PROMPT);
    desk.write("a.golden.yml", format!("cases:\n{cases}"));
    assert_eq!(desk.ask(&server, &["eval"]).await.code, 0, "one of forty is within the gate's bounds");
    assert_eq!(desk.ask(&server, &["eval", "--format", "github-models"]).await.code, 3);
}

#[tokio::test]
async fn every_format_can_be_written_beside_another() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    let formats = ["junit=a.xml", "sarif=a.sarif", "html=a.html", "github-models=a.json"];
    let outputs: Vec<&str> = formats.iter().flat_map(|format| ["--output", format]).collect();
    let ran = desk.ask(&server, &[&["eval"], &outputs[..]].concat()).await;
    assert!(ran.code == 0 && ran.stdout.starts_with("Pass: 2 of 2 cases passed\n"), "{ran:?}");
    assert_eq!(count(&elements(&desk.read("a.xml")), "testcase"), 3);
    assert!(serde_json::from_str::<Value>(&desk.read("a.sarif")).unwrap()["runs"][0]["results"].is_array());
    assert!(serde_json::from_str::<Value>(&desk.read("a.json")).unwrap()["summary"].is_object());
    assert!(desk.read("a.html").starts_with("<!doctype html>"));
    let ran = desk.ask(&server, &["eval", "--output", "xml=a.xml"]).await;
    assert!(
        ran.code == 2 && ran.stderr.contains("`xml` is no format; write text=, markdown=, json=, junit="),
        "{ran:?}"
    );
}

#[tokio::test]
async fn the_cost_line_says_who_answered() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    let took = |ran: &crate::support::desk::Ran| {
        let line = ran.stdout.lines().find(|line| line.starts_with("  took")).unwrap();
        line.rsplit_once(", ").unwrap().0.trim_start_matches("  took").trim().to_owned()
    };
    let first = desk.ask(&server, &["eval", "--record", "answers.jsonl"]).await;
    assert_eq!(took(&first), "2 calls, $0.000042");
    let second = desk.ask(&server, &["eval"]).await;
    assert_eq!(took(&second), "0 calls, 2 answers from the cache, $0");
    let replayed = desk.run(&["eval", "--replay", "answers.jsonl"]).await;
    assert_eq!(took(&replayed), "2 calls to the recording, $0 (when recorded: $0.000042)");
}

#[tokio::test]
async fn named_metrics_are_shown_for_both_sides() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write(
        "prompts/refund.golden.yml",
        GOLDEN.replace("contains: colleague", "contains: { value: colleague, metric: accuracy }"),
    );
    desk.commit("metric");
    desk.write("prompts/refund.prompt.yml", brief());
    let ran = desk
        .ask(&server, &["eval", "--base", "main", "--output", "markdown=out.md", "--output", "html=out.html"])
        .await;
    assert!(ran.stdout.contains("\n  metrics: accuracy 1.00 → 0.00\n"), "{}", ran.stdout);
    assert!(desk.read("out.md").contains("\nMetrics: accuracy 1.00 → 0.00\n"));
    assert!(desk.read("out.html").contains("accuracy"));
}

#[tokio::test]
async fn what_is_wrong_with_files_is_told_in_the_formats_that_have_a_place_for_it() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("prompts/refund.prompt.yml", format!("{PROMPT}colour: red\n"));
    let warned = desk.ask(&server, &["eval", "--format", "sarif"]).await.json();
    let result = &warned["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&json!("unknown-key"), &json!("warning")));
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 8);
    desk.write("prompts/refund.prompt.yml", "messages: 5\n");
    let to = ["--output", "junit=a.xml", "--output", "json=a.json"];
    let ran = desk.run(&[&["eval", "--format", "sarif"], &to[..]].concat()).await;
    assert_eq!((ran.code, &ran.json()["runs"][0]["results"][0]["level"]), (2, &json!("error")));
    assert_eq!(count(&elements(&desk.read("a.xml")), "error"), 2, "the file, and the run that it stops");
    assert!(!desk.file("a.json").exists(), "a result is no place for it");
    let text = desk.run(&["eval"]).await;
    assert_eq!((text.code, text.stdout.as_str()), (2, ""));
}
