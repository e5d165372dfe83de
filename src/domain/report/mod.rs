//! One value that says how a change came out, and its renderings: comment, checks, terminal, JSON. Knows neither engine nor
//! GitHub; holds outside text as it was, each rendering shows it through [`crate::domain::untrusted`].

pub mod annotations;
mod approval;
mod approval_words;
mod build;
pub mod check;
pub mod decision;
mod diff;
pub mod doctor_v1;
pub mod estimate;
pub mod findings;
mod fit;
pub mod github_models;
pub mod html;
pub mod json_v1;
pub mod junit;
pub mod lint_v1;
pub mod markdown;
mod override_words;
#[cfg(test)]
mod sample;
pub mod sarif;
mod set_changes;
mod sides;
pub mod terminal;
pub mod text;
mod words;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use approval::{ApprovalLine, ApprovalState, ApprovalSummary};
pub use build::{Measured, MeasuredOutput};
pub use override_words::sentences as override_sentences;
pub use set_changes::SetChanges;
pub use sides::Sides;

use super::budget::OverBudget;
use super::diagnostic::Diagnostic;
use super::gate::rerolls::Runs;
use super::gate::verdict::{CaseStatus, ConfirmedBreak, Reason};
use super::gate::{JudgeAgreement, Verdict};
use super::ids::{CommitSha, ModelId, PromptPath};
use super::policy::facts::Blocked;
use super::prompt::Vars;

/// How the evaluation of a change ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The change touches no governed file.
    NothingGoverned,
    /// The run ended; the worst verdict of all prompts.
    Measured(Verdict),
    /// The run ended with this verdict, and people let the change through all the same.
    Waived {
        /// What was measured.
        verdict: Verdict,
        /// Who, for instance `@mara`.
        by: Vec<String>,
        /// The reason they gave, or the rule that was satisfied.
        why: String,
    },
    /// Whatever the evaluation came to, people who may let it pass have said so, with a reason.
    Overridden {
        /// How it ended without that.
        was: Box<Outcome>,
        /// Who, for instance `@lee`.
        by: Vec<String>,
        /// Their reasons: text from outside.
        why: String,
    },
    /// Nothing could be measured: provider, time-out. It is tried again by itself.
    Failed {
        /// What happened, for people.
        message: String,
    },
    /// A fork, or an author without write permission: somebody with it has to release this commit.
    WaitsForRelease {
        /// The commit to release.
        sha: CommitSha,
    },
    /// The run would cost too much, or did.
    OverBudget(Box<OverBudget>),
    /// Files or settings cannot be used as they are; the diagnostics say why.
    BrokenFiles,
    /// A limit of GitHub or of the settings keeps us from seeing all of the change.
    NeedsPerson {
        /// What it is and what to do.
        message: String,
    },
    /// A newer commit took its place.
    Superseded,
    /// The pull request was closed.
    Closed,
}

impl Outcome {
    /// What was measured; not measured if nothing was.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Measured(verdict) | Self::Waived { verdict, .. } => *verdict,
            Self::Overridden { was, .. } => was.verdict(),
            Self::NothingGoverned => Verdict::Pass,
            Self::Failed { .. }
            | Self::WaitsForRelease { .. }
            | Self::OverBudget { .. }
            | Self::BrokenFiles
            | Self::NeedsPerson { .. }
            | Self::Superseded
            | Self::Closed => Verdict::NotMeasured,
        }
    }

    /// How it blocks, where an override may let it pass: it neither waits for a release nor hides what the change is.
    #[must_use]
    pub fn blocked(&self) -> Option<Blocked> {
        match self {
            Self::Measured(Verdict::Regression) => Some(Blocked::Regression),
            Self::Measured(Verdict::NotMeasured) | Self::Failed { .. } => Some(Blocked::NotMeasured),
            Self::Overridden { was, .. } => was.blocked(),
            Self::OverBudget { .. } => Some(Blocked::OverBudget),
            Self::BrokenFiles => Some(Blocked::BrokenFiles),
            Self::Measured(_)
            | Self::NothingGoverned
            | Self::Waived { .. }
            | Self::WaitsForRelease { .. }
            | Self::NeedsPerson { .. }
            | Self::Superseded
            | Self::Closed => None,
        }
    }

    /// The same as it was before people let it pass.
    #[must_use]
    pub fn without_people(self) -> Self {
        match self {
            Self::Waived { verdict, .. } => Self::Measured(verdict),
            Self::Overridden { was, .. } => was.without_people(),
            other => other,
        }
    }
}

