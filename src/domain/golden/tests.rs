use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::prompt;

const PROMPT: &str = "messages: [{role: user, content: 'Refund {{amount}}?'}]\n";

fn prompt_of(text: &str) -> Prompt {
    prompt::parse(&PromptPath::parse("p/refund.prompt.yml").unwrap(), text.as_bytes()).unwrap().value
}

fn read(name: &str, text: &str) -> Result<Parsed<GoldenSet>, Vec<Diagnostic>> {
    parse(&PromptPath::parse(name).unwrap(), text.as_bytes(), &prompt_of(PROMPT))
}

fn say(found: &[Diagnostic]) -> Vec<String> {
    found
        .iter()
        .map(|found| {
            assert!(found.help.is_some(), "{found:?}");
            let at = found.location.map_or((0, 0), |at| (at.line, at.column));
            format!("{}:{} {}: {}", at.0, at.1, found.code, found.message)
        })
        .collect()
}

/// Each finding as `line:column code: message`.
fn check(name: &str, text: &str, expected: &[&str]) {
    let found = match read(name, text) {
        Ok(parsed) => parsed.warnings,
        Err(errors) => errors,
    };
    assert_eq!(say(&found), expected, "{text}");
}

const YAML: &str = r#"evaluators:                      # run on every case
  - not_contains: "As an AI"
cases:
  - id: refund-over-limit        # stable, unique; if absent, derived from the content of vars
    vars: { amount: "900 EUR" }
    expected: "Escalate to a person"
    must_pass: always            # always | reliably | absent
    weight: 2
    tags: [refund]
    cluster: refunds             # cases that share a source are not independent
    evaluators:
      - contains: escalate
      - judge: { rubric: "Polite and formal", threshold: 0.7, metric: tone }
  - vars: { amount: 3 }
    must_pass: true
"#;

#[test]
fn the_documented_yaml_says_what_it_says() {
    let set = read("p/refund.golden.yml", YAML).unwrap().value;
    let case = &set.cases[0];
    assert_eq!(
        (&*case.id, case.must_pass, case.weight, case.line),
        ("refund-over-limit", Some(MustPass::Always), 2.0, 4)
    );
    assert_eq!(case.vars["amount"], json!("900 EUR"));
    assert_eq!((case.expected.as_deref(), case.cluster.as_deref()), (Some("Escalate to a person"), Some("refunds")));
    assert_eq!((&*case.tags, case.evaluators.len()), (["refund".to_owned()].as_slice(), 3));
    let second = &set.cases[1];
    assert_eq!((second.must_pass, second.evaluators.len(), second.tags.len()), (Some(MustPass::Reliably), 1, 0));
    assert!(second.id.starts_with("case-"), "{}", second.id);
}

#[test]
fn the_three_formats_give_the_same_cases() {
    let yaml = "cases:\n- { id: a, vars: { amount: '1' }, expected: Yes, must_pass: reliably, weight: 0.5, tags: [x, y], cluster: c }\n";
    let jsonl = "{\"id\":\"a\",\"vars\":{\"amount\":\"1\"},\"expected\":\"Yes\",\"must_pass\":true,\"weight\":0.5,\"tags\":[\"x\",\"y\"],\"cluster\":\"c\"}\n";
    let csv = "id,amount,expected,must_pass,weight,tags,cluster\na,1,Yes,true,0.5,\"x, y\",c\n";
    let sets: Vec<String> = [("a.yml", yaml), ("a.jsonl", jsonl), ("a.csv", csv)]
        .iter()
        .map(|(name, text)| {
            let case = read(name, text).unwrap().value.cases.remove(0);
            format!(
                "{:?}",
                (
                    case.id,
                    case.vars,
                    case.expected,
                    case.must_pass,
                    case.weight,
                    case.tags,
                    case.cluster,
                    case.definition
                )
            )
        })
        .collect();
    assert_eq!(sets[0], sets[1]);
    assert_eq!(sets[0], sets[2]);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    for (name, text) in [
        ("a.yml", YAML),
        ("a.jsonl", "{\"vars\":{\"amount\":1},\"expected\":\"x\"}\n"),
        ("a.csv", "amount,expected\n1,x\n"),
    ] {
        let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        let (windows, unix) = (read(name, &windows).unwrap().value, read(name, text).unwrap().value);
        let of = |set: &GoldenSet| {
            set.cases.iter().map(|case| (case.id.clone(), case.line, case.definition)).collect::<Vec<_>>()
        };
        assert_eq!(of(&windows), of(&unix), "{name}");
    }
    check("a.jsonl", "\r\n{}x\r\n", &["2:3 invalid-json: invalid JSON: trailing characters"]);
    check("a.csv", "amount,expected\r\n\r\n1,x\r\n2\r\n", &["4:1 invalid-csv: the row has 1 fields, the header 2"]);
}

