//! What the engine asks of a model provider. Knows no vendor, no wire format, no store.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Digest, ModelId};
use crate::domain::prompt::{ChatMessage, Parameters, ResponseFormat};

/// All that shapes an answer.
#[derive(Debug, Clone, Serialize)]
pub struct CompletionRequest {
    /// Who answers.
    pub model: ModelId,
    /// What is asked.
    pub messages: Arc<[ChatMessage]>,
    /// How it samples.
    pub parameters: Parameters,
    /// The form of the answer.
    pub response_format: ResponseFormat,
    /// Which sample this is: lane and index, so that fresh samples are fresh. Not sent.
    pub sample: Sample,
}

/// Which sample of one question a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sample {
    /// Why it is asked.
    pub lane: crate::domain::gate::Lane,
    /// Index within the lane.
    pub index: u32,
}

impl CompletionRequest {
    /// The key of the answer: equal keys mean equal questions and the same sample.
    #[must_use]
    pub fn key(&self) -> Digest {
        // The struct is serialised in declaration order, so the bytes are canonical.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        Digest::of_parts([b"completion/v1".as_slice(), &bytes])
    }
}

/// A model's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The text.
    pub text: Arc<str>,
    /// Why the model stopped, in the provider's word.
    pub finish_reason: Option<String>,
    /// Tokens of the question, as counted by the provider.
    pub input_tokens: Option<u32>,
    /// Tokens of the answer, as counted by the provider.
    pub output_tokens: Option<u32>,
    /// Time the provider took, in milliseconds, without waiting in our queue.
    pub latency_ms: u32,
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// Try again; after the time the provider asked for, if it said one.
    #[error("{message}")]
    Retry {
        /// What happened, without secrets.
        message: String,
        /// `Retry-After`.
        after: Option<Duration>,
    },
    /// This question will not be answered (4xx, refused content): its case is unmeasured.
    #[error("{message}")]
    GiveUp {
        /// What happened and what to do, without secrets.
        message: String,
    },
    /// No question will be answered (missing or wrong key, unknown model): stop the run.
    #[error("{message}")]
    Fatal {
        /// What happened and what to do, without secrets.
        message: String,
    },
}

/// Answers found without asking.
pub type KnownAnswers = HashMap<Digest, Completion>;

/// Somebody who answers questions: a vendor, a recording, or a cache in front of either.
pub trait Provider: Send + Sync {
    /// Asks once. The caller owns time limits and retries; dropping the future stops the call.
    fn complete<'a>(
        &'a self,
        request: &'a CompletionRequest,
        key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>>;

    /// Answers that are known already, looked up together.
    fn recall<'a>(&'a self, _keys: &'a [Digest]) -> BoxFuture<'a, KnownAnswers> {
        Box::pin(async { KnownAnswers::new() })
    }
}
