//! May this pull request merge? Slow and obvious, straight from the rules that users are told. Imports nothing of the
//! product, and reads nothing the product wrote.

use std::collections::BTreeSet;

use super::policies::{POLICIES, Quorum, Rule, When, Who};
use super::world::{
    Content, Difference, LEGAL, LEGAL_SET, MOVED, Opinion, Override, Person, Pull, README, REPLY, REPLY_SET, SETTINGS,
    WRITERS, World,
};

/// What keeps a pull request from being merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Against {
    /// What GitHub sees to by itself, at once.
    pub github: Vec<String>,
    /// What our checks have to hold it for.
    pub checks: Vec<String>,
    /// What they have to hold it for because of others with the same head that go to the same base.
    pub others: Vec<String>,
}

impl Against {
    /// Whether it cannot be told what a merge would leave, and so what it breaks.
    pub fn has_conflict(&self) -> bool {
        self.github.iter().any(|reason| reason == CONFLICTS)
    }

    pub fn is_empty(&self) -> bool {
        self.github.is_empty() && self.checks.is_empty() && self.others.is_empty()
    }
}

const CONFLICTS: &str = "it conflicts with its base";

/// Every reason against merging it now; none if it may be merged.
pub fn against(world: &World, number: usize) -> Against {
    let pull = &world.pulls[number];
    let mut against = Against::default();
    if !pull.open {
        against.github.push("it is closed".to_owned());
    }
    if pull.draft {
        against.github.push("it is a draft".to_owned());
    }
    if world.merged(world.tip(pull.base), world.head(pull)).is_none() {
        against.github.push(CONFLICTS.to_owned());
    }
    against.checks = check_reasons(world, pull);
    // A check belongs to a commit: what stands on a shared one is the worst of those who share it.
    for other in world.pulls.iter().filter(|other| shares_checks(world, pull, other)) {
        against.others.extend(check_reasons(world, other));
    }
    against
}

fn shares_checks(world: &World, pull: &Pull, other: &Pull) -> bool {
    !std::ptr::eq(pull, other) && other.open && other.base == pull.base && world.head(other) == world.head(pull)
}

/// What keeps the two checks from success.
fn check_reasons(world: &World, pull: &Pull) -> Vec<String> {
    let policy = &POLICIES[world.policy(pull.base)];
    if !policy.readable {
        return vec!["the settings on its base cannot be read".to_owned()];
    }
    let brought = governed(world, pull, world.head(pull));
    if brought.is_empty() {
        return Vec::new();
    }
    let mut against = Vec::new();
    let is_unreadable = brings_unreadable(&brought);
    // What cannot be read is not run.
    let broken = if is_unreadable { BTreeSet::new() } else { broken_orders(world, pull, &brought) };
    let rules: Vec<&Rule> =
        policy.rules.iter().filter(|rule| applies(world, pull, rule.when, &brought, !broken.is_empty())).collect();
    if !rules.is_empty() && new_commits(world, pull).iter().any(|commit| world.commits[*commit].has_stranger) {
        against.push("nobody knows who made one of its commits".to_owned());
    }
    let unsatisfied: Vec<String> = rules.iter().filter_map(|rule| unsatisfied(world, pull, rule)).collect();
    let is_held = is_unreadable || (!broken.is_empty() && !is_waived(&rules, &unsatisfied));
    if is_held && !is_overridden(world, pull) {
        let unreadable = || "it brings settings that cannot be read".to_owned();
        against.push(if is_unreadable { unreadable() } else { format!("it breaks {broken:?}") });
    }
    against.extend(unsatisfied);
    against
}

fn brings_unreadable(brought: &Difference) -> bool {
    matches!(brought.get(SETTINGS), Some(Some(Content::Settings(new))) if !POLICIES[*new].readable)
}

/// A rule about regressions waives one once all rules are satisfied.
fn is_waived(rules: &[&Rule], unsatisfied: &[String]) -> bool {
    rules.iter().any(|rule| rule.when == When::Regression) && unsatisfied.is_empty()
}

fn governed(world: &World, pull: &Pull, commit: usize) -> Difference {
    let mut brought = world.brought(world.tip(pull.base), commit);
    brought.remove(README);
    brought
}

