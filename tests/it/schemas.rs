//! The JSON Schemas under `schemas/`: committed as they are generated, true of what the readers take, refusing what they refuse.

use std::path::Path;

use promptops::domain::ids::PromptPath;
use promptops::domain::source::Source;
use promptops::domain::{golden, policy_tests, prompt, schema, settings, yaml};
use serde_json::Value;

use crate::cli_eval::{GOLDEN, PROMPT, answer};
use crate::support::desk::Desk;
use crate::support::provider::Scripted;

const RECORD: &str = "run `cargo test --test it record_schemas -- --ignored` and commit `schemas/`";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text_of(schema: &Value) -> String {
    serde_json::to_string_pretty(schema).unwrap() + "\n"
}

fn path(name: &str) -> PromptPath {
    PromptPath::parse(name).unwrap()
}

/// What a schema says against a YAML text; nothing if it is valid.
fn complaints(file: &str, text: &str) -> Vec<String> {
    let at = path("file.yml");
    let node = yaml::parse(&Source::read(&at, text.as_bytes(), 1 << 22).unwrap()).unwrap();
    of_value(file, &node.to_value())
}

fn of_value(file: &str, value: &Value) -> Vec<String> {
    let all = schema::all();
    let schema = &all.iter().find(|(name, _)| *name == file).unwrap().1;
    let validator = jsonschema::validator_for(schema).unwrap();
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[track_caller]
fn valid(file: &str, text: &str) {
    let found = complaints(file, text);
    assert!(found.is_empty(), "{file} refuses what the reader takes: {found:#?}\n{text}");
}

/// Both the reader and the schema refuse.
#[track_caller]
fn refused(file: &str, text: &str) {
    let read = match file {
        "prompt.schema.json" => prompt::parse(&path("a.prompt.yml"), text.as_bytes()).is_ok(),
        "golden-set.schema.json" => {
            let prompt = prompt::parse(&path("a.prompt.yml"), PROMPT.as_bytes()).unwrap().value;
            golden::parse(&path("a.golden.yml"), text.as_bytes(), &prompt).is_ok()
        }
        "policy-tests.schema.json" => {
            policy_tests::parse(&path(".github/promptops.tests.yml"), text.as_bytes()).is_ok()
        }
        _ => settings::parse_organisation(&path(".github/promptops.yml"), text.as_bytes()).is_ok(),
    };
    assert!(!read, "the reader takes what was to be refused:\n{text}");
    assert!(!complaints(file, text).is_empty(), "{file} takes what the reader refuses:\n{text}");
}

#[test]
fn the_committed_schemas_are_those_that_are_generated() {
    for (file, schema) in schema::all() {
        jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{file}: {error}"));
        let committed = std::fs::read_to_string(root().join("schemas").join(file)).unwrap_or_default();
        assert!(committed == text_of(&schema), "schemas/{file} is not what the types say: {RECORD}");
    }
}

#[test]
#[ignore = "writes `schemas/`"]
fn record_schemas() {
    for (file, schema) in schema::all() {
        std::fs::write(root().join("schemas").join(file), text_of(&schema)).unwrap();
    }
}

#[test]
fn every_example_is_valid() {
    let mut seen = 0;
    let mut folders = vec![root().join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                folders.push(file);
                continue;
            }
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let text = || std::fs::read_to_string(&file).unwrap();
            seen += 1;
            match name.as_str() {
                name if name.ends_with(".prompt.yml") => valid("prompt.schema.json", &text()),
                name if name.ends_with(".golden.yml") => valid("golden-set.schema.json", &text()),
                "promptops.yml" => valid("settings.schema.json", &text()),
                name if name.ends_with(".golden.jsonl") => {
                    for line in text().lines() {
                        assert_eq!(
                            of_value("case.schema.json", &serde_json::from_str(line).unwrap()),
                            Vec::<String>::new()
                        );
                    }
                }
                _ => seen -= 1,
            }
        }
    }
    assert!(seen > 5, "only {seen} files were looked at");
}

