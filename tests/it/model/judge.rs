//! What the product can know of a history: which events it has worked off, and so which of the oracle's words it must
//! follow. Plays nothing.

use std::collections::{BTreeMap, BTreeSet};

use promptops::sim::Delivery;

use super::history::Step;
use super::play::{Concerned, Game, Key, Word, concerns};
use super::world::Files;

/// A game with what the product can know of it.
pub struct Playing {
    pub game: Game,
    /// For each pull request, the step of the last event that made the product look at it.
    woken: BTreeMap<usize, usize>,
    /// The same with the events that tell that it is closed.
    heard_of: BTreeMap<usize, usize>,
    /// Those that the product knows of and will look at when something concerns many.
    watched: BTreeSet<usize>,
    /// The GUIDs of deliveries that were answered, and the last delivery that was looked at.
    heard: BTreeSet<String>,
    learned: u64,
    pub is_wrong: bool,
}

impl Playing {
    pub fn new(game: Game) -> Self {
        Self {
            game,
            woken: BTreeMap::new(),
            heard_of: BTreeMap::new(),
            watched: BTreeSet::new(),
            heard: BTreeSet::new(),
            learned: 0,
            is_wrong: false,
        }
    }

    pub fn can_merge(&self, pull: usize) -> bool {
        self.game.repo.can_merge(self.game.numbers[pull]).is_ok()
    }

    pub fn now(&self, pull: usize) -> &Word {
        &self.game.words.last().unwrap()[pull]
    }

    /// The oracle's words about a pull request from a step on.
    fn words_since(&self, pull: usize, step: usize) -> impl Iterator<Item = &Word> {
        self.game.words[step..].iter().filter_map(move |words| words.get(pull))
    }

    /// Learns from the log which events the product has worked off.
    pub fn learn(&mut self, deliveries: &[Delivery]) {
        let fresh = deliveries.iter().filter(|one| one.id > self.learned);
        let ours = fresh.filter(|one| one.repository.is_none_or(|repo| repo == self.game.repo.id().0));
        let mut news = Vec::new();
        for delivery in ours.filter(|one| one.status == "OK") {
            // What was worked off before is only acknowledged.
            let is_new = self.heard.insert(delivery.guid.clone());
            let caused = |(after, until): &(u64, u64)| (after + 1..=*until).contains(&delivery.id);
            if let Some(step) = self.game.sent.iter().position(caused).filter(|_| is_new) {
                news.push((step, concerns(delivery, &self.game)));
            }
        }
        self.learned = deliveries.last().map_or(0, |last| last.id);
        for (step, concerned) in news {
            match concerned {
                Concerned::Nobody => {}
                Concerned::One(pull) => self.wake(pull, step),
                Concerned::Closed(pull) => {
                    self.note(pull, step);
                    self.watched.remove(&pull);
                }
                Concerned::All => self.watched.clone().into_iter().for_each(|pull| self.wake(pull, step)),
                Concerned::Base(base) => {
                    let known = self.watched.clone().into_iter();
                    let known =
                        known.filter(|pull| self.goes_to(*pull, base, step) && self.is_controlled_anew(*pull, step));
                    known.collect::<Vec<_>>().into_iter().for_each(|pull| self.wake(pull, step));
                }
            }
        }
    }

    /// Whether it goes to that base, and the product knows.
    fn goes_to(&self, pull: usize, base: &str, step: usize) -> bool {
        let known = self.woken.get(&pull).copied().unwrap_or_default();
        [known, step].iter().all(|at| self.game.words[*at].get(pull).is_some_and(|word| word.key.1 == base))
    }

    /// Whether base controls it otherwise from a step on than at any moment since the product looked at it.
    fn is_controlled_anew(&self, pull: usize, step: usize) -> bool {
        let known = self.woken.get(&pull).copied().unwrap_or_default();
        let control = |word: &Word| self.game.world.control(word.tip);
        let before: Vec<Files> = self.words_since(pull, known).take(step.saturating_sub(known)).map(control).collect();
        !before.is_empty() && self.words_since(pull, step).map(control).all(|now| !before.contains(&now))
    }

