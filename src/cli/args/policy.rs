//! The arguments of `promptops policy`. Knows how they are written, not what they do.

use clap::{Args, Subcommand, ValueEnum};

use super::prompt::RenderFormat;

/// `promptops policy`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Say rule by rule what a policy makes of a pull request; nothing is written
    Explain(ExplainArguments),
    /// Run the tests of the policy, .github/promptops.tests.yml; no network, no keys
    Test(PolicyTestArguments),
}

/// `promptops policy explain`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("of").required(true).args(["pull", "facts"]))]
pub struct ExplainArguments {
    /// A live pull request; needs the app's id and key in the environment
    #[arg(long, value_name = "URL")]
    pub pull: Option<String>,
    /// Facts of an imagined pull request as in a policy test, or a stored run's as JSON
    #[arg(long, value_name = "FILE")]
    pub facts: Option<String>,
    /// Other settings than those that count: what would they decide? [default with --facts: .github/promptops.yml]
    #[arg(long, value_name = "FILE")]
    pub settings: Option<String>,
    /// The evaluation's verdict [default: the stored one, where PROMPTOPS_DATABASE_URL is set]
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub verdict: Option<VerdictArgument>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = RenderFormat::Text, value_name = "FORMAT")]
    pub format: RenderFormat,
}

/// A verdict, as results write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum VerdictArgument {
    /// Everything passes
    Pass,
    /// Nothing got worse that could be found
    NoRegressionFound,
    /// Something got worse
    Regression,
    /// Nothing could be said
    NotMeasured,
}

/// `promptops policy test`.
#[derive(Debug, Args)]
pub struct PolicyTestArguments {
    /// The tests [default: .github/promptops.tests.yml]
    pub file: Option<String>,
}
