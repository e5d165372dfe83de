//! Stories of when a rule applies: paths, kinds of change, verdicts.

use super::*;

fn when_paths(pattern: &str) -> Policy {
    let mut policy = one_of(&["mara"]);
    policy.rules[0].when.paths = vec![pattern.into()];
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
fn a_pattern_that_cannot_be_read_is_undecidable() {
    let decision = check(&when_paths("prompts/[a"), &facts(), State::Undecidable);
    assert!(decision.rules[0].problems[0].contains("prompts/[a"));
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