/// All there is to say of one change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// The revision before the change; `None` without a base.
    pub base: Option<String>,
    /// The revision after it.
    pub head: String,
    /// The prompts, in path order.
    pub prompts: Vec<PromptReport>,
    /// What is wrong with files.
    pub diagnostics: Vec<Diagnostic>,
    /// Where the approvals stand; `None` outside a pull request.
    pub approval: Option<ApprovalSummary>,
    /// How the golden sets themselves change.
    pub set_changes: SetChanges,
    /// How the settings change, one sentence each.
    #[serde(default)]
    pub settings_changes: Vec<String>,
    /// What became of overrides, one sentence each.
    #[serde(default)]
    pub overriding: Vec<String>,
    /// How all runs of this content came out, where they are counted.
    #[serde(default)]
    pub runs: Option<Runs>,
    /// Whatever else people should know, one sentence each: a cap, drift of a provider, a judge that is not sure.
    pub notes: Vec<String>,
    /// What base and head are: a change, or two rivals.
    #[serde(default)]
    pub sides: Sides,
    /// Whether a recording answered in the models' place: nothing was spent.
    #[serde(default)]
    pub replayed: bool,
    /// How long the run took, in milliseconds, where somebody waited for it.
    #[serde(default)]
    pub took_ms: Option<u64>,
    /// Whether a workflow's step tells it: there nobody reads commands, and nothing is tried again by itself.
    #[serde(default)]
    pub of_step: bool,
    /// How prompts change that nobody ran.
    #[serde(default)]
    pub not_run: Vec<TextChange>,
    /// Whether the settings name people who may override.
    #[serde(default)]
    pub can_override: bool,
}

/// One prompt's own text before and after the change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextChange {
    /// Its file.
    pub path: PromptPath,
    /// The text before; empty for a new prompt.
    pub old: String,
    /// The text after.
    pub new: String,
}

impl Report {
    /// How it blocks, where an override may let it pass. That one more run could not measure does not make what earlier runs of
    /// the same content found another case.
    #[must_use]
    pub fn blocked(&self) -> Option<Blocked> {
        match self.outcome.blocked() {
            Some(Blocked::NotMeasured) if self.runs.is_some_and(Runs::is_regression) => Some(Blocked::Regression),
            blocked => blocked,
        }
    }

    /// A report with this outcome and nothing else to say yet.
    #[must_use]
    pub fn new(outcome: Outcome, base: Option<String>, head: String) -> Self {
        Self {
            outcome,
            base,
            head,
            prompts: Vec::new(),
            diagnostics: Vec::new(),
            approval: None,
            set_changes: SetChanges::default(),
            settings_changes: Vec::new(),
            overriding: Vec::new(),
            runs: None,
            notes: Vec::new(),
            sides: Sides::Change,
            replayed: false,
            took_ms: None,
            of_step: false,
            not_run: Vec::new(),
            can_override: false,
        }
    }

    /// Whether nothing but judges that are too noisy to decide left it undecided: another run would end the same.
    #[must_use]
    pub fn is_too_noisy(&self) -> bool {
        let mut reasons = self.prompts.iter().flat_map(|prompt| &prompt.reasons);
        let is_noise = |reason: &Reason| matches!(reason, Reason::JudgeTooNoisy { .. });
        let is_gap = |reason: &Reason| matches!(reason, Reason::Unmeasured { .. } | Reason::Unconfirmed { .. });
        self.verdict() == Verdict::NotMeasured && reasons.clone().any(is_noise) && !reasons.any(is_gap)
    }

