//! Judges a workflow file that uses our action: its events, permissions and checkout. Knows no other action's inputs.

use super::{Finding, Part, Sheet};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::ids::PromptPath;
use crate::domain::node::{Kind, Node};
use crate::domain::source::{MAX_FILE_BYTES, Source};
use crate::domain::yaml;

/// Where our action lives; its own repository uses it as `./`.
const ACTION: &str = "promptops/promptops";
const CHECK: &str = "workflow";
/// What the action asks of the job's token.
const NEEDED: [(&str, &str); 2] = [("contents", "read"), ("pull-requests", "write")];

/// What to say of all workflow files.
#[must_use]
pub fn judge(files: &[(PromptPath, Vec<u8>)]) -> Vec<Finding> {
    let mut sheet = Sheet::new(Part::Here);
    let mut users = 0;
    for (path, bytes) in files {
        match read(path, bytes) {
            Ok(root) => users += usize::from(one(&mut sheet, path, &root)),
            Err(finding) if String::from_utf8_lossy(bytes).contains(ACTION) => {
                sheet.problem(CHECK, super::here::line(&finding), "mend the workflow: GitHub does not run it as it is");
            }
            Err(_) => {}
        }
    }
    if users == 0 && !files.is_empty() {
        sheet.skipped(CHECK, format!("no workflow uses {ACTION}; the App needs none"));
    }
    if files.is_empty() {
        sheet.skipped(CHECK, "there are no workflows; the App needs none");
    }
    sheet.finish()
}

fn read(path: &PromptPath, bytes: &[u8]) -> Result<Node, Box<Diagnostic>> {
    yaml::parse(&Source::read(path, bytes, MAX_FILE_BYTES)?)
}

/// Judges one file; false if it does not use the action.
fn one(sheet: &mut Sheet, path: &PromptPath, root: &Node) -> bool {
    let jobs: Vec<&Node> = values(root.get("jobs")).filter(|job| steps(job).any(is_ours)).collect();
    if jobs.is_empty() {
        return false;
    }
    if events(root.get("on")).contains(&"pull_request_target") {
        sheet.problem(
            CHECK,
            format!("{path} runs on `pull_request_target`, which hands secrets to what a fork wrote"),
            "use `pull_request`: the action lints forks without keys, and refuses to evaluate them with keys",
        );
    }
    for job in jobs {
        permissions(sheet, path, job.get("permissions").or(root.get("permissions")));
        let checkout = steps(job).find(|step| uses(step).is_some_and(|name| name.starts_with("actions/checkout@")));
        let depth = checkout.and_then(|step| step.get("with")?.get("fetch-depth"));
        match (checkout, depth) {
            (None, _) => sheet.problem(
                CHECK,
                format!("{path} does not check the repository out before the action"),
                "add a step `uses: actions/checkout@v4` before it",
            ),
            (Some(_), Some(_)) => {
                sheet.ok(CHECK, format!("{path}: `fetch-depth` is not needed, base is read over the API"))
            }
            (Some(_), None) => sheet.ok(CHECK, format!("{path} uses the action")),
        }
    }
    true
}

fn permissions(sheet: &mut Sheet, path: &PromptPath, given: Option<&Node>) {
    let help = "write `permissions: { contents: read, pull-requests: write }` at the job";
    let Some(given) = given else {
        return sheet.warning(CHECK, format!("{path} states no permissions, so the repository's defaults count"), help);
    };
    match &given.kind {
        Kind::Text(text) if &**text == "write-all" => {
            sheet.warning(CHECK, format!("{path} grants the action `write-all`, more than it needs"), help);
        }
        Kind::Map(_) => {
            let held = |name: &str| given.get(name).and_then(text);
            for (name, level) in NEEDED {
                let enough = crate::domain::app_manifest::covers(held(name), level);
                if !enough {
                    let what = if level == "write" { "cannot comment" } else { "cannot read the repository" };
                    sheet.problem(CHECK, format!("{path} lacks `{name}: {level}`: the action {what}"), help);
                }
            }
        }
        _ => sheet.problem(CHECK, format!("{path} grants no `pull-requests: write`: the action cannot comment"), help),
    }
}

