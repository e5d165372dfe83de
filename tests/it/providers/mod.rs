//! A provider says exactly what was asked and answered, and each of its troubles has its own ending.

mod anthropic;
mod azure;
mod bedrock;
mod gemini;
mod named;
mod openai;
mod responses;

use std::time::Duration;

use promptops::domain::gate::Lane;
use promptops::domain::prompt::{ChatMessage, Parameters, ResponseFormat, Role};
use promptops::engine::provider::{Completion, CompletionRequest, Provider, ProviderError, Sample, Task};
use promptops::provider::{Kind, ModelServer, ProviderConfig, Recorder, Registry, Replay};
use serde_json::json;

use crate::support::plans::model;
use crate::support::provider::{Asked, Reply, Scripted};

fn request(name: &str, text: &str) -> CompletionRequest {
    let said = |role, content: &str| ChatMessage::text(role, content);
    CompletionRequest {
        model: model(name),
        messages: [said(Role::System, "Be brief."), said(Role::User, text)].into(),
        parameters: Parameters::default(),
        response_format: ResponseFormat::Text,
        tools: [].into(),
        task: Task::Chat,
        sample: Sample { lane: Lane::Suite, index: 0 },
    }
}

fn config(server: &Scripted) -> ProviderConfig {
    let url = server.url();
    ProviderConfig { allow_private: true, ..ProviderConfig::default() }
        .with("openai", ModelServer::new(Kind::OpenAi).at(format!("{url}/v1")).with_key("sk-test-key"))
        .with("anthropic", ModelServer::new(Kind::Anthropic).at(&url).with_key("ant-test-key"))
        .with("ollama", ModelServer::new(Kind::Ollama).at(url.trim_start_matches("http://")))
}

/// One provider at the scripted server, and no other.
fn only(name: &str, server: ModelServer) -> Registry {
    let config = ProviderConfig { allow_private: true, ..ProviderConfig::default() };
    Registry::new(config.with(name, server)).unwrap()
}

async fn ask(registry: &Registry, request: &CompletionRequest) -> Result<Completion, ProviderError> {
    registry.complete(request, request.key()).await
}

async fn answer_to(reply: Reply) -> Result<Completion, ProviderError> {
    let server = Scripted::start(move |_| reply.clone()).await;
    ask(&Registry::new(config(&server)).unwrap(), &request("openai/gpt-4o-mini", "Hi")).await
}

fn kind(result: &Result<Completion, ProviderError>) -> &'static str {
    match result {
        Ok(_) => "answered",
        Err(ProviderError::Retry { .. }) => "retry",
        Err(ProviderError::GiveUp { .. }) => "give up",
        Err(ProviderError::Fatal { .. }) => "fatal",
    }
}

fn message(result: Result<Completion, ProviderError>) -> String {
    result.unwrap_err().to_string()
}

#[tokio::test]
async fn an_openai_question_carries_all_that_the_prompt_says_and_nothing_more() {
    let server = Scripted::start(|_| Reply::text("Hello")).await;
    let registry = Registry::new(config(&server)).unwrap();
    let mut asked = request("openai/gpt-4o-mini", "Hi");
    let plain = ask(&registry, &asked).await.unwrap();
    assert_eq!((&*plain.text, plain.input_tokens, plain.output_tokens), ("Hello", Some(100), Some(10)));
    asked.parameters = Parameters {
        max_tokens: Some(50),
        temperature: Some(0.5),
        top_p: Some(0.9),
        seed: Some(7),
        stop: vec!["END".to_owned()],
    };
    asked.response_format = ResponseFormat::JsonSchema {
        name: "reply".to_owned(),
        schema: json!({"type": "object"}).into(),
        strict: Some(true),
    };
    ask(&registry, &asked).await.unwrap();
    let sent: Vec<Asked> = server.asked();
    let messages = json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]);
    assert_eq!(sent[0].body, json!({"model": "gpt-4o-mini", "messages": messages}));
    assert_eq!(sent[0].headers["authorization"], "Bearer sk-test-key");
    let schema = json!({"name": "reply", "schema": {"type": "object"}, "strict": true});
    assert_eq!(
        sent[1].body,
        json!({
            "model": "gpt-4o-mini", "messages": messages, "max_tokens": 50, "temperature": 0.5, "top_p": 0.9,
            "seed": 7, "stop": ["END"], "response_format": {"type": "json_schema", "json_schema": schema},
        })
    );
}

