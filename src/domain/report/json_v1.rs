//! The result as JSON, `promptops.result/v1`. Frozen: programs of other people read it. Knows no other rendering.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{CaseReport, PromptReport, Report, SideReport, words};
use crate::domain::gate::Verdict;
use crate::domain::gate::verdict::CaseStatus;
use crate::domain::untrusted::{Secrets, Untrusted};

#[derive(Serialize)]
struct Result {
    schema: &'static str,
    verdict: Verdict,
    base: Option<String>,
    head: String,
    prompts: Vec<Prompt>,
}

#[derive(Serialize)]
struct Prompt {
    path: String,
    name: String,
    verdict: Verdict,
    reasons: Vec<String>,
    base_score: Option<f64>,
    head_score: Option<f64>,
    bound: Option<f64>,
    broken: usize,
    fixed: usize,
    same: usize,
    unmeasured: usize,
    cost_usd: f64,
    calls: u64,
    cached_calls: u64,
    statistics: Statistics,
    metrics: Metrics,
    cases: Vec<Case>,
}

#[derive(Serialize)]
struct Statistics {
    suite_p: Option<f64>,
    confirmed: Vec<Confirmed>,
}

#[derive(Serialize)]
struct Confirmed {
    id: String,
    k: u32,
    base: u32,
    head: u32,
    p: f64,
}

#[derive(Serialize)]
struct Metrics {
    base: Option<BTreeMap<String, f64>>,
    head: BTreeMap<String, f64>,
}

#[derive(Serialize)]
struct Case {
    id: String,
    vars: Value,
    status: CaseStatus,
    confirmed: bool,
    base: Option<Side>,
    head: Option<Side>,
    failed_evaluators: Vec<String>,
}

#[derive(Serialize)]
struct Side {
    passes: u32,
    trials: u32,
    score: Option<f64>,
    output: Option<String>,
    error: Option<String>,
}

/// The JSON text, indented, with a line end. Texts are as they were, secrets taken out.
#[must_use]
pub fn json(report: &Report, secrets: &Secrets) -> String {
    let clean = |text: &str| Untrusted::new(text, secrets).data().to_owned();
    let result = Result {
        schema: "promptops.result/v1",
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
