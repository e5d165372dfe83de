//! The HTTP server: all routes in one table. Knows no GitHub payload and no SQL.

pub mod app_setup;
mod health;
mod metrics;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use crate::app::intake::Intake;
use crate::engine::clock::Clock;
use crate::store::Store;

pub use metrics::install as install_metrics;

/// Longest request; GitHub gives up after ten seconds itself.
const LONGEST_REQUEST: Duration = Duration::from_secs(10);
/// How often old samples are folded, so that memory stays bounded when nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// What the handlers share.
#[derive(Clone)]
pub struct WebState {
    intake: Arc<Intake>,
    store: Store,
    clock: Arc<dyn Clock>,
    metrics: PrometheusHandle,
    draining: CancellationToken,
    bodies: Arc<Semaphore>,
}

impl WebState {
    /// The state of one server; `draining` is cancelled when it must not be sent new work.
    #[must_use]
    pub fn new(
        intake: Intake,
        store: Store,
        clock: Arc<dyn Clock>,
        metrics: PrometheusHandle,
        draining: CancellationToken,
    ) -> Self {
        let bodies = Arc::new(Semaphore::new(webhook::BODIES_KIB));
        Self { intake: Arc::new(intake), store, clock, metrics, draining, bodies }
    }
}

/// All routes.
pub fn router(state: WebState) -> Router {
    Router::new()
        .route("/webhooks/github", post(webhook::receive))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LONGEST_REQUEST))
        .layer(from_fn(metrics::measure))
        .with_state(state)
}

/// Serves until `shutdown`, then answers what has begun.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, state: WebState, shutdown: CancellationToken) -> std::io::Result<()> {
    let upkeep = tokio::spawn(metrics::keep_up(state.metrics.clone(), UPKEEP));
    // Answers are small and awaited: there is nothing to gather before sending.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    let served = axum::serve(listener, router(state)).with_graceful_shutdown(shutdown.cancelled_owned()).await;
    upkeep.abort();
    served
}
