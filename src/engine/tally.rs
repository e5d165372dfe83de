//! Puts answers where they belong: the gate's records, the outputs for the report, usage and medians per side.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::agreement::{Measured, Pool};
use super::answer::{Answered, side_index};
use super::judging::Judged;
use super::pairs::{self, Held};
use super::provider::Completion;
use super::run::{Output, PlannedPrompt, PromptRun, Usage};
use super::stage::{Group, Trial};
use crate::domain::evaluator::{Evaluator, blamed};
use crate::domain::gate::{CaseKind, CaseRecord, JudgeAgreement, Lane, PromptRecord, Side, Tried};
use crate::domain::ids::Digest;
use crate::domain::price::Price;
use crate::domain::stats::median;

impl Usage {
    /// Adds what another usage counted.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.cached_calls += other.cached_calls;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cost_usd += other.cost_usd;
    }

    /// Adds the tokens of an answer and, where the model's price is known, their cost.
    pub(super) fn add_answer(&mut self, completion: &Completion, price: Option<Price>) {
        let (input, output) = (completion.input_tokens.unwrap_or(0), completion.output_tokens.unwrap_or(0));
        self.input_tokens += u64::from(input);
        self.output_tokens += u64::from(output);
        self.cost_usd += price.map_or(0.0, |price| price.cost(input, output));
    }
}

/// Everything measured of one prompt so far.
pub(super) struct PromptTally {
    pub record: PromptRecord,
    evaluators: Vec<Arc<[Evaluator]>>,
    blame: Vec<BTreeSet<usize>>,
    outputs: Vec<(Option<Output>, Option<Output>)>,
    failing: Vec<Option<(Lane, u32, Output)>>,
    repeats_error: Option<String>,
    /// What people should know, one sentence each.
    pub notes: Vec<String>,
    usage: [Usage; 2],
    costs: [Vec<f64>; 2],
    latencies: [Vec<f64>; 2],
}

impl PromptTally {
    pub fn new(planned: &PlannedPrompt) -> Self {
        let record = |planned: &super::run::PlannedCase| CaseRecord {
            id: planned.case.id.clone(),
            kind: planned.kind,
            must_pass: planned.case.must_pass,
            weight: planned.case.weight,
            cluster: planned.case.cluster.clone(),
            base: Vec::new(),
            head: Vec::new(),
            must_pass_runs: Vec::new(),
            screen_runs: Vec::new(),
            confirm_base: Vec::new(),
            confirm_head: Vec::new(),
            noisy_judge: false,
            compares: planned.case.counted().any(Evaluator::compares),
        };
        Self {
            record: PromptRecord {
                has_base: planned.base.is_some(),
                cases: planned.cases.iter().map(record).collect(),
                cost: None,
                latency: None,
            },
            evaluators: planned.cases.iter().map(|planned| planned.case.evaluators.clone()).collect(),
            blame: vec![BTreeSet::new(); planned.cases.len()],
            outputs: vec![(None, None); planned.cases.len()],
            failing: vec![None; planned.cases.len()],
            repeats_error: None,
            notes: Vec::new(),
            usage: Default::default(),
            costs: Default::default(),
            latencies: Default::default(),
        }
    }

    /// Takes one judged trial; its place in the record waits for the end of the stage.
    fn note(&mut self, trial: &Trial, judged: Judged, sample: Option<(Option<f64>, u32)>) {
        let (case, side) = (trial.ask.case, side_index(trial.ask.side));
        // A case that only head has would shift head's median by its own size.
        let is_paired = trial.ask.lane == Lane::Suite && self.record.cases[case].kind == CaseKind::Compared;
        if let Some((cost, latency)) = sample.filter(|_| is_paired) {
            self.costs[side].extend(cost);
            self.latencies[side].push(f64::from(latency));
        }
        let output = judged.output;
        if trial.ask.side == Side::Head && judged.tried.is_some_and(|trial| !trial.passed) {
            self.blame[case].extend(blamed(&self.evaluators[case], &output.assessments));
        }
        if trial.ask.lane == Lane::Suite && trial.ask.index == 0 {
            let kept = &mut self.outputs[case];
            *(if trial.ask.side == Side::Base { &mut kept.0 } else { &mut kept.1 }) = Some(output);
        } else if judged.tried.is_none() {
            if self.repeats_error.is_none() {
                self.repeats_error = output.error;
            }
        } else if trial.ask.side == Side::Head && judged.tried.is_some_and(|trial| !trial.passed) {
            // Answers arrive in any order: the earliest failure of the earliest lane is kept, so that runs agree.
            let kept = &mut self.failing[case];
            let place = (trial.ask.lane, trial.ask.index);
            if kept.as_ref().is_none_or(|(lane, index, _)| place < (*lane, *index)) {
                *kept = Some((place.0, place.1, output));
            }
        }
    }

    /// Whether a trial is judged together with the other side's.
    fn is_held(&self, trial: &Trial) -> bool {
        let is_compared = self.record.has_base && self.record.cases[trial.ask.case].kind == CaseKind::Compared;
        is_compared
            && pairs::is_paired(trial.ask.lane)
            && self.evaluators[trial.ask.case].iter().any(Evaluator::compares)
    }

    /// Adds what judging a trial took.
    pub fn pay(&mut self, trial: &Trial, usage: &Usage) {
        self.usage[side_index(trial.ask.side)].add(usage);
    }

