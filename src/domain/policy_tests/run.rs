//! Decides each test as a pull request would be decided, and says where the decision differs from what is expected.

use super::{PolicyTest, Stands, TestFile, imagine};
use crate::domain::diagnostic::Location;
use crate::domain::gate::Verdict;
use crate::domain::governed::{Governed, InvalidPattern};
use crate::domain::policy::decision::{Applies, Decision, RuleOutcome, State};
use crate::domain::policy::{self, Policy};
use crate::domain::reader::suggestion;
use crate::domain::report::ApprovalSummary;
use crate::domain::settings::Settings;

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The test's name.
    pub name: String,
    /// Where it stands.
    pub at: Location,
    /// One sentence per difference; empty: it passed.
    pub differences: Vec<String>,
}

impl Outcome {
    /// Whether the decision is the expected one.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs the tests against settings.
///
/// # Errors
/// When a glob of the settings cannot be read; validated settings have none.
pub fn run(file: &TestFile, settings: &Settings) -> Result<Vec<Outcome>, InvalidPattern> {
    let governed = Governed::new(settings)?;
    Ok(file.tests.iter().map(|test| one(file, test, &settings.policy, &governed)).collect())
}

fn one(file: &TestFile, test: &PolicyTest, policy: &Policy, governed: &Governed) -> Outcome {
    let ended = |differences| Outcome { name: test.name.clone(), at: test.at, differences };
    let imagined = match imagine(&file.people, &test.scenario, policy, &|path| governed.classify(path)) {
        Ok(imagined) => imagined,
        Err(error) => return ended(vec![error.to_string()]),
    };
    let verdict = test.scenario.verdict;
    let decision = policy::decide(policy, &imagined.facts, verdict);
    let mut differences = differences(test, &decision, verdict);
    if !differences.is_empty() {
        let hint =
            |team| format!("{team} is not listed under `teams`, so it counts as a team that cannot be read: list it");
        differences.extend(imagined.unlisted.iter().map(hint));
    }
    ended(differences)
}

fn differences(test: &PolicyTest, decision: &Decision, verdict: Option<Verdict>) -> Vec<String> {
    let summary = ApprovalSummary::of(decision);
    let mut found = Vec::new();
    let stands = of_state(decision.state);
    if let Some(expected) = test.expect.approval.filter(|expected| *expected != stands) {
        found.push(format!("approval: expected {}, got {}: {}", expected.word(), stands.word(), summary.line));
    }
    let passes = passes(decision, verdict);
    if let Some(expected) = test.expect.passes.filter(|expected| *expected != passes) {
        let word = |passes: bool| if passes { "passes" } else { "blocked" };
        let why = verdict.map_or("it has no verdict yet", |verdict| match decision.waiver {
            Some(_) => "rules on the verdict let it pass",
            None if matches!(verdict, Verdict::Regression | Verdict::NotMeasured) => {
                "no satisfied rule names its verdict"
            }
            None => "its verdict blocks nothing",
        });
        found.push(format!("evaluation: expected {}, got {}: {why}", word(expected), word(passes)));
    }
    for (name, expected) in &test.expect.rules {
        let Some(rule) = decision.rules.iter().find(|rule| *rule.name == **name) else {
            let known: Vec<&str> = decision.rules.iter().map(|rule| &*rule.name).collect();
            found.push(format!("no rule is named `{name}`; {}", suggestion(name, &known)));
            continue;
        };
        let stands = of_rule(rule);
        if stands != *expected {
            let said = summary.rules.iter().filter(|line| line.text.starts_with(&format!("{name}:")));
            let said: Vec<&str> = said.map(|line| line.text.as_str()).collect();
            let words = (expected.word(), stands.word());
            found.push(format!("rule `{name}`: expected {}, got {}: {}", words.0, words.1, said.join(" ")));
        }
    }
    found
}

/// Whether the evaluation check succeeds.
pub(super) fn passes(decision: &Decision, verdict: Option<Verdict>) -> bool {
    match verdict {
        Some(Verdict::Pass | Verdict::NoRegressionFound) => true,
        Some(Verdict::Regression | Verdict::NotMeasured) => decision.waiver.is_some() || decision.is_overridden(),
        None => false,
    }
}

fn of_rule(rule: &RuleOutcome) -> Stands {
    match rule.applies {
        Applies::No => Stands::DoesNotApply,
        Applies::Yes | Applies::OnceEvaluated => of_state(rule.state),
    }
}

fn of_state(state: State) -> Stands {
    match state {
        State::Satisfied => Stands::Satisfied,
        State::Pending => Stands::Waiting,
        State::ChangesRequested => Stands::ChangesRequested,
        State::Undecidable => Stands::Undecidable,
    }
}
