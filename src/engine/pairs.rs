//! Trials whose case compares the two sides: held until both have answered, then judged as pairs. Knows no record.

use std::collections::HashMap;

use futures::StreamExt;
use futures::stream;

use super::answer::Answerer;
use super::judging::{Judged, Judges};
use super::opinion::Which;
use super::run::{RunError, Usage};
use super::stage::{CHUNK, Trial, stopped};
use crate::domain::evaluator::judge::JudgeQuestion;
use crate::domain::gate::{Lane, Side};
use crate::domain::golden::Case;

/// A judged trial that waits for its pair.
pub(super) struct Held {
    /// Index of the trial.
    pub trial: usize,
    pub judged: Judged,
    /// Cost, where known, and latency of its answer.
    pub sample: Option<(Option<f64>, u32)>,
}

/// Both sides of one sample.
struct Pair {
    base: Held,
    head: Held,
}

/// Whether the lane asks both sides for the same sample.
pub(super) fn is_paired(lane: Lane) -> bool {
    matches!(lane, Lane::Suite | Lane::Confirm)
}

/// Judges what is held as pairs, `width` at a time; what has no pair stays as it is.
///
/// # Errors
/// A fatal failure. `on_usage` is given the index of a trial of the prompt that pays.
pub(super) async fn settle(
    answerer: &Answerer<'_>,
    trials: &[Trial],
    held: Vec<Held>,
    width: usize,
    on_usage: &mut (dyn FnMut(usize, Usage) + Send),
) -> Result<Vec<Held>, RunError> {
    let (pairs, mut settled) = pair(trials, held);
    let compare = |mut pair: Pair| async move {
        let mut usage = Usage::default();
        let case = answerer.case(&trials[pair.head.trial]);
        let sides = [&mut pair.base.judged, &mut pair.head.judged];
        let done = answerer.judges.compare(&answerer.caller, case, sides, &mut usage).await;
        done.map(|()| (pair, usage))
    };
    let mut pairs = pairs.into_iter();
    loop {
        let chunk: Vec<Pair> = pairs.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return Ok(settled);
        }
        let questions = chunk.iter().flat_map(|pair| pair.questions(answerer.case(&trials[pair.head.trial])));
        answerer.judges.opinions.recall(&answerer.caller, questions.collect()).await;
        let mut compared = stream::iter(chunk).map(compare).buffer_unordered(width.max(1));
        while let Some(done) = compared.next().await {
            let (pair, usage) = done.map_err(stopped)?;
            on_usage(pair.head.trial, usage);
            settled.extend([pair.base, pair.head]);
        }
    }
}

impl Pair {
    /// What the judge is asked first.
    fn questions(&self, case: &Case) -> Vec<(JudgeQuestion, Which)> {
        let [base, head] = [&self.base, &self.head].map(|side| side.judged.output.text.as_deref().unwrap_or_default());
        Judges::comparisons(case, base, head).collect()
    }
}

fn pair(trials: &[Trial], held: Vec<Held>) -> (Vec<Pair>, Vec<Held>) {
    let mut waiting: HashMap<(usize, usize, Lane, u32), Held> = HashMap::new();
    let mut pairs = Vec::new();
    for one in held {
        let Trial { prompt, ask } = trials[one.trial];
        let place = (prompt, ask.case, ask.lane, ask.index);
        match waiting.remove(&place) {
            Some(other) if ask.side == Side::Head => pairs.push(Pair { base: other, head: one }),
            Some(other) => pairs.push(Pair { base: one, head: other }),
            None => {
                waiting.insert(place, one);
            }
        }
    }
    (pairs, waiting.into_values().collect())
}
