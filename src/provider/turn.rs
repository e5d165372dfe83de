//! A message in the form that most vendors share: a role and a text. Knows no vendor.

use serde::Serialize;

use crate::domain::prompt::{ChatMessage, Role};

/// One message on the wire.
#[derive(Debug, Serialize)]
pub(super) struct Turn<'q> {
    role: Role,
    content: &'q str,
}

impl<'q> Turn<'q> {
    pub fn of(message: &'q ChatMessage) -> Self {
        Self { role: message.role, content: &message.content }
    }
}