    fn note(&mut self, pull: usize, step: usize) {
        let last = self.heard_of.entry(pull).or_default();
        *last = step.max(*last);
    }

    /// A closed pull request is not looked at.
    fn wake(&mut self, pull: usize, step: usize) {
        self.note(pull, step);
        let was_there = self.game.words[step].get(pull).is_some();
        if was_there && self.words_since(pull, step).all(|word| word.open) {
            self.watched.insert(pull);
            let last = self.woken.entry(pull).or_default();
            *last = step.max(*last);
        }
    }

    /// Since which step a pull request is where it is.
    fn came(&self, pull: usize) -> usize {
        let now = self.now(pull);
        let is_here = |words: &&Vec<Word>| words.get(pull).is_some_and(|word| word.is_at(now.key));
        self.game.words.len() - self.game.words.iter().rev().take_while(is_here).count()
    }

    /// Those that have the checks of this one as well.
    fn sharers(&self, pull: usize) -> Vec<usize> {
        let key = self.now(pull).key;
        let shares = |other: &usize| *other != pull && self.now(*other).is_at(key);
        (0..self.game.world.pulls.len()).filter(shares).collect()
    }

    /// Whether the oracle allowed it at some moment that the product may take for now.
    pub fn could_be_allowed(&self, pull: usize) -> bool {
        let sharers = self.sharers(pull);
        self.now(pull).against.github.is_empty()
            && self.could_pass(pull, &sharers)
            && sharers.iter().all(|other| self.could_pass(*other, &[pull]))
    }

    /// Whether its own share in the checks could let the merge through. Nobody knows of one that has just come, until somebody
    /// looks at those whose checks it shares.
    fn could_pass(&self, pull: usize, sharers: &[usize]) -> bool {
        let key = self.now(pull).key;
        let since = self.woken.get(&pull).copied();
        let passes = |word: &Word| word.key == key && word.against.checks.is_empty();
        let came = self.came(pull);
        let is_unseen = since.is_none_or(|since| since < came)
            && (0..self.game.world.pulls.len()).any(|other| other != pull && self.was_at(other, key))
            && sharers.iter().all(|other| self.woken.get(other).is_none_or(|since| *since < came));
        is_unseen || self.words_since(pull, since.unwrap_or_default()).any(passes)
    }

    fn was_at(&self, pull: usize, key: Key) -> bool {
        self.words_since(pull, 0).any(|word| word.is_at(key))
    }

    /// Those of which the product knows all.
    pub fn all_known(&self) -> BTreeSet<usize> {
        (0..self.game.world.pulls.len()).filter(|pull| self.known(*pull).is_some()).collect()
    }

    /// The oracle's word, if all it depends on has been the same ever since the product looked.
    pub fn known(&self, pull: usize) -> Option<&Word> {
        let now = self.now(pull);
        let same = |pull: usize| {
            let now = self.now(pull);
            let same = |word: &Word| {
                word.is_at(now.key)
                    && word.against.checks == now.against.checks
                    && word.against.has_conflict() == now.against.has_conflict()
            };
            self.woken.get(&pull).is_some_and(|since| self.words_since(pull, *since).all(same))
        };
        // Whoever shared its checks and left is known to have left.
        let has_left = |other: usize| {
            let last =
                self.game.words.iter().rposition(|words| words.get(other).is_some_and(|word| word.is_at(now.key)));
            last.is_none_or(|last| self.heard_of.get(&other).is_some_and(|heard| *heard > last))
        };
        let is_told = |other: usize| if self.now(other).is_at(now.key) { same(other) } else { has_left(other) };
        (0..self.game.world.pulls.len()).all(is_told).then_some(now)
    }

    /// What opens everything again.
    pub fn last_steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (pull, state) in self.game.world.pulls.iter().enumerate() {
            if !state.open {
                steps.push(Step::CloseOrReopen { pull });
            }
            if state.draft {
                steps.push(Step::DraftOrReady { pull });
            }
        }
        steps
    }
}
