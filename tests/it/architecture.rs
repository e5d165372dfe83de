//! Holds the house's one-way rule: every `crate::…` path and foreign crate in `src/**` against one table.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// (place, rooms it may import, foreign crates it may name). The longest matching place counts.
const HOUSE: &[(&str, &str, &str)] = &[
    (
        "domain",
        "domain",
        "serde serde_json thiserror regex fancy_regex jsonschema strsim similar globset semver csv hex fastrand pulldown_cmark unicode_normalization aws_lc_rs minijinja tiktoken_rs quick_junit quick_xml schemars sqlparser askama",
    ),
    ("domain::yaml", "domain", "serde serde_json serde_yaml thiserror"),
    ("engine", "domain engine", "serde serde_json thiserror tokio tokio_util futures fastrand tracing"),
    (
        "provider",
        "domain engine provider",
        "serde serde_json thiserror tokio futures tracing reqwest http httpdate bytes url secrecy toml aws_lc_rs hex base64",
    ),
    ("store", "domain engine store", "serde serde_json thiserror tokio futures tracing sqlx uuid hex"),
    (
        "github",
        "domain github",
        "serde serde_json thiserror tokio futures tracing octocrab jsonwebtoken reqwest http bytes moka secrecy aws_lc_rs hex base64 url",
    ),
    ("git", "domain git", "thiserror tokio"),
    (
        "app",
        "domain engine provider store github git app",
        "serde serde_json thiserror tokio tokio_util futures tracing secrecy bytes globset",
    ),
    (
        "web",
        "domain engine store github app web",
        "serde serde_json thiserror tokio tokio_util futures tracing axum tower tower_http http bytes metrics metrics_exporter_prometheus secrecy",
    ),
    ("worker", "domain engine store app worker", "thiserror tokio tokio_util futures tracing metrics"),
    (
        "sim",
        "domain::ids sim",
        "serde serde_json thiserror tokio tokio_util futures tracing axum tower http bytes reqwest jsonwebtoken similar aws_lc_rs hex base64 url uuid",
    ),
    (
        "cli",
        "domain engine provider store github git app web worker sim cli config",
        "serde serde_json thiserror tokio tokio_util futures tracing tracing_subscriber clap indicatif secrecy url uuid",
    ),
    ("config", "domain engine provider store github app web worker config", "serde thiserror secrecy url toml"),
    ("main", "cli", "promptops tokio"),
    ("lib", "", ""),
];

static PATH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(crate|(?:super::)*super)::(\w+)(?:::(\w+))?").unwrap());
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?:^|[^\w:.$])(\w+)::").unwrap());

#[test]
fn every_import_goes_down_the_house() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let foreign = dependencies(root);
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    assert!(files.len() > 20, "found only {} files: is the walk broken?", files.len());
    let broken: Vec<String> = files.iter().flat_map(|file| violations(root, file, &foreign)).collect();
    assert!(
        broken.is_empty(),
        "imports that go up the house (architecture in ARCHITECTURE.md):\n{}",
        broken.join("\n")
    );
}

#[test]
fn the_check_sees_an_import_that_goes_up() {
    let foreign = BTreeSet::from(["tokio".to_owned()]);
    let text = "use crate::store::Store;\nuse super::super::engine::run;\nfn f() { tokio::spawn(async {}); }\n";
    let found = check_text("src/domain/gate/plan.rs", "domain::gate::plan", text, &foreign);
    assert_eq!(
        found,
        [
            "src/domain/gate/plan.rs:1: `domain` imports `store`",
            "src/domain/gate/plan.rs:3: `domain` names the crate `tokio`",
        ]
    );
    let climbing = check_text("src/domain/ids.rs", "domain::ids", "use super::super::engine::run;", &foreign);
    assert_eq!(climbing, ["src/domain/ids.rs:1: `domain` imports `engine`"]);
}

fn violations(root: &Path, file: &Path, foreign: &BTreeSet<String>) -> Vec<String> {
    let shown = file.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    let module = shown.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
    // What a file's own unit tests import is not shipped.
    let text = fs::read_to_string(file).unwrap();
    let shipped = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(&text).to_owned();
    check_text(&shown, &module, &shipped, foreign)
}

fn check_text(shown: &str, module: &str, text: &str, foreign: &BTreeSet<String>) -> Vec<String> {
    let (place, rooms, crates) = *HOUSE
        .iter()
        .filter(|(place, ..)| module == *place || module.starts_with(&format!("{place}::")))
        .max_by_key(|(place, ..)| place.len())
        .unwrap_or_else(|| panic!("{shown} is in no room: put it into one, or give the house a new one"));
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default();
        for caught in PATH.captures_iter(line) {
            let target = resolve(module, &caught);
            let allowed = rooms.split(' ').any(|room| target == room || target.starts_with(&format!("{room}::")));
            if !allowed {
                let room = target.split("::").next().unwrap_or_default();
                found.push(format!("{shown}:{}: `{place}` imports `{room}`", number + 1));
            }
        }
        for caught in NAME.captures_iter(line) {
            if foreign.contains(&caught[1]) && !crates.split(' ').any(|allowed| allowed == &caught[1]) {
                found.push(format!("{shown}:{}: `{place}` names the crate `{}`", number + 1, &caught[1]));
            }
        }
    }
    found
}

/// The path a `crate::…` or `super::…` means, from the crate's root.
fn resolve(module: &str, caught: &regex::Captures<'_>) -> String {
    let mut parts: Vec<&str> = if &caught[1] == "crate" {
        Vec::new()
    } else {
        let up = caught[1].matches("super").count();
        let parts: Vec<&str> = module.split("::").collect();
        parts[..parts.len().saturating_sub(up)].to_vec()
    };
    parts.push(caught.get(2).unwrap().as_str());
    parts.extend(caught.get(3).map(|part| part.as_str()));
    parts.join("::")
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files.sort();
}

fn dependencies(root: &Path) -> BTreeSet<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    section.lines().filter_map(|line| Some(line.split_once('=')?.0.trim().replace('-', "_"))).collect()
}
