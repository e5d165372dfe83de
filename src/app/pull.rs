//! A pull request, end to end: gather, plan, run, compare, decide, publish. The only order in which these happen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::approval::{conclude, decide_stored};
use super::control::{self, Control, Controlled};
use super::desk::Desk;
use super::ending::broken_settings;
use super::job::{JobError, PullRef};
use super::measure::{self, Measuring};
use super::service::Service;
use super::sides;
use crate::domain::gate::Verdict;
use crate::domain::ids::{CommitSha, PromptPath};
use crate::domain::policy::Change;
use crate::domain::policy::facts::{FileFacts, PullFacts};
use crate::domain::report::{ApprovalState, ApprovalSummary, Outcome, Report};
use crate::github::{Repository, Snapshot};

/// What is kept of a run: all that decided, so that the verdict can be explained and the decision made again.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredRun {
    /// Base's tip at that time.
    pub base_sha: CommitSha,
    /// The facts.
    pub facts: PullFacts,
    /// What came out.
    pub report: Report,
}

/// A pull request that is governed, with what governs it.
pub struct Governed {
    /// Its repository.
    pub repository: Repository,
    /// Its facts so far.
    pub snapshot: Snapshot,
    /// Its settings.
    pub control: Box<Control>,
}

impl Governed {
    /// What part of the governed content a path is.
    pub fn kind(&self, path: &PromptPath) -> Option<Change> {
        self.control.governed.classify(path)
    }

    /// Whether the pull request touches anything governed; a rename counts under both names.
    pub fn is_touched(&self) -> bool {
        let files = self.snapshot.files.iter();
        !self.snapshot.caps.is_empty()
            || files.flat_map(|file| file.previous.iter().chain([&file.path])).any(|path| self.kind(path).is_some())
    }

    pub(super) fn report(&self, outcome: Outcome) -> Report {
        let base = Some(self.snapshot.base_sha.to_string());
        Report::new(outcome, base, self.snapshot.pull.head_sha.to_string())
    }
}

/// Reads a pull request and its settings. `None` if there is nothing to govern: no settings, or the pull request is closed.
/// Settings that cannot be used are said on it, and then there is nothing to do either.
///
/// # Errors
/// When GitHub or the store fails.
pub async fn governed(service: &Service, pull: &PullRef) -> Result<Option<Governed>, JobError> {
    let repository = service.repository(pull).await?;
    let snapshot = repository.snapshot(pull.number).await?;
    if !snapshot.pull.is_open {
        Desk::open(service, &repository, &snapshot.pull).await?.cancel(&Outcome::Closed).await?;
        return Ok(None);
    }
    match control::control(&repository, &snapshot).await? {
        Controlled::Silent => Ok(None),
        Controlled::Ready(control) => {
            let caps = overlooked(&snapshot, &control);
            let mut snapshot = snapshot;
            snapshot.caps.extend(caps);
            Ok(Some(Governed { repository, snapshot, control }))
        }
        Controlled::Broken(findings) => {
            broken_settings(service, &repository, &snapshot, findings).await?;
            Ok(None)
        }
    }
}

/// The cap that a pull request hits where nobody can say whether a file it changes is part of a prompt.
pub(super) fn overlooked(snapshot: &Snapshot, control: &Control) -> Option<String> {
    let changed = snapshot.files.iter().flat_map(|file| file.previous.iter().chain([&file.path]));
    // A tree that GitHub cuts is a cap of its own.
    let path = control.governed.overlooked(changed).filter(|_| !snapshot.base_tree.truncated)?;
    Some(format!("{path}: {}: {}", sides::OVERLOOKED, sides::OVERLOOKED_HELP))
}

/// Whether anything is governed here, be it by settings that cannot be used; else we have no business on the pull request.
///
/// # Errors
/// When GitHub fails.
pub async fn has_settings(repository: &Repository, pull: &PullRef) -> Result<bool, JobError> {
    let snapshot = repository.snapshot(pull.number).await?;
    Ok(!matches!(control::control(repository, &snapshot).await?, Controlled::Silent))
}

