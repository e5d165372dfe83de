//! The decision about a measured pull request: by the approvals as they are now, kept and published. Measures nothing.

use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::group;
use super::job::{JobError, PullRef};
use super::pull::{self, Governed, StoredRun, evaluate, governed, run_key, stored_run};
use super::service::Service;
use crate::domain::gate::Verdict;
use crate::domain::policy;
use crate::domain::policy::decision::Decision;
use crate::domain::policy::facts::PullFacts;
use crate::domain::report::{ApprovalState, ApprovalSummary, Outcome, Report};

/// Decides again after a review, a dismissal or an edit; evaluates if that has not happened yet.
///
/// # Errors
/// As [`evaluate`].
pub async fn decide_again(service: &Service, pull: &PullRef, cancel: CancellationToken) -> Result<(), JobError> {
    let Some(governed) = governed(service, pull).await? else { return Ok(()) };
    if !governed.is_touched() {
        return Ok(());
    }
    let mut desk = Desk::open(service, &governed.repository, &governed.snapshot.pull).await?;
    match stored_run(service, pull, &governed).await? {
        // A verdict against an older base says nothing of the settings and golden sets that control now.
        Some(stored) if desk.has_checks() && stored.base_sha == governed.snapshot.base_sha => {
            decide_stored(service, pull, &governed, &mut desk, stored).await
        }
        _ => evaluate(service, pull, false, cancel).await,
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
    let facts = pull::facts(governed, stored.facts.said.clone()).await?;
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
    let decision = decide(governed, &run.facts, &mut run.report);
    tracing::info!(verdict = ?run.report.verdict(), approval = ?decision.state, "decided");
    let body = serde_json::to_string(&run)
        .map_err(|error| JobError::GiveUp { message: format!("the run cannot be kept: {error}") })?;
    let now_ms = service.clock.now_ms();
    service.store.save_run(&run_key(pull, governed), now_ms, &body, now_ms).await?;
    let published = desk.finish(&run.report, new_run).await?;
    if run.report.approval.as_ref().is_some_and(|approval| approval.state != ApprovalState::Satisfied) {
        let base = &governed.snapshot.pull.base_branch;
        group::withdraw(service, &governed.repository, pull.number, base).await?;
    }
    match &run.report.outcome {
        Outcome::Measured(Verdict::NotMeasured) if new_run && published && !run.report.is_too_noisy() => {
            Err(JobError::Retry { message: "too little could be measured".to_owned(), after: None })
        }
        Outcome::Failed { message } if new_run && published => {
            Err(JobError::Retry { message: message.clone(), after: None })
        }
        _ => Ok(()),
    }
}

/// Decides by the policy, and writes approvals and waiver into the report.
pub(super) fn decide(governed: &Governed, facts: &PullFacts, report: &mut Report) -> Decision {
    if let Outcome::Waived { verdict, .. } = report.outcome {
        report.outcome = Outcome::Measured(verdict);
    }
    let verdict = match report.outcome {
        Outcome::Measured(verdict) => Some(verdict),
        Outcome::Failed { .. } => Some(Verdict::NotMeasured),
        _ => None,
    };
    let decision = policy::decide(&governed.control.settings.policy, facts, verdict);
    if let Some(waiver) = &decision.waiver {
        let rules: Vec<String> = waiver.rules.iter().map(|rule| format!("“{rule}”")).collect();
        report.outcome = Outcome::Waived {
            verdict: waiver.verdict,
            by: waiver.by.iter().map(|login| format!("@{login}")).collect(),
            why: format!("rule {}", rules.join(", ")),
        };
    }
    report.approval = Some(ApprovalSummary::of(&decision));
    decision
}
