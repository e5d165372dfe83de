//! What differs between two lists of evaluators: which are dropped, added, replaced, or judge less strictly. Pairs them by
//! what they check, not by their places.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::{Edit, quoted};
use crate::domain::evaluator::{Evaluator, describe};
use crate::domain::ids::Digest;

/// Their definitions, whatever their order.
pub(super) fn sorted(evaluators: &[Evaluator]) -> Vec<Digest> {
    let mut definitions: Vec<Digest> = evaluators.iter().map(|evaluator| evaluator.definition).collect();
    definitions.sort_unstable();
    definitions
}

/// All edits from `base` to `head`. `graded`: the case passes by a mean score, to which one more evaluator may add.
pub(super) fn edits(base: &[Evaluator], head: &[Evaluator], graded: bool, edits: &mut Vec<Edit>) {
    let (base, head) = (base.iter().collect(), head.iter().collect());
    let (_, base, head) = paired(base, head, |evaluator| evaluator.definition.to_string());
    let (same_check, base, head) = paired(base, head, |evaluator| checked(evaluator, true));
    let (other_model, base, head) = paired(base, head, |evaluator| checked(evaluator, false));
    let (same_kind, base, head) =
        paired(base, head, |evaluator| format!("{} {}", evaluator.negated, describe(&evaluator.spec().check).0));
    for (before, after) in same_check.into_iter().chain(other_model) {
        model(before, after, edits);
        attributes(before, after, edits);
    }
    for (before, after) in same_kind {
        edits.push(Edit::weaker(format!("the evaluator {} replaces {}", named(after), named(before))));
        attributes(before, after, edits);
    }
    edits.extend(base.iter().map(|gone| Edit::weaker(format!("the evaluator {} is dropped", named(gone)))));
    edits.extend(head.iter().map(|new| Edit::of(graded, format!("the evaluator {} is added", named(new)))));
}

type Refs<'e> = Vec<&'e Evaluator>;

/// Pairs those with the same key in their order; gives the pairs, and what is left of both.
fn paired<'e>(
    base: Refs<'e>,
    head: Refs<'e>,
    key: impl Fn(&Evaluator) -> String,
) -> (Vec<(&'e Evaluator, &'e Evaluator)>, Refs<'e>, Refs<'e>) {
    let mut by_key: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (place, evaluator) in base.iter().enumerate() {
        by_key.entry(key(evaluator)).or_default().push_back(place);
    }
    let mut left: Vec<Option<&Evaluator>> = base.into_iter().map(Some).collect();
    let (mut pairs, mut unpaired) = (Vec::new(), Vec::new());
    for evaluator in head {
        let place = by_key.get_mut(&key(evaluator)).and_then(VecDeque::pop_front);
        match place.and_then(|place| left.get_mut(place)).and_then(Option::take) {
            Some(before) => pairs.push((before, evaluator)),
            None => unpaired.push(evaluator),
        }
    }
    (pairs, left.into_iter().flatten().collect(), unpaired)
}

/// Its kind and value as text, with or without the model that is asked.
fn checked(evaluator: &Evaluator, with_model: bool) -> String {
    let (kind, mut value) = describe(&evaluator.spec().check);
    if let (false, Value::Object(entries)) = (with_model, &mut value) {
        entries.shift_remove("model");
    }
    value.sort_all_objects();
    format!("{kind} {value}")
}

fn model(before: &Evaluator, after: &Evaluator, edits: &mut Vec<Edit>) {
    let name = |evaluator: &Evaluator| {
        let (_, value) = describe(&evaluator.spec().check);
        value.get("model").and_then(Value::as_str).map_or("the settings' own".to_owned(), quoted)
    };
    if checked(before, true) != checked(after, true) {
        let said = format!("the model that judges {} is {}, before: {}", named(after), name(after), name(before));
        edits.push(Edit::weaker(said));
    }
}

/// What else decides: whether it is turned round, its threshold and its weight. A metric only names a mean in reports.
fn attributes(before: &Evaluator, after: &Evaluator, edits: &mut Vec<Edit>) {
    let name = named(after);
    if before.negated != after.negated {
        let said = if after.negated { "must not hold any more" } else { "must hold, before: must not" };
        edits.push(Edit::weaker(format!("what the evaluator {} asks for {said}", named(before))));
    }
    if before.threshold.map(f64::to_bits) != after.threshold.map(f64::to_bits) {
        // A distance is kept as the score it stands for, so a lower one is less strict for every kind.
        let strictness = |evaluator: &Evaluator| evaluator.threshold.unwrap_or(f64::MIN_POSITIVE);
        let lowered = strictness(after) < strictness(before);
        let as_written = |evaluator: &Evaluator| {
            let number = evaluator.spec().threshold.or(evaluator.threshold);
            number.map_or("any above 0".to_owned(), |number| number.to_string())
        };
        let said = format!("the threshold of {name} is {}, before: {}", as_written(after), as_written(before));
        edits.push(Edit::of(lowered != after.negated || before.negated != after.negated, said));
    }
    if before.weight.to_bits() != after.weight.to_bits() {
        let (is, was) = (after.weight, before.weight);
        edits.push(Edit::weaker(format!("the weight of {name} is {is}, before: {was}")));
    }
    if before.metric != after.metric {
        edits.push(Edit::harmless(format!("{name} counts towards another metric")));
    }
}

fn named(evaluator: &Evaluator) -> String {
    quoted(&evaluator.name)
}
