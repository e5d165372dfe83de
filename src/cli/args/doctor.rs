//! The arguments of `promptops doctor`. Knows how they are written, not what they do.

use clap::Args;

use super::RenderFormat;

/// `promptops doctor`.
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Ask each model provider whether it accepts the key, and GitHub whether it answers; costs nothing
    #[arg(long)]
    pub online: bool,
    /// Look at what this repository requires before a merge; needs the app's id and key in the environment
    #[arg(long, value_name = "OWNER/NAME")]
    pub repo: Option<String>,
    /// Look at this branch too, besides the default one
    #[arg(long, value_name = "BRANCH", requires = "repo")]
    pub branch: Option<String>,
    /// What is printed
    #[arg(long, value_enum, default_value_t = RenderFormat::Text, value_name = "FORMAT")]
    pub format: RenderFormat,
}
