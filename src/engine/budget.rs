//! The purse of a run: money is set aside before each call and settled after it. Knows no plan and no store.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use super::account::{Account, NoMoney};
use super::provider::{Completion, CompletionRequest};
use super::run::{RunError, RunLimits};
use crate::domain::budget::{Budget, OverBudget};
use crate::domain::ids::ModelId;
use crate::domain::price::{Prices, estimated_tokens, expected_message_tokens};

/// Sums of floating-point money differ in their last digits.
const ROUNDING: f64 = 1e-9;
/// The common money is asked for in blocks of at least this share of what was granted so far.
const BLOCK: f64 = 0.1;
/// And of at least so many USD.
const LEAST_BLOCK: f64 = 0.01;

/// A run's limit, what is set aside for open calls, and what is spent.
pub(super) struct Purse<'r> {
    limit: Option<f64>,
    account: Option<&'r Account>,
    prices: &'r Prices,
    state: Mutex<State>,
    /// Rings when an open call was settled.
    settled: Notify,
    /// Held while more of the common money is asked for.
    asking: tokio::sync::Mutex<()>,
    refusal: OnceLock<RunError>,
}

#[derive(Debug, Default)]
struct State {
    /// Set aside for open calls.
    held: f64,
    spent: f64,
    /// Granted of the common money.
    granted: f64,
}

/// Money set aside for one call. Dropped unsettled, it counts as spent: a call that was left may be billed.
pub(super) struct Held<'p> {
    purse: &'p Purse<'p>,
    usd: f64,
}

/// The run is over: the purse knows why.
#[derive(Debug)]
pub(super) struct Empty;

impl<'r> Purse<'r> {
    pub fn new(limits: &'r RunLimits) -> Self {
        Self {
            limit: limits.max_cost_usd,
            account: limits.account.as_deref(),
            prices: &limits.prices,
            state: Mutex::default(),
            settled: Notify::new(),
            asking: tokio::sync::Mutex::default(),
            refusal: OnceLock::new(),
        }
    }

    /// Why no call is made any more, if that is so.
    pub fn refusal(&self) -> Option<RunError> {
        self.refusal.get().cloned()
    }

    /// Whether anything limits it: only then is it worth estimating each call.
    pub fn is_limited(&self) -> bool {
        self.limit.is_some() || self.bank().is_some()
    }

