//! What code scanning asks of an upload, and what it would make of hostile text.

use serde_json::Value;

use super::*;
use crate::domain::diagnostic::Location as Place;
use crate::domain::report::{Outcome, SideReport, sample};

fn read(report: &Report) -> Value {
    serde_json::from_str(&json(report, &Secrets::default())).expect("JSON")
}

fn results(value: &Value) -> &Vec<Value> {
    value["runs"][0]["results"].as_array().expect("results")
}

#[expect(clippy::too_many_lines, reason = "the whole text is what is expected")]
#[test]
fn a_case_that_got_worse() {
    let mut report = sample::regression();
    report.prompts[0].cases.retain(|case| &*case.id == "refund-over-limit");
    insta::assert_snapshot!(json(&report, &Secrets::default()).replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
    {
      "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
      "version": "2.1.0",
      "runs": [
        {
          "tool": {
            "driver": {
              "name": "PromptOps",
              "version": "VERSION",
              "semanticVersion": "VERSION",
              "informationUri": "https://github.com/promptops/promptops",
              "rules": [
                {
                  "id": "case-worse",
                  "name": "CaseWorse",
                  "shortDescription": {
                    "text": "A case got worse"
                  },
                  "fullDescription": {
                    "text": "A case of the golden set that passed before fails now. Compare the two answers; mend the prompt, or the golden set if the new answer is right."
                  },
                  "help": {
                    "text": "A case of the golden set that passed before fails now. Compare the two answers; mend the prompt, or the golden set if the new answer is right."
                  },
                  "defaultConfiguration": {
                    "level": "error"
                  }
                }
              ]
            }
          },
          "automationDetails": {
            "id": "promptops/evaluation/"
          },
          "invocations": [
            {
              "executionSuccessful": true,
              "toolExecutionNotifications": []
            }
          ],
          "columnKind": "unicodeCodePoints",
          "results": [
            {
              "ruleId": "case-worse",
              "ruleIndex": 0,
              "level": "error",
              "message": {
                "text": "Case refund-over-limit: passed 1 of 1 → 0 of 1; again 6 of 6 → 0 of 6\ncontains \"escalate\": the answer does not contain \"escalate\""
              },
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "prompts/support-reply.prompt.yml"
                    },
                    "region": {
                      "startLine": 12,
                      "endLine": 20
                    }
                  }
                }
              ],
              "relatedLocations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "prompts/support-reply.golden.yml"
                    },
                    "region": {
                      "startLine": 3
                    }
                  },
                  "message": {
                    "text": "the case"
                  }
                }
              ],
              "partialFingerprints": {
                "primaryLocationLineHash": "d02d910d8da482e9:1",
                "promptops/v1": "d02d910d8da482e9"
              }
            }
          ]
        }
      ]
    }
    "#);
}

#[test]
fn every_result_has_what_code_scanning_asks_for() {
    let mut report = sample::regression();
    report.diagnostics = vec![
        Diagnostic::error("duplicate-key", &report.prompts[0].path.clone(), "the key `model` stands twice")
            .with_help("remove one")
            .at(Place { line: 7, column: 3, length: 5 }, None),
        Diagnostic::error("no-golden-set", &PromptPath::parse("a b/ü#.prompt.yml").expect("a path"), "none")
            .into_warning(),
    ];
    let value = read(&report);
    let rules = value["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules").clone();
    assert_eq!(
        rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect::<Vec<_>>(),
        ["duplicate-key", "case-worse", "no-golden-set"]
    );
    let mut prints = std::collections::BTreeSet::new();
    for result in results(&value) {
        let rule = &rules[result["ruleIndex"].as_u64().expect("an index") as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["shortDescription"]["text"].is_string() && rule["help"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line > 0), "{result}");
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert!(prints.insert(result["partialFingerprints"]["primaryLocationLineHash"].to_string()), "{result}");
    }
    assert_eq!(results(&value).len(), 5);
    assert_eq!(results(&value)[0]["locations"][0]["physicalLocation"]["region"]["endColumn"], 8);
    let last = &results(&value)[4]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(last, "a%20b/%C3%BC%23.prompt.yml");
}

#[test]
fn a_result_is_the_same_when_only_lines_and_answers_move() {
    let mut moved = sample::regression();
    moved.prompts[0].prompt_lines = Some((90, 95));
    moved.prompts[0].cases[1].failed_evaluators[0].reason = "something else".to_owned();
    let prints = |report: &Report| {
        results(&read(report)).iter().map(|result| result["partialFingerprints"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(prints(&moved), prints(&sample::regression()));
}

#[test]
fn what_is_not_measured_is_a_note_and_no_result() {
    let mut report = sample::regression();
    let prompt = &mut report.prompts[0];
    (prompt.verdict, prompt.reasons) = (Verdict::NotMeasured, Vec::new());
    for case in &mut prompt.cases {
        case.status = super::super::CaseStatus::Unmeasured;
        case.head = Some(SideReport { error: Some("time-out".to_owned()), ..SideReport::default() });
    }
    report.outcome = Outcome::Measured(Verdict::NotMeasured);
    let value = read(&report);
    assert!(results(&value).is_empty());
    let invocation = &value["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert!(invocation["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap().ends_with(": time-out"));
}

#[test]
fn a_prompt_that_is_blocked_without_a_broken_case_is_one_result() {
    let mut report = sample::without_base();
    report.prompts[0].cases.remove(0);
    let value = read(&report);
    assert_eq!(results(&value)[0]["ruleId"], "prompt-blocked");
    assert_eq!(results(&value)[0]["message"]["text"], "The score is 0.500, the floor (`min_score`) is 0.800.");
}
