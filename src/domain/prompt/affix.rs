//! What a case puts before and after a prompt (promptfoo's prefix and suffix). Knows no file format.

use std::sync::Arc;

use super::template::Template;
use super::{ChatMessage, Part, Role, Vars};

/// The variable that holds the text put before the prompt.
pub const PREFIX: &str = "__prefix";
/// The variable that holds the text put after it.
pub const SUFFIX: &str = "__suffix";

/// A prefix or suffix with its places filled, once: it is the author's text, as the prompt is.
///
/// # Errors
/// The first variable that the case gives no value for.
pub fn fill(text: &str, vars: &Vars) -> Result<String, String> {
    Template::parse(text).render(&|name| vars.get(name))
}

/// The messages with the case's prefix and suffix around the last one the user says.
#[must_use]
pub fn wrap(messages: Arc<[ChatMessage]>, vars: &Vars) -> Arc<[ChatMessage]> {
    let text = |name| vars.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    let (prefix, suffix) = (text(PREFIX), text(SUFFIX));
    if prefix.is_empty() && suffix.is_empty() {
        return messages;
    }
    let at = messages.iter().rposition(|message| message.role == Role::User);
    let Some(at) = at.or(messages.len().checked_sub(1)) else { return messages };
    let mut messages = messages.to_vec();
    if let Some(message) = messages.get_mut(at) {
        message.content = format!("{prefix}{}{suffix}", message.content).into();
        if !message.parts.is_empty() {
            let around = |text: &str| (!text.is_empty()).then(|| Part::Text(text.into()));
            let parts = around(prefix).into_iter().chain(message.parts.iter().cloned()).chain(around(suffix));
            message.parts = parts.collect();
        }
    }
    messages.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(said: &[(Role, &str)], vars: &[(&str, &str)], expected: &[&str]) {
        let messages: Arc<[ChatMessage]> = said.iter().map(|(role, text)| ChatMessage::text(*role, *text)).collect();
        let vars: Vars = vars.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let wrapped = wrap(messages, &vars);
        assert_eq!(wrapped.iter().map(|message| &*message.content).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn prefix_and_suffix_stand_around_what_the_user_says_last() {
        check(&[(Role::User, "Hi")], &[(PREFIX, "Now: "), (SUFFIX, "!")], &["Now: Hi!"]);
        check(&[(Role::System, "S"), (Role::User, "Hi"), (Role::Assistant, "A")], &[(SUFFIX, "!")], &["S", "Hi!", "A"]);
        check(&[(Role::System, "S")], &[(PREFIX, "> ")], &["> S"]);
        check(&[(Role::User, "Hi")], &[], &["Hi"]);
    }

    #[test]
    fn its_places_are_filled_once() {
        let vars = Vars::from([("name", json!("{{name}}"))]);
        assert_eq!(fill("Dear {{name}}, ", &vars), Ok("Dear {{name}}, ".to_owned()));
        assert_eq!(fill("{{city}}", &vars), Err("city".to_owned()));
    }
}
