//! From a question's key to its judged answer: recall in chunks, render, ask, judge. Knows no lists of results.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::agreement::Pool;
use super::call::{Called, Caller, Failure};
use super::judging::{Judged, Judges};
use super::provider::{
    Completion, CompletionRequest, KnownAnswers, Sample, Task, question_digest, sample_key, shape_digest,
};
use super::reuse::Reuse;
use super::run::{Output, PlannedPrompt, RunPlan, Usage};
use super::stage::{Group, Trial};
use crate::domain::evaluator::Answer;
use crate::domain::gate::{CaseKind, Lane, Side, Trial as Measured};
use crate::domain::golden::Case;
use crate::domain::ids::{Digest, ModelId};
use crate::domain::price::{Price, expected_tokens};
use crate::domain::prompt::{ChatMessage, Prompt};

/// Tokens expected of an answer where neither the case nor the prompt has a sample of one.
const ANSWER_TOKENS: u32 = 256;

/// What all questions of one side of one prompt share.
pub(super) struct SideShape<'r> {
    pub prompt: &'r Prompt,
    pub model: &'r ModelId,
    pub price: Option<Price>,
    digest: Digest,
}

/// All that answering takes and no answer changes.
pub(super) struct Answerer<'r> {
    pub plan: &'r RunPlan,
    pub caller: Caller<'r>,
    pub judges: Judges<'r>,
    shapes: Vec<[Option<SideShape<'r>>; 2]>,
    reuse: Mutex<Reuse>,
}

/// A group whose stored answer has been looked up.
pub(super) struct Looked {
    pub group: usize,
    pub known: Option<Completion>,
    /// What a known answer took, if it was asked for within this run.
    pub asked: Option<Usage>,
}

/// What came of a group.
pub(super) struct Answered {
    pub group: usize,
    /// Whether the answer was known already.
    pub cached: bool,
    /// Cost, where known, and latency of the answer, where there is one.
    pub sample: Option<(Option<f64>, u32)>,
    /// What the answer itself took.
    pub usage: Usage,
    /// One per case of the group, in order of the trials, with what its judges took.
    pub judged: Vec<(Judged, Usage)>,
}

/// Where a side stands in arrays of two.
pub(super) fn side_index(side: Side) -> usize {
    match side {
        Side::Base => 0,
        Side::Head => 1,
    }
}

