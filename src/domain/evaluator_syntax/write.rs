//! The way back: an evaluator as our own syntax writes it. Knows not what evaluators do.

mod kinds;

use serde_json::{Map, Value, json};

use super::github;
use crate::domain::evaluator::spec::{CheckSpec, EvaluatorSpec};

/// One item of an `evaluators` list.
///
/// # Errors
/// What our syntax has no way to say.
pub fn write(spec: &EvaluatorSpec) -> Result<Value, String> {
    let options = options(spec);
    let (kind, form) = form(&spec.check);
    let kind = if spec.negated { format!("not_{kind}") } else { kind.to_owned() };
    Ok(match form {
        Form::Beside(value) => {
            let mut item = options;
            item.insert(kind, value);
            Value::Object(item)
        }
        Form::Alone if options.is_empty() => Value::String(kind),
        Form::Alone if matches!(spec.check, CheckSpec::Equals(_)) => {
            return Err(format!("`{kind}` without a value cannot have a weight, a metric or a name"));
        }
        Form::Alone => json!({ kind: options }),
        Form::Value(value) if options.is_empty() && !value.is_object() => json!({ kind: value }),
        Form::Value(value) => {
            let mut inner = Map::from_iter([("value".to_owned(), value)]);
            inner.extend(options);
            json!({ kind: inner })
        }
        Form::Fields(mut fields) => {
            fields.extend(options);
            json!({ kind: fields })
        }
    })
}

/// How a kind takes its value.
pub(super) enum Form {
    /// The kind's name says all.
    Alone,
    /// A value, under `value` where there are options.
    Value(Value),
    /// Fields of its own, options among them.
    Fields(Map<String, Value>),
    /// GitHub's kinds: options stand beside the kind.
    Beside(Value),
}

