//! The arguments of `promptops demo`. Knows how they are written, not what they do.

use std::path::PathBuf;

use clap::Args;

/// `promptops demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Also write each step's comment (Markdown) and checks (JSON) into this folder
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}
