//! Signed deliveries of 25 kB over loopback, durable on SQLite: at least 5,000 a second, the sender on the same machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use promptops::app::intake::Intake;
use promptops::domain::ids::Digest;
use promptops::engine::clock::{Clock, SystemClock};
use promptops::engine::provider::Completion;
use promptops::github::webhook::WebhookSecrets;
use promptops::store::{DeliveryWriter, Store};
use promptops::web::{WebState, install_metrics, serve};
use secrecy::SecretString;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const SECRET: &str = "bench";
const SIZE: usize = 25_000;
/// Pull requests, each with its own body.
const PULLS: usize = 50;
const CONNECTIONS: usize = 128;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(10);
const PER_SECOND: f64 = 5_000.0;
const ANSWERS: u32 = 10_000;
const LOADED_WITHIN: Duration = Duration::from_millis(300);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let good = runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let store =
            Store::open(&format!("sqlite://{}", folder.path().join("bench.db").display())).await.expect("a store");
        let answers_in_time = load_answers(&store).await;
        acknowledge(store).await && answers_in_time
    });
    std::process::exit(i32::from(!good));
}

async fn acknowledge(store: Store) -> bool {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let secrets = WebhookSecrets::new(&[SecretString::from(SECRET)]);
    let intake = Intake::new(secrets, DeliveryWriter::start(store.clone()), clock.clone());
    let metrics = install_metrics().expect("the metrics");
    let state = WebState::new(intake, store.clone(), clock, metrics, CancellationToken::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, state, CancellationToken::new()));

    let bodies: Arc<Vec<Vec<u8>>> = Arc::new((0..PULLS).map(body).collect());
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signatures: Vec<String> = bodies.iter().map(|body| hex::encode(hmac::sign(&key, body))).collect();
    let sender = Sender { address, bodies, signatures: Arc::new(signatures), next: Arc::default() };
    send(&sender, WARM_UP).await;
    let started = Instant::now();
    let mut waits = send(&sender, MEASURED).await;
    let seconds = started.elapsed().as_secs_f64();

    waits.sort_unstable();
    let percentile = |p: usize| waits[(waits.len() - 1) * p / 100].as_secs_f64() * 1e3;
    let rate = waits.len() as f64 / seconds;
    println!(
        "webhooks: {rate:.0}/s ({} of {SIZE} bytes, {CONNECTIONS} connections), p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms; at least {PER_SECOND}/s",
        waits.len(),
        percentile(50),
        percentile(95),
        percentile(99)
    );
    let stored = store.deliveries_stored().await.expect("a count");
    assert_eq!(stored, sender.next.load(Ordering::Relaxed), "every acknowledged delivery is stored");
    rate >= PER_SECOND
}

/// A payload of GitHub's size: most of it is what we skip.
fn body(pull: usize) -> Vec<u8> {
    let mut payload = json!({
        "action": "synchronize", "number": pull,
        "pull_request": { "number": pull, "head": { "sha": "a".repeat(40) }, "base": { "ref": "main" }, "links": [] },
        "repository": { "id": 11, "full_name": "acme/prompts" }, "installation": { "id": 5 },
    });
    let link =
        json!({ "href": "https://api.github.com/repos/acme/prompts/pulls/7/commits", "id": 1_296_269, "ok": true });
    let fill = vec![link; 250];
    payload["pull_request"]["links"] = fill.into();
    payload["padding"] = "".into();
    let missing = SIZE - serde_json::to_vec(&payload).expect("JSON").len();
    payload["padding"] = "x".repeat(missing).into();
    serde_json::to_vec(&payload).expect("JSON")
}

/// What all connections share.
#[derive(Clone)]
struct Sender {
    address: SocketAddr,
    bodies: Arc<Vec<Vec<u8>>>,
    /// Made before the clock starts: signing is GitHub's work.
    signatures: Arc<Vec<String>>,
    next: Arc<AtomicI64>,
}

impl Sender {
    async fn connection(self, end: Instant) -> Vec<Duration> {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let (mut waits, mut answer) = (Vec::new(), vec![0; 4096]);
        while Instant::now() < end {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            let pull = usize::try_from(n).expect("a count") % PULLS;
            let head = format!(
                "POST /webhooks/github HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n\
                 X-GitHub-Event: pull_request\r\nX-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-{n:012}\r\n\
                 X-Hub-Signature-256: sha256={}\r\nContent-Length: {SIZE}\r\n\r\n",
                self.signatures[pull]
            );
            let started = Instant::now();
            stream.write_all(head.as_bytes()).await.expect("sent");
            stream.write_all(&self.bodies[pull]).await.expect("sent");
            let read = stream.read(&mut answer).await.expect("an answer");
            assert!(answer[..read].starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(&answer[..read]));
            waits.push(started.elapsed());
        }
        waits
    }
}

/// Sends for a while over connections that stay open, and returns how long each delivery waited.
async fn send(sender: &Sender, time: Duration) -> Vec<Duration> {
    let end = Instant::now() + time;
    let connections = (0..CONNECTIONS).map(|_| tokio::spawn(sender.clone().connection(end)));
    let all = futures::future::join_all(connections).await;
    all.into_iter().flat_map(|waits| waits.expect("a connection")).collect()
}

async fn load_answers(store: &Store) -> bool {
    let question = |n: u32| Digest::of_parts([n.to_le_bytes().as_slice()]);
    let completion = Completion {
        text: "An answer of about two hundred bytes, as models like to give. ".repeat(3).into(),
        finish_reason: Some("stop".to_owned()),
        input_tokens: Some(400),
        output_tokens: Some(50),
        latency_ms: 700,
        rate: None,
    };
    let answers: Vec<_> = (0..ANSWERS).map(|n| (question(n), completion.clone())).collect();
    store.save_answers(&answers, 0).await.expect("saved");
    let questions: Vec<_> = (0..ANSWERS).map(question).collect();
    let started = Instant::now();
    let found = store.load_answers(&questions).await.expect("loaded");
    let took = started.elapsed();
    println!("answers: {} loaded in {took:.1?}; within {LOADED_WITHIN:?}", found.len());
    found.len() == questions.len() && took < LOADED_WITHIN
}
