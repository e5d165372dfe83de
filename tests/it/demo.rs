//! The first thing a newcomer runs: the demo's three steps, from the real binary and its recorded answers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use assert_cmd::Command;
use futures::future::BoxFuture;
use promptops::app::local::{self, LocalOptions};
use promptops::app::plan::Overrides;
use promptops::cli::demo;
use promptops::domain::ids::Digest;
use promptops::engine::provider::{Completion, CompletionRequest, Provider, ProviderError};
use promptops::provider::Recorder;
use serde::Deserialize;

use crate::support::plans::limits;

#[test]
fn the_demo_shows_the_gate_open_and_close() {
    let shown = Command::new(env!("CARGO_BIN_EXE_promptops")).arg("demo").env_clear().assert().success();
    let shown = String::from_utf8(shown.get_output().stdout.clone()).unwrap();
    let steps: Vec<&str> = shown.split("\n2. ").flat_map(|part| part.split("\n3. ")).collect();
    let [opened, approved, shortened] = steps[..] else { panic!("not three steps:\n{shown}") };
    let has = |step: &str, text: &str| assert!(step.contains(text), "no `{text}` in:\n{step}");
    has(opened, "promptops/evaluation: main  success");
    has(opened, "promptops/approval: main  in progress");
    has(opened, "merge  held");
    has(opened, "0 of 40 cases got worse, 3 better");
    has(approved, "promptops/approval: main  success");
    has(approved, "merge  open");
    has(shortened, "promptops/evaluation: main  failure");
    has(shortened, "refund-over-limit");
    has(shortened, "refund-over-limit-insists");
    has(shortened, "merge  held");
    has(shortened, "promptops eval --base main");
}

#[test]
fn the_library_can_be_tried_from_its_recording() {
    let root = env!("CARGO_MANIFEST_DIR");
    let prompt = "examples/support-team/prompts/reply.prompt.yml";
    let recording = "examples/support-team/answers.jsonl";
    let mut promptops = Command::new(env!("CARGO_BIN_EXE_promptops"));
    let shown = promptops.args(["eval", prompt, "--replay", recording]).current_dir(root).assert().success();
    let shown = String::from_utf8(shown.get_output().stdout.clone()).unwrap();
    assert!(shown.contains("36 of 40"), "{shown}");
}

fn example(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "examples/support-team", name].iter().collect()
}

#[derive(Deserialize)]
struct Case {
    id: String,
    vars: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct GoldenSet {
    cases: Vec<Case>,
}

/// Answers as `answers.yml` says, by the case's mail and by which text the prompt is.
struct Author {
    mails: BTreeMap<String, String>,
    answers: BTreeMap<String, BTreeMap<String, String>>,
    asked: Mutex<usize>,
}

impl Author {
    fn read() -> Self {
        let read = |name: &str| std::fs::read_to_string(example(name)).unwrap();
        let golden: GoldenSet = serde_yaml::from_str(&read("prompts/reply.golden.yml")).unwrap();
        let mails = golden.cases.into_iter().map(|case| (case.vars["message"].clone(), case.id)).collect();
        Self { mails, answers: serde_yaml::from_str(&read("answers.yml")).unwrap(), asked: Mutex::new(0) }
    }

    fn answer(&self, request: &CompletionRequest) -> String {
        let (system, user) = (&request.messages[0].content, &request.messages[1].content);
        let mail = user.split_once("Mail: ").unwrap().1.trim();
        let answers = &self.answers[&self.mails[mail]];
        let version = match (system.contains("say who will write"), system.contains("Refunds above")) {
            (true, false) => "push_2",
            (true, true) => "push_1",
            (false, _) => "main",
        };
        answers.get(version).or_else(|| answers.get("push_1")).unwrap_or(&answers["main"]).clone()
    }
}

impl Provider for Author {
    fn complete<'a>(
        &'a self,
        request: &'a CompletionRequest,
        _key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>> {
        let text = self.answer(request);
        let asked: usize = request.messages.iter().map(|message| message.content.len()).sum();
        *self.asked.lock().unwrap() += 1;
        let tokens = |length: usize| u32::try_from(length / 4 + 1).ok();
        let completion = Completion {
            finish_reason: Some("stop".to_owned()),
            input_tokens: tokens(asked),
            output_tokens: tokens(text.len()),
            latency_ms: 400 + tokens(text.len()).unwrap() * 7,
            rate: None,
            text: text.into(),
        };
        Box::pin(std::future::ready(Ok(completion)))
    }
}

/// `cargo test --test it record_the_demo -- --ignored`, after a change to the library, its answers, or the key of an answer.
#[tokio::test]
#[ignore = "writes examples/support-team/answers.jsonl"]
async fn record_the_demo() {
    let file = example("answers.jsonl");
    std::fs::write(&file, "").unwrap();
    let recorder = Arc::new(Recorder::open(&file, Author::read()).unwrap());
    let mut shown = Vec::new();
    demo::play(recorder.clone(), &mut shown).await.unwrap();
    println!("{}", String::from_utf8(shown).unwrap());
    // What `main` answers by itself, must-pass repeats included, so that the library can be tried from the recording.
    let options = LocalOptions {
        folder: example(""),
        paths: vec!["prompts/reply.prompt.yml".to_owned()],
        base: None,
        head: None,
        settings: None,
        overrides: Overrides::default(),
    };
    let gathered = local::gather(&options).await.unwrap();
    local::evaluate(&gathered, &options.overrides, recorder, &limits(), &|_| {}).await.unwrap();
}
