//! promptfoo's columns and the threshold of a case.

#[test]
fn promptfoos_columns_are_understood() {
    let text = "\u{feff}topic,__expected1,__expected2,__prefix,__suffix,__description,__metric,__threshold,__metadata:id,\
                __metadata:tags[],__metadata:owner,__config:__expected2:threshold\n\
                tea,contains:leaf,levenshtein:tea,About {{topic}}: ,!,Tea,accuracy,0.5,t1,\"a,b\",mara,7\n\
                salt,,,,,,,,,,,\n";
    let found = super::read("p/a.golden.csv", text);
    let errors = found.unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(
        errors[0].message,
        "case `case-d0938275c728` checks nothing: it has neither `expected` nor an evaluator"
    );
    let text = text.lines().take(2).collect::<Vec<_>>().join("\n");
    let set = super::read("p/a.golden.csv", &text);
    let case = &set.unwrap().value.cases[0];
    assert_eq!((&*case.id, case.threshold, &case.tags[..]), ("t1", Some(0.5), &["a".to_owned(), "b".to_owned()][..]));
    assert_eq!(case.vars["__prefix"], "About tea: ");
    assert_eq!(case.vars["__suffix"], "!");
    let metrics: Vec<_> =
        case.evaluators.iter().map(|evaluator| (&*evaluator.name, evaluator.metric.as_deref())).collect();
    assert_eq!(metrics, [("contains \"leaf\"", Some("accuracy")), ("levenshtein at most 7", Some("accuracy"))]);
}

#[test]
fn columns_that_would_be_lost_are_refused_by_name() {
    let message = |header: &str| {
        let text = format!("topic,{header}\ntea,x\n");
        let found = super::read("p/a.golden.csv", &text);
        found.unwrap_err().remove(0).message
    };
    assert_eq!(message("__providerOutput"), "column `__providerOutput` is not read: every answer is asked for anew");
    assert_eq!(message("__expects"), "column `__expects` is not understood");
    assert_eq!(message("__config:__expected:weight"), "column `__config:__expected:weight` is not understood");
}

#[test]
fn a_threshold_is_part_of_what_a_case_is() {
    let digest = |line: &str| {
        let found = super::read("p/a.golden.jsonl", line);
        found.unwrap().value.cases[0].definition
    };
    let plain = digest(r#"{"id": "a", "expected": "x"}"#);
    let half = digest(r#"{"id": "a", "expected": "x", "threshold": 0.5}"#);
    assert_ne!(plain, half);
    assert_ne!(half, digest(r#"{"id": "a", "expected": "x", "threshold": 0.6}"#));
}
