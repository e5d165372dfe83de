//! What holds for every policy and every pull request.

use proptest::prelude::*;

use super::*;
use crate::domain::policy::facts::OwnedPaths;
use crate::domain::policy::{author_memberships_needed, permissions_needed};

fn any_state() -> impl Strategy<Value = ReviewState> {
    prop::sample::select(vec![Approved, ChangesRequested, Commented, Dismissed])
}

fn any_facts() -> impl Strategy<Value = PullFacts> {
    let reviews = prop::collection::vec((prop::sample::select(PEOPLE.to_vec()), any_state(), any::<bool>()), 0..8);
    let memberships = prop::collection::vec(
        prop::sample::select(vec![Membership::Active, Membership::Pending, Membership::No, Membership::Unreadable]),
        PEOPLE.len() * 2,
    );
    let roles = prop::sample::select(vec![None, Some("none"), Some("write"), Some("admin"), Some("wizard")]);
    let roles = prop::collection::vec(roles, PEOPLE.len());
    let owners =
        prop::collection::vec(prop::sample::select(vec!["@mara", "@lee", "@acme/leads", "@acme/support"]), 0..3);
    let unseen = prop::sample::select(vec![None, None, Some("@acme/support")]);
    let rest = (roles, owners, unseen, any::<bool>());
    (reviews, memberships, any::<bool>(), rest).prop_map(|(reviews, memberships, attributed, rest)| {
        let (roles, owners, unseen, broken) = rest;
        let mut facts = facts();
        for (name, role) in PEOPLE.iter().zip(roles) {
            facts.permissions.extend(role.map(|role| (person(name).id.0, role.to_owned())));
        }
        facts.code_owners.file = PromptPath::parse("CODEOWNERS").ok();
        facts.code_owners.owned = owners
            .iter()
            .map(|owner| OwnedPaths {
                owners: vec![Principal::parse(owner).unwrap()],
                paths: vec![PromptPath::parse("prompts/a.prompt.yml").unwrap()],
            })
            .collect();
        if broken {
            facts.code_owners.problems = vec!["CODEOWNERS:1: mend it".into()];
        }
        facts.unreadable_teams = unseen.map(team).into_iter().collect();
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
    let source = prop::sample::select(vec![
        "mara",
        "lee",
        "ann",
        "leads",
        "@acme/support",
        "owner",
        "codeowners",
        "permission:maintain",
    ]);
    let author = prop::sample::select(vec![None, None, Some("leads"), Some("permission:maintain"), Some("ann")]);
    let fork = prop::sample::select(vec![None, None, Some(false), Some(true)]);
    let quorum = (1u32..3, prop::collection::vec(source, 1..3)).prop_map(|(count, from)| part(count, &from));
    let require = quorum.prop_recursive(3, 8, 3, |inner| {
        let parts = prop::collection::vec(inner, 1..3);
        prop_oneof![parts.clone().prop_map(Require::AnyOf), parts.prop_map(Require::AllOf)]
    });
    let verdicts = prop::sample::select(vec![vec![], vec![Verdict::Regression], vec![Verdict::NoRegressionFound]]);
    prop::collection::vec((require, verdicts, author, fork), 0..4).prop_map(|rules| {
        let rules = rules.into_iter().enumerate();
        let rules = rules.map(|(place, (require, verdict, author, fork))| Rule {
            when: When { verdict, author: author.into_iter().map(from).collect(), fork, ..When::default() },
            ..rule(&place.to_string(), require)
        });
        policy(rules.collect())
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
        let mut sparse = facts.clone();
        sparse.memberships.clear();
        sparse.permissions.retain(|id, _| *id == person("ann").id.0);
        let look_up = |sparse: &mut PullFacts, needed: Vec<(TeamSlug, Person)>| {
            let is_needed = |(of, who, _): &&(TeamSlug, UserId, Membership)| needed.iter().any(|(team, one)| team == of && one.id == *who);
            sparse.memberships.extend(facts.memberships.iter().filter(is_needed).cloned());
        };
        let needed = author_memberships_needed(&policy, &sparse);
        look_up(&mut sparse, needed);
        let needed = memberships_needed(&policy, &sparse);
        look_up(&mut sparse, needed);
        for one in permissions_needed(&policy, &sparse, false) {
            sparse.permissions.extend(facts.permissions.get(&one.id.0).map(|role| (one.id.0, role.clone())));
        }
        let (all, some) = (decide(&policy, &facts, verdict), decide(&policy, &sparse, verdict));
        prop_assert_eq!(all.state, some.state);
        prop_assert_eq!(all.waiver, some.waiver);
        for (all, some) in all.rules.iter().zip(&some.rules) {
            prop_assert_eq!((&all.counted, &all.problems), (&some.counted, &some.problems));
        }
    }

    #[test]
    fn the_order_of_parts_changes_no_state(policy in any_policy(), facts in any_facts(), verdict in any_verdict()) {
        fn turned(require: &Require) -> Require {
            match require {
                Require::Quorum(quorum) => Require::Quorum(quorum.clone()),
                Require::AnyOf(parts) => Require::AnyOf(parts.iter().rev().map(turned).collect()),
                Require::AllOf(parts) => Require::AllOf(parts.iter().rev().map(turned).collect()),
            }
        }
        let before = decide(&policy, &facts, verdict);
        let mut other = policy;
        for rule in &mut other.rules {
            rule.require = turned(&rule.require);
        }
        let after = decide(&other, &facts, verdict);
        prop_assert_eq!(before.state, after.state);
        prop_assert_eq!(before.waiver, after.waiver);
    }

    #[test]
    fn one_more_approval_of_head_makes_no_satisfied_rule_worse(policy in any_policy(), facts in any_facts(), verdict in any_verdict(), name in prop::sample::select(PEOPLE.to_vec())) {
        let before = decide(&policy, &facts, verdict);
        let after = decide(&policy, &facts.review(name, Approved), verdict);
        for (before, after) in before.rules.iter().zip(&after.rules) {
            if before.state == State::Satisfied {
                prop_assert_eq!(after.state, State::Satisfied, "{:?}", after);
            }
        }
    }
}
