//! The webhook's door: every answer of the contract, and no 202 before the row is durable.

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use promptops::app::intake::Intake;
use promptops::app::job::Job;
use promptops::engine::clock::{Clock, SystemClock};
use promptops::github::webhook::WebhookSecrets;
use promptops::store::{DeliveryWriter, Store};
use promptops::web::{WebState, install_metrics, router, serve};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support::database::TestDatabase;

struct Door {
    database: TestDatabase,
    store: Store,
    state: WebState,
    draining: CancellationToken,
}

impl Door {
    async fn open() -> Self {
        let database = TestDatabase::sqlite();
        let store = database.open().await;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let secrets = WebhookSecrets::new(&["new".into(), SecretString::from("old")]);
        let intake = Intake::new(secrets, DeliveryWriter::start(store.clone()), clock.clone());
        let draining = CancellationToken::new();
        let state = WebState::new(intake, store.clone(), clock, install_metrics().unwrap(), draining.clone());
        Self { database, store, state, draining }
    }

    async fn answer(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = router(self.state.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        self.answer(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn deliver(&self, delivery: Delivery) -> StatusCode {
        self.answer(delivery.request()).await.0
    }
}

/// A delivery as GitHub sends it, with what a test makes different.
struct Delivery {
    body: Vec<u8>,
    secret: &'static str,
    headers: Vec<(&'static str, String)>,
}

impl Delivery {
    fn new(guid: &str, event: &str, payload: &Value) -> Self {
        Self {
            body: serde_json::to_vec(payload).unwrap(),
            secret: "new",
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("x-github-event", event.to_owned()),
                ("x-github-delivery", guid.to_owned()),
            ],
        }
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    fn with(self, name: &'static str, value: &str) -> Self {
        let mut changed = self.without(name);
        changed.headers.push((name, value.to_owned()));
        changed
    }

    fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    fn signed_with(mut self, secret: &'static str) -> Self {
        self.secret = secret;
        self
    }

    fn request(self) -> Request<Body> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        let signature = format!("sha256={}", hex::encode(hmac::sign(&key, &self.body)));
        let mut request = Request::post("/webhooks/github");
        if !self.headers.iter().any(|(name, _)| *name == "x-hub-signature-256") {
            request = request.header("x-hub-signature-256", signature);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(Body::from(self.body)).unwrap()
    }
}

fn opened() -> Value {
    json!({
        "action": "opened",
        "pull_request": { "number": 7, "head": { "sha": "a".repeat(40) }, "base": { "ref": "main" } },
        "repository": { "id": 11, "full_name": "acme/prompts" },
        "installation": { "id": 5 },
    })
}

fn push(guid: &str) -> Delivery {
    Delivery::new(guid, "pull_request", &opened())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_delivery_is_durable_with_its_job_when_the_202_comes() {
    let door = Door::open().await;
    assert_eq!(door.deliver(push("g1")).await, StatusCode::ACCEPTED);
    let elsewhere = door.database.open().await;
    assert_eq!(elsewhere.deliveries_stored().await.unwrap(), 1);
    let claimed = elsewhere.claim_job(SystemClock.now_ms(), std::time::Duration::from_secs(9)).await.unwrap().unwrap();
    assert_eq!(claimed.delivery.as_deref(), Some("g1"));
    let job = Job::from_payload(&claimed.payload).unwrap();
    assert_eq!((job.name(), job.lane().as_str()), ("evaluate_pull", "11/7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_delivery_twice_is_accepted_twice_and_stored_once() {
    let door = Door::open().await;
    assert_eq!(door.deliver(push("g1")).await, StatusCode::ACCEPTED);
    assert_eq!(door.deliver(push("g1")).await, StatusCode::ACCEPTED);
    assert_eq!(door.store.deliveries_stored().await.unwrap(), 1);
    assert_eq!(door.store.job_counts().await.unwrap().queued, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_secrets_hold_while_one_replaces_the_other() {
    let door = Door::open().await;
    assert_eq!(door.deliver(push("g1").signed_with("old")).await, StatusCode::ACCEPTED);
    assert_eq!(door.deliver(push("g2").signed_with("new")).await, StatusCode::ACCEPTED);
    assert_eq!(door.deliver(push("g3").signed_with("older")).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_delivery_is_refused_with_the_right_status_and_leaves_nothing() {
    let door = Door::open().await;
    let form = "application/x-www-form-urlencoded";
    let cases = [
        (push("g").with("x-hub-signature-256", ""), StatusCode::UNAUTHORIZED),
        (push("g").with("x-hub-signature-256", "sha256=00"), StatusCode::UNAUTHORIZED),
        (push("g").signed_with("wrong").with("content-type", form), StatusCode::UNAUTHORIZED),
        (push("g").with("content-type", form), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (push("g").without("content-type"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (push("g").without("x-github-event"), StatusCode::BAD_REQUEST),
        (push("g").without("x-github-delivery"), StatusCode::BAD_REQUEST),
        (push("g").with("x-github-delivery", "two words"), StatusCode::BAD_REQUEST),
        (push("g").body(b"{\"action\":"), StatusCode::BAD_REQUEST),
        (push("g").body(b"{\"action\":\"opened\"}"), StatusCode::BAD_REQUEST),
        (push("g").body(b"\xff\xfe"), StatusCode::BAD_REQUEST),
        (push("g").body(b""), StatusCode::BAD_REQUEST),
    ];
    for (number, (delivery, expected)) in cases.into_iter().enumerate() {
        assert_eq!(door.deliver(delivery).await, expected, "case {number}");
    }
    assert_eq!(door.store.deliveries_stored().await.unwrap(), 0);
    assert_eq!(door.get("/webhooks/github").await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_answered_and_what_does_not_concern_us_makes_no_job() {
    let door = Door::open().await;
    let ping = Delivery::new("p", "ping", &json!({ "zen": "Keep it logically awesome." }));
    assert_eq!(door.deliver(ping).await, StatusCode::OK);
    let star = json!({ "action": "created", "repository": { "id": 11 } });
    assert_eq!(door.deliver(Delivery::new("s", "star", &star)).await, StatusCode::ACCEPTED);
    let assigned = json!({ "action": "assigned" });
    assert_eq!(door.deliver(Delivery::new("l", "pull_request", &assigned)).await, StatusCode::ACCEPTED);
    assert_eq!(door.store.job_counts().await.unwrap(), promptops::store::JobCounts::default());
    let (_, metrics) = door.get("/metrics").await;
    assert!(metrics.contains("\npromptops_deliveries_stored 2\n"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_metrics_say_how_it_is() {
    let door = Door::open().await;
    assert_eq!(door.get("/healthz").await.0, StatusCode::OK);
    assert_eq!(door.get("/readyz").await, (StatusCode::OK, "ready\n".to_owned()));
    assert_eq!(door.deliver(push("g1")).await, StatusCode::ACCEPTED);
    let (status, metrics) = door.get("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        "promptops_deliveries_stored 1\n",
        "promptops_jobs{state=\"queued\"} 1\n",
        "# TYPE promptops_http_request_duration_seconds histogram\n",
        "promptops_deliveries_total{event=\"pull_request\",outcome=\"stored\"}",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    let old = Job::from_payload(
        &door.store.claim_job(i64::MAX / 2, std::time::Duration::ZERO).await.unwrap().unwrap().payload,
    );
    let long_ago = SystemClock.now_ms() - 3_600_000;
    let mut stale = old.unwrap().to_new(false);
    stale.lane = "1/1".to_owned();
    door.store.enqueue_job(&stale, long_ago).await.unwrap();
    let (status, why) = door.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(why.starts_with("a job has been waiting for 36"), "{why}");
    door.draining.cancel();
    assert_eq!(door.get("/readyz").await.1, "shutting down: send work to another server\n");
    assert_eq!(door.get("/healthz").await.0, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_real_connection_25_mb_pass_the_cap_and_a_byte_more_is_413() {
    const CAP: usize = 25 * 1024 * 1024;
    let door = Door::open().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks/github", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(listener, door.state.clone(), stop.clone()));
    let client = reqwest::Client::new();
    let send = async |size: usize, chunked: bool| {
        let bytes = bytes::Bytes::from(vec![b'x'; size]);
        let parts = bytes.chunks(1 << 20).map(|part| Ok::<_, std::io::Error>(part.to_vec())).collect::<Vec<_>>();
        let body =
            if chunked { reqwest::Body::wrap_stream(futures::stream::iter(parts)) } else { reqwest::Body::from(bytes) };
        client.post(&url).body(body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(send(CAP, false).await, 401, "read to its end, and not signed");
    assert_eq!(send(CAP + 1, false).await, 413);
    assert_eq!(send(CAP + 1, true).await, 413, "without a declared length, too");
    assert_eq!(send(10, true).await, 401);
    drop(client);
    stop.cancel();
    server.await.unwrap().unwrap();
}

/// A declared length takes no room from others: only what arrived does, and not for long.
#[tokio::test(flavor = "multi_thread")]
async fn stalled_connections_that_declare_25_mb_do_not_stop_a_signed_delivery() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let door = Door::open().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(listener, door.state.clone(), stop.clone()));
    let head = "POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-length: 26214400\r\n\r\n";
    let mut stalled = Vec::new();
    for part in ["", "{"].repeat(20) {
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        connection.write_all(format!("{head}{part}").as_bytes()).await.unwrap();
        stalled.push(connection);
    }
    // Long enough for the server to be in the middle of all of them.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(door.deliver(push("g1")).await, StatusCode::ACCEPTED);
    for mut connection in stalled {
        let mut answer = [0; 12];
        let read = connection.read_exact(&mut answer);
        tokio::time::timeout(std::time::Duration::from_secs(6), read).await.unwrap().unwrap();
        assert_eq!(std::str::from_utf8(&answer).unwrap(), "HTTP/1.1 408");
    }
    stop.cancel();
    server.await.unwrap().unwrap();
}
