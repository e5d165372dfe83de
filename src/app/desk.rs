//! What stands on a pull request and what should: the store's memory joined with GitHub's upserts. Decides nothing.

use super::job::{JobError, check_external_id};
use super::service::Service;
use crate::domain::ids::{CommitSha, Digest};
use crate::domain::report::annotations::{self, Annotation};
use crate::domain::report::{ApprovalSummary, Outcome, Report, check, markdown};
use crate::github::check::{Button, CheckOutput, CheckRun, CheckState, Conclusion, Level};
use crate::github::{
    CheckId, CheckWrite, CommentId, CommentOutcome, CommentWrite, Head, Published, PullView, Remembered, Repository,
};
use crate::store::{Publication, PublishedCheck, Saved};

/// One pull request's checks and comment, at one head.
pub struct Desk<'a> {
    service: &'a Service,
    repository: &'a Repository,
    head: Head,
    publication: Publication,
    /// Whether nothing of ours can stand there yet, not even after a crash.
    untouched: bool,
}

impl<'a> Desk<'a> {
    /// Opens what is remembered of the pull request.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(service: &'a Service, repository: &'a Repository, pull: &PullView) -> Result<Self, JobError> {
        let publication = service.store.publication(repository.id(), pull.number).await?;
        let untouched = publication.generation == 0;
        let head = Head { number: pull.number, sha: pull.head_sha.clone(), base: pull.base_branch.clone() };
        Ok(Self { service, repository, head, publication, untouched })
    }

    /// Whether both checks are known on this head, for this base.
    pub fn has_checks(&self) -> bool {
        let names = [CheckRun::evaluation_name(&self.head.base), CheckRun::approval_name(&self.head.base)];
        names.iter().all(|name| self.publication.check(&self.head.sha, name).is_some())
    }

    /// Whether our comment stands there.
    pub fn has_comment(&self) -> bool {
        self.publication.comment_id.is_some()
    }

    /// First thing after a push: both checks hold the merge. A run that is asked for `anew` gets a check of its own where
    /// the last one has ended, since GitHub appends annotations to one it knows.
    ///
    /// # Errors
    /// When GitHub or the store fails.
    pub async fn begin(&mut self, anew: bool) -> Result<(), JobError> {
        let begun = |name: String, title: &str| {
            let output = CheckOutput { title: title.into(), summary: title.into(), ..CheckOutput::default() };
            self.run(name, CheckState::InProgress, output)
        };
        let evaluation = begun(CheckRun::evaluation_name(&self.head.base), "Evaluating the changed prompts");
        let approval = begun(CheckRun::approval_name(&self.head.base), "Looking at approvals");
        let mut writes = vec![self.check_write(evaluation)];
        if anew && !self.is_evaluating() {
            writes[0].known = Remembered::Never;
        }
        if !anew || self.publication.check(&self.head.sha, &approval.name).is_none() {
            writes.push(self.check_write(approval));
        }
        self.intend().await?;
        let written = self.repository.upsert_checks(&self.head.sha, &writes).await?;
        self.remember(&self.head.sha.clone(), &writes, &written);
        self.save().await?;
        self.cancel_overtaken().await
    }

    /// Ends what is open on earlier heads and for another base: a check must not wait for ever.
    async fn cancel_overtaken(&mut self) -> Result<(), JobError> {
        self.cancel_where(&Outcome::Superseded, |desk, check| !desk.is_current(check)).await
    }

    /// Whether a check is one of the two that count now: on this head, for this base.
    fn is_current(&self, check: &PublishedCheck) -> bool {
        let names = [CheckRun::evaluation_name(&self.head.base), CheckRun::approval_name(&self.head.base)];
        check.sha == self.head.sha && names.contains(&check.name)
    }

    /// Publishes a report: both checks and, where there is something to say, the comment. False if the head has moved on;
    /// then what was open on the old one is cancelled.
    ///
    /// # Errors
    /// When GitHub or the store fails.
    pub async fn finish(&mut self, report: &Report, new_run: bool) -> Result<bool, JobError> {
        let mut runs = vec![self.evaluation(report, self.remarks(report, new_run).await?)];
        runs.extend(report.approval.as_ref().map(|approval| self.approval(approval)));
        let says_something = report.outcome != Outcome::NothingGoverned || self.has_comment();
        let comment = says_something.then(|| markdown::comment(report, &self.service.secrets));
        self.publish(runs, comment).await
    }

    async fn publish(&mut self, runs: Vec<CheckRun>, comment: Option<String>) -> Result<bool, JobError> {
        let mut writes: Vec<CheckWrite> = runs.into_iter().map(|run| self.check_write(run)).collect();
        writes.retain(|write| write.last != Some(write.run.digest(&self.head.sha)));
        let comment = comment
            .map(|body| self.comment_write(body))
            .filter(|write| write.last.is_none() || write.last != Some(Digest::of_parts([write.body.as_bytes()])));
        if writes.is_empty() && comment.is_none() {
            return Ok(true);
        }
        self.intend().await?;
        match self.repository.publish(&self.head, &writes, comment.as_ref()).await? {
            Published::Done(receipt) => {
                self.remember(&self.head.sha.clone(), &writes, &receipt.checks);
                if let Some(CommentOutcome::Written { id, digest }) = receipt.comment {
                    self.publication.comment_id = Some(id.0);
                    self.publication.comment_digest = Some(digest);
                }
                self.save().await?;
                self.cancel_overtaken().await?;
                Ok(true)
            }
            Published::HeadMoved { head } => {
                tracing::info!(old = self.head.sha.short(), new = head.short(), "the head moved, nothing is published");
                self.cancel(&Outcome::Superseded).await?;
                Ok(false)
            }
        }
    }

    /// Ends what is still open on this head.
    ///
    /// # Errors
    /// When GitHub or the store fails.
    pub async fn cancel(&mut self, why: &Outcome) -> Result<(), JobError> {
        self.cancel_where(why, |desk, check| check.sha == desk.head.sha).await
    }

    /// Ends those of our open checks that are meant, on whatever commit they are.
    async fn cancel_where(
        &mut self,
        why: &Outcome,
        is_meant: impl Fn(&Self, &PublishedCheck) -> bool,
    ) -> Result<(), JobError> {
        let report = Report::new(why.clone(), None, self.head.sha.to_string());
        let said = check::evaluation(&report, &self.service.secrets);
        let open = self.publication.checks.iter().filter(|check| check.open && is_meant(self, check));
        let open: Vec<PublishedCheck> = open.cloned().collect();
        if open.is_empty() {
            return Ok(());
        }
        for known in open {
            let (title, summary) = (said.title.clone(), said.summary.clone());
            let output = CheckOutput { title, summary, ..CheckOutput::default() };
            let run = self.run(known.name, CheckState::Completed(Conclusion::Cancelled), output);
            let writes = [CheckWrite { run, known: Remembered::Id(CheckId(known.id)), last: None }];
            let written = self.repository.upsert_checks(&known.sha, &writes).await?;
            self.remember(&known.sha, &writes, &written);
        }
        self.save().await
    }

    /// Whether the evaluation on this head has not ended.
    pub fn is_evaluating(&self) -> bool {
        let known = self.publication.check(&self.head.sha, &CheckRun::evaluation_name(&self.head.base));
        known.is_some_and(|known| known.open)
    }

    /// Ends the approval check, and with `evaluation` that one too, with what the report says; leaves the comment.
    ///
    /// # Errors
    /// When GitHub or the store fails.
    pub async fn give_up(&mut self, report: &Report, evaluation: bool) -> Result<(), JobError> {
        let mut runs: Vec<CheckRun> = evaluation.then(|| self.evaluation(report, Vec::new())).into_iter().collect();
        runs.extend(report.approval.as_ref().map(|approval| self.approval(approval)));
        self.publish(runs, None).await.map(|_| ())
    }

    /// GitHub appends annotations at each write, so they are brought once: with a run's result, or later if that was
    /// decided and its publication failed.
    async fn remarks(&self, report: &Report, new_run: bool) -> Result<Vec<Annotation>, JobError> {
        let remarks = annotations::annotations(report, &self.service.secrets);
        if new_run || remarks.is_empty() {
            return Ok(remarks);
        }
        let known = self.publication.check(&self.head.sha, &CheckRun::evaluation_name(&self.head.base));
        let Some(open) = known.filter(|known| known.open) else { return Ok(Vec::new()) };
        let there = self.repository.annotations_on(&self.head.sha, CheckId(open.id)).await?;
        Ok(if there == 0 { remarks } else { Vec::new() })
    }

    fn evaluation(&self, report: &Report, remarks: Vec<Annotation>) -> CheckRun {
        let said = check::evaluation(report, &self.service.secrets);
        let run = self.said(CheckRun::evaluation_name(&self.head.base), said, remarks);
        CheckRun { buttons: vec![Button::RunAgain, Button::Explain], ..run }
    }

    fn approval(&self, approval: &ApprovalSummary) -> CheckRun {
        let said = check::approval(approval, &self.service.secrets);
        self.said(CheckRun::approval_name(&self.head.base), said, Vec::new())
    }

    fn said(&self, name: String, said: check::CheckOutput, remarks: Vec<Annotation>) -> CheckRun {
        let state = match said.state {
            check::CheckState::InProgress => CheckState::InProgress,
            check::CheckState::Done(conclusion) => CheckState::Completed(match conclusion {
                check::Conclusion::Success => Conclusion::Success,
                check::Conclusion::Failure => Conclusion::Failure,
                check::Conclusion::ActionRequired => Conclusion::ActionRequired,
                check::Conclusion::Cancelled => Conclusion::Cancelled,
            }),
        };
        let annotations = remarks.into_iter().map(annotation).collect();
        let text = said.text.unwrap_or_default();
        self.run(name, state, CheckOutput { title: said.title, summary: said.summary, text, annotations })
    }

    fn run(&self, name: String, state: CheckState, output: CheckOutput) -> CheckRun {
        CheckRun {
            name,
            state,
            output,
            external_id: check_external_id(self.head.number),
            details_url: None,
            buttons: Vec::new(),
        }
    }

    fn check_write(&self, run: CheckRun) -> CheckWrite {
        match self.publication.check(&self.head.sha, &run.name) {
            Some(known) => CheckWrite { run, known: Remembered::Id(CheckId(known.id)), last: Some(known.digest) },
            None => CheckWrite { run, known: self.unknown(), last: None },
        }
    }

    fn comment_write(&self, body: String) -> CommentWrite {
        let known = self.publication.comment_id.map_or_else(|| self.unknown(), |id| Remembered::Id(CommentId(id)));
        CommentWrite { body, known, last: self.publication.comment_digest }
    }

    /// What is remembered of a thing without an id: after a crash it may be there all the same.
    fn unknown<T>(&self) -> Remembered<T> {
        if self.untouched { Remembered::Never } else { Remembered::Unsure }
    }

    /// Before the first write ever, the store learns that one may have happened.
    async fn intend(&mut self) -> Result<(), JobError> {
        if self.publication.generation == 0 { self.save().await } else { Ok(()) }
    }

    fn remember(&mut self, sha: &CommitSha, writes: &[CheckWrite], written: &[(CheckId, Digest)]) {
        for (write, (id, digest)) in writes.iter().zip(written) {
            self.publication.remember(PublishedCheck {
                sha: sha.clone(),
                name: write.run.name.clone(),
                id: id.0,
                digest: *digest,
                open: !matches!(write.run.state, CheckState::Completed(_)),
            });
        }
    }

    async fn save(&mut self) -> Result<(), JobError> {
        match self.service.store.save_publication(self.repository.id(), self.head.number, &self.publication).await? {
            Saved::Stored(generation) => {
                self.publication.generation = generation;
                Ok(())
            }
            Saved::Stale => {
                Err(JobError::Retry { message: "another worker writes to this pull request".to_owned(), after: None })
            }
        }
    }

    /// The commit all of it is about.
    pub fn head(&self) -> &CommitSha {
        &self.head.sha
    }
}

fn annotation(remark: Annotation) -> crate::github::check::Annotation {
    crate::github::check::Annotation {
        path: remark.path,
        line: remark.start_line,
        end_line: remark.end_line,
        columns: remark.columns,
        level: match remark.level {
            annotations::Level::Warning => Level::Warning,
            annotations::Level::Failure => Level::Failure,
        },
        message: remark.message,
        title: remark.title,
    }
}
