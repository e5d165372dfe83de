//! Stories of when a rule applies: paths, kinds of change, verdicts.

use super::*;
use crate::domain::diagnostic::Severity;
use crate::domain::policy::{SizeOver, author_memberships_needed};

fn when_paths(pattern: &str) -> Policy {
    let mut policy = one_of(&["mara"]);
    policy.rules[0].when.paths = Patterns::new([pattern]).unwrap();
    policy
}

#[test]
fn a_rule_on_paths_matches_either_name_of_a_rename_without_regard_to_case() {
    let mut facts = facts();
    check(&when_paths("prompts/legal/**"), &facts, State::Satisfied);
    check(&when_paths("prompts/*.yml"), &facts, State::Satisfied);
    check(&when_paths("PROMPTS/Support/*"), &facts, State::Pending);
    facts.changes[0].previous = Some(PromptPath::parse("Prompts/LEGAL/refund.prompt.yml").unwrap());
    check(&when_paths("prompts/legal/**"), &facts, State::Pending);
}

#[test]
fn a_rule_on_kinds_of_change_applies_when_one_is_there() {
    let mut policy = one_of(&["mara"]);
    policy.rules[0].when.changes = vec![Change::GoldenSet, Change::Policy];
    let mut facts = facts();
    check(&policy, &facts, State::Satisfied);
    facts.changes.push(change("prompts/support/refund.golden.yml", Change::GoldenSet));
    check(&policy, &facts, State::Pending);
}

fn on_verdict(verdict: Verdict) -> Policy {
    let mut policy = one_of(&["mara"]);
    policy.rules[0].when.verdict = vec![verdict];
    policy
}

#[test]
fn a_satisfied_rule_on_a_regression_waives_it_and_says_by_whom() {
    let policy = on_verdict(Verdict::Regression);
    let waiting = decide(&policy, &facts(), Some(Verdict::Regression));
    assert_eq!((waiting.state, waiting.waiver), (State::Pending, None));

    let approved = facts().review("mara", Approved);
    let waived = decide(&policy, &approved, Some(Verdict::Regression));
    let waiver = waived.waiver.unwrap();
    assert_eq!(
        (waived.state, waiver.by, waiver.rules),
        (State::Satisfied, vec![login("mara")], vec![Arc::from("reviewer")])
    );
    assert_eq!(decide(&policy, &approved, Some(Verdict::Pass)).waiver, None);
    assert_eq!(decide(&one_of(&["mara"]), &approved, Some(Verdict::Regression)).waiver, None, "not on the verdict");
}

#[test]
fn nothing_is_waived_while_the_contributors_are_unknown() {
    let mut approved = facts().review("mara", Approved);
    approved.commits[0].author = None;
    assert_eq!(decide(&on_verdict(Verdict::Regression), &approved, Some(Verdict::Regression)).waiver, None);
}

#[test]
fn before_the_evaluation_a_rule_on_an_opening_verdict_waits_and_one_on_a_blocking_verdict_is_silent() {
    let opening = decide(&on_verdict(Verdict::NoRegressionFound), &facts().review("mara", Approved), None);
    assert_eq!((opening.state, opening.rules[0].applies), (State::Pending, Applies::OnceEvaluated));
    let blocking = decide(&on_verdict(Verdict::Regression), &facts(), None);
    assert_eq!((blocking.state, blocking.rules[0].applies), (State::Satisfied, Applies::No));
}

fn when(when: When) -> Policy {
    let mut policy = one_of(&["mara"]);
    policy.rules[0].when = when;
    policy
}

fn applies(policy: &Policy, facts: &PullFacts, expected: bool) {
    check(policy, facts, if expected { State::Pending } else { State::Satisfied });
}

