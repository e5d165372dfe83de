//! Golden sets: the cases a prompt must answer well. Knows no file system: parsers take bytes and a path.

pub mod difference;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::evaluator::Evaluator;
use super::ids::{Digest, PromptPath};
use super::prompt::Vars;

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
    /// Line in its file, from 1.
    pub line: u32,
    /// Hash of vars, expected, evaluators and thresholds: cases are compared only if it is equal on both sides.
    pub definition: Digest,
}

/// The cases of one prompt, in file order; never empty.
#[derive(Debug, Clone)]
pub struct GoldenSet {
    /// The file the cases are from (the prompt file itself for `testData`).
    pub path: PromptPath,
    /// The cases.
    pub cases: Vec<Case>,
}
