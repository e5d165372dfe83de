//! Plays steps twice: on the fake GitHub, and in the oracle's own record. Judges nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use promptops::domain::ids::{PullNumber, RepoName, TeamSlug};
use promptops::sim::{Change, Delivery, Knobs, NewPull, Repo, Sim, Verdict};
use serde_json::Value;

use super::history::{BASES, Hand, History, Move, Step, Words};
use super::oracle::{Against, against, can_override};
use super::world::{Commit, Difference, Opinion, Override, Person, Pull, Review, World, put};
use crate::support::app::protect;

/// Head and base: what the names and the commit of our checks depend on.
pub type Key = (usize, &'static str);

/// What the oracle said of one pull request after one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub key: Key,
    /// Its base's tip.
    pub tip: usize,
    pub open: bool,
    pub against: Against,
}

impl Word {
    /// Whether it was open, with this head and base.
    pub fn is_at(&self, key: Key) -> bool {
        self.open && self.key == key
    }
}

/// One repository, its history as far as it was played, and what the oracle knows of it.
pub struct Game {
    pub n: usize,
    pub history: History,
    pub repo: Repo,
    sim: Sim,
    pub world: World,
    /// Of which pull requests the product knows all, and nothing else happens: there an override can be given.
    pub known: BTreeSet<usize>,
    pub numbers: Vec<PullNumber>,
    /// The fake's ids of the reviews of each pull request.
    reviews: Vec<Vec<u64>>,
    /// The oracle's words after each step, for each pull request that was there.
    pub words: Vec<Vec<Word>>,
    /// The ids of the deliveries that each step caused: above the first, up to the second.
    pub sent: Vec<(u64, u64)>,
    /// What was played, in words.
    pub told: Vec<String>,
}

impl Game {
    /// Sets the scene: two protected branches, teams of this history alone.
    pub fn new(sim: &Sim, n: usize, history: History) -> Self {
        let mut world = World::new(history.policies[0]);
        let mut first = Change::by("olga");
        for (path, content) in world.files(0) {
            first = first.write(path, content.text(n));
        }
        let repo = sim.repo(&RepoName::parse(&format!("acme/history-{n}")).unwrap(), &first).unwrap();
        for (team, members) in &world.teams {
            let members: Vec<&str> = members.iter().copied().collect();
            sim.team(&slug(team, n), None, &members).unwrap();
        }
        for writer in ["ann", "bob", "mara", "max", "mona", "lou"] {
            repo.role(writer, "write").unwrap();
        }
        repo.role("lee", "maintain").unwrap();
        repo.branch("release", "main").unwrap();
        for base in BASES {
            protect(sim, &repo, base);
        }
        let mut game = Self {
            n,
            repo,
            sim: sim.clone(),
            known: BTreeSet::new(),
            numbers: Vec::new(),
            reviews: Vec::new(),
            words: Vec::new(),
            sent: Vec::new(),
            told: vec![format!("settings {:?}", history.policies)],
            world: std::mem::take(&mut world),
            history,
        };
        if game.history.policies[0] != game.history.policies[1] {
            let settings = super::world::Content::Settings(game.history.policies[1]);
            game.push("release", &[(super::world::SETTINGS, Some(settings))].into(), &Hand::Own("olga"));
        }
        game
    }

    /// Plays one move while deliveries go wrong in the usual way, and asks the oracle about every pull request.
    pub fn play(&mut self, one: &Move, usual: Knobs) {
        let before = self.sim.last_delivery();
        let drop_next = if one.lost { u32::MAX } else { 0 };
        self.sim.set_knobs(Knobs { drop_next, duplicates: u32::from(one.twice), ..usual });
        let done = self.step(&one.step);
        self.sim.set_knobs(usual);
        self.sent.push((before, self.sim.last_delivery()));
        let untold = if done { "" } else { " (not possible)" };
        self.told.push(format!("{:>2}. {one}{untold}", self.sent.len()));
        let word = |at| {
            let pull: &Pull = &self.world.pulls[at];
            let key = (self.world.head(pull), pull.base);
            let tip = self.world.tip(pull.base);
            Word { key, tip, open: pull.open, against: against(&self.world, at) }
        };
        self.words.push((0..self.world.pulls.len()).map(word).collect());
    }

    /// The history as far as it was played.
    pub fn so_far(&self) -> History {
        let mut history = self.history.clone();
        let mut played = self.sent.len();
        for round in &mut history.rounds {
            round.truncate(played);
            played -= round.len();
        }
        history.rounds.retain(|round| !round.is_empty());
        history
    }

