//! What a workflow's step measures: base from Git or by GitHub's API, only what the event changes, and nothing of a fork
//! without keys. Knows no runner and prints nothing.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use super::discover::{self, Place};
use super::files::Files;
use super::ground::{self, Ground, Sides};
use super::lint::{self, LintOptions};
use super::local::{Gathered, LocalError, LocalOptions};
use super::plan;
use super::result;
use crate::domain::actions::{Event, FULL_CHECKOUT, PERMISSIONS, TOKEN_INPUT};
use crate::domain::diagnostic::Severity;
use crate::domain::ids::{CommitSha, ModelId, PromptPath};
use crate::domain::report::{Outcome, Report, TextChange};
use crate::domain::settings::SETTINGS_PATH;
use crate::git::{GitError, TreeFile};
use crate::github::{ChangedFile, GithubError, Repository};

/// What the step is asked for.
#[derive(Debug)]
pub struct ActionOptions {
    /// As on the command line; `base` is what the workflow names, which goes before the event's.
    pub local: LocalOptions,
    /// What started the workflow.
    pub event: Event,
    /// The commit that the workflow runs for.
    pub sha: Option<CommitSha>,
    /// The folder that checkouts go to.
    pub workspace: Option<PathBuf>,
    /// The repository by the job's token, where there is one.
    pub repository: Option<Repository>,
}

/// What the step stands on.
#[derive(Debug)]
pub struct Standing {
    /// Both sides.
    pub ground: Ground,
    /// What is worth knowing about them, one sentence each.
    pub notes: Vec<String>,
    /// Whether the checkout holds the base branch or something else, so that it shows nothing of the change.
    pub is_elsewhere: bool,
}

/// Finds both sides.
///
/// # Errors
/// When base is neither in the checkout nor to be had from GitHub, with what to add to the workflow.
pub async fn stand(options: &ActionOptions) -> Result<Standing, LocalError> {
    let ActionOptions { local, event, .. } = options;
    let mut place = discover::place(&local.folder, &local.paths).await?;
    let workspace = options.workspace.as_ref().filter(|workspace| local.folder.starts_with(workspace));
    if let (None, Some(workspace)) = (&place.repository, workspace) {
        // Without Git only the runner says what paths are relative to.
        place.root.clone_from(workspace);
    }
    let head = committed(&place).await?;
    let all = head.paths().into_iter().cloned().collect();
    let alone = Sides { base: None, head, renames: HashMap::new() };
    let mut ground = Ground { place, sides: alone, base: None, head: None, all, changed: None, is_gate: true };
    let mut notes = Vec::new();
    let is_elsewhere = match (&ground.place.repository, event.pull()) {
        // Its checkout is a base branch unless the workflow names another, and the event's base may be an older one.
        (Some(repository), Some(pull)) if pull.has_secrets => !repository.brings(&pull.head).await?,
        (Some(repository), Some(pull)) => repository.resolve("HEAD").await.is_ok_and(|head| head == pull.base),
        _ => false,
    };
    match (local.base.as_deref(), event.base()) {
        (Some(named), _) => against(options, &mut ground, named, &mut notes).await?,
        (None, Some(base)) => against(options, &mut ground, base.as_str(), &mut notes).await?,
        (None, None) => notes.push(match event {
            Event::Push(_) => "The branch is new, so there is nothing to compare with: all prompts were measured.".to_owned(),
            Event::Other(name) => format!(
                "The event {name} names nothing to compare with: all prompts were measured. The input base names a revision."
            ),
            _ => "This event names nothing to compare with: all prompts were measured.".to_owned(),
        }),
    }
    if !matches!(event, Event::Pull(_) | Event::Push(_) | Event::MergeGroup(_)) {
        ground.changed = None;
    }
    let path = PromptPath::parse(SETTINGS_PATH).map_err(|error| LocalError::Input(error.to_string()))?;
    if ground.sides.base.as_ref().is_some_and(|base| !base.exists(&path)) && ground.sides.head.exists(&path) {
        notes.push(
            "The settings that this change brings decide once they are merged; only the models they name count now."
                .to_owned(),
        );
    }
    Ok(Standing { ground, notes, is_elsewhere })
}

/// Head's files: what is committed, where Git can tell. What other steps left in the folder is none of the change's.
async fn committed(place: &Place) -> Result<Files, LocalError> {
    let Some(repository) = &place.repository else { return Ok(ground::head_side(place, None).await?.0) };
    let mut all = repository.tracked().await?;
    // The index still lists files that were deleted from disk.
    all.retain(|path| place.root.join(path.as_str()).symlink_metadata().is_ok());
    all.sort();
    Ok(Files::Disk { root: place.root.clone(), all, is_closed: true })
}

