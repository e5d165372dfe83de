//! `promptops eval` as its user meets it: what is compared, what is printed, how it exits.

use serde_json::json;

use crate::support::desk::Desk;
use crate::support::provider::{Asked, Reply, Scripted};

pub const PROMPT: &str = "\
name: Refund
model: openai/gpt-4o-mini
messages:
  - role: system
    content: Answer formally.
  - role: user
    content: \"Refund {{amount}}\"
";

pub const GOLDEN: &str = "\
cases:
  - id: small
    vars: { amount: 5 EUR }
    evaluators:
      - contains: \"5 EUR\"
  - id: large
    vars: { amount: 900 EUR }
    evaluators:
      - contains: colleague
";

/// Sends large refunds to a colleague, unless the prompt asks for brevity.
pub fn answer(asked: &Asked) -> Reply {
    let brief = asked.body["messages"][0]["content"].as_str().unwrap().contains("briefly");
    let large = asked.user().contains("900");
    Reply::text(match (large, brief) {
        (true, false) => "A colleague will decide on 900 EUR.".to_owned(),
        (_, _) => format!("Done: {}", asked.user()),
    })
}

fn desk() -> Desk {
    Desk::repository(&[("prompts/refund.prompt.yml", PROMPT), ("prompts/refund.golden.yml", GOLDEN)])
}

fn brief() -> String {
    PROMPT.replace("formally", "briefly")
}

#[tokio::test]
async fn a_broken_case_is_shown_and_exits_with_1() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("prompts/refund.prompt.yml", brief());
    let ran = desk.ask(&server, &["eval", "--base", "main"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let stable = regex::Regex::new(r"(time per answer|\$0.000378,) \d[^\n]*").unwrap();
    insta::assert_snapshot!(stable.replace_all(&ran.stdout, "$1 T"), @r#"
    Regression: 1 of 2 cases got worse, 0 better

      worse  large  contains "colleague": does not contain "colleague"
      next   Mend the prompt. Where an answer below is right, mend the golden set
             instead.
      took   18 calls, $0.000378, T

    Refund (prompts/refund.prompt.yml)
      We ran the old and the new prompt side by side on the same 2 cases. 1 got
      worse, 0 better. We ran that one again: 1 failed 6 of 6 while the old prompt
      passed 6 of 6.
      2 cases · 1 worse · 0 better · score 1.00 → 0.50 · 1,000 answers cost $0.0210
      → $0.0210 · time per answer T

      ✗ large  passed 1 of 1 → 0 of 1; again 6 of 6 → 0 of 6
        contains "colleague": does not contain "colleague"
        | -A colleague will decide on 900 EUR.
        | +Done: Refund 900 EUR
    "#);
    assert_eq!(ran.stderr, "running 4 trials\nrunning 2 more trials\nrunning 12 more trials\n");
}

#[tokio::test]
async fn an_unchanged_prompt_exits_with_0() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    let ran = desk.ask(&server, &["eval", "--base", "main"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("No regression found: 0 of 2 cases got worse, 0 better\n"), "{}", ran.stdout);
    assert_eq!(server.calls(), 2, "sides that ask the same share one answer");
}

#[tokio::test]
async fn json_is_all_there_is_on_stdout_and_has_the_fields_of_the_contract() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("prompts/refund.prompt.yml", brief());
    let ran = desk.ask(&server, &["eval", "--base", "main", "--format", "json"]).await;
    let result = ran.json();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&result), "schema verdict base head prompts");
    assert_eq!((&result["schema"], &result["verdict"]), (&json!("promptops.result/v1"), &json!("regression")));
    assert_eq!((&result["base"], &result["head"]), (&json!(desk.git(&["rev-parse", "main"])), &json!("working tree")));
    let prompt = &result["prompts"][0];
    assert_eq!(
        keys(prompt),
        "path name verdict reasons base_score head_score bound broken fixed same unmeasured cost_usd calls cached_calls \
         statistics metrics cases"
    );
    assert_eq!(
        [&prompt["path"], &prompt["name"], &prompt["broken"], &prompt["fixed"], &prompt["same"], &prompt["unmeasured"]],
        [&json!("prompts/refund.prompt.yml"), &json!("Refund"), &json!(1), &json!(0), &json!(1), &json!(0)]
    );
    assert_eq!((&prompt["base_score"], &prompt["head_score"]), (&json!(1.0), &json!(0.5)));
    assert_eq!(prompt["calls"], json!(server.calls()));
    assert_eq!(keys(&prompt["statistics"]), "suite_p confirmed");
    assert_eq!(keys(&prompt["statistics"]["confirmed"][0]), "id k base head p");
    assert_eq!(keys(&prompt["metrics"]), "base head");
    let case = &prompt["cases"][1];
    assert_eq!(keys(case), "id vars status confirmed base head failed_evaluators");
    assert_eq!(
        *case,
        json!({
            "id": "large",
            "vars": {"amount": "900 EUR"},
            "status": "broken",
            "confirmed": true,
            "base": {"passes": 1, "trials": 1, "score": 1.0, "output": "A colleague will decide on 900 EUR.", "error": null},
            "head": {"passes": 0, "trials": 1, "score": 0.0, "output": "Done: Refund 900 EUR", "error": null},
            "failed_evaluators": ["contains \"colleague\""],
        })
    );
}

