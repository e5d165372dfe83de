use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read_text(text: &str) -> Result<Parsed<Prompt>, Vec<Diagnostic>> {
    parse(&PromptPath::parse("prompts/refund.prompt.yml").unwrap(), text.as_bytes())
}

/// Each finding as `line:column code: message`.
fn check(text: &str, expected: &[&str]) {
    let found = match read_text(text) {
        Ok(parsed) => parsed.warnings,
        Err(errors) => errors,
    };
    let said: Vec<String> = found
        .iter()
        .map(|found| {
            let at = found.location.unwrap();
            assert!(found.help.is_some() && found.excerpt.is_some(), "{found:?}");
            format!("{}:{} {}: {}", at.line, at.column, found.code, found.message)
        })
        .collect();
    assert_eq!(said, expected, "{text}");
}

const FULL: &str = r#"name: Refund answer
description: Answers a customer who wants money back
model: openai/gpt-4o-mini
modelParameters:
  maxTokens: 200
  temperature: 0
  topP: 0.9
  seed: 7
  stop: ["END"]
responseFormat: json_schema
jsonSchema: '{"name": "answer", "strict": true, "schema": {"type": "object"}}'
messages:
  - role: System
    content: You are polite.
  - role: user
    content: |
      A customer asks for {{ amount }}.
      Answer in {{language}}.
testData:
  - amount: 900 EUR
    expected: Escalate
  - amount: 1.50
evaluators:
  - name: escalates
    string:
      contains: escalate
  - name: tone
    llm:
      modelId: openai/gpt-4o
      prompt: "Is {{completion}} polite for {{amount}}?"
      choices:
        - { choice: "yes", score: 1 }
        - { choice: "no", score: 0 }
  - name: similar
    uses: github/similarity
  - not_contains: "As an AI"
version: 1.2.0
owner: "@acme/support"
useCase: refunds
variables:
  amount: { description: How much, required: true, example: 900 EUR }
  language: { default: English }
  unused:
exampleOutput: We will look into it.
goldenSet: ../golden/refund.jsonl
tags: [support, money]
"#;

#[test]
fn every_documented_key_is_read() {
    let Parsed { value: prompt, warnings } = read_text(FULL).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(prompt.name, "Refund answer");
    assert_eq!(prompt.model.as_ref().unwrap().name(), "gpt-4o-mini");
    assert_eq!((prompt.parameters.max_tokens, prompt.parameters.seed), (Some(200), Some(7)));
    assert_eq!(prompt.parameters.stop, ["END"]);
    let schema = Arc::new(json!({"type": "object"}));
    let format = ResponseFormat::JsonSchema { name: "answer".to_owned(), schema, strict: Some(true) };
    assert_eq!(prompt.response_format, format);
    assert_eq!(prompt.render(&Vars::from([("amount", json!(1))])).unwrap()[0].role, Role::System);
    assert_eq!(prompt.test_data.len(), 2);
    assert_eq!(prompt.test_data[0].1, 20);
    assert_eq!(prompt.evaluators.len(), 4);
    assert_eq!(prompt.version.as_ref().unwrap().to_string(), "1.2.0");
    assert_eq!(prompt.golden_set.as_ref().unwrap().as_str(), "golden/refund.jsonl");
    assert_eq!(prompt.variables["language"].default, Some(json!("English")));
    let used: Vec<&str> = prompt.evaluator_variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(used, ["amount", "expected"]);
}

#[test]
fn a_prompt_is_rendered_with_defaults_and_an_undefined_variable_has_its_place() {
    let prompt = read_text(FULL).unwrap().value;
    let vars = Vars::from([("amount".to_owned(), json!("{{language}}"))]);
    let messages = prompt.render(&vars).unwrap();
    assert_eq!(&*messages[1].content, "A customer asks for {{language}}.\nAnswer in English.\n");
    let undefined = prompt.render(&Vars::new()).unwrap_err();
    let RenderError::Undefined(undefined) = undefined else { panic!("{undefined}") };
    assert_eq!(undefined.variable, "amount");
    assert_eq!(undefined.location, Some(Location { line: 17, column: 27, length: 12 }));
}

