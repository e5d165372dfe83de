//! `.prompt` files as their authors write them.

use std::borrow::Borrow;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::prompt::rendered::{self, Data};
use crate::domain::prompt::{Part, Role, Vars, parse_with};

fn path() -> PromptPath {
    PromptPath::parse("prompts/mail/greet.prompt").unwrap()
}

/// All that `references` asks for, from these files.
fn attach(text: &str, files: &[(&str, &str)]) -> Attachments {
    let mut attached = Attachments::default();
    loop {
        let wanted = references(&path(), text.as_bytes(), &attached);
        if wanted.is_empty() {
            return attached;
        }
        for reference in wanted {
            let Reference::File(file) = &reference else { panic!("{reference:?}") };
            let found = files.iter().find(|(name, _)| *name == file.as_str());
            let found = found.map(|(_, text)| (file.clone(), text.as_bytes().into())).into_iter().collect();
            attached.insert(reference, found);
        }
    }
}

fn read(text: &str, files: &[(&str, &str)]) -> Result<Parsed<Prompt>, Vec<Diagnostic>> {
    parse_with(&path(), text.as_bytes(), &attach(text, files))
}

fn prompt(text: &str) -> Prompt {
    read(text, &[]).unwrap_or_else(|errors| panic!("{errors:#?}")).value
}

/// The messages that come out for a data argument.
fn check(text: &str, data: Value, expected: impl Borrow<Value>) {
    let prompt = prompt(text);
    let messages = prompt.render_with(&Data::parse(data).unwrap()).unwrap();
    assert_eq!(rendered::to_json(&prompt, &messages)["messages"], *expected.borrow(), "{text}");
}

/// The first error: code, line, column.
fn refuse(text: &str, files: &[(&str, &str)], code: &str, line: u32, column: u32) {
    let errors = read(text, files).expect_err(text);
    let at = errors[0].location.unwrap();
    assert_eq!((errors[0].code.as_str(), at.line, at.column), (code, line, column), "{errors:#?}");
    assert!(errors[0].help.is_some());
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": [{"text": text}]})
}

#[test]
fn text_before_any_role_is_the_users() {
    check("Hello {{name}}!\n", json!({"input": {"name": "Mara"}}), json!([user("Hello Mara!\n")]));
    check("---\ninput: {default: {name: you}}\n---\n\n  Hello {{name}}!\n\n", json!({}), json!([user("Hello you!")]));
    check(
        "---\ninput: {default: {name: you}}\n---\nHello {{name}}!",
        json!({"input": {"name": "Mara"}}),
        json!([user("Hello Mara!")]),
    );
}

#[test]
fn comment_lines_may_stand_before_front_matter_but_are_text_without_it() {
    let file = "# Copyright\n\n# and licence\n---\nname: greet\n---\nHi";
    assert_eq!(prompt(file).name, "greet");
    check(file, json!({}), json!([user("Hi")]));
    check("# Title\nHi", json!({}), json!([user("# Title\nHi")]));
    check("---\n---\nHi", json!({}), json!([user("Hi")]));
    check("---\r\nname: a\r\n---\r\nHi\r\n", json!({}), json!([user("Hi")]));
}

#[test]
fn roles_split_the_messages() {
    check(
        "  {{role \"system\" purpose=\"rules\"}}Be kind.\n{{role \"user\"}}Hi{{role \"model\"}}{{role \"user\"}}Ho",
        json!({}),
        json!([
            {"role": "system", "content": [{"text": "Be kind.\n"}], "metadata": {"purpose": "rules"}},
            user("Hi"),
            user("Ho"),
        ]),
    );
    check(
        "{{role \"model\"}}a{{role \"tool\"}}b",
        json!({}),
        json!([{"role": "model", "content": [{"text": "a"}]}, {"role": "tool", "content": [{"text": "b"}]}]),
    );
    let unknown = prompt("a\n{{role \"bot\"}}b").render_with(&Data::default()).unwrap_err();
    let crate::domain::prompt::RenderError::Template { message, location } = unknown else { panic!("{unknown:?}") };
    assert_eq!((location.unwrap().line, message.starts_with("unknown role `bot`")), (2, true));
}

