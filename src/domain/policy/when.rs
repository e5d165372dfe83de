//! Whether a rule applies: its `when` against the facts. Knows nothing of approvals.

use globset::GlobBuilder;
use unicode_normalization::UnicodeNormalization;

use super::When;
use super::decision::Applies;
use super::facts::PullFacts;
use crate::domain::gate::Verdict;
use crate::domain::ids::PromptPath;

/// Whether the rule applies.
///
/// # Errors
/// A sentence about a pattern that cannot be read, which ends with what to do.
pub(super) fn applies(when: &When, facts: &PullFacts, verdict: Option<Verdict>) -> Result<Applies, String> {
    let on_content = !facts.changes.is_empty() && changes_match(when, facts) && paths_match(when, facts)?;
    Ok(match verdict {
        _ if !on_content => Applies::No,
        _ if when.verdict.is_empty() => Applies::Yes,
        Some(verdict) if when.verdict.contains(&verdict) => Applies::Yes,
        Some(_) => Applies::No,
        // A blocking verdict blocks by itself until its rule is satisfied; one that opens the gate must find the rule waiting.
        None if when.verdict.iter().any(|verdict| !blocks(*verdict)) => Applies::OnceEvaluated,
        None => Applies::No,
    })
}

/// Whether the rule applies under some verdict. A pattern that cannot be read may match anything.
pub(super) fn may_apply(when: &When, facts: &PullFacts) -> bool {
    !facts.changes.is_empty() && changes_match(when, facts) && paths_match(when, facts).unwrap_or(true)
}

/// Whether the verdict holds the merge unless it is waived.
pub(super) fn blocks(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Pass | Verdict::NoRegressionFound => false,
        Verdict::NotMeasured | Verdict::Regression => true,
    }
}

fn changes_match(when: &When, facts: &PullFacts) -> bool {
    when.changes.is_empty() || facts.changes.iter().any(|change| when.changes.contains(&change.kind))
}

/// Both names of a rename count, in the form in which governed paths are compared.
fn paths_match(when: &When, facts: &PullFacts) -> Result<bool, String> {
    if when.paths.is_empty() {
        return Ok(true);
    }
    let names: Vec<String> = facts
        .changes
        .iter()
        .flat_map(|change| std::iter::once(&change.path).chain(&change.previous))
        .map(PromptPath::folded)
        .collect();
    let mut any = false;
    for pattern in &when.paths {
        let folded = pattern.nfkc().collect::<String>().to_lowercase();
        let glob = GlobBuilder::new(&folded).literal_separator(true).build().map_err(|error| {
            format!(
                "the pattern `{pattern}` cannot be read ({}): correct it in the settings on the base branch",
                error.kind()
            )
        })?;
        let matcher = glob.compile_matcher();
        any |= names.iter().any(|name| matcher.is_match(name));
    }
    Ok(any)
}
