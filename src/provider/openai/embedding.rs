//! OpenAI's embeddings format: a text becomes a vector.

use serde::{Deserialize, Serialize};

use super::OpenAi;
use crate::engine::provider::{Completion, CompletionRequest, ProviderError};
use crate::provider::embedding;

#[derive(Serialize)]
struct Question<'q> {
    model: &'q str,
    input: &'q str,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Entry>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Entry {
    embedding: Vec<f64>,
}

#[derive(Deserialize)]
struct Tokens {
    prompt_tokens: Option<u32>,
}

impl OpenAi {
    pub(super) async fn embed(&self, request: &CompletionRequest, model: &str) -> Result<Completion, ProviderError> {
        let input = embedding::text(request)?;
        let path = self.path(model, "/embeddings");
        let question = Question { model, input };
        let answered = self.http.post::<_, Answer>(&self.endpoint, &path, &question).await?;
        let tokens = answered.answer.usage.as_ref().and_then(|usage| usage.prompt_tokens);
        let vector = answered.answer.data.first().map(|entry| entry.embedding.as_slice()).unwrap_or_default();
        if vector.is_empty() {
            return Err(self.endpoint.garbage("no embedding"));
        }
        Ok(embedding::completion(vector, tokens, answered.latency_ms, answered.rate))
    }
}
