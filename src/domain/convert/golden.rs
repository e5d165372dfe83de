//! A golden set as our own YAML has it. Knows no file system.

use serde_json::{Map, Value, json};

use super::{Loss, evaluators, number};
use crate::domain::evaluator::Evaluator;
use crate::domain::evaluator::spec::CheckSpec;
use crate::domain::golden::{Case, GoldenSet, MustPass};

/// The file's content: what all cases share is written once.
pub(super) fn write(set: &GoldenSet, prompts: usize, losses: &mut Vec<Loss>) -> Value {
    let shared = shared(set, prompts);
    let mut file = Map::new();
    if shared > 0
        && let Some(case) = set.cases.first()
    {
        file.insert("evaluators".to_owned(), json!(evaluators(&case.evaluators[..shared], losses)));
    }
    let cases: Vec<Value> = set.cases.iter().map(|case| write_case(case, shared, losses)).collect();
    file.insert("cases".to_owned(), Value::Array(cases));
    Value::Object(file)
}

/// How many evaluators all cases start with. A single case shares those of its prompt.
fn shared(set: &GoldenSet, prompts: usize) -> usize {
    let [first, rest @ ..] = set.cases.as_slice() else { return 0 };
    if set.cases.iter().all(is_implied) {
        return 0;
    }
    let same = |a: &Evaluator, b: &Evaluator| a.definition == b.definition && a.name == b.name;
    let common =
        |case: &Case| first.evaluators.iter().zip(case.evaluators.iter()).take_while(|(a, b)| same(a, b)).count();
    let alone = prompts.min(first.evaluators.len());
    rest.iter().map(common).min().unwrap_or(alone)
}

/// Whether a case says no more than its `expected`.
fn is_implied(case: &Case) -> bool {
    let plain = |evaluator: &Evaluator| {
        let spec = evaluator.spec();
        spec.check == CheckSpec::Equals(None) && spec.weight.is_none() && spec.metric.is_none() && spec.name.is_none()
    };
    case.expected.is_some() && matches!(&*case.evaluators, [only] if plain(only))
}

fn write_case(case: &Case, shared: usize, losses: &mut Vec<Loss>) -> Value {
    // The line and the hash follow from the rest.
    let Case { id, vars, expected, must_pass, weight, tags, cluster, evaluators: own, .. } = case;
    let Case { threshold, sets, line: _, definition: _, .. } = case;
    if !sets.is_empty() {
        let what = format!("case `{id}` has evaluators that count as one, which a golden set cannot say");
        losses.push(Loss { at: None, what });
    }
    let mut written = Map::new();
    written.insert("id".to_owned(), json!(&**id));
    if !vars.is_empty() {
        written.insert("vars".to_owned(), json!(**vars));
    }
    if let Some(expected) = expected {
        written.insert("expected".to_owned(), json!(&**expected));
    }
    if let Some(must_pass) = must_pass {
        let word = match must_pass {
            MustPass::Always => "always",
            MustPass::Reliably => "reliably",
        };
        written.insert("must_pass".to_owned(), json!(word));
    }
    if (weight - 1.0).abs() > f64::EPSILON {
        written.insert("weight".to_owned(), number(*weight));
    }
    if !tags.is_empty() {
        written.insert("tags".to_owned(), json!(**tags));
    }
    if let Some(threshold) = threshold {
        written.insert("threshold".to_owned(), number(*threshold));
    }
    if let Some(cluster) = cluster {
        written.insert("cluster".to_owned(), json!(&**cluster));
    }
    let own = &own[shared..];
    let follows = shared == 0 && is_implied(case);
    if !own.is_empty() && !follows {
        written.insert("evaluators".to_owned(), json!(evaluators(own, losses)));
    }
    Value::Object(written)
}
