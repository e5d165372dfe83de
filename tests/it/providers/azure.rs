//! Azure OpenAI: deployments by name, in its undated interface or a dated one.

use promptops::engine::provider::Task;
use promptops::provider::{Kind, ModelServer};
use serde_json::json;

use super::{ask, kind, message, only, request};
use crate::support::provider::{Reply, Scripted};

fn azure(server: &Scripted, below: &str, api_version: Option<&str>) -> ModelServer {
    let there = ModelServer::new(Kind::Azure).at(format!("{}{below}", server.url())).with_key("az-test-key");
    ModelServer { api_version: api_version.map(str::to_owned), ..there }
}

#[tokio::test]
async fn a_deployment_is_asked_by_its_name() {
    for (below, version, path, limit) in [
        ("", None, "/openai/v1/chat/completions", "max_completion_tokens"),
        ("/openai/v1/", Some("v1"), "/openai/v1/chat/completions", "max_completion_tokens"),
        ("", Some("preview"), "/openai/v1/chat/completions?api-version=preview", "max_completion_tokens"),
        (
            "/",
            Some("2024-10-21"),
            "/openai/deployments/my%20team/chat/completions?api-version=2024-10-21",
            "max_tokens",
        ),
    ] {
        let server = Scripted::start(|_| Reply::text("Hello")).await;
        let name = if limit == "max_tokens" { "azure/my%20team" } else { "azure/my-team" };
        let mut asked = request(name, "Hi");
        asked.parameters.max_tokens = Some(50);
        let registry = only("azure", azure(&server, below, version));
        assert_eq!(&*ask(&registry, &asked).await.unwrap().text, "Hello");
        let sent = server.asked().pop().unwrap();
        let path = path.replace("my%20team", "my%2520team");
        assert_eq!((sent.path.as_str(), sent.model()), (path.as_str(), asked.model.name()));
        assert_eq!(sent.headers["api-key"], "az-test-key");
        assert!(!sent.headers.contains_key("authorization"));
        assert_eq!(sent.body[limit], json!(50));
    }
}

#[tokio::test]
async fn embeddings_go_to_their_deployment() {
    let server = Scripted::start(|_| Reply::json(&json!({"data": [{"embedding": [1.0]}]}))).await;
    let mut asked = request("azure/small", "Hi");
    asked.task = Task::Embed;
    asked.messages = asked.messages[1..].into();
    let registry = only("azure", azure(&server, "", Some("2024-10-21")));
    assert_eq!(&*ask(&registry, &asked).await.unwrap().text, "[1.0]");
    assert_eq!(server.asked()[0].path, "/openai/deployments/small/embeddings?api-version=2024-10-21");
}

#[tokio::test]
async fn its_own_errors_say_what_to_do() {
    for (status, code, text, expected, help) in [
        (
            404,
            "DeploymentNotFound",
            "The API deployment for this resource does not exist.",
            "fatal",
            "as azure/DEPLOYMENT",
        ),
        (
            401,
            "401",
            "Access denied due to invalid subscription key az-test-key",
            "fatal",
            "set AZURE_OPENAI_API_KEY to a key that may use the model",
        ),
        (
            400,
            "content_filter",
            "The response was filtered",
            "give up",
            "the provider's content filter objects: change the prompt or the case",
        ),
        (
            400,
            "context_length_exceeded",
            "This model's maximum context length is 8192 tokens",
            "give up",
            "or choose a model that takes more",
        ),
        (429, "429", "Requests have exceeded call rate limit", "retry", "call rate limit"),
    ] {
        let body = json!({"error": {"code": code, "message": text}}).to_string();
        let server = Scripted::start(move |_| Reply::Status(status, vec![], body.clone())).await;
        let result = ask(&only("azure", azure(&server, "", None)), &request("azure/x", "Hi")).await;
        assert_eq!(kind(&result), expected, "{code}");
        let said = message(result);
        assert!(said.ends_with(help) && !said.contains("az-test-key"), "{said}");
    }
}

#[tokio::test]
async fn a_key_without_an_endpoint_is_not_enough() {
    let registry = only("azure", ModelServer::new(Kind::Azure).with_key("k"));
    let result = ask(&registry, &request("azure/x", "Hi")).await;
    assert_eq!(message(result), "no endpoint for azure models: set AZURE_OPENAI_ENDPOINT");
}
