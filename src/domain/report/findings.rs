//! Findings as a terminal or a log lists them: each with the rule it comes from, many golden sets that are too small as one.
//! Knows no terminal.

use crate::domain::diagnostic::{Diagnostic, Severity};
use crate::domain::lint::{RuleId, too_small};

/// How the meaning of a rule is asked for.
pub const EXPLAIN: &str = "`promptops lint --explain RULE` says more of a rule in brackets";

/// From so many on, golden sets that are too small are told together.
const TOGETHER: usize = 3;
/// More of them are counted.
const NAMED_SETS: usize = 5;

/// The rule that a finding comes from, if lint can explain it.
#[must_use]
pub fn rule(finding: &Diagnostic) -> Option<&'static str> {
    RuleId::named(&finding.code).map(RuleId::name)
}

/// The findings as people read them; what reads files keeps to the findings as they are.
#[must_use]
pub fn for_people(findings: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut small: Vec<(u32, &str, &Diagnostic)> = findings.iter().filter_map(is_small).collect();
    small.sort_by_key(|(cases, _, finding)| (*cases, &finding.path));
    let Some(together) = (small.len() >= TOGETHER).then(|| together(&small)).flatten() else {
        return findings.to_vec();
    };
    let mut shown = Vec::with_capacity(findings.len());
    let mut together = Some(together);
    for finding in findings {
        match is_small(finding) {
            Some(_) => shown.extend(together.take()),
            None => shown.push(finding.clone()),
        }
    }
    shown
}

/// How many cases a finding counts, in words as well, if it is a warning of that rule.
fn is_small(finding: &Diagnostic) -> Option<(u32, &str, &Diagnostic)> {
    let of_rule = RuleId::named(&finding.code) == Some(RuleId::GoldenSetTooSmall);
    let (cases, said, _) = too_small::read(&finding.message).filter(|_| of_rule)?;
    (finding.severity == Severity::Warning).then_some((cases, said, finding))
}

/// One finding for all of them, at the smallest set.
fn together(small: &[(u32, &str, &Diagnostic)]) -> Option<Diagnostic> {
    let (_, worst, first) = small.first()?;
    let (_, _, needed) = too_small::read(&first.message)?;
    let others = small.iter().skip(1).take(NAMED_SETS - 1);
    let named: String = others.map(|(_, said, finding)| format!(", {} {said}", finding.path)).collect();
    let more = small.len().saturating_sub(NAMED_SETS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!("{} golden sets are too small; {needed}: this one has {worst}{named}{more}", small.len());
    let help = "add cases, the smallest set first, or widen `evaluation.margin`";
    Some(Diagnostic { message, help: Some(help.to_owned()), ..(*first).clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PromptPath;

    fn finding(code: &str, path: &str, message: &str) -> Diagnostic {
        Diagnostic::error(code, &PromptPath::parse(path).expect("a path"), message).into_warning()
    }

    fn small(path: &str, cases: u32) -> Diagnostic {
        finding("golden-set-too-small", path, &too_small::message(&format!("{cases} cases"), 0.05, 52))
    }

    #[track_caller]
    fn check(findings: &[Diagnostic], expected: &[&str]) {
        let shown: Vec<String> =
            for_people(findings).iter().map(|finding| format!("{}: {}", finding.path, finding.message)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn two_small_sets_are_told_each_and_three_together_the_smallest_first() {
        let told = "to exclude a drop of 0.05 takes 52, even if no case changes";
        check(
            &[small("a.csv", 7), small("b.csv", 2)],
            &[&format!("a.csv: 7 cases; {told}"), &format!("b.csv: 2 cases; {told}")],
        );
        check(
            &[
                finding("secret", "p", "x"),
                small("a.csv", 7),
                finding("secret", "q", "y"),
                small("b.csv", 2),
                small("c.csv", 5),
            ],
            &[
                "p: x",
                &format!(
                    "b.csv: 3 golden sets are too small; {told}: this one has 2 cases, c.csv 5 cases, a.csv 7 cases"
                ),
                "q: y",
            ],
        );
    }

    #[test]
    fn an_error_is_never_folded_and_many_are_counted() {
        let mut many: Vec<Diagnostic> = (10..20).map(|cases| small(&format!("{cases}.csv"), cases)).collect();
        many[3].severity = Severity::Error;
        let shown = for_people(&many);
        assert_eq!(shown.len(), 2);
        assert!(shown[0].message.ends_with("14.csv 14 cases, 15.csv 15 cases and 4 more"), "{}", shown[0].message);
        assert_eq!(shown[1], many[3]);
    }
}
