//! The shape of the benchmark in small: many files, rules of every kind, many reviews.

use super::*;

#[test]
fn many_rules_about_many_files_and_reviews_are_decided_one_by_one() {
    let mut facts = facts();
    facts.changes =
        (0..60).map(|n| change(&format!("prompts/team-{}/p{n}.prompt.yml", n % 6), Change::Prompt)).collect();
    for _ in 0..10 {
        for name in ["mara", "lee", "bo", "dana", "eve"] {
            facts = facts.review(name, Commented).review(name, Approved);
        }
    }
    for (place, name) in PEOPLE.iter().enumerate() {
        let membership = if place % 2 == 0 { Membership::Active } else { Membership::No };
        facts = facts.member("@acme/leads", name, membership);
    }
    let rules = (0..12).map(|n| Rule {
        when: When { paths: Patterns::new([format!("prompts/team-{n}/**").as_str()]).unwrap(), ..When::default() },
        ..rule(&n.to_string(), if n % 2 == 0 { part(2, &["leads"]) } else { part(3, &["leads"]) })
    });
    let decision = check(&policy(rules.collect()), &facts, State::Pending);
    let states: Vec<State> = decision.rules.iter().map(|rule| rule.state).collect();
    // Of the leads lee and dana approved; rules about teams 6 to 11 do not apply.
    let expected: Vec<State> =
        (0..12).map(|n| if n < 6 && n % 2 == 1 { State::Pending } else { State::Satisfied }).collect();
    assert_eq!(states, expected);
    assert_eq!(decision.rules[0].counted, [login("lee"), login("dana")]);
}
