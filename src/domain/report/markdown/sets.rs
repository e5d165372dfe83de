//! How golden sets change, in the comment: a line that cannot be left out where one is weakened, then case by case.

use super::folds::fold;
use super::{Block, Keep};
use crate::domain::report::{SetChanges, words};
use crate::domain::untrusted::{Secrets, Untrusted};

/// More lines are counted, not shown.
const SHOWN: usize = 40;

/// Longest line: together they leave room for the prompts' own sections.
const LINE: usize = 300;

pub(super) fn changes(changes: &SetChanges, secrets: &Secrets) -> Vec<Block> {
    if changes.is_empty() {
        return Vec::new();
    }
    let (weaker, more) = changes.weaker();
    let mut blocks = Vec::new();
    if weaker > 0 {
        let at_least = if more { "at least " } else { "" };
        let counted = words::counted(weaker, "change weakens", "changes weaken");
        let text =
            format!("**{at_least}{counted} what judges these prompts.** The base branch's version decides here.\n");
        blocks.push(Block { keep: Keep::Always, text });
    }
    let lines = changes.sentences();
    let line = |(weakens, said): &(bool, String)| {
        let mark = if *weakens { "**weaker:** " } else { "" };
        format!("- {mark}{}\n", Untrusted::new(said, secrets).prose(LINE))
    };
    let mut body: String = lines.iter().take(SHOWN).map(line).collect();
    if let Some(left) = lines.len().checked_sub(SHOWN).filter(|left| *left > 0) {
        body.push_str(&format!("- … and {left} more\n"));
    }
    // Before the prompts' sections: what is left out first is the last.
    let keep = if weaker > 0 { Keep::Section } else { Keep::Fold };
    blocks.push(Block { keep, text: fold("What changes in the golden set", &body) });
    blocks
}
