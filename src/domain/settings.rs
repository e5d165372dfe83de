//! A repository's settings, `.github/promptops.yml`: read key by key, unknown ones refused. Knows no file system.

pub(in crate::domain) mod approval;
pub mod difference;
pub(in crate::domain) mod enforce;
mod merge;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::budget::Budgets;
use super::diagnostic::{Diagnostic, Location, Parsed};
use super::evaluator::banned;
use super::evaluator_syntax::read_model;
use super::governed::Patterns;
use super::ids::{ModelId, PromptPath};
use super::lint::catalogue::{self, Level, RuleId};
use super::node::{Kind, Node};
use super::policy::{Policy, Principal};
use super::reader::{Reader, Unknown, suggestion};
use super::source::{MAX_FILE_BYTES, Source};
use super::yaml;

pub use enforce::{Enforced, RULE_PREFIX};
pub use merge::Overruled;

/// Path of the settings in a repository.
pub const SETTINGS_PATH: &str = ".github/promptops.yml";

/// What may run for a pull request from a fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Forks {
    /// Evaluated once somebody with write permission releases the SHA.
    #[default]
    Approve,
    /// Linted and compared, never evaluated.
    Lint,
    /// Refused.
    Never,
}

/// Validated settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Which files are prompts; empty: every file in a known prompt format.
    pub include: Vec<String>,
    /// Which of those are not.
    pub exclude: Vec<String>,
    /// Which are governed whatever `exclude` says; only an organisation can say so.
    pub always: Vec<String>,
    /// Model of prompts that name none.
    pub model: Option<ModelId>,
    /// Model of judge evaluators that name none.
    pub judge: Option<ModelId>,
    /// Model of evaluators that compare vectors and name none.
    pub embeddings: Option<ModelId>,
    /// Samples per case and side; at least 1.
    pub trials: u32,
    /// A drop in mean score the team would overlook.
    pub margin: f64,
    /// Absolute floor for head.
    pub min_score: Option<f64>,
    /// Relative limit on the median cost.
    pub max_cost_increase: Option<f64>,
    /// Relative limit on the median latency.
    pub max_latency_increase: Option<f64>,
    /// Most USD a run may cost.
    pub run_usd: Option<f64>,
    /// Most USD all runs of a pull request may cost.
    pub pull_request_usd: Option<f64>,
    /// Most USD a day may cost.
    pub day_usd: Option<f64>,
    /// Most USD the pull requests of one author may cost on a day.
    pub author_day_usd: Option<f64>,
    /// What may run for forks.
    pub forks: Forks,
    /// Named groups of people, members of roles within roles included.
    pub roles: BTreeMap<String, Arc<[Principal]>>,
    /// Who must approve what.
    pub policy: Policy,
    /// Phrases no prompt may hold.
    pub banned_phrases: Vec<String>,
    /// Metadata every prompt must have.
    pub required_metadata: Vec<String>,
    /// Levels of lint rules that are not their own.
    pub lint_rules: BTreeMap<RuleId, Level>,
}

/// Most samples per case and side.
const MAX_TRIALS: u64 = 100;
/// Metadata that `lint.require` may name.
pub(in crate::domain) const METADATA: [&str; 10] =
    ["name", "description", "model", "version", "owner", "useCase", "variables", "exampleOutput", "goldenSet", "tags"];

/// Keys of the file.
pub(in crate::domain) const SECTIONS: [&str; 7] =
    ["prompts", "evaluation", "roles", "approval", "override", "lint", "enforce"];
/// Keys of `prompts`.
pub(in crate::domain) const PROMPTS: [&str; 2] = ["include", "exclude"];
/// Keys of `evaluation`.
pub(in crate::domain) const EVALUATION: [&str; 10] = [
    "model",
    "judge",
    "embeddings",
    "trials",
    "margin",
    "min_score",
    "max_cost_increase",
    "max_latency_increase",
    "budget",
    "forks",
];
/// Keys of `evaluation.budget`.
pub(in crate::domain) const BUDGETS: [&str; 4] = ["run_usd", "pull_request_usd", "day_usd", "author_day_usd"];
/// What `evaluation.forks` may be.
pub(in crate::domain) const FORKS: [&str; 3] = ["approve", "lint", "never"];
/// Keys of `lint`.
pub(in crate::domain) const LINT: [&str; 3] = ["banned_phrases", "require", "rules"];

impl Settings {
    /// All budgets together.
    #[must_use]
    pub fn budgets(&self) -> Budgets {
        Budgets {
            run_usd: self.run_usd,
            pull_request_usd: self.pull_request_usd,
            day_usd: self.day_usd,
            author_day_usd: self.author_day_usd,
        }
    }
}

