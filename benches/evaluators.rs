//! What four evaluators cost on one answer of 1 kB: compiled once, run per output.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use promptops::domain::evaluator::spec::{CheckSpec, EvaluatorSpec};
use promptops::domain::evaluator::{Answer, Evaluator};
use promptops::domain::golden::Case;
use promptops::domain::ids::Digest;
use promptops::domain::prompt::Vars;
use serde_json::json;

fn evaluator(check: CheckSpec) -> Option<Evaluator> {
    Evaluator::compile(EvaluatorSpec::plain(check)).ok()
}

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

fn four_evaluators(c: &mut Criterion) {
    let schema = json!({
        "type": "object",
        "properties": {"action": {"enum": ["escalate", "refund"]}, "text": {"type": "string", "minLength": 10}},
        "required": ["action", "text"],
    });
    let evaluators: Vec<Evaluator> = [
        CheckSpec::NotContains("As an AI".to_owned()),
        CheckSpec::Icontains("{{amount}}".to_owned()),
        CheckSpec::Regex(r"\bescalate\b".to_owned()),
        CheckSpec::JsonSchema(schema),
    ]
    .into_iter()
    .filter_map(evaluator)
    .collect();
    assert_eq!(evaluators.len(), 4, "every evaluator compiles");
    let text = "Your refund of 900 EUR is above the limit, so a colleague will look at it. ".repeat(12);
    let output = json!({"action": "escalate", "text": text}).to_string();
    let case = case();
    c.bench_function("four evaluators on 1 kB", |b| {
        b.iter(|| {
            evaluators
                .iter()
                .map(|evaluator| evaluator.evaluate(&Answer::text(black_box(&output)), &case))
                .collect::<Vec<_>>()
        });
    });
}

criterion_group!(benches, four_evaluators);
criterion_main!(benches);