fn applies(world: &World, pull: &Pull, when: When, brought: &Difference, regression: bool) -> bool {
    match when {
        When::Always => true,
        When::Under(folder) => brought.keys().any(|path| path.starts_with(folder)),
        When::Yardstick => [REPLY_SET, LEGAL_SET, SETTINGS].iter().any(|path| brought.contains_key(path)),
        When::Weakened => asks_for_less(world, pull, brought),
        When::Regression => regression,
    }
}

/// Whether a changed golden set lacks an order of base's, or the golden set stays behind when its prompt is moved.
fn asks_for_less(world: &World, pull: &Pull, brought: &Difference) -> bool {
    let orders = |content: Option<&Content>| match content {
        Some(Content::Golden(orders)) => orders.clone(),
        _ => BTreeSet::new(),
    };
    let before = orders(world.files(world.tip(pull.base)).get(REPLY_SET));
    let lacks = brought.get(REPLY_SET).is_some_and(|after| !orders(after.as_ref()).is_superset(&before));
    lacks || brought.get(MOVED).is_some_and(Option::is_some)
}

/// The prompts it changes, or whose golden set it changes, each as (path on base, path after a merge).
fn changed_prompts(brought: &Difference) -> Vec<(&'static str, &'static str)> {
    let legal_now = if brought.get(MOVED).is_some_and(Option::is_some) { MOVED } else { LEGAL };
    let mut changed = Vec::new();
    if [REPLY, REPLY_SET].iter().any(|path| brought.contains_key(path)) {
        changed.push((REPLY, REPLY));
    }
    if [LEGAL, LEGAL_SET, MOVED].iter().any(|path| brought.contains_key(path)) {
        changed.push((LEGAL, legal_now));
    }
    changed
}

/// The cases of base's golden sets that pass with base's prompts and fail with head's.
fn broken_orders(world: &World, pull: &Pull, brought: &Difference) -> BTreeSet<String> {
    let base = world.files(world.tip(pull.base));
    let Some(merged) = world.merged(world.tip(pull.base), world.head(pull)) else { return BTreeSet::new() };
    let mut broken = BTreeSet::new();
    for (path, path_now) in changed_prompts(brought) {
        let set = if path == REPLY { REPLY_SET } else { LEGAL_SET };
        let (Some(Content::Golden(orders)), Some(Content::Prompt { forgets: before, .. })) =
            (base.get(set), base.get(path))
        else {
            continue;
        };
        let Some(Content::Prompt { forgets: after, .. }) = merged.get(path_now) else { continue };
        let now = orders.iter().filter(|order| after.contains(order) && !before.contains(order));
        broken.extend(now.map(|order| format!("{path_now} order {order}")));
    }
    broken
}

/// Commits that the pull request brings.
fn new_commits(world: &World, pull: &Pull) -> BTreeSet<usize> {
    let known = world.behind(world.tip(pull.base));
    world.behind(world.head(pull)).difference(&known).copied().collect()
}

/// Each person with their latest review that is more than a comment.
fn opinions(pull: &Pull) -> Vec<(Person, Opinion, usize)> {
    let people: BTreeSet<Person> = pull.reviews.iter().map(|review| review.by).collect();
    let latest = |person: Person| {
        let mut theirs = pull.reviews.iter().filter(|review| review.by == person);
        let last = theirs.rfind(|review| review.opinion != Opinion::Comments)?;
        Some((person, last.opinion, last.commit))
    };
    people.into_iter().filter_map(latest).collect()
}

/// Whose approvals stand.
fn approvers(world: &World, pull: &Pull) -> Vec<Person> {
    let head = governed(world, pull, world.head(pull));
    let contributors: BTreeSet<Person> =
        new_commits(world, pull).iter().flat_map(|commit| world.commits[*commit].people.clone()).collect();
    let stands = |(person, opinion, commit): (Person, Opinion, usize)| {
        let seen = commit == world.head(pull) || governed(world, pull, commit) == head;
        let may = !person.ends_with("[bot]") && person != pull.author && !contributors.contains(person);
        (opinion == Opinion::Approves && seen && may).then_some(person)
    };
    opinions(pull).into_iter().filter_map(stands).collect()
}

