//! Stories of where approvals may come from: code owners, permissions, teams that cannot be seen.

use super::*;
use crate::domain::diagnostic::Location;
use crate::domain::policy::facts::OwnedPaths;
use crate::domain::policy::{Place, needs_code_owners, permissions_needed, teams_needed};

fn owned(owners: &[&str], path: &str) -> OwnedPaths {
    let owners = owners.iter().map(|owner| Principal::parse(owner).unwrap()).collect();
    OwnedPaths { owners, paths: vec![PromptPath::parse(path).unwrap()] }
}

fn with_owners(facts: PullFacts, owned: Vec<OwnedPaths>) -> PullFacts {
    let file = PromptPath::parse("CODEOWNERS").ok();
    PullFacts { code_owners: CodeOwnerFacts { file, owned, problems: Vec::new() }, ..facts }
}

fn may(mut facts: PullFacts, name: &str, role: &str) -> PullFacts {
    facts.permissions.insert(person(name).id.0, role.to_owned());
    facts
}

#[test]
fn each_changed_file_needs_one_of_its_code_owners() {
    let policy = one_of(&["codeowners"]);
    assert!(needs_code_owners(&policy, &facts()) && !needs_code_owners(&one_of(&["mara"]), &facts()));
    let changed = vec![owned(&["@mara", "@bo"], "prompts/a.yml"), owned(&["@acme/legal"], "prompts/b.yml")];
    let one = with_owners(facts().review("mara", Approved), changed).member("@acme/legal", "mara", Membership::No);
    let waiting = check(&policy, &one, State::Pending);
    assert_eq!(
        waiting.rules[0].could,
        "1 of the code owners (@bo, @mara, @acme/legal), for each changed file one of its own; still missing: an owner of \
         `prompts/b.yml` (@acme/legal)"
    );
    let both = one.clone().review("lee", Approved).member("@acme/legal", "lee", Membership::Active);
    check(&policy, &both, State::Satisfied);
    check(&asks(part(3, &["codeowners"])), &both, State::Pending);
    let unknown = one.clone().review("lee", Approved);
    check(&policy, &unknown, State::Undecidable);
    // Whom the rule names besides stands for every file.
    let lee = one.review("lee", Approved).member("@acme/legal", "lee", Membership::No);
    check(&one_of(&["codeowners", "lee"]), &lee, State::Satisfied);
    check(&one_of(&["codeowners", "eve"]), &lee, State::Pending);
}

#[test]
fn code_owners_that_are_not_known_are_undecidable() {
    let policy = one_of(&["codeowners"]);
    let approved = facts().review("mara", Approved);
    assert!(check(&policy, &approved, State::Undecidable).rules[0].problems[0].contains("no CODEOWNERS file"));
    let nobody = with_owners(approved.clone(), Vec::new());
    assert!(check(&policy, &nobody, State::Undecidable).rules[0].problems[0].contains("no changed file has an owner"));
    let mut broken = with_owners(approved, vec![owned(&["@mara"], "prompts/a.yml")]);
    broken.code_owners.problems = vec!["CODEOWNERS:3 on the base branch: `mara` is no owner: write @user there".into()];
    assert_eq!(check(&policy, &broken, State::Undecidable).rules[0].problems, broken.code_owners.problems);
    check(&one_of(&["codeowners", "mara"]), &broken, State::Satisfied);
}

#[test]
fn a_permission_counts_from_its_level_up_and_what_is_not_known_is_undecidable() {
    let policy = one_of(&["permission:maintain"]);
    let approved = facts().review("mara", Approved);
    for (role, expected) in [
        ("admin", State::Satisfied),
        ("maintain", State::Satisfied),
        ("write", State::Pending),
        ("triage", State::Pending),
        ("read", State::Pending),
        ("none", State::Pending),
        ("wizard", State::Undecidable),
    ] {
        check(&policy, &may(approved.clone(), "mara", role), expected);
    }
    check(&policy, &approved, State::Undecidable);
    assert_eq!(permissions_needed(&policy, &approved, true), [person("mara")]);
    assert_eq!(check(&policy, &facts(), State::Pending).rules[0].could, "1 of everybody with maintain permission");
    let asked_for_changes = may(facts().review("mara", ChangesRequested), "mara", "admin");
    check(&policy, &asked_for_changes, State::ChangesRequested);
}

#[test]
fn somebody_without_access_to_the_repository_does_not_count() {
    let approved = facts().review("mara", Approved).review("eve", Approved);
    assert_eq!(
        permissions_needed(&one_of(&["mara"]), &approved, false),
        [person("mara")],
        "eve's would not count anyhow"
    );
    assert_eq!(permissions_needed(&one_of(&["mara"]), &approved, true), []);
    let gone = may(approved, "mara", "none");
    check(&one_of(&["mara"]), &gone, State::Pending);
    assert_eq!(why(&one_of(&["mara"]), &gone), Why::NoAccess);
}

#[test]
fn a_team_that_cannot_be_seen_is_undecidable_before_anybody_approves_and_says_where_it_is_named() {
    let mut leads = one_of(&["leads"]);
    let file = PromptPath::parse(".github/promptops.yml").unwrap();
    leads.places.insert(team("@acme/leads"), Place { file, at: Location { line: 3, column: 11, length: 13 } });
    assert_eq!(teams_needed(&leads, &facts()).into_iter().collect::<Vec<_>>(), [team("@acme/leads")]);
    let unseen = PullFacts { unreadable_teams: vec![team("@acme/leads")], ..facts() };
    let decision = check(&leads, &unseen, State::Undecidable);
    assert_eq!(
        decision.rules[0].problems,
        [
            "team @acme/leads cannot be read (.github/promptops.yml:3:11), so nobody can say who is in it: let the app read the \
          organisation's members, or correct the team's name"
        ]
    );
    check(&one_of(&["leads", "mara"]), &unseen.clone().review("mara", Approved), State::Satisfied);
    check(&one_of(&["mara"]), &unseen, State::Pending);
    let either = asks(Require::AnyOf(vec![part(1, &["leads"]), part(1, &["mara"])]));
    check(&either, &unseen, State::Undecidable);
}