#[tokio::test]
async fn without_a_base_only_head_is_measured_and_only_strict_blocks() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("prompts/refund.prompt.yml", brief());
    let ran = desk.ask(&server, &["eval", "--format", "json"]).await;
    let result = ran.json();
    assert_eq!((ran.code, &result["base"], server.calls()), (0, &json!(null), 2));
    let statuses: Vec<_> =
        result["prompts"][0]["cases"].as_array().unwrap().iter().map(|case| &case["status"]).collect();
    assert_eq!(statuses, ["new", "new"]);
    let text = desk.ask(&server, &["eval"]).await;
    assert!(text.stdout.starts_with("Nothing blocks: 1 of 2 cases passed\n"), "{}", text.stdout);
    let strict = desk.ask(&server, &["eval", "--strict"]).await;
    assert_eq!(strict.code, 1);
    assert!(strict.stdout.contains("1 case fails (`--strict`): large."), "{}", strict.stdout);
}

#[tokio::test]
async fn the_second_run_answers_from_the_cache() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("prompts/refund.prompt.yml", brief());
    let arguments = ["eval", "--base", "main", "--format", "json"];
    let first = desk.ask(&server, &arguments).await.json();
    let asked = server.calls();
    let second = desk.ask(&server, &arguments).await.json();
    let counts = |result: &serde_json::Value| {
        let prompt = &result["prompts"][0];
        (prompt["calls"].as_u64().unwrap(), prompt["cached_calls"].as_u64().unwrap())
    };
    assert!(asked > 4, "confirmation asks more");
    assert_eq!((counts(&first), counts(&second)), ((asked as u64, 0), (0, asked as u64)));
    assert_eq!((server.calls(), &second["verdict"]), (asked, &json!("regression")));
    desk.ask(&server, &["eval", "--base", "main", "--no-cache"]).await;
    assert_eq!(server.calls(), 2 * asked);
}

#[tokio::test]
async fn a_recording_answers_without_key_and_provider() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("prompts/refund.prompt.yml", brief());
    let recorded =
        desk.ask(&server, &["eval", "--base", "main", "--record", "answers.jsonl", "--format", "json"]).await;
    let replayed = desk.run(&["eval", "--base", "main", "--replay", "answers.jsonl", "--format", "json"]).await;
    assert_eq!((recorded.code, replayed.code), (1, 1));
    assert_eq!(recorded.json(), replayed.json());
    let ran = desk.run(&["eval", "--replay", "none.jsonl"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (2, "error: cannot open the recording none.jsonl: check the path\n"));
}

