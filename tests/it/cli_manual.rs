//! `promptops completions` and `promptops man`: what `--help` knows, in the forms of shells and of `man`.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use clap::CommandFactory;
use promptops::cli::Arguments;

use crate::support::desk::{Desk, Ran};

/// The commands that people see, with those below them, as in `policy test`.
fn commands() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut left = vec![(Vec::new(), Arguments::command())];
    while let Some((path, command)) = left.pop() {
        for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
            let path: Vec<String> = path.iter().cloned().chain([below.get_name().to_owned()]).collect();
            left.push((path.clone(), below.clone()));
            found.push(path);
        }
    }
    assert!(found.len() > 10, "{found:?}");
    found
}

async fn run(arguments: &[&str]) -> Ran {
    let ran = Desk::plain().run(arguments).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

/// Whether a program takes the text on its standard input; `None` if the machine has none of that name.
fn taken_by(program: &str, arguments: &[&str], text: &str) -> Option<(bool, String)> {
    let piped = || Stdio::piped();
    let child = Command::new(program).args(arguments).stdin(piped()).stdout(piped()).stderr(piped()).spawn();
    let Ok(mut child) = child else {
        eprintln!("SKIPPED: this machine has no `{program}`");
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    let text = text.to_owned();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut input, text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[tokio::test]
async fn every_shell_gets_completions_of_every_command() {
    for (shell, check) in [
        ("bash", Some(("bash", ["-n"]))),
        ("zsh", Some(("zsh", ["-n"]))),
        ("fish", Some(("fish", ["--no-execute"]))),
        ("elvish", None),
        ("powershell", None),
    ] {
        let script = run(&["completions", shell]).await.stdout;
        for path in commands() {
            let name = path.last().unwrap();
            assert!(script.contains(name.as_str()), "{shell} does not know {path:?}");
        }
        let hidden = ["promptops__action", "promptops;action", "'action:", "-a \"action\"", "'action', "];
        assert!(!hidden.iter().any(|mark| script.contains(mark)), "{shell} offers what `--help` hides");
        if let Some((good, said)) = check.and_then(|(program, flags)| taken_by(program, &flags, &script)) {
            assert!(good, "{shell}: {said}");
        }
    }
    let ran = Desk::plain().run(&["completions", "cmd"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("possible values: bash, elvish, fish, powershell, zsh"), "{ran:?}");
}

#[tokio::test]
async fn bash_offers_the_commands_and_their_flags() {
    let script = run(&["completions", "bash"]).await.stdout;
    let offers = |typed: &[&str]| {
        let words: Vec<String> = typed.iter().map(|word| format!("'{word}'")).collect();
        let ask = format!(
            "{script}\nCOMP_WORDS=({})\nCOMP_CWORD={}\n_promptops promptops '{}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
            words.join(" "),
            typed.len() - 1,
            typed[typed.len() - 1],
            typed[typed.len() - 2]
        );
        let (good, said) = taken_by("bash", &["--norc"], &ask)?;
        assert!(good, "{said}");
        Some(said)
    };
    let check = |typed: &[&str], expected: &str| {
        if let Some(said) = offers(typed) {
            assert_eq!(said.trim(), expected, "{typed:?}");
        }
    };
    check(&["promptops", "healthc"], "healthcheck");
    check(&["promptops", "eval", "--max-c"], "--max-cost");
    check(&["promptops", "policy", "expl"], "explain");
}

#[tokio::test]
async fn every_command_has_a_manual_page_that_man_can_show() {
    let desk = Desk::plain();
    let ran = desk.run(&["man", "--output", "share/man1"]).await;
    assert_eq!((ran.code, ran.said().as_str()), (0, ""), "{ran:?}");
    let expected: BTreeSet<String> =
        commands().iter().map(|path| format!("promptops-{}.1", path.join("-"))).chain(["promptops.1".into()]).collect();
    let written: BTreeSet<String> = std::fs::read_dir(desk.file("share/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(written, expected);
    for page in &written {
        let text = desk.read(&format!("share/man1/{page}"));
        let shown = taken_by("groff", &["-man", "-Tutf8", "-ww", "-P-cbou"], &text);
        if let Some((good, shown)) = shown {
            assert!(good && !shown.contains("warning"), "{page}: {shown}");
            assert!(shown.contains("NAME") && shown.contains("SYNOPSIS"), "{page}: {shown}");
        }
    }
}

#[tokio::test]
async fn the_manual_page_of_the_whole_lists_every_command() {
    let page = run(&["man"]).await.stdout;
    assert!(page.starts_with(".ie") || page.starts_with(".TH"), "{page}");
    for path in commands().iter().filter(|path| path.len() == 1) {
        assert!(page.contains(&format!("promptops\\-{}(1)", path[0])), "{path:?} is missing in {page}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let desk = Desk::plain();
    desk.write("file", "");
    let ran = desk.run(&["man", "--output", "file"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.starts_with("error: cannot write file: ") && ran.stderr.contains("name another folder"));
}
