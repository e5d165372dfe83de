//! The corpora of our own formats: good files are read, bad ones end in errors that say where and what to do.

use std::path::Path;

use promptops::domain::diagnostic::Diagnostic;
use promptops::domain::ids::PromptPath;
use promptops::domain::{golden, prompt, settings};

type Read = fn(&PromptPath, &[u8]) -> Result<(), Vec<Diagnostic>>;

fn golden_set(path: &PromptPath, bytes: &[u8]) -> Result<(), Vec<Diagnostic>> {
    let of = PromptPath::parse("a.prompt.yml").unwrap();
    let prompt = prompt::parse(&of, b"messages: [{role: user, content: Hi}]").unwrap().value;
    golden::parse(path, bytes, &prompt).map(|_| ())
}

#[test]
fn every_file_is_read_or_refused_with_its_place() {
    let corpora: [(&str, Read); 4] = [
        ("prompt_yml", |path, bytes| prompt::parse(path, bytes).map(|_| ())),
        ("golden_yaml", golden_set),
        ("golden_jsonl", golden_set),
        ("settings", |path, bytes| settings::parse(path, bytes).map(|_| ())),
    ];
    for (corpus, read) in corpora {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(corpus);
        for entry in std::fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            let found = read(&PromptPath::parse(&name).unwrap(), &std::fs::read(&file).unwrap());
            assert_eq!(found.is_err(), name.starts_with("bad-"), "{corpus}/{name}: {found:?}");
            for finding in found.err().into_iter().flatten() {
                assert!(finding.location.is_some() && finding.help.is_some(), "{corpus}/{name}: {finding:?}");
            }
        }
    }
}
