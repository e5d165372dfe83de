//! `promptops doctor` at a desk: each thing that can be wrong is named once, with what to do, and the exit code follows.

use serde_json::json;

use crate::cli_eval::{GOLDEN, PROMPT};
use crate::support::desk::{Desk, Ran};
use crate::support::provider::{Reply, Scripted};

const KEY: &str = "sk-proj-nobody-may-see-this-0123456789";
const WORKFLOW: &str = "on: pull_request\npermissions:\n  contents: read\n  pull-requests: write\njobs:\n  prompts:\n    \
                        runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      \
                        - uses: promptops/promptops@v1\n";

fn desk(more: &[(&str, &str)]) -> Desk {
    let files =
        [("reply.prompt.yml", PROMPT), ("reply.golden.yml", GOLDEN), (".github/promptops.yml", "evaluation: {}\n")];
    Desk::repository(&[&files[..], more].concat())
}

async fn doctor(desk: &Desk) -> Ran {
    desk.run_in("", &["doctor"], &[("OPENAI_API_KEY", KEY)]).await
}

/// Runs it and expects the code and these lines, in whatever order.
#[track_caller]
fn expect(ran: &Ran, code: i32, lines: &[&str]) {
    let squeezed: Vec<String> =
        ran.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in lines {
        assert!(
            squeezed.iter().any(|found| found.starts_with(line)),
            "`{line}` is missing in\n{}{}",
            ran.stdout,
            ran.stderr
        );
    }
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.said().contains(KEY), "the key is shown");
}

#[tokio::test]
async fn a_good_desk_has_no_problem() {
    let ran = doctor(&desk(&[(".github/workflows/prompts.yml", WORKFLOW)])).await;
    expect(
        &ran,
        0,
        &[
            "here",
            "ok git: git version ",
            "ok repository: in a Git repository",
            "ok history: the clone is complete",
            "ok settings: .github/promptops.yml",
            "skipped policy-tests: there is no .github/promptops.tests.yml",
            "ok prompts: 1 prompt file: 1 .prompt.yml",
            "ok files: every prompt and golden set can be used",
            "skipped provider-settings: there is no promptops.toml",
            "ok cache: answers are kept in ",
            "ok workflow: .github/workflows/prompts.yml uses the action",
            "providers",
            "ok provider: openai: needed for openai/",
            "skipped online: nobody was asked",
            "skipped app: PROMPTOPS_GITHUB_APP_ID is not set",
            "0 problems, ",
        ],
    );
}

#[tokio::test]
async fn files_that_are_wrong_are_named_with_their_place() {
    let tests =
        "tests:\n  - name: wrong on purpose\n    pull: { author: ann, changes: [a.prompt.yml] }\n    expect: pending\n";
    for (file, text, code, expected) in [
        (
            ".github/promptops.yml",
            "promts: {}\n",
            2,
            "problem settings: .github/promptops.yml:1:1: unknown key `promts`",
        ),
        (".github/promptops.tests.yml", "tests: 3\n", 2, "problem policy-tests: .github/promptops.tests.yml:1:8: "),
        (".github/promptops.tests.yml", tests, 2, "problem policy-tests: "),
        ("more.prompt.yml", "messages: 3\n", 2, "problem files: more.prompt.yml:1:11: "),
        ("more.prompt.yml", PROMPT, 0, "warning golden-sets: 1 prompt without a golden set: more.prompt.yml"),
        (
            "reply.prompt.yml",
            &format!("colour: red\n{PROMPT}"),
            0,
            "warning unknown-keys: reply.prompt.yml:1:1: unknown key",
        ),
        (
            ".github/promptops.yml",
            "prompts: { include: ['prmpts/**'] }\n",
            2,
            "problem prompts: `prompts.include` (prmpts/**)",
        ),
        (
            ".github/workflows/p.yml",
            &WORKFLOW.replace("on: pull_request", "on: pull_request_target"),
            2,
            "problem workflow: ",
        ),
        (".github/workflows/p.yml", &WORKFLOW.replace("contents: read", "contents: none"), 2, "problem workflow: "),
    ] {
        let desk = desk(&[]);
        desk.write(file, text);
        expect(&doctor(&desk).await, code, &[expected]);
    }
}

#[tokio::test]
async fn a_golden_set_too_small_for_the_margin_is_a_warning() {
    expect(
        &doctor(&desk(&[])).await,
        0,
        &["warning golden-set-size: 1 golden set too small for the margin: reply.golden.yml"],
    );
}

#[tokio::test]
async fn a_folder_without_a_repository_or_prompts_is_told_apart() {
    let desk = Desk::plain();
    expect(
        &doctor(&desk).await,
        2,
        &["warning repository: this folder is in no", "problem prompts: no prompt files were found"],
    );
    desk.write("reply.prompt.yml", PROMPT);
    expect(
        &doctor(&desk).await,
        0,
        &["ok prompts: 1 prompt file", "warning settings: there is no .github/promptops.yml"],
    );
}

