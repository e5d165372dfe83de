//! What is known of an answer besides its text: why it ended, what it cost, how long it took. Knows no case.

use super::check::Unjudged;
use super::text::quote;
use super::{Answer, Assessment};

/// Vendors' words for the same reason, in lower case; the first of each list is OpenAI's.
const REASONS: [&[&str]; 5] = [
    &["stop", "end_turn", "stop_sequence", "completed", "complete", "eos", "end_of_sequence", "finished"],
    &["length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded", "incomplete"],
    &[
        "content_filter",
        "content_filtered",
        "safety",
        "refusal",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "image_safety",
        "guardrail_intervened",
    ],
    &["tool_calls", "tool_use", "tool_call"],
    &["function_call"],
];

/// The one word for a reason, whichever vendor's word it is.
pub(super) fn plain_reason(word: &str) -> String {
    let lower = word.trim().to_lowercase().replace(['-', ' '], "_");
    let known = REASONS.iter().find(|words| words.contains(&lower.as_str())).and_then(|words| words.first());
    known.map_or(lower.clone(), |first| (*first).to_owned())
}

/// Whether the model stopped for this reason.
pub(super) fn finish_reason(answer: &Answer<'_>, wanted: &str) -> Result<Assessment, Unjudged> {
    let Some(given) = answer.finish_reason else {
        return Err(Unjudged::from("the provider did not say why the model stopped"));
    };
    let passed = plain_reason(given) == plain_reason(wanted);
    Ok(Assessment::of(passed, format!("the model stopped with {}, wanted {}", quote(given), quote(wanted))))
}

/// Whether the answer cost no more than this, in USD.
pub(super) fn cost(answer: &Answer<'_>, most: f64) -> Result<Assessment, Unjudged> {
    match answer.cost_usd {
        None => Err(Unjudged::from("the cost is not known: the model has no price or the provider counted no tokens")),
        Some(cost) => Ok(Assessment::of(cost <= most, format!("cost ${}, at most ${most} wanted", rounded(cost)))),
    }
}

/// Whether the answer took no longer than this, in milliseconds.
pub(super) fn latency(answer: &Answer<'_>, most: f64) -> Result<Assessment, Unjudged> {
    match answer.latency_ms {
        None => Err(Unjudged::from("it is not known how long the answer took")),
        Some(took) => Ok(Assessment::of(f64::from(took) <= most, format!("took {took} ms, at most {most} ms wanted"))),
    }
}

/// A cost in as many digits as tell something.
fn rounded(cost: f64) -> f64 {
    (cost * 1e8).round() / 1e8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_words_are_one() {
        for (word, plain) in [
            ("STOP", "stop"),
            ("end_turn", "stop"),
            ("max_tokens", "length"),
            ("MAX_TOKENS", "length"),
            ("content-filter", "content_filter"),
            ("SAFETY", "content_filter"),
            ("tool_use", "tool_calls"),
            ("function_call", "function_call"),
            ("Something else", "something_else"),
        ] {
            assert_eq!(plain_reason(word), plain);
        }
    }

    #[test]
    fn what_is_not_known_is_not_judged() {
        let unknown = Answer::text("x");
        assert!(
            finish_reason(&unknown, "stop").is_err() && cost(&unknown, 1.0).is_err() && latency(&unknown, 1.0).is_err()
        );
        let known =
            Answer { finish_reason: Some("end_turn"), cost_usd: Some(0.1 + 0.2), latency_ms: Some(80), ..unknown };
        let said = |found: Result<Assessment, Unjudged>| {
            let found = found.unwrap();
            (found.passed, found.reason)
        };
        assert_eq!(
            said(finish_reason(&known, "stop")),
            (true, "the model stopped with \"end_turn\", wanted \"stop\"".to_owned())
        );
        assert!(!said(finish_reason(&known, "length")).0);
        assert_eq!(said(cost(&known, 0.25)), (false, "cost $0.3, at most $0.25 wanted".to_owned()));
        assert!(said(cost(&known, 0.5)).0);
        assert_eq!(said(latency(&known, 80.0)), (true, "took 80 ms, at most 80 ms wanted".to_owned()));
        assert!(!said(latency(&known, 79.5)).0);
    }
}
