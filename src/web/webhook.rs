//! The webhook's door: bytes within bounds go to the intake, its outcome becomes a status. Knows no payload.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::WebState;
use crate::app::intake::{DeliveryHeaders, IntakeError, Received};
use crate::store::WriterError;

/// GitHub's own cap on a payload.
const LARGEST_BODY: usize = 25 * 1024 * 1024;
/// How much of a body that is too large is read and dropped, so that its sender gets to read the answer.
const DROPPED: usize = 2 * LARGEST_BODY;
/// Bodies in memory at once, in KiB that arrived.
pub(super) const BODIES_KIB: usize = 256 * 1024;
const RETRY_SECONDS: &str = "1";
/// Longest pause between two parts of a body; GitHub sends a body at once.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Longest part of a delivery's id that is logged; GitHub's have 36 characters.
const SHOWN_ID: usize = 64;

/// Why a delivery gets no 2xx.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebhookError {
    #[error("the body is over 25 MB: GitHub sends none of this size")]
    TooLarge,
    #[error("too many deliveries are in memory: try again in a second")]
    Overloaded,
    #[error("the body ended early: send it again")]
    Broken,
    #[error("no part of the body came for two seconds: send it again")]
    Stalled,
    #[error(transparent)]
    Intake(#[from] IntakeError),
}

impl WebhookError {
    fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Overloaded | Self::Intake(IntakeError::Store(WriterError::Busy)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken | Self::Intake(IntakeError::Header(_) | IntakeError::Payload(_)) => StatusCode::BAD_REQUEST,
            Self::Stalled => StatusCode::REQUEST_TIMEOUT,
            Self::Intake(IntakeError::Signature) => StatusCode::UNAUTHORIZED,
            Self::Intake(IntakeError::ContentType) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Intake(IntakeError::Store(WriterError::Failed)) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for WebhookError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(json!({ "error": self.to_string() }))).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, axum::http::HeaderValue::from_static(RETRY_SECONDS));
        }
        response
    }
}

/// `POST /webhooks/github`.
pub(super) async fn receive(
    State(state): State<WebState>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<serde_json::Value>), WebhookError> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let delivery = DeliveryHeaders {
        signature: text("x-hub-signature-256"),
        content_type: text(CONTENT_TYPE.as_str()),
        event: text("x-github-event"),
        guid: text("x-github-delivery"),
    };
    let received = match read_body(&state.bodies, declared_length(&headers), body).await {
        Ok((body, _held)) => state.intake.receive(delivery, &body).await.map_err(WebhookError::from),
        Err(error) => Err(error),
    };
    report(delivery, &received);
    let received = received?;
    let status = if received == Received::Pong { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(json!({ "outcome": received.as_str() }))))
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body within the cap, and within what all bodies together may take. Only bytes that arrived are counted: a declared
/// length costs its sender nothing, so it must not cost others their place.
async fn read_body(
    bodies: &Arc<Semaphore>,
    declared: Option<usize>,
    body: Body,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), WebhookError> {
    let mut stream = body.into_data_stream();
    if declared.is_some_and(|length| length > LARGEST_BODY) {
        drop_rest(&mut stream, 0).await;
        return Err(WebhookError::TooLarge);
    }
    let mut held = None;
    let Some(first) = next_chunk(&mut stream).await? else { return Ok((Bytes::new(), held)) };
    if declared == Some(first.len()) {
        hold(bodies, &mut held, first.len())?;
        return Ok((first, held));
    }
    let mut whole = BytesMut::new();
    let mut next = Some(first);
    while let Some(chunk) = next {
        let length = whole.len() + chunk.len();
        if length > LARGEST_BODY {
            // What was read is let go first: the rest is dropped as it comes.
            drop((std::mem::take(&mut whole), held.take()));
            drop_rest(&mut stream, length).await;
            return Err(WebhookError::TooLarge);
        }
        hold(bodies, &mut held, length)?;
        whole.extend_from_slice(&chunk);
        next = next_chunk(&mut stream).await?;
    }
    Ok((whole.freeze(), held))
}

