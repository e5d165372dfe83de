//! The way back of the kinds that came with promptfoo's and of those that a model grades. Knows no options.

use serde_json::{Map, Value, json};

use super::{Form, fields};
use crate::domain::evaluator::describe;
use crate::domain::evaluator::spec::{CheckSpec, FactualityScores, GradedKind, GradedSpec, Measure};

/// How a kind that needs no model takes its value: as its description has it, what is not given left out.
pub(super) fn plain(check: &CheckSpec) -> (&'static str, Form) {
    let (kind, value) = describe(check);
    let form = match value {
        Value::Null => Form::Alone,
        Value::Array(items) if items.is_empty() => Form::Alone,
        Value::Object(entries) => {
            let is_given = |value: &Value| match value {
                Value::Null => false,
                Value::Array(items) => !items.is_empty() || kind.ends_with("_sql"),
                _ => true,
            };
            let given: Map<String, Value> = entries.into_iter().filter(|(_, value)| is_given(value)).collect();
            if given.is_empty() { Form::Alone } else { Form::Fields(given) }
        }
        other => Form::Value(other),
    };
    (kind, form)
}

/// How a kind that a model grades takes its value.
pub(super) fn graded(graded: &GradedSpec) -> (&'static str, Form) {
    let GradedSpec { kind, model } = graded;
    let model = model.as_ref().map(|model| json!(model.as_str()));
    let list = |texts: &Vec<String>| (!texts.is_empty()).then(|| json!(texts));
    let form = match kind {
        GradedKind::Choices { question, choices } => {
            let choices: Map<String, Value> =
                choices.iter().map(|(choice, score)| (choice.clone(), json!(score))).collect();
            fields([("question", Some(json!(question))), ("choices", Some(Value::Object(choices))), ("model", model)])
        }
        GradedKind::Factuality { reference, scores } => {
            let scores = (*scores != FactualityScores::default()).then(|| worth(scores));
            fields([("reference", reference.as_ref().map(|text| json!(text))), ("scores", scores), ("model", model)])
        }
        GradedKind::ContextRecall { reference } => {
            fields([("reference", reference.as_ref().map(|text| json!(text))), ("model", model)])
        }
        GradedKind::ClosedQa { criterion } | GradedKind::SelectBest { criterion } => {
            fields([("criterion", Some(json!(criterion))), ("model", model)])
        }
        GradedKind::GEval { criteria } => fields([("criteria", list(criteria)), ("model", model)]),
        GradedKind::Similar { to, measure } => {
            let measure = match measure {
                Measure::Cosine => None,
                Measure::Dot => Some(json!("dot")),
                Measure::Euclidean => Some(json!("euclidean")),
            };
            fields([("to", list(to)), ("measure", measure), ("model", model)])
        }
        GradedKind::AnswerRelevance
        | GradedKind::ContextRelevance
        | GradedKind::ContextFaithfulness
        | GradedKind::ConversationRelevance => fields([("model", model)]),
    };
    let form = match form {
        Form::Fields(fields) if fields.is_empty() => Form::Alone,
        other => other,
    };
    (kind.name(), form)
}

fn worth(scores: &FactualityScores) -> Value {
    let FactualityScores { subset, superset, agree, disagree, differ_but_factual } = scores;
    json!({
        "subset": subset, "superset": superset, "agree": agree, "disagree": disagree,
        "differ_but_factual": differ_but_factual,
    })
}
