//! Whether a rule applies: its `when` against the facts, three-valued. Knows nothing of approvals.

use super::decision::Applies;
use super::known::Known;
use super::people::{Doubts, Named, Whom};
use super::{SizeOver, When};
use crate::domain::diagnostic::Severity;
use crate::domain::gate::Verdict;

/// Whether the rule applies.
///
/// # Errors
/// Why nobody can say, one sentence each, which ends with what to do.
pub(super) fn applies(when: &When, known: &Known<'_>, verdict: Option<Verdict>) -> Result<Applies, Vec<String>> {
    let on_verdict = match verdict {
        _ if when.verdict.is_empty() => Applies::Yes,
        Some(verdict) if when.verdict.contains(&verdict) => Applies::Yes,
        Some(_) => Applies::No,
        // A blocking verdict blocks by itself until its rule is satisfied; one that opens the gate must find the rule waiting.
        None if when.verdict.iter().any(|verdict| !blocks(*verdict)) => Applies::OnceEvaluated,
        None => Applies::No,
    };
    // What certainly does not hold settles it; what is unknown must never pass for that.
    if on_verdict == Applies::No || !holds_but_for_author(when, known) {
        return Ok(Applies::No);
    }
    Ok(if author_is(when, known)? { on_verdict } else { Applies::No })
}

/// Whether the rule applies under some verdict, and as far as is known.
pub(super) fn may_apply(when: &When, known: &Known<'_>) -> bool {
    holds_but_for_author(when, known) && author_is(when, known).unwrap_or(true)
}

/// Whether the verdict holds the merge unless it is waived.
pub(super) fn blocks(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Pass | Verdict::NoRegressionFound => false,
        Verdict::NotMeasured | Verdict::Regression => true,
    }
}

/// All predicates whose answer is always known; the one on paths, the dearest, comes last.
fn holds_but_for_author(when: &When, known: &Known<'_>) -> bool {
    let facts = known.facts;
    !facts.changes.is_empty()
        && when.fork.is_none_or(|fork| fork == facts.is_fork)
        && (when.base.is_empty() || when.base.matches_branch(&facts.base_branch))
        && (when.changes.is_empty() || when.changes.iter().any(|kind| known.kinds.contains(kind)))
        && (when.labels.is_empty() || when.labels.iter().any(|label| known.labels.contains(&label.to_lowercase())))
        && (when.lint.is_empty() || when.lint.iter().any(|severity| lint_found(*severity, known)))
        && when.size.is_none_or(|limit| exceeds(limit, known))
        && (when.paths.is_empty() || when.paths.match_any(&known.paths))
}

fn lint_found(severity: Severity, known: &Known<'_>) -> bool {
    let counts = &known.facts.said.lint;
    match severity {
        Severity::Error => counts.errors > 0,
        Severity::Warning => counts.warnings > 0,
    }
}

/// A number of lines that is not known counts as too many.
fn exceeds(limit: SizeOver, known: &Known<'_>) -> bool {
    let size = &known.facts.size;
    limit.files.is_some_and(|most| size.files > most)
        || limit.lines.is_some_and(|most| size.lines.is_none_or(|lines| lines > most))
}

fn author_is(when: &When, known: &Known<'_>) -> Result<bool, Vec<String>> {
    if when.author.is_empty() {
        return Ok(true);
    }
    let Some(author) = &known.facts.author else {
        return Err(vec![
            "the account that opened the pull request is gone, so nobody can say whether the rule applies: open the change \
             again as a new pull request"
                .to_owned(),
        ]);
    };
    let whom = Whom::of(&when.author, known);
    match whom.named(author) {
        Named::Yes => Ok(true),
        Named::No | Named::Invited if whom.problems.is_empty() => Ok(false),
        Named::No | Named::Invited => Err(whom.problems),
        Named::Unknown(unsure) => {
            let mut doubts = Doubts::default();
            doubts.add(unsure, &author.login);
            Err(doubts.sentences(known.places))
        }
    }
}
