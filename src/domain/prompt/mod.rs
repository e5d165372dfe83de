//! A prompt as every format says it. Knows no file system: parsers take bytes and a path.

pub mod affix;
mod attachments;
mod body;
pub mod difference;
pub mod dotprompt;
mod front_matter;
pub mod github_models;
pub mod handlebars;
pub mod jinja;
pub mod markdown;
mod messages;
pub(in crate::domain) mod metadata;
pub(in crate::domain) mod parameters;
pub mod prompty;
pub mod rendered;
mod roles;
pub mod template;
mod vars;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::diagnostic::{Diagnostic, Location, Parsed};
use super::evaluator::Evaluator;
use super::ids::{ModelId, PromptPath};
use super::promptfoo;
use super::source::{MAX_FILE_BYTES, Source};
pub use attachments::{Attachments, Reference};
pub use body::{Body, Message, Place, RenderError, UndefinedVariable};
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
    /// What a tool gave back.
    Tool,
}

/// A message as the model gets it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// The rendered text; of a message in parts, its text parts joined.
    pub content: Arc<str>,
    /// All parts in order, where there are others than one text; else empty.
    pub parts: Arc<[Part]>,
}

/// One part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// Text.
    Text(Arc<str>),
    /// An image or another medium, by its address or as a `data:` URL.
    Media {
        /// Where it is.
        url: Arc<str>,
        /// Its media type, for instance `image/png`.
        content_type: Option<Arc<str>>,
    },
}

impl ChatMessage {
    /// A message of one text.
    #[must_use]
    pub fn text(role: Role, content: impl Into<Arc<str>>) -> Self {
        Self { role, content: content.into(), parts: Arc::default() }
    }
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
    /// Which prompt of its file it is, where a file holds several; sides are paired by it.
    pub label: Option<String>,
    /// What pairs sides where their labels differ, for instance because the model in them changed.
    pub group: Option<String>,
    /// How often each case is asked, where the file says it.
    pub trials: Option<u32>,
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
    /// Tools the model may call, each as OpenAI's `{type: function, function: {name, description, parameters}}`.
    pub tools: Arc<[Value]>,
    /// What it says.
    pub body: Body,
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
    /// `.prompt`; a name that begins with `_` is a partial, which is no prompt by itself.
    Dotprompt,
    /// Microsoft's `.prompty`.
    Prompty,
    /// `.prompt.md`: Markdown with a front matter.
    Markdown,
    /// `promptfooconfig.yaml`, `.yml` and `.json`: a file of several prompts with their tests.
    Promptfoo,
}

/// The formats by the ends of their files' names; the first that fits counts.
pub const ENDINGS: [(&str, Format); 5] = [
    (".prompt.yml", Format::GithubModels),
    (".prompt.yaml", Format::GithubModels),
    (".prompt.md", Format::Markdown),
    (".prompty", Format::Prompty),
    (".prompt", Format::Dotprompt),
];

impl Format {
    /// The format of a file, if it is a prompt file; compared without regard to case.
    #[must_use]
    pub fn of(path: &PromptPath) -> Option<Self> {
        let folded = path.folded();
        let name = folded.rsplit('/').next().unwrap_or(&folded);
        if promptfoo::NAMES.contains(&name) {
            return Some(Self::Promptfoo);
        }
        let (ending, format) = ENDINGS.into_iter().find(|(ending, _)| name.ends_with(ending))?;
        let is_prompt = format != Self::Dotprompt || !name.starts_with('_') && name != ending;
        is_prompt.then_some(format)
    }

    /// Whether files of this format may be made of other files.
    #[must_use]
    pub fn has_references(self) -> bool {
        match self {
            Self::GithubModels | Self::Markdown => false,
            Self::Dotprompt | Self::Prompty | Self::Promptfoo => true,
        }
    }
}

