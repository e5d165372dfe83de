//! Writes down what another provider answers, for replay. Knows no vendor.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;

use super::recording::{Line, RecordingError};
use crate::domain::ids::{Digest, ModelId};
use crate::engine::provider::{Completion, CompletionRequest, KnownAnswers, Provider, ProviderError};

/// A provider that appends each answer of another one to a file, recalled answers included: a replay has no cache.
pub struct Recorder<P> {
    inner: P,
    path: PathBuf,
    written: Mutex<Written>,
}

struct Written {
    file: File,
    keys: HashSet<Digest>,
}

impl<P: Provider> Recorder<P> {
    /// Opens the file; lines that are there stay, and yield to newer ones with the same key.
    ///
    /// # Errors
    /// When the file cannot be opened for writing.
    pub fn open(path: &Path, inner: P) -> Result<Self, RecordingError> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|source| RecordingError::File { path: path.to_owned(), source })?;
        Ok(Self { inner, path: path.to_owned(), written: Mutex::new(Written { file, keys: HashSet::new() }) })
    }

    /// A recalled answer (without a model) is written once, one that was asked for each time: the last one counts.
    fn write(&self, key: Digest, model: Option<&ModelId>, completion: &Completion) -> Result<(), ProviderError> {
        let failed = |error: &dyn std::fmt::Display| ProviderError::Fatal {
            message: format!("cannot write the recording {}: {error}: check the disk", self.path.display()),
        };
        let line = Line { key, model: model.cloned(), completion };
        let mut line = serde_json::to_vec(&line).map_err(|error| failed(&error))?;
        line.push(b'\n');
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.keys.insert(key) || model.is_some() {
            // A whole line in one write: a run that is killed leaves no half of one.
            written.file.write_all(&line).map_err(|error| failed(&error))?;
        }
        Ok(())
    }
}

impl<P: Provider> Provider for Recorder<P> {
    fn complete<'a>(
        &'a self,
        request: &'a CompletionRequest,
        key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>> {
        Box::pin(async move {
            let completion = self.inner.complete(request, key).await?;
            self.write(key, Some(&request.model), &completion)?;
            Ok(completion)
        })
    }

    fn recall<'a>(&'a self, keys: &'a [Digest]) -> BoxFuture<'a, KnownAnswers> {
        Box::pin(async move {
            let mut known = self.inner.recall(keys).await;
            // What cannot be written is not passed on as known: asking for it reports the failure.
            known.retain(|key, completion| self.write(*key, None, completion).is_ok());
            known
        })
    }

    fn ages<'a>(&'a self, keys: &'a [Digest]) -> BoxFuture<'a, HashMap<Digest, Duration>> {
        self.inner.ages(keys)
    }
}
