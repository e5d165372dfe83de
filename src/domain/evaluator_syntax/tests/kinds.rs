//! Every kind in our own form: bare, with options, turned round, under promptfoo's name.

use super::*;
use crate::domain::evaluator::spec::{Extent, Likeness, Sensitive, SqlDialect, Texts};

fn one(text: &str) -> EvaluatorSpec {
    let mut written = read_text(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    assert_eq!(written.len(), 1, "{text}");
    written.remove(0).spec
}

#[test]
fn a_name_may_have_dashes_and_be_turned_round() {
    for name in ["starts_with", "starts-with"] {
        check(&format!("- {name}: a"), CheckSpec::StartsWith("a".to_owned()));
    }
    for name in ["not_contains", "not-contains"] {
        let spec = one(&format!("- {name}: {{ value: a, weight: 2 }}"));
        assert!(spec.negated && spec.weight == Some(2.0), "{name}");
        assert_eq!(spec.check, CheckSpec::Contains("a".to_owned()));
    }
    assert!(one("- not_is_refusal").negated);
    assert!(one("- not-judge: polite").negated);
    assert!(!one("- contains: a").negated);
}

#[test]
fn lists_are_lists_or_texts_with_commas() {
    let list = |texts, all, any_case| CheckSpec::ContainsList { texts, all, any_case };
    let texts = || Texts::List(vec!["a".to_owned(), "1.50".to_owned()]);
    check("- contains_all: [a, 1.50]", list(texts(), true, false));
    check("- contains_any: { value: [a, 1.50], weight: 2 }", list(texts(), false, false));
    check("- icontains_all: 'a, b'", list(Texts::Commas("a, b".to_owned()), true, true));
    check("- icontains-any: [a, 1.50]", list(texts(), false, true));
    check("- tool_call_f1: [a, 1.50]", CheckSpec::ToolCallF1(texts()));
    check("- banned_phrases: [world-class]", CheckSpec::BannedPhrases(vec!["world-class".to_owned()]));
    check("- banned_phrases: world-class", CheckSpec::BannedPhrases(vec!["world-class".to_owned()]));
}

#[test]
fn schemas_stand_alone_or_with_options() {
    let schema = || json!({"type": "object"});
    check("- is_json: { type: object }", CheckSpec::JsonSchema(schema()));
    check("- is_json: { value: { type: object }, weight: 2 }", CheckSpec::JsonSchema(schema()));
    check("- is_json: '{\"type\": \"object\"}'", CheckSpec::JsonSchema(schema()));
    check("- contains_json", CheckSpec::ContainsJson(None));
    check("- contains_json: { type: object }", CheckSpec::ContainsJson(Some(schema())));
    check("- contains_json: { schema: { type: object }, metric: m }", CheckSpec::ContainsJson(Some(schema())));
    check_error("- is_json: { weigth: 2 }", "1:14 unknown key `weigth` in is_json; did you mean `weight`?");
    check_error("- json_schema", "1:3 `json_schema` needs a value; write `json_schema: value`");
}

#[test]
fn other_languages_take_what_they_need() {
    let xml = |extent, required: &[&str]| CheckSpec::Xml {
        extent,
        required: required.iter().map(|path| (*path).to_owned()).collect(),
    };
    check("- is_xml", xml(Extent::Whole, &[]));
    check("- contains_xml: { required_elements: [a.b, c] }", xml(Extent::Part, &["a.b", "c"]));
    check("- is-xml: { requiredElements: [a] }", xml(Extent::Whole, &["a"]));
    check("- is_xml: 'a.b, c'", xml(Extent::Whole, &["a.b", "c"]));
    check("- is_xml: { value: [a], weight: 2 }", xml(Extent::Whole, &["a"]));
    check("- is_html", CheckSpec::Html(Extent::Whole));
    check("- contains_html: { weight: 2 }", CheckSpec::Html(Extent::Part));
    let sql = |dialect, tables| CheckSpec::Sql { extent: Extent::Whole, dialect, tables };
    check("- is_sql", sql(SqlDialect::MySql, None));
    check(
        "- is_sql: { database_type: PostgreSQL, allowed_tables: [orders] }",
        sql(SqlDialect::Postgres, Some(vec!["orders".to_owned()])),
    );
    check("- is_sql: { value: { databaseType: TransactSQL }, weight: 2 }", sql(SqlDialect::MsSql, None));
    check_error(
        "- is_sql: { database_type: postgre }",
        "1:28 `postgre` is no database that `is_sql` can read; did you mean `postgres`?",
    );
    check_error("- is_html: yes please", "1:12 `is_html` takes no value, found a text; remove the value");
}

#[test]
fn likeness_takes_texts_or_expected() {
    let like =
        |measure, to: &[&str]| CheckSpec::Likeness { measure, to: to.iter().map(|text| (*text).to_owned()).collect() };
    check("- bleu", like(Likeness::Bleu, &[]));
    check("- gleu: a text", like(Likeness::Gleu, &["a text"]));
    check("- rouge_n: { value: [a, b] }", like(Likeness::RougeN, &["a", "b"]));
    check("- rouge-n: a", like(Likeness::RougeN, &["a"]));
    check("- lexical_similarity", like(Likeness::Lexical, &[]));
    let spec = one("- meteor: { threshold: 0.3 }");
    assert_eq!((spec.check, spec.threshold), (like(Likeness::Meteor, &[]), Some(0.3)));
    check_error(
        "- bleu: 0.4",
        "1:9 `bleu` takes the text to be like, found the number 0.4; write `bleu: { threshold: 0.4 }` to compare with `expected`",
    );
}

#[test]
fn limits_stand_alone_or_with_options() {
    check("- cost: 0.01", CheckSpec::Cost(0.01));
    check("- cost: { max: 0.01, weight: 0 }", CheckSpec::Cost(0.01));
    check("- latency: { threshold: 5000 }", CheckSpec::Latency(5000.0));
    check("- latency: { value: 5000 }", CheckSpec::Latency(5000.0));
    check("- levenshtein: { max: 2 }", CheckSpec::Levenshtein { to: None, max: 2 });
    check_error("- cost: {}", "1:3 `cost` has no limit; give it a cost in USD as the most that passes");
    check_error("- cost: -1", "1:9 `cost` is -1, but must be at least 0; write a number at least 0");
}

#[test]
fn the_rest_is_read() {
    check("- is_refusal", CheckSpec::IsRefusal);
    check("- finish_reason: stop", CheckSpec::FinishReason("stop".to_owned()));
    check("- is_valid_openai_function_call", CheckSpec::FunctionCall);
    check("- is-valid-openai-tools-call", CheckSpec::ToolCalls);
    check("- sensitive_data", CheckSpec::SensitiveData { allow: vec![] });
    let allow = vec![Sensitive::Email, Sensitive::Phone];
    check("- sensitive_data: { allow: [phone, email, phone], weight: 2 }", CheckSpec::SensitiveData { allow });
    check_error(
        "- sensitive_data: { allow: [emial] }",
        "1:29 `emial` is no kind of sensitive data; did you mean `email`?",
    );
}
