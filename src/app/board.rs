//! The checks that stand on a commit: every holder's result is kept, and the worst of them is what is posted. Two lanes may
//! post at once: whoever finds that a result came in meanwhile, or another check run, posts again. Decides nothing of its own.

use super::job::JobError;
use super::service::Service;
use super::shared::{Holder, Said, forget_cancelled, worst};
use crate::domain::ids::{BranchName, CommitSha, Digest, PullNumber};
use crate::github::check::{Annotation, Button, CheckOutput, CheckRun};
use crate::github::{CheckId, CheckWrite, GithubError, Remembered, Repository};
use crate::store::{CheckKey, Guard, PostedCheck, Saved};

/// How often one writer posts again because other results came in; then the job is tried again.
const MOST_TURNS: usize = 8;

/// A repository's checks.
#[derive(Clone, Copy)]
pub struct Board<'a> {
    service: &'a Service,
    repository: &'a Repository,
}

/// One result to be posted.
#[derive(Debug, Clone)]
pub struct Post {
    /// The check's name.
    pub name: String,
    /// The result.
    pub said: Said,
    /// Remarks to be added to those the check has.
    pub annotations: Vec<Annotation>,
    /// Whether it gets a check run of its own, since the last one has ended and keeps its annotations.
    pub anew: bool,
}

impl Post {
    /// A result without remarks, on the check run that is there.
    pub fn new(name: String, said: Said) -> Self {
        Self { name, said, annotations: Vec::new(), anew: false }
    }
}

/// How a check is brought up to date.
#[derive(Debug, Default)]
struct Posting<'o, 'b> {
    annotations: Vec<Annotation>,
    anew: bool,
    /// Where to look for other pull requests, if that is to be done.
    others: Option<&'o mut Others<'b>>,
}

/// The open pull requests into a branch with some head, listed when first needed.
#[derive(Debug)]
struct Others<'b> {
    base: &'b BranchName,
    listed: Option<Vec<PullNumber>>,
}

impl<'a> Board<'a> {
    /// The checks of a repository.
    pub fn new(service: &'a Service, repository: &'a Repository) -> Self {
        Self { service, repository }
    }

    fn key(&self, sha: &CommitSha, name: &str) -> CheckKey {
        CheckKey { repo: self.repository.id(), sha: sha.clone(), name: name.to_owned() }
    }

    /// Keeps a holder's results on a commit and posts what they make of its checks. Before a success is posted, `base`'s other
    /// open pull requests with this head are asked for. With a guard its next generation comes back.
    ///
    /// # Errors
    /// When another worker has written since the guard was read, and when GitHub or the store fails.
    pub async fn post(
        &self,
        sha: &CommitSha,
        holder: Holder,
        posts: Vec<Post>,
        (guard, base): (Option<Guard>, Option<&BranchName>),
    ) -> Result<i64, JobError> {
        let results: Vec<(String, String)> =
            posts.iter().map(|post| (post.name.clone(), post.said.to_body())).collect();
        let place = (self.repository.id(), sha);
        let now_ms = self.service.clock.now_ms();
        let saved = self.service.store.put_results(place, &holder.to_string(), &results, guard, now_ms).await?;
        let Saved::Stored(generation) = saved else {
            let message = "another worker writes to this pull request".to_owned();
            return Err(JobError::Retry { message, after: None });
        };
        let mut others = base.map(|base| Others { base, listed: None });
        for post in posts {
            let Post { name, annotations, anew, said: _ } = post;
            let posting = Posting { annotations, anew, others: others.as_mut() };
            self.refresh(&self.key(sha, &name), holder, posting).await?;
        }
        Ok(generation)
    }

    /// Takes back a holder's result. What remains of others is posted; where nothing does, `otherwise`, if given: that one
    /// takes the result's place until it is known to be posted, so that whoever finds it there does this again.
    ///
    /// # Errors
    /// When GitHub or the store fails.
    pub async fn take_back(
        &self,
        sha: &CommitSha,
        name: &str,
        holder: Holder,
        otherwise: Option<Said>,
    ) -> Result<(), JobError> {
        let (key, holder_id, now_ms) = (self.key(sha, name), holder.to_string(), self.service.clock.now_ms());
        let store = &self.service.store;
        let Some(otherwise) = otherwise else {
            // What stands may stay: what is posted can only hold more than it must, until the others post again.
            if store.drop_result(&key, &holder_id, now_ms).await? {
                self.refresh(&key, holder, Posting::default()).await?;
            }
            return Ok(());
        };
        let left = otherwise.to_body();
        if store.replace_result(&key, &holder_id, &left, now_ms).await? {
            self.refresh(&key, holder, Posting::default()).await?;
            store.drop_left(&key, &holder_id, &left).await?;
        }
        Ok(())
    }

