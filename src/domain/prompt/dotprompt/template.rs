//! A `.prompt` file's template with its partials: values in, messages out. Knows no file system.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::details::Details;
use super::messages;
use crate::domain::diagnostic::Location;
use crate::domain::prompt::handlebars::{self, Partials, Program};
use crate::domain::prompt::rendered::{Data, Rendered};
use crate::domain::prompt::{ChatMessage, Place, RenderError, UndefinedVariable, Variable, Vars};

/// A template that can be filled.
#[derive(Debug)]
pub struct Template {
    pub(super) source: String,
    pub(super) lines: (u32, u32),
    pub(super) program: Program,
    pub(super) partials: Partials,
    pub(super) places: Vec<(String, Location)>,
    pub(super) details: Details,
}

impl Template {
    /// What the file says of itself.
    #[must_use]
    pub fn details(&self) -> &Details {
        &self.details
    }

    /// The messages as the model gets them.
    ///
    /// # Errors
    /// The first variable without a value, or what else the template cannot do.
    pub fn chat(&self, vars: &Vars, declared: &BTreeMap<String, Variable>) -> Result<Arc<[ChatMessage]>, RenderError> {
        let rendered = self.render(&Data::from_vars(vars), declared)?;
        let messages: Vec<ChatMessage> = rendered.into_iter().filter_map(Rendered::into_chat).collect();
        if messages.is_empty() {
            let message = "the template renders to no message; let it say something for every case".to_owned();
            return Err(RenderError::Template { message, location: Some(self.start()) });
        }
        Ok(messages.into())
    }

    /// The messages with all that dotprompt knows of them.
    ///
    /// # Errors
    /// The first variable without a value, or what else the template cannot do.
    pub fn render(&self, data: &Data, declared: &BTreeMap<String, Variable>) -> Result<Vec<Rendered>, RenderError> {
        let mut input = self.details.defaults();
        for (name, variable) in declared {
            if let Some(default) = variable.default.as_ref().filter(|_| !input.contains_key(name)) {
                input.insert(name.clone(), default.clone());
            }
        }
        input.extend(data.input.iter().map(|(name, value)| (name.clone(), value.clone())));
        let history: Vec<Value> = data.messages.iter().map(|message| message.to_json("model")).collect();
        let mut seen = Map::new();
        let metadata = json!({"prompt": self.details.seen(), "docs": data.docs, "messages": history});
        seen.insert("metadata".to_owned(), metadata);
        seen.extend(data.context.iter().map(|(name, value)| (name.clone(), value.clone())));
        let pieces = handlebars::render(&self.program, &self.partials, &Value::Object(input), &seen)
            .map_err(|trouble| error(*trouble))?;
        messages::messages(pieces, &data.messages)
            .map_err(|(message, at)| RenderError::Template { message, location: Some(at) })
    }

    /// The places whose variables every case has to give.
    pub fn places(&self) -> impl Iterator<Item = Place<'_>> {
        self.places.iter().map(|(variable, at)| Place { variable, at: Some(*at) })
    }

    /// The template and its partials as they are written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its first and last line.
    #[must_use]
    pub fn lines(&self) -> (u32, u32) {
        self.lines
    }

    fn start(&self) -> Location {
        Location { line: self.lines.0, column: 1, length: 0 }
    }
}

fn error(trouble: handlebars::Trouble) -> RenderError {
    let location = Some(trouble.at);
    match trouble.undefined {
        Some(variable) => RenderError::Undefined(UndefinedVariable { variable, location }),
        None => RenderError::Template { message: trouble.message, location },
    }
}
