//! What all vendors' embeddings share: one text in, a JSON list of numbers out. Knows no vendor.

use crate::engine::provider::{Completion, CompletionRequest, ProviderError, RateHint};

/// The text to embed.
///
/// # Errors
/// When the request is not one text.
pub(super) fn text(request: &CompletionRequest) -> Result<&str, ProviderError> {
    match &*request.messages {
        [only] if only.parts.is_empty() => Ok(&only.content),
        _ => {
            let message = "an embedding is of one text: compare texts without media".to_owned();
            Err(ProviderError::GiveUp { message })
        }
    }
}

/// A vector as an answer.
pub(super) fn completion(
    vector: &[f64],
    input_tokens: Option<u32>,
    latency_ms: u32,
    rate: Option<RateHint>,
) -> Completion {
    // Numbers always serialise; JSON itself has none that is not finite.
    let text = serde_json::to_string(vector).unwrap_or_default();
    Completion { text: text.into(), finish_reason: None, input_tokens, output_tokens: Some(0), latency_ms, rate }
}