    /// Posts what the results say, until nobody has changed them meanwhile.
    async fn refresh(&self, key: &CheckKey, by: Holder, posting: Posting<'_, '_>) -> Result<(), JobError> {
        let Posting { mut annotations, anew, mut others } = posting;
        for turn in 0..MOST_TURNS {
            let shared = self.service.store.shared_check(key).await?;
            let mut results: Vec<(Holder, Said)> = shared
                .results
                .iter()
                .filter_map(|held| Some((Holder::parse(&held.holder)?, Said::from_body(&held.body))))
                .collect();
            forget_cancelled(&mut results);
            if let Some(others) = &mut others
                && self.look_for_others(key, others, by, &mut results).await?
            {
                continue;
            }
            let (id, digest) = match worst(&results) {
                Some((holder, said)) => {
                    let run = check_run(key, holder, said, std::mem::take(&mut annotations));
                    self.write(key, run, &shared.posted, (turn, anew)).await?
                }
                None => (shared.posted.check_id, shared.posted.digest),
            };
            if self.service.store.confirm_post(key, &shared.posted, id, digest).await? {
                return Ok(());
            }
        }
        Err(JobError::Retry { message: "many pull requests change the same check".to_owned(), after: None })
    }

    /// Writes a check run unless it is certain that it shows the same already.
    async fn write(
        &self,
        key: &CheckKey,
        run: CheckRun,
        posted: &PostedCheck,
        (turn, anew): (usize, bool),
    ) -> Result<(Option<u64>, Option<Digest>), JobError> {
        // Annotations are brought once and say nothing of what is to be shown next time.
        let bare = CheckRun { output: CheckOutput { annotations: Vec::new(), ..run.output.clone() }, ..run.clone() };
        let digest = Some(bare.digest(&key.sha));
        let alone = turn == 0 && posted.writers <= 1;
        let known = match posted.check_id {
            _ if anew && turn == 0 => Remembered::Never,
            Some(id) if alone => Remembered::Id(CheckId(id)),
            None if alone && posted.generation == 1 => Remembered::Never,
            // GitHub reads the newest run of a name, which another writer may just have made.
            _ => Remembered::Unsure,
        };
        if let (Remembered::Id(id), true) = (known, posted.digest == digest && run.output.annotations.is_empty()) {
            return Ok((Some(id.0), digest));
        }
        let written = self.repository.upsert_checks(&key.sha, &[CheckWrite { run, known, last: None }]).await?;
        Ok((written.first().map(|(id, _)| id.0), digest))
    }

    /// Looks at GitHub where the results known here decide: before all let the merge through, for other open pull requests with
    /// this head, of which one without a result holds it from now on, until it is looked at or has gone; where another's result
    /// holds it, whether that one is still there, else its result is taken out. True if the results are others now.
    async fn look_for_others(
        &self,
        key: &CheckKey,
        others: &mut Others<'_>,
        by: Holder,
        results: &mut Vec<(Holder, Said)>,
    ) -> Result<bool, JobError> {
        match worst(results) {
            Some((_, said)) if said.is_success() => {
                let there = match others.listed.take() {
                    Some(listed) => listed,
                    None => self.repository.pulls_with_head(others.base, &key.sha).await?,
                };
                let mut is_new = false;
                for holder in others.listed.insert(there).iter().map(|number| Holder::Pull(*number)) {
                    if !results.iter().any(|(known, _)| *known == holder) {
                        let (undecided, now_ms) = (Said::undecided(), self.service.clock.now_ms());
                        let (id, body) = (holder.to_string(), undecided.to_body());
                        is_new |= self.service.store.put_missing_result(key, &id, &body, now_ms).await?;
                        results.push((holder, undecided));
                    }
                }
                Ok(is_new)
            }
            Some((holder @ Holder::Pull(number), _))
                if holder != by && self.is_gone(number, key, others.base).await? =>
            {
                let now_ms = self.service.clock.now_ms();
                Ok(self.service.store.drop_result(key, &holder.to_string(), now_ms).await?)
            }
            _ => Ok(false),
        }
    }

    async fn is_gone(&self, number: PullNumber, key: &CheckKey, base: &BranchName) -> Result<bool, JobError> {
        match self.repository.pull(number).await {
            Ok(now) => Ok(!now.is_open || now.head_sha != key.sha || now.base_branch != *base),
            Err(GithubError::NotFound { .. }) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

fn check_run(key: &CheckKey, holder: Holder, said: Said, annotations: Vec<Annotation>) -> CheckRun {
    let output = CheckOutput { title: said.title, summary: said.summary, text: said.text, annotations };
    let (name, external_id) = (key.name.clone(), holder.to_string());
    let has_buttons = matches!(holder, Holder::Pull(_)) && !CheckRun::is_approval(&name);
    let buttons = if has_buttons { vec![Button::RunAgain, Button::Explain] } else { Vec::new() };
    CheckRun { name, state: said.state, output, external_id, details_url: None, buttons }
}