impl<'r> Answerer<'r> {
    pub fn new(plan: &'r RunPlan, caller: Caller<'r>, judges: Judges<'r>) -> Self {
        let shape = |(prompt, model): &'r (Arc<Prompt>, ModelId)| SideShape {
            prompt,
            model,
            price: caller.limits.prices.of(model),
            digest: shape_digest(model, &prompt.parameters, &prompt.response_format, &prompt.tools),
        };
        let shapes = |planned: &'r PlannedPrompt| [planned.base.as_ref().map(shape), Some(shape(&planned.head))];
        Self { plan, caller, judges, shapes: plan.prompts.iter().map(shapes).collect(), reuse: Mutex::default() }
    }

    pub fn shape(&self, trial: &Trial) -> Option<&SideShape<'r>> {
        self.shapes[trial.prompt][side_index(trial.ask.side)].as_ref()
    }

    pub fn case(&self, trial: &Trial) -> &'r Case {
        &self.plan.prompts[trial.prompt].cases[trial.ask.case].case
    }

    /// The rendered messages. Rendered again for each question: kept, they would take the golden set's size many times.
    ///
    /// # Errors
    /// Why the trial has no question.
    pub fn messages(&self, trial: &Trial) -> Result<Arc<[ChatMessage]>, String> {
        let case = self.case(trial);
        let shape = self.shape(trial).ok_or_else(|| format!("case `{}` has no base to run on", case.id))?;
        shape.prompt.render(&case.vars).map_err(|error| format!("case `{}`: {error}", case.id))
    }

    /// The digest of a trial's question, the sample left out; `None` where it has no question.
    pub fn question(&self, trial: &Trial) -> Option<Digest> {
        let shape = self.shape(trial)?;
        Some(question_digest(shape.digest, &self.messages(trial).ok()?))
    }

    /// Looks up the stored answers of some groups, and the stored judgements of those answers, each in one go.
    pub async fn look_up(&self, trials: &[Trial], groups: &[Group], first: usize) -> Vec<Looked> {
        let keys: Vec<Digest> = {
            let reuse = self.reuse();
            groups.iter().filter_map(|group| group.key).filter(|key| !reuse.stale.contains(key)).collect()
        };
        let mut known: KnownAnswers =
            if keys.is_empty() { KnownAnswers::new() } else { self.caller.provider.recall(&keys).await };
        let looked: Vec<Looked> = groups
            .iter()
            .enumerate()
            .map(|(at, group)| {
                let fresh = group.key.and_then(|key| self.reuse().fresh.remove(&key)).unzip();
                let known = fresh.0.or_else(|| known.remove(&group.key?));
                Looked { group: first + at, known, asked: fresh.1 }
            })
            .collect();
        let judgements = looked.iter().zip(groups).filter_map(|(one, group)| Some((one.known.as_ref()?, group)));
        let judgements = judgements
            .flat_map(|(known, group)| {
                let trial = &trials[group.trials[0]];
                self.judges.questions(self.case(trial), &self.given(trial, known), self.pool(trial))
            })
            .collect();
        self.judges.opinions.recall(&self.caller, judgements).await;
        looked
    }

    /// Answers one group and judges the answer for each of its cases.
    ///
    /// # Errors
    /// Only fatal ones.
    pub async fn answer(&self, trials: &[Trial], group: &Group, looked: Looked) -> Result<Answered, Failure> {
        let first = &trials[group.trials[0]];
        let cached = looked.known.is_some() && looked.asked.is_none();
        let mut usage = looked.asked.unwrap_or_default();
        let result = match looked.known {
            Some(completion) => Ok(completion),
            None => self.ask(first, group.key, &mut usage).await,
        };
        let completion = match result {
            Ok(completion) => completion,
            Err(Failure::Fatal(message)) => return Err(Failure::Fatal(message)),
            Err(Failure::Unanswered(message)) => {
                let output = Output { text: None, error: Some(message.as_ref().to_owned()), assessments: Vec::new() };
                let tried = self.fails_to_ask(first).then_some(Measured { passed: false, score: 0.0 });
                let judged = Judged { tried, output };
                let judged = cases_of(trials, group).map(|_| (judged.clone(), Usage::default())).collect();
                return Ok(Answered { group: looked.group, cached, sample: None, usage, judged });
            }
        };
        let mut judged = Vec::with_capacity(1);
        let given = self.given(first, &completion);
        for trial in cases_of(trials, group) {
            let mut judging = Usage::default();
            let (case, pool) = (self.case(trial), self.pool(trial));
            let one = self.judges.judge(&self.caller, case, &given, pool, !cached, &mut judging).await?;
            judged.push((one, judging));
        }
        let cost = given.cost_usd;
        Ok(Answered { group: looked.group, cached, sample: Some((cost, completion.latency_ms)), usage, judged })
    }

    /// Whether head cannot fill its prompt for a case that base can: that is the change's own failure, not a missing
    /// measurement, or a change could take the cases that would fail it out of the count.
    fn fails_to_ask(&self, trial: &Trial) -> bool {
        let (vars, [base, head]) = (&self.case(trial).vars, &self.shapes[trial.prompt]);
        let fills = |shape: &Option<SideShape<'_>>| shape.as_ref().is_some_and(|one| one.prompt.render(vars).is_ok());
        trial.ask.side == Side::Head && !fills(head) && fills(base)
    }

    /// Whether the judgements of a trial's answer show how steady its judges are. Where both sides share the answer the
    /// trial is base's, which is asked first.
    pub fn pool(&self, trial: &Trial) -> Option<Pool> {
        let planned = &self.plan.prompts[trial.prompt];
        let pool = Pool::of_prompt(planned.base.is_some());
        let is_compared = planned.cases[trial.ask.case].kind == CaseKind::Compared;
        let is_of_base = is_compared && (trial.ask.side, trial.ask.lane) == (Side::Base, Lane::Suite);
        (pool == Pool::Alone || is_of_base).then_some(pool)
    }

    /// An answer as evaluators see it.
    fn given<'c>(&'c self, trial: &Trial, completion: &'c Completion) -> Answer<'c> {
        let shape = self.shape(trial);
        Answer {
            text: &completion.text,
            finish_reason: completion.finish_reason.as_deref(),
            cost_usd: shape.and_then(|shape| answer_cost(completion, shape.price?)),
            latency_ms: Some(completion.latency_ms),
            tools: shape.map_or(&[], |shape| &shape.prompt.tools),
        }
    }

    /// Tokens to expect of a trial's answer: as many as the text it should have, within the prompt's own limit.
    pub fn answer_tokens(&self, trial: &Trial) -> u32 {
        let Some(shape) = self.shape(trial) else { return ANSWER_TOKENS };
        let sample = self.sample(trial);
        let longest = shape.prompt.parameters.max_tokens.unwrap_or(u32::MAX);
        sample.map_or(ANSWER_TOKENS, |sample| expected_tokens(shape.model, sample)).min(longest)
    }

    /// A text like the one the trial should be answered with, if there is one.
    pub fn sample(&self, trial: &Trial) -> Option<&str> {
        let example = self.shape(trial).and_then(|shape| shape.prompt.example_output.as_deref());
        self.case(trial).expected.as_deref().or(example)
    }

    /// What is decided about known answers.
    pub fn reuse(&self) -> MutexGuard<'_, Reuse> {
        self.reuse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an answer passes its trial's case; `None` where that cannot be told.
    ///
    /// # Errors
    /// Only fatal ones.
    pub async fn passes(&self, trial: &Trial, answer: &Completion, usage: &mut Usage) -> Result<Option<bool>, Failure> {
        let given = self.given(trial, answer);
        let judged = self.judges.judge(&self.caller, self.case(trial), &given, None, true, usage).await?;
        Ok(judged.tried.map(|trial| trial.passed))
    }

    /// Asks a trial's question, whether or not its answer is known.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn ask(&self, trial: &Trial, key: Option<Digest>, usage: &mut Usage) -> Result<Completion, Failure> {
        let messages = self.messages(trial).map_err(|error| Failure::Unanswered(error.into()))?;
        let (Some(shape), Some(key)) = (self.shape(trial), key) else {
            return Err(Failure::Unanswered("the trial has no question".into()));
        };
        let request = CompletionRequest {
            model: shape.model.clone(),
            messages,
            parameters: shape.prompt.parameters.clone(),
            response_format: shape.prompt.response_format.clone(),
            tools: shape.prompt.tools.clone(),
            task: Task::Chat,
            sample: sample_of(trial),
        };
        let Called { result, tries } = self.caller.call_expecting(&request, key, self.answer_tokens(trial)).await;
        usage.calls += u64::from(tries);
        if let Ok(completion) = &result {
            usage.add_answer(completion, shape.price);
        }
        result
    }
}

/// The first trial of each case that shares the group's answer; a case's trials stand together.
pub(super) fn cases_of<'t>(trials: &'t [Trial], group: &'t Group) -> impl Iterator<Item = &'t Trial> {
    group.trials.chunk_by(move |a, b| trials[*a].is_same_case(&trials[*b])).map(move |same| &trials[same[0]])
}

/// USD of one answer; `None` where the provider counted no tokens.
pub(super) fn answer_cost(completion: &Completion, price: Price) -> Option<f64> {
    Some(price.cost(completion.input_tokens?, completion.output_tokens?))
}

/// The key of a trial's answer.
pub(super) fn trial_key(question: Digest, trial: &Trial) -> Digest {
    sample_key(question, sample_of(trial))
}

fn sample_of(trial: &Trial) -> Sample {
    Sample { lane: trial.ask.lane, index: trial.ask.index }
}
