//! The text of one promptfoo prompt as messages: a chat in JSON or YAML, else one message of the user. Knows no files.

use serde_json::Value;

use super::refusal::{self, Refusal};
use crate::domain::diagnostic::Location;
use crate::domain::ids::PromptPath;
use crate::domain::node::{Kind, Node};
use crate::domain::prompt::template::Template;
use crate::domain::prompt::{Message, Role};
use crate::domain::reader::Reader;
use crate::domain::source::{MAX_FILE_BYTES, Source};
use crate::domain::yaml;

/// A prompt's text and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'t> {
    pub text: &'t str,
    /// Where it starts in the reader's file.
    pub at: Location,
    /// Whether places within the text can be shown as places of the prompt's own file.
    pub is_own: bool,
}

/// The messages of a prompt. `None` only after an error was recorded.
pub(super) fn messages(reader: &mut Reader<'_>, written: Text<'_>) -> Option<Vec<Message>> {
    if refusal::tell_nunjucks(reader, written.text, written.at) {
        return None;
    }
    match chat(written.text) {
        Ok(None) => Some(vec![message(reader, Role::User, written.text, written)]),
        Ok(Some(Value::Array(items))) => {
            items.iter().map(|item| of_chat(reader, item, written)).collect::<Vec<_>>().into_iter().collect()
        }
        Ok(Some(_)) => {
            let message = "the prompt looks like a chat, but is no list of messages";
            reader.error("invalid-chat", written.at, message, "write a list of `{role, content}`");
            None
        }
        Err(reason) => {
            let message = format!("the prompt looks like a chat, but cannot be read: {reason}");
            let help = "write valid JSON: a list of `{role, content}`; or let the text not start with `[{`";
            reader.error("invalid-chat", written.at, message, help);
            None
        }
    }
}

/// The data of a text that is a chat; nothing for any other text.
fn chat(text: &str) -> Result<Option<Value>, String> {
    let text = text.trim();
    if text.starts_with("- role:") || text.starts_with("- content:") {
        let path = PromptPath::parse("prompt").map_err(|error| error.to_string())?;
        let source = Source::read(&path, text.as_bytes(), MAX_FILE_BYTES).map_err(|finding| finding.message)?;
        return yaml::parse(&source).map(|node| Some(node.to_value())).map_err(|finding| finding.message);
    }
    if !text.starts_with('[') {
        return Ok(None);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => {
            let is_chat = |item: &Value| item.get("role").is_some() || item.get("content").is_some();
            let any = value.as_array().is_some_and(|items| items.iter().any(is_chat));
            Ok(any.then_some(value))
        }
        // `[Note] …` is text; what starts as a chat and is none would be sent as text unseen.
        Err(error) if text[1..].trim_start().starts_with('{') => Err(error.to_string()),
        Err(_) => Ok(None),
    }
}

fn of_chat(reader: &mut Reader<'_>, item: &Value, written: Text<'_>) -> Option<Message> {
    let refuse = |reader: &mut Reader<'_>, message: String, help: &str| {
        Refusal::new("invalid-chat", message, help).tell(reader, written.at);
        None
    };
    let Some(entries) = item.as_object() else {
        return refuse(reader, "a message of the chat is no mapping".to_owned(), "write `{role, content}`");
    };
    if let Some(key) = entries.keys().find(|key| !matches!(key.as_str(), "role" | "content" | "name")) {
        let message = format!("`{key}` in a message of the chat is not read");
        return refuse(reader, message, "keep `role` and `content`");
    }
    let role = match entries.get("role").and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref() {
        Some("system" | "developer") => Role::System,
        Some("user" | "human") => Role::User,
        Some("assistant" | "model" | "ai") => Role::Assistant,
        Some("tool") => Role::Tool,
        other => {
            let message = format!("unknown message role `{}` in the chat", other.unwrap_or("nothing"));
            return refuse(reader, message, "use system, user or assistant");
        }
    };
    match text_of(entries.get("content")) {
        Some(content) => Some(message(reader, role, &content, written)),
        None => {
            let message = "a message of the chat has other content than text".to_owned();
            refuse(reader, message, "write `content` as a text; images and files are not sent from promptfoo prompts")
        }
    }
}

/// A text, or parts that are all texts.
fn text_of(content: Option<&Value>) -> Option<String> {
    match content? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => parts.iter().map(|part| part.get("text")?.as_str()).collect(),
        _ => None,
    }
}

fn message(reader: &Reader<'_>, role: Role, content: &str, written: Text<'_>) -> Message {
    if written.is_own {
        let rest = reader.source.from_line(written.at.line);
        return Message { role, content: Template::located(content, rest, written.at), location: Some(written.at) };
    }
    Message { role, content: Template::parse(content), location: None }
}

/// A file that holds one chat as data: its text as JSON, as promptfoo hands it on.
pub(super) fn of_data(node: &Node) -> String {
    match &node.kind {
        Kind::Text(text) => text.to_string(),
        _ => node.to_value().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[(Role, &str)], &str>) {
        let path = PromptPath::parse("p.txt").unwrap();
        let mut reader = Reader::new(Source::read(&path, text.as_bytes(), 9999).unwrap());
        let written = Text { text, at: Location::START, is_own: true };
        let found = messages(&mut reader, written);
        let found = reader.finish(found).map(|parsed| {
            let said = parsed.value.iter().map(|message| (message.role, message.content.source()));
            said.collect::<Vec<_>>()
        });
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(found.iter().map(|(role, text)| (*role, text.as_str())).collect::<Vec<_>>(), expected);
            }
            (Err(found), Err(code)) => assert_eq!(found[0].code, code, "{found:?}"),
            (found, expected) => panic!("{found:?} instead of {expected:?} for {text}"),
        }
    }

    #[test]
    fn a_text_is_one_message_of_the_user() {
        check("Hi {{name}}", Ok(&[(Role::User, "Hi {{name}}")]));
        check("[Note] be kind", Ok(&[(Role::User, "[Note] be kind")]));
        check("[1, 2]", Ok(&[(Role::User, "[1, 2]")]));
        check("{\"a\": 1}", Ok(&[(Role::User, "{\"a\": 1}")]));
    }

    #[test]
    fn a_chat_in_json_or_yaml_keeps_its_turns() {
        let turns: &[(Role, &str)] = &[(Role::System, "S"), (Role::User, "{{q}}"), (Role::Assistant, "A")];
        let json =
            r#"[{"role":"system","content":"S"},{"role":"user","content":"{{q}}"},{"role":"assistant","content":"A"}]"#;
        check(json, Ok(turns));
        check(
            "- role: system\n  content: S\n- role: user\n  content: '{{q}}'\n- role: assistant\n  content: A\n",
            Ok(turns),
        );
        check(
            r#"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]"#,
            Ok(&[(Role::User, "ab")]),
        );
    }

    #[test]
    fn a_chat_that_would_not_arrive_as_one_is_refused() {
        check(r#"[{"role":"user","content":"a"}"#, Err("invalid-chat"));
        check(r#"[{"role":"boss","content":"a"}]"#, Err("invalid-chat"));
        check(r#"[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]"#, Err("invalid-chat"));
        check(r#"[{"role":"user","content":"{{ a | upper }}"}]"#, Err("nunjucks-refused"));
    }
}
