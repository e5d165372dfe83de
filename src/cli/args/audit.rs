//! The arguments of `promptops audit`. Knows how they are written, not what they do.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::domain::audit::chain::Pin;
use crate::domain::date::parse_day_or_time;
use crate::domain::ids::RepoName;

/// `promptops audit`.
#[derive(Debug, Args)]
pub struct AuditArguments {
    /// What to do with the log.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that no entry was changed, left out or put elsewhere; prints the last place and its digest
    Verify(AuditVerifyArguments),
    /// Write the entries as lines that can be checked again
    Export(AuditExportArguments),
}

/// `promptops audit verify`.
#[derive(Debug, Args)]
pub struct AuditVerifyArguments {
    /// Check an exported file instead of the database
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// What was noted of the log earlier: it must still stand there
    #[arg(long, value_name = "SEQ:DIGEST", value_parser = Pin::parse)]
    pub expect: Option<Pin>,
}

/// `promptops audit export`.
#[derive(Debug, Args)]
pub struct AuditExportArguments {
    /// How entries are written
    #[arg(long, value_enum, default_value_t = AuditFormat::Jsonl, value_name = "FORMAT")]
    pub format: AuditFormat,
    /// Write to FILE instead of printing
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Only entries from this day or time on, in UTC: 2026-11-01 or 2026-11-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = day_or_time)]
    pub since: Option<i64>,
    /// Only entries about this repository
    #[arg(long, value_name = "OWNER/NAME", value_parser = RepoName::parse)]
    pub repo: Option<RepoName>,
}

/// How exported entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// A JSON object per line
    Jsonl,
    /// A table for a spreadsheet
    Csv,
}

fn day_or_time(text: &str) -> Result<i64, String> {
    parse_day_or_time(text).ok_or_else(|| "write a day, 2026-11-01, or a time, 2026-11-01T12:00:00Z".to_owned())
}
