//! Wrong input at the command line: each kind gets one clear message with file and line, exit code 2, and never a panic.

use crate::cli_eval::{GOLDEN, PROMPT, answer};
use crate::support::desk::Desk;
use crate::support::provider::Scripted;

/// `eval` of a prompt and a golden set must end with 2 and say exactly this first.
async fn check(prompt: impl AsRef<[u8]>, golden: impl AsRef<[u8]>, expected: &str) {
    let desk = Desk::plain();
    desk.write("a.prompt.yml", prompt);
    desk.write("a.golden.yml", golden);
    for command in ["eval", "lint"] {
        let ran = desk.run(&[command]).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.starts_with(expected), "expected {expected}\nfound {}", ran.stderr);
    }
}

async fn check_prompt(prompt: impl AsRef<[u8]>, expected: &str) {
    check(prompt, GOLDEN, expected).await;
}

async fn check_golden(golden: impl AsRef<[u8]>, expected: &str) {
    check(PROMPT, golden, expected).await;
}

#[tokio::test]
async fn yaml_that_is_none() {
    let unclosed = "messages:\n  - role: user\n    content: \"open\n";
    check_prompt(unclosed, "a.prompt.yml:3:14: error: invalid YAML: unclosed quote\n  3 |     content: \"open\n").await;
    check_prompt("messages:\n\t- role: user\n", "a.prompt.yml:2:1: error: a tab in the indentation").await;
    check_prompt("", "a.prompt.yml:1:1: error: the prompt file is empty\n").await;
    check_golden("cases: [a\nb: c: d\n", "a.golden.yml:2:").await;
}

#[tokio::test]
async fn keys_and_types_that_are_wrong() {
    let twice = format!("{PROMPT}name: again\n");
    check_prompt(&twice, "a.prompt.yml:8:1: error: duplicate key `name`\n  8 | name: again\n").await;
    check_prompt("messages: 5\n", "a.prompt.yml:1:11: error: `messages` must be a list, found a number\n").await;
    check_prompt(
        PROMPT.replace("openai/gpt-4o-mini", "gpt"),
        "a.prompt.yml:2:8: error: `model`: `gpt` is not a valid model: write it as provider/name",
    )
    .await;
    check_golden("cases: []\n", "a.golden.yml:1:1: error: the golden set has no cases\n").await;
}

#[tokio::test]
async fn files_that_are_too_much_or_not_text() {
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x]\n".to_owned();
    for (before, name) in ["a", "b", "c", "d", "e", "f"].iter().zip(["b", "c", "d", "e", "f", "g"]) {
        let aliases = vec![format!("*{before}"); 8].join(",");
        bomb.push_str(&format!("{name}: &{name} [{aliases}]\n"));
    }
    check_prompt(bomb + PROMPT, "a.prompt.yml:").await;
    let large = format!("{PROMPT}description: \"{}\"\n", "x".repeat(10_000_000));
    check_prompt(large, "a.prompt.yml:1:1: error: the file has 10000160 bytes, more than the 1048576 (1 MiB) allowed")
        .await;
    let bytes = [PROMPT.as_bytes(), b"description: \"\xff\"\n"].concat();
    check_prompt(bytes, "a.prompt.yml:8:15: error: the byte 0xff here is not UTF-8\n").await;
}

#[tokio::test]
async fn byte_order_marks_and_dos_lines_work_and_count_right() {
    let server = Scripted::start(answer).await;
    for prompt in [format!("\u{feff}{PROMPT}"), PROMPT.replace('\n', "\r\n")] {
        let desk = Desk::plain();
        desk.write("a.prompt.yml", prompt);
        desk.write("a.golden.yml", GOLDEN.replace('\n', "\r\n"));
        let ran = desk.ask(&server, &["eval"]).await;
        assert!(ran.code == 0 && ran.stdout.starts_with("Pass: 2 of 2 cases passed\n"), "{ran:?}");
    }
    let twice = format!("{PROMPT}name: again\n").replace('\n', "\r\n");
    check_prompt(twice, "a.prompt.yml:8:1: error: duplicate key `name`\n  8 | name: again\n").await;
}

#[tokio::test]
async fn cases_that_cannot_be_used() {
    let twice = format!("{GOLDEN}  - id: small\n    expected: x\n");
    check_golden(twice, "a.golden.yml:10:9: error: two cases have the same id: case `small` on line 10").await;
    let none = "cases:\n  - id: a\n    vars: { amount: 5 EUR }\n";
    check_golden(none, "a.golden.yml:2:5: error: case `a` checks nothing").await;
    let missing = GOLDEN.replace("amount: 900 EUR", "amont: 900 EUR");
    let expected =
        "a.prompt.yml:7:22: error: variable `amount` in a message has no value in case `large` (a.golden.yml:6)\n";
    check_golden(missing, expected).await;
}

