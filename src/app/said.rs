//! What two sides of a prompt say of the change: its kinds, and what happens to the cases that judge it. Asks nobody.

use super::load::LoadedPrompt;
use super::sides::Sides;
use crate::domain::golden::difference::{SetChange, difference};
use crate::domain::ids::{Digest, PromptPath};
use crate::domain::policy::Change;
use crate::domain::policy::facts::GovernedChange;
use crate::domain::prompt::difference::{metadata_differs, model_differs};

/// What a file can change besides what its name tells.
const KINDS: [Change; 4] = [Change::Model, Change::Metadata, Change::GoldenSet, Change::GoldenSetWeakened];

/// Whose change is noted.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    /// The prompt's path on head, or on base if it is gone.
    pub path: &'a PromptPath,
    /// Its path on base.
    pub previous: &'a PromptPath,
}

impl About<'_> {
    fn note(self, kind: Change, sides: &mut Sides) {
        let previous = (self.path != self.previous).then(|| self.previous.clone());
        sides.said.kinds.push(GovernedChange { path: self.path.clone(), previous, kind });
    }

    /// A side that cannot be read may have changed anything.
    pub(super) fn anything(self, sides: &mut Sides) {
        KINDS.into_iter().for_each(|kind| self.note(kind, sides));
    }

    /// A prompt that is gone asks for nothing any more.
    pub(super) fn removed(self, sides: &mut Sides) {
        sides.set_changes.add([SetChange::prompt_removed(self.path.clone(), self.path)]);
        self.anything(sides);
    }

    /// A prompt that is there, with what it was if it was there before.
    pub(super) fn changed(self, before: Option<&LoadedPrompt>, after: &LoadedPrompt, sides: &mut Sides) {
        let (was, is) = (before.map(|side| &*side.prompt), Some(&*after.prompt));
        if model_differs(was, is) {
            self.note(Change::Model, sides);
        }
        if metadata_differs(was, is) {
            self.note(Change::Metadata, sides);
        }
        let Some(before) = before else { return };
        let changes = set_changes(before, after);
        if is_recast(before, after) || moved(before, after).is_some() {
            self.note(Change::GoldenSet, sides);
        }
        if changes.iter().any(SetChange::weakens) {
            self.note(Change::GoldenSetWeakened, sides);
            // A rule on the folder of the golden sets means those, too.
            for set in [before, after].into_iter().flat_map(|side| &side.golden).map(|set| &set.path) {
                About { path: set, previous: set }.note(Change::GoldenSetWeakened, sides);
            }
        }
        sides.set_changes.add(changes);
    }
}

fn set_changes(before: &LoadedPrompt, after: &LoadedPrompt) -> Vec<SetChange> {
    let moved = moved(before, after);
    let set = after.golden.as_ref().or(before.golden.as_ref()).map(|set| set.path.clone());
    let asked = set.and_then(|set| SetChange::asked(set, before.prompt.trials, after.prompt.trials));
    let differences = difference(before.golden.as_ref(), after.golden.as_ref());
    moved.into_iter().chain(asked).chain(differences).collect()
}

/// Whether the prompt takes its cases from another file; cases within the prompt's own file go where it goes.
fn moved(before: &LoadedPrompt, after: &LoadedPrompt) -> Option<SetChange> {
    let (was, is) = (before.golden.as_ref()?, after.golden.as_ref()?);
    let both_within = was.path == before.prompt.path && is.path == after.prompt.path;
    (was.path != is.path && !both_within).then(|| SetChange::moved(&was.path, &is.path))
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
