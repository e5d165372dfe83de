//! Both sides of a pull request's changed prompts: base's tip, and what a merge would leave. Head is data, never control.

use std::collections::{BTreeMap, BTreeSet};

use super::changed_settings;
use super::control::Control;
use super::files::{Content, Files, FilesError};
use super::guards;
use super::job::JobError;
use super::lint::{self, Known, LintFile};
use super::load::{self, LoadError, LoadedPrompt, about};
use super::local::no_golden_set;
use super::plan::Pair;
use super::said::About;
use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::governed;
use crate::domain::ids::PromptPath;
use crate::domain::lint::Config;
use crate::domain::policy::Change;
use crate::domain::policy::facts::FileFacts;
use crate::domain::prompt::Format;
use crate::domain::report::SetChanges;
use crate::domain::settings::SETTINGS_PATH;
use crate::domain::source::MAX_FILE_BYTES;
use crate::github::{ChangedFile, Repository, Snapshot, TreeEntry};

/// The files of one commit.
type Entries = BTreeMap<PromptPath, TreeEntry>;

/// Most prompts of one pull request that are read and evaluated.
const MAX_PROMPTS: usize = 300;
/// Most prompts that are read to find who uses a changed golden set.
const MAX_SEARCHED: usize = 300;

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
    /// What only waivers of lint allow that head itself brings.
    pub waived_anew: Vec<Diagnostic>,
    /// What the changed files say of themselves.
    pub said: FileFacts,
    /// How golden sets change.
    pub set_changes: SetChanges,
    /// How the settings change, one sentence each.
    pub settings_changes: Vec<String>,
    /// Whatever else people should know.
    pub notes: Vec<String>,
}

/// Loads what the pull request changes.
///
/// # Errors
/// When GitHub cannot be asked.
pub async fn load(repository: &Repository, snapshot: &Snapshot, control: &Control) -> Result<Sides, JobError> {
    let mut sides = read(repository, snapshot, control).await?;
    if sides.findings.iter().any(|finding| finding.severity == Severity::Error) {
        // Where not everything could be read, anything may have changed.
        for file in snapshot.files.iter().filter(|file| control.governed.classify(&file.path).is_some()) {
            let previous = file.previous.as_ref().unwrap_or(&file.path);
            About { path: &file.path, previous }.anything(&mut sides);
        }
    }
    sides.said.kinds.sort();
    sides.said.kinds.dedup();
    Ok(sides)
}

async fn read(repository: &Repository, snapshot: &Snapshot, control: &Control) -> Result<Sides, JobError> {
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
    changed_settings::look(repository, &head, snapshot, control, &mut sides).await?;
    let affected = affected(&head, snapshot, control, &mut sides).await?;
    let paths: BTreeSet<&PromptPath> = affected.iter().map(|(path, _)| path).collect();
    if let Some(finding) = too_many(&paths, "prompts by their golden sets") {
        sides.findings.push(finding);
        return Ok(sides);
    }
    let config = Config::new(&control.settings, true);
    let (known, note) = near_duplicates(&base, &head, control, &affected, &config).await?;
    sides.notes.extend(note);
    let rules = Rules { config, known };
    for (path, previous) in affected {
        load_pair(&base, &head, path, &previous, &rules, &mut sides).await?;
    }
    sides.said.lint = lint::counts(&sides.findings, &sides.waived_anew);
    for pair in &sides.pairs {
        sides.findings.extend(control.governed.check_golden_set(&pair.head.prompt));
    }
    for path in removed_prompts(snapshot, control) {
        sides.notes.push(format!("{path} is removed"));
        About { path: &path, previous: &path }.removed(&mut sides);
        own(&base, &path, &mut sides).await?;
    }
    sides.said.owners.sort();
    sides.said.owners.dedup();
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

pub(super) fn settings_path() -> Result<PromptPath, JobError> {
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

/// What lint goes by.
struct Rules<'c> {
    config: Config<'c>,
    known: Known,
}

/// The other prompts, read only where a prompt itself changes: blobs that nobody asked for cost requests.
async fn near_duplicates(
    base: &Files,
    head: &Files,
    control: &Control,
    affected: &[(PromptPath, PromptPath)],
    config: &Config<'_>,
) -> Result<(Known, Option<String>), JobError> {
    let changed = affected.iter().filter(|(path, previous)| base.id(previous) != head.id(path));
    let looked_at = changed.map(|(path, _)| path.clone()).collect();
    Ok(lint::known(head, &control.governed, looked_at, config, MAX_SEARCHED).await?)
}

async fn load_pair(
    base: &Files,
    head: &Files,
    path: PromptPath,
    previous: &PromptPath,
    rules: &Rules<'_>,
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
    let about = About { path: &path, previous };
    if let (Some(after), true) = (loaded.first(), before.is_empty() && base.exists(previous)) {
        about.anything(sides);
        sides.findings.extend(guards::unreadable_base(base, previous, head, after).await?);
    }
    let (head_texts, base_texts) = (load::texts(&loaded), load::texts(&before));
    let (pairs, gone) = load::pair_all(before, loaded);
    let file = LintFile {
        path: &path,
        head: &head_texts,
        base: &base_texts,
        prompts: pairs.iter().map(|(before, after)| (before.as_ref(), after)).collect(),
        neighbours: rules.known.neighbours(),
    };
    let checked = lint::check(&file, &rules.config);
    lint::extend(&mut sides.findings, checked.findings);
    lint::extend(&mut sides.waived_anew, checked.waived_anew);
    sides.notes.extend(checked.new_waivers);
    for (before, after) in pairs {
        pair(about, before, after, sides);
    }
    for gone in gone {
        sides.notes.push(format!("{} is removed from {path}", gone.prompt.name));
        about.removed(sides);
    }
    Ok(())
}

/// Keeps one prompt's two sides, if either has a golden set.
fn pair(about: About<'_>, before: Option<LoadedPrompt>, after: LoadedPrompt, sides: &mut Sides) {
    sides.findings.extend(after.warnings.iter().cloned());
    let (before, after) = (before.map(LoadedPrompt::with_waivers_only), after.with_waivers_only());
    about.changed(before.as_ref(), &after, sides);
    let path = about.path;
    if after.golden.is_none() && before.as_ref().is_none_or(|side| side.golden.is_none()) {
        sides.findings.push(no_golden_set(path));
        return;
    }
    sides.pairs.push(Pair { path: path.clone(), base: before, head: after });
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
