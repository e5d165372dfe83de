//! Stories of configs, from text to prompts and cases.

mod corpus;

use proptest::prelude::*;

use super::*;
use crate::domain::prompt::Vars;

/// A config at `evals/promptfooconfig.yaml` with these files of the repository.
fn read(config: &str, files: &[(&str, &str)]) -> Result<Parsed<Vec<(Prompt, GoldenSet)>>, Vec<Diagnostic>> {
    let path = PromptPath::parse("evals/promptfooconfig.yaml").unwrap();
    read_at(&path, config.as_bytes(), files)
}

fn read_at(
    path: &PromptPath,
    config: &[u8],
    files: &[(&str, &str)],
) -> Result<Parsed<Vec<(Prompt, GoldenSet)>>, Vec<Diagnostic>> {
    let mut attached = Attachments::default();
    for _ in 0..20 {
        let missing = references(path, config, &attached);
        if missing.is_empty() {
            return parse(path, config, &attached);
        }
        for reference in missing {
            let meant = |file: &str| match &reference {
                Reference::File(wanted) => wanted.as_str() == file,
                Reference::Glob(glob) => {
                    let file = PromptPath::parse(file).unwrap();
                    crate::domain::governed::Patterns::new([glob.as_str()]).is_ok_and(|glob| glob.matches(&file))
                }
            };
            let found = files.iter().filter(|(file, _)| meant(file));
            let found = found.map(|(file, text)| (PromptPath::parse(file).unwrap(), text.as_bytes().into())).collect();
            attached.insert(reference, found);
        }
    }
    panic!("a config never stops asking for files")
}

/// Each prompt as `label: case {vars} evaluators | …`.
fn told(found: &[(Prompt, GoldenSet)]) -> Vec<String> {
    let case = |case: &crate::domain::golden::Case| {
        let evaluators: Vec<&str> = case.evaluators.iter().map(|evaluator| &*evaluator.name).collect();
        format!("{} {} {}", case.id, serde_json::to_string(&*case.vars).unwrap(), evaluators.join(" + "))
    };
    let prompt = |(prompt, set): &(Prompt, GoldenSet)| {
        let cases: Vec<String> = set.cases.iter().map(case).collect();
        format!("{}: {}", prompt.label.as_deref().unwrap_or("?"), cases.join(" | "))
    };
    found.iter().map(prompt).collect()
}

#[track_caller]
fn check(config: &str, files: &[(&str, &str)], expected: &[&str]) -> Vec<(Prompt, GoldenSet)> {
    let found = read(config, files).unwrap_or_else(|findings| panic!("{findings:#?}")).value;
    assert_eq!(told(&found), expected);
    found
}

#[track_caller]
fn refused(config: &str, files: &[(&str, &str)], expected: &[&str]) {
    let found = read(config, files).map(|parsed| told(&parsed.value)).unwrap_err();
    let said: Vec<String> = found
        .iter()
        .map(|finding| {
            assert!(finding.help.is_some(), "{finding:?}");
            let at = finding.location.map_or((0, 0), |at| (at.line, at.column));
            format!("{}:{}:{} {}: {}", finding.path, at.0, at.1, finding.code, finding.message)
        })
        .collect();
    assert_eq!(said, expected);
}

