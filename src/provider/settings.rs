//! The settings of model providers, as values. Reads neither environment nor files.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::bedrock::AwsKeys;
use crate::domain::ids::Digest;
use crate::domain::price_overrides::PriceOverrides;
use crate::engine::allowance::ProviderLimits;

/// Values of headers this long are taken for keys, whatever the header is called.
const SHORTEST_KEY: usize = 16;

/// Names that reach a server under which another is set up: one key opens both of OpenAI's formats, and Google's models go
/// by the name of either.
const ALSO_KNOWN_AS: [(&str, &str); 3] = [("openai", "openai-responses"), ("gemini", "google"), ("google", "gemini")];

/// How to reach each provider, and what it may be asked.
#[derive(Debug, Clone, Default)]
pub struct ProviderConfig {
    /// The providers that are set up, by the name that models begin with.
    pub providers: BTreeMap<String, ModelServer>,
    /// Our own limits, by the same names.
    pub limits: BTreeMap<String, ProviderLimits>,
    /// Prices that the operator states.
    pub prices: PriceOverrides,
    /// Whether providers may be on loopback and private addresses.
    pub allow_private: bool,
}

/// The wire formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// OpenAI's chat completions and embeddings: OpenAI itself and most gateways.
    OpenAi,
    /// OpenAI's responses.
    OpenAiResponses,
    /// Azure OpenAI.
    Azure,
    /// Anthropic's messages.
    Anthropic,
    /// Google's Gemini.
    Gemini,
    /// Amazon Bedrock.
    Bedrock,
    /// Ollama.
    Ollama,
}

/// Where a server's settings came from, so that messages say where to change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// The vendors' own variables.
    #[default]
    Environment,
    /// A section of `promptops.toml`.
    File,
}

/// One server: a vendor's own, or another that speaks its format.
#[derive(Debug, Clone)]
pub struct ModelServer {
    /// Its format.
    pub kind: Kind,
    /// Its address; the vendor's own if absent.
    pub base_url: Option<String>,
    /// Its key.
    pub key: Option<SecretString>,
    /// Amazon's account keys, which sign each call where there is no `key`.
    pub aws: Option<AwsKeys>,
    /// Amazon's region.
    pub region: Option<String>,
    /// Azure's dated interface; its v1 interface if absent.
    pub api_version: Option<String>,
    /// Headers that every call carries; those that hold keys are not shown.
    pub headers: Vec<(String, SecretString)>,
    /// Where this was said.
    pub origin: Origin,
}

impl Kind {
    /// All of them, each with the name it has in settings and, for its vendor, in models.
    pub const ALL: [(&'static str, Self); 7] = [
        ("openai", Self::OpenAi),
        ("openai-responses", Self::OpenAiResponses),
        ("azure", Self::Azure),
        ("anthropic", Self::Anthropic),
        ("gemini", Self::Gemini),
        ("bedrock", Self::Bedrock),
        ("ollama", Self::Ollama),
    ];

    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// The name it has in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

impl ModelServer {
    /// A server of this kind about which nothing else is said.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            base_url: None,
            key: None,
            aws: None,
            region: None,
            api_version: None,
            headers: Vec::new(),
            origin: Origin::default(),
        }
    }

    /// The same at this address.
    #[must_use]
    pub fn at(self, base_url: impl Into<String>) -> Self {
        Self { base_url: Some(base_url.into()), ..self }
    }

    /// The same with this key.
    #[must_use]
    pub fn with_key(self, key: impl Into<SecretString>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        let aws = self.aws.iter().flat_map(|keys| std::iter::once(&keys.secret).chain(&keys.session_token));
        let headers = self.headers.iter().filter(|(name, value)| is_secret(name, value)).map(|(_, value)| value);
        self.key.iter().chain(aws).chain(headers)
    }
}

/// Whether a header holds a key: a team's name does not, and hiding it would take ordinary words out of every report.
pub(super) fn is_secret(name: &str, value: &SecretString) -> bool {
    const NAMES: [&str; 6] = ["auth", "key", "token", "secret", "cookie", "password"];
    let name = name.to_ascii_lowercase();
    NAMES.iter().any(|part| name.contains(part)) || value.expose_secret().chars().count() >= SHORTEST_KEY
}

impl ProviderConfig {
    /// The same with one more provider.
    #[must_use]
    pub fn with(mut self, name: &str, server: ModelServer) -> Self {
        self.providers.insert(name.to_owned(), server);
        self
    }

