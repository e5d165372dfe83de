//! Obeys the commands of a comment: re-authorised each time, answered once. Parsing is the domain's.

use super::job::{CommandComment, Job, JobError, PullRef, Reason};
use super::pull;
use super::service::Service;
use crate::domain::command::{self, Command};
use crate::domain::report::markdown;
use crate::github::Repository;

/// Most commands of one comment that are obeyed: each costs requests, and a comment can hold thousands.
const MAX_COMMANDS: usize = 5;

/// Obeys what a comment says, if its author may.
///
/// # Errors
/// When GitHub or the store fails.
pub async fn obey(service: &Service, pull: &PullRef, comment: &CommandComment) -> Result<(), JobError> {
    let commands = obeyed(&comment.body);
    if commands.is_empty() {
        return Ok(());
    }
    let repository = service.repository(pull).await?;
    if !repository.permission(&comment.author).await?.can_write() {
        // Answering strangers would let them make us write.
        tracing::info!(by = %comment.author, "a command by someone without write permission is ignored");
        return Ok(());
    }
    if !pull::has_settings(service, &repository, pull).await? {
        return Ok(());
    }
    let mut answers = Vec::new();
    for command in &commands {
        answers.extend(answer(service, &repository, pull, comment, command).await?);
    }
    if answers.is_empty() {
        return Ok(());
    }
    let marker = format!("<!-- promptops:answer:{} -->", comment.comment_id);
    let body = format!("{marker}\n{}", answers.join("\n\n---\n\n"));
    repository.comment_once(pull.number, &body, &marker).await?;
    Ok(())
}

/// The commands of a comment that are obeyed: each once, and the first few.
fn obeyed(comment: &str) -> Vec<Command> {
    let mut obeyed = Vec::new();
    for command in command::commands(comment) {
        if obeyed.len() == MAX_COMMANDS {
            break;
        }
        if !obeyed.contains(&command) {
            obeyed.push(command);
        }
    }
    obeyed
}

async fn answer(
    service: &Service,
    repository: &Repository,
    pull: &PullRef,
    comment: &CommandComment,
    command: &Command,
) -> Result<Option<String>, JobError> {
    match command {
        Command::Eval { sha } => {
            let view = repository.pull(pull.number).await?;
            match sha {
                Some(sha) if *sha != view.head_sha => {
                    return Ok(Some(format!(
                        "Commit {} is not the head of this pull request any more; it is {} now. Look at it, then comment \
                         `/promptops eval {}`.",
                        sha.short(),
                        view.head_sha.short(),
                        view.head_sha
                    )));
                }
                Some(sha) => {
                    let now_ms = service.clock.now_ms();
                    service.store.release_sha(pull.repo_id, pull.number, sha, comment.author_id, now_ms).await?;
                }
                None if view.is_fork => {
                    return Ok(Some(format!(
                        "This pull request comes from a fork. Look at its prompts, then release exactly this commit with \
                         `/promptops eval {}`.",
                        view.head_sha
                    )));
                }
                None => {}
            }
            let job = Job::EvaluatePull { pull: pull.clone(), reason: Reason::Requested, force: true };
            service.store.enqueue_job(&job.to_new(true), service.clock.now_ms()).await?;
            Ok(None)
        }
        Command::Explain => explain(service, pull).await.map(Some),
        Command::Help => Ok(Some(markdown::help())),
        Command::Override { .. } | Command::OverrideCancel => Ok(Some(
            "Overrides are not supported yet. A rule on the verdict in `approval` can let a change through.".into(),
        )),
        Command::Unknown(_) => Ok(Some(format!("I do not know this command.\n\n{}", markdown::help()))),
    }
}

async fn explain(service: &Service, pull: &PullRef) -> Result<String, JobError> {
    let Some(governed) = pull::governed(service, pull).await? else {
        return Ok("The pull request is closed, or the settings on its base branch cannot be used; the approval check says which.".to_owned());
    };
    let stored = pull::stored_run(service, pull, &governed).await?;
    Ok(stored.map_or_else(
        || "This head has not been evaluated yet.".to_owned(),
        |stored| markdown::explain(&stored.report, &service.secrets),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_obeyed_in_its_first_few_commands_and_in_each_once() {
        let repeated = "/promptops help\n".repeat(1_000) + "/promptops explain\n";
        assert_eq!(obeyed(&repeated), [Command::Help, Command::Explain]);
        let many: String = (0..1_000).map(|n| format!("/promptops no{n}\n")).collect();
        assert_eq!(obeyed(&many).len(), MAX_COMMANDS);
        assert_eq!(obeyed(&many)[4], Command::Unknown("no4".to_owned()));
    }
}
