//! What each model-graded kind asks, and how its answers are read. No model is called.

mod hostile;

use serde_json::{Value, json};

use super::spec::{FactualityScores, GradedKind, GradedSpec, Measure};
use crate::domain::evaluator::judge::{JudgeQuestion, Wanted};
use crate::domain::evaluator::spec::{CheckSpec, EvaluatorSpec};
use crate::domain::evaluator::{Answer, Assessment, Evaluation, Evaluator};
use crate::domain::golden::Case;
use crate::domain::ids::Digest;

fn case(vars: &Value, expected: Option<&str>) -> Case {
    Case {
        id: "a".into(),
        vars: std::sync::Arc::new(serde_json::from_value(vars.clone()).unwrap()),
        expected: expected.map(Into::into),
        must_pass: None,
        weight: 1.0,
        tags: std::sync::Arc::default(),
        cluster: None,
        evaluators: std::sync::Arc::new([]),
        threshold: None,
        sets: std::sync::Arc::default(),
        line: 1,
        definition: Digest([0; 32]),
    }
}

fn full_case() -> Case {
    let conversation = json!([{"input": "Hi", "output": "Hello"}]);
    case(
        &json!({"query": "Which city?", "context": ["It is Bern.", "It rains."], "_conversation": conversation}),
        Some("Bern is the city."),
    )
}

fn evaluator(kind: GradedKind, threshold: Option<f64>) -> Evaluator {
    let check = CheckSpec::Graded(GradedSpec { kind, model: None });
    Evaluator::compile(EvaluatorSpec { threshold, ..EvaluatorSpec::plain(check) }).unwrap()
}

fn ask(evaluation: Evaluation) -> JudgeQuestion {
    match evaluation {
        Evaluation::Ask(question) => *question,
        Evaluation::Assessed(found) => panic!("nothing is asked: {found:?}"),
    }
}

fn found(evaluation: Evaluation) -> Assessment {
    match evaluation {
        Evaluation::Assessed(found) => found,
        Evaluation::Ask(question) => panic!("asks on: {question:?}"),
    }
}

fn question(kind: GradedKind, output: &str) -> JudgeQuestion {
    ask(evaluator(kind, None).evaluate(&Answer::text(output), &full_case()))
}

fn yes_or_no() -> GradedKind {
    let choices = vec![("yes".to_owned(), 1.0), ("no".to_owned(), 0.0)];
    GradedKind::Choices { question: "Is it polite?".to_owned(), choices }
}

fn factuality() -> GradedKind {
    GradedKind::Factuality { reference: None, scores: FactualityScores::default() }
}

fn g_eval(criteria: &[&str]) -> GradedKind {
    GradedKind::GEval { criteria: criteria.iter().map(|one| (*one).to_owned()).collect() }
}

/// What stands outside the fences, the nonce left out; and what stands inside, one text per fence.
fn parts(question: &JudgeQuestion) -> (String, Vec<String>) {
    let all: Vec<&str> = question.messages.iter().flat_map(|message| message.content.lines()).collect();
    let opens = |line: &str| line.starts_with('<') && line.ends_with('>') && !line.starts_with("</");
    let nonce = all.iter().find(|line| opens(line)).unwrap().trim_end_matches('>').split(' ').nth(1).unwrap();
    let (mut outside, mut inside) = (Vec::new(), Vec::new());
    let mut lines = all.iter();
    while let Some(line) = lines.next() {
        outside.push(line.replace(nonce, "N"));
        if opens(line) {
            inside.push(serde_json::from_str(lines.next().unwrap()).unwrap());
            assert_eq!(*lines.next().unwrap(), line.replace('<', "</"), "a fence holds one line");
        }
    }
    (outside.join("\n"), inside)
}

/// Reads one answer; what comes out is (score, passed), or nothing.
#[track_caller]
fn check(kind: GradedKind, answer: &str, expected: Option<(f64, bool)>) {
    let read = question(kind, "Bern").read(answer).ok().map(found);
    assert_eq!(read.map(|found| (found.score, found.passed)), expected, "for {answer}");
}

fn chosen(choice: &str) -> String {
    json!({"reason": "so", "choice": choice}).to_string()
}