    /// What was measured; not measured if nothing was.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.outcome.verdict()
    }

    /// The prompts, worst verdict first.
    fn worst_first(&self) -> Vec<&PromptReport> {
        let mut prompts: Vec<&PromptReport> = self.prompts.iter().collect();
        prompts.sort_by_key(|prompt| std::cmp::Reverse(prompt.verdict));
        prompts
    }

    fn count(&self, status: CaseStatus) -> usize {
        self.prompts.iter().map(|prompt| prompt.count(status)).sum()
    }

    fn compared(&self) -> usize {
        self.prompts.iter().map(PromptReport::compared).sum()
    }
}

/// One prompt of the change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptReport {
    /// Its file.
    pub path: PromptPath,
    /// What its author calls it.
    pub name: String,
    /// What its author says of it.
    #[serde(default)]
    pub description: Option<String>,
    /// What base and head are; the same for all prompts of a report.
    #[serde(default)]
    pub sides: Sides,
    /// The file its cases are from, where that is known.
    #[serde(default)]
    pub golden_set: Option<PromptPath>,
    /// The model of head.
    pub model: ModelId,
    /// What the gate says.
    pub verdict: Verdict,
    /// Why, blocking reasons first.
    pub reasons: Vec<Reason>,
    /// Mean score of base.
    pub base_score: Option<f64>,
    /// Mean score of head.
    pub head_score: Option<f64>,
    /// Lower end of the one-sided 95 % interval on the difference.
    pub bound: Option<f64>,
    /// p of the suite as a whole.
    pub suite_p: Option<f64>,
    /// How many cases were run again with fresh answers because they seemed to break.
    pub run_again: usize,
    /// Those that did not pass then, with their numbers on both sides.
    pub candidates: Vec<ConfirmedBreak>,
    /// Whether there is a base to compare with.
    pub has_base: bool,
    /// The cases, in file order.
    pub cases: Vec<CaseReport>,
    /// Mean score per named metric: base, head. From the first answer of each case.
    pub metrics: [BTreeMap<String, f64>; 2],
    /// Calls, tokens and money: base, head.
    pub usage: [SideUsage; 2],
    /// How far its judges agreed with themselves on texts that they judged twice.
    #[serde(default)]
    pub agreements: Vec<JudgeAgreement>,
    /// Median cost per call in USD: base, head.
    pub median_cost: Option<(f64, f64)>,
    /// Median latency per call in milliseconds: base, head.
    pub median_latency: Option<(f64, f64)>,
    /// The prompt's own text before and after, where it should be shown.
    pub prompt_text: Option<(String, String)>,
    /// Where the prompt's messages begin and end in its file, for annotations.
    pub prompt_lines: Option<(u32, u32)>,
}

/// Calls, tokens and money of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SideUsage {
    /// Calls that reached a provider.
    pub calls: u64,
    /// Answers that were known already.
    pub cached_calls: u64,
    /// Tokens of questions.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// USD, where the model's price is known.
    pub cost_usd: f64,
}

/// One case and how it came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseReport {
    /// Its id.
    pub id: Arc<str>,
    /// Its inputs.
    pub vars: Arc<Vars>,
    /// The answer that is expected.
    #[serde(default)]
    pub expected: Option<Arc<str>>,
    /// How it came out.
    pub status: CaseStatus,
    /// Whether fresh runs confirmed that it broke.
    pub confirmed: bool,
    /// The answers before the change; `None` when base was not asked.
    pub base: Option<SideReport>,
    /// The answers after it; `None` when head was not asked.
    pub head: Option<SideReport>,
    /// What head's answer failed.
    pub failed_evaluators: Vec<FailedEvaluator>,
    /// What every evaluator said of head's answer.
    #[serde(default)]
    pub evaluators: Vec<EvaluatorReport>,
    /// Its line in the golden set.
    pub line: u32,
}

/// How one side answered one case.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SideReport {
    /// Trials that passed.
    pub passes: u32,
    /// Trials that were measured.
    pub trials: u32,
    /// Mean score of those.
    pub score: Option<f64>,
    /// The first answer.
    pub output: Option<Arc<str>>,
    /// Why there is no answer.
    pub error: Option<String>,
}

