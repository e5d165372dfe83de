//! Jinja texts: split into messages first, then filled in a sandbox. Knows no file format.

mod marks;
mod needed;
mod plain;
mod sandbox;
mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, Value as JinjaValue};
use serde_json::Value;

use super::body::{Place, RenderError, UndefinedVariable};
use super::{ChatMessage, Part, Role, Variable, Vars};
use crate::domain::diagnostic::Location;
use crate::domain::ids::Digest;
pub use marks::Remark;
use marks::Run;
pub use plain::NotPlain;

/// A prompt's text in Jinja.
#[derive(Debug, Clone)]
pub struct Jinja {
    environment: Environment<'static>,
    source: Arc<str>,
    first_line: u32,
    images: bool,
    needed: Vec<(String, Location)>,
    /// All variables that it looks up, on whatever branch.
    used: BTreeSet<String>,
    /// Variables that hold the address of an image, which becomes a part of its own.
    media: BTreeSet<String>,
}

/// How a text is read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Whether images in Markdown's form become parts.
    pub images: bool,
    /// Variables that hold the address of an image.
    pub media: BTreeSet<String>,
}

impl Jinja {
    /// Compiles a text; `first_line` is where it starts in its file.
    ///
    /// # Errors
    /// What is wrong with the template, and the line.
    pub fn compile(text: &str, first_line: u32, reading: Reading) -> Result<(Self, Vec<Remark>), (Location, String)> {
        let source = text.replace("\r\n", "\n");
        let pieces = scan::pieces(&source);
        let mut environment = sandbox::environment();
        let marked = marks::mark(&source, &pieces, reading.images);
        environment
            .add_template_owned(sandbox::NAME, marked.text)
            .map_err(|error| (line_at(first_line, error.line()), sandbox::explain(&error)))?;
        let needed = needed::needed(&environment, &source, &pieces);
        let needed = needed.into_iter().map(|(name, at)| {
            let at = place(&source, first_line, at, &name);
            (name, at)
        });
        let needed = needed.collect();
        let used = needed::undeclared(&environment, &source);
        let Reading { images, media } = reading;
        let jinja = Self { environment, source: source.into(), first_line, images, needed, used, media };
        Ok((jinja, marked.remarks))
    }

    /// The messages as the model gets them; text before the first role marker is the system's, and a message that
    /// comes out blank is left out.
    ///
    /// # Errors
    /// The first variable without a value, or what else goes wrong in the template.
    pub fn render(
        &self,
        vars: &Vars,
        declared: &BTreeMap<String, Variable>,
    ) -> Result<Arc<[ChatMessage]>, RenderError> {
        let defaults = declared.iter().filter_map(|(name, variable)| Some((name, variable.default.as_ref()?)));
        let mut values: BTreeMap<&str, &Value> = defaults.map(|(name, value)| (name.as_str(), value)).collect();
        values.extend(vars.iter().map(|(name, value)| (name.as_str(), value)));
        if let Some((name, at)) = self.needed.iter().find(|(name, _)| !values.contains_key(name.as_str())) {
            return Err(UndefinedVariable { variable: name.clone(), location: Some(*at) }.into());
        }
        let bytes = serde_json::to_vec(&values).unwrap_or_default();
        let mark = self.mark(&bytes);
        let mut environment = self.environment.clone();
        environment.set_fuel(Some(sandbox::fuel(self.source.len() + bytes.len())));
        environment.add_global(sandbox::MARK, mark.as_str());
        let context = values.iter().map(|(name, value)| (*name, self.value(name, value, &mark)));
        let rendered = sandbox::render(&environment, JinjaValue::from_pairs(context))
            .map_err(|error| self.failed(&error, &values))?;
        self.messages(marks::runs(&rendered, &mark))
    }

    /// Digits, so that no filter changes them.
    fn mark(&self, values: &[u8]) -> String {
        let digest = Digest::of_parts([self.source.as_bytes(), values]);
        let digits: String = digest.0.iter().map(|byte| format!("{byte:03}")).collect();
        format!("\u{e000}{digits}\u{e001}")
    }

    fn value(&self, name: &str, value: &Value, mark: &str) -> JinjaValue {
        match value {
            Value::String(url) if self.media.contains(name) => JinjaValue::from(marks::image(mark, url)),
            other => JinjaValue::from(Serde(other)),
        }
    }

