//! Everything parsing finds in settings, prompts and golden sets, without a model. Decides nothing.

use std::collections::HashSet;

use super::discover;
use super::load::about;
use super::local::{self, LocalError, LocalOptions};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::governed::{Governed, golden_siblings};
use crate::domain::ids::PromptPath;
use crate::domain::policy::Change;
use crate::domain::settings::Settings;

/// What was looked at, and what was found.
#[derive(Debug)]
pub struct Linted {
    /// How many prompts were read.
    pub prompts: usize,
    /// Errors and warnings: settings first, then in file order.
    pub findings: Vec<Diagnostic>,
}

/// Reads the settings, the prompts that `options` mean, and their golden sets.
///
/// # Errors
/// When something named is not there.
pub async fn lint(options: &LocalOptions) -> Result<Linted, LocalError> {
    let place = discover::place(&options.folder, &options.paths).await?;
    let (files, _, all) = local::head_side(&place, options.head.as_deref()).await?;
    let mut findings = Vec::new();
    let settings = match local::settings_of(None, &files, &mut findings).await {
        Err(LocalError::Findings(found)) => {
            findings.extend(found);
            Settings::default()
        }
        other => other?,
    };
    let governed = Governed::new(&settings).map_err(|error| LocalError::Input(error.to_string()))?;
    let prompts = discover::select(&options.folder, &place, &options.paths, &all, &governed)?;
    let mut used: HashSet<PromptPath> = prompts.iter().flat_map(golden_siblings).collect();
    for path in &prompts {
        for loaded in local::load_side(&files, path, &mut findings).await? {
            findings.extend(governed.check_golden_set(&loaded.prompt));
            findings.extend(loaded.warnings);
            used.extend(loaded.attached);
            match loaded.golden {
                Some(set) => {
                    used.insert(set.path);
                }
                None => findings.push(local::no_golden_set(path).into_warning()),
            }
        }
    }
    if options.paths.is_empty() {
        let sets = all.iter().filter(|path| governed.classify(path) == Some(Change::GoldenSet));
        findings.extend(sets.filter(|set| !used.contains(*set)).map(unused));
    }
    Ok(Linted { prompts: prompts.len(), findings })
}

/// The finding for a golden set that tests nothing.
fn unused(set: &PromptPath) -> Diagnostic {
    let message = "no prompt uses this golden set".to_owned();
    about("unused-golden-set", set, message, "name it after its prompt, or name it in the prompt's `goldenSet`")
        .into_warning()
}