#[test]
fn a_minimal_file_is_named_after_itself() {
    let prompt = read_text("messages:\n- role: user\n  content: Hi\n").unwrap().value;
    assert_eq!((prompt.name.as_str(), prompt.model), ("refund", None));
    assert_eq!(prompt.response_format, ResponseFormat::Text);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_read_like_any_other() {
    let text = format!("\u{feff}{}", FULL.replace('\n', "\r\n"));
    let (windows, unix) = (read_text(&text).unwrap().value, read_text(FULL).unwrap().value);
    assert_eq!(windows.body.source(), unix.body.source());
    check(
        "\u{feff}messages:\r\n- role: user\r\n  content: [a]\r\n",
        &["3:12 wrong-type: `content` must be a text, found a list"],
    );
}

#[test]
fn unknown_keys_are_warnings_and_the_prompt_still_counts() {
    let text = "messages:\n- role: user\n  content: Hi\n  weight: 3\nmodelParameters: {top_k: 3}\nmodl: x\n";
    check(
        text,
        &[
            "4:3 unknown-key: unknown key `weight` in a message",
            "5:19 unknown-key: unknown key `top_k` in modelParameters",
            "6:1 unknown-key: unknown key `modl` in a prompt file",
        ],
    );
    assert!(read_text(text).is_ok());
}

#[test]
fn broken_yaml_is_an_error_with_its_line() {
    check("name: a\nname: b\n", &["2:1 duplicate-key: duplicate key `name`"]);
    check("messages:\n\t- role: user\n", &["2:1 yaml-tab: a tab in the indentation; YAML allows only spaces there"]);
    for text in ["messages: [", "a: b: c", "messages:\n- role: user\n content: x\n", "*nowhere", "\u{0}", "%"] {
        let errors = read_text(text).unwrap_err();
        assert_eq!(errors.len(), 1, "{text}");
        assert!(errors[0].location.is_some() && errors[0].help.is_some(), "{text}: {errors:?}");
    }
}

#[test]
fn wrong_types_and_missing_keys_are_told_all_at_once() {
    check("{}", &["1:1 missing-key: a prompt file needs `messages`"]);
    check("# later\n", &["1:1 empty-file: the prompt file is empty"]);
    check("just text", &["1:1 wrong-type: a prompt file must be a mapping, found a text"]);
    check("name: x\n", &["1:1 missing-key: a prompt file needs `messages`"]);
    check("messages: []\n", &["1:11 empty-list: `messages` is empty"]);
    check(
        "name: {}\nmessages:\n- role: robot\n  content: Hi\n- role: user\n- content: 3\n- role: user\n  content:\n",
        &[
            "1:7 wrong-type: `name` must be a text, found a mapping",
            "3:9 unknown-role: unknown message role `robot`",
            "5:3 missing-key: a message needs `content`",
            "6:3 missing-key: a message needs `role`",
            "8:10 wrong-type: `content` has no value; it must be a text",
        ],
    );
}

fn check_key(line: &str, expected: &str) {
    check(&format!("messages: [{{role: user, content: Hi}}]\n{line}\n"), &[expected]);
}

#[test]
fn metadata_is_checked() {
    check_key(
        "version: 1.20",
        "2:10 invalid-version: version `1.20` is not a semantic version: unexpected end of input while parsing minor version number",
    );
    check_key("owner: mara", "2:8 invalid-owner: owner `mara` is neither a user nor a team");
    check_key("owner:", "2:6 wrong-type: `owner` has no value; it must be a text");
    check_key(
        "goldenSet: cases.txt",
        "2:12 unknown-format: `goldenSet` names `cases.txt`, which is no golden set format",
    );
    check_key("tags: support", "2:7 wrong-type: `tags` must be a list, found a text");
    let errors = read_text("goldenSet: ../../x.csv\nmessages: [{role: user, content: Hi}]\n").unwrap_err();
    assert_eq!(errors[0].code, "invalid-path");
}

#[test]
fn parameters_and_formats_are_checked() {
    check_key("modelParameters: {temperature: hot}", "2:32 wrong-type: `temperature` must be a number, found a text");
    check_key(
        "modelParameters: {maxTokens: 0}",
        "2:30 out-of-range: `maxTokens` must be a whole number of at least 1, found 0",
    );
    check_key("responseFormat: xml", "2:17 unknown-response-format: unknown response format `xml`");
    check_key("responseFormat: json_schema", "2:17 missing-key: `responseFormat: json_schema` needs `jsonSchema`");
    check_key("jsonSchema: {schema: {}}", "2:13 invalid-schema: `jsonSchema` needs a text `name`");
    check_key(
        "jsonSchema: '{'",
        "2:13 invalid-json: `jsonSchema` is not valid JSON: EOF while parsing an object at line 1 column 1",
    );
    let errors =
        read_text("messages: [{role: user, content: Hi}]\njsonSchema: {name: a, schema: {type: 3}}\n").unwrap_err();
    assert_eq!((errors[0].code.as_str(), errors[0].location.unwrap().line), ("invalid-schema", 2));
    let mapping = read_text(
        "messages: [{role: user, content: Hi}]\nresponseFormat: json_schema\njsonSchema: {name: a, schema: {type: object}}\n",
    );
    assert!(matches!(mapping.unwrap().value.response_format, ResponseFormat::JsonSchema { strict: None, .. }));
}

#[test]
fn a_file_that_is_no_prompt_is_refused() {
    let path = PromptPath::parse("prompts/readme.md").unwrap();
    assert_eq!(parse(&path, b"").unwrap_err()[0].code, "unknown-format");
    let path = PromptPath::parse("X.PROMPT.YAML").unwrap();
    assert_eq!(parse(&path, b"messages: [{role: user, content: Hi}]").unwrap().value.name, "X");
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n";
    assert_eq!(parse(&path, lfs).unwrap_err()[0].code, "lfs-pointer");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&PromptPath::parse("a.prompt.yml").unwrap(), &bytes);
    }

    #[test]
    fn no_broken_example_panics(cut in 0usize..1800, junk in "[\\PC\\n\\t]{0,8}") {
        let at = (0..=cut.min(FULL.len())).rev().find(|at| FULL.is_char_boundary(*at)).unwrap();
        let _ = read_text(&format!("{}{junk}{}", &FULL[..at], &FULL[at..]));
        let _ = read_text(&FULL[..at]);
    }
}
