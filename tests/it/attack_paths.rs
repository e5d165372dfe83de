//! Attacks with names: what is governed is decided without regard to case and Unicode form, under both names of a rename, and
//! never through a link. Approved by a reviewer each time, so that only the gate is left to hold the merge.

use promptops::domain::ids::PullNumber;
use promptops::sim::{Change, Limits};

use crate::support::app::{GOLDEN, PROMPT, SETTINGS, SETTINGS_PATH, TestApp, forgets, golden, prompt};

const LFS: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
const LEAD: &str =
    "  - name: lead\n    when: { changes: [policy, golden_set] }\n    require: { count: 1, from: [leads] }\n";

async fn guarded() -> TestApp {
    let settings = format!("{SETTINGS}{LEAD}");
    let first = Change::by("ann").write(SETTINGS_PATH, settings).write("notes.txt", prompt(&forgets([5, 6])));
    let app = TestApp::with(first).await;
    // More pull requests a minute than GitHub would bear.
    app.sim.set_limits(Limits { writes_per_minute: 1_000, ..Limits::default() });
    app
}

/// Opened by Ann and approved by a reviewer; still it must not merge.
async fn held(app: &mut TestApp, change: &Change) -> PullNumber {
    let pull = app.open(change).await;
    app.approve(pull, "mara").await;
    assert!(!app.can_merge(pull), "{:?} {:?}", app.evaluation(pull).title, app.approval(pull).title);
    let _ = app.report(pull);
    pull
}

