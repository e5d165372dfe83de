//! Money that several runs share: who keeps it is asked for more, and told what was spent. Knows no budget and no store.

use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;

use crate::domain::budget::OverBudget;

/// Asks for so many USD more. Granted as a whole or not at all.
pub type TopUp = Box<dyn Fn(f64) -> BoxFuture<'static, Result<(), NoMoney>> + Send + Sync>;

/// Why there is no more money.
#[derive(Debug, Clone)]
pub enum NoMoney {
    /// A budget does not suffice.
    Over(Box<OverBudget>),
    /// It cannot be told; says why.
    Unknown(String),
}

/// A run's share of the common money. The one who opened it reads what was spent, however the run ended.
pub struct Account {
    /// `None`: there is no budget, and spending is only counted.
    top_up: Option<TopUp>,
    spent_usd: Mutex<f64>,
}

impl Account {
    /// An account that is filled by `top_up`; without one nothing limits it.
    #[must_use]
    pub fn new(top_up: Option<TopUp>) -> Self {
        Self { top_up, spent_usd: Mutex::default() }
    }

    pub(super) fn is_limited(&self) -> bool {
        self.top_up.is_some()
    }

    /// What was spent so far. Calls that were given up while they were open count by their estimate: they may be billed.
    #[must_use]
    pub fn spent_usd(&self) -> f64 {
        *self.spent_usd.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn top_up(&self, usd: f64) -> Result<(), NoMoney> {
        match &self.top_up {
            Some(top_up) => top_up(usd).await,
            None => Ok(()),
        }
    }

    pub(super) fn spend(&self, usd: f64) {
        *self.spent_usd.lock().unwrap_or_else(PoisonError::into_inner) += usd;
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("spent_usd", &self.spent_usd()).finish_non_exhaustive()
    }
}
