//! A place in a text that moves forward only, so that all places together cost one pass. Knows no syntax.

use crate::domain::diagnostic::Location;

#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'t> {
    pub(super) rest: &'t str,
    line: u32,
    column: u32,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str, start: Location) -> Self {
        Self { rest: text, line: start.line, column: start.column }
    }

    /// Goes over so many bytes (at most what is left, and never into a character) and gives them.
    pub(super) fn skip(&mut self, bytes: usize) -> &'t str {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        let lines = passed.matches('\n').count();
        let last = passed.rsplit('\n').next().unwrap_or(passed);
        let columns = u32::try_from(last.chars().count()).unwrap_or(u32::MAX);
        if lines > 0 {
            self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
            self.column = columns.saturating_add(1);
        } else {
            self.column = self.column.saturating_add(columns);
        }
        self.rest = rest;
        passed
    }

    pub(super) fn skip_blank(&mut self) {
        self.skip(self.rest.len() - self.rest.trim_start().len());
    }

    /// The place here, with so many characters meant.
    pub(super) fn at(&self, length: usize) -> Location {
        Location { line: self.line, column: self.column, length: u32::try_from(length).unwrap_or(0) }
    }
}
