//! From tests, prompts and providers to prompts with golden sets: expansion, names of cases, filters. Reads no files.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::expand::{self, Combination};
use super::prompts::Source;
use super::providers::Provider;
use super::suite::Readers;
use super::test::Test;
use crate::domain::diagnostic::Location;
use crate::domain::golden::raw::{Builder, RawCase, derived_id, vars_text};
use crate::domain::golden::{Case, GoldenSet};
use crate::domain::ids::PromptPath;
use crate::domain::prompt::{Body, Prompt, ResponseFormat, affix};
use crate::domain::reader::suggestion;

/// Most cases of one config, and of all its prompts together.
const MAX_CASES: usize = 200_000;
const MAX_RESULTS: usize = 1_000_000;
/// Most bytes of all values of all cases together.
const MAX_VALUE_BYTES: usize = 256 << 20;
/// Longest name of a case, in characters.
const MAX_ID: usize = 300;

/// The cases of a config, each with its test's place in the list of tests.
pub(super) struct Cases {
    cases: Vec<(Case, usize)>,
    path: PromptPath,
}

/// Makes the cases of all tests. `None` only after an error was recorded.
pub(super) fn cases(readers: &mut Readers<'_>, tests: &[Test], at: Location) -> Option<Cases> {
    let errors = readers.errors();
    let mut builder = Builder::new(readers.config(), &[], Vec::new()).passing_unchecked();
    let mut names = Names::new(tests);
    let mut warned = HashSet::new();
    let mut made: Vec<usize> = Vec::new();
    let mut bytes = 0;
    for (index, test) in tests.iter().enumerate() {
        let place = test.at.unwrap_or(at);
        let reader = readers.of(test.file);
        let combinations = match expand::combinations(test.vars.clone(), test.no_expansion != Some(true)) {
            Ok(combinations) => combinations,
            Err(count) => {
                let message = format!(
                    "the lists in `vars` make {count} cases of this test, at most {} are made",
                    expand::MAX_CASES
                );
                let help = "shorten the lists, or set `options.disableVarExpansion: true` to pass them as they are";
                reader.error("too-many", place, message, help);
                continue;
            }
        };
        for combination in combinations {
            bytes += combination.vars.iter().map(|(_, value)| size(value)).sum::<usize>();
            if made.len() >= MAX_CASES || bytes > MAX_VALUE_BYTES {
                let (count, megabytes) = (MAX_CASES, MAX_VALUE_BYTES >> 20);
                let message = format!("the config makes more than {count} cases, or {megabytes} MiB of values");
                reader.error("too-many", place, message, "split the config, or shorten the lists in `vars`");
                return None;
            }
            warn_of_templates(reader, &combination, place, &mut warned);
            match raw(&mut names, test, index, combination, place) {
                Ok(raw) => {
                    builder.push(reader, raw);
                    made.push(index);
                }
                Err(message) => {
                    reader.error("undefined-variable", place, message, "add it to the test's `vars`");
                }
            }
        }
    }
    if readers.errors() > errors {
        return None;
    }
    let set = builder.finish(readers.config(), at, "add a test")?;
    if readers.errors() > errors || set.cases.len() != made.len() {
        return None;
    }
    Some(placed(readers, tests, set, made))
}

