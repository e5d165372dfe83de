//! What concerns many pull requests becomes a job for each: changed people, moved branches, repeated checks. Decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::control;
use super::job::{Job, JobError, PullRef, Reason};
use super::service::Service;
use super::watch::{self, pull_ref};
use super::wide::Wide;
use crate::domain::ids::{BranchName, CommitSha, Digest, RepoId};
use crate::store::{NewJob, Watched, WatchedPull};

/// Earlier tips of a base branch that are compared with its new one; pull requests that knew others are looked at.
const MAX_TIPS: usize = 8;

/// Queues a job for each pull request that something concerns.
///
/// # Errors
/// When GitHub or the store fails.
pub async fn spread(service: &Service, wide: &Wide, delivery: Option<&str>) -> Result<(), JobError> {
    let jobs = match wide {
        Wide::Account { owner, installation } => {
            decide_all(service, &Watched::Account(owner.clone(), *installation), false).await?
        }
        Wide::Settings { owner, installation } => {
            decide_all(service, &Watched::Account(owner.clone(), *installation), true).await?
        }
        Wide::Collaborators { repo_id } => decide_all(service, &Watched::Repository(*repo_id), false).await?,
        Wide::Base { repo_id, branch } => base_moved(service, *repo_id, branch).await?,
        Wide::Head { .. } => run_again(service, wide).await?,
    };
    let queued = service.store.enqueue_jobs(&jobs, delivery, service.clock.now_ms()).await?;
    tracing::info!(concerned = jobs.len(), queued, "spread");
    Ok(())
}

/// The job that decides again, as it is queued.
pub(super) fn decide_again(pull: &WatchedPull) -> NewJob {
    Job::DecideApproval { pull: pull_ref(pull) }.to_new(false)
}

/// Where `silent` is set, also those that nothing has governed so far.
async fn decide_all(service: &Service, which: &Watched, silent: bool) -> Result<Vec<NewJob>, JobError> {
    let pulls = service.store.watched_pulls(which).await?;
    Ok(pulls.iter().filter(|pull| silent || !pull.silent).map(decide_again).collect())
}

/// Looks again at those whose control has changed with the branch, or that may change something else by where they left it.
async fn base_moved(service: &Service, repo_id: RepoId, branch: &BranchName) -> Result<Vec<NewJob>, JobError> {
    let mut pulls = service.store.watched_pulls(&Watched::Base(repo_id, branch.clone())).await?;
    let Some(first) = pulls.first() else { return Ok(Vec::new()) };
    let repository = service.github.repository(first.installation, first.repo.clone(), repo_id);
    let Some(tip) = repository.tip(branch).await? else { return Ok(Vec::new()) };
    pulls.retain(|pull| pull.base_sha != tip);
    let Some(first) = pulls.first() else { return Ok(Vec::new()) };
    let snapshot = repository.unchanged(first.number, &tip).await?;
    let control = watch::control_digest(
        &snapshot.base_tree,
        &control::control(&repository, &snapshot, Some(service.memory())).await?,
    );
    let mut by_tip: BTreeMap<CommitSha, Vec<WatchedPull>> = BTreeMap::new();
    for pull in pulls {
        by_tip.entry(pull.base_sha.clone()).or_default().push(pull);
    }
    let (mut jobs, mut untouched) = (Vec::new(), Vec::new());
    for (place, (before, pulls)) in by_tip.into_iter().enumerate() {
        let came = if place < MAX_TIPS { repository.commits_between(&before, &tip).await? } else { None };
        for pull in pulls {
            if is_concerned(&pull, control, came.as_deref()) {
                jobs.push(decide_again(&pull));
            } else {
                untouched.push(pull);
            }
        }
    }
    service.store.base_moved(&untouched, &tip).await?;
    Ok(jobs)
}

/// Whether a moved base may mean something else for a pull request. A commit that base and the pull request now share moves
/// the point they are compared from, and with it what the pull request changes.
fn is_concerned(pull: &WatchedPull, control: Option<Digest>, came: Option<&[CommitSha]>) -> bool {
    let Some(came) = came.filter(|_| control.is_some() && pull.control == control) else { return true };
    pull.commits.is_empty() || pull.commits.iter().any(|commit| came.contains(commit))
}

/// Runs our checks again for all pull requests with a head, those of forks included.
async fn run_again(service: &Service, wide: &Wide) -> Result<Vec<NewJob>, JobError> {
    let Wide::Head { repo, repo_id, installation, sha, pulls } = wide else { return Ok(Vec::new()) };
    let known = service.store.watched_pulls(&Watched::Head(*repo_id, sha.clone())).await?;
    let numbers: BTreeSet<_> = known.iter().map(|pull| pull.number).chain(pulls.iter().copied()).collect();
    let job = |number| {
        let (repo, repo_id, installation) = (repo.clone(), *repo_id, *installation);
        let pull = PullRef { repo, repo_id, installation, number, delivery: None };
        Job::EvaluatePull { pull, reason: Reason::Requested, force: true }.to_new(true)
    };
    Ok(numbers.into_iter().map(job).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{InstallationId, PullNumber, RepoName};

    fn sha(digit: char) -> CommitSha {
        CommitSha::parse(&digit.to_string().repeat(40)).unwrap()
    }

    #[test]
    fn a_moved_base_concerns_whom_it_controls_otherwise_or_shares_commits_with() {
        let digest = |text: &str| Some(Digest::of_parts([text.as_bytes()]));
        let pull = WatchedPull {
            repo_id: RepoId(1),
            number: PullNumber(1),
            repo: RepoName::parse("acme/prompts").unwrap(),
            installation: InstallationId(1),
            head_sha: sha('b'),
            base_branch: BranchName::parse("main").unwrap(),
            base_sha: sha('0'),
            control: digest("strict"),
            commits: vec![sha('a'), sha('b')],
            silent: false,
        };
        let check = |pull: &WatchedPull, control, came: Option<&[CommitSha]>, expected| {
            assert_eq!(is_concerned(pull, control, came), expected, "{control:?} {came:?}");
        };
        check(&pull, digest("strict"), Some(&[sha('c')]), false);
        check(&pull, digest("stricter"), Some(&[sha('c')]), true);
        check(&pull, None, Some(&[sha('c')]), true);
        check(&pull, digest("strict"), None, true);
        check(&pull, digest("strict"), Some(&[sha('c'), sha('a')]), true);
        let unknown = WatchedPull { commits: vec![], ..pull.clone() };
        check(&unknown, digest("strict"), Some(&[sha('c')]), true);
        let unknown = WatchedPull { control: None, ..pull };
        check(&unknown, None, Some(&[sha('c')]), true);
    }
}
