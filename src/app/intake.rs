//! A delivery comes in: signature, headers, event, job, durable row, in this order. Knows no HTTP server.

use std::sync::Arc;

use crate::app::job::Job;
use crate::engine::clock::Clock;
use crate::github::webhook::{self, Event, PayloadError, WebhookSecrets};
use crate::store::{DeliveryWriter, NewDelivery, Recorded, WriterError};

/// A delivery's headers that matter, as they came.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeliveryHeaders<'a> {
    /// `X-Hub-Signature-256`.
    pub signature: Option<&'a str>,
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// `X-GitHub-Event`.
    pub event: Option<&'a str>,
    /// `X-GitHub-Delivery`.
    pub guid: Option<&'a str>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// GitHub tried the webhook.
    Pong,
    /// It is stored, and a job follows.
    Accepted(Recorded),
    /// It is stored, and nothing follows.
    Ignored,
}

impl Received {
    /// The word for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pong => "pong",
            Self::Accepted(recorded) => recorded.as_str(),
            Self::Ignored => "ignored",
        }
    }
}

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// No signature, or that of another secret or other bytes.
    #[error(
        "the signature is missing or wrong: set the same webhook secret at GitHub and in PROMPTOPS_GITHUB_WEBHOOK_SECRET"
    )]
    Signature,
    /// Not JSON by its own word.
    #[error("the content type is not application/json: choose it in the webhook's settings")]
    ContentType,
    /// A header is missing or no header GitHub would send.
    #[error("the header {0} is missing or malformed: check what sends it")]
    Header(&'static str),
    /// The body is not what its event should be.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] WriterError),
}

/// The door's inner side.
pub struct Intake {
    secrets: WebhookSecrets,
    writer: DeliveryWriter,
    clock: Arc<dyn Clock>,
}

impl Intake {
    /// Takes deliveries signed with one of the secrets.
    #[must_use]
    pub fn new(secrets: WebhookSecrets, writer: DeliveryWriter, clock: Arc<dyn Clock>) -> Self {
        Self { secrets, writer, clock }
    }

    /// Checks, understands and stores a delivery; returns once it is durable.
    ///
    /// # Errors
    /// When it is refused or cannot be stored; then nothing of it is stored.
    pub async fn receive(&self, headers: DeliveryHeaders<'_>, body: &[u8]) -> Result<Received, IntakeError> {
        if !headers.signature.is_some_and(|signature| self.secrets.verify(signature, body)) {
            return Err(IntakeError::Signature);
        }
        if !headers.content_type.is_some_and(is_json) {
            return Err(IntakeError::ContentType);
        }
        let event = header("X-GitHub-Event", headers.event)?;
        let guid = header("X-GitHub-Delivery", headers.guid)?;
        let parsed = webhook::parse(event, body)?;
        if parsed.event == Event::Ping {
            return Ok(Received::Pong);
        }
        let job = Job::from_event(parsed.event).map(|(job, supersedes)| job.to_new(supersedes));
        let ignored = job.is_none();
        let delivery = NewDelivery {
            guid: guid.to_owned(),
            event: event.to_owned(),
            action: parsed.action,
            received_ms: self.clock.now_ms(),
            job,
        };
        let recorded = self.writer.record(delivery).await?;
        Ok(if ignored { Received::Ignored } else { Received::Accepted(recorded) })
    }
}

fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

/// Short printable ASCII without spaces: what goes into logs and metrics as it is.
fn header<'a>(name: &'static str, value: Option<&'a str>) -> Result<&'a str, IntakeError> {
    value
        .filter(|value| (1..=100).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or(IntakeError::Header(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_counts_and_its_parameters_do_not() {
        let check = |content_type, expected| assert_eq!(is_json(content_type), expected, "{content_type}");
        check("application/json", true);
        check("Application/JSON; charset=utf-8", true);
        check("application/x-www-form-urlencoded", false);
        check("application/jsonp", false);
        check("", false);
    }

    #[test]
    fn a_header_that_github_would_not_send_is_refused() {
        assert!(header("X-GitHub-Delivery", Some("72d3162e-cc78-11e3-81ab-4c9367dc0958")).is_ok());
        for value in [None, Some(""), Some("two words"), Some("line\nbreak")] {
            assert!(header("X-GitHub-Delivery", value).is_err(), "{value:?}");
        }
        assert!(header("X-GitHub-Delivery", Some(&"x".repeat(101))).is_err());
    }
}