/// Shows cases in the file they are from where all are from one; else where the config names that file.
fn placed(readers: &mut Readers<'_>, tests: &[Test], set: GoldenSet, made: Vec<usize>) -> Cases {
    let file = tests.first().map_or(0, |test| test.file);
    let is_one = tests.iter().all(|test| test.file == file);
    let path = if is_one { readers.of(file).source.path.clone() } else { readers.config().source.path.clone() };
    let placed = set.cases.into_iter().zip(made).map(|(mut case, index)| {
        if let (false, Some(origin)) = (is_one, tests.get(index).and_then(|test| test.origin)) {
            case.line = origin.line;
        }
        (case, index)
    });
    Cases { cases: placed.collect(), path }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 8,
        Value::Object(entries) => entries.iter().map(|(name, value)| name.len() + size(value)).sum::<usize>() + 8,
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

/// promptfoo renders values as templates, which lets a value run code; here they go in as they are, and that is said.
fn warn_of_templates(
    reader: &mut crate::domain::reader::Reader<'_>,
    combination: &Combination,
    at: Location,
    warned: &mut HashSet<String>,
) {
    for (name, value) in &combination.vars {
        let Some(text) = value.as_str().filter(|text| text.contains("{{") || text.contains("{%")) else { continue };
        if text.contains("}}") || text.contains("%}") {
            if !warned.insert(name.clone()) {
                continue;
            }
            let message = format!("the value of `{name}` holds template syntax, which goes in as it is");
            reader.warning("value-not-rendered", at, message, "values are never templates; write the finished text");
        }
    }
}

fn raw(
    names: &mut Names,
    test: &Test,
    index: usize,
    combination: Combination,
    at: Location,
) -> Result<RawCase, String> {
    let Combination { mut vars, told_apart_by } = combination;
    for (name, text) in [(affix::PREFIX, &test.prefix), (affix::SUFFIX, &test.suffix)] {
        let Some(text) = text else { continue };
        let filled = affix::fill(text, &vars).map_err(|variable| {
            format!("variable `{variable}` in `{}` has no value in this test", name.trim_start_matches('_'))
        })?;
        vars.insert(name, filled);
    }
    let mut assertions = test.assertions.clone();
    if let Some(judges) = &test.judges {
        assertions.judged_by(judges);
    }
    let id = names.name(test, index, &vars_text(&vars), &told_apart_by);
    let id_at = test.id.as_ref().map_or(at, |(_, at)| *at);
    Ok(RawCase {
        id: Some((id, id_at)),
        vars,
        tags: test.tags.clone(),
        evaluators: assertions.written,
        threshold: test.threshold,
        sets: assertions.sets,
        ..RawCase::new(at)
    })
}

/// Names cases: by their own id, else by a description that no other test has, else by their vars.
struct Names {
    descriptions: HashMap<String, usize>,
    /// By name: the test that has it, and how often it came.
    given: HashMap<String, (usize, usize)>,
}

impl Names {
    fn new(tests: &[Test]) -> Self {
        let mut descriptions = HashMap::new();
        for description in tests.iter().filter_map(|test| test.description.as_ref()) {
            *descriptions.entry(description.clone()).or_insert(0) += 1;
        }
        Self { descriptions, given: HashMap::new() }
    }

    fn name(&mut self, test: &Test, index: usize, vars: &str, told_apart_by: &str) -> String {
        let unique = |description: &&String| self.descriptions.get(*description) == Some(&1);
        let described = test.description.as_ref().filter(unique).filter(|text| !text.trim().is_empty());
        let own = test.id.as_ref().map(|(id, _)| id).or(described);
        let base = match own {
            Some(name) if told_apart_by.is_empty() => name.clone(),
            Some(name) => format!("{name} [{told_apart_by}]"),
            None => derived_id(vars),
        };
        let base = if base.chars().count() > MAX_ID { derived_id(vars) } else { base };
        let mut name = base.clone();
        while let Some((first, times)) = self.given.get_mut(&name) {
            // An id that two tests give is their author's error, and told as one.
            if test.id.is_some() && *first != index {
                return name;
            }
            *times += 1;
            name = format!("{base} #{times}");
        }
        self.given.insert(name.clone(), (index, 1));
        name
    }
}

/// A prompt for each provider, with the cases that are meant for both. `None` only after an error was recorded.
pub(super) fn prompts(
    readers: &mut Readers<'_>,
    sources: &[Source],
    providers: &[Provider],
    tests: &[Test],
    cases: &Cases,
    common: &Common,
) -> Option<Vec<(Prompt, GoldenSet)>> {
    check_filters(readers, sources, providers, tests)?;
    let results = sources.len().saturating_mul(providers.len().max(1)).saturating_mul(cases.cases.len());
    if results > MAX_RESULTS {
        let message = format!("the config makes {results} results, at most {MAX_RESULTS} are measured at once");
        readers.config().error("too-many", common.at, message, "split the config");
        return None;
    }
    let asked: Vec<Option<&Provider>> =
        if providers.is_empty() { vec![None] } else { providers.iter().map(Some).collect() };
    let mut made = Vec::new();
    let mut labels = HashSet::new();
    for provider in asked {
        for source in sources {
            let wants = provider.is_none_or(|provider| meets(provider.prompts.as_deref(), &called(source)));
            let is_meant = |test: &Test| {
                wants
                    && meets(test.prompts.as_deref(), &called(source))
                    && provider.is_none_or(|provider| meets(test.providers.as_deref(), &asked_as(provider)))
            };
            let meant = cases.cases.iter().filter(|(_, index)| tests.get(*index).is_some_and(is_meant));
            let meant: Vec<Case> = meant.map(|(case, _)| case.clone()).collect();
            if meant.is_empty() {
                continue;
            }
            let mut prompt = prompt(source, provider, common);
            let label = prompt.label.take().unwrap_or_default();
            let numbers = std::iter::successors(Some(2), |number| Some(number + 1));
            let unique = std::iter::once(label.clone()).chain(numbers.map(|number: u32| format!("{label} ({number})")));
            prompt.label = unique.into_iter().find(|label| labels.insert(label.clone()));
            prompt.name = prompt.label.clone().unwrap_or(prompt.name);
            made.push((prompt, GoldenSet { path: cases.path.clone(), cases: meant }));
        }
    }
    if made.is_empty() {
        let help = "check `prompts` and `providers` of the tests, and `prompts` of the providers";
        readers.config().error("no-cases", common.at, "the filters leave no prompt any test", help);
        return None;
    }
    Some(made)
}

/// What all prompts of a config share.
pub(super) struct Common {
    pub path: PromptPath,
    pub description: Option<String>,
    pub trials: Option<u32>,
    pub tags: Vec<String>,
    pub at: Location,
}

fn prompt(source: &Source, provider: Option<&Provider>, common: &Common) -> Prompt {
    let name =
        provider.map_or_else(|| source.label.clone(), |provider| format!("{} [{}]", source.label, provider.name()));
    let mut prompt = Prompt::new(common.path.clone(), name.clone(), Body::Messages(source.messages.clone()));
    prompt.label = Some(name);
    prompt.group = Some(source.label.clone());
    prompt.trials = common.trials;
    prompt.description.clone_from(&common.description);
    prompt.tags.clone_from(&common.tags);
    prompt.model = provider.map(|provider| provider.model.clone());
    let settings = provider.map(|provider| provider.settings.overlaid(&source.settings));
    let settings = settings.unwrap_or_else(|| source.settings.clone());
    prompt.parameters = settings.parameters;
    prompt.response_format = settings.response_format.unwrap_or(ResponseFormat::Text);
    prompt.tools = settings.tools.unwrap_or_else(|| Arc::from([]));
    prompt
}

fn called(source: &Source) -> Vec<&str> {
    std::iter::once(source.label.as_str()).chain(source.id.as_deref()).collect()
}

fn asked_as(provider: &Provider) -> Vec<&str> {
    std::iter::once(provider.id.as_str()).chain(provider.label.as_deref()).collect()
}

/// Whether a filter lets one of these names through: the name itself, `group` for `group:…`, `group:*`.
fn meets(filter: Option<&[String]>, names: &[&str]) -> bool {
    let Some(filter) = filter else { return true };
    let lets = |wanted: &String, name: &str| match wanted.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == wanted || name.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.starts_with(':')),
    };
    filter.iter().any(|wanted| names.iter().any(|name| lets(wanted, name)))
}

