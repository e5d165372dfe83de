//! Weighs a run with the earlier runs of the same content, so that running again until chance helps does not help. The sums are
//! the domain's.

use super::job::JobError;
use super::pull::Governed;
use super::service::Service;
use crate::domain::gate::Verdict;
use crate::domain::ids::{Digest, PromptPath};
use crate::domain::policy::facts::PullFacts;
use crate::domain::report::{Outcome, Report};

/// Counts a run that measured enough, and lets all runs together decide. A run that is not `fresh` may have used the answers of
/// an earlier one: it counts only if it is the first.
///
/// # Errors
/// When the store fails.
pub(super) async fn weigh(
    service: &Service,
    governed: &Governed,
    facts: &PullFacts,
    report: &mut Report,
    fresh: bool,
) -> Result<(), JobError> {
    let (store, content) = (&service.store, content(governed, facts));
    let before = store.counted_runs(facts.repo_id, &content).await?;
    let found = match report.outcome {
        Outcome::Measured(Verdict::Regression) => Some(true),
        Outcome::Measured(Verdict::Pass | Verdict::NoRegressionFound) if !report.prompts.is_empty() => Some(false),
        _ => None,
    };
    let runs = match found {
        Some(found) if fresh || before.counted() == 0 => {
            store.count_run(facts.repo_id, &content, found, service.clock.now_ms()).await?
        }
        _ => before,
    };
    if runs.counted() == 0 {
        return Ok(());
    }
    report.runs = Some(runs);
    match (found, runs.is_regression()) {
        (Some(false), true) => report.outcome = Outcome::Measured(Verdict::Regression),
        (Some(true), false) => report.outcome = Outcome::Measured(Verdict::NoRegressionFound),
        _ => {}
    }
    Ok(())
}

/// What was measured and what controlled it: the governed content that head brings, the settings, and all governed files of
/// base.
fn content(governed: &Governed, facts: &PullFacts) -> Digest {
    let is_governed = |path: &PromptPath| governed.kind(path).is_some();
    // The debug form shows every field, those that the organisation enforces included.
    let settings = format!("{:?}", governed.control.settings);
    let mut parts =
        vec![facts.content.0.to_vec(), facts.base_branch.as_str().as_bytes().to_vec(), settings.into_bytes()];
    for (path, entry) in governed.snapshot.base_tree.entries.iter().filter(|(path, _)| is_governed(path)) {
        parts.push(path.as_str().as_bytes().to_vec());
        parts.push(entry.sha.to_string().into_bytes());
    }
    Digest::of_parts(parts.iter().map(Vec::as_slice))
}
