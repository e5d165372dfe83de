//! What each kind without a judge says of an output. Knows no file format.

use super::*;
use crate::domain::evaluator::Evaluator;
use crate::domain::evaluator::spec::{CheckSpec, EvaluatorSpec, GithubString};
use crate::domain::golden::Case;
use crate::domain::ids::Digest;
use proptest::prelude::*;
use serde_json::{Value, json};

mod kinds;

fn case(vars: Value, expected: Option<&str>) -> Case {
    Case {
        id: "a".into(),
        vars: serde_json::from_value::<crate::domain::prompt::Vars>(vars).unwrap().into(),
        expected: expected.map(Into::into),
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

fn evaluator(check: CheckSpec) -> Evaluator {
    let spec = EvaluatorSpec::plain(check);
    Evaluator::compile(spec).unwrap_or_else(|error| panic!("{error}"))
}

fn assess(check: CheckSpec, output: &str, case: &Case) -> Assessment {
    match evaluator(check).evaluate(&Answer::text(output), case) {
        Evaluation::Assessed(assessment) => assessment,
        Evaluation::Ask(_) => panic!("asked a judge"),
    }
}

/// What a check says of an output, for a case about 900 EUR that expects "Escalate".
#[track_caller]
fn check(spec: CheckSpec, output: &str, passed: bool, reason: &str) {
    let found = assess(spec, output, &case(json!({"amount": "900 EUR", "trap": "{{amount}}"}), Some("Escalate")));
    assert_eq!((found.passed, found.reason.as_str()), (passed, reason), "on {output:?}");
    assert_eq!(found.score, if passed { 1.0 } else { 0.0 });
}

#[test]
fn equals_compares_trimmed_text() {
    check(CheckSpec::Equals(None), " Escalate\n", true, "equals the expected text");
    check(CheckSpec::Equals(None), "escalate", false, r#"expected "Escalate", got "escalate""#);
    check(CheckSpec::Equals(Some(json!("pay {{amount}}"))), "pay 900 EUR", true, "equals the expected text");
    check(CheckSpec::Equals(Some(json!(42))), "42\n", true, "equals the expected text");
}

#[test]
fn equals_compares_a_mapping_or_a_list_as_json() {
    let wanted = || CheckSpec::Equals(Some(json!({"n": 1, "sum": "{{amount}}"})));
    check(wanted(), r#"{"sum": "900 EUR", "n": 1.0}"#, true, "equal as JSON");
    check(wanted(), r#"{"sum": "900 EUR"}"#, false, "differs from the expected JSON");
    check(wanted(), "sum", false, "the answer is not JSON: expected value at line 1 column 1");
}

#[test]
fn a_text_is_looked_for_at_its_place() {
    let text = || "Refund".to_owned();
    check(CheckSpec::Contains(text()), "a Refund", true, r#"contains "Refund""#);
    check(CheckSpec::Contains(text()), "a refund", false, r#"does not contain "Refund""#);
    check(CheckSpec::Icontains(text()), "a REFUND", true, r#"contains "Refund""#);
    check(CheckSpec::Icontains("STRASSE".into()), "Hauptstraße 1", true, r#"contains "STRASSE""#);
    check(CheckSpec::StartsWith(text()), "\n Refund it", true, r#"starts with "Refund""#);
    check(CheckSpec::StartsWith(text()), "A Refund", false, r#"does not start with "Refund""#);
    check(CheckSpec::EndsWith(text()), "a Refund \n", true, r#"ends with "Refund""#);
    check(CheckSpec::EndsWith(text()), "Refunds", false, r#"does not end with "Refund""#);
}

#[test]
fn github_s_operators_ignore_case_but_for_equals() {
    let string = |operator, value: &str| CheckSpec::GithubString { operator, value: value.to_owned() };
    check(string(GithubString::Equals, "Yes"), " Yes ", true, "equals the expected text");
    check(string(GithubString::Equals, "Yes"), "yes", false, r#"expected "Yes", got "yes""#);
    check(string(GithubString::Contains, "{{expected}}"), "we ESCALATE", true, r#"contains "Escalate""#);
    check(string(GithubString::StartsWith, "yes"), "YES sir", true, r#"starts with "yes""#);
    check(string(GithubString::EndsWith, "SIR"), "yes sir", true, r#"ends with "SIR""#);
}

#[test]
fn a_value_is_filled_once() {
    check(CheckSpec::Contains("{{trap}}".into()), "{{amount}}", true, r#"contains "{{amount}}""#);
    check(CheckSpec::Contains("{{trap}}".into()), "900 EUR", false, r#"does not contain "{{amount}}""#);
}

#[test]
fn what_a_case_cannot_fill_is_never_a_pass() {
    let missing = "variable `gone` has no value in this case; add it to the case's vars";
    for spec in [
        CheckSpec::Contains("{{gone}}".into()),
        CheckSpec::Regex("{{gone}}".into()),
        CheckSpec::Equals(Some(json!(["{{gone}}"]))),
        CheckSpec::Levenshtein { to: Some("{{gone}}".into()), max: 1000 },
        CheckSpec::Judge { rubric: "{{gone}}".into(), model: None },
    ] {
        check(spec.clone(), "[\"\"]", false, missing);
        let error = evaluator(spec.clone()).check_case(&crate::domain::prompt::Vars::new(), None).unwrap_err();
        assert_eq!(error.message, "variable `gone` has no value in this case", "{spec:?}");
        assert_eq!(evaluator(spec).variables().collect::<Vec<_>>(), ["gone"]);
    }
    let empty = case(json!({"gone": ""}), None);
    assert!(!assess(CheckSpec::Contains("{{gone}}".into()), "anything", &empty).passed);
    assert_eq!(evaluator(CheckSpec::Equals(None)).variables().collect::<Vec<_>>(), ["expected"]);
    assert!(evaluator(CheckSpec::Equals(None)).check_case(&crate::domain::prompt::Vars::new(), Some("x")).is_ok());
}

#[test]
fn a_pattern_is_filled_before_it_is_compiled() {
    check(CheckSpec::Regex(r"\b{{amount}}$".into()), "pay 900 EUR", true, "the pattern matches");
    check(CheckSpec::Regex(r"^\d+$".into()), "900 EUR", false, "the pattern does not match");
    let broken = case(json!({"amount": "("}), None);
    let found = assess(CheckSpec::Regex("x{{amount}}".into()), "x", &broken);
    assert_eq!((found.passed, found.reason.as_str()), (false, r#"invalid regex "x(": unclosed group"#));
    let error = evaluator(CheckSpec::Regex("x{{amount}}".into())).check_case(&broken.vars, None).unwrap_err();
    assert_eq!(error.message, r#"invalid regex "x(": unclosed group"#);
}

#[test]
fn a_pattern_that_runs_out_of_steps_fails_and_says_so() {
    let reason = "the pattern ran out of steps on this answer; simplify its repeats";
    check(CheckSpec::Regex(r"^(a|aa)+\1[bc]".into()), &"a".repeat(2_000), false, reason);
}

#[test]
fn json_is_strict() {
    check(CheckSpec::IsJson, " {\"a\": [1, null]}\n", true, "is JSON");
    check(CheckSpec::IsJson, "{\"a\": 1,}", false, "the answer is not JSON: key must be a string at line 1 column 9");
    check(CheckSpec::IsJson, "```json\n{}\n```", false, "the answer is not JSON: expected value at line 1 column 1");
    let schema = || CheckSpec::JsonSchema(json!({"properties": {"n": {"type": "integer"}}}));
    check(schema(), r#"{"n": 1}"#, true, "the schema accepts it");
    check(schema(), r#"{"n": "x"}"#, false, r#"at `/n`: "x" is not of type "integer""#);
    check(schema(), "no", false, "the answer is not JSON: expected ident at line 1 column 2");
}

#[test]
fn words_are_counted_with_both_bounds_included() {
    let count = |min, max| CheckSpec::WordCount { min, max };
    check(count(Some(2), Some(3)), "two words", true, "2 words, wanted 2 to 3");
    check(count(Some(2), Some(3)), "now there are four", false, "4 words, wanted 2 to 3");
    check(count(None, Some(0)), " \n", true, "0 words, wanted at most 0");
    check(count(Some(1), None), "", false, "0 words, wanted at least 1");
}

#[test]
fn an_edit_distance_has_a_limit_and_with_a_threshold_a_score() {
    let near = |to: &str, max| CheckSpec::Levenshtein { to: Some(to.to_owned()), max };
    let found = |spec, output: &str| {
        let found = assess(spec, output, &case(json!({}), Some("kitten")));
        (found.passed, found.score, found.reason)
    };
    assert_eq!(found(near("abcd", 1), "abce"), (true, 1.0, "edit distance 1, at most 1 wanted".to_owned()));
    assert!(!found(near("abcd", 0), "abce").0);
    assert_eq!(found(near("é", 0), "é").1, 1.0);
    assert_eq!(found(near("", 0), "").1, 1.0);
    assert!(found(CheckSpec::Levenshtein { to: None, max: 3 }, "sitting").0);
    let strict = EvaluatorSpec { threshold: Some(0.8), ..EvaluatorSpec::plain(near("abcd", 1)) };
    let strict = Evaluator::compile(strict).unwrap().evaluate(&Answer::text("abce"), &case(json!({}), None));
    assert!(matches!(strict, Evaluation::Assessed(found) if !found.passed && found.score == 0.75));
    let huge = "a".repeat(200_000);
    assert!(!found(near(&"b".repeat(20_000), 5), &huge).0);
    assert_eq!(found(near(&huge, 0), &huge).1, 1.0);
}

fn every_kind(text: String) -> Vec<CheckSpec> {
    let schema = json!({"type": "object", "properties": {"a": {"pattern": "^(?!x)a+$"}}});
    let mut all = kinds::every_kind(&text);
    all.extend([
        CheckSpec::Equals(None),
        CheckSpec::Equals(Some(json!({"a": "{{amount}}"}))),
        CheckSpec::Contains(text.clone()),
        CheckSpec::Icontains(text.clone()),
        CheckSpec::StartsWith(text.clone()),
        CheckSpec::EndsWith(text.clone()),
        CheckSpec::GithubString { operator: GithubString::Contains, value: text.clone() },
        CheckSpec::Regex("(a+)+$".into()),
        CheckSpec::Regex(r"(?=x)(\w)\1".into()),
        CheckSpec::IsJson,
        CheckSpec::JsonSchema(schema),
        CheckSpec::WordCount { min: Some(1), max: Some(9) },
        CheckSpec::Levenshtein { to: Some(text), max: 3 },
    ]);
    all
}

#[test]
fn large_and_deep_outputs_are_handled() {
    let case = case(json!({"amount": 1}), Some("x"));
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    for output in [
        "word ".repeat(40_000),
        "x".repeat(200_000),
        "<a>{\"a\":".repeat(20_000),
        "ÄÖ\u{2028}\0".repeat(20_000),
        "[".repeat(200_000),
        deep,
    ] {
        for spec in every_kind("needle".to_owned()) {
            let found = assess(spec, &output, &case);
            assert!(found.reason.chars().count() <= 200 && (0.0..=1.0).contains(&found.score));
        }
    }
}

proptest! {
    #[test]
    fn any_output_gets_a_score_in_bounds_and_one_short_line(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[^\\s\\pC]\\PC{0,4}") {
        let output = String::from_utf8_lossy(&bytes);
        let case = case(json!({"amount": 1}), Some("x"));
        for spec in every_kind(text) {
            let found = assess(spec, &output, &case);
            prop_assert!((0.0..=1.0).contains(&found.score));
            prop_assert!(found.reason.chars().count() <= 200 && !found.reason.contains('\n'));
        }
    }

    #[test]
    fn what_contains_a_text_contains_it_in_any_case(before in "\\PC{0,9}", text in "[^{}]{1,9}", after in "\\PC{0,9}") {
        let case = case(json!({}), None);
        let upper = format!("{before}{}{after}", text.to_uppercase());
        prop_assert!(assess(CheckSpec::Icontains(text.clone()), &upper, &case).passed);
        let same = format!("{before}{text}{after}");
        prop_assert!(assess(CheckSpec::Contains(text), &same, &case).passed);
    }

    #[test]
    fn the_edit_distance_score_is_the_same_both_ways(a in "[a-c]{0,8}", b in "[a-c]{0,8}") {
        let case = case(json!({}), None);
        let score = |to: &str, output: &str| {
            let check = CheckSpec::Levenshtein { to: Some(to.to_owned()), max: 2 };
            let spec = EvaluatorSpec { threshold: Some(0.5), ..EvaluatorSpec::plain(check) };
            match Evaluator::compile(spec).unwrap().evaluate(&Answer::text(output), &case) {
                Evaluation::Assessed(found) => found.score,
                Evaluation::Ask(_) => panic!("asked a judge"),
            }
        };
        prop_assert_eq!(score(&a, &b), score(&b, &a));
        prop_assert_eq!(score(&a, &b) == 1.0, a == b);
    }
}