#[test]
fn defaults_lie_below_every_test() {
    let config = r#"
prompts: ["{{a}} {{b}} {{c}}"]
defaultTest:
  vars: { a: 1, b: x }
  threshold: 0.5
  options: { prefix: "> " }
  assert: [{ type: contains, value: all }]
tests:
- vars: { b: y, c: z }
  assert: [{ type: contains, value: own }]
- vars: { c: z }
  threshold: 0.25
  options: { prefix: "", suffix: "{{c}}!", disableDefaultAsserts: true }
- description: Third
  metadata: { id: third, tags: [x] }
  vars: { c: z }
"#;
    let found = check(
        config,
        &[],
        &[
            "prompt 1: case-f13dc809449b {\"__prefix\":\"> \",\"a\":1,\"b\":\"y\",\"c\":\"z\"} contains \"all\" + contains \"own\" | \
           case-1b81cf59b0db {\"__prefix\":\"\",\"__suffix\":\"z!\",\"a\":1,\"b\":\"x\",\"c\":\"z\"}  | \
           third {\"__prefix\":\"> \",\"a\":1,\"b\":\"x\",\"c\":\"z\"} contains \"all\"",
        ],
    );
    let thresholds: Vec<_> = found[0].1.cases.iter().map(|case| case.threshold).collect();
    assert_eq!(thresholds, [Some(0.5), Some(0.25), Some(0.5)]);
    let said = found[0].0.render(&found[0].1.cases[1].vars).unwrap();
    assert_eq!(&*said[0].content, "1 x zz!");
}

#[test]
fn tests_come_from_files_of_every_kind_and_are_shown_where_they_stand() {
    let files = [
        ("evals/t/a.yaml", "- vars: { n: 1 }\n- vars: common.json\n  description: two\n"),
        ("evals/t/b.json", "[{\"vars\": {\"n\": 3}}]"),
        ("evals/common.json", "{\"n\": 2}"),
        ("evals/t/common.json", "{\"n\": 2}"),
        ("evals/l.jsonl", "{\"vars\": {\"n\": 4}, \"description\": \"four\"}\n"),
        ("evals/c.csv", "n,id\n5,five\n"),
    ];
    let found = check(
        "prompts: ['{{n}}']\ntests: [file://t/*.yaml, file://t/b.json, file://l.jsonl, c.csv]\n",
        &files,
        &[
            "prompt 1: case-41c3cec4a218 {\"n\":1}  | two {\"n\":2}  | case-cdf1bd11dc87 {\"n\":3}  | four {\"n\":4}  | \
           case-62a96a71e94c {\"id\":\"five\",\"n\":\"5\"} ",
        ],
    );
    assert_eq!(found[0].1.path.as_str(), "evals/promptfooconfig.yaml");
    assert!(found[0].1.cases.iter().all(|case| case.line == 2));
    let found = read("prompts: ['{{n}}']\ntests: file://c.csv\n", &files).unwrap().value;
    assert_eq!((found[0].1.path.as_str(), found[0].1.cases[0].line), ("evals/c.csv", 2));
}

#[test]
fn scenarios_run_every_test_on_every_set_of_data() {
    let config = "
prompts: ['{{lang}} {{text}}']
scenarios:
- config: [{ vars: { lang: fr, hi: salut } }, { vars: { lang: de, hi: hallo } }]
  tests:
  - description: greets
    vars: { text: hi }
    assert: [{ type: contains, value: '{{hi}}' }]
";
    check(
        config,
        &[],
        &["prompt 1: case-1ca365b628c7 {\"hi\":\"salut\",\"lang\":\"fr\",\"text\":\"hi\"} contains \"{{hi}}\" | \
           case-59abc22e92c4 {\"hi\":\"hallo\",\"lang\":\"de\",\"text\":\"hi\"} contains \"{{hi}}\""],
    );
}

/// The models that the assertions of a test name, given its `options` and `assert`.
fn judges_of(options: &str, assert: &str) -> Vec<Option<String>> {
    use crate::domain::evaluator::spec::{CheckSpec, GradedSpec};
    let config = format!("prompts: [Hi]\ntests:\n- {{ vars: {{ query: q }}, options: {options}, assert: {assert} }}\n");
    let found = read(&config, &[]).unwrap_or_else(|findings| panic!("{findings:#?}")).value;
    let model = |check: &CheckSpec| match check {
        CheckSpec::Judge { model, .. } | CheckSpec::Graded(GradedSpec { model, .. }) => model.clone(),
        other => panic!("no model is asked: {other:?}"),
    };
    let named = |evaluator: &crate::domain::evaluator::Evaluator| model(&evaluator.spec().check);
    let models = found[0].1.cases[0].evaluators.iter().map(named);
    models.map(|model| model.map(|model| model.as_str().to_owned())).collect()
}

