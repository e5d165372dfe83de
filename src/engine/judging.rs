//! Judges one answer: evaluators at once, judge models by asking, each question once per run. Knows no record.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::call::{Caller, Failure};
use super::provider::{CompletionRequest, Sample, Task};
use super::run::{Output, Usage};
use crate::domain::evaluator::judge::JudgeQuestion;
use crate::domain::evaluator::{Answer, Assessment, Evaluation, Evaluator, combine};
use crate::domain::gate::{Lane, Tried};
use crate::domain::golden::Case;
use crate::domain::ids::{Digest, ModelId};
use crate::domain::price::Price;

/// A judge is asked once per text, whichever trial the text came from.
const JUDGE_SAMPLE: Sample = Sample { lane: Lane::Suite, index: 0 };

type Judgement = Result<Arc<str>, Failure>;

/// All judgements of a run, those being asked included: identical texts share one.
pub(super) struct Judges<'r> {
    default_model: Option<&'r ModelId>,
    asked: Mutex<HashMap<Digest, Arc<OnceCell<Judgement>>>>,
}

/// What one answer is worth.
#[derive(Clone)]
pub(super) struct Judged {
    pub tried: Tried,
    pub output: Output,
}

/// A judge evaluator's question that waits for its answer.
struct Pending {
    evaluator: usize,
    question: Box<JudgeQuestion>,
    request: Option<(CompletionRequest, Digest)>,
}

impl<'r> Judges<'r> {
    pub fn new(default_model: Option<&'r ModelId>) -> Self {
        Self { default_model, asked: Mutex::default() }
    }

    /// Judges an answer. `recall` says whether stored judgements of it have not been looked up yet.
    ///
    /// # Errors
    /// Only fatal ones; a judge that does not answer leaves its assessment out.
    pub async fn judge(
        &self,
        caller: &Caller<'_>,
        case: &Case,
        answer: &Answer<'_>,
        recall: bool,
        usage: &mut Usage,
    ) -> Result<Judged, Failure> {
        let (mut assessments, pending) = self.evaluate(case, answer);
        if recall && !pending.is_empty() {
            let keys = pending.iter().filter_map(|one| Some(one.request.as_ref()?.1)).collect();
            self.recall(caller, keys).await;
        }
        let mut error = None;
        for Pending { evaluator, question, request } in pending {
            match self.opinion(caller, &question, request, usage).await {
                Ok(assessment) => assessments[evaluator] = Some(assessment),
                Err(Failure::Fatal(message)) => return Err(Failure::Fatal(message)),
                Err(Failure::Unanswered(message)) => {
                    let name = &case.evaluators[evaluator].name;
                    error.get_or_insert_with(|| format!("judge `{name}`: {message}"));
                }
            }
        }
        let tried = combine::combine(&case.evaluators, case.rule(), &assessments);
        let error = if tried.is_none() { error } else { None };
        Ok(Judged { tried, output: Output { text: Some(answer.text.into()), error, assessments } })
    }

    /// Keys of the judgements that an answer needs.
    pub fn keys(&self, case: &Case, answer: &Answer<'_>) -> Vec<Digest> {
        self.requests(case, answer).map(|request| request.key()).collect()
    }

    /// The requests that judging an answer takes, and that no judgement is known for. For estimates.
    pub fn open_requests(&self, case: &Case, answer: &Answer<'_>) -> Vec<CompletionRequest> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = |key: Digest| asked.get(&key).is_none_or(|cell| !cell.initialized());
        self.requests(case, answer).filter(|request| is_open(request.key())).collect()
    }

    /// Looks stored judgements up together, those of the run left out.
    pub async fn recall(&self, caller: &Caller<'_>, mut keys: Vec<Digest>) {
        {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            keys.retain(|key| !asked.contains_key(key));
        }
        if keys.is_empty() {
            return;
        }
        let known = caller.provider.recall(&keys).await;
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, completion) in known {
            asked.entry(key).or_insert_with(|| Arc::new(OnceCell::new_with(Some(Ok(completion.text)))));
        }
    }

    fn requests(&self, case: &Case, answer: &Answer<'_>) -> impl Iterator<Item = CompletionRequest> {
        case.evaluators.iter().filter(|evaluator| evaluator.needs_judge()).filter_map(|evaluator| {
            match evaluator.evaluate(answer, case) {
                Evaluation::Ask(question) => self.request(&question),
                Evaluation::Assessed(_) => None,
            }
        })
    }

    fn evaluate(&self, case: &Case, answer: &Answer<'_>) -> (Vec<Option<Assessment>>, Vec<Pending>) {
        let mut pending = Vec::new();
        let evaluate = |(evaluator, one): (usize, &Evaluator)| match one.evaluate(answer, case) {
            Evaluation::Assessed(assessment) => Some(assessment),
            Evaluation::Ask(question) => {
                let request = self.request(&question).map(|request| {
                    let key = request.key();
                    (request, key)
                });
                pending.push(Pending { evaluator, question, request });
                None
            }
        };
        let assessments = case.evaluators.iter().enumerate().map(evaluate).collect();
        (assessments, pending)
    }

    /// `None` where no model is named.
    fn request(&self, question: &JudgeQuestion) -> Option<CompletionRequest> {
        Some(CompletionRequest {
            model: question.model.as_ref().or(self.default_model)?.clone(),
            messages: question.messages.clone(),
            parameters: question.parameters.clone(),
            response_format: question.response_format.clone(),
            tools: Arc::default(),
            task: Task::Chat,
            sample: JUDGE_SAMPLE,
        })
    }

    async fn opinion(
        &self,
        caller: &Caller<'_>,
        question: &JudgeQuestion,
        request: Option<(CompletionRequest, Digest)>,
        usage: &mut Usage,
    ) -> Result<Assessment, Failure> {
        let (request, key) =
            request.ok_or_else(|| Failure::Unanswered("no judge model: set evaluation.judge".into()))?;
        let cell = self.asked.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        let mut asked_now = None;
        let ask = async {
            let called = caller.call(&request, key).await;
            let mut bill = Usage { calls: called.tries.into(), ..Usage::default() };
            if let Ok(completion) = &called.result {
                bill.add_answer(completion, Price::of(&request.model));
            }
            asked_now = Some(bill);
            called.result.map(|completion| completion.text)
        };
        let judgement = cell.get_or_init(|| ask).await;
        usage.add(&asked_now.unwrap_or(Usage { cached_calls: 1, ..Usage::default() }));
        match judgement {
            Ok(text) => question.read(text).map_err(|unreadable| Failure::Unanswered(unreadable.to_string().into())),
            Err(failure) => Err(failure.clone()),
        }
    }
}
