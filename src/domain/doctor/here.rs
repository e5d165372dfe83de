//! Judges the folder the command was called in: Git, settings, policy tests, prompts, golden sets, cache. Reads no file.

use super::{Finding, Part, Sheet, count, some};
use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::policy_tests::TESTS_PATH;
use crate::domain::settings::SETTINGS_PATH;

/// The oldest Git whose commands do what is asked of them (`ls-files --deduplicate`).
const OLDEST_GIT: (u32, u32) = (2, 31);
/// Most findings of one kind that are told each by itself.
const MOST_LINES: usize = 10;
/// Most names in a line.
const MOST_NAMES: usize = 5;

/// What was seen of Git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitSeen {
    /// The binary does not run.
    NotRunnable,
    /// What it says of its version.
    Version(String),
}

/// What was seen of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepositorySeen {
    /// There is none.
    None,
    /// There is one.
    There {
        /// Part of the history is missing.
        is_shallow: bool,
        /// No branch is checked out.
        is_detached: bool,
    },
}

/// A file that may be missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSeen<T> {
    /// It is not there.
    Missing,
    /// It is wrong, each finding in one line.
    Broken(Vec<String>),
    /// It can be used.
    Ready(T),
}

/// The policy's tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestsSeen {
    /// How many there are.
    pub all: usize,
    /// The names of those that fail.
    pub failed: Vec<String>,
}

/// Prompts and golden sets, as lint sees them.
#[derive(Debug, Clone, Default)]
pub struct PromptsSeen {
    /// Prompt files by format.
    pub formats: Vec<(&'static str, usize)>,
    /// The patterns of `prompts.include`; empty for every file in a known format.
    pub include: Vec<String>,
    /// Files in a known format that no pattern covers.
    pub not_covered: usize,
    /// Everything lint finds.
    pub findings: Vec<Diagnostic>,
}

/// Where answers are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheSeen {
    /// Nowhere: no variable names a folder.
    Nowhere,
    /// In a folder that can be written.
    Writable(String),
    /// In a folder that cannot.
    NotWritable(String, String),
}

/// All facts.
#[derive(Debug, Clone)]
pub struct HereFacts {
    /// The binary.
    pub git: GitSeen,
    /// The repository.
    pub repository: RepositorySeen,
    /// The repository's settings.
    pub settings: FileSeen<()>,
    /// The policy's tests.
    pub tests: FileSeen<TestsSeen>,
    /// Prompts; what is wrong where they could not be looked for.
    pub prompts: Result<PromptsSeen, String>,
    /// The user's `promptops.toml`: its providers' number, or what is wrong with it.
    pub toml: FileSeen<String>,
    /// The cache.
    pub cache: CacheSeen,
}

/// What to say of these facts.
#[must_use]
pub fn judge(facts: &HereFacts) -> Vec<Finding> {
    let mut sheet = Sheet::new(Part::Here);
    git(&mut sheet, facts);
    settings(&mut sheet, facts);
    tests(&mut sheet, &facts.tests);
    match &facts.prompts {
        Ok(seen) => prompts(&mut sheet, seen),
        Err(why) => sheet.problem("prompts", why, "mend that, then run this again"),
    }
    match &facts.toml {
        FileSeen::Missing => {
            sheet.skipped("provider-settings", "there is no promptops.toml; the vendors' own variables count")
        }
        FileSeen::Broken(lines) => {
            sheet.problem("provider-settings", lines.join("; "), "mend it; no provider is set up while it is wrong");
        }
        FileSeen::Ready(what) => sheet.ok("provider-settings", what),
    }
    match &facts.cache {
        CacheSeen::Nowhere => sheet.warning(
            "cache",
            "answers are not kept between runs: no folder is known",
            "set PROMPTOPS_CACHE_DIR or HOME",
        ),
        CacheSeen::Writable(folder) => sheet.ok("cache", format!("answers are kept in `{folder}`")),
        CacheSeen::NotWritable(folder, why) => sheet.problem(
            "cache",
            format!("`{folder}` cannot be written: {why}"),
            "make it writable, or set PROMPTOPS_CACHE_DIR to another folder",
        ),
    }
    sheet.finish()
}

fn git(sheet: &mut Sheet, facts: &HereFacts) {
    match &facts.git {
        GitSeen::NotRunnable => {
            return sheet.problem("git", "the git binary cannot be run", "install Git and put it on PATH");
        }
        GitSeen::Version(text) => match version(text) {
            Some(found) if found >= OLDEST_GIT => sheet.ok("git", text),
            Some(_) => {
                let oldest = format!("{}.{}", OLDEST_GIT.0, OLDEST_GIT.1);
                sheet.problem("git", format!("{text} is too old"), format!("install Git {oldest} or newer"));
            }
            None => sheet.warning("git", format!("`{text}` names no version"), "check which `git` is on PATH"),
        },
    }
    match facts.repository {
        RepositorySeen::None => sheet.warning(
            "repository",
            "this folder is in no Git repository, so nothing can be compared with a base",
            "run `git init`, or run this in the repository's folder",
        ),
        RepositorySeen::There { is_shallow, is_detached } => {
            let detached = if is_detached { ", no branch is checked out" } else { "" };
            sheet.ok("repository", format!("in a Git repository{detached}"));
            if is_shallow {
                sheet.warning(
                    "history",
                    "the clone is shallow, so a base revision may be missing",
                    "run `git fetch --unshallow`; with actions/checkout set `fetch-depth: 0`",
                );
            } else {
                sheet.ok("history", "the clone is complete");
            }
        }
    }
}

