//! One question until it is answered or given up: time limit, retries, back-off. Knows neither prompts nor money.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::budget::Purse;
use super::event::RunEvent;
use super::limits::TooLong;
use super::outage::Outages;
use super::provider::{Completion, CompletionRequest, Provider, ProviderError};
use super::run::RunLimits;
use crate::domain::ids::Digest;
use crate::domain::price::rough_message_tokens;

/// The first pause before another try; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// No pause of ours is longer; the provider may ask for longer ones.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// A question that ran out of time is tried this often: each try costs the whole time limit.
const MOST_TIME_OUTS: u32 = 2;

/// Tokens expected of an answer whose length nothing tells, for instance a judge's.
pub(super) const SHORT_ANSWER: u32 = 100;

/// Who asks, and within which bounds.
pub(super) struct Caller<'r> {
    pub provider: &'r dyn Provider,
    pub limits: &'r RunLimits,
    pub events: &'r (dyn Fn(RunEvent) + Sync),
    pub outages: Outages,
    pub purse: Purse<'r>,
}

/// Why one try gave no answer.
enum Refused {
    Said(ProviderError),
    TimedOut(String),
    /// The provider wants all its callers to wait longer than the run lasts.
    Closed(String),
    /// There is no money for it; the purse says why.
    NoMoney,
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
        self.call_expecting(request, key, SHORT_ANSWER).await
    }

    /// The same for an answer of about `answer_tokens`.
    pub async fn call_expecting(&self, request: &CompletionRequest, key: Digest, answer_tokens: u32) -> Called {
        let (mut tries, mut time_outs) = (0, 0);
        loop {
            tries += 1;
            let (message, after) = match self.ask_once(request, key, answer_tokens).await {
                Ok(completion) => {
                    self.outages.answered(&request.model);
                    return Called { result: Ok(completion), tries };
                }
                Err(Refused::Said(ProviderError::GiveUp { message })) => {
                    self.outages.answered(&request.model);
                    return unanswered(message, tries);
                }
                Err(Refused::Said(ProviderError::Fatal { message })) => return fatal(message, tries),
                Err(Refused::Closed(message)) => return unanswered(message, tries - 1),
                Err(Refused::NoMoney) => return fatal("there is no money left".to_owned(), tries - 1),
                Err(Refused::Said(ProviderError::Retry { message, after })) => (message, after),
                Err(Refused::TimedOut(message)) => {
                    // Each time-out counts as a lost question: waiting for all tries of one would take too long.
                    time_outs += 1;
                    if let Some(lost) = self.outages.lost(&request.model) {
                        return stopped(&message, lost, tries);
                    }
                    if time_outs >= MOST_TIME_OUTS || tries >= self.limits.tries {
                        return given_up(&message, tries);
                    }
                    (message, None)
                }
            };
            if tries >= self.limits.tries {
                // One too many in a row, and all others would fare the same.
                return match self.outages.lost(&request.model) {
                    None => given_up(&message, tries),
                    Some(lost) => stopped(&message, lost, tries),
                };
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

    async fn ask_once(
        &self,
        request: &CompletionRequest,
        key: Digest,
        answer_tokens: u32,
    ) -> Result<Completion, Refused> {
        let tokens = rough_message_tokens(&request.messages).saturating_add(answer_tokens);
        let door = self.limits.limiter.door(&request.model);
        let pass = door.enter(tokens.into(), self.limits.run_timeout).await;
        let pass = pass.map_err(|TooLong(wait)| Refused::Closed(asks_to_wait(request.model.provider(), wait)))?;
        let held = self.purse.hold(request, answer_tokens).await.map_err(|_| Refused::NoMoney)?;
        let (limit, started) = (self.limits.call_timeout, Instant::now());
        match tokio::time::timeout(limit, self.provider.complete(request, key)).await {
            Ok(Ok(completion)) => {
                let said = completion.output_tokens.unwrap_or(answer_tokens);
                let counted = completion.input_tokens.map(|asked| u64::from(asked) + u64::from(said));
                pass.answered(&request.model, started.elapsed(), counted, said, completion.rate);
                held.answered(&request.model, &completion);
                Ok(completion)
            }
            Ok(Err(error)) => {
                if let ProviderError::Retry { after, .. } = &error {
                    pass.overloaded(*after);
                }
                held.refused();
                Err(Refused::Said(error))
            }
            Err(_) => {
                pass.overloaded(None);
                let message = format!("no answer from {} within {:.1} s", request.model, limit.as_secs_f64());
                Err(Refused::TimedOut(message))
            }
        }
    }
}

fn asks_to_wait(who: &str, wait: Duration) -> String {
    format!("{who} asks to wait {} s: run again later", wait.as_secs())
}

fn given_up(message: &str, tries: u32) -> Called {
    unanswered(format!("{message} (tried {tries} times)"), tries)
}

fn stopped(message: &str, lost: usize, tries: u32) -> Called {
    let why = format!("stopped after {lost} questions in a row without an answer: run again later");
    fatal(format!("{message} ({why})"), tries)
}

fn fatal(message: String, tries: u32) -> Called {
    Called { result: Err(Failure::Fatal(message.into())), tries }
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
