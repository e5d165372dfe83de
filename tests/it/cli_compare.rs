//! `promptops eval --compare A B`: two prompts or two models on one golden set, told as A and B.

use serde_json::json;

use crate::cli_eval::{GOLDEN, PROMPT, answer};
use crate::support::desk::Desk;
use crate::support::provider::{Asked, Reply, Scripted};

/// A folder without Git: a formal prompt with a golden set, and a brief one without.
fn desk() -> Desk {
    let desk = Desk::plain();
    desk.write("formal.prompt.yml", PROMPT);
    desk.write("formal.golden.yml", GOLDEN);
    desk.write("brief.prompt.yml", PROMPT.replace("formally", "briefly"));
    desk
}

/// The better model sends large refunds to a colleague.
fn by_model(asked: &Asked) -> Reply {
    let better = asked.model() == "gpt-4o";
    Reply::text(if better {
        format!("A colleague decides: {}", asked.user())
    } else {
        format!("Done: {}", asked.user())
    })
}

#[tokio::test]
async fn two_prompts_on_the_golden_set_of_one_of_them() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    let ran = desk.ask(&server, &["eval", "--compare", "formal.prompt.yml", "brief.prompt.yml"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let stable = regex::Regex::new(r"(time per answer|\$0.000378,) \d[^\n]*").unwrap();
    insta::assert_snapshot!(stable.replace_all(&ran.stdout, "$1 T"), @r#"
    Regression: 1 of 2 cases got worse, 0 better

      A      formal.prompt.yml
      B      brief.prompt.yml
      worse  large  contains "colleague": does not contain "colleague"
      next   Keep A, or mend B where its answers below are wrong.
      took   18 calls, $0.000378, T

    Refund (brief.prompt.yml)
      We ran A and B side by side on the same 2 cases. 1 got worse, 0 better. We ran
      that one again: 1 failed 6 of 6 while A passed 6 of 6.
      2 cases · 1 worse · 0 better · score 1.00 → 0.50 · 1,000 answers cost $0.0210
      → $0.0210 · time per answer T

      ✗ large  passed 1 of 1 → 0 of 1; again 6 of 6 → 0 of 6
        contains "colleague": does not contain "colleague"
        | -A colleague will decide on 900 EUR.
        | +Done: Refund 900 EUR
    "#);
    let turned = desk.ask(&server, &["eval", "--compare", "brief.prompt.yml", "formal.prompt.yml"]).await;
    assert_eq!(turned.code, 0, "{turned:?}");
    assert!(turned.stdout.starts_with("No regression found: 0 of 2 cases got worse, 1 better\n"), "{turned:?}");
}

#[tokio::test]
async fn json_and_markdown_name_a_and_b() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    let compare = ["eval", "--compare", "./formal.prompt.yml", "brief.prompt.yml"];
    let ran = desk.ask(&server, &[&compare[..], &["--format", "json", "--output", "markdown=out.md"]].concat()).await;
    let result = ran.json();
    assert_eq!(
        (ran.code, &result["base"], &result["head"], &result["prompts"][0]["cases"][1]["status"]),
        (1, &json!("formal.prompt.yml"), &json!("brief.prompt.yml"), &json!("broken"))
    );
    let reasons = result["prompts"][0]["reasons"].to_string();
    assert!(reasons.contains("while A passed"), "{reasons}");
    let comment = desk.read("out.md");
    for said in [
        "B is worse than A on this golden set.",
        "| case | what failed | passed, A → B |",
        "The answer, A (-) and B (+):",
        "| B's calls |",
        "A: `formal.prompt.yml`, B: `brief.prompt.yml`.",
    ] {
        assert!(comment.contains(said), "{said}\n{comment}");
    }
    let of_a_change = regex::Regex::new(r"\b(old|new|base|head)\b").unwrap();
    assert!(!of_a_change.is_match(&comment), "{comment}");
}

#[tokio::test]
async fn two_models_on_every_prompt_that_is_meant() {
    let (desk, server) = (desk(), Scripted::start(by_model).await);
    let compare = ["eval", "--compare", "openai/gpt-4o", "openai/gpt-4o-mini", "--format", "json"];
    let ran = desk.ask(&server, &compare).await;
    let result = ran.json();
    assert_eq!(
        (ran.code, &result["base"], &result["head"]),
        (1, &json!("openai/gpt-4o"), &json!("openai/gpt-4o-mini"))
    );
    let paths = result["prompts"].as_array().unwrap().iter().map(|prompt| &prompt["path"]).collect::<Vec<_>>();
    assert_eq!(paths, ["formal.prompt.yml"]);
    assert!(ran.stderr.contains("brief.prompt.yml: warning: the prompt has no golden set"), "{ran:?}");
    let all = [&compare[..], &["--golden", "formal.golden.yml", "formal.prompt.yml", "brief.prompt.yml"]].concat();
    let result = desk.ask(&server, &all).await.json();
    assert_eq!(result["prompts"].as_array().unwrap().len(), 2);
    assert_eq!(result["prompts"][0]["broken"], 1);
}

#[tokio::test]
async fn a_golden_set_may_be_named_and_both_prompts_must_fit_it() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    let easy = "cases: [{ id: small, vars: { amount: 5 EUR }, evaluators: [contains: 5 EUR] }]\n";
    desk.write("sets/easy.yml", easy);
    let compare = ["eval", "--compare", "formal.prompt.yml", "brief.prompt.yml", "--golden", "sets/easy.yml"];
    let ran = desk.ask(&server, &compare).await;
    assert!(ran.code == 0 && ran.stdout.starts_with("No regression found: 0 of 1 case got worse"), "{ran:?}");
    desk.write("formal.prompt.yml", PROMPT.replace("{{amount}}", "{{amount}} {{currency}}"));
    let ran = desk.ask(&server, &compare).await;
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("formal.prompt.yml:7:"), "{ran:?}");
    assert!(ran.stderr.contains("`currency`"), "{ran:?}");
}

#[tokio::test]
async fn what_cannot_be_compared_is_said() {
    let (desk, golden) = (desk(), "formal.golden.yml");
    let check = async |arguments: &[&str], expected: &str| {
        let ran = desk.run(&[&["eval"], arguments].concat()).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(expected), "{expected}\n{}", ran.stderr);
    };
    check(
        &["--compare", "formal.prompt.yml", "openai/gpt-4o"],
        "`formal.prompt.yml` is a prompt file and `openai/gpt-4o` is none; name two prompt files, or two models",
    )
    .await;
    check(&["--compare", "formal.prompt.yml", "gone.prompt.yml"], "gone.prompt.yml: error: prompt file not found")
        .await;
    check(&["--compare", "gpt", "openai/gpt-4o"], "no prompt file at `gpt`, and as a model: ").await;
    check(&["--compare", "openai/a", "openai/b", "--model", "openai/c"], "leave out --model").await;
    check(&["--compare", "brief.prompt.yml", "brief.prompt.yml"], "the prompt has no golden set").await;
    check(&["--compare", "formal.prompt.yml", "brief.prompt.yml", golden], "leave out the paths").await;
    check(&["--golden", golden], "--compare").await;
    check(&["--compare", "a/b", "a/c", "--base", "main"], "cannot be used with").await;
}