    /// The account, where there is a budget behind it.
    fn bank(&self) -> Option<&'r Account> {
        self.account.filter(|account| account.is_limited())
    }

    /// Whether the run's own limit leaves room for so much at once.
    pub fn has_room(&self, usd: f64) -> bool {
        let state = self.state();
        self.limit.is_none_or(|limit| state.spent + usd <= limit + ROUNDING)
            && (self.bank().is_none() || state.spent + usd <= state.granted)
    }

    /// Makes sure that a stage of this estimate can be paid for, before any of its calls.
    ///
    /// # Errors
    /// With the figures, when it cannot.
    pub async fn provide(&self, usd: f64) -> Result<(), RunError> {
        let spent = self.state().spent;
        if let Some(limit) = self.limit.filter(|limit| spent + usd > limit + ROUNDING) {
            return Err(self.over(limit, usd));
        }
        let missing = spent + usd - self.state().granted;
        match self.bank() {
            Some(account) if missing > 0.0 => match account.top_up(missing).await {
                Ok(()) => {
                    self.state().granted += missing;
                    Ok(())
                }
                Err(no_money) => Err(self.refused(no_money)),
            },
            _ => Ok(()),
        }
    }

    /// Sets money aside for a call with an answer of about `answer_tokens`.
    ///
    /// # Errors
    /// When there is none left; then no call is made any more.
    pub async fn hold(&self, request: &CompletionRequest, answer_tokens: u32) -> Result<Held<'_>, Empty> {
        if self.refusal.get().is_some() {
            return Err(Empty);
        }
        if !self.is_limited() {
            return Ok(Held { purse: self, usd: 0.0 });
        }
        let Some(price) = self.prices.of(&request.model) else {
            return Err(self.refuse(RunError::UnknownPrice { models: vec![request.model.clone()] }));
        };
        let usd = price.cost(expected_message_tokens(&request.model, &request.messages), answer_tokens);
        self.hold_within_limit(usd).await?;
        // From here on the money is set aside, and given back should there be no common money for it.
        let held = Held { purse: self, usd };
        if let Some(account) = self.bank() {
            self.cover(account, usd).await.inspect_err(|_| self.release(usd, 0.0))?;
        }
        Ok(held)
    }

    /// Waits for open calls where only their estimates stand in the way.
    async fn hold_within_limit(&self, usd: f64) -> Result<(), Empty> {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            {
                let mut state = self.state();
                let Some(limit) = self.limit.filter(|limit| state.spent + state.held + usd > limit + ROUNDING) else {
                    state.held += usd;
                    return Ok(());
                };
                if state.held <= ROUNDING || state.spent + usd > limit + ROUNDING {
                    drop(state);
                    return Err(self.refuse(self.over(limit, usd)));
                }
            }
            settled.await;
        }
    }

    /// Sees that what is spent and set aside is granted, in blocks.
    async fn cover(&self, account: &Account, usd: f64) -> Result<(), Empty> {
        let missing = |state: &State| state.spent + state.held - state.granted;
        if missing(&self.state()) <= 0.0 {
            return Ok(());
        }
        let _asking = self.asking.lock().await;
        let (least, block) = {
            let state = self.state();
            let least = missing(&state);
            (least, least.max(usd).max(LEAST_BLOCK).max(BLOCK * state.granted))
        };
        if least <= 0.0 {
            return Ok(());
        }
        let mut granted = block;
        let mut asked = account.top_up(block).await;
        if matches!(asked, Err(NoMoney::Over(_))) {
            granted = least;
            asked = account.top_up(least).await;
        }
        match asked {
            Ok(()) => {
                self.state().granted += granted;
                Ok(())
            }
            Err(no_money) => Err(self.refuse(self.refused(no_money))),
        }
    }

    fn release(&self, held: f64, spent: f64) {
        {
            let mut state = self.state();
            state.held = (state.held - held).max(0.0);
            state.spent += spent;
        }
        if let Some(account) = self.account {
            account.spend(spent);
        }
        self.settled.notify_waiters();
    }

    fn refuse(&self, error: RunError) -> Empty {
        // The first one to find the purse empty says why.
        self.refusal.set(error).ok();
        Empty
    }

    fn refused(&self, no_money: NoMoney) -> RunError {
        match no_money {
            NoMoney::Over(over) => RunError::OverBudget(Box::new(OverBudget { began: self.began(), ..*over })),
            NoMoney::Unknown(message) => RunError::Provider(message),
        }
    }

    fn over(&self, limit_usd: f64, needed_usd: f64) -> RunError {
        let spent_usd = self.state().spent;
        RunError::OverBudget(Box::new(OverBudget {
            budget: Budget::Run,
            limit_usd,
            spent_usd,
            reserved_usd: 0.0,
            needed_usd,
            began: self.began(),
            estimate: None,
        }))
    }

    fn began(&self) -> bool {
        let state = self.state();
        state.spent > 0.0 || state.held > 0.0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held<'_> {
    /// The call was answered: what the provider counted is spent, or the estimate where it counts nothing.
    pub fn answered(self, model: &ModelId, completion: &Completion) {
        let price = self.purse.prices.of(model);
        let output = completion.output_tokens.unwrap_or_else(|| estimated_tokens(&completion.text));
        let cost = price.map_or(0.0, |price| match completion.input_tokens {
            Some(input) => price.cost(input, output),
            None => self.usd.max(price.cost(0, output)),
        });
        self.settle(cost);
    }

    /// The provider refused the call, which costs nothing.
    pub fn refused(self) {
        self.settle(0.0);
    }

    fn settle(self, usd: f64) {
        self.purse.release(self.usd, usd);
        std::mem::forget(self);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.purse.release(self.usd, self.usd);
    }
}
