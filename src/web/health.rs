//! Whether the process lives, and whether it can take work. Knows no job.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::WebState;

/// A job that waits this long with a free lane has no worker.
const OLDEST_JOB: Duration = Duration::from_secs(300);
/// A database that takes longer is not ready.
const LONGEST_CHECK: Duration = Duration::from_secs(3);

/// `GET /healthz`.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// Why the server is not ready.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotReady {
    #[error("shutting down: send work to another server")]
    Draining,
    #[error("the database does not take writes: check that it can be reached, and its disk")]
    Database,
    #[error("a job has been waiting for {} s: check that a worker runs", .0.as_secs())]
    OldJob(Duration),
}

impl IntoResponse for NotReady {
    fn into_response(self) -> Response {
        tracing::warn!(reason = %self, "not ready");
        (StatusCode::SERVICE_UNAVAILABLE, format!("{self}\n")).into_response()
    }
}

/// `GET /readyz`.
pub(super) async fn ready(State(state): State<WebState>) -> Result<&'static str, NotReady> {
    if state.draining.is_cancelled() {
        return Err(NotReady::Draining);
    }
    let check = async {
        state.store.check_writable().await?;
        state.store.oldest_waiting(state.clock.now_ms()).await
    };
    match tokio::time::timeout(LONGEST_CHECK, check).await {
        Ok(Ok(Some(age))) if age > OLDEST_JOB => Err(NotReady::OldJob(age)),
        Ok(Ok(_)) => Ok("ready\n"),
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the database is not ready");
            Err(NotReady::Database)
        }
        Err(_) => Err(NotReady::Database),
    }
}
