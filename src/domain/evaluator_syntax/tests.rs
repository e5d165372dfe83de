use serde_json::json;

use super::*;

mod kinds;
mod promptfoo_forms;

use crate::domain::evaluator::spec::{FactualityScores, GithubBuiltin, GithubString, GradedKind, GradedSpec, Measure};
use crate::domain::ids::PromptPath;
use crate::domain::source::Source;
use crate::domain::yaml;

fn read_text(text: &str) -> Result<Vec<Written>, Vec<String>> {
    let path = PromptPath::parse("a.golden.yml").unwrap();
    let source = Source::read(&path, text.as_bytes(), 9999).unwrap();
    let node = yaml::parse(&source).unwrap();
    let mut reader = Reader::new(source);
    let written = read_list(&mut reader, &node, Unknown::Refused);
    reader
        .finish(Some(written))
        .map(|parsed| {
            assert_eq!(parsed.warnings, []);
            parsed.value
        })
        .map_err(|errors| errors.iter().map(say).collect())
}

fn say(found: &crate::domain::diagnostic::Diagnostic) -> String {
    let at = found.location.unwrap();
    format!("{}:{} {}; {}", at.line, at.column, found.message, found.help.as_deref().unwrap())
}

#[expect(clippy::needless_pass_by_value, reason = "reads better at each call")]
fn check(text: &str, expected: CheckSpec) {
    let written = read_text(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    assert_eq!(written.len(), 1, "{text}");
    assert_eq!(written[0].spec.check, expected, "{text}");
}

fn check_error(text: &str, expected: &str) {
    assert_eq!(read_text(text).unwrap_err(), [expected], "{text}");
}

#[test]
fn text_evaluators_take_a_bare_text() {
    check("- equals: Yes", CheckSpec::Equals(Some(json!("Yes"))));
    check("- contains: escalate", CheckSpec::Contains("escalate".to_owned()));
    check("- not_contains: \"As an AI\"", CheckSpec::Contains("As an AI".to_owned()));
    check("- icontains: a", CheckSpec::Icontains("a".to_owned()));
    check("- starts_with: a", CheckSpec::StartsWith("a".to_owned()));
    check("- ends_with: a", CheckSpec::EndsWith("a".to_owned()));
    check("- regex: '^\\d+$'", CheckSpec::Regex("^\\d+$".to_owned()));
    check("- contains: 1.50", CheckSpec::Contains("1.50".to_owned()));
    check("- contains: yes", CheckSpec::Contains("yes".to_owned()));
    check("- contains: 007", CheckSpec::Contains("007".to_owned()));
}

#[test]
fn equals_compares_mappings_and_lists_as_json() {
    check("- equals: { a: [1, null] }", CheckSpec::Equals(Some(json!({"a": [1, null]}))));
    check("- equals: { value: x, unit: kg }", CheckSpec::Equals(Some(json!({"value": "x", "unit": "kg"}))));
    check("- equals: { value: { a: 1 }, weight: 2 }", CheckSpec::Equals(Some(json!({"a": 1}))));
    check("- equals", CheckSpec::Equals(None));
}

#[test]
fn json_evaluators_take_nothing_or_a_schema() {
    check("- is_json", CheckSpec::IsJson);
    check("- is_json: {}", CheckSpec::IsJson);
    check("- is_json: true", CheckSpec::IsJson);
    check("- is_json: { weight: 2 }", CheckSpec::IsJson);
    check("- json_schema: { type: object }", CheckSpec::JsonSchema(json!({"type": "object"})));
    check("- json_schema: { schema: { type: object }, weight: 0 }", CheckSpec::JsonSchema(json!({"type": "object"})));
    check("- json_schema: { value: { type: array } }", CheckSpec::JsonSchema(json!({"type": "array"})));
}

#[test]
fn counts_and_distances_take_numbers_or_bounds() {
    check("- word_count: 3", CheckSpec::WordCount { min: Some(3), max: Some(3) });
    check("- word_count: { min: 1 }", CheckSpec::WordCount { min: Some(1), max: None });
    check("- word_count: { value: { max: 9 }, metric: length }", CheckSpec::WordCount { min: None, max: Some(9) });
    check("- levenshtein: 4", CheckSpec::Levenshtein { to: None, max: 4 });
    check("- levenshtein: { value: abc, max: 2 }", CheckSpec::Levenshtein { to: Some("abc".to_owned()), max: 2 });
}

#[test]
fn a_judge_has_a_rubric_and_options() {
    let written = read_text("- judge: { rubric: Polite, threshold: 0.7, metric: tone, name: t, weight: 2 }").unwrap();
    let EvaluatorSpec { name, weight, threshold, metric, negated: _, check: spec } = &written[0].spec;
    assert_eq!(
        (name.as_deref(), *weight, *threshold, metric.as_deref()),
        (Some("t"), Some(2.0), Some(0.7), Some("tone"))
    );
    assert_eq!(*spec, CheckSpec::Judge { rubric: "Polite".to_owned(), model: None });
    check("- judge: Polite", CheckSpec::Judge { rubric: "Polite".to_owned(), model: None });
    let model = ModelId::parse("openai/gpt-4o").ok();
    check("- judge: { rubric: Polite, model: openai/gpt-4o }", CheckSpec::Judge { rubric: "Polite".to_owned(), model });
}

#[test]
fn githubs_first_set_operator_and_kind_count() {
    let contains = CheckSpec::GithubString { operator: GithubString::Contains, value: "a".to_owned() };
    check("- { name: n, string: { endsWith: z, contains: a } }", contains.clone());
    check("- { name: n, string: { equals: '', contains: a } }", contains.clone());
    check("- { name: n, uses: github/fluency, string: { contains: a } }", contains);
    check("- { name: n, uses: github/groundedness }", CheckSpec::GithubBuiltin(GithubBuiltin::Groundedness));
    let choice = CheckSpec::GithubChoice {
        model: None,
        system_prompt: Some("Judge".to_owned()),
        prompt: "Good?".to_owned(),
        choices: vec![("1".to_owned(), 0.0), ("5".to_owned(), 1.0)],
    };
    check(
        "- name: n\n  llm: { prompt: 'Good?', systemPrompt: Judge, choices: [{ choice: 1, score: 0 }, { choice: '5', score: 1 }] }",
        choice,
    );
}

#[test]
fn an_unknown_evaluator_gets_a_suggestion() {
    check_error("- contians: x", "1:3 unknown evaluator `contians`; did you mean `contains`?");
    check_error("- isjson", "1:3 unknown evaluator `isjson`; did you mean `is_json`?");
    check_error(
        "- { name: n, uses: github/similarty }",
        "1:20 unknown evaluator `github/similarty` in `uses`; did you mean `github/similarity`? There are \
         `github/similarity`, `github/coherence`, `github/fluency`, `github/relevance`, `github/groundedness`",
    );
}

#[test]
fn an_evaluator_that_says_nothing_is_an_error() {
    check_error("- name: n", "1:3 an evaluator has none of `string`, `llm`, `uses`; add one of them");
    check_error(
        "- { string: {} }",
        "1:13 `string` has none of `equals`, `contains`, `startsWith`, `endsWith`; add one of them with a text",
    );
    check_error("- contains:", "1:11 `contains` has no value; it must be a text; give it a value or remove the key");
    check_error("- contains: ''", "1:13 `contains` is empty, so every answer has it; give it a text");
    check_error("- contains", "1:3 `contains` needs a value; write `contains: value`");
    check_error(
        "- { contains: a, regex: b }",
        "1:3 an evaluator must have one key, found 2; write one evaluator per list item, options inside: `contains: { value: …, weight: 2 }`",
    );
    check_error("- contains: { weight: 2 }", "1:13 `contains` has no `value`; add a `value` key");
    check_error(
        "- word_count: {}",
        "1:15 `word_count` has neither `min` nor `max`; write a number, or `{ min: 5, max: 20 }`",
    );
    check_error(
        "- [a]",
        "1:3 an evaluator must be a mapping such as `contains: text`, found a list; write `kind: value`",
    );
}

#[test]
fn options_are_checked() {
    check_error("- contains: { value: a, weigth: 2 }", "1:25 unknown key `weigth` in contains; did you mean `weight`?");
    check_error(
        "- contains: { value: a, weight: -1 }",
        "1:33 `weight` is -1, but must be at least 0; write a number at least 0",
    );
    check_error(
        "- judge: { rubric: a, threshold: 7 }",
        "1:34 `threshold` is 7, but must be from 0 to 1; write a number from 0 to 1",
    );
}

fn graded(kind: GradedKind) -> CheckSpec {
    CheckSpec::Graded(GradedSpec { kind, model: None })
}

#[test]
fn model_graded_kinds_take_a_bare_text_a_list_or_a_mapping() {
    let criterion = || "Names a city".to_owned();
    check("- closed_qa: Names a city", graded(GradedKind::ClosedQa { criterion: criterion() }));
    check("- select_best: { criterion: Names a city }", graded(GradedKind::SelectBest { criterion: criterion() }));
    check("- g_eval: Names a city", graded(GradedKind::GEval { criteria: vec![criterion()] }));
    check("- g_eval: [a, b]", graded(GradedKind::GEval { criteria: vec!["a".to_owned(), "b".to_owned()] }));
    check("- context_recall", graded(GradedKind::ContextRecall { reference: None }));
    check("- context_recall: { reference: a }", graded(GradedKind::ContextRecall { reference: Some("a".to_owned()) }));
    for text in ["- answer_relevance", "- answer_relevance: true", "- answer_relevance: { threshold: 0.5 }"] {
        check(text, graded(GradedKind::AnswerRelevance));
    }
    check("- context_relevance", graded(GradedKind::ContextRelevance));
    check("- context_faithfulness: {}", graded(GradedKind::ContextFaithfulness));
    check("- conversation_relevance", graded(GradedKind::ConversationRelevance));
    let similar =
        |to: &[&str], measure| GradedKind::Similar { to: to.iter().map(|to| (*to).to_owned()).collect(), measure };
    check("- similar", graded(similar(&[], Measure::Cosine)));
    check("- similar: [a, b]", graded(similar(&["a", "b"], Measure::Cosine)));
    check("- similar: { to: a, measure: dot }", graded(similar(&["a"], Measure::Dot)));
    let scores = FactualityScores { superset: 0.5, ..FactualityScores::default() };
    check("- factuality: { scores: { superset: 0.5 } }", graded(GradedKind::Factuality { reference: None, scores }));
    let written = read_text("- tone: { rubric: Kind, model: openai/gpt-4o, threshold: 0.7 }").unwrap().remove(0);
    let model = Some(ModelId::parse("openai/gpt-4o").unwrap());
    assert_eq!(written.spec.check, CheckSpec::Judge { rubric: "Kind".to_owned(), model });
    assert_eq!((written.spec.metric.as_deref(), written.spec.threshold), (Some("tone"), Some(0.7)));
}

#[test]
fn choices_ask_our_question_or_send_a_prompt_of_one_s_own() {
    let choices = || vec![("yes".to_owned(), 1.0), ("no".to_owned(), 0.0)];
    check(
        "- choices: { question: Is it kind?, choices: { yes: 1, no: 0 } }",
        graded(GradedKind::Choices { question: "Is it kind?".to_owned(), choices: choices() }),
    );
    check(
        "- choices: { prompt: 'Kind? {{completion}}', system: Be strict., choices: { yes: 1, no: 0 } }",
        CheckSpec::GithubChoice {
            model: None,
            system_prompt: Some("Be strict.".to_owned()),
            prompt: "Kind? {{completion}}".to_owned(),
            choices: choices(),
        },
    );
}

#[test]
fn model_graded_kinds_that_cannot_be_read_say_so_at_their_place() {
    check_error(
        "- choices: { choices: { yes: 1 } }",
        "1:12 `choices` needs `choices` and either `question` or `prompt`; write `choices: { question: \"Is it polite?\", choices: { yes: 1, no: 0 } }`",
    );
    check_error("- judge", "1:3 `judge` has no `rubric`; say what a good answer is in `rubric`");
    check_error("- closed_qa: {}", "1:14 `closed_qa` has no `criterion`; say what a good answer is in `criterion`");
    check_error("- similar: { to: a, measure: cosinus }", "1:30 `measure` is `cosinus`; did you mean `cosine`?");
    check_error(
        "- answer_relevance: yes please",
        "1:21 `answer_relevance` must be a mapping, found a text; write a mapping here",
    );
}

fn promptfoo_text(field: &str) -> Result<EvaluatorSpec, String> {
    let path = PromptPath::parse("a.csv").unwrap();
    let mut reader = Reader::new(Source::read(&path, b"x", 99).unwrap());
    let written = promptfoo::read_text(&mut reader, field, Location { line: 1, column: 1, length: 1 });
    reader.finish(written).map(|parsed| parsed.value.spec).map_err(|errors| errors[0].message.clone())
}

#[test]
fn promptfoo_s_names_mean_the_same_kinds() {
    let kind = |field: &str| match promptfoo_text(field).unwrap().check {
        CheckSpec::Graded(graded) => graded.kind,
        other => panic!("{field} is {other:?}"),
    };
    let factuality = |reference: Option<&str>| GradedKind::Factuality {
        reference: reference.map(str::to_owned),
        scores: FactualityScores::default(),
    };
    assert_eq!(kind("factuality:Bern"), factuality(Some("Bern")));
    assert_eq!(kind("model-graded-closedqa:polite"), GradedKind::ClosedQa { criterion: "polite".to_owned() });
    assert_eq!(kind("g-eval:polite"), GradedKind::GEval { criteria: vec!["polite".to_owned()] });
    assert_eq!(kind("select-best:polite"), GradedKind::SelectBest { criterion: "polite".to_owned() });
    assert_eq!(
        kind("similar(0.8):Bern"),
        GradedKind::Similar { to: vec!["Bern".to_owned()], measure: Measure::Cosine }
    );
    assert_eq!(kind("context-recall(0.5):Bern"), GradedKind::ContextRecall { reference: Some("Bern".to_owned()) });
    assert_eq!(promptfoo_text("similar(0.8):Bern").unwrap().threshold, Some(0.8));
    assert_eq!(promptfoo_text("g-eval:").unwrap_err(), "`g-eval` has no value");
    let ours = read_text("- similar: { to: Bern, measure: euclidean, threshold: 7.5 }").unwrap().remove(0).spec;
    assert_eq!(ours.threshold, Some(7.5), "a distance");
    assert!(graded::is_promptfoo("similar:euclidean") && !graded::is_promptfoo("similar:jaccard"));
}
