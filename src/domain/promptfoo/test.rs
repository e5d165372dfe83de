//! One promptfoo test as it is written, and how a test lies over its defaults. Expands nothing.

use serde_json::Value;

use super::assertion::{self, Assertions};
use super::providers::{self, Judges, names};
use super::refusal::{self, Refusal};
use super::shelf::{self, Shelf, Trouble};
use crate::domain::diagnostic::Location;
use crate::domain::ids::PromptPath;
use crate::domain::node::{Kind, Node};
use crate::domain::policy::Change;
use crate::domain::reader::{Fields, Reader, Unknown};

/// The value of a variable.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum VarValue {
    /// As it stands; a list of texts makes a case of each.
    One(Value),
    /// The contents of several files, each of which makes a case.
    Files(Vec<Value>),
}

/// A test, perhaps a partial one: what is absent comes from what lies below.
#[derive(Debug, Clone, Default)]
pub(super) struct Test {
    /// Which of the config's files it stands in.
    pub file: usize,
    pub at: Option<Location>,
    /// Where the config names that file.
    pub origin: Option<Location>,
    pub id: Option<(String, Location)>,
    pub description: Option<String>,
    pub vars: Vec<(String, VarValue)>,
    pub assertions: Assertions,
    pub threshold: Option<f64>,
    pub prefix: Option<String>,
    pub suffix: Option<String>,
    pub no_expansion: Option<bool>,
    pub no_defaults: Option<bool>,
    pub judges: Option<Judges>,
    pub tags: Vec<String>,
    pub providers: Option<Vec<String>>,
    pub prompts: Option<Vec<String>>,
}

impl Test {
    /// This test over the config's defaults.
    pub fn with_defaults(self, defaults: &Self) -> Self {
        if self.no_defaults == Some(true) {
            return self.over(&Self { assertions: Assertions::default(), ..defaults.clone() });
        }
        self.over(defaults)
    }

    /// This test over another: its own word counts, assertions come after the other's.
    pub fn over(self, below: &Self) -> Self {
        let mut vars = below.vars.clone();
        for (name, value) in self.vars {
            match vars.iter_mut().find(|(other, _)| *other == name) {
                Some((_, kept)) => *kept = value,
                None => vars.push((name, value)),
            }
        }
        let foreign = below.file != self.file;
        let mut inherited = below.assertions.clone();
        if let (true, Some(at)) = (foreign, self.at) {
            // Findings about it are told in this test's file.
            inherited.written.iter_mut().for_each(|written| written.at = at);
        }
        let assertions = inherited.then(&self.assertions);
        Self {
            file: self.file,
            at: self.at,
            origin: self.origin,
            id: self.id.or_else(|| below.id.clone()),
            description: self.description.or_else(|| below.description.clone()),
            vars,
            assertions,
            threshold: self.threshold.or(below.threshold),
            prefix: self.prefix.or_else(|| below.prefix.clone()),
            suffix: self.suffix.or_else(|| below.suffix.clone()),
            no_expansion: self.no_expansion.or(below.no_expansion),
            no_defaults: self.no_defaults.or(below.no_defaults),
            judges: self.judges.or_else(|| below.judges.clone()),
            tags: if self.tags.is_empty() { below.tags.clone() } else { self.tags },
            providers: self.providers.or_else(|| below.providers.clone()),
            prompts: self.prompts.or_else(|| below.prompts.clone()),
        }
    }
}

/// Keys of a test that cannot be honoured, with why and what instead.
const REFUSED: [(&str, &str, &str); 4] = [
    (
        "provider",
        "`provider` of a test is not read",
        "list it under `providers`, and name it in the test's `providers`",
    ),
    (
        "providerOutput",
        "`providerOutput` is not read: every answer is asked for anew",
        "`--replay FILE` answers from a recording",
    ),
    (
        "assertScoringFunction",
        "`assertScoringFunction` is code, and no code of a repository is run here",
        "give weights and a `threshold`",
    ),
    ("run", "`run` of a test is not read", "remove it"),
];
const KEYS: [&str; 9] =
    ["description", "vars", "assert", "threshold", "options", "metadata", "providers", "prompts", "type"];

