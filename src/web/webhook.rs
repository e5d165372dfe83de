//! The webhook's door: bytes within bounds go to the intake, its outcome becomes a status. Knows no payload.

use std::sync::Arc;

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
/// Bodies in memory at once, in KiB.
pub(super) const BODIES_KIB: usize = 256 * 1024;
const RETRY_SECONDS: &str = "1";

/// Why a delivery gets no 2xx.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebhookError {
    #[error("the body is over 25 MB: GitHub sends none of this size")]
    TooLarge,
    #[error("too many deliveries are in memory: try again in a second")]
    Overloaded,
    #[error("the body ended early: send it again")]
    Broken,
    #[error(transparent)]
    Intake(#[from] IntakeError),
}

impl WebhookError {
    fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Overloaded | Self::Intake(IntakeError::Store(WriterError::Busy)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken | Self::Intake(IntakeError::Header(_) | IntakeError::Payload(_)) => StatusCode::BAD_REQUEST,
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

/// Reads a body within the cap, and within what all bodies together may take.
async fn read_body(
    bodies: &Arc<Semaphore>,
    declared: Option<usize>,
    body: Body,
) -> Result<(Bytes, OwnedSemaphorePermit), WebhookError> {
    let mut stream = body.into_data_stream();
    // Without a length it may become as large as any.
    let length = declared.unwrap_or(LARGEST_BODY);
    if length > LARGEST_BODY {
        drop_rest(&mut stream, 0).await;
        return Err(WebhookError::TooLarge);
    }
    let kib = u32::try_from(length / 1024 + 1).unwrap_or(u32::MAX);
    let held = bodies.clone().try_acquire_many_owned(kib).map_err(|_| WebhookError::Overloaded)?;
    let first = match stream.next().await {
        Some(chunk) => chunk.map_err(|_| WebhookError::Broken)?,
        None => Bytes::new(),
    };
    if declared == Some(first.len()) {
        return Ok((first, held));
    }
    let mut whole = BytesMut::with_capacity(declared.unwrap_or(first.len()));
    whole.extend_from_slice(&first);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| WebhookError::Broken)?;
        if whole.len() + chunk.len() > LARGEST_BODY {
            drop_rest(&mut stream, whole.len()).await;
            return Err(WebhookError::TooLarge);
        }
        whole.extend_from_slice(&chunk);
    }
    Ok((whole.freeze(), held))
}

async fn drop_rest(stream: &mut BodyDataStream, mut read: usize) {
    while read < DROPPED {
        match stream.next().await {
            Some(Ok(chunk)) => read += chunk.len(),
            Some(Err(_)) | None => return,
        }
    }
}

/// One line and one count per delivery. Names from outside are shown only once their signature held.
fn report(delivery: DeliveryHeaders<'_>, received: &Result<Received, WebhookError>) {
    let (event, guid) = (delivery.event.unwrap_or_default(), delivery.guid.unwrap_or_default());
    let outcome = match received {
        Ok(received) => {
            tracing::info!(delivery = guid, event, outcome = received.as_str(), "delivery taken");
            received.as_str()
        }
        Err(error) if error.status().is_server_error() => {
            tracing::error!(delivery = ?guid, status = error.status().as_u16(), %error, "delivery not taken");
            "failed"
        }
        Err(error) => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(delivery = ?guid, status = error.status().as_u16(), %error, cause, "delivery refused");
            "refused"
        }
    };
    // An unbounded set of names would become an unbounded set of series.
    const NAMED: [&str; 5] = ["pull_request", "pull_request_review", "issue_comment", "check_run", "ping"];
    let event = NAMED.into_iter().find(|name| *name == event && received.is_ok()).unwrap_or("other");
    metrics::counter!("promptops_deliveries_total", "event" => event, "outcome" => outcome).increment(1);
}
