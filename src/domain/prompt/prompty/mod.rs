//! Microsoft's `.prompty`, versions 1 and 2: YAML front matter and a Jinja or Mustache text. Knows no file system.

mod inputs;
mod model;
mod mustache;
mod refused;
mod schema;
mod unused;

use std::sync::Arc;

use super::front_matter::{self, FrontMatter};
use super::jinja::{Jinja, Reading};
use super::metadata;
use super::{Attachments, Body, Prompt, Reference};
use crate::domain::diagnostic::{Diagnostic, Parsed};
use crate::domain::ids::PromptPath;
use crate::domain::node::{Kind, Node};
use crate::domain::reader::{Fields, Reader, Unknown};
use crate::domain::source::{MAX_FILE_BYTES, Source};
pub use unused::unused;

const KEYS: [&str; 24] = [
    "$schema",
    "kind",
    "name",
    "displayName",
    "description",
    "metadata",
    "authors",
    "tags",
    "version",
    "model",
    "inputs",
    "inputSchema",
    "outputs",
    "outputSchema",
    "tools",
    "template",
    "sample",
    "base",
    "env",
    // Ours.
    "owner",
    "useCase",
    "exampleOutput",
    "goldenSet",
    "id",
];

/// Reads the file.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse(source: Source<'_>, attached: &Attachments) -> Result<Parsed<Prompt>, Vec<Diagnostic>> {
    let cut = front_matter::split(&source).map_err(|error| vec![*error])?;
    let mut reader = Reader::new(source);
    let prompt = read(&mut reader, &cut, attached);
    reader.finish(prompt)
}

/// The file that `sample` names, unless it was found already.
#[must_use]
pub fn references(path: &PromptPath, bytes: &[u8], attached: &Attachments) -> Vec<Reference> {
    let Ok(source) = Source::read(path, bytes, MAX_FILE_BYTES) else { return Vec::new() };
    let Ok(cut) = front_matter::split(&source) else { return Vec::new() };
    let named = cut.node.get("sample").and_then(|node| inputs::sample_file(path, node));
    let wanted = named.map(Reference::File).filter(|reference| attached.get(reference).is_none());
    wanted.into_iter().collect()
}

/// `None` only after an error was recorded; a value beside recorded errors is thrown away by [`Reader::finish`].
fn read(reader: &mut Reader<'_>, cut: &FrontMatter<'_>, attached: &Attachments) -> Option<Prompt> {
    refused::check(reader, &cut.node);
    if reader.errors() > 0 {
        return None;
    }
    let fields = reader.fields(&cut.node, "a Prompty file", &KEYS, Unknown::Warned)?;
    let is_v1 = is_v1(&fields);
    let name = fields.read(reader, "name", Reader::words);
    let name = name.unwrap_or_else(|| super::stem(reader.source.path).to_owned());
    let model = fields.get("model").map(|node| model::read(reader, node)).unwrap_or_default();
    let inputs = fields.get("inputs").or(fields.get("inputSchema"));
    let inputs = inputs.map(|node| inputs::read(reader, node)).unwrap_or_default();
    let tools = fields.get("tools").or(model.tools).map(|node| schema::tools(reader, node));
    let outputs = fields.get("outputs").or(fields.get("outputSchema")).filter(|_| !is_v1);
    let outputs = outputs.and_then(|node| schema::outputs(reader, node, &name));
    let body = body(reader, &fields, cut, Reading { images: is_v1, media: inputs.media.clone() });
    let sample = inputs::sample(reader, &fields, &inputs, attached);
    let description = fields.read(reader, "description", Reader::text);
    let mut prompt = Prompt::new(reader.source.path.clone(), name, body?);
    prompt.description = description;
    prompt.model = model.id;
    prompt.parameters = model.parameters;
    prompt.response_format = outputs.or(model.format).unwrap_or_default();
    prompt.tools = tools.unwrap_or_default().into();
    prompt.variables = inputs.variables;
    prompt.test_data = sample.into_iter().collect();
    about(reader, &fields, &mut prompt);
    Some(prompt)
}

