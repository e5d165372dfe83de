//! `promptops lint`: everything that parsing and the rules find in settings, prompts and golden sets, without a model.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use super::file::{self, LintFile};
use super::neighbours;
use crate::app::discover;
use crate::app::ground::{self, Ground};
use crate::app::load::{self, LoadedPrompt, about};
use crate::app::local::{self, LocalError};
use crate::app::plan;
use crate::domain::diagnostic::Diagnostic;
use crate::domain::governed::{Governed, golden_siblings};
use crate::domain::ids::PromptPath;
use crate::domain::lint::Config;
use crate::domain::policy::Change;
use crate::domain::settings::Settings;

/// Most prompts that are compared with each other.
const MOST_COMPARED: usize = 50_000;

/// What the user asked for.
#[derive(Debug, Clone)]
pub struct LintOptions {
    /// The folder the command was called in.
    pub folder: PathBuf,
    /// Prompt files, folders or globs.
    pub paths: Vec<String>,
    /// Revision to compare with.
    pub base: Option<String>,
    /// Another settings file than the usual one.
    pub settings: Option<String>,
}

/// What was looked at, and what was found.
#[derive(Debug)]
pub struct Linted {
    /// How many prompts were read.
    pub prompts: usize,
    /// What is wrong with the files themselves: settings first, then in file order. Errors make them unusable.
    pub files: Vec<Diagnostic>,
    /// What rules find in those that can be used.
    pub rules: Vec<Diagnostic>,
    /// What was not looked at.
    pub notes: Vec<String>,
}

/// Reads the settings, the prompts that `options` mean, and their golden sets.
///
/// # Errors
/// When something named is not there.
pub async fn lint(options: &LintOptions) -> Result<Linted, LocalError> {
    lint_on(options, &ground::ground(&options.folder, &options.paths, options.base.as_deref(), None).await?).await
}

/// The same on ground that is known already.
///
/// # Errors
/// As [`lint`].
pub async fn lint_on(options: &LintOptions, ground: &Ground) -> Result<Linted, LocalError> {
    let Ground { place, sides, all, .. } = ground;
    let head = &sides.head;
    let mut found = Linted { prompts: 0, files: Vec::new(), rules: Vec::new(), notes: Vec::new() };
    let both = (sides.base.as_ref(), head);
    let settings_path = ground::settings_path(&options.folder, place, both, options.settings.as_deref())?;
    let settings = match local::settings_on(ground, &settings_path, &mut found.files).await {
        Err(LocalError::Findings(broken)) => {
            found.files.extend(broken);
            Settings::default()
        }
        other => other?,
    };
    let governed = Governed::new(&settings).map_err(|error| LocalError::Input(error.to_string()))?;
    let mut prompts = discover::select(&options.folder, place, &options.paths, all, &governed)?;
    if prompts.is_empty() {
        found.notes.push(discover::none_found(place, all, &settings));
    }
    if let Some(changed) = ground.changed.as_ref().filter(|changed| !changed.contains(&settings_path)) {
        prompts = ground::only_touched(head, prompts, changed).await?;
    }
    let config = Config::new(&settings, false);
    let looked_at: BTreeSet<PromptPath> = prompts.iter().cloned().collect();
    let (known, note) = neighbours::known(head, &governed, looked_at, &config, MOST_COMPARED).await?;
    found.notes.extend(note);
    found.prompts = prompts.len();
    let mut used: HashSet<PromptPath> = prompts.iter().flat_map(golden_siblings).collect();
    for path in &prompts {
        let mut loaded = local::load_side(&sides.head, path, &mut found.files).await?;
        for loaded in &mut loaded {
            found.files.extend(governed.check_golden_set(&loaded.prompt));
            take_stock(loaded, path, &mut used, &mut found.files);
            let open = loaded.golden.as_ref().and_then(|set| plan::unnamed_model(set, &settings));
            file::extend(&mut found.files, open.into_iter().collect());
        }
        let before = match sides.base_of(path) {
            Some((files, path)) => local::load_base(files, path, &mut found.files).await?,
            None => Vec::new(),
        };
        let (head_texts, base_texts) = (load::texts(&loaded), load::texts(&before));
        let (pairs, _) = load::pair_up(before, loaded);
        let checked = file::check(
            &LintFile {
                path,
                head: &head_texts,
                base: &base_texts,
                prompts: pairs.iter().map(|(before, after)| (before.as_ref(), after)).collect(),
                neighbours: known.neighbours(),
            },
            &config,
        );
        file::extend(&mut found.rules, checked.findings);
    }
    if options.paths.is_empty() && ground.changed.is_none() {
        let sets = all.iter().filter(|path| governed.classify(path) == Some(Change::GoldenSet));
        found.files.extend(sets.filter(|set| !used.contains(*set)).map(unused));
    }
    Ok(found)
}

/// Notes the files that a prompt uses, and what its readers warned of.
fn take_stock(
    loaded: &mut LoadedPrompt,
    path: &PromptPath,
    used: &mut HashSet<PromptPath>,
    found: &mut Vec<Diagnostic>,
) {
    found.append(&mut loaded.warnings);
    used.extend(loaded.attached.iter().cloned());
    match &loaded.golden {
        Some(set) => _ = used.insert(set.path.clone()),
        None => found.push(local::no_golden_set(path).into_warning()),
    }
}

/// The finding for a golden set that tests nothing.
fn unused(set: &PromptPath) -> Diagnostic {
    let message = "no prompt uses this golden set".to_owned();
    about("unused-golden-set", set, message, "name it after its prompt, or name it in the prompt's `goldenSet`")
        .into_warning()
}
