//! Both sides of a pull request's changed prompts: base's tip, and what a merge would leave. Head is data, never control.

use std::collections::{BTreeMap, BTreeSet};

use super::control::Control;
use super::files::{Content, Files, FilesError};
use super::guards;
use super::job::JobError;
use super::load::{self, LoadError, LoadedPrompt, about};
use super::local::no_golden_set;
use super::plan::Pair;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::gate::CaseKind;
use crate::domain::golden::GoldenSet;
use crate::domain::golden::difference::plan_cases;
use crate::domain::governed;
use crate::domain::ids::{Digest, PromptPath};
use crate::domain::policy::Change;
use crate::domain::policy::facts::{FileFacts, GovernedChange};
use crate::domain::prompt::Format;
use crate::domain::settings::{self, SETTINGS_PATH};
use crate::domain::source::{MAX_FILE_BYTES, too_large};
use crate::github::{ChangedFile, Repository, Snapshot, TreeEntry};

/// The files of one commit.
type Entries = BTreeMap<PromptPath, TreeEntry>;

/// Most prompts of one pull request that are read and evaluated.
const MAX_PROMPTS: usize = 300;
/// Most prompts that are read to find who uses a changed golden set.
const MAX_SEARCHED: usize = 300;
/// Most changes of golden sets that are named one by one.
const MAX_SET_CHANGES: usize = 100;

/// A file of which nobody can say whether it is part of a prompt.
pub(super) const OVERLOOKED: &str =
    "too many prompt files are made of other files to find out whether this file is part of one";
/// What to do about it.
pub(super) const OVERLOOKED_HELP: &str =
    "let `prompts.include` cover fewer promptfoo configs and prompts with partials";

/// What a pull request changes, loaded.
#[derive(Debug, Default)]
pub struct Sides {
    /// The prompts to evaluate.
    pub pairs: Vec<Pair>,
    /// What is wrong with head's files; any error stops the evaluation.
    pub findings: Vec<Diagnostic>,
    /// What the changed files say of themselves.
    pub said: FileFacts,
    /// How golden sets and settings change, one sentence each.
    pub set_changes: Vec<String>,
    /// Whatever else people should know.
    pub notes: Vec<String>,
}

/// Loads what the pull request changes.
///
/// # Errors
/// When GitHub cannot be asked.
pub async fn load(repository: &Repository, snapshot: &Snapshot, control: &Control) -> Result<Sides, JobError> {
    let mut sides = Sides::default();
    if let Some(finding) = too_many(&changed_prompts(snapshot, control), "prompt files") {
        sides.findings.push(finding);
        return Ok(sides);
    }
    let head_tree = repository.tree(&snapshot.pull.head_sha).await?;
    if head_tree.truncated {
        sides.findings.push(about(
            "truncated-tree",
            &settings_path()?,
            "the repository has more files than GitHub lists, so links cannot be told from files".to_owned(),
            "move the prompts to a repository of their own",
        ));
        return Ok(sides);
    }
    sides.findings.extend(guards::linked_folders(&snapshot.files, &head_tree.entries, &control.governed));
    let merged = merged_tree(&snapshot.base_tree.entries, &head_tree.entries, snapshot);
    sides.findings.extend(guards::same_names(&snapshot.files, &snapshot.base_tree.entries, &merged, &control.governed));
    let base = Files::Remote { repository: repository.clone(), tree: snapshot.base_tree.entries.clone() };
    let head = Files::Remote { repository: repository.clone(), tree: merged };
    changed_settings(&head, snapshot, &mut sides).await?;
    let affected = affected(&head, snapshot, control, &mut sides).await?;
    let paths: BTreeSet<&PromptPath> = affected.iter().map(|(path, _)| path).collect();
    if let Some(finding) = too_many(&paths, "prompts by their golden sets") {
        sides.findings.push(finding);
        return Ok(sides);
    }
    for (path, previous) in affected {
        load_pair(&base, &head, path, &previous, &mut sides).await?;
    }
    for pair in &sides.pairs {
        sides.findings.extend(control.governed.check_golden_set(&pair.head.prompt));
    }
    for path in removed_prompts(snapshot, control) {
        sides.notes.push(format!("{path} is removed"));
        own(&base, &path, &mut sides).await?;
    }
    sides.said.owners.sort();
    sides.said.owners.dedup();
    sides.said.kinds.sort();
    sides.said.kinds.dedup();
    Ok(sides)
}

