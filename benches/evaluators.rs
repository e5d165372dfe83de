//! How many evaluations one core makes in a second: of texts, and of JSON Schemas on answers of 1 kB. Prints both
//! figures and exits with 1 where one is below what we promise.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use promptops::domain::evaluator::spec::{CheckSpec, EvaluatorSpec, Texts};
use promptops::domain::evaluator::{Answer, Evaluation, Evaluator};
use promptops::domain::golden::Case;
use promptops::domain::ids::Digest;
use promptops::domain::prompt::Vars;
use serde_json::json;

/// Evaluations of texts per second.
const TEXTS: f64 = 300_000.0;
/// Evaluations of JSON Schemas per second.
const SCHEMAS: f64 = 100_000.0;
/// How long each is measured.
const SPAN: Duration = Duration::from_secs(2);

fn case() -> Case {
    Case {
        id: "refund".into(),
        vars: Vars::from([("amount".to_owned(), json!("900 EUR"))]).into(),
        expected: Some("Escalate to a person".into()),
        must_pass: None,
        weight: 1.0,
        tags: [].into(),
        cluster: None,
        evaluators: [].into(),
        threshold: None,
        sets: [].into(),
        line: 1,
        definition: Digest::of_parts([]),
    }
}

fn compiled(checks: Vec<CheckSpec>) -> Vec<Evaluator> {
    let count = checks.len();
    let compiled: Vec<_> =
        checks.into_iter().filter_map(|check| Evaluator::compile(EvaluatorSpec::plain(check)).ok()).collect();
    assert_eq!(compiled.len(), count, "every evaluator compiles");
    compiled
}

/// Texts of all kinds, about half of which fail.
fn text_evaluators() -> Vec<Evaluator> {
    let text = str::to_owned;
    compiled(vec![
        CheckSpec::Equals(None),
        CheckSpec::Contains(text("colleague")),
        CheckSpec::Contains(text("As an AI")),
        CheckSpec::Icontains(text("REFUND")),
        CheckSpec::Icontains(text("{{amount}}")),
        CheckSpec::StartsWith(text("Dear")),
        CheckSpec::EndsWith(text("look at it.")),
        CheckSpec::ContainsList {
            texts: Texts::List(vec![text("limit"), text("cash"), text("refund")]),
            all: true,
            any_case: false,
        },
        CheckSpec::Regex(text(r"\b\d+ EUR\b")),
    ])
}

fn schema_evaluators() -> Vec<Evaluator> {
    compiled(vec![CheckSpec::JsonSchema(json!({
        "type": "object",
        "properties": {
            "action": {"enum": ["escalate", "refund"]},
            "reasons": {"type": "array", "items": {"type": "string", "minLength": 10}},
            "amount": {"type": "number", "minimum": 0},
        },
        "required": ["action", "reasons"],
        "additionalProperties": false,
    }))])
}

/// Evaluations per second, the best of three spans: other work on the machine only slows them.
fn rate(evaluators: &[Evaluator], answer: &str) -> f64 {
    let case = case();
    let span = || {
        let (started, mut count) = (Instant::now(), 0_u32);
        while started.elapsed() < SPAN / 3 {
            for evaluator in evaluators.iter().cycle().take(1_000) {
                let found = evaluator.evaluate(&Answer::text(black_box(answer)), &case);
                assert!(matches!(black_box(found), Evaluation::Assessed(_)));
            }
            count += 1_000;
        }
        f64::from(count) / started.elapsed().as_secs_f64()
    };
    (0..3).map(|_| span()).fold(0.0, f64::max)
}

fn report(what: &str, rate: f64, wanted: f64) -> bool {
    let verdict = if rate >= wanted { "ok" } else { "too slow" };
    println!("{what}: {rate:.0} evaluations/s on one core, at least {wanted:.0} wanted: {verdict}");
    rate >= wanted
}

fn main() -> ExitCode {
    let text = "Your refund of 900 EUR is above the limit, so a colleague will look at it. ".repeat(13);
    let sentence = "Your refund of 900 EUR is above the limit, so a colleague will look at it.";
    let object = json!({"action": "escalate", "amount": 900, "reasons": vec![sentence; 12]}).to_string();
    let texts = report("texts on 1 kB", rate(&text_evaluators(), &text), TEXTS);
    let schemas = report("JSON Schema on 1 kB", rate(&schema_evaluators(), &object), SCHEMAS);
    if texts && schemas { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