    /// Does it, if it can be done.
    fn step(&mut self, step: &Step) -> bool {
        match step {
            Step::Open { author, base, edit, shared } => self.open(author, BASES[*base], edit, *shared),
            Step::Push { pull, edit, hand } => self.on_branch(*pull, |game, branch| game.push(branch, edit, hand)),
            Step::Rebase { pull, hand } => self.rewrite(*pull, None, hand),
            Step::Rewrite { pull, edit, hand } => self.rewrite(*pull, Some(edit), hand),
            Step::Update { pull, by } => self.update(*pull, by),
            Step::PushBase { base, edit } => self.push(BASES[*base], edit, &Hand::Own("olga")),
            Step::Review { pull, by, opinion } => self.review(*pull, by, *opinion),
            Step::Satisfy { pull } => self.satisfy(*pull),
            Step::EditReview { pull, nth } => self.change_review(*pull, *nth, false),
            Step::Dismiss { pull, nth } => self.change_review(*pull, *nth, true),
            Step::Join { team, who } => {
                let joined = self.world.teams.entry(team).or_default().insert(who);
                joined && self.sim.join_team(&slug(team, self.n), who, true).is_ok()
            }
            Step::Invite { team, who } => {
                !self.world.is_member(team, who) && self.sim.join_team(&slug(team, self.n), who, false).is_ok()
            }
            Step::Leave { team, who } => {
                let left = self.world.teams.entry(team).or_default().remove(who);
                left && self.sim.leave_team(&slug(team, self.n), who).is_ok()
            }
            Step::Redeliver { back } => {
                let all = self.sim.deliveries();
                let ours: Vec<&Delivery> = all.iter().filter(|one| one.repository == Some(self.repo.id().0)).collect();
                ours.iter().rev().nth(*back).is_some_and(|one| self.sim.redeliver(one.id).is_ok())
            }
            Step::Retarget { pull }
            | Step::Retitle { pull }
            | Step::CloseOrReopen { pull }
            | Step::DraftOrReady { pull } => self.press(*pull, step),
            Step::Say { pull, by, words } => self.say(*pull, by, *words),
            Step::Rerun { pull, nth } => self.on_branch(*pull, |game, _| {
                let head = game.repo.pull(game.numbers[*pull]).unwrap().head;
                let checks = game.repo.check_runs(&head);
                checks.iter().rev().nth(*nth).is_some_and(|check| game.repo.rerequest_check(check.id, "ann").is_ok())
            }),
        }
    }

    fn open(&mut self, author: Person, base: &'static str, edit: &Difference, shared: bool) -> bool {
        if self.world.pulls.len() == 2 {
            return false;
        }
        let branch = format!("change-{}", self.world.pulls.len());
        let twin = self.world.pulls.first().filter(|first| shared && first.open).map(|first| first.branch.clone());
        let from = twin.as_deref().unwrap_or(base);
        self.repo.branch(&branch, from).unwrap();
        self.world.branches.insert(branch.clone(), self.world.tip(from));
        if twin.is_none() {
            self.push(&branch, edit, &Hand::Own(author));
        }
        self.numbers.push(self.repo.open_pull(&NewPull::new(author, &branch, base)).unwrap());
        let (reviews, overrides) = (Vec::new(), Vec::new());
        self.world.pulls.push(Pull { author, branch, base, open: true, draft: false, reviews, overrides });
        self.reviews.push(Vec::new());
        true
    }

    /// With the branch of an open pull request.
    fn on_branch(&mut self, pull: usize, f: impl FnOnce(&mut Self, &str) -> bool) -> bool {
        let Some(branch) = self.world.pulls.get(pull).filter(|pull| pull.open).map(|pull| pull.branch.clone()) else {
            return false;
        };
        f(self, &branch)
    }

    fn push(&mut self, branch: &str, edit: &Difference, hand: &Hand) -> bool {
        let tip = self.world.tip(branch);
        self.record(branch, tip, edit, hand);
        self.repo.push(branch, &self.change(edit, hand)).is_ok()
    }

    fn record(&mut self, branch: &str, parent: usize, edit: &Difference, hand: &Hand) {
        let mut files = self.world.files(parent).clone();
        for (path, content) in edit {
            put(&mut files, path, content.clone());
        }
        let people = match hand {
            Hand::Own(person) | Hand::Browser(person) => vec![*person],
            Hand::Together(one, other) | Hand::For(one, other) => vec![*one, *other],
            Hand::Stranger => vec![],
        };
        let has_stranger = *hand == Hand::Stranger;
        self.world.commit(branch, Commit { parents: vec![parent], files, people, has_stranger });
    }

