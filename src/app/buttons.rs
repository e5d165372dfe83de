//! The buttons on our evaluation check: the same as commands, asked for by a press. Re-authorised at each press.

use super::commands::{self, Ground, evaluate_anew, explain, needs_release};
use super::job::{JobError, Press, PullRef};
use super::service::Service;
use super::shared::Holder;
use crate::domain::policy::facts::Person;
use crate::github::check::Button;

/// Obeys a press, if whoever pressed may.
///
/// # Errors
/// When GitHub or the store fails.
pub async fn press(service: &Service, pull: &PullRef, press: &Press) -> Result<(), JobError> {
    let Some(button) = Button::of_identifier(&press.button) else { return Ok(()) };
    // Another app can give its check our name and our mark: only a check that we remember is ours.
    let posted = service.store.results_of(pull.repo_id, &Holder::Pull(pull.number).to_string()).await?;
    let Some(check) = posted.iter().find(|own| own.posted.check_id == Some(press.check_run_id)) else {
        tracing::info!(check = press.check_run_id, "a press on a check that is not ours, or not ours any more");
        return Ok(());
    };
    let repository = service.repository(pull).await?;
    let by = Person { id: press.by_id, login: press.by.clone(), is_bot: false };
    if !commands::may_ask(&repository, &by).await? {
        return Ok(());
    }
    let governed = match commands::ground(service, &repository, pull).await? {
        Some(Ground::Governed(governed)) => governed,
        Some(Ground::Closed | Ground::Broken) | None => return Ok(()),
    };
    let head = &governed.snapshot.pull.head_sha;
    let answer = if check.sha != *head {
        Some(format!(
            "That check is about commit {}, and the head is {} now: use the check of the head.",
            check.sha.short(),
            head.short()
        ))
    } else {
        match button {
            Button::Explain => Some(explain(service, pull, &governed).await?),
            Button::RunAgain => match needs_release(service, pull, &governed).await? {
                Some(refusal) => Some(refusal),
                None => {
                    evaluate_anew(service, pull).await?;
                    None
                }
            },
        }
    };
    if let Some(answer) = answer {
        let marker = format!("<!-- promptops:press:{} -->", mark(press, pull));
        repository.comment_once(pull.number, &format!("{marker}\n{answer}"), &marker).await?;
    }
    Ok(())
}

/// Tells one press from another: each is a delivery of its own.
fn mark(press: &Press, pull: &PullRef) -> String {
    let delivery = pull.delivery.as_deref().unwrap_or_default();
    // A header is not signed: nothing of it but plain characters may get into a comment.
    let plain: String = delivery.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    format!("{}:{plain}", press.check_run_id)
}
