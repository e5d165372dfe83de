//! Every kind of evaluator that needs no model, through the binary: golden sets as people write them, answers of a
//! scripted model, what passes and what is said.

use serde_json::json;

use crate::support::desk::Desk;
use crate::support::provider::{Asked, Reply, Scripted};

const PROMPT: &str = "\
name: Echo
model: openai/gpt-4o-mini
messages:
  - role: user
    content: \"{{say}}\"
";

/// Says what it is asked to say.
fn echo(asked: &Asked) -> Reply {
    Reply::text(asked.user())
}

/// Runs the evaluators on what the model says, and gives the names of those that fail.
async fn failing(say: &str, evaluators: &str) -> Vec<String> {
    let case = json!({"id": "one", "vars": {"say": say}, "expected": "Escalate to a person"});
    let golden = format!("evaluators:\n{evaluators}\ncases: [{case}]\n");
    let desk = Desk::plain();
    desk.write("echo.prompt.yml", PROMPT);
    desk.write("echo.golden.yml", golden);
    let server = Scripted::start(echo).await;
    let ran = desk.ask(&server, &["eval", "--format", "json", "echo.prompt.yml"]).await;
    assert!(ran.code == 0, "{ran:?}");
    let failed = ran.json()["prompts"][0]["cases"][0]["failed_evaluators"].clone();
    failed.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

async fn check(say: &str, evaluators: &str, expected: &[&str]) {
    assert_eq!(failing(say, evaluators).await, expected, "{say}\n{evaluators}");
}

#[tokio::test]
async fn texts_and_lists() {
    let evaluators = "\
- contains_all: [refund, EUR]
- icontains_any: 'cash, REFUND'
- not_contains: sorry
- not-icontains-all: [refund, cash]
- starts-with: We
- not_regex: '[0-9]{4}'
- contains_any: [cash, cheque]
- not_icontains: REFUND";
    check("We refund 900 EUR", evaluators, &["contains_any \"cash, cheque\"", "not_icontains \"REFUND\""]).await;
}

#[tokio::test]
async fn structures_and_languages() {
    let evaluators = "\
- contains_json: { type: object, required: [id] }
- contains_xml: { required_elements: [order.id] }
- contains_html
- contains_sql
- not_is_json
- not_is_xml
- is_html
- is_sql: { database_type: sqlite }";
    let say = "{\"id\": 1} <order><id/></order> <b>x</b>\n```sql\nSELECT 1\n```";
    check(say, evaluators, &["is_html", "is_sql"]).await;
}

#[tokio::test]
async fn likeness_to_the_expected_answer() {
    let evaluators = "\
- bleu: { threshold: 0.3 }
- gleu: { threshold: 0.4 }
- rouge_n
- meteor
- lexical_similarity
- levenshtein: 20
- levenshtein: 3";
    check("Escalate to a person now", evaluators, &["levenshtein at most 3"]).await;
}

#[tokio::test]
async fn what_is_known_of_the_answer() {
    let evaluators = "\
- finish_reason: end_turn
- finish_reason: length
- cost: 0.01
- cost: 0
- latency: 60000
- is_refusal
- not_is_valid_openai_tools_call
- not_tool_call_f1: [refund]";
    let failed = ["finish_reason \"length\"", "cost at most $0", "is_refusal"];
    check("Done.", evaluators, &failed).await;
}

#[tokio::test]
async fn sensitive_data_and_brand_phrases_count_towards_their_metrics_and_are_not_repeated() {
    let golden = "\
evaluators: [sensitive_data, { banned_phrases: [world-class] }, lexical_similarity]
cases:
- { id: one, vars: { say: 'Write to anna@example.org' }, expected: Write to us }
- { id: two, vars: { say: 'Our world-class desk' }, expected: Our desk }
";
    let desk = Desk::plain();
    desk.write("echo.prompt.yml", PROMPT);
    desk.write("echo.golden.yml", golden);
    let server = Scripted::start(echo).await;
    let ran = desk.ask(&server, &["eval", "--format", "json", "echo.prompt.yml"]).await;
    let prompt = &ran.json()["prompts"][0];
    let metrics = &prompt["metrics"]["head"];
    assert_eq!((&metrics["sensitive_data"], &metrics["brand"]), (&json!(0.5), &json!(0.5)), "{metrics}");
    assert!(metrics["accuracy"].as_f64().is_some_and(|score| score > 0.0 && score < 1.0), "{metrics}");
    let said = desk.ask(&server, &["eval", "echo.prompt.yml"]).await.stdout;
    let reason = said.lines().find(|line| line.contains("sensitive_data:")).unwrap();
    assert_eq!(reason.trim(), "fails  one  sensitive_data: holds 1 e-mail address");
}

#[tokio::test]
async fn what_is_wrong_with_an_evaluator_is_an_error_of_the_file() {
    for (evaluator, said) in [
        ("regex: '('", "invalid regex"),
        ("is_json: { type: nonsense }", "invalid JSON Schema"),
        ("is_json: { $ref: 'https://example.com/x.json' }", "outside itself"),
        ("contains_json: { $ref: 'file:///etc/passwd' }", "outside itself"),
        ("contians: x", "did you mean `contains`?"),
        ("bleu: { threshold: 5 }", "must be from 0 to 1"),
    ] {
        let desk = Desk::plain();
        desk.write("echo.prompt.yml", PROMPT);
        desk.write("echo.golden.yml", format!("cases:\n- vars: {{ say: x }}\n  evaluators:\n  - {evaluator}\n"));
        let ran = desk.run(&["eval", "echo.prompt.yml"]).await;
        assert_eq!(ran.code, 2, "{evaluator}: {ran:?}");
        assert!(ran.said().contains(said) && ran.said().contains("echo.golden.yml:4:"), "{evaluator}: {}", ran.said());
    }
}

#[tokio::test]
async fn promptfoos_assertions_in_a_csv_are_understood() {
    let csv = "\
say,__expected,__expected1,__expected2
{say},contains-json,not-is-refusal,\"contains-all: a, b\"
a b,icontains-any: \"\"x, B\"\",levenshtein(2): a c,is-xml
";
    let csv = csv.replace("{say}", "\"{\"\"a\"\": \"\"b\"\"}\"").replace("\"\"x, B\"\"", "b");
    let desk = Desk::plain();
    desk.write("echo.prompt.yml", PROMPT);
    desk.write("echo.golden.csv", csv);
    let server = Scripted::start(echo).await;
    let ran = desk.ask(&server, &["eval", "--format", "json", "echo.prompt.yml"]).await;
    let cases = ran.json()["prompts"][0]["cases"].clone();
    assert_eq!(cases[0]["failed_evaluators"], json!([]), "{ran:?}");
    assert_eq!(cases[1]["failed_evaluators"].as_array().map(Vec::len), Some(1), "{cases}");
}
