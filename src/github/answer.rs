//! One request and what its answer means: done, wait and ask again, or a typed error. Pure; sends nothing.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::GithubError;

/// Whether a request that may already have had its effect can be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Reading, or writing the same once more.
    Safe,
    /// Would have its effect twice.
    Never,
}

/// One request.
#[derive(Debug)]
pub(super) struct Ask {
    pub method: Method,
    pub route: String,
    pub body: Option<Value>,
    pub repeat: Repeat,
    /// The tag of the answer we have: an equal one need not be sent.
    pub tag: Option<String>,
    /// For errors: what is asked for.
    pub what: String,
}

impl Ask {
    pub fn get(route: String, what: impl Into<String>) -> Self {
        Self { method: Method::GET, route, body: None, repeat: Repeat::Safe, tag: None, what: what.into() }
    }

    /// Creates something: never sent again blindly.
    pub fn post(route: String, body: Value, what: impl Into<String>) -> Self {
        Self { method: Method::POST, route, body: Some(body), repeat: Repeat::Never, tag: None, what: what.into() }
    }

    pub fn patch(route: String, body: Value, repeat: Repeat, what: impl Into<String>) -> Self {
        Self { method: Method::PATCH, route, body: Some(body), repeat, tag: None, what: what.into() }
    }
}

/// A success.
#[derive(Debug)]
pub(super) struct Answer {
    pub body: String,
    /// Whether `Link` names a next page; `None` without that header.
    pub has_next: Option<bool>,
    /// The address of that page.
    pub next: Option<String>,
    /// By which the answer is known when it is asked for again.
    pub tag: Option<String>,
    /// Whether it is the one whose tag was sent; then it has no body.
    pub is_unchanged: bool,
}

impl Answer {
    pub fn parse<T: DeserializeOwned>(&self, what: &str) -> Result<T, GithubError> {
        serde_json::from_str(&self.body).map_err(|error| GithubError::shape(what, error))
    }
}

/// What to do after an answer.
#[derive(Debug)]
pub(super) enum Next {
    Done(Answer),
    /// Ask again after this time, for this reason.
    Wait(Duration, GithubError),
    /// The token is no longer accepted.
    Unauthorized,
    Fail(GithubError),
}

/// The longest a call waits for a rate limit; beyond it the job is put off instead.
const PATIENCE: Duration = Duration::from_secs(20);
/// GitHub's advice where it names no time.
const DEFAULT_LIMIT_WAIT: Duration = Duration::from_secs(60);
/// Waits before repeating a request that failed on GitHub's side.
const BACK_OFF: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(600), Duration::from_millis(1800)];

/// The wait before repetition number `tried`, if there is to be one.
fn back_off(repeat: Repeat, tried: usize) -> Option<Duration> {
    if repeat == Repeat::Safe { BACK_OFF.get(tried).copied() } else { None }
}

/// Judges an answer. `tried` counts earlier repetitions.
pub(super) fn judge(
    ask: &Ask,
    (status, headers, body): (StatusCode, &HeaderMap, String),
    tried: usize,
    now_ms: i64,
) -> Next {
    let what = ask.what.clone();
    let is_unchanged = ask.tag.is_some() && status == StatusCode::NOT_MODIFIED;
    if status.is_success() || is_unchanged {
        let (next, tag) = (next(headers), text(headers, "etag").map(str::to_owned));
        return Next::Done(Answer { body, has_next: has_next(headers), next, tag, is_unchanged });
    }
    if let Some(wait) = limit_wait(status, headers, &body, now_ms) {
        let until_ms = now_ms.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        let error = GithubError::RateLimited { what, until_ms };
        // A refusal had no effect, so even a write may be sent again.
        return if wait <= PATIENCE && tried < BACK_OFF.len() { Next::Wait(wait, error) } else { Next::Fail(error) };
    }
    match status {
        StatusCode::UNAUTHORIZED => Next::Unauthorized,
        StatusCode::NOT_FOUND | StatusCode::GONE => Next::Fail(GithubError::NotFound { what }),
        StatusCode::FORBIDDEN => {
            let permission = text(headers, "x-accepted-github-permissions").map(str::to_owned);
            Next::Fail(GithubError::Forbidden { what, permission, message: message(&body) })
        }
        status if status.is_server_error() => {
            let retry = ask.repeat == Repeat::Safe;
            let error = GithubError::Server { what, status: status.as_u16(), retry };
            match back_off(ask.repeat, tried) {
                Some(wait) => Next::Wait(wait, error),
                None => Next::Fail(error),
            }
        }
        status => {
            Next::Fail(GithubError::Validation { what, message: format!("{}: {}", status.as_u16(), message(&body)) })
        }
    }
}

/// Judges that there was no answer.
pub(super) fn judge_silence(ask: &Ask, source: octocrab::Error, tried: usize) -> Next {
    let retry = ask.repeat == Repeat::Safe;
    let error = GithubError::Transport { what: ask.what.clone(), retry, source: Arc::new(source) };
    match back_off(ask.repeat, tried) {
        Some(wait) => Next::Wait(wait, error),
        None => Next::Fail(error),
    }
}

