//! From loaded sides to a report of the evaluation: whether it may run, within which budget, and what came out.

use tokio_util::sync::CancellationToken;

use super::job::{JobError, PullRef};
use super::lint;
use super::plan::{self, Overrides};
use super::pull::{Governed, author_can_write};
use super::result;
use super::service::Service;
use super::sides::Sides;
use super::till::Till;
use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::gate::Verdict;
use crate::domain::lint::Config;
use crate::domain::policy::facts::{LintCounts, PullFacts};
use crate::domain::report::{Outcome, Report};
use crate::domain::settings::Forks;
use crate::engine::run::{self, RunError, RunLimits};

/// How measuring ended.
pub enum Measuring {
    /// With something to say, and with what lint counts for approvals.
    Ended(Box<Report>, LintCounts),
    /// It was told to stop.
    Stopped,
}

/// Measures what the pull request changes, if it may be.
///
/// # Errors
/// When the store fails.
pub async fn measure(
    service: &Service,
    pull: &PullRef,
    governed: &Governed,
    facts: &PullFacts,
    mut sides: Sides,
    force: bool,
    cancel: CancellationToken,
) -> Result<Measuring, JobError> {
    let hindrance = hindrance(service, pull, governed, facts, &sides).await?;
    let mut report = match hindrance {
        Some(outcome) => empty(facts, outcome),
        None => match run(service, governed, facts, &mut sides, force, cancel).await? {
            Some(report) => report,
            None => return Ok(Measuring::Stopped),
        },
    };
    report.diagnostics.extend(sides.findings);
    report.diagnostics.extend(governed.control.warnings.iter().cloned());
    report.set_changes = sides.set_changes;
    report.settings_changes = sides.settings_changes;
    report.notes.extend(sides.notes);
    let counts = lint::counts(&report.diagnostics, &sides.waived_anew);
    Ok(Measuring::Ended(Box::new(report), counts))
}

fn empty(facts: &PullFacts, outcome: Outcome) -> Report {
    Report::new(outcome, Some(facts.base_sha.to_string()), facts.head_sha.to_string())
}

/// What keeps the evaluation from running, worst first: caps, broken files, a release that is missing.
async fn hindrance(
    service: &Service,
    pull: &PullRef,
    governed: &Governed,
    facts: &PullFacts,
    sides: &Sides,
) -> Result<Option<Outcome>, JobError> {
    if !facts.caps.is_empty() {
        return Ok(Some(Outcome::NeedsPerson { message: facts.caps.join("; ") }));
    }
    if has_errors(&sides.findings) {
        return Ok(Some(Outcome::BrokenFiles));
    }
    if sides.pairs.is_empty() || (!facts.is_fork && author_can_write(facts)) {
        return Ok(None);
    }
    let refused = match (facts.is_fork, governed.control.settings.forks) {
        (true, Forks::Lint) => Some("pull requests from forks are only checked for errors here (`forks: lint`)"),
        (true, Forks::Never) => Some("pull requests from forks are not evaluated here (`forks: never`)"),
        (true, Forks::Approve) | (false, _) => None,
    };
    if let Some(message) = refused {
        let message = format!("{message}; push the change to a branch of this repository to evaluate it");
        return Ok(Some(Outcome::NeedsPerson { message }));
    }
    let released = service.store.released_by(pull.repo_id, pull.number, &facts.head_sha).await?;
    Ok(released.is_none().then(|| Outcome::WaitsForRelease { sha: facts.head_sha.clone() }))
}

fn has_errors(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// `None` when it was told to stop.
async fn run(
    service: &Service,
    governed: &Governed,
    facts: &PullFacts,
    sides: &mut Sides,
    force: bool,
    cancel: CancellationToken,
) -> Result<Option<Report>, JobError> {
    if sides.pairs.is_empty() {
        return Ok(Some(empty(facts, Outcome::Measured(Verdict::Pass))));
    }
    let settings = &governed.control.settings;
    let overrides = Overrides { base_gates: true, ..Overrides::default() };
    let plan = match plan::plan(&sides.pairs, settings, &overrides) {
        Ok(plan) => plan,
        Err(findings) => {
            let mut report = empty(facts, Outcome::BrokenFiles);
            report.diagnostics = findings;
            return Ok(Some(report));
        }
    };
    let budgets = settings.budgets();
    let till = Till::open(service, facts, &budgets);
    let account = till.account();
    let limits = RunLimits {
        concurrency: service.bounds.concurrency,
        call_timeout: service.bounds.call_timeout,
        run_timeout: service.bounds.run_timeout,
        tries: service.bounds.tries,
        max_cost_usd: budgets.run_usd,
        account: Some(account.clone()),
        prices: service.prices.clone(),
        limiter: service.limiter.clone(),
        cancel,
    };
    let provider = if force { &service.fresh } else { &service.provider };
    let log = |event| tracing::trace!(?event, "run");
    let ran = till.during(&account, run::run(&plan, &**provider, &limits, &log)).await;
    // However it ended: what a cancelled or failed run has spent is spent.
    till.close(&account).await?;
    let outcome = match ran {
        Ok(runs) => {
            let (base, head) = (facts.base_sha.to_string(), facts.head_sha.to_string());
            let mut report = result::report(&plan, runs, Some(base), head);
            for (prompt, pair) in report.prompts.iter_mut().zip(&sides.pairs) {
                prompt.golden_set = pair.head.golden.as_ref().map(|set| set.path.clone());
            }
            let ran = lint::after_run(&sides.pairs, &report, &Config::new(settings, true));
            report.diagnostics = ran.findings;
            lint::extend(&mut sides.waived_anew, ran.waived_anew);
            report.notes.extend(result::unpriced(&plan, &service.prices));
            return Ok(Some(report));
        }
        Err(RunError::Cancelled) => return Ok(None),
        Err(RunError::OverBudget(over)) => Outcome::OverBudget(over),
        Err(error @ RunError::UnknownPrice { .. }) => Outcome::NeedsPerson { message: error.to_string() },
        Err(error @ (RunError::TimedOut { .. } | RunError::Provider(_))) => {
            Outcome::Failed { message: error.to_string() }
        }
    };
    Ok(Some(empty(facts, outcome)))
}
