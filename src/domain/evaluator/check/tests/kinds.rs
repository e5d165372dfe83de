//! What the kinds beyond plain text say of an answer, turned round as well.

use super::*;
use crate::domain::evaluator::spec::{Extent, Likeness, Sensitive, SqlDialect, Texts};

fn list(texts: &[&str]) -> Texts {
    Texts::List(texts.iter().map(|text| (*text).to_owned()).collect())
}

fn commas(text: &str) -> Texts {
    Texts::Commas(text.to_owned())
}

fn found(spec: EvaluatorSpec, answer: &Answer<'_>) -> Assessment {
    let case = case(json!({"amount": "900 EUR", "words": "a, b", "list": ["a", "b"]}), Some("Escalate"));
    match Evaluator::compile(spec).unwrap_or_else(|error| panic!("{error}")).evaluate(answer, &case) {
        Evaluation::Assessed(found) => found,
        Evaluation::Ask(_) => panic!("asked a judge"),
    }
}

fn negated(check: CheckSpec) -> EvaluatorSpec {
    EvaluatorSpec { negated: true, ..EvaluatorSpec::plain(check) }
}

#[test]
fn lists_of_texts_need_all_or_any() {
    let lists = |texts, all, any_case| CheckSpec::ContainsList { texts, all, any_case };
    check(lists(list(&["a", "B"]), true, false), "a B", true, "contains all of them");
    check(lists(list(&["a", "B"]), true, false), "a b", false, r#"does not contain "B""#);
    check(lists(list(&["a", "B"]), true, true), "A b", true, "contains all of them");
    check(lists(list(&["x", "B"]), false, false), "a B", true, r#"contains "B""#);
    check(lists(commas("x, \"a, b\""), false, false), "a, b", true, r#"contains "a, b""#);
    check(lists(list(&["x", "y"]), false, true), "a B", false, "contains none of them");
    check(lists(commas("{{amount}}, EUR"), true, false), "900 EUR", true, "contains all of them");
    for variable in ["{{words}}", "{{list}}"] {
        let spec = EvaluatorSpec::plain(lists(commas(variable), true, false));
        assert!(found(spec.clone(), &Answer::text("b a")).passed, "{variable}");
        assert!(!found(spec, &Answer::text("b")).passed, "{variable}");
    }
}

#[test]
fn json_is_found_within_a_text_and_held_against_a_schema() {
    let text = "Sure: {\"n\": \"x\"} or {\"n\": 1}.";
    check(CheckSpec::ContainsJson(None), text, true, "contains JSON");
    check(CheckSpec::ContainsJson(None), "none [1]", false, "contains no JSON object");
    let number = || CheckSpec::ContainsJson(Some(json!({"properties": {"n": {"type": "integer"}}, "required": ["n"]})));
    check(number(), text, true, "contains JSON that the schema accepts");
    check(number(), "{\"n\": \"x\"}", false, r#"at `/n`: "x" is not of type "integer""#);
    let strings = CheckSpec::ContainsJson(Some(json!({"type": "array"})));
    check(strings, "[1, 2]", true, "contains JSON that the schema accepts");
}

#[test]
fn other_languages_are_read() {
    let xml = |extent, required: &[&str]| CheckSpec::Xml {
        extent,
        required: required.iter().map(|path| (*path).to_owned()).collect(),
    };
    check(xml(Extent::Whole, &["a.b"]), "<a><b/></a>", true, "is XML");
    check(xml(Extent::Whole, &["a.c"]), "<a><b/></a>", false, r#"the element "a.c" is missing"#);
    check(xml(Extent::Part, &[]), "So: <a/>", true, "contains XML");
    check(CheckSpec::Html(Extent::Whole), "<p>x</p>", true, "is HTML");
    check(CheckSpec::Html(Extent::Part), "x <br> y", true, "contains HTML");
    check(CheckSpec::Html(Extent::Part), "x < y", false, "contains no HTML");
    let sql = |extent| CheckSpec::Sql { extent, dialect: SqlDialect::Postgres, tables: Some(vec!["t".to_owned()]) };
    check(sql(Extent::Whole), "SELECT 1 FROM t", true, "is SQL");
    check(sql(Extent::Whole), "SELECT 1 FROM u", false, r#"the table "u" is not allowed"#);
    check(sql(Extent::Part), "```sql\nSELECT 1 FROM t\n```", true, "contains SQL");
}

#[test]
fn likeness_is_graded_with_the_defaults_of_promptfoo() {
    for (measure, threshold) in [
        (Likeness::Bleu, 0.5),
        (Likeness::Gleu, 0.5),
        (Likeness::RougeN, 0.75),
        (Likeness::Meteor, 0.5),
        (Likeness::Lexical, 0.75),
    ] {
        let like = |to: &[&str]| {
            let to = to.iter().map(|text| (*text).to_owned()).collect();
            EvaluatorSpec::plain(CheckSpec::Likeness { measure, to })
        };
        let (answer, near) = (Answer::text("pay nine hundred euros back"), "pay nine hundred euros now");
        let score = found(like(&[near]), &answer).score;
        assert_eq!(found(like(&[near]), &answer).passed, score >= threshold, "{measure:?}");
        let strict = EvaluatorSpec { threshold: Some(score + 0.01), ..like(&[near]) };
        assert!(!found(strict.clone(), &answer).passed, "{measure:?}");
        let turned = found(EvaluatorSpec { negated: true, ..strict }, &answer);
        assert!(turned.passed && (turned.score - (1.0 - score)).abs() < 1e-9, "{measure:?}");
        assert!(found(like(&["x", "pay nine hundred euros back"]), &answer).passed, "{measure:?}");
        assert!(
            found(EvaluatorSpec { threshold: Some(0.4), ..like(&[]) }, &Answer::text("Escalate")).passed,
            "{measure:?}"
        );
    }
}

#[test]
fn refusals_phrases_and_sensitive_data_are_told() {
    check(CheckSpec::IsRefusal, "I cannot help with that.", true, "declines to help");
    check(CheckSpec::IsRefusal, "Done.", false, "does not decline to help");
    check(
        CheckSpec::BannedPhrases(vec!["world-class".into()]),
        "World-class!",
        false,
        r#"has the banned phrase "World-class""#,
    );
    let sensitive = |allow| CheckSpec::SensitiveData { allow };
    check(sensitive(vec![]), "Write to a@example.org", false, "holds 1 e-mail address");
    check(sensitive(vec![Sensitive::Email]), "Write to a@example.org", true, "holds no sensitive data");
}

#[test]
fn what_is_known_of_an_answer_is_judged() {
    let tools = [json!({"type": "function", "function": {"name": "ping"}})];
    let call = r#"[{"type": "function", "function": {"name": "ping", "arguments": "{}"}}]"#;
    let answer = Answer {
        finish_reason: Some("tool_use"),
        cost_usd: Some(0.01),
        latency_ms: Some(100),
        tools: &tools,
        ..Answer::text(call)
    };
    for (spec, passes) in [
        (CheckSpec::FinishReason("tool_calls".into()), true),
        (CheckSpec::FinishReason("stop".into()), false),
        (CheckSpec::Cost(0.01), true),
        (CheckSpec::Cost(0.009), false),
        (CheckSpec::Latency(100.0), true),
        (CheckSpec::Latency(99.0), false),
        (CheckSpec::FunctionCall, true),
        (CheckSpec::ToolCalls, true),
        (CheckSpec::ToolCallF1(list(&["ping"])), true),
        (CheckSpec::ToolCallF1(list(&["ping", "pong"])), false),
    ] {
        assert_eq!(found(EvaluatorSpec::plain(spec.clone()), &answer).passed, passes, "{spec:?}");
        assert_eq!(found(negated(spec.clone()), &answer).passed, !passes, "not {spec:?}");
    }
    let half =
        EvaluatorSpec { threshold: Some(0.6), ..EvaluatorSpec::plain(CheckSpec::ToolCallF1(list(&["ping", "pong"]))) };
    assert!(found(half, &answer).passed);
}

#[test]
fn what_could_not_be_judged_does_not_pass_by_negation() {
    let deep = "[".repeat(500) + &"]".repeat(500);
    let broken = [json!({"name": "ping", "parameters": {"type": "nonsense"}})];
    let call = r#"{"name": "ping", "arguments": "{}"}"#;
    let chain = format!("SELECT {}1", "1+".repeat(10_000));
    for (spec, answer) in [
        (CheckSpec::Contains("{{gone}}".into()), Answer::text("x")),
        (CheckSpec::ContainsList { texts: commas("{{gone}}"), all: true, any_case: false }, Answer::text("x")),
        (CheckSpec::Regex(r"^(a|aa)+\1[bc]".into()), Answer::text(&"a".repeat(2_000))),
        (CheckSpec::Regex("({{amount}}".into()), Answer::text("x")),
        (CheckSpec::Equals(Some(json!(["a"]))), Answer::text(&deep)),
        (CheckSpec::JsonSchema(json!({"type": "object"})), Answer::text(&deep)),
        (CheckSpec::Levenshtein { to: Some("b".repeat(20_000)), max: 5 }, Answer::text(&"a".repeat(20_000))),
        (CheckSpec::Likeness { measure: Likeness::Bleu, to: vec!["{{gone}}".into()] }, Answer::text("x")),
        (CheckSpec::FinishReason("stop".into()), Answer::text("x")),
        (CheckSpec::Cost(1.0), Answer::text("x")),
        (CheckSpec::Latency(1.0), Answer::text("x")),
        (CheckSpec::FunctionCall, Answer { tools: &broken, ..Answer::text(call) }),
        (CheckSpec::Sql { extent: Extent::Whole, dialect: SqlDialect::MySql, tables: None }, Answer::text(&chain)),
        (CheckSpec::BannedPhrases(vec!["{{gone}}".into()]), Answer::text("x")),
    ] {
        for spec in [EvaluatorSpec::plain(spec.clone()), negated(spec.clone())] {
            let found = found(spec.clone(), &answer);
            assert_eq!((found.passed, found.score), (false, 0.0), "{spec:?}: {}", found.reason);
        }
    }
    // A list that is empty in this case only.
    let empty = case(json!({"none": ""}), None);
    let spec = negated(CheckSpec::ContainsList { texts: commas("{{none}}"), all: false, any_case: false });
    let found = Evaluator::compile(spec).unwrap().evaluate(&Answer::text("x"), &empty);
    assert!(matches!(found, Evaluation::Assessed(found) if !found.passed));
}

#[test]
fn metrics_have_families() {
    let metric = |check| evaluator(check).metric.as_deref().map(str::to_owned);
    assert_eq!(metric(CheckSpec::Equals(None)).as_deref(), Some("accuracy"));
    assert_eq!(metric(CheckSpec::Contains("{{expected}}".into())).as_deref(), Some("accuracy"));
    let lexical = CheckSpec::Likeness { measure: Likeness::Lexical, to: vec![] };
    assert_eq!(metric(lexical).as_deref(), Some("accuracy"));
    assert_eq!(metric(CheckSpec::Contains("x".into())), None);
    assert_eq!(metric(CheckSpec::SensitiveData { allow: vec![] }).as_deref(), Some("sensitive_data"));
    assert_eq!(metric(CheckSpec::BannedPhrases(vec!["x".into()])).as_deref(), Some("brand"));
    let named = EvaluatorSpec { metric: Some("tone".into()), ..EvaluatorSpec::plain(CheckSpec::Equals(None)) };
    assert_eq!(Evaluator::compile(named).unwrap().metric.as_deref(), Some("tone"));
}

/// One of every kind here, all of them sound.
pub(super) fn every_kind(text: &str) -> Vec<CheckSpec> {
    let likeness = |measure| CheckSpec::Likeness { measure, to: vec![text.to_owned()] };
    vec![
        CheckSpec::ContainsList { texts: list(&[text, "b"]), all: true, any_case: true },
        CheckSpec::ContainsList { texts: list(&[text, "b"]), all: false, any_case: false },
        CheckSpec::ContainsJson(None),
        CheckSpec::ContainsJson(Some(json!({"type": "object"}))),
        CheckSpec::Xml { extent: Extent::Whole, required: vec!["a.b".to_owned()] },
        CheckSpec::Xml { extent: Extent::Part, required: vec![] },
        CheckSpec::Html(Extent::Whole),
        CheckSpec::Html(Extent::Part),
        CheckSpec::Sql { extent: Extent::Whole, dialect: SqlDialect::MySql, tables: Some(vec![]) },
        CheckSpec::Sql { extent: Extent::Part, dialect: SqlDialect::Postgres, tables: None },
        likeness(Likeness::Bleu),
        likeness(Likeness::Gleu),
        likeness(Likeness::RougeN),
        likeness(Likeness::Meteor),
        likeness(Likeness::Lexical),
        CheckSpec::IsRefusal,
        CheckSpec::FinishReason(text.to_owned()),
        CheckSpec::Cost(1.0),
        CheckSpec::Latency(1.0),
        CheckSpec::FunctionCall,
        CheckSpec::ToolCalls,
        CheckSpec::ToolCallF1(list(&[text])),
        CheckSpec::SensitiveData { allow: vec![] },
        CheckSpec::BannedPhrases(vec![text.to_owned()]),
    ]
}