    /// One commit on base's tip in the place of the branch's history: with the same changes, or with others.
    fn rewrite(&mut self, pull: usize, edit: Option<&Difference>, hand: &Hand) -> bool {
        let Some(base) = self.world.pulls.get(pull).map(|pull| pull.base) else { return false };
        self.on_branch(pull, |game, branch| {
            let (tip, head) = (game.world.tip(base), game.world.tip(branch));
            let edit = edit.cloned().unwrap_or_else(|| game.world.brought(tip, head));
            game.record(branch, tip, &edit, hand);
            let change = game.change(&edit, hand);
            game.repo.force_push(branch, base, &change).is_ok()
        })
    }

    fn update(&mut self, pull: usize, by: Person) -> bool {
        let Some(base) = self.world.pulls.get(pull).map(|pull| pull.base) else { return false };
        self.on_branch(pull, |game, branch| {
            let (tip, head) = (game.world.tip(base), game.world.tip(branch));
            let up_to_date = game.world.behind(head).contains(&tip);
            let Some(files) = game.world.merged(head, tip).filter(|_| !up_to_date) else { return false };
            let commit = Commit { parents: vec![head, tip], files, people: vec![by], has_stranger: false };
            game.world.commit(branch, commit);
            game.repo.merge_branch(base, branch, by).unwrap();
            true
        })
    }

    /// The commit for the fake GitHub; its message makes it one of its own.
    fn change(&self, edit: &Difference, hand: &Hand) -> Change {
        let message = format!("Change {}\n", self.world.commits.len());
        let change = match hand {
            Hand::Own(person) | Hand::Together(person, _) => Change::by(person),
            Hand::Browser(person) => Change::by(person).in_browser(),
            Hand::For(person, committer) => Change::by(person).committed_by(committer),
            Hand::Stranger => Change::by_stranger("Nobody", "nobody@example.com"),
        };
        let mut change = match hand {
            Hand::Together(_, other) => {
                let id = self.sim.user(other).0;
                let address = format!("{id}+{other}@users.noreply.github.com");
                change.message(&format!("{message}\nCo-authored-by: {other} <{address}>\n"))
            }
            _ => change.message(&message),
        };
        for (path, content) in edit {
            change = match content {
                Some(content) => change.write(path, content.text(self.n)),
                None => change.remove(path),
            };
        }
        change
    }

    fn review(&mut self, pull: usize, by: Person, opinion: Opinion) -> bool {
        self.on_branch(pull, |game, branch| {
            let verdict = match opinion {
                Opinion::Approves => Verdict::Approve,
                Opinion::RequestsChanges => Verdict::RequestChanges,
                Opinion::Comments | Opinion::Dismissed => Verdict::Comment,
            };
            let id = game.repo.review(game.numbers[pull], by, verdict, "seen").unwrap();
            let commit = game.world.tip(branch);
            game.world.pulls[pull].reviews.push(Review { by, opinion, commit });
            game.reviews[pull].push(id);
            true
        })
    }

    fn satisfy(&mut self, pull: usize) -> bool {
        let mut approved = false;
        for by in ["max", "lou", "mara", "lee"] {
            if self.world.pulls.len() > pull && !against(&self.world, pull).checks.is_empty() {
                approved |= self.review(pull, by, Opinion::Approves);
            }
        }
        approved
    }

    fn change_review(&mut self, pull: usize, nth: usize, dismiss: bool) -> bool {
        let Some(found) = self.world.pulls.get_mut(pull).and_then(|pull| pull.reviews.iter_mut().rev().nth(nth)) else {
            return false;
        };
        let (number, id) = (self.numbers[pull], *self.reviews[pull].iter().rev().nth(nth).unwrap());
        if !dismiss {
            return self.repo.edit_review(number, id, "seen, and thought about", found.by).is_ok();
        }
        if matches!(found.opinion, Opinion::Comments | Opinion::Dismissed) {
            return false;
        }
        found.opinion = Opinion::Dismissed;
        self.repo.dismiss(number, id, "lee").is_ok()
    }

