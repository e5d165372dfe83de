//! `promptops policy`: tests of a policy, and what it makes of imagined and live pull requests.

use promptops::sim::Change;

use crate::support::app::{PROMPT, SETTINGS, TestApp, forgets, prompt};
use crate::support::desk::{Desk, Ran};

pub const TESTS: &str = r#"teams:
  "@acme/prompt-leads": ["@lee"]
  "@acme/prompt-reviewers": ["@mara", "@max"]
permissions: { "@ann": write }
tests:
  - name: a reviewer is enough for a prompt
    pull: { author: "@ann", changes: [prompts/a.prompt.yml], owners: ["@mara"], unowned: [], labels: [urgent], fork: false }
    reviews:
      - { by: "@mara", state: approved }
    verdict: pass
    expect: { approval: satisfied, evaluation: passes, rules: { reviewer: satisfied } }
  - name: an old approval is not
    pull:
      author: "@ann"
      base: main
      changes: { prompts/a.prompt.yml: [prompt, golden_set] }
      size: { files: 1, lines: 3 }
      lint: { errors: 0, warnings: 1 }
      commits_by: ["@ann", unknown]
    reviews: [{ by: "@mara", state: approved, at: outdated }]
    expect: { approval: undecidable, evaluation: blocked }
"#;

fn desk() -> Desk {
    Desk::repository(&[(".github/promptops.yml", SETTINGS), (".github/promptops.tests.yml", TESTS)])
}

