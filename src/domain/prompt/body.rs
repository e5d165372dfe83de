//! What a prompt says before its variables are filled, in the template language of its format. Knows no file system.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dotprompt;
use super::jinja::Jinja;
use super::template::Template;
use super::{ChatMessage, Role, Variable, Vars};
use crate::domain::diagnostic::Location;

/// The text of a prompt.
#[derive(Debug, Clone)]
pub enum Body {
    /// Messages with logic-less templates; never empty.
    Messages(Vec<Message>),
    /// One Handlebars template that puts messages out, with its partials.
    Handlebars(Arc<dotprompt::Template>),
    /// A Jinja text with role markers.
    Jinja(Arc<Jinja>),
}

/// One message of a prompt before its variables are filled.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Template,
    /// Where the content starts in the file.
    pub location: Option<Location>,
}

/// A place that uses a variable which every case has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'b> {
    /// The variable.
    pub variable: &'b str,
    /// Where it is used, as near as is known.
    pub at: Option<Location>,
}

/// A template variable that a case gives no value for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("variable `{variable}` has no value")]
pub struct UndefinedVariable {
    /// The variable's name.
    pub variable: String,
    /// The place in the prompt file that uses it.
    pub location: Option<Location>,
}

/// Why a prompt cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A value is missing.
    #[error("{0}: give `{name}` in the case's vars, or a default in the prompt", name = .0.variable)]
    Undefined(#[from] UndefinedVariable),
    /// The template itself fails, or takes more than it may.
    #[error("{message}")]
    Template {
        /// What happened and what to do.
        message: String,
        /// Where, in the prompt file.
        location: Option<Location>,
    },
}

impl Body {
    /// The messages as the model gets them.
    ///
    /// # Errors
    /// The first variable that has neither a value nor a default, or what else the template cannot do.
    pub fn render(
        &self,
        vars: &Vars,
        declared: &BTreeMap<String, Variable>,
    ) -> Result<Arc<[ChatMessage]>, RenderError> {
        match self {
            Self::Messages(messages) => {
                let filled = messages.iter().map(|message| message.render(vars, declared));
                Ok(filled.collect::<Result<_, _>>()?)
            }
            Self::Handlebars(template) => template.chat(vars, declared),
            Self::Jinja(jinja) => jinja.render(vars, declared),
        }
    }

    /// The places whose variables every case has to give, unless the prompt declares a default.
    #[must_use]
    pub fn places(&self) -> Vec<Place<'_>> {
        match self {
            Self::Messages(messages) => messages
                .iter()
                .flat_map(|message| {
                    let places = message.content.places();
                    places.map(|(variable, at)| Place { variable, at: at.or(message.location) })
                })
                .collect(),
            Self::Handlebars(template) => template.places().collect(),
            Self::Jinja(jinja) => jinja.places().collect(),
        }
    }

    /// The text before it is filled, for the difference between two versions.
    #[must_use]
    pub fn source(&self) -> String {
        match self {
            Self::Messages(messages) => messages
                .iter()
                .map(|message| format!("{:?}:\n{}\n", message.role, message.content.source().trim_end()))
                .collect(),
            Self::Handlebars(template) => template.source().to_owned(),
            Self::Jinja(jinja) => jinja.source().to_owned(),
        }
    }

    /// Its first and last line in the file, where the format tells.
    #[must_use]
    pub fn lines(&self) -> Option<(u32, u32)> {
        match self {
            Self::Messages(messages) => {
                let lines = || messages.iter().filter_map(|message| message.location).map(|at| at.line);
                Some((lines().min()?, lines().max()?))
            }
            Self::Handlebars(template) => Some(template.lines()),
            Self::Jinja(jinja) => Some(jinja.lines()),
        }
    }
}

impl Message {
    fn render(&self, vars: &Vars, declared: &BTreeMap<String, Variable>) -> Result<ChatMessage, UndefinedVariable> {
        let lookup = |name: &str| vars.get(name).or_else(|| declared.get(name)?.default.as_ref());
        let content = self
            .content
            .render(&lookup)
            .map_err(|variable| UndefinedVariable { location: self.place_of(&variable), variable })?;
        Ok(ChatMessage::text(self.role, content))
    }

    /// Where a variable is first used, as near as is known.
    fn place_of(&self, variable: &str) -> Option<Location> {
        let mut places = self.content.places();
        places.find(|(name, _)| *name == variable).and_then(|(_, at)| at).or(self.location)
    }
}
