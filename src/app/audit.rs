//! What the gate itself writes into the audit log: decisions with what they rest on, and settings that are others than before.
//! Decides nothing, stores nothing.

use std::collections::BTreeMap;

use super::job::PullRef;
use super::pull::{Governed, StoredRun};
use super::service::Service;
use crate::domain::audit::{AuditEntry, AuditKind};
use crate::domain::ids::{CommitSha, Digest, Login};
use crate::domain::policy::decision::{Applies, Decision, Overrider, RuleOutcome, State};
use crate::domain::policy::facts::{PullFacts, Review, ReviewState};
use crate::domain::report::check::{self, CheckState};
use crate::domain::report::{ApprovalState, Outcome, Report};
use crate::domain::untrusted::Untrusted;
use crate::github::Snapshot;
use crate::store::AuditNote;

/// Longest text of an entry.
const LONGEST: usize = 2_000;

type Evidence = BTreeMap<String, String>;

/// A decision about a measured pull request: what is said of it, and by whom the rules are satisfied.
pub(super) fn decided(
    service: &Service,
    pull: &PullRef,
    governed: &Governed,
    run: &StoredRun,
    decision: &Decision,
    key: &str,
) -> Vec<AuditNote> {
    let facts = &run.facts;
    let mut evidence = Evidence::from([
        ("base".to_owned(), run.facts.base_sha.to_string()),
        ("content".to_owned(), facts.content.to_string()),
        ("run".to_owned(), key.to_owned()),
        ("settings".to_owned(), governed.control.evidence.digest().to_string()),
    ]);
    let satisfied = |rule: &&RuleOutcome| rule.applies == Applies::Yes && rule.state == State::Satisfied;
    for rule in decision.rules.iter().filter(satisfied) {
        let by: Vec<String> = rule.counted.iter().map(|login| counted(facts, login)).collect();
        evidence.insert(format!("rule {}", rule.name), by.join("; "));
    }
    if let (Outcome::Overridden { .. }, Some(overriding)) = (&run.report.outcome, &decision.overriding) {
        let by: Vec<String> = overriding.counted.iter().map(|one| overrode(facts, one)).collect();
        evidence.insert("override".to_owned(), by.join("; "));
    }
    let decision = note(service, pull, Some(&facts.head_sha), said(service, &run.report), evidence);
    vec![settings(service, pull, governed), decision]
}

/// A decision that needed no run and no review.
pub(super) fn unmeasured(
    service: &Service,
    pull: &PullRef,
    head: &CommitSha,
    base: Option<&CommitSha>,
    report: &Report,
) -> AuditNote {
    let evidence = base.map(|base| ("base".to_owned(), base.to_string())).into_iter().collect();
    note(service, pull, Some(head), said(service, report), evidence)
}

/// The settings that control the pull request, logged when they are others than the last seen of that branch.
pub(super) fn settings(service: &Service, pull: &PullRef, governed: &Governed) -> AuditNote {
    let said = "these settings control the branch from now on".to_owned();
    policy_change(service, pull, &governed.snapshot, governed.control.evidence.digest(), said)
}

/// Settings that cannot be used: another state of the settings, and the decision that follows.
pub(super) fn broken_settings(
    service: &Service,
    pull: &PullRef,
    snapshot: &Snapshot,
    report: &Report,
) -> [AuditNote; 2] {
    let problems: Vec<String> = report.diagnostics.iter().map(|found| found.message.clone()).collect();
    let state = Digest::of_parts(problems.iter().map(String::as_bytes));
    let said = format!("the settings of the branch cannot be used: {}", problems.join("; "));
    let head = &snapshot.pull.head_sha;
    [
        policy_change(service, pull, snapshot, state, shown(service, &said)),
        unmeasured(service, pull, head, Some(&snapshot.base_sha), report),
    ]
}

fn policy_change(service: &Service, pull: &PullRef, snapshot: &Snapshot, state: Digest, said: String) -> AuditNote {
    let branch = &snapshot.pull.base_branch;
    let evidence = [("branch", branch.to_string()), ("settings", state.to_string())];
    let entry = AuditEntry {
        kind: AuditKind::PolicyChange,
        pull: Some(pull.number),
        sha: Some(snapshot.base_sha.clone()),
        ..entry(service, pull, said, evidence.map(|(name, value)| (name.to_owned(), value)).into())
    };
    AuditNote { topic: format!("policy/{}/{branch}", pull.repo_id), state, entry }
}

/// A decision is new when it says anything else than the last about this pull request, whenever and whoever asked for it.
fn note(service: &Service, pull: &PullRef, head: Option<&CommitSha>, said: String, evidence: Evidence) -> AuditNote {
    let entry = AuditEntry { pull: Some(pull.number), sha: head.cloned(), ..entry(service, pull, said, evidence) };
    let timeless = AuditEntry { at_ms: 0, delivery: None, ..entry.clone() };
    // Texts and numbers always serialise.
    let state = Digest::of_parts([serde_json::to_vec(&timeless).unwrap_or_default().as_slice()]);
    AuditNote { topic: format!("decision/{}", pull.lane()), state, entry }
}

fn entry(service: &Service, pull: &PullRef, said: String, evidence: Evidence) -> AuditEntry {
    AuditEntry {
        at_ms: service.clock.now_ms(),
        kind: AuditKind::Decision,
        by: None,
        repo: pull.repo.clone(),
        repo_id: pull.repo_id,
        pull: None,
        sha: None,
        delivery: pull.delivery.clone(),
        said,
        evidence,
    }
}

/// What both checks come to, in the words of their titles.
fn said(service: &Service, report: &Report) -> String {
    let evaluation = check::evaluation(report, &service.secrets);
    let mut said = format!("evaluation: {} ({})", state(evaluation.state), evaluation.title);
    if let Some(approval) = &report.approval {
        let word = match approval.state {
            ApprovalState::Satisfied => "satisfied",
            ApprovalState::Waiting => "waiting",
            ApprovalState::ChangesRequested => "changes requested",
            ApprovalState::Undecidable => "undecidable",
        };
        said.push_str(&format!("; approval: {word} ({})", approval.line));
    }
    shown(service, &said)
}

fn state(state: CheckState) -> String {
    match state {
        CheckState::InProgress => "in progress".to_owned(),
        CheckState::Done(conclusion) => match conclusion {
            check::Conclusion::Success => "success",
            check::Conclusion::Failure => "failure",
            check::Conclusion::ActionRequired => "action required",
            check::Conclusion::Cancelled => "cancelled",
        }
        .to_owned(),
    }
}

fn shown(service: &Service, text: &str) -> String {
    Untrusted::new(text, &service.secrets).line(LONGEST)
}

/// A person whose approval counts, with the review it is in.
fn counted(facts: &PullFacts, login: &Login) -> String {
    let theirs = |review: &&Review| {
        review.state == ReviewState::Approved && review.by.as_ref().is_some_and(|person| person.login == *login)
    };
    match facts.reviews.iter().rfind(theirs) {
        Some(Review { id, by: Some(person), .. }) => format!("@{login} (user {}) by review {id}", person.id),
        _ => format!("@{login}"),
    }
}

/// A person whose override counts, with the comment it is in.
fn overrode(facts: &PullFacts, one: &Overrider) -> String {
    let Overrider { login, comment_id, .. } = one;
    match facts.overrides.iter().rfind(|given| given.comment_id == *comment_id) {
        Some(given) => format!("@{login} (user {}) by comment {comment_id}", given.by.id),
        None => format!("@{login} by comment {comment_id}"),
    }
}
