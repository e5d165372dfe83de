//! Stories of the policy, one per promise.

mod overriding;
mod properties;
mod size;
mod sources;
mod trees;
mod when;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decision::{Applies, Decision, RuleOutcome, State, Why};
use super::facts::{
    ChangeSize, CodeOwnerFacts, CommitFact, FileFacts, GovernedChange, Membership, Person, PullFacts, Review,
    ReviewState,
};
use super::{
    Change, Level, Policy, Principal, Quorum, Require, Rule, Source, When, decide, memberships_needed, named_in_person,
};
use crate::domain::gate::Verdict;
use crate::domain::ids::{
    BranchName, CommitSha, Digest, Login, PromptPath, PullNumber, RepoId, RepoName, TeamSlug, UserId,
};
use crate::domain::patterns::Patterns;

use ReviewState::{Approved, ChangesRequested, Commented, Dismissed};

fn sha(digit: char) -> CommitSha {
    CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
}

fn login(name: &str) -> Login {
    Login::parse(name).unwrap()
}

fn team(name: &str) -> TeamSlug {
    TeamSlug::parse(name).unwrap()
}

/// Everybody in these stories; the id is the place in this list.
const PEOPLE: [&str; 6] = ["ann", "mara", "lee", "bo", "dana", "eve"];

fn person(name: &str) -> Person {
    let id = PEOPLE.iter().position(|known| *known == name).unwrap();
    Person { id: UserId(id as u64), login: login(name), is_bot: false }
}

fn from(text: &str) -> Source {
    match text {
        "owner" => Source::Owner,
        "codeowners" => Source::CodeOwners,
        "permission:maintain" => Source::Permission(Level::Maintain),
        "leads" => Source::Role { name: "leads".into(), members: [Principal::Team(team("@acme/leads"))].into() },
        text if text.contains('/') => Source::Principal(Principal::Team(team(text))),
        text => Source::Principal(Principal::User(login(text))),
    }
}

fn quorum(count: u32, sources: &[&str]) -> Quorum {
    Quorum { count, from: sources.iter().map(|source| from(source)).collect() }
}

fn part(count: u32, sources: &[&str]) -> Require {
    Require::Quorum(quorum(count, sources))
}

fn rule(name: &str, require: Require) -> Rule {
    Rule { name: name.into(), when: When::default(), require }
}

fn policy(rules: Vec<Rule>) -> Policy {
    Policy { rules, ..Policy::default() }
}

fn asks(require: Require) -> Policy {
    policy(vec![rule("reviewer", require)])
}

fn one_of(sources: &[&str]) -> Policy {
    asks(part(1, sources))
}

/// Ann changed one prompt in one commit; nobody has looked yet.
fn facts() -> PullFacts {
    PullFacts {
        repo: RepoName::parse("acme/prompts").unwrap(),
        repo_id: RepoId(1),
        number: PullNumber(7),
        author: Some(person("ann")),
        base_branch: BranchName::parse("main").unwrap(),
        base_sha: sha('b'),
        head_sha: sha('a'),
        is_fork: false,
        changes: vec![change("prompts/support/refund.prompt.yml", Change::Prompt)],
        content: Digest([1; 32]),
        content_at: BTreeMap::new(),
        reviews: Vec::new(),
        commits: vec![commit("ann")],
        caps: Vec::new(),
        said: FileFacts::default(),
        labels: Vec::new(),
        size: ChangeSize::default(),
        overrides: Vec::new(),
        blocked: None,
        code_owners: CodeOwnerFacts::default(),
        unreadable_teams: Vec::new(),
        pins: Vec::new(),
        memberships: Vec::new(),
        permissions: BTreeMap::new(),
    }
}

fn change(path: &str, kind: Change) -> GovernedChange {
    GovernedChange { path: PromptPath::parse(path).unwrap(), previous: None, kind }
}

fn commit(author: &str) -> CommitFact {
    CommitFact {
        sha: sha('a'),
        author: Some(person(author)),
        committer: None,
        committed_by_github: true,
        co_authors: Vec::new(),
        unknown_co_authors: Vec::new(),
    }
}

trait Story {
    fn review(self, name: &str, state: ReviewState) -> Self;
    fn review_at(self, name: &str, state: ReviewState, commit: Option<CommitSha>) -> Self;
    fn member(self, of: &str, name: &str, membership: Membership) -> Self;
}

