//! How many calls a provider bears at once, found by trying: one more while it keeps its pace, a third less when it refuses
//! or slows down. Pure; knows no clock.

use std::collections::HashMap;

use crate::domain::ids::ModelId;

/// Calls at once before anything is known of the provider.
const START: f64 = 32.0;
/// What is left of the width after a refusal; after a slow round less, the slower it was, down to …
const CUT: f64 = 0.7;
/// … so much.
const DEEPEST_CUT: f64 = 0.3;
/// A round is slow when its median is more than so many times the lower quartile of the best one …
const SLOWER: f64 = 2.5;
/// … and so many milliseconds more per 32 tokens, which is noise.
const NOISE: f64 = 32.0;
/// Share of a slower round by which the best one is forgotten: a provider that has become slower for good is no overload.
const FORGET: f64 = 0.02;
/// Fewest and most answers of a round.
const ROUND: (usize, usize) = (8, 24);

/// The width of one provider.
#[derive(Debug)]
pub(super) struct Width {
    most: f64,
    now: f64,
    /// Below it the width grows by one per answer, above by one per round.
    known_good: f64,
    /// Calls from this number on were let in after the last cut; what earlier ones say is known already.
    cut_at: u64,
    answered_since_cut: bool,
    /// Latencies differ between models: each is compared with itself.
    models: HashMap<ModelId, Pace>,
}

#[derive(Debug, Default)]
struct Pace {
    round: Vec<f64>,
    best: Option<f64>,
}

impl Width {
    pub fn new(most: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "nobody makes 2^53 calls at once")]
        let most = most.max(1) as f64;
        Self {
            most,
            now: START.min(most),
            known_good: most,
            cut_at: 0,
            answered_since_cut: false,
            models: HashMap::new(),
        }
    }

    /// Calls at once, at least 1.
    pub fn calls(&self) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the most allowed")]
        let calls = self.now as usize;
        calls.max(1)
    }

    /// Call number `call` was answered after `millis` with so many tokens; `next` is the number of the next call, and `full`
    /// says whether the width was used.
    pub fn answered(&mut self, call: u64, next: u64, model: &ModelId, millis: f64, tokens: u32, full: bool) {
        if call < self.cut_at {
            return;
        }
        self.answered_since_cut = true;
        // Longer answers take longer: what counts is the time per token, with 32 of them for the time to the first.
        let pace = millis * 32.0 / (32.0 + f64::from(tokens));
        if let Some(left) = self.slow_round(model, pace) {
            self.cut(next, left);
        } else if full {
            let soon = (self.now + 1.0).min(self.known_good);
            self.now = soon.max(self.now + 1.0 / self.now).min(self.most);
        }
    }

    /// Call number `call` was refused for want of capacity, or not answered in time.
    pub fn overloaded(&mut self, call: u64, next: u64) {
        if call >= self.cut_at {
            self.cut(next, CUT);
        }
    }

    fn cut(&mut self, next: u64, left: f64) {
        self.now = (self.now * left).max(1.0);
        // In an outage cut follows cut: what was good before it is where to come back to soon.
        if self.answered_since_cut {
            self.known_good = self.now;
        }
        (self.cut_at, self.answered_since_cut) = (next, false);
        for pace in self.models.values_mut() {
            pace.round.clear();
        }
    }

    /// What is left of the width, where this answer ends a round that was slow.
    fn slow_round(&mut self, model: &ModelId, pace: f64) -> Option<f64> {
        let round = self.calls().clamp(ROUND.0, ROUND.1);
        if !self.models.contains_key(model) {
            self.models.insert(model.clone(), Pace::default());
        }
        let known = self.models.get_mut(model)?;
        known.round.push(pace);
        if known.round.len() < round {
            return None;
        }
        let mut paces = std::mem::take(&mut known.round);
        paces.sort_by(f64::total_cmp);
        // The first round may be crowded already: its quicker answers tell what the provider can do.
        let (quick, median) = (paces[paces.len() / 4], paces[paces.len() / 2]);
        paces.clear();
        known.round = paces;
        let best = known.best.unwrap_or(quick);
        known.best = Some(if quick < best { quick } else { best + FORGET * (quick - best) });
        let bearable = SLOWER * best + NOISE;
        (median > bearable).then(|| (bearable / median).clamp(DEEPEST_CUT, CUT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> ModelId {
        ModelId::parse("openai/gpt-4o-mini").unwrap()
    }

    /// Answers `calls` calls with these milliseconds each, the width in full use.
    fn answer(width: &mut Width, from: u64, calls: u64, millis: f64) -> u64 {
        for call in from..from + calls {
            width.answered(call, call + 1, &model(), millis, 10, true);
        }
        from + calls
    }

    #[test]
    fn it_begins_in_the_middle_and_grows_to_the_most_allowed() {
        assert_eq!((Width::new(4).calls(), Width::new(64).calls(), Width::new(0).calls()), (4, 32, 1));
        let mut width = Width::new(64);
        answer(&mut width, 0, 48, 500.0);
        assert_eq!(width.calls(), 64);
    }

    #[test]
    fn one_burst_of_refusals_is_one_cut_and_one_is_the_floor() {
        let mut width = Width::new(16);
        (0..10).for_each(|call| width.overloaded(call, 10));
        assert_eq!(width.calls(), 11);
        (10..60).for_each(|call| width.overloaded(call, call + 1));
        assert_eq!(width.calls(), 1);
    }

    #[test]
    fn after_an_outage_it_is_soon_where_it_was() {
        let mut width = Width::new(16);
        let mut call = answer(&mut width, 0, 30, 500.0);
        for _ in 0..20 {
            width.overloaded(call, call + 1);
            call += 1;
        }
        assert_eq!(width.calls(), 1);
        answer(&mut width, call, 12, 500.0);
        assert_eq!(width.calls(), 11);
    }

    #[test]
    fn a_round_that_is_much_slower_cuts_and_noise_does_not() {
        let mut width = Width::new(16);
        let call = answer(&mut width, 0, 64, 500.0);
        let call = answer(&mut width, call, 64, 900.0);
        assert_eq!(width.calls(), 16);
        let call = answer(&mut width, call, 16, 2_500.0);
        assert_eq!(width.calls(), 8, "the slower, the deeper the cut");
        answer(&mut width, call, 400, 500.0);
        assert_eq!(width.calls(), 16);
        let mut quick = Width::new(16);
        let call = answer(&mut quick, 0, 64, 1.0);
        answer(&mut quick, call, 64, 20.0);
        assert_eq!(quick.calls(), 16, "a few milliseconds mean nothing");
    }

    #[test]
    fn long_answers_are_not_slow_ones() {
        let mut width = Width::new(16);
        let call = answer(&mut width, 0, 64, 500.0);
        for call in call..call + 64 {
            width.answered(call, call + 1, &model(), 4_000.0, 400, true);
        }
        assert_eq!(width.calls(), 16);
    }

    #[test]
    fn a_width_that_is_not_used_does_not_grow() {
        let mut width = Width::new(64);
        (0..100).for_each(|call| width.answered(call, call + 1, &model(), 500.0, 10, false));
        assert_eq!(width.calls(), 32);
    }
}
