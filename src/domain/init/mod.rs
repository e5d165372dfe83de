//! The start in a repository: what was found there becomes the files that are missing. Knows no file system: facts in, texts
//! out.

mod example;
mod golden;
mod include;
pub mod manifest;
mod near;
pub mod said;
mod settings;
mod vendors;
mod workflow;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::ids::{ModelId, PromptPath};
use super::policy::Principal;
use super::prompt::{Format, Prompt};
use super::settings::SETTINGS_PATH;

pub use golden::MARK;
pub use near::{is_editors, is_near_miss, is_third_party, renaming};
pub use vendors::keys;

/// The workflow that is written.
pub const WORKFLOW_PATH: &str = ".github/workflows/promptops.yml";
/// Where the documentation is read.
pub(in crate::domain) const DOCS: &str = "https://github.com/promptops/promptops/blob/main/docs";
/// What is asked for where no prompt names a model.
const USUAL_MODEL: &str = "openai/gpt-4o-mini";

/// Where a prompt's cases are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cases {
    /// In a golden set.
    Set {
        /// The file.
        path: PromptPath,
        /// How many.
        count: usize,
    },
    /// In the prompt file itself.
    Inline(usize),
    /// Nowhere.
    None,
}

/// A file that holds a prompt, or several.
#[derive(Debug, Clone)]
pub struct FoundPrompt {
    /// The file.
    pub path: PromptPath,
    /// Its format.
    pub format: Format,
    /// The models it names.
    pub models: Vec<ModelId>,
    /// Its cases.
    pub cases: Cases,
    /// The prompt, unless the file is a config of several.
    pub prompt: Option<Arc<Prompt>>,
}

/// All that was found in a repository.
#[derive(Debug, Default)]
pub struct Found {
    /// Files that can be read, sorted by path.
    pub prompts: Vec<FoundPrompt>,
    /// What is wrong with those that cannot.
    pub broken: Vec<Diagnostic>,
    /// Files that look like prompts and are in no known format.
    pub near: Vec<PromptPath>,
    /// How many prompts of editors were left out.
    pub editors: usize,
    /// A workflow that runs the Action already.
    pub workflow: Option<PromptPath>,
    /// How many prompt files were not looked at since there are too many.
    pub unseen: usize,
}

/// What the person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// Model of prompts that name none; the one used most if absent.
    pub model: Option<ModelId>,
    /// Who approves changes.
    pub team: Option<Principal>,
    /// Whether a workflow is wanted.
    pub workflow: bool,
    /// Whether a starter prompt is wanted where there is none.
    pub example: bool,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Where.
    pub path: PromptPath,
    /// Its content.
    pub text: String,
    /// What it is, for people.
    pub what: String,
}

/// What to write, and what to say besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The files; one that is there already is to be kept.
    pub files: Vec<PlannedFile>,
    /// Sentences about what could not be planned.
    pub notes: Vec<String>,
    /// The vendors' variables that the models used need.
    pub keys: Vec<&'static str>,
    /// A new golden set in which values are made up.
    pub made_up: Option<PromptPath>,
}

impl Found {
    /// The model that most prompts name; of several the first by name.
    #[must_use]
    pub fn usual_model(&self) -> ModelId {
        let mut counts: BTreeMap<&ModelId, usize> = BTreeMap::new();
        for model in self.prompts.iter().flat_map(|prompt| &prompt.models) {
            *counts.entry(model).or_default() += 1;
        }
        let most = counts.values().max().copied();
        let usual = counts.into_iter().find(|(_, count)| Some(*count) == most).map(|(model, _)| model.clone());
        usual.unwrap_or_else(default_model)
    }
}

fn default_model() -> ModelId {
    ModelId::parse(USUAL_MODEL).expect("the constant is a model")
}

/// What to write.
#[must_use]
pub fn plan(found: &Found, choices: &Choices) -> Plan {
    let mut notes = Vec::new();
    let mut sets: Vec<PlannedFile> = Vec::new();
    let mut made_up = None;
    for prompt in &found.prompts {
        let Some(set) = golden::missing(prompt) else { continue };
        match set {
            Ok(set) => {
                if set.made_up && made_up.is_none() {
                    made_up = Some(set.file.path.clone());
                }
                // Two prompts that differ in their endings alone share a set.
                if sets.iter().all(|other| other.path.folded() != set.file.path.folded()) {
                    sets.push(set.file);
                }
            }
            Err(why) => notes.push(why),
        }
    }
    let starts = choices.example && found.prompts.is_empty() && found.broken.is_empty();
    let model = choices.model.clone().unwrap_or_else(|| found.usual_model());
    let example = if starts { example::files(&model) } else { Vec::new() };
    if choices.example && !starts {
        notes.push("No example was written: there are prompts already.".to_owned());
    }
    let mut paths: Vec<&PromptPath> = found.prompts.iter().map(|prompt| &prompt.path).collect();
    paths.extend(found.broken.iter().map(|finding| &finding.path));
    paths.extend(sets.iter().map(|set| &set.path));
    paths.extend(found.prompts.iter().filter_map(|prompt| match &prompt.cases {
        Cases::Set { path, .. } => Some(path),
        Cases::Inline(_) | Cases::None => None,
    }));
    paths.extend(example.iter().map(|file| &file.path));
    let mut models: Vec<ModelId> = found.prompts.iter().flat_map(|prompt| prompt.models.iter().cloned()).collect();
    models.push(model.clone());
    models.sort();
    models.dedup();
    let facts = settings::Facts { paths: &paths, model: &model, models: &models, editors: found.editors > 0 };
    let mut files = file(SETTINGS_PATH, settings::text(&facts, choices.team.as_ref()), "settings");
    files.extend(example);
    files.extend(sets);
    if choices.workflow {
        match &found.workflow {
            Some(there) => notes.push(format!("No workflow was written: `{there}` runs PromptOps already.")),
            None => files.extend(file(WORKFLOW_PATH, workflow::text(&models), "workflow for pull requests")),
        }
    }
    Plan { files, notes, keys: keys(&models), made_up }
}

/// A file at a path of ours.
fn file(path: &str, text: String, what: &str) -> Vec<PlannedFile> {
    PromptPath::parse(path).map(|path| PlannedFile { path, text, what: what.to_owned() }).into_iter().collect()
}

#[cfg(test)]
mod tests;
