//! Messages and tools as Anthropic wants them.

use serde::Serialize;
use serde_json::Value;

use crate::domain::prompt::{ChatMessage, Role};
use crate::engine::provider::{CompletionRequest, ProviderError};
use crate::provider::media::{Medium, Piece, Sort, Source, pieces};
use crate::provider::refusal::unsupported;
use crate::provider::tools::Function;

/// One message.
#[derive(Debug, Serialize)]
pub(super) struct Turn<'q> {
    role: Role,
    content: Content<'q>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Content<'q> {
    Text(&'q str),
    Blocks(Vec<Block<'q>>),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'q> {
    Text { text: &'q str },
    Image { source: Place<'q> },
    Document { source: Place<'q> },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Place<'q> {
    Base64 { media_type: &'q str, data: &'q str },
    Url { url: &'q str },
}

/// One tool.
#[derive(Debug, Serialize)]
pub(super) struct Tool<'q> {
    name: &'q str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'q str>,
    input_schema: Value,
}

impl<'q> Turn<'q> {
    /// A message that is not the system's.
    pub fn of(message: &'q ChatMessage, vendor: &str) -> Result<Self, ProviderError> {
        if message.role == Role::Tool {
            return Err(unsupported(vendor, "a tool's message", "write what it gave back as a user message"));
        }
        if message.parts.is_empty() {
            return Ok(Self { role: message.role, content: Content::Text(&message.content) });
        }
        let blocks = pieces(message)?.into_iter().map(|piece| match piece {
            Piece::Text(text) => Ok(Block::Text { text }),
            Piece::Medium(medium) => block(&medium, vendor),
        });
        Ok(Self { role: message.role, content: Content::Blocks(blocks.collect::<Result<_, _>>()?) })
    }
}

fn block<'q>(medium: &Medium<'q>, vendor: &str) -> Result<Block<'q>, ProviderError> {
    let source = match (medium.source, medium.media_type) {
        (Source::Remote(url), _) => Place::Url { url },
        (Source::Inline { data, .. }, Some(media_type)) => Place::Base64 { media_type, data },
        (Source::Inline { .. }, None) => return Err(medium.refused(vendor)),
    };
    match medium.sort() {
        Sort::Image | Sort::Unknown => Ok(Block::Image { source }),
        Sort::Document if medium.media_type == Some("application/pdf") => Ok(Block::Document { source }),
        _ => Err(medium.refused(vendor)),
    }
}

impl<'q> Tool<'q> {
    /// The request's tools.
    pub fn all(request: &'q CompletionRequest) -> Result<Vec<Self>, ProviderError> {
        let tool = |function: Function<'q>| Self {
            name: function.name,
            description: function.description,
            input_schema: function.schema(),
        };
        Ok(Function::all(request)?.into_iter().map(tool).collect())
    }
}
