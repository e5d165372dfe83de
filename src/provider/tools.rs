//! Tools and calls of them: from OpenAI's form, which prompts use, and back into it. Knows no vendor's own form.

use serde::Serialize;
use serde_json::{Value, json};

use crate::engine::provider::{CompletionRequest, ProviderError};

/// A tool that a model may call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function<'q> {
    pub name: &'q str,
    pub description: Option<&'q str>,
    pub parameters: Option<&'q Value>,
    pub strict: Option<bool>,
}

impl<'q> Function<'q> {
    /// The request's tools.
    ///
    /// # Errors
    /// When one is no function; other kinds are one vendor's own.
    pub fn all(request: &'q CompletionRequest) -> Result<Vec<Self>, ProviderError> {
        let read = |(index, tool): (usize, &'q Value)| {
            let function = tool.get("function");
            let name = function.and_then(|function| function.get("name")).and_then(Value::as_str);
            let (Some(function), Some(name)) = (function, name) else {
                let what = tool.get("type").and_then(Value::as_str).unwrap_or("of no type");
                return Err(ProviderError::GiveUp {
                    message: format!(
                        "tool {} is `{what}`, and {} takes functions alone: write it as {{type: function, function: \
                         {{name, description, parameters}}}}",
                        index + 1,
                        request.model.provider()
                    ),
                });
            };
            Ok(Self {
                name,
                description: function.get("description").and_then(Value::as_str),
                parameters: function.get("parameters").filter(|parameters| parameters.is_object()),
                strict: function.get("strict").and_then(Value::as_bool),
            })
        };
        request.tools.iter().enumerate().map(read).collect()
    }

    /// Its parameters, where a vendor demands some.
    pub fn schema(&self) -> Value {
        self.parameters.cloned().unwrap_or_else(|| json!({"type": "object", "properties": {}}))
    }
}

/// One call of a tool in OpenAI's form.
#[derive(Debug, Serialize)]
pub(super) struct Call {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    r#type: &'static str,
    function: Called,
}

#[derive(Debug, Serialize)]
struct Called {
    name: String,
    /// JSON as text.
    arguments: String,
}

impl Call {
    /// A call with its arguments as JSON text.
    pub fn new(id: Option<String>, name: String, arguments: String) -> Self {
        Self { id, r#type: "function", function: Called { name, arguments } }
    }
}

/// What is judged: what the model says, or, where it says nothing, which tools it calls.
pub(super) fn said_or_called<C: Serialize>(said: String, calls: &[C]) -> String {
    if calls.is_empty() || !said.trim().is_empty() {
        return said;
    }
    serde_json::to_string(calls).unwrap_or(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_out_where_nothing_is_said() {
        let calls = [Call::new(Some("1".into()), "weather".into(), r#"{"city":"Oslo"}"#.into())];
        assert_eq!(said_or_called("Let me see.".to_owned(), &calls), "Let me see.");
        assert_eq!(
            said_or_called(" ".to_owned(), &calls),
            r#"[{"id":"1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Oslo\"}"}}]"#
        );
        assert_eq!(said_or_called::<Call>(String::new(), &[]), "");
    }
}
