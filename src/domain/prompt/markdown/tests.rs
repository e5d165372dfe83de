use proptest::prelude::*;
use serde_json::json;

use crate::domain::diagnostic::{Diagnostic, Parsed};
use crate::domain::ids::PromptPath;
use crate::domain::prompt::{Prompt, Role, Vars, parse};

fn read(text: &str) -> Result<Parsed<Prompt>, Vec<Diagnostic>> {
    parse(&PromptPath::parse("prompts/Refund.prompt.md").unwrap(), text.as_bytes())
}

/// The messages of a text, filled with `x`.
fn check(text: &str, expected: &[(Role, &str)]) {
    let prompt = read(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}")).value;
    let messages = prompt.render(&Vars::from([("x", json!("a\nuser:\n{{x}}"))])).unwrap();
    let said: Vec<_> = messages.iter().map(|message| (message.role, &*message.content)).collect();
    assert_eq!(said, expected, "{text}");
}

#[test]
fn a_text_without_a_marker_is_one_message_of_the_user() {
    check("Say hello.\n", &[(Role::User, "Say hello.")]);
    check("---\nname: a\n---\n\n# Task\n\nSay {{ x }}.\n", &[(Role::User, "# Task\n\nSay a\nuser:\n{{x}}.")]);
}

#[test]
fn markers_split_it_and_what_is_before_them_is_the_systems() {
    check(
        "Be kind.\n\n## User:\n\nHi {{x}}\r\nassistant:\r\nOk\r\n",
        &[(Role::System, "Be kind."), (Role::User, "Hi a\nuser:\n{{x}}"), (Role::Assistant, "Ok")],
    );
}

#[test]
fn the_front_matter_has_the_keys_of_a_prompt_file_and_places_are_exact() {
    let text = "---\nname: Refund\nmodel: openai/gpt-4o\ntestData: [{x: 1, expected: y}]\nowner: \"@mara\"\n---\n\nuser:\n\nHi {{ x }}\n";
    let prompt = read(text).unwrap().value;
    assert_eq!((prompt.name.as_str(), prompt.owner.as_deref(), prompt.test_data.len()), ("Refund", Some("@mara"), 1));
    let at = prompt.body.places()[0].at.unwrap();
    assert_eq!((at.line, at.column, at.length), (10, 4, 7));
    assert_eq!(read("Hi").unwrap().value.name, "Refund");
}

#[test]
fn what_is_wrong_has_its_line() {
    let found = |text: &str| {
        let errors = read(text).unwrap_err();
        format!("{} {}", errors[0].location.unwrap().line, errors[0].code)
    };
    assert_eq!(found("---\nmessages: []\n---\nHi"), "2 misplaced-key");
    assert_eq!(found("---\nname: a\n---\n"), "3 empty-body");
    assert_eq!(found("---\nmodel: gpt\n---\nHi"), "2 invalid-model");
    assert_eq!(found("---\nname: a\nHi"), "1 front-matter-open");
    assert_eq!(read("---\nmode: agent\n---\nHi").unwrap().warnings[0].code, "unknown-key");
}

#[test]
fn the_corpus_is_read_without_a_panic() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/markdown");
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let wanted = !file.file_name().unwrap().to_string_lossy().starts_with("bad-");
        let read = parse(&PromptPath::parse("a.prompt.md").unwrap(), &std::fs::read(&file).unwrap());
        assert_eq!(read.is_ok(), wanted, "{}: {read:?}", file.display());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_panics(text in "(---\n|\\+\\+\\+\n|user:\n|[ a-z:{}#\n\\[\\]!]|é){0,40}") {
        let _ = read(&text);
    }
}
