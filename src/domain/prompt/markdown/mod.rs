//! `.prompt.md`: the keys of `.prompt.yml` but for `messages` as front matter, and a text with role markers. Knows no
//! file system.

use super::Prompt;
use super::front_matter;
use super::github_models;
use super::messages::{self, Preamble};
use crate::domain::diagnostic::{Diagnostic, Parsed};
use crate::domain::reader::{Reader, Unknown};
use crate::domain::source::Source;

/// Reads the file.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse(source: Source<'_>) -> Result<Parsed<Prompt>, Vec<Diagnostic>> {
    let cut = front_matter::split(&source).map_err(|error| vec![*error])?;
    let mut reader = Reader::new(source);
    if let Some(messages) = cut.node.get("messages") {
        let help = "write the messages below the front matter, each after a line such as `user:`";
        reader.error("misplaced-key", messages.at, "`messages` stands in the front matter", help);
    }
    let prompt =
        reader.fields(&cut.node, "the front matter", &github_models::KEYS, Unknown::Warned).and_then(|fields| {
            let body = messages::split(&mut reader, cut.body, cut.body_line, Preamble::UserIfAlone);
            github_models::read_fields(&mut reader, &fields, body)
        });
    reader.finish(prompt)
}

#[cfg(test)]
mod tests;
