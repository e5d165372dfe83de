//! Chat completions and embeddings: tools, media and limits go out and come back as OpenAI writes them.

use std::time::Duration;

use promptops::domain::prompt::{ChatMessage, Part, Role};
use promptops::engine::provider::{RateHint, Task};
use promptops::provider::Registry;
use serde_json::{Value, json};

use super::{ask, config, kind, message, request};
use crate::support::provider::{Reply, Scripted};

/// A weather tool in OpenAI's form.
pub fn weather() -> Value {
    json!({"type": "function", "function": {
        "name": "weather", "description": "Today's weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }})
}

/// A user message of a text and one medium.
pub fn with_medium(url: &str) -> ChatMessage {
    let parts = [Part::Text("What is this?".into()), Part::Media { url: url.into(), content_type: None }];
    ChatMessage { role: Role::User, content: "What is this?".into(), parts: parts.into() }
}

#[tokio::test]
async fn tools_are_passed_on_and_calls_come_back_where_nothing_is_said() {
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Oslo\"}"}});
    let message = json!({"role": "assistant", "content": null, "tool_calls": [call]});
    let answer = json!({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]});
    let server = Scripted::start(move |_| Reply::json(&answer)).await;
    let mut asked = request("openai/gpt-4o-mini", "Weather in Oslo?");
    asked.tools = [weather()].into();
    let answered = ask(&Registry::new(config(&server)).unwrap(), &asked).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&answered.text).unwrap(), json!([call]));
    assert_eq!(answered.finish_reason.as_deref(), Some("tool_calls"));
    assert_eq!(server.asked()[0].body["tools"], json!([weather()]));
}

#[tokio::test]
async fn media_go_out_as_parts() {
    let server = Scripted::start(|_| Reply::text("A cat")).await;
    let registry = Registry::new(config(&server)).unwrap();
    for (url, part) in [
        ("https://x.test/cat.png", json!({"type": "image_url", "image_url": {"url": "https://x.test/cat.png"}})),
        (
            "data:audio/wav;base64,UklG",
            json!({"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}),
        ),
        (
            "data:application/pdf;base64,JVBE",
            json!({"type": "file", "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBE"}}),
        ),
    ] {
        let mut asked = request("openai/gpt-4o-mini", "");
        asked.messages = [with_medium(url)].into();
        ask(&registry, &asked).await.unwrap();
        let content = json!([{"type": "text", "text": "What is this?"}, part]);
        assert_eq!(server.asked().last().unwrap().body["messages"][0]["content"], content);
    }
    let mut asked = request("openai/gpt-4o-mini", "");
    asked.messages = [with_medium("https://x.test/cat.mp4")].into();
    let refused = ask(&registry, &asked).await;
    assert_eq!(kind(&refused), "give up");
    assert!(message(refused).starts_with("openai takes no video/mp4 by address: "));
}

#[tokio::test]
async fn an_embedding_is_a_list_of_numbers() {
    let vector = json!([{"object": "embedding", "index": 0, "embedding": [0.25, -1.0, 3e-3]}]);
    let answer = json!({"object": "list", "data": vector, "usage": {"prompt_tokens": 5, "total_tokens": 5}});
    let server = Scripted::start(move |_| Reply::json(&answer)).await;
    let registry = Registry::new(config(&server)).unwrap();
    for (model, name) in [("openai/text-embedding-3-small", "text-embedding-3-small"), ("ollama/nomic", "nomic")] {
        let mut asked = request(model, "");
        asked.task = Task::Embed;
        asked.messages = [ChatMessage::text(Role::User, "Hello there")].into();
        let answered = ask(&registry, &asked).await.unwrap();
        assert_eq!((&*answered.text, answered.input_tokens), ("[0.25,-1.0,0.003]", Some(5)));
        let sent = server.asked().pop().unwrap();
        assert_eq!(
            (sent.path.as_str(), &sent.body),
            ("/v1/embeddings", &json!({"model": name, "input": "Hello there"}))
        );
    }
    let mut asked = request("openai/text-embedding-3-small", "Hi");
    asked.task = Task::Embed;
    assert_eq!(kind(&ask(&registry, &asked).await), "give up", "two messages are not one text");
}

#[tokio::test]
async fn what_is_left_of_the_limits_comes_beside_the_answer() {
    let answer = json!({"choices": [{"message": {"content": "Hi"}}]}).to_string();
    let headers = vec![
        ("x-ratelimit-remaining-requests", "59".to_owned()),
        ("x-ratelimit-remaining-tokens", "1000".to_owned()),
        ("x-ratelimit-reset-tokens", "6m0s".to_owned()),
    ];
    let server = Scripted::start(move |_| Reply::Status(200, headers.clone(), answer.clone())).await;
    let answered = ask(&Registry::new(config(&server)).unwrap(), &request("openai/gpt-4o", "Hi")).await.unwrap();
    let expected = RateHint {
        remaining_requests: Some(59),
        remaining_tokens: Some(1_000),
        reset_after: Some(Duration::from_secs(360)),
    };
    assert_eq!(answered.rate, Some(expected));
    let kept = serde_json::to_value(&answered).unwrap();
    assert!(kept.get("rate").is_none(), "a hint is of its moment and is not kept: {kept}");
}

#[tokio::test]
async fn an_answer_that_a_filter_emptied_is_none() {
    for content in [json!(null), json!("")] {
        let answer = json!({"choices": [{"message": {"content": content}, "finish_reason": "content_filter"}]});
        let server = Scripted::start(move |_| Reply::json(&answer)).await;
        let result = ask(&Registry::new(config(&server)).unwrap(), &request("openai/gpt-4o", "Hi")).await;
        assert_eq!(kind(&result), "give up");
        assert_eq!(message(result), "openai withheld the answer: its content filter objects");
    }
}