#[tokio::test]
async fn each_publisher_goes_to_its_own_server_under_its_own_name() {
    let server = Scripted::start(|_| Reply::text("Hello")).await;
    let registry = Registry::new(config(&server)).unwrap();
    for name in ["anthropic/claude-haiku-4-5", "ollama/llama3.2", "meta/llama-3-70b"] {
        assert_eq!(&*ask(&registry, &request(name, "Hi")).await.unwrap().text, "Hello", "{name}");
    }
    let sent = server.asked();
    assert_eq!((sent[0].path.as_str(), sent[0].model()), ("/v1/messages", "claude-haiku-4-5"));
    assert_eq!(sent[0].headers["x-api-key"], "ant-test-key");
    assert_eq!(sent[0].headers["anthropic-version"], "2023-06-01");
    assert_eq!(sent[0].body["system"], "Be brief.");
    assert_eq!((sent[1].path.as_str(), sent[1].model()), ("/v1/chat/completions", "llama3.2"));
    assert!(!sent[1].headers.contains_key("authorization"), "a key of one vendor never goes to another");
    assert_eq!(sent[2].model(), "meta/llama-3-70b", "a gateway wants the publisher too");
}

#[tokio::test]
async fn a_missing_key_or_unknown_publisher_says_what_to_set() {
    let registry = Registry::new(ProviderConfig::default()).unwrap();
    for (name, words) in [
        ("openai/gpt-4o", "OPENAI_API_KEY"),
        ("anthropic/claude-haiku-4-5", "ANTHROPIC_API_KEY"),
        ("openai-responses/gpt-5", "OPENAI_API_KEY"),
        ("azure/gpt-4o", "set AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT"),
        ("google/gemini-2.5-flash", "GEMINI_API_KEY"),
        ("bedrock/amazon.nova-lite-v1:0", "AWS_REGION"),
        (
            "meta/llama-3",
            "use one of openai, openai-responses, azure, anthropic, gemini, bedrock, ollama, add [providers.meta] to \
             promptops.toml, or set OPENAI_BASE_URL",
        ),
    ] {
        let result = ask(&registry, &request(name, "Hi")).await;
        assert_eq!(kind(&result), "fatal", "{name}");
        let said = message(result);
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn statuses_end_as_the_table_says() {
    for (status, expected) in
        [(400, "give up"), (401, "fatal"), (403, "fatal"), (413, "give up"), (422, "give up"), (429, "retry")]
    {
        let result = answer_to(Reply::error(status, "no: sk-test-key")).await;
        assert_eq!(kind(&result), expected, "{status}");
        assert!(!message(result).contains("sk-test"), "a key is never shown");
    }
    for status in [500, 502, 503, 504, 529] {
        assert_eq!(kind(&answer_to(Reply::error(status, "overloaded")).await), "retry", "{status}");
    }
    let unknown = answer_to(Reply::error(404, "The model `gpt-9` does not exist")).await;
    assert_eq!(kind(&unknown), "fatal");
    assert!(message(unknown).ends_with("check `model` in the prompt, or evaluation.model"));
}

#[tokio::test]
async fn retry_after_is_passed_on() {
    let result = answer_to(Reply::Status(429, vec![("retry-after", "3".to_owned())], String::new())).await;
    assert!(matches!(result, Err(ProviderError::Retry { after: Some(after), .. }) if after == Duration::from_secs(3)));
}

#[tokio::test]
async fn a_redirect_is_refused_and_not_followed() {
    let target = Scripted::start(|_| Reply::text("stolen")).await;
    let location = vec![("location", format!("{}/v1/chat/completions", target.url()))];
    let result = answer_to(Reply::Status(307, location, String::new())).await;
    assert_eq!(kind(&result), "fatal");
    assert!(message(result).contains("redirect: set OPENAI_BASE_URL"));
    assert_eq!(target.calls(), 0);
}

#[tokio::test]
async fn garbage_is_tried_again() {
    for body in ["<html>busy</html>", "{}", r#"{"choices":[]}"#, r#"{"choices":[{"message":{"content":7}}]}"#] {
        let result = answer_to(Reply::Status(200, vec![], body.to_owned())).await;
        assert_eq!(kind(&result), "retry", "{body}");
        assert!(message(result).contains("not readable"));
    }
}

#[tokio::test]
async fn an_answer_larger_than_the_cap_is_given_up_while_it_streams() {
    let result = answer_to(Reply::Endless(64 << 20)).await;
    assert_eq!(kind(&result), "give up");
    assert!(message(result).contains("more than 8 MiB"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let registry = Registry::new(ProviderConfig::gateway(format!("http://user:pass@127.0.0.1:{port}/v1"))).unwrap();
    let result = ask(&registry, &request("openai/x", "Hi")).await;
    assert_eq!(kind(&result), "retry");
    let said = message(result);
    assert!(said.contains("cannot be reached at 127.0.0.1") && !said.contains("pass"), "{said}");
}

#[tokio::test]
async fn a_server_may_not_be_talked_into_calling_its_own_network() {
    let server = Scripted::start(|_| Reply::text("secret")).await;
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), "169.254.169.254".to_owned()] {
        for (name, kind_of_server) in Kind::ALL {
            let there = ModelServer::new(kind_of_server).at(format!("http://{host}")).with_key("k");
            let there = ModelServer { region: Some("us-east-1".to_owned()), ..there };
            let guarded = ProviderConfig::default().with(name, there);
            let result = ask(&Registry::new(guarded).unwrap(), &request(&format!("{name}/x"), "Hi")).await;
            assert_eq!(kind(&result), "fatal", "{name} at {host}");
            let said = message(result);
            assert!(said.contains("PROMPTOPS_ALLOW_PRIVATE_PROVIDERS=1"), "{said}");
        }
    }
    assert_eq!(server.calls(), 0);
}

#[tokio::test]
async fn a_replay_answers_what_was_recorded_in_any_order() {
    let server = Scripted::start(|asked| Reply::text(format!("answer {} to {}", asked.nth, asked.user()))).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answers.jsonl");
    let recorder = Recorder::open(&file, Registry::new(config(&server)).unwrap()).unwrap();
    let mut recorded = Vec::new();
    for text in ["one", "two", "three"] {
        let asked = request("openai/gpt-4o-mini", text);
        let answer = recorder.complete(&asked, asked.key()).await.unwrap();
        recorded.push((asked, answer));
    }
    drop(server);
    let replay = Replay::open(&file).unwrap();
    for (asked, answer) in recorded.iter().rev() {
        assert_eq!(&replay.complete(asked, asked.key()).await.unwrap(), answer);
    }
    let unheard = request("openai/gpt-4o-mini", "four");
    let missing = replay.complete(&unheard, unheard.key()).await;
    assert_eq!(kind(&missing), "give up");
    assert!(message(missing).ends_with("record again with --record"));
}

#[test]
fn a_broken_recording_names_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answers.jsonl");
    std::fs::write(&file, "\n{\"key\": 7}\n").unwrap();
    assert!(Replay::open(&file).unwrap_err().to_string().starts_with("line 2 of the recording "));
    assert!(Replay::open(&folder.path().join("none")).unwrap_err().to_string().starts_with("cannot open"));
}
