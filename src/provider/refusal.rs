//! What a provider's refusal means: which status is tried again, which concerns one question, which all of them.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::rate::{retry_after, span};
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

const BILLING: &str = "check the account's plan and billing";

/// A status that is no answer, with what the provider said.
pub(super) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    remedy: &Remedy,
    secrets: &[SecretString],
    now_ms: i64,
) -> ProviderError {
    let said = Said::read(body, headers, secrets);
    let vendor = &remedy.vendor;
    let message = match said.message.as_str() {
        "" => format!("{vendor} answered {}", status.as_u16()),
        text => format!("{vendor} answered {}: {text}", status.as_u16()),
    };
    let fatal = |help: &str| ProviderError::Fatal { message: format!("{message}: {help}") };
    let give_up = |help: &str| ProviderError::GiveUp { message: format!("{message}: {help}") };
    if said.is_out_of_money() {
        return fatal(BILLING);
    }
    if said.is_used_up_for_today() {
        return fatal("the day's quota is used up: have it raised, or run again tomorrow");
    }
    match status.as_u16() {
        400 if said.is_wrong_key() => fatal(&remedy.key),
        401 | 403 => fatal(&remedy.key),
        402 => fatal(BILLING),
        300..=399 => ProviderError::Fatal { message: format!("{message}, a redirect: {}", remedy.url) },
        400 | 404 if said.is_unknown_model(status) => fatal(&remedy.model),
        400 if said.is_filtered() => give_up("the provider's content filter objects: change the prompt or the case"),
        400 | 413 | 422 if said.is_too_long() => {
            give_up("shorten the prompt or the case, or choose a model that takes more")
        }
        404 => give_up(&remedy.url),
        408 | 409 | 425 | 429 | 500.. => {
            ProviderError::Retry { after: retry_after(headers, now_ms).or(said.retry_after), message }
        }
        _ => give_up("change the prompt, its parameters or the case"),
    }
}

/// That a vendor's interface has no way to say something the prompt needs.
pub(super) fn unsupported(vendor: &str, what: &str, help: &str) -> ProviderError {
    ProviderError::GiveUp { message: format!("{vendor} cannot be sent {what}: {help}") }
}

/// The vendors' error bodies: `{"error": {message, type, code}}` (OpenAI, Anthropic), `{"error": {message, status,
/// details}}` (Google), `{"error": text}`, `{message, type}` (Amazon, with the type in a header).
#[derive(Default)]
struct Said {
    message: String,
    kind: String,
    code: String,
    /// Google's reasons and quotas, from `details`.
    details: String,
    retry_after: Option<Duration>,
}

impl Said {
    fn read(body: &[u8], headers: &HeaderMap, secrets: &[SecretString]) -> Self {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        // Google sends a list of one from some of its doors.
        let value = value.get(0).unwrap_or(&value);
        let error = value.get("error").filter(|error| !error.is_null()).unwrap_or(value);
        let field = |name: &str| error.get(name).and_then(Value::as_str);
        let message = error.as_str().or_else(|| field("message")).or_else(|| field("Message")).unwrap_or_default();
        // `ValidationException:http://…` as some of Amazon's doors write it.
        let header = headers.get("x-amzn-errortype").and_then(|kind| kind.to_str().ok());
        let header = header.and_then(|kind| kind.split(':').next());
        let details = error.get("details").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let texts = |name: &str| details.iter().filter_map(|detail| detail.get(name)?.as_str()).collect::<Vec<_>>();
        let quotas = details.iter().filter_map(|detail| detail.get("violations")?.as_array()).flatten();
        let quotas = quotas.filter_map(|quota| quota.get("quotaId")?.as_str());
        Self {
            message: bearable(message, secrets),
            kind: field("type").or_else(|| field("status")).or(header).unwrap_or_default().to_owned(),
            code: field("code").unwrap_or_default().to_owned(),
            retry_after: texts("retryDelay").first().and_then(|delay| span(delay)),
            details: texts("reason").into_iter().chain(quotas).collect::<Vec<_>>().join(" "),
        }
    }

    fn mentions(&self, texts: &[&str]) -> bool {
        let message = self.message.to_ascii_lowercase();
        texts.iter().any(|text| message.contains(text))
    }

    fn is_out_of_money(&self) -> bool {
        ["insufficient_quota", "billing_error"].iter().any(|code| self.code == *code || self.kind == *code)
            || self.kind == "ServiceQuotaExceededException"
            || self.mentions(&["credit balance is too low"])
    }

    fn is_used_up_for_today(&self) -> bool {
        self.details.contains("PerDay")
            || (self.kind == "ThrottlingException" && self.mentions(&["tokens per day", "requests per day"]))
    }

    fn is_wrong_key(&self) -> bool {
        self.code == "invalid_api_key" || self.details.contains("API_KEY_INVALID")
    }

    fn is_unknown_model(&self, status: StatusCode) -> bool {
        ["model_not_found", "DeploymentNotFound", "unknown_model"].contains(&self.code.as_str())
            || (status == StatusCode::NOT_FOUND && self.mentions(&["model"]))
            || (self.kind == "ValidationException" && self.mentions(&["model identifier", "invocation of model id"]))
    }

    fn is_filtered(&self) -> bool {
        ["content_filter", "content_policy_violation"].contains(&self.code.as_str())
            || self.mentions(&["content filtering policy"])
    }

    fn is_too_long(&self) -> bool {
        self.code == "context_length_exceeded"
            || self.kind == "request_too_large"
            || self.mentions(&[
                "prompt is too long",
                "input is too long",
                "maximum context length",
                "exceeds the maximum number of tokens",
            ])
    }
}

/// A message from outside on one line, cut short, without a key should the provider echo it.
pub(super) fn bearable(message: &str, secrets: &[SecretString]) -> String {
    let secrets = secrets.iter().map(|secret| secret.expose_secret().trim()).filter(|secret| !secret.is_empty());
    let redacted = secrets.fold(message.to_owned(), |message, secret| message.replace(secret, "[key]"));
    let mut text: String = redacted.chars().take(MESSAGE_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if redacted.chars().nth(MESSAGE_CHARS).is_some() {
        text.push('…');
    }
    text
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
        refusal(status, &HeaderMap::new(), body.as_bytes(), &remedy, &["sk-secret".into()], 0)
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
    fn a_long_message_is_cut() {
        let text = bearable(&"é".repeat(1000), &[]);
        assert_eq!(text.chars().count(), MESSAGE_CHARS + 1);
        assert_eq!(bearable("a\nb\u{1b}[31m", &[]), "a b [31m");
    }
}