#[test]
fn a_definition_is_what_is_asked_and_checked_and_nothing_else() {
    let definition = |case: &str| read("a.yml", &format!("cases:\n- {case}\n")).unwrap().value.cases[0].definition;
    let same = definition("{ id: a, vars: { amount: 1 }, expected: x }");
    assert_eq!(
        definition("{ id: b, weight: 3, tags: [t], must_pass: always, vars: { amount: 1 }, expected: x }"),
        same
    );
    for other in [
        "{ id: a, vars: { amount: 2 }, expected: x }",
        "{ id: a, vars: { amount: 1 }, expected: y }",
        "{ id: a, vars: { amount: 1 }, expected: x, evaluators: [{ contains: x }] }",
        "{ id: a, vars: { amount: 1 }, evaluators: [{ judge: { rubric: x, threshold: 0.5 } }] }",
    ] {
        assert_ne!(definition(other), same, "{other}");
    }
}

#[test]
fn a_case_with_expected_and_no_evaluator_at_all_is_judged_by_equals() {
    let set = read("a.csv", "amount,expected\n1,x\n2,y\n").unwrap().value;
    assert_eq!(set.cases[0].evaluators.len(), 1);
    assert!(Arc::ptr_eq(&set.cases[0].evaluators, &set.cases[1].evaluators));
    let errors = read("a.csv", "amount\n1\n").unwrap_err();
    assert_eq!((errors[0].code.as_str(), errors[0].location.unwrap().line), ("checks-nothing", 2));
    let prompt = prompt_of(&format!("{PROMPT}evaluators: [{{ contains: a }}]\n"));
    let path = PromptPath::parse("a.csv").unwrap();
    let set = parse(&path, b"amount,expected\n1,x\n2,\n", &prompt).unwrap().value;
    assert_eq!(set.cases[0].evaluators.len(), 1);
}

#[test]
fn a_large_yaml_file_is_streamed_and_says_the_same() {
    let comment = format!("# {}\n", "x".repeat(1 << 20));
    for text in [YAML, "cases:\n- vars: { amount: 1 }\nevaluators: [{ contains: a }]\n"] {
        let (small, large) =
            (read("a.yml", text).unwrap().value, read("a.yml", &format!("{text}{comment}")).unwrap().value);
        assert_eq!(format!("{:?}", small.cases), format!("{:?}", large.cases));
    }
    check("a.yml", &format!("cases:\n- id: a\n  id: b\n{comment}"), &["3:3 duplicate-key: duplicate key `id`"]);
    check(
        "a.yml",
        &format!("cases:\n- {{ expects: x }}\n{comment}"),
        &["2:5 unknown-key: unknown key `expects` in a case"],
    );
    for text in ["cases: 3\n", "- a\n", "cases: []\n", ""] {
        assert_eq!(read("a.yml", &format!("{text}{comment}")).unwrap_err().len(), 1, "{text}");
    }
}

#[test]
fn no_cases_is_an_error() {
    for (name, text) in [
        ("a.yml", ""),
        ("a.yml", "cases: []\n"),
        ("a.yml", "evaluators: []\n"),
        ("a.jsonl", "\n"),
        ("a.csv", ""),
        ("a.csv", "amount\n"),
    ] {
        let errors = read(name, text).unwrap_err();
        assert_eq!((errors.len(), errors[0].code.as_str()), (1, "no-cases"), "{name} {text:?}");
        assert_eq!(errors[0].location.unwrap().line, 1);
    }
}

#[test]
fn a_case_that_only_compares_the_sides_cannot_be_must_pass() {
    let case = |evaluators: &str| {
        format!("cases:\n- {{ id: a, vars: {{ amount: 1 }}, must_pass: true, evaluators: [{evaluators}] }}\n")
    };
    let error = "2:3 must-pass-compares: case `a` must pass, but only `select_best` judges it: must-pass runs are of the new prompt \
                 alone, and where there is no other answer to compare with, every answer passes";
    check("a.yml", &case("{ select_best: polite }"), &[error]);
    check("a.yml", &case("{ select_best: polite }, { contains: { value: x, weight: 0 } }"), &[error]);
    check("a.yml", &case("{ select_best: polite }, { contains: x }"), &[]);
    check("a.yml", &case("{ select_best: { criterion: polite, weight: 0 } }"), &[]);
}

