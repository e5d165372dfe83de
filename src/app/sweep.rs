//! Looks for what never arrived: deliveries that failed, pull requests without our checks. Decides nothing itself.

use std::collections::{BTreeSet, HashSet};

use super::desk::is_unsettled;
use super::job::{Job, JobError, PullRef, Reason};
use super::service::Service;
use super::shared::Holder;
use super::spread::decide_again;
use super::watch::pull_ref;
use super::wide::Wide;
use crate::domain::ids::{BranchName, InstallationId, RepoId};
use crate::github::check::CheckRun;
use crate::github::{ListedPull, ListedRepository, LoggedDelivery};
use crate::store::{Mark, NewJob, Watched, WatchedPull};

/// Pages of the log that are read at once: ten thousand deliveries.
const MAX_PAGES: usize = 100;
/// Deliveries that are asked for again at once; the next sweep goes on.
const MAX_REDELIVERIES: usize = 200;
/// Repositories of an installation that are looked at in one sweep; the next one goes on.
const MAX_REPOSITORIES: usize = 300;
/// Pull requests of an installation that are decided again in one sweep, those first that waited longest: a change of people
/// whose event never came is noticed.
const MAX_DECIDED: usize = 20;

/// Looks for what never arrived, and queues what follows.
///
/// # Errors
/// When the app's own log or its installations cannot be read, or the store fails. One installation's trouble is not another's.
pub async fn sweep(service: &Service) -> Result<(), JobError> {
    let redelivered = redeliver(service).await;
    let round = service.store.mark(Mark::SweepRound).await?;
    for installation in service.github.installations().await? {
        let survey = Survey { service, installation };
        if let Err(error) = survey.run(usize::try_from(round).unwrap_or_default()).await {
            tracing::warn!(%installation, %error, "an installation could not be looked at");
        }
    }
    service.store.set_mark(Mark::SweepRound, round.wrapping_add(1)).await?;
    redelivered
}

/// Asks GitHub for the deliveries that are not in our store. The page on which the last sweep stopped is read again: an
/// attempt is logged when it ends, so an earlier one may have come in late.
async fn redeliver(service: &Service) -> Result<(), JobError> {
    let dealt_with = u64::try_from(service.store.mark(Mark::SweepDelivery).await?).unwrap_or_default();
    let mut logged = Vec::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let page = service.github.deliveries(cursor.as_deref()).await?;
        let is_known = page.deliveries.iter().any(|delivery| delivery.id <= dealt_with);
        logged.extend(page.deliveries);
        cursor = page.next.filter(|_| !is_known);
        if cursor.is_none() {
            break;
        }
    }
    logged.sort_by_key(|delivery: &LoggedDelivery| delivery.id);
    let missing = missing(service, &logged).await?;
    let mut asked = HashSet::new();
    let mut newest = dealt_with;
    for delivery in &logged {
        if missing.contains(&delivery.guid) && !asked.contains(&delivery.guid) {
            if asked.len() == MAX_REDELIVERIES {
                break;
            }
            asked.insert(delivery.guid.clone());
            service.github.redeliver(delivery.id).await.or_else(|error| match error.is_temporary() {
                true => Err(JobError::from(error)),
                // Too old, or gone: nothing brings it back.
                false => {
                    tracing::warn!(guid = delivery.guid, %error, "a delivery cannot be had again");
                    Ok(())
                }
            })?;
        }
        newest = newest.max(delivery.id);
    }
    if !asked.is_empty() {
        tracing::info!(asked = asked.len(), "deliveries that never arrived were asked for again");
    }
    Ok(service.store.set_mark(Mark::SweepDelivery, i64::try_from(newest).unwrap_or(i64::MAX)).await?)
}

/// Those of the log that never arrived here. A ping is not stored, and what we refused twice is none of ours.
async fn missing(service: &Service, logged: &[LoggedDelivery]) -> Result<HashSet<String>, JobError> {
    let refused: HashSet<&str> = logged
        .iter()
        .filter(|delivery| delivery.redelivery && delivery.was_refused())
        .map(|delivery| delivery.guid.as_str())
        .collect();
    let wanted: BTreeSet<&str> = logged
        .iter()
        .filter(|delivery| delivery.event != "ping" && !refused.contains(delivery.guid.as_str()))
        .map(|delivery| delivery.guid.as_str())
        .collect();
    let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
    let mut missing = HashSet::new();
    for some in wanted.chunks(100) {
        missing.extend(service.store.missing_deliveries(some).await?);
    }
    Ok(missing)
}

/// A look at one installation.
struct Survey<'a> {
    service: &'a Service,
    installation: InstallationId,
}