/// Reads a test that stands in `from`. `None` only after an error was recorded.
pub(super) fn read(
    reader: &mut Reader<'_>,
    shelf: &mut Shelf<'_>,
    root: &Node,
    node: &Node,
    from: &PromptPath,
) -> Option<Test> {
    let errors = reader.errors();
    for (key, message, help) in REFUSED {
        if let Some(value) = node.get(key) {
            reader.error("unsupported", value.at, message, help);
            return None;
        }
    }
    let fields = reader.fields(node, "a test", &KEYS, Unknown::Refused)?;
    let present = |name: &str| fields.get(name).filter(|node| !matches!(node.kind, Kind::Null));
    let mut test = Test { at: Some(node.at), ..Test::default() };
    test.description = present("description").and_then(|node| reader.text(node, "description"));
    test.threshold = present("threshold").and_then(|node| reader.number(node, "threshold", 0.0, 1e6));
    test.providers = present("providers").and_then(|node| names(reader, node, "providers"));
    test.prompts = present("prompts").and_then(|node| names(reader, node, "prompts"));
    if let Some(node) = present("vars") {
        test.vars = vars(reader, shelf, node, from)?;
    }
    if let Some(node) = present("assert") {
        test.assertions = assertion::read(reader, shelf, root, node)?;
    }
    if let Some(node) = present("options") {
        options(reader, node, &mut test)?;
    }
    if let Some(node) = present("metadata") {
        metadata(reader, node, &mut test)?;
    }
    (reader.errors() == errors).then_some(test)
}

fn metadata(reader: &mut Reader<'_>, node: &Node, test: &mut Test) -> Option<()> {
    reader.map(node, "metadata")?;
    if let Some(id) = node.get("id").filter(|node| !matches!(node.kind, Kind::Null)) {
        test.id = Some((reader.words(id, "id")?, id.at));
    }
    if let Some(tags) = node.get("tags").filter(|node| matches!(node.kind, Kind::List(_) | Kind::Text(_))) {
        test.tags = names(reader, tags, "tags")?;
    }
    Some(())
}

const OPTIONS: [&str; 12] = [
    "prefix",
    "suffix",
    "disableVarExpansion",
    "disableDefaultAsserts",
    "disableConversationVar",
    "runSerially",
    "provider",
    "rubricPrompt",
    "transform",
    "postprocess",
    "transformVars",
    "storeOutputAs",
];

fn options(reader: &mut Reader<'_>, node: &Node, test: &mut Test) -> Option<()> {
    let fields = reader.fields(node, "options", &OPTIONS, Unknown::Warned)?;
    refused_options(reader, &fields)?;
    for (name, kept) in [("prefix", &mut test.prefix), ("suffix", &mut test.suffix)] {
        let Some(node) = fields.get(name) else { continue };
        let text = reader.text(node, name)?;
        if refusal::tell_nunjucks(reader, &text, node.at) {
            return None;
        }
        *kept = Some(text);
    }
    test.no_expansion = fields.read(reader, "disableVarExpansion", Reader::flag);
    test.no_defaults = fields.read(reader, "disableDefaultAsserts", Reader::flag);
    if let Some(node) = fields.get("provider") {
        test.judges = Some(providers::judges(reader, node)?);
    }
    Some(())
}

