//! The arguments of the commands about one prompt file: `render` and `convert`. Knows how they are written, not what they do.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `promptops render`.
#[derive(Debug, Args)]
pub struct RenderArguments {
    /// Prompt file
    pub file: String,
    /// Values of variables
    #[arg(long, value_name = "JSON", group = "given")]
    pub vars: Option<String>,
    /// Dotprompt's data: {input, messages, docs, context}
    #[arg(long, value_name = "JSON", group = "given")]
    pub data: Option<String>,
    /// Take the values from this case of the prompt's golden set
    #[arg(long, value_name = "ID", group = "given")]
    pub case: Option<String>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = RenderFormat::Text, value_name = "FORMAT")]
    pub format: RenderFormat,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RenderFormat {
    /// For a terminal
    Text,
    /// For programs
    Json,
}

/// `promptops convert`.
#[derive(Debug, Args)]
pub struct ConvertArguments {
    /// The file; a prompt file takes its golden set along
    pub file: String,
    /// Folder to write to [default: beside the file]
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(long)]
    pub force: bool,
    /// Write although something is lost; what is lost is listed either way
    #[arg(long)]
    pub allow_losses: bool,
}