/// `git version 2.39.5 (Apple Git-154)` → (2, 39).
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(2)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn settings(sheet: &mut Sheet, facts: &HereFacts) {
    match &facts.settings {
        FileSeen::Missing => sheet.warning(
            "settings",
            format!(
                "there is no {SETTINGS_PATH}: defaults count here, and the service stays silent in this repository"
            ),
            "run `promptops init`; an organisation may have one for all in its `.github` repository",
        ),
        FileSeen::Broken(lines) => {
            for line in lines.iter().take(MOST_LINES) {
                sheet.problem("settings", line, "mend it: `promptops lint` shows the place");
            }
        }
        FileSeen::Ready(()) => sheet.ok("settings", SETTINGS_PATH),
    }
}

fn tests(sheet: &mut Sheet, tests: &FileSeen<TestsSeen>) {
    match tests {
        FileSeen::Missing => sheet.skipped("policy-tests", format!("there is no {TESTS_PATH}")),
        FileSeen::Broken(lines) => {
            for line in lines.iter().take(MOST_LINES) {
                sheet.problem("policy-tests", line, "mend it: `promptops policy test` shows the place");
            }
        }
        FileSeen::Ready(TestsSeen { all, failed }) if failed.is_empty() => {
            sheet.ok("policy-tests", format!("{} passed", count(*all, "test")));
        }
        FileSeen::Ready(TestsSeen { failed, .. }) => sheet.problem(
            "policy-tests",
            format!("{} failed: {}", count(failed.len(), "test"), some(failed, MOST_NAMES)),
            "run `promptops policy test` for the differences",
        ),
    }
}

fn prompts(sheet: &mut Sheet, seen: &PromptsSeen) {
    let all: usize = seen.formats.iter().map(|(_, number)| number).sum();
    if all == 0 {
        let (message, advice) = match seen.include.as_slice() {
            [] => (
                "no prompt files were found".to_owned(),
                "run `promptops init`, or see docs/reference.md for the formats",
            ),
            patterns => (
                format!(
                    "`prompts.include` ({}) matches no prompt file; {} outside it",
                    some(patterns, MOST_NAMES),
                    match seen.not_covered {
                        1 => "1 is".to_owned(),
                        number => format!("{number} are"),
                    }
                ),
                "correct `prompts.include` in .github/promptops.yml",
            ),
        };
        return sheet.problem("prompts", message, advice);
    }
    let formats: Vec<String> = seen.formats.iter().map(|(name, number)| format!("{number} {name}")).collect();
    sheet.ok("prompts", format!("{}: {}", count(all, "prompt file"), formats.join(", ")));
    let of = |code: &str| -> Vec<&Diagnostic> { seen.findings.iter().filter(|finding| finding.code == code).collect() };
    let paths = |findings: &[&Diagnostic]| {
        let mut paths: Vec<&str> = findings.iter().map(|finding| finding.path.as_str()).collect();
        paths.dedup();
        some(&paths, MOST_NAMES)
    };
    let errors: Vec<&Diagnostic> = seen.findings.iter().filter(|one| one.severity == Severity::Error).collect();
    golden_sets(sheet, &of("no-golden-set"), &of("golden-set-too-small"), errors.is_empty(), &paths);
    let unknown = of("unknown-key");
    each(sheet, "unknown-keys", &unknown, false);
    match errors.as_slice() {
        [] => sheet.ok("files", "every prompt and golden set can be used"),
        errors => each(sheet, "files", errors, true),
    }
    let told = ["no-golden-set", "golden-set-too-small", "unknown-key"];
    let rest =
        seen.findings.iter().filter(|one| one.severity == Severity::Warning && !told.contains(&one.code.as_str()));
    match rest.count() {
        0 => {}
        more => sheet.warning("lint", count(more, "more warning"), "run `promptops lint` to see them"),
    }
}

