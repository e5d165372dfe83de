//! `promptops doctor --repo`: what a branch requires before a merge, and whether that is our two checks from our app alone.

use promptops::domain::ids::RepoName;
use promptops::sim::{Change, Fault, Manner, RequiredCheck, Trouble, When};

use crate::cli_doctor_service::{doctor, said_of};
use crate::support::app::{PROMPT, SETTINGS_PATH, TestApp, protect};
use crate::support::desk::Ran;

const EVALUATION: &str = "promptops/evaluation: main";
const APPROVAL: &str = "promptops/approval: main";

/// Looks at the repository, and gives what was said of it and the exit code.
async fn look(app: &TestApp, more: &[&str]) -> (String, i32) {
    let ran = run(app, more).await;
    (said_of(&ran, "repository"), ran.code)
}

async fn run(app: &TestApp, more: &[&str]) -> Ran {
    doctor(app, &[&["--repo", "acme/prompts"], more].concat(), &[]).await
}

/// Requires these checks on `main`, each from an app or from anybody.
fn require(app: &TestApp, checks: &[(&str, Option<u64>)]) {
    let required = checks.iter().map(|(name, app_id)| RequiredCheck { name: (*name).to_owned(), app_id: *app_id });
    app.repo.protect("main", required.collect()).unwrap();
}

