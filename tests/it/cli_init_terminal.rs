//! `promptops init` on a terminal: what is typed decides what is written, and who leaves in the middle leaves nothing behind.

use std::os::unix::process::ExitStatusExt;

use crate::support::desk::Desk;
use crate::support::terminal::{CTRL_C, CTRL_D, Terminal};

const PROMPT: &str =
    "name: Refund\nmodel: openai/gpt-4o-mini\nmessages: [{role: user, content: \"Refund {{amount}}\"}]\n";
const SETTINGS: &str = ".github/promptops.yml";
const WORKFLOW: &str = ".github/workflows/promptops.yml";
const MODEL: &str = "Model for prompts that name none";
const TEAM: &str = "Who approves changes";
const DOOR: &str = "Pull requests are checked by";
const STARTER: &str = "Write a starter prompt";

fn desk() -> Desk {
    Desk::repository(&[("prompts/refund.prompt.yml", PROMPT)])
}

/// Whether the folder is as it was.
fn is_untouched(desk: &Desk) -> bool {
    desk.git(&["status", "--porcelain", "--untracked-files=all"]).is_empty()
}

#[test]
fn what_is_typed_is_written() {
    let desk = desk();
    let mut terminal = Terminal::start(&desk, &["init"]);
    terminal.answer(MODEL, "anthropic/claude-sonnet-4");
    terminal.answer(TEAM, "acme/prompt-leads");
    terminal.answer(DOOR, "a");
    let (status, shown) = terminal.end();
    assert_eq!(status.code(), Some(0), "{shown}");
    let settings = desk.read(SETTINGS);
    assert!(settings.contains("model: anthropic/claude-sonnet-4"), "{settings}");
    assert!(settings.contains("@acme/prompt-leads"), "{settings}");
    assert!(desk.file(WORKFLOW).exists() && desk.file("prompts/refund.golden.yml").exists(), "{shown}");
    assert!(!shown.contains(STARTER), "a prompt is there already: {shown}");
}

#[test]
fn the_return_key_takes_what_stands_in_brackets() {
    let (typed, silent) = (desk(), desk());
    let mut terminal = Terminal::start(&typed, &["init"]);
    for question in [MODEL, TEAM, DOOR] {
        terminal.answer(question, "");
    }
    let (status, shown) = terminal.end();
    assert_eq!(status.code(), Some(0), "{shown}");
    let (status, shown) = Terminal::start(&silent, &["init", "--yes"]).end();
    assert_eq!(status.code(), Some(0), "{shown}");
    assert!(!shown.contains("]: "), "--yes asks nothing: {shown}");
    let written = |desk: &Desk| {
        let paths = desk.git(&["ls-files", "--others"]);
        paths.lines().map(|path| (path.to_owned(), desk.read(path))).collect::<Vec<_>>()
    };
    assert_eq!(written(&typed), written(&silent));
    assert!(!written(&typed).is_empty());
}

#[test]
fn an_answer_that_cannot_be_used_is_asked_for_again_and_the_app_needs_no_workflow() {
    let desk = Desk::repository(&[]);
    let mut terminal = Terminal::start(&desk, &["init"]);
    terminal.answer(MODEL, "gpt-4o");
    terminal.answer(MODEL, "openai/gpt-4o");
    terminal.answer(TEAM, "two words");
    terminal.answer(TEAM, "@mara");
    terminal.answer(DOOR, "x");
    terminal.expect("answer a, b or c");
    terminal.answer(DOOR, "B");
    terminal.answer(STARTER, "yes");
    let (status, shown) = terminal.end();
    assert_eq!(status.code(), Some(0), "{shown}");
    assert!(desk.read(SETTINGS).contains("@mara"), "{shown}");
    assert!(!desk.file(WORKFLOW).exists(), "{shown}");
    assert!(shown.contains("promptops init --app"), "what to do for the App: {shown}");
    assert!(shown.contains(".prompt.yml"), "{shown}");
}

#[test]
fn what_options_say_is_not_asked() {
    let desk = Desk::repository(&[]);
    let options = ["init", "--model", "openai/gpt-4o", "--team", "@mara", "--no-workflow"];
    let mut terminal = Terminal::start(&desk, &options);
    terminal.answer(STARTER, "n");
    let (status, shown) = terminal.end();
    assert_eq!((status.code(), shown.matches("]: ").count()), (Some(0), 1), "{shown}");
    assert_eq!(desk.git(&["ls-files", "--others"]), SETTINGS);
}

#[test]
fn who_interrupts_leaves_nothing_behind() {
    for answered in [&[][..], &[MODEL], &[MODEL, TEAM]] {
        let desk = desk();
        let mut terminal = Terminal::start(&desk, &["init"]);
        for question in answered {
            terminal.answer(question, "");
        }
        terminal.expect("]: ");
        terminal.press(CTRL_C);
        let (status, shown) = terminal.end();
        // A shell shows this as 130.
        assert_eq!(status.signal(), Some(2), "{shown}");
        assert!(is_untouched(&desk), "{shown}");
    }
}

#[test]
fn an_input_that_ends_leaves_nothing_behind() {
    let desk = desk();
    let mut terminal = Terminal::start(&desk, &["init"]);
    terminal.answer(MODEL, "");
    terminal.expect("]: ");
    terminal.press(CTRL_D);
    let (status, shown) = terminal.end();
    assert_eq!(status.code(), Some(2), "{shown}");
    assert!(shown.contains("the input ended, so nothing was written; --yes asks nothing"), "{shown}");
    assert!(is_untouched(&desk), "{shown}");
}

#[test]
fn three_answers_that_cannot_be_used_end_it() {
    let desk = desk();
    let mut terminal = Terminal::start(&desk, &["init"]);
    for _ in 0..3 {
        terminal.answer(MODEL, "no model");
    }
    let (status, shown) = terminal.end();
    assert_eq!(status.code(), Some(2), "{shown}");
    assert!(shown.contains("no answer that can be used, so nothing was written"), "{shown}");
    assert!(is_untouched(&desk), "{shown}");
}
