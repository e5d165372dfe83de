//! What a `.prompt` file says of itself, as its front matter has it. Knows nothing of how it is read.

use serde_json::{Map, Value, json};

/// Front matter, with schemas resolved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// `model` as it is written, with a provider or without.
    pub model: Option<String>,
    /// `config`, whole.
    pub config: Map<String, Value>,
    /// `input`: `default` and `schema`.
    pub input: Map<String, Value>,
    /// `output`: `format` and `schema`.
    pub output: Map<String, Value>,
    /// Keys with a dot: by what stands before their last dot, then by what stands after it.
    pub ext: Map<String, Value>,
    /// All of the front matter, as it is written.
    pub raw: Map<String, Value>,
}

impl Details {
    /// The defaults of the input, in the order of the file.
    #[must_use]
    pub fn defaults(&self) -> Map<String, Value> {
        self.input.get("default").and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// What a template sees as `@metadata.prompt`.
    #[must_use]
    pub(super) fn seen(&self) -> Value {
        let mut seen = self.raw.clone();
        seen.remove("input");
        if !self.output.is_empty() {
            seen.insert("output".to_owned(), self.output.clone().into());
        }
        seen.insert("config".to_owned(), self.config.clone().into());
        seen.insert("ext".to_owned(), self.ext.clone().into());
        seen.insert("raw".to_owned(), self.raw.clone().into());
        json!(seen)
    }
}
