//! Obeys the commands of a comment: re-authorised each time, answered once. Parsing is the domain's.

use std::collections::BTreeMap;

use super::control::{self, Controlled};
use super::job::{CommandComment, Job, JobError, PullRef, Reason};
use super::overriding;
use super::pull::{self, Governed};
use super::service::Service;
use super::watch;
use crate::domain::audit::{Actor, AuditEntry, AuditKind};
use crate::domain::command::{self, Command};
use crate::domain::ids::CommitSha;
use crate::domain::policy::facts::Person;
use crate::domain::report::markdown;
use crate::domain::settings::Forks;
use crate::github::{Repository, Snapshot};

/// Most commands of one comment that are obeyed: each costs requests, and a comment can hold thousands.
const MAX_COMMANDS: usize = 5;

/// Who asks for what, where: what every command is obeyed with.
pub(super) struct Asked<'a> {
    pub service: &'a Service,
    pub pull: &'a PullRef,
    /// Who; they may write, as of now.
    pub by: Person,
    /// The comment.
    pub comment: &'a CommandComment,
}

/// The pull request as it is now.
pub(super) enum Ground {
    /// It is governed.
    Governed(Box<Governed>),
    /// It is closed.
    Closed,
    /// The settings on its base branch cannot be used.
    Broken,
}

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
    let by = Person { id: comment.author_id, login: comment.author.clone(), is_bot: false };
    if !may_ask(&repository, &by).await? {
        return Ok(());
    }
    let asked = Asked { service, pull, by, comment };
    let mut answers = Vec::new();
    for (place, command) in (0..).zip(&commands) {
        // Read anew for each: what one command changes, the next one sees.
        let Some(ground) = ground(service, &repository, pull).await? else { return Ok(()) };
        answers.extend(asked.answer(&ground, place, command).await?);
    }
    if answers.is_empty() {
        return Ok(());
    }
    let marker = format!("<!-- promptops:answer:{} -->", comment.comment_id);
    let body = format!("{marker}\n{}", answers.join("\n\n---\n\n"));
    repository.comment_once(pull.number, &body, &marker).await?;
    Ok(())
}

/// Whether somebody may ask for anything. Answering strangers would let them make us write.
pub(super) async fn may_ask(repository: &Repository, by: &Person) -> Result<bool, JobError> {
    let may = repository.permission_of(by).await?.can_write();
    if !may {
        tracing::info!(by = %by.login, "somebody without write permission is not obeyed");
    }
    Ok(may)
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

/// Reads the pull request and what governs it, and changes nothing. `None` where the bot has no business.
pub(super) async fn ground(
    service: &Service,
    repository: &Repository,
    pull: &PullRef,
) -> Result<Option<Ground>, JobError> {
    let snapshot: Snapshot = repository.snapshot(pull.number).await?;
    let is_open = snapshot.pull.is_open;
    let controlled = control::control(repository, &snapshot, Some(service.memory())).await?;
    let digest = watch::control_digest(&snapshot.base_tree, &controlled);
    Ok(match controlled {
        Controlled::Silent => None,
        _ if !is_open => Some(Ground::Closed),
        Controlled::Broken { .. } | Controlled::Lost(_) => Some(Ground::Broken),
        Controlled::Ready(control) => {
            let governed = pull::ready(service, repository.clone(), snapshot, control, digest).await?;
            Some(Ground::Governed(Box::new(governed)))
        }
    })
}

impl Asked<'_> {
    /// Does what a command asks for, and gives the answer if there is one to give.
    async fn answer(&self, ground: &Ground, place: i64, command: &Command) -> Result<Option<String>, JobError> {
        let governed = match (command, ground) {
            (Command::Help, _) => return Ok(Some(markdown::help())),
            (Command::Unknown(_), _) => {
                return Ok(Some(format!("I do not know this command.\n\n{}", markdown::help())));
            }
            (_, Ground::Closed) => {
                return Ok(Some("The pull request is closed, so there is nothing to decide.".to_owned()));
            }
            (_, Ground::Broken) => {
                return Ok(Some(
                    "The settings on the base branch cannot be used; the approval check says why. Mend them there first."
                        .to_owned(),
                ));
            }
            (_, Ground::Governed(governed)) => governed,
        };
        match command {
            Command::Eval { sha: None } => self.run_again(governed).await,
            Command::Eval { sha: Some(sha) } => self.release(governed, sha).await,
            Command::EvalOther(_) => {
                let head = &governed.snapshot.pull.head_sha;
                Ok(Some(format!("Name the commit in full. Look at the change, then comment `/promptops eval {head}`.")))
            }
            Command::Explain => explain(self.service, self.pull, governed).await.map(Some),
            Command::Override { reason } => overriding::add(self, governed, place, reason).await.map(Some),
            Command::OverrideCancel => overriding::cancel(self, governed, place).await.map(Some),
            Command::Help | Command::Unknown(_) => Ok(None),
        }
    }

    async fn run_again(&self, governed: &Governed) -> Result<Option<String>, JobError> {
        if let Some(refusal) = needs_release(self.service, self.pull, governed).await? {
            return Ok(Some(refusal));
        }
        evaluate_anew(self.service, self.pull).await?;
        Ok(None)
    }

    /// Releases exactly the commit that is head now.
    async fn release(&self, governed: &Governed, sha: &CommitSha) -> Result<Option<String>, JobError> {
        let view = &governed.snapshot.pull;
        if *sha != view.head_sha {
            return Ok(Some(format!(
                "Commit {} is not the head of this pull request; it is {} now. Look at it, then comment `/promptops eval {}`.",
                sha.short(),
                view.head_sha.short(),
                view.head_sha
            )));
        }
        if let Some(refusal) = refuses_forks(governed) {
            return Ok(Some(refusal));
        }
        if view.is_fork || !author_can_write(governed).await? {
            let entry = self.entry(AuditKind::Release, sha, format!("released commit {sha} for evaluation"));
            let of = (self.pull.repo_id, self.pull.number);
            self.service.store.release_sha(of, sha, self.by.id, &entry).await?;
        }
        evaluate_anew(self.service, self.pull).await?;
        Ok(None)
    }

    /// An entry of the audit log about what was asked for.
    pub(super) fn entry(&self, kind: AuditKind, sha: &CommitSha, said: String) -> AuditEntry {
        AuditEntry {
            at_ms: self.service.clock.now_ms(),
            kind,
            by: Some(Actor { id: self.by.id, login: self.by.login.clone() }),
            repo: self.pull.repo.clone(),
            repo_id: self.pull.repo_id,
            pull: Some(self.pull.number),
            sha: Some(sha.clone()),
            delivery: self.pull.delivery.clone(),
            said,
            evidence: BTreeMap::from([("comment".to_owned(), self.comment.comment_id.to_string())]),
        }
    }
}

