//! Whether a rule applies: its `when` against the facts. Knows nothing of approvals.

use super::When;
use super::decision::Applies;
use super::facts::PullFacts;
use crate::domain::gate::Verdict;
use crate::domain::governed::Patterns;

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
    let patterns = Patterns::new(when.paths.iter().map(String::as_str))
        .map_err(|error| format!("{error}: correct it in the settings on the base branch"))?;
    let mut names = facts.changes.iter().flat_map(|change| std::iter::once(&change.path).chain(&change.previous));
    Ok(names.any(|name| patterns.matches(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn facts(path: &str, previous: Option<&str>) -> PullFacts {
        serde_json::from_value(json!({
            "repo": "acme/prompts", "repo_id": 1, "number": 7, "author": null, "base_branch": "main",
            "base_sha": "a".repeat(40), "head_sha": "b".repeat(40), "is_fork": false,
            "changes": [{ "path": path, "previous": previous, "kind": "prompt" }],
            "content": "0".repeat(64), "content_at": {}, "reviews": [], "commits": [], "caps": [],
            "memberships": [], "permissions": {},
        }))
        .unwrap()
    }

    #[test]
    fn a_folder_is_meant_however_it_is_spelt() {
        let check = |pattern: &str, path, previous, expected| {
            let when = When { paths: vec![pattern.to_owned()], ..When::default() };
            assert_eq!(paths_match(&when, &facts(path, previous)), Ok(expected), "{pattern} {path}");
        };
        for pattern in
            ["prompts/legal/**", "prompts/legal/", "./prompts/legal/**", "/prompts/legal/**", "Prompts/LEGAL/**"]
        {
            check(pattern, "prompts/legal/a.prompt.yml", None, true);
            check(pattern, "prompts/a.prompt.yml", Some("prompts/legal/a.prompt.yml"), true);
            check(pattern, "prompts/a.prompt.yml", None, false);
        }
    }
}
