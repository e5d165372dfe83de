//! Plans and requests for stories about runs: small, and built by the same calls that files are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use promptops::domain::evaluator::Evaluator;
use promptops::domain::evaluator::spec::{CheckSpec, EvaluatorSpec};
use promptops::domain::gate::{CaseKind, GateSettings};
use promptops::domain::golden::{Case, MustPass};
use promptops::domain::ids::{Digest, ModelId, PromptPath};
use promptops::domain::prompt::template::Template;
use promptops::domain::prompt::{Body, Message, Prompt, Role, Vars};
use promptops::engine::limits::Limiter;
use promptops::engine::run::{PlannedCase, PlannedPrompt, RunLimits, RunPlan};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A model's id.
pub fn model(name: &str) -> ModelId {
    ModelId::parse(name).unwrap()
}

/// A prompt with one user message.
pub fn prompt(text: &str) -> Arc<Prompt> {
    let message = Message { role: Role::User, content: Template::parse(text), location: None };
    let path = PromptPath::parse("prompts/reply.prompt.yml").unwrap();
    Arc::new(Prompt::new(path, "reply".to_owned(), Body::Messages(vec![message])))
}

/// An evaluator of a kind, with weight 1.
pub fn evaluator(check: CheckSpec) -> Evaluator {
    let spec = EvaluatorSpec::plain(check);
    Evaluator::compile(spec).unwrap()
}

/// The answer holds `text`.
pub fn contains(text: &str) -> Evaluator {
    evaluator(CheckSpec::Contains(text.to_owned()))
}

/// A judge with a rubric, on the settings' judge model.
pub fn judge(rubric: &str) -> Evaluator {
    evaluator(CheckSpec::Judge { rubric: rubric.to_owned(), model: None })
}

/// A compared case `case-n` with the variable `n`.
pub fn case(n: usize, evaluators: &Arc<[Evaluator]>, must_pass: Option<MustPass>) -> PlannedCase {
    let vars = Vars::from([("n".to_owned(), Value::from(n))]);
    PlannedCase {
        kind: CaseKind::Compared,
        case: Case {
            id: format!("case-{n}").into(),
            vars: Arc::new(vars),
            expected: None,
            must_pass,
            weight: 1.0,
            tags: Arc::new([]),
            cluster: None,
            evaluators: evaluators.clone(),
            threshold: None,
            sets: [].into(),
            line: 1,
            definition: Digest::of_parts([n.to_le_bytes().as_slice()]),
        },
        from_base: false,
    }
}

/// `cases` cases of one prompt before and after a change, one trial each.
pub fn plan(base: &str, head: &str, cases: usize, evaluators: Vec<Evaluator>) -> RunPlan {
    let evaluators: Arc<[Evaluator]> = evaluators.into();
    RunPlan {
        prompts: vec![PlannedPrompt {
            path: PromptPath::parse("prompts/reply.prompt.yml").unwrap(),
            base: Some((prompt(base), model("openai/gpt-4o-mini"))),
            head: (prompt(head), model("openai/gpt-4o-mini")),
            cases: (0..cases).map(|n| case(n, &evaluators, None)).collect(),
            trials: None,
        }],
        gate: GateSettings {
            trials: 1,
            margin: 0.05,
            min_score: None,
            max_cost_increase: None,
            max_latency_increase: None,
            strict: false,
            seed: 1,
        },
        judge: Some(model("openai/judge")),
        embeddings: Some(model("openai/vectors")),
    }
}

/// Bounds that no short story reaches.
pub fn limits() -> RunLimits {
    RunLimits {
        concurrency: 8,
        call_timeout: Duration::from_secs(20),
        run_timeout: Duration::from_secs(60),
        tries: 3,
        max_cost_usd: None,
        account: None,
        prices: Arc::default(),
        limiter: Arc::new(Limiter::new(1_024, BTreeMap::new())),
        cancel: CancellationToken::new(),
    }
}
