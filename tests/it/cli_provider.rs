//! A provider that does not do its part: the command ends with 3, says why once, and does not keep its user waiting.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::cli_eval::{GOLDEN, PROMPT, answer};
use crate::support::desk::{Desk, Ran};
use crate::support::provider::{Asked, Reply, Scripted};

/// A desk with a prompt and this many cases.
fn desk(cases: usize) -> Desk {
    let case = |n: usize| {
        format!("  - id: c{n}\n    vars: {{ amount: \"{n} EUR\" }}\n    evaluators: [{{ contains: EUR }}]\n")
    };
    let golden: String = std::iter::once("cases:\n".to_owned()).chain((0..cases).map(case)).collect();
    Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", &golden)])
}

async fn ran(cases: usize, reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static, arguments: &[&str]) -> Ran {
    let server = Scripted::start(reply).await;
    desk(cases).ask(&server, &[&["eval"], arguments].concat()).await
}

#[tokio::test]
async fn a_provider_that_is_down_is_given_up_soon() {
    let started = Instant::now();
    let ran = ran(40, |_| Reply::error(503, "overloaded"), &["--format", "json"]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    let why = "error: a.prompt.yml: openai answered 503: overloaded (stopped after 3 questions in a row without an answer: run again later)";
    assert_eq!(ran.stderr.lines().last(), Some(why), "{ran:?}");
    assert_eq!(ran.stderr.matches("503").count(), 2, "while trying, and at the end: {ran:?}");
    let result = ran.json();
    assert_eq!((&result["verdict"], &result["prompts"]), (&json!("not_measured"), &json!([])));
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_named() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}/v1");
    let ran = desk(40).run_in("", &["eval"], &[("OPENAI_BASE_URL", &url)]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.contains("error: a.prompt.yml: openai cannot be reached at 127.0.0.1: "), "{ran:?}");
}

#[tokio::test]
async fn a_refusal_of_every_case_is_said_once() {
    let ran = ran(40, |_| Reply::error(400, "too long"), &[]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (3, "running 40 trials\n"));
    let stable = regex::Regex::new(r"calls, \$0, .*").unwrap();
    insta::assert_snapshot!(stable.replace(&ran.stdout, "calls, $$0, T"), @r"
    Not measured: 40 of 40 cases got no answer

      next   See below why, then run it again. Answers that came are not asked for
             again.
      took   40 calls, $0, T

    Refund (a.prompt.yml)
      We ran the prompt on 40 cases. 0 passed, 40 got no answer.
      40 of 40 cases could not be measured: too many to decide.
      40 cases · 40 not measured

      ? not measured: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, and 30 more
        openai answered 400: too long: change the prompt, its parameters or the case
    ");
}

#[tokio::test]
async fn a_refusal_of_one_case_leaves_the_others_measured() {
    let reply = |asked: &Asked| match asked.user() {
        "Refund 7 EUR" => Reply::error(400, "too long"),
        _ => answer(asked),
    };
    let ran = ran(40, reply, &["--format", "json"]).await;
    let result = ran.json();
    let prompt = &result["prompts"][0];
    assert_eq!((ran.code, &prompt["unmeasured"], &prompt["head_score"]), (0, &json!(1), &json!(1.0)));
    let error = "openai answered 400: too long: change the prompt, its parameters or the case";
    assert_eq!(prompt["cases"][7]["head"]["error"], json!(error));
}

#[tokio::test]
async fn garbage_is_no_answer() {
    let ran = ran(1, |_| Reply::Status(200, vec![], "<html>".to_owned()), &[]).await;
    assert!(ran.code == 3 && ran.stdout.starts_with("Not measured: 1 of 1 case got no answer\n"), "{ran:?}");
    assert!(ran.stdout.contains("  ? not measured: c0\n    openai sent an answer that is not readable: "), "{ran:?}");
}

#[tokio::test]
async fn a_wrong_key_is_said_and_not_shown() {
    let server = Scripted::start(|_| Reply::error(401, "Incorrect API key provided: sk-secret-value-1234567890")).await;
    let url = format!("{}/v1", server.url());
    let key = [("OPENAI_BASE_URL", url.as_str()), ("OPENAI_API_KEY", "sk-secret-value-1234567890")];
    let ran = desk(40).run_in("", &["eval"], &key).await;
    assert_eq!(ran.code, 3);
    assert!(
        ran.stderr.contains("error: a.prompt.yml: openai answered 401: ") && ran.stderr.contains("set OPENAI_API_KEY"),
        "{ran:?}"
    );
    assert!(!ran.said().contains("sk-secret"), "{ran:?}");
}

#[tokio::test]
async fn a_missing_key_and_an_unknown_vendor_are_said_once() {
    let desk = desk(40);
    let ran = desk.run(&["eval"]).await;
    let expected = "running 40 trials\nerror: a.prompt.yml: no key for openai models: set OPENAI_API_KEY, or \
                    OPENAI_BASE_URL to a gateway that serves them; models named ollama/NAME need no key\n";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (3, "", expected));
    let ran = desk.run(&["eval", "--model", "mistral/large"]).await;
    assert_eq!(ran.code, 3);
    assert!(
        ran.stderr.contains("error: a.prompt.yml: no provider `mistral` for the model `mistral/large`: "),
        "{ran:?}"
    );
}

#[tokio::test]
async fn a_run_over_the_budget_does_not_start() {
    let server = Scripted::start(answer).await;
    let desk = desk(40);
    let ran = desk.ask(&server, &["eval", "--max-cost", "0.001"]).await;
    assert_eq!((ran.code, server.calls()), (3, 0));
    let expected = "error: the run would cost about $0.0062, the limit is $0.0010 a run: raise it with `run_usd` under \
                    evaluation.budget or --max-cost\n";
    assert!(ran.stderr.ends_with(expected), "{ran:?}");
    desk.write(".github/promptops.yml", "evaluation: { budget: { run_usd: 0.001 } }\n");
    assert_eq!((desk.ask(&server, &["eval"]).await.code, server.calls()), (3, 0));
    assert_eq!(desk.ask(&server, &["eval", "--max-cost", "1"]).await.code, 0, "the flag overrides the settings");
}

#[tokio::test]
async fn a_judge_without_a_model_is_said() {
    let server = Scripted::start(answer).await;
    let desk = Desk::repository(&[
        ("a.prompt.yml", PROMPT),
        ("a.golden.yml", &GOLDEN.replace("contains: colleague", "judge: { rubric: Polite }")),
    ]);
    let ran = desk.ask(&server, &["eval"]).await;
    assert_eq!((ran.code, server.calls()), (2, 0), "it is known before anything is paid");
    assert!(ran.stderr.contains("no judge model is named") && ran.stderr.contains("evaluation.judge"), "{ran:?}");
}
