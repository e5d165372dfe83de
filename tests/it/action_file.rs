//! `action.yml`, the workflows and their page: what they promise each other.

use std::collections::BTreeSet;
use std::fs;

use promptops::domain::ids::PromptPath;
use promptops::domain::source::Source;
use promptops::domain::yaml;
use serde_json::{Map, Value};

use crate::support::runner::root;

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn read(path: &str) -> Value {
    let (at, text) = (PromptPath::parse(path).unwrap(), text(path));
    yaml::parse(&Source::read(&at, text.as_bytes(), 1 << 20).unwrap()).unwrap().to_value()
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn steps(action: &Value) -> &[Value] {
    action["runs"]["steps"].as_array().unwrap()
}

/// Every YAML file that GitHub runs.
fn workflows() -> Vec<String> {
    let folder = fs::read_dir(root().join(".github/workflows")).unwrap();
    let names = folder.map(|entry| format!(".github/workflows/{}", entry.unwrap().file_name().into_string().unwrap()));
    names.chain(["action.yml".to_owned()]).collect()
}

/// The first cells of the table below a heading of the page, and the second.
fn table(heading: &str) -> Vec<(String, String)> {
    let page = text("docs/github-action.md");
    let section = page.split(&format!("\n## {heading}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows =
        section.lines().skip_while(|line| !line.starts_with("|---")).skip(1).take_while(|line| line.starts_with('|'));
    let cell = |row: &str, at: usize| row.split('|').nth(at).unwrap().trim().replace('`', "");
    rows.map(|row| (cell(row, 1), cell(row, 2))).collect()
}

#[test]
fn the_page_lists_the_inputs_and_outputs_of_the_action() {
    let action = read("action.yml");
    let names = |what: &str| object(&action[what]).keys().cloned().collect::<Vec<_>>();
    let column = |heading| table(heading).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(column("Inputs"), names("inputs"));
    assert_eq!(column("Outputs"), names("outputs"));
    for (name, default) in table("Inputs") {
        let given = action["inputs"][&name]["default"].as_str().unwrap();
        // A default of another place is told in words.
        assert!(
            given.is_empty() || given.contains("github.token") || given == default,
            "{name}: {given} and {default}"
        );
    }
}

#[test]
fn every_input_reaches_a_step_by_its_environment_and_every_output_comes_from_one() {
    let action = read("action.yml");
    let environment: BTreeSet<String> = steps(&action)
        .iter()
        .filter_map(|step| step["env"].as_object())
        .flat_map(|env| env.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap())))
        .collect();
    for input in object(&action["inputs"]).keys().filter(|input| *input != "working-directory") {
        let variable = input.to_uppercase().replace('-', "_");
        let wanted = format!("INPUT_{variable}=${{{{ inputs.{input} }}}}");
        assert!(environment.contains(&wanted), "{wanted} is in no step of {environment:?}");
    }
    for (name, output) in object(&action["outputs"]) {
        assert_eq!(output["value"], format!("${{{{ steps.run.outputs.{name} }}}}"));
    }
}

#[test]
fn no_expression_reaches_a_shell() {
    for file in workflows() {
        let value = read(&file);
        let jobs = value["jobs"].as_object().into_iter().flat_map(Map::values).map(|job| &job["steps"]);
        for step in jobs.chain([&value["runs"]["steps"]]).filter_map(Value::as_array).flatten() {
            let run = step["run"].as_str().unwrap_or_default();
            assert!(!run.contains("${{"), "{file}: {run}");
        }
    }
}

#[test]
fn what_others_wrote_is_pinned_by_commit() {
    let pages = ["docs/github-action.md".to_owned()];
    for file in workflows().into_iter().chain(pages) {
        for line in text(&file).lines() {
            let Some((_, used)) = line.split_once("uses: ") else { continue };
            if used.starts_with("./") || used.starts_with("promptops/promptops@v") {
                continue;
            }
            let pin = used.split_once('@').unwrap().1;
            let (commit, version) = pin.split_once(" # v").unwrap_or_else(|| panic!("{file}: {used} says no version"));
            assert!(commit.len() == 40 && commit.bytes().all(|digit| digit.is_ascii_hexdigit()), "{file}: {used}");
            assert!(version.split('.').count() == 3, "{file}: {used}");
        }
    }
}

#[test]
fn what_the_release_publishes_is_what_the_action_downloads() {
    let release = read(".github/workflows/release.yml");
    let matrix = release["jobs"]["build"]["strategy"]["matrix"]["include"].as_array().unwrap();
    let published: BTreeSet<&str> = matrix.iter().map(|one| one["target"].as_str().unwrap()).collect();
    let script = text("action/install.sh");
    let targets = script.split("target=").skip(1).filter_map(|rest| rest.split([' ', '\n']).next());
    let downloaded: BTreeSet<&str> = targets.filter(|target| !target.is_empty()).collect();
    assert_eq!(downloaded, published);
    let release = text(".github/workflows/release.yml");
    for name in ["promptops-$VERSION-$TARGET", "SHA256SUMS", "provenance.jsonl"] {
        assert!(release.contains(name), "{name}");
    }
    assert!(script.contains("promptops-$version-$target.$extension"));
    assert!(script.contains("$repository/.github/workflows/release.yml"), "the signer is the workflow of that name");
}

#[test]
fn jobs_get_no_more_than_they_name() {
    for file in workflows().into_iter().filter(|file| file != "action.yml") {
        let value = read(&file);
        assert_eq!(value["permissions"], serde_json::json!({}), "{file}");
        for (name, job) in object(&value["jobs"]) {
            assert!(job["permissions"].is_object() && job["timeout-minutes"].is_number(), "{file}: {name}");
        }
    }
}
