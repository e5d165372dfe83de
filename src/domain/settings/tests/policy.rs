//! The policy language: what each mistake is called, where it is, and what every key means.

use super::*;
use crate::domain::diagnostic::{Location, Severity};
use crate::domain::policy::{Level, SizeOver};

const ROLES: &str = "roles:\n  leads: [\"@a\", \"@A\", \"@b\"]\n  team: [\"@org/t\"]\n  all: [leads, team, \"@a\"]\n";

fn check_require(require: &str, expected: &[&str]) {
    check(&format!("{ROLES}approval:\n  - name: r\n    require: {require}\n"), expected);
}

fn check_when(when: &str, expected: &[&str]) {
    check(&format!("approval:\n  - name: r\n    when: {when}\n    require: {{ from: [owner] }}\n"), expected);
}

fn policy_of(text: &str) -> crate::domain::policy::Policy {
    read_text(text).unwrap().value.policy
}

#[test]
fn requirements_nest_and_name_every_kind_of_source() {
    let text = format!(
        "{ROLES}approval:\n  - name: r\n    require:\n      all_of:\n        - from: [codeowners]\n        - any_of:\n            \
         - {{ count: 2, from: [all] }}\n            - from: [\"permission:admin\", owner, \"@mara\"]\n"
    );
    let rules = policy_of(&text).rules;
    let quorums = rules[0].require.quorums();
    assert!(matches!(&rules[0].require, Require::AllOf(parts) if matches!(parts[1], Require::AnyOf(_))));
    assert_eq!(quorums[0].from, [From::CodeOwners]);
    let From::Role { members, .. } = &quorums[1].from[0] else { panic!("a role") };
    assert_eq!(members.iter().map(ToString::to_string).collect::<Vec<_>>(), ["@a", "@b", "@org/t"]);
    assert_eq!(quorums[2].from[..2], [From::Permission(Level::Admin), From::Owner]);
}

#[test]
fn a_team_keeps_the_place_where_it_is_named_first() {
    let text =
        "roles:\n  leads: [\"@org/t\"]\napproval:\n  - name: r\n    require: { from: [\"@org/t\", \"@Org/u\"] }\n";
    let places = policy_of(text).places;
    let at = |team: &str| {
        let Location { line, column, .. } = places[&TeamSlug::parse(team).unwrap()].at;
        (line, column)
    };
    assert_eq!((at("@org/t"), at("@org/u")), ((2, 11), (5, 33)));
    assert_eq!(places[&TeamSlug::parse("@org/t").unwrap()].file.as_str(), SETTINGS_PATH);
}

#[test]
fn requirements_nobody_can_satisfy_or_read_are_errors_at_their_place() {
    check_require("{ any_of: [] }", &["7:24 empty-list: `any_of` is empty, so nobody could satisfy it"]);
    check_require("{ all_of: [] }", &["7:24 empty-list: `all_of` is empty, so it would ask for nothing"]);
    check_require(
        "{ any_of: [{ from: [leads] }], all_of: [{ from: [team] }] }",
        &["7:45 ambiguous-require: `any_of` stands beside `all_of`"],
    );
    check_require(
        "{ any_of: [{ from: [leads] }], count: 2 }",
        &["7:45 unknown-key: unknown key `count` in a `require` with `any_of`"],
    );
    check_require(
        "{ all_of: [{ any_of: [{ count: 3, from: [leads] }] }] }",
        &["7:38 unreachable-count: `count` is 3, but `from` holds only 2 different users"],
    );
    check_require("{ all_of: [{ count: 3, from: [all] }] }", &[]);
    check_require("{ count: 50, from: [\"permission:write\"] }", &[]);
    check_require("{ from: [\"permission:wirte\"] }", &["7:23 unknown-permission: `permission:` has no `wirte`"]);
    check_require("{ from: [\"@\"] }", &["7:23 invalid-principal: `@` in `from` is neither a user nor a team"]);
    let deep = format!("{}{{ from: [leads] }}{}", "{ any_of: [".repeat(9), "] }".repeat(9));
    check_require(&deep, &["7:112 too-deep: `any_of` and `all_of` are nested more than 8 deep"]);
    let wide = format!("{{ any_of: [{}] }}", ["{ from: [leads] }"; 51].join(", "));
    check_require(&wide, &["7:975 too-many: `any_of` has more than 50 parts"]);
}

