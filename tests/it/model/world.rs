//! What the oracle knows: its own plain record of files, commits, people, teams and reviews, written down by the steps
//! themselves. Knows nothing of the product, and nothing of the fake GitHub.

use std::collections::{BTreeMap, BTreeSet};

use super::policies::POLICIES;

pub const REPLY: &str = "prompts/reply.prompt.yml";
pub const REPLY_SET: &str = "prompts/reply.golden.yml";
pub const LEGAL: &str = "prompts/legal/terms.prompt.yml";
pub const LEGAL_SET: &str = "prompts/legal/terms.golden.yml";
/// Where a rename takes the legal prompt: out of the folder that has a rule of its own.
pub const MOVED: &str = "prompts/terms.prompt.yml";
pub const SETTINGS: &str = ".github/promptops.yml";
pub const README: &str = "README.md";

/// A login. Bots are told by the end of theirs.
pub type Person = &'static str;

/// Those who may write to the repository; one of them may do more.
pub const WRITERS: [Person; 7] = ["ann", "bob", "mara", "max", "mona", "lou", "lee"];

/// What a file says, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A prompt in some wording that makes the model forget these orders.
    Prompt { words: u8, forgets: BTreeSet<u32>, owner: &'static str },
    /// A golden set of these orders.
    Golden(BTreeSet<u32>),
    /// One of the settings.
    Settings(usize),
    /// Nothing that is governed.
    Text(u32),
}

pub type Files = BTreeMap<&'static str, Content>;

/// Files that differ between two states; `None` where one is gone.
pub type Difference = BTreeMap<&'static str, Option<Content>>;

/// A commit, known by its place in the world's list.
#[derive(Debug, Clone)]
pub struct Commit {
    pub parents: Vec<usize>,
    pub files: Files,
    /// Who wrote, committed or co-authored it; GitHub itself is nobody.
    pub people: Vec<Person>,
    /// Whether somebody else did, who is no user.
    pub has_stranger: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opinion {
    Approves,
    RequestsChanges,
    Comments,
    Dismissed,
}

#[derive(Debug, Clone)]
pub struct Review {
    pub by: Person,
    pub opinion: Opinion,
    pub commit: usize,
}

#[derive(Debug, Clone)]
pub struct Pull {
    pub author: Person,
    pub branch: String,
    pub base: &'static str,
    pub open: bool,
    pub draft: bool,
    pub reviews: Vec<Review>,
    /// A retarget ends them all.
    pub overrides: Vec<Override>,
}

/// Somebody has let a result through.
#[derive(Debug, Clone)]
pub struct Override {
    pub by: Person,
    pub head: usize,
    /// What the result answered.
    pub question: Question,
}

/// What a run answers: what controls it on its base, and what the pull request changes.
pub type Question = (Files, Difference);

/// One repository with its people.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub commits: Vec<Commit>,
    pub branches: BTreeMap<String, usize>,
    /// Active members.
    pub teams: BTreeMap<&'static str, BTreeSet<Person>>,
    pub pulls: Vec<Pull>,
}

impl World {
    /// Both protected branches at one commit by Olga.
    pub fn new(policy: usize) -> Self {
        let reply = Content::Prompt { words: 0, forgets: BTreeSet::new(), owner: "@max" };
        let legal = Content::Prompt { words: 0, forgets: BTreeSet::new(), owner: "@acme/legal-{n}" };
        let files = [
            (REPLY, reply),
            (REPLY_SET, Content::Golden((1..=6).collect())),
            (LEGAL, legal),
            (LEGAL_SET, Content::Golden((1..=4).collect())),
            (SETTINGS, Content::Settings(policy)),
            (README, Content::Text(0)),
        ];
        let first = Commit { parents: vec![], files: files.into(), people: vec!["olga"], has_stranger: false };
        let branches = ["main", "release"].map(|branch| (branch.to_owned(), 0)).into();
        let members: [&[Person]; 3] = [&["mara", "max", "ann", "bob"], &["lee"], &["lou"]];
        let teams = super::policies::TEAMS.into_iter().zip(members.map(|members| members.iter().copied().collect()));
        Self { commits: vec![first], branches, teams: teams.collect(), pulls: Vec::new() }
    }