#[test]
fn two_cases_with_one_id_are_an_error_that_names_both_lines() {
    let case = |id: &str| format!("- id: {id}\n  vars: {{ amount: 1 }}\n  expected: x\n");
    check(
        "a.yml",
        &format!("cases:\n{}{}", case("a"), case("a")),
        &["5:7 duplicate-id: two cases have the same id: case `a` on line 5 is also on line 2"],
    );
    let line = "{\"vars\":{\"amount\":1},\"expected\":\"x\"}\n";
    let errors = read("a.jsonl", &format!("{line}{line}")).unwrap_err();
    assert!(errors[0].message.ends_with("on line 2 is also on line 1"), "{errors:?}");
    check(
        "a.csv",
        "id,amount,expected\na,1,x\na,2,x\n",
        &["3:1 duplicate-id: two cases have the same id: case `a` on line 3 is also on line 2"],
    );
}

#[test]
fn wrong_keys_and_types_are_told_all_at_once() {
    check(
        "a.yml",
        "cases:\n- { expects: x }\n- { weight: -1, expected: a }\n- { must_pass: sometimes, expected: a }\n- { tags: a, expected: }\n",
        &[
            "2:5 unknown-key: unknown key `expects` in a case",
            "3:13 out-of-range: `weight` is -1, but must be at least 0",
            "4:16 unknown-value: `must_pass` is `sometimes`",
            "5:11 wrong-type: `tags` must be a list, found a text",
            "5:22 wrong-type: `expected` has no value; it must be a text",
        ],
    );
    check("a.yml", "cases: 3\n", &["1:8 wrong-type: `cases` must be a list, found a number"]);
    check("a.yml", "- a\n", &["1:1 wrong-type: a golden set must be a mapping, found a list"]);
    check(
        "a.yml",
        "case: []\n",
        &["1:1 unknown-key: unknown key `case` in a golden set", "1:1 no-cases: the golden set has no cases"],
    );
}

#[test]
fn yaml_that_is_broken_is_one_error_with_its_line() {
    check("a.yml", "cases:\n- id: a\n  id: b\n", &["3:3 duplicate-key: duplicate key `id`"]);
    check("a.yml", "cases:\n\t- id: a\n", &["2:1 yaml-tab: a tab in the indentation; YAML allows only spaces there"]);
    check("a.txt", "", &["0:0 unknown-format: `a.txt` is in no known golden set format"]);
    check(
        "a.yml",
        "version https://git-lfs.github.com/spec/v1\n",
        &["1:1 lfs-pointer: the file is a Git LFS pointer, not the text itself"],
    );
    let path = PromptPath::parse("a.csv").unwrap();
    assert_eq!(
        say(&parse(&path, b"a\n\xff\n", &prompt_of(PROMPT)).unwrap_err()),
        ["2:1 not-utf8: the byte 0xff here is not UTF-8"]
    );
}

#[test]
fn json_lines_have_columns() {
    let good = "{\"id\":\"a\",\"vars\":{\"amount\":1},\"expected\":\"x\"}\n";
    check("a.jsonl", &format!("{good}{{\"id\": }}\n"), &["2:8 invalid-json: invalid JSON: expected value"]);
    check(
        "a.jsonl",
        "{\"vars\": {\"é\": 1, \"a\": 2, \"a\": 3}, \"expected\": \"x\"}\n",
        &["1:27 duplicate-key: duplicate key `a`"],
    );
    check(
        "a.jsonl",
        "{\"expected\": \"x\", \"weight\": \"heavy\"}\n",
        &["1:29 wrong-type: `weight` must be a number, found a text"],
    );
    check("a.jsonl", "[1]\n", &["1:1 wrong-type: a case must be a mapping, found a list"]);
    check(
        "a.jsonl",
        "{\"expected\": \"\\ud800\"}\n",
        &["1:21 invalid-json: invalid JSON: unexpected end of hex escape"],
    );
    let deep = format!("{{\"vars\":{}1{}}}\n", "[".repeat(300), "]".repeat(300));
    assert_eq!(read("a.jsonl", &deep).unwrap_err().len(), 1);
    let emoji = "{\"id\":\"a\",\"vars\":{\"amount\":\"\\ud83d\\ude00\"},\"expected\":\"x\"}";
    assert_eq!(read("a.jsonl", emoji).unwrap().value.cases[0].vars["amount"], json!("😀"));
}

