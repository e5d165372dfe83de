//! Ends that are no verdict: a closed pull request, broken settings, a job that gave up. Decides nothing.

use super::audit;
use super::desk::Desk;
use super::group;
use super::job::{JobError, PullRef};
use super::pull::has_settings;
use super::service::Service;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::report::{ApprovalState, ApprovalSummary, Outcome, Report};
use crate::domain::settings::SETTINGS_PATH;
use crate::github::{Repository, Snapshot};

/// Ends what is open on a pull request that was closed.
///
/// # Errors
/// When GitHub or the store fails.
pub async fn close(service: &Service, pull: &PullRef) -> Result<(), JobError> {
    let repository = service.repository(pull).await?;
    let view = repository.pull(pull.number).await?;
    if view.is_open {
        return Ok(());
    }
    // Watched until all is taken back: if that fails for good, the sweep closes it again.
    Desk::open(service, &repository, &view).await?.cancel(&Outcome::Closed).await?;
    Ok(service.store.unwatch_pull(pull.repo_id, pull.number).await?)
}

/// What was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// An evaluation.
    Evaluation,
    /// A look at the approvals.
    Approval,
    /// Anything else.
    Other,
}

/// Says on the pull request that a job has given up. A result that stands there stays; only what approvals came to is taken
/// back where they could not be looked up, since they may have been withdrawn. A required check that never began must not
/// be missing for ever: it is posted as failed, unless it is known that nothing is governed here.
///
/// # Errors
/// When GitHub or the store fails.
pub async fn give_up(service: &Service, pull: &PullRef, message: &str, what: GivenUp) -> Result<(), JobError> {
    let repository = service.repository(pull).await?;
    let view = repository.pull(pull.number).await?;
    let mut desk = Desk::open(service, &repository, &view).await?;
    let never_begun = what == GivenUp::Evaluation
        && !desk.has_checks()
        && has_settings(service, &repository, pull).await.unwrap_or(true);
    let unevaluated = desk.is_evaluating() || never_begun;
    // An evaluation decides about approvals, too, and may have taken the place of a look at them.
    let unapproved = what != GivenUp::Other && desk.has_checks();
    if !view.is_open || !(unevaluated || unapproved) {
        return Ok(());
    }
    let line = format!("{message}; comment `/promptops eval` to run it again");
    let mut report = Report::new(Outcome::Failed { message: line.clone() }, None, view.head_sha.to_string());
    report.approval = Some(ApprovalSummary { state: ApprovalState::Undecidable, line, rules: Vec::new() });
    service.store.note_audit(&[audit::unmeasured(service, pull, &view.head_sha, None, &report)]).await?;
    desk.give_up(&report, unevaluated).await?;
    group::withdraw(service, &repository, &view).await
}

/// Says that the settings cannot be used, and where to mend them.
pub(super) async fn broken_settings(
    service: &Service,
    pull: &PullRef,
    repository: &Repository,
    snapshot: &Snapshot,
    findings: Vec<Diagnostic>,
    where_to: &str,
) -> Result<(), JobError> {
    let report = broken(snapshot, findings, where_to);
    service.store.note_audit(&audit::broken_settings(service, pull, snapshot, &report)).await?;
    Desk::open(service, repository, &snapshot.pull).await?.finish(&report, true).await?;
    group::withdraw(service, repository, &snapshot.pull).await
}

/// What is said where the settings cannot be used.
pub(super) fn broken(snapshot: &Snapshot, findings: Vec<Diagnostic>, where_to: &str) -> Report {
    let places: Vec<String> = findings.iter().map(place).collect();
    let first = places.first().map_or(SETTINGS_PATH, String::as_str);
    let line = format!("{first}: mend it {where_to}; until then nobody's approval can be counted");
    let mut report =
        Report::new(Outcome::BrokenFiles, Some(snapshot.base_sha.to_string()), snapshot.pull.head_sha.to_string());
    report.diagnostics = findings;
    let rules = places.into_iter().map(Into::into).collect();
    report.approval = Some(ApprovalSummary { state: ApprovalState::Undecidable, line, rules });
    report
}

/// Says that settings which were there cannot be seen any more: that is not "no settings", so nothing may pass.
pub(super) async fn lost_settings(
    service: &Service,
    pull: &PullRef,
    repository: &Repository,
    snapshot: &Snapshot,
    message: String,
) -> Result<(), JobError> {
    let report = lost(snapshot, message);
    let note = audit::unmeasured(service, pull, &snapshot.pull.head_sha, Some(&snapshot.base_sha), &report);
    service.store.note_audit(&[note]).await?;
    Desk::open(service, repository, &snapshot.pull).await?.finish(&report, true).await?;
    group::withdraw(service, repository, &snapshot.pull).await
}

/// What is said where settings that were there cannot be seen any more.
pub(super) fn lost(snapshot: &Snapshot, message: String) -> Report {
    let outcome = Outcome::NeedsPerson { message: message.clone() };
    let mut report = Report::new(outcome, Some(snapshot.base_sha.to_string()), snapshot.pull.head_sha.to_string());
    report.approval = Some(ApprovalSummary { state: ApprovalState::Undecidable, line: message, rules: Vec::new() });
    report
}

fn place(finding: &Diagnostic) -> String {
    let line = finding.location.map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
    format!("{}{line}: {}", finding.path, finding.message)
}
