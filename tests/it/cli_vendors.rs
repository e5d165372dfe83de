//! One evaluation through each family of wire formats, and the settings file that names servers and keys.

use serde_json::json;

use crate::cli_eval::{GOLDEN, PROMPT};
use crate::support::desk::Desk;
use crate::support::provider::{Asked, Reply, Scripted};

/// The text that passes every case.
const TEXT: &str = "A colleague will look at 5 EUR.";

fn desk() -> Desk {
    Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", GOLDEN)])
}

fn gemini(_: &Asked) -> Reply {
    Reply::json(&json!({"candidates": [{"content": {"parts": [{"text": TEXT}]}, "finishReason": "STOP"}]}))
}

fn bedrock(_: &Asked) -> Reply {
    Reply::json(&json!({"output": {"message": {"content": [{"text": TEXT}]}}, "stopReason": "end_turn"}))
}

fn responses(_: &Asked) -> Reply {
    Reply::json(&json!({"output": [{"type": "message", "content": [{"type": "output_text", "text": TEXT}]}]}))
}

/// Settings with this text, and the variable that names them.
fn settings(text: &str) -> (Desk, String) {
    let desk = Desk::plain();
    desk.write("named.toml", text);
    let file = desk.file("named.toml").to_str().unwrap().to_owned();
    (desk, file)
}

fn text(_: &Asked) -> Reply {
    Reply::text(TEXT)
}

#[tokio::test]
async fn each_family_answers_with_its_vendors_own_variables() {
    for (model, answer, variables, path) in [
        (
            "anthropic/claude-haiku-4-5",
            text as fn(&Asked) -> Reply,
            vec![("ANTHROPIC_API_KEY", "k"), ("ANTHROPIC_BASE_URL", "")],
            "/v1/messages",
        ),
        (
            "google/gemini-2.5-flash",
            gemini,
            vec![("GEMINI_API_KEY", "k"), ("GEMINI_BASE_URL", "")],
            "/v1beta/models/gemini-2.5-flash:generateContent",
        ),
        (
            "bedrock/amazon.nova-lite-v1:0",
            bedrock,
            vec![
                ("AWS_ACCESS_KEY_ID", "id"),
                ("AWS_SECRET_ACCESS_KEY", "k"),
                ("AWS_REGION", "eu-west-1"),
                ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", ""),
            ],
            "/model/amazon.nova-lite-v1%3A0/converse",
        ),
        (
            "azure/team",
            text,
            vec![("AZURE_OPENAI_API_KEY", "k"), ("AZURE_OPENAI_ENDPOINT", "")],
            "/openai/v1/chat/completions",
        ),
        ("openai-responses/gpt-5", responses, vec![("OPENAI_API_KEY", "k"), ("OPENAI_BASE_URL", "")], "/responses"),
        ("ollama/llama3.2", text, vec![("OLLAMA_HOST", "")], "/v1/chat/completions"),
    ] {
        let server = Scripted::start(answer).await;
        let url = server.url();
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (*name, if value.is_empty() { url.as_str() } else { value }))
            .collect();
        let ran = desk().run_in("", &["eval", "--model", model, "--format", "json"], &variables).await;
        assert_eq!(ran.code, 0, "{model}: {ran:?}");
        assert_eq!(ran.json()["prompts"][0]["unmeasured"], json!(0));
        assert!(server.calls() > 0 && server.asked().iter().all(|asked| asked.path == path), "{model}");
    }
}

