//! Approvals count from the people the policy names, for what they saw, and never from who wrote it.

use promptops::domain::ids::PullNumber;
use promptops::sim::{Change, DEFAULT_PERMISSIONS, Verdict};

use crate::support::app::{Mood, PROMPT, SETTINGS, SETTINGS_PATH, TestApp, forgets, golden, prompt, team};

fn rules(app: &TestApp, pull: PullNumber) -> String {
    app.approval(pull).text.unwrap_or_default()
}

fn better() -> Change {
    Change::by("ann").write(PROMPT, prompt("You answer customers politely."))
}

#[tokio::test]
async fn neither_the_author_nor_a_contributor_nor_a_stranger_approves() {
    let mut app = TestApp::new().await;
    let with_bob = better().message("Be polite\n\nCo-authored-by: bob <bob@acme.example>\n");
    let pull = app.open(&with_bob).await;
    // A co-author nobody knows could be anybody.
    app.expect(pull, "success", "failure");
    assert!(app.approval(pull).title.unwrap().contains("bob@acme.example"), "{:?}", app.approval(pull).title);
    app.repo.force_push(&app.branch(), "main", &better()).unwrap();
    app.push(&Change::by("bob").write("README.md", "by bob")).await;
    for login in ["ann", "bob", "rex"] {
        app.approve(pull, login).await;
        app.expect(pull, "success", "in_progress");
    }
    let rules = rules(&app, pull);
    for text in
        ["@ann` does not count: they opened", "@bob` does not count: they wrote", "@rex` does not count: the rule"]
    {
        assert!(rules.contains(text), "{text} is missing in {rules}");
    }
    assert!(!app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn an_update_merge_and_a_rebase_keep_an_approval_and_a_changed_prompt_voids_it() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    app.approve(pull, "mara").await;
    app.repo.push("main", &Change::by("lee").write("README.md", "Acme, newer")).unwrap();
    app.repo.merge_branch("main", &app.branch(), "ann").unwrap();
    app.settle().await;
    app.expect(pull, "success", "success");
    app.repo.force_push(&app.branch(), "main", &better()).unwrap();
    app.settle().await;
    app.expect(pull, "success", "success");
    assert!(app.can_merge(pull));
    let seen = app.head(pull);
    app.push(&Change::by("ann").write(PROMPT, prompt("You answer customers, politely."))).await;
    app.expect(pull, "success", "in_progress");
    let rules = rules(&app, pull);
    assert!(rules.contains("@mara") && rules.contains("the governed content has changed since"), "{rules}");
    assert!(app.report(pull).unwrap().contains("the governed content has changed since"));
    assert_ne!(seen, app.head(pull));
    app.finish().await;
}

#[tokio::test]
async fn requested_changes_block_until_the_reviewer_approves_or_is_dismissed() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let request = app.repo.review(pull, "mara", Verdict::RequestChanges, "too stiff").unwrap();
    app.settle().await;
    app.expect(pull, "success", "failure");
    assert!(app.approval(pull).title.unwrap().contains("Changes requested by @mara"));
    app.repo.dismiss(pull, request, "lee").unwrap();
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    let approval = app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    app.repo.dismiss(pull, approval, "lee").unwrap();
    app.settle().await;
    app.expect(pull, "success", "in_progress");
    assert!(rules(&app, pull).contains("it was dismissed"));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_commit_of_nobody_is_undecidable_until_it_is_rewritten() {
    let mut app = TestApp::new().await;
    let unknown = Change::by_stranger("Nobody", "nobody@nowhere.example");
    let pull = app.open(&unknown.write(PROMPT, prompt("You answer customers politely."))).await;
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "failure");
    let said = app.approval(pull);
    assert!(said.title.unwrap().contains("is no GitHub account"));
    assert!(said.text.unwrap().contains("rewrite the commit with an address"));
    app.repo.force_push(&app.branch(), "main", &better()).unwrap();
    app.settle().await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_committer_is_github_only_where_github_signed() {
    let mut app = TestApp::new().await;
    let pull = app.open(&better().committed_as("GitHub", "noreply@github.com")).await;
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "failure");
    assert!(app.approval(pull).title.unwrap().contains("the committer of commit"));
    app.repo.force_push(&app.branch(), "main", &better().in_browser()).unwrap();
    app.settle().await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn the_owner_of_one_prompt_does_not_approve_the_prompt_of_another() {
    const TOY: &str = "prompts/toy.prompt.yml";
    const BARE: &str = "prompts/bare.prompt.yml";
    let owned = |instruction: &str, owner: &str| format!("{}owner: \"{owner}\"\n", prompt(instruction));
    let settings = SETTINGS.replace("from: [reviewers]", "from: [owner]");
    let first = Change::by("ann")
        .write(SETTINGS_PATH, settings)
        .write(TOY, owned("You play.", "@max"))
        .write("prompts/toy.golden.yml", golden(1..=2))
        .write("prompts/legal.prompt.yml", owned("You warn.", "@acme/prompt-leads"))
        .write("prompts/legal.golden.yml", golden(1..=2))
        .write(BARE, prompt("You are nobody's."))
        .write("prompts/bare.golden.yml", golden(1..=2));
    let mut app = TestApp::with(first).await;
    let both = Change::by("ann").write(TOY, owned("You play on.", "@max"));
    let pull = app.open(&both.clone().write("prompts/legal.prompt.yml", owned("You wink.", "@max"))).await;
    app.approve(pull, "max").await;
    app.expect(pull, "success", "in_progress");
    let said = rules(&app, pull);
    assert!(said.contains("still missing") && said.contains("@acme/prompt-leads"), "{said}");
    app.approve(pull, "lee").await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    let pull = app.open(&both.write(BARE, prompt("You are somebody's."))).await;
    app.approve(pull, "max").await;
    app.expect(pull, "success", "failure");
    assert!(app.approval(pull).title.unwrap().contains("names no owner on the base branch"));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_team_that_cannot_be_read_is_undecidable_and_not_a_no() {
    let mut app = TestApp::new().await;
    let pull = app.open_better().await;
    let without: Vec<_> = DEFAULT_PERMISSIONS.iter().copied().filter(|(name, _)| *name != "members").collect();
    app.sim.regrant(app.installation, &without).unwrap();
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "failure");
    let title = app.approval(pull).title.unwrap();
    assert!(title.contains("@acme/prompt-reviewers cannot be read"), "{title}");
    app.sim.regrant(app.installation, DEFAULT_PERMISSIONS).unwrap();
    app.say(pull, "ann", "/promptops eval").await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_rule_on_the_verdict_lets_a_regression_through_and_says_who() {
    let waiver = "  - name: waiver\n    when: { verdict: [regression] }\n    require: { count: 1, from: [leads] }\n";
    let mut app = TestApp::with_settings(&format!("{SETTINGS}{waiver}")).await;
    let pull = app.open(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 7])))).await;
    app.expect(pull, "failure", "in_progress");
    app.approve(pull, "mara").await;
    app.expect(pull, "failure", "in_progress");
    app.approve(pull, "lee").await;
    app.expect(pull, "success", "success");
    let title = app.evaluation(pull).title.unwrap();
    assert!(title.contains("@lee") && title.contains("waiver"), "{title}");
    assert!(app.can_merge(pull));
    assert!(app.report(pull).unwrap().contains("@lee"));
    app.push(&Change::by("ann").write(PROMPT, prompt(&forgets([5, 8])))).await;
    app.expect(pull, "failure", "in_progress");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_rule_on_what_could_not_be_measured_lets_a_team_merge_during_an_outage() {
    let waiver = "  - name: outage\n    when: { verdict: [not_measured] }\n    require: { count: 1, from: [leads] }\n";
    for mood in [Mood::Status(500), Mood::Status(401)] {
        let mut app = TestApp::with_settings(&format!("{SETTINGS}{waiver}")).await;
        app.may_fail(1);
        app.mood(mood);
        let pull = app.open(&better()).await;
        app.expect(pull, "failure", "in_progress");
        app.approve(pull, "mara").await;
        app.approve(pull, "lee").await;
        app.expect(pull, "success", "success");
        assert!(app.evaluation(pull).title.unwrap().contains("outage"));
        let _ = app.report(pull);
        app.finish().await;
    }
}

