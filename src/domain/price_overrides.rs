//! Prices that the operator states, for models that the table has not or has wrong. Knows no table.

use std::collections::BTreeMap;

use super::ids::ModelId;

/// What one model's tokens cost, in USD per million.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StatedPrice {
    /// Tokens of the question.
    pub input: f64,
    /// Tokens of the answer.
    pub output: f64,
}

/// The stated prices, by model.
pub type PriceOverrides = BTreeMap<ModelId, StatedPrice>;