#[tokio::test]
async fn tests_that_hold_exit_with_0() {
    let ran = desk().run(&["policy", "test"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @r"
    ok    a reviewer is enough for a prompt
    ok    an old approval is not
    2 tests: 2 passed, 0 failed
    ");
}

#[tokio::test]
async fn a_test_that_fails_exits_with_1_and_says_why() {
    let desk = desk();
    desk.write("other.yml", TESTS.replace("state: approved }\n", "state: commented }\n"));
    let ran = desk.run(&["policy", "test", "other.yml"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @r"
    FAIL  a reviewer is enough for a prompt (other.yml:6)
          approval: expected satisfied, got waiting: Waiting for 1 of reviewers (@acme/prompt-reviewers) (rule “reviewer”).
          rule `reviewer`: expected satisfied, got waiting: reviewer: waits for 1 of reviewers (@acme/prompt-reviewers).
    ok    an old approval is not
    2 tests: 1 passed, 1 failed
    ");
}

#[tokio::test]
async fn mistakes_in_either_file_exit_with_2_and_name_the_place() {
    let desk = desk();
    desk.write(".github/promptops.tests.yml", TESTS.replace("verdict: pass", "verdct: pass"));
    desk.write(".github/promptops.yml", SETTINGS.replace("count: 1", "count: 0"));
    let ran = desk.run(&["policy", "test"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    for place in
        [".github/promptops.tests.yml:10:5: error: unknown key `verdct`", ".github/promptops.yml:10:23: error:"]
    {
        assert!(ran.stderr.contains(place), "{}", ran.stderr);
    }
    let ran = Desk::plain().run(&["policy", "test"]).await;
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran.stderr, @r#"
    error: no file at `.github/promptops.tests.yml`: write one to start from, as
      teams: { "@acme/prompt-reviewers": ["@mara"] }
      tests:
        - name: a change waits for a reviewer
          pull: { author: "@ann", changes: [prompts/a.prompt.yml] }
          expect: { approval: waiting }
    "#);
}

#[tokio::test]
async fn the_example_to_start_from_holds() {
    let desk = desk();
    std::fs::remove_file(desk.file(".github/promptops.tests.yml")).unwrap();
    let said = desk.run(&["policy", "test"]).await.stderr;
    let example: Vec<&str> = said.lines().skip(1).map(|line| line.strip_prefix("  ").unwrap()).collect();
    desk.write(".github/promptops.tests.yml", example.join("\n"));
    let ran = desk.run(&["policy", "test"]).await;
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "ok    a change waits for a reviewer\n1 test: 1 passed, 0 failed\n")
    );
}

const FACTS: &str = "teams: { \"@acme/prompt-reviewers\": [\"@mara\", \"@secret-member\"] }\n\
    pull: { author: \"@ann\", changes: [prompts/a.prompt.yml] }\nreviews: [{ by: \"@ann\", state: approved }]\n";

#[tokio::test]
async fn facts_are_explained_rule_by_rule_without_naming_a_teams_members() {
    let desk = desk();
    desk.write("facts.yml", FACTS);
    let ran = desk.run(&["policy", "explain", "--facts", "facts.yml", "--verdict", "regression"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @r"
    example/repository#1 at bbbbbbb into main, opened by @ann
      changes prompts/a.prompt.yml (prompt)
    evaluation: regression, blocks
    approval: waiting. Waiting for 1 of reviewers (@acme/prompt-reviewers) (rule “reviewer”).
    - reviewer: waits for 1 of reviewers (@acme/prompt-reviewers). The approval of @ann does not count: they opened the pull request.
    ");
    assert!(!ran.stdout.contains("secret-member"));
    desk.write("facts.yml", FACTS.replace("by: \"@ann\"", "by: \"@mara\""));
    let ran = desk.run(&["policy", "explain", "--facts", "facts.yml", "--format", "json"]).await;
    let json = ran.json();
    assert_eq!((ran.code, &json["schema"], &json["approval"]), (0, &"promptops.policy/v1".into(), &"satisfied".into()));
    assert_eq!((&json["rules"][0]["counted"][0], &json["evaluation"]), (&"mara".into(), &"waiting".into()));
    assert!(!ran.stdout.contains("secret-member"));
    let two = SETTINGS.replace("count: 1", "count: 2");
    desk.write("two.yml", two);
    let ran = desk.run(&["policy", "explain", "--facts", "facts.yml", "--settings", "two.yml"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let ran = desk.run(&["policy", "explain"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
}

async fn explain(app: &TestApp, desk: &Desk, arguments: &[&str]) -> Ran {
    let id = app.sim.app_id().to_string();
    let mut all = vec!["policy", "explain"];
    all.extend(arguments);
    let variables = [
        ("PROMPTOPS_GITHUB_APP_ID", id.as_str()),
        ("PROMPTOPS_GITHUB_PRIVATE_KEY", app.sim.private_key()),
        ("PROMPTOPS_GITHUB_API_URL", app.sim.url()),
    ];
    desk.run_in("", &all, &variables).await
}

#[tokio::test]
async fn a_live_pull_request_is_explained_also_under_other_settings_and_nothing_is_written() {
    let mut app = TestApp::new().await;
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])))).await;
    app.approve(pull, "mara").await;
    let writes = app.sim.exchanges().len();
    let desk = Desk::plain();
    let url = format!("https://github.example/acme/prompts/pull/{pull}");
    let ran = explain(&app, &desk, &["--pull", &url]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("approval: satisfied. Approved by @mara."), "{}", ran.stdout);
    let ran = explain(&app, &desk, &["--pull", &url, "--verdict", "regression", "--format", "json"]).await;
    assert_eq!((ran.code, &ran.json()["evaluation"]), (1, &"blocked".into()), "{ran:?}");
    desk.write("new.yml", SETTINGS.replace("from: [reviewers]", "from: [leads]"));
    let ran = explain(&app, &desk, &["--pull", &url, "--settings", "new.yml"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("@mara does not count: the rule does not name them"), "{}", ran.stdout);
    let ran = explain(&app, &desk, &["--pull", "https://github.example/acme/gone/pull/1"]).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    let ran = explain(&app, &desk, &["--pull", "acme/prompts#1"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    let asked = app.sim.exchanges().split_off(writes);
    assert!(asked.iter().all(|one| one.method == "GET" || one.path.ends_with("/access_tokens")), "{asked:?}");
    let _ = app.report(pull);
    app.finish().await;
}
