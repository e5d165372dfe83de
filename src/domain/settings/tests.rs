mod policy;

use proptest::prelude::*;

use super::*;
use crate::domain::gate::Verdict;
use crate::domain::ids::{Login, TeamSlug};
use crate::domain::policy::{Change, Require, Source as From};

fn read_text(text: &str) -> Result<Parsed<Settings>, Vec<Diagnostic>> {
    parse(&PromptPath::parse(SETTINGS_PATH).unwrap(), text.as_bytes())
}

/// Each finding as `line:column code: message`.
fn check(text: &str, expected: &[&str]) {
    let found = match read_text(text) {
        Ok(parsed) => parsed.warnings,
        Err(errors) => errors,
    };
    let said: Vec<String> = found
        .iter()
        .map(|found| {
            let at = found.location.unwrap();
            assert!(found.help.is_some() && found.excerpt.is_some(), "{found:?}");
            format!("{}:{} {}: {}", at.line, at.column, found.code, found.message)
        })
        .collect();
    assert_eq!(said, expected, "{text}");
}

const EXAMPLE: &str = r#"
prompts:
  include: ["prompts/**"]            # default: every file in a known prompt format
  exclude: []
evaluation:
  model: openai/gpt-4o-mini          # default for prompts that name none: provider/model
  judge: openai/gpt-4o               # model for judge evaluators
  trials: 1                          # samples per case and side
  margin: 0.05                       # a drop in mean score the team would overlook
  min_score: 0.8                     # optional absolute floor for head
  max_cost_increase: 0.25            # optional, relative, on medians
  max_latency_increase: 0.25         # optional, relative, on medians
  budget: { run_usd: 2.0, day_usd: 50.0 }
  forks: approve                     # approve | lint | never
roles:
  leads: ["@acme/prompt-leads"]
  reviewers: ["@acme/prompt-reviewers", "@mara"]
approval:                            # every rule whose `when` holds must be satisfied
  - name: reviewer
    require: { count: 1, from: [reviewers] }
  - name: golden set keeper
    when: { changes: [golden_set, policy] }
    require: { count: 1, from: [leads] }
  - name: legal
    when: { paths: ["prompts/legal/**"] }
    require:
      any_of:
        - { count: 1, from: ["@acme/legal"] }
        - { count: 2, from: [leads] }
  - name: waiver
    when: { verdict: [regression] }
    require: { count: 2, from: [leads] }   # a rule on a verdict lets the pull request merge once it is satisfied
override: { from: [leads], count: 1 }
lint:
  banned_phrases: ["world-class"]
  require: [owner, useCase, variables, exampleOutput]
"#;

#[test]
fn the_documented_example_says_what_it_says() {
    let settings = read_text(EXAMPLE).unwrap().value;
    assert_eq!(settings.include, ["prompts/**"]);
    assert_eq!(settings.judge.unwrap().as_str(), "openai/gpt-4o");
    assert_eq!((settings.trials, settings.margin, settings.min_score), (1, 0.05, Some(0.8)));
    assert_eq!((settings.run_usd, settings.day_usd, settings.forks), (Some(2.0), Some(50.0), Forks::Approve));
    let leads = Principal::Team(TeamSlug::parse("@acme/prompt-leads").unwrap());
    let mara = Principal::User(Login::parse("mara").unwrap());
    assert_eq!(settings.roles["reviewers"][1], mara);
    let rules = settings.policy.rules;
    assert_eq!(rules.len(), 4);
    assert_eq!(rules[1].when.changes, [Change::GoldenSet, Change::Policy]);
    assert!(matches!(&rules[2].require, Require::AnyOf(parts) if parts.len() == 2));
    assert_eq!(rules[3].when.verdict, [Verdict::Regression]);
    let overriders = settings.policy.overriders.unwrap();
    assert_eq!(overriders.from, [From::Role { name: "leads".to_owned(), members: [leads].into() }]);
    assert_eq!(settings.banned_phrases, ["world-class"]);
    assert_eq!(settings.required_metadata.len(), 4);
}

