//! One test to its cases: every combination of the values that its variables may have. Knows no prompt.

use serde_json::Value;

use super::test::VarValue;
use crate::domain::prompt::Vars;

/// Most cases that one test may make.
pub(super) const MAX_CASES: usize = 10_000;

/// The variables of one case, and those of them that tell it from the test's other cases.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Combination {
    pub vars: Vars,
    /// `language=French, text=Hello`; empty where the test makes one case only.
    pub told_apart_by: String,
}

/// Every combination, the last variable changing fastest.
///
/// # Errors
/// How many there would be, where they are too many.
pub(super) fn combinations(vars: Vec<(String, VarValue)>, expands: bool) -> Result<Vec<Combination>, usize> {
    let choices: Vec<(String, Vec<Value>)> =
        vars.into_iter().map(|(name, value)| (name, values(value, expands))).collect();
    let count = choices.iter().fold(1, |count: usize, (_, values)| count.saturating_mul(values.len()));
    if count > MAX_CASES {
        return Err(count);
    }
    let one = |mut number: usize| {
        let mut picked = Vec::with_capacity(choices.len());
        for (name, values) in choices.iter().rev() {
            picked.push((name, values, number % values.len().max(1)));
            number /= values.len().max(1);
        }
        picked.reverse();
        let several = picked.iter().filter(|(_, values, _)| values.len() > 1);
        let told: Vec<String> =
            several.filter_map(|(name, values, at)| Some(telling(name, values.get(*at)?))).collect();
        let vars = picked.iter().filter_map(|(name, values, at)| Some(((*name).clone(), values.get(*at)?.clone())));
        Combination { vars: vars.collect(), told_apart_by: told.join(", ") }
    };
    Ok((0..count).map(one).collect())
}

/// The values of a variable: of a list of texts each, of anything else itself.
fn values(value: VarValue, expands: bool) -> Vec<Value> {
    match value {
        VarValue::Files(values) => values,
        VarValue::One(Value::Array(items)) if expands && items.first().is_some_and(Value::is_string) => items,
        VarValue::One(value) => vec![value],
    }
}

/// A variable with its value, short enough for a name.
fn telling(name: &str, value: &Value) -> String {
    const SHORT: usize = 40;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() <= SHORT && !text.contains(char::is_control) {
        return format!("{name}={text}");
    }
    let digest = crate::domain::ids::Digest::of_parts([text.as_bytes()]).to_string();
    format!("{name}={}", &digest[..12])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(vars: &Value, expands: bool, expected: &[&str]) {
        let vars = vars.as_object().unwrap().iter();
        let vars = vars.map(|(name, value)| (name.clone(), VarValue::One(value.clone()))).collect();
        let found: Vec<String> = combinations(vars, expands)
            .unwrap()
            .into_iter()
            .map(|one| format!("{} {}", one.told_apart_by, serde_json::to_string(&one.vars).unwrap()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_list_of_texts_makes_a_case_of_each() {
        check(
            &json!({"lang": ["fr", "de"], "n": 1, "text": ["a", "b"]}),
            true,
            &[
                r#"lang=fr, text=a {"lang":"fr","n":1,"text":"a"}"#,
                r#"lang=fr, text=b {"lang":"fr","n":1,"text":"b"}"#,
                r#"lang=de, text=a {"lang":"de","n":1,"text":"a"}"#,
                r#"lang=de, text=b {"lang":"de","n":1,"text":"b"}"#,
            ],
        );
    }

    #[test]
    fn other_lists_stay_and_so_do_all_where_expansion_is_off() {
        check(&json!({"n": [1, 2]}), true, &[r#" {"n":[1,2]}"#]);
        check(&json!({"lang": ["fr", "de"]}), false, &[r#" {"lang":["fr","de"]}"#]);
        check(&json!({"lang": ["fr"]}), true, &[r#" {"lang":"fr"}"#]);
        check(&json!({}), true, &[" {}"]);
    }

    #[test]
    fn too_many_are_counted_and_not_made() {
        let list = VarValue::One(Value::Array(vec![json!("x"); 100]));
        let vars = ["a", "b", "c"].map(|name| (name.to_owned(), list.clone())).to_vec();
        assert_eq!(combinations(vars, true), Err(1_000_000));
        let vars = (0..64).map(|n| (n.to_string(), list.clone())).collect();
        assert_eq!(combinations(vars, true), Err(usize::MAX));
    }

    proptest! {
        #[test]
        fn there_are_as_many_as_the_product(sizes in proptest::collection::vec(1usize..5, 0..5)) {
            let list = |size: usize| VarValue::One((0..size).map(|n| json!(n.to_string())).collect());
            let vars = sizes.iter().enumerate().map(|(n, size)| (format!("v{n}"), list(*size))).collect();
            let found = combinations(vars, true).unwrap();
            let distinct: std::collections::HashSet<_> = found.iter().map(|one| one.vars.clone()).collect();
            prop_assert_eq!(distinct.len(), sizes.iter().product::<usize>());
        }
    }
}