#[tokio::test]
async fn a_shallow_clone_is_a_warning() {
    let desk = desk(&[]);
    desk.commit("two");
    let clone = Desk::plain();
    let url = format!("file://{}", desk.path().display());
    clone.git(&["clone", "--quiet", "--depth=1", &url, "copy"]);
    let ran = clone.run_in("copy", &["doctor"], &[("OPENAI_API_KEY", KEY)]).await;
    expect(&ran, 0, &["warning history: the clone is shallow", "-> run `git fetch --unshallow`"]);
}

#[tokio::test]
async fn a_git_that_does_not_run_is_a_problem() {
    let desk = desk(&[]);
    let ran = desk.run_in("", &["doctor"], &[("PATH", "/nowhere"), ("OPENAI_API_KEY", KEY)]).await;
    expect(&ran, 2, &["problem git: the git binary cannot be run"]);
}

#[tokio::test]
async fn missing_and_wrong_provider_settings_are_named() {
    let desk = desk(&[]);
    let ran = desk.run(&["doctor"]).await;
    expect(
        &ran,
        2,
        &["problem provider: openai: needed for openai/", "-> no key for openai models: set OPENAI_API_KEY"],
    );
    desk.write("toml", "[providers.openai]\nkee = 1\n");
    let ran = desk.run_in("", &["doctor"], &[("PROMPTOPS_CONFIG", "toml")]).await;
    expect(&ran, 2, &["problem provider-settings: toml:2:1: "]);
    let ran = desk.run_in("", &["doctor"], &[("PROMPTOPS_CONFIG", "gone.toml")]).await;
    expect(&ran, 2, &["problem provider-settings: PROMPTOPS_CONFIG names `gone.toml`, and there is no such file"]);
    desk.write("toml", format!("[providers.openai]\napi_key = \"{KEY}\"\n"));
    let ran = desk.run_in("", &["doctor"], &[("PROMPTOPS_CONFIG", "toml")]).await;
    expect(&ran, 0, &["ok provider-settings: `toml`, 1 provider set up"]);
    desk.write("none.prompt.yml", PROMPT.replace("model: ", "x-model: "));
    desk.write("none.golden.yml", GOLDEN);
    expect(&doctor(&desk).await, 2, &["problem models: no model for none.prompt.yml"]);
    desk.write("file", "");
    let ran = desk.run_in("", &["doctor"], &[("PROMPTOPS_CACHE_DIR", "file/below")]).await;
    expect(&ran, 2, &["problem cache: `file/below` cannot be written"]);
}

#[tokio::test]
async fn online_asks_for_the_list_of_models_and_no_model() {
    let desk = desk(&[]);
    let models = json!({"object": "list", "data": [{"id": "gpt-4o-mini"}, {"id": "gpt-4o"}]});
    for (reply, code, expected) in [
        (
            Reply::json(&models),
            0,
            "ok provider: openai: needed for openai/gpt-4o-mini; it accepts the key and lists 2 models",
        ),
        (Reply::error(401, "no such key"), 2, "problem provider: openai answered 401"),
        (Reply::error(503, "busy"), 3, "no answer provider: openai answered 503"),
        (Reply::error(404, "not here"), 0, "skipped provider-key: openai does not list its models"),
    ] {
        let reply = std::sync::Mutex::new(Some(reply));
        let server = Scripted::start(move |asked| match asked.path.as_str() {
            "/v1/models" => reply.lock().unwrap().take().unwrap_or_else(|| Reply::error(500, "asked twice")),
            _ => Reply::text("hello"),
        });
        let server = server.await;
        let (base, api) = (format!("{}/v1", server.url()), server.url());
        let variables = [
            ("OPENAI_API_KEY", KEY),
            ("OPENAI_BASE_URL", base.as_str()),
            // Nobody is at home there but the same script, and whatever it says is an answer.
            ("PROMPTOPS_GITHUB_API_URL", api.as_str()),
        ];
        let ran = desk.run_in("", &["doctor", "--online"], &variables).await;
        expect(&ran, code, &[expected, "ok github-api: 127.0.0.1 answers"]);
        assert!(server.asked().iter().all(|asked| asked.body.is_null()), "a model was asked");
    }
    let variables = [
        ("OPENAI_API_KEY", KEY),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9"),
        ("PROMPTOPS_GITHUB_API_URL", "http://127.0.0.1:9"),
    ];
    let ran = desk.run_in("", &["doctor", "--online"], &variables).await;
    expect(
        &ran,
        3,
        &["no answer provider: openai cannot be reached at 127.0.0.1", "no answer github-api: GitHub gave no answer"],
    );
}

#[tokio::test]
async fn json_says_the_same_for_programs() {
    let desk = desk(&[]);
    let ran = desk.run_in("", &["doctor", "--format", "json"], &[]).await;
    let found = ran.json();
    assert_eq!(
        (ran.code, &found["schema"], &found["problems"]),
        (2, &json!("promptops.doctor/v1"), &json!(1)),
        "{ran:?}"
    );
    let problem = found["findings"].as_array().unwrap().iter().find(|one| one["level"] == "problem").unwrap();
    assert_eq!((&problem["part"], &problem["check"]), (&json!("providers"), &json!("provider")));
    let advice = "no key for openai models: set OPENAI_API_KEY, or OPENAI_BASE_URL to a gateway that serves them; \
                  models named ollama/NAME need no key";
    assert_eq!(problem["advice"], advice);
    assert_eq!(ran.stderr, "");
}
