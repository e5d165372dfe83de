//! The running service: web and worker in one process, started and stopped as one. Knows no environment.

use std::net::SocketAddr;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::exit::CommandError;
use crate::app::dispatch;
use crate::app::intake::Intake;
use crate::app::service::Service;
use crate::github::webhook::WebhookSecrets;
use crate::store::DeliveryWriter;
use crate::web::{self, WebState};
use crate::worker::{Dispatch, GiveUp, Worker, WorkerSettings};

/// A service that takes webhooks and works off jobs.
pub struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    web: JoinHandle<std::io::Result<()>>,
    worker: JoinHandle<()>,
}

impl Server {
    /// Listens, and starts to work.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn start(
        listen: SocketAddr,
        secrets: &[SecretString],
        service: Arc<Service>,
        settings: WorkerSettings,
    ) -> Result<Self, CommandError> {
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            CommandError::World(format!("cannot listen on {listen}: {error}; set PROMPTOPS_LISTEN to a free address"))
        })?;
        let address = listener.local_addr().map_err(|error| CommandError::World(error.to_string()))?;
        let metrics = web::install_metrics().map_err(|error| CommandError::Bug(error.to_string()))?;
        let shutdown = CancellationToken::new();
        let (store, clock) = (service.store.clone(), service.clock.clone());
        let intake = Intake::new(WebhookSecrets::new(secrets), DeliveryWriter::start(store.clone()), clock.clone());
        let state = WebState::new(intake, store.clone(), clock.clone(), metrics, shutdown.clone());
        let web = tokio::spawn(web::serve(listener, state, shutdown.clone()));
        let worker = Worker { store, clock, settings, dispatch: dispatch(service.clone()), give_up: give_up(service) };
        let worker = tokio::spawn(worker.run(shutdown.clone()));
        Ok(Self { address, shutdown, web, worker })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops taking work, finishes or gives back what runs, and ends.
    ///
    /// # Errors
    /// When the listener failed meanwhile.
    pub async fn stop(self) -> Result<(), CommandError> {
        self.shutdown.cancel();
        let (web, worker) = tokio::join!(self.web, self.worker);
        worker.map_err(|error| CommandError::Bug(error.to_string()))?;
        match web {
            Ok(served) => served.map_err(|error| CommandError::World(format!("the listener failed: {error}"))),
            Err(error) => Err(CommandError::Bug(error.to_string())),
        }
    }
}

fn dispatch(service: Arc<Service>) -> Dispatch {
    Arc::new(move |job, cancel| {
        let service = service.clone();
        Box::pin(async move { dispatch::dispatch(&service, &job.payload, cancel).await })
    })
}

fn give_up(service: Arc<Service>) -> GiveUp {
    Arc::new(move |job, message| {
        let service = service.clone();
        Box::pin(async move { dispatch::give_up(&service, &job.payload, &message).await })
    })
}
