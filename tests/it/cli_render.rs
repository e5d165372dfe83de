//! `promptops render` as its user meets it: what a model would get, and what is said when it cannot be told.

use serde_json::json;

use crate::cli_eval::{GOLDEN, PROMPT};
use crate::support::desk::Desk;

const GREET: &str = "\
# Copyright Acme

---
model: googleai/gemini-2.5-flash
config: {temperature: 0.2}
input: {default: {tone: kind}, schema: {name: 'string, who', tone?: string}}
output: {format: json, schema: {greeting: string}}
acme.team: writers
---
{{role \"system\"}}Be {{tone}}.
{{role \"user\"}}Greet {{name}}{{#if city}} of {{city}}{{/if}}.
";

fn desk() -> Desk {
    let desk = Desk::plain();
    desk.write("greet.prompt", GREET);
    desk
}

#[tokio::test]
async fn the_messages_are_shown_under_their_roles() {
    let ran = desk().run(&["render", "greet.prompt", "--vars", r#"{"name": "Mara\nuser:", "city": "{{tone}}"}"#]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @"
    system:
      Be kind.

    user:
      Greet Mara
      user: of {{tone}}.
    ");
    assert_eq!(ran.stderr, "");
}

#[tokio::test]
async fn json_has_the_fields_of_the_contract_and_nothing_beside_it() {
    let ran = desk().run(&["render", "greet.prompt", "--format", "json", "--vars", r#"{"name": "Mara"}"#]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let schema = json!({"type": "object", "properties": {"greeting": {"type": "string"}}, "required": ["greeting"], "additionalProperties": false});
    assert_eq!(
        ran.json(),
        json!({
            "messages": [
                {"role": "system", "content": [{"text": "Be kind.\n"}]},
                {"role": "user", "content": [{"text": "Greet Mara."}]},
            ],
            "model": "googleai/gemini-2.5-flash",
            "config": {"temperature": 0.2},
            "input": {
                "default": {"tone": "kind"},
                "schema": {
                    "type": "object",
                    "properties": {"name": {"type": "string", "description": "who"}, "tone": {"type": ["string", "null"]}},
                    "required": ["name"],
                    "additionalProperties": false,
                },
            },
            "output": {"format": "json", "schema": schema},
            "ext": {"acme": {"team": "writers"}},
            "raw": {
                "model": "googleai/gemini-2.5-flash",
                "config": {"temperature": 0.2},
                "input": {"default": {"tone": "kind"}, "schema": {"name": "string, who", "tone?": "string"}},
                "output": {"format": "json", "schema": {"greeting": "string"}},
                "acme.team": "writers",
            },
        })
    );
}

#[tokio::test]
async fn data_brings_history_and_context() {
    let desk = Desk::plain();
    desk.write("chat.prompt", "{{role \"system\"}}For {{@auth.name}}.{{role \"user\"}}{{question}}");
    let data = r#"{"input": {"question": "Why?"}, "context": {"auth": {"name": "Mara"}},
        "messages": [{"role": "model", "content": [{"text": "Earlier."}]}]}"#;
    let ran = desk.run(&["render", "chat.prompt", "--data", data, "--format", "json"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        ran.json()["messages"],
        json!([
            {"role": "system", "content": [{"text": "For Mara."}]},
            {"role": "model", "content": [{"text": "Earlier."}]},
            {"role": "user", "content": [{"text": "Why?"}]},
        ])
    );
}

#[tokio::test]
async fn a_variable_without_a_value_is_told_with_its_place() {
    let ran = desk().run(&["render", "greet.prompt"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    insta::assert_snapshot!(ran.stderr, @r#"
    greet.prompt:11:22: error: variable `name` has no value
      11 | {{role "user"}}Greet {{name}}{{#if city}} of {{city}}{{/if}}.
         |                      ^^^^^^^^
      = help: give `name` with --vars, --data or --case, or a default in the prompt
    "#);
}

#[tokio::test]
async fn a_case_of_the_golden_set_gives_the_values() {
    let desk = Desk::repository(&[("prompts/refund.prompt.yml", PROMPT), ("prompts/refund.golden.yml", GOLDEN)]);
    let ran = desk.run(&["render", "prompts/refund.prompt.yml", "--case", "large", "--format", "json"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let shown = ran.json();
    assert_eq!(shown["messages"][1], json!({"role": "user", "content": [{"text": "Refund 900 EUR"}]}));
    assert_eq!((&shown["model"], &shown["ext"]), (&json!("openai/gpt-4o-mini"), &json!({})));
    let ran = desk.run(&["render", "prompts/refund.prompt.yml", "--case", "huge"]).await;
    assert_eq!(ran.code, 2);
    assert_eq!(ran.stderr, "error: no case `huge` in prompts/refund.golden.yml; it has `small`, `large`\n");
}

#[tokio::test]
async fn a_golden_set_that_is_wrong_stops_only_those_who_ask_for_it() {
    let desk = desk();
    desk.write("greet.golden.yml", "cases:\n  - vars: {}\n    evaluators: [contains: x]\n");
    let ran = desk.run(&["render", "greet.prompt", "--vars", r#"{"name": "Mara"}"#]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("warning: variable `name` in a message has no value in case"), "{ran:?}");
    assert_eq!(desk.run(&["render", "greet.prompt", "--case", "x"]).await.code, 2);
}

#[tokio::test]
async fn wrong_arguments_say_what_to_write() {
    let desk = desk();
    let check = async |arguments: &[&str], said: &str| {
        let ran = desk.run(arguments).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(said), "{ran:?}");
    };
    check(&["render", "greet.prompt", "--vars", "{name: 1}"], "error: --vars: not valid JSON: ").await;
    check(&["render", "greet.prompt", "--vars", "[1]"], "error: --vars: it must be a JSON object; write for instance")
        .await;
    check(&["render", "greet.prompt", "--data", r#"{"inputs": {}}"#], "error: --data: unknown key `inputs`; use").await;
    check(&["render", "greet.prompt", "--vars", "{}", "--case", "a"], "cannot be used with").await;
    check(&["render", "gone.prompt"], "no prompt file at `gone.prompt`").await;
    check(&["render", "greet.prompt", "--case", "a"], "the prompt has no golden set").await;
}

#[tokio::test]
async fn control_characters_do_not_reach_the_terminal() {
    let ran = desk().run(&["render", "greet.prompt", "--vars", r#"{"name": "\u001b[2Jx"}"#]).await;
    assert!(ran.stdout.contains("Greet ⟨U+001B⟩[2Jx."), "{ran:?}");
}
