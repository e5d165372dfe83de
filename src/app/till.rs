//! The money of one run of the service: set aside in the store, counted while it runs, settled at its end. Knows no model.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::service::Service;
use crate::domain::budget::{Budget, Budgets, OverBudget};
use crate::domain::ids::UserId;
use crate::domain::policy::facts::PullFacts;
use crate::engine::account::{Account, NoMoney, TopUp};
use crate::engine::clock::Clock;
use crate::store::{Payer, Reserved, SpendLimit, SpendLimits, Store, StoreError};

/// How often what was spent is written down: a server that is killed forgets no more than that.
const EVERY: Duration = Duration::from_secs(5);
/// How long money stays set aside after the last sign of life.
const LEASE_MS: i64 = 60_000;

/// Where a run's money is counted.
pub(super) struct Till {
    store: Store,
    clock: Arc<dyn Clock>,
    id: String,
    payer: Payer,
    limits: SpendLimits,
    /// What the store knows to be spent.
    counted: Mutex<i64>,
}

impl Till {
    /// A till for one run of this pull request.
    pub fn open(service: &Service, facts: &PullFacts, budgets: &Budgets) -> Arc<Self> {
        let author = facts.author.as_ref().map_or(UserId(0), |author| author.id);
        let payer = Payer { repo: facts.repo_id, pull: facts.number, author };
        let limits = SpendLimits {
            pull: budgets.pull_request_usd.map(micros),
            day: budgets.day_usd.map(micros),
            author_day: budgets.author_day_usd.map(micros),
        };
        // One run at a time is made for a pull request, so that its start tells it from all others.
        let id = format!("{}/{}/{}", facts.repo_id, facts.number, service.clock.now_ms());
        let (store, clock) = (service.store.clone(), service.clock.clone());
        Arc::new(Self { store, clock, id, payer, limits, counted: Mutex::default() })
    }

    /// The account that the run spends from.
    pub fn account(self: &Arc<Self>) -> Arc<Account> {
        let till = self.clone();
        let top_up: TopUp = Box::new(move |usd| {
            let till = till.clone();
            Box::pin(async move { till.reserve(usd).await })
        });
        let is_limited = self.limits != SpendLimits::default();
        Arc::new(Account::new(is_limited.then_some(top_up)))
    }

    async fn reserve(&self, usd: f64) -> Result<(), NoMoney> {
        let now_ms = self.clock.now_ms();
        let times = (now_ms, now_ms + LEASE_MS);
        match self.store.reserve_spend(&self.id, self.payer, micros(usd), self.limits, times).await {
            Ok(Reserved::Granted) => Ok(()),
            Ok(Reserved::Refused { limit, most, spent, reserved }) => Err(NoMoney::Over(Box::new(OverBudget {
                budget: match limit {
                    SpendLimit::Pull => Budget::PullRequest,
                    SpendLimit::Day => Budget::Day,
                    SpendLimit::AuthorDay => Budget::AuthorDay,
                },
                limit_usd: dollars(most),
                spent_usd: dollars(spent),
                reserved_usd: dollars(reserved),
                needed_usd: usd,
                began: false,
                estimate: None,
            }))),
            Err(error) => Err(NoMoney::Unknown(format!("the budget cannot be checked: {error}"))),
        }
    }

    /// Does `run`, and writes down now and then what it has spent. Both go on side by side: whichever holds the database must
    /// not wait for the other.
    pub async fn during<T>(&self, account: &Account, run: impl Future<Output = T>) -> T {
        let ended = CancellationToken::new();
        let run = async {
            let done = run.await;
            ended.cancel();
            done
        };
        let beats = async {
            let mut beats = tokio::time::interval(EVERY);
            while ended.run_until_cancelled(beats.tick()).await.is_some() {
                let until_ms = self.clock.now_ms() + LEASE_MS;
                if let Err(error) = self.count(account, Some(until_ms)).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "spending was not written down yet");
                }
            }
        };
        tokio::join!(run, beats).0
    }

    /// Writes down all that was spent, and sets the rest free.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn close(&self, account: &Account) -> Result<(), StoreError> {
        self.count(account, None).await
    }

    async fn count(&self, account: &Account, until_ms: Option<i64>) -> Result<(), StoreError> {
        let spent = micros(account.spent_usd());
        let new = spent - *self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let nothing_to_say = new == 0 && self.limits == SpendLimits::default();
        if nothing_to_say {
            return Ok(());
        }
        self.store.settle_spend(&self.id, self.payer, new, self.clock.now_ms(), until_ms).await?;
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = spent;
        Ok(())
    }
}

/// Millionths of a USD, rounded up.
fn micros(usd: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a float to integer cast saturates")]
    let micros = (usd * 1e6 - 1e-3).ceil() as i64;
    micros.max(0)
}

fn dollars(micros: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "sums of money are far below 2^53 micro-dollars")]
    let micros = micros as f64;
    micros / 1e6
}

#[cfg(test)]
mod tests {
    use super::{dollars, micros};

    #[test]
    fn money_is_counted_in_millionths_and_never_short() {
        assert_eq!((micros(0.0), micros(0.000_021), micros(0.000_021_4), micros(2.0)), (0, 21, 22, 2_000_000));
        assert_eq!((micros(f64::INFINITY), micros(f64::NAN)), (i64::MAX, 0));
        assert_eq!(dollars(1_500_000), 1.5);
    }
}
