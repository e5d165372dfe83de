//! The decision about a measured pull request: by the approvals as they are now, kept and published. Measures nothing.

use tokio_util::sync::CancellationToken;

use super::audit;
use super::desk::Desk;
use super::group;
use super::job::{JobError, PullRef};
use super::pins;
use super::pull::{self, Governed, StoredRun, evaluate, governed, run_key, stored_run};
use super::service::Service;
use crate::domain::diagnostic::Severity;
use crate::domain::gate::Verdict;
use crate::domain::gate::rerolls::Runs;
use crate::domain::ids::Digest;
use crate::domain::policy;
use crate::domain::policy::decision::{Decision, State};
use crate::domain::policy::facts::{BlockedResult, PullFacts};
use crate::domain::report::{ApprovalSummary, Outcome, Report, override_sentences};

/// Decides again after a review, a dismissal or an edit; evaluates if that has not happened yet.
///
/// # Errors
/// As [`evaluate`].
pub async fn decide_again(service: &Service, pull: &PullRef, cancel: CancellationToken) -> Result<(), JobError> {
    let Some(governed) = governed(service, pull).await? else { return Ok(()) };
    let mut desk = Desk::open(service, &governed.repository, &governed.snapshot.pull).await?;
    if !governed.is_touched() {
        // It may have been touched before base moved.
        return pull::nothing_governed(service, pull, &governed, &mut desk).await;
    }
    match stored_run(service, pull, &governed).await? {
        // A verdict on another question says nothing of the settings and golden sets that control now.
        Some(stored) if desk.has_checks() && stored.question == governed.question => {
            decide_stored(service, pull, &governed, &mut desk, stored).await
        }
        _ => Box::pin(evaluate(service, pull, false, cancel)).await,
    }
}

/// Decides about what was measured before, by the approvals as they are now.
pub(super) async fn decide_stored(
    service: &Service,
    pull: &PullRef,
    governed: &Governed,
    desk: &mut Desk<'_>,
    stored: StoredRun,
) -> Result<(), JobError> {
    let facts = pull::facts(service, governed, stored.facts.said.clone()).await?;
    conclude(service, pull, governed, desk, StoredRun { facts, ..stored }, false).await
}

/// Decides, keeps and publishes. Nothing is awaited between the decision and what is said of it.
pub(super) async fn conclude(
    service: &Service,
    pull: &PullRef,
    governed: &Governed,
    desk: &mut Desk<'_>,
    mut run: StoredRun,
    new_run: bool,
) -> Result<(), JobError> {
    let decision = decide(governed, run.question, &mut run.facts, &mut run.report);
    tracing::info!(verdict = ?run.report.verdict(), approval = ?decision.state, "decided");
    pins::keep(service, governed, &run.facts, &decision).await?;
    let body = serde_json::to_string(&run)
        .map_err(|error| JobError::GiveUp { message: format!("the run cannot be kept: {error}") })?;
    let now_ms = service.clock.now_ms();
    let key = run_key(&pull.lane(), governed);
    let notes = audit::decided(service, pull, governed, &run, &decision, &key);
    service.store.save_run_noting(&key, now_ms, &body, now_ms, &notes).await?;
    let published = desk.finish(&run.report, new_run).await?;
    group::withdraw(service, &governed.repository, &governed.snapshot.pull).await?;
    match &run.report.outcome {
        Outcome::Measured(Verdict::NotMeasured) if new_run && published && !run.report.is_too_noisy() => {
            Err(JobError::Unmeasured { message: "too little could be measured".to_owned() })
        }
        Outcome::Failed { message } if new_run && published => Err(JobError::Unmeasured { message: message.clone() }),
        _ => Ok(()),
    }
}

/// Decides by the policy, and writes approvals, waiver and override into the report. `question` is what the run answers.
pub(super) fn decide(governed: &Governed, question: Digest, facts: &mut PullFacts, report: &mut Report) -> Decision {
    report.outcome = std::mem::replace(&mut report.outcome, Outcome::BrokenFiles).without_people();
    // What lint finds after a run comes too late to keep the prompt from the models; an error blocks all the same.
    let is_broken = report.diagnostics.iter().any(|finding| finding.severity == Severity::Error);
    if is_broken && matches!(report.outcome, Outcome::Measured(Verdict::Pass | Verdict::NoRegressionFound)) {
        report.outcome = Outcome::BrokenFiles;
    }
    facts.blocked = report.blocked().map(|how| BlockedResult { question, how });
    let is_regression = report.runs.is_some_and(Runs::is_regression);
    let verdict = match report.outcome {
        // Earlier runs of the same content found a regression: that one more could not measure does not make it another case.
        Outcome::Measured(Verdict::NotMeasured) | Outcome::Failed { .. } if is_regression => Some(Verdict::Regression),
        Outcome::Measured(verdict) => Some(verdict),
        Outcome::Failed { .. } => Some(Verdict::NotMeasured),
        _ => None,
    };
    let decision = policy::decide(&governed.control.settings.policy, facts, verdict);
    if let Some(waiver) = decision.waiver.as_ref().filter(|_| !is_broken) {
        let rules: Vec<String> = waiver.rules.iter().map(|rule| format!("“{rule}”")).collect();
        report.outcome = Outcome::Waived {
            verdict: waiver.verdict,
            by: waiver.by.iter().map(|login| format!("@{login}")).collect(),
            why: format!("rule {}", rules.join(", ")),
        };
    }
    override_blocked(&decision, report);
    report.approval = Some(ApprovalSummary::of(&decision));
    report.can_override = governed.control.settings.policy.overriders.is_some();
    decision
}

/// Lets a blocked evaluation pass where enough people who may have said so. Approvals are needed as before.
fn override_blocked(decision: &Decision, report: &mut Report) {
    report.overriding = decision.overriding.as_ref().map(override_sentences).unwrap_or_default();
    let satisfied = decision.overriding.as_ref().filter(|overriding| overriding.state == State::Satisfied);
    let Some(overriding) = satisfied.filter(|_| report.outcome.blocked().is_some()) else { return };
    let reasons: Vec<&str> = overriding.counted.iter().map(|one| one.reason.as_str()).collect();
    report.outcome = Outcome::Overridden {
        by: overriding.counted.iter().map(|one| format!("@{}", one.login)).collect(),
        why: reasons.join("; "),
        was: Box::new(std::mem::replace(&mut report.outcome, Outcome::BrokenFiles)),
    };
}
