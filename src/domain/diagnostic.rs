//! What is wrong with a file from outside, where, and what to do. Knows no file system: the source text is handed in.

use serde::{Deserialize, Serialize};

use super::ids::PromptPath;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look; changes no verdict.
    Warning,
    /// The file cannot be used as it is.
    Error,
}

/// A place in a file; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// First line.
    pub line: u32,
    /// First column on that line.
    pub column: u32,
    /// How many characters of that line are meant; 0 when unknown.
    pub length: u32,
}

/// One finding about one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable kebab-case name of the kind of finding, for instance `duplicate-key`.
    pub code: String,
    /// Error or warning.
    pub severity: Severity,
    /// The file.
    pub path: PromptPath,
    /// The place, where there is one.
    pub location: Option<Location>,
    /// A lower-case fragment that names the thing. Outside text in it is quoted as it was: renderings escape it.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The line of source at `location`, cut to a bearable length.
    pub excerpt: Option<String>,
}
