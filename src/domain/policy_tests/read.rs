//! Reads tests and facts of policies from YAML (or JSON, which is YAML): strict keys, every mistake at its place.

use std::collections::BTreeMap;

use super::{Expect, FileChange, People, PolicyTest, Pull, Review, Scenario, Stands, Team, TestFile};
use crate::domain::diagnostic::{Diagnostic, Parsed};
use crate::domain::gate::Verdict;
use crate::domain::ids::{BranchName, InvalidId, Login, PromptPath, TeamSlug};
use crate::domain::node::{Kind, Node};
use crate::domain::policy::Change;
use crate::domain::policy::facts::{ChangeSize, LintCounts, ReviewState};
use crate::domain::reader::{Fields, Reader, Unknown, suggestion};
use crate::domain::settings::approval::when::{CHANGES, VERDICTS};
use crate::domain::source::{MAX_FILE_BYTES, Source};
use crate::domain::yaml;

/// Most tests of a file.
const MAX_TESTS: usize = 1_000;
/// Most files that an imagined pull request changes, as GitHub lists them.
const MAX_CHANGES: usize = 3_000;

/// Keys of the file.
pub(in crate::domain) const TOP: [&str; 3] = ["teams", "permissions", "tests"];
/// Keys of a test.
pub(in crate::domain) const TEST: [&str; 5] = ["name", "pull", "reviews", "verdict", "expect"];
/// Keys of a file of facts.
pub(in crate::domain) const FACTS: [&str; 5] = ["teams", "permissions", "pull", "reviews", "verdict"];
/// Keys of `pull`.
pub(in crate::domain) const PULL: [&str; 10] =
    ["author", "base", "fork", "labels", "changes", "owners", "unowned", "size", "lint", "commits_by"];
/// Keys of `size`.
pub(in crate::domain) const SIZE: [&str; 2] = ["files", "lines"];
/// Keys of `lint`.
pub(in crate::domain) const LINT: [&str; 2] = ["errors", "warnings"];
/// Keys of a review.
pub(in crate::domain) const REVIEW: [&str; 3] = ["by", "state", "at"];
/// Keys of `expect`.
pub(in crate::domain) const EXPECT: [&str; 3] = ["approval", "evaluation", "rules"];
/// What a review's `state` may be.
pub(in crate::domain) const REVIEW_STATES: [(&str, ReviewState); 4] = [
    ("approved", ReviewState::Approved),
    ("changes_requested", ReviewState::ChangesRequested),
    ("commented", ReviewState::Commented),
    ("dismissed", ReviewState::Dismissed),
];
/// What a review's `at` may be, and whether it is outdated.
pub(in crate::domain) const REVIEW_AT: [(&str, bool); 2] = [("head", false), ("outdated", true)];
/// What `expect.evaluation` may be, and whether the change passes.
pub(in crate::domain) const EVALUATION: [(&str, bool); 2] = [("passes", true), ("blocked", false)];
/// What a rule may be expected to be; all of it but the last also of all rules together.
pub(in crate::domain) const STANDS: [(&str, Stands); 5] = [
    ("satisfied", Stands::Satisfied),
    ("waiting", Stands::Waiting),
    ("changes_requested", Stands::ChangesRequested),
    ("undecidable", Stands::Undecidable),
    ("does_not_apply", Stands::DoesNotApply),
];
/// Levels of permission.
pub(in crate::domain) const PERMISSIONS: [(&str, &str); 6] = [
    ("admin", "admin"),
    ("maintain", "maintain"),
    ("write", "write"),
    ("triage", "triage"),
    ("read", "read"),
    ("none", "none"),
];
/// Who has no account, in `commits_by`; and a team that cannot be read.
const UNKNOWN: &str = "unknown";
/// A team that cannot be read.
pub(in crate::domain) const UNREADABLE: &str = "unreadable";

