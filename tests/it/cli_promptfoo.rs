//! `promptops eval` of a promptfoo config: the same answers as promptfoo for what is declarative, refusals by name for the
//! rest.

use serde_json::{Value, json};

use crate::support::desk::{Desk, Ran};
use crate::support::provider::{Asked, Reply, Scripted};

const CONFIG: &str = r#"
description: Translations
prompts:
  - file://prompts/translate.txt
  - { label: brief, raw: "To {{language}}: {{text}}" }
providers:
  - openai:gpt-4o-mini
  - id: anthropic:messages:claude-haiku
    label: haiku
    config: { temperature: 0.5, max_tokens: 50 }
defaultTest:
  assert:
    - type: not-contains
      value: As an AI
tests:
  - description: Greets
    vars: { language: [French, German], text: Hello }
    assert:
      - type: icontains
        value: "{{text}} in {{language}}"
  - vars: { language: Italian, text: Bye }
    threshold: 0.5
    assert:
      - type: contains
        value: nowhere
        weight: 1
      - type: assert-set
        weight: 2
        threshold: 0.5
        assert:
          - type: contains
            value: Bye
          - type: contains
            value: neither
  - file://tests/more.csv
"#;
const CSV: &str = "language,text,__expected,__description,__metadata:id,__suffix\n\
                   Dutch,Dank,contains:Dank in Dutch,Thanks,,\n\
                   Czech,Ano,contains:Ano in Czech!,Thanks,yes-in-czech,!\n";

fn desk() -> Desk {
    let desk = Desk::plain();
    desk.write("promptfooconfig.yaml", CONFIG);
    desk.write("tests/more.csv", CSV);
    desk.write("prompts/translate.txt", "Say {{text}} in {{language}}\n---\nPlease: {{text}} in {{language}}\n");
    desk
}

/// Repeats what it is told; of a chat with a system message also that.
fn echo(asked: &Asked) -> Reply {
    let said = asked.body["messages"].as_array().unwrap().iter().map(|one| text(&one["content"])).collect::<Vec<_>>();
    let system = text(&asked.body["system"]);
    Reply::text(format!("{system}{}", said.join(" ")))
}

