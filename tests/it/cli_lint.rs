//! `promptops lint`: what is found without a model, and how it exits.

use crate::cli_eval::{GOLDEN, PROMPT};
use crate::support::desk::Desk;

#[tokio::test]
async fn clean_files_exit_with_0() {
    let desk = Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", GOLDEN)]);
    let ran = desk.run(&["lint"]).await;
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "1 prompt: 0 errors, 0 warnings\n", ""));
}

#[tokio::test]
async fn errors_in_settings_prompts_and_golden_sets_are_all_found_and_exit_with_2() {
    let desk = Desk::repository(&[
        (".github/promptops.yml", "evaluation:\n  trails: 2\n"),
        ("a.prompt.yml", PROMPT),
        ("a.golden.yml", "cases:\n  - id: small\n    vars: { amount: 5 EUR }\n    evaluators: [{ contans: x }]\n"),
        ("b.prompt.yml", "name: b\nmessages: 5\n"),
        ("c.prompt.yml", &format!("{PROMPT}modle: x\n")),
        ("c.golden.yml", GOLDEN),
    ]);
    let ran = desk.run(&["lint"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, "3 prompts: 3 errors, 1 warning\n"));
    insta::assert_snapshot!(ran.stderr, @r#"
    .github/promptops.yml:2:3: error: unknown key `trails` in `evaluation`
      2 |   trails: 2
        |   ^^^^^^
      = help: did you mean `trials`?

    a.golden.yml:4:20: error: unknown evaluator `contans`
      4 |     evaluators: [{ contans: x }]
        |                    ^^^^^^^
      = help: did you mean `contains`?

    b.prompt.yml:2:11: error: `messages` must be a list, found a number
      2 | messages: 5
        |           ^
      = help: write a list here

    c.prompt.yml:8:1: warning: unknown key `modle` in a prompt file
      8 | modle: x
        | ^^^^^
      = help: did you mean `model`?
    "#);
}

#[tokio::test]
async fn what_tests_nothing_is_a_warning() {
    let desk = Desk::repository(&[("a.prompt.yml", PROMPT), ("old.golden.yml", GOLDEN)]);
    let ran = desk.run(&["lint"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "1 prompt: 0 errors, 2 warnings\n"));
    insta::assert_snapshot!(ran.stderr, @r#"
    a.prompt.yml: warning: the prompt has no golden set, so nothing can be measured
      = help: add `a.golden.yml` beside it, or `testData` in it

    old.golden.yml: warning: no prompt uses this golden set
      = help: name it after its prompt, or name it in the prompt's `goldenSet`
    "#);
    let ran = desk.run(&["lint", "a.prompt.yml"]).await;
    assert_eq!(ran.stdout, "1 prompt: 0 errors, 1 warning\n", "only what was named");
}

#[tokio::test]
async fn a_golden_set_outside_the_governed_paths_is_an_error() {
    let desk = Desk::repository(&[
        (".github/promptops.yml", "prompts: { include: [\"prompts/**\"] }\n"),
        ("prompts/a.prompt.yml", &format!("goldenSet: ../a.csv\n{PROMPT}")),
        ("a.csv", "amount,expected\n5 EUR,5 EUR\n"),
    ]);
    for command in ["lint", "eval"] {
        let ran = desk.run(&[command]).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        let expected = "prompts/a.prompt.yml:1:12: error: golden set `a.csv` lies outside the governed paths\n";
        assert!(ran.stderr.starts_with(expected), "{}", ran.stderr);
    }
}