#[tokio::test]
async fn evaluators_that_cannot_be_used() {
    let with = |evaluator: &str| GOLDEN.replace("contains: colleague", evaluator);
    let unknown = "a.golden.yml:9:9: error: unknown evaluator `contans`\n  9 |       - contans: x\n";
    check_golden(with("contans: x"), unknown).await;
    check_golden(with("regex: \"(a\""), "a.golden.yml:9:16: error: invalid regex \"(a\": unclosed group\n").await;
    let schema = "a.golden.yml:9:22: error: invalid JSON Schema at `/type`";
    check_golden(with("json_schema: {type: strin}"), schema).await;
}

#[tokio::test]
async fn golden_sets_in_other_formats_name_the_line_too() {
    let desk = Desk::plain();
    desk.write("a.prompt.yml", PROMPT);
    desk.write("a.golden.jsonl", "{\"id\":\"a\",\"vars\":{\"amount\":\"1\"},\"expected\":\"1\"}\n{\"id\": }\n");
    let ran = desk.run(&["eval"]).await;
    assert!(ran.code == 2 && ran.stderr.starts_with("a.golden.jsonl:2:8: error: invalid JSON"), "{ran:?}");
    desk.write("a.prompt.yml", format!("{PROMPT}goldenSet: a.csv\n"));
    let ran = desk.run(&["eval"]).await;
    let expected = "a.prompt.yml:8:12: error: golden set `a.csv` not found\n";
    assert!(ran.code == 2 && ran.stderr.starts_with(expected), "{ran:?}");
    desk.write("a.csv", "id,amount,expected\nx,\"1,1\n");
    let ran = desk.run(&["eval"]).await;
    assert!(ran.code == 2 && ran.stderr.starts_with("a.csv:2:1: error: a quoted field is never closed"), "{ran:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn links_and_submodules_are_not_followed() {
    let desk = Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", GOLDEN)]);
    std::os::unix::fs::symlink("a.prompt.yml", desk.file("link.prompt.yml")).unwrap();
    let refused = "link.prompt.yml: error: prompt file is a symbolic link; commit the file itself\n";
    let ran = desk.run(&["eval"]).await;
    assert!(ran.code == 2 && ran.stderr.starts_with(refused), "{ran:?}");
    desk.commit("a link");
    let ran = desk.run(&["eval", "--head", "HEAD"]).await;
    assert!(ran.code == 2 && ran.stderr.starts_with(refused), "{ran:?}");

    let desk = Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", GOLDEN)]);
    let commit = desk.git(&["rev-parse", "HEAD"]);
    desk.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},sub.prompt.yml")]);
    desk.git(&["commit", "--quiet", "--message", "a submodule"]);
    let ran = desk.run(&["eval", "--head", "HEAD"]).await;
    let refused = "sub.prompt.yml: error: prompt file is a submodule; commit the file itself\n";
    assert!(ran.code == 2 && ran.stderr.starts_with(refused), "{ran:?}");
}

#[tokio::test]
async fn settings_that_are_wrong() {
    let desk = Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", GOLDEN)]);
    desk.write(".github/promptops.yml", "evaluation:\n  trails: 2\n");
    let ran = desk.run(&["eval"]).await;
    let expected = ".github/promptops.yml:2:3: error: unknown key `trails` in `evaluation`\n  2 |   trails: 2\n";
    assert!(ran.code == 2 && ran.stderr.starts_with(expected), "{ran:?}");
    desk.commit("broken settings");
    desk.write(".github/promptops.yml", "evaluation:\n  trials: 2\n");
    let ran = desk.run(&["eval", "--base", "HEAD"]).await;
    let expected = ".github/promptops.yml:2:3: error: on base: unknown key `trails` in `evaluation`\n";
    assert!(ran.code == 2 && ran.stderr.starts_with(expected), "{ran:?}");
}