#[test]
fn every_graded_kind_is_judged_by_the_provider_of_its_assertion_or_its_test() {
    let check = |options: &str, assert: &str, expected: &[Option<&str>]| {
        let expected: Vec<_> = expected.iter().map(|model| model.map(str::to_owned)).collect();
        assert_eq!(judges_of(options, assert), expected, "{options} {assert}");
    };
    let kinds = "[{ type: llm-rubric, value: x }, { type: g-eval, value: x }, { type: factuality, value: x }, \
                 { type: similar, value: x }]";
    let chat = Some("openai/gpt-4o");
    check("{}", kinds, &[None, None, None, None]);
    check("{ provider: 'openai:chat:gpt-4o' }", kinds, &[chat, chat, chat, None]);
    let vectors = Some("openai/small");
    check("{ provider: 'openai:embedding:small' }", kinds, &[None, None, None, vectors]);
    let both = "{ provider: { text: { id: 'openai:gpt-4o' }, embedding: 'openai:embedding:small' } }";
    check(both, kinds, &[chat, chat, chat, vectors]);
    let own = "[{ type: model-graded-closedqa, value: x, provider: 'anthropic:messages:c' }, \
               { type: similar, value: x, provider: 'voyage:voyage-3' }, { type: answer-relevance }]";
    check(both, own, &[Some("anthropic/c"), Some("voyage/voyage-3"), chat]);
}

#[test]
fn a_provider_that_an_assertion_cannot_ask_is_said_to_be_unused() {
    let check = |assert: &str, expected: &str| {
        let parsed = read(&format!("prompts: [Hi]\ntests:\n- assert: [{assert}]\n"), &[]).unwrap();
        let said = parsed.warnings.iter().map(|one| format!("{}; {}", one.message, one.help.as_ref().unwrap()));
        assert_eq!(said.collect::<Vec<_>>(), [expected]);
    };
    check(
        "{ type: similar, value: x, provider: 'openai:gpt-4o' }",
        "`provider` of `similar` is not used; name an embeddings model, for instance `openai:embedding:text-embedding-3-small`",
    );
    check(
        "{ type: contains, value: x, provider: 'openai:gpt-4o' }",
        "`provider` of `contains` is not used; remove it: no model is asked",
    );
}

#[test]
fn filters_choose_prompts_and_providers() {
    let config = "
prompts:
- { label: 'short:a', raw: A }
- { label: 'short:b', raw: B }
- { label: long, raw: C }
providers:
- { id: openai:gpt-4o, label: big, prompts: [short] }
- openai:gpt-4o-mini
tests:
- { description: all }
- { description: minis, providers: ['openai:gpt-4o-*'] }
- { description: longs, prompts: [long] }
";
    check(
        config,
        &[],
        &[
            "short:a [big]: all {} ",
            "short:b [big]: all {} ",
            "short:a [openai:gpt-4o-mini]: all {}  | minis {} ",
            "short:b [openai:gpt-4o-mini]: all {}  | minis {} ",
            "long [openai:gpt-4o-mini]: all {}  | minis {}  | longs {} ",
        ],
    );
}

#[test]
fn a_set_of_assertions_counts_as_one_and_templates_are_followed() {
    let config = "
prompts: [Hi]
assertionTemplates:
  kind: { type: contains, value: please }
tests:
- assert:
  - $ref: '#/assertionTemplates/kind'
  - type: assert-set
    threshold: 0.5
    weight: 3
    metric: tone
    assert:
    - { type: contains, value: a, metric: own }
    - $ref: '#/assertionTemplates/kind'
";
    let found = check(
        config,
        &[],
        &["prompt 1: case-411a485216e4 {} contains \"please\" + contains \"a\" + contains \"please\""],
    );
    let case = &found[0].1.cases[0];
    assert_eq!(
        (case.sets[0].first, case.sets[0].count, case.sets[0].weight, case.sets[0].threshold),
        (1, 2, 3.0, Some(0.5))
    );
    let metrics: Vec<_> = case.evaluators.iter().map(|evaluator| evaluator.metric.as_deref()).collect();
    assert_eq!(metrics, [None, Some("own"), Some("tone")]);
}

