//! A question before it has a model and a threshold, and what its answer may turn out to be. Knows no kind.

use super::fence::Fence;
use super::reading::Reading;
use crate::domain::prompt::{ChatMessage, Role};

/// What is sent and how the answer is read.
#[derive(Debug, Clone)]
pub(in crate::domain::evaluator) struct Draft {
    /// The messages.
    pub messages: Vec<ChatMessage>,
    /// How the answer is read.
    pub reading: Reading,
    /// The fence in the messages, where something is fenced.
    pub fence: Option<Fence>,
}

/// What an answer says.
#[derive(Debug, Clone)]
pub(in crate::domain::evaluator) enum Found {
    /// A score from 0 to 1 with its reason.
    Score(f64, String),
    /// Another question has to be asked first.
    Next(Box<Draft>),
}

impl Draft {
    /// An instruction, and fenced texts in the user turn with a last line of ours. `instruct` is given the fence's notice.
    pub fn fenced(
        instructions: &[&str],
        held: &[(&str, &str)],
        instruct: impl FnOnce(&str) -> String,
        last: &str,
        reading: Reading,
    ) -> Self {
        let texts: Vec<&str> = instructions.iter().copied().chain(held.iter().map(|(_, text)| *text)).collect();
        let fence = Fence::around(&texts);
        let blocks: Vec<String> = held.iter().map(|(label, text)| fence.hold(label, text)).collect();
        let messages = vec![
            ChatMessage::text(Role::System, instruct(&fence.notice())),
            ChatMessage::text(Role::User, format!("{}\n\n{last}", blocks.join("\n\n"))),
        ];
        Self { messages, reading, fence: Some(fence) }
    }
}
