//! Judges what a branch requires before a merge: our two checks, from our app alone, and nobody past them. Asks nobody.

use super::here::FileSeen;
use super::{Finding, Part, Sheet, Trouble, some};

/// Most names in a line.
const MOST_NAMES: usize = 5;

/// A check that a branch requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// Its name.
    pub name: String,
    /// The only app that may report it; `None` for anybody.
    pub app: Option<u64>,
    /// What requires it, as in `ruleset 7` or `branch protection`.
    pub by: String,
}

/// What the rules of a branch say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RulesSeen {
    /// Required checks, from rulesets and from branch protection.
    pub required: Vec<Required>,
    /// Who demands that a branch is up to date before it is merged.
    pub strict: Vec<String>,
    /// Whether there is a merge queue.
    pub has_queue: bool,
    /// Whether any of it comes from a ruleset.
    pub has_ruleset: bool,
    /// Who may pass by a ruleset, as far as GitHub shows it: `None` where it does not.
    pub bypass: Option<Vec<String>>,
    /// Whether branch protection lets administrators pass.
    pub is_lax: bool,
    /// What could not be seen, each with why.
    pub unseen: Vec<String>,
}

/// A branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchSeen {
    /// Its name.
    pub name: String,
    /// Its rules; `None` if there is no such branch.
    pub rules: Result<Option<RulesSeen>, Trouble>,
}

/// All facts about a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryFacts {
    /// `owner/name`.
    pub name: String,
    /// Our app.
    pub app: u64,
    /// Whether the app listens to merge groups; `None` where that is not known.
    pub hears_queue: Option<bool>,
    /// Its settings on the default branch.
    pub settings: Result<FileSeen<()>, Trouble>,
    /// The default branch, and the one that was asked for.
    pub branches: Vec<BranchSeen>,
}

/// What to say of these facts.
#[must_use]
pub fn judge(facts: &RepositoryFacts) -> Vec<Finding> {
    let mut sheet = Sheet::new(Part::Repository);
    match &facts.settings {
        Ok(FileSeen::Ready(())) => sheet.ok("settings", format!("{} has settings on its default branch", facts.name)),
        Ok(FileSeen::Missing) => sheet.warning(
            "settings",
            format!(
                "{} has no settings on its default branch: without an organisation's the gate is silent",
                facts.name
            ),
            "merge a .github/promptops.yml, for instance that of `promptops init`",
        ),
        Ok(FileSeen::Broken(lines)) => {
            for line in lines.iter().take(MOST_NAMES) {
                sheet.problem("settings", format!("{}: {line}", facts.name), "mend it in a pull request");
            }
        }
        Err(trouble) => sheet.failed("settings", trouble),
    }
    for branch in &facts.branches {
        match &branch.rules {
            Err(trouble) => sheet.failed("rules", trouble),
            Ok(None) => sheet.problem(
                "rules",
                format!("{} has no branch `{}`", facts.name, branch.name),
                "check the name that `--branch` gives",
            ),
            Ok(Some(rules)) => self::branch(&mut sheet, facts, &branch.name, rules),
        }
    }
    sheet.finish()
}

fn branch(sheet: &mut Sheet, facts: &RepositoryFacts, branch: &str, rules: &RulesSeen) {
    for what in ["evaluation", "approval"] {
        required(sheet, facts.app, &format!("promptops/{what}: {branch}"), branch, &rules.required);
    }
    if !rules.strict.is_empty() {
        sheet.warning(
            "strict",
            format!("{} wants branches up to date before a merge into {branch}", some(&rules.strict, MOST_NAMES)),
            "nothing breaks, but each merge makes all others update and run again: a merge queue costs less",
        );
    }
    if rules.has_queue {
        match facts.hears_queue {
            Some(false) => sheet.problem(
                "merge-queue",
                format!(
                    "{branch} has a merge queue, and the app does not listen to `merge_group`: groups wait for ever"
                ),
                "grant the app Merge queues: read, and tick Merge group under Permissions & events",
            ),
            Some(true) => sheet.ok("merge-queue", format!("{branch} has a merge queue, and the app hears its groups")),
            None => sheet.skipped("merge-queue", "the app's events could not be seen"),
        }
    }
    bypass(sheet, branch, rules);
    for why in &rules.unseen {
        sheet.skipped("protection", format!("{branch}: {why}"));
    }
}

