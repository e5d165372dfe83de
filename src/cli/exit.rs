//! Exit codes: every known end of a command, through one exhaustive match.

use std::process::ExitCode;

use thiserror::Error;

use crate::domain::gate::Verdict;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 0: pass, or no regression found.
    Passed,
    /// 1: the gate blocks (regression, lint error, policy not satisfied).
    Blocked,
    /// 2: the input is wrong (settings, prompt, golden set, arguments).
    WrongInput,
    /// 3: not measured (provider failure, budget).
    NotMeasured,
}

/// Exit code of a bug of ours (`EX_SOFTWARE`).
pub const BUG: u8 = 70;

/// What a command could not do. Anything that is neither of the first two is a bug of ours.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The user can mend it; the text ends with what to do.
    #[error("{0}")]
    Input(String),
    /// The world can mend it: a provider, the network, a database.
    #[error("{0}")]
    World(String),
    /// We have to mend it.
    #[error("{0}")]
    Bug(String),
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass | Verdict::NoRegressionFound => Self::Passed,
            Verdict::Regression => Self::Blocked,
            Verdict::NotMeasured => Self::NotMeasured,
        }
    }
}

/// The process's exit code.
#[must_use]
pub fn code(result: &Result<Outcome, CommandError>) -> ExitCode {
    ExitCode::from(match result {
        Ok(Outcome::Passed) => 0,
        Ok(Outcome::Blocked) => 1,
        Ok(Outcome::WrongInput) | Err(CommandError::Input(_)) => 2,
        Ok(Outcome::NotMeasured) | Err(CommandError::World(_)) => 3,
        Err(CommandError::Bug(_)) => BUG,
    })
}
