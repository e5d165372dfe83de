//! What holds for every policy and every pull request.

use proptest::prelude::*;

use super::*;

fn any_state() -> impl Strategy<Value = ReviewState> {
    prop::sample::select(vec![Approved, ChangesRequested, Commented, Dismissed])
}

fn any_facts() -> impl Strategy<Value = PullFacts> {
    let reviews = prop::collection::vec((prop::sample::select(PEOPLE.to_vec()), any_state(), any::<bool>()), 0..8);
    let memberships = prop::collection::vec(
        prop::sample::select(vec![Membership::Active, Membership::Pending, Membership::No, Membership::Unreadable]),
        PEOPLE.len() * 2,
    );
    (reviews, memberships, any::<bool>()).prop_map(|(reviews, memberships, attributed)| {
        let mut facts = facts();
        for (name, state, at_head) in reviews {
            facts = facts.review_at(name, state, Some(sha(if at_head { 'a' } else { 'c' })));
        }
        for (place, membership) in memberships.into_iter().enumerate() {
            let of = if place < PEOPLE.len() { "@acme/leads" } else { "@acme/support" };
            facts = facts.member(of, PEOPLE[place % PEOPLE.len()], membership);
        }
        if !attributed {
            facts.commits[0].author = None;
        }
        facts
    })
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let source = prop::sample::select(vec!["mara", "lee", "ann", "leads", "@acme/support", "owner"]);
    let quorums = prop::collection::vec((1u32..3, prop::collection::vec(source, 1..3)), 1..3);
    let verdicts = prop::sample::select(vec![vec![], vec![Verdict::Regression], vec![Verdict::NoRegressionFound]]);
    prop::collection::vec((quorums, verdicts), 0..4).prop_map(|rules| Policy {
        rules: rules
            .into_iter()
            .enumerate()
            .map(|(place, (quorums, verdict))| Rule {
                when: When { verdict, ..When::default() },
                ..rule(&place.to_string(), quorums.iter().map(|(count, from)| quorum(*count, from)).collect())
            })
            .collect(),
        overriders: None,
    })
}

fn any_verdict() -> impl Strategy<Value = Option<Verdict>> {
    prop::sample::select(vec![None, Some(Verdict::Pass), Some(Verdict::NoRegressionFound), Some(Verdict::Regression)])
}

proptest! {
    #[test]
    fn the_order_of_the_rules_changes_nothing(policy in any_policy(), facts in any_facts(), verdict in any_verdict(), turn in 0usize..4) {
        let before = decide(&policy, &facts, verdict);
        let mut turned = policy;
        if !turned.rules.is_empty() {
            let by = turn % turned.rules.len();
            turned.rules.rotate_left(by);
        }
        let after = decide(&turned, &facts, verdict);
        prop_assert_eq!(before.state, after.state);
        for outcome in &before.rules {
            prop_assert!(after.rules.contains(outcome));
        }
        prop_assert_eq!(before.waiver.map(|waiver| waiver.by), after.waiver.map(|waiver| waiver.by));
    }

    #[test]
    fn an_approval_by_the_author_changes_nothing(policy in any_policy(), facts in any_facts(), verdict in any_verdict()) {
        let mut without = facts;
        without.reviews.retain(|review| review.by != Some(person("ann")));
        let with = without.clone().review("ann", Approved);
        let (without, with) = (decide(&policy, &without, verdict), decide(&policy, &with, verdict));
        prop_assert_eq!(without.state, with.state);
        prop_assert_eq!(without.waiver, with.waiver);
        for (before, after) in without.rules.iter().zip(&with.rules) {
            prop_assert_eq!(&before.counted, &after.counted);
        }
    }

    #[test]
    fn taking_somebody_s_approval_away_never_satisfies(policy in any_policy(), facts in any_facts(), verdict in any_verdict(), name in prop::sample::select(PEOPLE.to_vec())) {
        let with = facts.review("mara", Commented).review(name, Approved);
        let mut without = with.clone();
        without.reviews.pop();
        without.reviews.retain(|review| review.by != Some(person(name)) || review.state == ChangesRequested);
        let with = decide(&policy, &with, verdict);
        if with.state == State::Pending {
            prop_assert_ne!(decide(&policy, &without, verdict).state, State::Satisfied);
        }
    }

    #[test]
    fn what_is_unknown_never_becomes_success(policy in any_policy(), facts in any_facts(), verdict in any_verdict()) {
        let decision = decide(&policy, &facts, verdict);
        let unknown = !decision.problems.is_empty() || decision.rules.iter().any(|rule| !rule.problems.is_empty());
        prop_assert_eq!(unknown, decision.state == State::Undecidable);
        if decision.waiver.is_some() {
            prop_assert_eq!(verdict, Some(Verdict::Regression));
        }
    }

    #[test]
    fn looking_up_only_what_is_needed_decides_the_same(policy in any_policy(), facts in any_facts(), verdict in any_verdict()) {
        let needed = memberships_needed(&policy, &facts);
        let mut sparse = facts.clone();
        sparse.memberships.retain(|(team, user, _)| needed.iter().any(|(of, who)| of == team && who.id == *user));
        prop_assert_eq!(decide(&policy, &facts, verdict), decide(&policy, &sparse, verdict));
    }
}