#[tokio::test]
async fn settings_that_cannot_be_read_block_with_file_and_line() {
    let mut app =
        TestApp::with(Change::by("ann").write(SETTINGS_PATH, "prompts:\n  includes: [\"prompts/**\"]\n")).await;
    let pull = app.open_better().await;
    app.expect(pull, "action_required", "failure");
    let evaluation = app.evaluation(pull);
    assert_eq!(
        (&evaluation.annotations[0]["path"], &evaluation.annotations[0]["start_line"]),
        (&SETTINGS_PATH.into(), &2.into())
    );
    let approval = app.approval(pull);
    let text = format!("{:?} {:?} {:?}", approval.title, approval.summary, approval.text);
    assert!(text.contains(".github/promptops.yml:2"), "{text}");
    assert!(app.report(pull).unwrap().contains("includes"));
    app.approve(pull, "mara").await;
    app.expect(pull, "action_required", "failure");
    assert_eq!((app.model.calls(), app.comment_writes()), (0, 1));
    app.finish().await;
}

#[tokio::test]
async fn someone_only_invited_to_the_team_does_not_count() {
    let mut app = TestApp::new().await;
    app.sim.user("ina");
    app.repo.role("ina", "write").unwrap();
    app.sim.join_team(&team("@acme/prompt-reviewers"), "ina", false).unwrap();
    let pull = app.open_better().await;
    app.approve(pull, "ina").await;
    app.expect(pull, "success", "in_progress");
    assert!(rules(&app, pull).contains("they are invited to the team"));
    let _ = app.report(pull);
    app.finish().await;
}