    pub fn tip(&self, branch: &str) -> usize {
        self.branches[branch]
    }

    pub fn head(&self, pull: &Pull) -> usize {
        self.tip(&pull.branch)
    }

    pub fn files(&self, commit: usize) -> &Files {
        &self.commits[commit].files
    }

    /// Puts a commit on a branch.
    pub fn commit(&mut self, branch: &str, commit: Commit) {
        self.commits.push(commit);
        self.branches.insert(branch.to_owned(), self.commits.len() - 1);
    }

    /// The commit and all behind it.
    pub fn behind(&self, commit: usize) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut open = vec![commit];
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                open.extend(&self.commits[at].parents);
            }
        }
        seen
    }

    /// The one best common ancestor; the steps never make two.
    pub fn merge_base(&self, left: usize, right: usize) -> usize {
        let common: BTreeSet<usize> = self.behind(left).intersection(&self.behind(right)).copied().collect();
        let covered: BTreeSet<usize> =
            common.iter().flat_map(|at| &self.commits[*at].parents).flat_map(|parent| self.behind(*parent)).collect();
        let best: Vec<usize> = common.difference(&covered).copied().collect();
        assert_eq!(best.len(), 1, "histories have one merge base");
        best[0]
    }

    /// What a commit changes since it left a base.
    pub fn brought(&self, base: usize, commit: usize) -> Difference {
        difference(self.files(self.merge_base(base, commit)), self.files(commit))
    }

    /// The files after a merge; `None` where both sides changed a file differently.
    pub fn merged(&self, base: usize, head: usize) -> Option<Files> {
        let origin = self.files(self.merge_base(base, head));
        let mut merged = self.files(base).clone();
        for (path, theirs) in self.brought(base, head) {
            let ours = self.files(base).get(path);
            if ours != origin.get(path) && ours != theirs.as_ref() {
                return None;
            }
            put(&mut merged, path, theirs);
        }
        Some(merged)
    }

    /// All on a commit that can control what goes there.
    pub fn control(&self, commit: usize) -> Files {
        let mut control = self.files(commit).clone();
        control.remove(README);
        control
    }

    pub fn question(&self, pull: &Pull) -> Question {
        let tip = self.tip(pull.base);
        (self.control(tip), self.brought(tip, self.head(pull)))
    }

    /// The settings on a branch.
    pub fn policy(&self, branch: &str) -> usize {
        match self.files(self.tip(branch)).get(SETTINGS) {
            Some(Content::Settings(policy)) => *policy,
            _ => unreachable!("settings are never removed"),
        }
    }

    pub fn is_member(&self, team: &str, person: Person) -> bool {
        self.teams.get(team).is_some_and(|members| members.contains(person))
    }
}

pub fn put(files: &mut Files, path: &'static str, content: Option<Content>) {
    match content {
        Some(content) => drop(files.insert(path, content)),
        None => drop(files.remove(path)),
    }
}

fn difference(before: &Files, after: &Files) -> Difference {
    let paths: BTreeSet<&'static str> = before.keys().chain(after.keys()).copied().collect();
    let changed = paths.into_iter().filter(|path| before.get(path) != after.get(path));
    changed.map(|path| (path, after.get(path).cloned())).collect()
}

impl Content {
    /// The file in the repository of history `n`.
    pub fn text(&self, n: usize) -> String {
        use crate::support::app::{forgets, golden, prompt};
        match self {
            Self::Prompt { words, forgets: orders, owner } => {
                let manner = ["politely", "kindly", "briefly", "warmly"][usize::from(*words) % 4];
                let instruction = format!("{} Answer {manner}.", forgets(orders.iter().copied()));
                format!("{}owner: \"{}\"\n", prompt(&instruction), owner.replace("{n}", &n.to_string()))
            }
            Self::Golden(orders) => golden(orders.iter().copied()),
            Self::Settings(policy) => POLICIES[*policy].text(n),
            Self::Text(edition) => format!("Acme, edition {edition}\n"),
        }
    }
}