/// Reads a file of tests.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse(path: &PromptPath, bytes: &[u8]) -> Result<Parsed<TestFile>, Vec<Diagnostic>> {
    read_file(path, bytes, |reader, node| {
        let fields = reader.fields(node, "the tests file", &TOP, Unknown::Refused)?;
        let people = read_people(reader, &fields);
        let Some(list) = fields.get("tests") else {
            reader.error("missing-key", node.at, "the file has no `tests`", "list at least one test under `tests`");
            return None;
        };
        let items = reader.list(list, "tests")?;
        if items.len() > MAX_TESTS {
            let message = format!("{} tests, at most {MAX_TESTS} are run", items.len());
            reader.error("too-many-tests", list.at, message, "remove some, or test several settings apart");
            return None;
        }
        let mut tests: Vec<PolicyTest> = Vec::new();
        for item in items {
            let Some(test) = read_test(reader, item) else { continue };
            if tests.iter().any(|other| other.name == test.name) {
                let message = format!("two tests are named `{}`", test.name);
                reader.error("duplicate-name", item.at, message, "give each a name of its own");
            }
            tests.push(test);
        }
        Some(TestFile { people, tests })
    })
}

/// Reads the facts of one imagined pull request: a test without name and expectation, its teams beside it.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse_facts(path: &PromptPath, bytes: &[u8]) -> Result<Parsed<(People, Scenario)>, Vec<Diagnostic>> {
    read_file(path, bytes, |reader, node| {
        let fields = reader.fields(node, "the facts", &FACTS, Unknown::Refused)?;
        let people = read_people(reader, &fields);
        Some((people, read_scenario(reader, &fields)?))
    })
}

