//! Why a verdict is what it is, each reason in one sentence of counts. Cases are named by a `show` function.

use std::sync::Arc;

use super::{NAMED, counted, percent, points, usd};
use crate::domain::gate::verdict::Reason;
use crate::domain::report::Sides;

/// One reason in a sentence of counts; `show` renders a case's id.
pub fn reason(reason: &Reason, sides: Sides, show: &dyn Fn(&str) -> String) -> String {
    let list = |cases: &[Arc<str>]| named(cases, show);
    match reason {
        Reason::MustPassFailed { case, failures, runs, broken_on_base } => {
            let already = if *broken_on_base { sides.broken_already() } else { "" };
            format!("Must-pass case {} failed {failures} of {runs} runs{already}.", show(case))
        }
        Reason::MustPassShaky { case, failures, runs } => {
            format!("Must-pass case {} failed {failures} of {runs} runs: allowed, but not stable.", show(case))
        }
        Reason::SuiteWorse { got_worse, got_better, compared, p: _ } => {
            format!(
                "Over all {compared} cases, {got_worse} got worse and {got_better} better: more than chance explains."
            )
        }
        Reason::ConfirmedBreaks { cases } => {
            let ids: Vec<_> = cases.iter().map(|case| case.id.clone()).collect();
            format!(
                "{} on fresh runs while {} passed: {}.",
                counted(cases.len(), "case failed again", "cases failed again"),
                sides.the_old(),
                list(&ids)
            )
        }
        Reason::ScoreBelowFloor { score, floor } => {
            format!("The score is {score:.3}, the floor (`min_score`) is {floor:.3}.")
        }
        Reason::CostIncrease { base, head, limit } => format!(
            "A call costs {} instead of {} ({} more), the limit is {} more.",
            usd(*head),
            usd(*base),
            percent(head / base - 1.0),
            percent(*limit)
        ),
        Reason::LatencyIncrease { base, head, limit } => format!(
            "An answer takes {head:.0} ms instead of {base:.0} ms ({} longer), the limit is {} longer.",
            percent(head / base - 1.0),
            percent(*limit)
        ),
        Reason::StrictFailures { cases } => {
            format!("{} (`--strict`): {}.", counted(cases.len(), "case fails", "cases fail"), list(cases))
        }
        Reason::JudgeTooNoisy { cases } => format!(
            "{} only by a judge that is too noisy to decide: {}. Sharpen its rubric, or add a check without a judge.",
            counted(cases.len(), "case fails", "cases fail"),
            list(cases)
        ),
        Reason::Unmeasured { unmeasured, compared, must_pass } => {
            let must_pass = Some(must_pass).filter(|cases| !cases.is_empty());
            let of_those =
                must_pass.map_or_else(String::new, |cases| format!(", among them must-pass {}", list(cases)));
            format!("{unmeasured} of {compared} cases could not be measured{of_those}: too many to decide.")
        }
        Reason::Unconfirmed { cases } => format!(
            "{} {}, but too few fresh runs were measured to tell: {}.",
            counted(cases.len(), "case failed", "cases failed"),
            sides.after_passing(),
            list(cases)
        ),
        Reason::CannotExclude { drop, more_cases } => cannot_exclude(*drop, *more_cases),
    }
}

/// The first cases by name, the rest by number.
pub fn named(cases: &[Arc<str>], show: &dyn Fn(&str) -> String) -> String {
    let mut names: Vec<String> = cases.iter().take(NAMED).map(|case| show(case)).collect();
    if cases.len() > NAMED {
        names.push(format!("and {} more", cases.len() - NAMED));
    }
    names.join(", ")
}

fn cannot_exclude(drop: f64, more_cases: Option<u32>) -> String {
    let points = points(drop);
    match more_cases {
        Some(more) => format!(
            "This golden set cannot exclude a drop of more than {points} points; about {more} more {} would.",
            if more == 1 { "case" } else { "cases" }
        ),
        None => format!("This golden set cannot exclude a drop of more than {points} points."),
    }
}
