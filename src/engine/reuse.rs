//! Known answers of base in a comparison where head is newly asked: old ones are asked again, and so are a few young ones,
//! before the others are trusted. Knows neither store nor vendor.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::{StreamExt, stream};

use super::answer::Answerer;
use super::call::Failure;
use super::provider::Completion;
use super::run::Usage;
use super::stage::{CHUNK, Group, Trial};
use crate::domain::gate::drift::{LONGEST_REUSE, canaries, is_drift};
use crate::domain::gate::{Lane, Side};
use crate::domain::ids::Digest;

/// What is decided about known answers.
#[derive(Debug, Default)]
pub(super) struct Reuse {
    /// Known answers that are not to be used.
    pub stale: HashSet<Digest>,
    /// Answers that were asked for again, with what they took.
    pub fresh: HashMap<Digest, (Completion, Usage)>,
    checks: Vec<Check>,
}

/// The check of one prompt's known answers.
#[derive(Debug, Clone)]
struct Check {
    prompt: usize,
    /// Groups to ask again.
    canaries: Vec<usize>,
    /// Keys of the young answers.
    young: Vec<Digest>,
}

/// Decides by the answers' ages, without a call. Where head's answers are all known too, nothing is asked and all are used.
pub(super) async fn plan(answerer: &Answerer<'_>, trials: &[Trial], groups: &[Group]) {
    let base: Vec<usize> = (0..groups.len()).filter(|at| is_base_only(trials, &groups[*at])).collect();
    let ages = ages(answerer, groups, &base).await;
    if ages.is_empty() {
        return;
    }
    let head: Vec<usize> = (0..groups.len()).filter(|at| has_head(trials, &groups[*at])).collect();
    let head_ages = self::ages(answerer, groups, &head).await;
    let is_new = |at: &&usize| groups[**at].key.is_some_and(|key| !head_ages.contains_key(&key));
    let newly_asked: HashSet<usize> = head.iter().filter(is_new).map(|at| prompt_of(trials, &groups[*at])).collect();
    let mut reuse = Reuse::default();
    for prompt in newly_asked {
        let mut young = Vec::new();
        for at in base.iter().filter(|at| prompt_of(trials, &groups[**at]) == prompt) {
            match groups[*at].key.and_then(|key| Some((key, ages.get(&key)?))) {
                Some((key, age)) if *age >= LONGEST_REUSE => {
                    reuse.stale.insert(key);
                }
                Some((key, _)) => young.push((*at, key)),
                None => {}
            }
        }
        let firsts: Vec<(usize, Digest)> =
            young.iter().copied().filter(|(at, _)| trials[groups[*at].trials[0]].ask.index == 0).collect();
        let keys: Vec<Digest> = firsts.iter().map(|(_, key)| *key).collect();
        let canaries: Vec<usize> = canaries(&keys).into_iter().map(|at| firsts[at].0).collect();
        reuse.stale.extend(canaries.iter().filter_map(|at| groups[*at].key));
        if !canaries.is_empty() {
            reuse.checks.push(Check { prompt, canaries, young: young.into_iter().map(|(_, key)| key).collect() });
        }
    }
    reuse.checks.sort_by_key(|check| check.prompt);
    *answerer.reuse() = reuse;
}

/// Asks the canaries, and drops what they show to be out of date. Says so, by prompt.
///
/// # Errors
/// Only fatal ones.
pub(super) async fn check(
    answerer: &Answerer<'_>,
    trials: &[Trial],
    groups: &[Group],
) -> Result<Vec<(usize, String)>, Failure> {
    let checks = std::mem::take(&mut answerer.reuse().checks);
    let mut notes = Vec::new();
    for check in checks {
        let keys: Vec<Digest> = check.canaries.iter().filter_map(|at| groups[*at].key).collect();
        let mut known = answerer.caller.provider.recall(&keys).await;
        let width = answerer.caller.limits.concurrency.max(1);
        let asked: Vec<_> = check
            .canaries
            .iter()
            .filter_map(|at| {
                let key = groups[*at].key?;
                Some(ask_again(answerer, &trials[groups[*at].trials[0]], key, known.remove(&key)))
            })
            .collect();
        let asked: Vec<_> = stream::iter(asked).buffer_unordered(width).collect().await;
        let (mut flips, mut cases) = (0, 0);
        for result in asked {
            let Some(again) = result? else { continue };
            cases += u32::from(again.same.is_some());
            flips += u32::from(again.same == Some(false));
            answerer.reuse().fresh.insert(again.key, (again.completion, again.usage));
        }
        if is_drift(flips, cases) {
            answerer.reuse().stale.extend(check.young);
            notes.push((check.prompt, drift_note(flips, cases)));
        }
    }
    Ok(notes)
}

fn drift_note(flips: u32, cases: u32) -> String {
    format!(
        "Provider drift: {flips} of {cases} known answers of the old prompt, less than a day old, came out otherwise when asked \
         again now. That is not this change's doing; the old prompt was asked anew on all cases"
    )
}

/// A question that was asked again.
struct Again {
    key: Digest,
    completion: Completion,
    usage: Usage,
    /// Whether both answers pass or both fail; `None` where one of them could not be judged.
    same: Option<bool>,
}

/// `None` where there is no new answer; then it is asked once more with all others.
async fn ask_again(
    answerer: &Answerer<'_>,
    trial: &Trial,
    key: Digest,
    known: Option<Completion>,
) -> Result<Option<Again>, Failure> {
    let mut usage = Usage::default();
    let completion = match answerer.ask(trial, Some(key), &mut usage).await {
        Ok(completion) => completion,
        Err(Failure::Unanswered(_)) => return Ok(None),
        Err(fatal) => return Err(fatal),
    };
    let now = answerer.passes(trial, &completion, &mut usage).await?;
    let before = match known {
        Some(known) => answerer.passes(trial, &known, &mut usage).await?,
        None => None,
    };
    let same = before.zip(now).map(|(before, now)| before == now);
    Ok(Some(Again { key, completion, usage, same }))
}

async fn ages(answerer: &Answerer<'_>, groups: &[Group], which: &[usize]) -> HashMap<Digest, Duration> {
    let keys: Vec<Digest> = which.iter().filter_map(|at| groups[*at].key).collect();
    let mut ages = HashMap::new();
    for chunk in keys.chunks(CHUNK) {
        ages.extend(answerer.caller.provider.ages(chunk).await);
    }
    ages
}

fn prompt_of(trials: &[Trial], group: &Group) -> usize {
    trials[group.trials[0]].prompt
}

fn is_base_only(trials: &[Trial], group: &Group) -> bool {
    group.trials.iter().all(|at| trials[*at].ask.side == Side::Base && trials[*at].ask.lane == Lane::Suite)
}

fn has_head(trials: &[Trial], group: &Group) -> bool {
    group.trials.iter().any(|at| trials[*at].ask.side == Side::Head)
}
