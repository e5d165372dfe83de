//! Stories of overrides: who may let a blocked evaluation pass, and for which commit.

use super::super::decision::Overriding;
use super::super::facts::{Blocked, BlockedResult, OverrideFact};
use super::*;

fn leads(count: u32) -> Policy {
    Policy { overriders: Some(quorum(count, &["leads", "bo"])), ..Policy::default() }
}

fn result(question: &str, how: Blocked) -> BlockedResult {
    BlockedResult { question: Digest::of_parts([question.as_bytes()]), how }
}

fn given(name: &str, on: char) -> OverrideFact {
    let comment_id = person(name).id.0;
    OverrideFact {
        by: person(name),
        reason: format!("{name} says so"),
        at_ms: 0,
        comment_id,
        sha: sha(on),
        given_for: result("first", Blocked::NotMeasured),
        lapsed: false,
    }
}

/// These people override head; all may write, and all but Eve lead.
fn by(names: &[&str]) -> PullFacts {
    let mut facts = facts();
    for name in names {
        facts.overrides.push(given(name, 'a'));
        facts.permissions.insert(person(name).id.0, "write".to_owned());
        let membership = if *name == "eve" { Membership::No } else { Membership::Active };
        facts = facts.member("@acme/leads", name, membership);
    }
    facts
}

fn check(policy: &Policy, facts: &PullFacts, expected: State) -> Overriding {
    let decision = decide(policy, facts, Some(Verdict::Regression));
    assert_eq!(decision.state, State::Satisfied, "an override says nothing of approvals");
    let overriding = decision.overriding.expect("somebody overrode");
    assert_eq!(overriding.state, expected, "{overriding:#?}");
    overriding
}

fn why(policy: &Policy, facts: &PullFacts) -> Why {
    check(policy, facts, State::Pending).not_counted.remove(0).why
}

#[test]
fn nobody_overrides_until_somebody_does() {
    assert_eq!(decide(&leads(1), &facts(), Some(Verdict::Regression)).overriding, None);
}

#[test]
fn somebody_the_settings_name_overrides_and_nobody_else() {
    let lee = check(&leads(1), &by(&["lee"]), State::Satisfied);
    assert_eq!((lee.counted[0].login.as_str(), lee.counted[0].reason.as_str()), ("lee", "lee says so"));
    check(&leads(1), &by(&["bo"]), State::Satisfied);
    assert_eq!(why(&leads(1), &by(&["eve"])), Why::NotNamed);
    assert_eq!(why(&Policy::default(), &by(&["lee"])), Why::NotNamed);
}

#[test]
fn never_the_author_a_contributor_or_a_bot() {
    assert_eq!(why(&leads(1), &by(&["ann"])), Why::Author);
    let mut facts = by(&["lee"]);
    facts.commits.push(CommitFact { co_authors: vec![person("lee")], ..commit("ann") });
    assert_eq!(why(&leads(1), &facts), Why::Contributor);
    let mut facts = by(&["lee"]);
    facts.overrides[0].by.is_bot = true;
    assert_eq!(why(&leads(1), &facts), Why::Bot);
}

#[test]
fn it_is_for_one_commit_and_lapses() {
    let mut facts = by(&["lee"]);
    facts.overrides[0].sha = sha('c');
    // The same content on another commit is not enough, unlike with approvals.
    facts.content_at.insert(sha('c'), facts.content);
    assert_eq!(why(&leads(1), &facts), Why::Outdated { commit: Some(sha('c')) });
    let mut facts = by(&["lee"]);
    facts.overrides[0].lapsed = true;
    assert_eq!(why(&leads(1), &facts), Why::Outdated { commit: Some(sha('a')) });
    facts.overrides.push(given("lee", 'a'));
    check(&leads(1), &facts, State::Satisfied);
}

#[test]
fn it_is_for_one_result() {
    let now = |question, how| PullFacts { blocked: Some(result(question, how)), ..by(&["lee"]) };
    check(&leads(1), &now("first", Blocked::NotMeasured), State::Satisfied);
    for how in [Blocked::Regression, Blocked::OverBudget, Blocked::BrokenFiles] {
        assert_eq!(why(&leads(1), &now("first", how)), Why::OtherResult, "{how:?}");
    }
    // The same result of other settings or golden sets is another result.
    assert_eq!(why(&leads(1), &now("second", Blocked::NotMeasured)), Why::OtherResult);
    let mut again = now("second", Blocked::Regression);
    again.overrides.push(OverrideFact { given_for: result("second", Blocked::Regression), ..given("lee", 'a') });
    check(&leads(1), &again, State::Satisfied);
}

#[test]
fn two_are_two_people() {
    let mut facts = by(&["lee"]);
    facts.overrides.push(given("lee", 'a'));
    let waiting = check(&leads(2), &facts, State::Pending);
    assert_eq!((waiting.needed, waiting.counted.len()), (2, 1));
    check(&leads(2), &by(&["lee", "bo"]), State::Satisfied);
    check(&leads(2), &by(&["lee", "eve"]), State::Pending);
}

#[test]
fn who_lost_permission_or_membership_does_not_count_any_more() {
    let mut facts = by(&["lee"]);
    facts.permissions.insert(person("lee").id.0, "triage".to_owned());
    assert_eq!(why(&leads(1), &facts), Why::NoWrite);
    facts.permissions.clear();
    assert_eq!(why(&leads(1), &facts), Why::NoWrite);
    let mut facts = by(&["lee"]);
    facts.memberships[0].2 = Membership::No;
    assert_eq!(why(&leads(1), &facts), Why::NotNamed);
}

#[test]
fn what_is_unknown_is_undecidable_and_never_passes() {
    let mut unreadable = by(&["lee"]);
    unreadable.memberships[0].2 = Membership::Unreadable;
    let mut nobody_asked = by(&["lee"]);
    nobody_asked.memberships.clear();
    let mut stranger = by(&["lee"]);
    stranger.commits[0].author = None;
    let capped = PullFacts { caps: vec!["too many files: split it".to_owned()], ..by(&["lee"]) };
    for facts in [unreadable, nobody_asked, stranger] {
        let overriding = check(&leads(1), &facts, State::Undecidable);
        assert!(overriding.problems[0].contains(": "), "says what to do: {overriding:?}");
    }
    let decision = decide(&leads(1), &capped, None);
    assert_eq!(decision.overriding.unwrap().state, State::Undecidable);
}

#[test]
fn memberships_of_overriders_are_looked_up_where_they_can_matter() {
    let facts = PullFacts { memberships: Vec::new(), ..by(&["lee", "bo", "ann"]) };
    assert_eq!(memberships_needed(&leads(1), &facts), [(team("@acme/leads"), person("lee"))]);
    let mut lapsed = facts;
    lapsed.overrides.iter_mut().for_each(|given| given.lapsed = true);
    assert_eq!(memberships_needed(&leads(1), &lapsed), []);
}