#[tokio::test]
async fn a_settings_file_names_servers_and_keys_and_the_repositorys_own_is_not_read() {
    let server = Scripted::start(text).await;
    let thief = Scripted::start(text).await;
    let desk = desk();
    let section = |url: &str| {
        format!("[providers.mistral]\nkind = \"openai\"\nbase_url = \"{url}/v1\"\napi_key_env = \"MISTRAL_API_KEY\"\n")
    };
    desk.write("promptops.toml", section(&thief.url()));
    let settings = Desk::plain();
    settings.write("named.toml", section(&server.url()));
    let file = settings.file("named.toml");
    let arguments = ["eval", "--model", "mistral/large"];
    let key = ("MISTRAL_API_KEY", "m-test-key");
    let ran = desk.run_in("", &arguments, &[key]).await;
    assert!(ran.code == 3 && ran.stderr.contains("no provider `mistral`"), "{ran:?}");
    let named = ("PROMPTOPS_CONFIG", file.to_str().unwrap());
    let ran = desk.run_in("", &arguments, &[key, named]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(server.asked()[0].headers["authorization"], "Bearer m-test-key");
    assert_eq!(thief.calls(), 0);
    let ran = desk.run_in("", &arguments, &[named]).await;
    assert!(ran.code == 2 && ran.stderr.contains("`MISTRAL_API_KEY` is not set"), "{ran:?}");
    settings.write("named.toml", "[providers.mistral]\nkind = \"openai\"\nbase_ulr = \"x\"\n");
    let ran = desk.run_in("", &arguments, &[key, named]).await;
    assert!(ran.code == 2 && ran.stderr.contains("named.toml:3:1: unknown field `base_ulr`"), "{ran:?}");
}

#[tokio::test]
async fn a_limit_on_calls_at_once_is_kept_under_each_name_of_the_server() {
    let golden: String = (0..12)
        .map(|n| format!("  - {{ id: c{n}, vars: {{ amount: {n} }}, evaluators: [{{ contains: EUR }}] }}\n"))
        .collect();
    for (model, section, expected) in
        [("openai/gpt-5", "openai", 2), ("openai-responses/gpt-5", "openai", 2), ("openai/gpt-5", "gemini", 12)]
    {
        let slow = |asked: &Asked| {
            let reply = if asked.path == "/responses" { responses(asked) } else { text(asked) };
            Reply::After(std::time::Duration::from_millis(150), Box::new(reply))
        };
        let server = Scripted::start(slow).await;
        let desk = Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", &format!("cases:\n{golden}"))]);
        let (_kept, file) = settings(&format!("[providers.{section}]\nmax_concurrency = 2\n"));
        let variables =
            [("OPENAI_BASE_URL", server.url()), ("OPENAI_API_KEY", "k".to_owned()), ("PROMPTOPS_CONFIG", file)];
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        let ran = desk.run_in("", &["eval", "--model", model], &variables).await;
        assert_eq!((ran.code, server.calls(), server.most_at_once()), (0, 12, expected), "{model}: {ran:?}");
    }
}

#[tokio::test]
async fn a_limit_on_calls_per_minute_holds_the_next_call_back_and_no_recording() {
    let server = Scripted::start(text).await;
    let desk = desk();
    let (_kept, file) = settings("[providers.openai]\nrequests_per_minute = 1\n");
    let url = format!("{}/v1", server.url());
    let variables = [("OPENAI_BASE_URL", url.as_str()), ("PROMPTOPS_CONFIG", file.as_str())];
    let mut waiting = tokio::process::Command::new(env!("CARGO_BIN_EXE_promptops"));
    waiting.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(variables);
    waiting.args(["eval", "--no-cache"]).current_dir(desk.path()).kill_on_drop(true);
    let mut waiting = waiting.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    while server.calls() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // The second call is a minute away: what is seen before that is one call alone.
    assert!(tokio::time::timeout(std::time::Duration::from_secs(2), waiting.wait()).await.is_err());
    assert_eq!(server.calls(), 1);
    waiting.kill().await.unwrap();
    let recording = ["eval", "--no-cache", "--record", "answers.jsonl"];
    assert_eq!(desk.run_in("", &recording, &variables[..1]).await.code, 0);
    let replayed = desk.run_in("", &["eval", "--replay", "answers.jsonl"], &variables).await;
    assert_eq!(replayed.code, 0, "{replayed:?}");
}