#[tokio::test]
async fn other_spellings_of_governed_names_are_governed() {
    let mut app = guarded().await;
    // The settings and the golden set, written so that a reviewer may overlook them.
    for path in [".GitHub/PromptOps.yml", ".github/promptops.YML", "PROMPTS/reply.golden.yml"] {
        let content = if path.to_lowercase().ends_with("golden.yml") { golden([1]) } else { SETTINGS.to_owned() };
        let pull = held(&mut app, &Change::by("ann").write(path, content)).await;
        let approval = app.approval(pull);
        assert!(format!("{:?}", approval.text).contains("lead"), "{path}: {:?}", approval.text);
    }
    // The same letters in another Unicode form.
    for name in ["pro\u{301}", "pr\u{f3}", "ＰＲＯ"] {
        let pull = held(&mut app, &Change::by("ann").write(&format!("Prompts/{name}.prompt.yml"), prompt("Hi."))).await;
        assert_eq!(app.evaluation(pull).conclusion.as_deref(), Some("action_required"), "{name}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_file_whose_name_differs_only_in_case_is_refused_beside_the_other() {
    let mut app = guarded().await;
    let twin = Change::by("ann")
        .write("prompts/Reply.prompt.yml", prompt("You answer customers politely."))
        .write("prompts/Reply.golden.yml", golden([1]));
    let pull = held(&mut app, &twin).await;
    let evaluation = app.evaluation(pull);
    assert_eq!(evaluation.conclusion.as_deref(), Some("action_required"));
    let text = evaluation.text.unwrap();
    assert!(text.contains("one file where names are compared without regard to case"), "{text}");
    assert_eq!(app.model.calls(), 0);
    // A mere change of case moves the file and leaves no twin.
    let moved = Change::by("ann")
        .rename(PROMPT, "prompts/Reply.prompt.yml")
        .rename(GOLDEN, "prompts/Reply.golden.yml")
        .write("prompts/Reply.prompt.yml", prompt("You answer customers politely."));
    let pull = app.open(&moved).await;
    app.approve(pull, "lee").await;
    app.approve(pull, "mara").await;
    app.expect(pull, "success", "success");
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn a_rename_counts_under_both_names() {
    let mut app = guarded().await;
    // Out of sight: nothing is measured any more, so a lead has to agree to the golden set's end.
    let pull = held(&mut app, &Change::by("ann").rename(GOLDEN, "old/cases.txt")).await;
    assert!(format!("{:?}", app.approval(pull).text).contains("lead"));
    // A text that was nobody's business becomes a prompt by its name alone.
    let renamed = Change::by("ann").rename("notes.txt", "prompts/notes.prompt.yml");
    let pull = held(&mut app, &renamed).await;
    assert_eq!(app.evaluation(pull).conclusion.as_deref(), Some("action_required"), "it has no golden set");
    let with_set = renamed.write("prompts/notes.golden.yml", golden(1..=12));
    let pull = app.open(&with_set).await;
    app.approve(pull, "mara").await;
    assert!(!app.can_merge(pull));
    let _ = app.report(pull);
    // Away and back in one pull request, with another text.
    let pull = app.open(&Change::by("ann").rename(PROMPT, "old/reply.txt")).await;
    app.push(&Change::by("ann").remove("old/reply.txt").write(PROMPT, prompt(&forgets([5, 6])))).await;
    app.approve(pull, "mara").await;
    app.expect(pull, "failure", "success");
    assert!(!app.can_merge(pull));
    let _ = app.report(pull);
    app.finish().await;
}

#[tokio::test]
async fn links_submodules_and_pointers_in_place_of_governed_files_are_refused() {
    let mut app = guarded().await;
    let by = || Change::by("ann");
    let refused = [
        (by().symlink(PROMPT, "../notes.txt"), "symbolic link"),
        (by().submodule(PROMPT), "submodule"),
        (by().write(PROMPT, LFS), "Git LFS pointer"),
        (by().symlink(GOLDEN, "../notes.txt"), "symbolic link"),
        (by().submodule(GOLDEN), "submodule"),
        (by().write(GOLDEN, LFS), "Git LFS pointer"),
        (by().symlink(SETTINGS_PATH, "../notes.txt"), "symbolic link"),
        (by().submodule(SETTINGS_PATH), "submodule"),
        (by().write(SETTINGS_PATH, LFS), "Git LFS pointer"),
        (by().remove(PROMPT).remove(GOLDEN).symlink("prompts", "elsewhere"), "symbolic link"),
        (by().remove(PROMPT).remove(GOLDEN).submodule("Prompts"), "submodule"),
    ];
    for (change, what) in refused {
        let pull = held(&mut app, &change).await;
        let evaluation = app.evaluation(pull);
        assert_eq!(evaluation.conclusion.as_deref(), Some("action_required"), "{change:?}");
        assert!(evaluation.text.as_ref().unwrap().contains(what), "{what}: {:?}", evaluation.text);
    }
    assert_eq!(app.model.calls(), 0);
    app.finish().await;
}

#[tokio::test]
async fn settings_that_became_a_link_or_a_pointer_on_base_hold_every_pull_request() {
    let mut app = TestApp::new().await;
    let mut pulls = Vec::new();
    let changes = [
        Change::by("lee").symlink(SETTINGS_PATH, "../README.md"),
        Change::by("lee").submodule(SETTINGS_PATH),
        Change::by("lee").write(SETTINGS_PATH, LFS),
    ];
    for change in changes {
        app.repo.push("main", &change).unwrap();
        let pull = app.open(&Change::by("ann").write("README.md", format!("{change:?}"))).await;
        app.expect(pull, "action_required", "failure");
        app.approve(pull, "mara").await;
        assert!(!app.can_merge(pull));
        pulls.push(pull);
    }
    for pull in pulls {
        let _ = app.report(pull);
    }
    app.finish().await;
}

/// A change of a prompt under what GitHub does not list.
#[tokio::test]
async fn more_than_github_lists_holds_the_merge_and_says_what_to_split() {
    let mut app = TestApp::new().await;
    let many = (0..3_000).fold(Change::by("ann").write(PROMPT, prompt(&forgets([5, 6]))), |change, number| {
        change.write(&format!("pages/{number}.txt"), format!("{number}"))
    });
    let pull = held(&mut app, &many).await;
    let text = format!("{:?}", app.evaluation(pull));
    assert!(text.contains("split it into smaller ones"), "{text}");

    app.repo.branch("long", "main").unwrap();
    for number in 0..251 {
        app.repo.push("long", &Change::by("ann").write("README.md", format!("{number}"))).unwrap();
    }
    app.repo.push("long", &Change::by("ann").write(PROMPT, prompt("You answer."))).unwrap();
    let pull = app.repo.open_pull(&promptops::sim::NewPull::new("ann", "long", "main")).unwrap();
    app.settle().await;
    app.approve(pull, "mara").await;
    assert!(!app.can_merge(pull));
    let text = format!("{:?}", app.evaluation(pull));
    assert!(text.contains("252 commits") && text.contains("squash them, or split it"), "{text}");
    assert_eq!(app.model.calls(), 0);
    let _ = app.report(pull);
    app.finish().await;
}
