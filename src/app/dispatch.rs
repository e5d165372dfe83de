//! A claimed job becomes a use case: the one place that knows which.

use tokio_util::sync::CancellationToken;

use super::approval;
use super::buttons;
use super::commands;
use super::ending::{self, GivenUp};
use super::group;
use super::job::{Job, JobError, Reason};
use super::pull;
use super::service::Service;
use super::{spread, sweep};
use crate::store::ClaimedJob;

/// Does a job.
///
/// # Errors
/// When it has to be tried again, or given up.
pub async fn dispatch(service: &Service, claimed: &ClaimedJob, cancel: CancellationToken) -> Result<(), JobError> {
    let job = Job::from_claimed(claimed)?;
    tracing::info!(job = job.name(), lane = job.lane(), "job begins");
    match &job {
        Job::EvaluatePull { pull, force, reason } => {
            if let Reason::Pushed { at_s } | Reason::BaseChanged { at_s } = reason {
                let moved_s = at_s.unwrap_or_else(|| service.clock.now_ms().div_euclid(1_000));
                service.store.head_moved(pull.repo_id, pull.number, moved_s).await?;
            }
            Box::pin(pull::evaluate(service, pull, *force, cancel)).await
        }
        Job::DecideApproval { pull } => Box::pin(approval::decide_again(service, pull, cancel)).await,
        Job::Command { pull, comment } => commands::obey(service, pull, comment).await,
        Job::Button { pull, press } => buttons::press(service, pull, press).await,
        Job::ClosePull { pull, .. } => ending::close(service, pull).await,
        Job::Spread { wide } => spread::spread(service, wide, claimed.delivery.as_deref()).await,
        Job::Sweep => sweep::sweep(service).await,
        Job::EvaluateGroup { group } => Box::pin(group::evaluate(service, group, cancel)).await,
        Job::EndGroup { group } => group::end(service, group).await,
    }
}

/// Says on the pull request that a job has given up.
pub async fn give_up(service: &Service, claimed: &ClaimedJob, message: &str) {
    let said = match Job::from_claimed(claimed) {
        Ok(Job::EvaluateGroup { group }) => group::give_up(service, &group, message).await,
        Ok(job) => {
            let what = match job {
                Job::EvaluatePull { .. } => GivenUp::Evaluation,
                Job::DecideApproval { .. } => GivenUp::Approval,
                Job::Command { .. }
                | Job::Button { .. }
                | Job::ClosePull { .. }
                | Job::Spread { .. }
                | Job::Sweep
                | Job::EvaluateGroup { .. }
                | Job::EndGroup { .. } => GivenUp::Other,
            };
            match job.pull() {
                Some(pull) => ending::give_up(service, pull, message, what).await,
                None => Ok(()),
            }
        }
        Err(error) => Err(error),
    };
    if let Err(error) = said {
        tracing::error!(%error, "the pull request was not told that a job gave up");
    }
}
