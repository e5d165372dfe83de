//! The command line: parse, do, exit code. The only room that knows the argument parser.

mod args;
#[cfg(feature = "demo")]
mod demo;
mod eval;
mod exit;
mod lint;
mod progress;
mod serve;
mod show;

use std::process::ExitCode;

use clap::Parser;

pub use args::Arguments;
use args::Command;
pub use exit::{BUG, CommandError, Outcome};

use crate::config::Environment;

/// Parses the process's arguments; wrong ones, `--help` and `--version` end the process here.
#[must_use]
pub fn parse() -> Arguments {
    Arguments::parse()
}

/// Does what the arguments say, and gives the process's exit code.
pub async fn run(arguments: Arguments) -> ExitCode {
    let environment = Environment::of_process();
    let result = match &arguments.command {
        Command::Eval(arguments) => eval::run(arguments, &environment).await,
        Command::Lint(arguments) => lint::run(arguments).await,
        #[cfg(feature = "demo")]
        Command::Demo => demo::run().await,
        Command::Serve => serve::run(&environment).await,
    };
    if let Err(error) = &result {
        show::error(&error.to_string());
        if matches!(error, CommandError::Bug(_)) {
            show::error("this is a bug of promptops; please report it with the command you ran");
        }
    }
    exit::code(&result)
}
