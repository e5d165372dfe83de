//! A bare client of the fake GitHub, for tests of the fake itself.

use std::error::Error;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use promptops::domain::ids::InstallationId;
use promptops::engine::clock::{Clock, SystemClock};
use promptops::sim::Sim;
use serde_json::{Value, json};

/// What a test gives back.
pub type Outcome = Result<(), Box<dyn Error>>;

/// A client that calls one fake with one secret.
pub struct Client {
    http: reqwest::Client,
    url: String,
    secret: String,
}

impl Client {
    /// A client with this secret.
    pub fn new(sim: &Sim, secret: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client needs no more");
        Self { http, url: sim.url().to_owned(), secret }
    }

    /// A request with the secret on it.
    pub fn request(&self, method: &str, path: &str) -> Result<reqwest::RequestBuilder, Box<dyn Error>> {
        Ok(self.http.request(method.parse()?, format!("{}{path}", self.url)).bearer_auth(&self.secret))
    }

    /// Sends a request; answers with the status and the body, `null` where it is no JSON.
    pub async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Result<(u16, Value), Box<dyn Error>> {
        let mut request = self.request(method, path)?;
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// Reads, and expects this status.
    pub async fn get(&self, path: &str, expected: u16) -> Result<Value, Box<dyn Error>> {
        let (status, body) = self.send("GET", path, None).await?;
        assert_eq!(status, expected, "GET {path}: {body}");
        Ok(body)
    }

    /// Writes, and expects this status.
    pub async fn write(&self, method: &str, path: &str, body: Value, expected: u16) -> Result<Value, Box<dyn Error>> {
        let (status, body) = self.send(method, path, Some(body)).await?;
        assert_eq!(status, expected, "{method} {path}: {body}");
        Ok(body)
    }
}

/// A JWT of the app.
pub fn jwt(sim: &Sim) -> Result<String, Box<dyn Error>> {
    let now = SystemClock.now_ms() / 1_000;
    let claims = json!({"iss": sim.app_id().to_string(), "iat": now - 60, "exp": now + 540});
    let key = EncodingKey::from_rsa_pem(sim.private_key().as_bytes())?;
    Ok(jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key)?)
}

/// A client of an installation with all its permissions.
pub async fn bot(sim: &Sim, installation: InstallationId) -> Result<Client, Box<dyn Error>> {
    let app = Client::new(sim, jwt(sim)?);
    let path = format!("/app/installations/{installation}/access_tokens");
    let token = app.write("POST", &path, json!({}), 201).await?;
    Ok(Client::new(sim, token["token"].as_str().ok_or("no token")?.to_owned()))
}
