//! A merge queue's group, end to end: what it brings is measured on its own head, and decided by the approvals of the pull
//! request it was made for. A group that brings anything else is refused.

use tokio_util::sync::CancellationToken;

use super::approval;
use super::audit;
use super::board::{Board, Post};
use super::control::{self, Controlled};
use super::desk::said;
use super::ending;
use super::group_ref::GroupRef;
use super::job::{JobError, PullRef};
use super::measure::{self, Measuring};
use super::pull::{self, Governed, StoredRun};
use super::service::Service;
use super::shared::{Holder, Said};
use super::sides::{self, Sides};
use super::watch;
use crate::domain::gate::Verdict;
use crate::domain::ids::{Digest, PromptPath, PullNumber};
use crate::domain::policy::facts::{FileFacts, PullFacts};
use crate::domain::report::{ApprovalState, ApprovalSummary, Outcome, Report, check};
use crate::github::check::{CheckRun, CheckState, Conclusion};
use crate::github::{GithubError, PullView, Repository, Snapshot};
use crate::store::OwnResult;

/// Why a group of this kind is refused, and what to do.
const QUEUE_AGAIN: &str = "take the pull request out of the queue, update its branch and queue it again";

/// One group's two checks.
struct Place<'a> {
    service: &'a Service,
    repository: Repository,
    group: &'a GroupRef,
}

impl<'a> Place<'a> {
    async fn open(service: &'a Service, group: &'a GroupRef) -> Result<Self, JobError> {
        let repository = service.repository_of(&group.repo, group.repo_id, group.installation).await?;
        Ok(Self { service, repository, group })
    }

    fn holder(&self) -> Holder {
        Holder::Group(self.group.number())
    }

    fn names(&self) -> [String; 2] {
        [CheckRun::evaluation_name(&self.group.base_branch), CheckRun::approval_name(&self.group.base_branch)]
    }

    async fn post(&self, saids: [Said; 2]) -> Result<(), JobError> {
        let posts = self.names().into_iter().zip(saids).map(|(name, said)| Post::new(name, said)).collect();
        let board = Board::new(self.service, &self.repository);
        board.post(&self.group.head_sha, self.holder(), posts, (None, None)).await.map(|_| ())
    }

    /// Posts a report. Nobody waits on a group: what is not approved when it is built has to be queued again.
    async fn finish(&self, report: &Report) -> Result<(), JobError> {
        self.post(self.saids(report)).await
    }

    /// Posts a report of what a pull request brings; nothing passes that the pull request does not pass by itself.
    async fn finish_for(&self, report: &Report, pull: &PullView) -> Result<(), JobError> {
        let fallen = fallen(self.service, &self.repository, pull).await?;
        let mut saids = self.saids(report);
        for (name, said) in self.names().iter().zip(&mut saids) {
            if said.is_success() && fallen.contains(name) {
                *said = fallen_with(pull.number);
            }
        }
        self.post(saids).await?;
        // It may have ceased to pass just now, when this was not there to be withdrawn.
        withdraw(self.service, &self.repository, pull).await
    }

    fn saids(&self, report: &Report) -> [Said; 2] {
        let secrets = &self.service.secrets;
        let undecided = || ApprovalSummary {
            state: ApprovalState::Undecidable,
            line: format!("Nothing is known of approvals: {QUEUE_AGAIN}"),
            rules: Vec::new(),
        };
        let approval = report.approval.clone().unwrap_or_else(undecided);
        let mut approval = said(check::approval(&approval, secrets));
        if approval.is_open() {
            approval.state = CheckState::Completed(Conclusion::Failure);
        }
        [said(check::evaluation(report, secrets)), approval]
    }

    /// What this group has on its head.
    async fn own(&self) -> Result<Vec<OwnResult>, JobError> {
        let own = self.service.store.results_of(self.repository.id(), &self.holder().to_string()).await?;
        Ok(own.into_iter().filter(|own| own.sha == self.group.head_sha).collect())
    }

