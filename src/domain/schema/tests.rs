//! Holds the schemas to the readers' tables of keys.

use std::collections::BTreeSet;

use super::*;
use crate::domain::evaluator_syntax;
use crate::domain::golden::yaml;
use crate::domain::policy_tests::read as policy_tests;
use crate::domain::prompt::{github_models, metadata, parameters};
use crate::domain::settings as read;

/// The properties at a place of a schema are exactly the keys that the reader takes there.
#[track_caller]
fn check(file: &str, place: &str, keys: &[&str], mirror: &str) {
    let all = all();
    let schema = &all.iter().find(|(name, _)| *name == file).expect("a schema").1;
    let properties = schema.pointer(place).and_then(Value::as_object).unwrap_or_else(|| panic!("no {place}"));
    let there: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
    let wanted: BTreeSet<&str> = keys.iter().copied().collect();
    let missing: Vec<_> = wanted.difference(&there).collect();
    let extra: Vec<_> = there.difference(&wanted).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{mirror}: add a documented field for each of {missing:?}, remove {extra:?}; \
         then run `cargo test --test it record_schemas -- --ignored`"
    );
}

#[test]
fn the_prompt_file_has_the_readers_keys() {
    let mirror = |name: &str| format!("{name} in src/domain/schema/prompt.rs");
    let file = "prompt.schema.json";
    check(file, "/properties", &github_models::KEYS, &mirror("PromptFile"));
    check(file, "/definitions/Message/properties", &github_models::MESSAGE, &mirror("Message"));
    check(file, "/definitions/ModelParameters/properties", &parameters::KEYS, &mirror("ModelParameters"));
    check(file, "/definitions/Variable/properties", &metadata::VARIABLE, &mirror("Variable"));
}

#[test]
fn golden_sets_have_the_readers_keys() {
    let mirror = |name: &str| format!("{name} in src/domain/schema/golden.rs");
    check("golden-set.schema.json", "/properties", &yaml::TOP, &mirror("GoldenSet"));
    check("golden-set.schema.json", "/definitions/Case/properties", &yaml::KEYS, &mirror("Case"));
    check("case.schema.json", "/properties", &yaml::KEYS, &mirror("Case"));
}

#[test]
fn the_settings_have_the_readers_keys() {
    let mirror = |name: &str| format!("{name} in src/domain/schema/settings.rs");
    let file = "settings.schema.json";
    check(file, "/properties", &read::SECTIONS, &mirror("Settings"));
    check(file, "/definitions/Prompts/properties", &read::PROMPTS, &mirror("Prompts"));
    check(file, "/definitions/Evaluation/properties", &read::EVALUATION, &mirror("Evaluation"));
    check(file, "/definitions/Budget/properties", &read::BUDGETS, &mirror("Budget"));
    check(file, "/definitions/Lint/properties", &read::LINT, &mirror("Lint"));
    check(file, "/definitions/Enforce/properties", &read::enforce::ENFORCE, &mirror("Enforce"));
    check(file, "/definitions/EnforcePrompts/properties", &read::enforce::ENFORCE_PROMPTS, &mirror("EnforcePrompts"));
    let keys = &read::enforce::ENFORCE_EVALUATION;
    check(file, "/definitions/EnforceEvaluation/properties", keys, &mirror("EnforceEvaluation"));
    check(file, "/definitions/Rule/properties", &read::approval::RULE, &mirror("Rule"));
    check(file, "/definitions/When/properties", &read::approval::when::WHEN, &mirror("When"));
    check(file, "/definitions/Quorum/properties", &read::approval::require::QUORUM, &mirror("Quorum"));
    check(file, "/definitions/Size/properties", &read::approval::when::SIZE, &mirror("Size"));
    let parts = read::approval::require::TREE;
    check(file, "/definitions/AnyOf/properties", &parts[..1], &mirror("AnyOf"));
    check(file, "/definitions/AllOf/properties", &parts[1..], &mirror("AllOf"));
}

#[test]
fn policy_tests_have_the_readers_keys() {
    let mirror = |name: &str| format!("{name} in src/domain/schema/policy_tests.rs");
    let file = "policy-tests.schema.json";
    check(file, "/properties", &policy_tests::TOP, &mirror("PolicyTests"));
    check(file, "/definitions/Test/properties", &policy_tests::TEST, &mirror("Test"));
    check(file, "/definitions/Pull/properties", &policy_tests::PULL, &mirror("Pull"));
    check(file, "/definitions/Size/properties", &policy_tests::SIZE, &mirror("Size"));
    check(file, "/definitions/Lint/properties", &policy_tests::LINT, &mirror("Lint"));
    check(file, "/definitions/Review/properties", &policy_tests::REVIEW, &mirror("Review"));
    check(file, "/definitions/Expect/properties", &policy_tests::EXPECT, &mirror("Expect"));
}

#[test]
fn evaluators_are_made_from_the_readers_tables() {
    let kinds = evaluator_syntax::spellings();
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let place = "/definitions/Evaluator/anyOf/0/properties";
    check("golden-set.schema.json", place, &kinds, "src/domain/schema/evaluator.rs");
    assert!(kinds.contains(&"contains"));
}

#[test]
fn a_key_that_may_be_left_out_may_not_be_null() {
    let mut schema =
        json!({ "a": { "type": ["string", "null"] }, "b": { "anyOf": [{ "$ref": "#/x" }, { "type": "null" }] } });
    without_null(&mut schema);
    assert_eq!(schema, json!({ "a": { "type": "string" }, "b": { "allOf": [{ "$ref": "#/x" }] } }));
}
