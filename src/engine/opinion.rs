//! One judge question, and those that follow from its answer, each asked once per run. Knows no record and no case.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::call::{Caller, Failure};
use super::provider::{CompletionRequest, Sample, Task};
use super::run::Usage;
use crate::domain::evaluator::judge::{JudgeQuestion, UnreadableAnswer, Wanted};
use crate::domain::evaluator::{Assessment, Evaluation};
use crate::domain::gate::Lane;
use crate::domain::ids::{Digest, ModelId};

/// Samples of one question within one opinion. A stored answer that cannot be read is passed over for the next sample, so
/// that it does not decide for ever.
const SAMPLES: u32 = 16;
/// Answers that cannot be read after which a question is given up in this run.
const MOST_UNREADABLE: u32 = 2;
/// More questions than any evaluator has in turn.
const MOST_QUESTIONS: usize = 64;

/// Who is asked where an evaluator names no model.
#[derive(Debug, Clone, Copy)]
pub(super) struct DefaultModels<'r> {
    pub judge: Option<&'r ModelId>,
    pub embeddings: Option<&'r ModelId>,
}

/// Which of several opinions on one text is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// The one that counts.
    First,
    /// The one that measures how far the judge agrees with itself.
    Second,
}

type Judgement = Result<Arc<str>, Failure>;

/// All judgements of a run, those being asked included: identical questions share one.
pub(super) struct Opinions<'r> {
    models: DefaultModels<'r>,
    asked: Mutex<HashMap<Digest, Arc<OnceCell<Judgement>>>>,
    /// What was looked up: the stored text, or that there is none.
    stored: Mutex<HashMap<Digest, Option<Arc<str>>>>,
}

impl<'r> Opinions<'r> {
    pub fn new(models: DefaultModels<'r>) -> Self {
        Self { models, asked: Mutex::default(), stored: Mutex::default() }
    }

    /// The key of the question's first sample; `None` where no model is named.
    pub fn key(&self, question: &JudgeQuestion, which: Which) -> Option<Digest> {
        Some(self.request(question, which, 0)?.key())
    }

    /// `None` where no model is named. A judge is asked once per text, whichever trial the text came from.
    fn request(&self, question: &JudgeQuestion, which: Which, sample: u32) -> Option<CompletionRequest> {
        let (default, task) = match question.wanted {
            Wanted::Opinion => (self.models.judge, Task::Chat),
            Wanted::Vector => (self.models.embeddings, Task::Embed),
        };
        let first = if which == Which::First { 0 } else { SAMPLES };
        Some(CompletionRequest {
            model: question.model.as_ref().or(default)?.clone(),
            messages: question.messages.clone(),
            parameters: question.parameters.clone(),
            response_format: question.response_format.clone(),
            tools: Arc::default(),
            task,
            sample: Sample { lane: Lane::Suite, index: first + sample },
        })
    }

