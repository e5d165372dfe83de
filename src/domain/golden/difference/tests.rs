use proptest::prelude::*;

use super::*;
use crate::domain::golden::parse;
use crate::domain::prompt;

fn set(text: &str) -> GoldenSet {
    let path = |text| PromptPath::parse(text).unwrap();
    let prompt = "messages: [{role: user, content: 'Refund {{amount}}?'}]\n";
    let prompt = prompt::parse(&path("p/refund.prompt.yml"), prompt.as_bytes()).unwrap().value;
    parse(&path("p/refund.golden.yml"), text.as_bytes(), &prompt)
        .unwrap_or_else(|found| panic!("{found:?}\n{text}"))
        .value
}

/// A set of one case with this besides its id and its input.
fn case(text: &str) -> GoldenSet {
    set(&format!("cases:\n  - {{ id: a, vars: {{ amount: 1 }}, {text} }}\n"))
}

fn told(changes: &[SetChange]) -> Vec<String> {
    changes
        .iter()
        .flat_map(|change| {
            let id = change.case.as_deref().unwrap_or("every case");
            let mark = |weakens: bool| if weakens { "weaker" } else { "ok" };
            match &change.what {
                What::Added { heavier } => vec![format!("{} {id}: added", mark(*heavier))],
                What::Removed => vec![format!("weaker {id}: removed")],
                What::Edited(edits) => {
                    edits.iter().map(|edit| format!("{} {id}: {}", mark(edit.weakens), edit.said)).collect()
                }
            }
        })
        .collect()
}

#[track_caller]
fn check(base: &GoldenSet, head: &GoldenSet, expected: &[&str]) {
    assert_eq!(told(&difference(Some(base), Some(head))), expected);
}

/// From one case to another, and back again.
#[track_caller]
fn both_ways(base: &str, head: &str, there: &[&str], back: &[&str]) {
    let (base, head) = (case(base), case(head));
    check(&base, &head, there);
    check(&head, &base, back);
}

const BOTH: &str = "cases:
  - { id: a, vars: { amount: 1 }, evaluators: [contains: x] }
  - { id: b, vars: { amount: 2 }, evaluators: [contains: y] }
";

#[test]
fn a_removed_case_weakens_and_an_added_one_does_not_unless_it_drowns_the_others() {
    let (both, one) = (set(BOTH), case("evaluators: [contains: x]"));
    check(&both, &both, &[]);
    check(&both, &one, &["weaker b: removed"]);
    check(&one, &both, &["ok b: added"]);
    let heavy = set(&BOTH.replace("[contains: y]", "[contains: y], weight: 100"));
    check(&one, &heavy, &["weaker b: added"]);
    let renamed = set(&BOTH.replace("id: b", "id: c"));
    check(&both, &renamed, &["ok c: added", "weaker b: removed"]);
    assert_eq!(told(&difference(Some(&one), None)), ["weaker a: removed"]);
    assert_eq!(told(&difference(None, Some(&one))), ["ok a: added"]);
    assert_eq!(difference(None, None), []);
}

#[test]
fn other_inputs_and_another_expectation_weaken() {
    check(
        &case("expected: yes, evaluators: [equals]"),
        &set("cases: [{ id: a, vars: { amount: '1', more: 2 }, expected: no, evaluators: [equals] }]"),
        &[
            "weaker a: the variable “amount” is “\"1\"”, before: “1”",
            "weaker a: the variable “more” is new",
            "weaker a: expected is “no”, before: “yes”",
        ],
    );
    let (with, without) = ("expected: sure, evaluators: [contains: x]", "evaluators: [contains: x]");
    both_ways(with, without, &["weaker a: expected “sure” is removed"], &["weaker a: expected “sure” is new"]);
}