fn text(content: &Value) -> String {
    match content {
        Value::Array(parts) => parts.iter().map(|part| part["text"].as_str().unwrap_or_default()).collect(),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

async fn eval(desk: &Desk, server: &Scripted, arguments: &[&str]) -> Ran {
    let (url, anthropic) = (format!("{}/v1", server.url()), server.url());
    let variables = [("OPENAI_BASE_URL", url.as_str()), ("ANTHROPIC_BASE_URL", anthropic.as_str())];
    desk.run_in("", &[&["eval"], arguments].concat(), &variables).await
}

/// Each prompt with its cases, a `+` for a pass and a `-` for a fail.
fn table(result: &Value) -> Vec<String> {
    let cases = |prompt: &Value| {
        let cases = prompt["cases"].as_array().unwrap().iter().map(|case| {
            let passed = if case["head"]["passes"] == json!(1) { '+' } else { '-' };
            format!("{passed}{}", case["id"].as_str().unwrap())
        });
        cases.collect::<Vec<_>>().join(" | ")
    };
    let prompts = result["prompts"].as_array().unwrap();
    prompts.iter().map(|prompt| format!("{}: {}", prompt["name"].as_str().unwrap(), cases(prompt))).collect()
}

#[tokio::test]
async fn every_prompt_meets_every_provider_and_every_case() {
    let (desk, server) = (desk(), Scripted::start(echo).await);
    let ran = eval(&desk, &server, &["promptfooconfig.yaml", "--format", "json"]).await;
    // The last three prompts say the texts in another way, so that some cases fail.
    let threshold = "+case-4f623ff6456e";
    let said = format!(
        "+Greets [language=French] | +Greets [language=German] | {threshold} | +case-9ed69171c845 | +yes-in-czech"
    );
    let unsaid = said.replace("+Greets", "-Greets").replace("+case-9e", "-case-9e").replace("+yes", "-yes");
    let mut expected = Vec::new();
    for provider in ["openai:gpt-4o-mini", "haiku"] {
        expected.push(format!("prompts/translate.txt #1 [{provider}]: {said}"));
        expected.push(format!("prompts/translate.txt #2 [{provider}]: {said}"));
        expected.push(format!("brief [{provider}]: {unsaid}"));
    }
    assert_eq!(table(&ran.json()), expected);
    assert_eq!(ran.code, 0, "{ran:?}");
    let haiku: Vec<_> = server.asked().into_iter().filter(|asked| asked.model() == "claude-haiku").collect();
    assert_eq!(haiku.len(), 15);
    assert!(haiku.iter().all(|asked| asked.body["temperature"] == json!(0.5) && asked.body["max_tokens"] == json!(50)));
}

#[tokio::test]
async fn a_failing_case_is_exit_1_where_strictness_is_asked_for() {
    let (desk, server) = (desk(), Scripted::start(echo).await);
    let ran = eval(&desk, &server, &["--strict"]).await;
    assert_eq!(ran.code, 1, "found by its name, without being named: {ran:?}");
    assert!(ran.stdout.contains("cases fail (`--strict`)"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_chat_keeps_its_turns_and_values_are_never_templates() {
    let (desk, server) = (Desk::plain(), Scripted::start(echo).await);
    let chat = r#"[{"role": "system", "content": "You are {{user.role}}."}, {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "{{text}}"}]"#;
    desk.write("evals/chat.json", chat);
    desk.write("evals/cases/user.yaml", "role: a clerk\nage: 40\n");
    desk.write(
        "evals/refunds.yaml",
        "prompts: [file://chat.json]\nproviders: [openai:chat:gpt-4o]\ntests:\n- vars: { text: \"{{ user.age }} {% raw %}\", user: file://cases/user.yaml }\n  assert:\n  - { type: contains, value: \"{{text}}\" }\n  - { type: equals, value: \"You are a clerk. Yes? {{text}}\" }\n",
    );
    let ran = eval(&desk, &server, &["evals/refunds.yaml", "--strict"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let messages = json!([
        {"role": "system", "content": "You are a clerk."},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "{{ user.age }} {% raw %}"},
    ]);
    assert_eq!(server.asked()[0].body["messages"], messages);
    let warning =
        "evals/refunds.yaml:4:3: warning: the value of `text` holds template syntax, which goes in as it is\n";
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);
}

#[tokio::test]
async fn repeat_is_the_number_of_trials() {
    let (desk, server) = (Desk::plain(), Scripted::start(echo).await);
    desk.write(
        "promptfooconfig.json",
        "{\"prompts\": [\"Hi {{n}}\"], \"providers\": [\"openai:gpt-4o\"], \"evaluateOptions\": {\"repeat\": 3},\n\t\"tests\": [{\"vars\": {\"n\": [\"a\", \"b\"]}}]}\n",
    );
    let ran = eval(&desk, &server, &["--format", "json", "--no-cache"]).await;
    let result = ran.json();
    assert_eq!((ran.code, server.calls()), (0, 6), "{ran:?}");
    assert_eq!(
        result["prompts"][0]["cases"][0]["head"],
        json!({"passes": 3, "trials": 3, "score": 1.0, "output": "Hi a", "error": null})
    );
    let ran = eval(&desk, &server, &["--trials", "1", "--format", "json", "--no-cache"]).await;
    assert_eq!((ran.code, server.calls()), (0, 8), "the command line decides");
}

#[tokio::test]
async fn a_changed_model_or_prompt_is_compared_with_what_it_was() {
    let server = Scripted::start(|asked| match asked.model() {
        "gpt-4o" => Reply::text("formal"),
        _ => Reply::text("rude"),
    })
    .await;
    let config = "prompts: [file://p.txt]\nproviders: [openai:gpt-4o]\ntests:\n".to_owned()
        + &(0..6)
            .map(|n| format!("- vars: {{ n: {n} }}\n  assert: [{{ type: equals, value: formal }}]\n"))
            .collect::<String>();
    let desk = Desk::repository(&[("promptfooconfig.yaml", &config), ("p.txt", "Answer {{n}}")]);
    desk.write("promptfooconfig.yaml", config.replace("openai:gpt-4o", "openai:gpt-4.1"));
    let ran = eval(&desk, &server, &["--base", "HEAD", "--format", "json"]).await;
    let result = ran.json();
    assert_eq!(
        (ran.code, &result["verdict"], &result["prompts"][0]["broken"]),
        (1, &json!("regression"), &json!(6)),
        "{ran:?}"
    );
}

/// `eval` of a config must end with 2 and say this, with its place and what to do.
async fn check(config: &str, expected: &str) {
    let desk = Desk::plain();
    desk.write("promptfooconfig.yaml", config);
    desk.write("secret.txt", "s3cret");
    for command in ["eval", "lint"] {
        let ran = desk.run(&[command]).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        let first = ran.stderr.lines().next().unwrap_or_default();
        assert_eq!(first, format!("promptfooconfig.yaml:{expected}"), "{}", ran.stderr);
        assert!(ran.stderr.contains("= help: "), "{}", ran.stderr);
    }
}

const HEAD: &str = "prompts: [Hi]\nproviders: [openai:gpt-4o]\n";

async fn check_test(test: &str, expected: &str) {
    check(&format!("{HEAD}tests:\n- {test}\n"), expected).await;
}

#[tokio::test]
async fn code_is_refused_by_name_and_place() {
    check_test(
        "assert: [{ type: javascript, value: output.length < 9 }]",
        "4:20: error: the assertion type `javascript` is code, and no code of a repository is run here",
    )
    .await;
    check("prompts: [file://make.py]\n", "1:11: error: `make.py` is code, and no code of a repository is run here")
        .await;
    check(
        "prompts: [Hi]\nproviders: [\"exec:./ask.sh\"]\n",
        "2:13: error: the provider `exec:./ask.sh` is code, and no code of a repository is run here",
    )
    .await;
    check(
        &format!("{HEAD}tests: file://gen.js\n"),
        "3:8: error: `gen.js` is code, and no code of a repository is run here",
    )
    .await;
    check_test("vars: { a: file://x.py }", "4:14: error: `x.py` is code, and no code of a repository is run here")
        .await;
    check_test(
        "options: { transform: output.trim() }",
        "4:25: error: `transform` is code, and no code of a repository is run here",
    )
    .await;
    check(
        &format!("{HEAD}extensions: [file://hook.js:run]\n"),
        "3:1: error: `extensions` are code, and no code of a repository is run here",
    )
    .await;
    check(
        &format!("{HEAD}nunjucksFilters: {{ up: ./up.js }}\n"),
        "3:1: error: `nunjucksFilters` are code, and no code of a repository is run here",
    )
    .await;
}

#[tokio::test]
async fn what_is_elsewhere_is_refused() {
    check(
        &format!("{HEAD}tests: https://docs.google.com/spreadsheets/d/x\n"),
        "3:8: error: `https://docs.google.com/spreadsheets/d/x` is not in the repository (`https://`), so nobody reviews what stands there",
    )
    .await;
    check(
        &format!("{HEAD}tests: huggingface://datasets/x\n"),
        "3:8: error: `huggingface://datasets/x` is not in the repository (`huggingface://`), so nobody reviews what stands there",
    )
    .await;
    for path in ["file://../../etc/passwd", "file:///etc/passwd", "file://~/.netrc"] {
        let shown = path.strip_prefix("file://").filter(|path| !path.starts_with("..")).unwrap_or(path);
        check_test(
            &format!("vars: {{ a: \"{path}\" }}"),
            &format!("4:14: error: `{shown}` leads out of the repository"),
        )
        .await;
    }
    check_test("vars: { a: file://none.txt }", "4:14: error: no file at `file://none.txt`").await;
}

#[tokio::test]
async fn what_only_nunjucks_could_fill_is_refused() {
    check(
        "prompts:\n- |\n  Hi\n  {% if x %}there{% endif %}\n",
        "4:3: error: `{% if x %}` is a statement of Nunjucks; templates here only fill `{{ name }}`",
    )
    .await;
    check(
        "prompts: [\"Hi {{ name | upper }}\"]\n",
        "1:15: error: `{{ name | upper }}` is an expression of Nunjucks; templates here only fill `{{ name }}`",
    )
    .await;
    check("prompts: [\"Hi {{env.KEY}}\"]\n", "1:15: error: `{{env.KEY}}` reads the environment").await;
    check_test(
        "assert: [{ type: contains, value: \"{{ a + b }}\" }]",
        "4:38: error: `{{ a + b }}` is an expression of Nunjucks; templates here only fill `{{ name }}`",
    )
    .await;
}

#[tokio::test]
async fn slips_are_found_before_any_model_is_asked() {
    check(&format!("{HEAD}test: []\n"), "3:1: error: unknown key `test` in a promptfoo config").await;
    check_test("asserts: []", "4:3: error: unknown key `asserts` in a test").await;
    check_test("assert: [{ value: x }]", "4:12: error: an assertion has no `type`").await;
    check_test("providers: [gpt4]", "4:3: error: no provider is called `gpt4`").await;
    check_test(
        "assert: [{ $ref: \"#/assertionTemplates/x\" }]",
        "4:20: error: `$ref: #/assertionTemplates/x` leads to nothing",
    )
    .await;
    check(
        "prompts: [\"Hi {{name}}\"]\ntests: [{ description: Greets, vars: { a: 1 } }]\nproviders: [openai:gpt-4o]\n",
        "1:15: error: variable `name` in a message has no value in case `Greets` (promptfooconfig.yaml:2)",
    )
    .await;
    let list = vec!["x"; 100].join(", ");
    check_test(
        &format!("vars: {{ a: [{list}], b: [{list}], c: [{list}] }}"),
        "4:3: error: the lists in `vars` make 1000000 cases of this test, at most 10000 are made",
    )
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_not_followed_whether_file_or_folder() {
    let outside = Desk::plain();
    outside.write("secret.txt", "s3cret");
    let (desk, server) = (Desk::plain(), Scripted::start(echo).await);
    std::os::unix::fs::symlink(outside.path(), desk.file("out")).unwrap();
    std::os::unix::fs::symlink(outside.file("secret.txt"), desk.file("link.txt")).unwrap();
    for path in ["out/secret.txt", "link.txt"] {
        let config = format!(
            "prompts: [\"{{{{a}}}}\"]\nproviders: [openai:gpt-4o]\ntests: [{{ vars: {{ a: \"file://{path}\" }} }}]\n"
        );
        desk.write("promptfooconfig.yaml", config);
        let ran = eval(&desk, &server, &["promptfooconfig.yaml"]).await;
        assert_eq!((ran.code, server.calls()), (2, 0), "{ran:?}");
        assert!(
            ran.said().contains("links and submodules are not followed") && !ran.said().contains("s3cret"),
            "{ran:?}"
        );
    }
}
