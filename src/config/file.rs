//! `promptops.toml`: a raw mirror of the file, checked into plain values. Reads no environment and no other file.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::domain::ids::ModelId;
use crate::domain::price_overrides::{PriceOverrides, StatedPrice};
use crate::engine::allowance::ProviderLimits;
use crate::provider::Kind;

/// What the file says.
#[derive(Debug, Default)]
pub(super) struct File {
    pub providers: BTreeMap<String, Section>,
    pub prices: PriceOverrides,
}

/// One `[providers.NAME]`.
#[derive(Debug)]
pub(super) struct Section {
    pub kind: Kind,
    pub base_url: Option<String>,
    pub key: KeySource,
    pub region: Option<String>,
    pub api_version: Option<String>,
    pub headers: BTreeMap<String, String>,
    pub limits: ProviderLimits,
}

/// Where a section's key is.
#[derive(Debug)]
pub(super) enum KeySource {
    /// Nowhere.
    None,
    /// In the section itself.
    Here(String),
    /// In a file.
    File(String),
    /// In a variable.
    Variable(String),
}

/// What is wrong with the file, and where.
#[derive(Debug)]
pub(super) struct Wrong {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    providers: BTreeMap<String, Spanned<RawSection>>,
    #[serde(default)]
    prices: BTreeMap<String, Spanned<RawPrice>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSection {
    kind: Option<Spanned<String>>,
    base_url: Option<Spanned<String>>,
    api_key: Option<String>,
    api_key_file: Option<String>,
    api_key_env: Option<String>,
    region: Option<String>,
    api_version: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Spanned<String>>,
    max_concurrency: Option<Spanned<u32>>,
    requests_per_minute: Option<Spanned<u32>>,
    tokens_per_minute: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrice {
    input: Spanned<f64>,
    output: Spanned<f64>,
}

/// A place in the text, and what is wrong there.
type Problem = (Range<usize>, String);

/// Reads the file's text.
///
/// # Errors
/// The first thing that is wrong with it. No value is quoted: it may be a key.
pub(super) fn parse(text: &str) -> Result<File, Wrong> {
    let place = |at: Range<usize>| {
        let before = text.get(..at.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        (before.matches('\n').count() + 1, before.get(line_start..).unwrap_or_default().chars().count() + 1)
    };
    let wrong = |(at, message): Problem| {
        let (line, column) = place(at);
        Wrong { line, column, message }
    };
    let raw: RawFile =
        toml::from_str(text).map_err(|error| wrong((error.span().unwrap_or(0..0), without_values(error.message()))))?;
    let sections = raw.providers.into_iter().map(|(name, raw)| {
        let section = section(&name, raw)?;
        Ok((name, section))
    });
    let prices = raw.prices.into_iter().map(|(model, raw)| price(&model, &raw));
    Ok(File {
        providers: sections.collect::<Result<_, Problem>>().map_err(wrong)?,
        prices: prices.collect::<Result<_, Problem>>().map_err(wrong)?,
    })
}

/// A parser's message without the value it quotes: `invalid type: string "…", expected u32`.
fn without_values(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    match message.rsplit_once(", expected ") {
        Some((_, wanted)) if message.starts_with("invalid ") => format!("this value must be {wanted}"),
        _ => message.to_owned(),
    }
}

fn section(name: &str, raw: Spanned<RawSection>) -> Result<Section, Problem> {
    let whole = raw.span();
    let raw = raw.into_inner();
    let names = || Kind::ALL.map(|(name, _)| name).join(", ");
    if ModelId::parse(&format!("{name}/x")).is_err() {
        return Err((whole, format!("`{name}` is no name of a provider: use letters, digits, `-`, `_` and `.`")));
    }
    let kind = match &raw.kind {
        Some(kind) => Kind::named(kind.get_ref())
            .ok_or_else(|| (kind.span(), format!("this is no kind of provider: write one of {}", names())))?,
        None if name == "google" => Kind::Gemini,
        None => Kind::named(name)
            .ok_or_else(|| (whole.clone(), format!("`{name}` needs a `kind`: write one of {}", names())))?,
    };
    let key = match (raw.api_key, raw.api_key_file, raw.api_key_env) {
        (None, None, None) => KeySource::None,
        (Some(key), None, None) => KeySource::Here(key),
        (None, Some(file), None) => KeySource::File(file),
        (None, None, Some(variable)) => KeySource::Variable(variable),
        _ => return Err((whole, "give one of `api_key`, `api_key_file` and `api_key_env`, not several".to_owned())),
    };
    if let Some(url) = raw.base_url.as_ref().filter(|url| super::web_url(url.get_ref()).is_none()) {
        return Err((url.span(), format!("`base_url` is no URL: {}", super::URL_HELP)));
    }
    let is_header = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    for (header, value) in &raw.headers {
        if header.is_empty() || !is_header(header) || value.get_ref().contains(|c: char| c.is_control()) {
            return Err((
                value.span(),
                format!("the header `{header}` cannot be sent: write a name and a text of one line"),
            ));
        }
    }
    let headers = raw.headers.into_iter().map(|(name, value)| (name, value.into_inner())).collect();
    Ok(Section {
        kind,
        base_url: raw.base_url.map(Spanned::into_inner),
        key,
        region: raw.region,
        api_version: raw.api_version,
        headers,
        limits: ProviderLimits {
            max_concurrency: positive("max_concurrency", raw.max_concurrency)?,
            requests_per_minute: positive("requests_per_minute", raw.requests_per_minute)?,
            tokens_per_minute: positive("tokens_per_minute", raw.tokens_per_minute)?,
        },
    })
}

fn positive<N: Default + PartialEq>(name: &str, limit: Option<Spanned<N>>) -> Result<Option<N>, Problem> {
    match limit {
        Some(limit) if *limit.get_ref() == N::default() => Err((
            limit.span(),
            format!("`{name}` is 0, which would let nothing through: give 1 or more, or leave it out"),
        )),
        limit => Ok(limit.map(Spanned::into_inner)),
    }
}

fn price(model: &str, raw: &Spanned<RawPrice>) -> Result<(ModelId, StatedPrice), Problem> {
    let id = ModelId::parse(model).map_err(|error| (raw.span(), error.to_string()))?;
    let dollars = |price: &Spanned<f64>| match *price.get_ref() {
        usd if usd.is_finite() && usd >= 0.0 => Ok(usd),
        _ => Err((price.span(), "a price is USD per million tokens: give a number that is 0 or more".to_owned())),
    };
    let RawPrice { input, output } = raw.get_ref();
    Ok((id, StatedPrice { input: dollars(input)?, output: dollars(output)? }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let wrong = parse(text).unwrap_err();
        assert_eq!(format!("{}:{}: {}", wrong.line, wrong.column, wrong.message), expected, "{text}");
    }

    #[test]
    fn a_whole_file_is_read() {
        let file = parse(
            r#"
            [providers.mistral]
            kind = "openai"
            base_url = "https://api.mistral.ai/v1"
            api_key_env = "MISTRAL_API_KEY"
            headers = { x-team = "prompts" }
            max_concurrency = 4
            requests_per_minute = 60
            tokens_per_minute = 100_000

            [providers.openai]
            max_concurrency = 32

            [prices."mistral/mistral-large"]
            input = 2.0
            output = 6
            "#,
        )
        .unwrap();
        let mistral = &file.providers["mistral"];
        assert_eq!((mistral.kind, mistral.base_url.as_deref()), (Kind::OpenAi, Some("https://api.mistral.ai/v1")));
        assert!(matches!(&mistral.key, KeySource::Variable(name) if name == "MISTRAL_API_KEY"));
        assert_eq!(mistral.headers["x-team"], "prompts");
        let limits = ProviderLimits {
            max_concurrency: Some(4),
            requests_per_minute: Some(60),
            tokens_per_minute: Some(100_000),
        };
        assert_eq!(mistral.limits, limits);
        assert_eq!(file.providers["openai"].kind, Kind::OpenAi);
        let price = file.prices[&ModelId::parse("mistral/mistral-large").unwrap()];
        assert_eq!(price, StatedPrice { input: 2.0, output: 6.0 });
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        check(
            "[providers.openai]\nbase = \"x\"\n",
            "2:1: unknown field `base`, expected one of `kind`, `base_url`, `api_key`, `api_key_file`, `api_key_env`, \
             `region`, `api_version`, `headers`, `max_concurrency`, `requests_per_minute`, `tokens_per_minute`",
        );
        check("[provider.openai]\n", "1:2: unknown field `provider`, expected `providers` or `prices`");
        check(
            "[providers.mistral]\nbase_url = \"https://x.test\"\n",
            "1:1: `mistral` needs a `kind`: write one of openai, openai-responses, azure, anthropic, gemini, bedrock, ollama",
        );
        check(
            "[providers.a]\nkind = \"mistral\"\n",
            "2:8: this is no kind of provider: write one of openai, openai-responses, azure, anthropic, gemini, bedrock, ollama",
        );
        check(
            "[providers.openai]\nbase_url = \"gpu:8000\"\n",
            "2:12: `base_url` is no URL: give a URL that begins with https:// or http://",
        );
        check(
            "[providers.openai]\nmax_concurrency = 0\n",
            "2:19: `max_concurrency` is 0, which would let nothing through: give 1 or more, or leave it out",
        );
        check(
            "[providers.openai]\napi_key = \"a\"\napi_key_env = \"B\"\n",
            "1:1: give one of `api_key`, `api_key_file` and `api_key_env`, not several",
        );
        check(
            "[prices.\"openai/x\"]\ninput = -1\noutput = 1\n",
            "2:9: a price is USD per million tokens: give a number that is 0 or more",
        );
        check(
            "[prices.x]\ninput = 1\noutput = 1\n",
            "1:1: `x` is not a valid model: write it as provider/name, for instance openai/gpt-4o-mini",
        );
    }

    #[test]
    fn a_key_in_the_wrong_place_is_not_shown() {
        for text in [
            "[providers.openai]\nmax_concurrency = \"sk-secret\"\n",
            "[providers.openai]\nheaders = \"sk-secret\"\n",
            "[providers.openai]\napi_key = sk-secret\n",
            "[providers.openai]\nheaders = { x = \"sk-secret\\n\" }\n",
            "[providers.openai]\nbase_url = \"sk-secret\"\n",
            "[providers.openai]\nkind = \"sk-secret\"\n",
        ] {
            let message = parse(text).unwrap_err().message;
            assert!(!message.contains("sk-secret"), "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "\\PC{0,60}") {
            let _ = parse(&text);
        }
    }
}
