//! Rendered messages with everything a format knows of them, for people and programs to look at. Calls no model.

use serde_json::{Map, Value, json};

use super::{Body, ChatMessage, Parameters, Part, Prompt, RenderError, ResponseFormat, Role, Vars, dotprompt};
use crate::domain::untrusted::{Secrets, Untrusted};

/// A message after its variables are filled.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Who speaks.
    pub role: Role,
    /// Its parts in order.
    pub content: Vec<Content>,
    /// What a template says of it.
    pub metadata: Map<String, Value>,
}

/// One part of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Text.
    Text(String),
    /// An image or another medium.
    Media {
        /// Where it is, or a `data:` URL.
        url: String,
        /// Its media type.
        content_type: Option<String>,
    },
    /// What a model is not asked with: a section that a runtime fills, a tool's request in a history.
    Other(Value),
}

/// What a prompt is filled with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Data {
    /// Values of variables.
    pub input: Map<String, Value>,
    /// Earlier messages of the conversation.
    pub messages: Vec<Rendered>,
    /// Documents.
    pub docs: Value,
    /// What a template sees with `@`.
    pub context: Map<String, Value>,
}

impl Data {
    /// The inputs of a case; one whose name begins with `@` is context.
    #[must_use]
    pub fn from_vars(vars: &Vars) -> Self {
        let mut data = Self::default();
        for (name, value) in vars {
            let (into, name) = match name.strip_prefix('@') {
                Some(name) => (&mut data.context, name),
                None => (&mut data.input, name.as_str()),
            };
            into.insert(name.to_owned(), value.clone());
        }
        data
    }

    /// Dotprompt's data argument: `{input, messages, docs, context}`.
    ///
    /// # Errors
    /// What is wrong with it and how it is written.
    pub fn parse(value: Value) -> Result<Self, String> {
        let Value::Object(entries) = value else { return Err("it must be a JSON object".to_owned()) };
        let mut data = Self::default();
        for (name, value) in entries {
            match (name.as_str(), value) {
                (_, Value::Null) => {}
                ("input", Value::Object(input)) => data.input = input,
                ("context", Value::Object(context)) => data.context = context,
                ("input" | "context", _) => return Err(format!("`{name}` must be an object")),
                ("docs", docs) => data.docs = docs,
                ("messages", Value::Array(messages)) => {
                    data.messages = messages.iter().map(message).collect::<Result<_, _>>()?;
                }
                ("messages", _) => return Err("`messages` must be a list".to_owned()),
                _ => return Err(format!("unknown key `{name}`; use `input`, `messages`, `docs`, `context`")),
            }
        }
        Ok(data)
    }

    fn is_input_alone(&self) -> bool {
        self.messages.is_empty() && self.docs.is_null() && self.context.is_empty()
    }
}

fn message(value: &Value) -> Result<Rendered, String> {
    let wanted = || "each of `messages` needs a `role` and a `content`".to_owned();
    let role = value["role"].as_str().and_then(dotprompt::role).ok_or_else(wanted)?;
    let content = match &value["content"] {
        Value::String(text) => vec![Content::Text(text.clone())],
        Value::Array(parts) => parts.iter().map(part).collect(),
        _ => return Err(wanted()),
    };
    let metadata = value["metadata"].as_object().cloned().unwrap_or_default();
    Ok(Rendered { role, content, metadata })
}

fn part(value: &Value) -> Content {
    let only = value.as_object().is_some_and(|entries| entries.len() == 1);
    match (&value["text"], &value["media"]["url"]) {
        (Value::String(text), _) if only => Content::Text(text.clone()),
        (_, Value::String(url)) if only => {
            let content_type = value["media"]["contentType"].as_str().map(str::to_owned);
            Content::Media { url: url.clone(), content_type }
        }
        _ => Content::Other(value.clone()),
    }
}

impl Rendered {
    fn of_chat(message: &ChatMessage) -> Self {
        let content = if message.parts.is_empty() {
            vec![Content::Text(message.content.to_string())]
        } else {
            message.parts.iter().map(Content::of_part).collect()
        };
        Self { role: message.role, content, metadata: Map::new() }
    }

    /// The message as a model gets it; `None` if nothing of it is for a model.
    #[must_use]
    pub fn into_chat(self) -> Option<ChatMessage> {
        let parts: Vec<Part> = self.content.into_iter().filter_map(Content::into_part).collect();
        match parts.as_slice() {
            [] => None,
            [Part::Text(text)] => Some(ChatMessage::text(self.role, text.clone())),
            parts => {
                let texts =
                    parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(&**text) } else { None });
                Some(ChatMessage { content: texts.collect::<String>().into(), role: self.role, parts: parts.into() })
            }
        }
    }

    /// The message as JSON; `model` is the word for the model's role.
    #[must_use]
    pub fn to_json(&self, model: &str) -> Value {
        let content: Vec<Value> = self.content.iter().map(Content::to_json).collect();
        let mut json = json!({"role": role(self.role, model), "content": content});
        if !self.metadata.is_empty() {
            json["metadata"] = Value::Object(self.metadata.clone());
        }
        json
    }
}

