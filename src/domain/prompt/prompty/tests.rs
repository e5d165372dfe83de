use proptest::prelude::*;
use serde_json::json;

use crate::domain::diagnostic::{Diagnostic, Parsed};
use crate::domain::ids::PromptPath;
use crate::domain::prompt::{
    Attachments, Prompt, Reference, ResponseFormat, Role, Vars, parse, parse_with, references,
};

fn path() -> PromptPath {
    PromptPath::parse("prompts/refund.prompty").unwrap()
}

fn read(text: &str) -> Result<Parsed<Prompt>, Vec<Diagnostic>> {
    parse(&path(), text.as_bytes())
}

fn prompt(text: &str) -> Prompt {
    read(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}")).value
}

/// Each finding as `line code: message`.
fn check(text: &str, expected: &[&str]) {
    let found = match read(text) {
        Ok(parsed) => parsed.warnings,
        Err(errors) => errors,
    };
    let said: Vec<String> = found
        .iter()
        .map(|found| {
            assert!(found.help.is_some(), "{found:?}");
            format!("{} {}: {}", found.location.unwrap().line, found.code, found.message)
        })
        .collect();
    assert_eq!(said, expected, "{text}");
}

/// A front matter with one key more.
fn check_key(line: &str, expected: &str) {
    check(&format!("---\nname: x\n{line}\n---\nuser:\nHi\n"), &[expected]);
}

const V2: &str = r#"---
name: customer support
displayName: Customer support
description: Answers customers
metadata: { authors: [mara], tags: [live], version: "2.1", owner: "@acme/support" }
model:
  id: gpt-4o
  provider: azure
  apiType: chat
  connection: { kind: key, endpoint: "${env:ENDPOINT}", apiKey: "${env:KEY}" }
  options: { temperature: 0.3, maxOutputTokens: 2000, topP: 0.9, stopSequences: [END], frequencyPenalty: 0.5 }
inputs:
  - { name: customer, kind: string, description: Full name, required: true, example: Ada }
  - { name: language, kind: string, default: English }
  - { name: orders, kind: array, required: false, default: [] }
outputs:
  - { name: answer, kind: string }
  - { name: mood, kind: string, enumValues: [good, bad] }
tools:
  - name: lookup
    kind: function
    description: Looks an order up
    parameters: [{ name: id, kind: string, required: true }, { name: deep, kind: boolean }]
template: { format: jinja2, parser: prompty }
---
You are kind.
{% for order in orders %}- {{ order.id }}
{% endfor %}
user:
I am {{ customer }}. Answer in {{ language }}.
"#;

#[test]
fn version_2_is_read() {
    let Parsed { value: prompt, warnings } = read(V2).unwrap();
    let said: Vec<&str> = warnings.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(said, ["`frequencyPenalty` is not sent to the model"]);
    assert_eq!((prompt.name.as_str(), prompt.description.as_deref()), ("customer support", Some("Answers customers")));
    assert_eq!(prompt.model.unwrap().as_str(), "azure/gpt-4o");
    assert_eq!((prompt.parameters.max_tokens, prompt.parameters.top_p), (Some(2000), Some(0.9)));
    assert_eq!(prompt.parameters.stop, ["END"]);
    assert_eq!(
        (prompt.version.unwrap().to_string().as_str(), prompt.owner.as_deref()),
        ("2.1.0", Some("@acme/support"))
    );
    assert_eq!(prompt.tags, ["live"]);
    assert_eq!(prompt.variables["customer"].example, Some(json!("Ada")));
    assert_eq!(
        prompt.test_data[0].0,
        Vars::from([("customer", json!("Ada")), ("language", json!("English")), ("orders", json!([]))])
    );
    let ResponseFormat::JsonSchema { name, schema, .. } = &prompt.response_format else { panic!() };
    assert_eq!(name, "customer_support");
    assert_eq!(
        **schema,
        json!({"type": "object", "properties": {"answer": {"type": "string"}, "mood": {"type": "string", "enum": ["good", "bad"]}},
            "required": ["answer", "mood"], "additionalProperties": false})
    );
    assert_eq!(
        *prompt.tools,
        [json!({"type": "function", "function": {"name": "lookup", "description": "Looks an order up", "parameters":
            {"type": "object", "properties": {"id": {"type": "string"}, "deep": {"type": "boolean"}}, "required": ["id"]}}})]
    );
}

