//! Where things stand in a text: lines and columns of a range, of a key, of words, and the lines that a change brings.
//! Knows no format and no rule.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::domain::diagnostic::Location;

/// Past this, `similar` gives a coarser difference instead of a slow one: more lines count as changed.
const TIME_OUT: Duration = Duration::from_millis(500);

/// Turns ranges of a text that come in order into places, in one walk over it.
#[derive(Debug)]
pub struct Places<'t> {
    text: &'t str,
    line: u32,
    /// Where the line starts.
    start: usize,
}

impl<'t> Places<'t> {
    /// The places of a text.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self { text, line: 1, start: 0 }
    }

    /// The place of a range that starts no earlier than the one before; its length is that on its first line.
    pub fn of(&mut self, range: &Range<usize>) -> Location {
        let between = self.text.get(self.start..range.start).unwrap_or("");
        if let Some(last) = between.rfind('\n') {
            self.line += number(between.matches('\n').count());
            self.start += last + 1;
        }
        let before = self.text.get(self.start..range.start).unwrap_or("");
        let meant = self.text.get(range.clone()).and_then(|meant| meant.lines().next()).unwrap_or("");
        Location {
            line: self.line,
            column: number(before.chars().count()) + 1,
            length: number(meant.chars().count()).max(1),
        }
    }
}

/// The place of the first line that gives a key its value, wherever it is nested.
#[must_use]
pub fn key(text: &str, name: &str) -> Option<Location> {
    text.lines().enumerate().find_map(|(before, line)| {
        let inner = line.trim_start().trim_start_matches("- ").trim_start();
        let column = line.chars().count() - inner.chars().count() + 1;
        let bare = inner.trim_start_matches(['"', '\'']);
        let rest = bare.strip_prefix(name)?.trim_start_matches(['"', '\'', '?']);
        let is_key = rest.trim_start().starts_with(':') || rest.starts_with('(') && rest.contains("):");
        is_key.then(|| Location {
            line: number(before) + 1,
            column: number(column),
            length: number(name.chars().count()),
        })
    })
}

/// The place of the first line from `first` on that holds these words, as they are written.
#[must_use]
pub fn words(text: &str, first: u32, words: &str) -> Option<Location> {
    let skipped = (first as usize).saturating_sub(1);
    text.lines().enumerate().skip(skipped).find_map(|(before, line)| {
        let at = line.find(words)?;
        let column = number(line.get(..at)?.chars().count()) + 1;
        Some(Location { line: number(before) + 1, column, length: number(words.chars().count()) })
    })
}

/// The start of a line.
#[must_use]
pub fn line(line: u32) -> Location {
    Location { line, column: 1, length: 0 }
}

/// The lines of head that base does not have.
#[must_use]
pub fn changed_lines(base: &str, head: &str) -> BTreeSet<u32> {
    if base == head {
        return BTreeSet::new();
    }
    let diff = TextDiff::configure().timeout(TIME_OUT).diff_lines(base, head);
    let inserted = diff.iter_all_changes().filter(|change| change.tag() == ChangeTag::Insert);
    inserted.filter_map(|change| change.new_index()).map(|index| number(index) + 1).collect()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, column: u32, length: u32) -> Location {
        Location { line, column, length }
    }

    #[test]
    fn ranges_are_told_by_line_and_character() {
        let text = "äö b\n\nü cd\nef";
        let mut places = Places::new(text);
        let mut of =
            |words: &str| places.of(&text.match_indices(words).map(|(at, _)| at..at + words.len()).next().unwrap());
        assert_eq!([of("b"), of("cd"), of("cd\nef"), of("ef")], [at(1, 4, 1), at(3, 3, 2), at(3, 3, 2), at(4, 1, 2)]);
    }

    #[test]
    fn keys_are_found_where_they_are_nested() {
        let text = "name: a\nvariables:\n  \"order\": { }\n  customer_id?: string\n  tags(array): string\n";
        assert_eq!(key(text, "order"), Some(at(3, 3, 5)));
        assert_eq!(key(text, "customer_id"), Some(at(4, 3, 11)));
        assert_eq!(key(text, "tags"), Some(at(5, 3, 4)));
        assert_eq!(key(text, "customer"), None);
    }

    #[test]
    fn words_are_found_from_a_line_on() {
        assert_eq!(words("TODO\nx\n- TODO y", 2, "TODO"), Some(at(3, 3, 4)));
        assert_eq!(words("TODO", 9, "TODO"), None);
    }

    #[test]
    fn lines_that_a_change_brings_are_those_that_base_lacks() {
        let lines = |base: &str, head: &str| changed_lines(base, head).into_iter().collect::<Vec<_>>();
        assert_eq!(lines("a\nb\nc\n", "a\nx\nb\nc\ny\n"), [2, 5]);
        assert_eq!(lines("a\n", "a\n"), [0; 0]);
        assert_eq!(lines("", "a\nb"), [1, 2]);
    }
}
