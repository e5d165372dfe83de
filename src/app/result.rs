//! From measurements to a report: asks the gate, fills the report. Awaits nothing.

use crate::domain::gate::Verdict;
use crate::domain::gate::verdict::{self, PromptVerdict, Reason};
use crate::domain::prompt::Prompt;
use crate::domain::report::{Measured, Outcome, PromptReport, Report};
use crate::engine::run::{Output, PlannedPrompt, PromptRun, RunPlan};

/// The report of a finished run.
pub fn report(plan: &RunPlan, runs: Vec<PromptRun>, base: Option<String>, head: String) -> Report {
    let (records, rest): (Vec<_>, Vec<_>) =
        runs.into_iter().map(|run| (run.record, (run.outputs, run.failing, run.repeats_error, run.usage))).unzip();
    let verdicts = verdict::decide(&records, &plan.gate);
    let all: Vec<_> = verdicts.iter().map(|prompt| prompt.verdict).collect();
    let mut report = Report::new(Outcome::Measured(verdict::overall(&all)), base, head);
    let parts = plan.prompts.iter().zip(&records).zip(&verdicts).zip(rest);
    for (((planned, record), verdict), (mut outputs, failing, repeats_error, usage)) in parts {
        show_failing(planned, verdict, &mut outputs, failing);
        if let Some(error) = repeats_error.filter(|_| verdict.verdict == Verdict::NotMeasured) {
            report.notes.push(format!("repeated runs of {} got no answer: {error}", planned.path));
        }
        let (prompt, model) = &planned.head;
        let mut said = PromptReport::new(Measured {
            path: planned.path.clone(),
            name: &prompt.name,
            model: model.clone(),
            record,
            verdict,
            cases: planned.cases.iter().map(|planned| &planned.case).collect(),
            outputs,
            usage,
        });
        said.prompt_lines = lines(prompt);
        report.prompts.push(said);
        let shown = report.prompts.last_mut().zip(planned.base.as_ref());
        if let Some((shown, (base, _))) = shown {
            shown.prompt_text = Some((source(base), source(prompt))).filter(|(old, new)| old != new);
        }
    }
    report
}

/// All messages of a prompt as text, for the difference between two versions.
fn source(prompt: &Prompt) -> String {
    let messages = prompt.messages.iter();
    messages.map(|message| format!("{:?}:\n{}\n", message.role, message.content.source().trim_end())).collect()
}

/// From the first message's first line to the last one's, where the format tells.
fn lines(prompt: &Prompt) -> Option<(u32, u32)> {
    let lines = || prompt.messages.iter().filter_map(|message| message.location).map(|at| at.line);
    Some((lines().min()?, lines().max()?))
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