#[tokio::test]
async fn all_is_well() {
    let app = TestApp::new().await;
    app.repo.manner("main", Manner { bypass: Some(Vec::new()), ..Manner::default() }).unwrap();
    let before = app.sim.exchanges().len();
    let (said, code) = look(&app, &[]).await;
    insta::assert_snapshot!(said, @r"
    ok         settings: acme/prompts has settings on its default branch
    ok         required-check: `promptops/evaluation: main` is required by ruleset N from our app
    ok         required-check: `promptops/approval: main` is required by ruleset N from our app
    ok         bypass: nobody may bypass the rulesets of main
    ");
    assert_eq!(code, 0);
    let asked = app.sim.exchanges().split_off(before);
    assert!(asked.iter().all(|one| one.method == "GET" || one.path.ends_with("/access_tokens")), "{asked:?}");
    app.finish().await;
}

#[tokio::test]
async fn checks_that_are_not_required_are_told() {
    let app = TestApp::new().await;
    require(&app, &[]);
    let (said, code) = look(&app, &[]).await;
    insta::assert_snapshot!(said, @r"
    ok         settings: acme/prompts has settings on its default branch
    problem    required-check: `promptops/evaluation: main` is not required: main can be merged into without it
               -> add it to the required checks of a ruleset for main, with the app 424242 as its source
    problem    required-check: `promptops/approval: main` is not required: main can be merged into without it
               -> add it to the required checks of a ruleset for main, with the app 424242 as its source
    ");
    assert_eq!(code, 2);
    require(&app, &[(EVALUATION, Some(app.sim.app_id())), ("build", None)]);
    let (said, code) = look(&app, &[]).await;
    insta::assert_snapshot!(said, @r"
    ok         settings: acme/prompts has settings on its default branch
    ok         required-check: `promptops/evaluation: main` is required by ruleset N from our app
    problem    required-check: `promptops/approval: main` is not required: main can be merged into without it
               -> add it to the required checks of a ruleset for main, with the app 424242 as its source
    skipped    bypass: main: GitHub shows who may bypass a ruleset only to those who may edit it; look at it in the settings
    ");
    assert_eq!(code, 2);
    app.finish().await;
}

#[tokio::test]
async fn checks_that_any_app_or_another_may_write_are_told() {
    let app = TestApp::new().await;
    require(&app, &[(EVALUATION, None), (APPROVAL, Some(15_368))]);
    let (said, code) = look(&app, &[]).await;
    insta::assert_snapshot!(said, @r"
    ok         settings: acme/prompts has settings on its default branch
    problem    required-check: ruleset N requires `promptops/evaluation: main` from anybody: every workflow's token can write it
               -> choose the app 424242 as its source
    problem    required-check: ruleset N wants `promptops/approval: main` from the app 15368, which is not ours: it never comes
               -> choose the app 424242 as its source
    skipped    bypass: main: GitHub shows who may bypass a ruleset only to those who may edit it; look at it in the settings
    ");
    assert_eq!(code, 2);
    app.finish().await;
}

#[tokio::test]
async fn branch_protection_counts_as_much_as_a_ruleset() {
    let app = TestApp::new().await;
    app.repo.manner("main", Manner { classic: true, strict: true, ..Manner::default() }).unwrap();
    let (said, code) = look(&app, &[]).await;
    insta::assert_snapshot!(said, @r"
    ok         settings: acme/prompts has settings on its default branch
    ok         required-check: `promptops/evaluation: main` is required by branch protection from our app
    ok         required-check: `promptops/approval: main` is required by branch protection from our app
    skipped    protection: main: whether branch protection wants branches up to date, and whether administrators may bypass it, takes Administration: read, which the app does not ask for
    ");
    assert_eq!(code, 0);
    // Where the app was granted more than it asks for, it sees more.
    let more = [promptops::sim::DEFAULT_PERMISSIONS, &[("administration", "read")]].concat();
    app.sim.regrant(app.installation, &more).unwrap();
    let (said, code) = look(&app, &[]).await;
    insta::assert_snapshot!(said, @r"
    ok         settings: acme/prompts has settings on its default branch
    ok         required-check: `promptops/evaluation: main` is required by branch protection from our app
    ok         required-check: `promptops/approval: main` is required by branch protection from our app
    warning    strict: branch protection wants branches up to date before a merge into main
               -> nothing breaks, but each merge makes all others update and run again: a merge queue costs less
    warning    bypass: administrators may merge into main past its branch protection
               -> tick “Do not allow bypassing the above settings” there: an override leaves a trace, a bypass does not
    ");
    assert_eq!(code, 0);
    app.repo.manner("main", Manner { classic: true, binds_admins: true, ..Manner::default() }).unwrap();
    require(&app, &[(EVALUATION, None)]);
    let (said, code) = look(&app, &[]).await;
    insta::assert_snapshot!(said, @r"
    ok         settings: acme/prompts has settings on its default branch
    problem    required-check: branch protection requires `promptops/evaluation: main` from anybody: every workflow's token can write it
               -> choose the app 424242 as its source
    problem    required-check: `promptops/approval: main` is not required: main can be merged into without it
               -> add it to the required checks of a ruleset for main, with the app 424242 as its source
    ");
    assert_eq!(code, 2);
    app.finish().await;
}

#[tokio::test]
async fn a_queue_strictness_and_who_may_bypass_are_told() {
    let app = TestApp::new().await;
    let manner = Manner { strict: true, queue: true, bypass: Some(vec![7]), ..Manner::default() };
    app.repo.manner("main", manner).unwrap();
    let (said, code) = look(&app, &[]).await;
    insta::assert_snapshot!(said, @r"
    ok         settings: acme/prompts has settings on its default branch
    ok         required-check: `promptops/evaluation: main` is required by ruleset N from our app
    ok         required-check: `promptops/approval: main` is required by ruleset N from our app
    warning    strict: ruleset N wants branches up to date before a merge into main
               -> nothing breaks, but each merge makes all others update and run again: a merge queue costs less
    ok         merge-queue: main has a merge queue, and the app hears its groups
    warning    bypass: the rulesets of main may be bypassed by Team 7
               -> take them off the bypass list: an override leaves a trace, a bypass does not
    ");
    assert_eq!(code, 0);
    app.sim.reregister(promptops::sim::DEFAULT_PERMISSIONS, &["pull_request"]);
    let (said, code) = look(&app, &[]).await;
    assert!(
        said.contains("problem    merge-queue: main has a merge queue, and the app does not listen to `merge_group`"),
        "{said}"
    );
    assert_eq!(code, 2);
    app.finish().await;
}

#[tokio::test]
async fn another_branch_is_looked_at_too() {
    let app = TestApp::new().await;
    app.repo.branch("release/1", "main").unwrap();
    let (said, code) = look(&app, &["--branch", "release/1"]).await;
    insta::assert_snapshot!(said, @r"
    ok         settings: acme/prompts has settings on its default branch
    ok         required-check: `promptops/evaluation: main` is required by ruleset N from our app
    ok         required-check: `promptops/approval: main` is required by ruleset N from our app
    skipped    bypass: main: GitHub shows who may bypass a ruleset only to those who may edit it; look at it in the settings
    problem    required-check: `promptops/evaluation: release/1` is not required: release/1 can be merged into without it
               -> add it to the required checks of a ruleset for release/1, with the app 424242 as its source
    problem    required-check: `promptops/approval: release/1` is not required: release/1 can be merged into without it
               -> add it to the required checks of a ruleset for release/1, with the app 424242 as its source
    ");
    assert_eq!(code, 2);
    protect(&app.sim, &app.repo, "release/1");
    let (said, code) = look(&app, &["--branch", "release/1"]).await;
    assert!(
        said.contains("ok         required-check: `promptops/approval: release/1` is required by ruleset "),
        "{said}"
    );
    assert_eq!(code, 0);
    app.finish().await;
}

#[tokio::test]
async fn a_branch_that_does_not_exist_is_told() {
    let app = TestApp::new().await;
    let (said, code) = look(&app, &["--branch", "mian"]).await;
    insta::assert_snapshot!(said, @r"
    ok         settings: acme/prompts has settings on its default branch
    ok         required-check: `promptops/evaluation: main` is required by ruleset N from our app
    ok         required-check: `promptops/approval: main` is required by ruleset N from our app
    skipped    bypass: main: GitHub shows who may bypass a ruleset only to those who may edit it; look at it in the settings
    problem    rules: acme/prompts has no branch `mian`
               -> check the name that `--branch` gives
    ");
    assert_eq!(code, 2);
    app.finish().await;
}

#[tokio::test]
async fn settings_that_are_broken_or_missing_are_told() {
    let app = TestApp::with(Change::by("ann").write(SETTINGS_PATH, "promts: {}\n")).await;
    let (said, code) = look(&app, &[]).await;
    insta::assert_snapshot!(said, @r"
    problem    settings: acme/prompts: .github/promptops.yml:1:1: unknown key `promts` in the settings
               -> mend it in a pull request
    ok         required-check: `promptops/evaluation: main` is required by ruleset N from our app
    ok         required-check: `promptops/approval: main` is required by ruleset N from our app
    skipped    bypass: main: GitHub shows who may bypass a ruleset only to those who may edit it; look at it in the settings
    ");
    assert_eq!(code, 2);
    app.repo.push("main", &Change::by("ann").remove(SETTINGS_PATH)).unwrap();
    app.settle().await;
    let (said, code) = look(&app, &[]).await;
    insta::assert_snapshot!(said, @r"
    warning    settings: acme/prompts has no settings on its default branch: without an organisation's the gate is silent
               -> merge a .github/promptops.yml, for instance that of `promptops init`
    ok         required-check: `promptops/evaluation: main` is required by ruleset N from our app
    ok         required-check: `promptops/approval: main` is required by ruleset N from our app
    skipped    bypass: main: GitHub shows who may bypass a ruleset only to those who may edit it; look at it in the settings
    ");
    assert_eq!(code, 0);
    app.finish().await;
}

#[tokio::test]
async fn a_repository_without_the_app_is_told_and_so_is_one_that_is_suspended() {
    let app = TestApp::new().await;
    app.sim
        .repo(&RepoName::parse("elsewhere/prompts").unwrap(), &Change::by("ann").write(PROMPT, "name: x\n"))
        .unwrap();
    let ran = doctor(&app, &["--repo", "elsewhere/prompts"], &[]).await;
    insta::assert_snapshot!(said_of(&ran, "repository"), @r"
      problem    repository: GitHub shows no installation on elsewhere/prompts: check that it exists and that the app is installed on the repository
    ");
    assert_eq!(ran.code, 2);
    app.sim.suspend(app.installation).unwrap();
    let (said, code) = look(&app, &[]).await;
    insta::assert_snapshot!(said, @r"
      problem    repository: GitHub refuses an access token for installation N (This installation has been suspended): an owner of the account has to lift that in its settings, under GitHub Apps
    ");
    assert_eq!(code, 2);
    app.finish().await;
}

#[tokio::test]
async fn a_github_that_does_not_answer_is_no_problem_of_the_user() {
    let app = TestApp::new().await;
    app.sim.order(
        Fault::new("GET", "/repos/{owner}/{repo}/rules/branches/{branch*}", When::Before, Trouble::Status(502))
            .times(4),
    );
    let (said, code) = look(&app, &[]).await;
    insta::assert_snapshot!(said, @r"
    ok         settings: acme/prompts has settings on its default branch
    no answer  rules: GitHub answered 502 for the rules of main of acme/prompts: try again later, or see https://www.githubstatus.com
    ");
    assert_eq!(code, 3);
    let ran = doctor(&app, &["--repo", "acme/prompts"], &[("PROMPTOPS_GITHUB_API_URL", "http://127.0.0.1:9")]).await;
    insta::assert_snapshot!(said_of(&ran, "repository"), @r"
      skipped    repository: GitHub cannot be asked as the app; see above
    ");
    assert_eq!(ran.code, 3);
    app.finish().await;
}

#[tokio::test]
async fn names_that_are_none_are_refused_at_once() {
    let app = TestApp::new().await;
    for (arguments, expected) in [
        (&["--repo", "prompts"][..], "--repo, --branch: "),
        (&["--repo", "acme/prompts", "--branch", ""][..], "--repo, --branch: "),
        (&["--branch", "main"][..], "--repo <OWNER/NAME>"),
    ] {
        let ran = doctor(&app, arguments, &[]).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(ran.stderr.contains(expected), "{ran:?}");
    }
    app.finish().await;
}
