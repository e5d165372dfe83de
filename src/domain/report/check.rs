//! The two check runs as plain values: state, title, summary, text. Knows GitHub's limits, not its API.

use super::approval::{ApprovalState, ApprovalSummary};
use super::fit::{Block, Keep, Measure, fit};
use super::{Outcome, Report, markdown, words};
use crate::domain::gate::Verdict;
use crate::domain::untrusted::{Secrets, Untrusted};

/// Longest title that GitHub shows whole.
const TITLE: usize = 140;

/// GitHub takes 65,535 bytes of summary and as many of text.
const OUTPUT_BYTES: usize = 65_000;

/// How a check run ends. Never neutral nor skipped: GitHub counts those as passing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// Lets the merge through.
    Success,
    /// Holds the merge.
    Failure,
    /// Holds the merge until a person does something.
    ActionRequired,
    /// Holds the merge; another run took its place or none is needed.
    Cancelled,
}

/// Where a check run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// It waits for people.
    InProgress,
    /// It ended.
    Done(Conclusion),
}

/// What a check run says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckOutput {
    /// Where it stands.
    pub state: CheckState,
    /// One plain line.
    pub title: String,
    /// Markdown.
    pub summary: String,
    /// Markdown, where there is more to say.
    pub text: Option<String>,
}

impl Outcome {
    /// How the evaluation check ends.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        match self {
            Self::NothingGoverned
            | Self::Waived { .. }
            | Self::Overridden { .. }
            | Self::Measured(Verdict::Pass | Verdict::NoRegressionFound) => Conclusion::Success,
            Self::Measured(Verdict::Regression | Verdict::NotMeasured) | Self::Failed { .. } => Conclusion::Failure,
            Self::WaitsForRelease { .. } | Self::OverBudget { .. } | Self::BrokenFiles | Self::NeedsPerson { .. } => {
                Conclusion::ActionRequired
            }
            Self::Superseded | Self::Closed => Conclusion::Cancelled,
        }
    }
}

impl ApprovalState {
    /// Where the approval check stands.
    #[must_use]
    pub fn check(self) -> CheckState {
        match self {
            Self::Satisfied => CheckState::Done(Conclusion::Success),
            Self::Waiting => CheckState::InProgress,
            Self::ChangesRequested | Self::Undecidable => CheckState::Done(Conclusion::Failure),
        }
    }
}

/// The evaluation check.
#[must_use]
pub fn evaluation(report: &Report, secrets: &Secrets) -> CheckOutput {
    let details = markdown::details(report, secrets);
    CheckOutput {
        state: CheckState::Done(report.outcome.conclusion()),
        title: title(&words::headline(report), secrets),
        summary: fit(markdown::summary(report, secrets), OUTPUT_BYTES, Measure::Bytes),
        text: (!details.is_empty()).then(|| fit(details, OUTPUT_BYTES, Measure::Bytes)),
    }
}

/// The approval check.
#[must_use]
pub fn approval(approval: &ApprovalSummary, secrets: &Secrets) -> CheckOutput {
    let line = Untrusted::new(&approval.line, secrets).prose(500);
    let rules = markdown::approval_list(&approval.rules, secrets);
    CheckOutput {
        state: approval.state.check(),
        title: title(&approval.line, secrets),
        summary: whole(format!("{line}\n")),
        text: (!approval.rules.is_empty()).then(|| whole(rules)),
    }
}

fn whole(text: String) -> String {
    fit(vec![Block { keep: Keep::Always, text }], OUTPUT_BYTES, Measure::Bytes)
}

