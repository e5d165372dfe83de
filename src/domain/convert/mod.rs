//! Any prompt with its golden set as our native pair, `.prompt.yml` and `.golden.yml`; what is lost is said. Knows no
//! file system.

mod golden;
mod prompt;
mod verify;
pub mod yaml;

use serde_json::{Value, json};

use super::diagnostic::{Diagnostic, Location};
use super::evaluator::Evaluator;
use super::evaluator_syntax;
use super::golden::GoldenSet;
use super::ids::PromptPath;
use super::prompt::{Format, Prompt, prompty};
use super::source::Source;

/// Something that the native pair cannot hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Loss {
    at: Option<Location>,
    what: String,
}

/// The two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The prompt file.
    pub prompt: (PromptPath, String),
    /// The golden set, where there is one.
    pub golden: Option<(PromptPath, String)>,
}

/// A conversion and what it loses.
#[derive(Debug)]
pub struct Converted {
    /// The files.
    pub written: Written,
    /// What they cannot hold, at its place in the file that was converted.
    pub losses: Vec<Diagnostic>,
}

/// Writes a prompt and its cases under these paths, and reads both again.
///
/// # Errors
/// When what is read again is not what was written: our mistake.
pub fn pair(prompt: &Prompt, set: Option<&GoldenSet>, paths: (PromptPath, PromptPath)) -> Result<Converted, String> {
    let mut losses = Vec::new();
    let file = prompt::write(prompt, set.is_none(), &mut losses);
    let golden = set.map(|set| golden::write(set, prompt.evaluators.len(), &mut losses));
    let written =
        Written { prompt: (paths.0, yaml::write(&file)), golden: golden.map(|golden| (paths.1, yaml::write(&golden))) };
    let different = verify::check(prompt, set, &written, !losses.is_empty())?;
    losses.extend(different);
    Ok(Converted { written, losses: losses.into_iter().map(|loss| told(&prompt.path, loss)).collect() })
}

/// Writes a golden set alone.
///
/// # Errors
/// When an evaluator of it cannot be written: what and why.
pub fn golden_set(set: &GoldenSet) -> Result<String, Vec<Diagnostic>> {
    let mut losses = Vec::new();
    let file = golden::write(set, 0, &mut losses);
    if losses.is_empty() {
        return Ok(yaml::write(&file));
    }
    Err(losses.into_iter().map(|loss| told(&set.path, loss)).collect())
}

/// What a prompt file says that is read without a warning and has no place in a native one.
#[must_use]
pub fn unused(path: &PromptPath, bytes: &[u8]) -> Vec<Diagnostic> {
    match (Format::of(path), Source::read(path, bytes, usize::MAX)) {
        (Some(Format::Prompty), Ok(source)) => prompty::unused(&source),
        _ => Vec::new(),
    }
}

/// Whether a warning says that a part of the file is not used, so that it is not written either.
#[must_use]
pub fn is_loss(finding: &Diagnostic) -> bool {
    matches!(finding.code.as_str(), "unknown-key" | "ignored-key" | "not-carried")
}

/// The items of an `evaluators` list; what cannot be written is lost.
fn evaluators(all: &[Evaluator], losses: &mut Vec<Loss>) -> Vec<Value> {
    let mut items = Vec::with_capacity(all.len());
    for evaluator in all {
        match evaluator_syntax::write(evaluator.spec()) {
            Ok(item) => items.push(item),
            Err(what) => losses.push(Loss { at: None, what: format!("the evaluator {}: {what}", evaluator.name) }),
        }
    }
    items
}

/// A number as people write it.
fn number(number: f64) -> Value {
    const WHOLE: f64 = 1e15;
    if number.fract() == 0.0 && number.abs() < WHOLE { json!(number as i64) } else { json!(number) }
}

fn told(path: &PromptPath, loss: Loss) -> Diagnostic {
    let mut finding = Diagnostic::error("not-carried", path, loss.what).into_warning();
    finding.location = loss.at;
    finding.with_help("write it another way first, or accept the loss with --allow-losses")
}