#[test]
fn an_empty_file_and_comments_alone_mean_the_defaults() {
    for text in ["", "# nothing yet\n", "\u{feff}", "---\n"] {
        assert_eq!(read_text(text).unwrap().value, Settings::default(), "{text:?}");
    }
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing_and_lines_stay_right() {
    let text = format!("\u{feff}{}", EXAMPLE.replace('\n', "\r\n"));
    assert_eq!(read_text(&text).unwrap(), read_text(EXAMPLE).unwrap());
    check(
        "\u{feff}evaluation:\r\n  margin: 0.1\r\n  trails: 3\r\n",
        &["3:3 unknown-key: unknown key `trails` in `evaluation`"],
    );
}

#[test]
fn unknown_and_duplicate_keys_are_errors_at_their_place() {
    check("evaluation:\n  min_scores: 0.8\n", &["2:3 unknown-key: unknown key `min_scores` in `evaluation`"]);
    check(
        "lint:\n  rules: { secert: off, secret: fatal }\n",
        &["2:12 unknown-key: `secert` is no lint rule", "2:33 unknown-value: `secret` is `fatal`"],
    );
    check("lint: {}\nlimt: {}\n", &["2:1 unknown-key: unknown key `limt` in the settings"]);
    check("evaluation:\n  trials: 1\n  margin: 0.1\n  trials: 2\n", &["4:3 duplicate-key: duplicate key `trials`"]);
    let errors = read_text("lint: {}\nlimt: {}\n").unwrap_err();
    assert_eq!(errors[0].help.as_deref(), Some("did you mean `lint`?"));
}

#[test]
fn what_yaml_cannot_say_is_an_error_of_its_own() {
    check("evaluation:\n\ttrials: 1\n", &["2:1 yaml-tab: a tab in the indentation; YAML allows only spaces there"]);
    check("a: 1\n---\nb: 2\n", &["3:1 yaml-documents: the file holds more than one YAML document"]);
    let errors = read_text("prompts: [unclosed\n").unwrap_err();
    assert_eq!((errors.len(), errors[0].code.as_str()), (1, "yaml-syntax"));
    assert!(errors[0].location.is_some());
}

#[test]
fn an_alias_bomb_is_stopped() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(", "));
    }
    let errors = read_text(&bomb).unwrap_err();
    assert_eq!((errors.len(), errors[0].code.as_str()), (1, "yaml-too-complex"), "{errors:?}");
    let large = format!("a: &a {}\nb: [{}]\n", "x".repeat(900_000), ["*a"; 90].join(", "));
    assert_eq!(read_text(&large).unwrap_err()[0].code, "yaml-too-complex");
    let deep = "[".repeat(5000);
    assert_eq!(read_text(&deep).unwrap_err().len(), 1);
}

#[test]
fn too_many_bytes_and_other_encodings_are_refused() {
    let path = PromptPath::parse(SETTINGS_PATH).unwrap();
    let errors = parse(&path, &vec![b' '; 10_000_000]).unwrap_err();
    assert_eq!(errors[0].code, "file-too-large");
    let errors = parse(&path, b"lint:\n  banned_phrases: [\xe9]\n").unwrap_err();
    assert_eq!((errors[0].code.as_str(), errors[0].location.unwrap().line), ("not-utf8", 2));
}

#[test]
fn wrong_types_name_what_is_wanted() {
    check("evaluation: 3\n", &["1:13 wrong-type: `evaluation` must be a mapping, found a number"]);
    check(
        "evaluation:\n  trials: many\n",
        &["2:11 out-of-range: `trials` must be a whole number from 1 to 100, found a text"],
    );
    check("evaluation:\n  margin: \"0.1\"\n", &["2:11 wrong-type: `margin` must be a number, found a text"]);
    check("lint:\n  banned_phrases: x\n", &["2:19 wrong-type: `banned_phrases` must be a list, found a text"]);
    check("evaluation:\n  model:\n", &["2:8 wrong-type: `model` has no value; it must be a text"]);
}

#[test]
fn numbers_out_of_range_are_errors() {
    check("evaluation:\n  trials: 0\n", &["2:11 out-of-range: `trials` must be a whole number from 1 to 100, found 0"]);
    check("evaluation:\n  margin: 5\n", &["2:11 out-of-range: `margin` is 5, but must be from 0 to 1"]);
    check("evaluation:\n  min_score: -0.1\n", &["2:14 out-of-range: `min_score` is -0.1, but must be from 0 to 1"]);
    check("evaluation:\n  budget: { run_usd: -1 }\n", &["2:22 out-of-range: `run_usd` is -1, but must be at least 0"]);
}

