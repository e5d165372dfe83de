//! Answers from a recording, in any order. Knows no vendor and no network.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use futures::future::BoxFuture;

use super::recording::{Line, RecordingError};
use crate::domain::ids::Digest;
use crate::engine::provider::{Completion, CompletionRequest, Provider, ProviderError};

/// The answers of a recording. They come as answers, not as known ones: a replay counts calls and costs as the run did.
#[derive(Debug)]
pub struct Replay {
    answers: HashMap<Digest, Completion>,
}

impl Replay {
    /// Reads a recording; of several lines with one key the last counts.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is not an answer.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let unreadable = |source| RecordingError::File { path: path.to_owned(), source };
        Self::read(BufReader::new(File::open(path).map_err(unreadable)?), path)
    }

    /// The same from anything that holds lines; `path` names it in errors.
    ///
    /// # Errors
    /// When it cannot be read, or a line is not an answer.
    pub fn read(lines: impl BufRead, path: &Path) -> Result<Self, RecordingError> {
        let mut answers = HashMap::new();
        for (at, line) in lines.lines().enumerate() {
            let line = line.map_err(|source| RecordingError::File { path: path.to_owned(), source })?;
            if line.trim().is_empty() {
                continue;
            }
            let parsed: Line = serde_json::from_str(&line).map_err(|source| RecordingError::Line {
                path: path.to_owned(),
                line: at + 1,
                source,
            })?;
            answers.insert(parsed.key, parsed.completion);
        }
        Ok(Self { answers })
    }
}

impl Provider for Replay {
    fn complete<'a>(
        &'a self,
        request: &'a CompletionRequest,
        key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>> {
        let answer = self.answers.get(&key).cloned().ok_or_else(|| ProviderError::GiveUp {
            message: format!("no recorded answer of {} to this question: record again with --record", request.model),
        });
        Box::pin(std::future::ready(answer))
    }
}