    /// Asks until there is an assessment.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn assess(
        &self,
        caller: &Caller<'_>,
        question: &JudgeQuestion,
        which: Which,
        usage: &mut Usage,
    ) -> Result<Assessment, Failure> {
        let mut found = self.answer(caller, question, which, usage).await?;
        for _ in 0..MOST_QUESTIONS {
            match found {
                Evaluation::Assessed(assessment) => return Ok(assessment),
                Evaluation::Ask(next) => found = self.answer(caller, &next, which, usage).await?,
            }
        }
        Err(Failure::Unanswered("the judge's questions do not end".into()))
    }

    /// The first readable answer to one question: a stored one, else of at most two that are asked for now.
    async fn answer(
        &self,
        caller: &Caller<'_>,
        question: &JudgeQuestion,
        which: Which,
        usage: &mut Usage,
    ) -> Result<Evaluation, Failure> {
        let mut unreadable: Option<UnreadableAnswer> = None;
        let mut asked = 0;
        for sample in 0..SAMPLES {
            let request =
                self.request(question, which, sample).ok_or_else(|| Failure::Unanswered(no_model(question)))?;
            let key = request.key();
            let text = match self.look_up(caller, key).await {
                Some(text) => {
                    usage.cached_calls += 1;
                    text
                }
                None => {
                    asked += 1;
                    self.ask(caller, &request, key, usage).await?
                }
            };
            match question.read(&text) {
                Ok(found) => return Ok(found),
                Err(error) => unreadable = Some(error),
            }
            if asked >= MOST_UNREADABLE {
                break;
            }
        }
        let message = unreadable.map_or_else(|| "the judge said nothing".to_owned(), |error| error.to_string());
        Err(Failure::Unanswered(message.into()))
    }

    async fn ask(
        &self,
        caller: &Caller<'_>,
        request: &CompletionRequest,
        key: Digest,
        usage: &mut Usage,
    ) -> Result<Arc<str>, Failure> {
        let cell = self.asked.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        let mut asked_now = None;
        let ask = async {
            let called = caller.call(request, key).await;
            let mut bill = Usage { calls: called.tries.into(), ..Usage::default() };
            if let Ok(completion) = &called.result {
                bill.add_answer(completion, caller.limits.prices.of(&request.model));
            }
            asked_now = Some(bill);
            called.result.map(|completion| completion.text)
        };
        let judgement = cell.get_or_init(|| ask).await.clone();
        usage.add(&asked_now.unwrap_or(Usage { cached_calls: 1, ..Usage::default() }));
        judgement
    }

    /// The stored answer to a question, looked up once per run.
    async fn look_up(&self, caller: &Caller<'_>, key: Digest) -> Option<Arc<str>> {
        if let Some(known) = self.stored.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        if self.asked.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&key) {
            return None;
        }
        self.fetch(caller, &[key]).await;
        self.stored.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned().flatten()
    }

    async fn fetch(&self, caller: &Caller<'_>, keys: &[Digest]) {
        let mut known = caller.provider.recall(keys).await;
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            stored.insert(*key, known.remove(key).map(|completion| completion.text));
        }
    }

    /// Looks up the stored answers to questions together, and to those that follow from them.
    pub async fn recall(&self, caller: &Caller<'_>, questions: Vec<(JudgeQuestion, Which)>) {
        let mut open = questions;
        for _ in 0..MOST_QUESTIONS {
            let keyed: Vec<(Digest, &JudgeQuestion, Which)> = open
                .iter()
                .filter_map(|(question, which)| Some((self.key(question, *which)?, question, *which)))
                .collect();
            let mut keys: Vec<Digest> = keyed.iter().map(|(key, ..)| *key).collect();
            {
                let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
                let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                keys.retain(|key| !stored.contains_key(key) && !asked.contains_key(key));
            }
            keys.sort_unstable();
            keys.dedup();
            if !keys.is_empty() {
                self.fetch(caller, &keys).await;
            }
            let next = keyed.into_iter().filter_map(|(key, question, which)| match self.read_known(key, question)? {
                Evaluation::Ask(next) => Some((*next, which)),
                Evaluation::Assessed(_) => None,
            });
            open = next.collect();
            if open.is_empty() {
                return;
            }
        }
    }

    /// What a question leads to, if its answer is known and readable.
    fn read_known(&self, key: Digest, question: &JudgeQuestion) -> Option<Evaluation> {
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned().flatten();
        let text = stored.or_else(|| {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.get(&key)?.get()?.as_ref().ok().cloned()
        })?;
        question.read(&text).ok()
    }

    /// The requests that the assessment still takes, at most. For estimates.
    pub fn open_requests(&self, question: &JudgeQuestion, which: Which) -> Vec<CompletionRequest> {
        let mut question = question.clone();
        for _ in 0..MOST_QUESTIONS {
            let Some(request) = self.request(&question, which, 0) else { return Vec::new() };
            match self.read_known(request.key(), &question) {
                Some(Evaluation::Ask(next)) => question = *next,
                Some(Evaluation::Assessed(_)) => return Vec::new(),
                None => return vec![request; question.left() as usize],
            }
        }
        Vec::new()
    }
}

fn no_model(question: &JudgeQuestion) -> Arc<str> {
    match question.wanted {
        Wanted::Opinion => "no judge model: set evaluation.judge".into(),
        Wanted::Vector => "no embeddings model: set evaluation.embeddings".into(),
    }
}