impl Default for Settings {
    /// What an empty settings file means.
    fn default() -> Self {
        Self {
            include: Vec::new(),
            exclude: Vec::new(),
            always: Vec::new(),
            model: None,
            judge: None,
            embeddings: None,
            trials: 1,
            margin: 0.05,
            min_score: None,
            max_cost_increase: None,
            max_latency_increase: None,
            run_usd: None,
            pull_request_usd: None,
            day_usd: None,
            author_day_usd: None,
            forks: Forks::default(),
            roles: BTreeMap::new(),
            policy: Policy::default(),
            banned_phrases: Vec::new(),
            required_metadata: Vec::new(),
            lint_rules: BTreeMap::new(),
        }
    }
}

/// An organisation's settings: the default of repositories that have none, and what it holds all of them to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Organisation {
    /// The default, under what is enforced.
    pub settings: Settings,
    /// What no repository can loosen.
    pub enforced: Enforced,
}

/// Reads a repository's settings file.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse(path: &PromptPath, bytes: &[u8]) -> Result<Parsed<Settings>, Vec<Diagnostic>> {
    parse_under(path, bytes, &Enforced::default())
}

/// The same where an organisation enforces something: what is looser gives way, with a warning.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse_under(path: &PromptPath, bytes: &[u8], enforced: &Enforced) -> Result<Parsed<Settings>, Vec<Diagnostic>> {
    read_file(path, bytes, |reader, node| {
        if let Some(place) = enforce_key(node) {
            let help = "move it to .github/promptops.yml of the organisation's `.github` repository, or remove it";
            reader.error("enforce-in-repository", place, "`enforce` counts in the organisation's settings only", help);
        }
        let settings = read(reader, node)?;
        Some(merge::apply(reader, node, settings, enforced))
    })
}

/// Reads the settings file of an organisation's `.github` repository.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse_organisation(path: &PromptPath, bytes: &[u8]) -> Result<Parsed<Organisation>, Vec<Diagnostic>> {
    read_file(path, bytes, |reader, node| {
        let settings = read(reader, node)?;
        let enforced = match node.get("enforce") {
            Some(node) => enforce::read(reader, node, &settings)?,
            None => Enforced::default(),
        };
        Some(Organisation { settings: merge::apply(reader, node, settings, &enforced), enforced })
    })
}

