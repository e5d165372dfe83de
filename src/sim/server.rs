//! The HTTP side: reads a request, finds its route and caller, counts it, runs the handler, records the exchange.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

use super::auth::{authenticate, authorize};
use super::call::{Body, Call, Refusal, Reply};
use super::fault::{self, Fault, Trouble, When};
use super::limits::{Holder, Refused};
use super::record::{Caller, Exchange};
use super::route;
use super::state::World;
use super::wire::Cut;

/// The largest request GitHub's API takes.
const LARGEST_REQUEST: usize = 40 << 20;

/// What the server and its handle share.
#[derive(Debug)]
pub(super) struct Inner {
    world: Mutex<World>,
    faults: Mutex<Vec<Fault>>,
    in_flight: AtomicUsize,
}

impl Inner {
    /// Around a world.
    pub(super) fn new(world: World) -> Self {
        Self { world: Mutex::new(world), faults: Mutex::new(Vec::new()), in_flight: AtomicUsize::new(0) }
    }

    /// The world; a handler that panicked leaves it as it was.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ordered faults.
    pub(super) fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request as it came.
struct Asked {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Counts a request as running until dropped.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Answers one request.
pub(super) async fn serve(
    State(inner): State<Arc<Inner>>,
    ConnectInfo(wire): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let running = inner.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
    let _running = Running(&inner.in_flight);
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_REQUEST).await else {
        return response(Refusal::new(413, "Payload too large").into());
    };
    let asked = Asked {
        method: parts.method.to_string(),
        path: by_name(&inner.world(), parts.uri.path()),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    };
    let fault = fault::take(&mut inner.faults(), &asked.method, &asked.path);
    let delay =
        fault.as_ref().and_then(|fault| if let Trouble::Slow(delay) = fault.trouble { Some(delay) } else { None });
    if let (Some(delay), Some(When::Before)) = (delay, fault.as_ref().map(|fault| fault.when)) {
        tokio::time::sleep(delay).await;
    }
    let reply = exchange(&inner, &asked, fault.as_ref(), running);
    if let (Some(delay), Some(When::After)) = (delay, fault.as_ref().map(|fault| fault.when)) {
        tokio::time::sleep(delay).await;
    }
    if fault.is_some_and(|fault| fault.trouble == Trouble::Drop) {
        wire.now();
    }
    response(reply)
}

/// A path with the repository's name in the place of its id, which is how GitHub writes the links of pages.
fn by_name(world: &World, path: &str) -> String {
    let named = path.strip_prefix("/repositories/").and_then(|rest| {
        let (id, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let repo = world.repos.get(&id.parse().ok()?)?;
        Some(format!("/repos/{}/{rest}", world.full_name(repo)))
    });
    named.unwrap_or_else(|| path.to_owned())
}

/// Runs and records one exchange, with the fault in the answer's place.
fn exchange(inner: &Inner, asked: &Asked, fault: Option<&Fault>, running: usize) -> Reply {
    let mut world = inner.world();
    let no_effect = fault.is_some_and(|fault| fault.when == When::Before) && fault.and_then(faulty).is_some();
    let known = route::find(&asked.method, &asked.path).map(|(route, _)| route.pattern);
    let (caller, reply) =
        if no_effect { (Caller::Anonymous, Reply::empty(0)) } else { answer(&mut world, asked, running) };
    let faulted = fault.and_then(faulty);
    let was_faulted = faulted.is_some();
    let reply = faulted.unwrap_or(reply);
    let shown = if let Body::Json(body) = &reply.body { Some(body.clone()) } else { None };
    let at_ms = u64::try_from(world.clock.now().as_millis()).unwrap_or(u64::MAX);
    world.record.push(Exchange {
        method: asked.method.clone(),
        path: asked.path.clone(),
        query: asked.query.clone(),
        route: known,
        caller,
        at_ms,
        request: serde_json::from_slice(&asked.body).ok(),
        status: reply.status,
        response: shown,
        faulted: was_faulted,
    });
    reply
}

/// What the client sees of a fault; `None` where it sees the true answer.
fn faulty(fault: &Fault) -> Option<Reply> {
    let message = |status| Refusal::new(status, "Server Error");
    match fault.trouble {
        Trouble::Status(status) => Some(message(status).into()),
        Trouble::RetryAfter(status, seconds) => Some(Refusal { retry_after: Some(seconds), ..message(status) }.into()),
        Trouble::Garbage => {
            let body = Body::Raw("application/json; charset=utf-8", b"<html>Unicorn!{".to_vec());
            Some(Reply { body, ..Reply::empty(200) })
        }
        // The connection is gone before this is written.
        Trouble::Drop => Some(Reply::empty(503)),
        Trouble::Slow(_) => None,
    }
}

fn answer(world: &mut World, asked: &Asked, running: usize) -> (Caller, Reply) {
    let (caller, token) = match authenticate(world, asked.header("authorization")) {
        Ok(known) => known,
        Err(refusal) => return (Caller::Anonymous, refusal.into()),
    };
    let holder: Holder = if let Caller::Installation(id) = caller { id } else { 0 };
    let result = admit(world, asked, holder, running).and_then(|()| {
        let (route, params) = route::find(&asked.method, &asked.path).ok_or_else(Refusal::not_found)?;
        let repo = authorize(world, route.access, caller, token.as_ref(), &params)?;
        let call = call(asked, params, caller, token, repo)?;
        (route.run)(world, &call)
    });
    let mut reply = conditional(asked, result.unwrap_or_else(Reply::from));
    if reply.status == 304 {
        world.limiter.refund(holder);
    }
    let window = world.limiter.window(holder, world.clock.seconds());
    let limit = world.limiter.limits.requests_per_hour;
    reply.headers.extend([
        ("date", httpdate::fmt_http_date(std::time::UNIX_EPOCH + world.clock.now())),
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-remaining", limit.saturating_sub(window.used).to_string()),
        ("x-ratelimit-used", window.used.to_string()),
        ("x-ratelimit-reset", window.resets.to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
        ("x-github-media-type", "github.v3; format=json".to_owned()),
        ("x-github-request-id", format!("{:04X}:{:06X}", holder, world.record.exchanges.len())),
    ]);
    (caller, reply)
}

fn admit(world: &mut World, asked: &Asked, holder: Holder, running: usize) -> Result<(), Refusal> {
    if asked.path == "/rate_limit" {
        return Ok(());
    }
    let secondary = |status, seconds| {
        let message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
        Refusal { retry_after: Some(seconds), ..Refusal::new(status, message) }
    };
    if running > world.limiter.limits.concurrent {
        return Err(secondary(429, 60));
    }
    let now = world.clock.seconds();
    // Minting tokens is no content.
    let write = asked.method != "GET" && holder != 0;
    world.limiter.admit(holder, write, now).map_err(|refused| match refused {
        Refused::Primary => Refusal::new(403, &format!("API rate limit exceeded for installation ID {holder}.")),
        Refused::Secondary(seconds) => secondary(403, seconds),
    })
}

fn call(
    asked: &Asked,
    params: Vec<(&'static str, String)>,
    caller: Caller,
    token: Option<super::state::Token>,
    repo: u64,
) -> Result<Call, Refusal> {
    let is_form = asked.header("content-type") == Some("application/x-www-form-urlencoded");
    let body: Option<Value> = match asked.body.as_ref() {
        b"" => None,
        form if is_form => {
            let fields = url::form_urlencoded::parse(form).into_owned();
            Some(Value::Object(fields.map(|(name, value)| (name, Value::String(value))).collect()))
        }
        bytes => Some(serde_json::from_slice(bytes).map_err(|_| Refusal::new(400, "Problems parsing JSON"))?),
    };
    if body.as_ref().is_some_and(|body| !body.is_object() && !body.is_null()) {
        return Err(Refusal::new(400, "Body should be a JSON object"));
    }
    let query = url::form_urlencoded::parse(asked.query.as_bytes()).into_owned().collect();
    let accept = asked.header("accept").unwrap_or_default().to_owned();
    Ok(Call { path: asked.path.clone(), query, params, body, accept, caller, token, repo })
}

/// Puts an `ETag` on what was read, and answers 304 where the client has it already.
fn conditional(asked: &Asked, mut reply: Reply) -> Reply {
    if asked.method != "GET" || reply.status != 200 {
        return reply;
    }
    let bytes = match &reply.body {
        Body::Empty => return reply,
        Body::Json(body) => body.to_string().into_bytes(),
        Body::Raw(_, bytes) => bytes.clone(),
    };
    let tag = format!("W/\"{}\"", hex::encode(digest::digest(&digest::SHA256, &bytes).as_ref()));
    if asked.header("if-none-match").is_some_and(|known| known.split(", ").any(|known| known == tag)) {
        reply = Reply { headers: reply.headers, ..Reply::empty(304) };
    }
    reply.headers.push(("etag", tag));
    reply
}

fn response(reply: Reply) -> Response {
    let (kind, bytes) = match reply.body {
        Body::Empty => ("", Vec::new()),
        Body::Json(body) => ("application/json; charset=utf-8", body.to_string().into_bytes()),
        Body::Raw(kind, bytes) => (kind, bytes),
    };
    let mut builder = Response::builder().status(reply.status);
    if !kind.is_empty() {
        builder = builder.header("content-type", kind);
    }
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(bytes.into()).unwrap_or_else(|_| Response::new(axum::body::Body::empty()))
}
