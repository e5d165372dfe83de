//! A message as chat completions want it: a text, or parts where it holds media.

use serde::Serialize;

use crate::domain::prompt::{ChatMessage, Role};
use crate::engine::provider::ProviderError;
use crate::provider::media::{Medium, Piece, Sort, Source, pieces};

/// One message on the wire.
#[derive(Serialize)]
pub(super) struct Turn<'q> {
    role: Role,
    content: Content<'q>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'q> {
    Text(&'q str),
    Parts(Vec<Part<'q>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'q> {
    Text { text: &'q str },
    ImageUrl { image_url: Link<'q> },
    InputAudio { input_audio: Sound<'q> },
    File { file: Document<'q> },
}

#[derive(Serialize)]
struct Link<'q> {
    url: &'q str,
}

#[derive(Serialize)]
struct Sound<'q> {
    data: &'q str,
    format: &'static str,
}

#[derive(Serialize)]
struct Document<'q> {
    filename: &'static str,
    file_data: &'q str,
}

impl<'q> Turn<'q> {
    /// A message as `vendor` gets it.
    pub fn of(message: &'q ChatMessage, vendor: &str) -> Result<Self, ProviderError> {
        let content = if message.parts.is_empty() {
            Content::Text(&message.content)
        } else {
            let parts = pieces(message)?.into_iter().map(|piece| match piece {
                Piece::Text(text) => Ok(Part::Text { text }),
                Piece::Medium(medium) => part(&medium, vendor),
            });
            Content::Parts(parts.collect::<Result<_, _>>()?)
        };
        Ok(Self { role: message.role, content })
    }
}

fn part<'q>(medium: &Medium<'q>, vendor: &str) -> Result<Part<'q>, ProviderError> {
    match (medium.sort(), medium.source) {
        // What nobody says the type of is most often an image; the vendor knows better when it looks.
        (Sort::Image | Sort::Unknown, Source::Inline { url, .. } | Source::Remote(url)) => {
            Ok(Part::ImageUrl { image_url: Link { url } })
        }
        (Sort::Audio, Source::Inline { data, .. }) => {
            let format = match medium.media_type {
                Some("audio/wav" | "audio/x-wav" | "audio/wave") => "wav",
                Some("audio/mpeg" | "audio/mp3") => "mp3",
                _ => return Err(medium.refused(vendor)),
            };
            Ok(Part::InputAudio { input_audio: Sound { data, format } })
        }
        (Sort::Document, Source::Inline { url, .. }) if medium.media_type == Some("application/pdf") => {
            Ok(Part::File { file: Document { filename: "document.pdf", file_data: url } })
        }
        _ => Err(medium.refused(vendor)),
    }
}
