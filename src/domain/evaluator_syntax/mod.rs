//! How files write evaluators: one item of an `evaluators` list to an `EvaluatorSpec`. Knows not what evaluators do.

pub(in crate::domain) mod github;
mod graded;
mod kinds;
mod ours;
pub mod promptfoo;
mod refused;
mod values;
mod write;

use super::diagnostic::Location;
use super::evaluator::Evaluator;
use super::evaluator::spec::{CheckSpec, EvaluatorSpec};
use super::ids::ModelId;
use super::node::{Kind, Node};
use super::reader::{Fields, Reader, Unknown};
pub use write::write;

/// An evaluator as a file describes it, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// What it says.
    pub spec: EvaluatorSpec,
    /// Where its value stands.
    pub at: Location,
}

/// Keys of an evaluator in its mapping form, whatever its kind.
pub(in crate::domain) const OPTIONS: [&str; 4] = ["name", "weight", "threshold", "metric"];

/// Every way to write the key of an evaluator in our own form, in the order of the documentation.
pub(in crate::domain) fn spellings() -> Vec<String> {
    let names = kinds::NAMES.iter().map(|(name, _)| *name).chain(graded::KINDS);
    let plain: Vec<String> = names.flat_map(|name| [name.to_owned(), name.replace('_', "-")]).collect();
    let mut all: Vec<String> = plain
        .iter()
        .cloned()
        .chain(plain.iter().map(|name| format!("not{}{name}", if name.contains('-') { '-' } else { '_' })))
        .collect();
    let mut seen = std::collections::HashSet::new();
    all.retain(|name| seen.insert(name.clone()));
    all
}

/// Reads an `evaluators` list; items in our own form or in GitHub's.
pub fn read_list(reader: &mut Reader<'_>, node: &Node, unknown: Unknown) -> Vec<Written> {
    let items = reader.list(node, "evaluators").unwrap_or_default();
    items.iter().filter_map(|item| read(reader, item, unknown)).collect()
}

fn read(reader: &mut Reader<'_>, item: &Node, unknown: Unknown) -> Option<Written> {
    let has = |kinds: &[&str]| kinds.iter().any(|kind| item.get(kind).is_some());
    if has(&github::KINDS) || (has(&["name"]) && !ours::has_kind(item)) {
        github::read(reader, item, unknown)
    } else {
        ours::read(reader, item)
    }
}

/// A spec with the options that all kinds share.
fn with_options(reader: &mut Reader<'_>, fields: Option<Fields<'_>>, check: CheckSpec) -> Option<EvaluatorSpec> {
    let get = |name| fields.and_then(|fields| fields.get(name));
    let mut spec = EvaluatorSpec::plain(check);
    if let Some(node) = get("name") {
        spec.name = Some(reader.words(node, "name")?);
    }
    if let Some(node) = get("weight") {
        spec.weight = Some(reader.number(node, "weight", 0.0, f64::INFINITY)?);
    }
    // The threshold of these two is their limit, which their value holds already.
    let has_limit = matches!(spec.check, CheckSpec::Cost(_) | CheckSpec::Latency(_));
    if let Some(node) = get("threshold").filter(|_| !has_limit) {
        spec.threshold = Some(reader.number(node, "threshold", 0.0, graded::highest_threshold(&spec.check))?);
    }
    if let Some(node) = get("metric") {
        spec.metric = Some(reader.words(node, "metric")?);
    }
    Some(spec)
}

/// A model as `provider/name`.
pub fn read_model(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<ModelId> {
    let text = reader.text(node, what)?;
    match ModelId::parse(&text) {
        Ok(model) => Some(model),
        Err(error) => {
            reader.error("invalid-model", node.at, format!("`{what}`: {error}"), "write it as provider/name");
            None
        }
    }
}

/// Compiles what was written; what does not compile is an error at its place.
pub fn compile(reader: &mut Reader<'_>, written: Written) -> Option<Evaluator> {
    match Evaluator::compile(written.spec) {
        Ok(evaluator) => Some(evaluator),
        Err(error) => {
            let help = error.help.unwrap_or_else(|| "correct the evaluator".to_owned());
            reader.error("invalid-evaluator", written.at, error.message, help);
            None
        }
    }
}

/// True for a mapping in which every key is one of these or an option.
fn is_form(node: &Node, keys: &[&str]) -> bool {
    match &node.kind {
        Kind::Map(entries) => {
            entries.iter().any(|(key, _)| keys.contains(&&*key.name))
                && entries.iter().all(|(key, _)| keys.contains(&&*key.name) || OPTIONS.contains(&&*key.name))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
