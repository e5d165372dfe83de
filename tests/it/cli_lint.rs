//! `promptops lint`: what is found without a model, and how it exits.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::cli_eval::{GOLDEN, PROMPT, answer};
use crate::support::desk::Desk;
use crate::support::provider::{Reply, Scripted};

const SETTINGS: &str = ".github/promptops.yml";
/// Two cases exclude nothing, which is not what these stories are about.
const QUIET: &str = "lint: { rules: { golden-set-too-small: off } }\n";
const KEY: &str = "sk-proj-0123456789abcdefABCD";

#[tokio::test]
async fn clean_files_exit_with_0() {
    let desk = Desk::repository(&[(SETTINGS, QUIET), ("a.prompt.yml", PROMPT), ("a.golden.yml", GOLDEN)]);
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
    assert_eq!((ran.code, ran.stdout.as_str()), (2, "3 prompts: 3 errors, 2 warnings\n"));
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

    c.golden.yml: warning: 2 cases; to exclude a drop of 0.05 takes 52, even if no case changes [golden-set-too-small]
      = help: add 50 more, or widen `evaluation.margin`

    `promptops lint --explain RULE` says more of a rule in brackets
    "#);
}

#[tokio::test]
async fn a_judge_without_a_model_is_found_before_anything_is_run() {
    let judged = |check: &str| GOLDEN.replace("contains: colleague", check);
    let check = async |check: &str, settings: &str, code: i32, said: &str| {
        let desk =
            Desk::repository(&[(SETTINGS, settings), ("a.prompt.yml", PROMPT), ("a.golden.yml", &judged(check))]);
        let ran = desk.run(&["lint"]).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.said().starts_with(said), "{said} is missing in {ran:?}");
    };
    check(
        "judge: { rubric: Polite }",
        QUIET,
        2,
        "1 prompt: 1 error, 0 warnings\n\
         a.golden.yml:6:1: error: case `large` is judged by a model, and no judge model is named\n  \
         = help: set `evaluation.judge: provider/model` in .github/promptops.yml, or `model` in the judge evaluator\n",
    )
    .await;
    check("similar: { value: Hello }", QUIET, 2, "1 prompt: 1 error").await;
    check("judge: { rubric: Polite, model: openai/gpt-4o }", QUIET, 0, "1 prompt: 0 errors").await;
    let named = format!("evaluation: {{ judge: openai/gpt-4o }}\n{QUIET}");
    check("judge: { rubric: Polite }", &named, 0, "1 prompt: 0 errors").await;
}