/// The governed prompt files among the changed ones, by either name.
fn changed_prompts<'a>(snapshot: &'a Snapshot, control: &Control) -> BTreeSet<&'a PromptPath> {
    let named = |file: &'a ChangedFile| {
        [Some(&file.path), file.previous.as_ref()].into_iter().flatten().find(|path| is_prompt(control, path))
    };
    snapshot.files.iter().filter_map(named).collect()
}

/// The error for more prompts than one pull request may bring: without a bound a single one would hold up all others.
fn too_many(prompts: &BTreeSet<&PromptPath>, what: &str) -> Option<Diagnostic> {
    let first = prompts.first().filter(|_| prompts.len() > MAX_PROMPTS)?;
    let message = format!(
        "the pull request changes {} {what}, at most {MAX_PROMPTS} are evaluated at once: split it",
        prompts.len()
    );
    Some(about("too-many-prompts", first, message, "open several pull requests with fewer prompts each"))
}

fn settings_path() -> Result<PromptPath, JobError> {
    PromptPath::parse(SETTINGS_PATH).map_err(|error| JobError::GiveUp { message: error.to_string() })
}

/// Base's tip with the files that the pull request changes: what a merge would leave. A golden set that moved on base only
/// must not look as if head had weakened it.
pub(super) fn merged_tree(base: &Entries, head: &Entries, snapshot: &Snapshot) -> Entries {
    let mut merged = base.clone();
    for file in &snapshot.files {
        if let (Some(previous), "renamed") = (&file.previous, file.status.as_str()) {
            merged.remove(previous);
        }
        match head.get(&file.path) {
            Some(entry) => merged.insert(file.path.clone(), entry.clone()),
            None => merged.remove(&file.path),
        };
    }
    merged
}

