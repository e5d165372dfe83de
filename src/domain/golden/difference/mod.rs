//! How two golden sets differ, case by case, and whether the new one judges less strictly. What is not known to be harmless
//! counts as weaker. Pure; knows no file and no report.

mod cases;
mod evaluators;
mod plan;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use plan::{PlannedCase, plan_cases};

use super::{Case, GoldenSet};
use crate::domain::ids::PromptPath;

/// More edits of one case are counted, not told.
const MAX_EDITS: usize = 20;
/// Longest text of a file in an edit.
const QUOTED: usize = 60;

/// One case of a golden set and how it changes. Texts of files are in it as they were: renderings escape them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetChange {
    /// The file of the set; base's where head has none.
    pub set: PromptPath,
    /// The case; `None` for what is true of every case that both sides have.
    pub case: Option<Arc<str>>,
    /// How it changes.
    pub what: What,
}

/// How a case changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Only head has it.
    Added {
        /// Whether it weighs more than any case of base, and so drowns them.
        heavier: bool,
    },
    /// Only base has it.
    Removed,
    /// Both have it, and it says something else.
    Edited(Vec<Edit>),
}

/// One thing that is different about a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// What, in words.
    pub said: String,
    /// Whether head may pass more easily for it.
    pub weakens: bool,
}

impl Edit {
    pub(super) fn weaker(said: impl Into<String>) -> Self {
        Self { said: said.into(), weakens: true }
    }

    pub(super) fn harmless(said: impl Into<String>) -> Self {
        Self { said: said.into(), weakens: false }
    }

    fn of(weakens: bool, said: String) -> Self {
        Self { said, weakens }
    }
}

impl SetChange {
    /// Whether head may pass more easily for it.
    #[must_use]
    pub fn weakens(&self) -> bool {
        match &self.what {
            What::Added { heavier } => *heavier,
            What::Removed => true,
            What::Edited(edits) => edits.iter().any(|edit| edit.weakens),
        }
    }

    /// What is true of the set as a whole.
    #[must_use]
    pub fn of_all(set: PromptPath, edits: Vec<Edit>) -> Self {
        Self { set, case: None, what: What::Edited(edits) }
    }

    /// A prompt takes its cases from another file than before. What that does to them is told case by case.
    #[must_use]
    pub fn moved(from: &PromptPath, to: &PromptPath) -> Self {
        let said = format!("the prompt takes its cases from {to} now, no longer from {from}");
        Self::of_all(to.clone(), vec![Edit::harmless(said)])
    }

    /// The prompt is gone, and with it all that its cases asked for.
    #[must_use]
    pub fn prompt_removed(set: PromptPath, prompt: &PromptPath) -> Self {
        Self::of_all(set, vec![Edit::weaker(format!("{prompt} is removed, so that its cases judge nothing any more"))])
    }

    /// How often each case is asked changes with the prompt's file; `None` where the settings say it.
    #[must_use]
    pub fn asked(set: PromptPath, before: Option<u32>, after: Option<u32>) -> Option<Self> {
        let times =
            |trials: Option<u32>| trials.map_or("as the settings say".to_owned(), |trials| format!("{trials} times"));
        let raised = matches!((before, after), (Some(before), Some(after)) if before < after);
        let said = format!("each case is asked {}, before: {}", times(after), times(before));
        (before != after).then(|| Self::of_all(set, vec![Edit::of(!raised, said)]))
    }
}

/// All that differs, in head's order, then what only base has. Edits that all common cases share come first, once.
#[must_use]
pub fn difference(base: Option<&GoldenSet>, head: Option<&GoldenSet>) -> Vec<SetChange> {
    let Some(path) = head.or(base).map(|set| &set.path) else { return Vec::new() };
    let olds: HashMap<&str, &Case> = cases(base).map(|case| (&*case.id, case)).collect();
    let heaviest = cases(base).map(|case| case.weight).fold(1.0, f64::max);
    let mut changes = Vec::new();
    let mut kept: HashMap<&str, usize> = HashMap::new();
    let mut edited: Vec<Vec<Edit>> = Vec::new();
    for case in cases(head) {
        let what = match olds.get(&*case.id) {
            None => What::Added { heavier: case.weight > heaviest },
            Some(old) => {
                kept.insert(&case.id, edited.len());
                edited.push(cases::edits(old, case));
                continue;
            }
        };
        changes.push(SetChange { set: path.clone(), case: Some(case.id.clone()), what });
    }
    let shared = shared(&mut edited);
    let mut all: Vec<SetChange> = Vec::new();
    if !shared.is_empty() {
        all.push(SetChange::of_all(path.clone(), shared));
    }
    for case in cases(head) {
        let edits =
            kept.get(&*case.id).and_then(|place| edited.get_mut(*place)).map(std::mem::take).unwrap_or_default();
        if !edits.is_empty() {
            all.push(SetChange { set: path.clone(), case: Some(case.id.clone()), what: What::Edited(edits) });
        }
    }
    all.append(&mut changes);
    let gone = cases(base).filter(|case| !kept.contains_key(&*case.id));
    all.extend(gone.map(|case| SetChange { set: path.clone(), case: Some(case.id.clone()), what: What::Removed }));
    all
}

fn cases(set: Option<&GoldenSet>) -> std::slice::Iter<'_, Case> {
    set.map_or(&[][..], |set| &set.cases).iter()
}

/// Takes out the edits that every one of several cases has: an evaluator of the set or of the prompt is one change, not one
/// per case.
fn shared(edited: &mut [Vec<Edit>]) -> Vec<Edit> {
    let [first, others @ ..] = &*edited else { return Vec::new() };
    if others.is_empty() {
        return Vec::new();
    }
    let shared: Vec<Edit> =
        first.iter().filter(|edit| others.iter().all(|edits| edits.contains(edit))).cloned().collect();
    if !shared.is_empty() {
        edited.iter_mut().for_each(|edits| edits.retain(|edit| !shared.contains(edit)));
    }
    shared
}

/// A text of a file, cut short and in quotes.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(QUOTED).collect();
    let mark = if short.len() < text.len() { "…" } else { "" };
    format!("“{short}{mark}”")
}