    /// Ends what is open, since the group is gone. What has ended stays: it let the group through, or did not.
    async fn end(&self) -> Result<(), JobError> {
        let report = Report::new(Outcome::Superseded, None, self.group.head_sha.to_string());
        let shown = said(check::evaluation(&report, &self.service.secrets));
        let board = Board::new(self.service, &self.repository);
        for own in self.own().await? {
            let open = Said::from_body(&own.body).is_open() || !own.posted.is_confirmed();
            let cancelled = Said { title: "Stopped: the merge queue took this group back".to_owned(), ..shown.clone() };
            board.take_back(&own.sha, &own.name, self.holder(), open.then_some(cancelled)).await?;
        }
        Ok(())
    }

    /// Whether the group's branch still stands at its head.
    async fn is_there(&self) -> Result<bool, JobError> {
        Ok(self.repository.tip(&self.group.head_branch).await?.as_ref() == Some(&self.group.head_sha))
    }

    /// The group as if it were a pull request: what brings its head onto its base.
    fn view(&self) -> PullView {
        PullView {
            number: self.group.number().unwrap_or(PullNumber(0)),
            title: String::new(),
            is_open: true,
            is_merged: false,
            is_draft: false,
            is_locked: false,
            author: None,
            base_branch: self.group.base_branch.clone(),
            recorded_base: self.group.base_sha.clone(),
            head_sha: self.group.head_sha.clone(),
            head_branch: self.group.head_branch.as_str().to_owned(),
            is_fork: false,
            head_repo_is_gone: false,
            changed_files: 0,
            commits: 0,
            labels: Vec::new(),
            is_public: false,
            changed_s: None,
        }
    }
}

/// Evaluates a group's own head and decides about it.
///
/// # Errors
/// When GitHub, the store or the provider fails. What could not be measured is tried again before it is said: a check that
/// fails takes the pull request out of the queue.
pub async fn evaluate(service: &Service, group: &GroupRef, cancel: CancellationToken) -> Result<(), JobError> {
    let place = Place::open(service, group).await?;
    if !place.is_there().await? {
        return place.end().await;
    }
    let mut snapshot = place.repository.snapshot_onto(place.view(), &group.base_sha).await?;
    let controlled = control::control(&place.repository, &snapshot, Some(service.memory())).await?;
    let digest = watch::control_digest(&snapshot.base_tree, &controlled);
    let control = match controlled {
        Controlled::Silent => return Ok(()),
        Controlled::Broken { findings, place: at } => {
            return place.finish(&ending::broken(&snapshot, findings, &at)).await;
        }
        Controlled::Lost(message) => return place.finish(&ending::lost(&snapshot, message)).await,
        Controlled::Ready(control) => control,
    };
    snapshot.caps.extend(pull::overlooked(&snapshot, &control));
    let question = watch::question(&snapshot, digest);
    let governed = Governed { repository: place.repository.clone(), snapshot, control, question, head_since: None };
    if !governed.is_touched() {
        return place.finish(&pull::ungoverned(&governed)).await;
    }
    place.post([Said::begun("Evaluating the changed prompts"), Said::begun("Looking at approvals")]).await?;
    let brought = match brought(&place, &governed).await? {
        Ok(brought) => brought,
        Err(why) => return place.finish(&refused(&governed, why)).await,
    };
    let sides = sides::load(&governed.repository, &governed.snapshot, &governed.control).await?;
    // An override was given for what the pull request itself asks, onto this base.
    let asked = watch::question(&brought, digest);
    match judge(&place, &governed, (&brought, asked), sides, cancel).await? {
        Some(report) if place.is_there().await? => place.finish_for(&report, &brought.pull).await,
        _ => place.end().await,
    }
}

