//! A pull request, end to end: gather, plan, run, compare, decide, publish. The only order in which these happen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::approval::{conclude, decide_stored};
use super::audit;
use super::control::{self, Control, Controlled};
use super::desk::Desk;
use super::ending::{broken_settings, lost_settings};
use super::job::{Job, JobError, PullRef};
use super::measure::{self, Measuring};
use super::pins;
use super::rerolls;
use super::service::Service;
use super::sides;
use super::watch;
use crate::domain::gate::Verdict;
use crate::domain::ids::{Digest, PromptPath};
use crate::domain::policy::Change;
use crate::domain::policy::facts::{FileFacts, PullFacts};
use crate::domain::report::{ApprovalState, ApprovalSummary, Outcome, Report};
use crate::github::{Repository, Snapshot};
use crate::store::Store;

/// What is kept of a run: all that decided, so that the verdict can be explained and the decision made again.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredRun {
    /// Digest of what was asked: what controls the pull request, and what it changes.
    pub question: Digest,
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
    /// Digest of what a run of it answers.
    pub question: Digest,
    /// Since when it has had this head and base branch, in seconds by GitHub's clock, as far as that is known.
    pub head_since: Option<i64>,
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
        service.store.unwatch_pull(pull.repo_id, pull.number).await?;
        return Ok(None);
    }
    let controlled = control::control(&repository, &snapshot, Some(service.memory())).await?;
    let digest = watch::control_digest(&snapshot.base_tree, &controlled);
    if matches!(controlled, Controlled::Silent) {
        // Nothing is decided here: what another base or head has seen must not wait for the way back.
        Desk::open(service, &repository, &snapshot.pull).await?.cancel_overtaken().await?;
    }
    watch::remember(service, &repository, &snapshot, &controlled, digest).await?;
    match controlled {
        Controlled::Silent => Ok(None),
        Controlled::Ready(control) => ready(service, repository, snapshot, control, digest).await.map(Some),
        Controlled::Broken { findings, place } => {
            broken_settings(service, pull, &repository, &snapshot, findings, &place).await?;
            Ok(None)
        }
        Controlled::Lost(message) => {
            lost_settings(service, pull, &repository, &snapshot, message).await?;
            Ok(None)
        }
    }
}

/// A pull request with settings that can be used; its head is remembered, so that what is said of it later can be bound to it.
///
/// # Errors
/// When the store fails.
pub(super) async fn ready(
    service: &Service,
    repository: Repository,
    mut snapshot: Snapshot,
    control: Box<Control>,
    digest: Option<Digest>,
) -> Result<Governed, JobError> {
    snapshot.caps.extend(overlooked(&snapshot, &control));
    let view = &snapshot.pull;
    let head_since = match view.changed_s {
        Some(changed_s) => {
            let of = (repository.id(), view.number);
            Some(service.store.see_head(of, (&view.head_sha, &view.base_branch), changed_s).await?)
        }
        None => None,
    };
    let question = watch::question(&snapshot, digest);
    Ok(Governed { repository, snapshot, control, question, head_since })
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
pub async fn has_settings(service: &Service, repository: &Repository, pull: &PullRef) -> Result<bool, JobError> {
    let snapshot = repository.snapshot(pull.number).await?;
    Ok(!matches!(control::control(repository, &snapshot, Some(service.memory())).await?, Controlled::Silent))
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
        return nothing_governed(service, pull, &governed, &mut desk).await;
    }
    let stored = stored_run(service, pull, &governed).await?;
    let ran_before = stored.is_some();
    let asks_otherwise = stored.as_ref().is_some_and(|stored| stored.question != governed.question);
    if let Some(stored) = stored.filter(|stored| !force && holds(stored, &governed, &desk)) {
        return decide_stored(service, pull, &governed, &mut desk, stored).await;
    }
    desk.begin(force || ran_before, asks_otherwise).await?;
    let sides = sides::load(&governed.repository, &governed.snapshot, &governed.control).await?;
    let kind = |path: &PromptPath| governed.kind(path);
    let facts = governed.repository.first_facts(&governed.snapshot, &kind, sides.said.clone()).await?;
    // Boxed: a future holds all it awaits, and this one awaits the whole run.
    match Box::pin(measure::measure(service, pull, &governed, &facts, sides, force, cancel)).await? {
        Measuring::Ended(..) if asks_another(service, pull, &governed).await? => {
            let again = Job::DecideApproval { pull: pull.clone() };
            service.store.enqueue_job(&again.to_new(false), service.clock.now_ms()).await?;
            Ok(())
        }
        Measuring::Ended(mut report, lint) => {
            rerolls::weigh(service, &governed, &facts, &mut report, force).await?;
            // A run may take an hour: reviews and memberships are those of the moment of the decision.
            let said = FileFacts { lint, ..facts.said };
            let facts = self::facts(service, &governed, said).await?;
            let run = StoredRun { question: governed.question, facts, report: *report };
            conclude(service, pull, &governed, &mut desk, run, true).await
        }
        Measuring::Stopped => stopped(&governed, &mut desk).await,
    }
}

