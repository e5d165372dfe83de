//! What a run would cost, for people and for programs. Knows no run.

use std::fmt::Write;

use serde::Serialize;

use super::words::{counted, grouped, usd};
use crate::domain::budget::{Estimate, PromptEstimate};
use crate::domain::ids::ModelId;
use crate::domain::price;
use crate::domain::untrusted::{Secrets, Untrusted};

/// The lines for a terminal.
#[must_use]
pub fn text(estimate: &Estimate, secrets: &Secrets) -> String {
    let mut text = String::new();
    for prompt in &estimate.prompts {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", Untrusted::new(prompt.path.as_str(), secrets).line(200));
        let _ = writeln!(
            text,
            "  {} × {} × {}: {}, {} known already",
            counted(prompt.cases, "case", "cases"),
            counted(prompt.sides as usize, "side", "sides"),
            counted(prompt.trials as usize, "trial", "trials"),
            counted(usize::try_from(prompt.calls).unwrap_or(usize::MAX), "call", "calls"),
            grouped(prompt.known)
        );
        let (asked, said) = (grouped(prompt.input_tokens), grouped(prompt.output_tokens));
        let cost = cost(prompt.usd, prompt.unpriced.is_empty());
        let _ = writeln!(text, "  about {asked} tokens in, {said} out: {cost}");
    }
    let calls = usize::try_from(estimate.calls()).unwrap_or(usize::MAX);
    let total = match cost(estimate.usd(), estimate.unpriced().is_empty()) {
        known if estimate.unpriced().is_empty() => format!("about {known}"),
        unknown => unknown,
    };
    let _ = writeln!(text, "In total {}, {total}.", counted(calls, "call", "calls"));
    for model in estimate.unpriced() {
        let model = Untrusted::new(model.as_str(), secrets).line(100);
        let _ = writeln!(
            text,
            "The price of {model} is not known: state it under [prices.\"{model}\"] in promptops.toml. Until then a run with \
             a budget is refused."
        );
    }
    let _ = writeln!(
        text,
        "Prices of {}. Cases that seem to break are run again, which comes on top. No model was called.",
        price::as_of()
    );
    text
}

/// What is known of a cost; a cost that is not known is never shown as none.
fn cost(known: f64, is_whole: bool) -> String {
    match (is_whole, known > 0.0) {
        (true, _) => usd(known),
        (false, true) => format!("{} plus an unknown price", usd(known)),
        (false, false) => "unknown price".to_owned(),
    }
}

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    prices_as_of: &'static str,
    calls: u64,
    usd: f64,
    unpriced: Vec<ModelId>,
    prompts: Vec<Prompt>,
}

#[derive(Serialize)]
struct Prompt {
    path: String,
    name: String,
    cases: usize,
    sides: u32,
    trials: u32,
    calls: u64,
    known: u64,
    input_tokens: u64,
    output_tokens: u64,
    usd: f64,
}

/// `promptops.estimate/v1`.
#[must_use]
pub fn json(estimate: &Estimate, secrets: &Secrets) -> String {
    let clean = |text: &str| Untrusted::new(text, secrets).data().to_owned();
    let prompt = |prompt: &PromptEstimate| Prompt {
        path: clean(prompt.path.as_str()),
        name: clean(&prompt.name),
        cases: prompt.cases,
        sides: prompt.sides,
        trials: prompt.trials,
        calls: prompt.calls,
        known: prompt.known,
        input_tokens: prompt.input_tokens,
        output_tokens: prompt.output_tokens,
        usd: prompt.usd,
    };
    let document = Document {
        schema: "promptops.estimate/v1",
        prices_as_of: price::as_of(),
        calls: estimate.calls(),
        usd: estimate.usd(),
        unpriced: estimate.unpriced(),
        prompts: estimate.prompts.iter().map(prompt).collect(),
    };
    // Strings and finite numbers: nothing in it can fail to serialise.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::report::sample;

    #[test]
    fn it_is_read_in_a_glance() {
        let estimate = sample::over_budget().estimate.expect("the sample has one");
        let expected = "\
prompts/reply.prompt.yml
  48 cases × 2 sides × 1 trial: 90 calls, 6 known already
  about 36,000 tokens in, 9,000 out: $3.50 plus an unknown price
In total 90 calls, $3.50 plus an unknown price.
The price of gateway/judge is not known: state it under [prices.\"gateway/judge\"] in promptops.toml. Until then a run with \
a budget is refused.
";
        let said = text(&estimate, &Secrets::default());
        assert!(said.starts_with(expected), "{said}");
        let document: serde_json::Value = serde_json::from_str(&json(&estimate, &Secrets::default())).expect("JSON");
        assert_eq!((&document["calls"], &document["unpriced"][0]), (&90.into(), &"gateway/judge".into()));
        assert_eq!(document["prompts"][0]["cases"], 48);
    }
}
