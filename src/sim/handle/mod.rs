//! The fake's handle: start it, look at what it saw, order faults. What people do on GitHub is in the files beside.

mod change;
mod people;
mod pull;
mod queue;
mod read;
mod repo;
mod review;

use std::io;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use axum::Router;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

pub use change::Change;
pub use people::DEFAULT_PERMISSIONS;
pub use pull::NewPull;
pub use read::{CheckView, CommentView, PullView};
pub use repo::Repo;
pub use review::Verdict;

use super::auth;
use super::clock::Clock;
use super::fault::Fault;
use super::limits::{Caps, Limiter, Limits};
use super::objects::Objects;
use super::record::{Exchange, Record};
use super::server::{Inner, serve};
use super::state::{ACTIONS_BOT, Account, AccountKind, App, World};
use super::webhook::{Delivery, Hooks, Knobs, outgoing, post};
use super::wire::{Cut, Wires};

/// The app's number at the fake.
const APP_ID: u64 = 424_242;
const WEBHOOK_SECRET: &str = "It's a Secret to Everybody";

/// Why the fake cannot do what it was told.
#[derive(Debug, Error)]
pub enum SimError {
    /// There is no such thing.
    #[error("the fake GitHub has no {kind} `{name}`")]
    Missing {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// GitHub would refuse this.
    #[error("GitHub would refuse this: {0}")]
    Refused(String),
    /// A name that is not valid.
    #[error(transparent)]
    Invalid(#[from] crate::domain::ids::InvalidId),
}

fn missing(kind: &'static str, name: &(impl ToString + ?Sized)) -> SimError {
    SimError::Missing { kind, name: name.to_string() }
}

/// A running fake GitHub. Clones share it; it stops when the last one goes.
#[derive(Debug, Clone)]
pub struct Sim {
    inner: Arc<Inner>,
    url: Arc<str>,
    _tasks: Arc<Tasks>,
}

#[derive(Debug)]
struct Tasks([JoinHandle<()>; 2]);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl Sim {
    /// Starts a GitHub with nothing in it but the app, on a free port of loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        let client = client.map_err(io::Error::other)?;
        let (hooks, queue) = Hooks::new(WEBHOOK_SECRET);
        let inner = Arc::new(Inner::new(world(&url, hooks)));
        let router = Router::new().fallback(serve).with_state(inner.clone());
        let service = router.into_make_service_with_connect_info::<Cut>();
        let server = tokio::spawn(async move {
            // It never ends by itself; an error here shows at the client.
            let _ = axum::serve(Wires(listener), service).await;
        });
        let sender = tokio::spawn(deliver(inner.clone(), client, queue));
        Ok(Self { inner, url: url.into(), _tasks: Arc::new(Tasks([server, sender])) })
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.inner.world()
    }

    /// The base URL of the API.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The app's number.
    #[must_use]
    pub fn app_id(&self) -> u64 {
        APP_ID
    }

    /// The app's private key in PEM: a published test key.
    #[must_use]
    pub fn private_key(&self) -> &'static str {
        auth::private_key()
    }

