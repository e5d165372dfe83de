//! What the engine asks of a model provider. Knows no vendor, no wire format, no store.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::gate::Lane;
use crate::domain::ids::{Digest, ModelId};
use crate::domain::prompt::{ChatMessage, Parameters, Part, ResponseFormat, Role};

/// What a model is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Task {
    /// Answer the messages.
    #[default]
    Chat,
    /// Turn the one message's text into a vector; the answer's text is a JSON list of numbers.
    Embed,
}

/// All that shapes an answer.
#[derive(Debug, Clone)]
pub struct CompletionRequest {
    /// Who answers.
    pub model: ModelId,
    /// What is asked.
    pub messages: Arc<[ChatMessage]>,
    /// How it samples.
    pub parameters: Parameters,
    /// The form of the answer.
    pub response_format: ResponseFormat,
    /// Tools the model may call, in OpenAI's form.
    pub tools: Arc<[Value]>,
    /// What the model is to do.
    pub task: Task,
    /// Which sample this is: lane and index, so that fresh samples are fresh. Not sent.
    pub sample: Sample,
}

/// Which sample of one question a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sample {
    /// Why it is asked.
    pub lane: Lane,
    /// Index within the lane.
    pub index: u32,
}

impl CompletionRequest {
    /// The key of the answer: equal keys mean equal questions and the same sample.
    #[must_use]
    pub fn key(&self) -> Digest {
        let mut shape = shape_digest(&self.model, &self.parameters, &self.response_format, &self.tools);
        if self.task == Task::Embed {
            shape = Digest::of_parts([b"embedding/v1".as_slice(), &shape.0]);
        }
        sample_key(question_digest(shape, &self.messages), self.sample)
    }
}

// A key is built in three steps, so that a run hashes what its calls share only once:
// the shape once per side, the question once per case and side, the sample once per call.

/// The digest of all that shapes an answer but its messages.
#[must_use]
pub fn shape_digest(model: &ModelId, parameters: &Parameters, format: &ResponseFormat, tools: &[Value]) -> Digest {
    // Both are plain structs, serialised in declaration order: the bytes are canonical, and they always serialise.
    let parameters = serde_json::to_vec(parameters).unwrap_or_default();
    let format = serde_json::to_vec(format).unwrap_or_default();
    let shape = Digest::of_parts([b"completion/v1".as_slice(), model.as_str().as_bytes(), &parameters, &format]);
    if tools.is_empty() {
        return shape;
    }
    let tools = serde_json::to_vec(tools).unwrap_or_default();
    Digest::of_parts([shape.0.as_slice(), &tools])
}

/// The digest of a question: its shape and its messages.
#[must_use]
pub fn question_digest(shape: Digest, messages: &[ChatMessage]) -> Digest {
    let said = messages.iter().flat_map(|message| {
        let parts = message.parts.iter().flat_map(|part| match part {
            Part::Text(text) => [b"text".as_slice(), text.as_bytes(), b""],
            Part::Media { url, content_type } => {
                [b"media", url.as_bytes(), content_type.as_deref().unwrap_or_default().as_bytes()]
            }
        });
        [role_tag(message.role), message.content.as_bytes()].into_iter().chain(parts)
    });
    Digest::of_parts(std::iter::once(shape.0.as_slice()).chain(said))
}

/// The key of one sample of a question.
#[must_use]
pub fn sample_key(question: Digest, sample: Sample) -> Digest {
    Digest::of_parts([question.0.as_slice(), lane_tag(sample.lane), &sample.index.to_le_bytes()])
}

fn role_tag(role: Role) -> &'static [u8] {
    match role {
        Role::System => b"system",
        Role::User => b"user",
        Role::Assistant => b"assistant",
        Role::Tool => b"tool",
    }
}