/// Whether base has moved meanwhile to what controls the pull request otherwise: what was measured then opens nothing.
async fn asks_another(service: &Service, pull: &PullRef, governed: &Governed) -> Result<bool, JobError> {
    let view = &governed.snapshot.pull;
    let tip = governed.repository.tip(&view.base_branch).await?;
    if tip.is_none_or(|tip| tip == governed.snapshot.base_sha) {
        return Ok(false);
    }
    let now = Box::pin(self::governed(service, pull)).await?;
    Ok(now.is_none_or(|now| now.snapshot.pull.head_sha == view.head_sha && now.question != governed.question))
}

/// Whether a stored run of this head still says all there is to say: same question, a verdict, and its checks are there.
fn holds(stored: &StoredRun, governed: &Governed, desk: &Desk<'_>) -> bool {
    stored.question == governed.question
        && !matches!(stored.report.verdict(), Verdict::NotMeasured)
        && desk.has_checks()
}

/// What is stored of the run of this head.
///
/// # Errors
/// When the store fails.
pub async fn stored_run(service: &Service, pull: &PullRef, governed: &Governed) -> Result<Option<StoredRun>, JobError> {
    let stored = service.store.load_run(&run_key(&pull.lane(), governed)).await?;
    // A run that an older version wrote otherwise is run again.
    Ok(stored.and_then(|stored| serde_json::from_str(&stored.body).ok()))
}

/// Under what the run of this head for this base branch is kept.
pub(super) fn run_key(lane: &str, governed: &Governed) -> String {
    let view = &governed.snapshot.pull;
    format!("{lane}/{}/{}", view.head_sha, view.base_branch)
}

/// The facts that approvals are decided by, as they are now.
///
/// # Errors
/// When GitHub or the store fails.
pub async fn facts(service: &Service, governed: &Governed, said: FileFacts) -> Result<PullFacts, JobError> {
    facts_by(Some(&service.store), governed, said).await
}

/// The same; without a store nothing is known of overrides and of whose a login was.
///
/// # Errors
/// When GitHub or the store fails.
pub(super) async fn facts_by(
    store: Option<&Store>,
    governed: &Governed,
    said: FileFacts,
) -> Result<PullFacts, JobError> {
    let kind = |path: &PromptPath| governed.kind(path);
    let policy = &governed.control.settings.policy;
    let mut facts = governed.repository.facts(&governed.snapshot, &kind, policy, said).await?;
    if let Some(store) = store {
        remembered(store, governed, &mut facts).await?;
    }
    Ok(facts)
}

/// Adds what we remember of a pull request: whose a login was, and overrides, with what must be known of those who gave them.
///
/// # Errors
/// When GitHub or the store fails.
pub(super) async fn remembered(store: &Store, governed: &Governed, facts: &mut PullFacts) -> Result<(), JobError> {
    facts.pins = pins::of(store, governed).await?;
    facts.overrides = store.overrides(facts.repo_id, facts.number).await?;
    governed.repository.look_up_overriders(facts, &governed.control.settings.policy).await?;
    Ok(())
}

/// Lets a pull request through that touches nothing governed.
///
/// # Errors
/// When GitHub or the store fails.
pub(super) async fn nothing_governed(
    service: &Service,
    pull: &PullRef,
    governed: &Governed,
    desk: &mut Desk<'_>,
) -> Result<(), JobError> {
    let report = ungoverned(governed);
    let view = &governed.snapshot.pull;
    let note = audit::unmeasured(service, pull, &view.head_sha, Some(&governed.snapshot.base_sha), &report);
    service.store.note_audit(&[note, audit::settings(service, pull, governed)]).await?;
    desk.finish(&report, true).await?;
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
