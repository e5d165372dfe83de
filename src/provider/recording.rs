//! The recording file: one JSON line per answer. Shared by recorder and replay, which know nothing of each other.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{Digest, ModelId};
use crate::engine::provider::Completion;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line<C = Completion> {
    /// The key of the question and sample.
    pub key: Digest,
    /// Who answered; for people. `None` for an answer that came from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelId>,
    /// The answer.
    pub completion: C,
}

/// Why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be opened or read.
    #[error("cannot open the recording {}: check the path", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is not an answer.
    #[error("line {line} of the recording {} is not an answer: record again with --record", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}
