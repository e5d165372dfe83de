//! Where each reviewer stands: the latest review that is more than a comment, and whether it may count. Knows no rule.

use std::collections::{BTreeMap, BTreeSet};

use super::decision::Why;
use super::facts::{CommitFact, Person, PullFacts, Review, ReviewState};
use crate::domain::ids::{Login, UserId};

/// Reviewers of one pull request, in the order of the reviews that count for them.
#[derive(Debug, Default)]
pub(super) struct Standing<'a> {
    /// Approvals that may count, if a rule names the person.
    pub approvals: Vec<&'a Person>,
    /// Requests for changes that stand.
    pub requests: Vec<&'a Person>,
    /// Approvals that count for no rule.
    pub discounted: Vec<(&'a Person, Why)>,
}

impl<'a> Standing<'a> {
    pub fn of(facts: &'a PullFacts) -> Self {
        let contributors = contributors(facts);
        let mut standing = Self::default();
        for (person, review) in latest(&facts.reviews) {
            match review.state {
                ReviewState::Commented => {}
                ReviewState::ChangesRequested => standing.requests.push(person),
                ReviewState::Dismissed => standing.discounted.push((person, Why::Dismissed)),
                ReviewState::Approved => match discount(facts, &contributors, person, review) {
                    None => standing.approvals.push(person),
                    Some(why) => standing.discounted.push((person, why)),
                },
            }
        }
        standing
    }
}

/// Each person's latest review that is not a mere comment. A dismissal is such a review, so it hides older approvals.
fn latest(reviews: &[Review]) -> Vec<(&Person, &Review)> {
    let mut latest: BTreeMap<UserId, (usize, &Person, &Review)> = BTreeMap::new();
    for (place, review) in reviews.iter().enumerate() {
        if let (Some(person), true) = (&review.by, review.state != ReviewState::Commented) {
            latest.insert(person.id, (place, person, review));
        }
    }
    let mut latest: Vec<_> = latest.into_values().collect();
    latest.sort_by_key(|(place, ..)| *place);
    latest.into_iter().map(|(_, person, review)| (person, review)).collect()
}

fn discount(facts: &PullFacts, contributors: &BTreeSet<UserId>, person: &Person, review: &Review) -> Option<Why> {
    involved(facts, contributors, person).or_else(|| {
        if !saw_this_content(facts, review) {
            return Some(Why::Outdated { commit: review.commit.clone() });
        }
        let has_no_access = facts.permissions.get(&person.id.0).is_some_and(|role| role == "none");
        has_no_access.then_some(Why::NoAccess)
    })
}

/// Why somebody has no say in this change whatever they say.
pub(super) fn involved(facts: &PullFacts, contributors: &BTreeSet<UserId>, person: &Person) -> Option<Why> {
    if person.is_bot {
        Some(Why::Bot)
    } else if facts.author.as_ref().is_some_and(|author| author.id == person.id) {
        Some(Why::Author)
    } else if contributors.contains(&person.id) {
        Some(Why::Contributor)
    } else {
        None
    }
}

/// Head itself, or a commit that brings the same governed content. What cannot be compared is not the same.
fn saw_this_content(facts: &PullFacts, review: &Review) -> bool {
    review
        .commit
        .as_ref()
        .is_some_and(|commit| *commit == facts.head_sha || facts.content_at.get(commit) == Some(&facts.content))
}

pub(super) fn contributors(facts: &PullFacts) -> BTreeSet<UserId> {
    facts.commits.iter().flat_map(people_of).map(|person| person.id).collect()
}

fn people_of(commit: &CommitFact) -> impl Iterator<Item = &Person> {
    commit.author.iter().chain(&commit.committer).chain(&commit.co_authors)
}

/// Why nobody can say who contributed, if so: one sentence each, which ends with what to do.
pub(super) fn unknown_contributors(facts: &PullFacts) -> Vec<String> {
    let mut problems = Vec::new();
    if facts.author.is_none() {
        problems.push(
            "the account that opened the pull request is gone, so it cannot be kept from approving: open the change \
             again as a new pull request"
                .to_owned(),
        );
    }
    for commit in &facts.commits {
        let short = commit.sha.short();
        if commit.author.is_none() {
            problems.push(format!("the author of commit {short} is no GitHub account: {WAY_OUT}"));
        }
        if commit.committer.is_none() && !commit.committed_by_github {
            problems.push(format!("the committer of commit {short} is no GitHub account: {WAY_OUT}"));
        }
        for name in &commit.unknown_co_authors {
            problems.push(format!("the co-author `{name}` of commit {short} is no GitHub account: {WAY_OUT}"));
        }
    }
    problems
}

/// Logins that whoever approves or refuses now has from somebody else: one sentence each, which ends with what to do.
pub(super) fn changed_hands(facts: &PullFacts) -> Vec<String> {
    let reviewers = latest(&facts.reviews).into_iter();
    let reviewers = reviewers.filter(|(_, review)| review.state != ReviewState::Dismissed).map(|(person, _)| person);
    let people: Vec<&Person> = reviewers.chain(facts.overrides.iter().map(|asked| &asked.by)).collect();
    let is_another =
        |(login, id): &&(Login, UserId)| people.iter().any(|person| person.login == *login && person.id != *id);
    let sentence = |(login, _): &(Login, UserId)| {
        format!(
            "the login @{login} belonged to another account when it first counted here: remove the name from the settings \
             on the base branch, then add it again"
        )
    };
    facts.pins.iter().filter(is_another).map(sentence).collect()
}

const WAY_OUT: &str = "add the commit's e-mail address to that person's account, or rewrite the commit with an address \
                       that belongs to one, then push";
