//! The cases that stand in a prompt file itself, as GitHub's `testData`.

use serde_json::Value;

use super::GoldenSet;
use super::raw::{Builder, RawCase};
use crate::domain::diagnostic::{Diagnostic, Location, Parsed};
use crate::domain::evaluator::spec::{CheckSpec, EvaluatorSpec};
use crate::domain::evaluator_syntax::Written;
use crate::domain::prompt::{Format, Prompt};
use crate::domain::reader::Reader;
use crate::domain::source::Source;

/// The cases of `testData`, or `None` if the prompt has none. A case's keys are its vars; `expected` is special.
#[must_use]
pub fn inline(prompt: &Prompt) -> Option<Result<Parsed<GoldenSet>, Vec<Diagnostic>>> {
    if prompt.test_data.is_empty() {
        return None;
    }
    let mut reader = Reader::new(Source::without_text(&prompt.path));
    let mut builder = Builder::new(&mut reader, &prompt.evaluators, Vec::new());
    for (vars, line) in &prompt.test_data {
        let mut vars = vars.clone();
        let expected = match vars.remove("expected") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(other) => Some(other.to_string()),
        };
        let at = Location { line: *line, column: 1, length: 0 };
        let raw = RawCase { vars, expected, evaluators: implied(prompt, at), ..RawCase::new(at) };
        builder.push(&mut reader, raw);
    }
    let set = builder.finish(&mut reader, Location::START, "add a case to `testData`");
    Some(reader.finish(set))
}

/// A sample in a format that has no evaluators is there to see that the prompt answers at all.
fn implied(prompt: &Prompt, at: Location) -> Vec<Written> {
    let can_say = matches!(Format::of(&prompt.path), Some(Format::GithubModels | Format::Markdown));
    let answers = EvaluatorSpec::plain(CheckSpec::WordCount { min: Some(1), max: None });
    if can_say { Vec::new() } else { vec![Written { spec: answers, at }] }
}