impl Survey<'_> {
    /// Looks at so many repositories, at others in the next round where they are more.
    async fn run(&self, round: usize) -> Result<(), JobError> {
        let mut repositories = self.service.github.repositories(self.installation).await?;
        let known = self.service.store.watched_pulls(&Watched::Installation(self.installation)).await?;
        let seen: HashSet<RepoId> = repositories.iter().map(|repository| repository.id).collect();
        for pull in known.iter().filter(|pull| !seen.contains(&pull.repo_id)) {
            // What the app does not see any more is not looked after.
            self.service.store.unwatch_pull(pull.repo_id, pull.number).await?;
        }
        let with_pulls: HashSet<RepoId> = known.iter().map(|pull| pull.repo_id).collect();
        repositories.retain(|repository| repository.is_busy || with_pulls.contains(&repository.id));
        repositories.sort_by_key(|repository| repository.id);
        let begin = round.wrapping_mul(MAX_REPOSITORIES).checked_rem(repositories.len()).unwrap_or_default();
        let (later, first) = repositories.split_at(begin);
        for repository in first.iter().chain(later).take(MAX_REPOSITORIES) {
            match self.look_at(repository).await {
                Err(error @ JobError::GiveUp { .. }) => {
                    tracing::warn!(repo = %repository.name, %error, "a repository could not be looked at");
                }
                other => other?,
            }
        }
        let stalest = known.iter().filter(|pull| !pull.silent && seen.contains(&pull.repo_id)).take(MAX_DECIDED);
        self.queue(&stalest.map(decide_again).collect::<Vec<_>>()).await
    }

    async fn queue(&self, jobs: &[NewJob]) -> Result<(), JobError> {
        self.service.store.enqueue_jobs(jobs, None, self.service.clock.now_ms()).await?;
        Ok(())
    }

    /// Queues what is missing in one repository: new heads, missing checks, closed pull requests, moved bases.
    async fn look_at(&self, repository: &ListedRepository) -> Result<(), JobError> {
        let github = &self.service.github;
        let listed =
            if repository.is_busy { github.open_pulls(self.installation, &repository.name).await? } else { Vec::new() };
        let known = self.service.store.watched_pulls(&Watched::Repository(repository.id)).await?;
        let mut jobs = Vec::new();
        for pull in &listed {
            let row = known.iter().find(|row| row.number == pull.number);
            if !self.is_looked_after(repository.id, pull, row).await? {
                let pull = PullRef {
                    repo: repository.name.clone(),
                    repo_id: repository.id,
                    installation: Some(self.installation),
                    number: pull.number,
                    delivery: None,
                };
                jobs.push(Job::EvaluatePull { pull, reason: Reason::Swept, force: false }.to_new(false));
            }
        }
        let is_open = |row: &&WatchedPull| listed.iter().any(|pull| pull.number == row.number);
        for row in known.iter().filter(|row| !is_open(row)) {
            let job = Job::ClosePull { pull: pull_ref(row), head_sha: row.head_sha.clone() };
            jobs.push(job.to_new(false));
        }
        let open: Vec<&WatchedPull> = known.iter().filter(is_open).collect();
        let branches: BTreeSet<&BranchName> = open.iter().map(|row| &row.base_branch).collect();
        for branch in branches {
            let tip = github.surveyed_tip(self.installation, &repository.name, branch).await?;
            let moved = open.iter().any(|row| row.base_branch == *branch && tip.as_ref() != Some(&row.base_sha));
            if tip.is_some() && moved {
                let wide = Wide::Base { repo_id: repository.id, branch: branch.clone() };
                jobs.push(Job::Spread { wide }.to_new(false));
            }
        }
        self.queue(&jobs).await
    }

    /// Whether this head of a pull request was seen for this base and has both checks, or shall have none.
    async fn is_looked_after(
        &self,
        repo: RepoId,
        pull: &ListedPull,
        row: Option<&WatchedPull>,
    ) -> Result<bool, JobError> {
        let seen = row.filter(|row| row.head_sha == pull.head_sha && row.base_branch == pull.base_branch);
        let Some(seen) = seen else { return Ok(false) };
        if seen.silent {
            return Ok(true);
        }
        let own = self.service.store.results_of(repo, &Holder::Pull(pull.number).to_string()).await?;
        let check = |name: &str| own.iter().find(|own| own.sha == pull.head_sha && own.name == name);
        let evaluation = check(&CheckRun::evaluation_name(&pull.base_branch));
        let approval = check(&CheckRun::approval_name(&pull.base_branch));
        // One that is evaluated just now is looked at once more when it is done, which costs no model.
        Ok(approval.is_some() && evaluation.is_some_and(|evaluation| !is_unsettled(evaluation)))
    }
}