#[test]
fn what_does_not_compile_is_an_error_at_its_place() {
    let errors = read("a.yml", "cases:\n- vars: { amount: 1 }\n  evaluators:\n    - regex: '('\n").unwrap_err();
    assert_eq!(say(&errors[..1])[0].split(':').take(2).collect::<Vec<_>>(), ["4", "14 invalid-evaluator"]);
    let errors =
        read("a.yml", "evaluators:\n- json_schema: { type: 3 }\ncases: [{ vars: { amount: 1 } }]\n").unwrap_err();
    assert_eq!((errors.len(), errors[0].location.unwrap().line), (1, 2), "{errors:?}");
    let errors = read("a.jsonl", "{\"expected\":\"x\",\"evaluators\":[{\"regex\":\"(\"}]}\n").unwrap_err();
    assert_eq!(errors[0].location.map(|at| (at.line, at.column)), Some((1, 40)));
    check(
        "a.yml",
        "cases: [{ vars: { amount: 1 }, evaluators: [{ containz: x }] }]\n",
        &["1:47 unknown-evaluator: unknown evaluator `containz`"],
    );
}

#[test]
fn csv_understands_promptfoos_assertions() {
    let header = "amount,__expected,__expected1,__expected2,__description\n";
    let set = read("a.csv", &format!("{header}1,contains: a,llm-rubric(0.8): polite,Just this,d\n2,,is-json,,\n"))
        .unwrap()
        .value;
    assert_eq!(set.cases[0].evaluators.len(), 3);
    assert_eq!(set.cases[0].evaluators[1].threshold, Some(0.8));
    assert_eq!(set.cases[1].evaluators.len(), 1);
    assert!(!set.cases[0].vars.contains_key("__description"));
    check("a.csv", "amount,__expected\n1,frobnicate:x\n", &["2:1 unknown-evaluator: unknown evaluator `frobnicate`"]);
    let errors = read("a.csv", "amount,__expected\n1,regex:(\n").unwrap_err();
    assert_eq!((errors[0].code.as_str(), errors[0].location.unwrap().line), ("invalid-evaluator", 2));
}

#[test]
fn csv_errors_name_their_line() {
    check("a.csv", "amount,expected\n\"1\n2\",x\n3\n", &["4:1 invalid-csv: the row has 1 fields, the header 2"]);
    check("a.csv", "amount,expected\n1,\"x\n2,y\n", &["2:1 invalid-csv: a quoted field is never closed"]);
    check("a.csv", "amount,amount\n1,2\n", &["1:1 duplicate-key: duplicate column `amount`"]);
    check("a.csv", "amount,__before\n1,2\n", &["1:1 unknown-column: column `__before` is not understood"]);
    check(
        "a.csv",
        "amount,expected,weight\n1,x,much\n",
        &["2:1 out-of-range: `weight` is `much`, but must be a number of at least 0"],
    );
    check("a.csv", "amount,expected,must_pass\n1,x,perhaps\n", &["2:1 unknown-value: `must_pass` is `perhaps`"]);
    let quoted = read("a.csv", "amount,expected\n\"a \"\"b\"\", c\",x\n").unwrap().value;
    assert_eq!(quoted.cases[0].vars["amount"], json!("a \"b\", c"));
}

#[test]
fn test_data_is_a_golden_set() {
    let prompt = prompt_of(&format!("{PROMPT}testData:\n- amount: 1\n  expected: yes\n- amount: 2\n  expected: 3\n"));
    let set = inline(&prompt).unwrap().unwrap().value;
    assert_eq!(
        set.cases.iter().map(|case| (case.expected.as_deref(), case.line)).collect::<Vec<_>>(),
        [(Some("yes"), 3), (Some("3"), 5)]
    );
    assert!(!set.cases[0].vars.contains_key("expected"));
    assert!(inline(&prompt_of(PROMPT)).is_none());
    let nothing = prompt_of(&format!("{PROMPT}testData:\n- amount: 1\n"));
    assert_eq!(inline(&nothing).unwrap().unwrap_err()[0].code, "checks-nothing");
}

