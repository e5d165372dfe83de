//! What is published and what the image is built from hold every file that the source takes in.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use regex::Regex;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// What `include_str!`, `include_bytes!` and templates name in `src/`, from the repository's root.
fn taken_in() -> BTreeSet<String> {
    let included = Regex::new(r#"include_(?:str|bytes)!\(\s*"([^"]+)"\s*\)"#).unwrap();
    let template = Regex::new(r#"\bpath = "([\w./-]+\.html)""#).unwrap();
    let mut found = BTreeSet::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                // What a file's own unit tests take in is not shipped.
                let shipped = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                let beside = included.captures_iter(shipped).map(|caught| folder.join(&caught[1]));
                let templates = template.captures_iter(shipped).map(|caught| root().join("templates").join(&caught[1]));
                found.extend(beside.chain(templates).map(|path| from_root(&path)));
            }
        }
    }
    found
}

/// The path below the repository's root, without `..`.
fn from_root(path: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{}", path.display()),
            other => plain.push(other),
        }
    }
    plain.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/")
}

fn is_below(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[test]
fn the_published_crate_holds_what_the_source_takes_in_and_no_test() {
    let taken_in = taken_in();
    assert!(taken_in.len() > 15, "{taken_in:?}");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["package", "--list", "--allow-dirty", "--offline"]).current_dir(root());
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8(output.stdout).unwrap().replace('\\', "/");
    let published: BTreeSet<&str> = listed.lines().collect();
    for file in
        taken_in.iter().map(String::as_str).chain(["README.md", "LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md"])
    {
        assert!(published.contains(file), "{file} is not published: extend `include` in Cargo.toml");
    }
    let stray = published
        .iter()
        .find(|file| ["tests", "benches", "fuzz", ".ci", ".github"].iter().any(|at| is_below(file, at)));
    assert_eq!(stray, None);
}

#[test]
fn the_image_is_built_from_what_the_source_takes_in() {
    let (dockerfile, ignore) = (text("Dockerfile"), text(".dockerignore"));
    let copied: Vec<&str> = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY ").filter(|rest| !rest.starts_with("--")))
        .flat_map(|rest| rest.split(' ').rev().skip(1))
        .collect();
    let sent: Vec<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    for file in taken_in() {
        assert!(copied.iter().any(|place| is_below(&file, place)), "{file} is not copied: extend the Dockerfile");
        assert!(sent.iter().any(|place| is_below(&file, place)), "{file} is not sent: extend .dockerignore");
    }
    for place in copied {
        assert!(sent.contains(&place), "{place} is copied and not sent: extend .dockerignore");
    }
}

#[test]
fn the_image_and_the_compose_file_are_of_this_version_and_its_compiler() {
    let version = env!("CARGO_PKG_VERSION");
    let check =
        |path: &str, expected: String| assert!(text(path).contains(&expected), "{expected} is missing in {path}");
    check("Dockerfile", format!("ARG VERSION={version}\n"));
    check("Dockerfile", format!("ARG RUST=docker.io/library/rust:{}-", env!("CARGO_PKG_RUST_VERSION")));
    check("docker-compose.yml", format!("PROMPTOPS_VERSION:-{version}}}"));
}