fn golden_sets(
    sheet: &mut Sheet,
    none: &[&Diagnostic],
    small: &[&Diagnostic],
    all_usable: bool,
    paths: &dyn Fn(&[&Diagnostic]) -> String,
) {
    if !none.is_empty() {
        sheet.warning(
            "golden-sets",
            format!("{} without a golden set: {}", count(none.len(), "prompt"), paths(none)),
            "add a `.golden.yml` beside each: what has none is not measured",
        );
    }
    if let [first, ..] = small {
        sheet.warning(
            "golden-set-size",
            format!("{} too small for the margin: {}", count(small.len(), "golden set"), paths(small)),
            format!("{}: {}", first.message, first.help.as_deref().unwrap_or("add cases")),
        );
    }
    if !all_usable {
        sheet.skipped("golden-sets", "files that cannot be used were not looked at");
    } else if none.is_empty() && small.is_empty() {
        sheet.ok("golden-sets", "every prompt has a golden set large enough for the margin");
    }
}

/// The first few findings, each in a line.
fn each(sheet: &mut Sheet, check: &'static str, findings: &[&Diagnostic], is_problem: bool) {
    for finding in findings.iter().take(MOST_LINES) {
        let (line, help) = (line(finding), finding.help.clone().unwrap_or_else(|| "mend the file".to_owned()));
        if is_problem { sheet.problem(check, line, help) } else { sheet.warning(check, line, help) }
    }
    if findings.len() > MOST_LINES {
        let line = format!("{} more of these", findings.len() - MOST_LINES);
        let help = "run `promptops lint` to see all";
        if is_problem { sheet.problem(check, line, help) } else { sheet.warning(check, line, help) }
    }
}

/// A finding with its place, in one line.
#[must_use]
pub fn line(finding: &Diagnostic) -> String {
    match finding.location {
        Some(at) => format!("{}:{}:{}: {}", finding.path, at.line, at.column, finding.message),
        None => format!("{}: {}", finding.path, finding.message),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::has;
    use super::*;
    use crate::domain::ids::PromptPath;

    fn fine() -> HereFacts {
        HereFacts {
            git: GitSeen::Version("git version 2.39.5".to_owned()),
            repository: RepositorySeen::There { is_shallow: false, is_detached: false },
            settings: FileSeen::Ready(()),
            tests: FileSeen::Ready(TestsSeen { all: 2, failed: Vec::new() }),
            prompts: Ok(PromptsSeen { formats: vec![(".prompt.yml", 2)], ..PromptsSeen::default() }),
            toml: FileSeen::Missing,
            cache: CacheSeen::Writable("/c".to_owned()),
        }
    }

    fn check(facts: &HereFacts, expected: &str) {
        has(&judge(facts), expected);
    }

    #[test]
    fn what_is_fine_is_said_to_be() {
        for expected in [
            "ok git: git version 2.39.5",
            "ok history: the clone is complete",
            "ok policy-tests: 2 tests passed",
            "ok prompts: 2 prompt files: 2 .prompt.yml",
            "ok golden-sets: every",
            "skipped provider-settings: there is no promptops.toml",
        ] {
            check(&fine(), expected);
        }
    }

    #[test]
    fn git_has_to_be_there_and_new_enough() {
        let with = |git| HereFacts { git, ..fine() };
        check(&with(GitSeen::NotRunnable), "problem git: the git binary cannot be run");
        check(&with(GitSeen::Version("git version 2.25.1".into())), "problem git: git version 2.25.1 is too old");
        check(&with(GitSeen::Version("hello".into())), "warning git: `hello` names no version");
        check(&with(GitSeen::Version("git version 2.50.1.windows.1".into())), "ok git");
    }

    #[test]
    fn findings_of_lint_are_grouped() {
        let at =
            |code: &str, path: &str| Diagnostic::error(code, &PromptPath::parse(path).unwrap(), "said").with_help("do");
        let findings = vec![
            at("no-golden-set", "a.prompt.yml").into_warning(),
            at("golden-set-too-small", "b.golden.yml").into_warning(),
            at("unknown-key", "c.prompt.yml").into_warning(),
            at("unused-golden-set", "d.golden.yml").into_warning(),
            at("syntax", "e.prompt.yml"),
        ];
        let seen = PromptsSeen { formats: vec![(".prompt.yml", 3)], findings, ..PromptsSeen::default() };
        let facts = HereFacts { prompts: Ok(seen), ..fine() };
        check(&facts, "warning golden-sets: 1 prompt without a golden set: a.prompt.yml");
        check(&facts, "warning golden-set-size: 1 golden set too small for the margin: b.golden.yml");
        check(&facts, "warning unknown-keys: c.prompt.yml: said");
        check(&facts, "problem files: e.prompt.yml: said");
        check(&facts, "skipped golden-sets: files that cannot be used");
        check(&facts, "warning lint: 1 more warning");
    }

    #[test]
    fn an_include_that_matches_nothing_is_a_problem() {
        let seen = PromptsSeen { include: vec!["prmpts/**".to_owned()], not_covered: 3, ..PromptsSeen::default() };
        let facts = HereFacts { prompts: Ok(seen), ..fine() };
        check(&facts, "problem prompts: `prompts.include` (prmpts/**) matches no prompt file; 3 are outside it");
    }
}
