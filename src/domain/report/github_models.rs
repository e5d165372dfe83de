//! The result in the shape of `gh models eval --json`, for scripts that were written for it. Knows no other rendering.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{CaseReport, PromptReport, Report};
use crate::domain::untrusted::{Secrets, Untrusted};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Evaluation {
    name: String,
    description: String,
    model: String,
    test_results: Vec<TestResult>,
    summary: Summary,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestResult {
    test_case: Map<String, Value>,
    model_response: String,
    evaluation_results: Vec<EvaluationResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EvaluationResult {
    evaluator_name: String,
    score: f64,
    passed: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    details: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    total_tests: usize,
    passed_tests: usize,
    failed_tests: usize,
    pass_rate: f64,
}

/// The JSON text, indented, with a line end: one object for one prompt, as there; a list of them for several.
#[must_use]
pub fn json(report: &Report, secrets: &Secrets) -> String {
    let all: Vec<Evaluation> = report.prompts.iter().map(|prompt| evaluation(prompt, secrets)).collect();
    // Strings, finite numbers and maps with text keys: nothing in it can fail to serialise.
    let text = match all.as_slice() {
        [one] => serde_json::to_string_pretty(one),
        several => serde_json::to_string_pretty(several),
    };
    text.unwrap_or_default() + "\n"
}

/// Whether some case got no answer: such a run has not passed, whatever its other cases say.
#[must_use]
pub fn has_unmeasured(report: &Report) -> bool {
    report.prompts.iter().any(|prompt| prompt.unmeasured().next().is_some())
}

fn evaluation(prompt: &PromptReport, secrets: &Secrets) -> Evaluation {
    let clean = |text: &str| Untrusted::new(text, secrets).data().to_owned();
    let run: Vec<&CaseReport> = prompt.cases.iter().filter(|case| case.head.is_some()).collect();
    let passed = run.iter().filter(|case| !case.is_unmeasured() && !case.fails()).count();
    let share = |part: usize| f64::from(u32::try_from(part).unwrap_or(u32::MAX));
    Evaluation {
        name: clean(&prompt.name),
        description: prompt.description.as_deref().map(clean).unwrap_or_default(),
        model: clean(prompt.model.as_str()),
        summary: Summary {
            total_tests: run.len(),
            passed_tests: passed,
            failed_tests: run.len() - passed,
            pass_rate: if run.is_empty() { 0.0 } else { 100.0 * share(passed) / share(run.len()) },
        },
        test_results: run.into_iter().map(|case| test_result(case, secrets)).collect(),
    }
}

fn test_result(case: &CaseReport, secrets: &Secrets) -> TestResult {
    let clean = |text: &str| Untrusted::new(text, secrets).data().to_owned();
    let mut test_case: Map<String, Value> =
        case.vars.iter().map(|(name, value)| (clean(name), Untrusted::in_value(value, secrets))).collect();
    if let Some(expected) = &case.expected {
        test_case.entry("expected").or_insert_with(|| clean(expected).into());
    }
    let evaluation_results = case.evaluators.iter().map(|found| EvaluationResult {
        evaluator_name: clean(&found.name),
        score: found.score,
        passed: found.passed,
        details: clean(&found.reason),
    });
    TestResult {
        test_case,
        model_response: case.head.as_ref().and_then(|head| head.output.as_deref()).map(clean).unwrap_or_default(),
        evaluation_results: evaluation_results.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::report::{SideReport, sample};

    #[test]
    fn the_shape_of_gh_models_eval() {
        let mut report = sample::regression();
        report.prompts[0].cases.retain(|case| &*case.id == "refund-over-limit");
        report.prompts[0].cases[0].expected = Some("Escalate".into());
        insta::assert_snapshot!(json(&report, &Secrets::default()), @r#"
        {
          "name": "Support reply",
          "description": "Answers customers by e-mail",
          "model": "openai/gpt-4o-mini",
          "testResults": [
            {
              "testCase": {
                "amount": "900 EUR",
                "expected": "Escalate"
              },
              "modelResponse": "Dear customer,\nI will refund this today.\nKind regards",
              "evaluationResults": [
                {
                  "evaluatorName": "contains \"escalate\"",
                  "score": 0.0,
                  "passed": false,
                  "details": "the answer does not contain \"escalate\""
                },
                {
                  "evaluatorName": "not_contains \"As an AI\"",
                  "score": 1.0,
                  "passed": true,
                  "details": "the answer does not contain \"As an AI\""
                }
              ]
            }
          ],
          "summary": {
            "totalTests": 1,
            "passedTests": 0,
            "failedTests": 1,
            "passRate": 0.0
          }
        }
        "#);
    }

    #[test]
    fn a_case_without_an_answer_has_not_passed() {
        let mut report = sample::without_base();
        let [failing, passing] = report.prompts[0].cases.as_mut_slice() else { panic!("two cases") };
        failing.head = Some(SideReport { error: Some("time-out".to_owned()), ..SideReport::default() });
        passing.expected = Some("hunter2".into());
        assert!(has_unmeasured(&report));
        let value: Value = serde_json::from_str(&json(&report, &Secrets::new(["hunter2".to_owned()]))).expect("JSON");
        assert_eq!(
            value["summary"],
            serde_json::json!({"totalTests": 2, "passedTests": 1, "failedTests": 1, "passRate": 50.0})
        );
        assert_eq!(value["testResults"][0]["modelResponse"], "");
        assert_eq!(value["testResults"][1]["testCase"]["expected"], "[redacted]");
    }

    #[test]
    fn several_prompts_are_a_list() {
        let mut report = sample::without_base();
        report.prompts.push(sample::prompt());
        let value: Value = serde_json::from_str(&json(&report, &Secrets::default())).expect("JSON");
        assert_eq!(value.as_array().map(Vec::len), Some(2));
    }
}
