//! One question until it is answered or given up: time limit, retries, back-off. Knows neither prompts nor money.

use std::sync::Arc;
use std::time::Duration;

use super::event::RunEvent;
use super::provider::{Completion, CompletionRequest, Provider, ProviderError};
use super::run::RunLimits;
use crate::domain::ids::Digest;

/// The first pause before another try; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// No pause of ours is longer; the provider may ask for longer ones.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Who asks, and within which bounds.
pub(super) struct Caller<'r> {
    pub provider: &'r dyn Provider,
    pub limits: &'r RunLimits,
    pub events: &'r (dyn Fn(RunEvent) + Sync),
}

/// Why a question stays unanswered.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// Only this one.
    Unanswered(Arc<str>),
    /// Every one: the run stops.
    Fatal(Arc<str>),
}

/// What came of a question, and how many calls it took.
pub(super) struct Called {
    pub result: Result<Completion, Failure>,
    pub tries: u32,
}

impl Caller<'_> {
    /// Asks until there is an answer, a refusal, or no try left.
    pub async fn call(&self, request: &CompletionRequest, key: Digest) -> Called {
        let mut tries = 0;
        loop {
            tries += 1;
            let (message, after) = match self.ask_once(request, key).await {
                Ok(completion) => return Called { result: Ok(completion), tries },
                Err(ProviderError::GiveUp { message }) => return unanswered(message, tries),
                Err(ProviderError::Fatal { message }) => {
                    return Called { result: Err(Failure::Fatal(message.into())), tries };
                }
                Err(ProviderError::Retry { message, after }) => (message, after),
            };
            if tries >= self.limits.tries {
                return unanswered(format!("{message} (tried {tries} times)"), tries);
            }
            // A pause that outlasts the run could only end in its time-out.
            if let Some(asked) = after.filter(|asked| *asked > self.limits.run_timeout) {
                let seconds = asked.as_secs();
                return unanswered(
                    format!("{message} (the provider asks to wait {seconds} s: run again later)"),
                    tries,
                );
            }
            (self.events)(RunEvent::Retrying { message });
            tokio::time::sleep(pause(after, tries, key)).await;
        }
    }

    async fn ask_once(&self, request: &CompletionRequest, key: Digest) -> Result<Completion, ProviderError> {
        let limit = self.limits.call_timeout;
        tokio::time::timeout(limit, self.provider.complete(request, key)).await.unwrap_or_else(|_| {
            let message = format!("no answer from {} within {:.1} s", request.model, limit.as_secs_f64());
            Err(ProviderError::Retry { message, after: None })
        })
    }
}

fn unanswered(message: String, tries: u32) -> Called {
    Called { result: Err(Failure::Unanswered(message.into())), tries }
}

/// How long to wait before the next try: what the provider asked for, and never the same moment for all.
fn pause(asked: Option<Duration>, tries: u32, key: Digest) -> Duration {
    let mut random = fastrand::Rng::with_seed(key.seed() ^ u64::from(tries));
    match asked {
        Some(asked) => asked + FIRST_PAUSE.mul_f64(random.f64() / 2.0),
        None => {
            let doubled = FIRST_PAUSE.saturating_mul(1 << (tries - 1).min(16)).min(LONGEST_PAUSE);
            doubled.mul_f64(0.5 + random.f64() / 2.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_differ_between_questions() {
        let key = Digest::of_parts([b"a".as_slice()]);
        let second = pause(None, 1, key);
        assert!(second >= FIRST_PAUSE / 2 && second <= FIRST_PAUSE);
        assert!(pause(None, 30, key) <= LONGEST_PAUSE && pause(None, 30, key) >= LONGEST_PAUSE / 2);
        assert_ne!(second, pause(None, 1, Digest::of_parts([b"b".as_slice()])));
        assert_eq!(second, pause(None, 1, key), "the same run waits the same");
    }

    #[test]
    fn the_time_a_provider_asks_for_is_never_cut() {
        let asked = Duration::from_secs(7);
        for tries in 1..9 {
            let waited = pause(Some(asked), tries, Digest::of_parts([b"a".as_slice()]));
            assert!(waited >= asked && waited <= asked + FIRST_PAUSE);
        }
    }
}
