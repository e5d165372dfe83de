//! Runs many histories in one house: one fake GitHub, one server, one repository for each. Holds what GitHub lets through
//! against the oracle's words.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::time::{Duration, Instant};

use promptops::sim::{Knobs, Limits};

use super::SEEDS;
use super::history::{History, Move, Weather, weather};
use super::judge::Playing;
use super::play::Game;
use crate::support::app::{TestApp, state};

/// How often a look is taken while things settle.
const LOOK: Duration = Duration::from_millis(80);
/// So many sweeps find everything: each looks at a few of the pull requests whose people may have changed.
const SWEEPS: usize = 6;

/// What came of a house.
#[derive(Debug, Default)]
pub struct Figures {
    pub histories: usize,
    pub steps: usize,
    /// How often GitHub's word was held against the oracle's when all had settled.
    pub compared: usize,
    /// How often the oracle allowed it then.
    pub mergeable: usize,
    /// How often it was looked at while things happened.
    pub looks: usize,
    /// One text for each history that went wrong.
    pub violations: Vec<String>,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} histories, {} steps, {} comparisons ({} mergeable), {} looks in between, {} violations",
            self.histories,
            self.steps,
            self.compared,
            self.mergeable,
            self.looks,
            self.violations.len()
        )
    }
}

/// Plays these histories of a house, so many rounds each. The first that goes wrong is made shorter while patience lasts.
pub async fn house(seed: u64, histories: Range<u64>, rounds: usize, patience: Duration) -> Figures {
    let weather = weather(seed, rounds);
    let all = histories.map(|nth| History::new(seed * SEEDS + nth, rounds)).collect();
    let (mut figures, wrong) = play(all, &weather).await;
    if let Some(first) = wrong.into_iter().next() {
        // Should the runner lose its patience first.
        println!("{}", figures.violations[0]);
        figures.violations[0] = shortened(first, weather, figures.violations[0].clone(), patience).await;
    }
    figures
}

/// Leaves out of a history what it goes wrong without: bad weather, rounds, steps.
async fn shortened(mut history: History, mut weather: Vec<Weather>, mut said: String, patience: Duration) -> String {
    let started = Instant::now();
    let calm = vec![Weather::Calm; weather.len()];
    if let Some(again) = goes_wrong(&history, &calm).await {
        (weather, said) = (calm, again);
    }
    let places = |history: &History| -> Vec<(usize, usize)> {
        let rounds = history.rounds.iter().enumerate().rev();
        rounds.flat_map(|(round, moves)| (0..moves.len()).rev().map(move |at| (round, at))).collect()
    };
    for (round, at) in places(&history) {
        if started.elapsed() > patience {
            break;
        }
        let mut shorter = history.clone();
        shorter.rounds[round].remove(at);
        if let Some(again) = goes_wrong(&shorter, &weather).await {
            (history, said) = (shorter, again);
        }
    }
    said
}

async fn goes_wrong(history: &History, weather: &[Weather]) -> Option<String> {
    play(vec![history.clone()], weather).await.0.violations.into_iter().next()
}

/// Plays histories beside each other, and answers with those that went wrong, as far as they went.
async fn play(histories: Vec<History>, weather: &[Weather]) -> (Figures, Vec<History>) {
    let rounds = histories.iter().map(|history| history.rounds.len()).max().unwrap_or_default();
    let mut house = House::open(histories).await;
    for (round, sky) in weather.iter().enumerate().take(rounds) {
        house.round(round, *sky).await;
        house.look_at_peace();
    }
    house.end().await
}

struct House {
    app: TestApp,
    games: Vec<Playing>,
    figures: Figures,
    wrong: Vec<History>,
}

impl House {
    async fn open(histories: Vec<History>) -> Self {
        let app = TestApp::new().await;
        app.sim.set_limits(Limits {
            requests_per_hour: u32::MAX,
            points_per_minute: u32::MAX,
            writes_per_minute: u32::MAX,
            writes_per_hour: u32::MAX,
            ..Limits::default()
        });
        app.sim.keep_bodies(false);
        for person in ["mona", "lou"] {
            app.sim.user(person);
        }
        app.sim.bot("robot[bot]");
        let game = |(n, history)| Playing::new(Game::new(&app.sim, n, history));
        let figures = Figures {
            histories: histories.len(),
            steps: histories.iter().map(History::steps).sum(),
            ..Figures::default()
        };
        let games = histories.into_iter().enumerate().map(game).collect();
        let mut house = Self { app, games, figures, wrong: Vec::new() };
        house.settle().await;
        house
    }

    /// One round of every history in this weather, until all has settled.
    async fn round(&mut self, round: usize, sky: Weather) {
        if sky == Weather::Night {
            self.app.kill();
        }
        self.games.iter_mut().for_each(|playing| playing.game.told.push(format!("round {round}: {sky:?}")));
        let reorder = if sky == Weather::Shuffled { usize::MAX } else { 0 };
        let knobs = Knobs { reorder, ..Knobs::default() };
        for at in 0..self.games.len() {
            let moves = self.games[at].game.history.rounds.get(round).cloned().unwrap_or_default();
            let is_calm = matches!(sky, Weather::Calm | Weather::Shuffled) && moves.len() == 1;
            self.games[at].game.known = if is_calm { self.games[at].all_known() } else { BTreeSet::new() };
            for one in &moves {
                self.games[at].game.play(one, knobs);
                self.look_at(at, "at once");
            }
        }
        self.app.sim.set_knobs(Knobs::default());
        match sky {
            Weather::Calm | Weather::Shuffled => {}
            Weather::Restart => {
                self.app.stop().await;
                self.app.start().await;
            }
            Weather::Crash => {
                self.app.kill();
                self.app.start().await;
            }
            Weather::Night => {
                self.app.sim.settle().await;
                self.look("in the night");
                self.app.start().await;
            }
        }
        self.settle().await;
        self.app.sim.forget_exchanges();
    }

