//! Bedrock: Converse, signed or with a key of its own, and Amazon's errors.

use promptops::domain::prompt::{ChatMessage, Parameters, ResponseFormat, Role};
use promptops::engine::provider::Task;
use promptops::provider::{AwsKeys, Kind, ModelServer, Registry};
use serde_json::{Value, json};

use super::openai::{weather, with_medium};
use super::{ask, kind, message, only, request};
use crate::support::provider::{Reply, Scripted};

const MODEL: &str = "bedrock/anthropic.claude-haiku-4-5-20251001-v1:0";

fn signing(server: &Scripted) -> Registry {
    let keys = AwsKeys {
        id: "AKIDEXAMPLE".to_owned(),
        secret: "aws-test-secret".into(),
        session_token: Some("aws-test-token".into()),
    };
    let there = ModelServer::new(Kind::Bedrock).at(server.url());
    only("bedrock", ModelServer { aws: Some(keys), region: Some("eu-west-1".to_owned()), ..there })
}

fn said(content: &Value, stop: &str) -> Value {
    json!({
        "output": {"message": {"role": "assistant", "content": content}}, "stopReason": stop,
        "usage": {"inputTokens": 8, "outputTokens": 3, "totalTokens": 11}, "metrics": {"latencyMs": 5},
    })
}

#[tokio::test]
async fn a_question_carries_all_that_the_prompt_says_and_is_signed() {
    let content = json!([{"reasoningContent": {"reasoningText": {"text": "Hm."}}}, {"text": "Hello"}]);
    let server = Scripted::start(move |_| Reply::json(&said(&content, "end_turn"))).await;
    let mut asked = request(MODEL, "Hi");
    asked.parameters = Parameters { max_tokens: Some(50), stop: vec!["END".to_owned()], ..Parameters::default() };
    asked.response_format = ResponseFormat::JsonSchema {
        name: "reply".into(),
        schema: json!({"type": "object"}).into(),
        strict: Some(true),
    };
    let answered = ask(&signing(&server), &asked).await.unwrap();
    assert_eq!((&*answered.text, answered.input_tokens, answered.output_tokens), ("Hello", Some(8), Some(3)));
    assert_eq!(answered.finish_reason.as_deref(), Some("end_turn"));
    let sent = server.asked().pop().unwrap();
    assert_eq!(sent.path, "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/converse");
    let schema = json!({"name": "reply", "schema": "{\"type\":\"object\"}"});
    assert_eq!(
        sent.body,
        json!({
            "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
            "system": [{"text": "Be brief."}],
            "inferenceConfig": {"maxTokens": 50, "stopSequences": ["END"]},
            "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}},
        })
    );
    let authorization = sent.headers["authorization"].to_str().unwrap();
    let day = &sent.headers["x-amz-date"].to_str().unwrap()[..8];
    let start = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{day}/eu-west-1/bedrock/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="
    );
    assert!(authorization.starts_with(&start), "{authorization}");
    assert_eq!(sent.headers["x-amz-security-token"], "aws-test-token");
}

#[tokio::test]
async fn a_key_of_its_own_is_sent_as_it_is() {
    let server = Scripted::start(|_| Reply::json(&said(&json!([{"text": "Hello"}]), "end_turn"))).await;
    let there = ModelServer::new(Kind::Bedrock).at(server.url()).with_key("bedrock-test-key");
    let registry = only("bedrock", ModelServer { region: Some("eu-west-1".to_owned()), ..there });
    ask(&registry, &request("bedrock/us.amazon.nova-lite-v1:0", "Hi")).await.unwrap();
    let sent = server.asked().pop().unwrap();
    assert_eq!(sent.headers["authorization"], "Bearer bedrock-test-key");
    assert!(!sent.headers.contains_key("x-amz-date"));
    assert_eq!(sent.body.get("inferenceConfig"), None);
}