impl Story for PullFacts {
    fn review(self, name: &str, state: ReviewState) -> Self {
        self.review_at(name, state, Some(sha('a')))
    }
    fn review_at(mut self, name: &str, state: ReviewState, commit: Option<CommitSha>) -> Self {
        let id = self.reviews.len() as u64;
        self.reviews.push(Review { id, by: Some(person(name)), state, commit });
        self
    }
    fn member(mut self, of: &str, name: &str, membership: Membership) -> Self {
        self.memberships.push((team(of), person(name).id, membership));
        self
    }
}

fn only(policy: &Policy, facts: &PullFacts) -> RuleOutcome {
    decide(policy, facts, Some(Verdict::Pass)).rules.remove(0)
}

fn check(policy: &Policy, facts: &PullFacts, expected: State) -> Decision {
    let decision = decide(policy, facts, Some(Verdict::Pass));
    assert_eq!(decision.state, expected, "{decision:#?}");
    decision
}

fn why(policy: &Policy, facts: &PullFacts) -> Why {
    only(policy, facts).not_counted.remove(0).why
}

#[test]
fn a_policy_without_a_rule_that_applies_is_satisfied() {
    check(&Policy::default(), &facts(), State::Satisfied);
    let untouched = PullFacts { changes: Vec::new(), ..facts() };
    check(&one_of(&["mara"]), &untouched, State::Satisfied);
}

#[test]
fn an_approval_by_a_named_person_satisfies_whatever_the_case_of_the_login() {
    let waiting = check(&one_of(&["MARA"]), &facts(), State::Pending);
    assert_eq!(waiting.rules[0].could, "1 of @MARA");
    let decision = check(&one_of(&["MARA"]), &facts().review("mara", Approved), State::Satisfied);
    assert_eq!(decision.rules[0].counted, [login("mara")]);
}

#[test]
fn somebody_the_rule_does_not_name_approves_in_vain() {
    let facts = facts().review("lee", Approved);
    check(&one_of(&["mara"]), &facts, State::Pending);
    assert_eq!(why(&one_of(&["mara"]), &facts), Why::NotNamed);
}

#[test]
fn a_later_request_for_changes_or_a_dismissal_takes_the_approval_back_and_a_comment_does_not() {
    let mara = one_of(&["mara"]);
    let approved = facts().review("mara", Approved);
    check(&mara, &approved.clone().review("mara", Commented), State::Satisfied);
    let blocked = check(&mara, &approved.clone().review("mara", ChangesRequested), State::ChangesRequested);
    assert_eq!(blocked.rules[0].changes_requested, [login("mara")]);
    check(&mara, &approved.review("mara", Dismissed), State::Pending);
}

#[test]
fn a_dismissal_never_revives_an_older_approval() {
    let facts = facts().review("mara", Approved).review("mara", ChangesRequested).review("mara", Dismissed);
    check(&one_of(&["mara"]), &facts, State::Pending);
    assert_eq!(why(&one_of(&["mara"]), &facts), Why::Dismissed);
}

#[test]
fn somebody_no_rule_names_cannot_block() {
    check(&one_of(&["mara"]), &facts().review("mara", Approved).review("lee", ChangesRequested), State::Satisfied);
}

#[test]
fn an_approval_is_bound_to_the_content_it_saw() {
    let mara = one_of(&["mara"]);
    let earlier = facts().review_at("mara", Approved, Some(sha('c')));
    check(&mara, &earlier, State::Pending);
    assert_eq!(why(&mara, &earlier), Why::Outdated { commit: Some(sha('c')) });

    let mut rebased = earlier.clone();
    rebased.content_at.insert(sha('c'), rebased.content);
    check(&mara, &rebased, State::Satisfied);

    let mut pushed = earlier;
    pushed.content_at.insert(sha('c'), Digest([2; 32]));
    check(&mara, &pushed, State::Pending);

    let unsaid = facts().review_at("mara", Approved, None);
    assert_eq!(why(&mara, &unsaid), Why::Outdated { commit: None });
}

#[test]
fn a_request_for_changes_outlives_a_push() {
    check(&one_of(&["mara"]), &facts().review_at("mara", ChangesRequested, Some(sha('c'))), State::ChangesRequested);
}

#[test]
fn authors_contributors_and_bots_do_not_approve() {
    let anyone = one_of(&["ann", "mara", "lee", "bo", "dana"]);
    let mut facts = facts().review("ann", Approved);
    assert_eq!(why(&anyone, &facts), Why::Author);

    facts = facts.review("mara", Approved);
    facts.commits.push(commit("mara"));
    let mut by_committer = commit("ann");
    by_committer.committer = Some(person("lee"));
    by_committer.co_authors = vec![person("bo")];
    facts.commits.push(by_committer);
    facts = facts.review("lee", Approved).review("bo", Approved);
    facts.reviews.push(Review {
        id: 9,
        by: Some(Person { is_bot: true, ..person("dana") }),
        state: Approved,
        commit: Some(sha('a')),
    });
    let decision = check(&anyone, &facts, State::Pending);
    let reasons: Vec<Why> = decision.rules[0].not_counted.iter().map(|not| not.why.clone()).collect();
    assert_eq!(reasons, [Why::Author, Why::Contributor, Why::Contributor, Why::Contributor, Why::Bot]);
}

