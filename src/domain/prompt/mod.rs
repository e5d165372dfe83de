//! A prompt as every format says it. Knows no file system: parsers take bytes and a path.

pub mod github_models;
mod metadata;
mod parameters;
pub mod template;
mod vars;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::diagnostic::{Diagnostic, Location, Parsed};
use super::evaluator::Evaluator;
use super::ids::{ModelId, PromptPath};
use super::source::{MAX_FILE_BYTES, Source};
use template::Template;
pub use vars::Vars;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Standing instructions.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
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

/// A message as the model gets it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// The rendered text.
    pub content: Arc<str>,
}

/// Sampling parameters; an absent one is the provider's default and is not sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Parameters {
    /// Longest answer, in tokens.
    pub max_tokens: Option<u32>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Sampling seed, where the provider takes one.
    pub seed: Option<u64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
}

/// What form the answer must have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseFormat {
    /// Free text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON after a schema.
    JsonSchema {
        /// The schema's name, which some providers demand.
        name: String,
        /// The schema.
        schema: Arc<Value>,
        /// Whether the provider must hold to it strictly.
        strict: Option<bool>,
    },
}

/// What a prompt says of one of its variables.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Variable {
    /// For people.
    pub description: Option<String>,
    /// Whether a case must give it; true unless a default is there.
    pub required: Option<bool>,
    /// The value of a case that gives none.
    pub default: Option<Value>,
    /// A sample value.
    pub example: Option<Value>,
}

/// A prompt, whatever format it was written in.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The file.
    pub path: PromptPath,
    /// Its `name`, else the file's stem.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// The model it names.
    pub model: Option<ModelId>,
    /// Sampling parameters.
    pub parameters: Parameters,
    /// The answer's form.
    pub response_format: ResponseFormat,
    /// The messages, in order; never empty.
    pub messages: Vec<Message>,
    /// Declared variables.
    pub variables: BTreeMap<String, Variable>,
    /// The prompt's own version.
    pub version: Option<semver::Version>,
    /// `@user` or `@org/team` who answers for it.
    pub owner: Option<String>,
    /// What it is for.
    pub use_case: Option<String>,
    /// A sample of a good answer.
    pub example_output: Option<String>,
    /// The golden set it names, resolved inside the repository.
    pub golden_set: Option<PromptPath>,
    /// Where it names it.
    pub golden_set_at: Option<Location>,
    /// Free labels.
    pub tags: Vec<String>,
    /// The cases that stand in the file itself (`testData`), with their lines.
    pub test_data: Vec<(Vars, u32)>,
    /// Evaluators that stand in the file itself; they run on every case, whichever golden set it is from.
    pub evaluators: Vec<Evaluator>,
    /// Variables that the texts of `evaluators` use, with the evaluator's place; `expected` where it compares with it.
    pub evaluator_variables: Vec<(String, Location)>,
}

/// The closed list of prompt formats, told apart by the file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.prompt.yml` and `.prompt.yaml`.
    GithubModels,
}

impl Format {
    /// The format of a file, if it is a prompt file; compared without regard to case.
    #[must_use]
    pub fn of(path: &PromptPath) -> Option<Self> {
        let name = path.folded();
        [".prompt.yml", ".prompt.yaml"].iter().any(|end| name.ends_with(end)).then_some(Self::GithubModels)
    }
}

/// Reads a prompt file.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse(path: &PromptPath, bytes: &[u8]) -> Result<Parsed<Prompt>, Vec<Diagnostic>> {
    let source = Source::read(path, bytes, MAX_FILE_BYTES).map_err(|error| vec![*error])?;
    match Format::of(path) {
        Some(Format::GithubModels) => github_models::parse(source),
        None => Err(vec![
            Diagnostic::error("unknown-format", path, format!("`{}` is in no known prompt format", path.file_name()))
                .with_help("name it `<name>.prompt.yml`"),
        ]),
    }
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

impl Prompt {
    /// The messages as the model gets them. Declared defaults stand in for what `vars` leaves out.
    ///
    /// # Errors
    /// The first variable that has neither a value nor a default.
    pub fn render(&self, vars: &Vars) -> Result<Arc<[ChatMessage]>, UndefinedVariable> {
        let lookup = |name: &str| vars.get(name).or_else(|| self.variables.get(name)?.default.as_ref());
        self.messages
            .iter()
            .map(|message| {
                let content = message
                    .content
                    .render(&lookup)
                    .map_err(|variable| UndefinedVariable { location: message.place_of(&variable), variable })?;
                Ok(ChatMessage { role: message.role, content: content.into() })
            })
            .collect()
    }
}

impl Message {
    /// Where a variable is first used, as near as is known.
    fn place_of(&self, variable: &str) -> Option<Location> {
        let mut places = self.content.places();
        places.find(|(name, _)| *name == variable).and_then(|(_, at)| at).or(self.location)
    }
}

#[cfg(test)]
mod tests;
