//! Budgets and what a run would cost of them: figures and the sentences about them. Knows no price and no store.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::{ModelId, PromptPath};

/// What may be spent, each part in USD; an absent one is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Budgets {
    /// By one run.
    pub run_usd: Option<f64>,
    /// By all runs of one pull request.
    pub pull_request_usd: Option<f64>,
    /// By all runs of a repository on one day (UTC).
    pub day_usd: Option<f64>,
    /// By all runs of one author's pull requests on one day (UTC).
    pub author_day_usd: Option<f64>,
}

/// Which part of the budgets is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// `run_usd`, or `--max-cost`.
    Run,
    /// `pull_request_usd`.
    PullRequest,
    /// `day_usd`.
    Day,
    /// `author_day_usd`.
    AuthorDay,
}

impl Budget {
    /// The key in the settings.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Run => "run_usd",
            Self::PullRequest => "pull_request_usd",
            Self::Day => "day_usd",
            Self::AuthorDay => "author_day_usd",
        }
    }

    /// What it limits, after a sum: `$2.00 a run`.
    #[must_use]
    pub fn per(self) -> &'static str {
        match self {
            Self::Run => "a run",
            Self::PullRequest => "a pull request",
            Self::Day => "a day",
            Self::AuthorDay => "an author and day",
        }
    }
}

/// A budget that does not suffice, with the figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverBudget {
    /// Which.
    pub budget: Budget,
    /// How much it is.
    pub limit_usd: f64,
    /// What is spent of it.
    pub spent_usd: f64,
    /// What runs that are under way have reserved of it.
    pub reserved_usd: f64,
    /// What was asked for on top.
    pub needed_usd: f64,
    /// Whether calls had been made when it was found.
    pub began: bool,
    /// What the whole run was expected to cost.
    pub estimate: Option<Estimate>,
}

impl fmt::Display for OverBudget {
    /// One line without a full stop, in lower case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, per) = (usd(self.limit_usd), self.budget.per());
        if self.began {
            write!(f, "the run was stopped: its next calls need about {}", usd(self.needed_usd))?;
        } else {
            write!(f, "the run would cost about {}", usd(self.needed_usd))?;
        }
        if !self.began && self.spent_usd == 0.0 && self.reserved_usd == 0.0 {
            return write!(f, ", the limit is {limit} {per}");
        }
        write!(f, ", and of the {limit} {per} {} are spent", usd(self.spent_usd))?;
        if self.reserved_usd > 0.0 {
            write!(f, " and {} reserved by runs under way", usd(self.reserved_usd))?;
        }
        Ok(())
    }
}

/// What a run is expected to ask and to cost, answers that are known left out. Runs that the results call for (fresh runs of
/// cases that seem to break) come on top.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Estimate {
    /// The prompts, in the order of the plan.
    pub prompts: Vec<PromptEstimate>,
}

/// The same of one prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptEstimate {
    /// Its file.
    pub path: PromptPath,
    /// What its author calls it.
    pub name: String,
    /// Cases that are run.
    pub cases: usize,
    /// 2 with a base, else 1.
    pub sides: u32,
    /// Samples per case and side.
    pub trials: u32,
    /// Questions to ask, judges' included.
    pub calls: u64,
    /// Answers that are known and cost nothing, those that two trials share included.
    pub known: u64,
    /// Tokens of the questions.
    pub input_tokens: u64,
    /// Tokens of the answers.
    pub output_tokens: u64,
    /// USD, the models without a price left out.
    pub usd: f64,
    /// Models whose price is not known.
    pub unpriced: Vec<ModelId>,
}

impl Estimate {
    /// USD in total.
    #[must_use]
    pub fn usd(&self) -> f64 {
        self.prompts.iter().map(|prompt| prompt.usd).sum()
    }

    /// Questions in total.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.prompts.iter().map(|prompt| prompt.calls).sum()
    }

    /// All models without a known price, each once.
    #[must_use]
    pub fn unpriced(&self) -> Vec<ModelId> {
        let mut models: Vec<ModelId> = self.prompts.iter().flat_map(|prompt| &prompt.unpriced).cloned().collect();
        models.sort();
        models.dedup();
        models
    }
}

/// Cents, and more places where it is less than ten of them.
#[must_use]
pub fn usd(amount: f64) -> String {
    match amount {
        amount if amount == 0.0 || amount >= 0.1 => format!("${amount:.2}"),
        amount if amount >= 0.001 => format!("${amount:.4}"),
        amount => format!("${amount:.7}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(budget: Budget, (spent, reserved, needed): (f64, f64, f64), began: bool, expected: &str) {
        let (limit_usd, estimate) = (2.0, None);
        let over = OverBudget {
            budget,
            limit_usd,
            spent_usd: spent,
            reserved_usd: reserved,
            needed_usd: needed,
            began,
            estimate,
        };
        assert_eq!(over.to_string(), expected);
    }

    #[test]
    fn the_figures_are_said_in_one_line() {
        let (run, day) = (Budget::Run, Budget::Day);
        check(run, (0.0, 0.0, 3.5), false, "the run would cost about $3.50, the limit is $2.00 a run");
        check(
            day,
            (1.5, 0.25, 0.4),
            false,
            "the run would cost about $0.40, and of the $2.00 a day $1.50 are spent and $0.25 reserved by runs under way",
        );
        check(
            run,
            (1.99, 0.0, 0.02),
            true,
            "the run was stopped: its next calls need about $0.0200, and of the $2.00 a run $1.99 are spent",
        );
    }
}
