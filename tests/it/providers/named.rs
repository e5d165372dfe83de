//! Providers that the settings file names: each is its own server with its own key, and a gateway serves the rest.

use promptops::provider::{Kind, ModelServer, Origin, ProviderConfig, Registry};

use super::{ask, kind, message, request};
use crate::support::provider::{Reply, Scripted};

fn named(server: &Scripted, below: &str, key: &str) -> ModelServer {
    let there = ModelServer::new(Kind::OpenAi).at(format!("{}{below}", server.url())).with_key(key);
    ModelServer { origin: Origin::File, ..there }
}

#[tokio::test]
async fn several_gateways_stand_side_by_side() {
    let server = Scripted::start(|_| Reply::text("Hello")).await;
    let mut mistral = named(&server, "/mistral/v1", "m-key");
    mistral.headers = vec![("x-team".to_owned(), "prompts".into())];
    let config = ProviderConfig { allow_private: true, ..ProviderConfig::default() }
        .with("mistral", mistral)
        .with("groq", named(&server, "/groq/v1/", "g-key"));
    let registry = Registry::new(config).unwrap();
    for name in ["mistral/mistral-large", "groq/meta/llama-3:70b"] {
        ask(&registry, &request(name, "Hi")).await.unwrap();
    }
    let sent = server.asked();
    assert_eq!((sent[0].path.as_str(), sent[0].model()), ("/mistral/v1/chat/completions", "mistral-large"));
    assert_eq!(
        (&sent[0].headers["authorization"], &sent[0].headers["x-team"]),
        (&"Bearer m-key".parse().unwrap(), &"prompts".parse().unwrap())
    );
    assert_eq!((sent[1].path.as_str(), sent[1].model()), ("/groq/v1/chat/completions", "meta/llama-3:70b"));
    assert_eq!(sent[1].headers["authorization"], "Bearer g-key");
    assert!(!sent[1].headers.contains_key("x-team"));
    let unknown = message(ask(&registry, &request("cohere/x", "Hi")).await);
    assert!(unknown.contains("ollama, groq, mistral, add [providers.cohere] to promptops.toml"), "{unknown}");
}

#[tokio::test]
async fn a_gateway_serves_the_vendors_that_have_no_key_of_their_own() {
    let server = Scripted::start(|_| Reply::text("Hello")).await;
    let registry = Registry::new(ProviderConfig::gateway(format!("{}/v1", server.url()))).unwrap();
    for name in ["anthropic/claude-haiku-4-5", "google/gemini-2.5-flash"] {
        ask(&registry, &request(name, "Hi")).await.unwrap();
        assert_eq!(server.asked().pop().unwrap().model(), name);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_section_is_said_of_the_section() {
    let server = Scripted::start(|_| Reply::error(401, "no: m-key")).await;
    let config = ProviderConfig { allow_private: true, ..ProviderConfig::default() };
    let registry = Registry::new(config.clone().with("mistral", named(&server, "/v1", "m-key"))).unwrap();
    let result = ask(&registry, &request("mistral/large", "Hi")).await;
    assert_eq!(kind(&result), "fatal");
    assert_eq!(
        message(result),
        "mistral answered 401: no: [key]: set `api_key` of [providers.mistral] in promptops.toml to a key that may use the model"
    );
    let keyless = ModelServer { origin: Origin::File, ..ModelServer::new(Kind::Gemini) };
    let registry = Registry::new(config.with("lab", keyless)).unwrap();
    let result = message(ask(&registry, &request("lab/gemini", "Hi")).await);
    assert_eq!(result, "no key for lab models: set `api_key` of [providers.lab] in promptops.toml");
}
