//! A provider that knows the answers of earlier runs: looks them up together, and keeps new ones in the background.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::domain::ids::{Digest, ModelId};
use crate::engine::clock::Clock;
use crate::engine::provider::{Completion, CompletionRequest, KnownAnswers, Provider, ProviderError};
use crate::store::Store;

/// Answers waiting to be written; a full queue slows the run down instead of growing.
const QUEUE: usize = 2_048;
/// Most answers in one transaction.
const BATCH: usize = 512;

/// A provider in front of which stands the store of answers.
pub struct Cached {
    inner: Arc<dyn Provider>,
    store: Store,
    /// Which servers answer: the same model's name elsewhere may be another model.
    servers: Digest,
    clock: Arc<dyn Clock>,
    queue: mpsc::Sender<(Digest, Completion)>,
}

/// The task that writes new answers; wait for it after the last call.
#[must_use = "answers still in the queue are lost unless the writer is awaited"]
pub struct AnswerWriter(JoinHandle<()>);

impl AnswerWriter {
    /// Waits until all answers are written; drop the [`Cached`] first.
    pub async fn finish(self) {
        if let Err(error) = self.0.await {
            tracing::error!(%error, "the writer of answers ended badly");
        }
    }
}

impl Cached {
    /// Puts the store in front of `inner`, whose answers come from `servers`.
    pub fn new(inner: Arc<dyn Provider>, servers: Digest, store: Store, clock: Arc<dyn Clock>) -> (Self, AnswerWriter) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let writer = tokio::spawn(write(store.clone(), clock.clone(), waiting));
        (Self { inner, store, servers, clock, queue }, AnswerWriter(writer))
    }

    fn stored_key(&self, key: &Digest) -> Digest {
        Digest::of_parts([self.servers.0.as_slice(), &key.0])
    }
}

async fn write(store: Store, clock: Arc<dyn Clock>, mut waiting: mpsc::Receiver<(Digest, Completion)>) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        // A lost answer costs a call next time, not a verdict now.
        if let Err(error) = store.save_answers(&batch, clock.now_ms()).await {
            tracing::warn!(%error, "answers were not kept");
        }
        batch.clear();
    }
}

impl Provider for Cached {
    fn complete<'a>(
        &'a self,
        request: &'a CompletionRequest,
        key: Digest,
    ) -> BoxFuture<'a, Result<Completion, ProviderError>> {
        Box::pin(async move {
            let completion = self.inner.complete(request, key).await?;
            // The writer ends only after this sender, so a closed queue means it crashed, which it logs itself.
            self.queue.send((self.stored_key(&key), completion.clone())).await.ok();
            Ok(completion)
        })
    }

    fn ready(&self, model: &ModelId) -> Result<(), String> {
        self.inner.ready(model)
    }

    fn recall<'a>(&'a self, keys: &'a [Digest]) -> BoxFuture<'a, KnownAnswers> {
        Box::pin(async move {
            let asked: HashMap<Digest, Digest> = keys.iter().map(|key| (self.stored_key(key), *key)).collect();
            let stored: Vec<Digest> = asked.keys().copied().collect();
            match self.store.load_answers(&stored).await {
                Ok(known) => {
                    known.into_iter().filter_map(|(stored, answer)| Some((*asked.get(&stored)?, answer))).collect()
                }
                Err(error) => {
                    tracing::warn!(%error, "known answers could not be read; asking again");
                    KnownAnswers::new()
                }
            }
        })
    }

    fn ages<'a>(&'a self, keys: &'a [Digest]) -> BoxFuture<'a, HashMap<Digest, Duration>> {
        Box::pin(async move {
            let stored: Vec<Digest> = keys.iter().map(|key| self.stored_key(key)).collect();
            let times = match self.store.answer_times(&stored).await {
                Ok(times) => times,
                Err(error) => {
                    tracing::warn!(%error, "the age of known answers could not be read; asking again");
                    HashMap::new()
                }
            };
            let now_ms = self.clock.now_ms();
            let age = |at_ms: &i64| Duration::from_millis(u64::try_from(now_ms - at_ms).unwrap_or(0));
            let found = keys.iter().zip(&stored).filter_map(|(key, stored)| Some((*key, age(times.get(stored)?))));
            found.collect()
        })
    }
}