    /// What the author does with the buttons of the pull request.
    fn press(&mut self, at: usize, step: &Step) -> bool {
        let Some(number) = self.numbers.get(at).copied() else { return false };
        let (repo, pull) = (&self.repo, &mut self.world.pulls[at]);
        let pressed = match step {
            Step::CloseOrReopen { .. } if pull.open => repo.close(number, "ann"),
            Step::CloseOrReopen { .. } => repo.reopen(number, "ann"),
            _ if !pull.open => return false,
            Step::Retarget { .. } => {
                pull.overrides.clear();
                pull.base = if pull.base == BASES[0] { BASES[1] } else { BASES[0] };
                repo.retarget(number, pull.base, "ann")
            }
            Step::DraftOrReady { .. } if pull.draft => repo.ready(number, "ann"),
            Step::DraftOrReady { .. } => repo.to_draft(number, "ann"),
            _ => repo.retitle(number, "Another title", "ann"),
        };
        match step {
            Step::CloseOrReopen { .. } => pull.open = !pull.open,
            Step::DraftOrReady { .. } => pull.draft = !pull.draft,
            _ => {}
        }
        pressed.is_ok()
    }

    fn say(&mut self, pull: usize, by: Person, words: Words) -> bool {
        self.on_branch(pull, |game, branch| {
            let text = match words {
                Words::Eval => EVAL,
                Words::Override => OVERRIDE,
                Words::Chatter => "Have you seen this?",
                Words::Quoted => "> /promptops override because I say so",
            };
            if words == Words::Override {
                if !game.known.contains(&pull) {
                    return false;
                }
                // GitHub tells times by the second, and whoever overrides has looked at the head before.
                game.sim.advance(Duration::from_secs(2));
                if can_override(&game.world, pull, by) {
                    let (head, question) = (game.world.tip(branch), game.world.question(&game.world.pulls[pull]));
                    game.world.pulls[pull].overrides.push(Override { by, head, question });
                }
            }
            game.repo.comment(game.numbers[pull], by, text).is_ok()
        })
    }
}

pub const EVAL: &str = "/promptops eval";
const OVERRIDE: &str = "/promptops override the launch cannot wait";
/// Who may not give commands.
const READERS: [&str; 1] = ["rex"];

/// Which of the history's pull requests the product looks at again because of a delivery.
pub enum Concerned {
    Nobody,
    One(usize),
    /// It is closed, and is not looked at any more.
    Closed(usize),
    /// Those that it knows to go to this base, if something else controls them now.
    Base(&'static str),
    /// All that it knows.
    All,
}

/// Whom a delivery concerns, by all it says.
pub fn concerns(delivery: &Delivery, game: &Game) -> Concerned {
    let body: Value = serde_json::from_str(&delivery.body).unwrap();
    let numbered = |number: &Value, so: fn(usize) -> Concerned| {
        let at = game.numbers.iter().position(|known| Some(known.0) == number.as_u64());
        at.map_or(Concerned::Nobody, so)
    };
    let one = |number: &Value| numbered(number, Concerned::One);
    let action = delivery.action.as_deref().unwrap_or_default();
    match (delivery.event.as_str(), action) {
        ("pull_request", "opened" | "synchronize" | "reopened" | "ready_for_review") => one(&body["number"]),
        ("pull_request", "edited") if body["changes"]["base"].is_object() => one(&body["number"]),
        ("pull_request", "closed") => numbered(&body["number"], Concerned::Closed),
        ("pull_request_review", _) => one(&body["pull_request"]["number"]),
        ("check_run", "rerequested") => {
            let ours = body["check_run"]["external_id"].as_str().unwrap_or_default();
            let number = ours.trim_start_matches("pull/").split('/').next().and_then(|digits| digits.parse().ok());
            one(&number.map_or(Value::Null, |number: u64| number.into()))
        }
        ("issue_comment", "created") => {
            let text = body["comment"]["body"].as_str().unwrap_or_default();
            let may = !READERS.iter().any(|reader| body["comment"]["user"]["login"] == *reader);
            let counts = may && (text == EVAL || text == OVERRIDE);
            if counts { one(&body["issue"]["number"]) } else { Concerned::Nobody }
        }
        ("push", _) => {
            let base = BASES.into_iter().find(|base| body["ref"] == format!("refs/heads/{base}"));
            base.map_or(Concerned::Nobody, Concerned::Base)
        }
        ("membership", _) => Concerned::All,
        _ => Concerned::Nobody,
    }
}

fn slug(team: &str, n: usize) -> TeamSlug {
    TeamSlug::parse(&format!("@acme/{team}-{n}")).unwrap()
}