/// Puts base under the ground: from the checkout where it is there, else from GitHub.
async fn against(
    options: &ActionOptions,
    ground: &mut Ground,
    revision: &str,
    notes: &mut Vec<String>,
) -> Result<(), LocalError> {
    if let Some(repository) = &ground.place.repository {
        match repository.resolve_branch(revision).await {
            Ok(commit) => {
                ground.sides.base = Some(ground::at_commit(repository.clone(), &commit).await?);
                ground.sides.renames = repository.renames(&commit, None).await?;
                ground.changed = Some(repository.changed(&commit).await?);
                ground.base = Some(commit);
                return Ok(());
            }
            Err(GitError::UnknownRevision(..) | GitError::MissingHistory(..) | GitError::NoCommits(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let nowhere = |why: &str| LocalError::Input(base_is_nowhere(revision, why));
    let repository =
        options.repository.as_ref().ok_or_else(|| nowhere("there is no github-token to ask GitHub with"))?;
    let told = |error: GithubError| refused(revision, error);
    let Some(commit) = repository.commit(revision).await.map_err(told)? else {
        if matches!(options.event, Event::Push(_)) && options.local.base.is_none() {
            notes.push(format!(
                "The branch was pushed by force and {} is gone, so there is nothing to compare with: all prompts were measured.",
                revision.get(..7).unwrap_or(revision)
            ));
            return Ok(());
        }
        return Err(nowhere("GitHub knows no such revision"));
    };
    let tree = repository.tree(&commit).await.map_err(told)?;
    if tree.truncated {
        return Err(nowhere("the repository has more files than GitHub lists"));
    }
    let head = options.event.pull().map(|pull| &pull.head).or(options.sha.as_ref());
    let changes = match head {
        Some(head) => repository.changes(&commit, head).await.map_err(told)?,
        None => None,
    };
    if changes.is_none() {
        notes.push("GitHub does not list all files that change, so all prompts were measured.".to_owned());
    }
    ground.sides.renames = changes.iter().flatten().filter_map(renamed).collect();
    ground.changed = changes.map(|files| names(&files));
    if let (Some(here), Some(changed)) = (&ground.place.repository, &mut ground.changed)
        && here.parents().await?.contains(&commit)
    {
        // What is checked out is the merge: all that differs from base is what it brings, whatever the branches share.
        let merged = here.tree(&here.resolve("HEAD").await?).await?;
        let differs = |file: &TreeFile| tree.entries.get(&file.path).is_none_or(|entry| entry.sha != file.blob);
        changed.extend(merged.into_iter().filter(differs).map(|file| file.path));
    }
    ground.sides.base = Some(Files::Remote { repository: repository.clone(), tree: tree.entries });
    ground.base = Some(commit);
    Ok(())
}

fn renamed(file: &ChangedFile) -> Option<(PromptPath, PromptPath)> {
    Some((file.path.clone(), file.previous.clone().filter(|_| file.status == "renamed")?))
}

/// A rename counts under both names.
fn names(files: &[ChangedFile]) -> BTreeSet<PromptPath> {
    files.iter().flat_map(|file| file.previous.iter().chain([&file.path])).cloned().collect()
}

fn base_is_nowhere(revision: &str, why: &str) -> String {
    format!(
        "base {revision} is not in this checkout, and {why}; check out with full history:\n{FULL_CHECKOUT}or give the step \
         a token that may read the repository:\n{TOKEN_INPUT}"
    )
}

/// What GitHub's refusal means to whoever wrote the workflow.
fn refused(revision: &str, error: GithubError) -> LocalError {
    match error {
        GithubError::Unauthorized { .. } => {
            LocalError::Input(base_is_nowhere(revision, "GitHub does not accept the github-token"))
        }
        GithubError::NotFound { .. } | GithubError::Forbidden { .. } => LocalError::Input(format!(
            "{}or let the job's token read it:\n{PERMISSIONS}",
            base_is_nowhere(revision, "the github-token may not read the repository's contents")
        )),
        other => LocalError::World(other.to_string()),
    }
}

/// The models that a run asks.
///
/// # Errors
/// When nothing can be planned.
pub fn models(gathered: &Gathered, overrides: &plan::Overrides) -> Result<Vec<ModelId>, LocalError> {
    let plan = plan::plan(&gathered.pairs, &gathered.settings, overrides).map_err(LocalError::Findings)?;
    Ok(result::asked(&plan).into_iter().cloned().collect())
}

/// What is said of a change that is looked at without a model: what lint finds, and how the texts change.
///
/// # Errors
/// When a file cannot be read now.
pub async fn without_models(
    options: &LocalOptions,
    ground: &Ground,
    gathered: &Gathered,
    message: String,
) -> Result<Report, LocalError> {
    let lint = LintOptions {
        folder: options.folder.clone(),
        paths: options.paths.clone(),
        base: None,
        settings: options.settings.clone(),
    };
    let linted = lint::lint_on(&lint, ground).await?;
    let mut report = gathered.report(Outcome::NeedsPerson { message });
    report.diagnostics = linted.files.into_iter().chain(linted.rules).collect();
    let errors = report.diagnostics.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = report.diagnostics.len() - errors;
    report.notes.push(format!(
        "Done without a model: lint ({} looked at, errors: {errors}, warnings: {warnings}) and the difference of the texts.",
        linted.prompts
    ));
    report.notes.extend(linted.notes);
    report.not_run = gathered
        .pairs
        .iter()
        .map(|pair| TextChange {
            path: pair.path.clone(),
            old: pair.base.as_ref().map(|base| base.prompt.body.source()).unwrap_or_default(),
            new: pair.head.prompt.body.source(),
        })
        .collect();
    Ok(report)
}
