//! Fills a prompt's report from what was measured and what the gate said. Knows no engine: its outputs are handed in.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{CaseReport, EvaluatorReport, FailedEvaluator, PromptReport, SideReport, SideUsage, Sides};
use crate::domain::evaluator::Assessment;
use crate::domain::gate::verdict::{CaseStatus, PromptVerdict};
use crate::domain::gate::{CaseKind, JudgeAgreement, PromptRecord, Tried};
use crate::domain::golden::Case;
use crate::domain::ids::{ModelId, PromptPath};

/// The first answer of one side to one case.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MeasuredOutput {
    /// The text, if the model answered.
    pub text: Option<Arc<str>>,
    /// Why it is unmeasured.
    pub error: Option<String>,
    /// Parallel to the case's evaluators; empty when there is no text.
    pub assessments: Vec<Option<Assessment>>,
}

/// All that is known of one prompt after its run. The lists are parallel, one entry per case.
#[derive(Debug)]
pub struct Measured<'a> {
    /// The prompt's file.
    pub path: PromptPath,
    /// The prompt's name.
    pub name: &'a str,
    /// What its author says of it.
    pub description: Option<&'a str>,
    /// The model of head.
    pub model: ModelId,
    /// What the gate was given.
    pub record: &'a PromptRecord,
    /// What the gate said.
    pub verdict: &'a PromptVerdict,
    /// The cases.
    pub cases: Vec<&'a Case>,
    /// The first answers: base, head.
    pub outputs: Vec<(Option<MeasuredOutput>, Option<MeasuredOutput>)>,
    /// Per side: base, head.
    pub usage: [SideUsage; 2],
    /// How far its judges agreed with themselves.
    pub agreements: Vec<JudgeAgreement>,
}

impl PromptReport {
    /// The report of one prompt.
    #[must_use]
    pub fn new(measured: Measured<'_>) -> Self {
        let metrics = [
            metrics(measured.cases.iter().zip(&measured.outputs).map(|(case, outputs)| (*case, outputs.0.as_ref()))),
            metrics(measured.cases.iter().zip(&measured.outputs).map(|(case, outputs)| (*case, outputs.1.as_ref()))),
        ];
        let cases = cases(&measured);
        let PromptVerdict { verdict, reasons, base_score, head_score, bound, suite_p, candidates, statuses: _ } =
            measured.verdict.clone();
        Self {
            path: measured.path,
            name: measured.name.to_owned(),
            description: measured.description.map(str::to_owned),
            sides: Sides::Change,
            golden_set: None,
            model: measured.model,
            verdict,
            reasons,
            base_score,
            head_score,
            bound,
            suite_p,
            run_again: measured.record.cases.iter().filter(|case| !case.screen_runs.is_empty()).count(),
            candidates,
            has_base: measured.record.has_base,
            cases,
            metrics,
            usage: measured.usage,
            agreements: measured.agreements,
            median_cost: measured.record.cost,
            median_latency: measured.record.latency,
            prompt_text: None,
            prompt_lines: None,
        }
    }
}

fn cases(measured: &Measured<'_>) -> Vec<CaseReport> {
    let rows = measured.cases.iter().zip(&measured.record.cases).zip(&measured.verdict.statuses).zip(&measured.outputs);
    rows.map(|(((case, record), status), (base, head))| {
        let candidates = &measured.verdict.candidates;
        CaseReport {
            id: Arc::clone(&case.id),
            vars: Arc::clone(&case.vars),
            expected: case.expected.clone(),
            status: *status,
            confirmed: candidates.iter().any(|candidate| candidate.id == case.id && candidate.confirmed),
            base: side(&record.base, base.as_ref()),
            head: if record.kind == CaseKind::Removed { None } else { head_side(record, head.as_ref()) },
            failed_evaluators: if *status == CaseStatus::Unmeasured { Vec::new() } else { failed(case, head.as_ref()) },
            evaluators: evaluators(case, head.as_ref()),
            line: case.line,
        }
    })
    .collect()
}

/// Head's suite trials; a case that is run as must-pass only is shown by those runs.
fn head_side(record: &crate::domain::gate::CaseRecord, output: Option<&MeasuredOutput>) -> Option<SideReport> {
    let trials = if record.head.is_empty() { &record.must_pass_runs } else { &record.head };
    side(trials, output)
}

