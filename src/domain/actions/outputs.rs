//! What later steps of a workflow can read: a few plain values. Knows no file.

use super::End;
use super::commands::output;
use crate::domain::gate::Verdict;
use crate::domain::gate::verdict::CaseStatus;
use crate::domain::report::{PromptReport, Report};

/// The outputs of the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outputs {
    verdict: &'static str,
    score: Option<String>,
    broken: usize,
    fixed: usize,
    cost_usd: String,
}

impl Outputs {
    /// What a report comes to, and how its run ended.
    #[must_use]
    pub fn of(report: &Report, end: End) -> Self {
        let cases = || report.prompts.iter().flat_map(|prompt| &prompt.cases);
        let count = |status| cases().filter(|case| case.status == status).count();
        let spent = report.prompts.iter().flat_map(|prompt| &prompt.usage).map(|usage| usage.cost_usd);
        // The sum of nothing would be written as -0.
        let cost = spent.fold(0.0, |sum, usd| sum + usd);
        Self {
            verdict: match end {
                End::Passed if report.verdict() == Verdict::NoRegressionFound => "no_regression_found",
                End::Passed => "pass",
                End::Blocked => "regression",
                End::NotMeasured => "not_measured",
                End::WrongInput => "wrong_input",
            },
            score: score(report).map(|score| format!("{score:.4}")),
            broken: count(CaseStatus::Broken),
            fixed: count(CaseStatus::Fixed),
            cost_usd: format!("{cost:.6}"),
        }
    }

    /// The text for the outputs' file; `delimiter` must not be guessable.
    #[must_use]
    pub fn text(&self, report_file: &str, delimiter: &str) -> String {
        let values = [
            ("verdict", self.verdict.to_owned()),
            ("score", self.score.clone().unwrap_or_default()),
            ("broken", self.broken.to_string()),
            ("fixed", self.fixed.to_string()),
            ("cost-usd", self.cost_usd.clone()),
            ("report-file", report_file.to_owned()),
        ];
        values.iter().map(|(name, value)| output(name, value, delimiter)).collect()
    }
}

/// Head's mean score: each prompt's by the number of its cases that were measured.
fn score(report: &Report) -> Option<f64> {
    let measured = |prompt: &PromptReport| {
        prompt.cases.iter().filter(|case| case.head.as_ref().is_some_and(|head| head.trials > 0)).count() as f64
    };
    let scores: Vec<(f64, f64)> =
        report.prompts.iter().filter_map(|prompt| Some((prompt.head_score?, measured(prompt)))).collect();
    let weight: f64 = scores.iter().map(|(_, weight)| weight).sum();
    (weight > 0.0).then(|| scores.iter().map(|(score, weight)| score * weight).sum::<f64>() / weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::report::Outcome;

    #[test]
    fn a_report_without_measurements_has_no_score() {
        let report = Report::new(Outcome::BrokenFiles, None, "head".to_owned());
        assert_eq!(
            Outputs::of(&report, End::WrongInput).text("/tmp/r.json", "END"),
            "verdict<<END\nwrong_input\nEND\nscore<<END\n\nEND\nbroken<<END\n0\nEND\nfixed<<END\n0\nEND\n\
             cost-usd<<END\n0.000000\nEND\nreport-file<<END\n/tmp/r.json\nEND\n"
        );
    }
}
