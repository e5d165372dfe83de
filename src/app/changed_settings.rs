//! A pull request that changes the settings: the new text is validated and tried on its own tests, and decides nothing yet.

use super::control::{self, Control};
use super::files::{Content, Files};
use super::job::JobError;
use super::load::about;
use super::policy;
use super::sides::{Sides, settings_path};
use crate::domain::ids::PromptPath;
use crate::domain::policy_tests::{self, TESTS_PATH};
use crate::domain::settings::Settings;
use crate::domain::settings::difference::difference;
use crate::domain::source::{MAX_FILE_BYTES, too_large};
use crate::github::{Repository, Snapshot};

/// Most rules times tests that are decided for a note: both come from whoever opened the pull request.
const MOST_DECISIONS: usize = 20_000;
/// Most failing tests that are named.
const NAMED: usize = 10;

/// Notes what the pull request does to the settings. It is judged by the old ones.
///
/// # Errors
/// When GitHub cannot be asked.
pub(super) async fn look(
    repository: &Repository,
    head: &Files,
    snapshot: &Snapshot,
    control: &Control,
    sides: &mut Sides,
) -> Result<(), JobError> {
    let path = settings_path()?;
    let folded = path.folded();
    if !snapshot.files.iter().any(|file| file.path.folded() == folded) {
        return Ok(());
    }
    sides.settings_changes.push(format!("{path} changes; the settings of the base branch decide here"));
    match head.read(&path, MAX_FILE_BYTES).await? {
        Content::Bytes(bytes) => match control::parse(repository, &path, &bytes, &control.enforced) {
            Ok(parsed) => {
                sides.settings_changes.extend(difference(&control.settings, &parsed.value));
                sides.findings.extend(parsed.warnings);
                try_tests(head, &parsed.value, sides).await?;
            }
            Err(findings) => sides.findings.extend(findings),
        },
        Content::TooLarge(size) => sides.findings.push(too_large(&path, size, MAX_FILE_BYTES)),
        Content::Missing => sides.settings_changes.push(format!("looser: {path} is removed")),
        Content::Refused(why) => {
            sides.findings.push(about(
                "not-a-regular-file",
                &path,
                format!("the settings are {why}"),
                "links are not followed",
            ));
        }
    }
    Ok(())
}

/// How the new settings fare in the tests that come with them. A note: tests that fail hold nothing.
async fn try_tests(head: &Files, settings: &Settings, sides: &mut Sides) -> Result<(), JobError> {
    let path = PromptPath::parse(TESTS_PATH).map_err(|error| JobError::GiveUp { message: error.to_string() })?;
    let Content::Bytes(bytes) = head.read(&path, MAX_FILE_BYTES).await? else { return Ok(()) };
    let mut tests = match policy_tests::parse(&path, &bytes) {
        Ok(parsed) => parsed.value,
        Err(findings) => {
            sides.findings.extend(findings.into_iter().map(crate::domain::diagnostic::Diagnostic::into_warning));
            return Ok(());
        }
    };
    let rules = settings.policy.rules.len().max(1);
    if rules.saturating_mul(tests.tests.len()) > MOST_DECISIONS {
        sides
            .settings_changes
            .push(format!("{path} holds too many tests to try them here: run `promptops policy test`"));
        return Ok(());
    }
    tests.people.code_owners = policy::code_owners(head).await?;
    let outcomes = policy_tests::run(&tests, settings).unwrap_or_default();
    let failed: Vec<&str> = outcomes.iter().filter(|one| !one.passed()).map(|one| one.name.as_str()).collect();
    let (all, named) = (outcomes.len(), failed.iter().take(NAMED).map(|name| format!("“{name}”")).collect::<Vec<_>>());
    sides.settings_changes.push(match failed.len() {
        0 => format!("the new settings pass all {all} tests in {path}"),
        count => format!("the new settings fail {count} of {all} tests in {path}: {}", named.join(", ")),
    });
    Ok(())
}