/// `None` when the side was not asked at all.
fn side(trials: &[Tried], output: Option<&MeasuredOutput>) -> Option<SideReport> {
    if trials.is_empty() && output.is_none() {
        return None;
    }
    let measured: Vec<_> = trials.iter().flatten().collect();
    let score = (!measured.is_empty())
        .then(|| measured.iter().map(|trial| trial.score).sum::<f64>() / f64::from(count(measured.len())));
    Some(SideReport {
        passes: count(measured.iter().filter(|trial| trial.passed).count()),
        trials: count(measured.len()),
        score,
        output: output.and_then(|output| output.text.clone()),
        error: output.and_then(|output| output.error.clone()),
    })
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What the answer failed; an evaluator of weight 0 informs only.
fn failed(case: &Case, output: Option<&MeasuredOutput>) -> Vec<FailedEvaluator> {
    let assessments = output.map_or(&[][..], |output| &output.assessments);
    case.evaluators
        .iter()
        .zip(assessments)
        .filter_map(|(evaluator, assessment)| {
            let assessment = assessment.as_ref().filter(|found| !found.passed && evaluator.weight > 0.0)?;
            Some(FailedEvaluator { name: Arc::clone(&evaluator.name), reason: assessment.reason.clone() })
        })
        .collect()
}

/// What every evaluator said, those that only inform included.
fn evaluators(case: &Case, output: Option<&MeasuredOutput>) -> Vec<EvaluatorReport> {
    let assessments = output.map_or(&[][..], |output| &output.assessments);
    let said = case.evaluators.iter().zip(assessments).filter_map(|(evaluator, assessment)| {
        let found = assessment.as_ref()?;
        let (name, reason) = (Arc::clone(&evaluator.name), found.reason.clone());
        Some(EvaluatorReport { name, score: found.score, passed: found.passed, reason })
    });
    said.collect()
}

/// Mean score per metric name.
fn metrics<'a>(answers: impl Iterator<Item = (&'a Case, Option<&'a MeasuredOutput>)>) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (case, output) in answers {
        for (evaluator, assessment) in case.evaluators.iter().zip(output.map_or(&[][..], |output| &output.assessments))
        {
            if let (Some(metric), Some(found)) = (&evaluator.metric, assessment) {
                let sum = sums.entry(metric.to_string()).or_default();
                *sum = (sum.0 + found.score, sum.1 + 1.0);
            }
        }
    }
    sums.into_iter().map(|(metric, (sum, answers))| (metric, sum / answers)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::gate::verdict::{ConfirmedBreak, Reason};
    use crate::domain::gate::{CaseRecord, Trial, Verdict};
    use crate::domain::ids::Digest;

    fn case(id: &str) -> Case {
        Case {
            id: id.into(),
            vars: Arc::default(),
            expected: None,
            must_pass: None,
            weight: 1.0,
            tags: Arc::new([]),
            cluster: None,
            evaluators: Arc::new([]),
            threshold: None,
            sets: [].into(),
            line: 4,
            definition: Digest::of_parts([id.as_bytes()]),
        }
    }

    fn record(kind: CaseKind, base: Vec<Tried>, head: Vec<Tried>) -> CaseRecord {
        CaseRecord {
            id: "a".into(),
            kind,
            must_pass: None,
            weight: 1.0,
            cluster: None,
            base,
            head,
            must_pass_runs: Vec::new(),
            screen_runs: Vec::new(),
            confirm_base: Vec::new(),
            confirm_head: Vec::new(),
            noisy_judge: false,
            compares: false,
        }
    }

    const PASS: Tried = Some(Trial { passed: true, score: 1.0 });
    const FAIL: Tried = Some(Trial { passed: false, score: 0.5 });

    #[test]
    fn a_run_becomes_a_report() {
        let (broken, removed) = (case("refund"), case("old-case"));
        let mut first = record(CaseKind::Compared, vec![PASS, PASS, None], vec![FAIL, PASS, FAIL]);
        first.screen_runs = vec![FAIL, FAIL];
        let record = PromptRecord {
            has_base: true,
            cases: vec![first, record(CaseKind::Removed, Vec::new(), Vec::new())],
            cost: None,
            latency: Some((800.0, 900.0)),
        };
        let candidate = ConfirmedBreak { id: "refund".into(), k: 6, base: 6, head: 0, p: 0.001, confirmed: true };
        let verdict = PromptVerdict {
            verdict: Verdict::Regression,
            reasons: vec![Reason::ConfirmedBreaks { cases: vec![candidate.clone()] }],
            base_score: Some(1.0),
            head_score: Some(0.5),
            bound: None,
            suite_p: Some(0.5),
            candidates: vec![candidate],
            statuses: vec![CaseStatus::Broken, CaseStatus::Removed],
        };
        let answer = |text: &str| Some(MeasuredOutput { text: Some(text.into()), ..MeasuredOutput::default() });
        let report = PromptReport::new(Measured {
            path: PromptPath::parse("a.prompt.yml").expect("a path"),
            name: "a",
            description: None,
            model: ModelId::parse("openai/gpt-4o-mini").expect("a model"),
            record: &record,
            verdict: &verdict,
            cases: vec![&broken, &removed],
            outputs: vec![(answer("old"), answer("new")), (None, None)],
            usage: [SideUsage::default(); 2],
            agreements: Vec::new(),
        });
        let [refund, old_case] = report.cases.as_slice() else { panic!("two cases") };
        assert_eq!((refund.confirmed, refund.line, report.run_again), (true, 4, 1));
        let base = refund.base.as_ref().expect("base");
        assert_eq!((base.passes, base.trials, base.score, base.output.as_deref()), (2, 2, Some(1.0), Some("old")));
        let head = refund.head.as_ref().expect("head");
        assert_eq!((head.passes, head.trials, head.output.as_deref()), (1, 3, Some("new")));
        assert_eq!((&old_case.base, &old_case.head, old_case.confirmed), (&None, &None, false));
    }
}
