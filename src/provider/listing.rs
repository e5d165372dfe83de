//! What a server says it offers: a list of models, which costs nothing and takes the key. Knows no vendor.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// What a server says it offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// So many models, on the first page.
    Models(usize),
    /// It lists none, so the key stays untried.
    None,
}

/// A list of models: OpenAI and Anthropic call it `data`, Google `models`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ModelList {
    data: Vec<IgnoredAny>,
    models: Vec<IgnoredAny>,
}

impl ModelList {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.data.len() + self.models.len()
    }
}
