//! Who somebody is: numbers and not logins, every hand that made a commit, the latest word, and accounts that are gone.

use promptops::domain::ids::PullNumber;
use promptops::sim::{Change, Verdict};

use crate::support::app::{PROMPT, SETTINGS, SETTINGS_PATH, TestApp, forgets, prompt, team};

/// What the approval check says of each rule.
fn said(app: &TestApp, pull: PullNumber) -> String {
    let check = app.approval(pull);
    format!("{} {}", check.title.unwrap_or_default(), check.text.unwrap_or_default())
}

#[tokio::test]
async fn an_author_under_another_login_is_still_the_author() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.sim.rename_account("ann", "anna").unwrap();
    app.approve(pull, "anna").await;
    app.expect(pull, "success", "in_progress");
    assert!(said(&app, pull).contains("@anna` does not count: they opened"), "{}", said(&app, pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn who_wrote_a_merged_side_branch_does_not_approve_and_who_wrote_on_base_does() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.repo.branch("side", &app.branch()).unwrap();
    app.repo.push("side", &Change::by("bob").write("notes.md", "by bob")).unwrap();
    app.repo.merge_branch("side", &app.branch(), "ann").unwrap();
    app.repo.push("main", &Change::by("mara").write("README.md", "Acme, newer")).unwrap();
    app.repo.merge_branch("main", &app.branch(), "ann").unwrap();
    app.approve(pull, "bob").await;
    app.expect(pull, "success", "in_progress");
    assert!(said(&app, pull).contains("@bob` does not count: they wrote"), "{}", said(&app, pull));
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn the_committer_and_whoever_pressed_the_update_button_are_contributors() {
    let mut app = TestApp::new().await;
    let better = Change::by("ann").write(PROMPT, prompt("You answer customers politely.")).committed_by("bob");
    let pull = app.open(&better).await;
    app.repo.push("main", &Change::by("lee").write("README.md", "Acme, newer")).unwrap();
    app.repo.merge_branch("main", &app.branch(), "max").unwrap();
    app.settle().await;
    for login in ["bob", "max"] {
        app.approve(pull, login).await;
        app.expect(pull, "success", "in_progress");
    }
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_bot_does_not_approve() {
    let mut app = TestApp::new().await;
    app.sim.bot("helper[bot]");
    app.sim.join_team(&team("@acme/prompt-reviewers"), "helper[bot]", true).unwrap();
    let pull = app.open_better().await;
    app.approve(pull, "helper[bot]").await;
    app.expect(pull, "success", "in_progress");
    assert!(said(&app, pull).contains("bot"), "{}", said(&app, pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn the_latest_word_counts_and_comments_drafts_and_edits_are_none() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.repo.review(pull, "mara", Verdict::Pending, "not sent yet").unwrap();
    app.approve(pull, "rex").await;
    app.expect(pull, "success", "in_progress");
    let first = app.approve(pull, "mara").await;
    app.repo.review(pull, "mara", Verdict::Comment, "by the way").unwrap();
    app.repo.edit_review(pull, first, "fine, I think", "mara").unwrap();
    app.settle().await;
    app.expect(pull, "success", "success");
    // The later of two approvals is dismissed: the earlier one does not come back.
    let second = app.approve(pull, "mara").await;
    app.repo.dismiss(pull, second, "lee").unwrap();
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    app.repo.review(pull, "mara", Verdict::RequestChanges, "too stiff").unwrap();
    app.repo.review(pull, "mara", Verdict::Comment, "by the way").unwrap();
    app.settle().await;
    app.expect(pull, "success", "failure");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn accounts_that_are_gone_neither_approve_nor_author() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    app.sim.delete_account("mara").unwrap();
    app.sweep().await;
    app.expect(pull, "success", "in_progress");
    app.approve(pull, "max").await;
    app.expect(pull, "success", "success");
    app.sim.delete_account("ann").unwrap();
    app.sweep().await;
    app.expect(pull, "success", "failure");
    let said = said(&app, pull);
    assert!(said.contains("the account that opened the pull request is gone"), "{said}");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn an_approval_of_an_earlier_commit_counts_only_for_the_same_content() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    app.push(&Change::by("ann").write("README.md", "not governed")).await;
    app.expect(pull, "success", "success");
    app.push(&Change::by("ann").write(PROMPT, prompt("You answer customers kindly."))).await;
    app.expect(pull, "success", "in_progress");
    // The same text as was approved, in another commit.
    app.push(&Change::by("ann").write(PROMPT, prompt("You answer customers politely."))).await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_login_that_changed_hands_counts_for_nobody_until_it_is_named_again() {
    let naming = |who: &str| SETTINGS.replace("@acme/prompt-reviewers", who);
    let settle_on = async |app: &TestApp, who: &str| {
        app.repo.push("main", &Change::by("lee").write(SETTINGS_PATH, naming(who))).unwrap();
        app.settle().await;
    };
    let mut app = TestApp::with_settings(&naming("@mara")).await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    assert!(app.can_merge(pull));
    app.sim.rename_account("mara", "mara-of-old").unwrap();
    app.sim.user("mara");
    app.repo.role("mara", "write").unwrap();
    let next = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([13])))).await;
    app.approve(next, "mara").await;
    app.expect(next, "success", "failure");
    assert!(said(&app, next).contains("the login @mara belonged to another account"), "{}", said(&app, next));
    assert!(!app.can_merge(pull), "the one who approved is not named any more");
    // Her approval alone does not bring the name back; the settings on base do.
    settle_on(&app, "@max").await;
    app.expect(next, "success", "in_progress");
    settle_on(&app, "@mara").await;
    app.expect(next, "success", "success");
    let _ = (app.report(pull), app.report(next));
    app.finish().await;
}