/// Runs the evaluation of the head again, with new answers.
pub(super) async fn evaluate_anew(service: &Service, pull: &PullRef) -> Result<(), JobError> {
    let job = Job::EvaluatePull { pull: pull.clone(), reason: Reason::Requested, force: true };
    service.store.enqueue_job(&job.to_new(true), service.clock.now_ms()).await?;
    Ok(())
}

/// What to answer instead of running, where somebody has to release the head first.
pub(super) async fn needs_release(
    service: &Service,
    pull: &PullRef,
    governed: &Governed,
) -> Result<Option<String>, JobError> {
    let view = &governed.snapshot.pull;
    if let Some(refusal) = refuses_forks(governed) {
        return Ok(Some(refusal));
    }
    if !view.is_fork && author_can_write(governed).await? {
        return Ok(None);
    }
    if service.store.released_by(pull.repo_id, pull.number, &view.head_sha).await?.is_some() {
        return Ok(None);
    }
    let whose = if view.is_fork { "comes from a fork" } else { "is by somebody without write permission" };
    Ok(Some(format!(
        "This pull request {whose}. Look at its prompts, then release exactly this commit with `/promptops eval {}`.",
        view.head_sha
    )))
}

/// Settings that let no fork be evaluated leave nothing to release.
fn refuses_forks(governed: &Governed) -> Option<String> {
    let word = match governed.control.settings.forks {
        Forks::Approve => return None,
        Forks::Lint => "lint",
        Forks::Never => "never",
    };
    governed.snapshot.pull.is_fork.then(|| {
        format!(
            "Pull requests from forks are not evaluated here (`forks: {word}`), so there is nothing to release. Push the \
             change to a branch of this repository to evaluate it."
        )
    })
}

/// A deleted account can do nothing.
async fn author_can_write(governed: &Governed) -> Result<bool, JobError> {
    match &governed.snapshot.pull.author {
        Some(author) => Ok(governed.repository.permission_of(author).await?.can_write()),
        None => Ok(false),
    }
}

/// How the verdict and the decision on this head were reached.
pub(super) async fn explain(service: &Service, pull: &PullRef, governed: &Governed) -> Result<String, JobError> {
    let stored = pull::stored_run(service, pull, governed).await?;
    Ok(stored.map_or_else(
        || {
            if governed.is_touched() {
                "This head has not been evaluated yet.".to_owned()
            } else {
                "This pull request changes no prompt, golden set or settings file, so no rule asks for anything."
                    .to_owned()
            }
        },
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