fn refused_options(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<()> {
    for name in ["transform", "postprocess", "transformVars"] {
        if let Some(node) = fields.get(name) {
            let help = if name == "transformVars" {
                "write the finished values into `vars`"
            } else {
                "judge the answer as it is, for instance with `contains-json` or `regex`"
            };
            Refusal::code(format!("`{name}`"), help).tell(reader, node.at);
            return None;
        }
    }
    if let Some(node) = fields.get("storeOutputAs") {
        let help = "write what the later test needs into its `vars`";
        reader.error("unsupported", node.at, "`storeOutputAs` makes a test depend on another's answer", help);
        return None;
    }
    if let Some(node) = fields.get("rubricPrompt") {
        let message = "`rubricPrompt` is not used: the judge's question guards against answers that talk to the judge";
        reader.error("rubric-prompt", node.at, message, "say in the rubrics themselves what a good answer is");
        return None;
    }
    Some(())
}

/// Reads `vars`: a mapping, or files that hold one.
fn vars(
    reader: &mut Reader<'_>,
    shelf: &mut Shelf<'_>,
    node: &Node,
    from: &PromptPath,
) -> Option<Vec<(String, VarValue)>> {
    let Kind::Map(entries) = &node.kind else {
        let mut found: Vec<(String, VarValue)> = Vec::new();
        for path in names(reader, node, "vars")? {
            let files =
                shelf.find(from, &path, Change::GoldenSet).map_err(|refused| refused.tell(reader, node.at)).ok()?;
            for (path, bytes) in files {
                let source = shelf::source(path, bytes).map_err(|finding| reader.push(*finding)).ok()?;
                let inner = shelf::document(&source).map_err(|finding| reader.push(*finding)).ok()?;
                let mut within = Reader::new(source);
                let read = match &inner.kind {
                    Kind::Map(_) => vars(&mut within, shelf, &inner, from),
                    _ => {
                        within.error(
                            "wrong-type",
                            inner.at,
                            "the file holds no mapping of variables",
                            "write `name: value`",
                        );
                        None
                    }
                };
                super::adopt(reader, within);
                for (name, value) in read? {
                    found.retain(|(other, _)| *other != name);
                    found.push((name, value));
                }
            }
        }
        return Some(found);
    };
    if let Some((key, _)) = entries.iter().find(|(key, _)| &*key.name == "assert") {
        reader.warning(
            "misplaced-key",
            key.at,
            "a variable is called `assert`",
            "move it out of `vars` to judge by it",
        );
    }
    entries
        .iter()
        .map(|(key, value)| Some((key.name.to_string(), var(reader, shelf, value)?)))
        .collect::<Vec<_>>()
        .into_iter()
        .collect()
}

/// A value; texts that name files become what is in them.
fn var(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, node: &Node) -> Option<VarValue> {
    let value = match &node.kind {
        Kind::Text(text) if text.starts_with("file://") => return files(reader, shelf, text, node.at),
        Kind::List(items) => Value::Array(
            items
                .iter()
                .map(|item| match &item.kind {
                    Kind::Text(text) if text.starts_with("file://") => match files(reader, shelf, text, item.at)? {
                        VarValue::One(value) => Some(value),
                        VarValue::Files(values) => Some(Value::Array(values)),
                    },
                    Kind::Text(_) => Some(shelf::tidy(item.to_value())),
                    _ => Some(item.to_value()),
                })
                .collect::<Option<_>>()?,
        ),
        _ => shelf::tidy(node.to_value()),
    };
    Some(VarValue::One(value))
}

/// The contents of the files that a variable names.
pub(super) fn files(reader: &mut Reader<'_>, shelf: &mut Shelf<'_>, text: &str, at: Location) -> Option<VarValue> {
    let mut values = Vec::new();
    let files = shelf.find(shelf.config(), text, Change::GoldenSet);
    let files = files.map_err(|refused| refused.tell(reader, at)).ok()?;
    for file in files {
        match shelf.value(file) {
            Ok(value) => values.push(value),
            Err(Trouble::Here(refused)) => {
                refused.tell(reader, at);
                return None;
            }
            Err(Trouble::There(finding)) => {
                reader.push(*finding);
                return None;
            }
        }
    }
    Some(match values.len() {
        0 | 1 => VarValue::One(values.pop().unwrap_or_default()),
        _ => VarValue::Files(values),
    })
}
