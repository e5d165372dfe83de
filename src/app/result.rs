//! From measurements to a report: asks the gate, fills the report. Awaits nothing.

use crate::domain::evaluator::Evaluator;
use crate::domain::gate::Verdict;
use crate::domain::gate::verdict::{self, PromptVerdict, Reason};
use crate::domain::ids::ModelId;
use crate::domain::price::Prices;
use crate::domain::report::{Measured, Outcome, PromptReport, Report};
use crate::engine::run::{Output, PlannedPrompt, PromptRun, RunPlan};

/// The report of a finished run.
pub fn report(plan: &RunPlan, runs: Vec<PromptRun>, base: Option<String>, head: String) -> Report {
    let (records, rest): (Vec<_>, Vec<_>) = runs
        .into_iter()
        .map(|run| (run.record, (run.outputs, run.failing, run.repeats_error, run.usage, run.agreements, run.notes)))
        .unzip();
    let verdicts = verdict::decide(&records, &plan.gate);
    let all: Vec<_> = verdicts.iter().map(|prompt| prompt.verdict).collect();
    let mut report = Report::new(Outcome::Measured(verdict::overall(&all)), base, head);
    let parts = plan.prompts.iter().zip(&records).zip(&verdicts).zip(rest);
    for (((planned, record), verdict), (mut outputs, failing, repeats_error, usage, agreements, notes)) in parts {
        report.notes.extend(notes.into_iter().map(|note| format!("{}: {note}.", planned.path)));
        show_failing(planned, verdict, &mut outputs, failing);
        if let Some(error) = repeats_error.filter(|_| verdict.verdict == Verdict::NotMeasured) {
            report.notes.push(format!("repeated runs of {} got no answer: {error}", planned.path));
        }
        let (prompt, model) = &planned.head;
        let mut said = PromptReport::new(Measured {
            path: planned.path.clone(),
            name: &prompt.name,
            description: prompt.description.as_deref(),
            model: model.clone(),
            record,
            verdict,
            cases: planned.cases.iter().map(|planned| &planned.case).collect(),
            outputs,
            usage,
            agreements,
        });
        said.prompt_lines = prompt.body.lines();
        report.prompts.push(said);
        let shown = report.prompts.last_mut().zip(planned.base.as_ref());
        if let Some((shown, (base, _))) = shown {
            shown.prompt_text = Some((base.body.source(), prompt.body.source())).filter(|(old, new)| old != new);
        }
    }
    report
}

/// The models that a run asks: those of its prompts, and the one that judges where nothing else is said.
fn models(plan: &RunPlan) -> Vec<&ModelId> {
    let prompts = plan.prompts.iter().flat_map(|prompt| prompt.base.iter().chain([&prompt.head]));
    let mut models: Vec<&ModelId> = prompts.map(|(_, model)| model).collect();
    if evaluators(plan).any(Evaluator::needs_default_judge) {
        models.extend(&plan.judge);
    }
    models
}

/// The same with the one that compares meanings, each once.
pub fn asked(plan: &RunPlan) -> Vec<&ModelId> {
    let mut models = models(plan);
    if evaluators(plan).any(Evaluator::needs_default_embeddings) {
        models.extend(&plan.embeddings);
    }
    models.sort();
    models.dedup();
    models
}

fn evaluators(plan: &RunPlan) -> impl Iterator<Item = &Evaluator> {
    plan.prompts.iter().flat_map(|prompt| &prompt.cases).flat_map(|planned| &*planned.case.evaluators)
}

/// One sentence if there are models whose price nobody knows: the figures are without them.
pub fn unpriced(plan: &RunPlan, prices: &Prices) -> Option<String> {
    let mut models = models(plan);
    models.retain(|model| prices.of(model).is_none());
    models.sort();
    models.dedup();
    let named: Vec<&str> = models.iter().map(|model| model.as_str()).collect();
    (!named.is_empty()).then(|| format!("The cost of {} is not known and in no figure here.", named.join(", ")))
}

/// A must-pass case that failed on a later run is shown with that answer: the first one would look right.
fn show_failing(
    planned: &PlannedPrompt,
    verdict: &PromptVerdict,
    outputs: &mut [(Option<Output>, Option<Output>)],
    failing: Vec<Option<Output>>,
) {
    let named = |id: &str| {
        verdict.reasons.iter().any(|reason| {
            matches!(reason, Reason::MustPassFailed { case, .. } | Reason::MustPassShaky { case, .. } if &**case == id)
        })
    };
    for ((planned, shown), failing) in planned.cases.iter().zip(outputs).zip(failing) {
        if failing.is_some() && named(&planned.case.id) {
            shown.1 = failing;
        }
    }
}