/// Measures and decides; `None` if it was told to stop.
async fn judge(
    place: &Place<'_>,
    governed: &Governed,
    (brought, asked): (&Snapshot, Digest),
    sides: Sides,
    cancel: CancellationToken,
) -> Result<Option<Report>, JobError> {
    let (service, said) = (place.service, sides.said.clone());
    let pull = PullRef {
        repo: place.group.repo.clone(),
        repo_id: place.group.repo_id,
        installation: place.group.installation,
        number: brought.pull.number,
        delivery: None,
    };
    let facts = facts(service, governed, brought, said.clone()).await?;
    let measured = measure::measure(service, &pull, governed, &facts, sides, false, cancel).await?;
    let Measuring::Ended(mut report, lint) = measured else { return Ok(None) };
    match &report.outcome {
        Outcome::Failed { message } => return Err(JobError::Retry { message: message.clone(), after: None }),
        Outcome::Measured(Verdict::NotMeasured) if !report.is_too_noisy() => {
            return Err(JobError::Retry { message: "too little could be measured".to_owned(), after: None });
        }
        _ => {}
    }
    // A run may take an hour: reviews and memberships are those of the moment of the decision.
    let said = FileFacts { lint, ..said };
    let mut facts = self::facts(service, governed, brought, said).await?;
    let decision = approval::decide(governed, asked, &mut facts, &mut report);
    tracing::info!(verdict = ?report.verdict(), approval = ?decision.state, "decided about a group");
    let run = StoredRun { question: governed.question, facts, report: *report };
    let body = serde_json::to_string(&run)
        .map_err(|error| JobError::GiveUp { message: format!("the run cannot be kept: {error}") })?;
    let now_ms = service.clock.now_ms();
    let key = place.group.lane();
    let notes = audit::decided(service, &pull, governed, &run, &decision, &key);
    service.store.save_run_noting(&key, now_ms, &body, now_ms, &notes).await?;
    Ok(Some(run.report))
}

/// What approvals are decided by: the pull request's own facts, and the caps that the group hits.
async fn facts(
    service: &Service,
    governed: &Governed,
    brought: &Snapshot,
    said: FileFacts,
) -> Result<PullFacts, JobError> {
    let kind = |path: &PromptPath| governed.kind(path);
    let policy = &governed.control.settings.policy;
    let mut facts = governed.repository.facts(brought, &kind, policy, said).await?;
    pull::remembered(&service.store, governed, &mut facts).await?;
    for cap in &governed.snapshot.caps {
        if !facts.caps.contains(cap) {
            facts.caps.push(cap.clone());
        }
    }
    Ok(facts)
}

/// What the group's pull request brings onto the group's base; else why the group cannot be judged by it.
async fn brought(place: &Place<'_>, governed: &Governed) -> Result<Result<Snapshot, String>, JobError> {
    let group = place.group;
    let Some(number) = group.number() else {
        return Ok(Err(format!("the group's branch names no pull request: {QUEUE_AGAIN}")));
    };
    let view = match place.repository.pull(number).await {
        Ok(view) => view,
        Err(GithubError::NotFound { .. }) => {
            return Ok(Err(format!("there is no pull request #{number}: {QUEUE_AGAIN}")));
        }
        Err(error) => return Err(error.into()),
    };
    if !view.is_open || view.base_branch != group.base_branch {
        return Ok(Err(format!("pull request #{number} is closed or goes to another branch: {QUEUE_AGAIN}")));
    }
    let brought = place.repository.snapshot_onto(view, &group.base_sha).await?;
    let stray = stray(place, governed, &brought).await?;
    Ok(match stray {
        Some(path) => Err(format!("{path} is not in this group as pull request #{number} brings it: {QUEUE_AGAIN}")),
        None => Ok(brought),
    })
}