#[test]
fn models_globs_and_choices_are_checked() {
    let errors = read_text("evaluation:\n  model: gpt-4o\n").unwrap_err();
    assert_eq!(errors[0].code, "invalid-model");
    check(
        "prompts:\n  include: [\"prompts/[\"]\n",
        &["2:13 invalid-glob: invalid glob `prompts/[`: unclosed character class; missing ']'"],
    );
    check("prompts:\n  include: []\n", &["2:12 empty-list: `include` is empty, so no file would be governed"]);
    check("evaluation:\n  forks: maybe\n", &["2:10 unknown-value: `forks` is `maybe`"]);
    check("lint:\n  require: [ownr]\n", &["2:13 unknown-value: `require` names `ownr`, which no prompt file has"]);
}

#[test]
fn rules_that_nobody_could_satisfy_are_errors() {
    let roles = "roles:\n  leads: [\"@a\", \"@A\", \"@b\"]\n  team: [\"@org/t\"]\n";
    let check_rule = |require: &str, expected: &[&str]| {
        check(&format!("{roles}approval:\n  - name: r\n    require: {require}\n"), expected);
    };
    check_rule("{ count: 2, from: [leads] }", &[]);
    check_rule("{ count: 9, from: [leads, team] }", &[]);
    check_rule("{ count: 9, from: [owner] }", &[]);
    check_rule(
        "{ count: 3, from: [leads] }",
        &["6:16 unreachable-count: `count` is 3, but `from` holds only 2 different users"],
    );
    check_rule(
        "{ count: 0, from: [leads] }",
        &["6:23 out-of-range: `count` must be a whole number from 1 to 100, found 0"],
    );
    check_rule("{ any_of: [] }", &["6:24 empty-list: `any_of` is empty, so nobody could satisfy it"]);
    check_rule("{ count: 1, from: [] }", &["6:32 empty-list: `from` is empty, so nobody could approve"]);
    check_rule("{ count: 1, from: [lead] }", &["6:33 unknown-role: unknown role `lead`"]);
    check_rule("{ count: 1 }", &["6:14 missing-key: `require` needs `from`"]);
}

#[test]
fn an_unknown_role_gets_a_suggestion() {
    let errors = read_text("roles: { leads: [\"@a\"] }\noverride: { from: [lead] }\n").unwrap_err();
    assert_eq!(errors[0].help.as_deref(), Some("did you mean `leads`? Users and teams start with @"));
}

#[test]
fn rules_need_a_name_and_roles_need_members() {
    check("approval:\n  - require: { count: 1, from: [owner] }\n", &["2:5 missing-key: an approval rule needs `name`"]);
    check(
        "roles:\n  leads: [mara]\n",
        &["2:11 invalid-principal: `mara` in `leads` is neither a user nor a team nor a role"],
    );
    check("roles:\n  owner: [\"@a\"]\n", &["2:3 invalid-role: `owner` cannot be the name of a role"]);
    let rule = "  - name: r\n    require: { from: [owner] }\n";
    check(&format!("approval:\n{rule}{rule}"), &["4:5 duplicate-rule: two approval rules are named `r`"]);
    check(
        "approval:\n  - name: r\n    when: { verdict: [regress] }\n    require: { from: [owner] }\n",
        &["3:23 unknown-value: `verdict` has no `regress`"],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&PromptPath::parse(SETTINGS_PATH).unwrap(), &bytes);
    }

    #[test]
    fn no_yaml_like_text_panics(text in "[-a-z:{}\\[\\]&*!|>'\"#,@/ \\n\\t]{0,200}") {
        let _ = read_text(&text);
    }

    #[test]
    fn no_broken_example_panics(cut in 0usize..1500, junk in "[\\PC\\n]{0,8}") {
        let at = (0..=cut.min(EXAMPLE.len())).rev().find(|at| EXAMPLE.is_char_boundary(*at)).unwrap();
        let _ = read_text(&format!("{}{junk}{}", &EXAMPLE[..at], &EXAMPLE[at..]));
    }
}
