//! OpenAI's responses: the same prompt in another envelope.

use promptops::domain::prompt::{Parameters, ResponseFormat};
use promptops::engine::provider::Task;
use promptops::provider::Registry;
use serde_json::{Value, json};

use super::openai::{weather, with_medium};
use super::{ask, config, kind, message, request};
use crate::support::provider::{Reply, Scripted};

fn answer(output: &Value, status: &str) -> Value {
    let cut = if status == "incomplete" { json!({"reason": "max_output_tokens"}) } else { Value::Null };
    json!({
        "id": "resp_1", "object": "response", "status": status, "error": null, "incomplete_details": cut,
        "output": output, "usage": {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13},
    })
}

fn message_item(text: &str) -> Value {
    json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text, "annotations": []}]})
}

#[tokio::test]
async fn a_question_carries_all_that_the_prompt_says() {
    let output = json!([{"type": "reasoning", "summary": []}, message_item("Hello")]);
    let server = Scripted::start(move |_| Reply::json(&answer(&output, "completed"))).await;
    let registry = Registry::new(config(&server)).unwrap();
    let mut asked = request("openai-responses/gpt-5-mini", "Hi");
    asked.parameters =
        Parameters { max_tokens: Some(50), seed: Some(7), temperature: Some(0.5), ..Parameters::default() };
    asked.response_format = ResponseFormat::JsonSchema {
        name: "reply".to_owned(),
        schema: json!({"type": "object"}).into(),
        strict: Some(true),
    };
    let answered = ask(&registry, &asked).await.unwrap();
    assert_eq!((&*answered.text, answered.input_tokens, answered.output_tokens), ("Hello", Some(9), Some(4)));
    assert_eq!(answered.finish_reason.as_deref(), Some("stop"));
    let sent = server.asked().pop().unwrap();
    assert_eq!(
        (sent.path.as_str(), &sent.headers["authorization"]),
        ("/v1/responses", &"Bearer sk-test-key".parse().unwrap())
    );
    assert_eq!(
        sent.body,
        json!({
            "model": "gpt-5-mini",
            "input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
            "max_output_tokens": 50, "temperature": 0.5,
            "text": {"format": {"type": "json_schema", "name": "reply", "schema": {"type": "object"}, "strict": true}},
            "store": false,
        })
    );
}

#[tokio::test]
async fn calls_of_tools_come_back_in_one_form() {
    let output =
        json!([{"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{\"city\":\"Oslo\"}"}]);
    let server = Scripted::start(move |_| Reply::json(&answer(&output, "completed"))).await;
    let mut asked = request("openai-responses/gpt-5-mini", "Weather?");
    asked.tools = [weather()].into();
    asked.messages = [with_medium("data:image/png;base64,iVBO")].into();
    let answered = ask(&Registry::new(config(&server)).unwrap(), &asked).await.unwrap();
    let call = json!([{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Oslo\"}"}}]);
    assert_eq!(serde_json::from_str::<Value>(&answered.text).unwrap(), call);
    assert_eq!(answered.finish_reason.as_deref(), Some("tool_calls"));
    let sent = &server.asked()[0].body;
    assert_eq!(sent["tools"][0]["name"], "weather");
    assert_eq!(
        sent["input"][0]["content"][1],
        json!({"type": "input_image", "image_url": "data:image/png;base64,iVBO"})
    );
}

#[tokio::test]
async fn an_answer_that_was_cut_says_why_and_one_that_failed_is_none() {
    let output = json!([message_item("Hel")]);
    let server = Scripted::start(move |_| Reply::json(&answer(&output, "incomplete"))).await;
    let registry = Registry::new(config(&server)).unwrap();
    let asked = request("openai-responses/gpt-5-mini", "Hi");
    assert_eq!(ask(&registry, &asked).await.unwrap().finish_reason.as_deref(), Some("max_output_tokens"));
    for (code, expected) in [("server_error", "retry"), ("invalid_prompt", "give up")] {
        let mut failed = answer(&json!([]), "failed");
        failed["error"] = json!({"code": code, "message": "The model broke"});
        let server = Scripted::start(move |_| Reply::json(&failed)).await;
        let result = ask(&Registry::new(config(&server)).unwrap(), &asked).await;
        assert_eq!(kind(&result), expected);
        assert!(message(result).starts_with("openai-responses failed: The model broke"));
    }
}

#[tokio::test]
async fn what_the_format_has_no_word_for_is_named() {
    let server = Scripted::start(|_| Reply::text("unasked")).await;
    let registry = Registry::new(config(&server)).unwrap();
    let mut asked = request("openai-responses/gpt-5-mini", "Hi");
    asked.parameters.stop = vec!["END".to_owned()];
    let stopped = ask(&registry, &asked).await;
    assert_eq!(kind(&stopped), "give up");
    assert!(message(stopped).starts_with("openai-responses cannot be sent `stop`: "));
    let mut asked = request("openai-responses/gpt-5-mini", "Hi");
    asked.task = Task::Embed;
    assert_eq!(kind(&ask(&registry, &asked).await), "give up");
    assert_eq!(server.calls(), 0);
}
