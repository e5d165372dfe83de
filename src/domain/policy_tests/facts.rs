//! An imagined pull request as the facts that policies are decided by: the one place that fills those facts without GitHub.

use std::collections::BTreeMap;

use super::{People, Review, Scenario, Team};
use crate::domain::codeowners;
use crate::domain::ids::{
    CommitSha, Digest, InvalidId, Login, PromptPath, PullNumber, RepoId, RepoName, TeamSlug, UserId,
};
use crate::domain::policy::facts::{
    self, ChangeSize, CommitFact, FileFacts, GovernedChange, Membership, Person, PullFacts,
};
use crate::domain::policy::{Change, Policy, author_memberships_needed, memberships_needed, teams_needed};

/// Facts, and the teams a rule asks about that the file does not list.
#[derive(Debug, Clone)]
pub struct Imagined {
    /// The facts.
    pub facts: PullFacts,
    /// Teams that count as unreadable because nothing is said of them.
    pub unlisted: Vec<TeamSlug>,
}

/// People by login, numbered as they come.
#[derive(Default)]
struct Directory(Vec<Login>);

impl Directory {
    fn person(&mut self, login: &Login) -> Person {
        let at = self.0.iter().position(|known| known == login).unwrap_or_else(|| {
            self.0.push(login.clone());
            self.0.len() - 1
        });
        let is_bot = login.as_str().ends_with("[bot]");
        Person { id: UserId(at as u64 + 1), login: login.clone(), is_bot }
    }
}

/// Fills the facts. `governed` says what a path is by the settings; paths that are nothing by it are no facts of a policy.
///
/// # Errors
/// Never on what was parsed; the identifiers in here are made up.
pub fn imagine(
    people: &People,
    scenario: &Scenario,
    policy: &Policy,
    governed: &dyn Fn(&PromptPath) -> Option<Change>,
) -> Result<Imagined, InvalidId> {
    let sha = |digit: &str| CommitSha::parse(&digit.repeat(40));
    let (base_sha, head_sha, earlier) = (sha("a")?, sha("b")?, sha("c")?);
    let mut directory = Directory::default();
    let pull = &scenario.pull;
    let author = directory.person(&pull.author);
    let changes = changes(scenario, governed);
    let files = changes.iter().map(|change| &change.path).collect::<std::collections::BTreeSet<_>>().len() as u64;
    let commits = pull.commits_by.iter().map(|by| CommitFact {
        sha: head_sha.clone(),
        author: by.as_ref().map(|login| directory.person(login)),
        committer: None,
        committed_by_github: true,
        co_authors: Vec::new(),
        unknown_co_authors: Vec::new(),
    });
    let commits: Vec<CommitFact> = commits.collect();
    let mut facts = PullFacts {
        repo: RepoName::parse("example/repository")?,
        repo_id: RepoId(1),
        number: PullNumber(1),
        author: Some(author),
        base_branch: pull.base.clone(),
        base_sha,
        head_sha: head_sha.clone(),
        is_fork: pull.fork,
        changes,
        content: Digest::of_parts([b"head".as_slice()]),
        content_at: BTreeMap::from([(earlier.clone(), Digest::of_parts([b"earlier".as_slice()]))]),
        reviews: Vec::new(),
        commits,
        caps: Vec::new(),
        said: FileFacts {
            owners: pull.owners.clone(),
            unowned: pull.unowned.clone(),
            kinds: Vec::new(),
            lint: pull.lint,
        },
        labels: pull.labels.clone(),
        size: pull.size.unwrap_or(ChangeSize { files, lines: None }),
        overrides: Vec::new(),
        blocked: None,
        code_owners: facts::CodeOwnerFacts::default(),
        unreadable_teams: Vec::new(),
        pins: Vec::new(),
        memberships: Vec::new(),
        permissions: BTreeMap::new(),
    };
    own(people, pull, &mut facts);
    let review = |(at, review): (usize, &Review)| facts::Review {
        id: at as u64 + 1,
        by: Some(directory.person(&review.by)),
        state: review.state,
        commit: Some(if review.outdated { earlier.clone() } else { head_sha.clone() }),
    };
    facts.reviews = scenario.reviews.iter().enumerate().map(review).collect();
    facts.permissions =
        people.permissions.iter().map(|(login, role)| (directory.person(login).id.0, role.clone())).collect();
    let unlisted = join_teams(people, policy, &mut facts);
    Ok(Imagined { facts, unlisted })
}

/// What the repository's CODEOWNERS says of the changed files.
fn own(people: &People, pull: &super::Pull, facts: &mut PullFacts) {
    if let Some((file, bytes)) = &people.code_owners {
        facts.code_owners = codeowners::facts(file, bytes, pull.changes.iter().map(|change| &change.path));
    }
}

/// Fills the memberships that rules ask about, and gives the teams of which nothing is said.
fn join_teams(people: &People, policy: &Policy, facts: &mut PullFacts) -> Vec<TeamSlug> {
    let mut unlisted = Vec::new();
    let of_author = author_memberships_needed(policy, facts);
    facts.memberships.extend(of_author.into_iter().filter_map(|(team, person)| {
        let membership = match people.teams.get(&team)? {
            Team::Members(members) if members.contains(&person.login) => Membership::Active,
            Team::Members(_) => Membership::No,
            Team::Unreadable => Membership::Unreadable,
        };
        Some((team, person.id, membership))
    }));
    let is_unreadable = |team: &TeamSlug| matches!(people.teams.get(team), Some(Team::Unreadable));
    facts.unreadable_teams = teams_needed(policy, facts).into_iter().filter(is_unreadable).collect();
    for (team, person) in memberships_needed(policy, facts) {
        let membership = match people.teams.get(&team) {
            Some(Team::Members(members)) if members.contains(&person.login) => Membership::Active,
            Some(Team::Members(_)) => Membership::No,
            Some(Team::Unreadable) => Membership::Unreadable,
            None => {
                if !unlisted.contains(&team) {
                    unlisted.push(team.clone());
                }
                Membership::Unreadable
            }
        };
        facts.memberships.push((team, person.id, membership));
    }
    unlisted
}

fn changes(scenario: &Scenario, governed: &dyn Fn(&PromptPath) -> Option<Change>) -> Vec<GovernedChange> {
    let mut changes = Vec::new();
    for file in &scenario.pull.changes {
        let kinds = if file.kinds.is_empty() { governed(&file.path).into_iter().collect() } else { file.kinds.clone() };
        let of_kind = |kind| GovernedChange { path: file.path.clone(), previous: None, kind };
        changes.extend(kinds.into_iter().map(of_kind));
    }
    changes
}