/// Why a rule is not satisfied.
fn unsatisfied(world: &World, pull: &Pull, rule: &Rule) -> Option<String> {
    let requests = opinions(pull).into_iter().filter(|(_, opinion, _)| *opinion == Opinion::RequestsChanges);
    for (person, ..) in requests {
        if rule.any_of.iter().flat_map(|quorum| quorum.from).any(|who| is_named(world, pull, *who, person)) {
            return Some(format!("{person} requests changes, whom rule {} names", rule.name));
        }
    }
    let approvers = approvers(world, pull);
    let met = rule.any_of.iter().any(|quorum| is_met(world, pull, quorum, &approvers));
    (!met).then(|| format!("rule {} is not satisfied by {approvers:?}", rule.name))
}

fn is_met(world: &World, pull: &Pull, quorum: &Quorum, approvers: &[Person]) -> bool {
    let named = |person: &&Person| quorum.from.iter().any(|who| is_named(world, pull, *who, person));
    let everyone_asked = quorum.from != [Who::Owner]
        || owners(world, pull).iter().all(|owner| approvers.iter().any(|person| answers_for(world, owner, person)));
    approvers.iter().filter(named).count() >= quorum.count && everyone_asked
}

fn is_named(world: &World, pull: &Pull, who: Who, person: Person) -> bool {
    match who {
        Who::Team(team) => world.is_member(team, person),
        Who::User(login) => login == person,
        Who::Owner => owners(world, pull).iter().any(|owner| answers_for(world, owner, person)),
    }
}

/// Whom base names as owners of what changes.
fn owners(world: &World, pull: &Pull) -> BTreeSet<&'static str> {
    let base = world.files(world.tip(pull.base));
    let brought = governed(world, pull, world.head(pull));
    let owner = |path| match base.get(path) {
        Some(Content::Prompt { owner, .. }) => Some(*owner),
        _ => None,
    };
    changed_prompts(&brought).into_iter().filter_map(|(path, _)| owner(path)).collect()
}

fn answers_for(world: &World, owner: &str, person: Person) -> bool {
    match owner.strip_prefix("@acme/") {
        Some(team) => world.is_member(team.trim_end_matches("-{n}"), person),
        None => owner.strip_prefix('@') == Some(person),
    }
}

/// Whether an override given now is one: the evaluation blocks, and this person may lift that.
pub fn can_override(world: &World, number: usize, person: Person) -> bool {
    let pull = &world.pulls[number];
    let policy = &POLICIES[world.policy(pull.base)];
    let brought = governed(world, pull, world.head(pull));
    let is_unreadable = brings_unreadable(&brought);
    let rules: Vec<&Rule> =
        policy.rules.iter().filter(|rule| applies(world, pull, rule.when, &brought, !is_unreadable)).collect();
    let unsatisfied: Vec<String> = rules.iter().filter_map(|rule| unsatisfied(world, pull, rule)).collect();
    let breaks = !broken_orders(world, pull, &brought).is_empty() && !is_waived(&rules, &unsatisfied);
    policy.readable && (is_unreadable || breaks) && may_override(world, pull, person)
}

/// Whether the settings on base name them, they may write, and the change is none of theirs.
fn may_override(world: &World, pull: &Pull, person: Person) -> bool {
    let named = POLICIES[world.policy(pull.base)].overriders;
    let is_contributor = new_commits(world, pull).iter().any(|commit| world.commits[*commit].people.contains(&person));
    let is_involved = person == pull.author || is_contributor;
    WRITERS.contains(&person) && !is_involved && named.is_some_and(|team| world.is_member(team, person))
}

/// Whether somebody has let this very head through who may, having seen what is asked of it now.
fn is_overridden(world: &World, pull: &Pull) -> bool {
    let head = world.head(pull);
    // Whoever cannot be kept apart from those who made the change must not count.
    let is_told = new_commits(world, pull).iter().all(|commit| !world.commits[*commit].has_stranger);
    let question = world.question(pull);
    let counts =
        |given: &Override| given.head == head && given.question == question && may_override(world, pull, given.by);
    is_told && pull.overrides.iter().any(counts)
}
