use proptest::prelude::*;

use super::*;
use crate::domain::settings;

const SETTINGS: &str = r#"
prompts: { include: ["prompts/**"] }
roles: { leads: ["@acme/leads"], reviewers: ["@acme/reviewers", "@zoe"] }
approval:
  - name: reviewer
    require: { count: 1, from: [reviewers] }
  - name: keeper
    when: { changes: [golden_set, policy] }
    require: { count: 1, from: [leads] }
  - name: waiver
    when: { verdict: [regression] }
    require: { count: 1, from: [leads] }
"#;

const PEOPLE: &str = "teams: { \"@acme/leads\": [\"@lee\"], \"@acme/reviewers\": [\"@mara\", ann] }\n";

fn path() -> PromptPath {
    PromptPath::parse(TESTS_PATH).unwrap()
}

fn outcomes(tests: &str) -> Vec<Outcome> {
    let settings_path = PromptPath::parse(settings::SETTINGS_PATH).unwrap();
    let settings = settings::parse(&settings_path, SETTINGS.as_bytes()).unwrap().value;
    let file = parse(&path(), tests.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?}")).value;
    run(&file, &settings).unwrap()
}

/// What is found where one test has this pull request, these reviews and verdict, and expectation.
fn check(rest: &str, expected: &[&str]) {
    let text = format!("{PEOPLE}tests:\n  - name: a\n    {}\n", rest.replace('\n', "\n    "));
    assert_eq!(outcomes(&text)[0].differences, expected, "{rest}");
}

const PULL: &str = "pull: { author: \"@ann\", changes: [prompts/a.prompt.yml] }\n";

#[test]
fn a_decision_that_is_the_expected_one_leaves_nothing_to_say() {
    check(
        &format!("{PULL}expect: {{ approval: waiting, rules: {{ keeper: does_not_apply, reviewer: waiting }} }}"),
        &[],
    );
    let approved = "reviews: [{ by: \"@mara\", state: approved }]\n";
    check(&format!("{PULL}{approved}verdict: pass\nexpect: {{ approval: satisfied, evaluation: passes }}"), &[]);
    check(&format!("{PULL}{approved}verdict: regression\nexpect: {{ approval: waiting, evaluation: blocked }}"), &[]);
    let both = "reviews: [{ by: mara, state: approved }, { by: lee, state: approved }]\n";
    check(&format!("{PULL}{both}verdict: regression\nexpect: {{ approval: satisfied, evaluation: passes }}"), &[]);
    let requested = "reviews: [{ by: \"@zoe\", state: changes_requested }]\n";
    check(&format!("{PULL}{requested}expect: {{ approval: changes_requested }}"), &[]);
}

#[test]
fn code_owners_are_those_of_the_repositorys_file() {
    let rule = "approval: [{ name: owners, require: { from: [codeowners] } }]";
    let settings_path = PromptPath::parse(settings::SETTINGS_PATH).unwrap();
    let settings = settings::parse(&settings_path, rule.as_bytes()).unwrap().value;
    let approved = "reviews: [{ by: \"@zoe\", state: approved }]";
    let text = format!("tests:\n  - name: a\n    {PULL}    {approved}\n    expect: {{ approval: satisfied }}\n");
    let mut file = parse(&path(), text.as_bytes()).unwrap().value;
    let passes = |file: &TestFile| run(file, &settings).unwrap()[0].passed();
    assert!(!passes(&file), "without the file nobody knows");
    let owners = |text: &str| Some((PromptPath::parse("CODEOWNERS").unwrap(), text.as_bytes().to_vec()));
    file.people.code_owners = owners("prompts/ @zoe\n");
    assert!(passes(&file));
    file.people.code_owners = owners("prompts/ @lee\n");
    assert!(!passes(&file));
}

#[test]
fn paths_are_what_the_settings_make_of_them_unless_a_kind_is_given() {
    for (changes, stands) in [
        ("[prompts/a.golden.yml]", "waiting"),
        ("[.github/promptops.yml]", "waiting"),
        ("[README.md]", "does_not_apply"),
        ("{ prompts/a.prompt.yml: [prompt, golden_set] }", "waiting"),
        ("{ prompts/a.prompt.yml: }", "does_not_apply"),
        ("{ elsewhere/notes.txt: golden_set }", "waiting"),
    ] {
        check(
            &format!("pull: {{ author: ann, changes: {changes} }}\nexpect: {{ rules: {{ keeper: {stands} }} }}"),
            &[],
        );
    }
}

