//! promptfoo's configs, as far as they are declarative: a file that holds prompts, models and tests at once. Pure:
//! bytes in, prompts with golden sets out; nothing is run, rendered twice, or fetched.

mod assertion;
mod build;
mod chat;
mod expand;
mod pointer;
mod prompts;
mod providers;
mod refusal;
mod settings;
mod shelf;
mod suite;
mod test;

use std::collections::BTreeMap;

use super::diagnostic::{Diagnostic, Location, Parsed};
use super::golden::GoldenSet;
use super::ids::PromptPath;
use super::node::{Kind, Node};
use super::policy::Change;
use super::prompt::{Attachments, Prompt, Reference};
use super::reader::{Fields, Reader, Unknown, suggestion};
use super::source::{MAX_FILE_BYTES, Source};
use build::Common;
use shelf::Shelf;
use suite::Readers;
use test::Test;

/// Names under which a config is known without looking into it.
pub const NAMES: [&str; 3] = ["promptfooconfig.yaml", "promptfooconfig.yml", "promptfooconfig.json"];
/// Endings of files that may be configs under another name.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Top-level keys that are read.
const KEYS: [&str; 11] = [
    "description",
    "tags",
    "prompts",
    "providers",
    "targets",
    "tests",
    "defaultTest",
    "scenarios",
    "evaluateOptions",
    "assertionTemplates",
    "env",
];
/// Top-level keys that say how promptfoo itself runs or shows results, and change no answer.
const OWN: [&str; 10] = [
    "outputPath",
    "sharing",
    "writeLatestResults",
    "commandLineOptions",
    "metadata",
    "$schema",
    "tracing",
    "id",
    "version",
    "config",
];
/// Top-level keys that would change answers in ways that are not followed here.
const REFUSED: [(&str, &str, &str); 6] = [
    (
        "extensions",
        "`extensions` are code, and no code of a repository is run here",
        "write into the files what the hooks make",
    ),
    (
        "nunjucksFilters",
        "`nunjucksFilters` are code, and no code of a repository is run here",
        "put the finished values into the vars",
    ),
    (
        "derivedMetrics",
        "`derivedMetrics` are formulas over metrics, which are not computed here",
        "give weights and a `threshold`",
    ),
    (
        "redteam",
        "`redteam` makes its tests at promptfoo's own service",
        "write the tests out, and name their file in `tests`",
    ),
    (
        "assertScoringFunction",
        "`assertScoringFunction` is code, and no code of a repository is run here",
        "give weights and a `threshold`",
    ),
    ("transform", "`transform` is code, and no code of a repository is run here", "judge the answer as it is"),
];

/// Whether a file may be a config under a name of its own, going by its ending.
#[must_use]
pub fn may_be(path: &PromptPath) -> bool {
    ENDINGS.contains(&refusal::ending(path.as_str()))
}

/// Whether a file that is named explicitly is a config, going by its keys.
#[must_use]
pub fn looks_like(path: &PromptPath, bytes: &[u8]) -> bool {
    let Ok(source) = Source::read(path, bytes, MAX_FILE_BYTES) else { return false };
    let Ok(node) = shelf::document(&source) else { return false };
    let has = |names: &[&str]| names.iter().any(|name| node.get(name).is_some());
    may_be(path) && has(&["prompts", "providers", "targets"]) && has(&["prompts", "tests", "scenarios", "defaultTest"])
}

/// The files a config is made of that `attached` does not know yet.
#[must_use]
pub fn references(path: &PromptPath, bytes: &[u8], attached: &Attachments) -> Vec<Reference> {
    let mut shelf = Shelf::new(path, attached);
    if let Ok(source) = Source::read(path, bytes, MAX_FILE_BYTES) {
        let mut readers = Readers::new(Reader::new(source));
        let _ = whole(&mut readers, &mut shelf);
    }
    shelf.missing()
}

