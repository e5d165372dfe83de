//! Stories of nested requirements, and of the reasons they give.

use super::*;
use crate::domain::policy::decision::Asks;
use crate::domain::report::ApprovalSummary;

/// Legal or two leads, and besides one of the prompt's people.
fn nested() -> Policy {
    asks(Require::AllOf(vec![
        Require::AnyOf(vec![part(1, &["@acme/legal"]), part(2, &["leads"])]),
        part(1, &["mara", "bo"]),
    ]))
}

fn nobody_in(facts: PullFacts, name: &str) -> PullFacts {
    facts.member("@acme/legal", name, Membership::No).member("@acme/leads", name, Membership::No)
}

#[test]
fn every_part_of_all_of_must_be_satisfied() {
    let mara = nobody_in(facts().review("mara", Approved), "mara");
    let waiting = check(&nested(), &mara, State::Pending);
    assert_eq!(waiting.rules[0].could, "(1 of @acme/legal or 2 of leads (@acme/leads)) and 1 of @mara, @bo");
    assert_eq!(
        ApprovalSummary::of(&waiting).line,
        "Waiting for 1 of @acme/legal or 2 of leads (@acme/leads) (rule “reviewer”)."
    );
    let tree = waiting.rules[0].tree.as_ref().unwrap();
    assert_eq!((tree.asks, tree.parts[0].asks, tree.parts[1].state), (Asks::AllOf, Asks::AnyOf, State::Satisfied));
    let both = mara.review("lee", Approved).member("@acme/legal", "lee", Membership::Active).member(
        "@acme/leads",
        "lee",
        Membership::No,
    );
    let decision = check(&nested(), &both, State::Satisfied);
    assert_eq!(decision.rules[0].counted, [login("lee"), login("mara")]);
}

#[test]
fn one_person_may_stand_in_several_parts() {
    let bo = facts().review("bo", Approved).member("@acme/legal", "bo", Membership::Active).member(
        "@acme/leads",
        "bo",
        Membership::No,
    );
    check(&nested(), &bo, State::Satisfied);
}

#[test]
fn what_is_unknown_in_one_part_is_not_hidden_by_another_that_waits_and_not_by_one_that_is_satisfied() {
    let unreadable = facts().review("mara", Approved).member("@acme/legal", "mara", Membership::Unreadable).member(
        "@acme/leads",
        "mara",
        Membership::No,
    );
    let decision = check(&nested(), &unreadable, State::Undecidable);
    assert!(decision.rules[0].problems[0].starts_with("team @acme/legal cannot be read"));
    let other = asks(Require::AllOf(vec![part(1, &["mara"]), part(1, &["@acme/legal"])]));
    check(&other, &unreadable, State::Undecidable);
    let either = asks(Require::AnyOf(vec![part(1, &["mara"]), part(1, &["@acme/legal"])]));
    check(&either, &unreadable, State::Satisfied);
}

#[test]
fn a_request_for_changes_by_anybody_in_the_tree_blocks() {
    let facts = nobody_in(facts().review("mara", ChangesRequested), "mara");
    check(&nested(), &facts, State::ChangesRequested);
}

#[test]
fn a_requirement_of_nothing_is_never_satisfied() {
    for empty in [Require::AnyOf(Vec::new()), Require::AllOf(Vec::new())] {
        assert!(!check(&asks(empty), &facts(), State::Undecidable).rules[0].problems.is_empty());
    }
}

#[test]
fn each_reason_says_who_counts_who_does_not_and_who_could() {
    let facts = nobody_in(facts().review("mara", Approved).review("eve", Approved), "mara");
    let facts = nobody_in(facts, "eve").review("ann", Approved);
    let said = ApprovalSummary::of(&check(&nested(), &facts, State::Pending));
    let rule = &said.rules[0];
    assert_eq!(
        rule.text,
        "reviewer: @mara counted so far; waits for 1 of @acme/legal or 2 of leads (@acme/leads). The approval of @ann does not \
         count: they opened the pull request. The approval of @eve does not count: the rule does not name them."
    );
    let parts: Vec<&str> = rule.parts.iter().map(|part| part.text.as_str()).collect();
    assert_eq!(
        parts,
        [
            "one of these: nobody so far.",
            "1 of @mara, @bo: satisfied by @mara. The approval of @eve does not count: the rule does not name them."
        ]
    );
    assert!(rule.parts[0].parts[1].text.starts_with("2 of leads (@acme/leads): nobody so far."));
}
