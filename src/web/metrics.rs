//! Figures in Prometheus' text form: what the process has counted, and what the store holds now.

use std::fmt::Write;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::WebState;
use crate::store::StoreError;

const DURATIONS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Collects the process's figures from now on; once per process, later calls get the same.
///
/// # Errors
/// When another recorder collects them already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();
    static INSTALLING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one_at_a_time = INSTALLING.lock();
    if let Some(handle) = INSTALLED.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_duration_seconds".to_owned()), &DURATIONS)?
        .build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(BuildError::from)?;
    Ok(INSTALLED.get_or_init(|| handle).clone())
}

/// Folds old samples for ever.
pub(super) async fn keep_up(handle: PrometheusHandle, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}

/// Measures each request by its route.
pub(super) async fn measure(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    metrics::histogram!("promptops_http_request_duration_seconds", "route" => route, "status" => status)
        .record(started.elapsed().as_secs_f64());
    response
}

/// `GET /metrics`.
pub(super) async fn show(State(state): State<WebState>) -> Response {
    let mut text = state.metrics.render();
    match store_figures(&state).await {
        Ok(figures) => text.push_str(&figures),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the store's figures could not be read");
            return (StatusCode::SERVICE_UNAVAILABLE, "the store's figures could not be read\n").into_response();
        }
    }
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Read when asked for, so that they are right in each of several processes on one database.
async fn store_figures(state: &WebState) -> Result<String, StoreError> {
    let stored = state.store.deliveries_stored().await?;
    let jobs = state.store.job_counts().await?;
    let oldest = state.store.oldest_waiting(state.clock.now_ms()).await?.unwrap_or_default();
    let mut text = String::new();
    gauge(&mut text, "promptops_deliveries_stored", "Rows of the delivery store.", &[("", stored as f64)]);
    gauge(
        &mut text,
        "promptops_jobs",
        "Jobs by state.",
        &[
            ("{state=\"queued\"}", jobs.queued as f64),
            ("{state=\"running\"}", jobs.running as f64),
            ("{state=\"failed\"}", jobs.failed as f64),
        ],
    );
    let oldest = [("", oldest.as_secs_f64())];
    gauge(&mut text, "promptops_oldest_job_seconds", "How long the oldest job that could run has waited.", &oldest);
    Ok(text)
}

fn gauge(text: &mut String, name: &str, help: &str, samples: &[(&str, f64)]) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}
