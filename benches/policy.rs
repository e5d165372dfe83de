//! How long a decision takes: 3,000 changed files, 100 rules of every kind, 500 reviews by as many people. Prints the median
//! and exits with 1 where it is above what we promise.
//!
//! `cargo bench --bench policy`

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use promptops::domain::gate::Verdict;
use promptops::domain::ids::{
    BranchName, CommitSha, Digest, InvalidId, Login, PromptPath, PullNumber, RepoId, RepoName, TeamSlug, UserId,
};
use promptops::domain::policy::facts::{
    ChangeSize, CodeOwnerFacts, CommitFact, FileFacts, GovernedChange, Membership, OwnedPaths, Person, PullFacts,
    Review, ReviewState,
};
use promptops::domain::policy::{Change, Policy, Principal, decide};
use promptops::domain::settings;

/// The longest that the median decision may take.
const PROMISED: Duration = Duration::from_millis(20);
const FILES: u64 = 3000;
const RULES: u64 = 100;
const REVIEWS: u64 = 500;
const TEAMS: u64 = 10;
const ROUNDS: usize = 50;

/// Rules on every predicate and every source, each kind ten times; half of them apply.
fn policy() -> Option<Policy> {
    let mut text = "roles:\n".to_owned();
    for role in 0..TEAMS {
        text += &format!("  role{role}: [\"@acme/team-{role}\", \"@user-{role}\", \"@user-{}\"]\n", role + 50);
    }
    text += "approval:\n";
    for rule in 0..RULES {
        let n = rule / 10;
        let (when, require) = match rule % 10 {
            0 => (format!("paths: [\"prompts/area-{n}/**\"]"), format!("count: 2, from: [role{n}]")),
            1 => (format!("paths: [\"**/*{n}.golden.*\"]"), format!("count: 3, from: [role{n}]")),
            2 => ("changes: [prompt]".to_owned(), format!("count: 40, from: [\"@acme/team-{n}\"]")),
            3 => ("author: [\"@acme/team-1\"], labels: [urgent]".to_owned(), "from: [\"permission:admin\"]".to_owned()),
            4 => (
                "base: [main, \"release/*\"]".to_owned(),
                format!("any_of: [{{ from: [role{n}] }}, {{ count: 9, from: [role1] }}]"),
            ),
            5 => (
                "size: { files_over: 100 }".to_owned(),
                format!("all_of: [{{ from: [role{n}] }}, {{ from: [role2] }}]"),
            ),
            6 => ("fork: true".to_owned(), format!("from: [role{n}]")),
            7 => ("lint: [warning]".to_owned(), "count: 2, from: [codeowners]".to_owned()),
            8 => (format!("labels: [label-{n}, other]"), format!("from: [role{n}, \"permission:maintain\"]")),
            _ => ("verdict: [regression]".to_owned(), format!("count: 2, from: [role{n}, owner]")),
        };
        text += &format!("  - {{ name: rule {rule}, when: {{ {when} }}, require: {{ {require} }} }}\n");
    }
    let path = PromptPath::parse(settings::SETTINGS_PATH).ok()?;
    match settings::parse(&path, text.as_bytes()) {
        Ok(parsed) => Some(parsed.value.policy),
        Err(findings) => {
            findings.iter().for_each(|finding| eprintln!("{}", finding.render()));
            None
        }
    }
}

fn person(id: u64) -> Result<Person, InvalidId> {
    Ok(Person { id: UserId(id), login: Login::parse(&format!("user-{id}"))?, is_bot: false })
}

fn path(n: u64) -> Result<PromptPath, InvalidId> {
    PromptPath::parse(&format!("prompts/area-{}/file-{n}.prompt.yml", n % 40))
}

/// Everybody in every team: one in ten is a member.
fn memberships(author: UserId) -> Result<Vec<(TeamSlug, UserId, Membership)>, InvalidId> {
    let mut memberships = Vec::new();
    for team in 0..TEAMS {
        let slug = TeamSlug::parse(&format!("@acme/team-{team}"))?;
        memberships.push((slug.clone(), author, Membership::No));
        for id in 0..REVIEWS {
            let membership = if id % TEAMS == team { Membership::Active } else { Membership::No };
            memberships.push((slug.clone(), UserId(id), membership));
        }
    }
    Ok(memberships)
}

/// Forty groups of owners.
fn owned() -> Result<Vec<OwnedPaths>, InvalidId> {
    let group = |area: u64| {
        let owners = [format!("@acme/team-{}", area % TEAMS), format!("@user-{area}")];
        let owners = owners.iter().filter_map(|owner| Principal::parse(owner)).collect();
        let paths = (0..FILES).filter(|n| n % 40 == area).map(path).collect::<Result<_, _>>()?;
        Ok(OwnedPaths { owners, paths })
    };
    (0..40).map(group).collect()
}

fn facts() -> Result<PullFacts, InvalidId> {
    let head = CommitSha::parse(&"b".repeat(40))?;
    let author = person(10_000)?;
    let author_id = author.id;
    let change = |n| Ok(GovernedChange { path: path(n)?, previous: None, kind: Change::Prompt });
    let review = |id| {
        let by = Some(person(id)?);
        Ok(Review { id, by, state: ReviewState::Approved, commit: Some(head.clone()) })
    };
    let commit = CommitFact {
        sha: head.clone(),
        author: Some(author.clone()),
        committer: Some(author.clone()),
        committed_by_github: false,
        co_authors: Vec::new(),
        unknown_co_authors: Vec::new(),
    };
    let mut said = FileFacts { owners: vec!["@user-3".to_owned()], ..FileFacts::default() };
    said.lint.warnings = 1;
    Ok(PullFacts {
        repo: RepoName::parse("acme/prompts")?,
        repo_id: RepoId(1),
        number: PullNumber(7),
        author: Some(author),
        base_branch: BranchName::parse("main")?,
        base_sha: CommitSha::parse(&"a".repeat(40))?,
        head_sha: head.clone(),
        is_fork: false,
        changes: (0..FILES).map(change).collect::<Result<_, InvalidId>>()?,
        content: Digest::of_parts([]),
        content_at: BTreeMap::new(),
        reviews: (0..REVIEWS).map(review).collect::<Result<_, InvalidId>>()?,
        commits: vec![commit; 200],
        caps: Vec::new(),
        said,
        labels: vec!["label-3".to_owned()],
        size: ChangeSize { files: FILES, lines: Some(9000) },
        overrides: Vec::new(),
        blocked: None,
        pins: Vec::new(),
        code_owners: CodeOwnerFacts { file: Some(path(0)?), owned: owned()?, problems: Vec::new() },
        unreadable_teams: Vec::new(),
        memberships: memberships(author_id)?,
        permissions: (0..REVIEWS).map(|id| (id, "write".to_owned())).collect(),
    })
}

fn main() -> ExitCode {
    let (Some(policy), Ok(facts)) = (policy(), facts()) else {
        eprintln!("the policy or the facts cannot be read");
        return ExitCode::FAILURE;
    };
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            black_box(decide(black_box(&policy), black_box(&facts), Some(Verdict::Regression)));
            started.elapsed()
        })
        .collect();
    took.sort_unstable();
    let median = took.get(ROUNDS / 2).copied().unwrap_or(Duration::MAX);
    let decision = decide(&policy, &facts, Some(Verdict::Regression));
    let applied = decision.rules.iter().filter(|rule| rule.tree.is_some()).count();
    println!(
        "{FILES} files, {RULES} rules ({applied} apply), {REVIEWS} reviews: median {median:.1?}, promised {PROMISED:?}"
    );
    if median <= PROMISED { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
