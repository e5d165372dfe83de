//! Evaluators that ask a model, in our form and in promptfoo's. Knows not how a model is asked.

use super::{OPTIONS, read_model, with_options};
use crate::domain::evaluator::spec::{CheckSpec, EvaluatorSpec};
use crate::domain::node::{Kind, Node};
use crate::domain::reader::{Reader, Unknown};

/// Our names.
pub(super) const KINDS: [&str; 1] = ["judge"];

/// promptfoo's names.
pub(super) const PROMPTFOO: [&str; 1] = ["llm-rubric"];

/// Whether promptfoo's name is one of a kind that asks a model.
pub(super) fn is_promptfoo(name: &str) -> bool {
    PROMPTFOO.contains(&name)
}

/// Reads a value under promptfoo's name. The threshold is put into the evaluator by the caller.
pub(super) fn promptfoo(
    reader: &mut Reader<'_>,
    _name: &str,
    value: Option<&Node>,
    _threshold: Option<f64>,
) -> Option<CheckSpec> {
    Some(CheckSpec::Judge { rubric: reader.words(value?, "llm-rubric")?, model: None })
}

/// Reads the value of one of our [`KINDS`], bare or with options.
pub(super) fn ours(reader: &mut Reader<'_>, _kind: &str, value: &Node) -> Option<EvaluatorSpec> {
    if !matches!(value.kind, Kind::Map(_)) {
        let rubric = reader.words(value, "judge")?;
        return with_options(reader, None, CheckSpec::Judge { rubric, model: None });
    }
    let known = ["rubric", "value", "model", OPTIONS[0], OPTIONS[1], OPTIONS[2], OPTIONS[3]];
    let fields = reader.fields(value, "judge", &known, Unknown::Refused)?;
    let Some(rubric) = fields.get("rubric").or(fields.get("value")) else {
        reader.error("invalid-evaluator", value.at, "`judge` has no `rubric`", "say what a good answer is in `rubric`");
        return None;
    };
    let rubric = reader.words(rubric, "rubric")?;
    let model = match fields.get("model") {
        Some(node) => Some(read_model(reader, node, "model")?),
        None => None,
    };
    with_options(reader, Some(fields), CheckSpec::Judge { rubric, model })
}
