//! The golden set as editors see it: the YAML file, and one case, which is one line of the JSONL file.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::evaluator::Evaluator;
use super::{Anything, Text};

/// The cases a prompt must answer well.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "PromptOps golden set")]
pub struct GoldenSet {
    /// What judges the answer of every case.
    pub evaluators: Option<Vec<Evaluator>>,
    /// The cases.
    #[schemars(length(min = 1))]
    pub cases: Vec<Case>,
}

/// Inputs, and what is expected of the answer.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "PromptOps case")]
pub struct Case {
    /// Unique within its set; derived from the vars if absent.
    pub id: Option<Text>,
    /// Inputs: the prompt's variables.
    pub vars: Option<BTreeMap<String, Anything>>,
    /// The answer an expert verified.
    pub expected: Option<Text>,
    /// How strictly the new text must pass this case, whatever the old one did: `always` (3 runs of 3), `reliably`
    /// (7 of 8), `true` (reliably).
    pub must_pass: Option<MustPass>,
    /// Share in the score; 1 if absent.
    #[schemars(range(min = 0))]
    pub weight: Option<f64>,
    /// Free labels.
    pub tags: Option<Vec<Text>>,
    /// Cases that share a source and are not independent.
    pub cluster: Option<Text>,
    /// The score from which the case passes, whatever single evaluators say; without it, every one must pass.
    #[schemars(range(min = 0, max = 1))]
    pub threshold: Option<f64>,
    /// What judges the answer; without any, the answer must equal `expected`.
    pub evaluators: Option<Vec<Evaluator>>,
}

/// How strictly a case must pass.
pub struct MustPass;

impl JsonSchema for MustPass {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MustPass".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["always", "reliably", true, false, "true", "false"] })
    }
}
