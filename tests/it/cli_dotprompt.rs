//! Dotprompt files at the command line: evaluated against their golden sets, with partials, and what bad ones get.

use std::time::{Duration, Instant};

use crate::support::desk::Desk;
use crate::support::provider::{Asked, Reply, Scripted};

const PROMPT: &str = "\
---
model: openai/gpt-4o-mini
config: {temperature: 0, maxOutputTokens: 50}
input: {schema: {amount: string, notes?(array): string}}
---
{{> manner}}
{{role \"user\"}}
Refund {{amount}}
{{#each notes}}
- {{this}}
{{/each}}
";

const GOLDEN: &str = "\
cases:
  - id: small
    vars: { amount: 5 EUR, notes: [loyal] }
    evaluators: [contains: 5 EUR]
  - id: large
    vars: { amount: 900 EUR }
    evaluators: [contains: colleague]
";

fn answer(asked: &Asked) -> Reply {
    let brief = asked.body["messages"][0]["content"].as_str().unwrap_or_default().contains("briefly");
    Reply::text(match asked.user().contains("900") && !brief {
        true => "A colleague will decide on 900 EUR.".to_owned(),
        false => format!("Done: {}", asked.user()),
    })
}

fn desk() -> Desk {
    Desk::repository(&[
        ("prompts/refund.prompt", PROMPT),
        ("prompts/refund.golden.yml", GOLDEN),
        ("prompts/_manner.prompt", "{{role \"system\"}}Answer formally."),
    ])
}

#[tokio::test]
async fn a_prompt_is_evaluated_with_its_golden_set_and_partials() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    let ran = desk.ask(&server, &["eval", "prompts/refund.prompt", "--format", "json"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let asked = server.asked();
    let small = asked.iter().find(|asked| asked.user().contains("5 EUR")).unwrap();
    assert_eq!(small.body["messages"][0]["role"], "system");
    assert_eq!(small.user(), "\nRefund 5 EUR\n- loyal\n");
    assert_eq!((&small.body["temperature"], small.model()), (&serde_json::json!(0.0), "gpt-4o-mini"));
    let result = ran.json();
    assert_eq!((&result["prompts"][0]["name"], &result["prompts"][0]["head_score"]), (&"refund".into(), &1.0.into()));
}

#[tokio::test]
async fn a_change_in_a_partial_is_compared_with_base() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("prompts/_manner.prompt", "{{role \"system\"}}Answer briefly.");
    let ran = desk.ask(&server, &["eval", "--base", "main"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.starts_with("Regression: 1 of 2 cases got worse, 0 better\n\n  worse  large"), "{ran:?}");
}

#[tokio::test]
async fn every_prompt_but_no_partial_is_found() {
    let desk = desk();
    let ran = desk.run(&["lint"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "1 prompt: 0 errors, 1 warning\n"), "{ran:?}");
}

#[tokio::test]
async fn what_only_shows_when_a_case_fills_it_is_told_before_anything_is_asked() {
    let (desk, server) = (desk(), Scripted::start(answer).await);
    desk.write("prompts/refund.prompt", PROMPT.replace("- {{this}}", "- {{this.text}}"));
    let ran = desk.ask(&server, &["eval"]).await;
    assert_eq!((ran.code, server.calls()), (2, 0), "{ran:?}");
    let said = "prompts/refund.prompt:10:3: error: in case `small` (prompts/refund.golden.yml:2): variable `this.text` has no value\n";
    assert!(ran.stderr.starts_with(said), "{}", ran.stderr);
}

/// A broken file must end with 2 within seconds and say exactly this first.
async fn refuse(files: &[(&str, &[u8])], expected: &str) {
    let desk = Desk::plain();
    for (path, bytes) in files {
        desk.write(path, bytes);
    }
    let start = Instant::now();
    let ran = desk.run(&["lint"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.starts_with(expected), "expected {expected}\nfound {:.2000}", ran.stderr);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn bad_files_are_told_with_line_and_column() {
    refuse(&[("a.prompt", b"Hi {{#if x}}")], "a.prompt:1:4: error: the block `if` is not closed\n").await;
    refuse(&[("a.prompt", b"Hi {{shout x}}")], "a.prompt:1:6: error: unknown helper `shout`\n").await;
    refuse(&[("a.prompt", b"Hi\n{{> gone}}")], "a.prompt:2:1: error: partial `gone` not found\n").await;
    refuse(&[("a.prompt", b"---\nname: a\nHi")], "a.prompt:1:1: error: the front matter is not closed\n").await;
    refuse(&[("a.prompt", b"\x00\xff\xfe")], "a.prompt:1:2: error: the byte 0xff here is not UTF-8\n").await;
    let cycle: [(&str, &[u8]); 3] = [("a.prompt", b"{{> b}}"), ("_b.prompt", b"{{> c}}"), ("_c.prompt", b"{{> b}}")];
    refuse(&cycle, "a.prompt:1:1: error: partials include each other without an end: `b` → `c` → `b`\n").await;
    let deep = format!("---\nconfig: {}1{}\n---\nHi", "[".repeat(5000), "]".repeat(5000));
    refuse(&[("a.prompt", deep.as_bytes())], "a.prompt:2:").await;
}

#[tokio::test]
async fn a_bomb_ends_in_an_error_soon() {
    let desk = Desk::plain();
    let loops = format!("{}x{}", "{{#each @root.l}}".repeat(8), "{{/each}}".repeat(8));
    desk.write("loops.prompt", loops);
    desk.write("long.prompt", format!("{}{{{{l}}}}", "word {{l.length}} ".repeat(12_000)));
    let vars = serde_json::json!({"l": vec![1; 100]}).to_string();
    let start = Instant::now();
    let ran = desk.run(&["render", "loops.prompt", "--vars", &vars]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.starts_with("loops.prompt:1:"), "{ran:?}");
    assert!(ran.stderr.contains("the template takes more than 200000 steps; let it loop over less"), "{ran:?}");
    assert_eq!(desk.run(&["render", "long.prompt", "--vars", &vars]).await.code, 0, "200 kB are no bomb");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

/// Every file of the corpus is parsed and, where it can be, rendered: none may panic or take long.
#[test]
fn the_corpus_is_read_without_a_panic() {
    use promptops::domain::ids::PromptPath;
    use promptops::domain::prompt;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/dotprompt");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 20, "only {} files", files.len());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let path = PromptPath::parse("a/b.prompt").unwrap();
        let start = Instant::now();
        let _ = prompt::references(&path, &bytes, &prompt::Attachments::default());
        if let Ok(parsed) = prompt::parse(&path, &bytes) {
            let vars = prompt::Vars::from([
                ("items", serde_json::json!(vec!["x"; 1000])),
                ("name", serde_json::json!("{{name}}")),
            ]);
            let _ = (parsed.value.render(&vars), parsed.value.body.places(), parsed.value.body.source());
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{}: {:?}", file.display(), start.elapsed());
    }
}