#[test]
fn names_of_cases_are_unique_and_stable() {
    let config = "
prompts: [Hi]
tests:
- { description: same }
- { description: same }
- { description: one, vars: { l: [a, b] } }
- { metadata: { id: x }, description: one more }
";
    check(
        config,
        &[],
        &[
            "prompt 1: case-411a485216e4 {}  | case-411a485216e4 #2 {}  | one [l=a] {\"l\":\"a\"}  | one [l=b] {\"l\":\"b\"}  | x {} ",
        ],
    );
    refused(
        "prompts: [Hi]\ntests:\n- { metadata: { id: x } }\n- { metadata: { id: x }, vars: { a: 1 } }\n",
        &[],
        &[
            "evals/promptfooconfig.yaml:4:21 duplicate-id: two cases have the same id: case `x` on line 4 is also on line 3",
        ],
    );
}

#[test]
fn a_config_without_prompts_asks_what_its_tests_say() {
    let found =
        check("tests: [{ vars: { prompt: Hello } }]\n", &[], &["prompt 1: case-60cd522c15c7 {\"prompt\":\"Hello\"} "]);
    assert_eq!(&*found[0].0.render(&found[0].1.cases[0].vars).unwrap()[0].content, "Hello");
}

#[test]
fn a_config_without_tests_asks_once_and_passes() {
    check("prompts: [Hi]\n", &[], &["prompt 1: case-411a485216e4 {} "]);
}

#[test]
fn settings_of_a_provider_are_sent_or_said() {
    let config = "
prompts: [{ raw: Hi, config: { temperature: 0.9 } }]
providers:
- id: openai:gpt-4o
  config:
    temperature: 0.2
    max_tokens: 9
    stop: [END]
    presence_penalty: 1
    response_format: file://schema.yaml
    tools: [{ type: function, function: { name: f, parameters: { type: object } } }]
";
    let files = [("evals/schema.yaml", "type: json_schema\njson_schema: { name: s, schema: { type: object } }\n")];
    let parsed = read(config, &files).unwrap();
    let (prompt, _) = &parsed.value[0];
    assert_eq!((prompt.parameters.temperature, prompt.parameters.max_tokens), (Some(0.9), Some(9)));
    assert_eq!((prompt.parameters.stop.as_slice(), prompt.tools.len()), (&["END".to_owned()][..], 1));
    assert!(
        matches!(&prompt.response_format, crate::domain::prompt::ResponseFormat::JsonSchema { name, .. } if name == "s")
    );
    assert_eq!(parsed.warnings[0].message, "`presence_penalty` of a provider's config is not sent");
    refused(
        "prompts: [Hi]\nproviders: [{ id: openai:gpt-4o, config: { apiBaseUrl: http://x } }]\n",
        &[],
        &[
            "evals/promptfooconfig.yaml:2:44 setting-refused: `apiBaseUrl` would send the request elsewhere or with another key",
        ],
    );
}

#[test]
fn findings_stand_in_the_file_they_are_of() {
    refused(
        "prompts: [file://p.txt]\ntests: [file://t.yaml, file://c.csv]\n",
        &[
            ("evals/p.txt", "Hi\n---\nYou {{ a | b }}\n"),
            ("evals/t.yaml", "- vars: { a: 1 }\n- assert: [{ type: python, value: x }]\n"),
            ("evals/c.csv", "a,__expected\n1,javascript:x\n"),
        ],
        &[
            "evals/p.txt:3:5 nunjucks-refused: `{{ a | b }}` is an expression of Nunjucks; templates here only fill `{{ name }}`",
            "evals/t.yaml:2:20 code-refused: the assertion type `python` is code, and no code of a repository is run here",
            "evals/c.csv:2:1 unsupported-evaluator: `javascript` is not supported: it runs code from the file",
        ],
    );
}

