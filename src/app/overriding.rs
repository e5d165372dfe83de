//! `/promptops override`: who may is asked anew, and what is recorded is bound to the head its author can have seen. Whether it
//! counts is decided by the domain at each decision.

use super::commands::Asked;
use super::job::{Job, JobError};
use super::pull::{self, Governed};
use crate::domain::audit::AuditKind;
use crate::domain::policy::decision::{NotCounted, Overriding, State};
use crate::domain::policy::facts::{BlockedResult, FileFacts, OverrideFact, PullFacts};
use crate::domain::policy::{self, is_named, teams_of_overriders};
use crate::domain::report::override_sentences;
use crate::domain::untrusted::Untrusted;

/// Longest reason that is kept; a comment can hold 65,536 characters.
const REASON: usize = 1_000;
/// Longest sentence of an answer.
const SENTENCE: usize = 500;

/// Records an override, if it would count.
pub(super) async fn add(asked: &Asked<'_>, governed: &Governed, place: i64, reason: &str) -> Result<String, JobError> {
    let policy = &governed.control.settings.policy;
    if policy.overriders.is_none() {
        return Ok("Nobody may override here: the settings on the base branch name nobody under `override`.".to_owned());
    }
    let stored = pull::stored_run(asked.service, asked.pull, governed).await?;
    let head = &governed.snapshot.pull.head_sha;
    if stored.as_ref().is_some_and(|stored| stored.question != governed.question) {
        return Ok(format!(
            "The override does not count: what controls commit {} has changed, and it is being evaluated again. Look at the \
             new result, then comment again.",
            head.short()
        ));
    }
    let Some((stored, how)) = stored.and_then(|stored| stored.report.blocked().map(|how| (stored, how))) else {
        return Ok(format!(
            "There is nothing to override: the evaluation of commit {} does not block, has not ended, or waits for a \
             release. Comment again once it blocks.",
            head.short()
        ));
    };
    // Whoever wrote before the head was there has not seen it.
    let saw_head =
        asked.comment.created_s.zip(governed.head_since).filter(|(written, since)| written > since).map(|seen| seen.0);
    let Some(written_s) = saw_head else {
        return Ok(format!(
            "The override does not count: the head is commit {} now, and your comment is not younger than it. Look at it, \
             then comment again.",
            head.short()
        ));
    };
    let given = OverrideFact {
        by: asked.by.clone(),
        reason: reason.chars().take(REASON).collect(),
        at_ms: written_s.saturating_mul(1_000),
        comment_id: asked.comment.comment_id,
        sha: head.clone(),
        given_for: BlockedResult { question: stored.question, how },
        lapsed: false,
    };
    let facts = facts_with(asked, governed, stored.facts.said.clone(), Some(given.clone())).await?;
    let Some(overriding) = policy::overriding(policy, &facts) else { return Ok(String::new()) };
    if !overriding.counted.iter().any(|one| one.login == asked.by.login) {
        return Ok(refusal(asked, &overriding));
    }
    let entry = asked.entry(AuditKind::Override, head, given.reason.clone());
    let of = (asked.pull.repo_id, asked.pull.number);
    asked.service.store.add_override(of, place, &given, &entry).await?;
    decide_again(asked).await?;
    Ok(answer(asked, &overriding, head.short()))
}

/// Takes overrides back: one's own, and those of all others for whoever `override` names.
pub(super) async fn cancel(asked: &Asked<'_>, governed: &Governed, place: i64) -> Result<String, JobError> {
    let policy = &governed.control.settings.policy;
    let stored = pull::stored_run(asked.service, asked.pull, governed).await?;
    let said = stored.map(|stored| stored.facts.said).unwrap_or_default();
    let mut facts = facts_with(asked, governed, said, None).await?;
    let mut teams = teams_of_overriders(policy, &facts);
    teams.retain(|team| !facts.memberships.iter().any(|(of, who, _)| of == team && *who == asked.by.id));
    let of_asker = teams.into_iter().map(|team| (team, asked.by.clone())).collect();
    facts.memberships.extend(governed.repository.memberships_of(of_asker).await?);
    let only_own = is_named(policy, &facts, &asked.by) != Some(true);
    let head = &governed.snapshot.pull.head_sha;
    let entry = asked.entry(AuditKind::OverrideCancelled, head, "took the override back".to_owned());
    let of = (asked.pull.repo_id, asked.pull.number);
    let before = (asked.comment.comment_id, place);
    let cancelled = asked.service.store.cancel_overrides(of, before, asked.by.id, only_own, &entry).await?;
    if cancelled == 0 {
        return Ok(if only_own {
            "There is no override of yours to take back, and `override` in the settings does not name you.".to_owned()
        } else {
            "There is no override to take back.".to_owned()
        });
    }
    decide_again(asked).await?;
    Ok("The override is taken back.".to_owned())
}

/// The facts as they are now, with one override more.
async fn facts_with(
    asked: &Asked<'_>,
    governed: &Governed,
    said: FileFacts,
    more: Option<OverrideFact>,
) -> Result<PullFacts, JobError> {
    let mut facts = pull::facts(asked.service, governed, said).await?;
    if let Some(more) = more {
        facts.blocked = Some(more.given_for);
        facts.overrides.push(more);
        governed.repository.look_up_overriders(&mut facts, &governed.control.settings.policy).await?;
    }
    Ok(facts)
}

async fn decide_again(asked: &Asked<'_>) -> Result<(), JobError> {
    let job = Job::DecideApproval { pull: asked.pull.clone() };
    asked.service.store.enqueue_job(&job.to_new(false), asked.service.clock.now_ms()).await?;
    Ok(())
}

/// Why this person's override is not recorded: what concerns others stays out of it.
fn refusal(asked: &Asked<'_>, overriding: &Overriding) -> String {
    let own: Vec<NotCounted> =
        overriding.not_counted.iter().filter(|not| not.login == asked.by.login).cloned().collect();
    let own = Overriding { counted: Vec::new(), not_counted: own, ..overriding.clone() };
    let could = Untrusted::new(&overriding.could, &asked.service.secrets).prose(SENTENCE);
    format!("{}\n\nIt takes {could}.", sentences(asked, &own))
}

fn answer(asked: &Asked<'_>, overriding: &Overriding, commit: &str) -> String {
    let what = match overriding.state {
        State::Satisfied => "It lets a blocked evaluation of exactly this commit pass; approvals are needed as before.",
        State::Pending | State::ChangesRequested | State::Undecidable => "It does not let the evaluation pass yet.",
    };
    format!(
        "Recorded for commit {commit} and for the result that stands there. {what} A push takes it back, and so does \
         `/promptops override cancel`.\n\n{}",
        sentences(asked, overriding)
    )
}

fn sentences(asked: &Asked<'_>, overriding: &Overriding) -> String {
    let shown = override_sentences(overriding);
    let shown = shown.iter().map(|one| format!("- {}", Untrusted::new(one, &asked.service.secrets).prose(SENTENCE)));
    shown.collect::<Vec<_>>().join("\n")
}
