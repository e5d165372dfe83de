//! `promptops serve`: the environment becomes a running service; SIGTERM and Ctrl-C drain it.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::exit::{CommandError, Outcome};
use super::server::Server;
use crate::app::cached::Cached;
use crate::app::service::{RunBounds, Service};
use crate::config::{self, ServeConfig};
use crate::domain::untrusted::Secrets;
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::provider::Provider;
use crate::github::{Github, GithubOptions};
use crate::provider::Registry;
use crate::store::Store;
use crate::worker::WorkerSettings;

/// Runs the service until it is told to stop.
///
/// # Errors
/// See [`CommandError`].
pub async fn run() -> Result<Outcome, CommandError> {
    start_logging();
    let config = config::process().serve().map_err(|error| CommandError::Input(error.to_string()))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::open(config.database_url.expose_secret())
        .await
        .map_err(|error| CommandError::World(super::chain(&error)))?;
    let registry =
        Registry::new(config.providers.clone()).map_err(|error| CommandError::World(super::chain(&error)))?;
    let fresh: Arc<dyn Provider> = Arc::new(registry);
    let (cached, writer) = Cached::new(fresh.clone(), store.clone(), clock.clone());
    let now = clock.clone();
    let github = Github::new(GithubOptions {
        api_url: config.github.api_url.to_string(),
        app_id: config.github.app_id,
        private_key: config.github.private_key.clone(),
        now_ms: Arc::new(move || now.now_ms()),
    })
    .map_err(|error| CommandError::Input(super::chain(&error)))?;
    let service = Arc::new(Service {
        github,
        store: store.clone(),
        provider: Arc::new(cached),
        fresh,
        clock,
        secrets: secrets(&config),
        bounds: RunBounds::default(),
    });
    let server =
        Server::start(config.listen, &config.github.webhook_secrets, service, WorkerSettings::default()).await?;
    tracing::info!(address = %server.address(), "listening");
    stop_signal().await;
    tracing::info!("draining");
    server.stop().await?;
    writer.finish().await;
    store.close().await;
    tracing::info!("stopped");
    Ok(Outcome::Passed)
}

/// All values of the configuration that must never be shown.
fn secrets(config: &ServeConfig) -> Secrets {
    let github = &config.github;
    let keys = github.webhook_secrets.iter().chain([&github.private_key, &config.database_url]);
    let keys = keys.chain(config.providers.keys());
    Secrets::new(keys.map(|key| key.expose_secret().to_owned()))
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