#[test]
fn its_text_is_rendered_with_defaults() {
    let messages = prompt(V2).render(&Vars::from([("customer", json!("Bo")), ("orders", json!([{"id": 7}]))])).unwrap();
    let said: Vec<_> = messages.iter().map(|message| (message.role, &*message.content)).collect();
    assert_eq!(said, [(Role::System, "You are kind.\n- 7"), (Role::User, "I am Bo. Answer in English.")]);
}

const V1: &str = r#"---
name: Basic
authors: [mara]
model:
  api: chat
  configuration: { type: azure_openai, azure_deployment: gpt-35, azure_endpoint: "${env:ENDPOINT}" }
  parameters:
    max_tokens: 128
    response_format: { type: json_object }
    tools: [{ type: function, function: { name: f, parameters: { type: object } } }]
sample:
  firstName: Jane
---
system:
Hi {{firstName}}
"#;

#[test]
fn version_1_is_read() {
    let prompt = prompt(V1);
    assert_eq!(prompt.model.unwrap().as_str(), "azure/gpt-35");
    assert_eq!((prompt.parameters.max_tokens, &prompt.response_format), (Some(128), &ResponseFormat::JsonObject));
    assert_eq!(prompt.tools[0]["function"]["name"], "f");
    assert_eq!(prompt.test_data, [(Vars::from([("firstName", json!("Jane"))]), 12)]);
    let openai = V1.replace("type: azure_openai, azure_deployment: gpt-35", "type: openai, name: gpt-4o");
    assert_eq!(self::prompt(&openai).model.unwrap().as_str(), "openai/gpt-4o");
    let inputs = "---\ninputs:\n  name: Jane\n  age: {type: number, sample: 3}\n---\n{{name}} {{age}}";
    assert_eq!(self::prompt(inputs).test_data[0].0, Vars::from([("age", json!(3)), ("name", json!("Jane"))]));
}

