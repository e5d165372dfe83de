//! Judges one answer: evaluators at once, models by asking. Knows no record.

use super::agreement::{Agreements, Pool};
use super::call::{Caller, Failure};
use super::opinion::{DefaultModels, Opinions, Which};
use super::provider::CompletionRequest;
use super::run::{Output, Usage};
use crate::domain::evaluator::judge::JudgeQuestion;
use crate::domain::evaluator::{Answer, Assessment, Evaluation, Evaluator, combine};
use crate::domain::gate::Tried;
use crate::domain::golden::Case;

/// What stands for the other side's answer in an estimate.
const ANOTHER_ANSWER: &str = "(another answer)";

/// All that judges the answers of a run.
pub(super) struct Judges<'r> {
    pub opinions: Opinions<'r>,
    pub agreements: Agreements,
}

/// What one answer is worth.
#[derive(Clone)]
pub(super) struct Judged {
    pub tried: Tried,
    pub output: Output,
}

/// A model-graded evaluator's question that waits for its answer.
struct Pending {
    evaluator: usize,
    question: Box<JudgeQuestion>,
}

impl<'r> Judges<'r> {
    pub fn new(models: DefaultModels<'r>) -> Self {
        Self { opinions: Opinions::new(models), agreements: Agreements::default() }
    }

    /// Judges an answer. `recall` says whether stored judgements of it have not been looked up yet, `pool` with which others
    /// its judgements show how steady the judges are.
    ///
    /// # Errors
    /// Only fatal ones; a judge that does not answer leaves its assessment out.
    pub async fn judge(
        &self,
        caller: &Caller<'_>,
        case: &Case,
        answer: &Answer<'_>,
        pool: Option<Pool>,
        recall: bool,
        usage: &mut Usage,
    ) -> Result<Judged, Failure> {
        let (mut assessments, pending) = evaluate(case, answer);
        if recall && !pending.is_empty() {
            self.opinions.recall(caller, self.questions(case, answer, pool)).await;
        }
        let mut error = None;
        for Pending { evaluator, question } in pending {
            let by = &case.evaluators[evaluator];
            match self.opinions.assess(caller, &question, Which::First, usage).await {
                Ok(assessment) => {
                    let key = by.is_opinion().then(|| self.opinions.key(&question, Which::First)).flatten();
                    if let Some((pool, key)) = pool.zip(key) {
                        self.agreements.note(pool, by, key, question, assessment.passed);
                    }
                    assessments[evaluator] = Some(assessment);
                }
                Err(Failure::Fatal(message)) => return Err(Failure::Fatal(message)),
                Err(Failure::Unanswered(message)) => {
                    error.get_or_insert_with(|| unanswered(by, &message));
                }
            }
        }
        let tried = combine::combine(&case.evaluators, case.rule(), &assessments);
        let error = if tried.is_none() { error } else { None };
        Ok(Judged { tried, output: Output { text: Some(answer.text.into()), error, assessments } })
    }

    /// Lets the evaluators that compare sides say which of two judged answers is better.
    ///
    /// # Errors
    /// Only fatal ones; where the judge does not answer, neither side is measured.
    pub async fn compare(
        &self,
        caller: &Caller<'_>,
        case: &Case,
        sides: [&mut Judged; 2],
        usage: &mut Usage,
    ) -> Result<(), Failure> {
        let [base, head] = sides;
        let (Some(old), Some(new)) = (base.output.text.clone(), head.output.text.clone()) else { return Ok(()) };
        for (at, evaluator) in case.evaluators.iter().enumerate() {
            let Some(evaluation) = evaluator.prefer(&old, &new, case) else { continue };
            let found = match evaluation {
                Evaluation::Assessed(assessment) => Ok(assessment),
                Evaluation::Ask(question) => self.opinions.assess(caller, &question, Which::First, usage).await,
            };
            let (of_base, of_head) = match found {
                Ok(of_head) => (Some(of_head.mirrored()), Some(of_head)),
                Err(Failure::Fatal(message)) => return Err(Failure::Fatal(message)),
                Err(Failure::Unanswered(message)) => {
                    for side in [&mut *base, &mut *head] {
                        side.output.error.get_or_insert_with(|| unanswered(evaluator, &message));
                    }
                    (None, None)
                }
            };
            for (side, assessment) in [(&mut *base, of_base), (&mut *head, of_head)] {
                if let Some(place) = side.output.assessments.get_mut(at) {
                    *place = assessment;
                }
            }
        }
        for side in [base, head] {
            side.tried = combine::combine(&case.evaluators, case.rule(), &side.output.assessments);
            side.output.error = side.output.error.take().filter(|_| side.tried.is_none());
        }
        Ok(())
    }

    /// The questions that judging an answer begins with, second opinions included.
    pub fn questions(&self, case: &Case, answer: &Answer<'_>, pool: Option<Pool>) -> Vec<(JudgeQuestion, Which)> {
        let mut questions = Vec::new();
        for evaluator in case.evaluators.iter().filter(|evaluator| evaluator.needs_model()) {
            let Evaluation::Ask(question) = evaluator.evaluate(answer, case) else { continue };
            let key = self.opinions.key(&question, Which::First).filter(|_| pool.is_some() && evaluator.is_opinion());
            if key.is_some_and(Agreements::is_doubled) {
                questions.push((question.second_opinion(), Which::Second));
            }
            questions.push((*question, Which::First));
        }
        questions
    }

    /// The questions that comparing two answers begins with.
    pub fn comparisons<'q>(
        case: &'q Case,
        base: &'q str,
        head: &'q str,
    ) -> impl Iterator<Item = (JudgeQuestion, Which)> + use<'q> {
        case.evaluators.iter().filter_map(move |evaluator| match evaluator.prefer(base, head, case)? {
            Evaluation::Ask(question) => Some((*question, Which::First)),
            Evaluation::Assessed(_) => None,
        })
    }

    /// The requests that judging an answer takes, and that no judgement is known for. For estimates.
    pub fn open_requests(&self, case: &Case, answer: &Answer<'_>, pool: Option<Pool>) -> Vec<CompletionRequest> {
        let compared = Self::comparisons(case, answer.text, ANOTHER_ANSWER);
        let questions = self.questions(case, answer, pool).into_iter().chain(compared);
        questions.flat_map(|(question, which)| self.opinions.open_requests(&question, which)).collect()
    }
}

fn evaluate(case: &Case, answer: &Answer<'_>) -> (Vec<Option<Assessment>>, Vec<Pending>) {
    let mut pending = Vec::new();
    let evaluate = |(evaluator, one): (usize, &Evaluator)| match one.evaluate(answer, case) {
        Evaluation::Assessed(assessment) => Some(assessment),
        Evaluation::Ask(question) => {
            pending.push(Pending { evaluator, question });
            None
        }
    };
    let assessments = case.evaluators.iter().enumerate().map(evaluate).collect();
    (assessments, pending)
}

fn unanswered(evaluator: &Evaluator, message: &str) -> String {
    format!("judge `{}`: {message}", evaluator.name)
}