#[test]
fn choices_are_matched_whole() {
    check(yes_or_no(), &chosen("yes"), Some((1.0, true)));
    check(yes_or_no(), &chosen("No."), Some((0.0, false)));
    for unreadable in ["yes", "{\"choice\": \"yes\"}", "{\"reason\": \"\", \"choice\": \"yes or no\"}"] {
        check(yes_or_no(), unreadable, None);
    }
    let digits = GradedKind::Choices {
        question: "How good?".to_owned(),
        choices: vec![("1".to_owned(), 0.1), ("10".to_owned(), 1.0)],
    };
    check(digits.clone(), &chosen("10"), Some((1.0, true)));
    check(digits.clone(), &chosen("1"), Some((0.1, true)));
    check(digits, &chosen("1 or 10"), None);
}

#[test]
fn only_a_contradiction_fails_factuality_unless_its_scores_say_otherwise() {
    for (relation, passed) in [("A", true), ("B", true), ("C", true), ("D", false), ("E", true)] {
        check(factuality(), &chosen(relation), Some((f64::from(u8::from(passed)), passed)));
    }
    check(factuality(), &chosen("F"), None);
    let strict = FactualityScores { superset: 0.0, subset: 0.4, ..FactualityScores::default() };
    let kind = GradedKind::Factuality { reference: Some("x".to_owned()), scores: strict };
    check(kind.clone(), &chosen("B"), Some((0.0, false)));
    check(kind.clone(), &chosen("A"), Some((0.4, true)));
    let (_, held) = parts(&question(kind, "Bern"));
    assert_eq!(held, ["Which city?", "x", "Bern"]);
}

#[test]
fn shares_of_statements_are_scores() {
    let listed = |holds: &[bool]| {
        let statements: Vec<Value> =
            holds.iter().map(|holds| json!({"statement": "It is Bern.", "holds": holds})).collect();
        json!({"statements": statements}).to_string()
    };
    let recall = || GradedKind::ContextRecall { reference: None };
    check(recall(), &listed(&[true, false, true, true]), Some((0.75, true)));
    check(recall(), &listed(&[false]), Some((0.0, true)));
    check(recall(), &listed(&[]), None);
    check(GradedKind::ContextFaithfulness, &listed(&[]), Some((1.0, true)));
    check(GradedKind::ConversationRelevance, &listed(&[true, false]), Some((0.5, true)));
    check(GradedKind::ConversationRelevance, &listed(&[true, false, false]), Some((1.0 / 3.0, false)));
    check(recall(), &listed(&[true; 501]), None);
    let strict = evaluator(recall(), Some(1.0)).evaluate(&Answer::text("Bern"), &full_case());
    assert!(!found(ask(strict).read(&listed(&[true, false])).unwrap()).passed);
}

#[test]
fn each_context_question_shows_what_it_speaks_of() {
    let held = |kind| parts(&question(kind, "the answer")).1;
    let context = "It is Bern.\n\nIt rains.";
    assert_eq!(held(GradedKind::ContextRecall { reference: None }), [context, "Bern is the city."]);
    assert_eq!(held(GradedKind::ContextRelevance), ["Which city?", context]);
    assert_eq!(held(GradedKind::ContextFaithfulness), ["Which city?", context, "the answer"]);
    assert_eq!(held(GradedKind::AnswerRelevance), ["Which city?", "the answer"]);
}

#[test]
fn what_a_kind_needs_of_a_case_is_asked_for_before_any_call() {
    let missing = |kind| {
        let bare = case(&json!({}), None);
        evaluator(kind, None).check_case(&bare.vars, None).err().map(|error| error.message)
    };
    let context = Some("variable `context` has no value in this case".to_owned());
    assert_eq!(missing(GradedKind::ContextFaithfulness), context);
    assert_eq!(missing(GradedKind::ContextRelevance), context);
    assert_eq!(missing(GradedKind::ContextRecall { reference: None }), context);
    let expected = Some("variable `expected` has no value in this case".to_owned());
    assert_eq!(missing(factuality()), expected);
    assert_eq!(missing(GradedKind::Similar { to: Vec::new(), measure: Measure::Cosine }), expected);
    assert_eq!(missing(GradedKind::AnswerRelevance), None);
}

