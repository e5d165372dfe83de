//! How golden sets change, as much of it as a report tells: what weakens them first. Outside text is in the sentences as it
//! was.

use serde::{Deserialize, Serialize};

use super::Report;
use crate::domain::golden::difference::{SetChange, What};

/// More changes of one kind are not told one by one.
const MOST: usize = 100;

/// The changes of all golden sets of a pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetChanges {
    /// Those by which head may pass more easily.
    weaker: Vec<SetChange>,
    /// All others.
    others: Vec<SetChange>,
    /// Whether there are more of the first.
    more_weaker: bool,
    /// Whether there are more of the second.
    more_others: bool,
}

impl SetChanges {
    /// Adds changes; what another prompt with the same set has told already is told once.
    pub fn add(&mut self, changes: impl IntoIterator<Item = SetChange>) {
        for change in changes {
            let (known, more) = if change.weakens() {
                (&mut self.weaker, &mut self.more_weaker)
            } else {
                (&mut self.others, &mut self.more_others)
            };
            if known.contains(&change) {
                continue;
            }
            if known.len() < MOST { known.push(change) } else { *more = true }
        }
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weaker.is_empty() && self.others.is_empty()
    }

    /// How many changes weaken a set, as far as they are counted, and whether there are more.
    #[must_use]
    pub fn weaker(&self) -> (usize, bool) {
        (self.weaker.len(), self.more_weaker)
    }

    /// One sentence per change, and whether it weakens; those that do come first.
    #[must_use]
    pub fn sentences(&self) -> Vec<(bool, String)> {
        let mut sentences: Vec<(bool, String)> = self.weaker.iter().map(|change| (true, sentence(change))).collect();
        if self.more_weaker {
            sentences.push((true, "and more changes that weaken a golden set".to_owned()));
        }
        sentences.extend(self.others.iter().map(|change| (false, sentence(change))));
        if self.more_others {
            sentences.push((false, "and more changes".to_owned()));
        }
        sentences
    }
}

impl Report {
    /// What else there is to say, one sentence each: the notes, and how golden sets and settings change.
    pub(super) fn sentences(&self) -> Vec<String> {
        let sets = self.set_changes.sentences();
        let marked = sets.into_iter().map(|(weakens, said)| if weakens { format!("Weaker: {said}") } else { said });
        self.notes.iter().cloned().chain(marked).chain(self.settings_changes.iter().cloned()).collect()
    }
}

fn sentence(change: &SetChange) -> String {
    let set = change.set.file_name();
    let (what, decides) = match &change.what {
        What::Added { heavier: false } => ("is new".to_owned(), ""),
        What::Added { heavier: true } => ("is new and outweighs every case that was there".to_owned(), ""),
        What::Removed => ("is removed".to_owned(), "; it goes on deciding"),
        What::Edited(edits) => {
            let mut edits: Vec<_> = edits.iter().collect();
            edits.sort_by_key(|edit| !edit.weakens);
            let edits: Vec<&str> = edits.into_iter().map(|edit| &*edit.said).collect();
            (format!("is edited: {}", edits.join("; ")), "; base's version goes on deciding")
        }
    };
    match (&change.case, &change.what) {
        (Some(case), _) => format!("{set}: case {case} {what}{decides}"),
        (None, What::Edited(edits)) => {
            let edits: Vec<&str> = edits.iter().map(|edit| &*edit.said).collect();
            format!("{set}, every case: {}", edits.join("; "))
        }
        (None, _) => format!("{set}: every case {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PromptPath;

    fn removed(case: &str) -> SetChange {
        let set = PromptPath::parse("p/a.golden.yml").unwrap();
        SetChange { set, case: Some(case.into()), what: What::Removed }
    }

    #[test]
    fn weaker_comes_first_and_the_same_change_is_told_once() {
        let mut changes = SetChanges::default();
        changes.add([SetChange { what: What::Added { heavier: false }, ..removed("n") }, removed("a"), removed("a")]);
        let said = changes.sentences();
        let expected =
            [(true, "a.golden.yml: case a is removed; it goes on deciding"), (false, "a.golden.yml: case n is new")];
        assert_eq!(said, expected.map(|(weakens, said)| (weakens, said.to_owned())));
    }

    #[test]
    fn a_flood_of_harmless_changes_hides_no_weaker_one() {
        let mut changes = SetChanges::default();
        changes.add((0..500).map(|n| SetChange { what: What::Added { heavier: false }, ..removed(&n.to_string()) }));
        changes.add((0..500).map(|n| removed(&n.to_string())));
        assert_eq!(changes.weaker(), (MOST, true));
        let said = changes.sentences();
        assert_eq!(said.len(), 2 * (MOST + 1));
        assert_eq!(said.iter().filter(|(weakens, _)| *weakens).count(), MOST + 1);
    }
}
