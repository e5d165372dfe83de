//! Gemini: contents and parts, schemas, safety blocks and Google's errors.

use std::time::Duration;

use promptops::domain::prompt::{ChatMessage, Parameters, ResponseFormat, Role};
use promptops::engine::provider::{ProviderError, Task};
use promptops::provider::{Kind, ModelServer, Registry};
use serde_json::{Value, json};

use super::openai::{weather, with_medium};
use super::{ask, kind, message, only, request};
use crate::support::provider::{Reply, Scripted};

fn registry(server: &Scripted) -> Registry {
    only("gemini", ModelServer::new(Kind::Gemini).at(server.url()).with_key("gm-test-key"))
}

fn said(parts: &Value, finish: &str) -> Value {
    json!({
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}],
        "usageMetadata": {"promptTokenCount": 8, "candidatesTokenCount": 3, "thoughtsTokenCount": 20, "totalTokenCount": 31},
    })
}

#[tokio::test]
async fn a_question_carries_all_that_the_prompt_says() {
    let parts = json!([{"text": "Let me think.", "thought": true}, {"text": "Hel"}, {"text": "lo"}]);
    let server = Scripted::start(move |_| Reply::json(&said(&parts, "STOP"))).await;
    let mut asked = request("google/gemini-2.5-flash", "Hi");
    asked.messages = [&asked.messages[..], &[ChatMessage::text(Role::Assistant, "Yes?")]].concat().into();
    let plain = ask(&registry(&server), &asked).await.unwrap();
    assert_eq!((&*plain.text, plain.input_tokens, plain.output_tokens), ("Hello", Some(8), Some(23)));
    assert_eq!(plain.finish_reason.as_deref(), Some("STOP"));
    asked.parameters = Parameters {
        max_tokens: Some(50),
        temperature: Some(0.5),
        top_p: Some(0.9),
        seed: Some(7),
        stop: vec!["END".to_owned()],
    };
    let schema = json!({"type": "object"});
    asked.response_format =
        ResponseFormat::JsonSchema { name: "reply".into(), schema: schema.clone().into(), strict: None };
    ask(&registry(&server), &asked).await.unwrap();
    let sent = server.asked();
    assert_eq!(sent[0].path, "/v1beta/models/gemini-2.5-flash:generateContent");
    assert_eq!(sent[0].headers["x-goog-api-key"], "gm-test-key");
    let asked = json!({
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}, {"role": "model", "parts": [{"text": "Yes?"}]}],
    });
    assert_eq!(sent[0].body, asked);
    assert_eq!(
        sent[1].body["generationConfig"],
        json!({
            "maxOutputTokens": 50, "temperature": 0.5, "topP": 0.9, "seed": 7, "stopSequences": ["END"],
            "responseMimeType": "application/json", "responseJsonSchema": schema,
        })
    );
}