fn read_file<T>(
    path: &PromptPath,
    bytes: &[u8],
    read: impl FnOnce(&mut Reader<'_>, &Node) -> Option<T>,
) -> Result<Parsed<T>, Vec<Diagnostic>> {
    let source = Source::read(path, bytes, MAX_FILE_BYTES).map_err(|error| vec![*error])?;
    let node = yaml::parse(&source).map_err(|error| vec![*error])?;
    let mut reader = Reader::new(source);
    let value = read(&mut reader, &node);
    reader.finish(value)
}

/// Where the key `enforce` stands.
fn enforce_key(node: &Node) -> Option<Location> {
    match &node.kind {
        Kind::Map(entries) => entries.iter().find(|(key, _)| &*key.name == "enforce").map(|(key, _)| key.at),
        _ => None,
    }
}

/// An empty file is valid: the bot is on, with every default.
fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Settings> {
    let mut settings = Settings::default();
    if matches!(node.kind, Kind::Null) {
        return Some(settings);
    }
    let fields = reader.fields(node, "the settings", &SECTIONS, Unknown::Refused)?;
    if let Some(node) = fields.get("prompts") {
        read_prompts(reader, node, &mut settings);
    }
    if let Some(node) = fields.get("evaluation") {
        read_evaluation(reader, node, &mut settings);
    }
    let mut people = approval::People::read(reader, &fields);
    settings.policy = approval::read_policy(reader, &fields, &mut people);
    settings.roles = people.roles;
    if let Some(node) = fields.get("lint") {
        read_lint(reader, node, &mut settings);
    }
    Some(settings)
}

fn read_prompts(reader: &mut Reader<'_>, node: &Node, settings: &mut Settings) {
    let Some(fields) = reader.fields(node, "`prompts`", &PROMPTS, Unknown::Refused) else { return };
    if let Some(node) = fields.get("include") {
        settings.include = read_globs(reader, node, "include").unwrap_or_default();
        if matches!(&node.kind, Kind::List(items) if items.is_empty()) {
            let help = "list globs, or remove the key to govern every prompt file";
            reader.error("empty-list", node.at, "`include` is empty, so no file would be governed", help);
        }
    }
    settings.exclude = fields.read(reader, "exclude", read_globs).unwrap_or_default();
}

/// A list of globs, each checked at its own place.
fn read_globs(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<String>> {
    let globs = reader.texts(node, what)?;
    for (glob, item) in globs.iter().zip(reader.list(node, what)?) {
        if let Err(error) = Patterns::new([glob.as_str()]) {
            reader.error("invalid-glob", item.at, error.to_string(), "write a glob such as \"prompts/**\"");
        }
    }
    Some(globs)
}

fn read_evaluation(reader: &mut Reader<'_>, node: &Node, settings: &mut Settings) {
    let Some(fields) = reader.fields(node, "`evaluation`", &EVALUATION, Unknown::Refused) else { return };
    let share = |reader: &mut Reader<'_>, node: &Node, what: &str| reader.number(node, what, 0.0, 1.0);
    settings.model = fields.read(reader, "model", read_model);
    settings.judge = fields.read(reader, "judge", read_model);
    settings.embeddings = fields.read(reader, "embeddings", read_model);
    if let Some(trials) = fields.read(reader, "trials", read_trials) {
        settings.trials = trials;
    }
    if let Some(margin) = fields.read(reader, "margin", share) {
        settings.margin = margin;
    }
    settings.min_score = fields.read(reader, "min_score", share);
    settings.max_cost_increase = fields.read(reader, "max_cost_increase", at_least_zero);
    settings.max_latency_increase = fields.read(reader, "max_latency_increase", at_least_zero);
    if let Some(node) = fields.get("budget") {
        read_budget(reader, node, settings);
    }
    settings.forks = fields.read(reader, "forks", read_forks).unwrap_or_default();
}

fn read_trials(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<u32> {
    let trials = reader.whole(node, what, 1, MAX_TRIALS)?;
    u32::try_from(trials).ok()
}

fn at_least_zero(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<f64> {
    reader.number(node, what, 0.0, f64::INFINITY)
}

fn read_budget(reader: &mut Reader<'_>, node: &Node, settings: &mut Settings) {
    let Some(fields) = reader.fields(node, "`budget`", &BUDGETS, Unknown::Refused) else { return };
    settings.run_usd = fields.read(reader, "run_usd", at_least_zero);
    settings.pull_request_usd = fields.read(reader, "pull_request_usd", at_least_zero);
    settings.day_usd = fields.read(reader, "day_usd", at_least_zero);
    settings.author_day_usd = fields.read(reader, "author_day_usd", at_least_zero);
}

fn read_forks(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Forks> {
    let text = reader.text(node, what)?;
    match text.as_str() {
        "approve" => Some(Forks::Approve),
        "lint" => Some(Forks::Lint),
        "never" => Some(Forks::Never),
        _ => {
            let help = suggestion(&text, &FORKS);
            reader.error("unknown-value", node.at, format!("`{what}` is `{text}`"), help);
            None
        }
    }
}

fn read_lint(reader: &mut Reader<'_>, node: &Node, settings: &mut Settings) {
    let Some(fields) = reader.fields(node, "`lint`", &LINT, Unknown::Refused) else { return };
    settings.banned_phrases = fields.read(reader, "banned_phrases", read_phrases).unwrap_or_default();
    settings.lint_rules = fields.read(reader, "rules", read_levels).unwrap_or_default();
    settings.required_metadata = fields.read(reader, "require", read_metadata).unwrap_or_default();
}

/// Phrases that can be searched for.
fn read_phrases(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<String>> {
    let phrases = reader.texts(node, what)?;
    if banned(&phrases).is_err() {
        let message = format!("the phrases of `{what}` are too many or too long to be searched for");
        reader.error("out-of-range", node.at, message, "list fewer or shorter ones");
        return None;
    }
    Some(phrases)
}

/// Lint rules with their levels.
fn read_levels(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<BTreeMap<RuleId, Level>> {
    let mut levels = BTreeMap::new();
    for (key, node) in reader.map(node, what)? {
        let Some(rule) = RuleId::named(&key.name) else {
            let help = suggestion(&key.name, &catalogue::names());
            reader.error("unknown-key", key.at, format!("`{}` is no lint rule", key.name), help);
            continue;
        };
        let Some(text) = reader.text(node, &key.name) else { continue };
        match [Level::Off, Level::Warning, Level::Error].into_iter().find(|level| level.name() == text) {
            Some(level) => _ = levels.insert(rule, level),
            None => {
                let help = suggestion(&text, &catalogue::LEVELS);
                reader.error("unknown-value", node.at, format!("`{}` is `{text}`", key.name), help);
            }
        }
    }
    Some(levels)
}

fn read_metadata(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<String>> {
    let names = reader.texts(node, what)?;
    for (name, item) in names.iter().zip(reader.list(node, what)?) {
        if !METADATA.contains(&name.as_str()) {
            let help = suggestion(name, &METADATA);
            reader.error("unknown-value", item.at, format!("`{what}` names `{name}`, which no prompt file has"), help);
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests;
