//! The arguments of `promptops init`. Knows how they are written, not what they do.

use clap::Args;

/// `promptops init`.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// Ask nothing: take the defaults and the options given (so it is without a terminal)
    #[arg(long, short)]
    pub yes: bool,
    /// Model of prompts that name none [default: the one that most prompts name]
    #[arg(long, value_name = "PROVIDER/NAME")]
    pub model: Option<String>,
    /// Team or person who approves changes, as @org/team or @login
    #[arg(long, value_name = "@ORG/TEAM")]
    pub team: Option<String>,
    /// Write no workflow
    #[arg(long)]
    pub no_workflow: bool,
    /// Write a starter prompt with a golden set if there is no prompt
    #[arg(long)]
    pub example: bool,
    /// Print what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Create the GitHub App that the service runs as, with a browser
    #[arg(long, requires = "url", conflicts_with_all = ["yes", "model", "team", "no_workflow", "example", "dry_run"])]
    pub app: bool,
    /// Where GitHub reaches the service; webhooks go to /webhooks/github below
    #[arg(long, value_name = "URL", requires = "app")]
    pub url: Option<String>,
    /// Organisation that owns the App [default: you]
    #[arg(long, value_name = "NAME", requires = "app")]
    pub org: Option<String>,
    /// Let other accounts install the App
    #[arg(long, requires = "app")]
    pub public: bool,
    /// Print the App's manifest as JSON, and do nothing else
    #[arg(long, requires = "app")]
    pub manifest: bool,
}
