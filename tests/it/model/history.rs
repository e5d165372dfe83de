//! Random histories: what people do, round by round, made from a seed. Plays nothing and judges nothing.

use std::collections::BTreeSet;
use std::fmt;

use fastrand::Rng;

use super::policies::{BROKEN, OVERRIDABLE, TEAMS, WEAKENED};
use super::world::{Content, Difference, LEGAL, MOVED, Opinion, Person, README, REPLY, REPLY_SET, SETTINGS};

pub const BASES: [&str; 2] = ["main", "release"];
const AUTHORS: [Person; 2] = ["ann", "bob"];
const REVIEWERS: [Person; 9] = ["mara", "max", "lee", "lou", "bob", "ann", "mona", "rex", "robot[bot]"];

/// How a commit came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hand {
    /// By this person.
    Own(Person),
    /// With a co-author.
    Together(Person, Person),
    /// Committed by another.
    For(Person, Person),
    /// On GitHub's own pages.
    Browser(Person),
    /// Under an address that is nobody's.
    Stranger,
}

/// What a comment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    Eval,
    Override,
    Chatter,
    /// A command where none counts.
    Quoted,
}

/// One thing somebody does. Pull requests and reviews are named by their place, whatever is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Open {
        author: Person,
        base: usize,
        edit: Difference,
        shared: bool,
    },
    Push {
        pull: usize,
        edit: Difference,
        hand: Hand,
    },
    /// The same changes as one new commit on base's tip.
    Rebase {
        pull: usize,
        hand: Hand,
    },
    /// Other changes in the place of what was there.
    Rewrite {
        pull: usize,
        edit: Difference,
        hand: Hand,
    },
    Update {
        pull: usize,
        by: Person,
    },
    PushBase {
        base: usize,
        edit: Difference,
    },
    Review {
        pull: usize,
        by: Person,
        opinion: Opinion,
    },
    /// Those who may approve do, one after another, until nothing is missing: what follows then has something to break.
    Satisfy {
        pull: usize,
    },
    EditReview {
        pull: usize,
        nth: usize,
    },
    Dismiss {
        pull: usize,
        nth: usize,
    },
    Join {
        team: &'static str,
        who: Person,
    },
    Invite {
        team: &'static str,
        who: Person,
    },
    Leave {
        team: &'static str,
        who: Person,
    },
    Retarget {
        pull: usize,
    },
    Retitle {
        pull: usize,
    },
    CloseOrReopen {
        pull: usize,
    },
    DraftOrReady {
        pull: usize,
    },
    Say {
        pull: usize,
        by: Person,
        words: Words,
    },
    /// Somebody presses "re-run" on one of our checks.
    Rerun {
        pull: usize,
        nth: usize,
    },
    /// GitHub sends one of the last deliveries again.
    Redeliver {
        back: usize,
    },
}

/// A step, and what becomes of the deliveries it causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub step: Step,
    pub lost: bool,
    pub twice: bool,
}

/// One repository's history. What happens in a round happens at once; after it everything settles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    pub seed: u64,
    /// The settings on `main` and on `release`.
    pub policies: [usize; 2],
    pub rounds: Vec<Vec<Move>>,
}

/// What befalls the server in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    Calm,
    /// Deliveries come last first.
    Shuffled,
    /// It stops and starts in good order while there is work.
    Restart,
    /// It dies and starts again while there is work.
    Crash,
    /// It is down while things happen.
    Night,
}

impl History {
    pub fn new(seed: u64, rounds: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let policies = [usual_policy(&mut rng), usual_policy(&mut rng)];
        let first = Step::Open { author: "ann", base: 0, edit: edit(&mut rng), shared: false };
        let mut all = vec![vec![Move { step: first, lost: false, twice: false }]];
        while all.len() <= rounds {
            match rng.u8(..20) {
                0..2 => all.extend(overriding(&mut rng)),
                2..4 => all.extend(flipping(&mut rng)),
                _ => {
                    let steps = [1, 1, 1, 2, 3][rng.usize(..5)];
                    all.push((0..steps).map(|_| one_move(&mut rng)).collect());
                }
            }
        }
        all.truncate(rounds + 1);
        Self { seed, policies, rounds: all }
    }

    pub fn steps(&self) -> usize {
        self.rounds.iter().map(Vec::len).sum()
    }
}

/// The weather of so many rounds: each house has a few bad ones.
pub fn weather(seed: u64, rounds: usize) -> Vec<Weather> {
    use Weather::{Calm, Crash, Night, Restart, Shuffled};
    let mut rng = Rng::with_seed(seed ^ 0x5eed);
    (0..=rounds)
        .map(|_| match rng.u8(..20) {
            0..3 => Shuffled,
            3 => Restart,
            4 => Crash,
            5..7 => Night,
            _ => Calm,
        })
        .collect()
}

fn usual_policy(rng: &mut Rng) -> usize {
    if rng.u8(..6) == 0 { WEAKENED } else { rng.usize(..BROKEN) }
}

fn forgetful(rng: &mut Rng, pull: usize) -> Step {
    Step::Push { pull, edit: reply(rng.u8(1..4), [1, 2].into()), hand: hand(rng) }
}