/// Raises what is held for one body to its length so far.
fn hold(bodies: &Arc<Semaphore>, held: &mut Option<OwnedSemaphorePermit>, length: usize) -> Result<(), WebhookError> {
    let missing = length.div_ceil(1024).saturating_sub(held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
    let missing = u32::try_from(missing).unwrap_or(u32::MAX);
    let more = bodies.clone().try_acquire_many_owned(missing).map_err(|_| WebhookError::Overloaded)?;
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
    Ok(())
}

/// The next bytes; `None` at the end.
async fn next_chunk(stream: &mut BodyDataStream) -> Result<Option<Bytes>, WebhookError> {
    let next = tokio::time::timeout(LONGEST_PAUSE, stream.next()).await.map_err(|_| WebhookError::Stalled)?;
    next.transpose().map_err(|_| WebhookError::Broken)
}

async fn drop_rest(stream: &mut BodyDataStream, mut read: usize) {
    while read < DROPPED {
        match next_chunk(stream).await {
            Ok(Some(chunk)) => read += chunk.len(),
            Ok(None) | Err(_) => return,
        }
    }
}

/// One line and one count per delivery. Names from outside are shown only once their signature held.
fn report(delivery: DeliveryHeaders<'_>, received: &Result<Received, WebhookError>) {
    let (event, guid) = (delivery.event.unwrap_or_default(), delivery.guid.unwrap_or_default());
    // A header's text has no control characters, but may be as long as the sender likes.
    let guid = guid.get(..SHOWN_ID).unwrap_or(guid);
    let outcome = match received {
        Ok(received) => {
            tracing::info!(delivery = guid, event, outcome = received.as_str(), "delivery taken");
            received.as_str()
        }
        Err(error) if error.status().is_server_error() => {
            tracing::error!(delivery = guid, status = error.status().as_u16(), %error, "delivery not taken");
            "failed"
        }
        Err(error) => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(delivery = guid, status = error.status().as_u16(), %error, cause, "delivery refused");
            "refused"
        }
    };
    // An unbounded set of names would become an unbounded set of series.
    const NAMED: [&str; 12] = [
        "pull_request",
        "pull_request_review",
        "issue_comment",
        "check_run",
        "check_suite",
        "merge_group",
        "push",
        "membership",
        "member",
        "team",
        "organization",
        "ping",
    ];
    let event = NAMED.into_iter().find(|name| *name == event && received.is_ok()).unwrap_or("other");
    metrics::counter!("promptops_deliveries_total", "event" => event, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_refused_delivery_is_logged_with_its_plain_and_bounded_id() {
        let check = |guid: &str, expected: &str| {
            let lines = Lines::default();
            let writer = lines.clone();
            let logs = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
            let delivery = DeliveryHeaders { signature: None, content_type: None, event: None, guid: Some(guid) };
            tracing::subscriber::with_default(logs, || report(delivery, &Err(WebhookError::Stalled)));
            let line: serde_json::Value = serde_json::from_slice(&lines.0.lock().unwrap()).unwrap();
            assert_eq!(line["fields"]["delivery"], expected);
        };
        check("0b989ba4", "0b989ba4");
        check(&"x".repeat(9_000), &"x".repeat(SHOWN_ID));
    }

    #[test]
    fn only_what_arrived_is_held_and_only_its_lack_is_overload() {
        let bodies = Arc::new(Semaphore::new(3));
        let mut held = None;
        for (length, free) in [(1, 2), (1_000, 2), (1_025, 1), (3_072, 0)] {
            hold(&bodies, &mut held, length).unwrap();
            assert_eq!(bodies.available_permits(), free, "{length}");
        }
        let full = hold(&bodies, &mut held, 3_073).unwrap_err().into_response();
        assert_eq!(full.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(full.headers()[RETRY_AFTER], RETRY_SECONDS);
        drop(held);
        assert_eq!(bodies.available_permits(), 3);
    }
}
