//! Golden sets in JSONL: one case per line, read line by line so that a large set is never held twice.

use super::GoldenSet;
use super::json_line;
use super::raw::Builder;
use super::yaml::read_case;
use crate::domain::diagnostic::Location;
use crate::domain::prompt::Prompt;
use crate::domain::reader::Reader;

/// Reads the file. `None` only after an error was recorded.
pub(super) fn read(reader: &mut Reader<'_>, prompt: &Prompt) -> Option<GoldenSet> {
    let mut builder = Builder::new(reader, &prompt.evaluators, Vec::new());
    for (number, line) in (1..).zip(reader.source.text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let raw = match json_line::parse(number, line) {
            Ok(node) => read_case(reader, &node),
            Err(error) => {
                reader.error(error.code, error.at, error.message, error.help);
                None
            }
        };
        match raw {
            Some(raw) => builder.push(reader, raw),
            None => builder.skip(),
        }
    }
    builder.finish(reader, Location::START, "write one case per line as a JSON object")
}