fn steps(job: &Node) -> impl Iterator<Item = &Node> {
    match job.get("steps").map(|steps| &steps.kind) {
        Some(Kind::List(steps)) => steps.as_slice(),
        _ => &[],
    }
    .iter()
}

fn values(node: Option<&Node>) -> impl Iterator<Item = &Node> {
    match node.map(|node| &node.kind) {
        Some(Kind::Map(entries)) => entries.as_slice(),
        _ => &[],
    }
    .iter()
    .map(|(_, value)| value)
}

fn uses(step: &Node) -> Option<&str> {
    step.get("uses").and_then(text)
}

fn is_ours(step: &Node) -> bool {
    uses(step).is_some_and(|name| name.split('@').next().is_some_and(|name| name.eq_ignore_ascii_case(ACTION)))
}

fn text(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Text(text) => Some(text),
        _ => None,
    }
}

/// `on: push`, `on: [push, …]` or `on: {push: …}`.
fn events(on: Option<&Node>) -> Vec<&str> {
    match on.map(|on| &on.kind) {
        Some(Kind::Text(one)) => vec![one],
        Some(Kind::List(list)) => list.iter().filter_map(text).collect(),
        Some(Kind::Map(entries)) => entries.iter().map(|(key, _)| &*key.name).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::lines;
    use super::*;

    const GOOD: &str = "on: pull_request\npermissions:\n  contents: read\n  pull-requests: write\njobs:\n  prompts:\n    \
                        steps:\n      - uses: actions/checkout@v4\n      - uses: promptops/promptops@v1\n";

    fn check(text: &str, expected: &[&str]) {
        let path = PromptPath::parse(".github/workflows/p.yml").unwrap();
        assert_eq!(lines(&judge(&[(path, text.as_bytes().to_vec())])), expected, "{text}");
    }

    #[test]
    fn a_workflow_is_judged_by_events_permissions_and_checkout() {
        check(GOOD, &["ok workflow: .github/workflows/p.yml uses the action"]);
        check(
            &GOOD.replace("on: pull_request", "on: [push, pull_request_target]"),
            &[
                "problem workflow: .github/workflows/p.yml runs on `pull_request_target`, which hands secrets to what a fork \
                 wrote",
                "ok workflow: .github/workflows/p.yml uses the action",
            ],
        );
        check(
            &GOOD.replace("  pull-requests: write\n", ""),
            &[
                "problem workflow: .github/workflows/p.yml lacks `pull-requests: write`: the action cannot comment",
                "ok workflow: .github/workflows/p.yml uses the action",
            ],
        );
        check(
            &GOOD.replace("      - uses: actions/checkout@v4\n", ""),
            &["problem workflow: .github/workflows/p.yml does not check the repository out before the action"],
        );
        check(
            &GOOD.replace("checkout@v4\n", "checkout@v4\n        with: { fetch-depth: 0 }\n"),
            &["ok workflow: .github/workflows/p.yml: `fetch-depth` is not needed, base is read over the API"],
        );
    }

    #[test]
    fn permissions_may_be_missing_or_too_many() {
        let without = GOOD.replace("permissions:\n  contents: read\n  pull-requests: write\n", "");
        check(
            &without,
            &[
                "warning workflow: .github/workflows/p.yml states no permissions, so the repository's defaults count",
                "ok workflow: .github/workflows/p.yml uses the action",
            ],
        );
        check(
            &format!("permissions: write-all\n{without}"),
            &[
                "warning workflow: .github/workflows/p.yml grants the action `write-all`, more than it needs",
                "ok workflow: .github/workflows/p.yml uses the action",
            ],
        );
    }

    #[test]
    fn other_workflows_are_left_alone() {
        check("on: push\njobs: {}\n", &["skipped workflow: no workflow uses promptops/promptops; the App needs none"]);
        check("on: [", &["skipped workflow: no workflow uses promptops/promptops; the App needs none"]);
    }
}