#[test]
fn media_and_sections_are_parts() {
    check(
        "Look: {{media url=photo contentType=\"image/png\"}} {{media url=\"b\"}}\n{{section \"output\"}}",
        json!({"input": {"photo": "data:image/png;base64,AA=="}}),
        json!([{"role": "user", "content": [
            {"text": "Look: "},
            {"media": {"url": "data:image/png;base64,AA==", "contentType": "image/png"}},
            {"media": {"url": "b"}},
            {"metadata": {"purpose": "output", "pending": true}},
        ]}]),
    );
    let vars = Vars::from([("photo", json!("http://x/y"))]);
    let chat = prompt("Look: {{media url=photo}}{{section \"s\"}}").render(&vars).unwrap();
    assert_eq!((&*chat[0].content, chat[0].parts.len()), ("Look: ", 2));
    assert_eq!(chat[0].parts[1], Part::Media { url: "http://x/y".into(), content_type: None });
}

#[test]
fn history_stands_where_the_template_puts_it_or_before_the_last_question() {
    let history = json!([{"role": "user", "content": [{"text": "q"}]}, {"role": "model", "content": [{"text": "a"}], "metadata": {"k": 1}}]);
    let marked = json!([
        {"role": "user", "content": [{"text": "q"}], "metadata": {"purpose": "history"}},
        {"role": "model", "content": [{"text": "a"}], "metadata": {"k": 1, "purpose": "history"}},
    ]);
    let system = json!({"role": "system", "content": [{"text": "s"}]});
    check(
        "{{role \"system\"}}s{{history}}{{role \"user\"}}now",
        json!({"messages": history}),
        json!([system, marked[0], marked[1], user("now")]),
    );
    check(
        "{{role \"system\"}}s{{history}}and",
        json!({"messages": history}),
        json!([system, marked[0], marked[1], {"role": "model", "content": [{"text": "and"}]}]),
    );
    check(
        "{{role \"system\"}}s{{role \"user\"}}now",
        json!({"messages": history}),
        json!([system, history[0], history[1], user("now")]),
    );
    check("{{role \"system\"}}s", json!({"messages": history}), json!([system, history[0], history[1]]));
    check("{{role \"system\"}}s{{history}}{{role \"user\"}}now", json!({}), json!([system, user("now")]));
}

#[test]
fn context_is_seen_with_an_at() {
    check(
        "---\nconfig: {temperature: 0.5}\n---\n{{@state.count}} {{@metadata.docs.0}} {{@metadata.prompt.config.temperature}}",
        json!({"context": {"state": {"count": 4}}, "docs": ["d"]}),
        json!([user("4 d 0.5")]),
    );
}

