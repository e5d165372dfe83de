//! The metadata we add to a prompt file: version, owner, use case, variables and so on. Knows no file system.

use std::collections::BTreeMap;

use super::{Prompt, Variable};
use crate::domain::ids::{Login, PromptPath, TeamSlug};
use crate::domain::node::{Kind, Node};
use crate::domain::reader::{Fields, Reader, Unknown};

/// Keys of a variable.
pub(in crate::domain) const VARIABLE: [&str; 4] = ["description", "required", "default", "example"];

/// What the keys say.
pub(super) struct Metadata {
    pub(super) version: Option<semver::Version>,
    pub(super) owner: Option<String>,
    pub(super) use_case: Option<String>,
    pub(super) variables: BTreeMap<String, Variable>,
    pub(super) example_output: Option<String>,
    pub(super) golden_set: Option<PromptPath>,
    pub(super) tags: Vec<String>,
}

impl Metadata {
    /// Puts it into a prompt.
    pub(super) fn give(self, prompt: &mut Prompt) {
        let Self { version, owner, use_case, variables, example_output, golden_set, tags } = self;
        (prompt.version, prompt.owner, prompt.use_case) = (version, owner, use_case);
        (prompt.variables, prompt.example_output) = (variables, example_output);
        (prompt.golden_set, prompt.tags) = (golden_set, tags);
    }
}

/// Reads the keys out of the file's mapping.
pub(super) fn read(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Metadata {
    Metadata {
        version: fields.read(reader, "version", version),
        owner: fields.read(reader, "owner", owner),
        use_case: fields.read(reader, "useCase", Reader::text),
        variables: fields.read(reader, "variables", variables).unwrap_or_default(),
        example_output: fields.read(reader, "exampleOutput", Reader::text),
        golden_set: fields.read(reader, "goldenSet", golden_set),
        tags: fields.read(reader, "tags", Reader::texts).unwrap_or_default(),
    }
}

pub(super) fn version(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<semver::Version> {
    let text = reader.text(node, what)?;
    let version = semver::Version::parse(&text);
    if let Err(error) = &version {
        let message = format!("version `{text}` is not a semantic version: {error}");
        reader.error("invalid-version", node.at, message, "write it as major.minor.patch, for instance 1.0.0");
    }
    version.ok()
}

pub(super) fn owner(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<String> {
    let text = reader.text(node, what)?;
    let is_valid = text.starts_with('@')
        && if text.contains('/') { TeamSlug::parse(&text).is_ok() } else { Login::parse(&text).is_ok() };
    if !is_valid {
        let message = format!("owner `{text}` is neither a user nor a team");
        reader.error("invalid-owner", node.at, message, "write it as \"@user\" or \"@org/team\"");
    }
    is_valid.then_some(text)
}

fn variables(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<BTreeMap<String, Variable>> {
    let entries = reader.map(node, what)?;
    let read =
        entries.iter().filter_map(|(key, node)| Some((key.name.to_string(), variable(reader, node, &key.name)?)));
    Some(read.collect())
}

/// A mapping, or nothing where the name says all.
fn variable(reader: &mut Reader<'_>, node: &Node, name: &str) -> Option<Variable> {
    if matches!(node.kind, Kind::Null) {
        return Some(Variable::default());
    }
    let what = format!("the variable `{name}`");
    let fields = reader.fields(node, &what, &VARIABLE, Unknown::Warned)?;
    Some(Variable {
        description: fields.read(reader, "description", Reader::text),
        required: fields.read(reader, "required", Reader::flag),
        default: fields.get("default").map(Node::to_value),
        example: fields.get("example").map(Node::to_value),
    })
}

pub(super) fn golden_set(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<PromptPath> {
    let text = reader.words(node, what)?;
    let path = match reader.source.path.sibling(&text) {
        Ok(path) => path,
        Err(error) => {
            let help = "give a path relative to this file, inside the repository";
            reader.error("invalid-path", node.at, format!("`{what}`: {error}"), help);
            return None;
        }
    };
    if crate::domain::golden::Format::of(&path).is_none() {
        let message = format!("`{what}` names `{text}`, which is no golden set format");
        reader.error("unknown-format", node.at, message, "name a .yml, .yaml, .jsonl or .csv file");
        return None;
    }
    Some(path)
}