fn surely(steps: Vec<Step>) -> Vec<Move> {
    steps.into_iter().map(|step| Move { step, lost: false, twice: false }).collect()
}

/// Something that breaks cases is pushed, and somebody lets it through or would like to.
fn overriding(rng: &mut Rng) -> Vec<Vec<Move>> {
    let pull = usize::from(rng.u8(..4) == 0);
    let by = ["lee", "lee", "lee", "mara", "ann", "rex"][rng.usize(..6)];
    let settings = Step::PushBase { base: 0, edit: one(SETTINGS, Content::Settings(OVERRIDABLE)) };
    let say = Step::Say { pull, by, words: Words::Override };
    vec![surely(vec![settings, forgetful(rng, pull)]), surely(vec![say]), surely(vec![Step::Satisfy { pull }])]
}

/// Base asks no longer for what the pull request breaks, and later asks for it again.
fn flipping(rng: &mut Rng) -> Vec<Vec<Move>> {
    let pull = usize::from(rng.u8(..4) == 0);
    let asks = |orders| Step::PushBase { base: 0, edit: one(REPLY_SET, Content::Golden(orders)) };
    let (less, again) = (asks((3..=6).collect()), asks((1..=6).collect()));
    vec![surely(vec![forgetful(rng, pull), less]), surely(vec![Step::Satisfy { pull }]), surely(vec![again])]
}

fn one_move(rng: &mut Rng) -> Move {
    let step = step(rng);
    Move { step, lost: rng.u8(..12) == 0, twice: rng.u8(..12) == 0 }
}

fn step(rng: &mut Rng) -> Step {
    // Most of it is about the first pull request, so that something comes of it.
    let pull = usize::from(rng.u8(..4) == 0);
    match rng.u8(..100) {
        0..7 => {
            Step::Open { author: AUTHORS[rng.usize(..2)], base: rng.usize(..2), edit: edit(rng), shared: rng.bool() }
        }
        7..16 => Step::Push { pull, edit: edit(rng), hand: hand(rng) },
        16..21 => Step::Rebase { pull, hand: hand(rng) },
        21..25 => Step::Rewrite { pull, edit: edit(rng), hand: hand(rng) },
        25..29 => Step::Update { pull, by: ["ann", "ann", "bob", "mara"][rng.usize(..4)] },
        29..37 => Step::PushBase { base: rng.usize(..2), edit: base_edit(rng) },
        37..52 => Step::Review { pull, by: reviewer(rng), opinion: opinion(rng) },
        52..64 => Step::Satisfy { pull },
        64..65 => Step::EditReview { pull, nth: rng.usize(..4) },
        65..73 => Step::Dismiss { pull, nth: [0, 0, 0, 1, 1, 2][rng.usize(..6)] },
        73..77 => Step::Leave { team: TEAMS[rng.usize(..3)], who: reviewer(rng) },
        77..80 => Step::Join { team: TEAMS[rng.usize(..3)], who: reviewer(rng) },
        80..81 => Step::Invite { team: TEAMS[rng.usize(..3)], who: reviewer(rng) },
        81..86 => Step::Retarget { pull },
        86..87 => Step::Retitle { pull },
        87..89 => Step::CloseOrReopen { pull },
        89..91 => Step::DraftOrReady { pull },
        91..96 => Step::Say { pull, by: ["lee", "ann", "rex"][rng.usize(..3)], words: words(rng) },
        96..97 => Step::Rerun { pull, nth: rng.usize(..2) },
        _ => Step::Redeliver { back: rng.usize(..6) },
    }
}

fn words(rng: &mut Rng) -> Words {
    match rng.u8(..6) {
        0..2 => Words::Eval,
        2..5 => Words::Chatter,
        _ => Words::Quoted,
    }
}

/// Those who count come most often, then those who would like to.
fn reviewer(rng: &mut Rng) -> Person {
    match rng.u8(..10) {
        0..5 => REVIEWERS[rng.usize(..4)],
        5..7 => AUTHORS[rng.usize(..2)],
        _ => REVIEWERS[rng.usize(..REVIEWERS.len())],
    }
}

fn opinion(rng: &mut Rng) -> Opinion {
    match rng.u8(..10) {
        0..8 => Opinion::Approves,
        8 => Opinion::RequestsChanges,
        _ => Opinion::Comments,
    }
}

fn hand(rng: &mut Rng) -> Hand {
    let other = ["mara", "max", "lee"][rng.usize(..3)];
    match rng.u8(..12) {
        0 => Hand::Own(other),
        1 => Hand::Together("ann", other),
        2 => Hand::For("ann", other),
        3 => Hand::Stranger,
        4 | 5 => Hand::Browser("ann"),
        6 | 7 => Hand::Own("bob"),
        _ => Hand::Own("ann"),
    }
}

fn one(path: &'static str, content: Content) -> Difference {
    [(path, Some(content))].into()
}

fn reply(words: u8, forgets: BTreeSet<u32>) -> Difference {
    one(REPLY, Content::Prompt { words, forgets, owner: "@max" })
}

