//! An answer's form asked for in words, for models that cannot be held to it. Knows no vendor.

use crate::domain::prompt::ResponseFormat;

/// What the model is told, if the form is not free.
pub(super) fn in_words(format: &ResponseFormat) -> Option<String> {
    match format {
        ResponseFormat::Text => None,
        ResponseFormat::JsonObject => Some("Answer with one JSON object and nothing else.".to_owned()),
        ResponseFormat::JsonSchema { schema, .. } => {
            Some(format!("Answer with one JSON value and nothing else. It must match this JSON Schema:\n{schema}"))
        }
    }
}
