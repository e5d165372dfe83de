//! Signed deliveries of 25 kB over loopback, durable on SQLite: at least 5,000 a second, the sender on the same machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
const SENDERS: usize = 128;
const DELIVERIES: usize = 50_000;
const WARM_UP: usize = 5_000;
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

    // Signed before the clock starts: GitHub's work is not ours.
    let bodies: Arc<Vec<Vec<u8>>> = Arc::new((0..PULLS).map(body).collect());
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signatures: Vec<String> = bodies.iter().map(|body| hex::encode(hmac::sign(&key, body))).collect();
    let heads: Arc<Vec<Vec<u8>>> = Arc::new((0..WARM_UP + DELIVERIES).map(|n| head(n, &signatures)).collect());
    let next = Arc::new(AtomicUsize::new(0));
    send(address, &heads, &bodies, &next, WARM_UP).await;
    let started = Instant::now();
    let mut waits = send(address, &heads, &bodies, &next, WARM_UP + DELIVERIES).await;
    let seconds = started.elapsed().as_secs_f64();

    waits.sort_unstable();
    let percentile = |p: usize| waits[(waits.len() - 1) * p / 100].as_secs_f64() * 1e3;
    let rate = waits.len() as f64 / seconds;
    println!(
        "webhooks: {rate:.0}/s ({} of {SIZE} bytes, {SENDERS} senders), p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms; at least {PER_SECOND}/s",
        waits.len(),
        percentile(50),
        percentile(95),
        percentile(99)
    );
    let stored = store.deliveries_stored().await.expect("a count");
    assert_eq!(stored, (WARM_UP + DELIVERIES) as i64, "every acknowledged delivery is stored");
    rate >= PER_SECOND
}

/// Everything of a request before its body; the signatures are those of the bodies.
fn head(n: usize, signatures: &[String]) -> Vec<u8> {
    let signature = &signatures[n % PULLS];
    format!(
        "POST /webhooks/github HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-GitHub-Event: pull_request\r\n\
         X-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-{n:012}\r\nX-Hub-Signature-256: sha256={signature}\r\n\
         Content-Length: {SIZE}\r\n\r\n"
    )
    .into_bytes()
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

/// Sends from `next` up to `end` over connections that stay open, and returns how long each waited.
async fn send(
    address: std::net::SocketAddr,
    heads: &Arc<Vec<Vec<u8>>>,
    bodies: &Arc<Vec<Vec<u8>>>,
    next: &Arc<AtomicUsize>,
    end: usize,
) -> Vec<Duration> {
    let first = next.load(Ordering::Relaxed);
    let senders = (0..SENDERS).map(|_| {
        let (heads, bodies, next) = (heads.clone(), bodies.clone(), next.clone());
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            let (mut waits, mut answer) = (Vec::new(), vec![0; 4096]);
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= end {
                    return waits;
                }
                let started = Instant::now();
                stream.write_all(&heads[n]).await.expect("sent");
                stream.write_all(&bodies[n % PULLS]).await.expect("sent");
                let read = stream.read(&mut answer).await.expect("an answer");
                assert!(answer[..read].starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(&answer[..read]));
                waits.push(started.elapsed());
            }
        })
    });
    let all = futures::future::join_all(senders).await;
    next.store(end, Ordering::Relaxed);
    let waits: Vec<Duration> = all.into_iter().flat_map(|waits| waits.expect("a sender")).collect();
    assert_eq!(waits.len(), end - first);
    waits
}

async fn load_answers(store: &Store) -> bool {
    let question = |n: u32| Digest::of_parts([n.to_le_bytes().as_slice()]);
    let completion = Completion {
        text: "An answer of about two hundred bytes, as models like to give. ".repeat(3).into(),
        finish_reason: Some("stop".to_owned()),
        input_tokens: Some(400),
        output_tokens: Some(50),
        latency_ms: 700,
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