/// One line of at most 140 characters, the word on what is missing included.
fn title(line: &str, secrets: &Secrets) -> String {
    let line = Untrusted::new(line, secrets);
    let whole = line.line(TITLE);
    if whole.chars().count() <= TITLE {
        whole
    } else {
        line.line(TITLE - "… 99,999,999 more characters".chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::CommitSha;
    use crate::domain::report::sample;
    use proptest::prelude::*;

    fn none() -> Secrets {
        Secrets::default()
    }

    fn approval_of(state: ApprovalState, line: &str) -> ApprovalSummary {
        ApprovalSummary {
            state,
            line: line.to_owned(),
            rules: vec!["reviewer: 0 of 1, could be @mara".to_owned().into()],
        }
    }

    #[track_caller]
    fn check(outcome: Outcome, conclusion: Conclusion, title: &str) {
        let report = Report::new(outcome, Some("main".to_owned()), "head".to_owned());
        let output = evaluation(&report, &none());
        assert_eq!((output.state, output.title.as_str()), (CheckState::Done(conclusion), title));
    }

    #[test]
    fn every_outcome_ends_as_the_contract_says() {
        use Conclusion::{ActionRequired, Cancelled, Failure, Success};
        check(Outcome::NothingGoverned, Success, "No prompt, golden set or settings file is changed");
        check(Outcome::Measured(Verdict::NotMeasured), Failure, "Not measured: 0 of 0 cases got no answer");
        check(
            Outcome::Failed { message: "the provider is down".to_owned() },
            Failure,
            "Not measured: the provider is down",
        );
        let sha = CommitSha::parse(&"ab12cd3".repeat(6)[..40]).expect("a commit");
        check(
            Outcome::WaitsForRelease { sha },
            ActionRequired,
            "Not run yet: somebody with write permission has to release commit ab12cd3",
        );
        check(
            Outcome::OverBudget(Box::new(sample::over_budget())),
            ActionRequired,
            "Not run: it would cost about $3.50, the limit is $2.00 a run",
        );
        check(Outcome::BrokenFiles, ActionRequired, "Not run: 0 problems in the files to fix first");
        check(Outcome::Superseded, Cancelled, "Stopped: a newer commit took its place");
        check(Outcome::Closed, Cancelled, "Stopped: the pull request was closed");
    }

    #[test]
    fn a_regression_fails_and_a_waiver_says_who_and_why() {
        let mut report = sample::regression();
        let output = evaluation(&report, &none());
        assert_eq!(output.state, CheckState::Done(Conclusion::Failure));
        assert_eq!(output.title, "Regression: 3 of 48 cases got worse, 1 better");
        report.outcome = Outcome::Waived {
            verdict: Verdict::Regression,
            by: vec!["@mara".to_owned()],
            why: "legal wants the shorter text".to_owned(),
        };
        let output = evaluation(&report, &none());
        assert_eq!(output.state, CheckState::Done(Conclusion::Success));
        assert_eq!(
            output.title,
            "Regression: 3 of 48 cases got worse, 1 better, let through by @mara: legal wants the shorter text"
        );
    }

    #[test]
    fn approvals_wait_end_or_fail() {
        let waiting = approval(&approval_of(ApprovalState::Waiting, "Waiting for 1 of @acme/reviewers"), &none());
        assert_eq!(waiting.state, CheckState::InProgress);
        assert_eq!(waiting.title, "Waiting for 1 of @acme/reviewers");
        assert_eq!(waiting.summary, "Waiting for 1 of `@acme/reviewers`\n");
        assert_eq!(waiting.text.as_deref(), Some("- reviewer: 0 of 1, could be `@mara`\n"));
        for (state, conclusion) in [
            (ApprovalState::Satisfied, Conclusion::Success),
            (ApprovalState::ChangesRequested, Conclusion::Failure),
            (ApprovalState::Undecidable, Conclusion::Failure),
        ] {
            assert_eq!(approval(&approval_of(state, "x"), &none()).state, CheckState::Done(conclusion));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn titles_and_texts_keep_to_the_limits(message in "[a-z@`ü😀\n]{0,40}", times in 1usize..30) {
            let mut report = Report::new(Outcome::Closed, None, "head".to_owned());
            report.outcome = Outcome::Failed { message: message.repeat(times) };
            report.notes = vec![message.repeat(times); 40];
            report.prompts = vec![sample::prompt(); times];
            let output = evaluation(&report, &none());
            prop_assert!(output.title.chars().count() <= 140);
            prop_assert!(output.summary.len() <= 65_535);
            prop_assert!(output.text.is_none_or(|text| text.len() <= 65_535));
        }
    }
}