    /// Waits until nothing is left to do, and watches meanwhile.
    async fn settle(&mut self) {
        let Self { app, games, figures, wrong } = self;
        let settling = app.settle();
        tokio::pin!(settling);
        loop {
            tokio::select! {
                () = &mut settling => break,
                () = tokio::time::sleep(LOOK) => {
                    for playing in games.iter_mut() {
                        look(playing, "while it settles", figures, wrong);
                    }
                }
            }
        }
        let deliveries = app.sim.deliveries();
        games.iter_mut().for_each(|playing| playing.learn(&deliveries));
    }

    fn look(&mut self, when: &str) {
        (0..self.games.len()).for_each(|at| self.look_at(at, when));
    }

    fn look_at(&mut self, at: usize, when: &str) {
        look(&mut self.games[at], when, &mut self.figures, &mut self.wrong);
    }

    /// All has settled: nothing forbidden is let through, and nothing that is known to be allowed is held.
    fn look_at_peace(&mut self) {
        self.look("when all had settled");
        for playing in self.games.iter_mut().filter(|playing| !playing.is_wrong) {
            for pull in 0..playing.game.world.pulls.len() {
                let Some(known) = playing.known(pull) else { continue };
                let allowed = known.against.is_empty();
                self.figures.compared += 1;
                self.figures.mergeable += usize::from(allowed);
                if allowed && !playing.can_merge(pull) {
                    wrong(playing, pull, "is held, and nothing is against it", &mut self.figures, &mut self.wrong);
                    break;
                }
            }
        }
    }

    /// Opens everything again and makes up for what was lost: then GitHub's word and the oracle's must be the same.
    async fn end(mut self) -> (Figures, Vec<History>) {
        for at in 0..self.games.len() {
            for step in self.games[at].last_steps() {
                self.games[at].game.play(&Move { step, lost: false, twice: false }, Knobs::default());
            }
        }
        self.settle().await;
        self.sweep().await;
        for playing in self.games.iter_mut().filter(|playing| !playing.is_wrong) {
            for pull in 0..playing.game.world.pulls.len() {
                let allowed = playing.now(pull).against.is_empty();
                self.figures.compared += 1;
                self.figures.mergeable += usize::from(allowed);
                if allowed != playing.can_merge(pull) {
                    let what = if allowed { "is held at the end" } else { "can be merged at the end" };
                    wrong(playing, pull, what, &mut self.figures, &mut self.wrong);
                    break;
                }
            }
        }
        for playing in &self.games {
            playing.game.numbers.iter().for_each(|number| drop(playing.game.repo.comments(*number)));
        }
        self.app.sim.forget_exchanges();
        self.app.finish().await;
        (self.figures, self.wrong)
    }

    /// The server sweeps until all is as it should be.
    async fn sweep(&self) {
        let differs = |playing: &Playing| {
            let mut pulls = 0..playing.game.world.pulls.len();
            pulls.any(|pull| playing.now(pull).against.is_empty() != playing.can_merge(pull))
        };
        for _ in 0..SWEEPS {
            self.app.sweep().await;
            if !self.games.iter().any(|playing| !playing.is_wrong && differs(playing)) {
                return;
            }
        }
    }
}

/// Nothing forbidden is let through, whatever is on its way.
fn look(playing: &mut Playing, when: &str, figures: &mut Figures, all: &mut Vec<History>) {
    if playing.is_wrong || playing.game.words.is_empty() {
        return;
    }
    for pull in 0..playing.game.world.pulls.len() {
        figures.looks += 1;
        if playing.can_merge(pull) && !playing.could_be_allowed(pull) {
            wrong(playing, pull, &format!("can be merged {when}"), figures, all);
            return;
        }
    }
}

/// Keeps what went wrong, with all that is known of it.
fn wrong(playing: &mut Playing, pull: usize, what: &str, figures: &mut Figures, all: &mut Vec<History>) {
    let Playing { game, .. } = playing;
    let mut said = format!("history {}: #{pull} {what}\n", game.history.seed);
    for line in &game.told {
        let _ = writeln!(said, "  {line}");
    }
    let now = &game.words.last().unwrap()[pull];
    let _ = writeln!(said, "the oracle's reasons: {:?}", now.against);
    let _ = writeln!(said, "GitHub's: {:?}", game.repo.can_merge(game.numbers[pull]).err());
    let head = game.repo.pull(game.numbers[pull]).unwrap().head;
    let _ = writeln!(said, "the head is {}, the oracle's {}", head.short(), now.key.0);
    for check in game.repo.check_runs(&head) {
        let (title, text) = (check.title.clone().unwrap_or_default(), check.text.clone().unwrap_or_default());
        let _ = writeln!(said, "{} is {}: {title}\n{text}", check.name, state(&check));
    }
    figures.violations.push(said);
    all.push(game.so_far());
    playing.is_wrong = true;
}