impl Content {
    fn of_part(part: &Part) -> Self {
        match part {
            Part::Text(text) => Self::Text(text.to_string()),
            Part::Media { url, content_type } => {
                Self::Media { url: url.to_string(), content_type: content_type.as_ref().map(ToString::to_string) }
            }
        }
    }

    fn into_part(self) -> Option<Part> {
        match self {
            Self::Text(text) => Some(Part::Text(text.into())),
            Self::Media { url, content_type } => {
                Some(Part::Media { url: url.into(), content_type: content_type.map(Into::into) })
            }
            Self::Other(_) => None,
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => json!({"text": text}),
            Self::Media { url, content_type: None } => json!({"media": {"url": url}}),
            Self::Media { url, content_type } => json!({"media": {"url": url, "contentType": content_type}}),
            Self::Other(value) => value.clone(),
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Media { url, content_type } => match content_type {
                Some(content_type) => format!("[media {content_type}: {url}]"),
                None => format!("[media: {url}]"),
            },
            Self::Other(value) => match (&value["metadata"]["pending"], &value["metadata"]["purpose"]) {
                (Value::Bool(true), Value::String(name)) => format!("[section {name}]"),
                _ => format!("[{value}]"),
            },
        }
    }
}

fn role(role: Role, model: &str) -> &str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => model,
        Role::Tool => "tool",
    }
}

/// What dotprompt calls a model's messages; all others call it the assistant.
fn model_word(prompt: &Prompt) -> &'static str {
    if matches!(prompt.body, Body::Handlebars(_)) { "model" } else { "assistant" }
}

impl Prompt {
    /// The messages with all that the format knows of them.
    ///
    /// # Errors
    /// The first variable without a value, or what else the template cannot do.
    pub fn render_with(&self, data: &Data) -> Result<Vec<Rendered>, RenderError> {
        if let Body::Handlebars(template) = &self.body {
            return template.render(data, &self.variables);
        }
        if !data.is_input_alone() {
            let message = "only `.prompt` files take messages, docs and context; give the values of variables alone";
            return Err(RenderError::Template { message: message.to_owned(), location: None });
        }
        let vars: Vars = data.input.clone().into_iter().collect();
        Ok(self.render(&vars)?.iter().map(Rendered::of_chat).collect())
    }
}

/// A rendered prompt as JSON: `{messages, model, config, input, output, ext, raw}`.
#[must_use]
pub fn to_json(prompt: &Prompt, messages: &[Rendered]) -> Value {
    let messages: Vec<Value> = messages.iter().map(|message| message.to_json(model_word(prompt))).collect();
    if let Body::Handlebars(template) = &prompt.body {
        let dotprompt::Details { model, config, input, output, ext, raw } = template.details();
        return json!({
            "messages": messages, "model": model, "config": config, "input": input, "output": output, "ext": ext,
            "raw": raw,
        });
    }
    let declared = prompt.variables.iter();
    let defaults: Map<String, Value> =
        declared.filter_map(|(name, variable)| Some((name.clone(), variable.default.clone()?))).collect();
    let input = if defaults.is_empty() { json!({}) } else { json!({"default": defaults}) };
    json!({
        "messages": messages, "model": prompt.model.as_ref().map(ToString::to_string),
        "config": config(&prompt.parameters), "input": input, "output": output(&prompt.response_format),
        "ext": {}, "raw": {},
    })
}

fn config(parameters: &Parameters) -> Map<String, Value> {
    let Parameters { max_tokens, temperature, top_p, seed, stop } = parameters;
    let stop = (!stop.is_empty()).then(|| json!(stop));
    let entries = [
        ("maxTokens", max_tokens.map(Value::from)),
        ("temperature", temperature.map(Value::from)),
        ("topP", top_p.map(Value::from)),
        ("seed", seed.map(Value::from)),
        ("stop", stop),
    ];
    entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn output(format: &ResponseFormat) -> Value {
    match format {
        ResponseFormat::Text => json!({"format": "text"}),
        ResponseFormat::JsonObject => json!({"format": "json"}),
        ResponseFormat::JsonSchema { schema, .. } => json!({"format": "json", "schema": schema}),
    }
}

/// A rendered prompt for a person: each message under its role, indented, so that no text can pass for a role.
#[must_use]
pub fn to_text(prompt: &Prompt, messages: &[Rendered], secrets: &Secrets) -> String {
    let mut out = String::new();
    for message in messages {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(role(message.role, model_word(prompt)));
        if message.metadata.get("purpose").is_some_and(|purpose| purpose == "history") {
            out.push_str(" (history)");
        }
        out.push_str(":\n");
        for part in &message.content {
            let text = part.to_text();
            let shown = Untrusted::new(text.trim_end_matches('\n'), secrets).lines(usize::MAX);
            for line in shown.lines() {
                out.push_str(if line.is_empty() { "" } else { "  " });
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}
