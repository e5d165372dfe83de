//! Configs and CSV files as people and attackers write them, from `tests/corpus`: none may panic, none may take long, and
//! whatever is wrong is said with its place and what to do.

use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::domain::golden;
use crate::domain::prompt;

/// Far more than any of them needs, on a slow machine and without optimisation.
const LONGEST: Duration = Duration::from_secs(30);

fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    assert!(files.len() >= 10, "the corpus is not where it should be");
    files
}

/// Good files begin with `good`, wrong ones with `bad`; odd ones may be either.
#[track_caller]
fn judge<T>(name: &str, started: Instant, found: Result<Parsed<T>, Vec<Diagnostic>>) {
    assert!(started.elapsed() < LONGEST, "{name} takes {:?}", started.elapsed());
    match found {
        Ok(_) => assert!(!name.starts_with("bad"), "{name} is taken as it is"),
        Err(findings) => {
            assert!(!name.starts_with("good"), "{name}: {findings:#?}");
            assert!(!findings.is_empty(), "{name}");
            for finding in findings {
                let placed = finding.location.is_some() || finding.code == "more-errors";
                assert!(placed && finding.help.is_some(), "{name}: {finding:?}");
                assert!(finding.render().len() < 10_000, "{name}");
            }
        }
    }
}

/// Unoptimised frames of the YAML reader are large: a test's own stack is smaller than the binary's.
const STACK: usize = 16 << 20;

#[test]
fn every_config_of_the_corpus_ends_well() {
    std::thread::Builder::new().stack_size(STACK).spawn(configs).unwrap().join().unwrap();
}

fn configs() {
    let files = [
        ("evals/p.txt", "One {{a}}\n---\nTwo {{a}}\n"),
        ("evals/chat.json", r#"[{"role": "system", "content": "S"}, {"role": "user", "content": "{{a}}"}]"#),
        ("evals/t.yaml", "- vars: { a: 1 }\n  assert: [{ type: contains, value: x }]\n"),
        ("evals/c.csv", "a,__expected\n1,contains:x\n"),
        ("evals/v.txt", "a value\n"),
        // Files that name themselves and each other.
        ("evals/self.yaml", "- file://self.yaml\n- vars: self.yaml\n"),
        ("evals/ping.yaml", "id: file://pong.yaml\n"),
        ("evals/pong.yaml", "file://ping.yaml\n"),
    ];
    for (name, bytes) in corpus("promptfoo") {
        let path = PromptPath::parse("evals/promptfooconfig.yaml").unwrap();
        let started = Instant::now();
        judge(&name, started, read_at(&path, &bytes, &files));
    }
}

#[test]
fn every_csv_of_the_corpus_ends_well() {
    let prompt_path = PromptPath::parse("a.prompt.yml").unwrap();
    let prompt = prompt::parse(&prompt_path, b"messages: [{role: user, content: Hi}]\n").unwrap().value;
    for (name, bytes) in corpus("csv") {
        let started = Instant::now();
        judge(&name, started, golden::parse(&PromptPath::parse("a.golden.csv").unwrap(), &bytes, &prompt));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let config = "prompts: [Hi]\ntests: file://x.csv\n";
        let _ = read(config, &[("evals/x.csv", &text)]);
    }
}
