//! What model calls cost: a dated table of public prices, and a rough count of tokens. Knows no bill.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::ids::ModelId;
use super::prompt::ChatMessage;

/// The table with its date and source; prices change, so every figure built on it is an estimate.
const TABLE: &str = include_str!("prices.json");

#[derive(Debug, Default, Deserialize)]
struct Table {
    as_of: String,
    models: HashMap<String, (f64, f64)>,
}

// The file is part of the binary and read by a test: an unreadable one can only mean "no price known".
static PRICES: LazyLock<Table> = LazyLock::new(|| serde_json::from_str(TABLE).unwrap_or_default());

/// What a model's tokens cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// USD per million tokens of the question.
    pub input: f64,
    /// USD per million tokens of the answer.
    pub output: f64,
}

impl Price {
    /// The price of a model; a dated snapshot (`gpt-4o-2024-08-06`) costs what its family does.
    #[must_use]
    pub fn of(model: &ModelId) -> Option<Self> {
        let name = model.as_str();
        let listed = PRICES.models.get(name).or_else(|| PRICES.models.get(without_date(name)?))?;
        Some(Self { input: listed.0, output: listed.1 })
    }

    /// USD for one call.
    #[must_use]
    pub fn cost(&self, input_tokens: u32, output_tokens: u32) -> f64 {
        (f64::from(input_tokens) * self.input + f64::from(output_tokens) * self.output) / 1e6
    }
}

/// USD for one call, where the model's price is known.
#[must_use]
pub fn cost(model: &ModelId, input_tokens: u32, output_tokens: u32) -> Option<f64> {
    Price::of(model).map(|price| price.cost(input_tokens, output_tokens))
}

/// The month the prices are from, as `2026-04`.
#[must_use]
pub fn as_of() -> &'static str {
    &PRICES.as_of
}

/// An estimate of a text's tokens: four characters each, rounded up. Right within a third for English prose.
#[must_use]
pub fn estimated_tokens(text: &str) -> u32 {
    u32::try_from(text.chars().count().div_ceil(4)).unwrap_or(u32::MAX)
}

/// The same for messages, each with the few tokens its envelope takes.
#[must_use]
pub fn estimated_message_tokens(messages: &[ChatMessage]) -> u32 {
    messages.iter().fold(0, |sum: u32, message| sum.saturating_add(estimated_tokens(&message.content) + 4))
}

/// `gpt-4o` for `gpt-4o-2024-08-06`, `claude-sonnet-4` for `claude-sonnet-4-20250514` or `claude-sonnet-4-latest`.
fn without_date(name: &str) -> Option<&str> {
    let (family, last) = name.rsplit_once('-')?;
    let digits = |text: &str, len| text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    if last == "latest" || digits(last, 8) {
        return Some(family);
    }
    let (family, month) = family.rsplit_once('-')?;
    let (family, year) = family.rsplit_once('-')?;
    (digits(last, 2) && digits(month, 2) && digits(year, 4)).then_some(family)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(model: &str, expected: Option<f64>) {
        let found = cost(&ModelId::parse(model).unwrap(), 1_000_000, 1_000_000);
        assert_eq!(found, expected, "{model}");
    }

    #[test]
    fn the_table_is_readable_and_dated() {
        assert!(PRICES.models.len() > 12);
        assert_eq!(as_of().len(), 7);
        assert!(PRICES.models.keys().all(|name| ModelId::parse(name).is_ok()));
    }

    #[test]
    fn a_call_costs_its_tokens_in_both_directions() {
        check("openai/gpt-4o-mini", Some(0.75));
        check("anthropic/claude-haiku-4-5", Some(6.0));
    }

    #[test]
    fn a_dated_snapshot_costs_what_its_family_does() {
        check("openai/gpt-4o-mini-2024-07-18", Some(0.75));
        check("anthropic/claude-sonnet-4-5-20250929", Some(18.0));
        check("anthropic/claude-sonnet-4-20250514", Some(18.0));
    }

    #[test]
    fn an_unlisted_model_has_no_price() {
        check("ollama/llama3.2", None);
        check("openai/gpt-4o-mini-unheard-of", None);
    }

    #[test]
    fn tokens_are_estimated_from_characters() {
        assert_eq!(estimated_tokens(""), 0);
        assert_eq!(estimated_tokens("abcde"), 2);
        assert_eq!(estimated_tokens("äöüß"), 1);
    }
}
