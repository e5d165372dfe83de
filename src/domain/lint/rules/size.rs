//! `golden-set-too-small`: how many cases it takes to exclude a drop of the margin. Knows no other rule.

use std::collections::BTreeSet;

use crate::domain::golden::GoldenSet;
use crate::domain::lint::{Config, Finding, Rule, RuleId, Subject};
use crate::domain::stats::{Z_95, tango_lower};

/// Larger sets are not asked of anyone: with such a margin the rule is silent.
const MOST_CASES: u32 = 1_000_000;

/// The rule.
pub struct GoldenSetTooSmall;

impl Rule for GoldenSetTooSmall {
    fn id(&self) -> RuleId {
        RuleId::GoldenSetTooSmall
    }

    fn check(&self, subject: &Subject<'_>, config: &Config<'_>, found: &mut Vec<Finding>) {
        let Some(needed) = cases_needed(config.margin) else { return };
        for set in subject.members.iter().filter_map(|member| member.golden) {
            let independent = independent(set);
            if independent >= needed {
                continue;
            }
            let (one, several) = match set.cases.len() == independent as usize {
                true => ("case", "cases"),
                false => ("independent case", "independent cases"),
            };
            let cases = if independent == 1 { one } else { several };
            let message = message(&format!("{independent} {cases}"), config.margin, needed);
            let help = format!("add {} more, or widen `evaluation.margin`", needed - independent);
            found.push(Finding::of_file(self.id(), &set.path, message, help));
        }
    }
}

/// What the rule says of a set: `said` is its number of cases in words.
#[must_use]
pub fn message(said: &str, margin: f64, needed: u32) -> String {
    format!("{said}; to exclude a drop of {margin} takes {needed}, even if no case changes")
}

/// The parts of such a message: how many cases, the same in words, and what it takes.
#[must_use]
pub fn read(message: &str) -> Option<(u32, &str, &str)> {
    let (said, takes) = message.split_once("; ")?;
    Some((said.split_once(' ')?.0.parse().ok()?, said, takes))
}

/// The least number of cases whose bound is within the margin if none of them changes; `None` if no number is.
#[must_use]
pub fn cases_needed(margin: f64) -> Option<u32> {
    let enough = |cases: u32| tango_lower(0.0, 0.0, f64::from(cases), Z_95) >= -margin;
    let (mut low, mut high) = (0, 1);
    while !enough(high) {
        low = high;
        high = high.checked_mul(2).filter(|cases| *cases <= MOST_CASES)?;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// Cases of one cluster share a source: they count once.
fn independent(set: &GoldenSet) -> u32 {
    let clusters: BTreeSet<&str> = set.cases.iter().filter_map(|case| case.cluster.as_deref()).collect();
    let alone = set.cases.iter().filter(|case| case.cluster.is_none()).count();
    u32::try_from(alone + clusters.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lint::testing::Bench;
    use proptest::prelude::*;

    fn cases(count: u32, cluster: &str) -> String {
        (0..count).map(|n| format!("  - {{id: c{n}, vars: {{x: a}}, expected: y{cluster}}}\n")).collect()
    }

    #[track_caller]
    fn check(golden: &str, settings: &str, expected: &[&str]) {
        let file = "messages: [{role: user, content: \"{{x}}\"}]\n";
        Bench::new(file).golden(golden).settings(settings).expect("golden-set-too-small", expected);
    }

    #[test]
    fn it_says_how_many_cases_are_needed() {
        let small = |said: &str| format!("golden:- golden-set-too-small: {said}, even if no case changes");
        check(&format!("cases:\n{}", cases(51, "")), "", &[&small("51 cases; to exclude a drop of 0.05 takes 52")]);
        check(&format!("cases:\n{}", cases(52, "")), "", &[]);
        check(&format!("cases:\n{}", cases(11, "")), "evaluation: { margin: 0.2 }\n", &[]);
        check(
            &format!("cases:\n{}", cases(60, ", cluster: one")),
            "",
            &[&small("1 independent case; to exclude a drop of 0.05 takes 52")],
        );
        check(&format!("cases:\n{}", cases(3, "")), "evaluation: { margin: 0 }\n", &[]);
    }

    proptest! {
        #[test]
        fn it_is_the_least_number_that_is_enough(margin in 0.005_f64..1.0) {
            let needed = cases_needed(margin).unwrap();
            prop_assert!(tango_lower(0.0, 0.0, f64::from(needed), Z_95) >= -margin);
            prop_assert!(needed == 1 || tango_lower(0.0, 0.0, f64::from(needed - 1), Z_95) < -margin);
        }
    }
}