fn bypass(sheet: &mut Sheet, branch: &str, rules: &RulesSeen) {
    match &rules.bypass {
        _ if !rules.has_ruleset => {}
        None => {
            let why = "GitHub shows who may bypass a ruleset only to those who may edit it; look at it in the settings";
            sheet.skipped("bypass", format!("{branch}: {why}"));
        }
        Some(people) if people.is_empty() => sheet.ok("bypass", format!("nobody may bypass the rulesets of {branch}")),
        Some(people) => sheet.warning(
            "bypass",
            format!("the rulesets of {branch} may be bypassed by {}", some(people, MOST_NAMES)),
            "take them off the bypass list: an override leaves a trace, a bypass does not",
        ),
    }
    if rules.is_lax {
        sheet.warning(
            "bypass",
            format!("administrators may merge into {branch} past its branch protection"),
            "tick “Do not allow bypassing the above settings” there: an override leaves a trace, a bypass does not",
        );
    }
}

fn required(sheet: &mut Sheet, app: u64, name: &str, branch: &str, all: &[Required]) {
    const CHECK: &str = "required-check";
    // GitHub compares names of checks without regard to case.
    let ours: Vec<&Required> = all.iter().filter(|one| one.name.eq_ignore_ascii_case(name)).collect();
    if ours.is_empty() {
        return sheet.problem(
            CHECK,
            format!("`{name}` is not required: {branch} can be merged into without it"),
            format!("add it to the required checks of a ruleset for {branch}, with the app {app} as its source"),
        );
    }
    for one in &ours {
        if let Some(other) = one.app.filter(|other| *other != app) {
            sheet.problem(
                CHECK,
                format!("{} wants `{name}` from the app {other}, which is not ours: it never comes", one.by),
                format!("choose the app {app} as its source"),
            );
        }
    }
    match ours.iter().find(|one| one.app == Some(app)) {
        Some(one) => sheet.ok(CHECK, format!("`{name}` is required by {} from our app", one.by)),
        None => {
            for one in ours.iter().filter(|one| one.app.is_none()) {
                sheet.problem(
                    CHECK,
                    format!("{} requires `{name}` from anybody: every workflow's token can write it", one.by),
                    format!("choose the app {app} as its source"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::has;
    use super::*;

    const EVALUATION: &str = "promptops/evaluation: main";
    const APPROVAL: &str = "promptops/approval: main";

    fn from(name: &str, app: Option<u64>) -> Required {
        Required { name: name.to_owned(), app, by: "ruleset 7".to_owned() }
    }

    fn check(rules: RulesSeen, hears_queue: Option<bool>, expected: &str) {
        let branches = vec![BranchSeen { name: "main".to_owned(), rules: Ok(Some(rules)) }];
        let settings = Ok(FileSeen::Ready(()));
        has(&judge(&RepositoryFacts { name: "acme/p".to_owned(), app: 5, hears_queue, settings, branches }), expected);
    }

    fn required(all: &[(&str, Option<u64>)], expected: &str) {
        let required = all.iter().map(|(name, app)| from(name, *app)).collect();
        check(RulesSeen { required, ..RulesSeen::default() }, None, expected);
    }

    #[test]
    fn both_checks_are_required_of_our_app() {
        let fine = [(EVALUATION, Some(5)), (APPROVAL, Some(5))];
        required(&fine, "ok required-check: `promptops/evaluation: main` is required by ruleset 7 from our app");
        required(&fine, "ok required-check: `promptops/approval: main` is required by ruleset 7 from our app");
        required(&fine[..1], "problem required-check: `promptops/approval: main` is not required");
        required(
            &[(APPROVAL, None)],
            "problem required-check: ruleset 7 requires `promptops/approval: main` from anybody",
        );
        required(
            &[(APPROVAL, Some(6))],
            "problem required-check: ruleset 7 wants `promptops/approval: main` from the app 6",
        );
    }

    #[test]
    fn queues_strictness_and_bypasses_are_named() {
        let queue = || RulesSeen { has_queue: true, ..RulesSeen::default() };
        check(queue(), Some(false), "problem merge-queue: main has a merge queue, and the app does not listen");
        check(queue(), Some(true), "ok merge-queue");
        check(queue(), None, "skipped merge-queue");
        let strict = RulesSeen { strict: vec!["ruleset 7".to_owned()], ..RulesSeen::default() };
        check(strict, None, "warning strict: ruleset 7 wants branches up to date");
        let ruleset = |people: Option<&[&str]>| {
            let bypass = people.map(|people| people.iter().map(|one| (*one).to_owned()).collect());
            RulesSeen { has_ruleset: true, bypass, ..RulesSeen::default() }
        };
        check(ruleset(None), None, "skipped bypass: main: GitHub shows who may bypass");
        check(ruleset(Some(&[])), None, "ok bypass");
        let some = ruleset(Some(&["team 3"]));
        check(some, None, "warning bypass: the rulesets of main may be bypassed by team 3");
        let lax = RulesSeen { is_lax: true, ..RulesSeen::default() };
        check(lax, None, "warning bypass: administrators may merge into main past its branch protection");
        let unseen = RulesSeen { unseen: vec!["no permission".to_owned()], ..RulesSeen::default() };
        check(unseen, None, "skipped protection: main: no permission");
    }
}