#[tokio::test]
async fn results_are_written_to_files_in_several_formats() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    let to = ["--output", "json=out.json", "--output", "markdown=out.md", "--output", "out.txt"];
    let ran = desk.ask(&server, &[&["eval"], &to[..]].concat()).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert!(desk.read("out.json").contains("promptops.result/v1"));
    assert!(desk.read("out.md").contains("<!-- promptops:report -->"));
    assert!(desk.read("out.txt").starts_with("Pass: 2 of 2 cases passed\n"));
    let ran = desk.ask(&server, &["eval", "--no-cache", "--output", "nowhere/out.json"]).await;
    assert_eq!(
        (ran.code, ran.stderr.as_str(), server.calls()),
        (2, "error: --output: `nowhere/out.json` is in no folder that exists; name a file\n", 2)
    );
}

#[tokio::test]
async fn a_renamed_prompt_is_compared_with_its_old_path() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.git(&["mv", "prompts/refund.prompt.yml", "prompts/refunds.prompt.yml"]);
    desk.git(&["mv", "prompts/refund.golden.yml", "prompts/refunds.golden.yml"]);
    desk.write("prompts/refunds.prompt.yml", brief());
    let ran = desk.ask(&server, &["eval", "--base", "main", "--format", "json"]).await;
    let result = ran.json();
    let prompt = &result["prompts"][0];
    assert_eq!(
        (ran.code, &prompt["path"], &prompt["broken"]),
        (1, &json!("prompts/refunds.prompt.yml"), &json!(1)),
        "{ran:?}"
    );
    desk.commit("rename");
    let committed = desk.ask(&server, &["eval", "--base", "HEAD~1", "--head", "HEAD", "--format", "json"]).await;
    assert_eq!((committed.code, &committed.json()["prompts"][0]["broken"]), (1, &json!(1)));
}

#[tokio::test]
async fn a_prompt_that_base_does_not_have_is_said_to_be_new() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("prompts/other.prompt.yml", PROMPT.replace("Answer formally", "Say how much, and how to get it"));
    desk.write("prompts/other.golden.yml", GOLDEN);
    let ran = desk.ask(&server, &["eval", "prompts/other.prompt.yml", "--base", "main"]).await;
    assert!(ran.stdout.contains("\n  prompts/other.prompt.yml has no version on base to compare with\n"), "{ran:?}");
}

#[tokio::test]
async fn settings_come_from_base_and_give_model_and_floor() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("prompts/refund.prompt.yml", brief().replace("model: openai/gpt-4o-mini\n", ""));
    desk.write(".github/promptops.yml", "evaluation: { model: openai/gpt-4o, min_score: 0.9 }\n");
    let ran = desk.ask(&server, &["eval"]).await;
    assert_eq!((ran.code, server.asked()[0].model()), (1, "gpt-4o"));
    assert!(ran.stdout.contains("The score is 0.500, the floor (`min_score`) is 0.900."), "{}", ran.stdout);
    desk.commit("settings");
    desk.write(".github/promptops.yml", "evaluation: { model: openai/gpt-4o, min_score: 0.1 }\n");
    let ran = desk.ask(&server, &["eval", "--base", "HEAD"]).await;
    assert_eq!(ran.code, 1, "base's floor goes on deciding: {ran:?}");
}

#[tokio::test]
async fn flags_override_model_trials_and_seed() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    let flags = ["--model", "openai/gpt-4.1", "--trials", "3", "--seed", "7", "--concurrency", "1"];
    let ran = desk.ask(&server, &[&["eval", "--format", "json"], &flags[..]].concat()).await;
    assert_eq!((ran.code, server.calls(), server.most_at_once()), (0, 6, 1));
    assert!(server.asked().iter().all(|asked| asked.model() == "gpt-4.1"));
    assert_eq!(ran.json()["prompts"][0]["cases"][0]["head"]["trials"], json!(3));
}

