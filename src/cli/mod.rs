//! The command line: parse, do, exit code. The only room that knows the argument parser.

mod args;
mod eval;
mod exit;
mod lint;
mod progress;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

pub use args::Arguments;
use args::Command;
pub use exit::{BUG, CommandError, Outcome};

/// Parses the process's arguments; wrong ones, `--help` and `--version` end the process here.
#[must_use]
pub fn parse() -> Arguments {
    Arguments::parse()
}

/// Does what the arguments say, and gives the process's exit code.
pub async fn run(arguments: Arguments) -> ExitCode {
    let result = match &arguments.command {
        Command::Eval(arguments) => eval::run(arguments).await,
        Command::Lint(arguments) => lint::run(arguments).await,
    };
    if let Err(error) = &result {
        show::error(&error.to_string());
        if matches!(error, CommandError::Bug(_)) {
            show::error("this is a bug of promptops; please report it with the command you ran");
        }
    }
    exit::code(&result)
}

/// The folder the command was called in.
fn folder() -> Result<PathBuf, CommandError> {
    std::env::current_dir().map_err(|error| CommandError::World(format!("cannot tell the current folder: {error}")))
}