    fn messages(&self, runs: Vec<Run>) -> Result<Arc<[ChatMessage]>, RenderError> {
        let mut messages = Vec::new();
        let mut role = Role::System;
        let mut parts: Vec<Part> = Vec::new();
        for run in runs {
            match run {
                Run::Start(next) => {
                    messages.extend(message(role, std::mem::take(&mut parts)));
                    role = next;
                }
                Run::Text(text) => match parts.last_mut() {
                    Some(Part::Text(before)) => *before = format!("{before}{text}").into(),
                    _ => parts.push(Part::Text(text.into())),
                },
                Run::Image(url) => parts.push(self.media_part(&url)?),
            }
        }
        messages.extend(message(role, parts));
        if messages.is_empty() {
            return Err(RenderError::Template {
                message: "the template comes out blank: give it a text for every case".to_owned(),
                location: Some(line_at(self.first_line, Some(1))),
            });
        }
        Ok(messages.into())
    }

    fn media_part(&self, url: &str) -> Result<Part, RenderError> {
        if !(url.starts_with("https://") || url.starts_with("data:")) {
            let shown: String = url.chars().take(60).collect();
            let message =
                format!("the image `{shown}` is not read from a file: give an https:// address or a data: URL");
            return Err(RenderError::Template { message, location: Some(line_at(self.first_line, Some(1))) });
        }
        let content_type = url.strip_prefix("data:").and_then(|data| data.split([';', ',']).next());
        let content_type = content_type.filter(|kind| !kind.is_empty()).map(Arc::from);
        Ok(Part::Media { url: url.into(), content_type })
    }

    /// The engine's error at its place in the file.
    fn failed(&self, error: &Error, values: &BTreeMap<&str, &Value>) -> RenderError {
        let at = line_at(self.first_line, error.line());
        if error.kind() == ErrorKind::UndefinedError {
            let line = self.source.lines().nth(error.line().unwrap_or(1).saturating_sub(1)).unwrap_or_default();
            let missing = |name: &&str| self.used.contains(*name) && !values.contains_key(*name);
            if let Some(name) = scan::names(line).into_iter().map(|(_, name)| name).find(missing) {
                return UndefinedVariable { variable: name.to_owned(), location: Some(at) }.into();
            }
        }
        RenderError::Template { message: sandbox::explain(error), location: Some(at) }
    }

    /// The variables that every case has to give, where they are used first.
    pub fn places(&self) -> impl Iterator<Item = Place<'_>> {
        self.needed.iter().map(|(variable, at)| Place { variable, at: Some(*at) })
    }

    /// The text before it is filled.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its first and last line in the file.
    #[must_use]
    pub fn lines(&self) -> (u32, u32) {
        let lines = u32::try_from(self.source.lines().count()).unwrap_or(u32::MAX);
        (self.first_line, self.first_line.saturating_add(lines.saturating_sub(1)))
    }
}

/// The message of these parts, without blank lines around it; `None` if nothing is left.
fn message(role: Role, parts: Vec<Part>) -> Option<ChatMessage> {
    let media = parts.iter().any(|part| matches!(part, Part::Media { .. }));
    let parts: Vec<Part> = parts
        .into_iter()
        .filter_map(|part| match part {
            Part::Text(text) => {
                let text = text.trim_matches('\n');
                (!text.trim().is_empty()).then(|| Part::Text(text.into()))
            }
            other => Some(other),
        })
        .collect();
    let texts: Vec<&str> =
        parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(&**text) } else { None }).collect();
    let content: Arc<str> = texts.join("\n").into();
    match (parts.is_empty(), media) {
        (true, _) => None,
        (false, true) => Some(ChatMessage { role, content, parts: parts.into() }),
        (false, false) => Some(ChatMessage::text(role, content)),
    }
}

fn line_at(first_line: u32, line: Option<usize>) -> Location {
    let within = u32::try_from(line.unwrap_or(1).saturating_sub(1)).unwrap_or(u32::MAX);
    Location { line: first_line.saturating_add(within), column: 1, length: 0 }
}

fn place(source: &str, first_line: u32, at: usize, name: &str) -> Location {
    let before = &source[..at];
    let line = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX);
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Location { line: first_line.saturating_add(line), column: number(column), length: number(name.chars().count()) }
}

#[cfg(test)]
mod tests;
