//! The command line: parse, do, exit code. The only room that knows the argument parser.

mod action;
mod answers;
mod args;
mod audit;
mod convert;
#[cfg(feature = "demo")]
pub mod demo;
mod eval;
mod exit;
mod lint;
mod policy;
mod progress;
mod render;
mod serve;
mod server;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

pub use args::Arguments;
use args::Command;
pub use exit::{BUG, CommandError, Outcome};
pub use server::Server;

/// Parses the process's arguments; wrong ones, `--help` and `--version` end the process here.
#[must_use]
pub fn parse() -> Arguments {
    Arguments::parse()
}

/// Does what the arguments say, and gives the process's exit code.
pub async fn run(arguments: Arguments) -> ExitCode {
    let result = match &arguments.command {
        Command::Eval(arguments) => eval::run(arguments).await,
        Command::Action => Box::pin(action::run()).await,
        Command::Lint(arguments) => lint::run(arguments).await,
        Command::Render(arguments) => render::run(arguments).await,
        Command::Convert(arguments) => convert::run(arguments).await,
        Command::Policy(command) => policy::run(command).await,
        #[cfg(feature = "demo")]
        Command::Demo => demo::run().await,
        Command::Serve => serve::run().await,
        Command::Audit(arguments) => audit::run(arguments).await,
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

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