/// A governed file that is not in the group what the pull request, merged onto the group's base, would make it. A file that
/// both changed is one: Git merged a text that nobody has seen.
async fn stray(place: &Place<'_>, governed: &Governed, brought: &Snapshot) -> Result<Option<PromptPath>, JobError> {
    let (group, pull) =
        tokio::try_join!(place.repository.tree(&place.group.head_sha), place.repository.tree(&brought.pull.head_sha))?;
    let expected = sides::merged_tree(&brought.base_tree.entries, &pull.entries, brought);
    let files = governed.snapshot.files.iter().chain(&brought.files);
    let mut paths = files.flat_map(|file| file.previous.iter().chain([&file.path]));
    let is_stray = |path: &&PromptPath| governed.kind(path).is_some() && expected.get(path) != group.entries.get(path);
    Ok(paths.find(is_stray).cloned())
}

fn refused(governed: &Governed, why: String) -> Report {
    let mut report = governed.report(Outcome::NeedsPerson { message: why.clone() });
    report.approval = Some(ApprovalSummary { state: ApprovalState::Undecidable, line: why, rules: Vec::new() });
    report
}

/// Ends what is open on a group that is gone.
///
/// # Errors
/// When GitHub or the store fails.
pub async fn end(service: &Service, group: &GroupRef) -> Result<(), JobError> {
    Place::open(service, group).await?.end().await
}

/// Says that a group could not be evaluated, where its checks are open: they must end.
///
/// # Errors
/// When GitHub or the store fails.
pub async fn give_up(service: &Service, group: &GroupRef, message: &str) -> Result<(), JobError> {
    let place = Place::open(service, group).await?;
    if !place.is_there().await? || place.own().await?.iter().all(|own| !Said::from_body(&own.body).is_open()) {
        return place.end().await;
    }
    let line = format!("{message}; queue the pull request again");
    let mut report = Report::new(Outcome::Failed { message: line.clone() }, None, group.head_sha.to_string());
    report.approval = Some(ApprovalSummary { state: ApprovalState::Undecidable, line, rules: Vec::new() });
    place.finish(&report).await
}

/// Closes the groups of a pull request that does not pass any more, check by check, by what it came to itself. What nobody
/// knows to be posted is posted again.
///
/// # Errors
/// When GitHub or the store fails.
pub(super) async fn withdraw(service: &Service, repository: &Repository, pull: &PullView) -> Result<(), JobError> {
    let holder = Holder::Group(Some(pull.number));
    let held = service.store.results_of(repository.id(), &holder.to_string()).await?;
    if held.is_empty() {
        return Ok(());
    }
    let fallen = fallen(service, repository, pull).await?;
    let is_meant = |own: &&OwnResult| {
        fallen.contains(&own.name) && (Said::from_body(&own.body).is_success() || !own.posted.is_confirmed())
    };
    for own in held.iter().filter(is_meant) {
        let post = Post::new(own.name.clone(), fallen_with(pull.number));
        Board::new(service, repository).post(&own.sha, holder, vec![post], (None, None)).await?;
    }
    Ok(())
}

/// The checks that a pull request does not pass on its head. An evaluation that runs again, since its base moved, is none of
/// them until it has ended: the group was measured by itself.
async fn fallen(service: &Service, repository: &Repository, pull: &PullView) -> Result<Vec<String>, JobError> {
    let own = service.store.results_of(repository.id(), &Holder::Pull(pull.number).to_string()).await?;
    let passes = |name: &String| {
        let on_head = own.iter().find(|own| own.sha == pull.head_sha && own.name == *name);
        on_head.is_some_and(|own| {
            let said = Said::from_body(&own.body);
            said.is_success() || (said.is_open() && !CheckRun::is_approval(name))
        })
    };
    let names = [CheckRun::evaluation_name(&pull.base_branch), CheckRun::approval_name(&pull.base_branch)];
    Ok(names.into_iter().filter(|name| !passes(name)).collect())
}

fn fallen_with(pull: PullNumber) -> Said {
    let line = format!("#{pull} does not pass any more by itself: queue it again once it does");
    Said { state: CheckState::Completed(Conclusion::Failure), ..Said::begun(&line) }
}