    /// What webhooks are signed with.
    #[must_use]
    pub fn webhook_secret(&self) -> &'static str {
        WEBHOOK_SECRET
    }

    /// Sends webhooks to this address from now on; events before that are not sent.
    pub fn deliver_to(&self, url: &str) {
        self.world().hooks.url = Some(url.to_owned());
    }

    /// Sends no webhooks from now on, and logs none, as if nobody had subscribed to any event.
    pub fn stop_delivering(&self) {
        self.world().hooks.url = None;
    }

    /// Sends `ping`.
    pub fn ping(&self) {
        self.world().emit_ping();
    }

    /// How deliveries go wrong from now on.
    pub fn set_knobs(&self, knobs: Knobs) {
        self.world().hooks.knobs = knobs;
    }

    /// All deliveries so far, lost ones too, oldest first.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world().hooks.deliveries.clone()
    }

    /// The id of the latest delivery, sent or lost; 0 before the first. Later ones have higher ids.
    #[must_use]
    pub fn last_delivery(&self) -> u64 {
        self.world().hooks.deliveries.last().map_or(0, |delivery| delivery.id)
    }

    /// Sends a delivery again, with the same GUID.
    ///
    /// # Errors
    /// When there is no such delivery.
    pub fn redeliver(&self, id: u64) -> Result<(), SimError> {
        if self.world().redeliver(id) { Ok(()) } else { Err(missing("delivery", &id)) }
    }

    /// Sends what reordering holds back, then waits until every delivery has its answer.
    pub async fn settle(&self) {
        let mut pending = {
            let mut world = self.world();
            world.hooks.flush();
            world.hooks.pending.subscribe()
        };
        // The sender lives as long as the world, so this ends only by reaching zero.
        let _ = pending.wait_for(|pending| *pending == 0).await;
    }

    /// Orders a fault.
    pub fn order(&self, fault: Fault) {
        self.inner.faults().push(fault);
    }

    /// Sets the rate limits.
    pub fn set_limits(&self, limits: Limits) {
        self.world().limiter.limits = limits;
    }

    /// Sets where lists are cut off.
    pub fn set_caps(&self, caps: Caps) {
        self.world().caps = caps;
    }

    /// Moves the fake's clock forward; tokens expire and limits start anew.
    pub fn advance(&self, by: Duration) {
        self.world().clock.advance(by);
    }

    /// Every request so far with its answer, oldest first.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.world().record.exchanges.clone()
    }

    /// Whether exchanges keep their bodies; a benchmark does without.
    pub fn keep_bodies(&self, keep: bool) {
        self.world().record.without_bodies = !keep;
    }

    /// Forgets the requests so far, so that a test counts from here.
    pub fn forget_exchanges(&self) {
        self.world().record.exchanges.clear();
    }

    /// What a test must not leave behind: requests for unknown routes, faults that never happened, unanswered deliveries,
    /// the app's comments that the test never read.
    ///
    /// # Errors
    /// One sentence for each.
    pub fn check_quiet(&self) -> Result<(), Vec<String>> {
        let mut noise: Vec<String> = {
            let world = self.world();
            let unknown = world.record.unknown_routes().into_iter();
            let mut noise: Vec<String> = unknown.map(|route| format!("unknown route called: {route}")).collect();
            let comments = world.repos.values().flat_map(|repo| repo.comments.values());
            let unread = comments.filter(|comment| comment.unread);
            noise.extend(unread.map(|comment| format!("comment never read: {}", comment.body)));
            let pending = *world.hooks.pending.borrow();
            if pending > 0 {
                noise.push(format!("{pending} deliveries without an answer"));
            }
            noise
        };
        let left = self.inner.faults().len();
        if left > 0 {
            noise.push(format!("{left} ordered faults never happened"));
        }
        if noise.is_empty() { Ok(()) } else { Err(noise) }
    }
}

/// Posts deliveries one after another, in the order they were queued.
async fn deliver(inner: Arc<Inner>, client: reqwest::Client, mut queue: UnboundedReceiver<u64>) {
    while let Some(id) = queue.recv().await {
        let ready = outgoing(&mut inner.world(), id);
        if let Some(ready) = ready {
            let (code, status, duration) = post(&client, ready).await;
            let mut world = inner.world();
            if let Some(delivery) = world.hooks.find(id) {
                (delivery.status_code, delivery.status, delivery.duration) = (code, status, duration);
            }
        }
        inner.world().hooks.pending.send_modify(|pending| *pending -= 1);
    }
}

/// A world with the app and its owner.
fn world(url: &str, hooks: Hooks) -> World {
    let clock = Clock::default();
    let account = |id, login: &str, kind| (id, Account { id, login: login.to_owned(), kind });
    let app = App {
        id: APP_ID,
        slug: "promptops".to_owned(),
        owner: 1,
        bot: 2,
        permissions: people::permissions(DEFAULT_PERMISSIONS),
        created: clock.seconds(),
    };
    World {
        url: url.to_owned(),
        clock,
        objects: Objects::default(),
        accounts: [
            account(1, "promptops-maker", AccountKind::Organization),
            account(2, "promptops[bot]", AccountKind::Bot),
            account(ACTIONS_BOT, "github-actions[bot]", AccountKind::Bot),
            account(19_864_447, "web-flow", AccountKind::User),
        ]
        .into(),
        emails: [(people::noreply(2, "promptops[bot]"), 2), (change::WEB_FLOW.to_owned(), 19_864_447)].into(),
        admins: Default::default(),
        members: Default::default(),
        teams: Default::default(),
        repos: Default::default(),
        installations: Default::default(),
        tokens: Default::default(),
        app,
        limiter: Limiter::default(),
        caps: Caps::default(),
        record: Record::default(),
        hooks,
        last_id: 1_000,
    }
}