/// `retry-after`, then the reset time, then a minute; `None` if the answer is no rate limit.
fn limit_wait(status: StatusCode, headers: &HeaderMap, body: &str, now_ms: i64) -> Option<Duration> {
    if !matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    let number = |name| text(headers, name).and_then(|value| value.trim().parse::<i64>().ok());
    if let Some(seconds) = number("retry-after") {
        return Some(Duration::from_secs(seconds.max(0).unsigned_abs()));
    }
    if number("x-ratelimit-remaining") == Some(0) {
        let wait_ms = number("x-ratelimit-reset").map(|reset| reset.saturating_mul(1000).saturating_sub(now_ms));
        return Some(wait_ms.map_or(DEFAULT_LIMIT_WAIT, |ms| Duration::from_millis(ms.max(0).unsigned_abs())));
    }
    let says_so = body.to_ascii_lowercase().contains("rate limit");
    (status == StatusCode::TOO_MANY_REQUESTS || says_so).then_some(DEFAULT_LIMIT_WAIT)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn next(headers: &HeaderMap) -> Option<String> {
    let links = text(headers, "link")?.split(',').map(str::trim);
    let next = links.into_iter().find(|link| link.contains("rel=\"next\""))?;
    Some(next.strip_prefix('<')?.split_once('>')?.0.to_owned())
}

fn has_next(headers: &HeaderMap) -> Option<bool> {
    text(headers, "link").map(|link| link.contains("rel=\"next\""))
}

/// GitHub's `message`, cut to a bearable length.
fn message(body: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(body).ok();
    let message =
        parsed.as_ref().and_then(|value| value.get("message")).and_then(Value::as_str).unwrap_or("no reason given");
    message.chars().take(300).collect()
}

/// A text as one part of a path.
pub(super) fn part(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;

    fn check(ask: &Ask, status: u16, headers: &[(&'static str, &str)], body: &str, tried: usize, expected: &str) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let answer = (StatusCode::from_u16(status).unwrap(), &map, body.to_owned());
        let said = match judge(ask, answer, tried, NOW) {
            Next::Done(answer) => format!("done, next {:?}", answer.has_next),
            Next::Wait(wait, _) => format!("wait {} ms", wait.as_millis()),
            Next::Unauthorized => "unauthorized".to_owned(),
            Next::Fail(error) => format!("{error:?}").split(" {").next().unwrap().to_owned(),
        };
        assert_eq!(said, expected);
    }

    fn get() -> Ask {
        Ask::get("/x".into(), "x")
    }

    fn post() -> Ask {
        Ask::post("/x".into(), Value::Null, "x")
    }

    #[test]
    fn reading_is_repeated_after_a_server_error_and_creating_is_not() {
        check(&get(), 502, &[], "", 0, "wait 200 ms");
        check(&get(), 502, &[], "", 3, "Server");
        check(&post(), 502, &[], "", 0, "Server");
    }

    #[test]
    fn a_rate_limit_waits_as_long_as_github_says_or_puts_the_job_off() {
        check(&get(), 403, &[("retry-after", "3")], "", 0, "wait 3000 ms");
        check(&post(), 429, &[("retry-after", "3")], "", 0, "wait 3000 ms");
        check(&get(), 403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1005")], "", 0, "wait 5000 ms");
        check(&get(), 403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "9000")], "", 0, "RateLimited");
        check(&get(), 403, &[], r#"{"message":"You have exceeded a secondary rate limit"}"#, 0, "RateLimited");
        check(&get(), 403, &[("retry-after", "1")], "", 3, "RateLimited");
    }

    #[test]
    fn each_refusal_has_its_own_error() {
        check(&get(), 401, &[], "", 0, "unauthorized");
        check(&get(), 403, &[("x-ratelimit-remaining", "12")], "{}", 0, "Forbidden");
        check(&get(), 404, &[], "", 0, "NotFound");
        check(&get(), 422, &[], "<html>", 0, "Validation");
    }

    #[test]
    fn pages_follow_the_link_header() {
        check(&get(), 200, &[("link", r#"<https://x?page=2>; rel="next""#)], "[]", 0, "done, next Some(true)");
        check(&get(), 200, &[("link", r#"<https://x?page=1>; rel="prev""#)], "[]", 0, "done, next Some(false)");
        check(&get(), 200, &[], "[]", 0, "done, next None");
    }

    #[test]
    fn an_answer_we_have_is_a_success_only_where_we_said_so() {
        check(&get(), 304, &[], "", 0, "Validation");
        check(&Ask { tag: Some("W/1".into()), ..get() }, 304, &[], "", 0, "done, next None");
        let mut headers = HeaderMap::new();
        headers.insert("link", r#"<https://x?page=1>; rel="prev", <https://x?page=3>; rel="next""#.parse().unwrap());
        assert_eq!(next(&headers).as_deref(), Some("https://x?page=3"));
    }

    #[test]
    fn a_branch_name_is_one_part_of_a_path() {
        assert_eq!(part("release/1.0 #a"), "release%2F1.0%20%23a");
    }
}
