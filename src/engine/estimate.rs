//! What a stage will ask and cost, before any of its calls. All figures are estimates. Knows no budget.

use super::answer::Looked;
use super::answer::{Answerer, cases_of};
use super::call::SHORT_ANSWER;
use super::provider::{CompletionRequest, Task};
use super::run::RunError;
use super::stage::{CHUNK, Group, Trial};
use crate::domain::budget::{Estimate, PromptEstimate};
use crate::domain::evaluator::Answer;
use crate::domain::ids::ModelId;
use crate::domain::price::expected_message_tokens;

/// Refuses a stage that the purse has no room for, and what cannot be priced.
///
/// # Errors
/// With the figures.
pub(super) async fn afford(answerer: &Answerer<'_>, trials: &[Trial], groups: &[Group]) -> Result<(), RunError> {
    let purse = &answerer.caller.purse;
    if !purse.is_limited() {
        return Ok(());
    }
    let all = of_stage(answerer, trials, groups, false).await;
    if purse.has_room(all.usd()) && all.unpriced().is_empty() {
        return Ok(());
    }
    // Only now is it worth knowing what is stored: most of a re-run costs nothing.
    let open = of_stage(answerer, trials, groups, true).await;
    let models = open.unpriced();
    if !models.is_empty() {
        // Who has no key learns of that first: a price would not help.
        let ready = models.iter().try_for_each(|model| answerer.caller.provider.ready(model));
        ready.map_err(RunError::Provider)?;
        return Err(RunError::UnknownPrice { models });
    }
    purse.provide(open.usd()).await.map_err(|error| match error {
        RunError::OverBudget(mut over) => {
            over.estimate = Some(open);
            RunError::OverBudget(over)
        }
        other => other,
    })
}

/// What a stage asks and costs; with `recall` what is known is left out.
pub(super) async fn of_stage(answerer: &Answerer<'_>, trials: &[Trial], groups: &[Group], recall: bool) -> Estimate {
    let mut estimate =
        Estimate { prompts: answerer.plan.prompts.iter().map(|planned| empty(answerer, planned)).collect() };
    for (chunk, groups) in groups.chunks(CHUNK).enumerate() {
        let looked = if recall { answerer.look_up(trials, groups, chunk * CHUNK).await } else { unknown(groups.len()) };
        for (group, looked) in groups.iter().zip(looked) {
            add(answerer, &mut estimate, trials, group, &looked);
        }
        // Counting tokens is work for the processor: without this a cancelled run would not notice before its end.
        tokio::task::consume_budget().await;
    }
    estimate
}

fn unknown(groups: usize) -> Vec<Looked> {
    (0..groups).map(|group| Looked { group, known: None, asked: None }).collect()
}

fn empty(answerer: &Answerer<'_>, planned: &super::run::PlannedPrompt) -> PromptEstimate {
    PromptEstimate {
        path: planned.path.clone(),
        name: planned.head.0.name.clone(),
        cases: planned.cases.iter().filter(|planned| planned.kind != crate::domain::gate::CaseKind::Removed).count(),
        sides: if planned.base.is_some() { 2 } else { 1 },
        trials: answerer.plan.gate.trials.max(1),
        calls: 0,
        known: 0,
        input_tokens: 0,
        output_tokens: 0,
        usd: 0.0,
        unpriced: Vec::new(),
    }
}

fn add(answerer: &Answerer<'_>, estimate: &mut Estimate, trials: &[Trial], group: &Group, looked: &Looked) {
    let trial = &trials[group.trials[0]];
    let (Some(shape), Ok(messages)) = (answerer.shape(trial), answerer.messages(trial)) else { return };
    let prompt = &mut estimate.prompts[trial.prompt];
    let shared = group.trials.len() as u64 - 1;
    prompt.known += shared + u64::from(looked.known.is_some());
    if looked.known.is_none() {
        let asked = expected_message_tokens(shape.model, &messages);
        count(answerer, prompt, shape.model, asked, answerer.answer_tokens(trial));
    }
    let sample = answerer.sample(trial).unwrap_or_default();
    let text = looked.known.as_ref().map_or(sample, |known| &known.text);
    for request in cases_of(trials, group).flat_map(|trial| {
        answerer.judges.open_requests(answerer.case(trial), &Answer::text(text), answerer.pool(trial))
    }) {
        let said = if request.task == Task::Embed { 0 } else { SHORT_ANSWER };
        count(answerer, prompt, &request.model, tokens(&request), said);
    }
}

fn tokens(request: &CompletionRequest) -> u32 {
    expected_message_tokens(&request.model, &request.messages)
}

fn count(answerer: &Answerer<'_>, prompt: &mut PromptEstimate, model: &ModelId, asked: u32, said: u32) {
    prompt.calls += 1;
    prompt.input_tokens += u64::from(asked);
    prompt.output_tokens += u64::from(said);
    match answerer.caller.limits.prices.of(model) {
        Some(price) => prompt.usd += price.cost(asked, said),
        None if !prompt.unpriced.contains(model) => prompt.unpriced.push(model.clone()),
        None => {}
    }
}
