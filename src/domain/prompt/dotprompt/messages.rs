//! What a template put out, as messages: roles, parts, and where the history goes. Knows no template.

use serde_json::{Map, Value, json};

use crate::domain::diagnostic::Location;
use crate::domain::prompt::Role;
use crate::domain::prompt::handlebars::Piece;
use crate::domain::prompt::rendered::{Content, Rendered};

/// A message that is being put together.
struct Draft {
    role: Role,
    content: Vec<Content>,
    metadata: Map<String, Value>,
}

impl Draft {
    fn new(role: Role) -> Self {
        Self { role, content: Vec::new(), metadata: Map::new() }
    }

    fn done(self) -> Rendered {
        Rendered { role: self.role, content: self.content, metadata: self.metadata }
    }
}

/// The messages, with the history where the template puts it, else before the last message if that is the user's, else
/// at the end.
pub(super) fn messages(pieces: Vec<Piece>, history: &[Rendered]) -> Result<Vec<Rendered>, (String, Location)> {
    let mut done: Vec<Rendered> = Vec::new();
    let mut draft = Draft::new(Role::User);
    for run in spoken(pieces) {
        match run {
            Run::Parts(parts) => draft.content.extend(parts),
            Run::Role { name, metadata, at } => {
                let role = role(&name)
                    .ok_or_else(|| (format!("unknown role `{name}`; write `user`, `model`, `system` or `tool`"), at))?;
                if draft.content.is_empty() {
                    draft.role = role;
                } else {
                    done.push(std::mem::replace(&mut draft, Draft::new(role)).done());
                }
                draft.metadata.extend(metadata.into_iter().map(|(key, value)| (key, Value::String(value))));
            }
            Run::History => {
                let before = std::mem::replace(&mut draft, Draft::new(Role::Assistant));
                if !before.content.is_empty() {
                    done.push(before.done());
                }
                done.extend(history.iter().cloned().map(as_history));
            }
        }
    }
    if !draft.content.is_empty() {
        done.push(draft.done());
    }
    Ok(with_history(done, history))
}

/// What lies between two marks of roles or history, blank texts left out.
enum Run {
    Parts(Vec<Content>),
    Role { name: String, metadata: Vec<(String, String)>, at: Location },
    History,
}

fn spoken(pieces: Vec<Piece>) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut parts: Vec<Content> = Vec::new();
    for piece in pieces {
        let mark = match piece {
            Piece::Text(text) => {
                if !text.trim().is_empty() {
                    parts.push(Content::Text(text));
                }
                continue;
            }
            Piece::Media { url, content_type } => {
                parts.push(Content::Media { url, content_type });
                continue;
            }
            Piece::Section(name) => {
                parts.push(Content::Other(json!({"metadata": {"purpose": name, "pending": true}})));
                continue;
            }
            Piece::Role { name, metadata, at } => Run::Role { name, metadata, at },
            Piece::History => Run::History,
        };
        runs.push(Run::Parts(std::mem::take(&mut parts)));
        runs.push(mark);
    }
    runs.push(Run::Parts(parts));
    runs
}

/// The role of a name; `assistant` is what other formats call the model.
pub(super) fn role(name: &str) -> Option<Role> {
    match name {
        "user" => Some(Role::User),
        "model" | "assistant" => Some(Role::Assistant),
        "system" => Some(Role::System),
        "tool" => Some(Role::Tool),
        _ => None,
    }
}

fn as_history(mut message: Rendered) -> Rendered {
    message.metadata.insert("purpose".to_owned(), "history".into());
    message
}

fn with_history(mut messages: Vec<Rendered>, history: &[Rendered]) -> Vec<Rendered> {
    if messages.iter().any(|message| message.metadata.get("purpose").is_some_and(|purpose| purpose == "history")) {
        return messages;
    }
    let at = match messages.last() {
        Some(last) if last.role == Role::User => messages.len() - 1,
        _ => messages.len(),
    };
    messages.splice(at..at, history.iter().cloned());
    messages
}
