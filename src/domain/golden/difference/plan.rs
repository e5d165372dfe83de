//! Which cases of two golden sets take part in a comparison, and in whose version. Knows not what a change means.

use std::collections::HashMap;

use crate::domain::gate::CaseKind;
use crate::domain::golden::{Case, GoldenSet};

/// One case of a comparison and how it stands between the two sets.
#[derive(Debug, Clone)]
pub struct PlannedCase {
    /// How it stands.
    pub kind: CaseKind,
    /// The definition that judges every side it is run on.
    pub case: Case,
    /// True for base's version of a case that head removed or edited: it goes on gating.
    pub from_base: bool,
}

/// The cases to run, in head's order, then those that only base has.
///
/// With `base_gates`, a case that head removed or edited is also run in base's version on both sides, so that a change
/// cannot pass by weakening the set that judges it.
#[must_use]
pub fn plan_cases(base: Option<&GoldenSet>, head: Option<&GoldenSet>, base_gates: bool) -> Vec<PlannedCase> {
    let base_cases = base.map_or(&[][..], |set| &set.cases);
    let head_cases = head.map_or(&[][..], |set| &set.cases);
    let by_id: HashMap<&str, &Case> = base_cases.iter().map(|case| (&*case.id, case)).collect();
    let mut planned = Vec::with_capacity(head_cases.len());
    let mut kept: HashMap<&str, bool> = HashMap::with_capacity(head_cases.len());
    for case in head_cases {
        let kind = match by_id.get(&*case.id) {
            None => CaseKind::New,
            Some(old) if old.definition == case.definition => CaseKind::Compared,
            Some(_) => CaseKind::Edited,
        };
        kept.insert(&case.id, kind == CaseKind::Compared);
        let mut case = case.clone();
        if let (CaseKind::Compared, true, Some(old)) = (kind, base_gates, by_id.get(&*case.id)) {
            // What is outside the definition but decides (must-pass, weight, cluster) is control too: base's counts.
            (case.must_pass, case.weight, case.cluster) = (old.must_pass, old.weight, old.cluster.clone());
        }
        planned.push(PlannedCase { kind, case, from_base: false });
    }
    for case in base_cases {
        let as_before = match kept.get(&*case.id) {
            Some(true) => continue,
            Some(false) => CaseKind::Edited,
            None => CaseKind::Removed,
        };
        if base_gates {
            planned.push(PlannedCase { kind: CaseKind::Compared, case: case.clone(), from_base: true });
        } else if as_before == CaseKind::Removed {
            planned.push(PlannedCase { kind: CaseKind::Removed, case: case.clone(), from_base: true });
        }
    }
    planned
}