#[tokio::test]
async fn tools_and_media_are_translated() {
    let parts = json!([{"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}]);
    let server = Scripted::start(move |_| Reply::json(&said(&parts, "STOP"))).await;
    let mut asked = request("gemini/gemini-2.5-flash", "");
    asked.tools = [weather()].into();
    asked.messages = [with_medium("data:image/png;base64,iVBO"), with_medium("https://x.test/talk.mp4")].into();
    let answered = ask(&registry(&server), &asked).await.unwrap();
    let call = json!([{"type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Oslo\"}"}}]);
    assert_eq!(serde_json::from_str::<Value>(&answered.text).unwrap(), call);
    let sent = &server.asked()[0].body;
    let schema = weather()["function"]["parameters"].clone();
    let declared = json!({"name": "weather", "description": "Today's weather", "parametersJsonSchema": schema});
    assert_eq!(sent["tools"], json!([{"functionDeclarations": [declared]}]));
    assert_eq!(sent["contents"][0]["parts"][1], json!({"inlineData": {"mimeType": "image/png", "data": "iVBO"}}));
    assert_eq!(
        sent["contents"][1]["parts"][1],
        json!({"fileData": {"mimeType": "video/mp4", "fileUri": "https://x.test/talk.mp4"}})
    );
}

#[tokio::test]
async fn withheld_content_is_no_answer() {
    for answer in [
        json!({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 8}}),
        json!({"candidates": [{"finishReason": "SAFETY", "index": 0}]}),
    ] {
        let server = Scripted::start(move |_| Reply::json(&answer)).await;
        let result = ask(&registry(&server), &request("gemini/gemini-2.5-flash", "Hi")).await;
        assert_eq!(kind(&result), "give up");
        assert_eq!(message(result), "gemini withheld the answer (SAFETY): change the prompt or the case");
    }
    let server = Scripted::start(|_| Reply::json(&json!({"candidates": [{"finishReason": "MAX_TOKENS"}]}))).await;
    let cut = ask(&registry(&server), &request("gemini/gemini-2.5-flash", "Hi")).await.unwrap();
    assert_eq!(
        (&*cut.text, cut.finish_reason.as_deref()),
        ("", Some("MAX_TOKENS")),
        "all went into thoughts: an answer"
    );
}

#[tokio::test]
async fn an_embedding_is_a_list_of_numbers() {
    let server = Scripted::start(|_| Reply::json(&json!({"embedding": {"values": [0.5, -0.25]}}))).await;
    let mut asked = request("google/gemini-embedding-001", "");
    asked.task = Task::Embed;
    asked.messages = [ChatMessage::text(Role::User, "Hello")].into();
    assert_eq!(&*ask(&registry(&server), &asked).await.unwrap().text, "[0.5,-0.25]");
    let sent = &server.asked()[0];
    assert_eq!(sent.path, "/v1beta/models/gemini-embedding-001:embedContent");
    assert_eq!(sent.body, json!({"content": {"parts": [{"text": "Hello"}]}}));
}

#[tokio::test]
async fn a_models_name_cannot_leave_its_place_in_the_path() {
    let server = Scripted::start(|_| Reply::error(404, "no model")).await;
    for name in ["gemini/../../secret?x=1#", "gemini/..", "gemini/a/../b"] {
        assert_eq!(kind(&ask(&registry(&server), &request(name, "Hi")).await), "fatal");
        let path = server.asked().pop().unwrap().path;
        assert!(
            path.starts_with("/v1beta/models/") && path.ends_with(":generateContent") && !path.contains("/../"),
            "{path}"
        );
        assert_eq!(path.matches('/').count(), 3, "{path}");
    }
}

#[tokio::test]
async fn googles_errors_end_as_they_should() {
    let invalid_key = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
    let wait = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}]);
    let daily = json!([
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "GenerateRequestsPerDayPerProject"}]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"},
    ]);
    for (status, name, text, details, expected, help) in [
        (
            400,
            "INVALID_ARGUMENT",
            "API key not valid.",
            invalid_key,
            "fatal",
            "set GEMINI_API_KEY to a key that may use the model",
        ),
        (
            404,
            "NOT_FOUND",
            "models/gemini-9 is not found for API version v1beta",
            json!([]),
            "fatal",
            "or evaluation.model",
        ),
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            json!([]),
            "give up",
            "a model that takes more",
        ),
        (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", wait, "retry", "quota"),
        (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", daily, "fatal", "or run again tomorrow"),
        (503, "UNAVAILABLE", "The model is overloaded.", json!([]), "retry", "overloaded."),
    ] {
        let body = json!({"error": {"code": status, "message": text, "status": name, "details": details}}).to_string();
        let server = Scripted::start(move |_| Reply::Status(status, vec![], body.clone())).await;
        let result = ask(&registry(&server), &request("gemini/gemini-9", "Hi")).await;
        assert_eq!(kind(&result), expected, "{text}");
        if let (429, Err(ProviderError::Retry { after, .. })) = (status, &result) {
            assert_eq!(*after, Some(Duration::from_secs(34)));
        }
        let said = message(result);
        assert!(said.ends_with(help), "{said}");
    }
}