#[test]
fn a_rule_on_the_author_asks_for_users_teams_and_permissions() {
    let by = |source: &str| when(When { author: vec![from(source)], ..When::default() });
    applies(&by("ANN"), &facts(), true);
    applies(&by("mara"), &facts(), false);
    let member = |membership| facts().member("@acme/leads", "ann", membership);
    assert_eq!(author_memberships_needed(&by("leads"), &facts()), [(team("@acme/leads"), person("ann"))]);
    assert_eq!(author_memberships_needed(&by("ann"), &facts()), []);
    applies(&by("leads"), &member(Membership::Active), true);
    applies(&by("leads"), &member(Membership::No), false);
    applies(&by("leads"), &member(Membership::Pending), false);
    let mut facts = facts();
    facts.permissions.insert(person("ann").id.0, "admin".into());
    applies(&by("permission:maintain"), &facts, true);
    facts.permissions.insert(person("ann").id.0, "write".into());
    applies(&by("permission:maintain"), &facts, false);
}

#[test]
fn an_author_nobody_can_place_makes_the_rule_undecidable_and_never_silent() {
    let approved = facts().review("mara", Approved);
    let by = |source: &str| when(When { author: vec![from(source)], ..When::default() });
    let unreadable = approved.clone().member("@acme/leads", "ann", Membership::Unreadable);
    let decision = check(&by("leads"), &unreadable, State::Undecidable);
    assert!(decision.rules[0].problems[0].contains("whether @ann is in it"), "{decision:#?}");
    check(&by("leads"), &approved, State::Undecidable);
    check(&by("permission:maintain"), &approved, State::Undecidable);
    // What certainly does not hold settles it.
    let elsewhere = when(When { author: vec![from("leads")], fork: Some(true), ..When::default() });
    check(&elsewhere, &approved, State::Satisfied);
    // A rule on a verdict does not waive while it is not known to apply.
    let waiver = when(When { author: vec![from("leads")], verdict: vec![Verdict::Regression], ..When::default() });
    let waived = decide(&waiver, &unreadable, Some(Verdict::Regression));
    assert_eq!((waived.state, waived.waiver), (State::Undecidable, None));
}

#[test]
fn a_rule_on_forks_bases_and_labels() {
    let fork = PullFacts { is_fork: true, ..facts() };
    for (asked, facts, expected) in
        [(true, &fork, true), (true, &facts(), false), (false, &fork, false), (false, &facts(), true)]
    {
        applies(&when(When { fork: Some(asked), ..When::default() }), facts, expected);
    }
    let base = |glob: &str| when(When { base: Patterns::of_branches([glob, "other"]).unwrap(), ..When::default() });
    applies(&base("main"), &facts(), true);
    applies(&base("m*"), &facts(), true);
    applies(&base("Main"), &facts(), false);
    let labelled = PullFacts { labels: vec!["Needs Legal".into()], ..facts() };
    let labels = |label: &str| when(When { labels: vec!["x".into(), label.into()], ..When::default() });
    applies(&labels("needs legal"), &labelled, true);
    applies(&labels("legal"), &labelled, false);
    applies(&labels("needs legal"), &facts(), false);
}

#[test]
fn a_rule_on_lint_and_on_size() {
    let lint = |severity| when(When { lint: vec![severity], ..When::default() });
    let mut facts = facts();
    facts.said.lint.warnings = 2;
    applies(&lint(Severity::Warning), &facts, true);
    applies(&lint(Severity::Error), &facts, false);

    let over = |files, lines| when(When { size: Some(SizeOver { files, lines }), ..When::default() });
    facts.size = ChangeSize { files: 3, lines: Some(100) };
    applies(&over(Some(3), None), &facts, false);
    applies(&over(Some(2), None), &facts, true);
    applies(&over(Some(3), Some(99)), &facts, true);
    applies(&over(None, Some(100)), &facts, false);
    facts.size.lines = None;
    applies(&over(None, Some(1_000_000)), &facts, true);
}

#[test]
fn every_predicate_that_is_given_must_hold() {
    let both = when(When { fork: Some(false), labels: vec!["urgent".into()], ..When::default() });
    applies(&both, &facts(), false);
    applies(&both, &PullFacts { labels: vec!["urgent".into()], ..facts() }, true);
}
