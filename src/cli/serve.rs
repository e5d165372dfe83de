//! `promptops serve`: the environment becomes a running service; SIGTERM and Ctrl-C drain it.

use super::exit::{CommandError, Outcome};
use super::server::Server;
use crate::app::service::RunBounds;
use crate::config;
use crate::worker::WorkerSettings;

/// Runs the service until it is told to stop.
///
/// # Errors
/// See [`CommandError`].
pub async fn run() -> Result<Outcome, CommandError> {
    start_logging();
    let config = config::process().serve().map_err(|error| CommandError::Input(error.to_string()))?;
    if config.providers.is_empty() {
        tracing::warn!(
            "no model provider is configured, so no prompt can be evaluated: set a vendor's own variables, for instance \
             OPENAI_API_KEY or OLLAMA_HOST, or add [providers.NAME] to promptops.toml"
        );
    }
    let server = Server::start(&config, WorkerSettings::default(), RunBounds::default()).await?;
    tracing::info!(address = %server.address(), "listening");
    stop_signal().await;
    tracing::info!("draining");
    server.stop().await?;
    tracing::info!("stopped");
    Ok(Outcome::Passed)
}

/// Lines of JSON on standard error; `RUST_LOG` narrows them.
fn start_logging() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,octocrab=warn,sqlx=warn,hyper=warn,tower=warn"));
    let logs = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr);
    if logs.try_init().is_err() {
        super::show::warning("logging was started already");
    }
}

async fn stop_signal() {
    let interrupt = async {
        // Without a handler the process still ends on a second signal.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
