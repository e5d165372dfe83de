//! One stage: trials that share a question are grouped, groups are answered a bounded number at a time.

use std::collections::{HashMap, VecDeque};

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::answer::{Answered, Answerer, Looked, side_index, trial_key};
use super::call::Failure;
use super::run::RunError;
use crate::domain::gate::plan::Ask;
use crate::domain::ids::Digest;

/// How many keys are looked up together; also about how many known answers wait in memory.
pub(super) const CHUNK: usize = 512;

/// One trial of one prompt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trial {
    pub prompt: usize,
    pub ask: Ask,
}

impl Trial {
    pub fn is_same_case(&self, other: &Self) -> bool {
        (self.prompt, self.ask.case) == (other.prompt, other.ask.case)
    }
}

/// Trials with one question and sample: base and head that render the same are asked once.
#[derive(Debug)]
pub(super) struct Group {
    /// `None` where the trial has no question.
    pub key: Option<Digest>,
    /// Indices of trials, never empty.
    pub trials: Vec<usize>,
}

/// The digests of all questions met so far, by prompt, case and side; a question is rendered for it once.
pub(super) struct Questions(Vec<Vec<[Option<Option<Digest>>; 2]>>);

impl Questions {
    pub fn new(cases_per_prompt: impl Iterator<Item = usize>) -> Self {
        Self(cases_per_prompt.map(|cases| vec![[None; 2]; cases]).collect())
    }

    fn of(&mut self, answerer: &Answerer<'_>, trial: &Trial) -> Option<Digest> {
        let slot = &mut self.0[trial.prompt][trial.ask.case][side_index(trial.ask.side)];
        *slot.get_or_insert_with(|| answerer.question(trial))
    }
}

/// Groups in order of their first trial.
pub(super) fn group(answerer: &Answerer<'_>, questions: &mut Questions, trials: &[Trial]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::with_capacity(trials.len());
    let mut by_key: HashMap<Digest, usize> = HashMap::with_capacity(trials.len());
    for (index, trial) in trials.iter().enumerate() {
        let key = questions.of(answerer, trial).map(|question| trial_key(question, trial));
        let at = key.map_or(groups.len(), |key| *by_key.entry(key).or_insert(groups.len()));
        match groups.get_mut(at) {
            Some(group) => group.trials.push(index),
            None => groups.push(Group { key, trials: vec![index] }),
        }
    }
    groups
}

enum Job {
    LookUp { first: usize, end: usize },
    Answer(Looked),
}

enum Step {
    LookedUp(Vec<Looked>),
    Answered(Result<Answered, Failure>),
}

async fn step(answerer: &Answerer<'_>, trials: &[Trial], groups: &[Group], job: Job) -> Step {
    match job {
        Job::LookUp { first, end } => Step::LookedUp(answerer.look_up(trials, &groups[first..end], first).await),
        Job::Answer(looked) => Step::Answered(answerer.answer(trials, &groups[looked.group], looked).await),
    }
}

/// Answers all groups, `width` at a time; the next chunk is looked up while the last one is being answered.
///
/// # Errors
/// A fatal failure, or what `on_answer` returns; calls in flight are dropped.
pub(super) async fn drive(
    answerer: &Answerer<'_>,
    trials: &[Trial],
    groups: &[Group],
    width: usize,
    on_answer: &mut (dyn FnMut(Answered) -> Result<(), RunError> + Send),
) -> Result<(), RunError> {
    let mut running = FuturesUnordered::new();
    let mut ready: VecDeque<Looked> = VecDeque::with_capacity(2 * CHUNK);
    let (mut looked_up, mut looking_up, mut answering) = (0, false, 0);
    loop {
        if !looking_up && looked_up < groups.len() && ready.len() < CHUNK / 2 {
            let (first, end) = (looked_up, groups.len().min(looked_up + CHUNK));
            (looked_up, looking_up) = (end, true);
            running.push(step(answerer, trials, groups, Job::LookUp { first, end }));
        }
        while answering < width
            && let Some(looked) = ready.pop_front()
        {
            answering += 1;
            running.push(step(answerer, trials, groups, Job::Answer(looked)));
        }
        match running.next().await {
            None => return Ok(()),
            Some(Step::LookedUp(looked)) => {
                looking_up = false;
                ready.extend(looked);
            }
            Some(Step::Answered(answered)) => {
                answering -= 1;
                on_answer(answered.map_err(stopped)?)?;
            }
        }
        // Answers from a cache never wait: without this, a cancelled run would not notice before its end.
        tokio::task::coop::consume_budget().await;
    }
}

pub(super) fn stopped(failure: Failure) -> RunError {
    match failure {
        Failure::Fatal(message) | Failure::Unanswered(message) => RunError::Provider(message.as_ref().to_owned()),
    }
}