    /// Adds what belongs to no single trial.
    pub fn pay_for_head(&mut self, usage: &Usage) {
        self.usage[side_index(Side::Head)].add(usage);
    }

    fn pool(&self) -> Pool {
        Pool::of_prompt(self.record.has_base)
    }

    fn judges(&self) -> BTreeSet<Digest> {
        self.evaluators.iter().flat_map(|list| list.iter()).map(|evaluator| evaluator.definition).collect()
    }

    /// Whether one of these judges has judged it.
    pub fn is_judged_by(&self, agreements: &Measured) -> bool {
        self.judges().iter().any(|definition| agreements.contains_key(&(self.pool(), *definition)))
    }

    /// Marks the cases whose failures all rest on judges that agree with themselves too little.
    fn mark_noisy(&mut self, agreements: &Measured) {
        let pool = self.pool();
        for ((record, evaluators), blamed) in self.record.cases.iter_mut().zip(&self.evaluators).zip(&self.blame) {
            let is_noisy = |index: &usize| {
                let agreement = evaluators.get(*index).and_then(|by| agreements.get(&(pool, by.definition)));
                agreement.is_some_and(JudgeAgreement::is_noisy)
            };
            record.noisy_judge = !blamed.is_empty() && blamed.iter().all(is_noisy);
        }
    }

    /// The lists and medians of the whole run.
    pub fn finish(mut self, agreements: &Measured) -> PromptRun {
        self.mark_noisy(agreements);
        let mut of_prompt: Vec<JudgeAgreement> = self
            .judges()
            .iter()
            .filter_map(|definition| agreements.get(&(self.pool(), *definition)))
            .cloned()
            .collect();
        of_prompt.sort_by(|a, b| a.name.cmp(&b.name));
        let both = |[base, head]: &[Vec<f64>; 2]| Some((median(base)?, median(head)?));
        self.record.cost = both(&self.costs);
        self.record.latency = both(&self.latencies);
        let failed_first = |case: &CaseRecord| case.head.first().copied().flatten().is_some_and(|trial| !trial.passed);
        let failing = self.failing.into_iter().zip(&self.record.cases);
        let failing =
            failing.map(|(kept, case)| kept.filter(|_| !failed_first(case)).map(|(_, _, output)| output)).collect();
        PromptRun {
            record: self.record,
            outputs: self.outputs,
            failing,
            repeats_error: self.repeats_error,
            usage: self.usage,
            agreements: of_prompt,
            notes: self.notes,
        }
    }
}

/// Takes what came of a group: outputs, usage, and each trial's result into `results`.
pub(super) fn take(
    tallies: &mut [PromptTally],
    results: &mut [Option<Tried>],
    held: &mut Vec<Held>,
    trials: &[Trial],
    group: &Group,
    answered: Answered,
) {
    let asked_now = answered.usage.calls > 0;
    let first = &trials[group.trials[0]];
    tallies[first.prompt].usage[side_index(first.ask.side)].add(&answered.usage);
    for (at, index) in group.trials.iter().enumerate() {
        // A shared answer is paid for by the first trial; for the others it was known already.
        if answered.sample.is_some() && (at > 0 || !asked_now) {
            let trial = &trials[*index];
            tallies[trial.prompt].usage[side_index(trial.ask.side)].cached_calls += 1;
        }
    }
    let same_case = group.trials.chunk_by(|a, b| trials[*a].is_same_case(&trials[*b]));
    for (same, (judged, judging)) in same_case.zip(answered.judged) {
        let payer = &trials[same[0]];
        tallies[payer.prompt].usage[side_index(payer.ask.side)].add(&judging);
        let Some((last, others)) = same.split_last() else { continue };
        let mut put = |index: usize, judged: Judged| {
            let (trial, sample) = (&trials[index], answered.sample);
            results[index] = Some(judged.tried);
            match &mut tallies[trial.prompt] {
                tally if sample.is_some() && tally.is_held(trial) => held.push(Held { trial: index, judged, sample }),
                tally => tally.note(trial, judged, sample),
            }
        };
        for index in others {
            put(*index, judged.clone());
        }
        put(*last, judged);
    }
}

/// Takes trials that were judged as pairs.
pub(super) fn take_pairs(
    tallies: &mut [PromptTally],
    results: &mut [Option<Tried>],
    trials: &[Trial],
    settled: Vec<Held>,
) {
    for Held { trial, judged, sample } in settled {
        results[trial] = Some(judged.tried);
        tallies[trials[trial].prompt].note(&trials[trial], judged, sample);
    }
}

/// Appends a stage's results to the records, strictly by sample index.
pub(super) fn append(tallies: &mut [PromptTally], trials: &[Trial], results: &[Option<Tried>]) {
    let mut order: Vec<usize> = (0..trials.len()).collect();
    order.sort_by_key(|index| trials[*index].ask.index);
    for index in order {
        let Trial { prompt, ask } = trials[index];
        let case = &mut tallies[prompt].record.cases[ask.case];
        let list = match (ask.lane, ask.side) {
            (Lane::Suite, Side::Base) => &mut case.base,
            (Lane::Suite, Side::Head) => &mut case.head,
            (Lane::MustPass, _) => &mut case.must_pass_runs,
            (Lane::Screen, _) => &mut case.screen_runs,
            (Lane::Confirm, Side::Base) => &mut case.confirm_base,
            (Lane::Confirm, Side::Head) => &mut case.confirm_head,
        };
        list.push(results[index].flatten());
    }
}
