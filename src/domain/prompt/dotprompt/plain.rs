//! A `.prompt` file's messages as a format without logic writes them. Knows no other format.

use serde_json::Value;

use super::template::Template;
use crate::domain::diagnostic::Location;
use crate::domain::prompt::handlebars::logic;
use crate::domain::prompt::{Role, Vars};

/// Messages, and what they leave out.
pub type Plain = (Vec<(Role, String)>, Vec<(Location, String)>);

impl Template {
    /// The messages with their variables as `{{name}}`, and what such messages cannot say, with its place.
    #[must_use]
    pub fn plain(&self) -> Plain {
        let losses: Vec<_> = logic(&self.program, &self.partials)
            .into_iter()
            .map(|(at, what)| (at, format!("`{what}` is logic, which a .prompt.yml cannot say")))
            .collect();
        // A value is never filled again, so a variable that stands for itself comes out as it was written.
        let vars: Vars =
            self.places().map(|place| (place.variable, Value::from(format!("{{{{{}}}}}", place.variable)))).collect();
        let messages = match self.chat(&vars, &Default::default()) {
            Ok(messages) => messages.iter().map(|message| (message.role, message.content.to_string())).collect(),
            Err(_) => vec![(Role::User, self.source().to_owned())],
        };
        (messages, losses)
    }
}
