//! `promptops eval` of a promptfoo config: the same answers as promptfoo for what is declarative, refusals by name for the
//! rest.

use serde_json::{Value, json};

use crate::support::desk::{Desk, Ran};
use crate::support::provider::{Asked, Reply, Scripted};

const CONFIG: &str = r#"
description: Translations
prompts:
  - file://prompts/translate.txt
  - id: file://prompts/chat.json
    label: chat
  - "Translate to {{language}}: {{text}}"
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
    let chat = r#"[{"role": "system", "content": "You speak {{language}}."}, {"role": "user", "content": "{{text}}"}]"#;
    desk.write("prompts/chat.json", chat);
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
    let (mut desk, server) = (desk(), Scripted::start(echo).await);
    desk.write(
        "prompts/chat.json",
        r#"[{"role": "system", "content": "S"}, {"role": "user", "content": "{{text}} in {{language}}"}]"#,
    );
    desk.write("promptfooconfig.yaml", CONFIG.replace("  - file://tests/more.csv\n", ""));
    let ran = eval(&desk, &server, &["promptfooconfig.yaml", "--format", "json"]).await;
    let cases = "+Greets [language=French] | +Greets [language=German] | +case-6e53e0f9c0a9";
    assert_eq!(
        table(&ran.json()),
        ["prompts/translate.txt #1", "prompts/translate.txt #2", "chat", "prompt 3"]
            .iter()
            .flat_map(|_| Vec::<String>::new())
            .chain(["openai:gpt-4o-mini", "haiku"].iter().flat_map(|provider| {
                let last = format!(
                    "prompt 4 [{provider}]: -Greets [language=French] | -Greets [language=German] | +case-6e53e0f9c0a9"
                );
                [
                    format!("prompts/translate.txt #1 [{provider}]: {cases}"),
                    format!("prompts/translate.txt #2 [{provider}]: {cases}"),
                    format!("chat [{provider}]: {cases}"),
                    last,
                ]
            }))
            .collect::<Vec<_>>()
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    let haiku: Vec<_> = server.asked().into_iter().filter(|asked| asked.model() == "claude-haiku").collect();
    assert_eq!(haiku.len(), 12);
    assert!(haiku.iter().all(|asked| asked.body["temperature"] == json!(0.5) && asked.body["max_tokens"] == json!(50)));
    desk = Desk::plain();
    drop(desk);
}
