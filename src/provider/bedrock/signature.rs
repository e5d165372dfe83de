//! Amazon's request signature, version 4, for a POST without a query. Knows no clock: the time is an argument.

use aws_lc_rs::{digest, hmac};
use secrecy::{ExposeSecret, SecretString};

/// Keys of an Amazon account.
#[derive(Debug, Clone)]
pub struct AwsKeys {
    /// `AWS_ACCESS_KEY_ID`.
    pub id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret: SecretString,
    /// `AWS_SESSION_TOKEN`, of keys that expire.
    pub session_token: Option<SecretString>,
}

/// What a signature is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'s> {
    pub region: &'s str,
    pub service: &'s str,
    /// `20150830T123600Z`.
    pub time: &'s str,
}

/// The `Authorization` header of a POST of `body` to `path` (encoded as it is sent) with these headers: names in lower
/// case, sorted, with `host` and `x-amz-date` among them.
pub(super) fn authorization(
    keys: &AwsKeys,
    scope: Scope<'_>,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> String {
    let listed: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    // All services but S3 want the path encoded once more.
    let path = path.replace('%', "%25");
    let canonical = format!("POST\n{path}\n\n{listed}\n{names}\n{}", sha256(body));
    let day = scope.time.get(..8).unwrap_or(scope.time);
    let credential = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{credential}\n{}", scope.time, sha256(canonical.as_bytes()));
    let secret = format!("AWS4{}", keys.secret.expose_secret().trim());
    let key = [day, scope.region, scope.service, "aws4_request"]
        .iter()
        .fold(secret.into_bytes(), |key, part| mac(&key, part.as_bytes()));
    let signature = hex::encode(mac(&key, to_sign.as_bytes()));
    let id = keys.id.trim();
    format!("AWS4-HMAC-SHA256 Credential={id}/{credential}, SignedHeaders={names}, Signature={signature}")
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "20150830T123600Z";

    /// Amazon's published test suite (aws-sig-v4-test-suite): these keys, this time, the service named `service`.
    fn check(headers: &[(&str, &str)], body: &str, signature: &str) {
        let scope = Scope { region: "us-east-1", service: "service", time: TIME };
        check_in(scope, "/", headers, body, signature);
    }

    fn check_in(scope: Scope<'_>, path: &str, headers: &[(&str, &str)], body: &str, signature: &str) {
        let keys = AwsKeys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
        };
        let signed = authorization(&keys, scope, path, headers, body.as_bytes());
        assert_eq!(signed.rsplit_once("Signature=").unwrap().1, signature, "{signed}");
    }

    #[test]
    fn post_vanilla() {
        let headers = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
        check(&headers, "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    }

    #[test]
    fn post_x_www_form_urlencoded() {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ];
        check(&headers, "Param1=value1", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
    }
    /// The same keys and time, signed by Amazon's own SDK for Python (botocore).
    #[test]
    fn a_path_is_encoded_once_more() {
        let headers = [
            ("content-type", "application/json"),
            ("host", "bedrock-runtime.eu-west-1.amazonaws.com"),
            ("x-amz-date", TIME),
            ("x-amz-security-token", "token"),
        ];
        let path = "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/converse";
        let scope = Scope { region: "eu-west-1", service: "bedrock", time: TIME };
        check_in(scope, path, &headers, "{}", "c5cefc4a847bc67d2d79b01b831f3e95685f008d1016e7d6ed566a79c42bbc96");
    }
}