/// One check that an answer failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedEvaluator {
    /// What reports call it.
    pub name: Arc<str>,
    /// What it found.
    pub reason: String,
}

/// What one evaluator said of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluatorReport {
    /// What reports call the evaluator.
    pub name: Arc<str>,
    /// In [0, 1].
    pub score: f64,
    /// Whether it passed.
    pub passed: bool,
    /// What it found.
    pub reason: String,
}

impl CaseReport {
    /// Whether head was asked and failed in some trial.
    fn fails(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.passes < head.trials)
    }

    /// Whether head was asked and gave no answer that counts, or the two sides could not be compared.
    fn is_unmeasured(&self) -> bool {
        self.status == CaseStatus::Unmeasured || self.head.as_ref().is_some_and(|head| head.trials == 0)
    }

    /// Why there is no answer.
    fn error(&self) -> Option<&str> {
        [&self.head, &self.base].into_iter().flatten().find_map(|side| side.error.as_deref())
    }
}

impl PromptReport {
    fn count(&self, status: CaseStatus) -> usize {
        self.cases.iter().filter(|case| case.status == status).count()
    }

    /// How many cases were measured on both sides.
    fn compared(&self) -> usize {
        self.count(CaseStatus::Broken) + self.count(CaseStatus::Fixed) + self.count(CaseStatus::Same)
    }

    /// The cases that a reason that blocks names although they may not have broken.
    fn named(&self) -> HashSet<&str> {
        let mut named = HashSet::new();
        for reason in &self.reasons {
            match reason {
                Reason::MustPassFailed { case, .. } => {
                    named.insert(&**case);
                }
                Reason::StrictFailures { cases } => named.extend(cases.iter().map(|case| &**case)),
                _ => {}
            }
        }
        named
    }

    /// The cases a reader has to look at: broken ones, confirmed first, then those a reason names. Without a base, all that fail.
    fn troubled(&self) -> Vec<&CaseReport> {
        let named = self.named();
        let is_troubled = |case: &&CaseReport| {
            case.status == CaseStatus::Broken || named.contains(&*case.id) || (!self.has_base && case.fails())
        };
        let mut cases: Vec<&CaseReport> = self.cases.iter().filter(is_troubled).collect();
        cases.sort_by_key(|case| (!case.confirmed, case.status != CaseStatus::Broken));
        cases
    }

    /// Failures and runs of a must-pass case that blocks.
    fn must_pass_failures(&self, id: &str) -> Option<(u32, u32)> {
        self.reasons.iter().find_map(|reason| match reason {
            Reason::MustPassFailed { case, failures, runs, .. } if &**case == id => Some((*failures, *runs)),
            _ => None,
        })
    }

    /// Whether a must-pass case blocks although base fails it as well.
    fn is_broken_on_base(&self, id: &str) -> bool {
        let is_it = |reason: &Reason| matches!(reason, Reason::MustPassFailed { case, broken_on_base: true, .. } if &**case == id);
        self.reasons.iter().any(is_it)
    }

    fn with_status(&self, status: CaseStatus) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(move |case| case.status == status)
    }

    /// The cases that head gave no answer to that counts, or that could not be compared for want of one.
    fn unmeasured(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(|case| case.is_unmeasured())
    }

    /// The ids of those cases by the reason they give, in order of the first: a provider that is down is said once.
    fn unmeasured_by_error(&self) -> Vec<(&str, Vec<Arc<str>>)> {
        let mut groups: Vec<(&str, Vec<Arc<str>>)> = Vec::new();
        for case in self.unmeasured() {
            let error = case.error().unwrap_or("no answer");
            match groups.iter_mut().find(|(known, _)| *known == error) {
                Some((_, ids)) => ids.push(case.id.clone()),
                None => groups.push((error, vec![case.id.clone()])),
            }
        }
        groups
    }

    fn candidate(&self, id: &str) -> Option<&ConfirmedBreak> {
        self.candidates.iter().find(|candidate| &*candidate.id == id)
    }
}
