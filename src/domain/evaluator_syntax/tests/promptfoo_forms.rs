//! promptfoo's assertions: mappings and CSV fields, what is refused and why.

use super::*;
use crate::domain::evaluator::spec::{Extent, Likeness, SqlDialect, Texts};

fn read_with(
    text: &str,
    read: impl FnOnce(&mut Reader<'_>, &Node) -> Option<Written>,
) -> Result<EvaluatorSpec, String> {
    let path = PromptPath::parse("promptfooconfig.yaml").unwrap();
    let source = Source::read(&path, text.as_bytes(), 99_999).unwrap();
    let node = yaml::parse(&source).unwrap();
    let mut reader = Reader::new(source);
    let written = read(&mut reader, &node);
    reader.finish(written).map(|parsed| parsed.value.spec).map_err(|errors| say(&errors[0]))
}

fn mapping(text: &str) -> Result<EvaluatorSpec, String> {
    read_with(text, promptfoo::read)
}

fn field(text: &str) -> Result<EvaluatorSpec, String> {
    read_with("x", |reader, node| promptfoo::read_text(reader, text, node.at))
}

fn check_mapping(text: &str, expected: CheckSpec) {
    assert_eq!(mapping(text).map(|spec| spec.check), Ok(expected), "{text}");
}

fn check_field(text: &str, expected: EvaluatorSpec) {
    assert_eq!(field(text), Ok(expected), "{text}");
}

fn check_refused(text: &str, expected: &str) {
    assert_eq!(mapping(text), Err(expected.to_owned()), "{text}");
}

#[test]
fn every_deterministic_type_is_read() {
    let like = |measure, to: &str| CheckSpec::Likeness { measure, to: vec![to.to_owned()] };
    let list = |all, any_case| CheckSpec::ContainsList { texts: Texts::Commas("a, b".to_owned()), all, any_case };
    check_mapping("{ type: equals, value: { a: 1 } }", CheckSpec::Equals(Some(json!({"a": 1}))));
    check_mapping("{ type: contains, value: 5 }", CheckSpec::Contains("5".to_owned()));
    check_mapping("{ type: icontains, value: a }", CheckSpec::Icontains("a".to_owned()));
    check_mapping("{ type: contains-all, value: 'a, b' }", list(true, false));
    check_mapping("{ type: icontains-any, value: 'a, b' }", list(false, true));
    check_mapping("{ type: starts-with, value: a }", CheckSpec::StartsWith("a".to_owned()));
    check_mapping("{ type: regex, value: 'a+' }", CheckSpec::Regex("a+".to_owned()));
    check_mapping("{ type: is-json }", CheckSpec::IsJson);
    check_mapping("{ type: is-json, value: { schema: {} } }", CheckSpec::JsonSchema(json!({"schema": {}})));
    check_mapping(
        "{ type: contains-json, value: '{\"type\": \"object\"}' }",
        CheckSpec::ContainsJson(Some(json!({"type": "object"}))),
    );
    check_mapping(
        "{ type: is-xml, value: { requiredElements: [a.b] } }",
        CheckSpec::Xml { extent: Extent::Whole, required: vec!["a.b".to_owned()] },
    );
    check_mapping("{ type: contains-html, value: ignored }", CheckSpec::Html(Extent::Part));
    let sql = CheckSpec::Sql {
        extent: Extent::Whole,
        dialect: SqlDialect::Postgres,
        tables: Some(vec!["select::null::t".to_owned()]),
    };
    check_mapping("{ type: is-sql, value: { databaseType: PostgreSQL, allowedTables: ['select::null::t'] } }", sql);
    check_mapping(
        "{ type: word-count, value: { min: 1, max: 9 } }",
        CheckSpec::WordCount { min: Some(1), max: Some(9) },
    );
    check_mapping(
        "{ type: levenshtein, value: a, threshold: 3 }",
        CheckSpec::Levenshtein { to: Some("a".to_owned()), max: 3 },
    );
    check_mapping("{ type: bleu, value: a }", like(Likeness::Bleu, "a"));
    check_mapping("{ type: rouge-n, value: a }", like(Likeness::RougeN, "a"));
    check_mapping("{ type: is-refusal }", CheckSpec::IsRefusal);
    check_mapping("{ type: finish-reason, value: stop }", CheckSpec::FinishReason("stop".to_owned()));
    check_mapping("{ type: cost, threshold: 0.002 }", CheckSpec::Cost(0.002));
    check_mapping("{ type: latency, threshold: 5000 }", CheckSpec::Latency(5000.0));
    check_mapping("{ type: is-valid-openai-tools-call }", CheckSpec::ToolCalls);
    check_mapping("{ type: is-valid-function-call }", CheckSpec::FunctionCall);
    check_mapping("{ type: tool-call-f1, value: 'a, b' }", CheckSpec::ToolCallF1(Texts::Commas("a, b".to_owned())));
    check_mapping("{ type: llm-rubric, value: polite }", CheckSpec::Judge { rubric: "polite".to_owned(), model: None });
}

#[test]
fn options_go_with_an_assertion() {
    let spec = mapping("{ type: not-gleu, value: a, threshold: 0.3, weight: 2, metric: m }").unwrap();
    assert_eq!(
        (spec.negated, spec.threshold, spec.weight, spec.metric.as_deref()),
        (true, Some(0.3), Some(2.0), Some("m"))
    );
    // promptfoo reads no threshold where the score is 0 or 1.
    assert_eq!(mapping("{ type: contains, value: a, threshold: 0.3 }").unwrap().threshold, None);
}

#[test]
fn what_needs_code_or_services_is_refused_with_a_way_out() {
    check_refused(
        "{ type: javascript, value: 'output.length' }",
        "1:9 `javascript` is not supported: it runs code from the file; say it without code: `regex`, `is-json` with a \
         schema, `contains-json`, `word-count` or `llm-rubric`",
    );
    check_refused(
        "{ type: not-moderation }",
        "1:9 `not-moderation` is not supported: it needs a moderation service; use `llm-rubric` with what is not \
         allowed, or `banned_phrases`",
    );
    for name in [
        "python",
        "ruby",
        "webhook",
        "guardrails",
        "classifier",
        "perplexity",
        "perplexity-score",
        "human",
        "skill-used",
        "max-score",
        "trace-span-count",
        "trajectory:tool-used",
        "pi",
        "promptfoo:redteam:pii",
        "assert-set",
    ] {
        let refused = mapping(&format!("{{ type: '{name}' }}")).unwrap_err();
        assert!(refused.starts_with(&format!("1:9 `{name}` is not supported: ")), "{refused}");
    }
    check_refused(
        "{ type: contains, value: a, transform: output.text }",
        "1:40 `transform` of an assertion is not supported; it runs code on the answer; check the answer as it is, for \
         instance with `contains-json` or `regex`",
    );
    for value in ["{{ a | upper }}", "{% if a %}x{% endif %}", "{{a}} and {{ a + 1 }}"] {
        let refused = mapping(&format!("{{ type: not-contains, value: \"{value}\" }}")).unwrap_err();
        assert!(refused.contains("holds template code, which is not run"), "{refused}");
    }
    assert!(mapping("{ type: contains, value: 'a {{ b }} }} {{' }").is_ok());
    assert!(mapping("{ type: regex, value: 'a{2}' }").is_ok());
    check_refused(
        "{ type: is-json, value: file://schema.json }",
        "1:25 the value of `is-json` is a file or a package, which is not read; write what it holds here",
    );
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    check_refused(
        "{ type: contians, value: a }",
        "1:9 unknown evaluator `contians`; did you mean `contains`? For a text the answer must equal write `equals:contians:a`",
    );
    check_refused("{ value: a }", "1:1 an assertion has no `type`; add one, for instance `contains`");
    check_refused("{ type: contains }", "1:9 `contains` has no value; give it a `value`");
    check_refused("{ type: equals }", "1:9 `equals` has no value; give it a `value`");
    check_refused("{ type: cost }", "1:9 `cost` has no limit; give it a cost in USD as the most that passes");
    let by_distance = mapping("{ type: 'similar:euclidean', value: a, threshold: 7 }").unwrap();
    assert_eq!(by_distance.threshold, Some(7.0), "a distance has no highest value");
    check_refused(
        "{ type: bleu, value: a, threshold: 7 }",
        "1:36 `threshold` is 7, but must be from 0 to 1; write a number from 0 to 1",
    );
    check_refused(
        "{ type: contains, value: a, wieght: 2 }",
        "1:29 unknown key `wieght` in an assertion; did you mean `weight`?",
    );
    check_refused(
        "{ type: is-json, value: [1] }",
        "1:25 `is-json` must be a mapping, found a list; write the schema itself here",
    );
}

#[test]
fn a_csv_field_says_the_same_in_a_line() {
    let plain = EvaluatorSpec::plain;
    let list = CheckSpec::ContainsList { texts: Texts::Commas("a, b".to_owned()), all: true, any_case: false };
    let like = |measure, to: &str| CheckSpec::Likeness { measure, to: vec![to.to_owned()] };
    check_field("Yes, please", plain(CheckSpec::Equals(Some(json!("Yes, please")))));
    check_field("https://example.org", plain(CheckSpec::Equals(Some(json!("https://example.org")))));
    check_field("contains-all: a, b", plain(list));
    check_field("not-contains:x", EvaluatorSpec { negated: true, ..plain(CheckSpec::Contains("x".to_owned())) });
    check_field("is-refusal", plain(CheckSpec::IsRefusal));
    check_field("contains", plain(CheckSpec::Equals(Some(json!("contains")))));
    check_field("contains-json", plain(CheckSpec::ContainsJson(None)));
    check_field("word-count: 7", plain(CheckSpec::WordCount { min: Some(7), max: Some(7) }));
    check_field("levenshtein(2.5): kitten", plain(CheckSpec::Levenshtein { to: Some("kitten".to_owned()), max: 2 }));
    check_field("levenshtein: 12", plain(CheckSpec::Levenshtein { to: Some("12".to_owned()), max: 5 }));
    check_field("rouge-n(0.6): a", EvaluatorSpec { threshold: Some(0.6), ..plain(like(Likeness::RougeN, "a")) });
    check_field("latency(500)", plain(CheckSpec::Latency(500.0)));
    check_field("cost(0.01):", plain(CheckSpec::Cost(0.01)));
    check_field("grade: polite", plain(CheckSpec::Judge { rubric: "polite".to_owned(), model: None }));
    for text in ["javascript: output", "fn:x", "eval:x", "python: x", "file://check.py", "trajectory:tool-used:x"] {
        let refused = field(text).unwrap_err();
        assert!(refused.contains("is not supported: "), "{text}: {refused}");
    }
    assert!(field("word-count: many").is_err() && field("contians: x").is_err() && field("contains:").is_err());
}

proptest::proptest! {
    #[test]
    fn no_field_and_no_mapping_panics(text in "((not-)?(contains|is-json|bleu|cost|latency|equals|x)|[(:)0-9. ,\"{}]){0,6}|\\PC{1,20}") {
        if !text.trim().is_empty() {
            let _ = field(&text);
        }
        let _ = mapping(&format!("{{ type: {}, value: {} }}", json!(text), json!(text)));
    }
}
