//! A model provider on loopback that follows a script, over real HTTP: two wire formats by itself, any other as the script
//! says. Knows nothing of the engine.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// How many requests are kept to be looked at; benchmarks send many more.
const KEPT: usize = 1000;

/// One request as the provider got it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its number, from 0.
    pub nth: usize,
    /// The path asked for, and the query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Value,
}

impl Asked {
    /// The last user message.
    pub fn user(&self) -> &str {
        let messages = self.body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        messages.iter().rev().find(|one| one["role"] == "user").and_then(|one| one["content"].as_str()).unwrap_or("")
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or("")
    }

    fn is_anthropic(&self) -> bool {
        self.path.ends_with("/messages")
    }
}

/// What the provider does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answers with this text.
    Text(String),
    /// Answers after a while.
    After(Duration, Box<Reply>),
    /// Answers with a status, headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// Never answers.
    Hang,
    /// Sends this many bytes without announcing how many.
    Endless(usize),
}

impl Reply {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An answer in a format of its own.
    pub fn json(body: &Value) -> Self {
        Self::Status(200, vec![("content-type", "application/json".to_owned())], body.to_string())
    }

    /// A status with OpenAI's and Anthropic's common error body.
    pub fn error(status: u16, message: &str) -> Self {
        let body = json!({"error": {"message": message, "type": "scripted"}});
        Self::Status(status, vec![], body.to_string())
    }
}

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;

struct Shared {
    script: Box<Script>,
    asked: Mutex<Vec<Asked>>,
    count: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
    abandoned: AtomicUsize,
}

/// The provider; it stops when dropped.
pub struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

impl Scripted {
    /// Starts on a free port.
    pub async fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            script: Box::new(script),
            asked: Mutex::default(),
            count: AtomicUsize::new(0),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            abandoned: AtomicUsize::new(0),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, server }
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many calls came.
    pub fn calls(&self) -> usize {
        self.shared.count.load(SeqCst)
    }

    /// How many were open at once, at most.
    pub fn most_at_once(&self) -> usize {
        self.shared.most.load(SeqCst)
    }

    /// How many are open now.
    pub fn open(&self) -> usize {
        self.shared.now.load(SeqCst)
    }

    /// How many were left by the caller before they were answered.
    pub fn abandoned(&self) -> usize {
        self.shared.abandoned.load(SeqCst)
    }

    /// What was asked, in the order it was answered.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Counts a call as open until it ends, however it ends.
struct Open {
    shared: Arc<Shared>,
    answered: bool,
}

impl Open {
    fn new(shared: &Arc<Shared>) -> Self {
        let now = shared.now.fetch_add(1, SeqCst) + 1;
        shared.most.fetch_max(now, SeqCst);
        Self { shared: shared.clone(), answered: false }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.now.fetch_sub(1, SeqCst);
        if !self.answered {
            self.shared.abandoned.fetch_add(1, SeqCst);
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut open = Open::new(&shared);
    let nth = shared.count.fetch_add(1, SeqCst);
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let asked = Asked { nth, path: uri.path_and_query().map_or("", |path| path.as_str()).to_owned(), headers, body };
    let mut reply = (shared.script)(&asked);
    while let Reply::After(wait, then) = reply {
        tokio::time::sleep(wait).await;
        reply = *then;
    }
    if let Reply::Hang = reply {
        keep(&shared, asked);
        std::future::pending::<()>().await;
        unreachable!("pending never ends");
    }
    let response = respond(reply, &asked);
    keep(&shared, asked);
    open.answered = true;
    response
}

fn keep(shared: &Shared, asked: Asked) {
    let mut kept = shared.asked.lock().unwrap();
    if kept.len() < KEPT {
        kept.push(asked);
    }
}

fn respond(reply: Reply, asked: &Asked) -> Response {
    match reply {
        Reply::Text(text) => {
            let body = if asked.is_anthropic() { anthropic_answer(&text) } else { openai_answer(&text) };
            ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
        }
        Reply::Status(status, headers, body) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Reply::Endless(bytes) => {
            const CHUNK: usize = 64 * 1024;
            let chunks =
                (0..bytes.div_ceil(CHUNK)).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; CHUNK])));
            Body::from_stream(futures::stream::iter(chunks)).into_response()
        }
        Reply::Hang | Reply::After(..) => unreachable!("handled before"),
    }
}

fn openai_answer(text: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "scripted",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": null}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    })
}

fn anthropic_answer(text: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "scripted",
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 100, "output_tokens": 10},
    })
}
