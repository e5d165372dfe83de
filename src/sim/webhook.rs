//! Webhooks: signed deliveries to the app, their log, and knobs that duplicate, reorder, drop or delay. Knows no event's payload.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::clock::iso;
use super::state::World;

/// GitHub gives a receiver ten seconds.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How deliveries go wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Knobs {
    /// Each delivery is sent so many times more, with the same GUID.
    pub duplicates: u32,
    /// Deliveries are held until there are so many, then sent last first.
    pub reorder: usize,
    /// So many of the next deliveries are lost.
    pub drop_next: u32,
    /// Each delivery waits so long.
    pub delay: Duration,
}

/// One delivery, sent or lost.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its number in the log.
    pub id: u64,
    /// Its GUID, the same when it is sent again.
    pub guid: String,
    /// The event's name.
    pub event: String,
    /// The event's action.
    pub action: Option<String>,
    /// The installation it is for.
    pub installation: Option<u64>,
    /// The repository it is about.
    pub repository: Option<u64>,
    /// The payload, as it is sent.
    pub body: Arc<str>,
    /// When, in seconds since the Unix epoch.
    pub at: u64,
    /// Whether it repeats an earlier one on request.
    pub redelivery: bool,
    /// How long the answer took.
    pub duration: Duration,
    /// `OK`, or what went wrong; empty until there is an answer.
    pub status: String,
    /// The answer's status, 0 without an answer.
    pub status_code: u16,
}

/// The app's webhook.
#[derive(Debug)]
pub(super) struct Hooks {
    pub(super) url: Option<String>,
    pub(super) secret: String,
    /// Whether the receiver's certificate goes unchecked.
    pub(super) is_insecure: bool,
    pub(super) id: u64,
    pub(super) knobs: Knobs,
    pub(super) deliveries: Vec<Delivery>,
    held: Vec<u64>,
    queue: mpsc::UnboundedSender<u64>,
    pub(super) pending: watch::Sender<usize>,
}

impl Hooks {
    /// A webhook without a receiver, and the queue of what is to be sent.
    pub(super) fn new(secret: &str) -> (Self, mpsc::UnboundedReceiver<u64>) {
        let (queue, sent) = mpsc::unbounded_channel();
        let hooks = Self {
            url: None,
            secret: secret.to_owned(),
            is_insecure: false,
            id: 9_001,
            knobs: Knobs::default(),
            deliveries: Vec::new(),
            held: Vec::new(),
            queue,
            pending: watch::Sender::new(0),
        };
        (hooks, sent)
    }

    /// A delivery of the log, which is in the order of its ids.
    pub(super) fn find(&mut self, id: u64) -> Option<&mut Delivery> {
        let at = self.deliveries.binary_search_by_key(&id, |delivery| delivery.id).ok()?;
        self.deliveries.get_mut(at)
    }

    fn send(&self, id: u64) {
        self.pending.send_modify(|pending| *pending += 1);
        if self.queue.send(id).is_err() {
            self.pending.send_modify(|pending| *pending -= 1);
        }
    }

    /// Sends what is held for reordering, last first.
    pub(super) fn flush(&mut self) {
        for id in std::mem::take(&mut self.held).into_iter().rev() {
            self.send(id);
        }
    }

    fn take_in(&mut self, mut delivery: Delivery) {
        let id = delivery.id;
        if self.url.is_none() {
            return;
        }
        if self.knobs.drop_next > 0 && !delivery.redelivery {
            self.knobs.drop_next -= 1;
            delivery.status = "failed to connect to host".to_owned();
            self.deliveries.push(delivery);
            return;
        }
        self.deliveries.push(delivery);
        self.held.extend(std::iter::repeat_n(id, 1 + self.knobs.duplicates as usize));
        if self.held.len() >= self.knobs.reorder {
            if self.knobs.reorder > 1 {
                self.flush();
            } else {
                std::mem::take(&mut self.held).into_iter().for_each(|id| self.send(id));
            }
        }
    }
}