    /// An OpenAI-compatible server of one's own, on any address: it answers for every model.
    #[must_use]
    pub fn gateway(base_url: impl Into<String>) -> Self {
        let all = Self { allow_private: true, ..Self::default() };
        all.with("openai", ModelServer::new(Kind::OpenAi).at(base_url))
    }

    /// Whether no provider is named, by a key or by an address: then no model can be asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.providers.is_empty()
    }

    /// Which servers answer, as one digest: keys do not count, nor do the values of headers; all else does.
    #[must_use]
    pub fn servers(&self) -> Digest {
        let parts = self.providers.iter().flat_map(|(name, server)| {
            let ModelServer { kind, base_url, key: _, aws: _, region, api_version, headers, origin: _ } = server;
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let headers: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
            let kind = kind.name().to_owned();
            [name.clone(), kind, text(base_url), text(region), text(api_version), headers.join(",")]
        });
        let parts: Vec<String> = parts.collect();
        Digest::of_parts(parts.iter().map(String::as_bytes))
    }

    /// The limits by every name that models may begin with: a server that also goes by another name has its limits there too,
    /// unless that name has a section of its own.
    #[must_use]
    pub fn limits_by_name(&self) -> BTreeMap<String, ProviderLimits> {
        let mut limits = self.limits.clone();
        for (name, other) in ALSO_KNOWN_AS {
            if let Some(own) = self.limits.get(name) {
                limits.entry(other.to_owned()).or_insert(*own);
            }
        }
        limits
    }

    /// The keys that are set: values that must never be shown.
    pub fn keys(&self) -> impl Iterator<Item = &SecretString> {
        self.providers.values().flat_map(ModelServer::secrets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_shapes_the_digest_and_no_key_does() {
        let server = || ModelServer::new(Kind::Azure);
        let digest = |name: &str, server: ModelServer| ProviderConfig::default().with(name, server).servers();
        let digests = [
            ProviderConfig::default().servers(),
            digest("a", server()),
            digest("b", server()),
            digest("a", ModelServer::new(Kind::OpenAi)),
            digest("a", server().at("https://x.test")),
            digest("a", ModelServer { region: Some("x".to_owned()), ..server() }),
            digest("a", ModelServer { api_version: Some("x".to_owned()), ..server() }),
            digest("a", ModelServer { headers: vec![("x-team".to_owned(), "1".into())], ..server() }),
        ];
        let distinct: std::collections::HashSet<_> = digests.iter().collect();
        assert_eq!(distinct.len(), digests.len());
        assert_eq!(digest("a", server()), digest("a", server().with_key("sk-1")));
    }

    #[test]
    fn a_limit_holds_under_the_servers_other_name_unless_that_has_its_own() {
        let most = |most| ProviderLimits { max_concurrency: Some(most), ..ProviderLimits::default() };
        let check = |given: &[(&str, u32)], expected: &[(&str, u32)]| {
            let named =
                |limits: &[(&str, u32)]| limits.iter().map(|(name, n)| ((*name).to_owned(), most(*n))).collect();
            let config = ProviderConfig { limits: named(given), ..ProviderConfig::default() };
            let expected: BTreeMap<_, _> = named(expected);
            assert_eq!(config.limits_by_name(), expected);
        };
        check(&[("openai", 1)], &[("openai", 1), ("openai-responses", 1)]);
        check(&[("openai-responses", 2)], &[("openai-responses", 2)]);
        check(&[("openai", 1), ("openai-responses", 2)], &[("openai", 1), ("openai-responses", 2)]);
        check(&[("google", 3)], &[("gemini", 3), ("google", 3)]);
        check(&[("gemini", 4), ("mistral", 5)], &[("gemini", 4), ("google", 4), ("mistral", 5)]);
    }

    #[test]
    fn every_secret_is_known() {
        let aws = AwsKeys { id: "AKID".to_owned(), secret: "s".into(), session_token: Some("t".into()) };
        let server = ModelServer {
            aws: Some(aws),
            headers: vec![("x-api-key".to_owned(), "h".into()), ("x-team".to_owned(), "prompts".into())],
            ..ModelServer::new(Kind::Bedrock)
        };
        assert_eq!(ProviderConfig::default().with("bedrock", server.with_key("k")).keys().count(), 4);
    }
}
