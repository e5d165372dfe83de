//! The arguments of `promptops lint`. Knows how they are written, not what they do.

use clap::{Args, ValueEnum};

/// `promptops lint`.
#[derive(Debug, Args)]
pub struct LintArguments {
    /// Prompt files, folders or globs; every governed prompt if none is given
    pub paths: Vec<String>,
    /// Compare with this Git revision: what changed wants a higher version
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// Settings file [default: .github/promptops.yml]
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = LintFormat::Text, value_name = "FORMAT")]
    pub format: LintFormat,
    /// List the rules with their levels
    #[arg(long, conflicts_with_all = ["paths", "base", "explain"])]
    pub rules: bool,
    /// Say what a rule looks at and what to do
    #[arg(long, value_name = "RULE", conflicts_with_all = ["paths", "base"])]
    pub explain: Option<String>,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LintFormat {
    /// For a terminal, with the lines meant, on standard error
    Text,
    /// promptops.lint/v1
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}