fn legal(path: &'static str, words: u8, forgets: BTreeSet<u32>) -> Difference {
    one(path, Content::Prompt { words, forgets, owner: "@acme/legal-{n}" })
}

/// Clear cases only: nothing is forgotten, or two orders are, every time.
fn some_orders(rng: &mut Rng) -> BTreeSet<u32> {
    match rng.u8(..4) {
        0 => [1, 2].into(),
        _ => BTreeSet::new(),
    }
}

/// What an author does to the files.
fn edit(rng: &mut Rng) -> Difference {
    match rng.u8(..16) {
        0..6 => reply(rng.u8(1..4), some_orders(rng)),
        6 => one(REPLY_SET, Content::Golden((1..=8).collect())),
        // The case that a forgetful prompt fails is taken out with it.
        7 => {
            let mut edit = reply(1, [1, 2].into());
            edit.extend(one(REPLY_SET, Content::Golden((3..=6).collect())));
            edit
        }
        8 => one(REPLY_SET, Content::Golden((3..=6).collect())),
        9..11 => {
            let mut edit = legal(LEGAL, rng.u8(1..4), some_orders(rng));
            edit.insert(MOVED, None);
            edit
        }
        11 | 12 => {
            let mut edit = legal(MOVED, 0, some_orders(rng));
            edit.insert(LEGAL, None);
            edit
        }
        13 => one(SETTINGS, Content::Settings(if rng.u8(..6) == 0 { BROKEN } else { usual_policy(rng) })),
        _ => one(README, Content::Text(rng.u32(1..9))),
    }
}

/// What is pushed to a protected branch by those who may.
fn base_edit(rng: &mut Rng) -> Difference {
    match rng.u8(..12) {
        0..4 => one(SETTINGS, Content::Settings(if rng.u8(..6) == 0 { BROKEN } else { usual_policy(rng) })),
        4 => reply(rng.u8(..4), some_orders(rng)),
        // What a forgetful prompt breaks is asked for no longer, or again.
        5 | 6 => one(REPLY_SET, Content::Golden((3..=6).collect())),
        7 => one(REPLY_SET, Content::Golden((1..=7).collect())),
        8 => legal(LEGAL, rng.u8(..4), BTreeSet::new()),
        _ => one(README, Content::Text(rng.u32(10..19))),
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.step)?;
        if self.lost {
            f.write_str(" [its webhooks are lost]")?;
        }
        if self.twice && !self.lost {
            f.write_str(" [its webhooks come twice]")?;
        }
        Ok(())
    }
}

/// Files in a few words.
fn say(edit: &Difference) -> String {
    let file = |(path, content): (&&str, &Option<Content>)| match content {
        None => format!("{path} removed"),
        Some(Content::Prompt { words, forgets, .. }) => format!("{path} (wording {words}, forgets {forgets:?})"),
        Some(Content::Golden(orders)) => format!("{path} (orders {orders:?})"),
        Some(Content::Settings(policy)) => format!("settings {policy}"),
        Some(Content::Text(edition)) => format!("{path} (edition {edition})"),
    };
    edit.iter().map(file).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { author, base, edit, shared } => {
                let head = if *shared { "the head of the first".to_owned() } else { say(edit) };
                write!(f, "{author} opens a pull request to {}: {head}", BASES[*base])
            }
            Self::Push { pull, edit, hand } => write!(f, "push to #{pull} by {hand:?}: {}", say(edit)),
            Self::Rebase { pull, hand } => write!(f, "#{pull} is rebased by {hand:?}"),
            Self::Rewrite { pull, edit, hand } => write!(f, "#{pull} is force-pushed by {hand:?}: {}", say(edit)),
            Self::Update { pull, by } => write!(f, "{by} merges base into #{pull}"),
            Self::PushBase { base, edit } => write!(f, "push to {}: {}", BASES[*base], say(edit)),
            Self::Review { pull, by, opinion } => write!(f, "{by} reviews #{pull}: {opinion:?}"),
            Self::Satisfy { pull } => write!(f, "#{pull} gets the approvals it needs"),
            Self::EditReview { pull, nth } => write!(f, "review {nth} of #{pull} is edited"),
            Self::Dismiss { pull, nth } => write!(f, "review {nth} of #{pull} is dismissed"),
            Self::Join { team, who } => write!(f, "{who} joins {team}"),
            Self::Invite { team, who } => write!(f, "{who} is invited to {team}"),
            Self::Leave { team, who } => write!(f, "{who} leaves {team}"),
            Self::Retarget { pull } => write!(f, "#{pull} is retargeted"),
            Self::Retitle { pull } => write!(f, "#{pull} is retitled"),
            Self::CloseOrReopen { pull } => write!(f, "#{pull} is closed or reopened"),
            Self::DraftOrReady { pull } => write!(f, "#{pull} is made a draft or ready"),
            Self::Say { pull, by, words } => write!(f, "{by} comments on #{pull}: {words:?}"),
            Self::Rerun { pull, nth } => write!(f, "check {nth} of #{pull} is asked for again"),
            Self::Redeliver { back } => write!(f, "the delivery {back} before the last comes again"),
        }
    }
}
