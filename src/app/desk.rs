//! What stands on a pull request and what should: the store's memory joined with GitHub's upserts. Decides nothing.

use super::board::{Board, Post};
use super::job::JobError;
use super::service::Service;
use super::shared::{Holder, Said};
use crate::domain::ids::{CommitSha, Digest};
use crate::domain::report::annotations::{self, Annotation};
use crate::domain::report::{ApprovalSummary, Outcome, Report, check, markdown};
use crate::github::check::{CheckRun, CheckState, Conclusion, Level};
use crate::github::{CommentId, CommentOutcome, CommentWrite, Head, PullView, Remembered, Repository};
use crate::store::{Guard, OwnResult, Publication, Saved};

/// One pull request's checks and comment, at one head.
pub struct Desk<'a> {
    service: &'a Service,
    repository: &'a Repository,
    head: Head,
    publication: Publication,
    /// What this pull request came to, on whatever commit.
    own: Vec<OwnResult>,
    is_merged: bool,
    /// Whether no comment of ours can stand there yet, not even after a crash.
    untouched: bool,
}

impl<'a> Desk<'a> {
    /// Opens what is remembered of the pull request.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(service: &'a Service, repository: &'a Repository, pull: &PullView) -> Result<Self, JobError> {
        let head = Head { number: pull.number, sha: pull.head_sha.clone(), base: pull.base_branch.clone() };
        let (publication, own) = (Publication::default(), Vec::new());
        let is_merged = pull.is_merged;
        let mut desk = Self { service, repository, head, publication, own, is_merged, untouched: false };
        desk.publication = service.store.publication(repository.id(), pull.number).await?;
        desk.untouched = desk.publication.generation == 0;
        desk.look().await?;
        Ok(desk)
    }

    /// Reads what this pull request came to.
    async fn look(&mut self) -> Result<(), JobError> {
        self.own = self.service.store.results_of(self.repository.id(), &self.holder().to_string()).await?;
        Ok(())
    }

    fn holder(&self) -> Holder {
        Holder::Pull(self.head.number)
    }

    fn board(&self) -> Board<'a> {
        Board::new(self.service, self.repository)
    }

    /// The names of the two checks that count now.
    fn names(&self) -> [String; 2] {
        [CheckRun::evaluation_name(&self.head.base), CheckRun::approval_name(&self.head.base)]
    }

    fn own(&self, name: &str) -> Option<&OwnResult> {
        self.own.iter().find(|own| own.sha == self.head.sha && own.name == name)
    }

    /// Whether both checks are known on this head, for this base.
    pub fn has_checks(&self) -> bool {
        self.names().iter().all(|name| self.own(name).is_some())
    }

    /// Whether our comment stands there.
    pub fn has_comment(&self) -> bool {
        self.publication.comment_id.is_some()
    }

    /// First thing after a push: both checks hold the merge. A run that is asked for `anew` gets a check of its own where
    /// the last one has ended, since GitHub appends annotations to one it knows. Approvals hold again only where `reopens`
    /// says that something else controls them now.
    ///
    /// # Errors
    /// When GitHub or the store fails.
    pub async fn begin(&mut self, anew: bool, reopens: bool) -> Result<(), JobError> {
        let [evaluation, approval] = self.names();
        let approves = !anew || reopens || self.own(&approval).is_none();
        let anew = anew && !self.is_evaluating();
        let mut posts = vec![Post { anew, ..Post::new(evaluation, Said::begun("Evaluating the changed prompts")) }];
        if approves {
            posts.push(Post::new(approval, Said::begun("Looking at approvals")));
        }
        self.post(posts, false).await?;
        self.cancel_overtaken().await
    }

    async fn post(&mut self, posts: Vec<Post>, asks: bool) -> Result<(), JobError> {
        let guard = Some(Guard { pull: self.head.number, generation: self.publication.generation });
        let base = asks.then_some(&self.head.base);
        self.publication.generation = self.board().post(&self.head.sha, self.holder(), posts, (guard, base)).await?;
        self.look().await
    }

    /// Takes back what was said on earlier heads and for another base. What is open ends, since a check must not wait for
    /// ever; what has ended well ends too where it could let the pull request through on its way back.
    ///
    /// # Errors
    /// When GitHub or the store fails.
    pub async fn cancel_overtaken(&mut self) -> Result<(), JobError> {
        self.cancel_all(&Outcome::Superseded, self.overtaken()).await
    }

    /// What is left of earlier heads and other bases.
    fn overtaken(&self) -> Vec<OwnResult> {
        let names = self.names();
        let is_meant = |own: &&OwnResult| own.sha != self.head.sha || !names.contains(&own.name);
        self.own.iter().filter(is_meant).cloned().collect()
    }

    /// Publishes a report: both checks and, where there is something to say, the comment. False if the head has moved on;
    /// then what was open on the old one is cancelled.
    ///
    /// # Errors
    /// When GitHub or the store fails.
    pub async fn finish(&mut self, report: &Report, new_run: bool) -> Result<bool, JobError> {
        let mut posts = vec![self.evaluation(report, self.remarks(report, new_run).await?)];
        posts.extend(report.approval.as_ref().map(|approval| self.approval(approval)));
        let says_something = report.outcome != Outcome::NothingGoverned || self.has_comment();
        let comment = says_something.then(|| markdown::comment(report, &self.service.secrets));
        self.publish(posts, comment).await
    }

    async fn publish(&mut self, mut posts: Vec<Post>, comment: Option<String>) -> Result<bool, JobError> {
        posts.retain(|post| !post.annotations.is_empty() || !self.shows(post));
        // What holds the merge goes first: GitHub may merge between the two.
        posts.sort_by_key(|post| post.said.is_success());
        let comment = comment
            .map(|body| self.comment_write(body))
            .filter(|write| write.last.is_none() || write.last != Some(Digest::of_parts([write.body.as_bytes()])));
        if posts.is_empty() && comment.is_none() && self.overtaken().is_empty() {
            return Ok(true);
        }
        if let Some(head) = self.repository.moved(&self.head).await? {
            tracing::info!(old = self.head.sha.short(), new = head.short(), "the head moved, nothing is published");
            self.cancel(&Outcome::Superseded).await?;
            return Ok(false);
        }
        self.post(posts, true).await?;
        if let Some(comment) = comment
            && let CommentOutcome::Written { id, digest } =
                self.repository.upsert_comment(self.head.number, &comment).await?
        {
            self.publication.comment_id = Some(id.0);
            self.publication.comment_digest = Some(digest);
            self.save().await?;
        }
        self.cancel_overtaken().await?;
        Ok(true)
    }

    /// Whether a result is kept already, and certainly posted. Where others hold the check as well, one of them may have gone
    /// unheard, and keep a success from being seen.
    fn shows(&self, post: &Post) -> bool {
        self.own(&post.name).is_some_and(|own| {
            let is_hidden = own.is_shared && post.said.is_success();
            own.posted.is_confirmed() && !is_hidden && own.body == post.said.to_body()
        })
    }

    /// Takes back what this pull request said on this head.
    ///
    /// # Errors
    /// When GitHub or the store fails.
    pub async fn cancel(&mut self, why: &Outcome) -> Result<(), JobError> {
        let is_meant = |own: &&OwnResult| own.sha == self.head.sha || *why == Outcome::Closed;
        let meant = self.own.iter().filter(is_meant).cloned().collect();
        self.cancel_all(why, meant).await
    }

    async fn cancel_all(&mut self, why: &Outcome, meant: Vec<OwnResult>) -> Result<(), JobError> {
        if meant.is_empty() {
            return Ok(());
        }
        let report = Report::new(why.clone(), None, self.head.sha.to_string());
        let shown = check::evaluation(&report, &self.service.secrets);
        let state = CheckState::Completed(Conclusion::Cancelled);
        let cancelled = Said { state, title: shown.title, summary: shown.summary, text: String::new() };
        for own in meant {
            let otherwise = self.must_end(&own).then(|| cancelled.clone());
            self.board().take_back(&own.sha, &own.name, self.holder(), otherwise).await?;
        }
        self.look().await
    }

    /// Whether a check that nobody holds any more must not stay as it is. Approvals may be withdrawn while the pull request is
    /// elsewhere, and another base's success is none on the same commit; what was merged keeps what let it through.
    fn must_end(&self, own: &OwnResult) -> bool {
        let is_approval = CheckRun::is_approval(&own.name);
        let elsewhere = own.sha == self.head.sha && !self.names().contains(&own.name);
        is_unsettled(own) || (!self.is_merged && (is_approval || elsewhere))
    }

    /// Whether the evaluation on this head has not ended, or nobody knows whether that was posted.
    pub fn is_evaluating(&self) -> bool {
        let [evaluation, _] = self.names();
        self.own(&evaluation).is_some_and(is_unsettled)
    }

    /// Ends the approval check, and with `evaluation` that one too, with what the report says; leaves the comment.
    ///
    /// # Errors
    /// When GitHub or the store fails.
    pub async fn give_up(&mut self, report: &Report, evaluation: bool) -> Result<(), JobError> {
        let mut posts: Vec<Post> = evaluation.then(|| self.evaluation(report, Vec::new())).into_iter().collect();
        posts.extend(report.approval.as_ref().map(|approval| self.approval(approval)));
        self.publish(posts, None).await.map(|_| ())
    }

    /// GitHub appends annotations at each write, so they are brought once: with a run's result, or later if that was
    /// decided and its publication failed, unless another pull request with this head brought them.
    async fn remarks(&self, report: &Report, new_run: bool) -> Result<Vec<Annotation>, JobError> {
        let remarks = annotations::annotations(report, &self.service.secrets);
        let [evaluation, _] = self.names();
        let own = self.own(&evaluation);
        let is_first = own.is_some_and(|own| own.posted.generation <= 1);
        if remarks.is_empty() || (new_run && is_first) {
            return Ok(remarks);
        }
        if !new_run && own.is_some_and(|own| !is_unsettled(own)) {
            return Ok(Vec::new());
        }
        let there = self.repository.annotations_on(&self.head.sha, &evaluation).await?;
        Ok(if there == 0 { remarks } else { Vec::new() })
    }

    fn evaluation(&self, report: &Report, remarks: Vec<Annotation>) -> Post {
        let [name, _] = self.names();
        let said = said(check::evaluation(report, &self.service.secrets));
        Post { annotations: remarks.into_iter().map(annotation).collect(), ..Post::new(name, said) }
    }

    fn approval(&self, approval: &ApprovalSummary) -> Post {
        let [_, name] = self.names();
        Post::new(name, said(check::approval(approval, &self.service.secrets)))
    }

    fn comment_write(&self, body: String) -> CommentWrite {
        let unknown = if self.untouched { Remembered::Never } else { Remembered::Unsure };
        let known = self.publication.comment_id.map_or(unknown, |id| Remembered::Id(CommentId(id)));
        CommentWrite { body, known, last: self.publication.comment_digest }
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

/// Whether a result has not ended, or nobody knows whether it was posted.
pub(super) fn is_unsettled(own: &OwnResult) -> bool {
    Said::from_body(&own.body).is_open() || !own.posted.is_confirmed()
}

/// What a rendering says, in GitHub's words.
pub(super) fn said(shown: check::CheckOutput) -> Said {
    let state = match shown.state {
        check::CheckState::InProgress => CheckState::InProgress,
        check::CheckState::Done(conclusion) => CheckState::Completed(match conclusion {
            check::Conclusion::Success => Conclusion::Success,
            check::Conclusion::Failure => Conclusion::Failure,
            check::Conclusion::ActionRequired => Conclusion::ActionRequired,
            check::Conclusion::Cancelled => Conclusion::Cancelled,
        }),
    };
    Said { state, title: shown.title, summary: shown.summary, text: shown.text.unwrap_or_default() }
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