#[test]
fn a_dropped_or_replaced_evaluator_weakens_and_an_added_one_does_not() {
    both_ways(
        "evaluators: [contains: x, is_json]",
        "evaluators: [is_json]",
        &["weaker a: the evaluator “contains \"x\"” is dropped"],
        &["ok a: the evaluator “contains \"x\"” is added"],
    );
    both_ways(
        "evaluators: [contains: order A-007]",
        "evaluators: [contains: order]",
        &["weaker a: the evaluator “contains \"order\"” replaces “contains \"order A-007\"”"],
        &["weaker a: the evaluator “contains \"order A-007\"” replaces “contains \"order\"”"],
    );
    // The implied comparison with `expected` goes when another evaluator comes.
    check(
        &case("expected: x"),
        &case("expected: x, evaluators: [contains: x]"),
        &["weaker a: the evaluator “equals expected” is dropped", "ok a: the evaluator “contains \"x\"” is added"],
    );
    let order = "ok a: its evaluators stand in another order";
    both_ways("evaluators: [contains: x, is_json]", "evaluators: [is_json, contains: x]", &[order], &[order]);
    check(
        &case("threshold: 0.5, evaluators: [contains: x]"),
        &case("threshold: 0.5, evaluators: [contains: x, is_json]"),
        &["weaker a: the evaluator “is_json” is added"],
    );
}

#[test]
fn a_judge_weakens_by_a_lower_threshold_another_model_or_another_rubric() {
    let judge = |more: &str| format!("evaluators: [judge: {{ rubric: Polite{more} }}]");
    let name = "“judge \"Polite\"”";
    both_ways(
        &judge(", threshold: 0.7"),
        &judge(", threshold: 0.6"),
        &[&format!("weaker a: the threshold of {name} is 0.6, before: 0.7")],
        &[&format!("ok a: the threshold of {name} is 0.7, before: 0.6")],
    );
    both_ways(
        &judge(", model: openai/gpt-4o"),
        &judge(""),
        &[&format!("weaker a: the model that judges {name} is the settings' own, before: “openai/gpt-4o”")],
        &[&format!("weaker a: the model that judges {name} is “openai/gpt-4o”, before: the settings' own")],
    );
    check(
        &case(&judge("")),
        &case(&judge(" or not")),
        &["weaker a: the evaluator “judge \"Polite or not\"” replaces “judge \"Polite\"”"],
    );
    check(&case(&judge("")), &case(&judge(", name: tone")), &[]);
    check(
        &case(&judge("")),
        &case(&judge(", metric: tone")),
        &[&format!("ok a: {name} counts towards another metric")],
    );
    check(
        &case(&judge("")),
        &case(&judge(", weight: 0")),
        &[&format!("weaker a: the weight of {name} is 0, before: 1")],
    );
}

#[test]
fn where_less_is_stricter_a_raised_threshold_weakens() {
    let negated = |threshold: f64| format!("evaluators: [not_judge: {{ rubric: Rude, threshold: {threshold} }}]");
    let said = |mark: &str, is: f64, was: f64| {
        format!("{mark} a: the threshold of “not_judge \"Rude\"” is {is}, before: {was}")
    };
    both_ways(&negated(0.3), &negated(0.6), &[&said("weaker", 0.6, 0.3)], &[&said("ok", 0.3, 0.6)]);
    let far =
        |threshold: f64| format!("evaluators: [similar: {{ value: x, measure: euclidean, threshold: {threshold} }}]");
    let changes = |from: f64, to: f64| difference(Some(&case(&far(from))), Some(&case(&far(to))));
    assert!(changes(0.3, 0.6)[0].weakens() && !changes(0.6, 0.3)[0].weakens());
}

#[test]
fn an_evaluator_that_is_turned_round_weakens() {
    check(
        &case("evaluators: [contains: x]"),
        &case("evaluators: [not_contains: x]"),
        &["weaker a: what the evaluator “contains \"x\"” asks for must not hold any more"],
    );
}