fn options(spec: &EvaluatorSpec) -> Map<String, Value> {
    let EvaluatorSpec { name, weight, threshold, metric, negated: _, check: _ } = spec;
    let all = [
        ("name", name.as_ref().map(|name| json!(name))),
        ("weight", weight.map(|weight| json!(weight))),
        ("threshold", threshold.map(|threshold| json!(threshold))),
        ("metric", metric.as_ref().map(|metric| json!(metric))),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn form(check: &CheckSpec) -> (&'static str, Form) {
    let text = |text: &String| Form::Value(json!(text));
    match check {
        CheckSpec::Equals(None) => ("equals", Form::Alone),
        CheckSpec::Equals(Some(value)) => ("equals", Form::Value(value.clone())),
        CheckSpec::Contains(value) => ("contains", text(value)),
        CheckSpec::Icontains(value) => ("icontains", text(value)),
        CheckSpec::StartsWith(value) => ("starts_with", text(value)),
        CheckSpec::EndsWith(value) => ("ends_with", text(value)),
        CheckSpec::Regex(value) => ("regex", text(value)),
        CheckSpec::IsJson => ("is_json", Form::Alone),
        CheckSpec::JsonSchema(schema) => ("json_schema", fields([("schema", Some(schema.clone()))])),
        CheckSpec::WordCount { min, max } => (
            "word_count",
            match (min, max) {
                (Some(min), Some(max)) if min == max => Form::Value(json!(min)),
                _ => fields([("min", min.map(|n| json!(n))), ("max", max.map(|n| json!(n)))]),
            },
        ),
        CheckSpec::Levenshtein { to, max } => {
            ("levenshtein", fields([("value", to.as_ref().map(|to| json!(to))), ("max", Some(json!(max)))]))
        }
        CheckSpec::Judge { rubric, model } => {
            let model = model.as_ref().map(|model| json!(model.as_str()));
            ("judge", fields([("rubric", Some(json!(rubric))), ("model", model)]))
        }
        CheckSpec::GithubString { operator, value } => {
            ("string", Form::Beside(json!({ github::operator_name(*operator): value })))
        }
        CheckSpec::GithubChoice { model, system_prompt, prompt, choices } => {
            let choices: Vec<Value> =
                choices.iter().map(|(choice, score)| json!({"choice": choice, "score": score})).collect();
            let whole = fields([
                ("modelId", model.as_ref().map(|model| json!(model.as_str()))),
                ("systemPrompt", system_prompt.as_ref().map(|text| json!(text))),
                ("prompt", Some(json!(prompt))),
                ("choices", Some(json!(choices))),
            ]);
            ("llm", Form::Beside(if let Form::Fields(fields) = whole { Value::Object(fields) } else { Value::Null }))
        }
        CheckSpec::GithubBuiltin(builtin) => ("uses", Form::Beside(json!(github::builtin_name(*builtin)))),
        CheckSpec::Graded(graded) => kinds::graded(graded),
        other => kinds::plain(other),
    }
}

fn fields<const N: usize>(all: [(&str, Option<Value>); N]) -> Form {
    Form::Fields(all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::convert::yaml;
    use crate::domain::evaluator::spec::{
        Extent, FactualityScores, GithubBuiltin, GithubString, GradedKind, GradedSpec, Likeness, Measure, Sensitive,
        SqlDialect, Texts,
    };
    use crate::domain::ids::{ModelId, PromptPath};
    use crate::domain::reader::{Reader, Unknown};
    use crate::domain::source::Source;

    /// What is written is read back as it was.
    fn check(spec: EvaluatorSpec) {
        let text = yaml::write(&json!([write(&spec).unwrap()]));
        let path = PromptPath::parse("a.golden.yml").unwrap();
        let source = Source::read(&path, text.as_bytes(), 9999).unwrap();
        let node = crate::domain::yaml::parse(&source).unwrap();
        let mut reader = Reader::new(source.clone());
        let read = super::super::read_list(&mut reader, &node, Unknown::Refused);
        let specs: Vec<_> = read.into_iter().map(|written| written.spec).collect();
        assert_eq!(specs, [spec], "{text}\n{:?}", reader.finish(Some(())));
    }

    fn kinds() -> Vec<CheckSpec> {
        let text = || "a: {{ x }}\n".to_owned();
        let model = || Some(ModelId::parse("openai/gpt-4o").unwrap());
        vec![
            CheckSpec::Equals(Some(json!("yes"))),
            CheckSpec::Equals(Some(json!({"a": [1, null]}))),
            CheckSpec::Equals(Some(json!([{"a": 1}]))),
            CheckSpec::Contains(text()),
            CheckSpec::Icontains(text()),
            CheckSpec::StartsWith(text()),
            CheckSpec::EndsWith("1.0".to_owned()),
            CheckSpec::Regex("^\\d+$".to_owned()),
            CheckSpec::IsJson,
            CheckSpec::JsonSchema(json!({"type": "object", "minProperties": 1})),
            CheckSpec::WordCount { min: Some(2), max: Some(2) },
            CheckSpec::WordCount { min: None, max: Some(9) },
            CheckSpec::Levenshtein { to: None, max: 3 },
            CheckSpec::Levenshtein { to: Some(text()), max: 3 },
            CheckSpec::Judge { rubric: "Polite".to_owned(), model: None },
            CheckSpec::Judge { rubric: text(), model: model() },
            CheckSpec::GithubString { operator: GithubString::StartsWith, value: text() },
            CheckSpec::GithubChoice {
                model: model(),
                system_prompt: Some(text()),
                prompt: "{{completion}}".to_owned(),
                choices: vec![("yes".to_owned(), 1.0), ("no".to_owned(), 0.5)],
            },
            CheckSpec::GithubBuiltin(GithubBuiltin::Fluency),
        ]
    }

    fn later_kinds() -> Vec<CheckSpec> {
        let texts = || vec!["a, b".to_owned(), "c".to_owned()];
        let sql = |dialect, tables| CheckSpec::Sql { extent: Extent::Part, dialect, tables };
        let list = |texts, all| CheckSpec::ContainsList { texts, all, any_case: true };
        vec![
            list(Texts::List(texts()), true),
            list(Texts::Commas("{{ words }}".to_owned()), false),
            CheckSpec::ContainsJson(None),
            CheckSpec::ContainsJson(Some(json!({"type": "object"}))),
            CheckSpec::Xml { extent: Extent::Whole, required: texts() },
            CheckSpec::Xml { extent: Extent::Part, required: Vec::new() },
            CheckSpec::Html(Extent::Whole),
            sql(SqlDialect::Postgres, Some(vec!["orders".to_owned()])),
            sql(SqlDialect::MsSql, None),
            CheckSpec::Likeness { measure: Likeness::Meteor, to: Vec::new() },
            CheckSpec::Likeness { measure: Likeness::Bleu, to: texts() },
            CheckSpec::IsRefusal,
            CheckSpec::FinishReason("stop".to_owned()),
            CheckSpec::Cost(0.5),
            CheckSpec::Latency(1500.0),
            CheckSpec::FunctionCall,
            CheckSpec::ToolCalls,
            CheckSpec::ToolCallF1(Texts::List(texts())),
            CheckSpec::SensitiveData { allow: vec![Sensitive::Email] },
            CheckSpec::SensitiveData { allow: Vec::new() },
            CheckSpec::BannedPhrases(texts()),
        ]
    }

    fn graded_kinds() -> Vec<CheckSpec> {
        let text = || "a: {{ x }}\n".to_owned();
        let scores = FactualityScores { superset: 0.5, ..FactualityScores::default() };
        let kinds = vec![
            GradedKind::Choices { question: text(), choices: vec![("yes".to_owned(), 1.0), ("10".to_owned(), 0.0)] },
            GradedKind::Factuality { reference: Some(text()), scores },
            GradedKind::Factuality { reference: None, scores: FactualityScores::default() },
            GradedKind::ClosedQa { criterion: text() },
            GradedKind::AnswerRelevance,
            GradedKind::ContextRecall { reference: None },
            GradedKind::ContextRelevance,
            GradedKind::ContextFaithfulness,
            GradedKind::ConversationRelevance,
            GradedKind::GEval { criteria: vec![text(), text()] },
            GradedKind::SelectBest { criterion: text() },
            GradedKind::Similar { to: Vec::new(), measure: Measure::Dot },
            GradedKind::Similar { to: vec![text()], measure: Measure::Cosine },
        ];
        let model = || Some(ModelId::parse("openai/gpt-4o").unwrap());
        let graded = |model: Option<ModelId>| move |kind| CheckSpec::Graded(GradedSpec { kind, model: model.clone() });
        kinds.clone().into_iter().map(graded(None)).chain(kinds.into_iter().map(graded(model()))).collect()
    }

    #[test]
    fn every_kind_is_written_as_it_is_read_with_and_without_options() {
        check(EvaluatorSpec::plain(CheckSpec::Equals(None)));
        for kind in kinds().into_iter().chain(later_kinds()).chain(graded_kinds()) {
            check(EvaluatorSpec::plain(kind.clone()));
            let metric = Some("tone".to_owned());
            check(EvaluatorSpec {
                weight: Some(0.5),
                metric,
                name: Some("n".to_owned()),
                ..EvaluatorSpec::plain(kind)
            });
        }
        let judge = CheckSpec::Judge { rubric: "Polite".to_owned(), model: None };
        check(EvaluatorSpec { threshold: Some(0.25), ..EvaluatorSpec::plain(judge) });
        assert!(write(&EvaluatorSpec { weight: Some(2.0), ..EvaluatorSpec::plain(CheckSpec::Equals(None)) }).is_err());
    }
}