/// A filter that names nothing is a slip of the pen, not a wish for no tests.
fn check_filters(readers: &mut Readers<'_>, sources: &[Source], providers: &[Provider], tests: &[Test]) -> Option<()> {
    let errors = readers.errors();
    let prompts: Vec<&str> = sources.iter().flat_map(called).collect();
    let models: Vec<&str> = providers.iter().flat_map(asked_as).collect();
    let unknown = |wanted: &[String], known: &[&str]| {
        wanted.iter().find(|wanted| !meets(Some(std::slice::from_ref(wanted)), known)).cloned()
    };
    let mut checked: HashSet<&[String]> = HashSet::new();
    for test in tests {
        for (what, filter, known) in [("prompt", &test.prompts, &prompts), ("provider", &test.providers, &models)] {
            let Some(filter) = filter else { continue };
            if !checked.insert(filter) {
                continue;
            }
            if let Some(wanted) = unknown(filter, known) {
                let message = format!("no {what} is called `{wanted}`");
                let at = test.at.unwrap_or(Location::START);
                readers.of(test.file).error("unknown-filter", at, message, suggestion(&wanted, known));
            }
        }
    }
    for provider in providers {
        if let Some(wanted) = provider.prompts.as_deref().and_then(|filter| unknown(filter, &prompts)) {
            let message = format!("no prompt is called `{wanted}`, which the provider `{}` asks for", provider.id);
            readers.config().error("unknown-filter", Location::START, message, suggestion(&wanted, &prompts));
        }
    }
    chat_affixes(readers, sources, tests);
    (readers.errors() == errors).then_some(())
}

/// A prefix before a chat in JSON would make it a text that is none.
fn chat_affixes(readers: &mut Readers<'_>, sources: &[Source], tests: &[Test]) {
    let Some(chat) = sources.iter().find(|source| source.messages.len() > 1) else { return };
    let affixed = |test: &&Test| {
        (test.prefix.is_some() || test.suffix.is_some()) && meets(test.prompts.as_deref(), &called(chat))
    };
    if let Some(test) = tests.iter().find(affixed) {
        let message = format!("`prefix` and `suffix` cannot be put around the chat `{}`", chat.label);
        let help = "write the text into a message of the chat, or name other prompts in the test's `prompts`";
        readers.of(test.file).error("affix-on-chat", test.at.unwrap_or(Location::START), message, help);
    }
}
