//! Prompts that a change takes away: told and let through, for models have nothing to judge. Tests that it takes away are not.

use serde_json::json;

use crate::cli_eval::{GOLDEN, PROMPT, answer};
use crate::support::desk::Desk;
use crate::support::provider::Scripted;
use crate::support::step;
use crate::support::step::Step;

/// A repository with these prompts, each beside its golden set, and a branch without those that are taken away.
fn desk(prompts: &[&str], taken: &[&str]) -> Desk {
    let files: Vec<(String, &str)> = prompts
        .iter()
        .flat_map(|name| {
            [(format!("prompts/{name}.prompt.yml"), PROMPT), (format!("prompts/{name}.golden.yml"), GOLDEN)]
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let desk = Desk::repository(&[&files[..], &[("README.md", "Acme")]].concat());
    desk.git(&["checkout", "--quiet", "-b", "change"]);
    for path in taken {
        desk.git(&["rm", "--quiet", path]);
    }
    desk
}

const BOTH: [&str; 2] = ["prompts/a.prompt.yml", "prompts/a.golden.yml"];

#[tokio::test]
async fn the_last_prompt_may_go() {
    let desk = desk(&["a"], &BOTH);
    let ran = desk.run(&["eval", "--base", "main"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @r"
    Pass: 0 of 0 cases passed

      Nothing is left to evaluate. Whether prompts may be removed is for the
      approval policy to say.
      prompts/a.prompt.yml is removed
    ");
    desk.commit("remove");
    for named in [&[][..], &["prompts"], &["prompts/*.yml"], &["prompts/a.prompt.yml"]] {
        let all = [&["eval", "--base", "main", "--head", "change", "--format", "json"], named].concat();
        let ran = desk.run(&all).await;
        let told = ran.json();
        assert_eq!(
            (ran.code, &told["verdict"], &told["prompts"]),
            (0, &json!("pass"), &json!([])),
            "{named:?}: {ran:?}"
        );
    }
}

#[tokio::test]
async fn without_a_base_to_compare_with_a_place_without_prompts_is_a_mistake() {
    let desk = desk(&["a"], &BOTH);
    let ran = desk.run(&["eval"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("no prompt files found"), "{ran:?}");
    // Nor has a name that base does not know either anything to do with the change.
    let ran = desk.run(&["eval", "prompts/b.prompt.yml", "--base", "main"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("no prompt file at `prompts/b.prompt.yml`"), "{ran:?}");
}

#[tokio::test]
async fn a_prompt_that_stays_needs_its_golden_set() {
    let ran = desk(&["a"], &BOTH[1..]).run(&["eval", "--base", "main"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("the prompt has no golden set"), "{ran:?}");
}

#[tokio::test]
async fn the_others_are_measured_and_a_new_name_is_no_removal() {
    let server = Scripted::start(answer).await;
    let ran = desk(&["a", "b"], &BOTH).ask(&server, &["eval", "--base", "main"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("prompts/a.prompt.yml is removed"), "{ran:?}");
    assert!(!server.asked().is_empty(), "the other one is measured");
    let desk = desk(&["a"], &[]);
    desk.git(&["mv", "prompts/a.prompt.yml", "prompts/z.prompt.yml"]);
    desk.git(&["mv", "prompts/a.golden.yml", "prompts/z.golden.yml"]);
    let ran = desk.ask(&server, &["eval", "--base", "main"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.stdout.contains("is removed"), "{ran:?}");
}

#[tokio::test]
async fn the_step_lets_the_last_prompts_go() {
    for paths in ["", "prompts", "prompts/*.prompt.yml\nprompts/other.prompt.yml"] {
        let mut step = Step::pull_request("kindly").await;
        step.without_keys();
        step.desk.git(&["rm", "--quiet", "-r", "prompts"]);
        step.desk.write("README.md", "Nothing is left");
        step.desk.commit("remove");
        let done = step.set("INPUT_PATHS", paths).run().await;
        assert_eq!(done.verdict(), (0, "pass"), "{paths}: {:?}", done.ran);
        for text in [&format!("`{}` is removed", step::PROMPT), "is for the approval policy to say"] {
            assert!(done.summary.contains(text), "no “{text}”: {}", done.summary);
        }
        assert!(step.model.asked().is_empty());
    }
}
