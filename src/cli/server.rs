//! The running service: web and worker in one process, started and stopped as one. Knows no environment.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::exit::CommandError;
use crate::app::cached::{AnswerWriter, Cached};
use crate::app::dispatch;
use crate::app::intake::Intake;
use crate::app::job::Job;
use crate::app::service::{RunBounds, Service};
use crate::config::ServeConfig;
use crate::domain::price::Prices;
use crate::domain::untrusted::Secrets;
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::limits::Limiter;
use crate::engine::provider::Provider;
use crate::github::webhook::WebhookSecrets;
use crate::github::{Github, GithubOptions};
use crate::provider::Registry;
use crate::store::{DeliveryWriter, Mark, Retention, Store, StoreError};
use crate::web::{self, WebState};
use crate::worker::{Dispatch, GiveUp, Worker, WorkerSettings};

/// Most calls at once to a provider for which the operator sets no limit, over all pull requests.
const PROVIDER_WIDTH: usize = 64;

/// A service that takes webhooks and works off jobs.
pub struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    web: JoinHandle<std::io::Result<()>>,
    worker: JoinHandle<()>,
    store: Store,
    answers: AnswerWriter,
}

impl Server {
    /// Opens the database, listens, and starts to work, with the vendors' models.
    ///
    /// # Errors
    /// When the configuration cannot be used, or the database or the address cannot be had.
    pub async fn start(
        config: &ServeConfig,
        settings: WorkerSettings,
        bounds: RunBounds,
    ) -> Result<Self, CommandError> {
        let registry =
            Registry::new(config.providers.clone()).map_err(|error| CommandError::World(super::chain(&error)))?;
        Self::start_with(config, Arc::new(registry), settings, bounds).await
    }

    /// The same with these models.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_with(
        config: &ServeConfig,
        models: Arc<dyn Provider>,
        settings: WorkerSettings,
        bounds: RunBounds,
    ) -> Result<Self, CommandError> {
        let (service, answers) = service(config, models, bounds).await?;
        let service = Arc::new(service);
        let listen = config.listen;
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            CommandError::World(format!("cannot listen on {listen}: {error}; set PROMPTOPS_LISTEN to a free address"))
        })?;
        let address = listener.local_addr().map_err(|error| CommandError::World(error.to_string()))?;
        let metrics = web::install_metrics().map_err(|error| CommandError::Bug(error.to_string()))?;
        let shutdown = CancellationToken::new();
        let (store, clock) = (service.store.clone(), service.clock.clone());
        let secrets = WebhookSecrets::new(&config.github.webhook_secrets);
        let intake = Intake::new(secrets, DeliveryWriter::start(store.clone()), clock.clone());
        let state = WebState::new(intake, store.clone(), clock.clone(), metrics, shutdown.clone());
        let web = tokio::spawn(web::serve(listener, state, shutdown.clone()));
        let (dispatch, give_up) = (dispatch(service.clone()), give_up(service));
        let worker = Worker { store: store.clone(), clock, settings, dispatch, give_up };
        let worker = tokio::spawn(worker.run(shutdown.clone()));
        tokio::spawn(prune(store.clone(), shutdown.clone()));
        tokio::spawn(sweep(store.clone(), config.reconcile, shutdown.clone()));
        Ok(Self { address, shutdown, web, worker, store, answers })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether no job waits or runs.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn is_idle(&self) -> Result<bool, CommandError> {
        let jobs = self.store.job_counts().await.map_err(|error| CommandError::World(super::chain(&error)))?;
        Ok(jobs.queued + jobs.running == 0)
    }

    /// Stops taking work, finishes or gives back what runs, and ends.
    ///
    /// # Errors
    /// When the listener failed meanwhile.
    pub async fn stop(self) -> Result<(), CommandError> {
        self.shutdown.cancel();
        let (web, worker) = tokio::join!(self.web, self.worker);
        worker.map_err(|error| CommandError::Bug(error.to_string()))?;
        self.answers.finish().await;
        self.store.close().await;
        match web {
            Ok(served) => served.map_err(|error| CommandError::World(format!("the listener failed: {error}"))),
            Err(error) => Err(CommandError::Bug(error.to_string())),
        }
    }
}

/// Forgets what is old, now and then, so that the database stays bounded.
async fn prune(store: Store, shutdown: CancellationToken) {
    let mut hours = tokio::time::interval(Duration::from_secs(3_600));
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = hours.tick() => {}
        }
        if let Err(error) = store.prune(Retention::default(), SystemClock.now_ms()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "old rows were not removed");
        }
    }
}

/// Queues the sweep whenever it is due; with several replicas, whichever asks first. The first one comes soon after the
/// start, since deliveries may have been missed meanwhile.
async fn sweep(store: Store, period: Duration, shutdown: CancellationToken) {
    let often = (period / 10).max(Duration::from_millis(10));
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + often, often);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let job = Job::Sweep.to_new(false);
        if let Err(error) = store.enqueue_when_due(Mark::SweepBegun, period, &job, SystemClock.now_ms()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the sweep was not queued");
        }
    }
}

/// The service's tools, as the configuration wants them.
async fn service(
    config: &ServeConfig,
    fresh: Arc<dyn Provider>,
    bounds: RunBounds,
) -> Result<(Service, AnswerWriter), CommandError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let now = clock.clone();
    let github = Github::new(GithubOptions {
        api_url: config.github.api_url.to_string(),
        app_id: config.github.app_id,
        private_key: config.github.private_key.clone(),
        now_ms: Arc::new(move || now.now_ms()),
    })
    .map_err(|error| CommandError::Input(super::chain(&error)))?;
    let store = Store::open(config.database_url.expose_secret())
        .await
        .map_err(|error| CommandError::World(no_database(config.database_url.expose_secret(), &error)))?;
    let (cached, answers) = Cached::new(fresh.clone(), config.providers.servers(), store.clone(), clock.clone());
    let secrets = secrets(config);
    let prices = Arc::new(Prices::new(config.providers.prices.clone()));
    let limiter = Arc::new(Limiter::new(PROVIDER_WIDTH, config.providers.limits_by_name()));
    let provider = Arc::new(cached);
    Ok((Service { github, store, provider, fresh, prices, limiter, clock, secrets, bounds }, answers))
}

/// All values of the configuration that must never be shown.
/// That the database cannot be used; a file is named, a server's address may hold a password.
fn no_database(url: &str, error: &StoreError) -> String {
    let said = super::chain(error);
    let Some(file) = url.strip_prefix("sqlite:") else { return said };
    let file = file.trim_start_matches("//").split('?').next().unwrap_or_default();
    format!("`{file}`: {said}; restore it from a backup, or move it away to start with an empty one")
}

fn secrets(config: &ServeConfig) -> Secrets {
    let github = &config.github;
    let keys = github.webhook_secrets.iter().chain([&github.private_key, &config.database_url]);
    let keys = keys.chain(config.providers.keys());
    Secrets::new(keys.map(|key| key.expose_secret().to_owned()))
}

fn dispatch(service: Arc<Service>) -> Dispatch {
    Arc::new(move |job, cancel| {
        let service = service.clone();
        Box::pin(async move { dispatch::dispatch(&service, &job, cancel).await })
    })
}

fn give_up(service: Arc<Service>) -> GiveUp {
    Arc::new(move |job, message| {
        let service = service.clone();
        Box::pin(async move { dispatch::give_up(&service, &job, &message).await })
    })
}
