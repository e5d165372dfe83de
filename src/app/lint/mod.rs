//! Lint: the same rules for the command line, for `eval` and for pull requests. Reads files; the domain's rules decide.

mod desk;
mod file;
mod neighbours;

pub use desk::{LintOptions, Linted, lint, lint_on};
pub(super) use file::{LintFile, after_run, check, counts, extend};
pub(super) use neighbours::{Known, known};