/// The path without its format's ending, if it is a prompt file: what its golden set is called after.
#[must_use]
pub fn path_stem(path: &PromptPath) -> &str {
    let text = path.as_str();
    let fits = |ending: &&str| {
        let start = text.len().checked_sub(ending.len());
        start.and_then(|start| text.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    let ending = ENDINGS.iter().map(|(ending, _)| *ending).find(fits).unwrap_or("");
    text.get(..text.len() - ending.len()).unwrap_or(text)
}

/// The file's name without its format's ending.
#[must_use]
pub fn stem(path: &PromptPath) -> &str {
    match path_stem(path).rsplit('/').next() {
        Some(stem) if !stem.is_empty() => stem,
        _ => path.file_name(),
    }
}

/// The endings of prompt files, for a message.
#[must_use]
pub fn endings() -> String {
    let [first @ .., last] = ENDINGS.map(|(end, _)| end);
    format!("{} or {last}", first.join(", "))
}

/// Reads a prompt file by itself: other files it is made of are not looked at, and what is missing for want of them is
/// no error. For who only wants to know what the file says of itself.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse(path: &PromptPath, bytes: &[u8]) -> Result<Parsed<Prompt>, Vec<Diagnostic>> {
    parse_with(path, bytes, &Attachments::unknown())
}

/// Reads a prompt file together with the files it is made of.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse_with(path: &PromptPath, bytes: &[u8], attached: &Attachments) -> Result<Parsed<Prompt>, Vec<Diagnostic>> {
    let source = Source::read(path, bytes, MAX_FILE_BYTES).map_err(|error| vec![*error])?;
    match Format::of(path) {
        Some(Format::GithubModels) => github_models::parse(source),
        Some(Format::Dotprompt) => dotprompt::parse(source, attached),
        Some(Format::Prompty) => prompty::parse(source, attached),
        Some(Format::Markdown) => markdown::parse(source),
        Some(Format::Promptfoo) => Err(vec![
            Diagnostic::error("several-prompts", path, "a promptfoo config holds several prompts with their tests")
                .with_help("name it to `promptops eval`, or take a file of one prompt"),
        ]),
        None => Err(vec![
            Diagnostic::error("unknown-format", path, format!("`{}` is in no known prompt format", path.file_name()))
                .with_help("name it `<name>.prompt.yml`"),
        ]),
    }
}

/// The other files that a prompt file is made of, those left out that `attached` knows. Asked again with what was found
/// until nothing is left, since attached files may need others.
#[must_use]
pub fn references(path: &PromptPath, bytes: &[u8], attached: &Attachments) -> Vec<Reference> {
    match Format::of(path) {
        Some(Format::Dotprompt) => dotprompt::references(path, bytes, attached),
        Some(Format::Prompty) => prompty::references(path, bytes, attached),
        Some(Format::Promptfoo) => promptfoo::references(path, bytes, attached),
        Some(Format::GithubModels | Format::Markdown) | None => Vec::new(),
    }
}

impl Prompt {
    /// A prompt that says this and nothing of itself.
    #[must_use]
    pub fn new(path: PromptPath, name: String, body: Body) -> Self {
        Self {
            path,
            label: None,
            group: None,
            trials: None,
            name,
            description: None,
            model: None,
            parameters: Parameters::default(),
            response_format: ResponseFormat::default(),
            tools: Arc::default(),
            body,
            variables: BTreeMap::new(),
            version: None,
            owner: None,
            use_case: None,
            example_output: None,
            golden_set: None,
            golden_set_at: None,
            tags: Vec::new(),
            test_data: Vec::new(),
            evaluators: Vec::new(),
            evaluator_variables: Vec::new(),
        }
    }

    /// The messages as the model gets them. Declared defaults stand in for what `vars` leaves out.
    ///
    /// # Errors
    /// The first variable that has neither a value nor a default, or what else the template cannot do.
    pub fn render(&self, vars: &Vars) -> Result<Arc<[ChatMessage]>, RenderError> {
        Ok(affix::wrap(self.body.render(vars, &self.variables)?, vars))
    }
}

#[cfg(test)]
mod tests;