#[test]
fn the_examples_in_the_docs_are_valid() {
    let mut seen = 0;
    let mut files = vec![root().join("README.md")];
    files.extend(std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "md")) {
        let text = std::fs::read_to_string(file).unwrap();
        for block in text.split("\n```yaml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()) {
            seen += 1;
            match block {
                block if block.starts_with("# promptfooconfig.yaml") => seen -= 1,
                block if block.contains("\nmessages:") => valid("prompt.schema.json", block),
                block if block.contains("\ncases:") => valid("golden-set.schema.json", block),
                block if block.contains("\ntests:") => valid("policy-tests.schema.json", block),
                block if block.contains("enforce:") || block.starts_with("# .github/promptops.yml") => {
                    valid("settings.schema.json", block)
                }
                _ => seen -= 1,
            }
        }
    }
    assert!(seen > 20, "only {seen} examples were looked at");
}

#[test]
fn what_the_readers_take_is_valid() {
    valid("prompt.schema.json", PROMPT);
    valid("golden-set.schema.json", GOLDEN);
    valid(
        "prompt.schema.json",
        "name: 5\nmodel: openai/gpt-4o\nmodelParameters: { maxTokens: 5, temperature: 0.5, topP: 1, seed: 3, stop: [a] }\n\
         messages: [{ role: System, content: 5 }]\nresponseFormat: json_schema\njsonSchema: '{\"name\": \"a\", \"schema\": {}}'\n\
         testData: [{ a: 1, expected: b }]\nversion: 1.0.0\nowner: \"@acme/prompts\"\nuseCase: x\nvariables: { a: , b: { default: 1 } }\n\
         exampleOutput: y\ngoldenSet: a.JSONL\ntags: [a]\nsomethingElse: kept\nevaluators:\n  - name: n\n    string: { startsWith: a, equals: }\n\
         \x20 - { name: m, uses: github/similarity }\n\
         \x20 - { name: l, llm: { modelId: openai/gpt-4o, prompt: \"{{completion}}\", choices: [{ choice: 1, score: 1 }] } }\n",
    );
    valid(
        "golden-set.schema.json",
        "evaluators: [is_json, contains: a, regex: { value: b, weight: 0, metric: tone }]\ncases:\n\
         \x20 - { id: 5, vars: { a: [1] }, expected: 3, must_pass: true, weight: 0, tags: [x], cluster: c }\n\
         \x20 - { must_pass: always, evaluators: [equals: { a: 1 }, judge: { rubric: kind, threshold: 0.7 }] }\n\
         \x20 - { evaluators: [word_count: { max: 5 }, levenshtein, json_schema: { type: object }] }\n",
    );
    valid("settings.schema.json", "");
    valid(
        "settings.schema.json",
        "prompts: { include: [\"a/**\"] }\nevaluation: { trials: 3, forks: lint, budget: { run_usd: 1 } }\n\
         roles: { leads: [\"@acme/leads\"] }\napproval:\n  - { name: a, require: { from: [leads] } }\n\
         \x20 - { name: b, when: { verdict: [regression] }, require: { any_of: [{ count: 2, from: [owner] }] } }\n\
         override: { from: [leads] }\nlint: { require: [owner], rules: { secret: warning, near-duplicate: off } }\n",
    );
    valid(
        "settings.schema.json",
        "enforce:\n  prompts: { include: [\"a/**\"] }\n  evaluation: { judge: a/b, margin: 0.1, budget: { day_usd: 1 } }\n\
         \x20 roles: { leads: [\"@lee\"] }\n  approval: [{ name: a, require: { from: [leads] } }]\n  override: { from: [leads] }\n",
    );
    valid("policy-tests.schema.json", crate::cli_policy::TESTS);
}

