//! What model calls cost: a dated table of public prices, and those the operator states. Knows no bill.

mod tokens;
mod windows;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

pub use tokens::{estimated_tokens, expected_message_tokens, expected_tokens, rough_message_tokens};

pub use windows::context_window;

use super::ids::ModelId;
use super::price_overrides::PriceOverrides;

/// The table with its date and source; prices change, so every figure built on it is an estimate.
const TABLE: &str = include_str!("table.json");

#[derive(Debug, Default, Deserialize)]
struct Table {
    as_of: String,
    free: HashSet<String>,
    models: HashMap<String, Price>,
}

// The file is part of the binary and read by a test: an unreadable one can only mean "no price known".
static TABLE_READ: LazyLock<Table> = LazyLock::new(|| serde_json::from_str(TABLE).unwrap_or_default());

/// What a model's tokens cost.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Price {
    /// USD per million tokens of the question.
    pub input: f64,
    /// USD per million tokens of the answer.
    pub output: f64,
}

impl Price {
    /// USD for one call.
    #[must_use]
    pub fn cost(&self, input_tokens: u32, output_tokens: u32) -> f64 {
        (f64::from(input_tokens) * self.input + f64::from(output_tokens) * self.output) / 1e6
    }
}

/// All prices that are known: the operator's first, then the table's.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    stated: PriceOverrides,
}

impl Prices {
    /// The table with these prices before it.
    #[must_use]
    pub fn new(stated: PriceOverrides) -> Self {
        Self { stated }
    }

    /// The price of a model; a dated snapshot (`gpt-4o-2024-08-06`) costs what its family does.
    #[must_use]
    pub fn of(&self, model: &ModelId) -> Option<Price> {
        let name = listed_name(model);
        let provider = name.split('/').next().unwrap_or("");
        let also_stated = || self.stated.get(&ModelId::parse(&name).ok()?);
        if let Some(stated) = self.stated.get(model).or_else(also_stated) {
            return Some(Price { input: stated.input, output: stated.output });
        }
        let table = &*TABLE_READ;
        if table.free.contains(provider) {
            return Some(Price { input: 0.0, output: 0.0 });
        }
        table.models.get(&name).or_else(|| table.models.get(without_date(&name)?)).copied()
    }
}

/// How tables of models name it: by its vendor, whichever of the vendor's interfaces is asked.
fn listed_name(model: &ModelId) -> String {
    let provider = match model.provider() {
        "openai-responses" => "openai",
        "google" => "gemini",
        other => other,
    };
    format!("{provider}/{}", model.name())
}

/// The month the table's prices are from, as `2026-04`.
#[must_use]
pub fn as_of() -> &'static str {
    &TABLE_READ.as_of
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
    use crate::domain::price_overrides::StatedPrice;

    fn check(model: &str, expected: Option<f64>) {
        let price = Prices::default().of(&ModelId::parse(model).unwrap());
        assert_eq!(price.map(|price| price.cost(1_000_000, 1_000_000)), expected, "{model}");
    }

    #[test]
    fn the_table_is_readable_and_dated() {
        assert!(TABLE_READ.models.len() > 20);
        assert_eq!(as_of().len(), 7);
        assert!(TABLE_READ.models.keys().all(|name| ModelId::parse(name).is_ok()));
    }

    #[test]
    fn a_call_costs_its_tokens_in_both_directions() {
        check("openai/gpt-4o-mini", Some(0.75));
        check("anthropic/claude-haiku-4-5", Some(6.0));
        check("openai/text-embedding-3-small", Some(0.02));
        check("openai-responses/gpt-4o-mini", Some(0.75));
        check("google/gemini-2.5-flash", Some(2.8));
    }

    #[test]
    fn a_dated_snapshot_costs_what_its_family_does() {
        check("openai/gpt-4o-mini-2024-07-18", Some(0.75));
        check("anthropic/claude-sonnet-4-5-20250929", Some(18.0));
        check("anthropic/claude-sonnet-4-20250514", Some(18.0));
    }

    #[test]
    fn a_model_on_ones_own_machine_is_free_and_an_unlisted_one_has_no_price() {
        check("ollama/llama3.2", Some(0.0));
        check("openai/gpt-4o-mini-unheard-of", None);
    }

    #[test]
    fn what_the_operator_states_comes_before_the_table() {
        let model = |name: &str| ModelId::parse(name).unwrap();
        let stated = |input, output| StatedPrice { input, output };
        let prices = Prices::new(PriceOverrides::from([
            (model("openai/gpt-4o-mini"), stated(1.0, 2.0)),
            (model("gateway/ours"), stated(0.5, 0.5)),
            (model("google/ours"), stated(4.0, 4.0)),
            (model("gemini/ours"), stated(3.0, 3.0)),
        ]));
        let cost = |name: &str| prices.of(&model(name)).map(|price| price.cost(1_000_000, 1_000_000));
        assert_eq!(cost("openai/gpt-4o-mini"), Some(3.0));
        assert_eq!(cost("gateway/ours"), Some(1.0));
        assert_eq!(cost("openai/gpt-4o"), Some(12.5));
        assert_eq!(cost("openai-responses/gpt-4o-mini"), Some(3.0));
        assert_eq!((cost("gemini/ours"), cost("google/ours")), (Some(6.0), Some(8.0)));
    }
}