#[test]
fn people_are_compared_by_id_so_a_new_login_does_not_make_the_author_somebody_else() {
    let mut facts = facts();
    let renamed = Person { login: login("mara"), ..person("ann") };
    facts.reviews.push(Review { id: 1, by: Some(renamed), state: Approved, commit: Some(sha('a')) });
    assert_eq!(why(&one_of(&["mara"]), &facts), Why::Author);
}

#[test]
fn a_commit_of_nobody_makes_it_undecidable_and_says_how_to_resolve_it() {
    let approved = facts().review("mara", Approved);
    let mut unknown_author = approved.clone();
    unknown_author.commits[0].author = None;
    let mut unknown_committer = approved.clone();
    unknown_committer.commits[0].committed_by_github = false;
    let mut unknown_co_author = approved.clone();
    unknown_co_author.commits[0].unknown_co_authors = vec!["Zed <zed@example.com>".into()];
    let gone = PullFacts { author: None, ..approved };
    for facts in [unknown_author, unknown_committer, unknown_co_author, gone] {
        let decision = check(&one_of(&["mara"]), &facts, State::Undecidable);
        assert_eq!(decision.problems.len(), 1);
        assert!(decision.problems[0].contains(": "), "says what to do: {}", decision.problems[0]);
        check(&Policy::default(), &facts, State::Satisfied);
    }
}

#[test]
fn a_cap_fails_closed_even_without_rules() {
    let capped = PullFacts { caps: vec!["more than 3,000 files: split the pull request".into()], ..facts() };
    check(&Policy::default(), &capped, State::Undecidable);
    check(&one_of(&["mara"]), &capped.review("mara", Approved), State::Undecidable);
}

#[test]
fn only_active_members_count_and_an_unreadable_team_is_an_error() {
    let leads = one_of(&["leads"]);
    let approved = facts().review("mara", Approved);
    let with = |membership| approved.clone().member("@acme/leads", "mara", membership);
    check(&leads, &with(Membership::Active), State::Satisfied);
    check(&leads, &with(Membership::No), State::Pending);
    check(&leads, &with(Membership::Pending), State::Pending);
    assert_eq!(why(&leads, &with(Membership::Pending)), Why::Invited);
    let decision = check(&leads, &with(Membership::Unreadable), State::Undecidable);
    assert!(decision.rules[0].problems[0].starts_with("team @acme/leads cannot be read"));
    check(&leads, &approved, State::Undecidable);
    check(&leads, &facts(), State::Pending);
}

#[test]
fn any_of_takes_the_alternative_that_is_there_and_an_error_is_not_hidden_by_a_pending_one() {
    let legal_or_leads = asks(Require::AnyOf(vec![part(1, &["@acme/legal"]), part(2, &["leads"])]));
    let mara = facts().review("mara", Approved).member("@acme/legal", "mara", Membership::Unreadable).member(
        "@acme/leads",
        "mara",
        Membership::Active,
    );
    check(&legal_or_leads, &mara, State::Undecidable);
    let both = mara.review("lee", Approved).member("@acme/legal", "lee", Membership::No).member(
        "@acme/leads",
        "lee",
        Membership::Active,
    );
    let decision = check(&legal_or_leads, &both, State::Satisfied);
    assert_eq!(decision.rules[0].could, "1 of @acme/legal or 2 of leads (@acme/leads)");
    assert_eq!((decision.rules[0].needed, decision.rules[0].counted.len()), (2, 2));
}

#[test]
fn every_rule_that_applies_must_be_satisfied_and_the_worst_is_what_counts() {
    let policy = policy(vec![rule("a", part(1, &["mara"])), rule("b", part(1, &["@acme/legal"]))]);
    let mara = facts().review("mara", Approved).member("@acme/legal", "mara", Membership::No);
    check(&policy, &mara, State::Pending);
    let lee = mara.review("lee", ChangesRequested).member("@acme/legal", "lee", Membership::Unreadable);
    check(&policy, &lee, State::Undecidable);
}