#[test]
fn every_reserved_key_is_read() {
    let prompt = prompt(
        "\
---
name: mail/greet
version: 1.2.0
model: googleai/gemini-2.5-flash
description: Greets
config: {maxOutputTokens: 9, temperature: 0.5, topP: 0.9, seed: 7, stopSequences: [END]}
input: {default: {tone: kind}, schema: {name: \"string, who\", tone?: string}}
output: {format: json, schema: {greeting: string}}
tools: [find]
toolDefs: [{name: find, description: Finds, inputSchema: {query: string}}]
owner: '@acme/writers'
useCase: mail
acme.team: a
acme.deep.x: 1
---
Hi {{name}}
",
    );
    assert_eq!((prompt.name.as_str(), prompt.description.as_deref()), ("mail/greet", Some("Greets")));
    assert_eq!(prompt.model.as_ref().unwrap().as_str(), "googleai/gemini-2.5-flash");
    assert_eq!(
        (prompt.version.as_ref().unwrap().to_string(), prompt.owner.as_deref()),
        ("1.2.0".to_owned(), Some("@acme/writers"))
    );
    let parameters = &prompt.parameters;
    assert_eq!(
        (parameters.max_tokens, parameters.temperature, parameters.top_p, parameters.seed),
        (Some(9), Some(0.5), Some(0.9), Some(7))
    );
    assert_eq!(parameters.stop, ["END"]);
    assert_eq!(prompt.variables["tone"].default, Some(json!("kind")));
    assert_eq!(
        (prompt.variables["name"].required, prompt.variables["name"].description.as_deref()),
        (Some(true), Some("who"))
    );
    let super::super::ResponseFormat::JsonSchema { name, schema, .. } = &prompt.response_format else { panic!() };
    assert_eq!((name.as_str(), &schema["required"]), ("mail_greet", &json!(["greeting"])));
    assert_eq!(
        prompt.tools[0],
        json!({"type": "function", "function": {"name": "find", "description": "Finds",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"], "additionalProperties": false}}})
    );
    let shown = rendered::to_json(&prompt, &[]);
    let keys: Vec<&String> = shown.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["messages", "model", "config", "input", "output", "ext", "raw"]);
    assert_eq!(shown["ext"], json!({"acme": {"team": "a"}, "acme.deep": {"x": 1}}));
    assert_eq!(
        (&shown["raw"]["acme.team"], &shown["raw"]["input"]["schema"]["name"]),
        (&json!("a"), &json!("string, who"))
    );
    assert_eq!(shown["config"]["maxOutputTokens"], 9);
}

#[test]
fn what_is_kept_but_not_used_is_said() {
    let warned = |front: &str| {
        let parsed = read(&format!("---\n{front}\n---\nHi"), &[]).unwrap();
        let codes: Vec<String> = parsed.warnings.iter().map(|warning| warning.code.clone()).collect();
        (parsed.value, codes.join(" "))
    };
    let (bare, codes) = warned("model: gemini-flash");
    assert_eq!((bare.model.clone(), codes.as_str()), (None, "model-without-provider"));
    assert_eq!(rendered::to_json(&bare, &[])["model"], "gemini-flash");
    assert_eq!(warned("config: {topK: 3}").1, "config-not-sent");
    assert_eq!(warned("tools: [gone]").1, "unknown-tool");
    assert_eq!(warned("version: abc123").1, "invalid-version");
    assert_eq!(warned("output: {format: jsonl}").1, "unknown-output-format");
    let (unknown, codes) = warned("colour: red");
    assert_eq!((codes.as_str(), &rendered::to_json(&unknown, &[])["raw"]["colour"]), ("unknown-key", &json!("red")));
}

#[test]
fn mistakes_are_told_at_their_place_in_the_file() {
    refuse("---\nname: a\nHi", &[], "unclosed-front-matter", 1, 1);
    refuse("# c\n---\nname: [\n---\nHi", &[], "yaml-syntax", 3, 7);
    refuse("# c\n---\nname: a\nname: b\n---\nHi", &[], "duplicate-key", 4, 1);
    refuse("---\nconfig: {temperature: hot}\n---\nHi", &[], "wrong-type", 2, 23);
    refuse("---\nmodel: a/\n---\nHi", &[], "invalid-model", 2, 8);
    refuse("---\nname: a\n---\n", &[], "empty-file", 4, 1);
    refuse("---\nname: a\n---\n\n  Hi {{#if x}}", &[], "template-syntax", 5, 6);
    refuse("Hi\n {{> sig}}", &[], "partial-not-found", 2, 2);
}

#[test]
fn partials_are_looked_for_upwards_and_brought_with_theirs() {
    let files = [
        ("prompts/_outer.prompt", "[{{> inner}}]"),
        ("prompts/mail/_inner.prompt", "{{name}}"),
        ("prompts/_inner.prompt", "no"),
        ("prompts/shared/_x.prompt", "{{! licence }}\nx"),
    ];
    let text = "{{> outer}} {{> shared/x}}";
    let parsed = read(text, &files).unwrap().value;
    let chat = parsed.render(&Vars::from([("name", json!("Mara"))])).unwrap();
    assert_eq!(&*chat[0].content, "[Mara] x");
    assert_eq!(parsed.body.places().iter().map(|place| place.variable).collect::<Vec<_>>(), ["name"]);
    assert!(parsed.body.source().contains("{{> inner}}:\n{{name}}\n"));
    assert_eq!(
        attach(text, &files).paths().map(PromptPath::as_str).collect::<Vec<_>>(),
        ["prompts/_outer.prompt", "prompts/mail/_inner.prompt", "prompts/shared/_x.prompt"]
    );
}

#[test]
fn partials_that_are_broken_or_endless_are_named() {
    let cycle = [("_a.prompt", "{{> b}}"), ("_b.prompt", "x {{#if y}}{{> a}}{{/if}}")];
    let errors = read("Hi\n{{> a}}", &cycle).unwrap_err();
    assert_eq!((errors[0].code.as_str(), errors[0].location.unwrap().line), ("endless-partials", 2));
    assert!(errors[0].message.ends_with("`a` → `b` → `a`"), "{}", errors[0].message);
    let errors = read("{{> a}}", &[("_a.prompt", "x\n{{#if")]).unwrap_err();
    assert_eq!((errors[0].path.as_str(), errors[0].location.unwrap().line), ("_a.prompt", 2));
    assert!(crate::domain::prompt::parse(&path(), b"{{> a}}").is_ok(), "alone, nothing is missing");
}

#[test]
fn a_case_gives_variables_and_context() {
    let prompt = prompt("{{name}} {{@auth.email}} {{#if more}}{{more}}{{/if}}");
    assert_eq!(prompt.body.places().iter().map(|place| place.variable).collect::<Vec<_>>(), ["name", "@auth"]);
    let vars = Vars::from([("name", json!("Mara")), ("@auth", json!({"email": "m@x"}))]);
    let chat = prompt.render(&vars).unwrap();
    assert_eq!((chat[0].role, &*chat[0].content), (Role::User, "Mara m@x "));
    let silent = self::prompt("{{#if more}}x{{/if}}").render(&Vars::new()).unwrap_err();
    assert!(silent.to_string().starts_with("the template renders to no message"));
}

fn schema(yaml: &str, expected: impl Borrow<Value>) {
    let prompt = prompt(&format!("---\noutput:\n  schema:\n    {}\n---\nHi", yaml.replace('\n', "\n    ")));
    let found = rendered::to_json(&prompt, &[])["output"]["schema"].clone();
    // As text, since the order of the keys is part of it.
    assert_eq!(found.to_string(), expected.borrow().to_string(), "{yaml}");
}

#[test]
fn picoschema_becomes_json_schema() {
    schema("string", json!({"type": "string"}));
    schema("number, how many, at most", json!({"type": "number", "description": "how many, at most"}));
    schema("any", json!({}));
    schema("any, thing", json!({"description": "thing"}));
    schema(
        "a: string\nb?: integer, count\nc(array, all of them): boolean\nd?(object): {x: null}\ne(enum): [P, Q]\nf?(enum, which): [P]\n(*): number",
        json!({
            "type": "object",
            "properties": {
                "a": {"type": "string"},
                "b": {"type": ["integer", "null"], "description": "count"},
                "c": {"type": "array", "items": {"type": "boolean"}, "description": "all of them"},
                "d": {"type": ["object", "null"], "properties": {"x": {"type": "null"}}, "required": ["x"], "additionalProperties": false},
                "e": {"enum": ["P", "Q"]},
                "f": {"enum": ["P", null], "description": "which"},
            },
            "required": ["a", "c", "e"],
            "additionalProperties": {"type": "number"},
        }),
    );
    schema(
        "a?(array):\n  b: string",
        json!({
            "type": "object",
            "properties": {"a": {"type": ["array", "null"], "items":
                {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"], "additionalProperties": false}}},
            "additionalProperties": false,
        }),
    );
    schema(
        "type: object\nproperties: {a: {type: string}}",
        json!({"type": "object", "properties": {"a": {"type": "string"}}}),
    );
    schema("properties: {a: {type: string}}", json!({"properties": {"a": {"type": "string"}}, "type": "object"}));
}

#[test]
fn schemas_that_are_none_are_told() {
    let refuse = |yaml: &str, line, column| {
        refuse(&format!("---\ninput:\n  schema:\n    {yaml}\n---\nHi"), &[], "invalid-schema", line, column);
    };
    refuse("a: strin", 4, 8);
    refuse("a: MySchema, that one", 4, 8);
    refuse("a(arry): string", 4, 5);
    refuse("a(enum): x", 4, 14);
    refuse("a: [b]", 4, 8);
    let nested = |levels: usize| format!("{}string{}", "{a: ".repeat(levels), "}".repeat(levels));
    refuse(&nested(20), 4, 5);
    prompt(&format!("---\ninput:\n  schema: {}\n---\nHi", nested(19)));
    refuse("{type: object, properties: {a: {\"$ref\": \"https://example.org/a.json\"}}}", 4, 5);
}

proptest! {
    #[test]
    fn no_file_panics(text in "(---\n)?[a-z:{}\\[\\] #>/?()*,'\"\n-]{0,40}(\n---\n)?[a-z{}#/> \n]{0,20}") {
        if let Ok(parsed) = crate::domain::prompt::parse(&path(), text.as_bytes()) {
            let _ = parsed.value.render(&Vars::new());
            let _ = (parsed.value.body.places(), parsed.value.body.lines());
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = crate::domain::prompt::parse(&path(), &bytes);
        let _ = references(&path(), &bytes, &Attachments::default());
    }

    #[test]
    fn no_value_adds_a_message(value in "[<>a-z:{}#\n\" ]{1,30}") {
        let chat = prompt("x{{v}}").render(&Vars::from([("v", json!(value))])).unwrap();
        prop_assert_eq!(chat.len(), 1);
        prop_assert_eq!(&*chat[0].content, format!("x{value}"));
    }
}