/// What a change of each file is that the config is made of: of a prompt, or of what prompts are judged by.
#[must_use]
pub fn attached_changes(path: &PromptPath, bytes: &[u8], attached: &Attachments) -> BTreeMap<PromptPath, Change> {
    let mut shelf = Shelf::new(path, attached);
    if let Ok(source) = Source::read(path, bytes, MAX_FILE_BYTES) {
        let mut readers = Readers::new(Reader::new(source));
        let _ = whole(&mut readers, &mut shelf);
    }
    shelf.used().clone()
}

/// Reads a config: one prompt for each of its prompts and providers, each with the cases that are meant for it.
///
/// # Errors
/// Everything that is wrong with it, file by file in the order of their lines.
pub fn parse(
    path: &PromptPath,
    bytes: &[u8],
    attached: &Attachments,
) -> Result<Parsed<Vec<(Prompt, GoldenSet)>>, Vec<Diagnostic>> {
    let source = Source::read(path, bytes, MAX_FILE_BYTES).map_err(|error| vec![*error])?;
    let mut shelf = Shelf::new(path, attached);
    let mut readers = Readers::new(Reader::new(source));
    let found = whole(&mut readers, &mut shelf).and_then(|config| config.build(&mut readers));
    let (mut warnings, mut errors) = (Vec::new(), Vec::new());
    for reader in readers.all() {
        match reader.finish(Some(())) {
            Ok(parsed) => warnings.extend(parsed.warnings),
            Err(findings) => errors.extend(findings),
        }
    }
    match found {
        Some(value) if errors.is_empty() => Ok(Parsed { value, warnings }),
        _ => {
            errors.extend(warnings);
            Err(errors)
        }
    }
}

/// A config with all its files read, and nothing expanded.
struct Config {
    prompts: Vec<prompts::Source>,
    providers: Vec<providers::Provider>,
    tests: Vec<Test>,
    common: Common,
}

impl Config {
    fn build(self, readers: &mut Readers<'_>) -> Option<Vec<(Prompt, GoldenSet)>> {
        if readers.errors() > 0 {
            return None;
        }
        let cases = build::cases(readers, &self.tests, self.common.at)?;
        build::prompts(readers, &self.prompts, &self.providers, &self.tests, &cases, &self.common)
    }
}

/// Reads the config and every file it names, as far as they are there. `None` only after an error was recorded.
fn whole<'a>(readers: &mut Readers<'a>, shelf: &mut Shelf<'a>) -> Option<Config> {
    let root = match shelf::document(&readers.config().source) {
        Ok(node) => node,
        Err(finding) => {
            readers.config().push(*finding);
            return None;
        }
    };
    let reader = readers.config();
    if matches!(root.kind, Kind::Null) {
        reader.error("empty-file", Location::START, "the config is empty", "add `prompts`, `providers` and `tests`");
        return None;
    }
    let fields = top(reader, &root)?;
    let mut common = Common {
        path: reader.source.path.clone(),
        description: present(&fields, "description").and_then(|node| reader.text(node, "description")),
        trials: None,
        tags: present(&fields, "tags").map(tags).unwrap_or_default(),
        at: Location::START,
    };
    if let Some(node) = present(&fields, "evaluateOptions") {
        common.trials = evaluate_options(reader, node);
    }
    let prompts = match present(&fields, "prompts") {
        Some(node) => prompts::read(reader, shelf, &root, node),
        None => vec![prompts::Source::passthrough()],
    };
    let providers = present(&fields, "providers").or(present(&fields, "targets"));
    let providers = providers.map(|node| providers::read(reader, shelf, node)).unwrap_or_default();
    let tests = all_tests(readers, shelf, &root, &fields);
    Some(Config { prompts, providers, tests, common })
}

