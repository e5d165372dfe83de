//! Inputs of a Prompty file as variables, and its sample as one case. Knows no file system: files are handed in.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::diagnostic::Diagnostic;
use crate::domain::ids::PromptPath;
use crate::domain::node::{Kind, Node};
use crate::domain::prompt::{Attachments, Variable, Vars};
use crate::domain::reader::{Fields, Reader, Unknown};
use crate::domain::source::{MAX_FILE_BYTES, Source};
use crate::domain::yaml;

/// What `inputs` declares.
#[derive(Default)]
pub(super) struct Inputs {
    pub(super) variables: BTreeMap<String, Variable>,
    /// Inputs that are the address of an image.
    pub(super) media: BTreeSet<String>,
    line: u32,
}

const KEYS: [&str; 17] = [
    "name",
    "kind",
    "type",
    "description",
    "required",
    "default",
    "example",
    "sample",
    "enumValues",
    "enum",
    "title",
    "strict",
    "items",
    "properties",
    "value",
    "allowOther",
    "json_schema",
];

/// Reads a mapping of names, a list of named items, or either under `properties`.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Inputs {
    let mut inputs = Inputs { line: node.at.line, ..Inputs::default() };
    let listed = match node.get("properties") {
        Some(inner) if matches!(inner.kind, Kind::List(_) | Kind::Map(_)) => inner,
        _ => node,
    };
    match &listed.kind {
        Kind::Map(entries) => entries.iter().for_each(|(key, node)| input(reader, &key.name, node, &mut inputs)),
        Kind::Null => {}
        _ => {
            for item in reader.list(listed, "inputs").unwrap_or_default() {
                match item.get("name") {
                    Some(name) => {
                        if let Some(name) = reader.words(name, "name") {
                            input(reader, &name, item, &mut inputs);
                        }
                    }
                    None => reader.error("missing-key", item.at, "an input needs `name`", "add it"),
                }
            }
        }
    }
    inputs
}

fn input(reader: &mut Reader<'_>, name: &str, node: &Node, inputs: &mut Inputs) {
    let mut variable = Variable::default();
    if is_declaration(node) {
        let Some(fields) = reader.fields(node, &format!("the input `{name}`"), &KEYS, Unknown::Warned) else { return };
        if let Some(kind) = fields.get("kind").or(fields.get("type")) {
            match reader.text(kind, "kind").as_deref() {
                Some("image") => drop(inputs.media.insert(name.to_owned())),
                Some(kind_name @ ("thread" | "file" | "audio")) => {
                    let message = format!("the input `{name}` is of kind `{kind_name}`, which is not supported");
                    let help = "write the turns as messages of the prompt, or give a text";
                    reader.error("unsupported-input", kind.at, message, help);
                }
                _ => {}
            }
        }
        variable.description = fields.read(reader, "description", Reader::text);
        variable.required = fields.read(reader, "required", Reader::flag);
        variable.default = fields.get("default").or(fields.get("sample")).map(Node::to_value);
        variable.example = fields.get("example").map(Node::to_value);
    } else if !matches!(node.kind, Kind::Null) {
        variable.default = Some(node.to_value());
    }
    inputs.variables.insert(name.to_owned(), variable);
}

/// A mapping that says something of the input; any other value is its default.
fn is_declaration(node: &Node) -> bool {
    let says = ["kind", "type", "description", "required", "default", "example", "sample", "name"];
    matches!(&node.kind, Kind::Map(entries) if entries.iter().any(|(key, _)| says.contains(&&*key.name))
        && entries.iter().all(|(key, _)| KEYS.contains(&&*key.name)))
}

/// The file that `sample` names, if it names one.
pub(super) fn sample_file(path: &PromptPath, node: &Node) -> Option<PromptPath> {
    let Kind::Text(text) = &node.kind else { return None };
    let is_file = [".json", ".yaml", ".yml"].iter().any(|end| text.ends_with(end)) && !text.contains("${");
    path.sibling(text).ok().filter(|_| is_file)
}

/// The one case that the file holds: its sample, else what its inputs give as examples and defaults.
pub(super) fn sample(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    inputs: &Inputs,
    attached: &Attachments,
) -> Option<(Vars, u32)> {
    let Some(node) = fields.get("sample") else { return from_inputs(inputs) };
    let line = node.at.line;
    let given = match &node.kind {
        Kind::Map(_) => vars_of(node),
        _ => {
            let Some(path) = sample_file(reader.source.path, node) else {
                let message = "`sample` is neither a mapping nor a JSON or YAML file beside this one";
                reader.error("invalid-sample", node.at, message, "write the inputs below it, or the file's name");
                return None;
            };
            if attached.is_unknown() {
                return None;
            }
            match attached.file(&path) {
                Some(bytes) => vars_of(&read_file(reader, &path, bytes)?),
                None => {
                    let message = format!("the sample file `{path}` is not there");
                    reader.error("file-not-found", node.at, message, "add it, or write the inputs below `sample`");
                    return None;
                }
            }
        }
    };
    let mut vars = from_inputs(inputs).map(|(vars, _)| vars).unwrap_or_default();
    for (name, value) in &given {
        vars.insert(name.clone(), value.clone());
    }
    Some((vars, line))
}

fn vars_of(node: &Node) -> Vars {
    match &node.kind {
        Kind::Map(entries) => entries.iter().map(|(key, value)| (key.name.to_string(), value.to_value())).collect(),
        _ => Vars::new(),
    }
}

fn read_file(reader: &mut Reader<'_>, path: &PromptPath, bytes: &[u8]) -> Option<Node> {
    let read = Source::read(path, bytes, MAX_FILE_BYTES).and_then(|source| {
        let node = yaml::parse(&source)?;
        if matches!(node.kind, Kind::Map(_)) {
            return Ok(node);
        }
        let found = Diagnostic::error("invalid-sample", path, "the sample file holds no mapping");
        Err(Box::new(found.with_help("write the inputs by name")))
    });
    read.map_err(|error| reader.push(*error)).ok()
}

/// A value for each input, or nothing where a required one has none.
fn from_inputs(inputs: &Inputs) -> Option<(Vars, u32)> {
    let mut vars = Vars::new();
    for (name, variable) in &inputs.variables {
        match variable.example.as_ref().or(variable.default.as_ref()) {
            Some(value) => drop(vars.insert(name.clone(), value.clone())),
            None if variable.required == Some(false) => {}
            None => return None,
        }
    }
    (!vars.is_empty()).then_some((vars, inputs.line))
}
