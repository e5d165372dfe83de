//! Google's dotprompt format, `.prompt`: front matter, a Handlebars template, partials. Knows no file system.

mod details;
mod document;
mod front_matter;
mod messages;
mod partials;
mod picoschema;
mod template;

use std::sync::Arc;

pub use details::Details;
pub use template::Template;

use super::handlebars::{self, Program};
use super::{Attachments, Body, Prompt, Reference, stem};
use crate::domain::diagnostic::{Diagnostic, Location, Parsed};
use crate::domain::ids::PromptPath;
use crate::domain::reader::Reader;
use crate::domain::source::{MAX_FILE_BYTES, Source};
use crate::domain::yaml;

/// Reads the file with the partials that were found for it.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines, then what is wrong with its partials.
pub fn parse(source: Source<'_>, attached: &Attachments) -> Result<Parsed<Prompt>, Vec<Diagnostic>> {
    let document = document::split(&source).map_err(|error| vec![*error])?;
    let path = source.path;
    let mut prompt = Prompt::new(path.clone(), stem(path).to_owned(), Body::Messages(Vec::new()));
    let node = document.front.as_ref().map(|front| {
        // The same lines in the same places, so that the whole file serves for excerpts.
        let padded = Source::read(path, front.as_bytes(), MAX_FILE_BYTES + 1)?;
        yaml::parse(&padded)
    });
    let node = node.transpose().map_err(|error| vec![*error])?;
    let mut reader = Reader::new(source);
    let details = match &node {
        Some(node) => front_matter::read(&mut reader, node, &mut prompt),
        None => Some(Details::default()),
    };
    if document.body.trim().is_empty() {
        let help = "write the prompt's text after the front matter";
        reader.error("empty-file", document.at, "the prompt has no template", help);
        return reader.finish(None);
    }
    let program = handlebars::parse(document.body, document.at).map_err(|error| {
        reader.error("template-syntax", error.at, error.message, error.help);
    });
    let (Ok(program), Some(details)) = (program, details) else { return reader.finish(None) };
    let mut template = Template {
        source: format!("{}\n", document.body.trim_end()),
        lines: lines(document.body, document.at),
        program,
        partials: handlebars::Partials::new(),
        places: Vec::new(),
        details,
    };
    let others = include(&mut reader, &mut template, path, attached);
    template.places = handlebars::places(&template.program, &template.partials);
    prompt.body = Body::Handlebars(Arc::new(template));
    let finished = reader.finish(Some(prompt));
    match finished {
        Ok(parsed) if others.is_empty() => Ok(parsed),
        Ok(_) => Err(others),
        Err(mut errors) => {
            errors.extend(others);
            Err(errors)
        }
    }
}

/// Puts the partials into the template; gives what is wrong with their own files.
fn include(
    reader: &mut Reader<'_>,
    template: &mut Template,
    path: &PromptPath,
    attached: &Attachments,
) -> Vec<Diagnostic> {
    if attached.is_unknown() {
        return Vec::new();
    }
    let found = partials::find(path, &template.program, attached);
    for (name, at) in found.missing {
        let message = format!("partial `{name}` not found");
        let file = name
            .rsplit_once('/')
            .map_or_else(|| format!("_{name}.prompt"), |(folder, base)| format!("{folder}/_{base}.prompt"));
        let help = format!("add `{file}` beside this file or in a folder above it");
        reader.error("partial-not-found", at, message, help);
    }
    if let Some((chain, at)) = partials::endless(&template.program, &found.programs) {
        let message = format!("partials include each other without an end: {chain}");
        reader.error("endless-partials", at, message, "take one of them out of the other");
    }
    for (name, text) in found.texts {
        template.source.push_str(&format!("\n{{{{> {name}}}}}:\n{}\n", text.trim_end()));
    }
    template.partials = found.programs;
    found.errors
}

/// The partials of a `.prompt` file that nobody looked for yet.
#[must_use]
pub fn references(path: &PromptPath, bytes: &[u8], attached: &Attachments) -> Vec<Reference> {
    // What is wrong with the file is said when it is parsed.
    let Some(program) = program(path, bytes) else { return Vec::new() };
    partials::find(path, &program, attached).wanted
}

fn program(path: &PromptPath, bytes: &[u8]) -> Option<Program> {
    let source = Source::read(path, bytes, MAX_FILE_BYTES).ok()?;
    let document = document::split(&source).ok()?;
    handlebars::parse(document.body, document.at).ok()
}

fn lines(body: &str, at: Location) -> (u32, u32) {
    let more = u32::try_from(body.trim_end().matches('\n').count()).unwrap_or(0);
    (at.line, at.line.saturating_add(more))
}

/// The role that dotprompt calls so, if there is one.
pub(super) fn role(name: &str) -> Option<super::Role> {
    messages::role(name)
}

#[cfg(test)]
mod tests;