#[test]
fn files_are_named_with_what_a_change_of_them_is() {
    let path = PromptPath::parse("a/promptfooconfig.yaml").unwrap();
    let config = b"prompts: [file://p/*.txt]\ntests: [{ vars: { x: file://v.txt } }]\n";
    let mut attached = Attachments::default();
    let missing = references(&path, config, &attached);
    let file = |name: &str| PromptPath::parse(name).unwrap();
    assert_eq!(missing, [Reference::File(file("a/v.txt")), Reference::Glob("a/p/*.txt".to_owned())]);
    attached.insert(missing[0].clone(), vec![(file("a/v.txt"), b"v".as_slice().into())]);
    attached.insert(missing[1].clone(), vec![(file("a/p/1.txt"), b"P".as_slice().into())]);
    let changes: Vec<_> = attached_changes(&path, config, &attached).into_iter().collect();
    assert_eq!(changes, [(file("a/p/1.txt"), Change::Prompt), (file("a/v.txt"), Change::GoldenSet)]);
    assert!(references(&path, config, &attached).is_empty());
}

#[test]
fn what_is_a_config_under_another_name_is_seen_by_its_keys() {
    let seen = |name: &str, text: &str| looks_like(&PromptPath::parse(name).unwrap(), text.as_bytes());
    assert!(seen("evals/x.yaml", "prompts: [a]\ntests: []\n"));
    assert!(seen("x.json", "{\"providers\": [], \"prompts\": []}"));
    assert!(!seen("ci.yml", "on: push\njobs: {}\n"));
    assert!(!seen("x.yaml", "prompts: [\n"));
    assert!(!seen("x.txt", "prompts: [a]\ntests: []\n"));
}

const WHOLE: &str = "prompts: ['Hi {{a}}', file://p.txt]\nproviders: [openai:gpt-4o]\ndefaultTest: { assert: [{ type: contains, value: x }] }\n\
    tests:\n- vars: { a: [x, y], b: file://v.yaml }\n  assert: [{ type: assert-set, threshold: 0.5, assert: [{ type: equals, value: z }] }]\n- file://c.csv\n";
const FILES: [(&str, &str); 3] =
    [("evals/p.txt", "P {{a}}\n---\nQ\n"), ("evals/v.yaml", "k: 1\n"), ("evals/c.csv", "a,__expected\n1,contains:x\n")];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_mutation_of_a_config_panics(at in 0usize..400, cut in 0usize..12, put in "[ \\[\\]{}:,'\"\\n*&!|>%#a-z$/.-]{0,8}") {
        let start = at.min(WHOLE.len());
        let mutated = format!("{}{put}{}", &WHOLE[..start], &WHOLE[(start + cut).min(WHOLE.len())..]);
        if let Ok(parsed) = read(&mutated, &FILES) {
            for (prompt, set) in parsed.value {
                for case in &set.cases {
                    let _ = prompt.render(&case.vars);
                }
            }
        }
    }

    #[test]
    fn no_mutation_of_an_attached_file_panics(which in 0usize..3, text in "[ \\[\\]{}:,'\"\\n*&!|>%#a-z0-9$/._-]{0,60}") {
        let mut files = FILES;
        files[which].1 = &text;
        let _ = read(WHOLE, &files);
    }

    #[test]
    fn values_go_in_as_they_are(value in ".{0,40}") {
        let config = format!("prompts: ['<{{{{a}}}}>']\ntests: [{{ vars: {{ a: {} }} }}]\n", serde_json::to_string(&value).unwrap());
        if let Ok(parsed) = read(&config, &[]) {
            let vars: &Vars = &parsed.value[0].1.cases[0].vars;
            let said = parsed.value[0].0.render(vars).unwrap();
            prop_assert_eq!(&*said[0].content, format!("<{}>", value.strip_suffix('\n').unwrap_or(&value)));
        }
    }
}