/// A pull request that changes the settings gets the new text validated and is judged by the old one.
async fn changed_settings(head: &Files, snapshot: &Snapshot, sides: &mut Sides) -> Result<(), JobError> {
    let path = settings_path()?;
    let folded = path.folded();
    if !snapshot.files.iter().any(|file| file.path.folded() == folded) {
        return Ok(());
    }
    sides.set_changes.push(format!("{path} changes; the settings of the base branch decide here"));
    match head.read(&path, MAX_FILE_BYTES).await? {
        Content::Bytes(bytes) => match settings::parse(&path, &bytes) {
            Ok(parsed) => sides.findings.extend(parsed.warnings),
            Err(findings) => sides.findings.extend(findings),
        },
        Content::TooLarge(size) => sides.findings.push(too_large(&path, size, MAX_FILE_BYTES)),
        Content::Missing => sides.set_changes.push(format!("{path} is removed")),
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

impl From<FilesError> for JobError {
    fn from(error: FilesError) -> Self {
        Self::Retry { message: error.to_string(), after: None }
    }
}

/// The prompts to evaluate, each with its path on base: changed ones, and those whose golden set changed.
async fn affected(
    head: &Files,
    snapshot: &Snapshot,
    control: &Control,
    sides: &mut Sides,
) -> Result<Vec<(PromptPath, PromptPath)>, JobError> {
    let mut affected: Vec<(PromptPath, PromptPath)> = Vec::new();
    let mut sets: BTreeSet<&PromptPath> = BTreeSet::new();
    for file in &snapshot.files {
        match control.governed.classify(&file.path) {
            Some(Change::Prompt) if is_prompt(control, &file.path) && head.exists(&file.path) => {
                affected.push((file.path.clone(), file.previous.clone().unwrap_or_else(|| file.path.clone())));
            }
            Some(Change::GoldenSet) => {
                sets.insert(&file.path);
                sets.extend(&file.previous);
            }
            _ => {}
        }
    }
    made_of_changed(head, snapshot, control, &mut affected, sides);
    if sets.is_empty() {
        return Ok(affected);
    }
    let known: BTreeSet<PromptPath> = affected.iter().map(|(path, _)| path.clone()).collect();
    let others: Vec<PromptPath> =
        head.paths().into_iter().filter(|path| is_prompt(control, path) && !known.contains(*path)).cloned().collect();
    let mut unexplained: BTreeSet<&PromptPath> =
        sets.iter().copied().filter(|set| control.governed.users(set).is_empty()).collect();
    for path in known.iter().chain(&others) {
        for sibling in governed::golden_siblings(path) {
            if sets.contains(&sibling) && !known.contains(path) {
                affected.push((path.clone(), path.clone()));
            }
            unexplained.remove(&sibling);
        }
    }
    affected.sort();
    affected.dedup();
    if let Some(unexplained) = unexplained.first() {
        search(head, &others, &sets, unexplained, &mut affected, sides).await?;
    }
    Ok(affected)
}

/// Adds the prompt files that are made of a changed file. Where too many are made of files to know, that closes the gate.
fn made_of_changed(
    head: &Files,
    snapshot: &Snapshot,
    control: &Control,
    affected: &mut Vec<(PromptPath, PromptPath)>,
    sides: &mut Sides,
) {
    let mut known: BTreeSet<PromptPath> = affected.iter().map(|(path, _)| path.clone()).collect();
    let changed = || snapshot.files.iter().flat_map(|file| file.previous.iter().chain([&file.path]));
    for user in changed().flat_map(|path| control.governed.users(path)) {
        if head.exists(user) && known.insert(user.clone()) {
            affected.push((user.clone(), user.clone()));
        }
    }
    if let Some(path) = control.governed.overlooked(changed()) {
        sides.findings.push(about("too-many-prompts", path, OVERLOOKED.to_owned(), OVERLOOKED_HELP));
    }
}

/// Reads the other prompts to find those that name a changed golden set. Too many close the gate: a set that is weakened
/// unseen would open it for the next change.
async fn search(
    head: &Files,
    others: &[PromptPath],
    sets: &BTreeSet<&PromptPath>,
    unexplained: &PromptPath,
    affected: &mut Vec<(PromptPath, PromptPath)>,
    sides: &mut Sides,
) -> Result<(), JobError> {
    if others.len() > MAX_SEARCHED {
        sides.findings.push(about(
            "too-many-prompts",
            unexplained,
            format!("{} prompts are too many to find out which of them use this file as a golden set", others.len()),
            "call golden sets as their prompts are called (`x.golden.yml` beside `x.prompt.yml`), or let `prompts.include` \
             cover fewer prompts",
        ));
        return Ok(());
    }
    for path in others {
        let Content::Bytes(bytes) = head.read(path, MAX_FILE_BYTES).await? else { continue };
        let Ok(parsed) = crate::domain::prompt::parse(path, &bytes) else { continue };
        if parsed.value.golden_set.as_ref().is_some_and(|set| sets.contains(set)) {
            affected.push((path.clone(), path.clone()));
        }
    }
    affected.sort();
    affected.dedup();
    Ok(())
}

/// Whether a path is a governed prompt file; a file that one is made of is none itself.
fn is_prompt(control: &Control, path: &PromptPath) -> bool {
    control.governed.classify(path) == Some(Change::Prompt) && Format::of(path).is_some()
}

/// Prompts that are gone, or moved to where they are prompts no more.
fn removed_prompts(snapshot: &Snapshot, control: &Control) -> Vec<PromptPath> {
    let gone = |file: &&ChangedFile| file.status == "removed" && is_prompt(control, &file.path);
    let removed = snapshot.files.iter().filter(gone).map(|file| &file.path);
    let moved = snapshot.files.iter().filter(|file| file.status == "renamed" && !is_prompt(control, &file.path));
    let moved = moved.filter_map(|file| file.previous.as_ref()).filter(|path| is_prompt(control, path));
    removed.chain(moved).cloned().collect()
}

async fn load_pair(
    base: &Files,
    head: &Files,
    path: PromptPath,
    previous: &PromptPath,
    sides: &mut Sides,
) -> Result<(), JobError> {
    own(base, previous, sides).await?;
    let before = if base.exists(previous) { base_side(base, previous, sides).await? } else { Vec::new() };
    let loaded = match load::load(head, &path).await {
        Ok(loaded) => loaded,
        Err(LoadError::Input(findings)) => {
            sides.findings.extend(findings);
            return Ok(());
        }
        Err(LoadError::Files(error)) => return Err(error.into()),
    };
    if let (Some(after), true) = (loaded.first(), before.is_empty() && base.exists(previous)) {
        sides.findings.extend(guards::unreadable_base(base, previous, head, after).await?);
    }
    let (pairs, gone) = load::pair_all(before, loaded);
    for (before, after) in pairs {
        pair(&path, before, after, sides);
    }
    for gone in gone {
        sides.notes.push(format!("{} is removed from {path}", gone.prompt.name));
        sides.said.kinds.push(recast(&path));
    }
    Ok(())
}

/// Keeps one prompt's two sides, if either has a golden set.
fn pair(path: &PromptPath, before: Option<LoadedPrompt>, after: LoadedPrompt, sides: &mut Sides) {
    sides.findings.extend(after.warnings.iter().cloned());
    let base_set = before.as_ref().and_then(|side| side.golden.as_ref());
    if after.golden.is_none() && base_set.is_none() {
        sides.findings.push(no_golden_set(path));
        return;
    }
    if let Some(before) = &before {
        set_changes(base_set, after.golden.as_ref(), sides);
        if is_recast(before, &after) {
            sides.said.kinds.push(recast(path));
        }
    }
    sides.pairs.push(Pair { path: path.clone(), base: before, head: after });
}

/// A prompt file that holds its own cases is a golden set too where those change.
fn recast(path: &PromptPath) -> GovernedChange {
    GovernedChange { path: path.clone(), previous: None, kind: Change::GoldenSet }
}

/// Whether what judges the prompt changes with the prompt's own file: its evaluators, or cases that stand in it or in a
/// file it brings along.
fn is_recast(before: &LoadedPrompt, after: &LoadedPrompt) -> bool {
    let definitions = |side: &LoadedPrompt| -> Vec<Digest> {
        side.prompt.evaluators.iter().map(|evaluator| evaluator.definition).collect()
    };
    let decides = |side: &LoadedPrompt| -> Vec<_> {
        let cases = side.golden.iter().filter(|set| set.path == side.prompt.path).flat_map(|set| &set.cases);
        cases
            .map(|case| (case.id.clone(), case.definition, case.must_pass, case.weight.to_bits(), case.cluster.clone()))
            .collect()
    };
    definitions(before) != definitions(after)
        || decides(before) != decides(after)
        || before.prompt.trials != after.prompt.trials
}

/// Notes whom base names as the prompt's owner, if base has the prompt.
async fn own(base: &Files, path: &PromptPath, sides: &mut Sides) -> Result<(), JobError> {
    if base.exists(path) {
        match guards::base_owner(base, path).await? {
            Some(owner) => sides.said.owners.push(owner),
            None => sides.said.unowned.push(path.clone()),
        }
    }
    Ok(())
}

/// Base's version; one that cannot be used is said, and head is measured alone.
async fn base_side(base: &Files, path: &PromptPath, sides: &mut Sides) -> Result<Vec<LoadedPrompt>, JobError> {
    match load::load(base, path).await {
        Ok(loaded) => Ok(loaded),
        Err(LoadError::Input(findings)) => {
            let noted = findings.into_iter().map(|finding| finding.noted("on the base branch").into_warning());
            sides.findings.extend(noted);
            Ok(Vec::new())
        }
        Err(LoadError::Files(error)) => Err(error.into()),
    }
}

fn set_changes(base: Option<&GoldenSet>, head: Option<&GoldenSet>, sides: &mut Sides) {
    for planned in plan_cases(base, head, false) {
        let what = match planned.kind {
            CaseKind::Compared => continue,
            CaseKind::New => "is new",
            CaseKind::Edited => "is edited; base's version goes on deciding",
            CaseKind::Removed => "is removed; it goes on deciding",
        };
        if sides.set_changes.len() == MAX_SET_CHANGES {
            sides.set_changes.push("and more".to_owned());
        }
        if sides.set_changes.len() > MAX_SET_CHANGES {
            return;
        }
        let set = head.or(base).map_or("", |set| set.path.file_name());
        sides.set_changes.push(format!("{set}: case {} {what}", planned.case.id));
    }
}