#[test]
fn what_the_readers_refuse_is_refused() {
    for text in [
        "messages: 5\n",
        "messages: []\n",
        "name: x\n",
        "messages: [{ role: robot, content: a }]\n",
        "messages: [{ role: user }]\n",
        "messages: [{ role: user, content: a }]\nmodel: gpt\n",
        "messages: [{ role: user, content: a }]\nname:\n",
        "messages: [{ role: user, content: a }]\nowner: mara\n",
        "messages: [{ role: user, content: a }]\ngoldenSet: a.txt\n",
        "messages: [{ role: user, content: a }]\nresponseFormat: xml\n",
        "messages: [{ role: user, content: a }]\nmodelParameters: { topP: 2 }\n",
        "messages: [{ role: user, content: a }]\nevaluators: [{ name: x }]\n",
    ] {
        refused("prompt.schema.json", text);
    }
    for text in [
        "cases: []\n",
        "case: []\n",
        "cases: [{ expected: a }]\nevaluator: []\n",
        "cases: [{ expected: a, must_pas: always }]\n",
        "cases: [{ expected: a, must_pass: sometimes }]\n",
        "cases: [{ expected: a, weight: -1 }]\n",
        "cases: [{ expected: a, tags: x }]\n",
        "cases: [{ evaluators: [contans: a] }]\n",
        "cases: [{ evaluators: [contains: { value: a, wieght: 2 }] }]\n",
        "cases: [{ evaluators: [{ contains: a, regex: b }] }]\n",
        "cases: [{ evaluators: [contains: ] }]\n",
    ] {
        refused("golden-set.schema.json", text);
    }
}

#[test]
fn what_the_readers_of_settings_and_their_tests_refuse_is_refused() {
    for text in [
        "prompt: {}\n",
        "prompts: { include: [] }\n",
        "evaluation: { trials: 0 }\n",
        "evaluation: { margin: 2 }\n",
        "evaluation: { modle: a/b }\n",
        "evaluation: { forks: always }\n",
        "evaluation: { budget: { run_eur: 1 } }\n",
        "roles: { leads: [] }\n",
        "approval: [{ name: a }]\n",
        "approval: [{ name: a, require: { from: [] } }]\n",
        "approval: [{ name: a, when: { changes: [code] }, require: { from: [owner] } }]\n",
        "lint: { require: [author] }\n",
        "lint: { rules: { secrets: off } }\n",
        "lint: { rules: { secret: fatal } }\n",
    ] {
        refused("settings.schema.json", text);
    }
    for text in [
        "enforce: { prompts: { exclude: [a] } }\n",
        "enforce: { evaluation: { model: a/b } }\n",
        "enforce: { evaluation: { margin: 2 } }\n",
        "enforce: { enforce: {} }\n",
    ] {
        refused("settings.schema.json", text);
    }
    for test in [
        "{ name: a, pull: { author: ann, changes: [] } }",
        "{ name: a, pull: { author: ann, changes: [] }, expect: {} }",
        "{ name: a, pull: { author: ann }, expect: { approval: waiting } }",
        "{ name: a, pull: { author: ann, changes: [] }, expect: { approval: does_not_apply } }",
        "{ name: a, pull: { author: ann, changes: { a: code } }, expect: { approval: waiting } }",
        "{ name: a, pull: { author: ann, changes: [] }, verdict: good, expect: { approval: waiting } }",
        "{ name: a, pull: { author: ann, changes: [], by: x }, expect: { approval: waiting } }",
        "{ name: a, pull: { author: ann, changes: [] }, reviews: [{ by: x }], expect: { approval: waiting } }",
    ] {
        refused("policy-tests.schema.json", &format!("tests: [{test}]\n"));
    }
}

#[tokio::test]
async fn a_result_is_valid() {
    let desk = Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", GOLDEN)]);
    let server = Scripted::start(answer).await;
    desk.write("a.prompt.yml", PROMPT.replace("formally", "briefly"));
    for arguments in [&["eval", "--format", "json"][..], &["eval", "--base", "main", "--format", "json"]] {
        let result = desk.ask(&server, arguments).await.json();
        assert_eq!(of_value("result.schema.json", &result), Vec::<String>::new());
        let mut other = result;
        other["schema"] = "promptops.result/v2".into();
        assert_eq!(of_value("result.schema.json", &other).len(), 1);
    }
}