#[tokio::test]
async fn a_misspelt_variable_names_what_the_cases_call_it() {
    let desk = Desk::repository(&[
        (SETTINGS, QUIET),
        ("a.prompt.yml", &PROMPT.replace("{{amount}}", "{{ammount}}")),
        ("a.golden.yml", GOLDEN),
    ]);
    let ran = desk.run(&["lint"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    let help = "  = help: did you mean `amount`? Else add `ammount` to the vars of the case, or give it a `default` under \
                `variables`\n";
    assert!(ran.stderr.contains(help), "{ran:?}");
    desk.write("a.prompt.yml", PROMPT.replace("{{amount}}", "{{amount.net}}"));
    let ran = desk.run(&["lint"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("= help: add `amount.net` to the vars"), "{ran:?}");
    let other = PROMPT.replace("{{amount}}", "{{amount}} {{customer}}");
    desk.write("a.prompt.yml", other);
    let ran = desk.run(&["lint"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("= help: add `customer` to the vars"), "{ran:?}");
}

#[tokio::test]
async fn many_golden_sets_that_are_too_small_are_one_warning_for_people() {
    let more = |cases: usize| {
        let more = |n: usize| format!("  - {{ id: more-{n}, vars: {{ amount: {n} EUR }}, expected: x }}\n");
        format!("{GOLDEN}{}", (0..cases).map(more).collect::<String>())
    };
    let files = ["a", "b", "c"].map(|name| (format!("{name}.prompt.yml"), PROMPT.replace("Refund", name)));
    let sets = [("a.golden.yml", more(3)), ("b.golden.yml", more(0)), ("c.golden.yml", more(1))];
    let prompts = files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let rules = (SETTINGS, "lint: { rules: { near-duplicate: off } }\n");
    let all: Vec<(&str, &str)> =
        prompts.chain(sets.iter().map(|(path, text)| (*path, text.as_str()))).chain([rules]).collect();
    let desk = Desk::repository(&all);
    let ran = desk.run(&["lint"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "3 prompts: 0 errors, 3 warnings\n"), "{ran:?}");
    insta::assert_snapshot!(ran.stderr, @"
    b.golden.yml: warning: 3 golden sets are too small; to exclude a drop of 0.05 takes 52, even if no case changes: this one has 2 cases, c.golden.yml 3 cases, a.golden.yml 5 cases [golden-set-too-small]
      = help: add cases, the smallest set first, or widen `evaluation.margin`

    `promptops lint --explain RULE` says more of a rule in brackets
    ");
    let ran = desk.run(&["lint", "--format", "json"]).await;
    assert_eq!(ran.json()["findings"].as_array().map(Vec::len), Some(3), "{ran:?}");
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

#[tokio::test]
async fn an_error_of_a_rule_exits_with_1_and_a_secret_is_never_shown() {
    let desk = Desk::repository(&[
        (SETTINGS, QUIET),
        ("a.prompt.yml", &format!("descriptoin: {KEY}\n{PROMPT}")),
        ("a.golden.yml", GOLDEN),
    ]);
    let ran = desk.run(&["lint"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "1 prompt: 1 error, 1 warning\n"));
    insta::assert_snapshot!(ran.stderr, @"
    a.prompt.yml:1:1: warning: unknown key `descriptoin` in a prompt file
      1 | descriptoin: [redacted]
        | ^^^^^^^^^^^
      = help: did you mean `description`?

    a.prompt.yml:1:14: error: an API key stands here [secret]
      = help: revoke it, then remove it: what is in a prompt reaches the provider

    `promptops lint --explain RULE` says more of a rule in brackets
    ");
    for format in ["json", "sarif"] {
        let ran = desk.run(&["lint", "--format", format]).await;
        assert_eq!(ran.code, 1);
        assert!(!ran.said().contains(KEY), "{ran:?}");
    }
}

#[tokio::test]
async fn settings_give_rules_their_levels() {
    let check = async |settings: &str, code: i32, said: &str| {
        let desk = Desk::repository(&[
            (SETTINGS, settings),
            ("a.prompt.yml", &format!("description: TODO\n{PROMPT}")),
            ("a.golden.yml", GOLDEN),
        ]);
        let ran = desk.run(&["lint"]).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.said().contains(said), "{said} is missing in {ran:?}");
    };
    check(QUIET, 0, "1 prompt: 0 errors, 1 warning").await;
    let rules = |rules: &str| format!("lint: {{ rules: {{ golden-set-too-small: off, {rules} }} }}\n");
    check(&rules("leftover-placeholder: off"), 0, "0 errors, 0 warnings").await;
    check(&rules("leftover-placeholder: error"), 1, "error: the placeholder `TODO` was left in").await;
    check(&rules("left-over-placeholder: error"), 2, "did you mean `leftover-placeholder`?").await;
    check(&rules("secret: fatal"), 2, "use one of `off`, `warning`, `error`").await;
    check("lint: { require: [owner, name] }\n", 1, "error: the prompt lacks `owner`, which the settings require").await;
}

#[tokio::test]
async fn a_waiver_needs_a_reason_and_something_to_waive() {
    let check = async |waiver: &str, code: i32, said: &str| {
        let prompt = format!("{waiver}\ndescription: key {KEY}\n{PROMPT}");
        let desk = Desk::repository(&[(SETTINGS, QUIET), ("a.prompt.yml", &prompt), ("a.golden.yml", GOLDEN)]);
        let ran = desk.run(&["lint"]).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.said().contains(said), "{said} is missing in {ran:?}");
    };
    check("# promptops: allow secret because it was revoked", 0, "0 errors, 0 warnings").await;
    check("# promptops: allow secret", 1, "a.prompt.yml:1:1: warning: the waiver of `secret` says no reason").await;
    check("# promptops: allow secrets because x", 1, "the waiver names `secrets`, which is no rule").await;
    check("# promptops: allow near-duplicate because x", 1, "the waiver of `near-duplicate` waives nothing").await;
}

#[tokio::test]
async fn against_a_base_a_changed_prompt_wants_a_higher_version() {
    let desk = Desk::repository(&[
        (SETTINGS, QUIET),
        ("a.prompt.yml", &format!("version: 1.2.0\n{PROMPT}")),
        ("a.golden.yml", GOLDEN),
    ]);
    desk.write("a.prompt.yml", format!("version: 1.2.0\n{}", PROMPT.replace("formally", "warmly")));
    let ran = desk.run(&["lint"]).await;
    assert_eq!(ran.stdout, "1 prompt: 0 errors, 0 warnings\n", "without a base nothing is known to have changed");
    let ran = desk.run(&["lint", "--base", "HEAD"]).await;
    insta::assert_snapshot!(ran.stderr, @"
    a.prompt.yml:1:1: warning: the prompt changed and its version is still 1.2.0 [version-not-bumped]
      1 | version: 1.2.0
        | ^^^^^^^
      = help: raise `version`, for instance to 1.2.1

    `promptops lint --explain RULE` says more of a rule in brackets
    ");
    desk.write("a.prompt.yml", format!("version: 1.3.0\n{}", PROMPT.replace("formally", "warmly")));
    assert_eq!(desk.run(&["lint", "--base", "HEAD"]).await.stdout, "1 prompt: 0 errors, 0 warnings\n");
    assert_eq!(desk.run(&["lint", "--base", "nowhere"]).await.code, 2);
}

#[tokio::test]
async fn a_near_duplicate_is_named_with_how_alike_it_is() {
    let text = "Answer formally and never promise a refund that nobody has approved yet, whoever asks for it and however \
                often they write to us about the same order.";
    let long = PROMPT.replace("Answer formally.", text);
    let other = long.replace("amount", "sum").replace("Answer", "Reply");
    let desk = Desk::repository(&[
        (SETTINGS, QUIET),
        ("a.prompt.yml", &long),
        ("a.golden.yml", GOLDEN),
        ("b/b.prompt.yml", &other),
        ("b/b.golden.yml", &GOLDEN.replace("amount", "sum")),
    ]);
    let ran = desk.run(&["lint"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "2 prompts: 0 errors, 1 warning\n"), "{ran:?}");
    assert!(ran.stderr.starts_with("b/b.prompt.yml:5:1: warning: the prompt is "), "{ran:?}");
    assert!(ran.stderr.contains(" % the same as a.prompt.yml"), "{ran:?}");
    let ran = desk.run(&["lint", "a.prompt.yml"]).await;
    assert!(ran.stderr.contains(" % the same as b/b.prompt.yml"), "others count although they are not named: {ran:?}");
}

#[tokio::test]
async fn findings_are_printed_for_programs_too() {
    let desk = Desk::repository(&[
        (SETTINGS, QUIET),
        ("a.prompt.yml", &format!("description: TBD\n{PROMPT}")),
        ("a.golden.yml", GOLDEN),
    ]);
    let ran = desk.run(&["lint", "--format", "json"]).await;
    assert_eq!(
        ran.json(),
        json!({
            "schema": "promptops.lint/v1", "prompts": 1, "errors": 0, "warnings": 1,
            "findings": [{
                "rule": "leftover-placeholder", "severity": "warning", "path": "a.prompt.yml", "line": 1, "column": 14,
                "message": "the placeholder `TBD` was left in", "help": "write the text that belongs there",
            }],
        })
    );
    let sarif = desk.run(&["lint", "--format", "sarif"]).await.json();
    let run = &sarif["runs"][0];
    assert_eq!(run["automationDetails"]["id"], "promptops/lint/");
    assert_eq!(run["results"][0]["ruleId"], "leftover-placeholder");
    assert_eq!(run["tool"]["driver"]["rules"][0]["shortDescription"]["text"], "A placeholder was left in");
}

#[tokio::test]
async fn rules_are_listed_and_explained() {
    let desk = Desk::plain();
    let ran = desk.run(&["lint", "--rules"]).await;
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 14));
    assert!(
        ran.stdout.contains("secret                 error    a token or a private key stands in the file\n"),
        "{ran:?}"
    );
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/lint.md")).unwrap();
    for line in ran.stdout.lines() {
        let (rule, level) = (line.split_whitespace().next().unwrap(), line.split_whitespace().nth(1).unwrap());
        assert!(docs.contains(&format!("| `{rule}` | {level} |")), "docs/lint.md does not name {rule} with {level}");
    }
    let ran = desk.run(&["lint", "--explain", "near-duplicate"]).await;
    assert!(
        ran.stdout.starts_with("near-duplicate: another prompt of the repository says nearly the same\n"),
        "{ran:?}"
    );
    let ran = desk.run(&["lint", "--explain", "near-duplicates"]).await;
    assert_eq!((ran.code, ran.stderr.contains("did you mean `near-duplicate`?")), (2, true), "{ran:?}");
}

#[tokio::test]
async fn eval_asks_no_model_about_a_prompt_with_a_lint_error() {
    let model = Scripted::start(answer).await;
    let desk =
        Desk::repository(&[("a.prompt.yml", &format!("description: {KEY}\n{PROMPT}")), ("a.golden.yml", GOLDEN)]);
    let ran = desk.ask(&model, &["eval"]).await;
    assert_eq!((ran.code, model.calls()), (1, 0), "{ran:?}");
    assert!(ran.stderr.contains("a.prompt.yml:1:14: error: an API key stands here"), "{ran:?}");
    assert!(!ran.said().contains(KEY), "{ran:?}");
}

#[tokio::test]
async fn a_must_pass_case_whose_runs_disagree_is_told_after_a_run() {
    let golden = GOLDEN.replace("  - id: small\n", "  - id: small\n    must_pass: reliably\n");
    let prompt = PROMPT.to_owned();
    let desk = Desk::repository(&[("a.prompt.yml", &prompt), ("a.golden.yml", &golden)]);
    let run = async |desk: &Desk| {
        let asked = AtomicUsize::new(0);
        let model = Scripted::start(move |question| {
            let is_small = question.user().contains("5 EUR");
            match is_small && asked.fetch_add(1, Ordering::Relaxed) == 1 {
                true => Reply::text("No."),
                false => answer(question),
            }
        })
        .await;
        desk.ask(&model, &["eval", "--no-cache", "--concurrency", "1"]).await
    };
    let ran = run(&desk).await;
    let said = "a.golden.yml:2:1: warning: must-pass case `small` failed 1 of ";
    assert!(ran.stderr.contains(said), "{ran:?}");
    desk.write("a.golden.yml", format!("# promptops: allow flaky-must-pass because the model is new\n{golden}"));
    let ran = run(&desk).await;
    assert!(!ran.said().contains("must-pass case `small` failed"), "{ran:?}");
}
