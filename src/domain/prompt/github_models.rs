//! The `.prompt.yml` format: GitHub Models' keys and our metadata. Knows no file system.

use super::metadata;
use super::parameters;
use super::template::Template;
use super::{Body, Message, Prompt, Role, Vars, stem};
use crate::domain::diagnostic::{Diagnostic, Location, Parsed};
use crate::domain::evaluator::Evaluator;
use crate::domain::evaluator_syntax::{self, read_model};
use crate::domain::node::{Kind, Node};
use crate::domain::reader::{Fields, Reader, Unknown, suggestion};
use crate::domain::source::Source;
use crate::domain::yaml;

/// Keys of a prompt file.
pub(in crate::domain) const KEYS: [&str; 17] = [
    "name",
    "description",
    "model",
    "modelParameters",
    "messages",
    "responseFormat",
    "jsonSchema",
    "testData",
    "evaluators",
    "version",
    "owner",
    "useCase",
    "variables",
    "exampleOutput",
    "goldenSet",
    "tags",
    "tools",
];

/// Keys of a message.
pub(in crate::domain) const MESSAGE: [&str; 2] = ["role", "content"];
/// Roles of a message, in any case.
pub(in crate::domain) const ROLES: [&str; 3] = ["system", "user", "assistant"];

/// Reads the file.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse(source: Source<'_>) -> Result<Parsed<Prompt>, Vec<Diagnostic>> {
    let node = yaml::parse(&source).map_err(|error| vec![*error])?;
    let mut reader = Reader::new(source);
    let prompt = read(&mut reader, &node);
    reader.finish(prompt)
}

/// `None` only after an error was recorded; a value beside recorded errors is thrown away by [`Reader::finish`].
fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Prompt> {
    if matches!(node.kind, Kind::Null) {
        reader.error(
            "empty-file",
            Location::START,
            "the prompt file is empty",
            "add `messages` with a role and a content",
        );
        return None;
    }
    let fields = reader.fields(node, "a prompt file", &KEYS, Unknown::Warned)?;
    let messages = messages(reader, &fields).map(Body::Messages);
    read_fields(reader, &fields, messages)
}

/// Reads all keys but `messages`, whose place `body` takes; `None` for an error that was recorded.
pub(super) fn read_fields(reader: &mut Reader<'_>, fields: &Fields<'_>, body: Option<Body>) -> Option<Prompt> {
    let path = reader.source.path;
    let name = fields.read(reader, "name", Reader::words).unwrap_or_else(|| stem(path).to_owned());
    let description = fields.read(reader, "description", Reader::text);
    let model = fields.read(reader, "model", read_model);
    let parameters = fields.read(reader, "modelParameters", parameters::read_parameters).unwrap_or_default();
    let response_format = parameters::read_response_format(reader, fields).unwrap_or_default();
    let metadata = metadata::read(reader, fields);
    let test_data = fields.read(reader, "testData", test_data).unwrap_or_default();
    let (evaluators, evaluator_variables) = evaluators(reader, fields);
    let tools = fields.read(reader, "tools", parameters::read_tools).unwrap_or_default();
    let mut prompt = Prompt::new(path.clone(), name, body?);
    prompt.description = description;
    prompt.model = model;
    prompt.parameters = parameters;
    prompt.response_format = response_format;
    metadata.give(&mut prompt);
    prompt.golden_set_at = fields.get("goldenSet").map(|node| node.at);
    prompt.test_data = test_data;
    prompt.evaluators = evaluators;
    prompt.evaluator_variables = evaluator_variables;
    prompt.tools = tools.into();
    Some(prompt)
}

fn messages(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Vec<Message>> {
    let Some(node) = fields.get("messages") else {
        reader.error(
            "missing-key",
            fields.at,
            "a prompt file needs `messages`",
            "add a message with a role and a content",
        );
        return None;
    };
    let items = reader.list(node, "messages")?;
    if items.is_empty() {
        reader.error("empty-list", node.at, "`messages` is empty", "add a message with a role and a content");
        return None;
    }
    // Each message is read even if one before it is wrong, so that all errors are told at once.
    let read: Vec<_> = items.iter().map(|item| message(reader, item)).collect();
    read.into_iter().collect()
}

fn message(reader: &mut Reader<'_>, item: &Node) -> Option<Message> {
    let fields = reader.fields(item, "a message", &MESSAGE, Unknown::Warned)?;
    let (Some(role), Some(content)) = (fields.get("role"), fields.get("content")) else {
        let missing = if fields.get("role").is_none() { "role" } else { "content" };
        reader.error("missing-key", item.at, format!("a message needs `{missing}`"), "add it");
        return None;
    };
    let role = read_role(reader, role);
    let text = reader.text(content, "content")?;
    let content_template = Template::located(&text, reader.source.from_line(content.at.line), content.at);
    Some(Message { role: role?, content: content_template, location: Some(content.at) })
}

fn read_role(reader: &mut Reader<'_>, node: &Node) -> Option<Role> {
    let text = reader.text(node, "role")?;
    match text.to_ascii_lowercase().as_str() {
        "system" => Some(Role::System),
        "user" => Some(Role::User),
        "assistant" => Some(Role::Assistant),
        _ => {
            let help = suggestion(&text, &ROLES);
            reader.error("unknown-role", node.at, format!("unknown message role `{text}`"), help);
            None
        }
    }
}

fn test_data(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<(Vars, u32)>> {
    let items = reader.list(node, what)?;
    let read = items.iter().filter_map(|item| {
        let entries = reader.map(item, "a test case")?;
        let vars = entries.iter().map(|(key, value)| (key.name.to_string(), value.to_value())).collect();
        Some((vars, item.at.line))
    });
    Some(read.collect())
}

fn evaluators(reader: &mut Reader<'_>, fields: &Fields<'_>) -> (Vec<Evaluator>, Vec<(String, Location)>) {
    let written = fields.get("evaluators").map(|node| evaluator_syntax::read_list(reader, node, Unknown::Warned));
    let mut variables = Vec::new();
    let mut evaluators = Vec::new();
    for written in written.unwrap_or_default() {
        let at = written.at;
        let Some(evaluator) = evaluator_syntax::compile(reader, written) else { continue };
        variables.extend(evaluator.variables().map(|name| (name.to_owned(), at)));
        evaluators.push(evaluator);
    }
    (evaluators, variables)
}
