//! What differs between two versions of one case, and whether each difference makes it easier to pass. Knows no set.

use super::evaluators;
use super::{Edit, MAX_EDITS, quoted};
use crate::domain::golden::{Case, MustPass};
use crate::domain::ids::Digest;
use crate::domain::prompt::Vars;

/// All edits from `base` to `head`; empty if head's case decides as base's does.
pub(super) fn edits(base: &Case, head: &Case) -> Vec<Edit> {
    let mut edits = Vec::new();
    if base.definition != head.definition {
        vars(&base.vars, &head.vars, &mut edits);
        edits.extend(expected(base.expected.as_deref(), head.expected.as_deref()));
        let graded = base.threshold.is_some() || head.threshold.is_some();
        evaluators::edits(&base.evaluators, &head.evaluators, graded, &mut edits);
        if groups(base) != groups(head) {
            edits.push(Edit::weaker("which of its evaluators count as one, or how much they weigh together, changed"));
        }
        edits.extend(threshold(base.threshold, head.threshold));
        if edits.is_empty() && evaluators::sorted(&base.evaluators) == evaluators::sorted(&head.evaluators) {
            edits.push(Edit::harmless("its evaluators stand in another order"));
        }
        if edits.is_empty() {
            edits.push(Edit::weaker("it is defined otherwise"));
        }
    }
    edits.extend(must_pass(base.must_pass, head.must_pass));
    if base.weight.to_bits() != head.weight.to_bits() {
        // More weight for one case is less for all others.
        edits.push(Edit::weaker(format!("its weight is {}, before: {}", head.weight, base.weight)));
    }
    if base.cluster != head.cluster {
        let name = |cluster: Option<&str>| cluster.map_or("none".to_owned(), quoted);
        let (before, after) = (name(base.cluster.as_deref()), name(head.cluster.as_deref()));
        edits.push(Edit::weaker(format!("its cluster is {after}, before: {before}")));
    }
    if base.tags != head.tags {
        edits.push(Edit::harmless("its tags changed"));
    }
    bounded(edits)
}

fn bounded(mut edits: Vec<Edit>) -> Vec<Edit> {
    if edits.len() > MAX_EDITS {
        let rest = edits.split_off(MAX_EDITS);
        let weakens = rest.iter().any(|edit| edit.weakens);
        edits.push(Edit::of(weakens, format!("and {} more edits", rest.len())));
    }
    edits
}

/// Other inputs ask for another answer, so any change of them counts as weaker.
fn vars(base: &Vars, head: &Vars, edits: &mut Vec<Edit>) {
    for (name, before) in base {
        // As JSON: 3 and "3" differ, and the order of a mapping's keys shows in a prompt.
        let before = before.to_string();
        match head.get(name).map(ToString::to_string) {
            Some(after) if after == before => {}
            Some(after) => {
                let (name, before, after) = (quoted(name), quoted(&before), quoted(&after));
                edits.push(Edit::weaker(format!("the variable {name} is {after}, before: {before}")));
            }
            None => edits.push(Edit::weaker(format!("the variable {} is removed", quoted(name)))),
        }
    }
    let new = head.keys().filter(|name| !base.contains_key(name));
    edits.extend(new.map(|name| Edit::weaker(format!("the variable {} is new", quoted(name)))));
}

fn expected(base: Option<&str>, head: Option<&str>) -> Option<Edit> {
    let said = match (base, head) {
        (before, after) if before == after => return None,
        (Some(before), Some(after)) => format!("expected is {}, before: {}", quoted(after), quoted(before)),
        (Some(before), None) => format!("expected {} is removed", quoted(before)),
        (None, after) => format!("expected {} is new", quoted(after.unwrap_or_default())),
    };
    Some(Edit::weaker(said))
}

/// A score from which a case passes whatever its evaluators say is not comparable with "every evaluator must pass".
fn threshold(base: Option<f64>, head: Option<f64>) -> Option<Edit> {
    match (base, head) {
        (before, after) if before.map(f64::to_bits) == after.map(f64::to_bits) => None,
        (Some(before), Some(after)) => {
            let word = if after < before { "lowered" } else { "raised" };
            let said = format!("its threshold is {word} from {before} to {after}");
            Some(Edit::of(after < before, said))
        }
        (Some(before), None) => {
            Some(Edit::weaker(format!("its threshold {before} is removed; every evaluator must pass instead")))
        }
        (None, after) => {
            let after = after.unwrap_or_default();
            Some(Edit::weaker(format!("it passes from the score {after} on, before: when every evaluator passed")))
        }
    }
}

fn must_pass(base: Option<MustPass>, head: Option<MustPass>) -> Option<Edit> {
    let rank = |must_pass| match must_pass {
        None => 0,
        Some(MustPass::Reliably) => 1,
        Some(MustPass::Always) => 2,
    };
    let word = |must_pass| match must_pass {
        None => "absent",
        Some(MustPass::Reliably) => "reliably",
        Some(MustPass::Always) => "always",
    };
    let said = format!("must_pass is {}, before: {}", word(head), word(base));
    (base != head).then(|| Edit::of(rank(head) < rank(base), said))
}

/// The evaluators that count as one, by what they are and not by where they stand.
fn groups(case: &Case) -> Vec<(u64, Option<u64>, Vec<Digest>)> {
    let mut groups: Vec<_> = case
        .sets
        .iter()
        .map(|set| {
            let members = case.evaluators.iter().skip(set.first).take(set.count).map(|member| member.definition);
            let mut members: Vec<Digest> = members.collect();
            members.sort_unstable();
            (set.weight.to_bits(), set.threshold.map(f64::to_bits), members)
        })
        .collect();
    groups.sort_unstable();
    groups
}