/// The tests over their defaults; a single one that says nothing where there are none.
fn all_tests<'a>(readers: &mut Readers<'a>, shelf: &mut Shelf<'a>, root: &Node, fields: &Fields<'_>) -> Vec<Test> {
    let defaults = present(fields, "defaultTest").and_then(|node| suite::defaults(readers, shelf, root, node));
    let mut found = Vec::new();
    if let Some(node) = present(fields, "tests") {
        suite::tests(readers, shelf, root, node, &mut found);
    }
    let scenarios = present(fields, "scenarios");
    if let Some(node) = scenarios {
        suite::scenarios(readers, shelf, root, node, &mut found);
    }
    if found.is_empty() && scenarios.is_none() && readers.errors() == 0 {
        found.push(Test { at: Some(Location::START), ..Test::default() });
    }
    match defaults {
        // What a test says of itself alone is no default of others.
        Some(defaults) => {
            let defaults = Test { id: None, description: None, ..defaults };
            found.into_iter().map(|test| test.with_defaults(&defaults)).collect()
        }
        None => found,
    }
}

fn present<'n>(fields: &Fields<'n>, name: &str) -> Option<&'n Node> {
    fields.get(name).filter(|node| !matches!(node.kind, Kind::Null))
}

/// The top-level keys; what cannot be followed is refused by name.
fn top<'n>(reader: &mut Reader<'_>, root: &'n Node) -> Option<Fields<'n>> {
    let entries = reader.map(root, "a promptfoo config")?;
    let all: Vec<&str> = entries.iter().map(|(key, _)| &*key.name).collect();
    for (key, value) in entries {
        let name = &*key.name;
        if KEYS.contains(&name) || OWN.contains(&name) || matches!(value.kind, Kind::Null) {
            continue;
        }
        if let Some((_, message, help)) = REFUSED.iter().find(|(refused, ..)| *refused == name) {
            reader.error("unsupported", key.at, *message, *help);
            continue;
        }
        let help = suggestion(name, &KEYS);
        let message = format!("unknown key `{name}` in a promptfoo config");
        if help.starts_with("did you mean") {
            // `test` for `tests` would mean a config that checks nothing.
            reader.error("unknown-key", key.at, message, help);
        } else {
            reader.warning("unknown-key", key.at, message, help);
        }
    }
    let fields = reader.fields(root, "a promptfoo config", &all, Unknown::Warned)?;
    if let Some(node) = present(&fields, "env") {
        let help = "set them in the environment of promptops";
        reader.warning(
            "not-used",
            node.at,
            "`env` is not applied: a file of a repository sets no variables here",
            help,
        );
    }
    Some(fields)
}

/// Labels as `name: value`, or a list.
fn tags(node: &Node) -> Vec<String> {
    match node.to_value() {
        serde_json::Value::Object(entries) => {
            let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            entries.iter().map(|(name, value)| format!("{name}: {}", text(value))).collect()
        }
        serde_json::Value::Array(items) => items.iter().filter_map(|item| Some(item.as_str()?.to_owned())).collect(),
        _ => Vec::new(),
    }
}

/// `repeat` is the number of trials; the rest says how fast promptfoo asks.
fn evaluate_options(reader: &mut Reader<'_>, node: &Node) -> Option<u32> {
    let known = [
        "repeat",
        "maxConcurrency",
        "delay",
        "showProgressBar",
        "cache",
        "timeoutMs",
        "maxEvalTimeMs",
        "interactiveProviders",
        "generateSuggestions",
        "eventSource",
        "silent",
        "isRedteam",
        "filterRange",
    ];
    let fields = reader.fields(node, "evaluateOptions", &known, Unknown::Warned)?;
    let repeat = fields.read(reader, "repeat", |reader, node, what| reader.whole(node, what, 1, 100))?;
    u32::try_from(repeat).ok()
}

/// Takes over what was found in a file of the config.
fn adopt(reader: &mut Reader<'_>, within: Reader<'_>) {
    let findings = match within.finish(Some(())) {
        Ok(parsed) => parsed.warnings,
        Err(findings) => findings,
    };
    findings.into_iter().for_each(|finding| reader.push(finding));
}

#[cfg(test)]
mod tests;