/// Evaluates and decides. With `force` also a head that was evaluated already, and with new answers.
///
/// # Errors
/// When GitHub, the store or the provider fails; what could not be measured is said on the pull request first.
pub async fn evaluate(
    service: &Service,
    pull: &PullRef,
    force: bool,
    cancel: CancellationToken,
) -> Result<(), JobError> {
    let Some(governed) = governed(service, pull).await? else { return Ok(()) };
    let mut desk = Desk::open(service, &governed.repository, &governed.snapshot.pull).await?;
    if !governed.is_touched() {
        return nothing_governed(&governed, &mut desk).await;
    }
    let stored = stored_run(service, pull, &governed).await?;
    let ran_before = stored.is_some();
    if let Some(stored) = stored.filter(|stored| !force && holds(stored, &governed, &desk)) {
        return decide_stored(service, pull, &governed, &mut desk, stored).await;
    }
    desk.begin(force || ran_before).await?;
    let sides = sides::load(&governed.repository, &governed.snapshot, &governed.control).await?;
    let facts = facts(&governed, sides.said.clone()).await?;
    match measure::measure(service, pull, &governed, &facts, sides, force, cancel).await? {
        Measuring::Ended(report) => {
            // A run may take an hour: reviews and memberships are those of the moment of the decision.
            let facts = self::facts(&governed, facts.said.clone()).await?;
            let run = StoredRun { base_sha: governed.snapshot.base_sha.clone(), facts, report: *report };
            conclude(service, pull, &governed, &mut desk, run, true).await
        }
        Measuring::Stopped => stopped(&governed, &mut desk).await,
    }
}

/// Whether a stored run of this head still says all there is to say: same base, a verdict, and its checks are there.
fn holds(stored: &StoredRun, governed: &Governed, desk: &Desk<'_>) -> bool {
    stored.base_sha == governed.snapshot.base_sha
        && !matches!(stored.report.verdict(), Verdict::NotMeasured)
        && desk.has_checks()
}

/// What is stored of the run of this head.
///
/// # Errors
/// When the store fails.
pub async fn stored_run(service: &Service, pull: &PullRef, governed: &Governed) -> Result<Option<StoredRun>, JobError> {
    let stored = service.store.load_run(&run_key(pull, governed)).await?;
    // A run that an older version wrote otherwise is run again.
    Ok(stored.and_then(|stored| serde_json::from_str(&stored.body).ok()))
}

/// Under what the run of this head for this base branch is kept.
pub(super) fn run_key(pull: &PullRef, governed: &Governed) -> String {
    let view = &governed.snapshot.pull;
    format!("{}/{}/{}", pull.lane(), view.head_sha, view.base_branch)
}

/// The facts that approvals are decided by, as they are now.
///
/// # Errors
/// When GitHub fails.
pub async fn facts(governed: &Governed, said: FileFacts) -> Result<PullFacts, JobError> {
    let kind = |path: &PromptPath| governed.kind(path);
    let policy = &governed.control.settings.policy;
    Ok(governed.repository.facts(&governed.snapshot, &kind, policy, said).await?)
}

async fn nothing_governed(governed: &Governed, desk: &mut Desk<'_>) -> Result<(), JobError> {
    desk.finish(&ungoverned(governed), true).await?;
    Ok(())
}

/// What is said where nothing governed changes.
pub(super) fn ungoverned(governed: &Governed) -> Report {
    let mut report = governed.report(Outcome::NothingGoverned);
    report.approval = Some(ApprovalSummary {
        state: ApprovalState::Satisfied,
        line: "No prompt, golden set or settings file is changed, so no approval is needed.".to_owned(),
        rules: Vec::new(),
    });
    report
}

/// A run that was stopped: if the pull request has moved on, its old checks end; else the next job goes on with them.
async fn stopped(governed: &Governed, desk: &mut Desk<'_>) -> Result<(), JobError> {
    let now = governed.repository.pull(governed.snapshot.pull.number).await?;
    if now.head_sha != *desk.head() || now.base_branch != governed.snapshot.pull.base_branch {
        desk.cancel(&Outcome::Superseded).await?;
    } else if !now.is_open {
        desk.cancel(&Outcome::Closed).await?;
    }
    Ok(())
}

/// The author's role, by the facts.
pub fn author_can_write(facts: &PullFacts) -> bool {
    let role = facts.author.as_ref().and_then(|author| lookup(&facts.permissions, author.id.0));
    matches!(role, Some("admin" | "maintain" | "write"))
}

fn lookup(permissions: &BTreeMap<u64, String>, id: u64) -> Option<&str> {
    permissions.get(&id).map(String::as_str)
}