#[test]
fn who_may_not_approve_does_not() {
    for reviews in [
        "[{ by: ann, state: approved }]",
        "[{ by: mara, state: approved, at: outdated }]",
        "[{ by: mara, state: approved }, { by: mara, state: dismissed }]",
        "[{ by: stranger, state: approved }]",
        "[{ by: mara, state: commented }]",
    ] {
        check(&format!("{PULL}reviews: {reviews}\nexpect: {{ approval: waiting }}"), &[]);
    }
    let by_mara = "pull: { author: ann, changes: [prompts/a.prompt.yml], commits_by: [ann, mara] }\n";
    check(&format!("{by_mara}reviews: [{{ by: mara, state: approved }}]\nexpect: {{ approval: waiting }}"), &[]);
    let unknown = "pull: { author: ann, changes: [prompts/a.prompt.yml], commits_by: [unknown] }\n";
    check(&format!("{unknown}expect: {{ approval: undecidable }}"), &[]);
}

#[test]
fn a_difference_says_what_was_decided_and_why() {
    check(
        &format!(
            "{PULL}verdict: regression\nexpect: {{ approval: satisfied, evaluation: passes, rules: {{ reviewer: satisfied, keper: waiting }} }}"
        ),
        &[
            "approval: expected satisfied, got waiting: Waiting for 1 of reviewers (@acme/reviewers, @zoe) (rule “reviewer”); 1 of leads (@acme/leads) (rule “waiver”).",
            "evaluation: expected passes, got blocked: no satisfied rule names its verdict",
            "rule `reviewer`: expected satisfied, got waiting: reviewer: waits for 1 of reviewers (@acme/reviewers, @zoe).",
            "no rule is named `keper`; did you mean `keeper`?",
        ],
    );
}

#[test]
fn a_team_that_is_not_listed_cannot_be_read_and_a_difference_says_so() {
    let test = "tests:\n  - name: a\n    pull: { author: ann, changes: [prompts/a.prompt.yml] }\n    reviews: [{ by: mara, state: approved }]\n    expect: { approval: satisfied }\n";
    let found = &outcomes(test)[0].differences;
    assert!(found[0].starts_with("approval: expected satisfied, got undecidable: team @acme/reviewers cannot be read"));
    assert!(found[1].starts_with("@acme/reviewers is not listed under `teams`"), "{found:?}");
    let unreadable =
        format!("teams: {{ \"@acme/reviewers\": unreadable }}\n{}", test.replace("satisfied }", "undecidable }"));
    assert_eq!(outcomes(&unreadable)[0].differences, Vec::<String>::new());
}

/// Each error as `line:column code: message`.
fn refused(text: &str, expected: &[&str]) {
    let found = parse(&path(), text.as_bytes()).unwrap_err();
    let said = found.iter().map(|one| {
        let at = one.location.unwrap();
        assert!(one.help.is_some());
        format!("{}:{} {}: {}", at.line, at.column, one.code, one.message)
    });
    assert_eq!(said.collect::<Vec<_>>(), expected, "{text}");
}

#[test]
fn mistakes_are_named_at_their_place() {
    refused(
        "tests:\n  - nam: a\n",
        &[
            "2:5 unknown-key: unknown key `nam` in a test",
            "2:5 missing-key: a test needs `name`",
            "2:5 missing-key: a test needs `expect`",
            "2:5 missing-key: it needs `pull`",
        ],
    );
    let pull = "pull: { author: ann, changes: [a.prompt.yml] }";
    refused(
        &format!("tests:\n  - name: a\n    {pull}\n    expect: {{}}\n"),
        &["4:13 empty-expect: `expect` expects nothing"],
    );
    refused(
        &format!("tests:\n  - name: a\n    {pull}\n    verdict: good\n    expect: {{ approval: fine }}\n"),
        &["4:14 unknown-value: `verdict` is `good`", "5:25 unknown-value: `approval` is `fine`"],
    );
    let one = format!("  - {{ name: a, {pull}, expect: {{ approval: waiting }} }}\n");
    refused(&format!("tests:\n{one}{one}"), &["3:5 duplicate-name: two tests are named `a`"]);
    refused(
        "teams: { leads: [lee] }\ntests: []\n",
        &["1:10 invalid-team: `leads` is not a valid team: write it as @org/team"],
    );
    refused("teams: {}\n", &["1:1 missing-key: the file has no `tests`"]);
}

#[test]
fn facts_are_a_test_without_name_and_expectation() {
    let text = format!("{PEOPLE}{PULL}reviews: []\nverdict: pass\n");
    let (people, scenario) = parse_facts(&path(), text.as_bytes()).unwrap().value;
    assert_eq!((people.teams.len(), scenario.verdict), (2, Some(Verdict::Pass)));
    assert!(parse_facts(&path(), format!("{text}expect: {{}}\n").as_bytes()).is_err());
}

proptest! {
    #[test]
    fn no_text_panics(text in "[a-z:{}\\[\\]@/\", \n-]{0,200}") {
        let _ = parse(&path(), text.as_bytes());
        let _ = parse_facts(&path(), text.as_bytes());
    }
}
