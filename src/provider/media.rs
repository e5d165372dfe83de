//! Media in messages, as vendors want them apart: what kind, and either an address or the bytes. Fetches nothing.

use super::refusal::unsupported;
use crate::domain::prompt::{ChatMessage, Part};
use crate::engine::provider::ProviderError;

/// A medium of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Medium<'m> {
    /// What it is, for instance `image/png`; `None` where neither the prompt nor the address tells.
    pub media_type: Option<&'m str>,
    /// Where it is.
    pub source: Source<'m>,
}

/// Where a medium is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source<'m> {
    /// In the message, in base64; `url` is the whole `data:` URL.
    Inline { data: &'m str, url: &'m str },
    /// At an address that the vendor fetches.
    Remote(&'m str),
}

/// What sort of thing a medium is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Image,
    Audio,
    Video,
    Document,
    Unknown,
}

const BY_ENDING: [(&str, &str); 11] = [
    (".png", "image/png"),
    (".jpg", "image/jpeg"),
    (".jpeg", "image/jpeg"),
    (".gif", "image/gif"),
    (".webp", "image/webp"),
    (".pdf", "application/pdf"),
    (".mp3", "audio/mpeg"),
    (".wav", "audio/wav"),
    (".mp4", "video/mp4"),
    (".mov", "video/quicktime"),
    (".webm", "video/webm"),
];

impl<'m> Medium<'m> {
    /// What a part of a message is.
    ///
    /// # Errors
    /// When a `data:` URL does not hold base64.
    pub fn of(url: &'m str, content_type: Option<&'m str>) -> Result<Self, ProviderError> {
        let Some(inline) = url.strip_prefix("data:") else {
            let path = url.split(['?', '#']).next().unwrap_or(url).to_ascii_lowercase();
            let guessed = BY_ENDING.iter().find(|(end, _)| path.ends_with(end)).map(|(_, media_type)| *media_type);
            return Ok(Self { media_type: content_type.or(guessed), source: Source::Remote(url) });
        };
        let (head, data) = inline.split_once(',').unwrap_or((inline, ""));
        let Some(named) = head.strip_suffix(";base64") else {
            return Err(ProviderError::GiveUp {
                message: "a medium's `data:` URL is not in base64: write `data:image/png;base64,…`".to_owned(),
            });
        };
        let named = named.split(';').next().filter(|named| !named.is_empty());
        Ok(Self { media_type: content_type.or(named), source: Source::Inline { data, url } })
    }

    /// What sort of thing it is.
    pub fn sort(&self) -> Sort {
        match self.media_type {
            None => Sort::Unknown,
            Some("application/pdf") => Sort::Document,
            Some(named) => match named.split('/').next() {
                Some("image") => Sort::Image,
                Some("audio") => Sort::Audio,
                Some("video") => Sort::Video,
                Some("text") => Sort::Document,
                _ => Sort::Unknown,
            },
        }
    }

    /// That a vendor does not take it.
    pub fn refused(&self, vendor: &str) -> ProviderError {
        let what = self.media_type.unwrap_or("media of unknown type");
        let how = match self.source {
            Source::Inline { .. } => "inside the message",
            Source::Remote(_) => "by address",
        };
        ProviderError::GiveUp {
            message: format!("{vendor} takes no {what} {how}: choose another model, or give the medium otherwise"),
        }
    }
}

/// One part of a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'m> {
    Text(&'m str),
    Medium(Medium<'m>),
}

/// A message's parts: those it has, else its text as the one.
///
/// # Errors
/// When a medium cannot be read.
pub(super) fn pieces(message: &ChatMessage) -> Result<Vec<Piece<'_>>, ProviderError> {
    if message.parts.is_empty() {
        return Ok(vec![Piece::Text(&message.content)]);
    }
    let pieces = message.parts.iter().map(|part| match part {
        Part::Text(text) => Ok(Piece::Text(text)),
        Part::Media { url, content_type } => Medium::of(url, content_type.as_deref()).map(Piece::Medium),
    });
    pieces.collect()
}

/// The text of a system message, for formats that take nothing else there.
///
/// # Errors
/// When it holds media.
pub(super) fn system_text<'m>(message: &'m ChatMessage, vendor: &str) -> Result<&'m str, ProviderError> {
    if message.parts.iter().any(|part| matches!(part, Part::Media { .. })) {
        return Err(unsupported(vendor, "media in a system message", "move them to a user message"));
    }
    Ok(&message.content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, content_type: Option<&str>, media_type: Option<&str>, sort: Sort) {
        let medium = Medium::of(url, content_type).unwrap();
        assert_eq!((medium.media_type, medium.sort()), (media_type, sort), "{url}");
    }

    #[test]
    fn the_type_is_what_the_prompt_says_or_else_the_address() {
        check("https://x.test/a.PNG?size=1", None, Some("image/png"), Sort::Image);
        check("https://x.test/a.png", Some("image/webp"), Some("image/webp"), Sort::Image);
        check("https://x.test/a", None, None, Sort::Unknown);
        check("data:application/pdf;base64,JVBERi0=", None, Some("application/pdf"), Sort::Document);
        check("data:audio/wav;codecs=1;base64,UklGRg==", None, Some("audio/wav"), Sort::Audio);
    }

    #[test]
    fn bytes_come_apart_from_their_wrapping() {
        let url = "data:image/gif;base64,R0lG";
        assert_eq!(Medium::of(url, None).unwrap().source, Source::Inline { data: "R0lG", url });
        let error = Medium::of("data:text/plain,hello", None).unwrap_err().to_string();
        assert!(error.ends_with("write `data:image/png;base64,…`"), "{error}");
    }
}