fn read_file<T>(
    path: &PromptPath,
    bytes: &[u8],
    read: impl FnOnce(&mut Reader<'_>, &Node) -> Option<T>,
) -> Result<Parsed<T>, Vec<Diagnostic>> {
    let source = Source::read(path, bytes, MAX_FILE_BYTES).map_err(|error| vec![*error])?;
    let node = yaml::parse(&source).map_err(|error| vec![*error])?;
    let mut reader = Reader::new(source);
    let value = read(&mut reader, &node);
    reader.finish(value)
}

fn read_people(reader: &mut Reader<'_>, fields: &Fields<'_>) -> People {
    People {
        teams: fields.read(reader, "teams", read_teams).unwrap_or_default(),
        permissions: fields.read(reader, "permissions", read_permissions).unwrap_or_default(),
        code_owners: None,
    }
}

fn read_teams(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<BTreeMap<TeamSlug, Team>> {
    let mut teams = BTreeMap::new();
    for (key, node) in reader.map(node, what)? {
        let team = match TeamSlug::parse(&key.name) {
            Ok(team) => team,
            Err(error) => {
                reader.error("invalid-team", key.at, error.to_string(), "write it as \"@org/team\", in quotes");
                continue;
            }
        };
        let unreadable = matches!(&node.kind, Kind::Text(text) if &**text == UNREADABLE);
        let known =
            if unreadable { Some(Team::Unreadable) } else { logins(reader, node, &key.name).map(Team::Members) };
        teams.extend(known.map(|known| (team, known)));
    }
    Some(teams)
}

fn read_permissions(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<BTreeMap<Login, String>> {
    let mut permissions = BTreeMap::new();
    for (key, node) in reader.map(node, what)? {
        match Login::parse(&key.name) {
            Ok(login) => {
                let level = one_of(reader, node, what, &PERMISSIONS);
                permissions.extend(level.map(|level| (login, level.to_owned())));
            }
            Err(error) => reader.error("invalid-login", key.at, error.to_string(), "write it as \"@login\", in quotes"),
        }
    }
    Some(permissions)
}

fn read_test(reader: &mut Reader<'_>, node: &Node) -> Option<PolicyTest> {
    let fields = reader.fields(node, "a test", &TEST, Unknown::Refused)?;
    require(reader, &fields, "a test", &["name", "expect"]);
    let name = fields.read(reader, "name", Reader::words);
    let scenario = read_scenario(reader, &fields);
    let expect = fields.read(reader, "expect", read_expect);
    Some(PolicyTest { name: name?, at: node.at, scenario: scenario?, expect: expect? })
}

fn read_scenario(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Scenario> {
    require(reader, fields, "it", &["pull"]);
    let verdict = |reader: &mut Reader<'_>, node: &Node, what: &str| one_of::<Verdict>(reader, node, what, &VERDICTS);
    let pull = fields.read(reader, "pull", read_pull);
    let reviews = fields.read(reader, "reviews", read_reviews).unwrap_or_default();
    let verdict = fields.read(reader, "verdict", verdict);
    Some(Scenario { pull: pull?, reviews, verdict })
}

fn read_pull(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Pull> {
    let fields = reader.fields(node, &format!("`{what}`"), &PULL, Unknown::Refused)?;
    require(reader, &fields, "`pull`", &["author", "changes"]);
    let author = fields.read(reader, "author", |reader, node, what| identifier(reader, node, what, Login::parse));
    let base = fields.read(reader, "base", |reader, node, what| identifier(reader, node, what, BranchName::parse));
    let base = match base {
        Some(base) => base,
        None => BranchName::parse("main").ok()?,
    };
    let paths = |reader: &mut Reader<'_>, node: &Node, what: &str| each(reader, node, what, PromptPath::parse);
    let commits_by = fields.read(reader, "commits_by", read_committers);
    let author = author?;
    Some(Pull {
        commits_by: commits_by.unwrap_or_else(|| vec![Some(author.clone())]),
        author,
        base,
        fork: fields.read(reader, "fork", Reader::flag).unwrap_or(false),
        labels: fields.read(reader, "labels", Reader::texts).unwrap_or_default(),
        changes: fields.read(reader, "changes", read_changes)?,
        owners: fields.read(reader, "owners", Reader::texts).unwrap_or_default(),
        unowned: fields.read(reader, "unowned", paths).unwrap_or_default(),
        size: fields.read(reader, "size", read_size),
        lint: fields.read(reader, "lint", read_lint).unwrap_or_default(),
    })
}

/// A list of paths, or a mapping of paths to one kind or several.
fn read_changes(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<FileChange>> {
    let changes: Vec<FileChange> = match &node.kind {
        Kind::Map(entries) => {
            let mut changes = Vec::new();
            for (key, node) in entries {
                let path = match PromptPath::parse(&key.name) {
                    Ok(path) => path,
                    Err(error) => {
                        reader.error("invalid-path", key.at, error.to_string(), "write it as prompts/a.prompt.yml");
                        continue;
                    }
                };
                changes.extend(read_kinds(reader, node).map(|kinds| FileChange { path, kinds }));
            }
            changes
        }
        _ => {
            let paths = each(reader, node, what, PromptPath::parse)?;
            paths.into_iter().map(|path| FileChange { path, kinds: Vec::new() }).collect()
        }
    };
    if changes.len() > MAX_CHANGES {
        let message = format!("{} changed files, at most {MAX_CHANGES} are looked at", changes.len());
        reader.error("too-many-files", node.at, message, "list fewer");
        return None;
    }
    Some(changes)
}

fn read_kinds(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Change>> {
    match &node.kind {
        Kind::List(items) => items.iter().map(|item| one_of(reader, item, "changes", &CHANGES)).collect(),
        Kind::Null => Some(Vec::new()),
        _ => one_of(reader, node, "changes", &CHANGES).map(|kind| vec![kind]),
    }
}

fn read_committers(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<Option<Login>>> {
    let login = |text: &str| if text == UNKNOWN { Ok(None) } else { Login::parse(text).map(Some) };
    each(reader, node, what, login)
}

fn read_size(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<ChangeSize> {
    let fields = reader.fields(node, &format!("`{what}`"), &SIZE, Unknown::Refused)?;
    Some(ChangeSize {
        files: fields.read(reader, "files", count).unwrap_or(0),
        lines: fields.read(reader, "lines", count),
    })
}

fn read_lint(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<LintCounts> {
    let fields = reader.fields(node, &format!("`{what}`"), &LINT, Unknown::Refused)?;
    let errors = fields.read(reader, "errors", count).unwrap_or(0);
    Some(LintCounts { errors, warnings: fields.read(reader, "warnings", count).unwrap_or(0) })
}

fn count(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<u64> {
    reader.whole(node, what, 0, u64::MAX)
}

fn read_reviews(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<Review>> {
    let items = reader.list(node, what)?;
    let read: Vec<Option<Review>> = items.iter().map(|item| read_review(reader, item)).collect();
    read.into_iter().collect()
}

fn read_review(reader: &mut Reader<'_>, node: &Node) -> Option<Review> {
    let fields = reader.fields(node, "a review", &REVIEW, Unknown::Refused)?;
    require(reader, &fields, "a review", &["by", "state"]);
    let by = fields.read(reader, "by", |reader, node, what| identifier(reader, node, what, Login::parse));
    let state = fields.read(reader, "state", |reader, node, what| one_of(reader, node, what, &REVIEW_STATES));
    let at = fields.read(reader, "at", |reader, node, what| one_of(reader, node, what, &REVIEW_AT));
    Some(Review { by: by?, state: state?, outdated: at.unwrap_or(false) })
}

fn read_expect(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Expect> {
    let fields = reader.fields(node, &format!("`{what}`"), &EXPECT, Unknown::Refused)?;
    if EXPECT.iter().all(|key| fields.get(key).is_none()) {
        reader.error("empty-expect", node.at, "`expect` expects nothing", "give `approval`, `evaluation` or `rules`");
        return None;
    }
    let of_all = &STANDS[..STANDS.len() - 1];
    let approval = |reader: &mut Reader<'_>, node: &Node, what: &str| one_of(reader, node, what, of_all);
    let evaluation = |reader: &mut Reader<'_>, node: &Node, what: &str| one_of(reader, node, what, &EVALUATION);
    let rules = |reader: &mut Reader<'_>, node: &Node, what: &str| {
        let mut rules = Vec::new();
        for (key, node) in reader.map(node, what)? {
            rules.extend(one_of(reader, node, &key.name, &STANDS).map(|stands| (key.name.to_string(), stands)));
        }
        Some(rules)
    };
    Some(Expect {
        approval: fields.read(reader, "approval", approval),
        passes: fields.read(reader, "evaluation", evaluation),
        rules: fields.read(reader, "rules", rules).unwrap_or_default(),
    })
}

fn require(reader: &mut Reader<'_>, fields: &Fields<'_>, what: &str, keys: &[&str]) {
    for key in keys {
        if fields.get(key).is_none() {
            reader.error("missing-key", fields.at, format!("{what} needs `{key}`"), format!("add `{key}`"));
        }
    }
}

fn one_of<T: Copy>(reader: &mut Reader<'_>, node: &Node, what: &str, known: &[(&str, T)]) -> Option<T> {
    let text = reader.words(node, what)?;
    let found = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        reader.error("unknown-value", node.at, format!("`{what}` is `{text}`"), suggestion(&text, &words));
    }
    found
}

fn identifier<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    what: &str,
    parse: impl Fn(&str) -> Result<T, InvalidId>,
) -> Option<T> {
    let text = reader.words(node, what)?;
    match parse(&text) {
        Ok(id) => Some(id),
        Err(error) => {
            reader.error("invalid-name", node.at, error.to_string(), "correct it, in quotes if it begins with @");
            None
        }
    }
}

fn each<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    what: &str,
    parse: impl Fn(&str) -> Result<T, InvalidId>,
) -> Option<Vec<T>> {
    let items = reader.list(node, what)?;
    let read: Vec<Option<T>> = items.iter().map(|item| identifier(reader, item, what, &parse)).collect();
    read.into_iter().collect()
}

fn logins(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<Login>> {
    each(reader, node, what, Login::parse)
}