#[test]
fn a_sample_may_stand_in_a_file_of_its_own() {
    let text = V1.replace("sample:\n  firstName: Jane", "sample: data/jane.json");
    let wanted = references(&path(), text.as_bytes(), &Attachments::default());
    let file = PromptPath::parse("prompts/data/jane.json").unwrap();
    assert_eq!(wanted, [Reference::File(file.clone())]);
    let parse = |content: Option<&str>| {
        let mut attached = Attachments::default();
        let found = content.map(|content| (file.clone(), content.as_bytes().into()));
        attached.insert(Reference::File(file.clone()), found.into_iter().collect());
        assert_eq!(references(&path(), text.as_bytes(), &attached), []);
        parse_with(&path(), text.as_bytes(), &attached)
    };
    let prompt = parse(Some(r#"{"firstName": "Jane"}"#)).unwrap().value;
    assert_eq!(prompt.test_data[0].0, Vars::from([("firstName", json!("Jane"))]));
    assert_eq!(parse(None).unwrap_err()[0].code, "file-not-found");
    assert_eq!(parse(Some("[1")).unwrap_err()[0].path, file);
    assert_eq!(parse(Some("[1]")).unwrap_err()[0].code, "invalid-sample");
    assert!(read(&text).unwrap().value.test_data.is_empty(), "unknown files are no error");
}

#[test]
fn short_forms_are_read() {
    assert_eq!(prompt("Hi {{ name }}").render(&Vars::from([("name", json!("A"))])).unwrap()[0].role, Role::System);
    assert_eq!(prompt("---\n---\nuser:\nHi").name, "refund");
    assert_eq!(prompt("+++\nmodel: gpt-4o\n+++\nHi").model.unwrap().as_str(), "openai/gpt-4o");
    assert_eq!(prompt("---\nmodel: anthropic/claude\n---\nHi").model.unwrap().as_str(), "anthropic/claude");
    let tools =
        "---\ntools: { f: { kind: function, parameters: { properties: [{ name: a, kind: float }] } } }\n---\nHi";
    assert_eq!(prompt(tools).tools[0]["function"]["parameters"]["properties"]["a"]["type"], "number");
}

#[test]
fn references_to_the_machine_are_refused_with_the_replacement() {
    check_key(
        "description: ${env:SECRET}",
        "3 refused-reference: `${env:SECRET}` in `description` is refused: the environment of the machine is no part of a prompt",
    );
    let errors = read("---\nmodel: {api: chat}\nsample: ${file:../../etc/passwd}\n---\nHi").unwrap_err();
    assert_eq!(
        (errors[0].code.as_str(), errors[0].help.as_deref()),
        ("refused-reference", Some("write `sample: ../../etc/passwd`"))
    );
    check_key(
        "model: { configuration: { azure_deployment: \"${env:D}\" } }",
        "3 refused-reference: `${env:D}` in `azure_deployment` is refused: the environment of the machine is no part of a prompt",
    );
}

#[test]
fn what_is_not_supported_is_named() {
    check_key("template: handlebars", "3 unsupported-template: the template language `handlebars` is not supported");
    check_key("model: { id: x, apiType: embedding }", "3 unsupported-api: the API `embedding` is not supported");
    check_key(
        "tools: [{ name: fs, kind: mcp }]",
        "3 unsupported-tool: the tool `fs` is of kind `mcp`, which needs a server or another prompt to run",
    );
    check_key(
        "inputs: [{ name: chat, kind: thread }]",
        "3 unsupported-input: the input `chat` is of kind `thread`, which is not supported",
    );
    check_key("modle: x", "3 unknown-key: unknown key `modle` in a Prompty file");
    check_key("version: one", "3 ignored-key: version `one` is not a semantic version and is left out");
    check_key("outputs: [{ name: a, kind: color }]", "3 unknown-kind: unknown kind `color`");
    check(
        "![thread]\n",
        &["1 unsupported-marker: `![thread]` is not supported: a conversation from outside cannot be tested"],
    );
    check("---\nname: a\n---\n\n", &["3 empty-body: the prompt has no text"]);
    check("---\nname: a\n\nHi", &["1 front-matter-open: the front matter is never closed by a line `---`"]);
    check("---\nname: a\n---\nHi\n{% if %}", &["5 invalid-template: invalid Jinja: unexpected end of block"]);
    check("---\nname: a\nname: b\n---\nHi", &["3 duplicate-key: duplicate key `name`"]);
}

#[test]
fn mustache_has_variables_and_nothing_else() {
    let text = "---\ntemplate: { format: { kind: mustache } }\n---\nsystem:\nA\nuser:\n{{ x }} {{{y}}} {{&z}}\n";
    let vars = Vars::from([("x", json!("<&>")), ("y", json!("{{x}}")), ("z", json!(1))]);
    let messages = prompt(text).render(&vars).unwrap();
    assert_eq!(&*messages[1].content, "<&> {{x}} 1");
    check(
        "---\ntemplate: mustache\n---\nuser:\n{{#x}}a{{/x}}\n",
        &[
            "5 unsupported-template: a section (`{{#…}}`) of Mustache is not supported",
            "5 unsupported-template: a section (`{{#…}}`) of Mustache is not supported",
        ],
    );
}

#[test]
fn the_corpus_is_read_without_a_panic() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/prompty");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let wanted = !file.file_name().unwrap().to_string_lossy().starts_with("bad-");
        let read = parse(&path(), &std::fs::read(&file).unwrap());
        assert_eq!(read.is_ok(), wanted, "{}: {read:?}", file.display());
        seen += 1;
    }
    assert!(seen >= 8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&path(), &bytes);
        let _ = references(&path(), &bytes, &Attachments::default());
    }

    #[test]
    fn no_broken_example_panics(cut in 0usize..1500, junk in "[\\PC\\n\\t]{0,8}", first in any::<bool>()) {
        let full = if first { V1 } else { V2 };
        let at = (0..=cut.min(full.len())).rev().find(|at| full.is_char_boundary(*at)).unwrap();
        if let Ok(parsed) = read(&format!("{}{junk}{}", &full[..at], &full[at..])) {
            let _ = parsed.value.render(&Vars::from([("customer", json!("x"))]));
        }
        let _ = read(&full[..at]);
    }
}