#[test]
fn roles_may_name_roles_and_a_circle_is_an_error_at_its_place() {
    let check_roles = |text: &str, expected: &[&str]| check(&format!("roles:\n{text}"), expected);
    check_roles("  a: [b]\n  b: [\"@x\"]\n", &[]);
    check_roles("  a: [a]\n", &["2:7 cyclic-role: role `a` names itself, by way of `a`"]);
    check_roles(
        "  a: [b]\n  b: [c]\n  c: [\"@x\", a]\n",
        &["4:13 cyclic-role: role `a` names itself, by way of `a`, `b`, `c`"],
    );
    check_roles("  codeowners: [\"@x\"]\n", &["2:3 invalid-role: `codeowners` cannot be the name of a role"]);
    check_roles("  a: [owner]\n", &["2:7 invalid-principal: `owner` in `a` is neither a user nor a team nor a role"]);
    check_roles("  a: []\n", &["2:6 empty-list: role `a` has no members"]);
    let mut chain: String = (0..12).map(|n| format!("  r{n:02}: [r{:02}]\n", n + 1)).collect();
    chain += "  r12: [\"@x\"]\n";
    check_roles(&chain, &["9:9 too-deep: roles name roles more than 8 deep here"]);
    let doubling: String = (1..30).map(|n| format!("  d{n:02}: [d{:02}, d{:02}]\n", n - 1, n - 1)).collect();
    assert!(read_text(&format!("roles:\n  d00: [\"@x\"]\n{doubling}")).is_err(), "and quickly");
}

#[test]
fn every_predicate_is_read() {
    let when = "{ paths: [\"p/**\"], changes: [model, metadata, golden_set_weakened], author: [\"@Ann\", \"permission:write\"], fork: \
                true, base: [main, \"release/*\"], labels: [Urgent], lint: [error], size: { lines_over: 100 } }";
    let rules =
        policy_of(&format!("approval:\n  - name: r\n    when: {when}\n    require: {{ from: [owner] }}\n")).rules;
    let read = &rules[0].when;
    assert_eq!(read.paths.texts(), ["p/**"]);
    assert_eq!(read.changes, [Change::Model, Change::Metadata, Change::GoldenSetWeakened]);
    assert_eq!(read.author[1], From::Permission(Level::Write));
    assert_eq!(
        (read.fork, read.base.texts().len(), read.labels.as_slice()),
        (Some(true), 2, &["Urgent".to_owned()][..])
    );
    assert_eq!(
        (read.lint.as_slice(), read.size),
        (&[Severity::Error][..], Some(SizeOver { files: None, lines: Some(100) }))
    );
}

#[test]
fn a_predicate_that_says_nothing_or_nonsense_is_an_error() {
    check_when("{ pahts: [x] }", &["3:13 unknown-key: unknown key `pahts` in `when`"]);
    check_when("{ labels: [] }", &["3:21 empty-list: `labels` is empty"]);
    check_when("{ fork: sometimes }", &["3:19 wrong-type: `fork` must be true or false, found a text"]);
    check_when(
        "{ base: [\"release/[\"] }",
        &["3:20 invalid-glob: invalid glob `release/[`: unclosed character class; missing ']'"],
    );
    check_when("{ lint: [eror] }", &["3:20 unknown-value: `lint` has no `eror`"]);
    check_when("{ size: {} }", &["3:19 empty-size: `size` names no size"]);
    check_when(
        "{ size: { files_ovr: 3 } }",
        &["3:19 empty-size: `size` names no size", "3:21 unknown-key: unknown key `files_ovr` in `size`"],
    );
    check_when("{ author: [owner] }", &["3:22 invalid-author: an author is not named by what they own"]);
    check_when("{ author: [leeds] }", &["3:22 unknown-role: unknown role `leeds`"]);
}