/// Version 1 says its API or its configuration in `model`, or has a `sample`.
fn is_v1(fields: &Fields<'_>) -> bool {
    let in_model = |key| fields.get("model").is_some_and(|model| model.get(key).is_some());
    in_model("api") || in_model("configuration") || fields.get("sample").is_some()
}

/// What the file says of itself, at its top or under `metadata`.
fn about(reader: &mut Reader<'_>, fields: &Fields<'_>, prompt: &mut Prompt) {
    let below = fields.get("metadata").filter(|node| matches!(node.kind, Kind::Map(_)));
    let find = |key: &str| fields.get(key).or_else(|| below?.get(key));
    prompt.version = find("version").and_then(|node| version(reader, node));
    prompt.tags = find("tags").and_then(|node| reader.texts(node, "tags")).unwrap_or_default();
    prompt.owner = find("owner").and_then(|node| metadata::owner(reader, node, "owner"));
    prompt.use_case = find("useCase").and_then(|node| reader.text(node, "useCase"));
    prompt.example_output = find("exampleOutput").and_then(|node| reader.text(node, "exampleOutput"));
    let golden_set = find("goldenSet");
    prompt.golden_set_at = golden_set.map(|node| node.at);
    prompt.golden_set = golden_set.and_then(|node| metadata::golden_set(reader, node, "goldenSet"));
}

/// A semantic version, perhaps without its last parts; anything else is common in this format and no error.
fn version(reader: &mut Reader<'_>, node: &Node) -> Option<semver::Version> {
    let text = reader.text(node, "version")?;
    let padded = ["", ".0", ".0.0"].iter().find_map(|rest| semver::Version::parse(&format!("{text}{rest}")).ok());
    if padded.is_none() {
        let message = format!("version `{text}` is not a semantic version and is left out");
        reader.warning("ignored-key", node.at, message, "write it as major.minor.patch, for instance 1.0.0");
    }
    padded
}

fn body(reader: &mut Reader<'_>, fields: &Fields<'_>, cut: &FrontMatter<'_>, reading: Reading) -> Option<Body> {
    let language = match fields.get("template") {
        Some(node) => language(reader, node)?,
        None => "jinja2".to_owned(),
    };
    if cut.body.trim().is_empty() {
        let at =
            crate::domain::diagnostic::Location { line: cut.body_line.saturating_sub(1).max(1), column: 1, length: 0 };
        reader.error("empty-body", at, "the prompt has no text", "write it below the front matter");
        return None;
    }
    if language == "mustache" {
        return mustache::read(reader, cut);
    }
    match Jinja::compile(cut.body, cut.body_line, reading) {
        Ok((jinja, remarks)) => {
            for remark in remarks {
                super::roles::tell(reader, cut.body_line, remark);
            }
            Some(Body::Jinja(Arc::new(jinja)))
        }
        Err((at, message)) => {
            let (message, help) = message.rsplit_once(": ").unwrap_or((&message, "correct the template here"));
            reader.error("invalid-template", at, message, help);
            None
        }
    }
}

/// The template language that `template` names, in any of its forms.
fn language(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let part = |key: &str| node.get(key).map(|part| part.get("kind").unwrap_or(part));
    let format = match node.kind {
        Kind::Map(_) => part("format").or_else(|| part("type")),
        _ => Some(node),
    };
    if let Some(parser) = part("parser") {
        let name = reader.text(parser, "parser")?;
        if name != "prompty" {
            let message = format!("the parser `{name}` is not supported");
            reader.error("unsupported-template", parser.at, message, "use `prompty`, or leave `parser` out");
        }
    }
    let Some(format) = format else { return Some("jinja2".to_owned()) };
    let name = reader.text(format, "template")?;
    if !matches!(name.as_str(), "jinja2" | "mustache") {
        let message = format!("the template language `{name}` is not supported");
        reader.error("unsupported-template", format.at, message, "use `jinja2` or `mustache`");
        return None;
    }
    Some(name)
}

#[cfg(test)]
mod tests;
