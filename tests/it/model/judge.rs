//! What the product can know of a history: which events it has worked off, and so which of the oracle's words it must
//! follow. Plays nothing.

use std::collections::{BTreeMap, BTreeSet};

use promptops::sim::Delivery;

use super::history::Step;
use super::play::{Game, Word, wakes};
use super::{RETARGETS, SHARED_HEADS};

/// A game with what the product can know of it.
pub struct Playing {
    pub game: Game,
    /// For each pull request, the step of the last event that made the product look at it.
    woken: BTreeMap<usize, usize>,
    /// The same for each head and base it had.
    woken_at: BTreeMap<(usize, (usize, &'static str)), usize>,
    /// The GUIDs of deliveries that were answered, and the last delivery that was looked at.
    heard: BTreeSet<String>,
    learned: u64,
    pub is_wrong: bool,
}

impl Playing {
    pub fn new(game: Game) -> Self {
        let (woken, woken_at) = (BTreeMap::new(), BTreeMap::new());
        Self { game, woken, woken_at, heard: BTreeSet::new(), learned: 0, is_wrong: false }
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
        let mut woken = Vec::new();
        for delivery in ours.filter(|one| one.status == "OK") {
            // What was worked off before is only acknowledged.
            let is_new = self.heard.insert(delivery.guid.clone());
            let caused = |(after, until): &(u64, u64)| (after + 1..=*until).contains(&delivery.id);
            if let Some(step) = self.game.sent.iter().position(caused).filter(|_| is_new) {
                woken.extend(wakes(delivery, &self.game).into_iter().map(|pull| (pull, step)));
            }
        }
        self.learned = deliveries.last().map_or(0, |last| last.id);
        woken.into_iter().for_each(|(pull, step)| self.wake(pull, step));
    }

    /// Those that have the same checks are looked at together.
    fn wake(&mut self, pull: usize, step: usize) {
        let Some(key) = self.game.words[step].get(pull).map(|word| word.key) else { return };
        for other in 0..self.game.words[step].len() {
            if other == pull || (SHARED_HEADS && self.game.words[step][other].key == key) {
                self.wake_one(other, step, key);
            }
        }
    }

    /// A closed pull request is not looked at.
    fn wake_one(&mut self, pull: usize, step: usize, key: (usize, &'static str)) {
        if self.words_since(pull, step).any(|word| !word.open) {
            return;
        }
        let last = self.woken.entry(pull).or_default();
        *last = step.max(*last);
        let last = self.woken_at.entry((pull, key)).or_default();
        *last = step.max(*last);
    }

    /// Whether the oracle allowed it at some moment that the product may take for now.
    pub fn could_be_allowed(&self, pull: usize) -> bool {
        let now = self.now(pull);
        let woken = if RETARGETS { self.woken.get(&pull) } else { self.woken_at.get(&(pull, now.key)) };
        let since = woken.copied().unwrap_or_default();
        now.against.github.is_empty()
            && self.words_since(pull, since).any(|word| word.key == now.key && word.against.checks.is_empty())
    }

    /// The oracle's word, if it has been the same ever since the product looked.
    pub fn known(&self, pull: usize) -> Option<&Word> {
        let now = self.now(pull);
        let since = self.woken.get(&pull)?;
        let same = |word: &Word| word.open && word.key == now.key && word.against.checks == now.against.checks;
        self.words_since(pull, *since).all(same).then_some(now)
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