#[test]
fn what_stands_outside_the_definition_counts_too() {
    let with = |more: &str| format!("evaluators: [contains: x]{more}");
    both_ways(
        &with(", must_pass: always"),
        &with(", must_pass: reliably"),
        &["weaker a: must_pass is reliably, before: always"],
        &["ok a: must_pass is always, before: reliably"],
    );
    check(&case(&with(", must_pass: true")), &case(&with("")), &["weaker a: must_pass is absent, before: reliably"]);
    check(&case(&with("")), &case(&with(", weight: 0")), &["weaker a: its weight is 0, before: 1"]);
    check(&case(&with("")), &case(&with(", cluster: one")), &["weaker a: its cluster is “one”, before: none"]);
    check(&case(&with("")), &case(&with(", tags: [new]")), &["ok a: its tags changed"]);
    both_ways(
        &with(", threshold: 0.9"),
        &with(", threshold: 0.5"),
        &["weaker a: its threshold is lowered from 0.9 to 0.5"],
        &["ok a: its threshold is raised from 0.5 to 0.9"],
    );
    both_ways(
        &with(""),
        &with(", threshold: 0.5"),
        &["weaker a: it passes from the score 0.5 on, before: when every evaluator passed"],
        &["weaker a: its threshold 0.5 is removed; every evaluator must pass instead"],
    );
}

#[test]
fn what_every_case_has_in_common_is_told_once() {
    let base = set(&format!("evaluators: [not_contains: As an AI]\n{BOTH}"));
    let head = set(&BOTH.replace("contains: y", "contains: z"));
    check(
        &base,
        &head,
        &[
            "weaker every case: the evaluator “not_contains \"As an AI\"” is dropped",
            "weaker b: the evaluator “contains \"z\"” replaces “contains \"y\"”",
        ],
    );
}

#[test]
fn a_case_of_a_thousand_edits_is_told_in_a_few_lines() {
    let many: Vec<String> = (0..1000).map(|n| format!("contains: word{n}")).collect();
    let changes = difference(Some(&case(&format!("evaluators: [{}]", many.join(", ")))), Some(&case("expected: x")));
    let What::Edited(edits) = &changes[0].what else { panic!("{changes:?}") };
    assert_eq!(edits.len(), MAX_EDITS + 1);
    assert_eq!(edits[MAX_EDITS], Edit::weaker("and 982 more edits"));
}

/// Cases by id, each with a word to contain, a must-pass grade and a weight.
fn cases() -> impl Strategy<Value = Vec<(u8, u8, u8, u8)>> {
    let one = (0..6_u8, 0..3_u8, 0..3_u8, 0..3_u8);
    prop::collection::vec(one, 1..6).prop_map(|mut cases| {
        cases.sort_unstable();
        cases.dedup_by_key(|case| case.0);
        cases
    })
}

fn written(cases: &[(u8, u8, u8, u8)]) -> GoldenSet {
    let line = |(id, word, must, weight): &(u8, u8, u8, u8)| {
        let must = ["", ", must_pass: reliably", ", must_pass: always"][usize::from(*must)];
        format!("  - {{ id: c{id}, vars: {{ amount: 1 }}, weight: {weight}{must}, evaluators: [contains: w{word}] }}\n")
    };
    set(&format!("cases:\n{}", cases.iter().map(line).collect::<String>()))
}

proptest! {
    /// Whatever is not told as weaker leaves every case of base as strict as it was.
    #[test]
    fn no_loss_goes_untold(base in cases(), head in cases()) {
        let changes = difference(Some(&written(&base)), Some(&written(&head)));
        let weakens = changes.iter().any(SetChange::weakens);
        let as_strict = base.iter().all(|old| head.iter().any(|new| {
            (old.0, old.1, old.3) == (new.0, new.1, new.3) && new.2 >= old.2
        }));
        let heaviest = base.iter().map(|case| case.3).max().unwrap_or(0).max(1);
        let drowned = head.iter().any(|new| new.3 > heaviest && base.iter().all(|old| old.0 != new.0));
        prop_assert_eq!(weakens, !as_strict || drowned);
        prop_assert_eq!(changes.is_empty(), base == head);
    }
}