#[tokio::test]
async fn settings_may_be_another_file() {
    let desk = Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", GOLDEN)]);
    desk.write("ci/strict.yml", "prompts: { include: [nowhere] }\n");
    desk.write("ci/broken.yml", "promts: {}\n");
    let provider = Scripted::start(answer).await;
    for command in ["eval", "lint"] {
        let broken = desk.run(&[command, "--config", "ci/broken.yml"]).await;
        assert_eq!(broken.code, 2);
        assert!(broken.stderr.starts_with("ci/broken.yml:1:1: error: "), "{broken:?}");
        let gone = desk.run(&[command, "--config", "ci/none.yml"]).await;
        assert_eq!(gone.code, 2);
        assert!(gone.stderr.contains("no settings file at `ci/none.yml`; name one that is there"), "{gone:?}");
    }
    let strict = desk.ask(&provider, &["eval", "--config", "ci/strict.yml"]).await;
    assert!(strict.stderr.contains("no prompt files found"), "{strict:?}");
    assert_eq!(provider.calls(), 0);
    // Base's version of the named file counts, as of the usual one.
    desk.write("ci/strict.yml", "");
    desk.commit("settings");
    desk.write("ci/strict.yml", "prompts: { include: [nowhere] }\n");
    let ran = desk.ask(&provider, &["eval", "--config", "ci/strict.yml", "--base", "HEAD"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn arguments_that_are_wrong() {
    let desk = Desk::repository(&[("a.prompt.yml", PROMPT.replace("model: openai/gpt-4o-mini\n", "").as_str())]);
    let said = async |arguments: &[&str]| {
        let ran = desk.run(arguments).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        ran.stderr.lines().next().unwrap_or_default().to_owned()
    };
    assert!(said(&[]).await.starts_with("A merge gate for prompts"));
    assert_eq!(said(&["evil"]).await, "error: unrecognized subcommand 'evil'");
    assert_eq!(
        said(&["eval", "--trials", "0"]).await,
        "error: invalid value '0' for '--trials <N>': 0 is not in 1..=100"
    );
    assert_eq!(
        said(&["eval", "--model", "gpt"]).await,
        "error: --model: `gpt` is not a valid model: write it as provider/name, for instance openai/gpt-4o-mini"
    );
    assert_eq!(
        said(&["eval", "--base", "nope"]).await,
        "error: revision `nope` not found; check its name, or fetch it first with `git fetch`"
    );
    assert_eq!(
        said(&["eval", "none.prompt.yml"]).await,
        "error: no prompt file at `none.prompt.yml`; prompt files end in .prompt.yml, .prompt.yaml, .prompt.md, .prompty or .prompt"
    );
    assert_eq!(
        said(&["eval", "README.md"]).await,
        "error: `README.md` is in no known prompt format; prompt files end in .prompt.yml, .prompt.yaml, .prompt.md, .prompty or .prompt"
    );
    assert_eq!(said(&["eval"]).await, "a.prompt.yml: error: the prompt has no golden set, so nothing can be measured");
    desk.write("a.golden.yml", GOLDEN);
    assert_eq!(said(&["eval"]).await, "a.prompt.yml: error: the prompt names no model");
    assert_eq!((desk.run(&["--version"]).await.code, desk.run(&["--help"]).await.code), (0, 0));
}

#[tokio::test]
async fn a_revision_that_a_shallow_clone_lacks_is_to_be_fetched() {
    let origin = Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", GOLDEN)]);
    origin.commit("second");
    let desk = Desk::plain();
    desk.git(&["clone", "--quiet", "--depth", "1", &format!("file://{}", origin.path().display()), "."]);
    let ran = desk.run(&["eval", "--base", "HEAD~1"]).await;
    let expected = "error: revision `HEAD~1` not found in this shallow clone; fetch the history with `git fetch --unshallow`, or \
                    set `fetch-depth: 0` at actions/checkout\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (2, expected));
}

#[tokio::test]
async fn a_base_that_is_not_found_names_what_may_be_meant() {
    let origin = Desk::repository(&[("a.prompt.yml", PROMPT), ("a.golden.yml", GOLDEN)]);
    origin.git(&["branch", "release"]);
    let desk = Desk::plain();
    desk.git(&["clone", "--quiet", &format!("file://{}", origin.path().display()), "."]);
    desk.git(&["checkout", "--quiet", "--detach"]);
    for (command, base, expected) in [
        ("eval", "release", "revision `release` not found; did you mean `origin/release`?"),
        ("lint", "mian", "revision `mian` not found; did you mean `main`?"),
    ] {
        let ran = desk.run(&[command, "--base", base]).await;
        assert_eq!((ran.code, ran.stderr.trim()), (2, format!("error: {expected}").as_str()));
    }
    let empty = Desk::plain();
    empty.git(&["init", "--quiet"]);
    empty.write("a.prompt.yml", PROMPT);
    let ran = empty.run(&["eval", "--base", "HEAD"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("this repository has no commits yet"), "{ran:?}");
}

#[tokio::test]
async fn a_place_without_prompts_says_where_was_looked_and_for_what() {
    let desk = Desk::repository(&[("my-prompt.txt", "hello")]);
    let ran = desk.run(&["eval"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("(not prompts by their names: my-prompt.txt)"), "{ran:?}");
    assert!(
        ran.stderr.contains("name such a file, as in `git mv my-prompt.txt my-prompt.prompt.md`, or run"),
        "{ran:?}"
    );
    let among = Desk::repository(&[("prompts/refund.txt", "hello")]);
    let ran = among.run(&["eval"]).await;
    assert!(ran.stderr.contains("`git mv prompts/refund.txt prompts/refund.prompt.md`"), "{ran:?}");
    desk.git(&["mv", "my-prompt.txt", "my-prompt.prompt.md"]);
    let ran = desk.run(&["render", "my-prompt.prompt.md", "--format", "json"]).await;
    let messages = &ran.json()["messages"];
    assert_eq!(
        (&messages[0]["role"], &messages[0]["content"][0]["text"]),
        (&"user".into(), &"hello".into()),
        "{ran:?}"
    );
    desk.git(&["rm", "--quiet", "--force", "my-prompt.prompt.md"]);
    desk.write("prompts/a.prompt.yml", PROMPT);
    desk.write(".github/promptops.yml", "prompts: { include: ['prmpts/**'] }\n");
    let ran = desk.run(&["eval"]).await;
    let expected = "as prompts/a.prompt.yml, `prompts.include` (prmpts/**) covers none; correct that";
    assert!(ran.code == 2 && ran.stderr.contains(expected), "{ran:?}");
}
