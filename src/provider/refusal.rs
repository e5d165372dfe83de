//! What a provider's refusal means: which status is tried again, which concerns one question, which all of them.

use std::time::{Duration, UNIX_EPOCH};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::engine::provider::ProviderError;

/// Longest part of a provider's own message that is passed on, in characters.
const MESSAGE_CHARS: usize = 300;

/// What the person who runs the service can change.
#[derive(Debug, Clone)]
pub(super) struct Remedy {
    /// What messages call the provider.
    pub vendor: String,
    /// What to do where the key is wrong.
    pub key: String,
    /// What to do where the model is unknown.
    pub model: String,
    /// What to do where the address is wrong.
    pub url: String,
}

/// A status that is no answer, with what the provider said.
pub(super) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    remedy: &Remedy,
    secret: Option<&str>,
    now_ms: i64,
) -> ProviderError {
    let said = Said::read(body, secret);
    let vendor = &remedy.vendor;
    let message = match said.message.as_str() {
        "" => format!("{vendor} answered {}", status.as_u16()),
        text => format!("{vendor} answered {}: {text}", status.as_u16()),
    };
    if said.is_out_of_money() {
        return ProviderError::Fatal { message: format!("{message}: check the account's plan and billing") };
    }
    match status.as_u16() {
        401 | 403 => ProviderError::Fatal { message: format!("{message}: {}", remedy.key) },
        402 => ProviderError::Fatal { message: format!("{message}: check the account's plan and billing") },
        300..=399 => ProviderError::Fatal { message: format!("{message}, a redirect: {}", remedy.url) },
        400 | 404 if said.is_unknown_model(status) => {
            ProviderError::Fatal { message: format!("{message}: {}", remedy.model) }
        }
        404 => ProviderError::GiveUp { message: format!("{message}: {}", remedy.url) },
        408 | 409 | 425 | 429 | 500.. => ProviderError::Retry { message, after: retry_after(headers, now_ms) },
        _ => ProviderError::GiveUp { message: format!("{message}: change the prompt, its parameters or the case") },
    }
}

/// The vendors' error bodies: `{"error": {message, type, code}}`, `{"error": text}`, `{message, type}`.
struct Said {
    message: String,
    kind: String,
    code: String,
}

impl Said {
    fn read(body: &[u8], secret: Option<&str>) -> Self {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = value.get("error").filter(|error| !error.is_null()).unwrap_or(&value);
        let field = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let message = error.as_str().unwrap_or_else(|| field("message"));
        Self { message: bearable(message, secret), kind: field("type").to_owned(), code: field("code").to_owned() }
    }

    fn is_out_of_money(&self) -> bool {
        self.code == "insufficient_quota"
            || self.kind == "insufficient_quota"
            || self.kind == "billing_error"
            || self.message.contains("credit balance is too low")
    }

    fn is_unknown_model(&self, status: StatusCode) -> bool {
        let names_model = self.message.to_ascii_lowercase().contains("model");
        self.code == "model_not_found" || (status == StatusCode::NOT_FOUND && names_model)
    }
}

/// A message from outside on one line, cut short, without the key should the provider echo it.
pub(super) fn bearable(message: &str, secret: Option<&str>) -> String {
    let redacted = match secret {
        Some(secret) if !secret.is_empty() => message.replace(secret, "[key]"),
        _ => message.to_owned(),
    };
    let mut text: String = redacted.chars().take(MESSAGE_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if redacted.chars().nth(MESSAGE_CHARS).is_some() {
        text.push('…');
    }
    text
}

/// `Retry-After` in seconds or as an HTTP date.
fn retry_after(headers: &HeaderMap, now_ms: i64) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(now_ms).unwrap_or(0));
    Some(at.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> ProviderError {
        let remedy = Remedy {
            vendor: "openai".into(),
            key: "set OPENAI_API_KEY".into(),
            model: "check `model`".into(),
            url: "check OPENAI_BASE_URL".into(),
        };
        let status = StatusCode::from_u16(status).unwrap();
        refusal(status, &HeaderMap::new(), body.as_bytes(), &remedy, Some("sk-secret"), 0)
    }

    fn check(status: u16, body: &str, expected: &str) {
        let (kind, message) = match refused(status, body) {
            ProviderError::Retry { message, .. } => ("retry", message),
            ProviderError::GiveUp { message } => ("give up", message),
            ProviderError::Fatal { message } => ("fatal", message),
        };
        assert_eq!(format!("{kind}: {message}"), expected);
    }

    #[test]
    fn a_status_says_what_is_tried_again_and_what_is_not() {
        for status in [408, 409, 425, 429, 500, 502, 503, 529] {
            check(status, "", &format!("retry: openai answered {status}"));
        }
        check(
            400,
            r#"{"error":{"message":"too long","type":"invalid_request_error"}}"#,
            "give up: openai answered 400: too long: change the prompt, its parameters or the case",
        );
        check(422, "<html>", "give up: openai answered 422: change the prompt, its parameters or the case");
        check(404, "", "give up: openai answered 404: check OPENAI_BASE_URL");
        check(302, "", "fatal: openai answered 302, a redirect: check OPENAI_BASE_URL");
    }

    #[test]
    fn a_wrong_key_or_model_stops_all_and_the_key_is_not_shown() {
        check(
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-secret"}}"#,
            "fatal: openai answered 401: Incorrect API key provided: [key]: set OPENAI_API_KEY",
        );
        check(
            404,
            r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#,
            "fatal: openai answered 404: The model `x` does not exist: check `model`",
        );
        check(
            404,
            r#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-x"}}"#,
            "fatal: openai answered 404: model: claude-x: check `model`",
        );
    }

    #[test]
    fn an_empty_account_is_not_asked_again() {
        check(
            429,
            r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#,
            "fatal: openai answered 429: You exceeded your current quota: check the account's plan and billing",
        );
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let header = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            retry_after(&headers, 784_111_777_000 - 30_000)
        };
        assert_eq!(header("7"), Some(Duration::from_secs(7)));
        assert_eq!(header("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(header("soon"), None);
    }

    #[test]
    fn a_long_message_is_cut() {
        let text = bearable(&"é".repeat(1000), None);
        assert_eq!(text.chars().count(), MESSAGE_CHARS + 1);
        assert_eq!(bearable("a\nb\u{1b}[31m", None), "a b [31m");
    }
}