#[tokio::test]
async fn tools_and_media_are_translated() {
    let content = json!([{"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Oslo"}}}]);
    let server = Scripted::start(move |_| Reply::json(&said(&content, "tool_use"))).await;
    let mut asked = request(MODEL, "");
    asked.tools = [weather()].into();
    asked.messages = [with_medium("data:image/png;base64,iVBO")].into();
    let answered = ask(&signing(&server), &asked).await.unwrap();
    let call =
        json!([{"id": "t1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Oslo\"}"}}]);
    assert_eq!(serde_json::from_str::<Value>(&answered.text).unwrap(), call);
    let sent = &server.asked()[0].body;
    let schema = weather()["function"]["parameters"].clone();
    let spec = json!({"name": "weather", "description": "Today's weather", "inputSchema": {"json": schema}});
    assert_eq!(sent["toolConfig"], json!({"tools": [{"toolSpec": spec}]}));
    let image = json!({"image": {"format": "png", "source": {"bytes": "iVBO"}}});
    assert_eq!(sent["messages"][0]["content"], json!([{"text": "What is this?"}, image]));
    asked.messages = [with_medium("https://x.test/cat.png")].into();
    let refused = message(ask(&signing(&server), &asked).await);
    assert!(refused.starts_with("bedrock takes no image/png by address: "), "{refused}");
}

#[tokio::test]
async fn a_schema_is_told_in_words_to_models_that_know_none() {
    let server = Scripted::start(|_| Reply::json(&said(&json!([{"text": "{}"}]), "end_turn"))).await;
    let mut asked = request("bedrock/amazon.nova-lite-v1:0", "Hi");
    asked.response_format = ResponseFormat::JsonSchema {
        name: "reply".into(),
        schema: json!({"type": "object"}).into(),
        strict: Some(true),
    };
    ask(&signing(&server), &asked).await.unwrap();
    let sent = &server.asked()[0].body;
    assert!(sent.get("outputConfig").is_none());
    assert!(sent["system"][1]["text"].as_str().unwrap().ends_with("JSON Schema:\n{\"type\":\"object\"}"));
}

#[tokio::test]
async fn titan_embeds_and_others_say_that_they_do_not() {
    let server = Scripted::start(|_| Reply::json(&json!({"embedding": [0.5], "inputTextTokenCount": 2}))).await;
    let mut asked = request("bedrock/amazon.titan-embed-text-v2:0", "");
    asked.task = Task::Embed;
    asked.messages = [ChatMessage::text(Role::User, "Hello")].into();
    let answered = ask(&signing(&server), &asked).await.unwrap();
    assert_eq!((&*answered.text, answered.input_tokens), ("[0.5]", Some(2)));
    let sent = &server.asked()[0];
    assert_eq!(
        (sent.path.as_str(), &sent.body),
        ("/model/amazon.titan-embed-text-v2%3A0/invoke", &json!({"inputText": "Hello"}))
    );
    let mut other = request(MODEL, "Hi");
    other.task = Task::Embed;
    assert_eq!(kind(&ask(&signing(&server), &other).await), "give up");
}

#[tokio::test]
async fn amazons_errors_end_as_they_should() {
    for (status, name, text, expected, help) in [
        (
            403,
            "UnrecognizedClientException",
            "The security token aws-test-token is invalid.",
            "fatal",
            "to a key that may use the model",
        ),
        (
            403,
            "AccessDeniedException",
            "You don't have access to the model",
            "fatal",
            "to a key that may use the model",
        ),
        (
            400,
            "ValidationException",
            "The provided model identifier is invalid.",
            "fatal",
            "that the account may use it in this region",
        ),
        (400, "ValidationException", "Input is too long for requested model.", "give up", "a model that takes more"),
        (429, "ThrottlingException", "Too many requests, please wait", "retry", "please wait"),
        (429, "ThrottlingException", "Too many tokens per day, please wait", "fatal", "or run again tomorrow"),
        (400, "ServiceQuotaExceededException", "Your request exceeds the quota", "fatal", "plan and billing"),
        (503, "ServiceUnavailableException", "Try again", "retry", "Try again"),
    ] {
        let body = json!({"message": text}).to_string();
        let server = Scripted::start(move |_| {
            let header = format!("{name}:http://internal.amazon.com/coral/");
            Reply::Status(status, vec![("x-amzn-errortype", header)], body.clone())
        })
        .await;
        let result = ask(&signing(&server), &request(MODEL, "Hi")).await;
        assert_eq!(kind(&result), expected, "{name}: {text}");
        let said = message(result);
        assert!(said.ends_with(help) && !said.contains("aws-test"), "{said}");
    }
}
