//! The arguments of `promptops completions` and `promptops man`. Knows how they are written, not what they do.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// `promptops completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `promptops man`.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// Folder to write a page for each command to; it is created if need be
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}
