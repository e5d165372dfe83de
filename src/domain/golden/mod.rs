//! Golden sets: the cases a prompt must answer well. Knows no file system: parsers take bytes and a path.

mod columns;
pub(super) mod csv;
pub mod difference;
mod inline;
pub(super) mod json_line;
mod jsonl;
pub(super) mod raw;
mod variables;
pub(in crate::domain) mod yaml;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::diagnostic::{Diagnostic, Parsed};
use super::evaluator::Evaluator;
use super::evaluator::combine::{EvaluatorSet, Rule};
use super::ids::{Digest, PromptPath};
use super::prompt::{Prompt, Vars};
use super::reader::Reader;
use super::source::{MAX_GOLDEN_SET_BYTES, Source};

pub use inline::inline;
pub use variables::check_variables;

/// How strictly head must pass a case by itself, whatever base did (gate lane 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MustPass {
    /// Three runs, none may fail.
    Always,
    /// Up to eight runs, at most one may fail. `must_pass: true` means this.
    Reliably,
}

/// One case: inputs and what is expected of the answer.
#[derive(Debug, Clone)]
pub struct Case {
    /// Unique within its set; derived from the vars where the file gives none.
    pub id: Arc<str>,
    /// Inputs.
    pub vars: Arc<Vars>,
    /// The answer an expert verified.
    pub expected: Option<Arc<str>>,
    /// Lane 1 membership.
    pub must_pass: Option<MustPass>,
    /// Share in the prompt's score; at least 0, 1 unless given.
    pub weight: f64,
    /// Free labels.
    pub tags: Arc<[String]>,
    /// Cases of one cluster share a source and are not independent.
    pub cluster: Option<Arc<str>>,
    /// Everything that judges the answer: the prompt's evaluators, the set's, the case's, or the implied `equals`.
    pub evaluators: Arc<[Evaluator]>,
    /// The score from which it passes, whatever its evaluators say; every evaluator must pass where there is none.
    pub threshold: Option<f64>,
    /// Those of its evaluators that count as one.
    pub sets: Arc<[EvaluatorSet]>,
    /// Line in its file, from 1.
    pub line: u32,
    /// Hash of vars, expected, evaluators, sets and thresholds: cases are compared only if it is equal on both sides.
    pub definition: Digest,
}

impl Case {
    /// How its evaluators make one trial.
    #[must_use]
    pub fn rule(&self) -> Rule<'_> {
        Rule { threshold: self.threshold, sets: &self.sets }
    }

    /// The evaluators that have a say in whether it passes.
    pub fn counted(&self) -> impl Iterator<Item = &Evaluator> {
        self.rule().counted(&self.evaluators)
    }
}

/// The cases of one prompt, in file order; never empty.
#[derive(Debug, Clone)]
pub struct GoldenSet {
    /// The file the cases are from (the prompt file itself for `testData`).
    pub path: PromptPath,
    /// The cases.
    pub cases: Vec<Case>,
}

/// The closed list of golden set formats, told apart by the file's ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.yml`, `.yaml`.
    Yaml,
    /// `.jsonl`: one case per line.
    Jsonl,
    /// `.csv`.
    Csv,
}

impl Format {
    /// The format of a file that is named as a golden set; compared without regard to case.
    #[must_use]
    pub fn of(path: &PromptPath) -> Option<Self> {
        match path.folded().rsplit_once('.')?.1 {
            "yml" | "yaml" => Some(Self::Yaml),
            "jsonl" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// Reads the golden set of a prompt. Each case gets the prompt's evaluators, the set's and its own.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse(path: &PromptPath, bytes: &[u8], prompt: &Prompt) -> Result<Parsed<GoldenSet>, Vec<Diagnostic>> {
    let source = Source::read(path, bytes, MAX_GOLDEN_SET_BYTES).map_err(|error| vec![*error])?;
    let Some(format) = Format::of(path) else {
        let message = format!("`{}` is in no known golden set format", path.file_name());
        return Err(vec![
            Diagnostic::error("unknown-format", path, message).with_help("name a .yml, .yaml, .jsonl or .csv file"),
        ]);
    };
    let mut reader = Reader::new(source);
    let set = match format {
        Format::Yaml => yaml::read(&mut reader, prompt),
        Format::Jsonl => jsonl::read(&mut reader, prompt),
        Format::Csv => csv::read(&mut reader, prompt),
    };
    reader.finish(set)
}

#[cfg(test)]
mod tests;