#[test]
fn without_a_query_the_case_says_what_was_asked() {
    for kind in [GradedKind::AnswerRelevance, GradedKind::ConversationRelevance] {
        let relevance = evaluator(kind, None);
        let shown = |vars: &Value| parts(&ask(relevance.evaluate(&Answer::text("Bern"), &case(vars, Some("Bern"))))).1;
        assert_eq!(shown(&json!({"input": "Where?", "tone": "kind"})), ["Where?", "Bern"]);
        assert_eq!(shown(&json!({"place": "Where?"})), [r#"{"place":"Where?"}"#, "Bern"]);
    }
}

#[test]
fn g_eval_asks_for_steps_then_scores_by_them_criterion_by_criterion() {
    let first = question(g_eval(&["polite", "short"]), "Bern");
    assert_eq!((first.left(), &*first.messages[1].content), (4, "Criterion:\npolite"));
    for unreadable in [r#"{"steps": []}"#, r#"{"steps": [" "]}"#, r#"{"steps": "look"}"#, "1. look"] {
        assert!(first.read(unreadable).is_err(), "{unreadable}");
    }
    let many = json!({"steps": vec!["look"; 21]}).to_string();
    assert!(first.read(&many).is_err());
    let scoring = ask(first.read("{\"steps\": [\"Look\\nfor thanks.\", \"Decide.\"]}").unwrap());
    assert!(scoring.messages[0].content.contains("Steps:\n1. Look for thanks.\n2. Decide.\n\n"));
    assert!(scoring.messages[0].content.contains("Criterion:\npolite\n"));
    let second = ask(scoring.read(r#"{"reason": "kind", "score": 1}"#).unwrap());
    assert_eq!((second.left(), &*second.messages[1].content), (2, "Criterion:\nshort"));
    let scoring = ask(second.read(r#"{"steps": ["Count."]}"#).unwrap());
    assert_eq!(scoring.left(), 1);
    let found = found(scoring.read(r#"{"reason": "long", "score": 0.5}"#).unwrap());
    assert_eq!((found.score, found.passed), (0.75, true));
}

#[test]
fn the_steps_of_a_second_opinion_lead_to_a_question_with_another_nonce() {
    let first = question(g_eval(&["polite"]), "Bern");
    let steps = r#"{"steps": ["Look."]}"#;
    let (one, other) = (ask(first.read(steps).unwrap()), ask(first.second_opinion().read(steps).unwrap()));
    assert_ne!(one.messages, other.messages);
    assert_eq!(parts(&one), parts(&other));
}

fn best() -> Evaluator {
    evaluator(GradedKind::SelectBest { criterion: "polite".to_owned() }, None)
}

/// Answers both orders of a comparison of `old` with `new`; a function picks by the texts it is shown.
fn prefer(old: &str, new: &str, mut judge: impl FnMut(&str, &str) -> &'static str) -> (f64, usize) {
    let mut evaluation = best().prefer(old, new, &full_case()).unwrap();
    let mut asked = 0;
    loop {
        let question = match evaluation {
            Evaluation::Assessed(found) => return (found.score, asked),
            Evaluation::Ask(question) => *question,
        };
        asked += 1;
        let held = parts(&question).1;
        evaluation = question.read(&chosen(judge(&held[0], &held[1]))).unwrap();
    }
}

#[test]
fn the_better_answer_wins_in_both_orders_or_not_at_all() {
    assert_eq!(prefer("rude", "kind", |first, _| if first == "kind" { "first" } else { "second" }), (1.0, 2));
    assert_eq!(prefer("kind", "rude", |first, _| if first == "kind" { "first" } else { "second" }), (0.0, 2));
    assert_eq!(prefer("a", "b", |_, _| "neither"), (0.5, 1));
    assert_eq!(prefer("a", "b", |_, _| "first"), (0.5, 2), "a judge that likes the first place decides nothing");
    assert_eq!(prefer("a", "b", |_, _| "second"), (0.5, 2));
    assert_eq!(prefer("same", " same\n", |_, _| "first"), (0.5, 0), "the same text is not asked about");
    let mut answers = ["first", "neither"].into_iter();
    assert_eq!(prefer("a", "b", |_, _| answers.next().unwrap()), (0.5, 2));
}

#[test]
fn a_comparison_does_not_say_which_answer_is_new() {
    let mut first_places = std::collections::BTreeSet::new();
    for number in 0..20 {
        let (old, new) = (format!("old {number}"), format!("new {number}"));
        let question = ask(best().prefer(&old, &new, &full_case()).unwrap());
        let (outside, held) = parts(&question);
        for word in ["base", "head", "old", "new"] {
            assert!(!outside.contains(word), "{outside}");
        }
        first_places.insert(held[0].starts_with("new"));
    }
    assert_eq!(first_places.len(), 2, "either may come first");
}

#[test]
fn one_answer_alone_is_compared_with_nothing() {
    let alone = found(best().evaluate(&Answer::text("Bern"), &full_case()));
    assert_eq!(
        (alone.score, alone.passed, alone.reason.as_str()),
        (1.0, true, "there is no other answer to compare with")
    );
    assert!(best().compares() && !best().is_opinion());
    let lost = Assessment { score: 0.0, passed: false, reason: "x".to_owned() };
    assert_eq!(lost.mirrored(), Assessment { score: 1.0, passed: true, reason: "x".to_owned() });
    let tie = Assessment { score: 0.5, passed: true, reason: "x".to_owned() };
    assert_eq!(tie.mirrored(), tie);
}

fn similar(to: &[&str], measure: Measure) -> GradedKind {
    GradedKind::Similar { to: to.iter().map(|one| (*one).to_owned()).collect(), measure }
}

/// Runs a comparison of vectors; each text has the vector it is.
fn near(kind: GradedKind, threshold: Option<f64>, output: &str) -> (f64, bool) {
    let mut evaluation = evaluator(kind, threshold).evaluate(&Answer::text(output), &full_case());
    loop {
        let question = match evaluation {
            Evaluation::Assessed(found) => return ((found.score * 1e6).round() / 1e6, found.passed),
            Evaluation::Ask(question) => *question,
        };
        assert_eq!((question.wanted, question.parameters.temperature), (Wanted::Vector, None));
        let [only] = &*question.messages else { panic!("one text: {question:?}") };
        evaluation = question.read(&only.content).unwrap();
    }
}

#[test]
fn the_nearest_text_counts() {
    assert_eq!(near(similar(&["[0,1]", "[3,4]"], Measure::Cosine), None, "[4,3]"), (0.96, true));
    assert_eq!(near(similar(&["[0,1]"], Measure::Cosine), None, "[4,3]"), (0.6, false));
    assert_eq!(near(similar(&["[0,1]"], Measure::Cosine), Some(0.6), "[4,3]"), (0.6, true));
    assert_eq!(near(similar(&["[0.5,1]"], Measure::Dot), None, "[1,0.25]"), (0.75, true));
    assert_eq!(near(similar(&["[0,0]"], Measure::Euclidean), Some(0.5), "[0.3,0.4]"), (0.666_667, true));
    assert!(!near(similar(&["[0,0]"], Measure::Euclidean), Some(0.49), "[0.3,0.4]").1);
}

#[test]
fn what_cannot_grade_is_refused_with_a_way_out() {
    let refused = |kind, threshold, negated| {
        let check = CheckSpec::Graded(GradedSpec { kind, model: None });
        let spec = EvaluatorSpec { threshold, negated, ..EvaluatorSpec::plain(check) };
        let error = Evaluator::compile(spec).map(|_| ()).unwrap_err();
        assert!(error.help.is_some(), "{error}");
        error.message
    };
    assert_eq!(refused(g_eval(&[]), None, false), "0 criteria are given");
    assert_eq!(refused(g_eval(&["x"; 11]), None, false), "11 criteria are given");
    assert_eq!(refused(g_eval(&[" "]), None, false), "the criterion is empty");
    assert_eq!(refused(similar(&["x"; 21], Measure::Dot), None, false), "the answer is to be compared with 21 texts");
    assert_eq!(refused(similar(&["x"], Measure::Euclidean), Some(-1.0), false), "the threshold -1 is no distance");
    assert_eq!(refused(similar(&["x"], Measure::Cosine), Some(2.0), false), "the threshold 2 is not from 0 to 1");
    let best = || GradedKind::SelectBest { criterion: "x".to_owned() };
    assert!(refused(best(), Some(0.5), false).starts_with("select_best has no threshold"));
    assert!(refused(best(), None, true).starts_with("select_best cannot be negated"));
}

#[test]
fn metrics_that_every_team_asks_for_are_named_by_themselves() {
    let metric = |kind| evaluator(kind, None).metric.as_deref().map(str::to_owned);
    assert_eq!(metric(GradedKind::AnswerRelevance).as_deref(), Some("relevance"));
    assert_eq!(metric(factuality()).as_deref(), Some("accuracy"));
    assert_eq!(metric(similar(&["x"], Measure::Cosine)).as_deref(), Some("accuracy"));
    assert_eq!(metric(yes_or_no()), None);
    let named = EvaluatorSpec {
        metric: Some("facts".to_owned()),
        ..EvaluatorSpec::plain(CheckSpec::Graded(GradedSpec { kind: factuality(), model: None }))
    };
    assert_eq!(Evaluator::compile(named).unwrap().metric.as_deref(), Some("facts"));
}