#[test]
fn a_login_that_changed_hands_is_undecidable_for_whoever_has_it_now() {
    let policy = one_of(&["Mara", "lee"]);
    assert_eq!(named_in_person(&policy), [login("lee"), login("mara")].into());
    let mut facts = facts().review("mara", Approved);
    facts.pins = vec![(login("MARA"), person("mara").id)];
    check(&policy, &facts, State::Satisfied);
    facts.pins = vec![(login("mara"), UserId(99))];
    let decision = check(&policy, &facts, State::Undecidable);
    assert_eq!(
        decision.problems,
        [
            "the login @mara belonged to another account when it first counted here: remove the name from the settings on \
          the base branch, then add it again"
        ]
    );
    // An approval of somebody else does not hide it, and one that was taken back asks for nothing.
    check(&policy, &facts.clone().review("lee", Approved), State::Undecidable);
    check(&policy, &facts.review("mara", Dismissed).review("lee", Approved), State::Satisfied);
}

#[test]
fn one_person_is_one_approval_however_often_they_approve() {
    let two = asks(part(2, &["mara", "@acme/leads"]));
    let twice =
        facts().review("mara", Approved).review("mara", Approved).member("@acme/leads", "mara", Membership::Active);
    check(&two, &twice, State::Pending);
}

#[test]
fn the_owner_of_a_changed_prompt_may_be_a_user_or_a_team() {
    let policy = one_of(&["owner"]);
    let mut facts = facts().review("mara", Approved).member("@acme/support", "mara", Membership::Active);
    check(&policy, &facts, State::Undecidable);
    facts.said.owners = vec!["@mara".into()];
    check(&policy, &facts, State::Satisfied);
    facts.said.owners = vec!["@acme/support".into()];
    check(&policy, &facts, State::Satisfied);
    facts.said.owners = vec!["Support team".into()];
    check(&policy, &facts, State::Undecidable);
}

#[test]
fn every_owner_must_approve_and_one_person_may_stand_for_several() {
    let policy = one_of(&["owner"]);
    let mut facts = facts().review("mara", Approved);
    facts.said.owners = vec!["@mara".into(), "@acme/legal".into()];
    assert_eq!(memberships_needed(&policy, &facts), [(team("@acme/legal"), person("mara"))]);
    check(&policy, &facts, State::Undecidable);
    check(&policy, &facts.clone().member("@acme/legal", "mara", Membership::Active), State::Satisfied);

    let outsider = facts.clone().member("@acme/legal", "mara", Membership::No);
    let waiting = check(&policy, &outsider, State::Pending);
    assert_eq!((waiting.rules[0].needed, waiting.rules[0].counted.len()), (2, 1));
    assert_eq!(
        waiting.rules[0].could,
        "1 of the owners of the changed prompts, and each of them (@mara, @acme/legal); still missing: @acme/legal"
    );
    let both = outsider.review("lee", Approved).member("@acme/legal", "lee", Membership::Active);
    let decision = check(&policy, &both, State::Satisfied);
    assert_eq!(decision.rules[0].counted, [login("mara"), login("lee")]);

    let named_nobody =
        PullFacts { said: FileFacts { owners: vec!["@mara".into(), "Legal".into()], ..facts.said.clone() }, ..facts };
    check(&policy, &named_nobody, State::Undecidable);
}

#[test]
fn the_owner_of_one_prompt_does_not_stand_for_a_prompt_without_an_owner() {
    let mut facts = facts().review("mara", Approved);
    facts.said.owners = vec!["@mara".into()];
    facts.said.unowned = vec![PromptPath::parse("prompts/legal.prompt.yml").unwrap()];
    let decision = check(&one_of(&["owner"]), &facts, State::Undecidable);
    assert!(decision.rules[0].problems[0].starts_with("`prompts/legal.prompt.yml` names no owner"), "{decision:#?}");
    check(&one_of(&["owner", "mara"]), &facts, State::Satisfied);
}

#[test]
fn only_memberships_that_can_matter_are_looked_up() {
    let mut policy = one_of(&["mara", "leads", "@acme/support"]);
    policy.rules.push(Rule {
        when: When { paths: Patterns::new(["elsewhere/**"]).unwrap(), ..When::default() },
        ..rule("elsewhere", part(1, &["@acme/legal"]))
    });
    assert_eq!(memberships_needed(&policy, &facts()), []);
    let facts = facts()
        .review("mara", Approved)
        .review("ann", Approved)
        .review("lee", Commented)
        .review("bo", Dismissed)
        .review_at("eve", Approved, Some(sha('c')))
        .review("dana", ChangesRequested);
    let needed = memberships_needed(&policy, &facts);
    assert_eq!(needed, [(team("@acme/leads"), person("dana")), (team("@acme/support"), person("dana"))]);
}
