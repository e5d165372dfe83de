//! GitHub's own examples, and what must not pass for "nobody owns it".

use proptest::prelude::*;

use super::*;

fn path(text: &str) -> PromptPath {
    PromptPath::parse(text).unwrap()
}

fn read_text(text: &str, changed: &str) -> CodeOwnerFacts {
    facts(&path(".github/CODEOWNERS"), text.as_bytes(), [&path(changed)])
}

/// The owners of one path, with spaces between; or the problem.
fn check(text: &str, changed: &str, expected: &str) {
    let found = read_text(text, changed);
    let owners = found.owned.iter().flat_map(|owned| &owned.owners).map(ToString::to_string);
    let said: Vec<String> = owners.chain(found.problems.iter().cloned()).collect();
    assert_eq!(said.join(" "), expected, "{changed} in {text}");
}

const EXAMPLE: &str = "\
# The owners of everything.
*       @global-1 @global-2
*.js    @js-owner #This is an inline comment.
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/*  @docs
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @logs
/apps2/ @octocat
/apps2/github
";

#[test]
fn the_last_line_that_matches_counts() {
    check(EXAMPLE, "README", "@global-1 @global-2");
    check(EXAMPLE, "deep/er/a.js", "@js-owner");
    check(EXAMPLE, "a.txt", "@octo-org/octocats");
    check(EXAMPLE, "apps/a.js", "@octocat");
    check(EXAMPLE, "deep/apps/x/y.js", "@octocat");
    check(EXAMPLE, "docs/a/b.md", "@doctocat");
    check(EXAMPLE, "deep/docs/b.md", "@global-1 @global-2");
    check(EXAMPLE, "build/logs/x", "@logs");
    check(EXAMPLE, "scripts/x", "@doctocat @octocat");
    check(EXAMPLE, "apps2/x", "@octocat");
    check(EXAMPLE, "apps2/github/x", "");
}

#[test]
fn a_pattern_is_tied_to_the_root_by_a_slash_that_is_not_at_its_end() {
    check("docs/* @a", "docs/x.md", "@a");
    check("docs/* @a", "docs/x/y.md", "");
    check("docs/* @a", "b/docs/x.md", "");
    check("docs @a", "b/docs/x.md", "@a");
    check("docs @a", "b/docs", "@a");
    check("docs/ @a", "b/docs", "");
    check("/docs @a", "b/docs/x.md", "");
    check("a/**/z @a", "a/z", "@a");
    check("a/**/z @a", "a/b/c/z/inside", "@a");
    check("a/** @a", "a/b/c", "@a");
    check("a/** @a", "a", "");
    check("** @a", "x/y", "@a");
    check("/* @a", "x", "@a");
    check("/* @a", "x/y", "");
    check("a?c.md @a", "abc.md", "@a");
    check("a?c.md @a", "a/c.md", "");
    check("*.prompt.* @a", "x/y.prompt.yml", "@a");
    check("my\\ prompts/ @a", "my prompts/x", "@a");
    check("Docs/ @a", "docs/x", "");
}

#[test]
fn a_line_that_cannot_be_read_is_not_passed_over() {
    let range = ".github/CODEOWNERS:2 on the base branch: `[ab].md` has a range of characters, which CODEOWNERS does not \
                 know, so nobody can say whom it means: write another pattern there";
    check("* @a\n[ab].md @b\n", "a.md", range);
    check("[ab].md @b\n* @a\n", "a.md", "@a");
    for pattern in ["!a.md", "a//b", "/", "a**b", "\\#a"] {
        let found = read_text(&format!("* @a\n{pattern} @b\n"), "a.md");
        assert!(found.owned.is_empty() && found.problems[0].starts_with(".github/CODEOWNERS:2 "), "{found:?}");
    }
    let mail = ".github/CODEOWNERS:2 on the base branch: the owner `ann@acme.example` is an e-mail address, which nobody \
                can be asked by: write @user or @org/team there";
    check("* @a\n*.md ann@acme.example\n", "a.md", mail);
    check("* @a\n*.md ann@acme.example\n", "a.txt", "@a");
    check(
        "a.md mara",
        "a.md",
        ".github/CODEOWNERS:1 on the base branch: `mara` is no owner: write @user or @org/team there",
    );
    assert!(facts(&path("CODEOWNERS"), b"* @a\xe9", [&path("a")]).problems[0].contains("UTF-8"));
}

#[test]
fn files_with_the_same_owners_are_told_together() {
    let changed = [path("a.md"), path("b.txt"), path("c.md")];
    let found = facts(&path("CODEOWNERS"), b"*.md @b @A\r\n*.txt @a @b\r\n", &changed);
    assert_eq!((found.owned.len(), found.owned[0].paths.len()), (1, 3));
}

proptest! {
    #[test]
    fn no_text_panics(text in "[a-z*?/#@!\\[\\]\\\\ \\n.]{0,120}", changed in "[a-z]{1,3}(/[a-z.]{1,3}){0,3}") {
        if let Ok(changed) = PromptPath::parse(&changed) {
            let found = facts(&path("CODEOWNERS"), text.as_bytes(), [&changed]);
            prop_assert!(found.owned.iter().all(|owned| !owned.owners.is_empty() && !owned.paths.is_empty()));
        }
    }

    #[test]
    fn a_path_as_it_is_matches_itself_and_what_is_inside(changed in "[a-z]{1,3}(/[a-z]{1,3}){0,3}") {
        let glob = Glob::parse(&format!("/{changed}")).unwrap();
        prop_assert!(glob.matches(&Names::of(&changed)));
        let inside = format!("{changed}/x");
        let beside = format!("{changed}x");
        prop_assert!(glob.matches(&Names::of(&inside)));
        prop_assert!(!glob.matches(&Names::of(&beside)));
    }

    #[test]
    fn a_line_at_the_end_that_means_everything_settles_it(text in "[a-z*?/\\[ @\\n.]{0,80}", changed in "[a-z]{1,3}(/[a-z]{1,3}){0,2}") {
        check(&format!("{text}\n* @last"), &changed, "@last");
    }
}
