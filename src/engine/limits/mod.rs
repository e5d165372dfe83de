//! How fast a provider may be asked: calls at once, requests and tokens per minute, pauses it asks for. One limiter serves all
//! runs of a process. Knows providers by name only, and no vendor's headers.

mod minute;
mod width;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use self::minute::Minute;
use self::width::Width;
use super::allowance::ProviderLimits;
use super::provider::RateHint;
use crate::domain::ids::ModelId;

/// A pause that a provider asks for holds all its calls for so long at most; then one of them finds out anew.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// All providers' limits. Shared by all runs: a provider does not know which of them asks.
#[derive(Debug)]
pub struct Limiter {
    /// Most calls at once to a provider that has no limit of its own.
    width: usize,
    limits: BTreeMap<String, ProviderLimits>,
    doors: Mutex<HashMap<String, Arc<Door>>>,
}

impl Limiter {
    /// At most `width` calls at once to each provider, and the operator's limits by provider name.
    #[must_use]
    pub fn new(width: usize, limits: BTreeMap<String, ProviderLimits>) -> Self {
        Self { width, limits, doors: Mutex::default() }
    }

    /// The door of the model's provider.
    pub(super) fn door(&self, model: &ModelId) -> Arc<Door> {
        let mut doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(door) = doors.get(model.provider()) {
            return door.clone();
        }
        let limits = self.limits.get(model.provider()).copied().unwrap_or_default();
        let door = Arc::new(Door::new(self.width, limits));
        doors.entry(model.provider().to_owned()).or_insert(door).clone()
    }
}

/// Where the calls to one provider queue; first come, first served, so that nobody starves.
#[derive(Debug)]
pub(super) struct Door {
    /// Held by the call that is next. Tokio's mutex is fair: it is the queue.
    turn: tokio::sync::Mutex<()>,
    /// Rings the call that is next when something may have become free.
    changed: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    width: Width,
    open: usize,
    /// Number of the next call.
    next: u64,
    requests: Option<Minute>,
    tokens: Option<Minute>,
    paused_until: Option<Instant>,
    hint: Option<Hint>,
}

/// What the provider said is left, until when.
#[derive(Debug)]
struct Hint {
    requests: u64,
    tokens: u64,
    until: Instant,
}

/// Why a call may not go yet.
enum Wait {
    /// Something is free then at the latest.
    Until(Instant),
    /// Another call has to end first.
    ForOthers,
}

/// The provider asks for a pause that is longer than the caller would wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong(pub Duration);

/// A call that may go. Ends with the call: what came of it is said, or it was dropped.
#[derive(Debug)]
pub(super) struct Pass {
    door: Arc<Door>,
    call: u64,
    tokens: Option<u64>,
    is_open: bool,
}

impl Door {
    fn new(width: usize, limits: ProviderLimits) -> Self {
        let most = limits.max_concurrency.map_or(width, |most| most as usize);
        Self {
            turn: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            state: Mutex::new(State {
                width: Width::new(most),
                open: 0,
                next: 0,
                requests: limits.requests_per_minute.map(|most| Minute::new(most.into())),
                tokens: limits.tokens_per_minute.map(Minute::new),
                paused_until: None,
                hint: None,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a call of about `tokens` may go.
    ///
    /// # Errors
    /// When the provider asks for a pause longer than `patience`.
    pub async fn enter(self: &Arc<Self>, tokens: u64, patience: Duration) -> Result<Pass, TooLong> {
        let _turn = self.turn.lock().await;
        loop {
            let now = Instant::now();
            let wait = self.state().admit(now, tokens);
            match wait {
                Ok((call, tokens)) => return Ok(Pass { door: self.clone(), call, tokens, is_open: true }),
                Err(Wait::Until(at)) if at.duration_since(now) > patience => return Err(TooLong(at - now)),
                Err(Wait::Until(at)) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at) => {}
                        () = self.changed.notified() => {}
                    }
                }
                Err(Wait::ForOthers) => self.changed.notified().await,
            }
        }
    }
}

impl State {
    fn admit(&mut self, now: Instant, tokens: u64) -> Result<(u64, Option<u64>), Wait> {
        let after = |until: Option<Instant>| until.filter(|until| *until > now);
        if let Some(until) = after(self.paused_until) {
            return Err(Wait::Until(until));
        }
        if self.hint.as_ref().is_some_and(|hint| hint.until <= now) {
            self.hint = None;
        }
        if let Some(hint) = self.hint.as_ref().filter(|hint| hint.requests == 0 || hint.tokens < tokens) {
            return Err(Wait::Until(hint.until));
        }
        if self.open >= self.width.calls() {
            return Err(Wait::ForOthers);
        }
        let requests = self.requests.as_mut().and_then(|minute| minute.wait(now, 1));
        let tokens_free = self.tokens.as_mut().and_then(|minute| minute.wait(now, tokens));
        if let Some(until) = requests.max(tokens_free) {
            return Err(Wait::Until(until));
        }
        if let Some(hint) = &mut self.hint {
            hint.requests = hint.requests.saturating_sub(1);
            hint.tokens = hint.tokens.saturating_sub(tokens);
        }
        if let Some(minute) = &mut self.requests {
            minute.take(now, 1);
        }
        self.open += 1;
        self.next += 1;
        Ok((self.next - 1, self.tokens.as_mut().map(|minute| minute.take(now, tokens))))
    }
}

impl Pass {
    /// The provider answered after `took`, with so many tokens in all, of which `said` are the answer's.
    pub fn answered(mut self, model: &ModelId, took: Duration, tokens: Option<u64>, said: u32, rate: Option<RateHint>) {
        let counted = self.tokens;
        self.leave(|state, call| {
            let full = 2 * state.open >= state.width.calls();
            state.width.answered(call, state.next, model, took.as_secs_f64() * 1e3, said, full);
            if let Some(rate) = rate {
                let until = rate.reset_after.map(pause_end);
                state.hint = until.map(|until| Hint {
                    requests: rate.remaining_requests.unwrap_or(u64::MAX),
                    tokens: rate.remaining_tokens.unwrap_or(u64::MAX),
                    until,
                });
            }
            if let (Some(minute), Some(number), Some(tokens)) = (&mut state.tokens, counted, tokens) {
                minute.correct(number, tokens);
            }
        });
    }

    /// The provider has too much to do, or did not answer in time; it may ask all of us to wait.
    pub fn overloaded(mut self, after: Option<Duration>) {
        self.leave(|state, call| {
            state.width.overloaded(call, state.next);
            let until = after.map(pause_end);
            state.paused_until = state.paused_until.max(until);
        });
    }

    fn leave(&mut self, tell: impl FnOnce(&mut State, u64)) {
        if std::mem::take(&mut self.is_open) {
            let mut state = self.door.state();
            tell(&mut state, self.call);
            state.open -= 1;
            drop(state);
            self.door.changed.notify_one();
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.leave(|_, _| {});
    }
}

/// When a pause ends that was asked for just now. The length is from outside, and may be any.
fn pause_end(after: Duration) -> Instant {
    Instant::now() + after.min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
