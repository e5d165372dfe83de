//! The word-level difference of two texts, as plain lines. Knows no Markdown: the lines are made of visible text.

use std::time::Duration;

use similar::{ChangeTag, DiffOp, TextDiff};

use crate::domain::untrusted::Untrusted;

/// Longer texts are cut before they are compared.
const COMPARED_CHARACTERS: usize = 4_000;

/// Past this, `similar` gives a coarser difference instead of a slow one.
const TIME_OUT: Duration = Duration::from_millis(200);

/// Unchanged lines around a change.
const CONTEXT: usize = 2;

/// What a line of a difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// In both texts.
    Same,
    /// Only in the old one.
    Old,
    /// Only in the new one.
    New,
    /// Stands for lines left out.
    Gap,
}

/// One line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub mark: Mark,
    /// Its text in pieces: whether the words changed, and the words.
    pub pieces: Vec<(bool, String)>,
}

impl Line {
    /// The line as a diff writes it, changed words in `[-…-]` or `{+…+}`; never begins with anything but the mark.
    pub fn marked(&self) -> String {
        let text = self.text();
        match self.mark {
            Mark::Same => format!(" {text}"),
            Mark::Old => format!("-{text}"),
            Mark::New => format!("+{text}"),
            Mark::Gap => " …".to_owned(),
        }
    }

    fn text(&self) -> String {
        let (open, close) = if self.mark == Mark::Old { ("[-", "-]") } else { ("{+", "+}") };
        let shown = |(changed, words): &(bool, String)| match changed {
            true => format!("{open}{words}{close}"),
            false => words.clone(),
        };
        self.pieces.iter().map(shown).collect()
    }
}

/// The difference of two texts; empty when they are equal.
pub fn words(old: &Untrusted<'_>, new: &Untrusted<'_>) -> Vec<Line> {
    let (old, new) = (old.lines(COMPARED_CHARACTERS), new.lines(COMPARED_CHARACTERS));
    if old == new {
        return Vec::new();
    }
    let diff = TextDiff::configure().timeout(TIME_OUT).diff_lines(old.as_str(), new.as_str());
    let mut lines = Vec::new();
    for (place, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if place > 0 || group.first().is_some_and(starts_late) {
            lines.push(Line { mark: Mark::Gap, pieces: Vec::new() });
        }
        for change in group.iter().flat_map(|operation| diff.iter_inline_changes(operation)) {
            let mark = match change.tag() {
                ChangeTag::Equal => Mark::Same,
                ChangeTag::Delete => Mark::Old,
                ChangeTag::Insert => Mark::New,
            };
            lines.push(Line { mark, pieces: emphasised(change.values()) });
        }
    }
    lines
}

fn starts_late(operation: &DiffOp) -> bool {
    operation.old_range().start > 0
}

/// One line's words; neighbours that changed are marked together, the spaces around them stay outside.
fn emphasised(values: &[(bool, &str)]) -> Vec<(bool, String)> {
    let mut runs: Vec<(bool, String)> = Vec::new();
    for (place, (changed, words)) in values.iter().enumerate() {
        let between = words.trim().is_empty() && runs.last().is_some_and(|run| run.0);
        let changed = *changed || (between && values.get(place + 1).is_some_and(|next| next.0));
        match runs.last_mut() {
            Some(run) if run.0 == changed => run.1.push_str(words),
            _ => runs.push((changed, (*words).to_owned())),
        }
    }
    let mut pieces: Vec<(bool, String)> = Vec::new();
    for (changed, words) in runs {
        let inner = words.trim();
        if changed && !inner.is_empty() {
            let start = words.len() - words.trim_start().len();
            pieces.push((false, words[..start].to_owned()));
            pieces.push((true, inner.to_owned()));
            pieces.push((false, words[start + inner.len()..].to_owned()));
        } else {
            pieces.push((false, words));
        }
    }
    if let Some((_, last)) = pieces.last_mut() {
        last.truncate(last.trim_end_matches('\n').len());
    }
    pieces.retain(|(_, words)| !words.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::untrusted::Secrets;

    #[track_caller]
    fn check(old: &str, new: &str, expected: &[&str]) {
        let none = Secrets::default();
        let lines = words(&Untrusted::new(old, &none), &Untrusted::new(new, &none));
        assert_eq!(lines.iter().map(Line::marked).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn changed_words_stand_out_in_their_lines() {
        check(
            "Dear customer,\nI will escalate this to a person.\nKind regards",
            "Dear customer,\nI will resolve this for you.\nKind regards",
            &[
                " Dear customer,",
                "-I will [-escalate-] this [-to a person-].",
                "+I will {+resolve+} this {+for you+}.",
                " Kind regards",
            ],
        );
    }

    #[test]
    fn far_lines_are_left_out() {
        check("1\n2\n3\n4\n5\n6", "1\n2\n3\n4\n5\nsix", &[" …", " 4", " 5", "-6", "+six"]);
    }

    #[test]
    fn equal_texts_have_no_difference() {
        check("same\r\n", "same\n", &[]);
        check("", "new", &["+new"]);
    }
}