#[tokio::test]
async fn paths_may_be_files_folders_and_globs_from_any_folder() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("more/b.prompt.yml", PROMPT);
    desk.write("more/b.golden.yml", GOLDEN);
    let url = format!("{}/v1", server.url());
    let measured = async |folder: &str, paths: &[&str]| {
        let arguments = [&["eval", "--format", "json"], paths].concat();
        let ran = desk.run_in(folder, &arguments, &[("OPENAI_BASE_URL", &url)]).await;
        let result = ran.json();
        let paths = result["prompts"].as_array().unwrap().iter().map(|prompt| prompt["path"].as_str().unwrap());
        paths.collect::<Vec<_>>().join(" ")
    };
    let (refund, both) = ("prompts/refund.prompt.yml", "more/b.prompt.yml prompts/refund.prompt.yml");
    assert_eq!(measured("", &[]).await, both);
    assert_eq!(measured("more", &[]).await, both);
    assert_eq!(measured("", &["prompts"]).await, refund);
    assert_eq!(measured("", &["prompts/refund.prompt.yml"]).await, refund);
    assert_eq!(measured("", &["prompts/*.yml"]).await, refund);
    assert_eq!(measured("", &["**/*.prompt.yml"]).await, both);
    assert_eq!(measured("prompts", &["."]).await, refund);
    assert_eq!(measured("prompts", &["refund.prompt.yml", "../more"]).await, both);
}

#[tokio::test]
async fn outside_a_repository_the_folder_is_measured() {
    let (desk, server) = (Desk::plain(), Scripted::start(answer).await);
    desk.write("refund.prompt.yml", PROMPT);
    desk.write("refund.golden.yml", GOLDEN);
    let ran = desk.ask(&server, &["eval"]).await;
    assert!(ran.code == 0 && ran.stdout.starts_with("Pass: 2 of 2 cases passed\n"), "{ran:?}");
    let ran = desk.ask(&server, &["eval", "--base", "main"]).await;
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.ends_with("is not inside a Git repository; run this in one, or leave out --base\n"), "{ran:?}");
}

#[tokio::test]
async fn a_cache_that_cannot_be_used_is_named_with_what_to_do() {
    let server = Scripted::start(answer).await;
    let desk = desk();
    desk.write("cache/answers.db", "this is no database, and it is longer than the header of one would have to be");
    let cache = desk.file("cache");
    let url = format!("{}/v1", server.url());
    let variables = [("OPENAI_BASE_URL", url.as_str()), ("PROMPTOPS_CACHE_DIR", cache.to_str().unwrap())];
    let ran = desk.run_in("", &["eval"], &variables).await;
    assert_eq!(ran.code, 0, "the run goes on: {ran:?}");
    let file = desk.file("cache/answers.db").display().to_string();
    let start = format!("warning: answers are not cached: `{file}` cannot be used (");
    assert!(ran.stderr.contains(&start) && ran.stderr.contains("; delete it, "), "{ran:?}");
    assert!(ran.stderr.contains("or run with --no-cache") && !ran.stderr.contains("DATABASE_URL"), "{ran:?}");
}

#[tokio::test]
async fn a_must_pass_case_that_fails_on_both_sides_did_not_get_worse() {
    let server = Scripted::start(|_| Reply::text("No.")).await;
    let must = GOLDEN.replace("  - id: large\n", "  - id: large\n    must_pass: always\n");
    let desk = Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", &must)]);
    desk.write("a.prompt.yml", brief());
    let ran = desk.ask(&server, &["eval", "--base", "HEAD"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let line = "  fails  large (must pass, fails on both sides)  contains \"colleague\": ";
    assert!(ran.stdout.contains(line) && !ran.stdout.contains("  worse  "), "{ran:?}");
}