#[test]
fn a_variable_without_a_value_is_named_with_its_case_and_place() {
    let prompt = prompt_of(
        "messages:\n- role: user\n  content: |\n    Refund {{ amount }}\n    in {{city}}, {{lang}}\nvariables: { lang: { default: en } }\nevaluators:\n- contains: '{{tone}}'\n- levenshtein: 3\n",
    );
    let path = PromptPath::parse("p/a.golden.csv").unwrap();
    let set = parse(&path, b"id,amount,tone\na,1,x\nb,2,y\nc,3,z\nd,4,z\n", &prompt).unwrap().value;
    assert_eq!(
        say(&check_variables(&prompt, &set)),
        [
            "5:8 undefined-variable: variable `city` in a message has no value in cases `a` (p/a.golden.csv:2), `b` (p/a.golden.csv:3), `c` (p/a.golden.csv:4) and 1 more",
            "9:16 undefined-variable: variable `expected` in an evaluator has no value in cases `a` (p/a.golden.csv:2), `b` (p/a.golden.csv:3), `c` (p/a.golden.csv:4) and 1 more",
        ]
    );
}

#[test]
fn a_variable_missing_in_the_sets_own_evaluators_is_an_error_there() {
    check(
        "a.yml",
        "evaluators: [{ contains: '{{ tone }}' }]\ncases:\n- { id: a, vars: { amount: 1 }, evaluators: [levenshtein: 2, contains: '{{amount}}'] }\n- { id: b }\n",
        &[
            "1:26 undefined-variable: variable `tone` in an evaluator has no value in case `a`",
            "3:59 undefined-variable: the evaluator needs `expected`, which case `a` does not have",
        ],
    );
}

#[test]
fn a_pattern_that_a_case_breaks_is_an_error_in_that_case() {
    let cases = "cases:\n- { id: a, vars: { amount: 1 } }\n- { id: b, vars: { amount: '(' } }\n";
    let errors = read("a.yml", &format!("evaluators: [{{ regex: '{{{{amount}}}}' }}]\n{cases}")).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].message.starts_with("in case `b`: "), "{errors:?}");
    let prompt = prompt_of(&format!("{PROMPT}evaluators: [{{ regex: '{{{{amount}}}}' }}]\n"));
    let set = parse(&PromptPath::parse("a.yml").unwrap(), cases.as_bytes(), &prompt).unwrap().value;
    let found = check_variables(&prompt, &set);
    assert!(found.len() == 1 && found[0].message.starts_with("in case `b` "), "{found:?}");
    assert_eq!(found[0].location.unwrap().line, 2);
}

#[test]
fn a_file_of_broken_cases_says_so_at_most_fifty_times() {
    let text = "{\"weigth\":1}\n".repeat(1000);
    let errors = read("a.jsonl", &text).unwrap_err();
    assert_eq!(errors.len(), 51);
    assert!(errors[50].message.ends_with("more errors are not shown"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), format in 0usize..3) {
        let path = PromptPath::parse(["a.yml", "a.jsonl", "a.csv"][format]).unwrap();
        let _ = parse(&path, &bytes, &prompt_of(PROMPT));
    }

    #[test]
    fn no_json_like_text_panics(text in "[{}\\[\\]\",:0-9a-ztrue\\\\ \\n]{0,120}") {
        let _ = read("a.jsonl", &text);
    }

    #[test]
    fn no_csv_like_text_panics(text in "(amount|id|__expected|,|\"|\\n|\\r\\n|contains:|x| |\\(){0,40}") {
        let _ = read("a.csv", &text);
    }

    #[test]
    fn no_broken_example_panics(cut in 0usize..900, junk in "[\\PC\\n\\t]{0,8}") {
        let at = (0..=cut.min(YAML.len())).rev().find(|at| YAML.is_char_boundary(*at)).unwrap();
        let _ = read("a.yml", &format!("{}{junk}{}", &YAML[..at], &YAML[at..]));
    }

    #[test]
    fn a_csv_of_any_texts_gives_them_back(fields in proptest::collection::vec("\\PC{1,20}", 1..8)) {
        let mut out = ::csv::Writer::from_writer(Vec::new());
        out.write_record(["id", "amount", "expected"]).unwrap();
        for (number, field) in fields.iter().enumerate() {
            out.write_record([number.to_string().as_str(), field, "x"]).unwrap();
        }
        let bytes = out.into_inner().unwrap();
        let path = PromptPath::parse("a.csv").unwrap();
        let set = parse(&path, &bytes, &prompt_of(PROMPT)).unwrap().value;
        for (case, field) in set.cases.iter().zip(&fields) {
            prop_assert_eq!(&case.vars["amount"], &json!(field));
        }
    }
}

mod columns;
