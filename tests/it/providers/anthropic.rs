//! Anthropic's messages: tools, media and refusals in its form.

use std::time::Duration;

use promptops::domain::prompt::{ChatMessage, Role};
use promptops::engine::provider::{ProviderError, Task};
use promptops::provider::Registry;
use serde_json::{Value, json};

use super::openai::{weather, with_medium};
use super::{ask, config, kind, message, request};
use crate::support::provider::{Reply, Scripted};

const MODEL: &str = "anthropic/claude-haiku-4-5";

#[tokio::test]
async fn tools_and_calls_are_translated_both_ways() {
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}});
    let answer = json!({"content": [{"type": "thinking", "thinking": "Hm."}, call], "stop_reason": "tool_use"});
    let server = Scripted::start(move |_| Reply::json(&answer)).await;
    let mut asked = request(MODEL, "Weather in Oslo?");
    asked.tools = [weather()].into();
    let answered = ask(&Registry::new(config(&server)).unwrap(), &asked).await.unwrap();
    let expected = json!([{"id": "toolu_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Oslo\"}"}}]);
    assert_eq!(serde_json::from_str::<Value>(&answered.text).unwrap(), expected);
    assert_eq!(answered.finish_reason.as_deref(), Some("tool_use"));
    let schema = weather()["function"]["parameters"].clone();
    let tool = json!({"name": "weather", "description": "Today's weather", "input_schema": schema});
    assert_eq!(server.asked()[0].body["tools"], json!([tool]));
    asked.tools = [json!({"type": "web_search"})].into();
    let refused = message(ask(&Registry::new(config(&server)).unwrap(), &asked).await);
    assert!(refused.starts_with("tool 1 is `web_search`, and anthropic takes functions alone: "), "{refused}");
}

#[tokio::test]
async fn media_go_out_as_blocks() {
    let server = Scripted::start(|_| Reply::text("A cat")).await;
    let registry = Registry::new(config(&server)).unwrap();
    for (url, block) in [
        (
            "https://x.test/cat.png",
            json!({"type": "image", "source": {"type": "url", "url": "https://x.test/cat.png"}}),
        ),
        (
            "data:image/png;base64,iVBO",
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}}),
        ),
        (
            "data:application/pdf;base64,JVBE",
            json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}}),
        ),
    ] {
        let mut asked = request(MODEL, "");
        asked.messages = [with_medium(url)].into();
        ask(&registry, &asked).await.unwrap();
        let content = json!([{"type": "text", "text": "What is this?"}, block]);
        assert_eq!(server.asked().last().unwrap().body["messages"][0]["content"], content);
    }
}

#[tokio::test]
async fn what_the_format_has_no_word_for_is_named() {
    let server = Scripted::start(|_| Reply::text("unasked")).await;
    let registry = Registry::new(config(&server)).unwrap();
    let mut embedding = request(MODEL, "Hi");
    embedding.task = Task::Embed;
    let mut sound = request(MODEL, "");
    sound.messages = [with_medium("data:audio/wav;base64,UklG")].into();
    let mut tool = request(MODEL, "Hi");
    tool.messages = [ChatMessage::text(Role::User, "Hi"), ChatMessage::text(Role::Tool, "{}")].into();
    let mut shown = request(MODEL, "Hi");
    let system = ChatMessage { role: Role::System, ..with_medium("https://x.test/cat.png") };
    shown.messages = [system, ChatMessage::text(Role::User, "Hi")].into();
    for (asked, words) in [
        (shown, "anthropic cannot be sent media in a system message: "),
        (embedding, "anthropic cannot be sent a text to embed: "),
        (sound, "anthropic takes no audio/wav inside the message: "),
        (tool, "anthropic cannot be sent a tool's message: "),
    ] {
        let result = ask(&registry, &asked).await;
        assert_eq!(kind(&result), "give up");
        let said = message(result);
        assert!(said.starts_with(words), "{said}");
    }
    assert_eq!(server.calls(), 0);
}

#[tokio::test]
async fn its_own_errors_end_as_they_should() {
    for (status, error, text, expected) in [
        (429, "rate_limit_error", "This request would exceed your rate limit", "retry"),
        (529, "overloaded_error", "Overloaded", "retry"),
        (400, "invalid_request_error", "Your credit balance is too low to access the API", "fatal"),
        (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", "give up"),
        (401, "authentication_error", "invalid x-api-key", "fatal"),
        (404, "not_found_error", "model: claude-9", "fatal"),
    ] {
        let body = json!({"type": "error", "error": {"type": error, "message": text}}).to_string();
        let server = Scripted::start(move |_| {
            Reply::Status(status, vec![("anthropic-ratelimit-requests-remaining", "0".to_owned())], body.clone())
        })
        .await;
        let result = ask(&Registry::new(config(&server)).unwrap(), &request(MODEL, "Hi")).await;
        assert_eq!(kind(&result), expected, "{status} {text}");
        assert!(message(result).starts_with(&format!("anthropic answered {status}: {text}")));
    }
}

#[tokio::test]
async fn the_end_of_a_used_up_limit_is_waited_for() {
    let headers = vec![
        ("anthropic-ratelimit-requests-remaining", "0".to_owned()),
        ("anthropic-ratelimit-requests-reset", "2000-01-01T00:00:00Z".to_owned()),
    ];
    let server = Scripted::start(move |_| Reply::Status(429, headers.clone(), String::new())).await;
    let result = ask(&Registry::new(config(&server)).unwrap(), &request(MODEL, "Hi")).await;
    assert!(matches!(result, Err(ProviderError::Retry { after: Some(Duration::ZERO), .. })), "{result:?}");
}