fn lane_tag(lane: Lane) -> &'static [u8] {
    match lane {
        Lane::Suite => b"suite",
        Lane::MustPass => b"must_pass",
        Lane::Screen => b"screen",
        Lane::Confirm => b"confirm",
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
    /// What the provider says is left of its limits. Only of an answer that has just come: it is not kept.
    #[serde(skip)]
    pub rate: Option<RateHint>,
}

/// What a provider says of its own limits, beside an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateHint {
    /// Questions that it still takes.
    pub remaining_requests: Option<u64>,
    /// Tokens that it still takes.
    pub remaining_tokens: Option<u64>,
    /// How long until the limit that is used up is whole again; where none is, the longest of all.
    pub reset_after: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// Try again; after the time the provider asked for, if it said one.
    #[error("{message}")]
    Retry {
        /// What happened, without secrets.
        message: String,
        /// `Retry-After`, or the end of a limit that is used up.
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

    /// Whether somebody is set up to answer for a model. Asks nobody.
    ///
    /// # Errors
    /// What is missing, and what to do.
    fn ready(&self, _model: &ModelId) -> Result<(), String> {
        Ok(())
    }

    /// Answers that are known already, looked up together.
    fn recall<'a>(&'a self, _keys: &'a [Digest]) -> BoxFuture<'a, KnownAnswers> {
        Box::pin(async { KnownAnswers::new() })
    }

    /// How old those of the answers are that are known, without the answers.
    fn ages<'a>(&'a self, _keys: &'a [Digest]) -> BoxFuture<'a, HashMap<Digest, Duration>> {
        Box::pin(async { HashMap::new() })
    }
}

impl<P: Provider + ?Sized> Provider for std::sync::Arc<P> {
    fn complete<'a>(
        &'a self,
        request: &'a CompletionRequest,
        key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>> {
        (**self).complete(request, key)
    }

    fn ready(&self, model: &ModelId) -> Result<(), String> {
        (**self).ready(model)
    }

    fn recall<'a>(&'a self, keys: &'a [Digest]) -> BoxFuture<'a, KnownAnswers> {
        (**self).recall(keys)
    }

    fn ages<'a>(&'a self, keys: &'a [Digest]) -> BoxFuture<'a, HashMap<Digest, Duration>> {
        (**self).ages(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(model: &str, said: &[(Role, &str)], temperature: Option<f64>, lane: Lane, index: u32) -> Digest {
        CompletionRequest {
            model: ModelId::parse(model).unwrap(),
            messages: said.iter().map(|(role, text)| ChatMessage::text(*role, *text)).collect(),
            parameters: Parameters { temperature, ..Parameters::default() },
            response_format: ResponseFormat::Text,
            tools: Arc::default(),
            task: Task::Chat,
            sample: Sample { lane, index },
        }
        .key()
    }

    #[test]
    fn every_part_of_a_request_shapes_its_key() {
        let user = |text| [(Role::User, text)];
        let keys = [
            request("openai/a", &user("hi"), None, Lane::Suite, 0),
            request("openai/b", &user("hi"), None, Lane::Suite, 0),
            request("openai/a", &user("ho"), None, Lane::Suite, 0),
            request("openai/a", &[(Role::System, "hi")], None, Lane::Suite, 0),
            request("openai/a", &[(Role::User, "h"), (Role::User, "i")], None, Lane::Suite, 0),
            request("openai/a", &user("hi"), Some(0.0), Lane::Suite, 0),
            request("openai/a", &user("hi"), None, Lane::Confirm, 0),
            request("openai/a", &user("hi"), None, Lane::Suite, 1),
        ];
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        assert_eq!(keys[0], request("openai/a", &user("hi"), None, Lane::Suite, 0));
    }

    #[test]
    fn a_message_cannot_pass_for_two() {
        let one = request("openai/a", &[(Role::User, "a"), (Role::Assistant, "b")], None, Lane::Suite, 0);
        let two = request("openai/a", &[(Role::User, "aassistantb")], None, Lane::Suite, 0);
        assert_ne!(one, two);
    }
}
