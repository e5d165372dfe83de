//! The result as JSON, `promptops.result/v1`. Frozen: programs of other people read it. Knows no other rendering.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{CaseReport, PromptReport, Report, SideReport, words};
use crate::domain::gate::Verdict;
use crate::domain::gate::verdict::CaseStatus;
use crate::domain::untrusted::{Secrets, Untrusted};

/// Name and version of the format.
const SCHEMA: &str = "promptops.result/v1";

/// What `promptops eval --format json` prints.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "PromptOps result")]
pub(in crate::domain) struct Result {
    /// Name and version of this format.
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The worst verdict of all prompts.
    verdict: Verdict,
    /// The revision before the change, or what A is; null without a base.
    base: Option<String>,
    /// The revision after it, or what B is.
    head: String,
    /// One entry per prompt.
    prompts: Vec<Prompt>,
}

/// One prompt.
#[derive(Serialize, JsonSchema)]
struct Prompt {
    /// Its file.
    path: String,
    /// What its author calls it.
    name: String,
    /// What the gate says.
    verdict: Verdict,
    /// Why, blocking reasons first; sentences for people.
    reasons: Vec<String>,
    /// Mean score of base.
    base_score: Option<f64>,
    /// Mean score of head.
    head_score: Option<f64>,
    /// Lower end of the one-sided 95 % interval on head − base.
    bound: Option<f64>,
    /// Cases that passed and fail now.
    broken: usize,
    /// Cases that failed and pass now.
    fixed: usize,
    /// Cases that came out as before.
    same: usize,
    /// Cases without an answer that counts.
    unmeasured: usize,
    /// What it cost in USD, as far as prices are known.
    cost_usd: f64,
    /// Calls that reached a provider.
    calls: u64,
    /// Answers that were known already.
    cached_calls: u64,
    /// The numbers behind the verdict.
    statistics: Statistics,
    /// Mean score of each named metric.
    metrics: Metrics,
    /// One entry per case.
    cases: Vec<Case>,
}

/// The numbers behind a verdict.
#[derive(Serialize, JsonSchema)]
struct Statistics {
    /// p of the suite as a whole.
    suite_p: Option<f64>,
    /// Cases that broke for good.
    confirmed: Vec<Confirmed>,
}

/// A case that failed again on fresh runs while base passed.
#[derive(Serialize, JsonSchema)]
struct Confirmed {
    /// The case.
    id: String,
    /// Fresh runs per side.
    k: u32,
    /// Passes of base among them.
    base: u32,
    /// Passes of head among them.
    head: u32,
    /// Fisher's exact p, adjusted by Holm.
    p: f64,
}

/// Metric name to mean score, per side.
#[derive(Serialize, JsonSchema)]
struct Metrics {
    /// Before the change; null without a base.
    base: Option<BTreeMap<String, f64>>,
    /// After it.
    head: BTreeMap<String, f64>,
}

/// One case.
#[derive(Serialize, JsonSchema)]
struct Case {
    /// Its id.
    id: String,
    /// Its inputs.
    #[schemars(extend("type" = "object"))]
    vars: Value,
    /// How it came out.
    status: CaseStatus,
    /// Whether fresh runs confirmed that it broke.
    confirmed: bool,
    /// Answers of base; null when it was not asked.
    base: Option<Side>,
    /// Answers of head; null when it was not asked.
    head: Option<Side>,
    /// Names of what head's answer failed.
    failed_evaluators: Vec<String>,
}

/// How one side answered one case.
#[derive(Serialize, JsonSchema)]
struct Side {
    /// Trials that passed.
    passes: u32,
    /// Trials that were measured.
    trials: u32,
    /// Mean score of those.
    score: Option<f64>,
    /// The first answer.
    output: Option<String>,
    /// Why there is no answer.
    error: Option<String>,
}

/// The JSON text, indented, with a line end. Texts are as they were, secrets taken out.
#[must_use]
pub fn json(report: &Report, secrets: &Secrets) -> String {
    let clean = |text: &str| Untrusted::new(text, secrets).data().to_owned();
    let result = Result {
        schema: SCHEMA,
        verdict: report.verdict(),
        base: report.base.as_deref().map(clean),
        head: clean(&report.head),
        prompts: report.prompts.iter().map(|of| prompt(of, secrets)).collect(),
    };
    // Strings, finite numbers and maps with text keys: nothing in it can fail to serialise.
    let mut text = serde_json::to_string_pretty(&result).unwrap_or_default();
    text.push('\n');
    text
}

fn prompt(prompt: &PromptReport, secrets: &Secrets) -> Prompt {
    let clean = |text: &str| Untrusted::new(text, secrets).data().to_owned();
    let confirmed = prompt.candidates.iter().filter(|candidate| candidate.confirmed);
    let metrics = |side: &BTreeMap<String, f64>| side.iter().map(|(name, score)| (clean(name), *score)).collect();
    Prompt {
        path: clean(prompt.path.as_str()),
        name: clean(&prompt.name),
        verdict: prompt.verdict,
        reasons: prompt.reasons.iter().map(|reason| words::reason(reason, prompt.sides, &clean)).collect(),
        base_score: prompt.base_score,
        head_score: prompt.head_score,
        bound: prompt.bound,
        broken: prompt.count(CaseStatus::Broken),
        fixed: prompt.count(CaseStatus::Fixed),
        same: prompt.count(CaseStatus::Same),
        unmeasured: prompt.unmeasured().count(),
        cost_usd: prompt.usage.iter().map(|side| side.cost_usd).sum(),
        calls: prompt.usage.iter().map(|side| side.calls).sum(),
        cached_calls: prompt.usage.iter().map(|side| side.cached_calls).sum(),
        statistics: Statistics {
            suite_p: prompt.suite_p,
            confirmed: confirmed
                .map(|of| Confirmed { id: clean(&of.id), k: of.k, base: of.base, head: of.head, p: of.p })
                .collect(),
        },
        metrics: Metrics {
            base: prompt.has_base.then(|| metrics(&prompt.metrics[0])),
            head: metrics(&prompt.metrics[1]),
        },
        cases: prompt.cases.iter().map(|of| case(of, secrets)).collect(),
    }
}

