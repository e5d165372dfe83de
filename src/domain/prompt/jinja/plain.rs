//! Whether a Jinja text says no more than a logic-less template can, and its messages then. Knows no engine.

use super::scan::{self, PieceKind};
use super::{Jinja, line_at, place};
use crate::domain::diagnostic::Location;
use crate::domain::prompt::Role;
use crate::domain::prompt::roles::{self, Marker};

/// Something that a logic-less template cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotPlain {
    /// Where.
    pub at: Location,
    /// What, as it is written.
    pub what: String,
}

/// Most characters shown of what cannot be said.
const SHOWN: usize = 60;

impl Jinja {
    /// The text's messages as logic-less templates, and all that these cannot say: it stands in them as it was.
    #[must_use]
    pub fn plain(&self) -> (Vec<(Role, String)>, Vec<NotPlain>) {
        let text = self.source();
        let mut losses: Vec<NotPlain> = Vec::new();
        for piece in scan::pieces(text) {
            let inner = text[piece.inner.clone()].trim();
            let is_plain = match piece.kind {
                PieceKind::Text => true,
                PieceKind::Expression => is_name(inner) && !self.media.contains(inner),
                PieceKind::Raw | PieceKind::Tag | PieceKind::Comment => false,
            };
            // A sign of whitespace control is logic as well.
            let signs = text[piece.whole.clone()].len() - text[piece.inner.clone()].len() > 4;
            if !is_plain || (piece.kind == PieceKind::Expression && signs) {
                let what = text[piece.whole.clone()].chars().take(SHOWN).collect();
                losses.push(NotPlain { at: place(text, self.first_line, piece.whole.start, ""), what });
            }
        }
        (self.plain_messages(&mut losses), losses)
    }

    fn plain_messages(&self, losses: &mut Vec<NotPlain>) -> Vec<(Role, String)> {
        let mut messages = vec![(Role::System, String::new())];
        for (number, line) in (1usize..).zip(self.source().split_inclusive('\n')) {
            if let Some(Marker::Role { role, .. }) = roles::marker(line) {
                messages.push((role, String::new()));
                continue;
            }
            if self.images && line.contains("![") && line.contains("](") {
                let what = line.trim().chars().take(SHOWN).collect();
                losses.push(NotPlain { at: line_at(self.first_line, Some(number)), what });
            }
            if let Some((_, text)) = messages.last_mut() {
                text.push_str(line);
            }
        }
        let messages = messages.into_iter().map(|(role, text)| (role, text.trim_matches('\n').to_owned()));
        messages.filter(|(_, text)| !text.trim().is_empty()).collect()
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !matches!(text, "true" | "false" | "none" | "True" | "False" | "None")
}