impl World {
    /// Sends an event to the app, if it is installed where the event happened.
    pub(super) fn emit(&mut self, event: &str, installation: Option<u64>, repository: Option<u64>, mut payload: Value) {
        // The installation's own events show it in full.
        if let Some(id) = installation.filter(|_| payload.get("installation").is_none()) {
            payload["installation"] = json!({"id": id, "node_id": format!("MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u{id}")});
        }
        let id = self.next_id();
        let delivery = Delivery {
            id,
            guid: uuid::Uuid::new_v4().to_string(),
            event: event.to_owned(),
            action: payload.get("action").and_then(Value::as_str).map(str::to_owned),
            installation,
            repository,
            body: payload.to_string().into(),
            at: self.clock.seconds(),
            redelivery: false,
            duration: Duration::ZERO,
            status: String::new(),
            status_code: 0,
        };
        self.hooks.take_in(delivery);
    }

    /// Sends a delivery of the log again, with the same GUID.
    pub(super) fn redeliver(&mut self, id: u64) -> bool {
        let Some(original) = self.hooks.find(id).cloned() else { return false };
        let (id, at) = (self.next_id(), self.clock.seconds());
        let again = Delivery { id, at, redelivery: true, status: String::new(), status_code: 0, ..original };
        self.hooks.take_in(again);
        true
    }
}

/// The headers and body of a delivery, ready to be posted.
pub(super) struct Outgoing {
    url: String,
    delay: Duration,
    headers: [(&'static str, String); 8],
    body: Arc<str>,
}

/// Prepares a delivery of the log.
pub(super) fn outgoing(world: &mut World, id: u64) -> Option<Outgoing> {
    let delivery = world.hooks.find(id)?.clone();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("user-agent", "GitHub-Hookshot/0000000".to_owned()),
        ("x-github-event", delivery.event.clone()),
        ("x-github-delivery", delivery.guid.clone()),
        ("x-github-hook-id", world.hooks.id.to_string()),
        ("x-github-hook-installation-target-id", world.app.id.to_string()),
        ("x-github-hook-installation-target-type", "integration".to_owned()),
        ("x-hub-signature-256", signature(&world.hooks.secret, delivery.body.as_bytes())),
    ];
    let url = world.hooks.url.clone()?;
    Some(Outgoing { url, delay: world.hooks.knobs.delay, headers, body: delivery.body })
}

/// The value of `X-Hub-Signature-256`.
pub(super) fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", hex::encode(hmac::sign(&key, body).as_ref()))
}

/// Posts a delivery: the answer's status, what to log of it, and how long it took.
pub(super) async fn post(client: &reqwest::Client, outgoing: Outgoing) -> (u16, String, Duration) {
    tokio::time::sleep(outgoing.delay).await;
    let started = Instant::now();
    let mut request = client.post(&outgoing.url).timeout(TIME_LIMIT).body(outgoing.body.as_bytes().to_vec());
    for (name, value) in outgoing.headers {
        request = request.header(name, value);
    }
    let (code, status) = match request.send().await {
        Ok(response) if response.status().is_success() => (response.status().as_u16(), "OK".to_owned()),
        Ok(response) => (response.status().as_u16(), format!("Invalid HTTP Response: {}", response.status().as_u16())),
        Err(error) if error.is_timeout() => (0, "timed out".to_owned()),
        Err(_) => (0, "failed to connect to host".to_owned()),
    };
    (code, status, started.elapsed())
}

/// A delivery as the app's log lists it.
pub(super) fn shown(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id, "guid": delivery.guid, "delivered_at": iso(delivery.at),
        "redelivery": delivery.redelivery, "duration": delivery.duration.as_secs_f64(),
        "status": delivery.status, "status_code": delivery.status_code,
        "event": delivery.event, "action": delivery.action,
        "installation_id": delivery.installation, "repository_id": delivery.repository,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_githubs_documentation_shows() {
        assert_eq!(
            signature("It's a Secret to Everybody", b"Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }
}