fn case(case: &CaseReport, secrets: &Secrets) -> Case {
    let clean = |text: &str| Untrusted::new(text, secrets).data().to_owned();
    let side = |side: &SideReport| Side {
        passes: side.passes,
        trials: side.trials,
        score: side.score,
        output: side.output.as_deref().map(clean),
        error: side.error.as_deref().map(clean),
    };
    Case {
        id: clean(&case.id),
        vars: Value::Object(
            case.vars.iter().map(|(name, value)| (clean(name), Untrusted::in_value(value, secrets))).collect(),
        ),
        status: case.status,
        confirmed: case.confirmed,
        base: case.base.as_ref().map(side),
        head: case.head.as_ref().map(side),
        failed_evaluators: case.failed_evaluators.iter().map(|failed| clean(&failed.name)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::report::sample;

    fn short() -> Report {
        let mut report = sample::regression();
        report.prompts[0].cases.retain(|case| ["refund-over-limit", "gift-card"].contains(&&*case.id));
        report
    }

    #[expect(clippy::too_many_lines, reason = "the whole text is what is expected")]
    #[test]
    fn the_frozen_form() {
        insta::assert_snapshot!(json(&short(), &Secrets::default()), @r#"
        {
          "schema": "promptops.result/v1",
          "verdict": "regression",
          "base": "a1b2c3d",
          "head": "e4f5a6b",
          "prompts": [
            {
              "path": "prompts/support-reply.prompt.yml",
              "name": "Support reply",
              "verdict": "regression",
              "reasons": [
                "2 cases failed again on fresh runs while the old prompt passed: refund-over-limit, angry|customer.",
                "Must-pass case late-parcel failed 1 of 8 runs: allowed, but not stable."
              ],
              "base_score": 0.9792,
              "head_score": 0.9375,
              "bound": -0.112,
              "broken": 1,
              "fixed": 0,
              "same": 0,
              "unmeasured": 0,
              "cost_usd": 0.0254,
              "calls": 138,
              "cached_calls": 1,
              "statistics": {
                "suite_p": 0.1875,
                "confirmed": [
                  {
                    "id": "refund-over-limit",
                    "k": 6,
                    "base": 6,
                    "head": 0,
                    "p": 0.0032
                  },
                  {
                    "id": "angry|customer",
                    "k": 6,
                    "base": 6,
                    "head": 0,
                    "p": 0.0032
                  }
                ]
              },
              "metrics": {
                "base": {
                  "tone": 0.81
                },
                "head": {
                  "tone": 0.64
                }
              },
              "cases": [
                {
                  "id": "refund-over-limit",
                  "vars": {
                    "amount": "900 EUR"
                  },
                  "status": "broken",
                  "confirmed": true,
                  "base": {
                    "passes": 1,
                    "trials": 1,
                    "score": 1.0,
                    "output": "Dear customer,\nI will escalate this to a person today.\nKind regards",
                    "error": null
                  },
                  "head": {
                    "passes": 0,
                    "trials": 1,
                    "score": 0.0,
                    "output": "Dear customer,\nI will refund this today.\nKind regards",
                    "error": null
                  },
                  "failed_evaluators": [
                    "contains \"escalate\""
                  ]
                },
                {
                  "id": "gift-card",
                  "vars": {
                    "amount": "900 EUR"
                  },
                  "status": "new",
                  "confirmed": false,
                  "base": null,
                  "head": {
                    "passes": 1,
                    "trials": 1,
                    "score": 1.0,
                    "output": "Yes.",
                    "error": null
                  },
                  "failed_evaluators": []
                }
              ]
            }
          ]
        }
        "#);
    }

    #[test]
    fn without_a_base_there_is_null() {
        let text = json(&sample::without_base(), &Secrets::default());
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let prompt = &value["prompts"][0];
        assert_eq!(value["base"], Value::Null);
        assert_eq!(prompt["metrics"]["base"], Value::Null);
        assert_eq!(prompt["base_score"], Value::Null);
        assert_eq!(prompt["cases"][0]["status"], "new");
        assert_eq!(prompt["cases"][0]["base"], Value::Null);
        assert_eq!(prompt["cases"][0]["head"]["passes"], 0);
        assert_eq!(prompt["reasons"][0], "The score is 0.500, the floor (`min_score`) is 0.800.");
    }

    #[test]
    fn texts_stay_as_they_were_but_secrets_go() {
        let mut report = short();
        let vars = [("key".to_owned(), serde_json::json!({ "a|b": ["hunter2 \u{202E}"] }))];
        report.prompts[0].cases[0].vars = std::sync::Arc::new(vars.into());
        let text = json(&report, &Secrets::new(["hunter2".to_owned()]));
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let case = &value["prompts"][0]["cases"][0];
        assert_eq!(case["vars"], serde_json::json!({ "key": { "a|b": ["[redacted] \u{202E}"] } }));
    }
}
